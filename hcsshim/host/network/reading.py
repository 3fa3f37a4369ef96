"""
Documents that clients send, of either generation, to the objects that they describe.

An object that was read is a draft: what the document leaves open is empty, and the
rules fill it in. Members that only answers have are ignored.
"""

from __future__ import annotations

import attrs

from hcsshim.host.network.members import Members, as_mac, as_prefix
from hcsshim.host.network.model import (
    Address,
    BalancedPort,
    Dns,
    Endpoint,
    IpSubnet,
    LoadBalancer,
    MacRange,
    Namespace,
    Network,
    Policy,
    Route,
    SdnRoute,
    Subnet,
    new_id,
)
from hcsshim.host.network.policies import (
    ENDPOINT_TYPES,
    NETWORK_TYPES,
    SUBNET_TYPES,
    make_policy,
    read_policy,
)
from hcsshim.host.network.refusals import refuse
from hcsshim.host.network.translation import read_v1_policy
from hcsshim.hresult import HResult

NETWORK_TYPE_NAMES = (
    *("NAT", "ICS", "Transparent", "L2Bridge", "L2Tunnel", "Overlay", "Private"),
    *("Internal", "Mirrored", "Infiniband", "ConstrainedICS"),
)
_NETWORK_TYPE_WORDS = {name.lower(): name for name in NETWORK_TYPE_NAMES}
NAMESPACE_TYPE_NAMES = ("Host", "HostDefault", "Guest", "GuestDefault")
_NAMESPACE_TYPE_WORDS = {name.lower(): name for name in NAMESPACE_TYPE_NAMES}
_MOST_FLAGS = 0xFFFFFFFF
_MOST_PORT = 65535
_ANY_PROTOCOL = 256

#: Members that mean the same in both generations, or nothing in a request.
_COMMON = (
    *("ID", "Name", "Owner", "Type", "Policies", "Flags", "SchemaVersion", "Health"),
    *("State", "Version", "Resources", "AdditionalParams", "ActivityId"),
    "MacAddress",
)
_NETWORK_V1 = (
    *("NetworkAdapterName", "SourceMac", "MacPools", "Subnets", "DNSSuffix"),
    *("DNSServerList", "DNSServerCompartment", "ManagementIP", "AutomaticDNS"),
    *("IPv6", "IsolateSwitch", "MaxConcurrentEndpoints", "CurrentEndpointCount"),
    *("TotalEndpoints", "Extensions", "NatName", "LayeredOn", "SwitchGuid"),
    *("SwitchName", "DrMacAddress", "GatewayMac", "ComputedPolicies"),
    *("NATName", "ExternalInterfaceAddress", "ExternalInterfaceIndex"),  # of 2016
)
_NETWORK_V2 = ("Ipams", "MacPool", "Dns")
_ENDPOINT_V1 = (
    *("VirtualNetwork", "VirtualNetworkName", "IPAddress", "PrefixLength"),
    *("IPv6Address", "IPv6PrefixLength", "GatewayAddress", "GatewayAddressV6"),
    *("DNSSuffix", "DNSServerList", "DNSDomain", "EnableInternalDNS", "DisableICC"),
    *("IsRemoteEndpoint", "EnableLowMetric", "EnableLowInterfaceMetric"),
    *("EncapOverhead", "SharedContainers", "Namespace", "IPSubnetId", "StartTime"),
    "CreateProcessingStartTime",
)
_ENDPOINT_V2 = (
    *("HostComputeNetwork", "HostComputeNamespace", "IpConfigurations", "Dns"),
    "Routes",
)
_NAMESPACE_V1 = (
    *("IsDefault", "CompartmentId", "CompartmentGuid", "Containers", "ResourceList"),
)
_NAMESPACE_V2 = ("NamespaceId", "NamespaceGuid", "CreateWithCompartment")
_BALANCER_V1 = ("References", "IsApplied")
_BALANCER_V2 = (
    *("HostComputeEndpoints", "SourceVIP", "FrontendVIPs", "PortMappings"),
    "HostComputeNetwork",
)
_ROUTE_V2 = ("HostComputeEndpoints", "Setting", "Routes")


def is_v2(
    fields: Members, first: tuple[str, ...], second: tuple[str, ...], *, usual: bool
) -> bool:
    """
    Tell which generation a document is of, and refuse members of neither.

    Args:
        fields: The document.
        first: Members that only v1 has.
        second: Members that only v2 has.
        usual: What it is if nothing tells; true for v2.

    Raises:
        Refusal: It has members of both, or unknown ones.
    """
    version = fields.child("SchemaVersion")
    major = version.number("Major", most=_MOST_FLAGS) or 0
    version.number("Minor", most=_MOST_FLAGS)
    has_first = next((name for name in first if name in fields), "")
    has_second = next((name for name in second if name in fields), "")
    v2 = usual
    if major > 2:
        version.refuse("Major")
    elif major == 2:
        v2 = True
    elif has_first and has_second:
        fields.refuse(has_second, "Unknown field")
    elif has_first or has_second:
        v2 = bool(has_second)
    fields.only((*_COMMON, *(second if v2 else first)))
    return v2


# -- networks ---------------------------------------------------------------


def read_network(text: str | None) -> Network:
    """
    Read a network of either generation.

    Raises:
        Refusal: The document is not valid.
    """
    fields = Members.parse(text)
    v2 = is_v2(fields, _NETWORK_V1, _NETWORK_V2, usual=False)
    kind = fields.choice("Type", _NETWORK_TYPE_WORDS, *NETWORK_TYPE_NAMES) or "NAT"
    if kind not in NETWORK_TYPE_NAMES:
        raise refuse(
            HResult.HCN_E_INVALID_NETWORK_TYPE, f"{kind!a} is no type of network."
        )
    spelled = fields.value("Type")
    network = Network(
        id=fields.guid("ID"),
        name=fields.text("Name"),
        owner=fields.text("Owner"),
        type=kind,
        spelled=spelled if isinstance(spelled, str) and spelled else kind,
        flags=fields.number("Flags", most=_MOST_FLAGS) or 0,
    )
    return (_network_v2 if v2 else _network_v1)(fields, network)


def _network_v2(fields: Members, network: Network) -> Network:
    subnets: list[Subnet] = []
    ipam_type = "Static"
    for ipam in fields.children("Ipams"):
        ipam.only(("Type", "Subnets"))
        kind = ipam.choice("Type", {"static": "Static", "dhcp": "DHCP"})
        ipam_type = kind or ipam_type
        subnets += [read_subnet(item) for item in ipam.children("Subnets")]
    return attrs.evolve(
        network,
        ipam_type=ipam_type,
        subnets=tuple(subnets),
        policies=read_policies(fields, NETWORK_TYPES),
        mac_ranges=_mac_ranges(fields.child("MacPool"), "Ranges"),
        dns=read_dns(fields.child("Dns")),
    )


def read_policies(fields: Members, known: tuple[str, ...]) -> tuple[Policy, ...]:
    """
    Read the policies of an object of v2.

    Raises:
        Refusal: One is not valid.
    """
    return tuple(read_policy(item, known) for item in fields.children("Policies"))


def _v1_policies(fields: Members, known: tuple[str, ...]) -> tuple[Policy, ...]:
    return tuple(read_v1_policy(item, known) for item in fields.children("Policies"))


def read_subnet(fields: Members) -> Subnet:
    """
    Read a subnet of v2; an absent prefix is ``""``.

    Raises:
        Refusal: It is not valid.
    """
    return Subnet(
        **_given_id(fields),
        prefix=_prefix(fields.text("IpAddressPrefix")),
        routes=tuple(read_route(item) for item in fields.children("Routes")),
        policies=read_policies(fields, SUBNET_TYPES),
        ip_subnets=read_ip_subnets(fields),
        flags=fields.number("Flags", most=_MOST_FLAGS) or 0,
    )


def _given_id(fields: Members) -> dict[str, str]:
    found = fields.guid("ID")
    return {"id": found} if found else {}


def _prefix(text: str) -> str:
    """Normalise a prefix; one that leaves it to the service is ``""``."""
    found = str(as_prefix(text)) if text else ""
    return "" if found in ("0.0.0.0/0", "::/0") else found


def read_ip_subnets(fields: Members) -> tuple[IpSubnet, ...]:
    """
    Read the parts of a subnet.

    Raises:
        Refusal: One has no valid prefix.
    """
    return tuple(
        IpSubnet(
            **_given_id(item),
            prefix=str(
                as_prefix(item.text("IpAddressPrefix"), HResult.HCN_E_INVALID_IP_SUBNET)
            ),
            flags=_or(item.number("Flags", most=_MOST_FLAGS), 3),
        )
        for item in fields.children("IpSubnets")
    )


def _or(number: int | None, otherwise: int) -> int:
    return otherwise if number is None else number


def read_route(fields: Members) -> Route:
    """
    Read a route.

    Raises:
        Refusal: Its prefix is none.
    """
    prefix = fields.text("DestinationPrefix")
    return Route(
        prefix=str(as_prefix(prefix)) if prefix else "",
        next_hop=fields.text("NextHop"),
        metric=fields.number("Metric", most=_MOST_PORT) or 0,
    )


def _mac_ranges(fields: Members, name: str) -> tuple[MacRange, ...]:
    ranges = []
    for item in fields.children(name):
        first = as_mac(item.text("StartMacAddress"), HResult.HCN_E_INVALID_NETWORK)
        last = as_mac(item.text("EndMacAddress"), HResult.HCN_E_INVALID_NETWORK)
        if last < first:
            item.refuse("EndMacAddress")
        ranges.append(MacRange(first=first, last=last))
    return tuple(ranges)


def read_dns(fields: Members) -> Dns:
    """Read the settings of name resolution; empty words in them say nothing."""
    return Dns(
        domain=fields.text("Domain"),
        search=tuple(filter(None, fields.texts("Search"))),
        servers=tuple(filter(None, fields.texts("ServerList"))),
        options=tuple(filter(None, fields.texts("Options"))),
    )


def _v1_dns(fields: Members) -> Dns:
    return Dns(
        domain=fields.text("DNSDomain"),
        search=fields.commas("DNSSuffix"),
        servers=fields.commas("DNSServerList"),
    )


def _network_v1(fields: Members, network: Network) -> Network:
    given = {
        name: fields.value(name)
        for name in ("IsolateSwitch", "DNSServerCompartment")
        if name in fields
    }
    return attrs.evolve(
        network,
        subnets=tuple(_subnet_v1(item) for item in fields.children("Subnets")),
        policies=(*_v1_policies(fields, NETWORK_TYPES), *_member_policies(fields)),
        mac_ranges=_mac_ranges(fields, "MacPools"),
        dns=_v1_dns(fields),
        given=given,
    )


def _member_policies(fields: Members) -> tuple[Policy, ...]:
    """Turn members of v1 into the policies that v2 has for them."""
    policies = [
        make_policy(kind, {member: fields.text(name)})
        for name, kind, member in (
            ("NetworkAdapterName", "NetAdapterName", "NetworkAdapterName"),
            ("SourceMac", "SourceMacAddress", "SourceMacAddress"),
            ("ManagementIP", "ProviderAddress", "ProviderAddress"),
            ("DrMacAddress", "DrMacAddress", "Address"),
        )
        if fields.text(name)
    ]
    if fields.flag("AutomaticDNS"):
        policies.append(make_policy("AutomaticDNS", {"Enable": True}))
    policies += [
        make_policy(
            "VSwitchExtension",
            {"ExtensionID": item.text("Id"), "Enable": item.flag("IsEnabled")},
        )
        for item in fields.children("Extensions")
    ]
    return tuple(policies)


def _subnet_v1(fields: Members) -> Subnet:
    prefix = _prefix(fields.text("AddressPrefix"))
    gateway = fields.text("GatewayAddress")
    routes: tuple[Route, ...] = ()
    if gateway:
        routes = (
            Route(
                prefix="::/0" if ":" in gateway else "0.0.0.0/0",
                next_hop=gateway,
            ),
        )
    return Subnet(
        **_given_id(fields),
        prefix=prefix,
        routes=routes,
        policies=_v1_policies(fields, SUBNET_TYPES),
        ip_subnets=read_ip_subnets(fields),
        flags=fields.number("Flags", most=_MOST_FLAGS) or 0,
    )


# -- endpoints --------------------------------------------------------------


def read_endpoint(text: str | None) -> Endpoint:
    """
    Read an endpoint of either generation.

    Raises:
        Refusal: The document is not valid.
    """
    fields = Members.parse(text)
    v2 = is_v2(fields, _ENDPOINT_V1, _ENDPOINT_V2, usual=False)
    mac = fields.text("MacAddress")
    endpoint = Endpoint(
        id=fields.guid("ID"),
        name=fields.text("Name"),
        mac=mac,
        flags=fields.number("Flags", most=_MOST_FLAGS) or 0,
    )
    if mac:
        as_mac(mac)
    return (_endpoint_v2 if v2 else _endpoint_v1)(fields, endpoint)


def _endpoint_v2(fields: Members, endpoint: Endpoint) -> Endpoint:

    return attrs.evolve(
        endpoint,
        network=fields.guid("HostComputeNetwork"),
        addresses=tuple(
            Address(
                address=item.text("IpAddress"),
                prefix_length=item.number("PrefixLength", most=128) or -1,
                ip_subnet=item.guid("IpSubnetId"),
            )
            for item in fields.children("IpConfigurations")
        ),
        routes=tuple(read_route(item) for item in fields.children("Routes")),
        policies=read_policies(fields, ENDPOINT_TYPES),
        dns=read_dns(fields.child("Dns")),
    )


#: v1's truth values, and the flags that v2 has for them.
V1_FLAGS = (
    ("IsRemoteEndpoint", 1),
    ("DisableICC", 2),
    ("EnableLowMetric", 8),
    ("EnableLowInterfaceMetric", 8),
)


def _endpoint_v1(fields: Members, endpoint: Endpoint) -> Endpoint:

    flags = endpoint.flags
    for name, bit in V1_FLAGS:
        if fields.flag(name):
            flags |= bit
    policies = _v1_policies(fields, ENDPOINT_TYPES)
    overhead = fields.number("EncapOverhead", most=_MOST_PORT)
    if overhead and all(policy.type != "EncapOverhead" for policy in policies):
        policies += (make_policy("EncapOverhead", {"Overhead": overhead}),)
    return attrs.evolve(
        endpoint,
        name=endpoint.name or "Ethernet",
        network=fields.guid("VirtualNetwork"),
        flags=flags,
        addresses=_v1_addresses(fields),
        routes=tuple(
            Route(prefix=prefix, next_hop=fields.text(name))
            for name, prefix in (
                ("GatewayAddress", "0.0.0.0/0"),
                ("GatewayAddressV6", "::/0"),
            )
            if fields.text(name)
        ),
        policies=policies,
        dns=_v1_dns(fields),
        internal_dns=fields.flag("EnableInternalDNS"),
    )


def _v1_addresses(fields: Members) -> tuple[Address, ...]:
    return tuple(
        Address(
            address=fields.text(name),
            prefix_length=fields.number(length, most=128) or -1,
            ip_subnet=fields.guid("IPSubnetId") if name == "IPAddress" else "",
        )
        for name, length in (
            ("IPAddress", "PrefixLength"),
            ("IPv6Address", "IPv6PrefixLength"),
        )
        if fields.text(name)
    )


def v1_endpoint_members(text: str | None) -> Members:
    """
    Give the members of a partial endpoint of v1, checked to be known.

    Raises:
        Refusal: One is unknown.
    """
    fields = Members.parse(text)
    fields.only((*_COMMON, *_ENDPOINT_V1))
    return fields


def v1_network_members(text: str | None) -> Members:
    """
    Give the members of a partial network of v1, checked to be known.

    Raises:
        Refusal: One is unknown.
    """
    fields = Members.parse(text)
    fields.only((*_COMMON, *_NETWORK_V1))
    return fields


def read_v1_policies(fields: Members, known: tuple[str, ...]) -> tuple[Policy, ...]:
    """
    Read the policies of an object of v1.

    Raises:
        Refusal: One is not valid.
    """
    return _v1_policies(fields, known)


# -- namespaces, load balancers, routes -------------------------------------


def read_namespace(text: str | None) -> Namespace:
    """
    Read a namespace of either generation.

    Raises:
        Refusal: The document is not valid.
    """
    fields = Members.parse_optional(text)
    v2 = is_v2(fields, _NAMESPACE_V1, _NAMESPACE_V2, usual=True)
    if not v2:
        default = fields.flag("IsDefault")
        return Namespace(
            id=fields.guid("ID"), type="HostDefault" if default else "Host"
        )
    kind = fields.choice("Type", _NAMESPACE_TYPE_WORDS, *NAMESPACE_TYPE_NAMES)
    if kind and kind not in NAMESPACE_TYPE_NAMES:
        fields.refuse("Type")
    return Namespace(
        id=fields.guid("ID"),
        type=kind or "Host",
        number=fields.number("NamespaceId", most=_MOST_FLAGS) or 0,
        compartment=fields.guid("NamespaceGuid") or new_id(),
        given={"CreateWithCompartment": True}
        if fields.flag("CreateWithCompartment")
        else {},
    )


def read_load_balancer(text: str | None) -> LoadBalancer:
    """
    Read a load balancer of v2.

    Raises:
        Refusal: The document is not valid.
    """
    fields = Members.parse(text)
    fields.only((*_COMMON, *_BALANCER_V2))
    return LoadBalancer(
        id=fields.guid("ID"),
        endpoints=fields.texts("HostComputeEndpoints"),
        frontends=fields.texts("FrontendVIPs"),
        source=fields.text("SourceVIP"),
        ports=tuple(_balanced(item) for item in fields.children("PortMappings")),
        flags=fields.number("Flags", most=_MOST_FLAGS) or 0,
        network=fields.guid("HostComputeNetwork"),
    )


def _balanced(fields: Members) -> BalancedPort:
    words = {"tcp": "6", "udp": "17"}
    protocol = fields.choice("Protocol", words, *map(str, range(257)))
    return BalancedPort(
        protocol=int(protocol) if protocol.isdecimal() else 6,
        internal=fields.number("InternalPort", most=_MOST_PORT) or 0,
        external=fields.number("ExternalPort", most=_MOST_PORT) or 0,
        distribution=fields.number("DistributionType", most=2) or 0,
        flags=fields.number("Flags", most=_MOST_FLAGS) or 0,
    )


def read_sdn_route(text: str | None) -> SdnRoute:
    """
    Read an SDN route of v2.

    Raises:
        Refusal: The document is not valid.
    """
    fields = Members.parse(text)
    fields.only((*_COMMON, *_ROUTE_V2))
    settings = fields.children("Setting") or fields.children("Routes")
    return SdnRoute(
        id=fields.guid("ID"),
        endpoints=fields.texts("HostComputeEndpoints"),
        routes=tuple(make_policy("SDNRoute", item.members()) for item in settings),
    )


def read_policy_list(text: str | None) -> LoadBalancer | SdnRoute:
    """
    Read a policy list of v1: what v2 calls a load balancer or a route.

    Raises:
        Refusal: The document is not valid.
    """
    fields = Members.parse(text)
    fields.only((*_COMMON, *_BALANCER_V1, "HostComputeNetwork"))
    endpoints = tuple(_reference(item) for item in fields.texts("References"))
    policies = fields.children("Policies")
    kinds = {item.text("Type").upper() for item in policies}
    if kinds == {"ROUTE"}:
        return SdnRoute(
            id=fields.guid("ID"),
            endpoints=endpoints,
            routes=tuple(read_v1_policy(item, ("SDNRoute",)) for item in policies),
        )
    if kinds != {"ELB"}:
        raise refuse(
            HResult.HCN_E_INVALID_POLICY_TYPE
            if kinds
            else HResult.HCN_E_INVALID_POLICY,
            "A policy list holds policies of type ELB, or of type ROUTE.",
        )
    first = policies[0]
    return LoadBalancer(
        id=fields.guid("ID"),
        endpoints=endpoints,
        frontends=first.texts("VIPs"),
        source=first.text("SourceVIP"),
        ports=tuple(_elb(item) for item in policies),
        flags=1 if first.flag("IsDSR") else 0,
    )


def _elb(fields: Members) -> BalancedPort:
    port = _balanced(fields)
    says_nothing = not any(
        fields.number(name, most=_MOST_PORT)
        for name in ("Protocol", "InternalPort", "ExternalPort")
    )
    if says_nothing and fields.texts("VIPs"):
        # Swarm's services inside a cluster: whatever comes for the address.
        port = attrs.evolve(port, protocol=_ANY_PROTOCOL)
    return attrs.evolve(port, flags=1) if fields.flag("ILB") else port


def _reference(text: str) -> str:
    """
    Take the id out of ``/endpoints/<id>``.

    Raises:
        Refusal: It is no such reference.
    """
    head, _, endpoint = text.rpartition("/")
    if head.strip("/").lower() != "endpoints" or not endpoint:
        raise refuse(
            HResult.HCN_E_INVALID_JSON_REFERENCE,
            f"{text!a} is no reference of the form /endpoints/<id>.",
        )
    return endpoint
