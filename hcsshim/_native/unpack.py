"""Typed wrappers of the C functions that turn a tar into a layer's folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from hcsshim._ffi import ffi, lib
from hcsshim._native.verity import native_file
from hcsshim.errors import check, error_of
from hcsshim.hresult import failed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import TypeAlias

    Buffer: TypeAlias = bytes | bytearray | memoryview
    Path: TypeAlias = str | os.PathLike[str]

WINDOWS: int = lib.HCSSHIM_UNPACK_WINDOWS
BASE: int = lib.HCSSHIM_UNPACK_BASE
UNHASHED: int = lib.HCSSHIM_UNPACK_UNHASHED


class Unpacked(NamedTuple):
    """What became of a tar."""

    tar_bytes: int
    file_bytes: int
    members: int
    streams: int
    devices_left_out: int
    attributes_left_out: int
    diff_id: bytes


def path_bytes(path: Path) -> bytes:
    """Give a path as C takes it."""
    return os.fsencode(path)


def check_with(hresult: int, operation: str, problem: bytes) -> None:
    """Raise if a code is a failure, with the sentence that C has for it."""
    if not failed(hresult):
        return
    error = error_of(hresult, operation)
    if problem:
        text = problem.decode("utf-8", "backslashreplace")
        reason = "" if ": " in text or ", at byte" in text else f": {error.message}"
        error = type(error)(hresult, operation, message=f"{text}{reason}")
    raise error


def remove_tree(path: Path) -> None:
    """
    Remove a file, or a folder with all that is below, however deep.

    Nothing there is success; no link is followed.
    """
    check(lib.hcsshim_tree_remove(path_bytes(path)), "remove_tree")


class Unpack:
    """
    A tar on its way into an empty folder.

    Args:
        root: The folder.
        flags: ``WINDOWS``, ``BASE``, ``UNHASHED``.
        parents: Folders of the layers below, nearest first.

    Raises:
        HcsError: A folder cannot be used.
    """

    __slots__ = ("_unpack",)

    def __init__(self, root: Path, flags: int, parents: Sequence[Path] = ()) -> None:
        out = ffi.new("hcsshim_unpack **")
        names = [ffi.new("char[]", path_bytes(parent)) for parent in parents]
        array = ffi.new("char *[]", names) if names else ffi.NULL
        hr = lib.hcsshim_unpack_new(path_bytes(root), flags, array, len(names), out)
        check(hr, "import_tar")
        self._unpack = ffi.gc(out[0], lib.hcsshim_unpack_free)

    def __enter__(self) -> Unpack:  # noqa: PYI034 - Self is not in 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ffi.release(self._unpack)

    def _check(self, hresult: int) -> None:
        if failed(hresult):
            problem = ffi.string(lib.hcsshim_unpack_problem(self._unpack))
            check_with(hresult, "import_tar", problem)

    def feed(self, data: Buffer) -> None:
        """Take the next bytes of the tar."""
        piece = ffi.from_buffer("uint8_t[]", data)
        self._check(lib.hcsshim_unpack_feed(self._unpack, piece, len(piece)))

    def room(self) -> memoryview:
        """Give where the next bytes may be put, for :meth:`fill` right after."""
        data = ffi.new("void **")
        room = ffi.new("size_t *")
        self._check(lib.hcsshim_unpack_room(self._unpack, data, room))
        return memoryview(ffi.buffer(data[0], room[0]))

    def fill(self, length: int) -> None:
        """Take as many bytes as were put there."""
        self._check(lib.hcsshim_unpack_fill(self._unpack, length))

    def read(self, descriptor: int, limit: int) -> int:
        """
        Take about ``limit`` bytes of the tar out of a file.

        Returns:
            How many were taken; fewer than ``limit`` at the end of the file.
        """
        got = ffi.new("uint64_t *")
        file = native_file(descriptor)
        self._check(lib.hcsshim_unpack_read(self._unpack, file, limit, got))
        return int(got[0])

    def finish(self) -> Unpacked:
        """Complete the layer after the last byte of the tar."""
        result = ffi.new("hcsshim_unpack_result *")
        self._check(lib.hcsshim_unpack_finish(self._unpack, result))
        return Unpacked(
            result.tar_bytes,
            result.bytes,
            result.members,
            result.streams,
            result.devices_left_out,
            result.attributes_left_out,
            bytes(ffi.buffer(result.diff_id)),
        )
