"""
Plans of networks, and the Protocol of what makes them real.

A plan is complete: applying one replaces what the plan of the same id said before,
and nothing of it is looked up anywhere else. Ids are lower-case GUIDs, addresses and
prefixes are texts that :mod:`ipaddress` has normalised, MAC addresses are written
``00:15:5d:01:02:03``.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Protocol

import attrs

from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Sequence


class NetworkKind(enum.Enum):
    """How a network's endpoints reach each other and the world."""

    NAT = "NAT"
    ICS = "ICS"
    INTERNAL = "Internal"
    PRIVATE = "Private"
    TRANSPARENT = "Transparent"
    L2_BRIDGE = "L2Bridge"
    L2_TUNNEL = "L2Tunnel"
    OVERLAY = "Overlay"


class Direction(enum.Enum):
    """Which way traffic goes, as the endpoint sees it."""

    IN = "In"
    OUT = "Out"


class Action(enum.Enum):
    """What becomes of traffic that a rule matches; PASS asks the next tier."""

    ALLOW = "Allow"
    BLOCK = "Block"
    PASS = "Pass"  # noqa: S105 - no password


class Distribution(enum.Enum):
    """What the choice of a load balancer's backend depends on."""

    CONNECTION = 0
    SOURCE_AND_PROTOCOL = 1
    SOURCE = 2


@attrs.frozen(kw_only=True)
class RoutePlan:
    """
    A route.

    Args:
        prefix: ``"0.0.0.0/0"`` for the default one.
        next_hop: ``""`` if whatever carries the traffic shall find it.
        metric: The lower one is taken.
        encapsulate: Leave by the machine's own address or the overlay, untranslated.
    """

    prefix: str
    next_hop: str = ""
    metric: int = 0
    encapsulate: bool = False


@attrs.frozen(kw_only=True)
class SubnetPlan:
    """
    A range of addresses of a network.

    Args:
        prefix: ``"10.1.2.0/24"``.
        gateway: Address of the router in it; ``""`` if it has none.
        isolation_id: VNI of an overlay; else 0.
        routes: Other than the default one.
    """

    prefix: str
    gateway: str = ""
    isolation_id: int = 0
    routes: tuple[RoutePlan, ...] = ()


@attrs.frozen(kw_only=True)
class RemoteSubnetPlan:
    """
    A range of an overlay that lives behind another machine.

    Args:
        prefix: Of the other machine's endpoints.
        isolation_id: VNI.
        provider_address: Of the other machine, where VXLAN is sent to.
        router_mac: Which the inner frames carry.
    """

    prefix: str
    isolation_id: int
    provider_address: str
    router_mac: str


@attrs.frozen(kw_only=True)
class AclPlan:
    """
    A filter. The lowest ``priority`` that matches wins; BLOCK before ALLOW when equal.

    Replies of a flow that was allowed pass.

    Args:
        name: Its id or name, for comments.
        action: What becomes of what matches.
        direction: Which way.
        protocols: Numbers; empty for any.
        local_addresses: Addresses, prefixes, or ids of :class:`AddressSetPlan`; empty
            for any. ``local`` is the endpoint's side.
        remote_addresses: The same of the other side.
        local_ports: ``(first, last)`` pairs; empty for any.
        remote_ports: The same of the other side.
        priority: 1 to 65500; the implicit allow comes behind all.
        host_rule: Evaluated before the others.
    """

    name: str = ""
    action: Action
    direction: Direction
    protocols: tuple[int, ...] = ()
    local_addresses: tuple[str, ...] = ()
    remote_addresses: tuple[str, ...] = ()
    local_ports: tuple[tuple[int, int], ...] = ()
    remote_ports: tuple[tuple[int, int], ...] = ()
    priority: int = 65500
    host_rule: bool = False


@attrs.frozen(kw_only=True)
class TierPlan:
    """A tier of filters; tiers are asked in their ``order``."""

    name: str
    direction: Direction
    order: int
    rules: tuple[AclPlan, ...] = ()


@attrs.frozen(kw_only=True)
class AddressSetPlan:
    """
    A named set that filters refer to by its id.

    Args:
        id: As filters spell it.
        members: Addresses and prefixes; ``"10.0.0.4,tcp:80"`` names a port too.
            Nested sets are resolved already.
    """

    id: str
    members: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class NetworkPlan:
    """
    A network.

    Args:
        id: GUID.
        name: As its maker calls it.
        kind: What carries it.
        subnets: Of its endpoints; may be none on Private, Internal and Transparent.
        adapter: Name of the machine's interface it is bound to; ``""`` for none, or
            for the one of the default route where the kind needs one.
        provider_address: Of this machine, on an overlay; ``""`` if not known.
        router_mac: Of this machine's distributed router, on an overlay.
        vxlan_port: UDP port of the overlay.
        remote_subnets: Of an overlay.
        host_route: Endpoints may reach this machine itself.
        host_port: The machine has an interface in it that holds the gateway.
        acls: For every endpoint of the network.
        sets: That the filters of the network's endpoints refer to.
    """

    id: str
    name: str
    kind: NetworkKind
    subnets: tuple[SubnetPlan, ...] = ()
    adapter: str = ""
    provider_address: str = ""
    router_mac: str = ""
    vxlan_port: int = 4789
    remote_subnets: tuple[RemoteSubnetPlan, ...] = ()
    host_route: bool = False
    host_port: bool = True
    acls: tuple[AclPlan, ...] = ()
    sets: tuple[AddressSetPlan, ...] = ()


@attrs.frozen(kw_only=True)
class AddressPlan:
    """An address of an endpoint, with the length of its prefix."""

    address: str
    prefix_length: int


@attrs.frozen(kw_only=True)
class DnsPlan:
    """How an endpoint resolves names; what a ``resolv.conf`` says."""

    domain: str = ""
    search: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class PortMappingPlan:
    """
    A port of the machine that leads to one of an endpoint.

    Args:
        protocol: 6 or 17.
        internal_port: Of the endpoint.
        external_port: Of the machine; chosen already.
        address: Of the machine it is bound to; ``""`` for every one.
        local: Reachable through the machine's own addresses too.
    """

    protocol: int
    internal_port: int
    external_port: int
    address: str = ""
    local: bool = True


@attrs.frozen(kw_only=True)
class OutboundNatPlan:
    """
    How the source of outgoing traffic is translated.

    Args:
        source: Address it gets; ``""`` for the machine's own.
        exceptions: Prefixes of destinations to leave alone.
        destinations: Where not empty, only traffic to these is translated.
    """

    source: str = ""
    exceptions: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ProxyPlan:
    """
    A redirect of TCP to a proxy in the endpoint's own namespace.

    Args:
        inbound_port: Where connections to the endpoint go; 0 for nowhere.
        outbound_port: Where connections of the endpoint go; 0 for nowhere.
        address: Of the proxy if it is elsewhere; ``""`` for a local one.
        user: Whose traffic is left alone: a user id of the silo, or ``""``.
        remote_addresses: Only connections to these; empty for all.
        remote_ports: Only connections to these; empty for all.
        address_exceptions: Never redirected.
        port_exceptions: Never redirected.
    """

    inbound_port: int = 0
    outbound_port: int = 0
    address: str = ""
    user: str = ""
    remote_addresses: tuple[str, ...] = ()
    remote_ports: tuple[tuple[int, int], ...] = ()
    address_exceptions: tuple[str, ...] = ()
    port_exceptions: tuple[tuple[int, int], ...] = ()


@attrs.frozen(kw_only=True)
class EndpointPlan:
    """
    An endpoint and its policies.

    Args:
        id: GUID.
        network: Id of its network.
        name: As its maker calls it; not unique.
        mac: Of the interface.
        addresses: IPv4 first; may be none.
        routes: The default ones among them.
        dns: Written for the silo where the silo has a ``resolv.conf`` of its own.
        mtu: Of the interface.
        remote: Lives on another machine: never attached, only known.
        provider_address: Of that machine, on an overlay.
        isolated: Must not talk to other endpoints of its network.
        vlan: That it is in, from its next attachment on; 0 for none.
        port_mappings: From the machine to it.
        outbound_nat: Where not empty, it replaces the translation that its network
            does by itself (NAT and ICS translate everything).
        outgoing_bytes_per_second: 0 for no limit.
        acls: Filters, in the order of the document.
        tiers: Filters in tiers.
        sdn_routes: Inside the switch.
        proxies: Redirects.
    """

    id: str
    network: str
    name: str = ""
    mac: str
    addresses: tuple[AddressPlan, ...] = ()
    routes: tuple[RoutePlan, ...] = ()
    dns: DnsPlan = DnsPlan()
    mtu: int = 1500
    remote: bool = False
    provider_address: str = ""
    isolated: bool = False
    vlan: int = 0
    port_mappings: tuple[PortMappingPlan, ...] = ()
    outbound_nat: tuple[OutboundNatPlan, ...] = ()
    outgoing_bytes_per_second: int = 0
    acls: tuple[AclPlan, ...] = ()
    tiers: tuple[TierPlan, ...] = ()
    sdn_routes: tuple[RoutePlan, ...] = ()
    proxies: tuple[ProxyPlan, ...] = ()


@attrs.frozen(kw_only=True)
class FrontendPortPlan:
    """
    One port of a load balancer.

    Args:
        protocol: 6, 17, 1, 58, or 256 for any.
        external_port: Of the frontend; 0 for any.
        internal_port: Of the backends; 0 for the same as the external one.
        distribution: What the choice of the backend depends on.
        internal: Only for clients on the network (ILB).
    """

    protocol: int
    external_port: int
    internal_port: int
    distribution: Distribution = Distribution.CONNECTION
    internal: bool = False


@attrs.frozen(kw_only=True)
class BackendPlan:
    """A backend: the endpoint's id, its addresses, and whether it is remote."""

    endpoint: str
    addresses: tuple[str, ...]
    remote: bool = False


@attrs.frozen(kw_only=True)
class LoadBalancerPlan:
    """
    A load balancer.

    Args:
        id: GUID.
        network: Id of its network; ``""`` if it has no backend left.
        backends: In order.
        frontends: Addresses; none: every address of the machine (a node port).
        ports: What it serves.
        source: Address that remote backends see; ``""`` for the client's own.
        direct_return: Backends answer clients by themselves.
        ipv6: Of that family.
    """

    id: str
    network: str = ""
    backends: tuple[BackendPlan, ...] = ()
    frontends: tuple[str, ...] = ()
    ports: tuple[FrontendPortPlan, ...] = ()
    source: str = ""
    direct_return: bool = False
    ipv6: bool = False


@attrs.frozen(kw_only=True)
class SdnRoutePlan:
    """Routes of several endpoints, as one object."""

    id: str
    endpoints: tuple[str, ...]
    routes: tuple[RoutePlan, ...]


@attrs.frozen(kw_only=True)
class Target:
    """
    Where an endpoint is attached.

    Args:
        id: Of the compute system, or ``"host"``.
        pid: Of the silo's first process on the machine, whose network namespace gets
            the interface; ``None`` for the machine's own (or what stands for it).
        namespace: Id of the HNS namespace; ``""`` if there is none. Targets of one
            namespace show the same interfaces.
        interface: Name that the interface shall have: ``"eth0"``; for the machine's
            own, the alias ``"vEthernet (name)"``.
        search: Domains that the target searches before those of the endpoint.
    """

    id: str
    pid: int | None = None
    namespace: str = ""
    interface: str = "eth0"
    search: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Counters:
    """Traffic of an endpoint as it sees it itself."""

    bytes_received: int = 0
    bytes_sent: int = 0
    packets_received: int = 0
    packets_sent: int = 0
    dropped_incoming: int = 0
    dropped_outgoing: int = 0


@attrs.frozen(kw_only=True)
class KernelPart:
    """
    Something of the kernel's that carries an object.

    Args:
        kind: ``"bridge"``, ``"veth"``, ``"vxlan"``, ``"address"``, ``"rule"``.
        name: As the kernel calls it.
        parent: Name of the part it hangs from; ``""`` for none.
        object: Id of the object it is for; ``""`` if it is for none any more.
        detail: More of it, for a person.
        problem: How it disagrees with the plan; ``""`` if it does not.
    """

    kind: str
    name: str
    parent: str = ""
    object: str = ""
    detail: str = ""
    problem: str = ""


@attrs.frozen(kw_only=True)
class Everything:
    """All plans, as they were when a host stopped; none is attached."""

    networks: tuple[NetworkPlan, ...] = ()
    endpoints: tuple[EndpointPlan, ...] = ()
    load_balancers: tuple[LoadBalancerPlan, ...] = ()
    routes: tuple[SdnRoutePlan, ...] = ()


class DatapathError(Exception):
    """
    The machine cannot be made to agree with a plan.

    Args:
        hresult: What the call that asked for it returns.
        message: One sentence that says what is missing.
    """

    def __init__(self, hresult: int, message: str) -> None:
        super().__init__(message)
        self.hresult = hresult
        self.message = message


class Datapath(Protocol):
    """
    What carries the packets.

    Called by the host's one thread, which waits for it: each call should take a few
    milliseconds. A call that fails raises :class:`DatapathError` and leaves nothing of
    itself behind. Removing what is not there is no failure.
    """

    def obstacle(self) -> str:
        """Say in one sentence why nothing can be attached; ``""`` if it can."""

    def reconcile(self, everything: Everything) -> None:
        """
        Make the machine agree with all plans, once, at the host's start.

        What an earlier host left is adopted or removed; what others made is not
        touched. What cannot be rebuilt is left out and shows in :meth:`parts`.
        """

    def apply_network(self, network: NetworkPlan) -> None:
        """Make a network, or change it to this plan."""

    def clear_network(self, network: str) -> None:
        """
        Detach all endpoints of a network, which stay known.

        Many at once cost hardly more than one.
        """

    def remove_network(self, network: str) -> None:
        """Remove a network; its endpoints are gone already."""

    def apply_endpoint(self, endpoint: EndpointPlan) -> None:
        """
        Make an endpoint known, or change its policies to this plan.

        Local ones need nothing of the kernel's before they are attached; those that
        are attached change at once, wholly or not at all.
        """

    def remove_endpoint(self, endpoint: str) -> None:
        """Forget an endpoint, detaching it first from wherever it is."""

    def attach(self, endpoint: str, target: Target) -> None:
        """
        Put an endpoint's interface into a target and make its policies hold there.

        A further target of the same namespace shares what is there.
        """

    def detach(self, endpoint: str, target: Target) -> None:
        """Take it out again; the target may be gone already."""

    def apply_load_balancer(self, balancer: LoadBalancerPlan) -> None:
        """Make a load balancer, or change it to this plan."""

    def remove_load_balancer(self, balancer: str) -> None:
        """Remove a load balancer."""

    def apply_route(self, route: SdnRoutePlan) -> None:
        """Make a route, or change it to this plan."""

    def remove_route(self, route: str) -> None:
        """Remove a route."""

    def counters(self, endpoint: str) -> Counters:
        """Count an endpoint's traffic; zeros where it is not attached."""

    def parts(self, network: str) -> Sequence[KernelPart]:
        """List what the kernel has for a network and all that belongs to it."""

    def close(self) -> None:
        """Let go of everything: no silo lives any more, the host ends."""


class NoDatapath:
    """
    A datapath that carries nothing: objects are accepted, attaching is refused.

    Args:
        reason: One sentence: what is missing here.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def obstacle(self) -> str:
        """Give the reason."""
        return self._reason

    def reconcile(self, everything: Everything) -> None:
        """Accept everything."""

    def apply_network(self, network: NetworkPlan) -> None:
        """Accept it."""

    def clear_network(self, network: str) -> None:
        """Accept it."""

    def remove_network(self, network: str) -> None:
        """Accept it."""

    def apply_endpoint(self, endpoint: EndpointPlan) -> None:
        """Accept it."""

    def remove_endpoint(self, endpoint: str) -> None:
        """Accept it."""

    def attach(self, endpoint: str, target: Target) -> None:
        """
        Refuse it.

        Raises:
            DatapathError: With the reason.
        """
        raise DatapathError(
            HResult.ERROR_NOT_SUPPORTED,
            f"Endpoint {endpoint} cannot be attached to {target.id!r}: {self._reason}",
        )

    def detach(self, endpoint: str, target: Target) -> None:
        """Accept it: it is not attached."""

    def apply_load_balancer(self, balancer: LoadBalancerPlan) -> None:
        """Accept it."""

    def remove_load_balancer(self, balancer: str) -> None:
        """Accept it."""

    def apply_route(self, route: SdnRoutePlan) -> None:
        """Accept it."""

    def remove_route(self, route: str) -> None:
        """Accept it."""

    def counters(self, endpoint: str) -> Counters:  # noqa: ARG002 - the Protocol's
        """Give zeros."""
        return Counters()

    def parts(self, network: str) -> Sequence[KernelPart]:  # noqa: ARG002
        """Give nothing: there is nothing."""
        return ()

    def close(self) -> None:
        """Do nothing."""
