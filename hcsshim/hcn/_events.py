"""What the networking service notifies its listeners of."""

from __future__ import annotations

import enum
import json
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from hcsshim._native import port


class NetworkEventType(enum.IntEnum):
    """
    Kinds of notifications.

    Source:
        ``HCN_NOTIFICATIONS`` of computenetwork.
    """

    INVALID = 0x00
    NETWORK_PRE_CREATE = 0x01
    NETWORK_CREATE = 0x02
    NETWORK_PRE_DELETE = 0x03
    NETWORK_DELETE = 0x04
    NAMESPACE_CREATE = 0x05
    NAMESPACE_DELETE = 0x06
    GUEST_NETWORK_SERVICE_CREATE = 0x07
    GUEST_NETWORK_SERVICE_DELETE = 0x08
    NETWORK_ENDPOINT_ATTACHED = 0x09
    NETWORK_ENDPOINT_DETACHED = 0x10
    GUEST_NETWORK_SERVICE_STATE_CHANGED = 0x11
    GUEST_NETWORK_SERVICE_INTERFACE_STATE_CHANGED = 0x12
    SERVICE_DISCONNECT = 0x01000000


#: What the shim itself posts when the connection is gone.
_DISCONNECTED = 0x02000000


@attrs.frozen(kw_only=True)
class NetworkEvent:
    """
    One notification.

    Attributes:
        type: What happened; a bare number where newer Windows knows more kinds.
        hresult: Its status, unsigned.
        object_id: Id of the object that it is about.
        document: The data that came with it, as JSON text.

    Source:
        ``HCN_NOTIFICATION_CALLBACK`` of computenetwork.
    """

    type: NetworkEventType | int
    hresult: int = 0
    object_id: str = ""
    document: str | None = None

    @property
    def last(self) -> bool:
        """Whether none can follow: the service went away."""
        return self.type == NetworkEventType.SERVICE_DISCONNECT


def event_of(raw: port.Event) -> NetworkEvent:
    """Name the kind of a native event."""
    kind: NetworkEventType | int = raw.type
    if raw.type == _DISCONNECTED:
        kind = NetworkEventType.SERVICE_DISCONNECT
    elif raw.type in NetworkEventType.__members__.values():
        kind = NetworkEventType(raw.type)
    return NetworkEvent(
        type=kind,
        hresult=raw.hresult,
        object_id=_id_of(raw.document),
        document=raw.document,
    )


def _id_of(document: str | None) -> str:
    try:
        found = json.loads(document or "")
    except ValueError:
        return ""
    return str(found.get("ID", "")) if isinstance(found, dict) else ""
