# Made by async_to_sync.py of hcsshim/hcs/_async_capabilities.py; do not edit.
"""What the host can do; the blocking face."""

from __future__ import annotations

from hcsshim.hcs._connection import connected
from hcsshim.hcs._known_host import Capabilities, capabilities_of, remember, remembered
from hcsshim.hcs._service import service_properties
from hcsshim.hcs._timeouts import DEFAULT

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service
    from hcsshim.hcs._calls import DocumentLike


def capabilities(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> Capabilities:
    """
    Ask what the host is and can; asked once for each connection.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Source:
        ``HcsGetServiceProperties``, ``Basic``.
    """
    from hcsshim.errors import InvalidDataError, NotSupportedError  # noqa: PLC0415

    where = service or connected()
    known = remembered(where)
    if known is None:
        try:
            answer = service_properties("Basic", timeout=timeout, service=where)
        except (InvalidDataError, NotSupportedError):
            known = capabilities_of(None)  # older than this very question
        else:
            known = capabilities_of(answer)
        remember(where, known)
    return known


def require_known(
    document: DocumentLike, service: Service, timeout: float | None
) -> None:
    """
    Refuse a typed document with members that are newer than the host.

    The host is asked only where there are some that not every host has.

    Raises:
        NotSupportedError: It has some; the text names the first of them.
    """
    from hcsshim.documents import Document, newer_members  # noqa: PLC0415 - models

    if isinstance(document, Document) and any(True for _ in newer_members(document)):
        known = capabilities(timeout=timeout, service=service)
        known.require(document)
