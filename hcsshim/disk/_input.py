"""Tars as they come: plain, gzip or zstd, from files, pipes or any stream."""

from __future__ import annotations

import io
import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from hcsshim.disk._io import opened
from hcsshim.layers._compression import (
    MAGIC_LENGTH,
    PIECE,
    Ahead,
    decompressed,
    factory_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hcsshim.disk._io import Source

#: What a pipe should hold: each time it is empty costs a change of processors.
_PIPE = 1024 * 1024


class TarInput:
    """
    A source, looked at so far that its kind is known.

    Args:
        file: Open for reading; read from where it stands.

    Attributes:
        head: What was read in order to know the kind.
        total: The length of the file as it is stored, or ``None`` if nobody knows.
        descriptor: Of a plain tar that C can read by itself, behind ``head``.
    """

    def __init__(self, file: IO[bytes]) -> None:
        raw = _raw(file)
        self._file = raw or file
        self.total = _length(self._file)
        if raw is not None:
            _widen_pipe(raw.fileno())
        self.head = self._read_head()
        self._make = factory_for(self.head)
        self.descriptor: int | None = None
        if raw is not None and self._make is None:
            self.descriptor = raw.fileno()

    def _read_head(self) -> bytes:
        head = b""
        while len(head) < MAGIC_LENGTH:
            part = self._file.read(MAGIC_LENGTH - len(head))
            if not part:
                break
            head += part
        return head

    def leave(self, file: IO[bytes]) -> None:
        """Let a file whose place in the system was used see where it stands."""
        if file is not self._file and self.total is not None:
            file.seek(self._file.tell())

    @contextmanager
    def pieces(self) -> Iterator[Iterator[tuple[bytes, int]]]:
        """
        Give the bytes of the tar, piece by piece, for the time of the block.

        Yields:
            Bytes, and how many of the stored ones were used so far.
        """
        if self._make is None:
            yield self._plain()
            return
        with Ahead(decompressed(self._file, self.head, self._make)) as ahead:
            yield iter(ahead)

    def _plain(self) -> Iterator[tuple[bytes, int]]:
        data, used = self.head, len(self.head)
        while data:
            yield data, used
            data = self._file.read(PIECE)
            used += len(data)


@contextmanager
def opened_tar(source: Source) -> Iterator[TarInput]:
    """Open a tar, packed or not; an open file or stream stays the caller's."""
    with opened(source) as file:
        tar = TarInput(file)
        yield tar
        tar.leave(file)


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
