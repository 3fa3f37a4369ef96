"""Fixed VHD footers: the reference's bytes, and what QEMU makes of them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcsshim.disk import (
    VhdFooter,
    append_vhd_footer,
    create_vhd,
    read_vhd,
    remove_vhd_footer,
)
from hcsshim.disk.vhd import checksum_of, geometry_of
from hcsshim.errors import InvalidDataError

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run

ZERO = UUID(int=0)
SIZES = [512, 32768, 41_946_624, 127 * 2**30, 2040 * 2**30]


def test_footer_is_the_references() -> None:
    """
    The footer has the bytes that the reference writes, its random id aside.
    """
    footer = VhdFooter(size=32768, unique_id=ZERO).encode()

    assert "fffff39b" == footer[0x40:0x44].hex()
    assert (
        "49d0070ee4542d727c614ffbcac4c705510717341dd3546dda05365368d90e8d"
        == hashlib.sha256(footer).hexdigest()
    )


@given(
    sectors=st.integers(0, 2**53),
    unique_id=st.uuids(),
    timestamp=st.integers(0, 2**32 - 1),
    creator=st.binary(min_size=4, max_size=4),
    geometry=st.tuples(st.integers(0, 65535), st.integers(0, 255), st.integers(0, 255)),
    saved_state=st.booleans(),
)
def test_footer_survives_a_round_trip(  # noqa: PLR0913, PLR0917 - each is a field
    sectors: int,
    unique_id: UUID,
    timestamp: int,
    creator: bytes,
    geometry: tuple[int, int, int],
    saved_state: bool,  # noqa: FBT001 - given by name
) -> None:
    """
    What is encoded is decoded, field by field.
    """
    footer = VhdFooter(
        size=sectors * 512,
        unique_id=unique_id,
        timestamp=timestamp,
        creator=creator,
        geometry=geometry,
        saved_state=saved_state,
    )

    assert footer == VhdFooter.decode(footer.encode())


@given(place=st.integers(0, 511), bit=st.integers(0, 7))
def test_any_flipped_bit_is_refused(place: int, bit: int) -> None:
    """
    One flipped bit anywhere in a footer makes it none.
    """
    damaged = bytearray(VhdFooter(size=1024, unique_id=ZERO).encode())
    damaged[place] ^= 1 << bit

    with pytest.raises(InvalidDataError, match=r"checksum|no VHD footer"):
        VhdFooter.decode(bytes(damaged))


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (0x0C, b"\0\2", "version 2"),
        (0x3C, b"\0\0\0\3", "a dynamic VHD"),
        (0x3C, b"\0\0\0\4", "a differencing VHD"),
        (0x3C, b"\0\0\0\x09", "a type 9 VHD"),
        (0x37, b"\1", "1025 bytes"),
        (0x30, b"\xff", "bytes cannot be"),
    ],
)
def test_other_kinds_are_refused(place: int, value: bytes, complaint: str) -> None:
    """
    A sound footer of another kind of disk, or of a size that cannot be, is refused.
    """
    footer = bytearray(VhdFooter(size=1024, unique_id=ZERO).encode())
    footer[place : place + len(value)] = value
    footer[0x40:0x44] = checksum_of(footer).to_bytes(4, "big")

    with pytest.raises(InvalidDataError, match=complaint):
        VhdFooter.decode(bytes(footer))


@given(st.binary(max_size=600))
def test_garbage_is_no_footer(garbage: bytes) -> None:
    """
    Garbage is refused and nothing worse.
    """
    with pytest.raises(InvalidDataError, match="VHD"):
        VhdFooter.decode((b"conectix" + garbage)[:512])


def test_append_and_remove(tmp_path: Path) -> None:
    """
    A footer can be put behind an image once, and taken off again.
    """
    path = tmp_path / "disk"
    path.write_bytes(b"x" * 1024)

    footer = append_vhd_footer(path, unique_id=ZERO)

    assert (1536, footer) == (path.stat().st_size, read_vhd(path))
    with pytest.raises(InvalidDataError, match="already"):
        append_vhd_footer(path)
    assert footer == remove_vhd_footer(path)
    assert b"x" * 1024 == path.read_bytes()


@pytest.mark.parametrize("size", [0, 1, 511, 513])
def test_only_whole_sectors(size: int, tmp_path: Path) -> None:
    """
    An image that is empty or ends inside a sector stays as it is.
    """
    path = tmp_path / "disk"
    path.write_bytes(bytes(size))

    with pytest.raises(InvalidDataError, match=f"{size} bytes"):
        append_vhd_footer(path)

    assert bytes(size) == path.read_bytes()


@pytest.mark.parametrize("length", [0, 100, 511, 512, 1023, 1535, 1537])
def test_truncated_files(length: int, tmp_path: Path) -> None:
    """
    A VHD that lost its end, its start, or gained a byte is refused.
    """
    whole = bytes(1024) + VhdFooter(size=1024).encode()
    path = tmp_path / "disk"
    path.write_bytes((whole + b"x")[:length] if length >= 1024 else whole[-length:])
    if length == 0:
        path.write_bytes(b"")

    with pytest.raises(InvalidDataError, match="VHD"):
        read_vhd(path)


@pytest.mark.parametrize("size", SIZES)
def test_geometry_covers_the_disk(size: int) -> None:
    """
    The geometry is within its fields and, of disks it can tell, just below the size.
    """
    cylinders, heads, sectors = geometry_of(size)

    assert (cylinders <= 65535, heads <= 16, sectors <= 255) == (True, True, True)
    told = cylinders * heads * sectors * 512
    assert told <= size
    assert told > size - heads * sectors * 512 or cylinders == 65535


@pytest.mark.parametrize("size", [4_194_304, 41_946_624])
def test_qemu_reads_what_we_create(size: int, tmp_path: Path, tool: Run) -> None:
    """
    QEMU sees a fixed VHD of our size; it takes no room on the disk.
    """
    path = tmp_path / "disk.vhd"

    create_vhd(path, size)
    result = tool("qemu-img", "info", "--output=json", "-f", "vpc", path)

    info = json.loads(result.stdout)
    assert ("vpc", size) == (info["format"], info["virtual-size"])
    assert path.stat().st_blocks * 512 < 65536


def test_qemu_reads_what_we_convert(tmp_path: Path, tool: Run) -> None:
    """
    A raw image with our footer holds the same bytes for QEMU.
    """
    raw, vhd = tmp_path / "raw", tmp_path / "disk.vhd"
    raw.write_bytes(hashlib.sha512(b"seed").digest() * 16384)
    vhd.write_bytes(raw.read_bytes())

    append_vhd_footer(vhd, interoperable=True)
    result = tool("qemu-img", "compare", "-f", "vpc", "-F", "raw", vhd, raw)

    assert "Images are identical.\n" == result.stdout


def test_we_read_what_qemu_creates(tmp_path: Path, tool: Run) -> None:
    """
    A fixed VHD of QEMU's is read; a dynamic one is named and refused.
    """
    fixed, dynamic = tmp_path / "fixed.vhd", tmp_path / "dynamic.vhd"
    options = "subformat=fixed,force_size=on"
    tool("qemu-img", "create", "-f", "vpc", "-o", options, fixed, "8M")
    tool("qemu-img", "create", "-f", "vpc", "-o", "subformat=dynamic", dynamic, "8M")

    assert (8 * 2**20, b"qem2") == (read_vhd(fixed).size, read_vhd(fixed).creator)
    with pytest.raises(InvalidDataError, match="dynamic VHD"):
        read_vhd(dynamic)


def test_full_allocation(tmp_path: Path) -> None:
    """
    A VHD for Windows has no holes.
    """
    path = tmp_path / "disk.vhd"

    create_vhd(path, 1024 * 1024, sparse=False)

    assert path.stat().st_blocks * 512 >= 1024 * 1024


def test_failed_creation_leaves_nothing(tmp_path: Path) -> None:
    """
    A disk that cannot be made leaves the old file and no other.
    """
    path = tmp_path / "disk.vhd"
    path.write_bytes(b"old")

    with pytest.raises(ValueError, match="1000 bytes"):
        create_vhd(path, 1000)

    assert (b"old", [path]) == (path.read_bytes(), list(tmp_path.iterdir()))
