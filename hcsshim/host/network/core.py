"""
All objects of the host's networks, and how a change of them becomes real.

The rules are in the modules beside this one; what they share is here. A change is
first checked, then made in the kernel, then written to disk, then kept: whatever fails
before the last step leaves all as it was.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import attrs

from hcsshim.host.datapath.port import DatapathError, Everything
from hcsshim.host.network.model import (
    Endpoint,
    GuestService,
    Health,
    LoadBalancer,
    Namespace,
    Network,
    SdnRoute,
    State,
)
from hcsshim.host.network.notices import Notices
from hcsshim.host.network.plans import (
    plan_endpoint,
    plan_load_balancer,
    plan_network,
    plan_sdn_route,
)
from hcsshim.host.network.pools import AddressPool, MacPool, PortPool
from hcsshim.host.network.refusals import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hcsshim.host.datapath import Datapath
    from hcsshim.host.network.adapters import Adapters
    from hcsshim.host.network.model import Object
    from hcsshim.host.network.pools import PortKey
    from hcsshim.host.network.store import Store

T = TypeVar("T")

_NON_PERSISTENT = 8
_ATTACHED = (State.ATTACHED, State.SHARED)


@contextmanager
def carried() -> Iterator[None]:
    """Turn a failure of the datapath into one of the call."""
    try:
        yield
    except DatapathError as error:
        raise refuse(error.hresult, error.message) from None


class Counts:
    """How many endpoints a network has had, and had at once."""

    __slots__ = ("most", "total")

    def __init__(self) -> None:
        self.total = 0
        self.most = 0


class Core:
    """
    The objects, by id.

    Args:
        store: What outlives the host.
        datapath: What carries packets.
        adapters: Of the machine.
    """

    def __init__(self, store: Store, datapath: Datapath, adapters: Adapters) -> None:
        self.store = store
        self.datapath = datapath
        self.adapters = adapters
        self.notices = Notices()
        self.networks: dict[str, Network] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.namespaces: dict[str, Namespace] = {}
        self.balancers: dict[str, LoadBalancer] = {}
        self.routes: dict[str, SdnRoute] = {}
        self.guests: dict[str, GuestService] = {}
        self.addresses: dict[str, AddressPool] = {}
        self.macs = MacPool()
        self.ports = PortPool()
        self.counts: dict[str, Counts] = {}
        self.stopping = False
        #: The ids of a network's endpoints, in the order in which they were made.
        self.members: dict[str, dict[str, None]] = {}
        #: The ids of the load balancers that an endpoint is in.
        self.users: dict[str, set[str]] = {}
        self._names: dict[str, str] = {}

    # -- what there is ---------------------------------------------------

    def network(self, network_id: str) -> Network:
        """
        Find a network.

        Raises:
            Refusal: There is none of this id.
        """
        found = self.networks.get(network_id)
        if found is None:
            raise refuse(
                HResult.HCN_E_NETWORK_NOT_FOUND, f"There is no network {network_id}."
            )
        return found

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """
        Find an endpoint.

        Raises:
            Refusal: There is none of this id.
        """
        found = self.endpoints.get(endpoint_id)
        if found is None:
            raise refuse(
                HResult.HCN_E_ENDPOINT_NOT_FOUND, f"There is no endpoint {endpoint_id}."
            )
        return found

    def namespace(self, namespace_id: str) -> Namespace:
        """
        Find a namespace.

        Raises:
            Refusal: There is none of this id.
        """
        return self._element(self.namespaces, namespace_id, "namespace")

    def balancer(self, balancer_id: str) -> LoadBalancer:
        """
        Find a load balancer.

        Raises:
            Refusal: There is none of this id.
        """
        return self._element(self.balancers, balancer_id, "load balancer")

    def route(self, route_id: str) -> SdnRoute:
        """
        Find a route.

        Raises:
            Refusal: There is none of this id.
        """
        return self._element(self.routes, route_id, "route")

    @staticmethod
    def _element(table: dict[str, T], object_id: str, noun: str) -> T:
        found = table.get(object_id)
        if found is None:
            raise refuse(HResult.ERROR_NOT_FOUND, f"There is no {noun} {object_id}.")
        return found

    def network_named(self, name: str) -> Network | None:
        """Find a network by its name."""
        found = self._names.get(name)
        return None if found is None else self.networks[found]

    def endpoints_of(self, network_id: str) -> list[Endpoint]:
        """List the endpoints of a network, in the order in which they were made."""
        return [self.endpoints[found] for found in self.members.get(network_id, ())]

    # -- keeping ---------------------------------------------------------

    def keep(self, *changed: Object, gone: Sequence[Object] = ()) -> None:
        """
        Write objects, then keep them; and drop others.

        Raises:
            Refusal: They cannot be written; nothing changed.
        """
        self.store.write(changed, gone)
        for item in gone:
            self._drop(item)
        for item in changed:
            self._keep(item)

    def _keep(self, item: Object) -> None:
        if isinstance(item, Network):
            before = self.networks.get(item.id)
            if before is not None and before.name:
                self._names.pop(before.name, None)
            if item.name:
                self._names[item.name] = item.id
            self.networks[item.id] = item
            self.members.setdefault(item.id, {})
            self.counts.setdefault(item.id, Counts())
            if item.id not in self.addresses:
                self.addresses[item.id] = AddressPool(item)
        elif isinstance(item, Endpoint):
            if item.id not in self.endpoints:
                self._count(item)
            self.endpoints[item.id] = item
        elif isinstance(item, Namespace):
            self.namespaces[item.id] = item
        elif isinstance(item, LoadBalancer):
            self._forget_user(self.balancers.get(item.id))
            self.balancers[item.id] = item
            for endpoint in item.endpoints:
                self.users.setdefault(endpoint.lower(), set()).add(item.id)
        else:
            self.routes[item.id] = item

    def _count(self, endpoint: Endpoint) -> None:
        members = self.members.setdefault(endpoint.network, {})
        members[endpoint.id] = None
        counts = self.counts.setdefault(endpoint.network, Counts())
        counts.total += 1
        counts.most = max(counts.most, len(members))

    def _drop(self, item: Object) -> None:
        if isinstance(item, Network):
            self.networks.pop(item.id, None)
            self._names.pop(item.name, None)
            self.addresses.pop(item.id, None)
            self.members.pop(item.id, None)
            self.counts.pop(item.id, None)
        elif isinstance(item, Endpoint):
            self.endpoints.pop(item.id, None)
            self.members.get(item.network, {}).pop(item.id, None)
        elif isinstance(item, Namespace):
            self.namespaces.pop(item.id, None)
        elif isinstance(item, LoadBalancer):
            self._forget_user(self.balancers.pop(item.id, None))
        else:
            self.routes.pop(item.id, None)

    def _forget_user(self, balancer: LoadBalancer | None) -> None:
        for endpoint in balancer.endpoints if balancer is not None else ():
            users = self.users.get(endpoint.lower())
            if users is not None:
                users.discard(balancer.id)  # type: ignore[union-attr]  # it is not None
                if not users:
                    del self.users[endpoint.lower()]

    # -- the machine -----------------------------------------------------

    def apply_network(self, network: Network) -> None:
        """
        Make the machine follow a network.

        Raises:
            Refusal: It cannot.
        """
        plan = plan_network(network)
        if plan is not None:
            with carried():
                self.datapath.apply_network(plan)

    def apply_endpoint(self, endpoint: Endpoint) -> None:
        """
        Make the machine follow an endpoint.

        Raises:
            Refusal: It cannot.
        """
        with carried():
            self.datapath.apply_endpoint(
                plan_endpoint(endpoint, self.network(endpoint.network))
            )

    def apply_balancer(self, balancer: LoadBalancer) -> None:
        """
        Make the machine follow a load balancer.

        Raises:
            Refusal: It cannot.
        """
        with carried():
            self.datapath.apply_load_balancer(
                plan_load_balancer(
                    balancer, lambda found: self.endpoints.get(found.lower())
                )
            )

    # -- beginning and end -----------------------------------------------

    def load(self) -> None:
        """Read what an earlier host kept; what lived with containers is over."""
        objects = list(self.store.load())
        gone: list[Object] = [
            item
            for item in objects
            if isinstance(item, Network) and item.flags & _NON_PERSISTENT
        ]
        lost = {item.id for item in gone}
        gone += [
            item
            for item in objects
            if isinstance(item, Endpoint) and item.network in lost
        ]
        ended = {item.id for item in gone}
        changed = [
            settled for item in objects if (settled := _settle(item, ended)) is not item
        ]
        self.store.write([item for item in changed if item.id not in ended], gone)
        for item in objects:
            if item.id not in ended:
                self._keep(_settle(item, ended))
        self._refill()
        self._reconcile()

    def _refill(self) -> None:
        for network in self.networks.values():
            self.macs.restore_block(network.mac_ranges)
        for endpoint in self.endpoints.values():
            pool = self.addresses[endpoint.network]
            if endpoint.remote:
                pool.note_remote(endpoint.addresses)
            else:
                pool.restore(endpoint.addresses)
            self.macs.note(endpoint.mac)
            for key in mapped_ports(endpoint):
                self.ports.take(key, f"endpoint {endpoint.id}")
        for balancer in self.balancers.values():
            for key in balanced_ports(balancer):
                self.ports.take(key, f"load balancer {balancer.id}")

    def _reconcile(self) -> None:
        plans = [plan_network(network) for network in self.networks.values()]
        everything = Everything(
            networks=tuple(plan for plan in plans if plan is not None),
            endpoints=tuple(
                plan_endpoint(endpoint, self.networks[endpoint.network])
                for endpoint in self.endpoints.values()
            ),
            load_balancers=tuple(
                plan_load_balancer(
                    item, lambda found: self.endpoints.get(found.lower())
                )
                for item in self.balancers.values()
            ),
            routes=tuple(map(plan_sdn_route, self.routes.values())),
        )
        try:
            self.datapath.reconcile(everything)
        except DatapathError as error:
            broken = Health(error=error.hresult, detail=error.message)
            for network in self.networks.values():
                self.networks[network.id] = attrs.evolve(network, health=broken)

    def close(self) -> None:
        """End: tell who listens, let go of the machine and the file."""
        self.stopping = True
        self.notices.end()
        self.datapath.close()
        made = any(not space.permanent for space in self.namespaces.values())
        made = made or any(space.endpoints for space in self.namespaces.values())
        kept = (self.networks, self.endpoints, self.balancers, self.routes)
        self.store.close(keep=made or any(kept))


def _settle(item: Object, ended: set[str]) -> Object:
    """Let an object forget what a host does not outlive."""
    if isinstance(item, Endpoint) and (item.systems or item.state in _ATTACHED):
        return attrs.evolve(item, systems=(), state=State.DETACHED)
    if isinstance(item, Namespace):
        endpoints = tuple(found for found in item.endpoints if found not in ended)
        if item.containers or endpoints != item.endpoints:
            return attrs.evolve(item, containers=(), endpoints=endpoints)
    if isinstance(item, LoadBalancer):
        left = tuple(found for found in item.endpoints if found.lower() not in ended)
        if left != item.endpoints:
            return attrs.evolve(item, endpoints=left, degraded=not left)
    return item


def mapped_ports(endpoint: Endpoint) -> list[PortKey]:
    """List the ports of the machine that an endpoint's policies map."""
    keys: list[PortKey] = []
    for policy in endpoint.policies:
        if policy.type != "PortMapping":
            continue
        protocol = policy.settings.get("Protocol") or 6
        port = policy.settings.get("ExternalPort")
        address = policy.settings.get("VIP") or ""
        if isinstance(protocol, int) and isinstance(port, int):
            keys.append((protocol, port, str(address)))
    return keys


def balanced_ports(balancer: LoadBalancer) -> list[PortKey]:
    """List the ports of the machine, or of frontends, that a load balancer serves."""
    return [
        (port.protocol, port.external, frontend)
        for port in balancer.ports
        for frontend in balancer.frontends or ("",)
    ]
