"""
Writing all input and reading all output at the same time.

One object moves the bytes of all three pipes and can be waited for by blocking or
awaiting, like a call. Where waiting ends early it keeps what it has, and goes on when
it is waited for again.
"""

from __future__ import annotations

import errno
import os
import sys
from time import monotonic

from hcsshim._native.files import unblock
from hcsshim.errors import HcsTimeoutError
from hcsshim.hcs import _process_steps as steps
from hcsshim.hcs._calls import timed_out
from hcsshim.hcs._drivers import wait_for
from hcsshim.hcs._timeouts import Deadline

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol, TypeAlias

    from hcsshim.hcs._drivers import Step
    from hcsshim.hcs._handles import ProcessHandle

    #: What takes the bytes that were read.
    Sink: TypeAlias = Callable[[bytes], object]

    class Reader(Protocol):
        """What is needed of a stream to read from, blocking or not."""

        def fileno(self) -> int:
            """Give the descriptor."""

        def take_buffered(self) -> bytes:
            """Take what was read ahead."""

        @property
        def closed(self) -> bool:
            """Whether it was closed."""

    class Writer(Protocol):
        """What is needed of a stream to write into, blocking or not."""

        def fileno(self) -> int:
            """Give the descriptor."""

        def flush(self) -> object:
            """Write what was kept back."""

        def close(self) -> object:
            """Close it, at once."""

        @property
        def closed(self) -> bool:
            """Whether it was closed."""


#: What moving bytes is called in error texts.
COMMUNICATE = "communicate"

_CHUNK = 256 * 1024
_LONGEST_POLL = 3600.0


class _Transfers:
    """
    Input on its way to a process, and output on its way from it.

    Args:
        stdin: Descriptor that does not block, or -1.
        data: The input.
        close_stdin: Called behind the input; it closes ``stdin``.
        outputs: Descriptors that do not block, or -1, and what takes their bytes.
    """

    __slots__ = ("_close_stdin", "_input", "_outputs", "_stdin")

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
        if stdin >= 0 and not data:
            self._end(stdin)

    @property
    def done(self) -> bool:
        """Whether all input is written and all output read."""
        return self._stdin < 0 and not self._outputs

    def abandon(self) -> None:
        """Leave the streams alone from now on."""
        self._stdin = -1
        self._outputs.clear()

    def result(self, timeout: float | None) -> None:
        """Move bytes until all is done; see ``Pending``."""
        import select  # noqa: PLC0415 - keeps the import light

        deadline = None if timeout is None else monotonic() + timeout
        while not self.done:
            poll = select.poll()
            for file in self._outputs:
                poll.register(file, select.POLLIN)
            if self._stdin >= 0:
                poll.register(self._stdin, select.POLLOUT)
            left = _LONGEST_POLL if deadline is None else deadline - monotonic()
            ready = poll.poll(max(0.0, min(left, _LONGEST_POLL)) * 1000)
            for file, _ in ready:
                if self._move(file):
                    self._end(file)
            if not ready and left <= 0:
                raise HcsTimeoutError(operation=COMMUNICATE)

    async def completed(self, timeout: float | None) -> None:
        """Move bytes in the running loop until all is done; see ``Pending``."""
        from hcsshim.hcs._async_stdio import move_all  # noqa: PLC0415 - needs asyncio

        await move_all(self, timeout)

    @property
    def reading(self) -> list[int]:
        """The descriptors that are still read from."""
        return list(self._outputs)

    @property
    def writing(self) -> list[int]:
        """The descriptor that is still written into, if there is one."""
        return [self._stdin] if self._stdin >= 0 else []

    def move(self, file: int, forget: Callable[[int], object]) -> None:
        """
        Move what can be moved at once through a descriptor that is ready.

        Args:
            file: Which.
            forget: Called with it before it may be closed, once it is done with.
        """
        if self._move(file):
            forget(file)
            self._end(file)

    def _move(self, file: int) -> bool:
        try:
            return self._write() if file == self._stdin else self._read(file)
        except BlockingIOError:
            return False

    def _read(self, file: int) -> bool:
        try:
            data = os.read(file, _CHUNK)
        except OSError as exc:
            if exc.errno != errno.EIO:  # how the end of a console reads
                raise
            return True
        self._outputs[file](data)
        return not data

    def _write(self) -> bool:
        try:
            written = os.write(self._stdin, self._input[:_CHUNK])
        except BrokenPipeError:  # it reads no more: the rest is not wanted
            return True
        self._input = self._input[written:]
        return not self._input

    def _end(self, file: int) -> None:
        if file == self._stdin:
            self._stdin = -1
            self._close_stdin()
        else:
            self._outputs.pop(file, None)


if sys.platform == "win32":
    from hcsshim.hcs._transfers_windows import Transfers
else:
    Transfers = _Transfers


class Exchange:
    """
    The streams of a process while all input is written and all output read.

    Args:
        stdin: Closed behind the input.
        stdout: Its descriptor no longer blocks.
        stderr: As ``stdout``.
        data: The input.
        pass_on: Whether output goes where this process writes, instead of being
            kept.

    Attributes:
        stdout: What was kept.
        stderr: As ``stdout``.

    Raises:
        ValueError: There is input, but no ``stdin`` that is open.
    """

    __slots__ = ("stderr", "stdout", "transfers")

    def __init__(
        self,
        stdin: Writer | None,
        stdout: Reader | None,
        stderr: Reader | None,
        data: bytes | None,
        *,
        pass_on: bool = False,
    ) -> None:
        self.stdout, self.stderr = bytearray(), bytearray()
        sinks: tuple[Sink, Sink] = (self.stdout.extend, self.stderr.extend)
        if pass_on:
            sinks = (_writer(1), _writer(2))
        outputs = (_reading(stdout, sinks[0]), _reading(stderr, sinks[1]))
        if stdin is None or stdin.closed:
            if data:
                raise ValueError("there is input, but no stdin that is open")
            self.transfers = Transfers(-1, b"", _nothing, outputs)
            return
        try:
            stdin.flush()
        except BrokenPipeError:  # it reads no more: nothing to do about it
            data = None
        file = stdin.fileno()
        unblock(file)
        self.transfers = Transfers(file, data or b"", stdin.close, outputs)


def _nothing() -> None:
    pass


def _writer(file: int) -> Sink:
    def write(data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(file, left) :]

    return write


def _reading(stream: Reader | None, sink: Sink) -> tuple[int, Sink]:
    if stream is None or stream.closed:
        return -1, sink
    unblock(stream.fileno())
    sink(stream.take_buffered())
    return stream.fileno(), sink


def finish(
    process: ProcessHandle, exchange: Exchange, timeout: float | None
) -> Step[None]:
    """
    Move everything, then wait for the exit.

    Raises:
        HcsTimeoutError: It was not done in time; it has what came so far.
    """
    deadline = Deadline(timeout)
    try:
        yield from wait_for(exchange.transfers, timeout)
        yield from steps.wait_exit(process, deadline.left())
    except HcsTimeoutError:
        late = timed_out(COMMUNICATE, process.system_id, timeout, process.process_id)
        late.stdout, late.stderr = bytes(exchange.stdout), bytes(exchange.stderr)
        raise late from None
