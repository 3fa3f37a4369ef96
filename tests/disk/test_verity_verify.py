"""Every block that is not what it was is found, and named."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcsshim.disk import (
    VerityMismatchError,
    append_verity,
    verify,
    write_hash_device,
)
from hcsshim.errors import InvalidDataError

from .verity_images import BLOCK, image

if TYPE_CHECKING:
    from collections.abc import Iterator

#: More than a hash block's worth, so that the tree has two levels.
BLOCKS = 150
DATA = BLOCKS * BLOCK
TOP = DATA + BLOCK
LEAVES = TOP + BLOCK
END = LEAVES + 2 * BLOCK


@pytest.fixture(scope="module")
def sealed() -> Iterator[tuple[Path, str]]:
    """Give an image with its tree, and the root hash."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image")
        path.write_bytes(image(BLOCKS))
        yield path, append_verity(path).root_hash


def test_sound_image(sealed: tuple[Path, str]) -> None:
    """
    A sound image passes; text and bytes of the root hash are the same.
    """
    path, root = sealed
    told: list[tuple[int, int | None]] = []

    info = verify(
        path, root, hash_offset=DATA, progress=lambda *done: told.append(done)
    )

    assert (root, BLOCKS) == (info.root_hash, info.superblock.data_blocks)
    assert info == verify(path, bytes.fromhex(root), hash_offset=DATA)
    assert [(DATA, DATA)] == told


@settings(max_examples=150, deadline=None)
@given(
    place=st.one_of(st.integers(0, DATA - 1), st.integers(TOP, END - 1)),
    bit=st.integers(0, 7),
)
def test_any_flipped_bit_is_found(
    sealed: tuple[Path, str], place: int, bit: int
) -> None:
    """
    One flipped bit anywhere in data or tree is found, and its block named.
    """
    path, root = sealed
    with path.open("r+b") as file:
        file.seek(place)
        (old,) = file.read(1)
        file.seek(place)
        file.write(bytes([old ^ 1 << bit]))
        file.flush()

        with pytest.raises(VerityMismatchError) as caught:
            verify(file, root, hash_offset=DATA)

        file.seek(place)
        file.write(bytes([old]))
    error = caught.value
    if place < DATA:
        expected = ("data", place // BLOCK, None)
    elif place < LEAVES:
        expected = ("root", 0, 1)
    else:
        expected = ("tree", (place - LEAVES) // BLOCK, 0)
    assert expected == (error.part, error.block, error.level)
    assert place // BLOCK * BLOCK == error.offset


def test_first_bad_block_is_named(sealed: tuple[Path, str], tmp_path: Path) -> None:
    """
    Of several bad blocks the first is named, in a sentence with its place.
    """
    path, root = sealed
    data = bytearray(path.read_bytes())
    for block in (140, 17, 90):
        data[block * BLOCK] ^= 1
    copy = tmp_path / "copy"
    copy.write_bytes(data)

    with pytest.raises(
        VerityMismatchError, match=r"Block 17 of the image, at byte 69632"
    ) as caught:
        verify(copy, root, hash_offset=DATA)

    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert (str(caught.value), 17) == (str(again), again.block)


def test_changed_salt(sealed: tuple[Path, str], tmp_path: Path) -> None:
    """
    Another salt gives another root hash.
    """
    path, root = sealed
    data = bytearray(path.read_bytes())
    data[DATA + 88] ^= 1
    copy = tmp_path / "copy"
    copy.write_bytes(data)

    with pytest.raises(VerityMismatchError, match="The root hash is"):
        verify(copy, root, hash_offset=DATA)


def test_device_of_its_own(tmp_path: Path) -> None:
    """
    Tree and image may be in two files; an image that is too short is refused.
    """
    data, hashes = tmp_path / "data", tmp_path / "hashes"
    data.write_bytes(image(130))
    root = write_hash_device(data, hashes).root_hash

    verify(data, root, hash_device=hashes)

    data.write_bytes(image(129))
    with pytest.raises(InvalidDataError, match="shorter than the 130 blocks"):
        verify(data, root, hash_device=hashes)


@pytest.mark.parametrize("root", ["", "00", "00" * 33])
def test_root_hash_has_its_length(sealed: tuple[Path, str], root: str) -> None:
    """
    A root hash of another length is a mistake of the caller's.
    """
    with pytest.raises(ValueError, match="32 bytes"):
        verify(sealed[0], root, hash_offset=DATA)
