"""
The host's loop on Windows, over a completion port.

Windows tells when an operation has *ended*, the host's code asks whether a file is
*ready*. Between them stand sources: an object that always has a read pending is
ready to be read when that has ended. A source is watched by its number as a file is
elsewhere; a number that is no source's is a handle of an event or a process, and
ready while that is signalled.

The completion port is the one of ``asyncio``, by its private module
``_overlapped``: it has been the same in every Python since 3.4, and nothing else in
the standard library reaches overlapped I/O on files that are not sockets.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Protocol

from hcsshim._native.host_process_windows import stop_event
from hcsshim._native.win32 import INFINITE, create_event, is_set
from hcsshim.host.serving.timers import READ, Timers

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

import _overlapped  # type: ignore[import-not-found]  # noqa: E402 - not in typeshed

if TYPE_CHECKING:
    from collections.abc import Callable

_INVALID_HANDLE = -1
_ONE_THREAD = 1
#: The longest wait: Ctrl-C is looked for that often.
_LONGEST_MS = 1000


#: Where no operation can be. Without any address a packet is taken for a failure.
_NO_OPERATION = 1


class Source(Protocol):
    """Something that the loop can watch like a file."""

    def ready(self) -> int:
        """Tell what it is ready for now: ``READ``, ``WRITE``, both or 0."""


class Operation:
    """
    An overlapped operation that pends.

    Args:
        loop: That is told of its end.
        ended: Called then, in the loop's thread.
    """

    __slots__ = ("_overlapped", "ended")

    def __init__(self, ended: Callable[[], None]) -> None:
        self._overlapped = _overlapped.Overlapped(0)
        self.ended = ended

    @property
    def address(self) -> int:
        """What names it in the completion port."""
        return int(self._overlapped.address)

    def read(self, handle: int, size: int) -> None:
        """Begin to read."""
        self._overlapped.ReadFile(handle, size)

    def write(self, handle: int, data: bytes) -> None:
        """Begin to write."""
        self._overlapped.WriteFile(handle, data)

    def connect(self, handle: int) -> bool:
        """Begin to wait for a client; false if one is there already."""
        return not self._overlapped.ConnectNamedPipe(handle)

    def data(self) -> bytes:
        """
        Give what was read.

        Raises:
            OSError: It failed.
        """
        return bytes(self._overlapped.getresult())

    def check(self) -> None:
        """
        Look how it ended.

        Raises:
            OSError: It failed.
        """
        self._overlapped.getresult()

    def cancel(self) -> None:
        """Ask to stop it; its end is told all the same."""
        self._overlapped.cancel()

    def stop(self) -> bool:
        """Stop it and wait; true if it had succeeded before."""
        self._overlapped.cancel()
        try:
            self._overlapped.getresult(True)
        except OSError:
            return False
        return True


class _Wait:
    """A wait of the thread pool for one handle."""

    def __init__(self, port: int, handle: int, ended: Callable[[], None]) -> None:
        self.handle = handle
        self.operation = Operation(ended)
        self._registered = _overlapped.RegisterWaitWithQueue(
            handle, port, self.operation.address, INFINITE
        )

    def unregister(self) -> None:
        """End it; what it told just now may still come."""
        try:
            _overlapped.UnregisterWait(self._registered)
        except OSError:
            return  # it is telling right now


class Loop(Timers):
    """
    An event loop for one thread; see :mod:`hcsshim.host.serving.loop`.

    Args:
        failed: Told of an exception that a callback let through; the loop goes on.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        super().__init__(failed)
        self._port: int = _overlapped.CreateIoCompletionPort(
            _INVALID_HANDLE, 0, 0, _ONE_THREAD
        )
        self._pending: dict[int, Operation] = {}
        #: Ended waits, kept until nothing of them can be in the port any more: the
        #: thread that tells may be about to when a wait is ended.
        self._stale: list[_Wait] = []
        self._older: list[_Wait] = []
        self._sources: dict[int, Source] = {}
        self._watched: dict[int, tuple[int, Callable[[int], None]]] = {}
        self._waits: dict[int, _Wait] = {}
        #: Which may be ready, in the order in which they were found to be.
        self._stirred: dict[int, None] = {}

    # -- for sources -----------------------------------------------------

    def add(self, number: int, source: Source) -> None:
        """Have a source under a number of its own, one that no handle has."""
        self._sources[number] = source

    def remove(self, number: int) -> None:
        """Forget a source."""
        self._sources.pop(number, None)
        self.unwatch(number)

    def attach(self, handle: int) -> None:
        """Have the ends of a handle's operations told here."""
        _overlapped.CreateIoCompletionPort(handle, self._port, 0, 0)

    def expect(self, operation: Operation) -> None:
        """Wait for the end of an operation that was begun."""
        self._pending[operation.address] = operation

    def forget(self, operation: Operation) -> None:
        """Tell nobody of its end: it has been waited for, or never began."""
        self._pending[operation.address] = operation
        operation.ended = _nothing

    def stir(self, number: int) -> None:
        """Look soon whether a source has become ready."""
        self._stirred[number] = None

    # -- for everybody ---------------------------------------------------

    def watch(self, file: int, events: int, handler: Callable[[int], None]) -> None:
        """Call ``handler`` with the events whenever a file is ready."""
        self._watched[file] = (events, handler)
        self._look_at(file)

    def rewatch(self, file: int, events: int) -> None:
        """Change what a file is watched for."""
        self._watched[file] = (events, self._watched[file][1])
        self._look_at(file)

    def unwatch(self, file: int) -> None:
        """Stop watching; before the file is closed."""
        self._watched.pop(file, None)
        self._stirred.pop(file, None)
        wait = self._waits.pop(file, None)
        if wait is not None:
            self._end(wait)
            wait.unregister()

    def call_from_thread(self, call: Callable[[], None]) -> None:
        """Call in the loop's thread; any thread may ask for it."""
        self._from_threads.append(call)
        _overlapped.PostQueuedCompletionStatus(self._port, 0, 0, _NO_OPERATION)

    def call_on_signals(self, call: Callable[[], None]) -> None:
        """Call on Ctrl-C, and when the event that is made for it is set."""
        event = create_event(stop_event(os.getpid()))

        def stop(_events: int) -> None:
            self.unwatch(event)
            call()

        self.watch(event, READ, stop)
        for number in (signal.SIGINT, signal.SIGBREAK):
            signal.signal(number, lambda *_: self.call_from_thread(call))

    def _look_at(self, file: int) -> None:
        if file in self._sources:
            self.stir(file)
        elif file not in self._waits:
            self._wait_for(file)

    def _wait_for(self, handle: int) -> None:
        wait = _Wait(self._port, handle, lambda: self._signalled(handle))
        self._waits[handle] = wait
        self.expect(wait.operation)

    def _signalled(self, handle: int) -> None:
        wait = self._waits.pop(handle, None)
        if wait is not None:
            wait.unregister()
            self.stir(handle)

    def _end(self, wait: _Wait) -> None:
        wait.operation.ended = _nothing
        self._stale.append(wait)

    def run(self) -> None:
        """Wait and call, until :meth:`stop`."""
        while not self._stopping:
            self._take_ends(self._milliseconds())
            self._tell_ready()
            self._run_due()

    def _milliseconds(self) -> int:
        if self._stirred:
            return 0
        seconds = self._next_timeout()
        if seconds < 0:
            return _LONGEST_MS
        return min(-int(-seconds * 1000 // 1), _LONGEST_MS)

    def _take_ends(self, timeout_ms: int) -> None:
        """Take in what the port has, and wait if it has nothing."""
        status = _overlapped.GetQueuedCompletionStatus(self._port, timeout_ms)
        while status is not None:
            operation = self._pending.pop(status[3], None)
            if operation is not None:
                self._run(operation.ended)
            status = _overlapped.GetQueuedCompletionStatus(self._port, 0)
        for wait in self._older:
            self._pending.pop(wait.operation.address, None)
        self._older, self._stale = self._stale, []

    def _tell_ready(self) -> None:
        stirred, self._stirred = self._stirred, {}
        for file in stirred:
            events, handler = self._watched.get(file, (0, _ignore))
            source = self._sources.get(file)
            if source is None:
                ready = events if events and is_set(file) else 0
            else:
                ready = source.ready() & events
            if ready:
                self._tell(handler, ready)
            self._look_again(file, ready)

    def _tell(self, handler: Callable[[int], None], events: int) -> None:
        try:
            handler(events)
        except Exception as error:  # noqa: BLE001 - one call must not end all
            self._failed(error)

    def _look_again(self, file: int, told: int) -> None:
        """See whether a file is still ready, or must be waited for again."""
        if file not in self._watched:
            return
        source = self._sources.get(file)
        if source is None:
            self._look_at(file)
        elif told and source.ready() & self._watched[file][0]:
            self.stir(file)

    def close(self) -> None:
        """Free everything."""
        for file in tuple(self._waits):
            self.unwatch(file)
        for operation in tuple(self._pending.values()):
            operation.cancel()
        self._take_ends(0)
        import _winapi  # noqa: PLC0415 - Windows' own

        _winapi.CloseHandle(self._port)


def _nothing() -> None:
    pass


def _ignore(_events: int) -> None:
    pass
