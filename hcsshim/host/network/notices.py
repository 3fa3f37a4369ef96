"""Notifications: who wants them, and what they are told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Listener = Callable[[int, str], None]

NETWORK_PRE_CREATE = 0x01
NETWORK_CREATE = 0x02
NETWORK_PRE_DELETE = 0x03
NETWORK_DELETE = 0x04
NAMESPACE_CREATE = 0x05
NAMESPACE_DELETE = 0x06
GUEST_SERVICE_CREATE = 0x07
GUEST_SERVICE_DELETE = 0x08
ENDPOINT_ATTACHED = 0x09
ENDPOINT_DETACHED = 0x10
GUEST_SERVICE_STATE = 0x11
GUEST_SERVICE_INTERFACE = 0x12
SERVICE_DISCONNECT = 0x01000000


class Notices:
    """Those who registered, in order, some for one object only."""

    def __init__(self) -> None:
        self._listeners: dict[Listener, str] = {}

    def register(self, listener: Listener, only: str = "") -> None:
        """
        Tell somebody from now on.

        Args:
            listener: Called with the kind of a notification and its data.
            only: Id of the one object that it wants to hear of; ``""`` for all.
        """
        self._listeners[listener] = only

    def unregister(self, listener: Listener) -> None:
        """Tell them nothing any more."""
        self._listeners.pop(listener, None)

    def send(
        self, kind: int, object_id: str, *, flags: int = 0, concerns: str = ""
    ) -> None:
        """
        Notify.

        Args:
            kind: Of ``HCN_NOTIFICATIONS``.
            object_id: What it is about.
            flags: Of that.
            concerns: Another object that it is about too: an endpoint's network.
        """
        if not self._listeners:
            return
        data = json.dumps({"ID": object_id, "Flags": flags, "Data": {}})
        for listener, only in tuple(self._listeners.items()):
            if only in ("", object_id, concerns):
                listener(kind, data)

    def end(self) -> None:
        """Tell everybody that the service goes away, and nothing more."""
        listeners, self._listeners = self._listeners, {}
        for listener in listeners:
            listener(SERVICE_DISCONNECT, "")
