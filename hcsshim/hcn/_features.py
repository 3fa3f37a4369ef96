"""
What a networking service can do, by its version.

A feature is there when the version lies in one of its ranges. A minor number counts
only in the major version that bounds the range.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from hcsshim.errors import NotSupportedError
from hcsshim.hresult import HResult

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hcsshim._native.port import Service
    from hcsshim.documents.hcn import SupportedFeatures

    Version = tuple[int, int]
    Range = tuple[Version, Version]

_END = 2**31 - 1
_OPEN = (_END, _END)


def _from(major: int, minor: int) -> Range:
    return (major, minor), _OPEN


def _within(major: int, minor: int) -> Range:
    return (major, minor), (major, _END)


#: The ranges of versions that have a feature.
FEATURES: dict[str, tuple[Range, ...]] = {
    "AclAddressLists": (_from(7, 2),),
    "AclPortRanges": (_from(7, 2),),
    "AclRuleId": (_from(7, 2),),
    "AclNoHostRulePriority": (_from(7, 2),),
    "V2": (_from(9, 2),),
    "RemoteSubnet": (_from(9, 2),),
    "HostRoute": (_from(9, 2),),
    "DSR": (_within(9, 3), _from(10, 2)),
    "Slash32EndpointPrefixes": (_within(9, 3), _from(10, 4)),
    "L4Proxy": (
        *(_within(9, 5), _within(10, 5), _within(11, 11), _within(12, 1)),
        _from(13, 1),
    ),
    "VxlanPort": (_from(10, 3),),
    "AclSupportForProtocol252": (_from(11, 0),),
    "IPv6DualStack": (_from(11, 10),),
    "SessionAffinity": (_from(12, 0),),
    "SetPolicy": (_from(13, 0),),
    "L4WfpProxy": (_from(13, 2),),
    "TierAcl": (_from(14, 0),),
    "NetworkACL": (_from(15, 0),),
    "NestedIpSet": (_from(15, 0),),
    "DisableHostPort": (_from(15, 1),),
    "ModifyLoadbalancer": (_from(15, 4),),
    "Accelnet": (_from(15, 4),),
}

#: The feature that a policy's type needs.
_OF_POLICIES = {
    "remotesubnetroute": "RemoteSubnet",
    "hostroute": "HostRoute",
    "vxlanport": "VxlanPort",
    "setpolicy": "SetPolicy",
    "l4proxy": "L4Proxy",
    "l4wfpproxy": "L4WfpProxy",
    "tieracl": "TierAcl",
    "networkacl": "NetworkACL",
}
_DISABLE_HOST_PORT = 1024
_DSR = 1
_SLASH_32 = 32

#: The version of each service that was asked, as long as it is connected.
versions: WeakKeyDictionary[Service, Version] = WeakKeyDictionary()


def in_range(version: Version, bounds: Range) -> bool:
    """Tell whether a version lies in a range, both ends included."""
    least, most = bounds
    if not least[0] <= version[0] <= most[0]:
        return False
    if version[0] == least[0] and version[1] < least[1]:
        return False
    return not (version[0] == most[0] and version[1] > most[1])


def is_supported(version: Version, feature: str) -> bool:
    """Tell whether a service of a version has a feature."""
    return any(in_range(version, bounds) for bounds in FEATURES[feature])


def require(version: Version, features: Iterable[str]) -> None:
    """
    Check that a service has features.

    Raises:
        NotSupportedError: It lacks one; the message has the version that brings it.
    """
    for feature in features:
        if is_supported(version, feature):
            continue
        least = FEATURES[feature][-1][0]
        raise NotSupportedError(
            HResult.ERROR_NOT_SUPPORTED,
            "HNSCall",
            message=f"{feature} needs version {least[0]}.{least[1]} of the networking "
            f"service; this one is {version[0]}.{version[1]}.",
        )


def needed(document: str) -> set[str]:
    """
    List the features that a document needs.

    Args:
        document: Of a network, endpoint, load balancer, or a modify request.
    """
    import json  # noqa: PLC0415 - keeps the import light

    try:
        found = json.loads(document)
    except ValueError:
        return set()  # the service will say what is wrong with it
    features: set[str] = set()
    if isinstance(found, dict):
        _collect(found, features)
    return features


def _collect(document: Mapping[str, object], features: set[str]) -> None:
    settings = document.get("Settings")
    for part in (document, settings if isinstance(settings, dict) else {}):
        policies = part.get("Policies")
        for policy in policies if isinstance(policies, list) else ():
            if isinstance(policy, dict):
                _of_policy(policy, features)
    flags = document.get("Flags")
    mappings = document.get("PortMappings")
    if isinstance(mappings, list):
        if isinstance(flags, int) and flags & _DSR:
            features.add("DSR")
        if any(isinstance(m, dict) and m.get("DistributionType") for m in mappings):
            features.add("SessionAffinity")
    elif isinstance(flags, int) and flags & _DISABLE_HOST_PORT and "Type" in document:
        features.add("DisableHostPort")
    addresses = document.get("IpConfigurations")
    for address in addresses if isinstance(addresses, list) else ():
        if isinstance(address, dict) and address.get("PrefixLength") == _SLASH_32:
            features.add("Slash32EndpointPrefixes")


def _of_policy(policy: Mapping[str, object], features: set[str]) -> None:
    kind = str(policy.get("Type", "")).lower()
    feature = _OF_POLICIES.get(kind)
    if feature:
        features.add(feature)
    settings = policy.get("Settings")
    if not isinstance(settings, dict):
        return
    if str(settings.get("PolicyType", "")).upper() == "NESTEDIPSET":
        features.add("NestedIpSet")
    protocols = str(settings.get("Protocols", "")).split(",")
    if kind == "acl" and "252" in map(str.strip, protocols):
        features.add("AclSupportForProtocol252")


def summary(version: Version) -> SupportedFeatures:
    """Write what a version can do, in the form of the reference."""
    from hcsshim.documents.hcn import (  # noqa: PLC0415 - loads the models
        AclFeatures,
        ApiSupport,
        SupportedFeatures,
    )

    def has(feature: str) -> bool:
        return is_supported(version, feature)

    return SupportedFeatures(
        acl=AclFeatures(
            acl_address_lists=has("AclAddressLists"),
            acl_host_rule_priority=has("AclNoHostRulePriority"),
            acl_port_ranges=has("AclPortRanges"),
            acl_rule_id=has("AclRuleId"),
        ),
        api=ApiSupport(v1=True, v2=has("V2")),
        remote_subnet=has("RemoteSubnet"),
        host_route=has("HostRoute"),
        dsr=has("DSR"),
        slash32_endpoint_prefixes=has("Slash32EndpointPrefixes"),
        acl_support_for_protocol252=has("AclSupportForProtocol252"),
        session_affinity=has("SessionAffinity"),
        ipv6_dual_stack=has("IPv6DualStack"),
        set_policy=has("SetPolicy"),
        vxlan_port=has("VxlanPort"),
        l4_proxy=has("L4Proxy"),
        l4_wfp_proxy=has("L4WfpProxy"),
        tier_acl=has("TierAcl"),
        network_acl=has("NetworkACL"),
        nested_ip_set=has("NestedIpSet"),
        disable_host_port=has("DisableHostPort"),
        modify_loadbalancer=has("ModifyLoadbalancer"),
        accelnet=has("Accelnet"),
    )
