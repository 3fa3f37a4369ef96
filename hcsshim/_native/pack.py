"""Typed wrappers of the C functions that turn a layer's folder into a tar."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hcsshim._ffi import ffi, lib
from hcsshim._native.unpack import check_with, path_bytes
from hcsshim._native.verity import native_file
from hcsshim.errors import check
from hcsshim.hresult import failed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from hcsshim._native.unpack import Path

WINDOWS: int = lib.HCSSHIM_PACK_WINDOWS
ROOT: int = lib.HCSSHIM_PACK_ROOT
UNHASHED: int = lib.HCSSHIM_PACK_UNHASHED


class Packed(NamedTuple):
    """What became of a layer."""

    tar_bytes: int
    file_bytes: int
    members: int
    diff_id: bytes


class Pack:
    """
    A layer's folder on its way into a tar.

    Args:
        root: The folder.
        flags: ``WINDOWS``, ``ROOT``, ``UNHASHED``.
        parents: Folders of the layers below, nearest first.
        descriptor: Of the file to write; ``None``: each step gives its bytes.

    Raises:
        HcsError: A folder cannot be used.
    """

    __slots__ = ("_memory", "_pack")

    def __init__(
        self,
        root: Path,
        flags: int,
        parents: Sequence[Path] = (),
        *,
        descriptor: int | None = None,
    ) -> None:
        out = ffi.new("hcsshim_pack **")
        names = [ffi.new("char[]", path_bytes(parent)) for parent in parents]
        array = ffi.new("char *[]", names) if names else ffi.NULL
        file = -1 if descriptor is None else native_file(descriptor)
        root_name = path_bytes(root)
        hr = lib.hcsshim_pack_new(root_name, flags, array, len(names), file, out)
        check(hr, "export_tar")
        self._memory = descriptor is None
        self._pack = ffi.gc(out[0], lib.hcsshim_pack_free)

    def __enter__(self) -> Pack:  # noqa: PYI034 - Self is not in 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ffi.release(self._pack)

    def _check(self, hresult: int) -> None:
        if failed(hresult):
            problem = ffi.string(lib.hcsshim_pack_problem(self._pack))
            check_with(hresult, "export_tar", problem)

    def run(self, limit: int) -> int:
        """
        Write about ``limit`` more bytes.

        Returns:
            How many were written; 0 when the tar is complete.
        """
        made = ffi.new("uint64_t *")
        self._check(lib.hcsshim_pack_run(self._pack, limit, made))
        return int(made[0])

    def data(self) -> memoryview:
        """Give what the last step made, valid until the next one."""
        length = ffi.new("size_t *")
        start = lib.hcsshim_pack_data(self._pack, length)
        return memoryview(ffi.buffer(start, length[0]))

    def finish(self) -> Packed:
        """Tell what was written, after the last step."""
        result = ffi.new("hcsshim_pack_result *")
        self._check(lib.hcsshim_pack_finish(self._pack, result))
        return Packed(
            result.tar_bytes,
            result.bytes,
            result.members,
            bytes(ffi.buffer(result.diff_id)),
        )
