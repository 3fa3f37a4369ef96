"""
Error records, as computenetwork writes them, and the refusal that carries one.

The texts are those of Windows, since clients compare them. What only we can know is
in a member that Windows does not have, ``Detail``.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quote

from hcsshim.host.results import TEXTS, Refusal
from hcsshim.hresult import HResult, message_of

#: Windows' descriptions of the codes of facility 0x3B, without the dot at their ends.
DESCRIPTIONS: dict[int, str] = {
    HResult.HCN_E_NETWORK_NOT_FOUND: "The network was not found",
    HResult.HCN_E_ENDPOINT_NOT_FOUND: "The endpoint was not found",
    HResult.HCN_E_LAYER_NOT_FOUND: "The network's underlying layer was not found",
    HResult.HCN_E_SWITCH_NOT_FOUND: "The virtual switch was not found",
    HResult.HCN_E_SUBNET_NOT_FOUND: "The network does not have a subnet for this "
    "endpoint",
    HResult.HCN_E_ADAPTER_NOT_FOUND: "An adapter was not found",
    HResult.HCN_E_PORT_NOT_FOUND: "The switch-port was not found",
    HResult.HCN_E_POLICY_NOT_FOUND: "An expected policy was not found",
    HResult.HCN_E_VFP_PORTSETTING_NOT_FOUND: "A required VFP port setting was not "
    "found",
    HResult.HCN_E_INVALID_NETWORK: "The provided network configuration is invalid or "
    "missing parameters",
    HResult.HCN_E_INVALID_NETWORK_TYPE: "Invalid network type",
    HResult.HCN_E_INVALID_ENDPOINT: "The provided endpoint configuration is invalid "
    "or missing parameters",
    HResult.HCN_E_INVALID_POLICY: "The provided policy configuration is invalid or "
    "missing parameters",
    HResult.HCN_E_INVALID_POLICY_TYPE: "Invalid policy type",
    HResult.HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION: "This requested operation is "
    "invalid for a remote endpoint",
    HResult.HCN_E_NETWORK_ALREADY_EXISTS: "A network with this name already exists",
    HResult.HCN_E_LAYER_ALREADY_EXISTS: "A network with this name already exists",
    HResult.HCN_E_POLICY_ALREADY_EXISTS: "Policy information already exists on this "
    "object",
    HResult.HCN_E_PORT_ALREADY_EXISTS: "The specified port already exists",
    HResult.HCN_E_ENDPOINT_ALREADY_ATTACHED: "This endpoint is already attached to "
    "the switch",
    HResult.HCN_E_REQUEST_UNSUPPORTED: "The specified request is unsupported",
    HResult.HCN_E_MAPPING_NOT_SUPPORTED: "Port mapping is not supported on the given "
    "network",
    HResult.HCN_E_DEGRADED_OPERATION: "There was an operation attempted on a degraded "
    "object",
    HResult.HCN_E_SHARED_SWITCH_MODIFICATION: "Cannot modify a switch shared by "
    "multiple networks",
    HResult.HCN_E_GUID_CONVERSION_FAILURE: "Failed to interpret a parameter as a GUID",
    HResult.HCN_E_REGKEY_FAILURE: "Failed to process registry key",
    HResult.HCN_E_INVALID_JSON: "Invalid JSON document string",
    HResult.HCN_E_INVALID_JSON_REFERENCE: "The reference is invalid in the JSON "
    "document",
    HResult.HCN_E_ENDPOINT_SHARING_DISABLED: "Endpoint sharing is disabled",
    HResult.HCN_E_INVALID_IP: "IP address is either invalid or not part of any "
    "configured subnet(s)",
    HResult.HCN_E_SWITCH_EXTENSION_NOT_FOUND: "The specified switch extension does "
    "not exist on this switch",
    HResult.HCN_E_MANAGER_STOPPED: "Operation cannot be performed while service is "
    "stopping",
    HResult.GCN_E_DEFAULTNAMESPACE_EXISTS: "Default Namespace already exists",
    HResult.HCN_E_ICS_DISABLED: "Internet Connection Sharing service (SharedAccess) "
    "is disabled and cannot be started",
    HResult.HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS: "This requested operation is "
    "invalid as endpoint is already part of a network namespace",
    HResult.HCN_E_ENTITY_HAS_REFERENCES: "The specified entity cannot be removed "
    "while it still has references",
    HResult.HCN_E_INVALID_INTERNAL_PORT: "The internal port must exist and cannot be "
    "zero",
    HResult.HCN_E_NAMESPACE_ATTACH_FAILED: "The requested operation for attach "
    "namespace failed",
    HResult.HCN_E_ADDR_INVALID_OR_RESERVED: "An address provided is invalid or "
    "reserved",
    HResult.HCN_E_INVALID_PREFIX: "The prefix provided is invalid",
    HResult.HCN_E_OBJECT_USED_AFTER_UNLOAD: "A call was performed against an object "
    "that was torn down",
    HResult.HCN_E_INVALID_SUBNET: "The provided subnet configuration is invalid or "
    "missing parameters",
    HResult.HCN_E_INVALID_IP_SUBNET: "The provided IP subnet configuration is invalid "
    "or missing parameters",
    HResult.HCN_E_ENDPOINT_NOT_ATTACHED: "The endpoint must be attached to complete "
    "the operation",
    HResult.HCN_E_ENDPOINT_NOT_LOCAL: "The endpoint must be local to complete the "
    "operation",
    HResult.HCN_INTERFACEPARAMETERS_ALREADY_APPLIED: "Cannot apply more than one "
    "InterfaceParameters policy",
    HResult.HCN_E_VFP_NOT_ALLOWED: "A network of this type can not be created because "
    "VFP is not available",
}

#: v1's text for an unknown network or endpoint, Win32 0x10D8.
NO_VALID_OBJECT = "The object identifier does not represent a valid object. "


def text_of(hresult: int) -> str:
    """Give Windows' text for a code, which ends with a dot and a blank."""
    found = DESCRIPTIONS.get(hresult) or TEXTS.get(hresult) or message_of(hresult)
    return f"{found.rstrip('. ')}. "


def refuse(hresult: int, detail: str = "", *, tail: str = "") -> Refusal:
    """
    Make a failure.

    Args:
        hresult: What the call returns.
        detail: What happened, in a sentence; ``""`` if the code says it all.
        tail: Behind Windows' text: ``"{{Name,UnknownField}}"``.
    """
    text = text_of(hresult) + tail
    more = f',"Detail":{quote(detail)}' if detail else ""
    return Refusal(
        hresult,
        f'{{"Success":false,"Error":{quote(text)},"ErrorCode":{hresult}{more}}}',
    )
