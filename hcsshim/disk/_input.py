"""
Tars as they come: plain, gzip or zstd, from files, pipes or any stream.

What is compressed is unpacked on a thread of its own, a few pieces ahead of whoever
takes them. The libraries let go of the interpreter meanwhile, so unpacking and what is
done with the pieces go on at once.
"""

from __future__ import annotations

import io
import os
import queue
import threading
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import IO, TYPE_CHECKING, Protocol, cast

from hcsshim.disk._io import opened
from hcsshim.errors import InvalidDataError, NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hcsshim.disk._io import Source

#: The bytes of a piece, and how many may wait.
PIECE = 256 * 1024
AHEAD = 8
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
#: What a pipe should hold: each time it is empty costs a change of processors.
_PIPE = 1024 * 1024
_GZIP_ONLY = 31  # zlib: a window of 32 KiB in a gzip wrapper


class TarInput:
    """
    A source, looked at so far that its kind is known.

    Args:
        file: Open for reading; read from where it stands.

    Attributes:
        compression: ``"gzip"``, ``"zstd"``, or ``None``.
        total: The length of the file as it is stored, or ``None`` if nobody knows.
        done: How much of it was read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        raw = _raw(file)
        self._file = raw or file
        self._descriptor = None if raw is None else raw.fileno()
        self.total = _length(self._file)
        if self._descriptor is not None:
            _widen_pipe(self._descriptor)
        self._head = self._read(4)
        self.done = len(self._head)
        self.compression: str | None = None
        if self._head.startswith(GZIP):
            self.compression = "gzip"
        elif self._head == ZSTD:
            self.compression = "zstd"

    @property
    def descriptor(self) -> int | None:
        """Of a plain tar that C can read by itself, behind :attr:`head`."""
        return None if self.compression else self._descriptor

    @property
    def head(self) -> bytes:
        """What was read in order to know the kind."""
        return self._head

    def leave(self, file: IO[bytes]) -> None:
        """Let a file whose place in the system was used see where it stands."""
        if file is not self._file and self.total is not None:
            file.seek(self._file.tell())

    @contextmanager
    def pieces(self) -> Iterator[Iterator[bytes]]:
        """Give the unpacked bytes, piece by piece, for the time of the block."""
        if self.compression is None:
            yield self._plain()
            return
        ahead = _Ahead(self._gunzip if self.compression == "gzip" else self._unzstd)
        try:
            yield iter(ahead)
        finally:
            ahead.close()

    def _read(self, length: int) -> bytes:
        """Read so many bytes, or fewer at the end."""
        parts = b""
        while len(parts) < length:
            part = self._file.read(length - len(parts))
            if not part:
                break
            parts += part
        return parts

    def _next(self) -> bytes:
        """Read the next bytes as they are stored."""
        if self._head:
            head, self._head = self._head, b""
            return head
        data = self._file.read(PIECE)
        self.done += len(data or b"")
        return data or b""

    def _plain(self) -> Iterator[bytes]:
        while data := self._next():
            yield data

    def _gunzip(self) -> Iterator[bytes]:
        data = self._next()
        while data:
            inflate = _inflate()
            yield from self._member(inflate, data)
            data = inflate.unused_data or self._next()
            if not data.strip(b"\0"):
                data = self._rest_of_zeros()

    def _member(self, inflate: _Inflate, data: bytes) -> Iterator[bytes]:
        """Unpack one member of a gzip stream."""
        while not inflate.eof:
            try:
                piece = inflate.decompress(data, PIECE)
            except Exception as bad:
                message = f"The gzip stream is damaged: {bad}."
                raise InvalidDataError(message=message) from bad
            if piece:
                yield piece
            data = inflate.unconsumed_tail
            if not data and not inflate.eof and len(piece) < PIECE:
                data = self._next()
                if not data:
                    raise InvalidDataError(message="The gzip stream is cut off.")

    def _rest_of_zeros(self) -> bytes:
        """Skip zeros behind a gzip stream, as tape writers leave them."""
        while data := self._next():
            if data.strip(b"\0"):
                return data.lstrip(b"\0")
        return b""

    def _unzstd(self) -> Iterator[bytes]:
        try:
            import zstandard  # noqa: PLC0415 - an extra
        except ImportError as missing:
            raise NotSupportedError(
                message="To read zstd, install: pip install 'hcsshim[fast]'."
            ) from missing
        reader = zstandard.ZstdDecompressor().stream_reader(
            cast(IO[bytes], _Stored(self._next)), read_across_frames=True
        )
        try:
            while piece := reader.read(PIECE):
                yield piece
        except zstandard.ZstdError as bad:
            raise InvalidDataError(
                message=f"The zstd stream is damaged: {bad}."
            ) from bad


class _Inflate(Protocol):
    """What the libraries for gzip have in common."""

    eof: bool
    unused_data: bytes
    unconsumed_tail: bytes

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Stored(io.RawIOBase):
    """The stored bytes as a file, for a library that wants one."""

    def __init__(self, following: Callable[[], bytes]) -> None:
        self._following = following
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._rest or self._following()
        if size < 0:
            size = len(data)
        self._rest = data[size:]
        return data[:size]


class _Ahead:
    """Whatever an iterator gives, made on a thread a few pieces ahead."""

    def __init__(self, make: Callable[[], Iterator[bytes]]) -> None:
        self._make = make
        self._queue: queue.Queue[bytes | BaseException | None] = queue.Queue(AHEAD)
        self._stopped = False
        self._thread = threading.Thread(
            target=self._work, name="hcsshim-unpack", daemon=True
        )
        self._thread.start()

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._queue.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def close(self) -> None:
        """Stop the thread, wherever it is; one that waits for input ends later."""
        self._stopped = True
        with suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
        self._thread.join(timeout=1)

    def _work(self) -> None:
        try:
            for piece in self._make():
                self._queue.put(piece)
                if self._stopped:
                    return
        except BaseException as error:  # noqa: BLE001 - raised where it is read
            self._queue.put(error)
        else:
            self._queue.put(None)


@contextmanager
def opened_tar(source: Source) -> Iterator[TarInput]:
    """Open a tar, packed or not; an open file or stream stays the caller's."""
    with opened(source) as file:
        tar = TarInput(file)
        yield tar
        tar.leave(file)


def _inflate() -> _Inflate:
    """Begin to unpack with the fastest zlib that is installed."""
    try:
        zlib = import_module("isal.isal_zlib")
    except ImportError:
        zlib = import_module("zlib")
    inflate: _Inflate = zlib.decompressobj(_GZIP_ONLY)
    return inflate


def _raw(file: IO[bytes]) -> io.FileIO | None:
    """
    Give the file of the system that C may read from in the file's stead.

    Others have a descriptor, too, but it need not stand where the file does, or give
    what the file gives: that of a gzip file does neither.
    """
    if isinstance(file, io.FileIO):
        return file
    if not isinstance(file, io.BufferedReader) or not isinstance(file.raw, io.FileIO):
        return None
    if not file.seekable():
        return None
    file.raw.seek(file.tell())
    return file.raw


def _length(file: IO[bytes]) -> int | None:
    """Tell how many bytes come, if that can be known."""
    try:
        if not file.seekable():
            return None
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
    except (AttributeError, OSError):
        return None
    return end - here


def _widen_pipe(descriptor: int) -> None:
    """Let a pipe hold more; what is no pipe stays as it is."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl  # noqa: PLC0415 - not everywhere

        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE)
