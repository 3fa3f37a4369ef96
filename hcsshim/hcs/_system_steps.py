"""
The verbs of a compute system, as steps.

What a call may still create after it was given up is undone with calls that are
sent behind it and not waited for: the service handles the calls of a connection in
order, so a terminate and a close that follow a create find what it made.
"""

from __future__ import annotations

from hcsshim._native.port import GENERIC_ALL, INFINITE
from hcsshim.errors import (
    AlreadyStoppedError,
    HcsTimeoutError,
    NotFoundError,
    NotSupportedError,
    check,
)
from hcsshim.hcs._calls import answer, timed_out
from hcsshim.hcs._drivers import wait_for
from hcsshim.hcs._handles import SystemHandle
from hcsshim.hcs._timeouts import Deadline
from hcsshim.hresult import HResult

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Completion, Operation, Service
    from hcsshim.hcs._drivers import Step

CREATE = "HcsCreateComputeSystem"
OPEN = "HcsOpenComputeSystem"
CLOSE = "HcsCloseComputeSystem"
START = "HcsStartComputeSystem"
SHUT_DOWN = "HcsShutDownComputeSystem"
TERMINATE = "HcsTerminateComputeSystem"
PAUSE = "HcsPauseComputeSystem"
RESUME = "HcsResumeComputeSystem"
SAVE = "HcsSaveComputeSystem"
CRASH = "HcsCrashComputeSystem"
PROPERTIES = "HcsGetComputeSystemProperties"
MODIFY = "HcsModifyComputeSystem"
WAIT_EXIT = "HcsWaitForComputeSystemExit"


def create(
    service: Service, system_id: str, document: str, timeout: float | None
) -> Step[SystemHandle]:
    """
    Create a system; on any failure nothing of it is left.

    Raises:
        AlreadyExistsError: The id is in use.
        InvalidDataError: The document is not valid.
        HcsTimeoutError: It took too long; what it makes later is terminated.
    """
    call = service.submit(CREATE, system_id, document)
    return (
        yield from _own(service, call, CREATE, system_id, timeout, undo=(TERMINATE,))
    )


def open_existing(
    service: Service, system_id: str, timeout: float | None
) -> Step[SystemHandle]:
    """
    Open a system that exists.

    Raises:
        NotFoundError: There is none of this id.
    """
    call = service.submit(OPEN, system_id, GENERIC_ALL)
    return (yield from _own(service, call, OPEN, system_id, timeout, undo=()))


def _own(  # noqa: PLR0913 - one for each thing that create and open differ in
    service: Service,
    call: Operation,
    operation: str,
    system_id: str,
    timeout: float | None,
    *,
    undo: tuple[str, ...],
) -> Step[SystemHandle]:
    exit_call = None
    try:
        exit_call = service.submit(WAIT_EXIT, call.handle, INFINITE)
        yield from answer(call, operation, system_id, timeout)
    except BaseException:
        if exit_call is None:
            call.abandon()
        else:
            exit_call.abandon()
        for name in undo:
            service.send(name, call.handle, None)
        service.send(CLOSE, call.handle)
        raise
    return SystemHandle(service, call.handle, exit_call, system_id)


def verb(
    system: SystemHandle,
    operation: str,
    options: str | None,
    timeout: float | None,
) -> Step[Completion]:
    """
    Run a call that takes a system and a document: start, pause, modify, query.

    Raises:
        InvalidStateError: The system's state does not allow it.
    """
    call = system.service.submit(operation, system.use(operation), options)
    return (yield from answer(call, operation, system.system_id, timeout))


def query(
    system: SystemHandle, document: str | None, timeout: float | None
) -> Step[str]:
    """
    Ask for properties.

    Raises:
        ProtocolError: The answer is empty.
    """
    completion = yield from verb(system, PROPERTIES, document, timeout)
    return require_document(completion, PROPERTIES, system.system_id)


def require_document(
    completion: Completion, operation: str, system_id: str = ""
) -> str:
    """Give the answer of a query, for which an empty one is an error of its own."""
    if not completion.document:
        check(HResult.E_UNEXPECTED, operation, system_id)
    return completion.document or ""


def wait_exit(system: SystemHandle, timeout: float | None) -> Step[str | None]:
    """
    Wait until the system has exited; any number may wait at once.

    Returns:
        The ``SystemExitStatus`` document, if the service gave one.

    Raises:
        HcsTimeoutError: It has not exited in time.
        HandleClosedError: The handle was closed meanwhile.
        ServiceDisconnectedError: The service went away.
    """
    completion = system.exit_seen()
    if completion is None:
        system.use(WAIT_EXIT)
        try:
            completion = yield from wait_for(system.exit_call, timeout)
        except HcsTimeoutError:
            raise timed_out(WAIT_EXIT, system.system_id, timeout) from None
    check(completion.hresult, WAIT_EXIT, system.system_id, completion.document)
    return completion.document


def terminate(system: SystemHandle, timeout: float | None) -> Step[None]:
    """
    End a system by force and wait until it is gone; gone already is success.

    Raises:
        HcsTimeoutError: It is not gone in time.
    """
    deadline = Deadline(timeout)
    try:
        yield from verb(system, TERMINATE, None, timeout)
    except (AlreadyStoppedError, NotFoundError):
        return
    yield from _gone(system, deadline)


def shut_down(
    system: SystemHandle, options: str | None, timeout: float | None
) -> Step[None]:
    """
    Ask the guest to end in order and wait until it has; ended already is success.

    A guest that cannot be asked is terminated.

    Raises:
        HcsTimeoutError: It has not ended in time, and runs on.
        InvalidStateError: It is paused, or was never started.
    """
    deadline = Deadline(timeout)
    try:
        yield from verb(system, SHUT_DOWN, options, timeout)
    except (AlreadyStoppedError, NotFoundError):
        return
    except NotSupportedError:
        yield from terminate(system, deadline.left())
        return
    yield from _gone(system, deadline)


def _gone(system: SystemHandle, deadline: Deadline) -> Step[None]:
    try:
        yield from wait_exit(system, deadline.left())
    except (AlreadyStoppedError, NotFoundError):
        return


def discard(system: SystemHandle) -> None:
    """End a system and close its handle without waiting; for clean-up."""
    system.close(TERMINATE)
