"""The end of a process's pipe on POSIX systems, for asyncio."""

from __future__ import annotations

import asyncio
import os
import sys

from hcsshim.errors import HandleClosedError

assert sys.platform != "win32"  # noqa: S101 - tells type checkers, too

_CHUNK = 64 * 1024


class Pipe:
    """
    A descriptor that one task at a time waits for.

    Args:
        file: Owned from then on; it no longer blocks.
    """

    __slots__ = ("_file", "_waiter")

    def __init__(self, file: int) -> None:
        os.set_blocking(file, False)
        self._file = file
        self._waiter: asyncio.Future[None] | None = None

    @property
    def closed(self) -> bool:
        """Whether it was closed here."""
        return self._file < 0

    def fileno(self) -> int:
        """
        Give the descriptor.

        Raises:
            HandleClosedError: It was closed.
        """
        if self._file < 0:
            raise HandleClosedError(message="The stream was closed.")
        return self._file

    async def _ready(self, *, to_write: bool) -> None:
        """Wait until the descriptor can be read or written."""
        if self._waiter is not None:
            raise RuntimeError("another task waits for this stream already")
        loop = asyncio.get_running_loop()
        file = self.fileno()
        waiter = self._waiter = loop.create_future()
        add = loop.add_writer if to_write else loop.add_reader
        add(file, _finish, waiter)
        try:
            await waiter
        finally:
            self._waiter = None
            if self._file >= 0:
                remove = loop.remove_writer if to_write else loop.remove_reader
                remove(file)

    async def _read_some(self) -> bytes:
        """Read some bytes; ``b""`` is the end."""
        while True:
            try:
                return os.read(self.fileno(), _CHUNK)
            except BlockingIOError:  # noqa: PERF203 - seldom
                await self._ready(to_write=False)

    async def _write_some(self, data: memoryview) -> int:
        """Write some bytes; tells how many."""
        while True:
            try:
                return os.write(self.fileno(), data)
            except BlockingIOError:  # noqa: PERF203 - seldom
                await self._ready(to_write=True)

    async def aclose(self) -> None:
        """Close it. Idempotent; a task that waits gets ``HandleClosedError``."""
        self.close()

    def close(self) -> None:
        """Close it, as :meth:`aclose`; there is nothing to wait for."""
        file, self._file = self._file, -1
        if file < 0:
            return
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            loop = waiter.get_loop()
            loop.remove_reader(file)
            loop.remove_writer(file)
            waiter.set_exception(HandleClosedError(message="The stream was closed."))
        os.close(file)

    def __del__(self) -> None:
        file = getattr(self, "_file", -1)
        if file >= 0:
            from warnings import warn  # noqa: PLC0415 - seldom needed

            self._file = -1
            os.close(file)
            warn(f"unclosed pipe {file}", ResourceWarning, stacklevel=2, source=self)


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
