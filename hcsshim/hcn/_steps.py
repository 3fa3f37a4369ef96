"""
The verbs of network objects, as steps.

The library chooses the ids of new objects where the caller does not, so it knows the
id without asking, and can delete what a call makes after it was given up.
"""

from __future__ import annotations

import json

from hcsshim.errors import HcsError, NotFoundError, ProtocolError
from hcsshim.hcn._handles import ObjectHandle
from hcsshim.hcn._version_steps import require
from hcsshim.hcs._calls import answer

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hcsshim._native.port import Operation, Service
    from hcsshim.hcs._drivers import Step

#: Queries answer in the form of v2.
QUERY = '{"SchemaVersion":{"Major":2,"Minor":0}}'
#: How many objects of a list are asked for at once.
_BURST = 256


def filter_query(**wanted: object) -> str:
    """
    Write a query for the objects that meet conditions.

    Args:
        wanted: By the names that filters have: ``Name="nat"``; ``None`` asks for
            nothing.
    """
    conditions = {name: value for name, value in wanted.items() if value is not None}
    if not conditions:
        return QUERY
    return json.dumps(
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Filter": json.dumps(conditions, separators=(",", ":")),
        },
        separators=(",", ":"),
    )


def id_for(object_id: str | None, document: str) -> tuple[str, bool]:
    """
    Give the id of a new object, and whether it was made here.

    It is the caller's, the document's, or a new one, which nobody else can have.
    """
    if object_id is not None:
        return object_id, False
    try:
        found = json.loads(document)
    except ValueError:
        found = None  # the service will say what is wrong with it
    given = found.get("ID") if isinstance(found, dict) else None
    if isinstance(given, str) and given:
        return given, False
    from uuid import uuid4  # noqa: PLC0415 - seldom loaded

    return str(uuid4()), True


def create(  # noqa: PLR0913 - what a call that creates needs
    service: Service,
    kind: str,
    object_id: str | None,
    document: str,
    timeout: float | None,
    *,
    parent: ObjectHandle | None = None,
) -> Step[ObjectHandle]:
    """
    Create an object; on any failure nothing of it is left.

    One that was given up and whose id the caller chose is not deleted: it might have
    been there before.

    Raises:
        AlreadyExistsError: The id, or the name of a network, is taken.
        InvalidDataError: The document is not valid.
    """
    operation = f"HcnCreate{kind}"
    above = () if parent is None else (parent.use(operation),)
    new_id, ours = id_for(object_id, document)
    yield from require(service, document, timeout)
    call = service.submit(operation, *above, new_id, document)
    return (
        yield from _own(
            call, operation, service, kind, new_id, timeout=timeout, undo=ours
        )
    )


def open_existing(
    service: Service, kind: str, object_id: str, timeout: float | None
) -> Step[ObjectHandle]:
    """
    Open an object that exists.

    Raises:
        NotFoundError: There is none of this id.
    """
    operation = f"HcnOpen{kind}"
    call = service.submit(operation, object_id)
    return (
        yield from _own(
            call, operation, service, kind, object_id, timeout=timeout, undo=False
        )
    )


def _own(  # noqa: PLR0913 - one for each thing that create and open differ in
    call: Operation,
    operation: str,
    service: Service,
    kind: str,
    object_id: str,
    *,
    timeout: float | None,
    undo: bool,
) -> Step[ObjectHandle]:
    try:
        yield from answer(call, operation, object_id, timeout)
    except BaseException as exc:
        service.send(f"HcnClose{kind}", call.handle)
        given_up = isinstance(exc, TimeoutError) or not isinstance(exc, HcsError)
        if undo and given_up:  # it may still be made
            service.send(f"HcnDelete{kind}", object_id)
        raise
    return ObjectHandle(service, call.handle, kind, object_id)


def query(handle: ObjectHandle, timeout: float | None, text: str = QUERY) -> Step[str]:
    """
    Ask for the document of an object.

    Raises:
        ProtocolError: The answer is empty.
    """
    operation = f"HcnQuery{handle.kind}Properties"
    call = handle.service.submit(operation, handle.use(operation), text)
    completion = yield from answer(call, operation, handle.object_id, timeout)
    return _require(completion.document, operation, handle.object_id)


def _require(document: str | None, operation: str, object_id: str = "") -> str:
    if not document:
        raise ProtocolError(
            operation=operation, system_id=object_id, message="The answer is empty."
        )
    return document


def ask(
    handle: ObjectHandle, operation: str, text: str | None, timeout: float | None
) -> Step[str]:
    """Ask a question about an object that has a call of its own."""
    call = handle.service.submit(operation, handle.use(operation), text)
    completion = yield from answer(call, operation, handle.object_id, timeout)
    return _require(completion.document, operation, handle.object_id)


def modify(handle: ObjectHandle, document: str, timeout: float | None) -> Step[None]:
    """
    Change an object.

    Raises:
        InvalidDataError: The request is not valid.
        NotSupportedError: There is no such request.
    """
    operation = f"HcnModify{handle.kind}"
    yield from require(handle.service, document, timeout)
    call = handle.service.submit(operation, handle.use(operation), document)
    yield from answer(call, operation, handle.object_id, timeout)


def delete(
    service: Service, kind: str, object_id: str, timeout: float | None
) -> Step[None]:
    """
    Delete an object by its id.

    Raises:
        NotFoundError: There is none.
    """
    operation = f"HcnDelete{kind}"
    call = service.submit(operation, object_id)
    yield from answer(call, operation, object_id, timeout)


def enumerate_ids(
    service: Service, kind: str, text: str, timeout: float | None
) -> Step[list[str]]:
    """List the ids of the objects that a query asks for."""
    operation = f"HcnEnumerate{kind}s"
    call = service.submit(operation, text)
    completion = yield from answer(call, operation, "", timeout)
    found = json.loads(_require(completion.document, operation))
    return [str(item) for item in found]


def read_all(
    service: Service, kind: str, ids: Sequence[str], timeout: float | None
) -> Step[list[str]]:
    """
    Read the documents of objects; those that are gone by now are left out.

    The calls of many objects are under way at once, so a long list costs little more
    than the service needs for it.
    """
    documents: list[str] = []
    for start in range(0, len(ids), _BURST):
        part = ids[start : start + _BURST]
        documents += yield from _read_burst(service, kind, part, timeout)
    return documents


def _read_burst(
    service: Service, kind: str, ids: Iterable[str], timeout: float | None
) -> Step[list[str]]:
    operation = f"HcnQuery{kind}Properties"
    opened = [(found, service.submit(f"HcnOpen{kind}", found)) for found in ids]
    try:
        asked = [
            (found, call, service.submit(operation, call.handle, QUERY))
            for found, call in opened
        ]
        documents = []
        for found, call, question in asked:
            try:
                yield from answer(call, f"HcnOpen{kind}", found, timeout)
                completion = yield from answer(question, operation, found, timeout)
            except NotFoundError:
                question.abandon()
                continue
            documents.append(_require(completion.document, operation, found))
        return documents
    finally:
        for _, call in opened:
            service.send(f"HcnClose{kind}", call.handle)


def require_one(documents: Sequence[str], operation: str, what: str) -> str:
    """
    Give the one document that a search found.

    Args:
        documents: What was found.
        operation: The call that searched.
        what: Of what, for the error: ``'Network name "nat"'``.

    Raises:
        NotFoundError: None was found.
    """
    if not documents:
        from hcsshim.hresult import HResult  # noqa: PLC0415 - only failures

        raise NotFoundError(
            HResult.ERROR_NOT_FOUND, operation, message=f"{what} not found"
        )
    return documents[0]
