"""
The host's loop where there is ``epoll``.

Made for latency: one call per ready file, no layers between.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import TYPE_CHECKING

from hcsshim.host.serving.timers import READ, Timers

if TYPE_CHECKING:
    from collections.abc import Callable

assert sys.platform != "win32"  # noqa: S101 - tells type checkers, too


class Loop(Timers):
    """
    An event loop for one thread; see :mod:`hcsshim.host.serving.loop`.

    Args:
        failed: Told of an exception that a callback let through; the loop goes on.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        super().__init__(failed)
        self._poll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._wake_reader, self._wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.watch(self._wake_reader, READ, self._woken)

    @property
    def wake_file(self) -> int:
        """Where a byte wakes the loop: for ``signal.set_wakeup_fd``."""
        return self._wake_writer

    def call_from_thread(self, call: Callable[[], None]) -> None:
        """Call in the loop's thread; any thread may ask for it."""
        self._from_threads.append(call)
        try:
            os.write(self._wake_writer, b"\0")
        except BlockingIOError:
            return  # it is full: the loop wakes in any case

    def call_on_signals(self, call: Callable[[], None]) -> None:
        """Call when SIGTERM or SIGINT comes; only in the main thread."""
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.call_soon(call))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

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

    def _woken(self, _events: int) -> None:
        """Empty the pipe; handlers of signals run by themselves."""
        os.read(self._wake_reader, 4096)

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
            if self._timers or self._soon or self._from_threads:
                self._run_due()

    def close(self) -> None:
        """Free everything."""
        self._poll.close()
        os.close(self._wake_reader)
        os.close(self._wake_writer)
