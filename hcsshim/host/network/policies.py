"""
Policies: which there are, what their settings must be, and when two are the same.

They are kept in the form of v2. Settings are matched in any case and get the spelling
of the schema; members that no rule knows are kept and given back.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from hcsshim.host.network.members import (
    SettingMembers,
    as_address,
    as_mac,
    as_prefix,
    plain,
)
from hcsshim.host.network.model import Policy
from hcsshim.host.network.refusals import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hcsshim.host.fields import JSON
    from hcsshim.host.network.members import Members

LEAST_VSID = 4096
MOST_VSID = 16777214
_MOST_PRIORITY = 65500
_MOST_PORT = 65535
_MOST_PROTOCOL = 256
_TEXTS = "texts with commas"

#: The members of settings, by type; the types that are missing keep theirs as they are.
_MEMBERS: dict[str, str] = {
    "PortMapping": "Protocol InternalPort ExternalPort VIP Flags",
    "ACL": "Id Protocols Action Direction LocalAddresses RemoteAddresses LocalPorts "
    "RemotePorts RuleType Priority Scope",
    "TierAcl": "Name Direction Order TierAclRules",
    "QOS": "MaximumOutgoingBandwidthInBytes",
    "OutBoundNAT": "VirtualIP Exceptions Destinations Flags MaxPortPoolUsage",
    "SDNRoute": "DestinationPrefix NextHop NeedEncap AutomaticEndpointMonitor",
    "L4Proxy": "IP Port Protocol Exceptions Destination OutboundNAT",
    "L4WFPPROXY": "InboundProxyPort OutboundProxyPort FilterTuple UserSID "
    "InboundExceptions OutboundExceptions",
    "ProviderAddress": "ProviderAddress",
    "PortName": "Name",
    "EncapOverhead": "Overhead",
    "Iov": "IovOffloadWeight QueuePairsRequested InterruptModeration",
    "NetAdapterName": "NetworkAdapterName",
    "SourceMacAddress": "SourceMacAddress",
    "DrMacAddress": "Address",
    "VSwitchExtension": "ExtensionID Enable",
    "AutomaticDNS": "Enable",
    "LayerConstraint": "LayerId",
    "RemoteSubnetRoute": "DestinationPrefix IsolationId ProviderAddress "
    "DistributedRouterMacAddress",
    "VxlanPort": "Port",
    "SetPolicy": "Id Name PolicyType Values",
    "NetworkACL": "Id Protocols Action Direction LocalAddresses RemoteAddresses "
    "LocalPorts RemotePorts RuleType Priority Scope",
    "VLAN": "IsolationId",
    "VSID": "IsolationId",
}
_SPELLING = {
    kind: {name.lower(): name for name in names.split()}
    for kind, names in _MEMBERS.items()
}
#: Names that v1 has for some, which clients also put into settings of v2.
_SPELLING["OutBoundNAT"].update(exceptionlist="Exceptions", vip="VirtualIP")
_SPELLING["L4Proxy"].update(exceptionlist="Exceptions")

ENDPOINT_TYPES = (
    *("PortMapping", "ACL", "QOS", "L2Driver", "OutBoundNAT", "SDNRoute"),
    *("L4Proxy", "PortName", "EncapOverhead", "Iov", "ProviderAddress"),
    *("InterfaceConstraint", "TierAcl", "L4WFPPROXY", "VLAN"),
    *("InterfaceParameters", "Encryption", "Firewall", "VSID"),
)
NETWORK_TYPES = (
    *("SourceMacAddress", "NetAdapterName", "VSwitchExtension", "DrMacAddress"),
    *("AutomaticDNS", "InterfaceConstraint", "ProviderAddress"),
    *("RemoteSubnetRoute", "VxlanPort", "HostRoute", "SetPolicy", "L4Proxy"),
    *("LayerConstraint", "NetworkACL", "NeighborDiscovery", "VLAN"),
    *("VSID", "Isolation", "VNET"),
)
SUBNET_TYPES = ("VLAN", "VSID", "Isolation", "VNET")
#: What an endpoint has once at most.
_SINGLE = frozenset(("L4WFPPROXY", "QOS", "EncapOverhead", "PortName", "Iov"))
PROXIES = frozenset(("L4Proxy", "L4WFPPROXY"))

#: What tells a policy of a network from others of its type; all settings otherwise.
_IDENTITY = {
    "RemoteSubnetRoute": ("DestinationPrefix", "IsolationId", "ProviderAddress"),
    "SetPolicy": ("Id",),
    "HostRoute": (),
    "L4Proxy": ("IP", "Port", "Protocol", "Destination"),
}


def canonical_type(text: str, known: Sequence[str]) -> str:
    """
    Give a type the spelling of the schema.

    Args:
        text: A name in any case, or a number, which counts ``known``.
        known: The types that the object may have.

    Raises:
        Refusal: It is none of them.
    """
    if text.isdecimal() and int(text) < len(known):
        return known[int(text)]
    for kind in known:
        if kind.lower() == text.lower():
            return kind
    raise refuse(
        HResult.HCN_E_INVALID_POLICY_TYPE,
        f"{text!a} is no type of policy that this object can have.",
    )


def _respelled(kind: str, settings: Members) -> dict[str, JSON]:
    """Give the settings their schema's spelling, without members that are null."""
    spelling = _SPELLING.get(kind, {})
    return {
        spelling.get(name.lower(), name): plain(value)
        for name, value in settings.members().items()
    }


def read_policy(fields: Members, known: Sequence[str]) -> Policy:
    """
    Read a policy of v2.

    Args:
        fields: ``{"Type": ..., "Settings": {...}}``.
        known: The types that the object may have.

    Raises:
        Refusal: It is of another type, or its settings are not valid.
    """
    value = fields.value("Type")
    kind = canonical_type(
        str(value) if isinstance(value, int) else fields.text("Type"), known
    )
    settings = fields.value("Settings")
    if settings is None:
        settings = {}
    if not isinstance(settings, dict):
        raise refuse(
            HResult.HCN_E_INVALID_POLICY, f"The settings of {kind} are no object."
        )
    return make_policy(kind, settings)


def make_policy(kind: str, settings: dict[str, JSON]) -> Policy:
    """
    Make a policy of settings, having checked them.

    Raises:
        Refusal: They are not valid.
    """
    members = SettingMembers(_respelled(kind, SettingMembers(settings, kind)), kind)
    check = _CHECKS.get(kind)
    if check is not None:
        check(members)
    return Policy(type=kind, settings=members.members())


def _invalid(message: str) -> None:
    raise refuse(HResult.HCN_E_INVALID_POLICY, message)


# -- checks, by type --------------------------------------------------------


def _check_port_mapping(settings: SettingMembers) -> None:
    settings.number("Protocol", most=_MOST_PROTOCOL)
    settings.number("ExternalPort", most=_MOST_PORT)
    settings.number("Flags", most=0xFFFFFFFF)
    if not settings.number("InternalPort", most=_MOST_PORT):
        raise refuse(
            HResult.HCN_E_INVALID_INTERNAL_PORT, "A port mapping has no InternalPort."
        )
    if settings.text("VIP"):
        as_address(settings.text("VIP"), HResult.HCN_E_INVALID_POLICY)


def check_addresses(words: Iterable[str], where: str) -> None:
    """
    Check that words are addresses, prefixes, or ids of sets.

    Raises:
        Refusal: One is none of these.
    """
    for word in words:
        if word.lower() == "any":
            _invalid(f"{where} cannot be {word!a}; leave it out for any address.")
        if not _is_prefix(word) and not _is_set_id(word):
            _invalid(f"{word!a} in {where} is no address, prefix or id of a set.")


def _is_prefix(word: str) -> bool:
    try:
        ip_network(word, strict=False)
    except ValueError:
        return False
    return True


def _is_set_id(word: str) -> bool:
    """Sets are named freely; what looks like an address gone wrong is none."""
    return bool(word) and not word.replace(".", "").replace("/", "").isdecimal()


def read_ports(words: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """
    Read ports and ranges of them.

    Raises:
        Refusal: One is none.
    """
    found = []
    for word in words:
        first, dash, last = (part.strip() for part in word.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()):
            _invalid(f"{word!a} is no port and no range of ports.")
        low, high = int(first), int(last if dash else first)
        if not low <= high <= _MOST_PORT:
            _invalid(f"{word!a} is no range of ports.")
        found.append((low, high))
    return tuple(found)


def read_protocols(words: Iterable[str]) -> tuple[int, ...]:
    """
    Read protocols, by number or name; none for any.

    Raises:
        Refusal: One is none.
    """
    found = []
    for word in words:
        number = {"tcp": 6, "udp": 17, "icmpv4": 1, "icmpv6": 58}.get(word.lower(), -1)
        if word.isdecimal():
            number = int(word)
        if not 0 <= number <= _MOST_PROTOCOL:
            _invalid(f"{word!a} is no protocol.")
        if number == _MOST_PROTOCOL:
            return ()
        found.append(number)
    return tuple(found)


def _check_tuple(settings: SettingMembers) -> None:
    read_protocols(settings.commas("Protocols"))
    for side in ("Local", "Remote"):
        check_addresses(settings.commas(f"{side}Addresses"), f"{side}Addresses")
        read_ports(settings.commas(f"{side}Ports"))
    settings.number("Priority", most=_MOST_PORT)


def _check_acl(settings: SettingMembers) -> None:
    for name, words, numbers in (
        ("Action", ("allow", "block", "pass"), ("Allow", "Block", "Pass")),
        ("Direction", ("in", "out"), ("In", "Out")),
    ):
        if settings.choice(name, {}, *numbers).lower() not in words:
            _invalid(f"An ACL must have one of {', '.join(words)} as its {name}.")
    if settings.choice("RuleType", {}, "Host", "Switch").lower() not in (
        *("", "host", "switch"),
    ):
        _invalid("The RuleType of an ACL is Host or Switch.")
    _check_tuple(settings)
    priority = settings.number("Priority", most=_MOST_PORT)
    if priority is not None and priority > _MOST_PRIORITY:
        _invalid(f"The Priority of an ACL is at most {_MOST_PRIORITY}.")


def _check_tier(settings: SettingMembers) -> None:
    if settings.choice("Direction", {}, "In", "Out").lower() not in ("in", "out"):
        _invalid("A TierAcl must have In or Out as its Direction.")
    settings.number("Order", most=_MOST_PORT)
    settings.text("Name")
    for rule in settings.children("TierAclRules"):
        action = rule.choice("TierAclRuleAction", {}, "Allow", "Block", "Pass")
        if action.lower() not in ("allow", "block", "pass"):
            _invalid("A rule of a tier must have Allow, Block or Pass as its action.")
        _check_tuple(rule)


def _check_outbound_nat(settings: SettingMembers) -> None:
    if settings.text("VirtualIP"):
        as_address(settings.text("VirtualIP"), HResult.HCN_E_INVALID_POLICY)
    for name in ("Exceptions", "Destinations"):
        for word in settings.texts(name):
            _check_exact_prefix(word, name)
    settings.number("Flags", most=0xFFFFFFFF)


def _check_exact_prefix(word: str, where: str) -> None:
    try:
        ip_network(word.strip())
    except ValueError:
        _invalid(f"{word!a} in {where} is no prefix, or has bits of a host.")


def _check_route(settings: SettingMembers) -> None:
    as_prefix(settings.text("DestinationPrefix"), HResult.HCN_E_INVALID_POLICY)
    if settings.text("NextHop"):
        as_address(settings.text("NextHop"), HResult.HCN_E_INVALID_POLICY)
    elif not settings.flag("NeedEncap"):
        _invalid("A route needs a NextHop, or NeedEncap.")


def _check_wfp_proxy(settings: SettingMembers) -> None:
    for name in ("InboundProxyPort", "OutboundProxyPort"):
        for word in settings.commas(name):
            read_ports((word,))
    _check_tuple(settings.child("FilterTuple"))
    for name in ("InboundExceptions", "OutboundExceptions"):
        exceptions = settings.child(name)
        check_addresses(exceptions.texts("IpAddressExceptions"), name)
        exceptions.commas("PortExceptions")


def _check_proxy(settings: SettingMembers) -> None:
    if settings.text("IP"):
        as_address(settings.text("IP"), HResult.HCN_E_INVALID_POLICY)
    read_ports(settings.commas("Port"))
    settings.texts("Exceptions")


def _check_qos(settings: SettingMembers) -> None:
    settings.number("MaximumOutgoingBandwidthInBytes", most=2**64 - 1)


def _check_overhead(settings: SettingMembers) -> None:
    settings.number("Overhead", most=_MOST_PORT)


def _check_remote_subnet(settings: SettingMembers) -> None:
    as_prefix(settings.text("DestinationPrefix"), HResult.HCN_E_INVALID_POLICY)
    settings.number("IsolationId", most=MOST_VSID)
    as_address(settings.text("ProviderAddress"), HResult.HCN_E_INVALID_POLICY)
    if settings.text("DistributedRouterMacAddress"):
        mac = settings.text("DistributedRouterMacAddress")
        as_mac(mac, HResult.HCN_E_INVALID_POLICY)


def _check_set(settings: SettingMembers) -> None:
    if not settings.text("Id"):
        _invalid("A set has no Id.")
    kind = settings.choice("PolicyType", {}, "IPSET", "NESTEDIPSET").upper()
    if kind not in ("", "IPSET", "NESTEDIPSET"):
        _invalid(f"{kind!a} is no type of set.")
    if kind != "NESTEDIPSET":
        for word in settings.commas("Values"):
            if not _is_prefix(word) and ":" not in word:
                _invalid(f"{word!a} is no member of a set.")


def _check_vxlan_port(settings: SettingMembers) -> None:
    if not settings.number("Port", most=_MOST_PORT):
        _invalid("VxlanPort has no Port.")


def _check_isolation(settings: SettingMembers) -> None:
    settings.number("IsolationId", most=MOST_VSID)


def _check_mac(settings: SettingMembers) -> None:
    for name in ("SourceMacAddress", "Address"):
        if settings.text(name):
            as_mac(settings.text(name), HResult.HCN_E_INVALID_POLICY)


def _check_text(settings: SettingMembers) -> None:
    for name in ("NetworkAdapterName", "LayerId", "ProviderAddress", "Name"):
        settings.text(name)


_CHECKS: dict[str, Callable[[SettingMembers], None]] = {
    "PortMapping": _check_port_mapping,
    "ACL": _check_acl,
    "NetworkACL": _check_acl,
    "TierAcl": _check_tier,
    "OutBoundNAT": _check_outbound_nat,
    "SDNRoute": _check_route,
    "L4WFPPROXY": _check_wfp_proxy,
    "L4Proxy": _check_proxy,
    "QOS": _check_qos,
    "EncapOverhead": _check_overhead,
    "RemoteSubnetRoute": _check_remote_subnet,
    "SetPolicy": _check_set,
    "VxlanPort": _check_vxlan_port,
    "VLAN": _check_isolation,
    "VSID": _check_isolation,
    "SourceMacAddress": _check_mac,
    "DrMacAddress": _check_mac,
    "NetAdapterName": _check_text,
    "LayerConstraint": _check_text,
    "ProviderAddress": _check_text,
    "PortName": _check_text,
}


# -- sameness ---------------------------------------------------------------


def _folded(value: JSON) -> JSON:
    return value.lower() if isinstance(value, str) else value


def same_policy(one: Policy, other: Policy) -> bool:
    """Tell whether two policies of a network are the same by what identifies them."""
    if one.type != other.type:
        return False
    names = _IDENTITY.get(one.type)
    if names is None:
        return one.settings == other.settings
    return all(
        _folded(one.settings.get(name)) == _folded(other.settings.get(name))
        for name in names
    )


def remove_policies(
    present: Sequence[Policy], unwanted: Sequence[Policy], *, by_type: bool = False
) -> tuple[Policy, ...]:
    """
    Take policies out.

    Args:
        present: Where from.
        unwanted: What shall go; each must be there.
        by_type: A proxy is the same as any other of its type.

    Raises:
        Refusal: One of them is not there.
    """
    left = list(present)
    for policy in unwanted:
        same = [
            found
            for found in left
            if same_policy(found, policy)
            or (by_type and policy.type == found.type and policy.type in _SINGLE)
        ]
        if not same:
            raise refuse(
                HResult.HCN_E_POLICY_NOT_FOUND,
                f"The object has no such policy of type {policy.type}.",
            )
        left.remove(same[0])
    return tuple(left)


def add_to_endpoint(
    present: Sequence[Policy], added: Sequence[Policy]
) -> tuple[Policy, ...]:
    """
    Append policies of an endpoint.

    Raises:
        Refusal: One may be there only once, and is.
    """
    policies = list(present)
    for policy in added:
        require_single(policies, policy)
        policies.append(policy)
    return tuple(policies)


def require_single(present: Iterable[Policy], policy: Policy) -> None:
    """
    Check that a policy which an endpoint has only once is not there yet.

    Raises:
        Refusal: It is.
    """
    if not any(found.type == policy.type for found in present):
        return
    if policy.type == "InterfaceParameters":
        raise refuse(HResult.HCN_INTERFACEPARAMETERS_ALREADY_APPLIED)
    if policy.type in _SINGLE:
        raise refuse(
            HResult.HCN_E_POLICY_ALREADY_EXISTS,
            f"The endpoint has a policy of type {policy.type}.",
        )


def update_policies(
    present: Sequence[Policy], listed: Sequence[Policy]
) -> tuple[Policy, ...]:
    """
    Replace the policies of the types that are listed; the others stay.

    An empty list clears the proxies.
    """
    types = {policy.type for policy in listed} or PROXIES
    kept = [policy for policy in present if policy.type not in types]
    return (*kept, *listed)
