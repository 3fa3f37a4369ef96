# Made by async_to_sync.py of hcsshim/hcs/_async_process.py; do not edit.
"""Processes in compute systems, blocking."""

from __future__ import annotations

from hcsshim.hcs import _process_steps as steps
from hcsshim.hcs import _stdio as stdio
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._parameters import (
    CLOSE_STDIN,
    process_parameters,
    resize_request,
    signal_options,
)
from hcsshim.hcs._streams import PipeReader, PipeWriter, close_stream
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from hcsshim.documents import ProcessStatus
    from hcsshim.hcs._event_stream import EventStream
    from hcsshim.hcs._handles import ProcessHandle, SystemHandle
    from hcsshim.hcs._parameters import Command


class Process:
    """
    A process in a compute system; it feels like ``subprocess.Popen``.

    Made by :meth:`ComputeSystem.create_process`. Closing releases the handle and
    the streams; the process runs on. Used as a context manager it closes at the end
    of the block.

    Attributes:
        args: What was asked to run; ``None`` for a process that was opened.
        stdin: The pipe to write into, or ``None``.
        stdout: The pipe to read from, or ``None``.
        stderr: As ``stdout``.
    """

    __slots__ = (
        "__weakref__",
        "_exchange",
        "_process",
        "args",
        "stderr",
        "stdin",
        "stdout",
    )

    def __init__(self, process: ProcessHandle, args: Command | None = None) -> None:
        self._process = process
        self._exchange: stdio.Exchange | None = None
        self.args = args
        files = process.take_files()
        self.stdin = PipeWriter.over(files[0])
        self.stdout = PipeReader.over(files[1])
        self.stderr = PipeReader.over(files[2])

    @classmethod
    def _create(  # noqa: PLR0913 - what a process can be given
        cls,
        system: SystemHandle,
        args: Command,
        *,
        env: Mapping[str, str] | None,
        cwd: str | os.PathLike[str] | None,
        user: str | None,
        console_size: tuple[int, int] | None,
        stdin: bool,
        stdout: bool,
        stderr: bool,
        timeout: float | None,
    ) -> Process:
        """Start a process; see ``create_process`` of the system."""
        text = process_parameters(
            args,
            env=env,
            cwd=cwd,
            user=user,
            console_size=console_size,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )
        limit = seconds(timeout, "SYSCALLWATCHER")
        return cls(drive(steps.create(system, text, limit)), args)

    @classmethod
    def _open(cls, system: SystemHandle, pid: int, *, timeout: float | None) -> Process:
        """Open a process; see ``open_process`` of the system."""
        limit = seconds(timeout, "SYSCALLWATCHER")
        return cls(drive(steps.open_existing(system, pid, limit)))

    @property
    def pid(self) -> int:
        """The process's number inside the system."""
        return self._process.process_id

    @property
    def system_id(self) -> str:
        """The id of the system that it runs in."""
        return self._process.system_id

    @property
    def returncode(self) -> int | None:
        """
        The exit code, once :meth:`poll` or :meth:`wait` has seen it.

        Unsigned, as on Windows; -1 if the service cannot tell it.
        """
        return self._process.returncode

    @property
    def closed(self) -> bool:
        """Whether the handle was closed."""
        return self._process.closed

    def poll(self) -> int | None:
        """
        Look whether the process has exited; never waits.

        Returns:
            The exit code, or ``None`` while it runs.

        Raises:
            ServiceDisconnectedError: The service went away before it exited.
        """
        return steps.poll(self._process)

    def wait(self, timeout: float | None = None) -> int:
        """
        Wait until the process has exited; any number may wait at once.

        Output that it wrote may still be on its way: read to the end.

        Args:
            timeout: Seconds, ``None`` forever; at 0 it only looks.

        Returns:
            The exit code, unsigned; -1 if the service cannot tell it.

        Raises:
            HcsTimeoutError: It has not exited in time.
            HandleClosedError: It was closed meanwhile.
            ServiceDisconnectedError: The service went away.

        Source:
            ``HcsWaitForProcessExit``.
        """
        return drive(steps.wait_exit(self._process, seconds(timeout, "")))

    def communicate(
        self,
        input: bytes | None = None,  # noqa: A002 - the name of Popen
        timeout: float | None = None,
    ) -> tuple[bytes, bytes]:
        """
        Write all input, read all output, and wait for the exit, at the same time.

        After ``HcsTimeoutError`` it may be called again, without input, and nothing
        is lost.

        Args:
            input: For ``stdin``, which is closed behind it.
            timeout: Seconds, ``None`` forever.

        Returns:
            What was left to read of ``stdout`` and ``stderr``; ``b""`` where there
            is no such stream.

        Raises:
            HcsTimeoutError: It was not done in time; the process runs on.
            ValueError: There is input, but no ``stdin``.
        """
        self._exchange_all(input, timeout, pass_on=False)
        exchange, self._exchange = self._exchange, None
        if exchange is None:  # another task has taken the output
            return b"", b""
        return bytes(exchange.stdout), bytes(exchange.stderr)

    def _exchange_all(
        self, data: bytes | None, timeout: float | None, *, pass_on: bool
    ) -> None:
        """Write all input, read all output, and wait for the exit."""
        if self._exchange is None:
            self._exchange = stdio.Exchange(
                self.stdin, self.stdout, self.stderr, data, pass_on=pass_on
            )
        elif data:
            raise ValueError("the input was given by an earlier call")
        limit = seconds(timeout, "")
        drive(stdio.finish(self._process, self._exchange, limit))

    def kill(self, *, timeout: float | None = DEFAULT) -> None:
        """
        End the process by force, without waiting for its exit.

        Exited already, or on its way out, is success.

        Args:
            timeout: Seconds to wait for the service's answer, ``None`` forever.

        Source:
            ``HcsTerminateProcess``.
        """
        drive(steps.kill(self._process, seconds(timeout, "SYSCALLWATCHER")))

    def signal(self, signal: int | str, *, timeout: float | None = DEFAULT) -> None:
        """
        Deliver a signal.

        Args:
            signal: The number of a Linux signal, or the name of a Windows control
                event: ``"CtrlC"``, ``"CtrlBreak"``, ``"CtrlClose"``,
                ``"CtrlLogOff"``, ``"CtrlShutdown"``.
            timeout: Seconds to wait for the service's answer, ``None`` forever.

        Raises:
            ProcessGoneError: It has exited.
            AlreadyStoppedError: It, or the system, has exited.
            NotSupportedError: The guest has no such signal.

        Source:
            ``HcsSignalProcess``.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        drive(steps.signal(self._process, signal_options(signal), limit))

    def events(self, *, timeout: float | None = DEFAULT) -> EventStream:
        """
        Listen to the process from now on: the one event that there is is its exit.

        Args:
            timeout: Seconds to wait for the service, not for an event.

        Returns:
            An iterator that ends after the process has exited; close it.

        Raises:
            ProcessGoneError: It has exited.

        Source:
            ``HcsSetProcessCallback``.
        """
        from hcsshim.hcs._event_stream import (  # noqa: PLC0415 - seldom needed
            listen_to_process,
        )

        limit = seconds(timeout, "SYSCALLWATCHER")
        return listen_to_process(self._process, limit)

    def resize_console(
        self, width: int, height: int, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Change the size of the process's console.

        Args:
            width: Columns, 1 to 65535.
            height: Rows, 1 to 65535.
            timeout: Seconds to wait for the service's answer, ``None`` forever.

        Raises:
            InvalidStateError: It has no console.
            ProcessGoneError: It has exited.

        Source:
            ``HcsModifyProcess``.
        """
        text = resize_request(width, height)
        limit = seconds(timeout, "SYSCALLWATCHER")
        drive(steps.verb(self._process, steps.MODIFY, text, limit))

    def close_stdin(self, *, timeout: float | None = DEFAULT) -> None:
        """
        End the process's input, from both sides; ended already is success.

        To end it after everything written has been read, close :attr:`stdin`
        instead.

        Args:
            timeout: Seconds to wait for the service's answer, ``None`` forever.

        Source:
            ``HcsModifyProcess``.
        """
        if self.stdin is not None:
            close_stream(self.stdin)
        limit = seconds(timeout, "SYSCALLWATCHER")
        drive(steps.modify_unless_gone(self._process, CLOSE_STDIN, limit))

    def properties(self, *, timeout: float | None = DEFAULT) -> ProcessStatus:
        """
        Ask whether it runs and how it exited.

        Args:
            timeout: Seconds to wait for the service's answer, ``None`` forever.

        Source:
            ``HcsGetProcessProperties``.
        """
        from hcsshim.documents import ProcessStatus, loads  # noqa: PLC0415 - seldom

        limit = seconds(timeout, "SYSCALLWATCHER")
        return loads(ProcessStatus, drive(steps.query(self._process, limit)))

    def close(self) -> None:
        """
        Release the handle and the streams; the process runs on.

        Idempotent; whoever waits for the exit gets ``HandleClosedError``.
        """
        self._process.close()
        if self._exchange is not None:
            self._exchange.transfers.abandon()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                close_stream(stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self.returncode is not None:
            state = f"exited with {self.returncode}"
        else:
            state = "closed" if self.closed else "running"
        return f"<Process {self.pid} of {self.system_id!r}, {state}>"
