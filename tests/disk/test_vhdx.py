"""VHDX: what QEMU accepts of ours, what we read of QEMU's, what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import random
import struct
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import find_program

from hcsshim._native.verity import crc32c
from hcsshim.disk import (
    VhdxLogError,
    check_vhdx,
    create_differencing_vhdx,
    create_vhdx,
    expand_vhdx,
    read_vhdx,
    read_vhdx_data,
)
from hcsshim.disk import _vhdx_format as vf
from hcsshim.errors import InvalidDataError, NotSupportedError

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run

MIB = 1024 * 1024
HEADER_1, HEADER_2, REGIONS_1, REGIONS_2 = (n * 65536 for n in (1, 2, 3, 4))
METADATA, BAT = 2 * MIB, 3 * MIB


def raw_image(size: int) -> bytes:
    """Make a disk of data, holes, and an end inside a block."""
    source = random.Random(size)  # noqa: S311 - the same each time
    data = bytearray(size)
    for start in range(0, size, 3 * MIB):
        piece = source.randbytes(min(MIB + 4096, size - start))
        data[start : start + len(piece)] = piece
    return bytes(data)


def resealed(data: bytearray, offset: int, length: int) -> None:
    """Make the checksum of a changed structure right again."""
    data[offset : offset + length] = vf.sealed(data[offset : offset + length])


def test_crc32c() -> None:
    """
    The checksum is CRC-32C.
    """
    assert 0xE3069283 == crc32c(b"123456789")


def test_empty_disk_is_byte_for_byte_known(tmp_path: Path) -> None:
    """
    An empty dynamic disk with zero ids is the known file.
    """
    path = tmp_path / "disk.vhdx"

    create_vhdx(path, 64 * MIB, new_id=lambda: UUID(int=0))

    data = path.read_bytes()
    assert (4 * MIB, 0xF1FD4713, 0x7318957B, 0xC66B8CAE) == (
        len(data),
        *(
            struct.unpack_from("<I", data, at + 4)[0]
            for at in (HEADER_1, HEADER_2, REGIONS_1)
        ),
    )
    assert (
        "dfdd5b9bb05c00b88a6dffa004b6cbe34520e07b80d92a47f082f7693c6c00be"
        == hashlib.sha256(data).hexdigest()
    )


@pytest.mark.parametrize("fixed", [False, True], ids=["dynamic", "fixed"])
@pytest.mark.parametrize("block_size", [MIB, 8 * MIB])
def test_qemu_reads_what_we_write(
    fixed: bool,  # noqa: FBT001 - given by name
    block_size: int,
    tmp_path: Path,
    tool: Run,
) -> None:
    """
    QEMU finds the image's bytes in our disk and no fault in its structure.
    """
    raw, path = tmp_path / "raw", tmp_path / "disk.vhdx"
    raw.write_bytes(raw_image(13 * MIB + 512))

    info = create_vhdx(path, source=raw, fixed=fixed, block_size=block_size)
    check = tool("qemu-img", "check", "-f", "vhdx", path)
    compare = tool("qemu-img", "compare", "-f", "vhdx", "-F", "raw", path, raw)

    assert (0, "Images are identical.\n") == (check.returncode, compare.stdout)
    assert (13 * MIB + 512, fixed, block_size) == (
        info.size,
        info.fixed,
        info.block_size,
    )
    blocks = -(-info.size // block_size)
    assert check_vhdx(path) == (blocks if fixed else min(blocks, 10))
    assert raw.read_bytes() == read_vhdx_data(path, 0, info.size)


@pytest.mark.parametrize("fixed", [False, True], ids=["dynamic", "fixed"])
def test_expanding_keeps_the_data(
    fixed: bool,  # noqa: FBT001 - given by name
    tmp_path: Path,
    tool: Run,
) -> None:
    """
    A larger disk holds the same bytes, zeros after them, and a new data id.
    """
    raw, path = tmp_path / "raw", tmp_path / "disk.vhdx"
    raw.write_bytes(raw_image(5 * MIB + 512))
    before = create_vhdx(path, source=raw, fixed=fixed)

    after = expand_vhdx(path, 40 * MIB)
    with raw.open("r+b") as file:
        file.truncate(40 * MIB)
    check = tool("qemu-img", "check", "-f", "vhdx", path)
    compare = tool("qemu-img", "compare", "-f", "vhdx", "-F", "raw", path, raw)

    assert (0, "Images are identical.\n") == (check.returncode, compare.stdout)
    assert (40 * MIB, before.disk_id) == (after.size, after.disk_id)
    assert before.data_write_id != after.data_write_id


def test_expanding_moves_a_full_block_table(tmp_path: Path, tool: Run) -> None:
    """
    A disk of which the table has no room is expanded by moving the table.
    """
    raw, path = tmp_path / "raw", tmp_path / "disk.vhdx"
    raw.write_bytes(raw_image(5 * MIB))
    create_vhdx(path, source=raw)

    expand_vhdx(path, 200 * 1024 * MIB)
    check = tool("qemu-img", "check", "-f", "vhdx", path)
    info = json.loads(tool("qemu-img", "info", "--output=json", path).stdout)

    assert (0, 200 * 1024 * MIB) == (check.returncode, info["virtual-size"])
    assert raw.read_bytes() == read_vhdx_data(path, 0, 5 * MIB)
    assert bytes(MIB) == read_vhdx_data(path, 199 * 1024 * MIB, MIB)
    assert path.stat().st_size < 16 * MIB


@pytest.mark.parametrize("subformat", ["dynamic", "fixed"])
def test_we_read_what_qemu_writes(subformat: str, tmp_path: Path, tool: Run) -> None:
    """
    A disk of QEMU's is checked, read, and expanded.
    """
    raw, path = tmp_path / "raw", tmp_path / "disk.vhdx"
    raw.write_bytes(raw_image(20 * MIB))
    options = f"subformat={subformat},block_size=1M"
    made = tool(
        *("qemu-img", "convert", "-O", "vhdx", "-f", "raw", "-o", options),
        *(raw, path),
    )

    info = read_vhdx(path)

    assert (0, 20 * MIB, MIB) == (made.returncode, info.size, info.block_size)
    assert info.clean
    assert "QEMU" in info.creator
    assert check_vhdx(path) > 0
    assert raw.read_bytes() == read_vhdx_data(path, 0, info.size)
    expand_vhdx(path, 64 * MIB)
    assert 0 == tool("qemu-img", "check", "-f", "vhdx", path).returncode


def test_dirty_file_is_refused(tmp_path: Path) -> None:
    """
    A file whose log is not empty tells so; its data are neither read nor changed.
    """
    path = tmp_path / "disk.vhdx"
    create_vhdx(path, 4 * MIB)
    data = bytearray(path.read_bytes())
    data[HEADER_2 + 0x30] = 1
    resealed(data, HEADER_2, 4096)
    path.write_bytes(data)

    assert not read_vhdx(path).clean
    for use in (
        lambda: check_vhdx(path),
        lambda: read_vhdx_data(path, 0, 512),
        lambda: expand_vhdx(path, 8 * MIB),
    ):
        with pytest.raises(VhdxLogError, match="not closed cleanly"):
            use()
    assert data == path.read_bytes()


def test_one_header_and_one_table_may_be_damaged(tmp_path: Path) -> None:
    """
    Of the two headers and region tables one of each is enough; none is not.
    """
    path = tmp_path / "disk.vhdx"
    create_vhdx(path, 4 * MIB)
    data = bytearray(path.read_bytes())
    for first, second, name in (
        (HEADER_2, HEADER_1, "headers"),
        (REGIONS_1, REGIONS_2, "region tables"),
    ):
        data[first + 20] ^= 1
        path.write_bytes(data)
        assert 4 * MIB == read_vhdx(path).size
        data[second + 20] ^= 1
        path.write_bytes(data)
        with pytest.raises(InvalidDataError, match=f"Both {name}"):
            read_vhdx(path)
        data[second + 20] ^= 1


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (HEADER_2 + 0x42, b"\2", "version 2"),
        (REGIONS_1 + 8, b"\xff\xff", "65535 regions"),
        (REGIONS_1 + 8, b"\1", "lacks the metadata"),
        (REGIONS_1 + 16, b"\0", "required, but not known"),
        (REGIONS_1 + 33, b"\1", "where a region may be"),
        (REGIONS_1 + 34, b"\x20", "overlap"),
        (REGIONS_1 + 36, b"\1", "ends before its regions"),
        (REGIONS_1 + 39, b"\xff", "where a region may be"),
        (REGIONS_1 + 40, bytes(4), "where a region may be"),
        (METADATA, b"M", "no metadata table"),
        (METADATA + 10, b"\xff\xff", "no metadata table"),
        (METADATA + 32, b"\0", "required, but not known"),
        (METADATA + 10, b"\4", "is missing"),
        (METADATA + 48, b"\xff\xff\xff\xff", "outside of its region"),
        (METADATA + 52, b"\4", "is 4 bytes long"),
        (METADATA + 65536, b"\1", "Blocks of"),
        (METADATA + 65536 + 32, b"\3", "Sectors of"),
        (METADATA + 65536 + 8, b"\1", "A disk of"),
        (METADATA + 65536 + 13, b"\xff", "A disk of"),
        (METADATA + 65536 + 12, b"\xff", "too short for the disk"),
        (METADATA + 65536 + 4, b"\2", "has a parent"),
    ],
)
def test_hostile_structures(
    place: int, value: bytes, complaint: str, tmp_path: Path
) -> None:
    """
    Structures that say what cannot be are refused, each with its reason.
    """
    path = tmp_path / "disk.vhdx"
    create_vhdx(path, 4 * MIB)
    data = bytearray(path.read_bytes())
    data[place : place + len(value)] = value
    for offset, length in ((HEADER_2, 4096), (REGIONS_1, 65536)):
        resealed(data, offset, length)
    path.write_bytes(data)

    with pytest.raises(InvalidDataError, match=complaint):
        read_vhdx(path)


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([4 * MIB | 4], "has the state 4"),
        ([400 * MIB | 6], "points out of the file"),
        ([0 | 6], "points out of the file"),
        ([2 * MIB | 6], "points into a region"),
        ([4 * MIB | 6, 4 * MIB | 6], "shares a block's place"),
    ],
)
def test_hostile_block_tables(
    entries: list[int], complaint: str, tmp_path: Path
) -> None:
    """
    Blocks that overlap something, or lie outside of the file, are found.
    """
    path = tmp_path / "disk.vhdx"
    create_vhdx(path, source=io.BytesIO(b"x" * 4 * MIB))
    data = bytearray(path.read_bytes())
    struct.pack_into(f"<{len(entries)}Q", data, BAT, *entries)
    path.write_bytes(data)

    with pytest.raises(InvalidDataError, match=complaint):
        check_vhdx(path)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_garbage_and_truncation(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    A file with garbage anywhere, or cut anywhere, is read or refused, nothing worse.
    """
    path = tmp_path_factory.mktemp("fuzz") / "disk.vhdx"
    create_vhdx(path, source=io.BytesIO(b"x" * MIB))
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        area = data.draw(
            st.sampled_from((0, HEADER_1, HEADER_2, REGIONS_1, METADATA, BAT))
        )
        inside = data.draw(st.integers(0, 200) | st.integers(65536, 65600))
        piece = data.draw(st.binary(min_size=1, max_size=16))
        whole[area + inside : area + inside + len(piece)] = piece
    if data.draw(st.booleans()):
        for offset, length in (
            (HEADER_1, 4096),
            (HEADER_2, 4096),
            (REGIONS_1, 65536),
            (REGIONS_2, 65536),
        ):
            resealed(whole, offset, length)
    length = data.draw(st.just(len(whole)) | st.integers(0, len(whole)))
    path.write_bytes(whole[:length])

    for use in (
        lambda: read_vhdx(path),
        lambda: check_vhdx(path),
        lambda: read_vhdx_data(path, 0, 4096),
    ):
        with suppress(InvalidDataError, NotSupportedError):
            use()


@pytest.mark.parametrize(
    ("settings_of", "complaint"),
    [
        ({"size": 0}, "A disk of 0"),
        ({"size": 513}, "A disk of 513"),
        ({"size": 65 << 40}, "A disk of"),
        ({"size": MIB, "block_size": 3 * MIB}, "Blocks of"),
        ({"size": MIB, "block_size": 512 * MIB}, "Blocks of"),
        ({"size": MIB, "logical_sector": 1024}, "Sectors of 1024"),
        ({"size": 512, "source": io.BytesIO(bytes(1024))}, "does not fit"),
    ],
)
def test_disks_that_cannot_be(
    settings_of: dict[str, int], complaint: str, tmp_path: Path
) -> None:
    """
    A disk that the format does not have is refused, and no file is left.
    """
    with pytest.raises(InvalidDataError, match=complaint):
        create_vhdx(tmp_path / "disk.vhdx", **settings_of)

    assert [] == list(tmp_path.iterdir())


def test_shrinking_is_refused(tmp_path: Path) -> None:
    """
    A disk never loses what it may hold.
    """
    path = tmp_path / "disk.vhdx"
    create_vhdx(path, 4 * MIB)

    with pytest.raises(InvalidDataError, match="cannot shrink"):
        expand_vhdx(path, 2 * MIB)


def test_reading_beyond_the_end(tmp_path: Path) -> None:
    """
    Reading stops at the end of the disk with an error, not with fewer bytes.
    """
    path = tmp_path / "disk.vhdx"
    create_vhdx(path, 4 * MIB)

    assert bytes(512) == read_vhdx_data(path, 4 * MIB - 512, 512)
    with pytest.raises(InvalidDataError, match="ends at byte"):
        read_vhdx_data(path, 4 * MIB - 512, 513)


def test_counts_of_the_block_table() -> None:
    """
    The table's length is what the specification's examples give.
    """
    metadata = vf.Metadata(
        size=20 << 30,
        block_size=MIB,
        logical_sector=512,
        physical_sector=4096,
        disk_id=UUID(int=0),
    )

    assert (4096, 20484) == (vf.chunk_ratio(metadata), vf.entry_count(metadata))


def test_differencing_disk_is_read_by_others(tmp_path: Path) -> None:
    """
    Libvhdi takes the file for a differencing disk of the parent that it names.
    """
    (tmp_path / "below").mkdir()
    base = create_vhdx(tmp_path / "below" / "base.vhdx", 64 << 20)
    made = create_differencing_vhdx(
        tmp_path / "diff.vhdx", tmp_path / "below" / "base.vhdx"
    )

    assert made.has_parent
    assert ".\\below\\base.vhdx" == made.parent["relative_path"]
    assert f"{{{base.data_write_id}}}" == made.parent["parent_linkage"]
    assert 0 == check_vhdx(tmp_path / "diff.vhdx")
    shown = subprocess.run(
        [find_program("vhdiinfo"), tmp_path / "diff.vhdx"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert "Differential" in shown
    assert str(base.data_write_id) in shown
