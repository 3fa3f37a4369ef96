"""Processes of compute systems: their state and what may be done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim.host import signals
from hcsshim.host.results import process_status, refuse, refuse_errno
from hcsshim.host.serving import transport
from hcsshim.host.serving.latch import Latch
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim.host.systems.systems import System

#: What a shell adds to the number of the signal that a process died of. HCS has its
#: own codes for that only on Windows; a terminated process thus exits with 137.
_SIGNALLED = 128

#: The events of a Windows console, as the signals that mean the same here.
CONSOLE_EVENTS: dict[str, int] = {
    "ctrlc": signals.SIGINT,
    "ctrlbreak": signals.SIGQUIT,
    "ctrlclose": signals.SIGHUP,
    "ctrllogoff": signals.SIGHUP,
    "ctrlshutdown": signals.SIGTERM,
}


def exit_code_of(status: int) -> int:
    """
    Give the exit code that HCS reports for a status of ``waitpid``.

    A process that died of signal n has 128+n, as in a shell.
    """
    number = status & 0x7F
    return _SIGNALLED + number if number else status >> 8


class Process:
    """
    A process that was started in a system.

    Args:
        system: Where it runs.
        pid: As processes of the system see it.
        console: The terminal's other end, or -1; becomes the process's own.
        client: Whoever holds its pipes; only compared.
    """

    __slots__ = ("_console", "client", "exit_code", "exited", "pid", "system")

    def __init__(self, system: System, pid: int, console: int, client: object) -> None:
        self.system = system
        self.pid = pid
        self.client = client
        self.exit_code: int | None = None
        self.exited = Latch()
        self._console = console

    def hold(self) -> None:
        """Do nothing: no handle keeps a process."""

    def release(self) -> None:
        """Do nothing, as :meth:`hold`."""

    def end(self, status: int) -> None:
        """Record its end, and tell who listens."""
        self.exit_code = exit_code_of(status)
        if self._console >= 0:
            transport.close_console(self._console)
            self._console = -1
        self.exited.fire()

    @property
    def status(self) -> str:
        """Its ``ProcessStatus`` document."""
        return process_status(self.pid, self.exit_code)

    def require_running(self) -> None:
        """
        Check that it has not ended.

        Raises:
            Refusal: It has.
        """
        if self.exit_code is not None:
            raise refuse(HResult.HCS_E_PROCESS_ALREADY_STOPPED)

    def signal(self, number: int) -> None:
        """
        Send a signal.

        Raises:
            Refusal: It ended, or the machine has no such signal.
        """
        self.require_running()
        if not 0 < number < signals.NSIG:
            raise refuse(
                HResult.ERROR_INVALID_PARAMETER, f"There is no signal {number}."
            )
        try:
            self.system.silo.signal(self.pid, number)
        except ProcessLookupError:
            raise refuse(HResult.HCS_E_PROCESS_ALREADY_STOPPED) from None
        except OSError as error:
            raise refuse_errno(
                error.errno or 0, f"Signal {number} to process {self.pid}"
            ) from None

    def terminate(self) -> None:
        """
        Kill it.

        Raises:
            Refusal: It ended already.
        """
        self.signal(signals.SIGKILL)

    def resize(self, rows: int, columns: int) -> None:
        """
        Tell its console a new size.

        Raises:
            Refusal: It has none, or ended.
        """
        self.require_running()
        if self._console < 0:
            raise refuse(
                HResult.ERROR_NOT_SUPPORTED,
                f"Process {self.pid} was started without a console.",
            )
        try:
            transport.resize_console(self._console, rows, columns)
        except OSError as error:
            raise refuse_errno(
                error.errno or 0,
                f"The console of process {self.pid} keeps its size",
                HResult.ERROR_NOT_SUPPORTED,
            ) from None

    def close_standard_handle(self, client: object) -> None:
        """
        Answer the wish to close one of its standard handles.

        A pipe ends when the client that holds its other end closes that, which it
        does beside this call; nobody else can end it.

        Raises:
            Refusal: Another client holds the pipes, or the process ended.
        """
        self.require_running()
        if self.client is not client:
            raise refuse(
                HResult.ERROR_NOT_SUPPORTED,
                f"Another client holds the pipes of process {self.pid}.",
            )
