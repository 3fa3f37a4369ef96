"""Objects as documents of v1: ids in upper case, policies flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim.host.network.extensions import EXTENSIONS
from hcsshim.host.network.members import mac_text
from hcsshim.host.network.model import State
from hcsshim.host.network.translation import v1_policy

if TYPE_CHECKING:
    from hcsshim.host.fields import JSON
    from hcsshim.host.network.core import Core
    from hcsshim.host.network.model import (
        Endpoint,
        Health,
        LoadBalancer,
        Namespace,
        Network,
        SdnRoute,
        Subnet,
    )

#: Of this host, as HNS counts them.
MAJOR, MINOR = 15, 4
_VERSION = MAJOR << 32 | MINOR
_SWITCHED = ("L2Bridge", "L2Tunnel", "Overlay")
_VFP = "f74f241b-440f-4433-bb28-00f89ead20d8"
_CAPTURE = "430bdadd-bab0-41ab-a369-94b67fa5be0a"

#: Policies that v1 has members for.
_OF_MEMBERS = {
    "NetAdapterName": ("NetworkAdapterName", "NetworkAdapterName"),
    "SourceMacAddress": ("SourceMac", "SourceMacAddress"),
    "ProviderAddress": ("ManagementIP", "ProviderAddress"),
    "DrMacAddress": ("DrMacAddress", "Address"),
    "AutomaticDNS": ("AutomaticDNS", "Enable"),
}


def _health(health: Health) -> dict[str, JSON]:
    document: dict[str, JSON] = {
        "LastErrorCode": health.error,
        "LastUpdateTime": health.updated,
    }
    if health.detail:
        document["Detail"] = health.detail
    return document


def _common(activity: str, health: Health) -> dict[str, JSON]:
    return {
        "ActivityId": activity.upper(),
        "AdditionalParams": {},
        "Health": _health(health),
        "Version": _VERSION,
    }


def _resources(
    activity: str, health: Health, *, parent: str = "", tags: tuple[str, ...] = ()
) -> dict[str, JSON]:
    document: dict[str, JSON] = {
        "AdditionalParams": {},
        "AllocationOrder": len(tags),
        "Allocators": [
            {
                "AdditionalParams": {},
                "AllocationOrder": order,
                "Health": _health(health),
                "State": 3,
                "Tag": tag,
            }
            for order, tag in enumerate(tags)
        ],
        "CompartmentOperationTime": 0,
        "Flags": 0,
        "Health": _health(health),
        "ID": activity.upper(),
        "PortOperationTime": 0,
        "State": 1,
        "SwitchOperationTime": 0,
        "VfpOperationTime": 0,
    }
    if parent:
        document["parentId"] = parent.upper()
    return document


def _subnet(subnet: Subnet, health: Health) -> dict[str, JSON]:
    document: dict[str, JSON] = {
        "AdditionalParams": {},
        "AddressPrefix": subnet.prefix,
        "Flags": subnet.flags,
        "Health": _health(health),
        "ID": subnet.id.upper(),
        "IpSubnets": [
            {
                "AdditionalParams": {},
                "Flags": part.flags,
                "Health": _health(health),
                "ID": part.id.upper(),
                "IpAddressPrefix": part.prefix,
                "ObjectType": 6,
                "Policies": [],
                "State": 0,
            }
            for part in subnet.ip_subnets
        ],
        "ObjectType": 5,
        "Policies": [v1_policy(policy) for policy in subnet.policies],
        "State": 0,
    }
    gateway = next(
        (route.next_hop for route in subnet.routes if route.prefix.endswith("/0")), ""
    )
    if gateway:
        document["GatewayAddress"] = gateway
    return document


def network_document(network: Network, core: Core) -> dict[str, JSON]:
    """Write a network."""
    counts = core.counts[network.id]
    policies = [
        v1_policy(policy)
        for policy in network.policies
        if policy.type not in _OF_MEMBERS and policy.type != "VSwitchExtension"
    ]
    if network.vlan:
        policies.append({"Type": "VLAN", "VLAN": network.vlan})
    document = _common(network.activity, network.health)
    document |= {
        "CurrentEndpointCount": len(core.members[network.id]),
        "Extensions": _extensions(network),
        "Flags": network.flags,
        "ID": network.id.upper(),
        "IPv6": any(":" in subnet.prefix for subnet in network.subnets),
        "LayeredOn": network.layer.upper(),
        "MacPools": [
            {
                "EndMacAddress": mac_text(found.last),
                "StartMacAddress": mac_text(found.first),
            }
            for found in network.mac_ranges
        ],
        "MaxConcurrentEndpoints": counts.most,
        "Name": network.name,
        "Policies": list(policies),
        "Resources": _resources(
            network.activity,
            network.health,
            parent=network.parent,
            tags=_tags(network.type),
        ),
        "State": State.BROKEN if network.health.error else State.CREATED,
        "Subnets": [_subnet(subnet, network.health) for subnet in network.subnets],
        "SwitchGuid": network.switch.upper(),
        "SwitchName": network.adapter or network.name,
        "TotalEndpoints": counts.total,
        "Type": network.spelled or network.type,
        **network.given,
    }
    for policy in network.policies:
        if policy.type in _OF_MEMBERS:
            name, member = _OF_MEMBERS[policy.type]
            document[name] = policy.settings.get(member)
    if network.owner:
        document["Owner"] = network.owner
    if network.dns.search:
        document["DNSSuffix"] = ",".join(network.dns.search)
    if network.dns.servers:
        document["DNSServerList"] = ",".join(network.dns.servers)
    if network.type in ("NAT", "ICS"):
        document["NatName"] = f"{network.type}{network.switch.upper()}"
    return document


def _tags(kind: str) -> tuple[str, ...]:
    return ("Host Vnic", kind) if kind in ("NAT", "ICS") else ("Host Vnic",)


def _extensions(network: Network) -> list[JSON]:
    enabled = {_CAPTURE}
    if network.type in _SWITCHED:
        enabled.add(_VFP)
    for policy in network.policies:
        if policy.type == "VSwitchExtension":
            found = str(policy.settings.get("ExtensionID", "")).lower().strip("{}")
            if policy.settings.get("Enable") is True:
                enabled.add(found)
            else:
                enabled.discard(found)
    return [
        {"Id": found.upper(), "IsEnabled": found in enabled, "Name": name}
        for found, name in EXTENSIONS.items()
    ]


def endpoint_document(endpoint: Endpoint, core: Core) -> dict[str, JSON]:
    """Write an endpoint."""
    network = core.networks[endpoint.network]
    document = _common(endpoint.activity, endpoint.health)
    document |= {
        "CreateProcessingStartTime": endpoint.made,
        "EncapOverhead": 0,
        "Flags": endpoint.flags,
        "ID": endpoint.id.upper(),
        "MacAddress": endpoint.mac,
        "Name": endpoint.name,
        "Policies": [v1_policy(policy) for policy in endpoint.policies],
        "Resources": _resources(endpoint.activity, endpoint.health),
        "SharedContainers": [found for found in endpoint.systems if found != "host"],
        "StartTime": endpoint.made,
        "State": endpoint.state,
        "Type": network.spelled or network.type,
        "VirtualNetwork": endpoint.network.upper(),
        "VirtualNetworkName": network.name,
        **endpoint.given,
    }
    for item in endpoint.addresses:
        if ":" in item.address:
            document.setdefault("IPv6Address", item.address)
            document.setdefault("IPv6PrefixLength", item.prefix_length)
        elif "IPAddress" not in document:
            document["IPAddress"] = item.address
            document["PrefixLength"] = item.prefix_length
            if item.ip_subnet:
                document["IPSubnetId"] = item.ip_subnet.upper()
    for route in endpoint.routes:
        if route.prefix.endswith("/0") and route.next_hop:
            name = "GatewayAddressV6" if ":" in route.prefix else "GatewayAddress"
            document.setdefault(name, route.next_hop)
    _add_dns(document, endpoint)
    _add_flags(document, endpoint)
    for policy in endpoint.policies:
        if policy.type == "EncapOverhead":
            document["EncapOverhead"] = policy.settings.get("Overhead", 0)
    if endpoint.namespace:
        document["Namespace"] = {"ID": endpoint.namespace.upper()}
    return document


def _add_dns(document: dict[str, JSON], endpoint: Endpoint) -> None:
    dns = endpoint.dns
    if dns.servers:
        document["DNSServerList"] = ",".join(dns.servers)
    if dns.search:
        document["DNSSuffix"] = ",".join(dns.search)
    if dns.domain:
        document["DNSDomain"] = dns.domain
    if endpoint.internal_dns:
        document["EnableInternalDNS"] = True


def _add_flags(document: dict[str, JSON], endpoint: Endpoint) -> None:
    for name, bit in (
        ("IsRemoteEndpoint", 1),
        ("DisableICC", 2),
        ("EnableLowInterfaceMetric", 8),
    ):
        if endpoint.flags & bit:
            document[name] = True


def namespace_document(space: Namespace) -> dict[str, JSON]:
    """Write a namespace."""
    document = _common(space.activity, space.health)
    document |= {
        "CompartmentGuid": space.compartment.upper(),
        "CompartmentId": space.number,
        "Containers": list(space.containers),
        "Flags": 0,
        "ID": space.id.upper(),
        "IsDefault": space.type in ("HostDefault", "GuestDefault"),
        "Policies": [],
        "ResourceList": [
            {"Type": "Endpoint", "Data": {"Id": found.upper()}}
            for found in space.endpoints
        ],
        "Resources": _resources(space.activity, space.health),
        "State": 1,
    }
    return document


def policy_list_document(item: LoadBalancer | SdnRoute) -> dict[str, JSON]:
    """Write a load balancer or a route."""
    document = _common(item.activity, item.health)
    broken = getattr(item, "degraded", False)
    document |= {
        "Flags": 0,
        "ID": item.id.upper(),
        "IsApplied": False,
        "Policies": _list_policies(item),
        "References": [f"/endpoints/{found}" for found in item.endpoints],
        "Resources": _resources(item.activity, item.health),
        "State": State.BROKEN if broken else State.APPLIED,
    }
    return document


def _list_policies(item: LoadBalancer | SdnRoute) -> list[JSON]:
    from hcsshim.host.network.model import SdnRoute  # noqa: PLC0415 - for the type

    if isinstance(item, SdnRoute):
        return [v1_policy(policy) for policy in item.routes]
    return [
        {
            "Type": "ELB",
            **({"VIPs": list(item.frontends)} if item.frontends else {}),
            **({"SourceVIP": item.source} if item.source else {}),
            "Protocol": port.protocol,
            "InternalPort": port.internal,
            "ExternalPort": port.external,
            "ILB": bool(port.flags & 1),
            "IsDSR": bool(item.flags & 1),
        }
        for port in item.ports
    ]
