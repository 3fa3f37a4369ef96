"""
The verbs of a process, as steps; see :mod:`hcsshim.hcs._system_steps`.

Source:
    Rules for kill, signal and exit codes: the original library's.
"""

from __future__ import annotations

from contextlib import contextmanager

from hcsshim._native.port import GENERIC_ALL, INFINITE
from hcsshim.errors import (
    AccessDeniedError,
    AlreadyStoppedError,
    HandleClosedError,
    HcsTimeoutError,
    InvalidStateError,
    NotFoundError,
    check,
)
from hcsshim.hcs._calls import answer, timed_out
from hcsshim.hcs._drivers import wait_for
from hcsshim.hcs._handles import ProcessHandle
from hcsshim.hcs._log import log_lost_exit
from hcsshim.hcs._system_steps import submit_open
from hcsshim.hresult import HResult

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hcsshim._native.port import Completion, Operation
    from hcsshim.hcs._drivers import Step
    from hcsshim.hcs._handles import SystemHandle

CREATE = "HcsCreateProcess"
OPEN = "HcsOpenProcess"
CLOSE = "HcsCloseProcess"
TERMINATE = "HcsTerminateProcess"
SIGNAL = "HcsSignalProcess"
INFO = "HcsGetProcessInfo"
PROPERTIES = "HcsGetProcessProperties"
MODIFY = "HcsModifyProcess"
WAIT_EXIT = "HcsWaitForProcessExit"

#: The exit code of a process whose real one cannot be known.
UNKNOWN_EXIT_CODE = -1

#: How long an exit may lag behind an answer that says the process is gone.
EXIT_LAG = 1.0


def create(
    system: SystemHandle, parameters: str, timeout: float | None
) -> Step[ProcessHandle]:
    """
    Start a process; on any failure nothing of it is left.

    Raises:
        NotFoundError: The command, or the working directory, does not exist.
        InvalidStateError: The system does not run.
        HcsTimeoutError: It took too long; a process that starts later is killed.
    """
    call = system.service.submit(CREATE, system.use(CREATE), parameters)
    return (yield from _own(system, call, CREATE, timeout, None))


def open_existing(
    system: SystemHandle, process_id: int, timeout: float | None
) -> Step[ProcessHandle]:
    """
    Open a process that runs; its streams are not handed over.

    Raises:
        ProcessGoneError: There is none of this id.
    """
    call = system.service.submit(OPEN, system.use(OPEN), process_id, GENERIC_ALL)
    return (yield from _own(system, call, OPEN, timeout, process_id))


def _own(
    system: SystemHandle,
    call: Operation,
    operation: str,
    timeout: float | None,
    process_id: int | None,
) -> Step[ProcessHandle]:
    service = system.service
    exit_call = None
    try:
        exit_call = service.submit(WAIT_EXIT, call.handle, INFINITE)
        completion = yield from answer(
            call, operation, system.system_id, timeout, process_id=process_id
        )
    except BaseException:
        if exit_call is None:
            call.abandon()
        else:
            exit_call.abandon()
        if process_id is None:
            service.send(TERMINATE, call.handle, None)
        service.send(CLOSE, call.handle)
        raise
    return ProcessHandle(
        system,
        call.handle,
        exit_call,
        process_id=completion.process_id if process_id is None else process_id,
        files=completion.files,
    )


def verb(
    process: ProcessHandle,
    operation: str,
    document: str | None,
    timeout: float | None,
) -> Step[Completion]:
    """
    Run a call that takes a process and a document.

    Raises:
        ProcessGoneError: The process has exited.
    """
    call = process.service.submit(operation, process.use(operation), document)
    return (yield from _answer(process, call, operation, timeout))


def _answer(
    process: ProcessHandle, call: Operation, operation: str, timeout: float | None
) -> Step[Completion]:
    completion = yield from answer(
        call,
        operation,
        process.system_id,
        timeout,
        process_id=process.process_id,
    )
    return completion


def poll(process: ProcessHandle) -> int | None:
    """
    Give the exit code if the process has exited; never waits.

    Raises:
        ServiceDisconnectedError: The service went away before it exited.
    """
    if process.returncode is None:
        completion = None if process.closed else process.exit_seen()
        if completion is not None:
            _exited(process, completion)
    return process.returncode


def wait_exit(process: ProcessHandle, timeout: float | None) -> Step[int]:
    """
    Wait until the process has exited; any number may wait at once.

    Returns:
        The exit code, unsigned; -1 if the service cannot tell it.

    Raises:
        HcsTimeoutError: It has not exited in time.
        HandleClosedError: The handle was closed meanwhile.
        ServiceDisconnectedError: The service went away.
    """
    if process.returncode is not None:
        return process.returncode
    process.use(WAIT_EXIT)
    try:
        completion = yield from wait_for(process.exit_call, timeout)
    except HcsTimeoutError:
        raise timed_out(
            WAIT_EXIT, process.system_id, timeout, process.process_id
        ) from None
    except HandleClosedError:
        if process.returncode is not None:  # given up on, see signal()
            return process.returncode
        raise
    return _exited(process, completion)


def _exited(process: ProcessHandle, completion: Completion) -> int:
    """Note the exit code that the exit call was answered with."""
    if process.returncode is None:
        check(
            completion.hresult,
            WAIT_EXIT,
            process.system_id,
            completion.document,
            process_id=process.process_id,
        )
        process.returncode = exit_code(completion.document)
    return process.returncode


def exit_code(document: str | None) -> int:
    """
    Read an exit code out of a process status.

    It counts only if the process exited and the service's own wait for it
    succeeded; else it is -1.

    Source:
        ``ProcessStatus`` of the HCS schema, 2.1.
    """
    import json  # noqa: PLC0415 - keeps the import light

    try:
        status = json.loads(document or "{}")
    except ValueError:
        return UNKNOWN_EXIT_CODE
    if not isinstance(status, dict) or status.get("Exited") is not True:
        return UNKNOWN_EXIT_CODE
    if status.get("LastWaitResult"):
        return UNKNOWN_EXIT_CODE
    code = status.get("ExitCode", 0)
    return code & 0xFFFFFFFF if type(code) is int else UNKNOWN_EXIT_CODE


def kill(process: ProcessHandle, timeout: float | None) -> Step[None]:
    """
    End a process by force, without waiting for its exit; exited is success.

    HCS queues signals per handle of a system. While one is under way the kill goes
    through handles of its own, so that a signal that blocks does not block it.
    """
    if poll(process) is not None or process.killed:
        return
    try:
        if process.system.signals > 0 and not process.system.closed:
            yield from _kill_aside(process, timeout)
        else:
            yield from verb(process, TERMINATE, None, timeout)
    except (AccessDeniedError, AlreadyStoppedError, NotFoundError):
        pass  # on its way out, or gone
    process.killed = True


def _kill_aside(process: ProcessHandle, timeout: float | None) -> Step[None]:
    service = process.service
    system = submit_open(service, process.system_id, process.system.id_namespace)
    own = None
    try:
        own = service.submit(OPEN, system.handle, process.process_id, GENERIC_ALL)
        call = service.submit(TERMINATE, own.handle, None)
        yield from _answer(process, call, TERMINATE, timeout)
    finally:
        if own is not None:
            own.abandon()
            service.send(CLOSE, own.handle)
        system.abandon()
        service.send("HcsCloseComputeSystem", system.handle)


@contextmanager
def _signalling(system: SystemHandle) -> Iterator[None]:
    system.signals += 1
    try:
        yield
    finally:
        system.signals -= 1


def signal(process: ProcessHandle, options: str, timeout: float | None) -> Step[None]:
    """
    Deliver a signal.

    If the answer says that the process is gone, its exit gets a moment to arrive;
    one that never does is taken as an exit with an unknown code, so that nobody
    waits for it forever.

    Raises:
        ProcessGoneError: The process has exited.
        InvalidStateError: The system's state does not allow it.
    """
    with _signalling(process.system):
        try:
            yield from verb(process, SIGNAL, options, timeout)
        except (InvalidStateError, NotFoundError):
            yield from _settle_exit(process)
            raise


def _settle_exit(process: ProcessHandle) -> Step[None]:
    try:
        yield from wait_exit(process, EXIT_LAG)
    except HcsTimeoutError:
        process.returncode = UNKNOWN_EXIT_CODE
        log_lost_exit(process.system_id, process.process_id)
        process.exit_call.abandon()  # wakes whoever waits for it
    except (HandleClosedError, NotFoundError):
        return


def modify_unless_gone(
    process: ProcessHandle, request: str, timeout: float | None
) -> Step[None]:
    """Change a process; one that has exited is left alone."""
    if poll(process) is not None:
        return
    try:
        yield from verb(process, MODIFY, request, timeout)
    except (AlreadyStoppedError, NotFoundError):
        return


def query(process: ProcessHandle, timeout: float | None) -> Step[str]:
    """
    Ask for a process's properties.

    Raises:
        ProtocolError: The answer is empty.
    """
    completion = yield from verb(process, PROPERTIES, None, timeout)
    if not completion.document:
        check(HResult.E_UNEXPECTED, PROPERTIES, process.system_id)
    return completion.document or "{}"
