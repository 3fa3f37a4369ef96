"""Typed wrappers of the ext4 functions of the C shim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim._ffi import ffi, lib
from hcsshim._native.verity import native_file
from hcsshim.errors import HcsError, InvalidDataError, OutOfSpaceError, check

if TYPE_CHECKING:
    from typing_extensions import Self

    from hcsshim._native.verity import Buffer, TreeBuilder

OVERLAY: int = lib.HCSSHIM_EXT4_OVERLAY
BACKSLASH: int = lib.HCSSHIM_EXT4_BACKSLASH
INLINE: int = lib.HCSSHIM_EXT4_INLINE
STRICT: int = lib.HCSSHIM_EXT4_STRICT
SPARSE: int = lib.HCSSHIM_EXT4_SPARSE
BEHIND: int = lib.HCSSHIM_EXT4_BEHIND

OPERATION = "tar_to_ext4"


class ImageBuilder:
    """
    An ext4 image that grows as the tar comes in.

    As a context manager it ends with its block; until then threads may write to the
    file.

    Args:
        descriptor: Of an empty file open for writing; ``None`` to write nothing.
        flags: Of the constants above.
        max_size: In bytes; 0 for 16 GiB.
        tree: Is given the image's bytes, too; nobody else may use it meanwhile.

    Raises:
        HcsError: Memory ran out.
    """

    __slots__ = ("_copied", "_ext4", "_tree")

    def __init__(
        self,
        descriptor: int | None,
        *,
        flags: int,
        max_size: int,
        tree: TreeBuilder | None = None,
    ) -> None:
        out = ffi.new("hcsshim_ext4 **")
        file = -1 if descriptor is None else native_file(descriptor)
        verity = ffi.NULL if tree is None else tree.handle
        hr = lib.hcsshim_ext4_new(file, flags, max_size, verity, out)
        check(hr, OPERATION)
        self._ext4 = ffi.gc(out[0], lib.hcsshim_ext4_free)
        self._tree = tree  # C keeps its handle
        self._copied = ffi.new("uint64_t *")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        ffi.release(self._ext4)

    def feed(self, data: Buffer) -> None:
        """Take the next bytes of the tar."""
        view = ffi.from_buffer("uint8_t[]", data)
        self._check(lib.hcsshim_ext4_feed(self._ext4, view, len(view)))

    def copy(self, descriptor: int, limit: int) -> int:
        """
        Read the next bytes of the tar from where a file or pipe stands.

        Args:
            descriptor: Of the file.
            limit: How much at most.

        Returns:
            How much was read; 0 at the end.
        """
        file = native_file(descriptor)
        while True:
            hr = lib.hcsshim_ext4_copy(self._ext4, file, limit, self._copied)
            if hr != lib.HCSSHIM_E_INTERRUPTED:
                break
        self._check(hr)
        return int(self._copied[0])

    def finish(self) -> int:
        """Complete the image and give its length in bytes."""
        size = ffi.new("uint64_t *")
        self._check(lib.hcsshim_ext4_finish(self._ext4, size))
        return int(size[0])

    def _check(self, hr: int) -> None:
        if hr >= 0:
            return
        length = ffi.new("size_t *")
        text = lib.hcsshim_ext4_problem(self._ext4, length)
        problem = bytes(ffi.buffer(text, length[0])).decode(errors="backslashreplace")
        if not problem:
            check(hr, OPERATION)
        cls: type[HcsError] = InvalidDataError
        if hr == lib.HCSSHIM_E_FILE_TOO_LARGE:
            cls = OutOfSpaceError
        raise cls(
            hr, OPERATION, message=f"The tar cannot become an ext4 image: {problem}."
        )
