"""The GUID under which sockets, networks and tools know a compute system."""

from __future__ import annotations

import re

#: In which ids that are no GUIDs themselves become one.
_NAMESPACE = bytes.fromhex("cab70344facb41e4b5e5ab6592283e6e")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def runtime_id(system_id: str) -> str:
    """
    Give the ``RuntimeId`` that HCS derives from an id.

    Args:
        system_id: Of the system, in any case.

    Returns:
        The id itself, in lower case, if it is a GUID; else a GUID made from it.
    """
    if _GUID.fullmatch(system_id):
        return system_id.lower()
    import hashlib  # noqa: PLC0415 - slow to import, seldom needed
    from uuid import UUID  # noqa: PLC0415 - as above

    name = system_id.upper().encode("utf-16-le", "surrogatepass")
    digest = hashlib.sha1(_NAMESPACE + name, usedforsecurity=False).digest()
    return str(UUID(bytes=digest[:16], version=5))
