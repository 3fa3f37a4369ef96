"""
Networks and compute systems: what a container sees while it runs.

A system names a namespace, endpoints, or another system whose network it shares. They
are plugged when it starts and unplugged when it has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.host.datapath.port import Target
from hcsshim.host.network.members import as_guid, same_id
from hcsshim.host.network.refusals import refuse
from hcsshim.host.results import Refusal
from hcsshim.hresult import HResult, vmcompute_form

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.network.core import Core
    from hcsshim.host.network.endpoints import Endpoints
    from hcsshim.host.network.spaces import Namespaces
    from hcsshim.host.systems.configuration import Networking

    Lookup = Callable[[str], tuple[int | None] | None]


@attrs.define
class Plugged:
    """A running system: its first process, what it was given, what it searches."""

    pid: int | None
    namespace: str
    endpoints: list[str] = attrs.field(factory=list)
    search: tuple[str, ...] = ()


class Compartments:
    """
    Plugs endpoints into systems and takes them out again.

    Args:
        core: The objects.
        endpoints: Attaches them.
        namespaces: Knows who runs where.
        lookup: Gives the first process of a running system, ``None`` in it for one
            that is not isolated; or ``None`` if none of the id runs.
    """

    def __init__(
        self,
        core: Core,
        endpoints: Endpoints,
        namespaces: Namespaces,
        lookup: Lookup,
    ) -> None:
        self._lookup = lookup
        self._core = core
        self._endpoints = endpoints
        self._namespaces = namespaces
        self._systems: dict[str, Plugged] = {}

    def start(self, system: str, pid: int | None, networking: Networking) -> None:
        """
        Plug all that a starting system shall have.

        Args:
            system: Its id.
            pid: Of its first process; ``None`` for one that is not isolated.
            networking: What its document says.

        Raises:
            Refusal: Something of it cannot be; all is undone.
        """
        try:
            space = self._namespace_of(networking)
            plugged = Plugged(pid, space, search=networking.search)
        except Refusal as refusal:
            raise _attach_failed(refusal) from None
        self._systems[system.lower()] = plugged
        noted = False
        try:
            if plugged.namespace:
                self._namespaces.note_container(plugged.namespace, system, added=True)
                noted = True
                self._namespaces.running[system] = (pid, plugged.namespace)
            for endpoint in self._wanted(networking, plugged.namespace):
                self._plug(system, plugged, endpoint)
        except Refusal as refusal:
            self.end(system, noted=noted)
            raise _attach_failed(refusal) from None

    def _namespace_of(self, networking: Networking) -> str:
        if networking.namespace:
            return self._core.namespace(as_guid(networking.namespace)).id
        sharing = self._systems.get(networking.shared.lower())
        return sharing.namespace if sharing is not None else ""

    def _wanted(self, networking: Networking, namespace: str) -> list[str]:
        """List the endpoints of a system: those named, then the namespace's others."""
        wanted = [as_guid(found) for found in networking.endpoints]
        sharing = self._systems.get(networking.shared.lower())
        if sharing is not None:
            wanted += sharing.endpoints
        if namespace:
            wanted += self._core.namespace(namespace).endpoints
        first = [f for f in wanted if self._core.endpoint(f).name.endswith("eth0")]
        return list(dict.fromkeys((*first, *wanted)))

    def _plug(self, system: str, plugged: Plugged, endpoint: str) -> None:
        target = self._target(system, plugged, len(plugged.endpoints))
        self._endpoints.attach(endpoint, target)
        plugged.endpoints.append(endpoint)

    @staticmethod
    def _target(system: str, plugged: Plugged, place: int) -> Target:
        return Target(
            id=system,
            pid=plugged.pid,
            namespace=plugged.namespace,
            interface=f"eth{place}",
            search=plugged.search,
        )

    def end(self, system: str, *, noted: bool = True) -> None:
        """
        Take everything away from a system that has ended.

        Args:
            system: Its id.
            noted: Whether its namespace knows of it.
        """
        plugged = self._systems.pop(system.lower(), None)
        if plugged is None:
            return
        self._namespaces.running.pop(system, None)
        for endpoint in self._held_by(system, plugged):
            self._endpoints.detach(endpoint, self._target(system, plugged, 0))
        if noted and plugged.namespace in self._core.namespaces:
            self._namespaces.note_container(plugged.namespace, system, added=False)

    def _held_by(self, system: str, plugged: Plugged) -> list[str]:
        folded = system.lower()
        space = self._core.namespaces.get(plugged.namespace)
        perhaps = (*plugged.endpoints, *(space.endpoints if space is not None else ()))
        return [
            endpoint
            for endpoint in dict.fromkeys(perhaps)
            if endpoint in self._core.endpoints
            for user in self._core.endpoints[endpoint].systems
            if user.lower() == folded
        ]

    def add(self, system: str, endpoint: str) -> None:
        """
        Give one more endpoint to a running system.

        Raises:
            Refusal: It has it already, or it cannot be attached.
        """
        plugged = self.find(system)
        found = self._core.endpoint(as_guid(endpoint))
        if any(user.lower() == system.lower() for user in found.systems):
            raise refuse(
                HResult.HCN_E_ENDPOINT_ALREADY_ATTACHED,
                f"Endpoint {found.id} is attached to {system!a}.",
            )
        self._plug(system, plugged, found.id)

    def remove(self, system: str, endpoint: str) -> None:
        """
        Take an endpoint away from a running system.

        Raises:
            Refusal: It does not have it.
        """
        plugged = self.find(system)
        found = self._core.endpoint(as_guid(endpoint))
        self._endpoints.detach(found.id, self._target(system, plugged, 0))
        if found.id in plugged.endpoints:
            plugged.endpoints.remove(found.id)

    def find(self, system: str) -> Plugged:
        """
        Find a running system.

        Raises:
            Refusal: None of this id runs.
        """
        found = self._systems.get(same_id(system))
        if found is not None:
            return found
        running = self._lookup(system)
        if running is None:
            raise refuse(
                vmcompute_form(HResult.HCS_E_SYSTEM_NOT_FOUND),
                f"No compute system {system!a} runs.",
            )
        return self._systems.setdefault(system.lower(), Plugged(running[0], ""))


def _attach_failed(refusal: Refusal) -> Refusal:
    """Make the failure to plug an endpoint into one of the system's start."""
    import json  # noqa: PLC0415 - seldom needed

    record = json.loads(refusal.document)
    detail = record.get("Detail") or record.get("Error", "").strip()
    return refuse(HResult.HCN_E_NAMESPACE_ATTACH_FAILED, detail)
