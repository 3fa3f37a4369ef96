"""
Translation of addresses, and what may pass between networks, on the machine's side.

Each network, endpoint and load balancer has a table of its own, so that a change of
one costs the same however many others there are, and removing it leaves nothing.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from hcsshim.host.datapath import nft_expressions as nft
from hcsshim.host.datapath.port import Distribution, NetworkKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hcsshim.host.datapath.nft_expressions import Address, Prefix
    from hcsshim.host.datapath.nft_wire import Batch
    from hcsshim.host.datapath.port import (
        EndpointPlan,
        FrontendPortPlan,
        LoadBalancerPlan,
        NetworkPlan,
        OutboundNatPlan,
        PortMappingPlan,
    )
    from hcsshim.host.datapath.relay import Outlet

#: What all our bridges' names begin with.
BRIDGES = "hnsb*"
#: And those of interfaces that are the machine's own place in a network.
HOST_ENDS = "hnsh*"
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
#: An endpoint's own translation comes before that of its network.
_ENDPOINT_SOURCE_NAT = nft.SOURCE_NAT - 10
#: The outlet takes what no port mapping and no load balancer wants.
_OUTLET = nft.DESTINATION_NAT + 10
#: Kinds whose endpoints appear outside as the machine.
TRANSLATED = (NetworkKind.NAT, NetworkKind.ICS)
_WITH_PORTS = (6, 17, 132)
_ANY_PROTOCOL = 256


def add_network_rules(
    batch: Batch, table: str, network: NetworkPlan, bridge: str
) -> None:
    """Fill a network's table, which is there and empty."""
    inside = nft.from_interface(bridge)
    outside = nft.from_interface(bridge, equal=False)
    to_inside = nft.to_interface(bridge)
    to_outside = nft.to_interface(bridge, equal=False)
    batch.add_chain(table, "guard", "filter", nft.PREROUTING, nft.RAW)
    loopback = nft.addresses(batch, table, [_LOOPBACK], source=False)
    # The loopback is opened for port mappings, below; not for who is outside.
    batch.add_rule(table, "guard", [*inside, *loopback, nft.drop()], "loopback")
    batch.add_chain(table, "between", "filter", nft.FORWARD, nft.FILTER)
    if network.kind in (NetworkKind.PRIVATE, NetworkKind.INTERNAL):
        for match in ([*inside, *to_outside], [*outside, *to_inside]):
            batch.add_rule(table, "between", [*match, nft.drop()], "apart")
    else:
        foreign = [*nft.from_interface(BRIDGES), *outside, *to_inside]
        new = nft.redirected(present=False)
        batch.add_rule(table, "between", [*nft.established(), nft.accept()], "replies")
        batch.add_rule(table, "between", [*foreign, *new, nft.drop()], "apart")
    if network.kind is NetworkKind.PRIVATE:
        batch.add_chain(table, "machine", "filter", nft.INPUT, nft.FILTER)
        batch.add_rule(table, "machine", [*inside, nft.drop()], "apart")
        return
    batch.add_chain(table, "source", "nat", nft.POSTROUTING, nft.SOURCE_NAT)
    unmarked = nft.kept_by_client(present=False)
    hairpin = [*to_inside, *nft.redirected(), *unmarked, nft.masquerade()]
    local = nft.addresses(batch, table, [_LOOPBACK], source=True)
    batch.add_rule(
        table, "source", [*local, *to_inside, nft.masquerade()], "the machine's own"
    )
    for subnet in network.subnets:
        prefix = ipaddress.ip_network(subnet.prefix)
        own = nft.addresses(batch, table, [prefix], source=True)
        batch.add_rule(table, "source", [*own, *hairpin], "hairpin")
        if network.kind in TRANSLATED:
            match = [*own, *to_outside, *nft.to_interface(HOST_ENDS, equal=False)]
            batch.add_rule(table, "source", [*match, nft.masquerade()], "outbound")


def add_outlet_rules(
    batch: Batch, table: str, network: NetworkPlan, bridge: str, outlet: Outlet
) -> None:
    """
    Lead what a network sends to the outside to ports of our own.

    What neighbours say to each other passes here too, where the kernel shows bridged
    packets to rules; it is left alone.
    """
    if network.kind not in TRANSLATED:
        return
    batch.add_chain(table, "outlet", "nat", nft.PREROUTING, _OUTLET)
    inside = [*nft.from_interface(bridge), *nft.family(4)]
    away = nft.to_machine(present=False)
    for subnet in network.subnets:
        prefix = ipaddress.ip_network(subnet.prefix)
        near = nft.addresses(batch, table, [prefix], source=False)
        batch.add_rule(table, "outlet", [*inside, *near, *away, nft.accept()], "near")
    if outlet.names_port:
        names = [*nft.protocol(17), *nft.port(53)]
        target = nft.to_own_port(outlet.names_port)
        batch.add_rule(table, "outlet", [*inside, *names, *target], "names")
    tcp = nft.protocol(6)
    target = nft.to_own_port(outlet.port)
    batch.add_rule(table, "outlet", [*inside, *away, *tcp, *target], "outbound")


def has_translation(endpoint: EndpointPlan) -> bool:
    """Tell whether an endpoint needs a table on the machine's side."""
    return bool(
        endpoint.port_mappings
        or endpoint.outbound_nat
        or any(route.encapsulate for route in endpoint.sdn_routes)
    )


def add_endpoint_rules(
    batch: Batch, table: str, endpoint: EndpointPlan, bridge: str
) -> None:
    """Fill an endpoint's table on the machine's side, which is there and empty."""
    addresses = [ipaddress.ip_address(plan.address) for plan in endpoint.addresses]
    if endpoint.port_mappings:
        batch.add_chain(table, "mapped", "nat", nft.PREROUTING, nft.DESTINATION_NAT)
        batch.add_chain(table, "local", "nat", nft.OUTPUT, nft.DESTINATION_NAT)
    for mapping in endpoint.port_mappings:
        for address in addresses:
            _add_mapping(batch, table, mapping, address)
    if has_own_source(endpoint):
        batch.add_chain(table, "source", "nat", nft.POSTROUTING, _ENDPOINT_SOURCE_NAT)
        away = nft.to_interface(bridge, equal=False) if bridge else []
        for address in addresses:
            _add_source(batch, table, endpoint, address, away)


def has_own_source(endpoint: EndpointPlan) -> bool:
    """Tell whether an endpoint's translation differs from its network's."""
    return bool(
        endpoint.outbound_nat or any(route.encapsulate for route in endpoint.sdn_routes)
    )


def _add_mapping(
    batch: Batch, table: str, mapping: PortMappingPlan, address: Address
) -> None:
    if mapping.address:
        bound = ipaddress.ip_address(mapping.address)
        if bound.version != address.version:
            return
        match = nft.address(bound, source=False)
    else:
        match = [*nft.family(address.version), *nft.to_machine()]
    match += nft.protocol(mapping.protocol)
    match += nft.port(mapping.external_port)
    target = nft.to_address(address, mapping.internal_port)
    note = f"port {mapping.external_port}"
    batch.add_rule(table, "mapped", [*match, *target], note)
    if mapping.local:
        batch.add_rule(table, "local", [*match, *target], note)


def _add_source(
    batch: Batch,
    table: str,
    endpoint: EndpointPlan,
    address: Address,
    away: list[bytes],
) -> None:
    """
    Translate the source of one address of an endpoint.

    What is an exception is translated to itself: that ends the search, so that the
    network's own rule does not see it any more.
    """
    own = nft.address(address, source=True)
    keep = nft.as_address(address)
    untouched = [route.prefix for route in endpoint.sdn_routes if route.encapsulate]
    for nat in endpoint.outbound_nat:
        untouched += nat.exceptions
    kept = _of_family(untouched, address.version)
    if kept:
        match = nft.addresses(batch, table, kept, source=False)
        batch.add_rule(table, "source", [*own, *match, *keep], "exception")
    for nat in endpoint.outbound_nat:
        action = _source_action(nat, address)
        if not nat.destinations:
            batch.add_rule(table, "source", [*own, *away, *action], "outbound")
            continue
        destinations = _of_family(nat.destinations, address.version)
        if destinations:
            match = nft.addresses(batch, table, destinations, source=False)
            batch.add_rule(table, "source", [*own, *match, *action], "outbound")
    if any(nat.destinations for nat in endpoint.outbound_nat):
        batch.add_rule(table, "source", [*own, *away, *keep], "exception")


def _source_action(nat: OutboundNatPlan, address: Address) -> list[bytes]:
    if nat.source:
        source = ipaddress.ip_address(nat.source)
        if source.version == address.version:
            return nft.as_address(source)
    return [nft.masquerade()]


def _of_family(texts: Iterable[str], version: int) -> list[Prefix]:
    prefixes = (ipaddress.ip_network(text, strict=False) for text in texts)
    return [prefix for prefix in prefixes if prefix.version == version]


def add_balancer_rules(
    batch: Batch, table: str, balancer: LoadBalancerPlan, *, sees_bridged: bool
) -> None:
    """
    Fill a load balancer's table, which is there and empty.

    Args:
        batch: Gets the rules.
        table: Which.
        balancer: Plan of it.
        sees_bridged: Whether the kernel translates answers that are only bridged.
            Then a backend that answers a neighbour directly may see its address;
            otherwise the answer has to come back to the gateway.
    """
    direct = nft.keep_client() if balancer.direct_return and sees_bridged else []
    version = 6 if balancer.ipv6 else 4
    backends = _backends(balancer, version, remote=None)
    if not backends:
        return
    batch.add_chain(table, "balanced", "nat", nft.PREROUTING, nft.DESTINATION_NAT)
    batch.add_chain(table, "local", "nat", nft.OUTPUT, nft.DESTINATION_NAT)
    for chain in ("balanced", "local"):
        for port in balancer.ports:
            for match in _frontends(balancer, version):
                served = _served(port)
                choice = _choice(port, len(backends), version)
                internal = port.internal_port
                if internal == port.external_port or port.protocol not in _WITH_PORTS:
                    internal = 0
                target = nft.to_one_of(batch, table, backends, internal, choice)
                note = f"port {port.external_port}"
                rule = [*match, *served, *direct, *target]
                batch.add_rule(table, chain, rule, note)
    distant = _backends(balancer, version, remote=True)
    if balancer.source and distant:
        source = ipaddress.ip_address(balancer.source)
        batch.add_chain(table, "source", "nat", nft.POSTROUTING, _ENDPOINT_SOURCE_NAT)
        prefixes = [ipaddress.ip_network(str(address)) for address in distant]
        match = nft.addresses(batch, table, prefixes, source=False)
        changed = [*match, *nft.redirected(), *nft.as_address(source)]
        batch.add_rule(table, "source", changed, "to remote backends")


def _backends(
    balancer: LoadBalancerPlan, version: int, *, remote: bool | None
) -> list[Address]:
    found: list[Address] = []
    for backend in balancer.backends:
        if remote is not None and backend.remote is not remote:
            continue
        addresses = [ipaddress.ip_address(text) for text in backend.addresses]
        found += [address for address in addresses if address.version == version][:1]
    return found


def _frontends(balancer: LoadBalancerPlan, version: int) -> list[list[bytes]]:
    if not balancer.frontends:
        return [[*nft.family(version), *nft.to_machine()]]
    addresses = [ipaddress.ip_address(text) for text in balancer.frontends]
    return [
        nft.address(address, source=False)
        for address in addresses
        if address.version == version
    ]


def _served(port: FrontendPortPlan) -> list[bytes]:
    if port.protocol == _ANY_PROTOCOL:
        return []
    match = nft.protocol(port.protocol)
    if port.external_port and port.protocol in _WITH_PORTS:
        match += nft.port(port.external_port)
    return match


def _choice(port: FrontendPortPlan, count: int, version: int) -> Sequence[bytes]:
    if port.distribution is Distribution.CONNECTION:
        return nft.in_turn(count)
    both = port.distribution is Distribution.SOURCE_AND_PROTOCOL
    return nft.by_source(count, version, with_protocol=both)
