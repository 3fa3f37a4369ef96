"""The ends of a process's pipes, for asyncio."""

from __future__ import annotations

import asyncio
import os

from hcsshim.errors import HandleClosedError

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from typing_extensions import Self

_CHUNK = 64 * 1024


class _Pipe:
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


class AsyncPipeReader(_Pipe):
    """What a process writes, as an awaitable binary stream; one reader at a time."""

    __slots__ = ("_ahead", "_ended")

    def __init__(self, file: int) -> None:
        super().__init__(file)
        self._ahead = bytearray()
        self._ended = False

    @classmethod
    def over(cls, file: int) -> AsyncPipeReader | None:
        """
        Wrap a descriptor, which is owned from then on.

        Args:
            file: -1 gives ``None``.
        """
        return None if file < 0 else cls(file)

    async def _fill(self) -> bool:
        """Read ahead some more; false at the end."""
        while not self._ended:
            try:
                data = os.read(self.fileno(), _CHUNK)
            except BlockingIOError:
                await self._ready(to_write=False)
                continue
            self._ended = not data
            self._ahead += data
            return not self._ended
        return False

    async def read(self, size: int = -1) -> bytes:
        """
        Read some bytes.

        Args:
            size: At most so many, as soon as there are any; -1 reads to the end.

        Returns:
            ``b""`` at the end.

        Raises:
            HandleClosedError: It was closed here.
        """
        if size < 0:
            while await self._fill():
                pass
            return self._take(len(self._ahead))
        if size and not self._ahead:
            await self._fill()
        return self._take(size)

    async def readline(self) -> bytes:
        """Read a line with its end; the last one may lack it, ``b""`` is the end."""
        start = 0
        while (found := self._ahead.find(b"\n", start)) < 0:
            start = len(self._ahead)
            if not await self._fill():
                return self._take(len(self._ahead))
        return self._take(found + 1)

    def _take(self, size: int) -> bytes:
        data = bytes(self._ahead[:size])
        del self._ahead[:size]
        return data

    def take_buffered(self) -> bytes:
        """Take what was read ahead."""
        return self._take(len(self._ahead))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line


class AsyncPipeWriter(_Pipe):
    """Where a process reads from, awaitable; one writer at a time."""

    __slots__ = ()

    @classmethod
    def over(cls, file: int) -> AsyncPipeWriter | None:
        """
        Wrap a descriptor, which is owned from then on.

        Args:
            file: -1 gives ``None``.
        """
        return None if file < 0 else cls(file)

    async def write(self, data: bytes | bytearray | memoryview) -> int:
        """
        Write all of it; nothing is kept back.

        Returns:
            How many bytes that was.

        Raises:
            BrokenPipeError: Nobody reads any more.
            HandleClosedError: It was closed here.
        """
        left = memoryview(data).cast("B")
        size = len(left)
        while left:
            try:
                left = left[os.write(self.fileno(), left) :]
            except BlockingIOError:  # noqa: PERF203 - seldom
                await self._ready(to_write=True)
        return size

    def flush(self) -> None:
        """Do nothing: :meth:`write` keeps nothing back."""


async def close_stream(stream: AsyncPipeReader | AsyncPipeWriter) -> None:
    """Close a stream."""
    await stream.aclose()
