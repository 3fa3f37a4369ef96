"""Scratch disks, read by other programs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import find_program

from hcsshim.disk import read_vhdx
from hcsshim.oci.scratch import SparseReader, create_scratch, prepare_disk

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20


def test_disk_is_an_empty_file_system(tmp_path: Path) -> None:
    """
    Other programs read the disk, find no fault, and no journal.
    """
    find_program("mkfs.ext4")
    disk, image = tmp_path / "scratch.vhdx", tmp_path / "raw"

    create_scratch(disk, 1)

    assert 1024 * MIB == read_vhdx(disk).size
    convert = [find_program("qemu-img"), "convert", "-O", "raw", disk, image]
    subprocess.run(convert, check=True)
    subprocess.run([find_program("e2fsck"), "-fn", image], check=True)
    told = subprocess.run(
        [find_program("dumpe2fs"), "-h", image], check=True, capture_output=True
    )
    assert b"has_journal" not in told.stdout
    assert ["raw", "scratch.vhdx"] == sorted(p.name for p in tmp_path.iterdir())


def test_cache(tmp_path: Path) -> None:
    """
    A disk of the usual size is left for the next time, and copied then.
    """
    cache = tmp_path / "cache"
    cache.write_bytes(b"a disk")

    create_scratch(tmp_path / "one.vhdx", cache=cache)

    assert b"a disk" == (tmp_path / "one.vhdx").read_bytes()


@pytest.mark.parametrize(
    ("name", "size", "error", "message"),
    [
        ("there", 1, FileExistsError, "exists already"),
        ("new", 0, ValueError, "must be positive"),
    ],
)
def test_what_cannot_be_made(
    tmp_path: Path, name: str, size: int, error: type[Exception], message: str
) -> None:
    """
    What is there stays; the error is a sentence.
    """
    (tmp_path / "there").write_text("kept")

    with pytest.raises(error, match=message):
        create_scratch(tmp_path / name, size)

    assert "kept" == (tmp_path / "there").read_text()


def test_preparing_fails_with_the_programs_words(tmp_path: Path) -> None:
    """
    A disk that is not there, or too small for a file system.
    """
    with pytest.raises(FileNotFoundError, match="is not there"):
        prepare_disk(tmp_path / "no")
    find_program("mkfs.ext4")
    (tmp_path / "small").write_bytes(b"x")
    with pytest.raises(OSError, match="no file system on"):
        prepare_disk(tmp_path / "small")


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.binary(min_size=1, max_size=5)), max_size=4
    ),
    st.lists(st.tuples(st.integers(0, 45), st.integers(0, 20000)), max_size=6),
)
def test_holes_read_as_zeros(
    tmp_path_factory: pytest.TempPathFactory,
    writes: list[tuple[int, bytes]],
    reads: list[tuple[int, int]],
) -> None:
    """
    A file with holes is read as any other, in any order.
    """
    path = tmp_path_factory.mktemp("sparse") / "file"
    with path.open("wb") as file:
        file.truncate(40 * 4096)
        for page, data in writes:
            file.seek(page * 4096)
            file.write(data)
    content = path.read_bytes()

    with path.open("rb", buffering=0) as file:
        reader = SparseReader(file)
        assert len(content) == reader.seek(0, 2)
        for page, length in reads:
            reader.seek(page * 4096)
            found = b""
            while len(found) < length and (part := reader.read(length - len(found))):
                found += part
            assert content[page * 4096 :][:length] == found
        reader.seek(0)
        assert content == reader.readall()
