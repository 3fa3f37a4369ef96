"""
Policies of v1, flat and with other names, to those of v2 and back.

What has no counterpart keeps its name, and its settings stand beside ``Type``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim.host.network.policies import canonical_type, make_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hcsshim.host.fields import JSON
    from hcsshim.host.network.members import Members
    from hcsshim.host.network.model import Policy

_TO_V2 = {
    "nat": "PortMapping",
    "route": "SDNRoute",
    "pa": "ProviderAddress",
    "proxy": "L4Proxy",
}
_TO_V1 = {v2: v1.upper() for v1, v2 in _TO_V2.items()}
_MEMBERS_TO_V2: dict[str, dict[str, str]] = {
    "OutBoundNAT": {"vip": "VirtualIP", "exceptionlist": "Exceptions"},
    "L4Proxy": {"exceptionlist": "Exceptions", "outboundnat": "OutboundNAT"},
    "ProviderAddress": {"pa": "ProviderAddress"},
    "ACL": {
        "protocol": "Protocols",
        "localport": "LocalPorts",
        "remoteport": "RemotePorts",
    },
    "VLAN": {"vlan": "IsolationId"},
    "VSID": {"vsid": "IsolationId"},
}
_MEMBERS_TO_V1: dict[str, dict[str, str]] = {
    "OutBoundNAT": {"VirtualIP": "VIP", "Exceptions": "ExceptionList"},
    "L4Proxy": {"Exceptions": "ExceptionList", "OutboundNAT": "OutboundNat"},
    "ProviderAddress": {"ProviderAddress": "PA"},
    "VLAN": {"IsolationId": "VLAN"},
    "VSID": {"IsolationId": "VSID"},
}
_PROTOCOLS = {"tcp": 6, "udp": 17, "icmpv4": 1, "icmpv6": 58}
_PROTOCOL_NAMES = {6: "TCP", 17: "UDP", 1: "ICMPv4", 58: "ICMPv6"}
_LISTS = ("Protocols", "LocalPorts", "RemotePorts", "LocalAddresses", "RemoteAddresses")
_ANY_PROTOCOL = "256"
_RESERVED = 4


def read_v1_policy(fields: Members, known: Sequence[str]) -> Policy:
    """
    Read a policy of v1.

    Args:
        fields: Settings beside ``Type``; the form of v2 is taken too.
        known: The types of v2 that the object may have.

    Raises:
        Refusal: It is of another type, or its settings are not valid.
    """
    text = fields.text("Type")
    kind = canonical_type(_TO_V2.get(text.lower(), text), known)
    inner = fields.value("Settings")
    members = inner if isinstance(inner, dict) else fields.members()
    renamed = _MEMBERS_TO_V2.get(kind, {})
    settings: dict[str, JSON] = {}
    for name, value in members.items():
        if name.lower() == "type" and not isinstance(inner, dict):
            continue
        new = renamed.get(name.lower(), name)
        if new in _LISTS and isinstance(value, int):
            value = "" if value == 0 and new != "Protocols" else str(value)  # noqa: PLW2901
        if new not in settings or settings[new] in ("", None):
            settings[new] = value
    if kind == "PortMapping":
        _number_protocol(settings)
    return make_policy(kind, settings)


def _number_protocol(settings: dict[str, JSON]) -> None:
    """Turn a protocol's text into its number, and v1's reservation into a flag."""
    for name in list(settings):
        value = settings[name]
        if name.lower() == "protocol" and isinstance(value, str):
            settings[name] = _PROTOCOLS.get(value.lower(), 6 if not value else 0xFFFF)
        if name.lower() == "externalportreserved":
            del settings[name]
            if value is True:
                settings["Flags"] = _RESERVED


def v1_policy(policy: Policy) -> dict[str, JSON]:
    """Write a policy as v1 does."""
    renamed = _MEMBERS_TO_V1.get(policy.type, {})
    flat: dict[str, JSON] = {"Type": _TO_V1.get(policy.type, policy.type)}
    for name, value in policy.settings.items():
        flat[renamed.get(name, name)] = value
    if policy.type == "PortMapping":
        number = policy.settings.get("Protocol", 6)
        flat["Protocol"] = (
            _PROTOCOL_NAMES.get(number, number) if isinstance(number, int) else number
        )
        flags = flat.get("Flags")
        if isinstance(flags, int) and flags & _RESERVED:
            flat["ExternalPortReserved"] = True
            if flags == _RESERVED:
                del flat["Flags"]
    elif policy.type == "ACL":
        flat["Protocols"] = flat.get("Protocols") or _ANY_PROTOCOL
        flat.setdefault("Scope", 0)
    return flat


def v2_policy(policy: Policy) -> dict[str, JSON]:
    """Write a policy as v2 does."""
    return {"Type": policy.type, "Settings": policy.settings}
