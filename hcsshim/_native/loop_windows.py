"""Events of Windows in an asyncio loop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

from hcsshim._native.pipes_windows import when_set  # noqa: E402 - by platform

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Watch:
    """
    Calls something whenever an event is set; what is called resets it.

    Args:
        loop: In which.
        event: Stays set until it is reset.
        call: What is called.

    Raises:
        NotImplementedError: The loop is not the one that Windows usually has.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, event: int, call: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._event = event
        self._call = call
        self._wait = self._begin()

    def _begin(self) -> asyncio.Future[bool]:
        wait = when_set(self._event, self._loop)
        wait.add_done_callback(self._set)
        return wait

    def _set(self, wait: asyncio.Future[bool]) -> None:
        if wait.cancelled() or wait is not self._wait:
            return
        self._call()
        if wait is self._wait and not self._loop.is_closed():
            self._wait = self._begin()

    def close(self) -> None:
        """Call no more."""
        wait = self._wait
        self._wait = self._loop.create_future()
        wait.cancel()
