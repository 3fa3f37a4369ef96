"""The calls about processes: documents to rules and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.host.fields import Fields
from hcsshim.host.results import Refusal, refuse, refuse_errno
from hcsshim.host.serving import transport
from hcsshim.host.serving.waits import wait
from hcsshim.host.systems.commands import Request, read_request
from hcsshim.host.systems.lifecycle import PROCESS_EXITED
from hcsshim.host.systems.processes import CONSOLE_EVENTS, Process
from hcsshim.host.systems.systems import Creation
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim.host.serving.loop import Loop
    from hcsshim.host.serving.session import Call

_STANDARD_HANDLES = ("stdin", "stdout", "stderr")
_LARGEST_CONSOLE = 0x7FFF


class Pipes:
    """
    The pipes of a process that is being started.

    Args:
        wanted: For stdin, stdout, stderr.

    Raises:
        OSError: The machine has no more descriptors.
    """

    __slots__ = ("client", "mask", "process")

    def __init__(self, wanted: tuple[bool, bool, bool]) -> None:
        self.client: list[int] = []
        self.process = [-1, -1, -1]
        self.mask = 0
        for index, is_wanted in enumerate(wanted):
            if not is_wanted:
                continue
            try:
                mine, theirs = transport.make_pipe(index)
            except OSError:
                self.close()
                raise
            self.process[index] = mine
            self.client.append(theirs)
            self.mask |= 1 << index

    def close_process_ends(self) -> None:
        """Close what the process has inherited, or never will."""
        for file in self.process:
            if file >= 0:
                transport.close_file(file)
        self.process = [-1, -1, -1]

    def take_client_ends(self) -> tuple[int, ...]:
        """Give the client's ends away."""
        files, self.client = tuple(self.client), []
        return files

    def close(self) -> None:
        """Close all that is left."""
        self.close_process_ends()
        for file in self.take_client_ends():
            transport.close_file(file)


def create_process(call: Call) -> None:
    """HcsCreateProcess: start it, and answer when it runs or cannot."""
    system = call.system()
    request = read_request(call.text(1))
    with_console = request.command.console is not None
    try:
        pipes = Pipes((False, False, False) if with_console else request.pipes)
    except OSError as error:
        raise refuse_errno(error.errno or 0, "No pipe can be made") from None
    command = request.command
    if pipes.mask:
        files = (pipes.process[0], pipes.process[1], pipes.process[2])
        command = attrs.evolve(command, files=files)

    def done(process: Process | Refusal, console: int) -> None:
        pipes.close_process_ends()
        if creation.cancelled:
            process = refuse(HResult.HCS_E_OPERATION_ALREADY_CANCELLED)
        if isinstance(process, Refusal):
            pipes.close()
            call.session.fail(call.made(), process)
            return
        if with_console:
            files, mask = _console_files(request, console)
        else:
            files, mask = pipes.take_client_ends(), pipes.mask
        call.answer(0, None, process.pid, files, mask)
        call.session.complete(call.made(), process)

    creation = Creation(command, call.session, done)
    try:
        system.create_process(creation)
    except (Refusal, OSError):
        pipes.close()
        raise

    def cancel() -> None:
        creation.cancelled = True

    call.cancel = cancel


def _console_files(request: Request, console: int) -> tuple[tuple[int, ...], int]:
    """Give the client's ends of a terminal: what it reads from and writes to."""
    files = []
    mask = 0
    for index in (0, 1):
        if request.pipes[index]:
            files.append(transport.console_file(console, index))
            mask |= 1 << index
    return tuple(files), mask


def open_process(call: Call) -> None:
    """HcsOpenProcess: another handle to a process that runs."""
    system = call.system()
    process = system.processes.get(call.number(1))
    if process is None:
        raise refuse(
            HResult.ERROR_NOT_FOUND,
            f"'{system.id}' has no process {call.number(1)}.",
        )
    call.answer()
    call.session.complete(call.made(), process)


def close_process(call: Call) -> None:
    """HcsCloseProcess: the process goes on."""
    call.session.close_handle(call.number(0))
    call.answer()


def terminate_process(call: Call) -> None:
    """HcsTerminateProcess: kill it; its exit code becomes 137."""
    call.process().terminate()
    call.answer()


def signal_process(call: Call) -> None:
    """HcsSignalProcess: a console event by name, or a signal by number."""
    process = call.process()
    options = Fields.parse_optional(call.text(1))
    options.only(("Signal",))
    value = options.value("Signal")
    if value is None:
        process.terminate()
    elif isinstance(value, str):
        number = CONSOLE_EVENTS.get(value.lower())
        if number is None:
            options.refuse("Signal")
        process.signal(number)
    else:
        process.signal(options.number("Signal", 1, 64) or 0)
    call.answer()


def get_process_info(call: Call) -> None:
    """HcsGetProcessInfo: the process id; the pipes went to whoever created it."""
    process = call.process()
    process.require_running()
    call.answer(0, None, process.pid)


def get_process_properties(call: Call) -> None:
    """HcsGetProcessProperties: whether and how it ended."""
    process = call.process()
    Fields.parse_optional(call.text(1))
    call.answer(0, process.status)


def modify_process(call: Call) -> None:
    """HcsModifyProcess: resize its console, or close a standard handle."""
    process = call.process()
    request = Fields.parse(call.text(1))
    request.only(("Operation", "ConsoleSize", "CloseHandle"))
    operation = request.text("Operation").lower()
    if operation == "consolesize":
        size = request.child("ConsoleSize")
        size.only(("Height", "Width"))
        height = size.number("Height", 1, _LARGEST_CONSOLE)
        width = size.number("Width", 1, _LARGEST_CONSOLE)
        if height is None or width is None:
            request.refuse("ConsoleSize", "Missing field")
        process.resize(height, width)
    elif operation == "closehandle":
        which = request.child("CloseHandle")
        which.only(("Handle",))
        if which.text("Handle").lower() not in _STANDARD_HANDLES:
            which.refuse("Handle")
        process.close_standard_handle(call.session)
    else:
        request.refuse("Operation")
    call.answer()


def set_process_callback(call: Call) -> None:
    """HcsSetProcessCallback: tell when it ends, also if it has already."""
    process = call.process()
    session = call.session
    handle = session.handles[call.number(0)]
    call.answer()
    handle.listen(lambda: session.notify(handle, PROCESS_EXITED, 0, process.status))


def wait_for_process_exit(call: Call, loop: Loop) -> None:
    """HcsWaitForProcessExit: answer when it has ended."""
    process = call.process()
    wait(call, loop, process.exited, lambda: process.status)
