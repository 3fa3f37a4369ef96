"""Modify requests of HCN, as the JSON texts that calls take."""

from __future__ import annotations

from hcsshim.hcs._calls import write

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from hcsshim.documents import Document

    #: A policy: a model of ``hcsshim.documents.hcn``, or ``{"Type", "Settings"}``.
    PolicyLike: TypeAlias = Document | Mapping[str, object]


def request(resource: str, verb: str, settings: object = None) -> str:
    """
    Write a modify request.

    Args:
        resource: ``"Policy"``, ``"Endpoint"``, ...
        verb: ``"Add"``, ``"Remove"``, ``"Update"``, ``"Refresh"``.
        settings: Models or plain values.
    """
    document: dict[str, object] = {"ResourceType": resource, "RequestType": verb}
    if settings is not None:
        document["Settings"] = settings
    return write(document)


def policies(verb: str, listed: Sequence[PolicyLike]) -> str:
    """Write a request about policies."""
    return request("Policy", verb, {"Policies": [as_policy(item) for item in listed]})


#: The type of policy that settings are for, by the names of their models.
_TYPES = {
    "PortMappingPolicySetting": "PortMapping",
    "AclPolicySetting": "ACL",
    "QosPolicySetting": "QOS",
    "OutboundNatPolicySetting": "OutBoundNAT",
    "SDNRoutePolicySetting": "SDNRoute",
    "L4ProxyPolicySetting": "L4Proxy",
    "L4WfpProxyPolicySetting": "L4WFPPROXY",
    "PortnameEndpointPolicySetting": "PortName",
    "EncapOverheadEndpointPolicySetting": "EncapOverhead",
    "IovPolicySetting": "Iov",
    "ProviderAddressEndpointPolicySetting": "ProviderAddress",
    "InterfaceConstraintPolicySetting": "InterfaceConstraint",
    "TierAclPolicySetting": "TierAcl",
    "SourceMacAddressNetworkPolicySetting": "SourceMacAddress",
    "NetAdapterNameNetworkPolicySetting": "NetAdapterName",
    "VSwitchExtensionNetworkPolicySetting": "VSwitchExtension",
    "DrMacAddressNetworkPolicySetting": "DrMacAddress",
    "AutomaticDNSNetworkPolicySetting": "AutomaticDNS",
    "ProviderAddressNetworkPolicySetting": "ProviderAddress",
    "RemoteSubnetRoutePolicySetting": "RemoteSubnetRoute",
    "VxlanPortPolicySetting": "VxlanPort",
    "SetPolicySetting": "SetPolicy",
    "LayerConstraintNetworkPolicySetting": "LayerConstraint",
    "NetworkACLPolicySetting": "NetworkACL",
    "VlanPolicySetting": "VLAN",
    "VsidPolicySetting": "VSID",
}


def as_policy(item: PolicyLike) -> object:
    """Give a policy as it is, or make one of bare settings."""
    kind = _TYPES.get(type(item).__name__)
    return item if kind is None else {"Type": kind, "Settings": item}
