"""The ends of a process's pipes, for code that blocks."""

from __future__ import annotations

import io
import sys
from contextlib import suppress

if sys.platform == "win32":
    from hcsshim._native.pipes_windows import RawPipe


def _raw(file: int, *, writing: bool) -> io.RawIOBase:
    """Wrap a descriptor, or on Windows a handle; it is owned from then on."""
    if sys.platform == "win32":
        return RawPipe(file, writing=writing)
    return io.FileIO(file, "wb" if writing else "rb")


class PipeReader(io.BufferedReader):
    """What a process writes; a binary stream like any other."""

    @classmethod
    def over(cls, file: int) -> PipeReader | None:
        """
        Wrap a descriptor, which is owned from then on.

        Args:
            file: -1 gives ``None``.
        """
        return None if file < 0 else cls(_raw(file, writing=False), 64 * 1024)

    def take_buffered(self) -> bytes:
        """Take what was read ahead; the descriptor must not block."""
        if sys.platform == "win32" and isinstance(self.raw, RawPipe):
            with self.raw.polling():
                return self._take_buffered()
        return self._take_buffered()

    def _take_buffered(self) -> bytes:
        ahead = len(self.peek(1))
        return self.read1(ahead) if ahead else b""


class PipeWriter(io.BufferedWriter):
    """Where a process reads from; a binary stream like any other."""

    @classmethod
    def over(cls, file: int) -> PipeWriter | None:
        """
        Wrap a descriptor, which is owned from then on.

        Args:
            file: -1 gives ``None``.
        """
        return None if file < 0 else cls(_raw(file, writing=True), 64 * 1024)


def close_stream(stream: PipeReader | PipeWriter) -> None:
    """Close a stream; that nobody reads any more what was written is no failure."""
    with suppress(BrokenPipeError):
        stream.close()
