"""The ends of a process's pipes, for code that blocks."""

from __future__ import annotations

import io
from contextlib import suppress


class PipeReader(io.BufferedReader):
    """What a process writes; a binary stream like any other."""

    @classmethod
    def over(cls, file: int) -> PipeReader | None:
        """
        Wrap a descriptor, which is owned from then on.

        Args:
            file: -1 gives ``None``.
        """
        return None if file < 0 else cls(io.FileIO(file, "rb"), 64 * 1024)

    def take_buffered(self) -> bytes:
        """Take what was read ahead; the descriptor must not block."""
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
        return None if file < 0 else cls(io.FileIO(file, "wb"), 64 * 1024)


def close_stream(stream: PipeReader | PipeWriter) -> None:
    """Close a stream; that nobody reads any more what was written is no failure."""
    with suppress(BrokenPipeError):
        stream.close()
