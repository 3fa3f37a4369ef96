"""Moving the bytes of a process's pipes on Windows, for code that blocks or awaits."""

from __future__ import annotations

import sys
from time import monotonic

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

from hcsshim._native.pipes_windows import (  # noqa: E402 - by platform
    Reading,
    Writing,
    wait_any,
)
from hcsshim.errors import HcsTimeoutError  # noqa: E402 - as above

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.hcs._stdio import Sink

_CHUNK = 256 * 1024


class Transfers:
    """
    Input on its way to a process, and output on its way from it.

    Args:
        stdin: Handle, or -1.
        data: The input.
        close_stdin: Called behind the input; it closes ``stdin``.
        outputs: Handles, or -1, and what takes their bytes.
    """

    def __init__(
        self,
        stdin: int,
        data: bytes,
        close_stdin: Callable[[], object],
        outputs: tuple[tuple[int, Sink], ...],
    ) -> None:
        self._stdin = stdin
        self._input = memoryview(data)
        self._close_stdin = close_stdin
        self._outputs = {file: sink for file, sink in outputs if file >= 0}
        self._reading: dict[int, Reading] = {}
        self._writing: Writing | None = None
        if stdin >= 0 and not data:
            self._end_input()

    @property
    def done(self) -> bool:
        """Whether all input is written and all output read."""
        return self._stdin < 0 and not self._outputs

    def abandon(self) -> None:
        """Leave the streams alone from now on."""
        for operation in self._reading.values():
            operation.cancel()
        if self._writing is not None:
            self._writing.cancel()
        self._stdin = -1
        self._outputs.clear()
        self._reading.clear()
        self._writing = None

    def result(self, timeout: float | None) -> None:
        """Move bytes until all is done; see ``Pending``."""
        deadline = None if timeout is None else monotonic() + timeout
        while not self.done:
            events = self.begin()
            left = None if deadline is None else deadline - monotonic()
            if events and not wait_any(events, left):
                raise HcsTimeoutError(operation="communicate")
            self.move()

    async def completed(self, timeout: float | None) -> None:
        """Move bytes in the running loop until all is done; see ``Pending``."""
        import asyncio  # noqa: PLC0415 - keeps the import light

        from hcsshim._native.pipes_windows import when_set  # noqa: PLC0415

        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        while not self.done:
            waits = [when_set(event, loop) for event in self.begin()]
            left = None if deadline is None else max(0.0, deadline - loop.time())
            try:
                if waits:
                    ended, _ = await asyncio.wait(
                        waits, timeout=left, return_when=asyncio.FIRST_COMPLETED
                    )
                    if not ended:
                        raise HcsTimeoutError(operation="communicate")
            finally:
                for wait in waits:
                    wait.cancel()
            self.move()

    def begin(self) -> list[int]:
        """Begin what can be begun; give the events of what pends then."""
        for file in self._outputs:
            if file not in self._reading:
                self._reading[file] = Reading(file, _CHUNK)
        if self._stdin >= 0 and self._writing is None:
            try:
                self._writing = Writing(self._stdin, bytes(self._input[:_CHUNK]))
            except BrokenPipeError:  # it reads no more: the rest is not wanted
                self._end_input()
        events = [operation.event for operation in self._reading.values()]
        if self._writing is not None:
            events.append(self._writing.event)
        return [event for event in events if event is not None]

    def move(self) -> None:
        """Finish what has ended."""
        for file, operation in tuple(self._reading.items()):
            if operation.event is None or wait_any([operation.event], 0):
                del self._reading[file]
                self._take(file, operation.finish())
        if self._writing is not None and wait_any([self._writing.event], 0):
            writing, self._writing = self._writing, None
            try:
                self._input = self._input[writing.finish() :]
            except BrokenPipeError:  # as above
                self._input = self._input[:0]
            if not self._input:
                self._end_input()

    def _take(self, file: int, data: bytes) -> None:
        if data:
            self._outputs[file](data)
        else:
            del self._outputs[file]

    def _end_input(self) -> None:
        self._stdin = -1
        self._close_stdin()
