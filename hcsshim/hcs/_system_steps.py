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
    InvalidStateError,
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
    from collections.abc import Sequence
    from typing import TypeVar

    from hcsshim._native.port import Completion, Operation, Service
    from hcsshim.documents import JSON, Properties
    from hcsshim.hcs._drivers import Step

    T = TypeVar("T")

CREATE = "HcsCreateComputeSystem"
CREATE_IN_NAMESPACE = "HcsCreateComputeSystemInNamespace"
OPEN = "HcsOpenComputeSystem"
OPEN_IN_NAMESPACE = "HcsOpenComputeSystemInNamespace"
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
MIGRATE_INITIALIZE = "HcsInitializeLiveMigrationOnSource"
MIGRATE_START = "HcsStartLiveMigrationOnSource"
MIGRATE_TRANSFER = "HcsStartLiveMigrationTransfer"
MIGRATE_FINALIZE = "HcsFinalizeLiveMigration"
MIGRATE_CANCEL = "HcsCancelLiveMigration"

#: What ``begin()`` can be told to do.
VERBS = {
    "start": START,
    "shutdown": SHUT_DOWN,
    "terminate": TERMINATE,
    "pause": PAUSE,
    "resume": RESUME,
    "save": SAVE,
    "crash": CRASH,
    "properties": PROPERTIES,
    "modify": MODIFY,
}
#: What HCS calls an operation in what it writes down.
OPERATION_TYPES = {
    START: "Start",
    SHUT_DOWN: "Shutdown",
    TERMINATE: "Terminate",
    PAUSE: "Pause",
    RESUME: "Resume",
    SAVE: "Save",
    CRASH: "Crash",
    PROPERTIES: "GetProperties",
    MODIFY: "Modify",
}


def submit_open(service: Service, system_id: str, id_namespace: str) -> Operation:
    """Begin to open a system; ``""`` is the usual namespace of ids."""
    if id_namespace:
        return service.submit(OPEN_IN_NAMESPACE, id_namespace, system_id, GENERIC_ALL)
    return service.submit(OPEN, system_id, GENERIC_ALL)


def create(
    service: Service,
    system_id: str,
    document: str,
    timeout: float | None,
    *,
    id_namespace: str = "",
) -> Step[SystemHandle]:
    """
    Create a system; on any failure nothing of it is left.

    Raises:
        AlreadyExistsError: The id is in use.
        InvalidDataError: The document is not valid.
        HcsTimeoutError: It took too long; what it makes later is terminated.
    """
    if id_namespace:
        name = CREATE_IN_NAMESPACE
        call = service.submit(name, id_namespace, system_id, document)
    else:
        call = service.submit(CREATE, system_id, document)
    system = yield from _own(
        service, call, CREATE, system_id, timeout, undo=(TERMINATE,)
    )
    system.id_namespace = id_namespace
    return system


def open_existing(
    service: Service,
    system_id: str,
    timeout: float | None,
    *,
    id_namespace: str = "",
) -> Step[SystemHandle]:
    """
    Open a system that exists.

    Raises:
        NotFoundError: There is none of this id.
    """
    call = submit_open(service, system_id, id_namespace)
    system = yield from _own(service, call, OPEN, system_id, timeout, undo=())
    system.id_namespace = id_namespace
    return system


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


def finish(call: Operation, operation: str, timeout: float | None) -> Step[Completion]:
    """
    Wait for a call that goes on if it is not answered in time.

    Raises:
        HcsTimeoutError: It has not come in time.
    """
    try:
        return (yield from wait_for(call, timeout))
    except HcsTimeoutError:
        raise timed_out(operation, "", timeout) from None


def require(value: T | None, system: SystemHandle) -> T:
    """
    Give what was asked for, which an answer may leave out.

    Raises:
        ProtocolError: It is not there.
    """
    if value is None:
        check(HResult.E_UNEXPECTED, PROPERTIES, system.system_id)
    assert value is not None  # noqa: S101 - check() raises
    return value


def response(properties: Properties, name: str, system: SystemHandle) -> JSON:
    """
    Give the answer to a named query.

    Raises:
        HcsError: The query failed, or its answer is missing.
    """
    from hcsshim.documents import Document, dumps, to_dict  # noqa: PLC0415 - seldom

    found = require(properties.property_responses.get(name), system)
    if found.error is not None:
        code = found.error.hresult or HResult.E_FAIL
        check(code, PROPERTIES, system.system_id, dumps(found.error))
    value = found.response
    return to_dict(value) if isinstance(value, Document) else value


def sweep(
    service: Service, ids: Sequence[str], query_text: str, timeout: float | None
) -> Step[list[tuple[str, str]]]:
    """
    Put one question to many systems at once; those that vanish are left out.

    Every call is on its way before the first answer is waited for.

    Returns:
        Id and answer, in the order of ``ids``.
    """
    calls = []
    for system_id in ids:
        opened = service.submit(OPEN, system_id, GENERIC_ALL)
        asked = service.submit(PROPERTIES, opened.handle, query_text)
        service.send(CLOSE, opened.handle)
        calls.append((system_id, opened, asked))
    answers = []
    deadline = Deadline(timeout)
    try:
        while calls:
            system_id, opened, asked = calls[0]
            try:
                yield from answer(opened, OPEN, system_id, deadline.left())
                done = yield from answer(asked, PROPERTIES, system_id, deadline.left())
            except (AlreadyStoppedError, InvalidStateError, NotFoundError):
                asked.abandon()
            else:
                answers.append((system_id, done.document or "{}"))
            calls.pop(0)
    finally:
        for _, opened, asked in calls:
            opened.abandon()
            asked.abandon()
    return answers


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
