"""Learning a service's version, once, and refusing what it is too old for."""

from __future__ import annotations

import json

from hcsshim.errors import ProtocolError
from hcsshim.hcn import _features as features
from hcsshim.hcs._calls import answer

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service
    from hcsshim.hcs._drivers import Step

_PATH = "/globals/version"


def version(service: Service, timeout: float | None) -> Step[tuple[int, int]]:
    """
    Give the version of a networking service; it is asked once.

    Raises:
        ProtocolError: It does not tell.
    """
    known = features.versions.get(service)
    if known is not None:
        return known
    call = service.submit("HNSCall", "GET", _PATH, "")
    completion = yield from answer(call, "HNSCall", _PATH, timeout)
    envelope = json.loads(completion.document or "{}")
    output = envelope.get("Output")
    if not envelope.get("Success") or not isinstance(output, dict):
        raise ProtocolError(
            operation="HNSCall",
            system_id=_PATH,
            message=f"The service does not tell its version: {envelope.get('Error')}",
        )
    found = int(output.get("Major", 0)), int(output.get("Minor", 0))
    features.versions[service] = found
    return found


def require(service: Service, document: str, timeout: float | None) -> Step[None]:
    """
    Check that a service can do what a document needs.

    Raises:
        NotSupportedError: It cannot; the message has the version that brings it.
    """
    needed = features.needed(document)
    if needed:
        present = yield from version(service, timeout)
        features.require(present, sorted(needed))
