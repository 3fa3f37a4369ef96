"""The end of a process's pipe on Windows, for asyncio."""

from __future__ import annotations

import asyncio
import sys

from hcsshim.errors import HandleClosedError

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

from hcsshim._native.files import close_file  # noqa: E402 - by platform
from hcsshim._native.pipes_windows import (  # noqa: E402 - as above
    Reading,
    Writing,
    when_set,
)

_CHUNK = 64 * 1024


class Pipe:
    """
    A handle that one task at a time waits for.

    Args:
        file: Owned from then on.
    """

    __slots__ = ("_file", "_reading", "_waits", "_writing")

    def __init__(self, file: int) -> None:
        self._file = file
        #: A read that nobody has waited for to the end yet.
        self._reading: Reading | None = None
        self._writing: Writing | None = None
        self._waits = False

    @property
    def closed(self) -> bool:
        """Whether it was closed here."""
        return self._file < 0

    def fileno(self) -> int:
        """
        Give the handle.

        Raises:
            HandleClosedError: It was closed.
        """
        if self._file < 0:
            raise HandleClosedError(message="The stream was closed.")
        return self._file

    async def _until(self, event: int) -> None:
        """Wait for the end of an operation."""
        if self._waits:
            raise RuntimeError("another task waits for this stream already")
        self._waits = True
        try:
            await when_set(event, asyncio.get_running_loop())
        finally:
            self._waits = False
        self.fileno()

    async def _read_some(self) -> bytes:
        """Read some bytes; ``b""`` is the end."""
        if self._waits:
            raise RuntimeError("another task waits for this stream already")
        if self._reading is None:
            self._reading = Reading(self.fileno(), _CHUNK)
        if self._reading.event is not None:
            await self._until(self._reading.event)
        reading, self._reading = self._reading, None
        return reading.finish()

    async def _write_some(self, data: memoryview) -> int:
        """Write some bytes; tells how many."""
        if self._waits:
            raise RuntimeError("another task waits for this stream already")
        self._writing = Writing(self.fileno(), bytes(data[:_CHUNK]))
        try:
            await self._until(self._writing.event)
            return self._writing.finish()
        except asyncio.CancelledError:
            self._writing.cancel()
            raise
        finally:
            self._writing = None

    async def aclose(self) -> None:
        """Close it. Idempotent; a task that waits gets ``HandleClosedError``."""
        self.close()

    def close(self) -> None:
        """Close it, as :meth:`aclose`; there is nothing to wait for."""
        file, self._file = self._file, -1
        if file < 0:
            return
        for operation in (self._reading, self._writing):
            if operation is not None:
                operation.cancel()  # its event is set: whoever waits goes on
        close_file(file)

    def __del__(self) -> None:
        file = getattr(self, "_file", -1)
        if file >= 0:
            from warnings import warn  # noqa: PLC0415 - seldom needed

            self._file = -1
            close_file(file)
            warn(f"unclosed pipe {file}", ResourceWarning, stacklevel=2, source=self)
