"""The ends of a process's pipes, for asyncio."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from hcsshim.hcs._async_pipe_windows import Pipe
else:
    from hcsshim.hcs._async_pipe_unix import Pipe

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from typing_extensions import Self


class AsyncPipeReader(Pipe):
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
        if self._ended:
            return False
        data = await self._read_some()
        self._ended = not data
        self._ahead += data
        return not self._ended

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


class AsyncPipeWriter(Pipe):
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
            left = left[await self._write_some(left) :]
        return size

    def flush(self) -> None:
        """Do nothing: :meth:`write` keeps nothing back."""


async def close_stream(stream: AsyncPipeReader | AsyncPipeWriter) -> None:
    """Close a stream."""
    await stream.aclose()
