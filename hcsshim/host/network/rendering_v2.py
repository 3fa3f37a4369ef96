"""Objects as documents of v2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim.host.network.members import NO_GUID, mac_text
from hcsshim.host.network.translation import v2_policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hcsshim.host.fields import JSON
    from hcsshim.host.network.model import (
        Dns,
        Endpoint,
        Health,
        LoadBalancer,
        Namespace,
        Network,
        Route,
        SdnRoute,
        Subnet,
    )

_SCHEMA: dict[str, JSON] = {"Major": 2, "Minor": 16}


def _routes(routes: Iterable[Route]) -> list[JSON]:
    return [
        {
            "NextHop": route.next_hop,
            "DestinationPrefix": route.prefix,
            **({"Metric": route.metric} if route.metric else {}),
        }
        for route in routes
    ]


def dns_document(dns: Dns) -> dict[str, JSON]:
    """Write the settings of name resolution; what is empty is left out."""
    document: dict[str, JSON] = {
        "Domain": dns.domain,
        "Search": list(dns.search),
        "ServerList": list(dns.servers),
        "Options": list(dns.options),
    }
    return {name: value for name, value in document.items() if value}


def _health(health: Health, extra: dict[str, JSON]) -> dict[str, JSON]:
    data: dict[str, JSON] = {
        "LastErrorCode": health.error,
        "LastUpdateTime": health.updated,
    }
    if health.detail:
        data["Detail"] = health.detail
    return {"Data": data, "Extra": extra}


def _subnet(subnet: Subnet) -> dict[str, JSON]:
    return {
        "ID": subnet.id,
        "IpAddressPrefix": subnet.prefix,
        "Policies": [v2_policy(policy) for policy in subnet.policies],
        "Routes": _routes(subnet.routes),
        "IpSubnets": [
            {"ID": part.id, "IpAddressPrefix": part.prefix, "Flags": part.flags}
            for part in subnet.ip_subnets
        ],
        "Flags": subnet.flags,
    }


def network_document(network: Network, endpoints: int) -> dict[str, JSON]:
    """
    Write a network.

    Args:
        network: The object.
        endpoints: How many it has.
    """
    return {
        "ID": network.id,
        **({"Owner": network.owner} if network.owner else {}),
        "Name": network.name,
        "Type": network.type,
        "Policies": [v2_policy(policy) for policy in network.policies],
        "MacPool": {
            "Ranges": [
                {
                    "StartMacAddress": mac_text(found.first),
                    "EndMacAddress": mac_text(found.last),
                }
                for found in network.mac_ranges
            ]
        },
        "Dns": dns_document(network.dns),
        "Ipams": [
            {
                "Type": network.ipam_type,
                "Subnets": [_subnet(subnet) for subnet in network.subnets],
            }
        ],
        "Flags": network.flags,
        "Health": _health(
            network.health,
            {
                "Resources": {"ID": network.activity, "parentId": network.parent},
                "LayeredOn": network.layer,
                "SwitchGuid": network.switch,
                "CurrentEndpointCount": endpoints,
            },
        ),
        "SchemaVersion": _SCHEMA,
    }


def endpoint_document(endpoint: Endpoint) -> dict[str, JSON]:
    """Write an endpoint."""
    extra: dict[str, JSON] = {
        "Resources": {"ID": endpoint.activity},
        "SharedContainers": [found for found in endpoint.systems if found != "host"],
    }
    machine = endpoint.port.get("VirtualMachineId")
    if machine:
        extra["VirtualMachine"] = machine
    return {
        "ID": endpoint.id,
        "Name": endpoint.name,
        "HostComputeNetwork": endpoint.network,
        "HostComputeNamespace": endpoint.namespace or NO_GUID,
        "Policies": [v2_policy(policy) for policy in endpoint.policies],
        "IpConfigurations": [
            {
                "IpAddress": item.address,
                "PrefixLength": item.prefix_length,
                **({"IpSubnetId": item.ip_subnet} if item.ip_subnet else {}),
            }
            for item in endpoint.addresses
        ],
        "Dns": dns_document(endpoint.dns),
        "Routes": _routes(endpoint.routes),
        "MacAddress": endpoint.mac,
        "Flags": endpoint.flags,
        "Health": _health(endpoint.health, extra),
        "SchemaVersion": _SCHEMA,
    }


def namespace_document(space: Namespace) -> dict[str, JSON]:
    """Write a namespace."""
    resources: list[JSON] = [
        {"Type": "Endpoint", "Data": {"Id": found}} for found in space.endpoints
    ]
    resources += [
        {"Type": "Container", "Data": {"Id": found}} for found in space.containers
    ]
    return {
        "ID": space.id,
        "NamespaceId": space.number,
        "NamespaceGuid": space.compartment,
        "Type": space.type,
        "Resources": resources,
        "Health": _health(space.health, {}),
        "SchemaVersion": _SCHEMA,
    }


def load_balancer_document(balancer: LoadBalancer) -> dict[str, JSON]:
    """Write a load balancer."""
    return {
        "ID": balancer.id,
        "HostComputeEndpoints": list(balancer.endpoints),
        **({"SourceVIP": balancer.source} if balancer.source else {}),
        "FrontendVIPs": list(balancer.frontends),
        "PortMappings": [
            {
                "Protocol": port.protocol,
                "InternalPort": port.internal,
                "ExternalPort": port.external,
                "DistributionType": port.distribution,
                "Flags": port.flags,
            }
            for port in balancer.ports
        ],
        **({"HostComputeNetwork": balancer.network} if balancer.network else {}),
        "Flags": balancer.flags,
        "State": 4 if balancer.degraded else 2,
        "Health": _health(balancer.health, {}),
        "SchemaVersion": _SCHEMA,
    }


def sdn_route_document(route: SdnRoute) -> dict[str, JSON]:
    """Write a route; its settings under both of their names."""
    settings: list[JSON] = [dict(policy.settings) for policy in route.routes]
    return {
        "ID": route.id,
        "HostComputeEndpoints": list(route.endpoints),
        "Setting": settings,
        "Routes": settings,
        "SchemaVersion": _SCHEMA,
    }
