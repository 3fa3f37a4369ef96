"""Typed wrappers of the C functions between Win32 backup streams and tars."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hcsshim._ffi import ffi, lib
from hcsshim._native.pack import Packed
from hcsshim._native.unpack import check_with
from hcsshim._native.verity import native_file
from hcsshim.errors import check
from hcsshim.hresult import failed

if TYPE_CHECKING:
    from types import TracebackType

    from hcsshim._native.unpack import Buffer

FILE: int = lib.HCSSHIM_BACKUP_FILE
LINK: int = lib.HCSSHIM_BACKUP_LINK
REMOVED: int = lib.HCSSHIM_BACKUP_REMOVED

#: ``hcsshim_backup_item``, with the numbers of ``hcsshim_file_info`` in it.
_ITEM = struct.Struct("@IIPNPNQQQQIIQPN")
#: Creation, access, write and change time, and attributes.
Info = tuple[int, int, int, int, int]
#: Where in an item's numbers its kind, whether there is more of it, and its size are,
#: and where its times and attributes begin.
KIND, MORE, INFO, SIZE = 0, 1, 6, 12
#: A file of a tar, or a part of one: numbers, name, target, stream. No class, which
#: would take as long to make as C takes for the file.
Item = tuple[tuple[int, ...], bytes, bytes, bytes]


class BackupPack:
    """
    A tar that is made of files in the form of backup streams.

    Args:
        descriptor: Of the file to write; ``None``: :meth:`take` gives the bytes.
        hashed: Whether to compute the tar's digest.
    """

    __slots__ = ("_pack",)

    def __init__(self, descriptor: int | None = None, *, hashed: bool = True) -> None:
        out = ffi.new("hcsshim_backup_pack **")
        file = -1 if descriptor is None else native_file(descriptor)
        check(lib.hcsshim_backup_pack_new(file, hashed, out), "BackupTarWriter")
        self._pack = ffi.gc(out[0], lib.hcsshim_backup_pack_free)

    def __enter__(self) -> BackupPack:  # noqa: PYI034 - Self is not in 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ffi.release(self._pack)

    def _check(self, hresult: int) -> bool:
        if failed(hresult):
            problem = ffi.string(lib.hcsshim_backup_pack_problem(self._pack))
            check_with(hresult, "BackupTarWriter", problem)
        return hresult > 0

    def more(self) -> bool:
        """Go on with a file; tell whether it goes on after that."""
        return self._check(lib.hcsshim_backup_pack_more(self._pack))

    def add(self, name: bytes, info: Info, stream: Buffer) -> bool:
        """
        Add a file whose backup stream is in memory, and stays there.

        Returns:
            Whether to take what was made, and call :meth:`more`.
        """
        data = ffi.from_buffer("uint8_t[]", stream)
        what = ffi.new("hcsshim_file_info *", (*info, 0))
        return self._check(
            lib.hcsshim_backup_pack_add(
                self._pack, name, len(name), what, data, len(data)
            )
        )

    def add_file(
        self, name: bytes, info: Info, descriptor: int, offset: int, length: int
    ) -> bool:
        """Add a file whose backup stream is a part of another one; as :meth:`add`."""
        what = ffi.new("hcsshim_file_info *", (*info, 0))
        file = native_file(descriptor)
        return self._check(
            lib.hcsshim_backup_pack_add_file(
                self._pack, name, len(name), what, file, offset, length
            )
        )

    def link(self, name: bytes, target: bytes, info: Info) -> None:
        """Add another name of a file."""
        what = ffi.new("hcsshim_file_info *", (*info, 0))
        self._check(
            lib.hcsshim_backup_pack_link(
                self._pack, name, len(name), target, len(target), what
            )
        )

    def remove(self, name: bytes) -> None:
        """Add that a name of a layer below is gone."""
        self._check(lib.hcsshim_backup_pack_remove(self._pack, name, len(name)))

    def take(self) -> bytes:
        """Give the bytes made so far, and forget them."""
        length = ffi.new("size_t *")
        start = lib.hcsshim_backup_pack_data(self._pack, length)
        data = bytes(ffi.buffer(start, length[0]))
        lib.hcsshim_backup_pack_clear(self._pack)
        return data

    def waiting(self) -> int:
        """Tell how many bytes there are to take."""
        length = ffi.new("size_t *")
        lib.hcsshim_backup_pack_data(self._pack, length)
        return int(length[0])

    def finish(self) -> Packed:
        """End the tar."""
        result = ffi.new("hcsshim_pack_result *")
        self._check(lib.hcsshim_backup_pack_finish(self._pack, result))
        return Packed(
            result.tar_bytes,
            result.bytes,
            result.members,
            bytes(ffi.buffer(result.diff_id)),
        )


class BackupUnpack:
    """A tar that is taken apart into files in the form of backup streams."""

    __slots__ = ("_fed", "_fields", "_item", "_unpack")

    def __init__(self) -> None:
        out = ffi.new("hcsshim_backup_unpack **")
        check(lib.hcsshim_backup_unpack_new(out), "BackupTarReader")
        self._unpack = ffi.gc(out[0], lib.hcsshim_backup_unpack_free)
        self._item = ffi.new("hcsshim_backup_item *")
        # All numbers at once: that takes a quarter of the time of one by one.
        self._fields = ffi.buffer(self._item)
        self._fed: object = None

    def feed(self, data: Buffer) -> None:
        """Give the next bytes, once the last were used up; none end the tar."""
        piece = ffi.from_buffer("uint8_t[]", data)
        self._fed = piece  # C reads from it
        lib.hcsshim_backup_unpack_feed(self._unpack, piece, len(piece))

    def next(self) -> Item | None:
        """Take the next file or part of one; ``None``: feed more."""
        item = self._item
        hr = lib.hcsshim_backup_unpack_next(self._unpack, item)
        if hr < 0:
            problem = ffi.string(lib.hcsshim_backup_unpack_problem(self._unpack))
            check_with(hr, "BackupTarReader", problem)
        if hr == 0:
            return None
        numbers = _ITEM.unpack_from(self._fields)
        return (
            numbers,
            ffi.unpack(item.name, numbers[3]),
            ffi.unpack(item.target, numbers[5]) if numbers[5] else b"",
            ffi.unpack(item.stream, numbers[14]),
        )
