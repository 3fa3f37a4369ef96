"""
Threads for work that takes long: copying trees, writing disks, mounting.

The loop's one thread may not wait, so it hands such work over and is told of the end.
Threads are started when they are needed; a host that never copies has none.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, TypeVar

from hcsshim.host.results import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.serving.loop import Loop

T = TypeVar("T")

_MOST_THREADS = 4


class Job:
    """
    A piece of work that somebody may call off.

    Attributes:
        cancelled: Set it to have the work stop where it can.
    """

    __slots__ = ("cancelled", "run")

    def __init__(self) -> None:
        self.cancelled = False
        self.run: Callable[[], Callable[[], None]] = lambda: lambda: None

    def check(self) -> None:
        """
        Stop here if the work was called off.

        Raises:
            Refusal: It was.
        """
        if self.cancelled:
            raise refuse(HResult.HCS_E_OPERATION_ALREADY_CANCELLED)


class Workers:
    """
    A few threads, and the way back into the loop.

    Args:
        loop: Told in its own thread when work has ended.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._threads: list[threading.Thread] = []
        self._waiting: deque[Job] = deque()
        self._running: set[Job] = set()
        self._ended: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._idle = 0
        self._closing = False

    @property
    def busy(self) -> bool:
        """Whether there is work that has not ended, or has not been told of."""
        with self._changed:
            return bool(self._waiting or self._running or self._ended)

    def submit(
        self,
        work: Callable[[Job], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> Job:
        """
        Have work done.

        Args:
            work: Runs in a thread; looks at its job from time to time.
            done: Told of its result, in the loop's thread.
            failed: Told of its exception instead.

        Returns:
            What to cancel it by.
        """
        job = Job()

        def run() -> Callable[[], None]:
            try:
                job.check()
                result = work(job)
            except BaseException as error:  # noqa: BLE001 - the loop's thread judges it
                problem = error
                return lambda: failed(problem)
            return lambda: done(result)

        job.run = run
        with self._changed:
            self._waiting.append(job)
            if self._idle < len(self._waiting) and len(self._threads) < _MOST_THREADS:
                thread = threading.Thread(target=self._work, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()
        return job

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._waiting and not self._closing:
                    self._changed.wait()
                self._idle -= 1
                if not self._waiting:
                    return
                job = self._waiting.popleft()
                self._running.add(job)
            ended = job.run()
            with self._changed:
                self._ended.append(ended)
                self._running.discard(job)
            self._loop.call_from_thread(self._drain)

    def _drain(self) -> None:
        while self._ended:
            self._ended.popleft()()

    def close(self) -> None:
        """Call off what is not done, wait for the threads, and free everything."""
        with self._changed:
            self._closing = True
            for job in (*self._waiting, *self._running):
                job.cancelled = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        while self._ended:
            self._ended.popleft()()
