"""
Files in the form of Win32 backup streams, to and from the members of a tar.

The mapping is that of Windows layers in OCI images: what only Windows knows is in
records ``MSWINDOWS.*``, alternate streams are members ``name:stream``. Object ids,
flags of extended attributes and the names of links have no place in a tar.
"""

from __future__ import annotations

import io
import os
import tempfile
from typing import IO, TYPE_CHECKING

import attrs

from hcsshim._native import backup as native
from hcsshim.layers._compression import Ahead, decompressed, factory_for, read_magic
from hcsshim.layers.exporting import LayerExport, write_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hcsshim._native.unpack import Buffer

#: What is read, and written, in one go.
PIECE = 256 * 1024
#: Streams longer than this wait in a temporary file.
LARGEST_IN_MEMORY = 16 << 20


@attrs.frozen(kw_only=True)
class FileInfo:
    """
    What a file has besides its streams.

    Times are counts of 100 ns since 1601, as Windows has them; 0: unknown.

    Attributes:
        creation_time: When it was made.
        access_time: When it was last read.
        write_time: When its data was last written.
        change_time: When anything of it last changed.
        attributes: Bits; 0x10: a folder, 0x400: a reparse point.

    Source:
        ``FILE_BASIC_INFO``.
    """

    creation_time: int = 0
    access_time: int = 0
    write_time: int = 0
    change_time: int = 0
    attributes: int = 0

    def _pack(self) -> native.Info:
        return (
            self.creation_time,
            self.access_time,
            self.write_time,
            self.change_time,
            self.attributes,
        )


@attrs.define(eq=False, kw_only=True)
class BackupFile:
    """
    A file of a tar.

    Attributes:
        name: Its path, with ``/``. Bytes that are no UTF-8 are surrogate escapes.
        info: Times and attributes.
        size: Of its data, in bytes.
        stream: Its backup stream, open for reading from the start; empty for links
            and what is removed.
        link_target: The path whose other name this is, or ``None``.
        is_removed: Whether it says that a layer below loses this name.
    """

    name: str
    info: FileInfo
    size: int
    stream: IO[bytes]
    link_target: str | None = None
    is_removed: bool = False


class BackupTarWriter:
    """
    Writes files in the form of backup streams as a tar.

    As a context manager it ends the tar when the block ends without an exception.

    Args:
        target: An open binary file, which stays the caller's.
        hashed: Whether to compute the tar's digest, which takes more time than all
            the rest where files are large.
    """

    def __init__(self, target: IO[bytes], *, hashed: bool = True) -> None:
        self._target = target
        self._hashed = hashed
        self._pack = native.BackupPack(hashed=hashed)
        self._export: LayerExport | None = None

    def __enter__(self) -> BackupTarWriter:  # noqa: PYI034 - Self is not in 3.10
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self._export is None:
            self.finish()

    def _flush(self, least: int = PIECE) -> None:
        if self._pack.waiting() >= least:
            write_all(self._target, self._pack.take())

    def add(self, name: str, info: FileInfo, stream: Buffer | IO[bytes]) -> None:
        """
        Add a file.

        Args:
            name: Its path; either separator will do.
            info: Times and attributes.
            stream: The whole of its backup stream: bytes, or a file of the system
                that is read from where it stands to its end.

        Raises:
            InvalidDataError: The stream is damaged, or has what no tar can hold.
        """
        path = name.encode("utf-8", "surrogateescape")
        if isinstance(stream, (bytes, bytearray, memoryview)):
            more = self._pack.add(path, info._pack(), stream)  # noqa: SLF001 - same module
        else:
            start = stream.tell()
            length = stream.seek(0, os.SEEK_END) - start
            more = self._pack.add_file(
                path,
                info._pack(),  # noqa: SLF001 - same module
                stream.fileno(),
                start,
                length,
            )
        while more:
            self._flush()
            more = self._pack.more()
        self._flush()

    def link(self, name: str, target: str, info: FileInfo) -> None:
        """Add another name of a file that was added before."""
        self._pack.link(
            name.encode("utf-8", "surrogateescape"),
            target.encode("utf-8", "surrogateescape"),
            info._pack(),  # noqa: SLF001 - same module
        )
        self._flush()

    def remove(self, name: str) -> None:
        """Say that a layer below loses a name."""
        self._pack.remove(name.encode("utf-8", "surrogateescape"))
        self._flush()

    def finish(self) -> LayerExport:
        """
        End the tar.

        Returns:
            Its digest, ``""`` if it was not to be computed, and what is in it.
        """
        if self._export is None:
            done = self._pack.finish()
            self._flush(1)
            diff_id = f"sha256:{done.diff_id.hex()}" if self._hashed else ""
            self._export = LayerExport(
                diff_id=diff_id,
                tar_size=done.tar_bytes,
                digest=diff_id,
                written=done.tar_bytes,
                size=done.file_bytes,
                members=done.members,
            )
        return self._export


class BackupTarReader:
    """
    Reads a tar as files in the form of backup streams.

    Iterating gives each file once, with its alternate streams; a file's stream can be
    read until the next one is taken.

    Args:
        source: An open binary file: plain, gzip or zstd.

    Raises:
        InvalidDataError: The tar is damaged, or has what no file of Windows has.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source

    def _pieces(self) -> Iterator[bytes]:
        magic = read_magic(self._source)
        make = factory_for(magic)
        if make is not None:
            with Ahead(decompressed(self._source, magic, make)) as ahead:
                for piece, _ in ahead:
                    yield piece
            return
        if magic:
            yield magic
        while piece := self._source.read(PIECE):
            yield piece

    def _items(self) -> Iterator[native.Item]:
        unpack = native.BackupUnpack()
        for piece in self._pieces():
            unpack.feed(piece)
            while (item := unpack.next()) is not None:
                yield item
        unpack.feed(b"")
        while (item := unpack.next()) is not None:
            yield item

    def __iter__(self) -> Iterator[BackupFile]:
        spool: IO[bytes] | None = None  # of a file that comes in parts
        try:
            for item in self._items():
                if spool is None and not item[0][native.MORE]:
                    yield _file_of(item, io.BytesIO(item[3]))
                    continue
                if spool is None:
                    spool = tempfile.SpooledTemporaryFile(LARGEST_IN_MEMORY)  # noqa: SIM115 - closed below
                spool.write(item[3])
                if not item[0][native.MORE]:
                    spool.seek(0)
                    yield _file_of(item, spool)
                    spool.close()
                    spool = None
        finally:
            if spool is not None:
                spool.close()


def _file_of(item: native.Item, stream: IO[bytes]) -> BackupFile:
    numbers, name, target, _ = item
    kind = numbers[native.KIND]
    creation, access, write, change, attributes = numbers[native.INFO : native.INFO + 5]
    return BackupFile(
        name=name.decode("utf-8", "surrogateescape"),
        info=FileInfo(
            creation_time=creation,
            access_time=access,
            write_time=write,
            change_time=change,
            attributes=attributes,
        ),
        size=numbers[native.SIZE],
        stream=stream,
        link_target=target.decode("utf-8", "surrogateescape")
        if kind == native.LINK
        else None,
        is_removed=kind == native.REMOVED,
    )
