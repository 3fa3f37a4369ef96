"""
The host's one thread: files that became ready, and timers.

Made for latency: ``epoll`` with one call per ready file, no layers between. Nothing
that is called may wait; what takes long is done by processes of their own, the silos.
"""

from __future__ import annotations

import heapq
import os
import select
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

READ: int = select.EPOLLIN
WRITE: int = select.EPOLLOUT


class Timer:
    """A call to come; :meth:`Loop.call_later` makes it."""

    __slots__ = ("call", "when")

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when = when
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Never call."""
        self.call = None

    def __lt__(self, other: Timer) -> bool:
        return self.when < other.when


class Loop:
    """
    An event loop for one thread.

    Args:
        failed: Told of an exception that a callback let through; the loop goes on.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._poll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._timers: list[Timer] = []
        self._soon: list[Callable[[], None]] = []
        self._stopping = False
        self._wake_reader, self._wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.watch(self._wake_reader, READ, self._woken)

    @property
    def wake_file(self) -> int:
        """Where a byte wakes the loop: for ``signal.set_wakeup_fd``."""
        return self._wake_writer

    def watch(self, file: int, events: int, handler: Callable[[int], None]) -> None:
        """Call ``handler`` with the events whenever a file is ready."""
        self._poll.register(file, events)
        self._handlers[file] = handler

    def rewatch(self, file: int, events: int) -> None:
        """Change what a file is watched for."""
        self._poll.modify(file, events)

    def unwatch(self, file: int) -> None:
        """Stop watching; before the file is closed."""
        if self._handlers.pop(file, None) is not None:
            self._poll.unregister(file)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call once, after a time."""
        timer = Timer(monotonic() + seconds, call)
        heapq.heappush(self._timers, timer)
        return timer

    def call_soon(self, call: Callable[[], None]) -> None:
        """Call in the next round, when what runs now has returned."""
        self._soon.append(call)

    def _woken(self, _events: int) -> None:
        """Empty the pipe; handlers of signals run by themselves."""
        os.read(self._wake_reader, 4096)

    def stop(self) -> None:
        """Let :meth:`run` return after this round."""
        self._stopping = True

    def run(self) -> None:
        """Wait and call, until :meth:`stop`."""
        poll = self._poll.poll
        handlers = self._handlers
        while not self._stopping:
            for file, events in poll(self._next_timeout()):
                handler = handlers.get(file)  # an earlier one may have closed it
                if handler is None:
                    continue
                try:
                    handler(events)
                except Exception as error:  # noqa: BLE001 - one call must not end all
                    self._failed(error)
            if self._timers:
                self._run_timers()
            if self._soon:
                soon, self._soon = self._soon, []
                for call in soon:
                    self._run(call)

    def _next_timeout(self) -> float:
        if self._soon:
            return 0
        while self._timers and self._timers[0].call is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return -1
        return max(0.0, self._timers[0].when - monotonic())

    def _run_timers(self) -> None:
        now = monotonic()
        while self._timers and self._timers[0].when <= now:
            call = heapq.heappop(self._timers).call
            if call is not None:
                self._run(call)

    def _run(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - one call must not end all
            self._failed(error)

    def close(self) -> None:
        """Free everything."""
        self._poll.close()
        os.close(self._wake_reader)
        os.close(self._wake_writer)
