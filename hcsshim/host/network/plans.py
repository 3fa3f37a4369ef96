"""What the datapath shall make of an object: from policies to plans."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from hcsshim.host.datapath.port import (
    AclPlan,
    Action,
    AddressPlan,
    AddressSetPlan,
    BackendPlan,
    Direction,
    Distribution,
    DnsPlan,
    EndpointPlan,
    FrontendPortPlan,
    LoadBalancerPlan,
    NetworkKind,
    NetworkPlan,
    OutboundNatPlan,
    PortMappingPlan,
    ProxyPlan,
    RemoteSubnetPlan,
    RoutePlan,
    SdnRoutePlan,
    SubnetPlan,
    TierPlan,
)
from hcsshim.host.network.members import SettingMembers, as_mac, same_id
from hcsshim.host.network.policies import read_ports, read_protocols

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hcsshim.host.network.model import (
        Dns,
        Endpoint,
        LoadBalancer,
        Network,
        Policy,
        SdnRoute,
        Subnet,
    )

_KINDS = {kind.value: kind for kind in NetworkKind}
_MTU = 1500
_OVERLAY_OVERHEAD = 50
_NO_HOST_PORT = 1024
_ISOLATED = 2
_LOCAL_ROUTED = 1
_LOWEST_PRIORITY = 65500
#: Networks whose mappings reach the machine's own addresses without being asked to.
_TRANSLATING = ("NAT", "ICS")
_DEPTH = 8


def _settings(policy: Policy) -> SettingMembers:
    return SettingMembers(policy.settings, policy.type)


def _of(policies: Iterable[Policy], kind: str) -> list[SettingMembers]:
    return [_settings(policy) for policy in policies if policy.type == kind]


#: Types whose endpoints may be in VLANs.
_WITH_VLANS = ("Transparent", "L2Bridge", "L2Tunnel")


def _mac(text: str) -> str:
    return as_mac(text).to_bytes(6, "big").hex(":") if text else ""


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


# -- networks ---------------------------------------------------------------


def plan_network(network: Network) -> NetworkPlan | None:
    """Plan a network; ``None`` for one of a type that carries nothing here."""
    kind = _KINDS.get(network.type)
    if kind is None:
        return None
    ports = _of(network.policies, "VxlanPort")
    return NetworkPlan(
        id=network.id,
        name=network.name,
        kind=kind,
        subnets=tuple(_subnet(subnet) for subnet in network.subnets),
        adapter=network.adapter,
        provider_address=_provider_address(network),
        router_mac=_mac(network.router_mac),
        vxlan_port=(ports[0].number("Port") if ports else None) or 4789,
        remote_subnets=tuple(
            RemoteSubnetPlan(
                prefix=str(ip_network(item.text("DestinationPrefix"), strict=False)),
                isolation_id=item.number("IsolationId") or 0,
                provider_address=item.text("ProviderAddress"),
                router_mac=_mac(item.text("DistributedRouterMacAddress")),
            )
            for item in _of(network.policies, "RemoteSubnetRoute")
        ),
        host_route=any(policy.type == "HostRoute" for policy in network.policies),
        host_port=not network.flags & _NO_HOST_PORT,
        acls=tuple(_acl(item) for item in _of(network.policies, "NetworkACL")),
        sets=_sets(network),
    )


def _provider_address(network: Network) -> str:
    settings = network.policy("ProviderAddress") or {}
    given = settings.get("ProviderAddress")
    return given if isinstance(given, str) and _is_address(given) else network.address


def _subnet(subnet: Subnet) -> SubnetPlan:
    return SubnetPlan(
        prefix=subnet.prefix,
        gateway=subnet.gateway,
        isolation_id=subnet.number_of("VSID"),
        routes=tuple(
            RoutePlan(prefix=route.prefix, next_hop=route.next_hop, metric=route.metric)
            for route in subnet.routes
            if route.prefix and not route.prefix.endswith("/0")
        ),
    )


def _sets(network: Network) -> tuple[AddressSetPlan, ...]:
    sets = {
        same_id(item.text("Id")): item for item in _of(network.policies, "SetPolicy")
    }

    def members(item: SettingMembers, depth: int = 0) -> list[str]:
        words = item.commas("Values")
        if item.text("PolicyType").upper() != "NESTEDIPSET" or depth > _DEPTH:
            return list(words)
        inner = (sets.get(same_id(word)) for word in words)
        return [word for each in inner if each for word in members(each, depth + 1)]

    return tuple(
        AddressSetPlan(id=item.text("Id"), members=tuple(dict.fromkeys(members(item))))
        for item in sets.values()
    )


# -- endpoints --------------------------------------------------------------


def _vlan(endpoint: Endpoint, network: Network) -> int:
    """
    Give the VLAN of an endpoint: its own, its subnet's, or its network's.

    Networks that the machine translates are apart from each other anyway.
    """
    if network.type not in _WITH_VLANS:
        return 0
    own = _of(endpoint.policies, "VLAN")
    if own:
        return own[0].number("IsolationId") or 0
    places = [ip_address(item.address) for item in endpoint.addresses if item.address]
    for subnet in network.subnets:
        prefix = ip_network(subnet.prefix) if subnet.prefix else None
        if prefix is not None and any(place in prefix for place in places):
            return subnet.number_of("VLAN") or _network_vlan(network)
    return _network_vlan(network)


def _network_vlan(network: Network) -> int:
    found = _of(network.policies, "VLAN")
    return (found[0].number("IsolationId") or 0) if found else 0


def plan_endpoint(endpoint: Endpoint, network: Network) -> EndpointPlan:
    """Plan an endpoint."""
    policies = endpoint.policies
    providers = _of(policies, "ProviderAddress")
    provider = providers[0].text("ProviderAddress") if providers else ""
    limits = _of(policies, "QOS")
    bytes_most = limits[0].number("MaximumOutgoingBandwidthInBytes") if limits else 0
    return EndpointPlan(
        id=endpoint.id,
        network=endpoint.network,
        name=endpoint.name,
        mac=_mac(endpoint.mac),
        addresses=tuple(
            AddressPlan(address=item.address, prefix_length=item.prefix_length)
            for item in endpoint.addresses
        ),
        routes=tuple(
            RoutePlan(prefix=route.prefix, next_hop=route.next_hop, metric=route.metric)
            for route in endpoint.routes
            if route.prefix
        ),
        dns=plan_dns(endpoint.dns),
        mtu=_MTU - _overhead(endpoint, network),
        remote=endpoint.remote,
        provider_address=provider if _is_address(provider) else "",
        isolated=bool(endpoint.flags & _ISOLATED),
        vlan=_vlan(endpoint, network),
        port_mappings=tuple(
            _port_mapping(item, network) for item in _of(policies, "PortMapping")
        ),
        outbound_nat=tuple(
            OutboundNatPlan(
                source=item.text("VirtualIP"),
                exceptions=item.texts("Exceptions"),
                destinations=item.texts("Destinations"),
            )
            for item in _of(policies, "OutBoundNAT")
        ),
        outgoing_bytes_per_second=bytes_most or 0,
        acls=tuple(_acl(item) for item in _of(policies, "ACL")),
        tiers=tuple(_tier(item) for item in _of(policies, "TierAcl")),
        sdn_routes=tuple(_sdn_route(item) for item in _of(policies, "SDNRoute")),
        proxies=(
            *(_wfp_proxy(item) for item in _of(policies, "L4WFPPROXY")),
            *(_l4_proxy(item) for item in _of(policies, "L4Proxy")),
            *(_l4_proxy(item) for item in _of(network.policies, "L4Proxy")),
        ),
    )


def _overhead(endpoint: Endpoint, network: Network) -> int:
    given = _of(endpoint.policies, "EncapOverhead")
    number = given[0].number("Overhead") if given else None
    if number is None:
        number = _OVERLAY_OVERHEAD if network.type == "Overlay" else 0
    return number


def plan_dns(dns: Dns) -> DnsPlan:
    """Plan how names are resolved."""
    return DnsPlan(
        domain=dns.domain, search=dns.search, servers=dns.servers, options=dns.options
    )


def _port_mapping(item: SettingMembers, network: Network) -> PortMappingPlan:
    flags = item.number("Flags") or 0
    return PortMappingPlan(
        protocol=item.number("Protocol") or 6,
        internal_port=item.number("InternalPort") or 0,
        external_port=item.number("ExternalPort") or 0,
        address=item.text("VIP"),
        local=network.type in _TRANSLATING or bool(flags & _LOCAL_ROUTED),
    )


def _acl(item: SettingMembers, action: str = "Action") -> AclPlan:
    words = {word.value.lower(): word.value for word in (*Action, *Direction)}
    rule_type = item.choice("RuleType", {}, "Host", "Switch").lower()
    priority = item.number("Priority")
    return AclPlan(
        name=item.text("Id"),
        action=Action(item.choice(action, words, "Allow", "Block", "Pass")),
        direction=Direction(item.choice("Direction", words, "In", "Out") or "In"),
        protocols=read_protocols(item.commas("Protocols")),
        local_addresses=item.commas("LocalAddresses"),
        remote_addresses=item.commas("RemoteAddresses"),
        local_ports=read_ports(item.commas("LocalPorts")),
        remote_ports=read_ports(item.commas("RemotePorts")),
        priority=_LOWEST_PRIORITY if priority is None else priority,
        host_rule=rule_type == "host",
    )


def _tier(item: SettingMembers) -> TierPlan:
    words = {word.value.lower(): word.value for word in Direction}
    direction = Direction(item.choice("Direction", words, "In", "Out"))
    rules = []
    for rule in item.children("TierAclRules"):
        members = dict(rule.members())
        members["Direction"] = direction.value
        rules.append(_acl(SettingMembers(members), "TierAclRuleAction"))
    return TierPlan(
        name=item.text("Name"),
        direction=direction,
        order=item.number("Order") or 0,
        rules=tuple(rules),
    )


def _sdn_route(item: SettingMembers) -> RoutePlan:
    return RoutePlan(
        prefix=str(ip_network(item.text("DestinationPrefix"), strict=False)),
        next_hop=item.text("NextHop"),
        encapsulate=item.flag("NeedEncap"),
    )


def _port(item: SettingMembers, name: str) -> int:
    words = item.commas(name)
    return read_ports(words[:1])[0][0] if words else 0


def _valid_ports(words: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """Read the ports among words; what is too large to be one excepts nothing."""
    return read_ports(
        word for word in words if word.isdecimal() and int(word) <= 0xFFFF
    )


def _wfp_proxy(item: SettingMembers) -> ProxyPlan:
    match = item.child("FilterTuple")
    sides = [item.child(f"{side}Exceptions") for side in ("Inbound", "Outbound")]
    return ProxyPlan(
        inbound_port=_port(item, "InboundProxyPort"),
        outbound_port=_port(item, "OutboundProxyPort"),
        user=item.text("UserSID"),
        remote_addresses=match.commas("RemoteAddresses"),
        remote_ports=read_ports(match.commas("RemotePorts")),
        address_exceptions=_unique(
            sides, lambda side: side.texts("IpAddressExceptions")
        ),
        port_exceptions=_valid_ports(
            _unique(sides, lambda side: side.commas("PortExceptions"))
        ),
    )


def _unique(
    sides: list[SettingMembers], words: Callable[[SettingMembers], tuple[str, ...]]
) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for side in sides for word in words(side)))


def _l4_proxy(item: SettingMembers) -> ProxyPlan:
    destination = item.text("Destination")
    return ProxyPlan(
        outbound_port=_port(item, "Port"),
        address=item.text("IP"),
        remote_addresses=(destination,) if destination else (),
        address_exceptions=item.texts("Exceptions"),
    )


# -- load balancers, routes -------------------------------------------------


def plan_load_balancer(
    balancer: LoadBalancer, find: Callable[[str], Endpoint | None]
) -> LoadBalancerPlan:
    """
    Plan a load balancer.

    Args:
        balancer: The object.
        find: Gives the endpoint of an id, in any spelling.
    """
    endpoints = [found for found in map(find, balancer.endpoints) if found is not None]
    return LoadBalancerPlan(
        id=balancer.id,
        network=endpoints[0].network if endpoints else "",
        backends=tuple(
            BackendPlan(
                endpoint=item.id,
                addresses=tuple(address.address for address in item.addresses),
                remote=item.remote,
            )
            for item in endpoints
        ),
        frontends=balancer.frontends,
        ports=tuple(
            FrontendPortPlan(
                protocol=port.protocol,
                external_port=port.external,
                internal_port=port.internal,
                distribution=Distribution(port.distribution),
                internal=bool(port.flags & 1),
            )
            for port in balancer.ports
        ),
        source=balancer.source,
        direct_return=bool(balancer.flags & 1),
        ipv6=bool(balancer.flags & 2),
    )


def plan_sdn_route(route: SdnRoute) -> SdnRoutePlan:
    """Plan a route."""
    return SdnRoutePlan(
        id=route.id,
        endpoints=tuple(map(same_id, route.endpoints)),
        routes=tuple(_sdn_route(_settings(item)) for item in route.routes),
    )
