"""dm-verity trees and devices: equal to the reference's and to veritysetup's."""

from __future__ import annotations

import hashlib
import io
import os
import re
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hcsshim.disk
from hcsshim._native.verity import TreeBuilder, hash_blocks
from hcsshim.disk import (
    VeritySuperblock,
    append_verity,
    append_vhd_footer,
    ext4_size,
    read_verity,
    verity_tree,
    write_hash_device,
)
from hcsshim.errors import HcsError, InvalidDataError

from .verity_images import BLOCK, REFERENCE_TREES, image, slow_tree

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run

SALTS = [
    b"",
    b"s",
    bytes(32),
    bytes(range(55)),
    bytes(range(56)),
    bytes(64),
    b"x" * 256,
]


@pytest.mark.parametrize("blocks", REFERENCE_TREES)
def test_tree_is_the_references(blocks: int, tmp_path: Path) -> None:
    """
    Tree and root hash of an image are those that the reference computes.
    """
    path = tmp_path / "image"
    path.write_bytes(image(blocks))

    made = verity_tree(path)

    assert REFERENCE_TREES[blocks] == (
        hashlib.sha256(made.tree).hexdigest(),
        made.root_hash,
    )


@pytest.mark.parametrize("salt", SALTS, ids=len)
def test_any_salt(salt: bytes) -> None:
    """
    Salts of every length, whole lines of the hash or not, go before the block.
    """
    data = image(3)

    digests = hash_blocks(salt, data)

    assert digests == b"".join(
        hashlib.sha256(salt + data[at : at + BLOCK]).digest()
        for at in range(0, len(data), BLOCK)
    )


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_file_and_stream_agree(threads: int, tmp_path: Path) -> None:
    """
    An image gives one tree, from a file or a stream, on however many threads.
    """
    data = image(700) + bytes(300 * BLOCK) + image(3)
    path = tmp_path / "image"
    path.write_bytes(data)
    root, tree = slow_tree(data, b"salt")

    from_file = verity_tree(path, salt=b"salt", threads=threads)
    from_stream = verity_tree(io.BytesIO(data), salt=b"salt", threads=threads)

    assert (root.hex(), tree) == (from_file.root_hash, from_file.tree)
    assert from_file == from_stream


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(
        st.tuples(st.booleans(), st.integers(0, 3 * BLOCK)), min_size=1, max_size=40
    ),
    puts=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 3)), max_size=4),
    workers=st.integers(0, 2),
)
def test_builder_takes_any_pieces(
    pieces: list[tuple[bool, int]], puts: list[tuple[int, int]], workers: int
) -> None:
    """
    Bytes, holes and blocks written again, cut anywhere, give the image's tree.
    """
    builder = TreeBuilder(b"pepper", workers=workers)
    data = bytearray()
    for number, (hole, length) in enumerate(pieces):
        piece = bytes(length) if hole else bytes([number + 1]) * length
        data += piece
        if hole:
            builder.skip(length)
        else:
            builder.update(piece)
    for block, count in puts:
        again = os.urandom(count * BLOCK)
        if (block + count) * BLOCK <= len(data):
            builder.put(block, again)
            data[block * BLOCK : (block + count) * BLOCK] = again
        else:
            with pytest.raises(HcsError, match="0x80070057"):
                builder.put(block, again)
    rest = bytes((-len(data) % BLOCK) or (0 if data else BLOCK))
    builder.update(rest)

    made = builder.finish()

    assert slow_tree(bytes(data) + rest, b"pepper") == made


def test_builder_with_workers_over_many_pieces() -> None:
    """
    More pieces than the workers have room for all find their place in the tree.
    """
    data = image(3000)
    builder = TreeBuilder(bytes(32), workers=2)

    for at in range(0, len(data), 100_000):
        builder.update(data[at : at + 100_000])
    builder.put(5, data[:BLOCK])

    again = data[: 5 * BLOCK] + data[:BLOCK] + data[6 * BLOCK :]
    assert slow_tree(again, bytes(32)) == builder.finish()


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK + 1])
def test_partial_blocks_are_refused(size: int, tmp_path: Path) -> None:
    """
    An image that is empty or ends inside a block has no tree.
    """
    path = tmp_path / "image"
    path.write_bytes(bytes(size))

    with pytest.raises(InvalidDataError, match=f"{size} bytes long"):
        verity_tree(path)
    with pytest.raises(InvalidDataError, match=f"{size} bytes long"):
        verity_tree(io.BytesIO(bytes(size)))


def test_failure_leaves_the_image_alone(tmp_path: Path) -> None:
    """
    A tree that cannot be made leaves no trace in the file or its folder.
    """
    path = tmp_path / "image"
    path.write_bytes(bytes(BLOCK + 1))

    with pytest.raises(InvalidDataError, match="4097"):
        append_verity(path)
    with pytest.raises(InvalidDataError, match="4097"):
        write_hash_device(path, tmp_path / "hashes")

    assert bytes(BLOCK + 1) == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_finished_builder_takes_nothing_more() -> None:
    """
    After its end a tree neither grows nor changes nor ends again.
    """
    builder = TreeBuilder(b"")
    builder.update(bytes(BLOCK))
    builder.finish()

    for use in (
        lambda: builder.update(b"x"),
        lambda: builder.put(0, bytes(BLOCK)),
        builder.finish,
    ):
        with pytest.raises(HcsError, match="0x8000FFFF"):
            use()


def test_salt_is_bounded() -> None:
    """
    A salt longer than the super block holds is refused.
    """
    with pytest.raises(HcsError, match="0x80070057"):
        TreeBuilder(bytes(257))


def test_progress_ends_with_everything(tmp_path: Path) -> None:
    """
    Progress rises to all bytes, of a file and of a stream.
    """
    path = tmp_path / "image"
    path.write_bytes(image(600))
    told: list[tuple[int, int | None]] = []

    verity_tree(path, progress=lambda done, total: told.append((done, total)))
    verity_tree(
        io.BytesIO(image(600)), progress=lambda done, total: told.append((done, total))
    )

    assert [
        (600 * BLOCK, 600 * BLOCK),
        (256 * BLOCK, None),
        (512 * BLOCK, None),
        (600 * BLOCK, None),
    ] == told


def test_superblock_is_the_references() -> None:
    """
    The super block has the reference's bytes.
    """
    block = VeritySuperblock(data_blocks=8).encode()

    assert (
        "6ffa5fb96c6d266811b4625fdcfc7d792a74327e0b4fd279e4a07d3b7c9ae9d2"
        == hashlib.sha256(block).hexdigest()
    )


@given(
    data_blocks=st.integers(1, (1 << 51) - 1),
    salt=st.binary(max_size=256),
    uuid=st.uuids(),
)
def test_superblock_survives_a_round_trip(
    data_blocks: int, salt: bytes, uuid: UUID
) -> None:
    """
    What is encoded is decoded.
    """
    superblock = VeritySuperblock(data_blocks=data_blocks, salt=salt, uuid=uuid)

    assert superblock == VeritySuperblock.decode(superblock.encode())


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (0, b"V", "no dm-verity super block"),
        (8, b"\2", "version 2"),
        (12, b"\0", "hash type|type 0"),
        (32, b"sha512", "sha512"),
        (64, b"\0\2", "512 and 4096"),
        (68, b"\0\2", "4096 and 512"),
        (72, b"\0", "0 data blocks"),
        (78, b"\xff\xff", "data blocks cannot be"),
        (80, b"\1\1", "salt of 257"),
    ],
)
def test_hostile_superblocks(place: int, value: bytes, complaint: str) -> None:
    """
    A super block of an unknown kind, or of sizes that cannot be, is refused.
    """
    block = bytearray(VeritySuperblock(data_blocks=8).encode())
    block[place : place + len(value)] = value

    with pytest.raises(InvalidDataError, match=complaint):
        VeritySuperblock.decode(bytes(block))


@given(st.binary(max_size=600))
def test_garbage_is_no_superblock(garbage: bytes) -> None:
    """
    Garbage, with or without the signature, is refused and nothing worse.
    """
    for data in (garbage, b"verity\0\0" + garbage):
        with pytest.raises(InvalidDataError, match=r"\S"):
            VeritySuperblock.decode(data)


@pytest.mark.parametrize("blocks", [2, 129, 1000])
@pytest.mark.parametrize("salt", [bytes(32), b"pepper"], ids=["zeros", "pepper"])
def test_veritysetup_accepts_our_device(
    blocks: int, salt: bytes, tmp_path: Path, tool: Run
) -> None:
    """
    Veritysetup verifies the tree behind an image, with a VHD footer after it too.
    """
    path = tmp_path / "image"
    path.write_bytes(image(blocks))

    made = append_verity(path, salt=salt)
    append_vhd_footer(path)
    offset = f"--hash-offset={blocks * BLOCK}"
    result = tool("veritysetup", "verify", path, path, made.root_hash, offset)

    assert (0, "") == (result.returncode, result.stderr)
    info = read_verity(path, hash_offset=blocks * BLOCK)
    assert (made.root_hash, salt) == (info.root_hash, info.superblock.salt)
    assert blocks + 1 == info.hash_start_block


def test_veritysetup_makes_the_same_device(tmp_path: Path, tool: Run) -> None:
    """
    The hash device is byte for byte the one that veritysetup formats.
    """
    data, ours, theirs = tmp_path / "data", tmp_path / "ours", tmp_path / "theirs"
    data.write_bytes(image(513))
    uuid = UUID(int=7)

    made = write_hash_device(data, ours, uuid=uuid)
    result = tool(
        "veritysetup", "format", "--salt", "00" * 32, "--uuid", uuid, data, theirs
    )

    assert [made.root_hash] == re.findall(r"Root hash:\s+(\w+)", result.stdout)
    assert theirs.read_bytes() == ours.read_bytes()


def test_ext4_size(tmp_path: Path, tool: Run) -> None:
    """
    The length of an ext4 file system is known from its super block.
    """
    path = tmp_path / "image"
    path.write_bytes(bytes(5 * 1024 * 1024))
    result = tool("mke2fs", "-q", "-t", "ext4", "-b", "1024", path, "3000")

    assert (0, 3000 * 1024) == (result.returncode, ext4_size(path))


@pytest.mark.parametrize("content", [b"", bytes(2047), bytes(4096)], ids=len)
def test_what_is_no_ext4(content: bytes, tmp_path: Path) -> None:
    """
    A file that does not begin with ext4 has no place for the super block.
    """
    path = tmp_path / "image"
    path.write_bytes(content)

    with pytest.raises(InvalidDataError, match="ext4"):
        read_verity(path)


def test_truncated_tree(tmp_path: Path) -> None:
    """
    A file that ends inside its tree is refused, wherever it ends.
    """
    path = tmp_path / "hashes"
    whole = verity_tree(io.BytesIO(image(200))).encode()

    for length in (0, 100, BLOCK, BLOCK + 1, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidDataError, match="ends"):
            read_verity(path, hash_offset=0)


def test_public_names() -> None:
    """
    Every public name of the package exists, and no other is shown.
    """
    assert hcsshim.disk.__all__ == dir(hcsshim.disk)
    for name in hcsshim.disk.__all__:
        assert getattr(hcsshim.disk, name).__name__ == name
    with pytest.raises(AttributeError, match="no_such_name"):
        hcsshim.disk.no_such_name  # noqa: B018 - looking is the test
