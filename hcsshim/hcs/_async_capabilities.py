"""What the host can do; the blocking face is generated."""

from __future__ import annotations

from hcsshim.hcs._async_service import async_service_properties
from hcsshim.hcs._connection import connected
from hcsshim.hcs._known_host import Capabilities, capabilities_of, remember, remembered
from hcsshim.hcs._timeouts import DEFAULT

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service
    from hcsshim.hcs._calls import DocumentLike


async def async_capabilities(
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
            answer = await async_service_properties(
                "Basic", timeout=timeout, service=where
            )
        except (InvalidDataError, NotSupportedError):
            known = capabilities_of(None)  # older than this very question
        else:
            known = capabilities_of(answer)
        remember(where, known)
    return known


async def require_known(
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
        known = await async_capabilities(timeout=timeout, service=service)
        known.require(document)
