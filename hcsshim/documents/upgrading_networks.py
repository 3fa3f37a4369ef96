"""From the networks and endpoints of HNS to those of HCN that mean the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs

from hcsshim.documents import hcn, hns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hcsshim.documents._document import JSON, Document

_VERSION = hcn.Version(major=2, minor=0)
_PROTOCOLS = {"tcp": 6, "udp": 17, "icmpv4": 1, "igmp": 2, "icmpv6": 58}


class Changed(NamedTuple):
    """The new document, and the JSON paths of what has no place in it."""

    document: Document
    left_out: tuple[str, ...]


def _left(document: Document, *done: str) -> list[str]:
    """Name the members that are set and were not used, unknown ones too."""
    fields = attrs.fields(type(document))
    found = [
        str(field.metadata["wire"])
        for field in fields
        if field.name not in ("extra", *done) and getattr(document, field.name)
    ]
    return [*found, *document.extra]


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _dns(domain: str | None, suffix: str | None, servers: str | None) -> hcn.Dns | None:
    """Suffixes are separated by commas there, and are a list here."""
    if not (domain or suffix or servers):
        return None
    return hcn.Dns(
        domain=domain or None, search=_words(suffix), server_list=_words(servers)
    )


def network(old: hns.HNSNetwork) -> Changed:
    """Turn a network into one of HCN."""
    left_out = _left(
        old,
        *("id", "name", "type", "mac_pools", "subnets", "policies"),
        *("dns_suffix", "dns_server_list", "network_adapter_name"),
    )
    policies = []
    if old.network_adapter_name:
        settings = hcn.NetAdapterNameNetworkPolicySetting(
            network_adapter_name=old.network_adapter_name
        )
        policies.append(hcn.NetworkPolicy(type="NetAdapterName", settings=settings))
    left_out += [f"Policies[{index}]" for index in range(len(old.policies))]
    subnets = []
    for index, subnet in enumerate(old.subnets):
        left_out += [
            f"Subnets[{index}].{name}"
            for name in _left(subnet, "address_prefix", "gateway_address")
        ]
        route = hcn.Route(
            next_hop=subnet.gateway_address, destination_prefix="0.0.0.0/0"
        )
        subnets.append(
            hcn.Subnet(
                ip_address_prefix=subnet.address_prefix,
                routes=(route,) if subnet.gateway_address else (),
            )
        )
    ranges = tuple(
        hcn.MacRange(
            start_mac_address=pool.start_mac_address,
            end_mac_address=pool.end_mac_address,
        )
        for pool in old.mac_pools
    )
    new = hcn.HostComputeNetwork(
        id=old.id or None,
        name=old.name or None,
        type=_type_of(old.type),
        policies=tuple(policies),
        mac_pool=hcn.MacPool(ranges=ranges) if ranges else None,
        dns=_dns(None, old.dns_suffix, old.dns_server_list),
        ipams=(hcn.Ipam(type="Static", subnets=tuple(subnets)),) if subnets else (),
        schema_version=_VERSION,
    )
    return Changed(new, tuple(left_out))


def _type_of(kind: str | None) -> str | None:
    """Spell the type of a network as HCN does; ``nat`` is ``NAT``."""
    if not kind:
        return None
    return next((str(t) for t in hcn.NetworkType if t.lower() == kind.lower()), kind)


def endpoint(old: hns.HNSEndpoint) -> Changed:
    """Turn an endpoint into one of HCN."""
    left_out = _left(
        old,
        *("id", "name", "virtual_network", "virtual_network_name", "policies"),
        *("mac_address", "ip_address", "ipv6_address", "prefix_length"),
        *("ipv6_prefix_length", "gateway_address", "gateway_address_v6"),
        *("dns_domain", "dns_suffix", "dns_server_list", "is_remote_endpoint"),
    )
    policies = []
    for index, raw in enumerate(old.policies):
        policy = _policy(raw) if isinstance(raw, dict) else None
        if policy is None:
            left_out.append(f"Policies[{index}]")
        else:
            policies.append(policy)
    addresses = (
        (old.ip_address, old.prefix_length),
        (old.ipv6_address, old.ipv6_prefix_length),
    )
    gateways = ((old.gateway_address, "0.0.0.0/0"), (old.gateway_address_v6, "::/0"))
    new = hcn.HostComputeEndpoint(
        id=old.id or None,
        name=old.name or None,
        host_compute_network=old.virtual_network or None,
        policies=tuple(policies),
        ip_configurations=tuple(
            hcn.IpConfig(ip_address=address, prefix_length=length or None)
            for address, length in addresses
            if address
        ),
        dns=_dns(old.dns_domain, old.dns_suffix, old.dns_server_list),
        routes=tuple(
            hcn.Route(next_hop=hop, destination_prefix=prefix)
            for hop, prefix in gateways
            if hop
        ),
        mac_address=old.mac_address or None,
        flags=hcn.EndpointFlags.REMOTE_ENDPOINT if old.is_remote_endpoint else None,
        schema_version=_VERSION,
    )
    return Changed(new, tuple(left_out))


def _policy(raw: Mapping[str, JSON]) -> hcn.EndpointPolicy | None:
    """Turn a policy into one of HCN; ``None`` for one that has no form there."""
    members = {name.casefold(): value for name, value in raw.items()}
    found = _POLICIES.get(str(members.pop("type", "")).casefold())
    if found is None:
        return None
    kind, names = found
    settings: dict[str, JSON] = {}
    for name, value in members.items():
        if name not in names:
            return None  # half a policy would be another policy
        if names[name]:
            settings[names[name]] = value
    protocol = settings.get("Protocol")
    if isinstance(protocol, str):
        settings["Protocol"] = _PROTOCOLS.get(protocol.casefold(), 0)
    return hcn.EndpointPolicy(type=kind, settings=settings)


def _same(*names: str) -> dict[str, str]:
    return {name.casefold(): name for name in names}


#: The type in HCN, and the new names of members; ``""`` for what means nothing there.
_POLICIES: dict[str, tuple[str, dict[str, str]]] = {
    "nat": (
        "PortMapping",
        {
            **_same("Protocol", "InternalPort", "ExternalPort"),
            "externalportreserved": "",
        },
    ),
    "acl": (
        "ACL",
        {
            **_same("Protocols", "Action", "Direction", "LocalAddresses"),
            **_same("RemoteAddresses", "LocalPorts", "RemotePorts"),
            **_same("RuleType", "Priority"),
        },
    ),
    "outboundnat": (
        "OutBoundNAT",
        {
            **_same("Destinations", "MaxPortPoolUsage"),
            "vip": "VirtualIP",
            "exceptionlist": "Exceptions",
        },
    ),
    "route": ("SDNRoute", _same("DestinationPrefix", "NextHop", "NeedEncap")),
    "pa": ("ProviderAddress", {"pa": "ProviderAddress"}),
    "qos": ("QOS", _same("MaximumOutgoingBandwidthInBytes")),
}

CONVERSIONS: dict[type[Document], Callable[..., Changed]] = {
    hns.HNSNetwork: network,
    hns.HNSEndpoint: endpoint,
}
