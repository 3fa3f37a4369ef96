"""
Reading and writing pipes of Windows that are open for overlapped I/O.

An operation is begun, its event waited for (beside others, in a loop, or by a thread),
and then finished. Whoever gives up waiting may finish it later: nothing that was read
is lost.
"""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

import _winapi  # noqa: E402 - Windows' own

from hcsshim._ffi import ffi, lib  # noqa: E402 - see above
from hcsshim.errors import check  # noqa: E402 - see above

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from _typeshed import ReadableBuffer, WriteableBuffer

    from hcsshim._ffi import CData

_FOREVER = 0xFFFFFFFF
_ABORTED = 995  # ERROR_OPERATION_ABORTED
#: The longest wait at a time; Ctrl-C ends it sooner, in the main thread.
_STEP_MS = 1000


class Reading:
    """A read of a pipe that was begun; at its end ``finish`` gives ``b""``."""

    __slots__ = ("_overlapped",)

    def __init__(self, pipe: int, size: int) -> None:
        self._overlapped: _winapi.Overlapped | None = None
        try:
            self._overlapped, _ = _winapi.ReadFile(pipe, size, overlapped=True)
        except BrokenPipeError:
            return  # nobody writes any more

    @property
    def event(self) -> int | None:
        """What is set once it has ended; ``None`` if it has already."""
        return None if self._overlapped is None else self._overlapped.event

    def finish(self) -> bytes:
        """
        Give what was read, once it has ended.

        Raises:
            OSError: It failed, or was cancelled.
        """
        if self._overlapped is None:
            return b""
        try:
            count, error = self._overlapped.GetOverlappedResult(True)
        except BrokenPipeError:
            return b""
        if error == _ABORTED:
            raise OSError(None, "The read was cancelled", None, error)
        return bytes(self._overlapped.getbuffer() or b"")[:count]

    def cancel(self) -> None:
        """Ask it to end now."""
        if self._overlapped is not None:
            self._overlapped.cancel()


class Writing:
    """
    A write into a pipe that was begun.

    Raises:
        BrokenPipeError: Nobody reads any more.
    """

    __slots__ = ("_data", "_overlapped")

    def __init__(self, pipe: int, data: bytes) -> None:
        self._data = data  # Windows reads it until the end
        self._overlapped, _ = _winapi.WriteFile(pipe, data, overlapped=True)

    @property
    def event(self) -> int:
        """What is set once it has ended."""
        return self._overlapped.event

    def finish(self) -> int:
        """
        Give the number of bytes written, once it has ended.

        Raises:
            BrokenPipeError: Nobody reads any more.
            OSError: It failed, or was cancelled.
        """
        count, error = self._overlapped.GetOverlappedResult(True)
        if error == _ABORTED:
            raise OSError(None, "The write was cancelled", None, error)
        return count

    def cancel(self) -> None:
        """Ask it to end now."""
        self._overlapped.cancel()


def wait_any(events: list[int], timeout: float | None) -> bool:
    """
    Block until an event is set.

    Args:
        events: At least one, at most 63.
        timeout: Seconds; ``None`` waits forever.

    Returns:
        Whether one is.
    """
    left = _FOREVER if timeout is None else max(0, int(timeout * 1000))
    while True:
        step = min(left, _STEP_MS)
        result = _winapi.WaitForMultipleObjects(events, False, step)
        if result != _winapi.WAIT_TIMEOUT:
            return True
        if left != _FOREVER:
            left -= step
        if left == 0:
            return False


def when_set(event: int, loop: asyncio.AbstractEventLoop) -> asyncio.Future[bool]:
    """
    Give a future that is done once an event is set; cancelling ends the wait.

    Raises:
        NotImplementedError: The loop is not the one that Windows usually has.
    """
    proactor = getattr(loop, "_proactor", None)
    if proactor is None:
        raise NotImplementedError("on Windows asyncio needs its proactor loop")
    future: asyncio.Future[bool] = proactor.wait_for_handle(event)
    return future


class Turn:
    """One read or write at a time, of any pipe."""

    __slots__ = ("_done", "_event", "_native")

    def __init__(self) -> None:
        out = ffi.new("hcsshim_turn **")
        check(lib.hcsshim_turn_new(out), "pipe")
        self._native = ffi.gc(out[0], lib.hcsshim_turn_free)
        self._event = lib.hcsshim_turn_event(self._native)
        self._done = ffi.new("uint64_t *")

    def move(self, pipe: int, data: CData, *, writes: bool) -> int:
        """
        Read into ``data`` or write it; blocks.

        Raises:
            BrokenPipeError: The other end was closed.
            OSError: It failed, or was cancelled.
        """
        code = lib.hcsshim_turn_begin(
            self._native, pipe, writes, data, len(data), self._done
        )
        if code == 1:
            code = self._await()
        if code < 0:
            raise OSError(None, "The pipe fails", None, code & 0xFFFF)
        count: int = self._done[0]
        return count

    def _await(self) -> int:
        try:
            wait_any([self._event], None)
        except BaseException:
            self.cancel()
            lib.hcsshim_turn_finish(self._native, self._done)  # the memory is free then
            raise
        return lib.hcsshim_turn_finish(self._native, self._done)

    def cancel(self) -> None:
        """Ask it to end now; from any thread."""
        lib.hcsshim_turn_cancel(self._native)


class RawPipe(io.RawIOBase):
    """
    A pipe as a raw stream that blocks.

    Args:
        pipe: Its handle, owned from then on.
        writing: Whether it is written to.
    """

    def __init__(self, pipe: int, *, writing: bool) -> None:
        super().__init__()
        self._pipe = pipe
        self._writing = writing
        self._pending: set[Turn] = set()
        self._idle: list[Turn] = []
        self._polls = False

    def fileno(self) -> int:
        """
        Give the handle.

        Raises:
            ValueError: It was closed.
        """
        if self._pipe < 0:
            raise ValueError("I/O operation on closed file")
        return self._pipe

    def readable(self) -> bool:
        """Whether it can be read."""
        return not self._writing

    def writable(self) -> bool:
        """Whether it can be written to."""
        return self._writing

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Let reads in the block take only what is there."""
        self._polls = True
        try:
            yield
        finally:
            self._polls = False

    def _is_empty(self) -> bool:
        try:
            return _winapi.PeekNamedPipe(self._pipe, 0)[0] == 0
        except BrokenPipeError:
            return False  # its end can be read

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Read some bytes; 0 is the end."""
        if self._polls and self._is_empty():
            return None
        try:
            return self._move(buffer)
        except BrokenPipeError:
            return 0  # nobody writes any more

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some bytes, and tell how many."""
        return self._move(data)

    def _move(self, buffer: ReadableBuffer) -> int:
        """Read or write once, straight from or into the caller's memory."""
        pipe = self.fileno()
        turn = self._idle.pop() if self._idle else Turn()
        data = ffi.from_buffer("char[]", buffer, require_writable=not self._writing)
        self._pending.add(turn)
        try:
            return turn.move(pipe, data, writes=self._writing)
        finally:
            self._pending.discard(turn)
            self._idle.append(turn)
            ffi.release(data)

    def close(self) -> None:
        """Close it; reads and writes of other threads end. Idempotent."""
        pipe, self._pipe = self._pipe, -1
        if pipe >= 0:
            for turn in tuple(self._pending):
                turn.cancel()
            _winapi.CloseHandle(pipe)
        super().close()
