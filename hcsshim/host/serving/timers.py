"""The part of the host's loop that is the same on every machine: calls to come."""

from __future__ import annotations

import heapq
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: What a file can be watched for; the numbers are those of ``epoll``.
READ = 1
WRITE = 4


class Timer:
    """A call to come; :meth:`Timers.call_later` makes it."""

    __slots__ = ("call", "when")

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when = when
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Never call."""
        self.call = None

    def __lt__(self, other: Timer) -> bool:
        return self.when < other.when


class Timers:
    """
    Calls that come later, soon, or from other threads.

    Args:
        failed: Told of an exception that a callback let through; the loop goes on.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._timers: list[Timer] = []
        self._soon: list[Callable[[], None]] = []
        self._from_threads: deque[Callable[[], None]] = deque()
        self._stopping = False

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call once, after a time."""
        timer = Timer(monotonic() + seconds, call)
        heapq.heappush(self._timers, timer)
        return timer

    def call_soon(self, call: Callable[[], None]) -> None:
        """Call in the next round, when what runs now has returned."""
        self._soon.append(call)

    def stop(self) -> None:
        """Let the loop end after this round."""
        self._stopping = True

    def _next_timeout(self) -> float:
        """Give the seconds until the next call; -1 if none is to come."""
        if self._soon or self._from_threads:
            return 0
        while self._timers and self._timers[0].call is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return -1
        return max(0.0, self._timers[0].when - monotonic())

    def _run_due(self) -> None:
        """Call what is due."""
        if self._timers:
            self._run_timers()
        if self._soon:
            soon, self._soon = self._soon, []
            for call in soon:
                self._run(call)
        while self._from_threads:
            self._run(self._from_threads.popleft())

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
