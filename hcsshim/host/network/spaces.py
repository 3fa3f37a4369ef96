"""The rules of namespaces: who is in them, and what containers see of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.host.datapath.port import Target
from hcsshim.host.network import notices
from hcsshim.host.network.endpoints import HOST
from hcsshim.host.network.members import Members
from hcsshim.host.network.model import Health, Namespace, new_id
from hcsshim.host.network.refusals import refuse
from hcsshim.host.network.requests import read_request, unsupported
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim.host.network.core import Core
    from hcsshim.host.network.endpoints import Endpoints
    from hcsshim.host.network.model import Endpoint

RESOURCES = ("Container", "Endpoint")
#: The machine's own compartment.
HOST_COMPARTMENT = 1
_OF_HOST = "HostDefault"
_LIVE = ("Host", _OF_HOST)


def host_target(endpoint: Endpoint, namespace: str = "") -> Target:
    """Give the place of an endpoint that this machine itself uses."""
    return Target(
        id=HOST, namespace=namespace, interface=f"vEthernet ({endpoint.name})"
    )


class Namespaces:
    """
    Makes, changes and deletes namespaces.

    Args:
        core: The objects.
        endpoints: Attaches what comes in.
    """

    def __init__(self, core: Core, endpoints: Endpoints) -> None:
        self._core = core
        self._endpoints = endpoints
        #: The first process of each running system, and of which namespace it is.
        self.running: dict[str, tuple[int | None, str]] = {}

    def ensure_default(self) -> None:
        """Make the namespace of the machine's own compartment, unless it is there."""
        if any(space.permanent for space in self._core.namespaces.values()):
            return
        self._core.keep(
            Namespace(
                id=new_id(), type=_OF_HOST, number=HOST_COMPARTMENT, permanent=True
            )
        )

    def create(self, draft: Namespace, namespace_id: str = "") -> Namespace:
        """
        Make a namespace.

        Raises:
            Refusal: The id is taken.
        """
        space = attrs.evolve(draft, id=namespace_id or draft.id or new_id())
        if space.id in self._core.namespaces:
            raise refuse(
                HResult.ERROR_OBJECT_ALREADY_EXISTS, f"There is a namespace {space.id}."
            )
        if space.number:
            given = {**space.given, "NamespaceId": space.number}
            space = attrs.evolve(space, given=given)
        elif space.given.get("CreateWithCompartment"):
            space = attrs.evolve(space, number=self._free_number())
        self._core.keep(space)
        self._core.notices.send(notices.NAMESPACE_CREATE, space.id)
        return space

    def _free_number(self) -> int:
        used = {space.number for space in self._core.namespaces.values()}
        number = HOST_COMPARTMENT + 1
        while number in used:
            number += 1
        return number

    def delete(self, namespace_id: str) -> None:
        """
        Delete a namespace; its endpoints are let go.

        Raises:
            Refusal: There is none, it is the machine's own, or a container is in it.
        """
        space = self._core.namespace(namespace_id)
        if space.permanent or space.containers:
            why = "is the machine's own" if space.permanent else "has containers in it"
            raise refuse(
                HResult.HCN_E_REQUEST_UNSUPPORTED, f"Namespace {namespace_id} {why}."
            )
        for endpoint_id in space.endpoints:
            self.remove_endpoint(namespace_id, endpoint_id)
        self._core.keep(gone=(self._core.namespace(namespace_id),))
        self._core.notices.send(notices.NAMESPACE_DELETE, namespace_id)

    # -- change ----------------------------------------------------------

    def modify(self, namespace_id: str, text: str | None) -> None:
        """
        Carry out a modify request.

        Raises:
            Refusal: It is not valid; nothing changed.
        """
        self._core.namespace(namespace_id)
        fields = Members.parse(text)
        resource, verb = read_request(fields, RESOURCES)
        settings = fields.child("Settings")
        if verb == "Refresh":
            return
        if verb not in ("Add", "Remove"):
            raise unsupported(resource, verb)
        if resource == "Endpoint":
            found = settings.guid("EndpointId") or settings.guid("Id")
            change = self.add_endpoint if verb == "Add" else self.remove_endpoint
            change(namespace_id, found)
            return
        container = settings.text("ContainerId") or settings.text("Id")
        if not container:
            settings.refuse("ContainerId", "Missing field")
        self.note_container(namespace_id, container, added=verb == "Add")

    def add_endpoint(self, namespace_id: str, endpoint_id: str) -> None:
        """
        Put an endpoint into a namespace, and into the containers that run in it.

        Raises:
            Refusal: It is in one already, or cannot be attached; nothing changed.
        """
        core = self._core
        space = core.namespace(namespace_id)
        endpoint = core.endpoint(endpoint_id)
        if endpoint.remote:
            raise refuse(
                HResult.HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION,
                f"Endpoint {endpoint_id} lives on another machine.",
            )
        if endpoint.namespace:
            raise refuse(
                HResult.HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS,
                f"Endpoint {endpoint_id} is in namespace {endpoint.namespace}.",
            )
        core.keep(
            attrs.evolve(space, endpoints=(*space.endpoints, endpoint_id)),
            attrs.evolve(endpoint, namespace=namespace_id, health=Health()),
        )
        done: list[Target] = []
        try:
            for target in self._targets(space, core.endpoint(endpoint_id)):
                self._endpoints.attach(endpoint_id, target)
                done.append(target)
        except BaseException:
            for target in done:
                self._endpoints.detach(endpoint_id, target)
            core.keep(space, endpoint)
            raise

    def remove_endpoint(self, namespace_id: str, endpoint_id: str) -> None:
        """
        Take an endpoint out of a namespace, and out of the containers in it.

        Raises:
            Refusal: It is not in this one.
        """
        core = self._core
        space = core.namespace(namespace_id)
        endpoint = core.endpoint(endpoint_id)
        if endpoint.namespace != namespace_id:
            raise refuse(
                HResult.HCN_E_ENDPOINT_NOT_ATTACHED,
                f"Endpoint {endpoint_id} is not in namespace {namespace_id}.",
            )
        attached = {found.lower() for found in endpoint.systems}
        for target in self._targets(space, endpoint):
            if target.id.lower() in attached:
                self._endpoints.detach(endpoint_id, target)
        left = tuple(found for found in space.endpoints if found != endpoint_id)
        core.keep(
            attrs.evolve(space, endpoints=left),
            attrs.evolve(core.endpoint(endpoint_id), namespace="", health=Health()),
        )

    def _targets(self, space: Namespace, endpoint: Endpoint) -> list[Target]:
        """List where an endpoint of a namespace is attached."""
        if space.type == _OF_HOST:
            return [host_target(endpoint, space.id)]
        if space.type not in _LIVE:
            return []
        place = list(self._core.namespace(space.id).endpoints).index(endpoint.id)
        return [
            Target(id=system, pid=pid, namespace=space.id, interface=f"eth{place}")
            for system, (pid, where) in self.running.items()
            if where == space.id
        ]

    def note_container(self, namespace_id: str, system: str, *, added: bool) -> None:
        """
        Note that a container uses a namespace, or does so no more.

        Raises:
            Refusal: It is not in it.
        """
        space = self._core.namespace(namespace_id)
        containers = list(space.containers)
        if added:
            containers.append(system)
        else:
            same = [found for found in containers if found.lower() == system.lower()]
            if not same:
                raise refuse(
                    HResult.ERROR_NOT_FOUND,
                    f"Container {system!a} is not in namespace {namespace_id}.",
                )
            containers.remove(same[0])
        number = space.number
        if added and not number:
            number = self._free_number()
        if not containers and not space.given:
            number = 0
        self._core.keep(
            attrs.evolve(space, containers=tuple(containers), number=number)
        )
