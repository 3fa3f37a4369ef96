"""Requests of v1: the envelope of answers, and the errors inside it."""

from __future__ import annotations

import json

from hcsshim.errors import HcsError, NotFoundError, error_of
from hcsshim.hcs._calls import answer
from hcsshim.hresult import HResult

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service
    from hcsshim.hcs._drivers import Step

_NO_VALID_OBJECT = "the object identifier does not represent a valid object"


def call(
    service: Service, method: str, path: str, body: str, timeout: float | None
) -> Step[str]:
    """
    Make a request, and give its output as JSON text; ``""`` if it has none.

    Args:
        service: Where.
        method: ``GET``, ``POST`` or ``DELETE``.
        path: ``/networks/<id>``.
        body: JSON text, or ``""``.
        timeout: Seconds; ``None`` forever.

    Raises:
        HcsError: The subclass that the code of the failure stands for, whether it was
            the call's or stood inside the answer.
    """
    operation = f"HNSCall {method}"
    pending = service.submit("HNSCall", method, path, body)
    completion = yield from answer(pending, operation, path, timeout)
    try:
        envelope = json.loads(completion.document or "")
    except ValueError:
        envelope = None
    if not isinstance(envelope, dict):
        raise error_of(HResult.E_UNEXPECTED, operation, path)
    if not envelope.get("Success"):
        raise _failure(envelope, operation, path)
    output = envelope.get("Output")
    return "" if output in (None, "") else json.dumps(output, separators=(",", ":"))


def _failure(envelope: dict[str, object], operation: str, path: str) -> HcsError:
    """Make the error of an answer that says that the request failed."""
    text = str(envelope.get("Error") or "").strip()
    code = envelope.get("ErrorCode")
    message = f"HNS failed with error : {text}"
    if _NO_VALID_OBJECT in text.lower() and not isinstance(code, int):
        return NotFoundError(
            HResult.ERROR_NOT_FOUND, operation, system_id=path, message=message
        )
    number = code if isinstance(code, int) else HResult.E_FAIL
    cls = type(error_of(number, operation, path))
    return cls(number, operation, system_id=path, message=message)


def found(text: str, kind: str, name: str) -> str:
    """
    Give the one object of a name out of a list.

    Raises:
        NotFoundError: There is none.
    """
    for item in json.loads(text or "[]"):
        if item.get("Name") == name:
            return json.dumps(item, separators=(",", ":"))
    raise NotFoundError(
        HResult.ERROR_NOT_FOUND, "HNSCall GET", message=f'{kind} "{name}" not found'
    )
