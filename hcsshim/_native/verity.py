"""Typed wrappers of the dm-verity functions of the C shim."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hcsshim._ffi import ffi, lib
from hcsshim.errors import check

if TYPE_CHECKING:
    from typing import TypeAlias

    from hcsshim._ffi import CData

    Buffer: TypeAlias = bytes | bytearray | memoryview

BLOCK_SIZE: int = lib.HCSSHIM_VERITY_BLOCK
DIGEST_SIZE: int = lib.HCSSHIM_VERITY_DIGEST
LONGEST_SALT: int = lib.HCSSHIM_VERITY_SALT
MOST_THREADS = 64


def native_file(descriptor: int) -> int:
    """Give what C reads from for a descriptor: itself, or a HANDLE on Windows."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - exists on Windows only

        return msvcrt.get_osfhandle(descriptor)
    return descriptor


class TreeBuilder:
    """
    The dm-verity tree of an image whose bytes come in order.

    Args:
        salt: Hashed before every block; at most 256 bytes.
        workers: Threads that hash beside the caller.

    Raises:
        HcsError: The salt is too long, or memory or threads ran out.
    """

    __slots__ = ("_verity",)

    def __init__(self, salt: bytes, *, workers: int = 0) -> None:
        out = ffi.new("hcsshim_verity **")
        hr = lib.hcsshim_verity_new(salt, len(salt), min(workers, MOST_THREADS), out)
        check(hr, "TreeBuilder")
        self._verity = ffi.gc(out[0], lib.hcsshim_verity_free)

    @property
    def handle(self) -> CData:
        """What C knows the tree by, for another function of the shim."""
        return self._verity

    @property
    def blocks(self) -> int:
        """The number of whole data blocks so far."""
        return lib.hcsshim_verity_blocks(self._verity)

    def update(self, data: Buffer) -> None:
        """Hash the next bytes of the image."""
        view = ffi.from_buffer("uint8_t[]", data)
        check(lib.hcsshim_verity_update(self._verity, view, len(view)), "update")

    def skip(self, length: int) -> None:
        """Go on as if ``length`` bytes of zeros had come."""
        check(lib.hcsshim_verity_skip(self._verity, length), "skip")

    def read(self, descriptor: int, offset: int, length: int, threads: int) -> None:
        """
        Hash the next bytes of the image out of a file.

        Args:
            descriptor: Of the file.
            offset: In the file.
            length: In bytes, a multiple of the block size.
            threads: How many read and hash.

        Raises:
            InvalidDataError: The file ends before.
        """
        file = native_file(descriptor)
        many = max(1, min(threads, MOST_THREADS))
        hr = lib.hcsshim_verity_read(self._verity, file, offset, length, many)
        check(hr, "read")

    def put(self, block: int, data: Buffer) -> None:
        """Hash whole blocks again that were written over, from ``block`` on."""
        view = ffi.from_buffer("uint8_t[]", data)
        count, rest = divmod(len(view), BLOCK_SIZE)
        if rest:
            raise ValueError("only whole blocks can be written over")
        check(lib.hcsshim_verity_put(self._verity, block, view, count), "put")

    def finish(self) -> tuple[bytes, bytes]:
        """
        Complete the tree.

        Returns:
            The root hash, and the tree with its top level first.

        Raises:
            HcsError: The image is empty or ends inside a block.
        """
        root = ffi.new("uint8_t[]", DIGEST_SIZE)
        length = ffi.new("size_t *")
        check(lib.hcsshim_verity_finish(self._verity, root), "finish")
        tree = lib.hcsshim_verity_tree(self._verity, length)
        return bytes(ffi.buffer(root)), bytes(ffi.buffer(tree, length[0]))


def hash_blocks(salt: bytes, data: Buffer) -> bytes:
    """Hash whole blocks in memory; the digests come one after another."""
    view = ffi.from_buffer("uint8_t[]", data)
    count, rest = divmod(len(view), BLOCK_SIZE)
    if rest:
        raise ValueError("only whole blocks can be hashed")
    digests = ffi.new("uint8_t[]", count * DIGEST_SIZE)
    hr = lib.hcsshim_verity_hash(salt, len(salt), view, count, digests)
    check(hr, "hash_blocks")
    return bytes(ffi.buffer(digests))


def hash_file(
    salt: bytes, descriptor: int, *, offset: int, count: int, threads: int
) -> bytes:
    """
    Hash ``count`` blocks of a file on several threads.

    Args:
        salt: Hashed before every block.
        descriptor: Of the file, whose position plays no part.
        offset: Of the first block, in bytes.
        count: In blocks.
        threads: How many read and hash.

    Returns:
        The digests, one after another.

    Raises:
        InvalidDataError: The file ends before.
    """
    digests = ffi.new("uint8_t[]", count * DIGEST_SIZE)
    hr = lib.hcsshim_verity_hash_file(
        salt,
        len(salt),
        native_file(descriptor),
        offset,
        count,
        max(1, min(threads, MOST_THREADS)),
        digests,
    )
    check(hr, "hash_file")
    return bytes(ffi.buffer(digests))


def sha256_name() -> str:
    """Name the SHA-256 that this machine runs: ``x86 SHA``, ``portable``."""
    return ffi.string(lib.hcsshim_sha256_name()).decode()


def crc32c(data: bytes) -> int:
    """Give the CRC-32C of some bytes."""
    return lib.hcsshim_crc32c(0, data, len(data))
