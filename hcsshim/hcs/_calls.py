"""Steps that every verb is made of: one call, waited for and checked; documents."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from time import perf_counter

from hcsshim.errors import HcsTimeoutError, check
from hcsshim.hcs._drivers import wait_for
from hcsshim.hcs._log import log_call

_ADDITIONS = "HCSSHIM_CREATECONTAINER_ADDITIONALJSON"

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from json import JSONEncoder
    from typing import TypeAlias

    from hcsshim._native.port import Completion, Operation
    from hcsshim.documents import Document
    from hcsshim.hcs._drivers import Step

    #: What a JSON document may be given as: typed, plain, or text.
    DocumentLike: TypeAlias = Document | Mapping[str, object] | str


def answer(
    call: Operation,
    operation: str,
    system_id: str,
    timeout: float | None,
    *,
    process_id: int | None = None,
) -> Step[Completion]:
    """
    Wait for a call's answer and check it; give the call up if waiting ends early.

    Args:
        call: Submitted; nobody else waits for it.
        operation: Its name, for error texts.
        system_id: Of the compute system concerned.
        timeout: Seconds; ``None`` forever.
        process_id: Of the process concerned.

    Raises:
        HcsTimeoutError: The answer has not come in time; the service was asked to
            cancel.
        HcsError: The call failed.
    """
    started = perf_counter()
    try:
        completion = yield from wait_for(call, timeout)
    except BaseException as exc:
        call.abandon()
        log_call(operation, system_id, None, started)
        if type(exc) is HcsTimeoutError:
            raise timed_out(operation, system_id, timeout, process_id) from None
        raise
    log_call(operation, system_id, completion.hresult, started)
    check(
        completion.hresult,
        operation,
        system_id,
        completion.document,
        process_id=process_id,
    )
    return completion


def timed_out(
    operation: str,
    system_id: str,
    timeout: float | None,
    process_id: int | None = None,
) -> HcsTimeoutError:
    """Make the error of a call whose answer has not come in time."""
    return HcsTimeoutError(
        operation=operation,
        system_id=system_id,
        process_id=process_id,
        message=f"No answer within {timeout or 0:g} s.",
    )


def as_json(document: DocumentLike) -> str:
    """
    Write a document as JSON text; text is taken as it is, for the service to judge.

    Raises:
        TypeError: It is neither a document, a mapping nor text.
        ValueError: A value in it has no JSON form.
    """
    if isinstance(document, str):
        return document
    if type(document) is dict or isinstance(document, Mapping):
        return write(document)
    from hcsshim.documents import Document, dumps  # noqa: PLC0415 - loads the models

    if isinstance(document, Document):
        return dumps(document)
    raise TypeError(
        "a document must be a model of hcsshim.documents, a mapping or JSON text, "
        f"not {type(document).__name__}"
    )


def with_additions(text: str) -> str:
    """
    Merge what the environment adds to every create document over one.

    ``HCSSHIM_CREATECONTAINER_ADDITIONALJSON`` holds a JSON object. Objects are merged
    member by member, everything else is replaced.

    Raises:
        ValueError: It, or the document, is no JSON object.
    """
    additions = os.environ.get(_ADDITIONS)
    if not additions:
        return text
    import json  # noqa: PLC0415 - keeps the import light

    try:
        added, value = json.loads(additions), json.loads(text)
    except ValueError as error:
        raise ValueError(
            f"{_ADDITIONS} and the document must be JSON: {error}"
        ) from None
    if not isinstance(added, dict) or not isinstance(value, dict):
        raise ValueError(  # noqa: TRY004 - the value of a text
            f"{_ADDITIONS} and the document must be JSON objects"
        )
    return write(merged(value, added))


def merged(
    value: Mapping[str, object], over: Mapping[str, object]
) -> Mapping[str, object]:
    """Merge one JSON object over another, member by member."""
    result = dict(value)
    for name, item in over.items():
        old = result.get(name)
        both = isinstance(old, Mapping) and isinstance(item, Mapping)
        result[name] = merged(old, item) if both else item  # type: ignore[arg-type]  # both are
    return result


def is_model(document: DocumentLike) -> bool:
    """Tell whether a document is typed, so that more is known about its members."""
    return type(document) is not dict and not isinstance(document, (str, Mapping))


def write(value: object) -> str:
    """Write plain values, and models among them, as compact JSON."""
    return _encoder().encode(value)


@cache
def _encoder() -> JSONEncoder:
    import json  # noqa: PLC0415 - keeps the import light

    return json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_plain)


def _plain(value: object) -> object:
    from hcsshim.documents import Document, to_dict  # noqa: PLC0415 - as above

    if isinstance(value, Document):
        return to_dict(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def optional_json(document: DocumentLike | None) -> str | None:
    """Write a document that may be left out; ``None`` stays so."""
    return None if document is None else as_json(document)
