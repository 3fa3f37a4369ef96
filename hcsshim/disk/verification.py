"""Checking an image against its dm-verity tree and root hash."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from hcsshim.disk._io import opened, read_at, size_of
from hcsshim.disk._verity_format import BLOCK_SIZE, level_sizes
from hcsshim.disk.verity import STEP, VerityInfo, processors, read_verity
from hcsshim.errors import InvalidDataError

if TYPE_CHECKING:
    from hcsshim.disk._io import Progress, Source

__all__ = ["VerityMismatchError", "verify"]

_DIGEST = 32


class VerityMismatchError(InvalidDataError):
    """
    A block differs from what the root hash vouches for.

    Attributes:
        part: ``"root"``, ``"tree"``, or ``"data"``.
        block: Which one: of the level, or of the image.
        level: Of the tree, 0 being the one just above the data; ``None`` for data.
        offset: Of the block in its file, in bytes.
    """

    def __init__(
        self, part: str, *, block: int, level: int | None, offset: int, message: str
    ) -> None:
        super().__init__(operation="verity", message=message)
        self.part = part
        self.block = block
        self.level = level
        self.offset = offset

    def __reduce__(self) -> tuple[object, ...]:
        state = vars(self)
        return _restore, (), {k: v for k, v in state.items() if k != "_result"}


def _restore() -> VerityMismatchError:
    return VerityMismatchError("", block=0, level=None, offset=0, message="")


def verify(  # noqa: PLR0913 - the device, where its tree is, and how to go about it
    image: Source,
    root_hash: str | bytes,
    *,
    hash_device: Source | None = None,
    hash_offset: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> VerityInfo:
    """
    Check every block of an image, from the root hash down.

    Args:
        image: The image.
        root_hash: As bytes or hexadecimal.
        hash_device: The file that holds super block and tree; by default the image.
        hash_offset: Where the super block stands in it, in bytes; by default behind
            the ext4 file system of the image, or at the start of a hash device.
        threads: How many hash; by default one for each processor.
        progress: Called with the bytes of data done and the bytes in all.

    Returns:
        What was found behind the image.

    Raises:
        VerityMismatchError: A block is not what it was; the first one is named.
        InvalidDataError: There is no super block of a supported kind, or a file is
            too short.
        ValueError: The root hash is not 32 bytes.
    """
    wanted = bytes.fromhex(root_hash) if isinstance(root_hash, str) else root_hash
    if len(wanted) != _DIGEST:
        raise ValueError("the root hash must be 32 bytes, 64 hexadecimal digits")
    if hash_device is not None and hash_offset is None:
        hash_offset = 0
    with opened(image) as data, opened(hash_device or data) as tree:
        info = read_verity(tree, hash_offset=hash_offset)
        if bytes.fromhex(info.root_hash) != wanted:
            raise VerityMismatchError(
                "root",
                block=0,
                level=len(level_sizes(info.superblock.data_blocks)) - 1,
                offset=info.hash_offset + BLOCK_SIZE,
                message=f"The root hash is {info.root_hash}, not {wanted.hex()}.",
            )
        leaves = _check_tree(tree, info)
        many = threads or processors()
        _check_data(data, tree, info, leaves, threads=many, progress=progress)
    return info


def _check_tree(file: IO[bytes], info: VerityInfo) -> int:
    """Check each level against the one above it; give the offset of the lowest."""
    from hcsshim._native.verity import hash_blocks  # noqa: PLC0415 - loads the shim

    sizes = level_sizes(info.superblock.data_blocks)
    start = above = info.hash_offset + BLOCK_SIZE
    for index in range(1, len(sizes)):
        start = above + sizes[index - 1] * BLOCK_SIZE
        level = len(sizes) - 1 - index
        step = STEP // BLOCK_SIZE
        for first in range(0, sizes[index], step):
            count = min(step, sizes[index] - first)
            blocks = read_at(file, start + first * BLOCK_SIZE, count * BLOCK_SIZE)
            digests = hash_blocks(info.superblock.salt, blocks)
            stored = read_at(file, above + first * _DIGEST, count * _DIGEST)
            bad = _first_difference(digests, stored)
            if bad is not None:
                offset = start + (first + bad) * BLOCK_SIZE
                raise VerityMismatchError(
                    "tree",
                    block=first + bad,
                    level=level,
                    offset=offset,
                    message=f"Block {first + bad} of level {level} of the hash tree, "
                    f"at byte {offset}, is corrupt.",
                )
        above = start
    return start


def _check_data(  # noqa: PLR0913 - two files, what and how
    file: IO[bytes],
    tree: IO[bytes],
    info: VerityInfo,
    leaves: int,
    *,
    threads: int,
    progress: Progress | None,
) -> None:
    """Check the image against the lowest level, which stands at ``leaves``."""
    from hcsshim._native.verity import hash_file  # noqa: PLC0415 - loads the shim

    salt, total = info.superblock.salt, info.superblock.data_blocks
    if size_of(file) < total * BLOCK_SIZE:
        raise InvalidDataError(
            operation="verity",
            message=f"The image is shorter than the {total} blocks of its tree.",
        )
    step = STEP // BLOCK_SIZE
    for first in range(0, total, step):
        count = min(step, total - first)
        digests = hash_file(
            salt, file.fileno(), offset=first * BLOCK_SIZE, count=count, threads=threads
        )
        stored = read_at(tree, leaves + first * _DIGEST, count * _DIGEST)
        bad = _first_difference(digests, stored)
        if bad is not None:
            offset = (first + bad) * BLOCK_SIZE
            raise VerityMismatchError(
                "data",
                block=first + bad,
                level=None,
                offset=offset,
                message=f"Block {first + bad} of the image, at byte {offset}, "
                "is corrupt.",
            )
        if progress is not None:
            progress((first + count) * BLOCK_SIZE, total * BLOCK_SIZE)


def _first_difference(digests: bytes, stored: bytes) -> int | None:
    """Find the first digest that differs."""
    if digests == stored:
        return None
    for place in range(0, len(digests), _DIGEST):
        if digests[place : place + _DIGEST] != stored[place : place + _DIGEST]:
            return place // _DIGEST
    return None
