"""
dm-verity: the hash tree by which a guest checks every block that it reads.

An image that carries its own tree looks like this; a VHD footer may follow::

    image (a whole number of blocks) | super block | tree, top level first

The root hash covers the tree, the tree covers the image; policies of confidential
containers name the root hash of each layer.

Source:
    ``ext4/dmverity`` of the reference; ``veritysetup`` agrees for images of two
    blocks and more (for one, it writes no tree).
"""

from __future__ import annotations

import os
import stat
from struct import unpack_from
from typing import IO, TYPE_CHECKING
from uuid import UUID, uuid4

import attrs

from hcsshim.disk._io import opened, read_at, replacing, restoring, size_of, write_at
from hcsshim.disk._verity_format import (
    BLOCK_SIZE,
    DEFAULT_SALT,
    VeritySuperblock,
    tree_size,
)
from hcsshim.errors import InvalidDataError

if TYPE_CHECKING:
    from hcsshim._native.verity import TreeBuilder
    from hcsshim.disk._io import Progress, Source

__all__ = [
    "VerityInfo",
    "VeritySuperblock",
    "VerityTree",
    "append_verity",
    "ext4_size",
    "read_verity",
    "verity_tree",
    "write_hash_device",
]

#: What is hashed between two looks at signals and two calls of ``progress``.
STEP = 64 * 1024 * 1024
_STREAM_STEP = 1024 * 1024
_EXT4_MAGIC = 0xEF53
_EXT4_WIDE = 0x80  # feature "64bit"


@attrs.frozen(kw_only=True)
class VerityTree:
    """
    The hash tree of an image.

    Args:
        root_hash: In hexadecimal.
        tree: Its blocks, the top level first.
        data_blocks: The length of the image in blocks of 4096 bytes.
        salt: What every block was hashed with.
    """

    root_hash: str
    tree: bytes = attrs.field(repr=False)
    data_blocks: int
    salt: bytes = DEFAULT_SALT

    def encode(self, uuid: UUID | None = None) -> bytes:
        """
        Give super block and tree as they are written.

        Args:
            uuid: Of the hash device; by default a random one.
        """
        superblock = VeritySuperblock(
            data_blocks=self.data_blocks, salt=self.salt, uuid=uuid or uuid4()
        )
        return superblock.encode() + self.tree


@attrs.frozen(kw_only=True)
class VerityInfo:
    """
    What is found behind an image.

    Args:
        root_hash: As the tree's top block gives it, in hexadecimal.
        superblock: In front of the tree.
        hash_offset: Where the super block stands, in bytes.
    """

    root_hash: str
    superblock: VeritySuperblock
    hash_offset: int

    @property
    def hash_start_block(self) -> int:
        """The first block of the tree, as device-mapper wants it."""
        return self.hash_offset // BLOCK_SIZE + 1


def verity_tree(
    source: Source,
    *,
    size: int | None = None,
    salt: bytes = DEFAULT_SALT,
    threads: int | None = None,
    progress: Progress | None = None,
) -> VerityTree:
    """
    Make the hash tree of an image.

    Args:
        source: The image: a name, an open file, or a stream without descriptor,
            which is read from its present position to its end.
        size: How much of the file is image; by default all of it.
        salt: Hashed before every block; the default is the reference's.
        threads: How many hash; by default one for each processor.
        progress: Called with the bytes done and the bytes in all.

    Returns:
        The tree.

    Raises:
        InvalidDataError: The image is empty or no whole number of blocks.
    """
    from hcsshim._native.verity import TreeBuilder  # noqa: PLC0415 - loads the shim

    many = threads or processors()
    with opened(source) as file:
        if not _is_regular(file):
            builder = TreeBuilder(salt, workers=many - 1)
            _feed(builder, file, size, progress)
        else:
            total = size_of(file) if size is None else size
            check_size(total)
            builder = TreeBuilder(salt)
            for start in range(0, total, STEP):
                length = min(STEP, total - start)
                builder.read(file.fileno(), start, length, many)
                if progress is not None:
                    progress(start + length, total)
    blocks = builder.blocks
    root, tree = builder.finish()
    return VerityTree(root_hash=root.hex(), tree=tree, data_blocks=blocks, salt=salt)


def append_verity(
    path: str | os.PathLike[str],
    *,
    salt: bytes = DEFAULT_SALT,
    uuid: UUID | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> VerityTree:
    """
    Write super block and hash tree behind an image, into the same file.

    Args:
        path: Of the image. If anything fails, it is as before.
        salt: As for :func:`verity_tree`.
        uuid: Of the hash device; by default a random one.
        threads: As for :func:`verity_tree`.
        progress: As for :func:`verity_tree`.

    Returns:
        The tree.

    Raises:
        InvalidDataError: The image is empty or no whole number of blocks.
    """
    with opened(path, "r+b") as file, restoring(file):
        tree = verity_tree(file, salt=salt, threads=threads, progress=progress)
        write_at(file, tree.data_blocks * BLOCK_SIZE, tree.encode(uuid))
    return tree


def write_hash_device(  # noqa: PLR0913 - each is a property of the device
    source: Source,
    path: str | os.PathLike[str],
    *,
    salt: bytes = DEFAULT_SALT,
    uuid: UUID | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> VerityTree:
    """
    Write super block and hash tree of an image into a file of their own.

    Args:
        source: The image, as for :func:`verity_tree`.
        path: The file to make. It appears only when it is whole.
        salt: As for :func:`verity_tree`.
        uuid: Of the hash device; by default a random one.
        threads: As for :func:`verity_tree`.
        progress: As for :func:`verity_tree`.

    Returns:
        The tree.

    Raises:
        InvalidDataError: The image is empty or no whole number of blocks.
    """
    tree = verity_tree(source, salt=salt, threads=threads, progress=progress)
    with replacing(path) as file:
        write_at(file, 0, tree.encode(uuid))
    return tree


def read_verity(source: Source, *, hash_offset: int | None = None) -> VerityInfo:
    """
    Read the super block and root hash that stand in a file.

    Args:
        source: An image with its tree, or a hash device.
        hash_offset: Where the super block stands, in bytes; by default behind the
            ext4 file system that the file begins with.

    Returns:
        What was found. The root hash is that of the top block of the tree, which
        says nothing about the blocks below: see :func:`verify`.

    Raises:
        InvalidDataError: There is no super block of a supported kind, or the file
            is too short for its tree.
    """
    from hcsshim._native.verity import hash_blocks  # noqa: PLC0415 - loads the shim

    with opened(source) as file:
        offset = ext4_size(file) if hash_offset is None else hash_offset
        total = size_of(file)
        superblock = VeritySuperblock.decode(read_at(file, offset, BLOCK_SIZE))
        if total - offset < BLOCK_SIZE + tree_size(superblock.data_blocks):
            raise InvalidDataError(
                operation="verity",
                message="The file ends inside the dm-verity hash tree.",
            )
        top = read_at(file, offset + BLOCK_SIZE, BLOCK_SIZE)
    root = hash_blocks(superblock.salt, top).hex()
    return VerityInfo(root_hash=root, superblock=superblock, hash_offset=offset)


def ext4_size(source: Source) -> int:
    """
    Tell how long the ext4 file system is that a file begins with, in bytes.

    Args:
        source: The file. What follows the file system is not looked at.

    Raises:
        InvalidDataError: It begins with none.
    """
    with opened(source) as file:
        if size_of(file) < 2048:
            raise InvalidDataError(message="The file is too short for ext4.")
        block = read_at(file, 1024, 1024)
    (low, log_size) = unpack_from("<I16xI", block, 4)
    (magic,) = unpack_from("<H", block, 0x38)
    (features,) = unpack_from("<I", block, 0x60)
    if magic != _EXT4_MAGIC or log_size > 6:
        raise InvalidDataError(message="The file does not begin with ext4.")
    (high,) = unpack_from("<I", block, 0x150) if features & _EXT4_WIDE else (0,)
    size: int = (high << 32 | low) * (1024 << log_size)
    return size


def check_size(size: int) -> None:
    """Refuse an image that is empty or ends inside a block."""
    if size <= 0 or size % BLOCK_SIZE:
        raise InvalidDataError(
            operation="verity",
            message=f"The image is {size} bytes long, which is no whole number of "
            f"blocks of {BLOCK_SIZE} bytes.",
        )


def _feed(
    builder: TreeBuilder, file: IO[bytes], size: int | None, progress: Progress | None
) -> None:
    """Give a stream to a builder, up to ``size`` bytes or to its end."""
    done = 0
    while size is None or done < size:
        wanted = _STREAM_STEP if size is None else min(_STREAM_STEP, size - done)
        data = file.read(wanted)
        if not data:
            break
        builder.update(data)
        done += len(data)
        if progress is not None:
            progress(done, size)
    if size is not None and done < size:
        raise InvalidDataError(
            operation="verity", message=f"The stream ends after {done} bytes."
        )
    check_size(done)


def processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_regular(file: IO[bytes]) -> bool:
    """Tell whether C may read from the descriptor at any offset."""
    try:
        mode = os.fstat(file.fileno()).st_mode
    except OSError:  # io.UnsupportedOperation among them
        return False
    return stat.S_ISREG(mode) or stat.S_ISBLK(mode)
