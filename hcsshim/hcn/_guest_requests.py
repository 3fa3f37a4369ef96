"""What the network of a utility VM is made with: states, requests, saved states."""

from __future__ import annotations

import enum
import json

import attrs

from hcsshim.errors import InvalidDataError

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Mapping

    from hcsshim.documents.hcn import HostComputeEndpoint

#: Of saved states; another one is refused.
_SAVED_VERSION = 1


class GuestOS(str, enum.Enum):
    """What runs in the utility VM."""

    LINUX = "Linux"
    WINDOWS = "Windows"


class GuestNetworkState(str, enum.Enum):
    """How far the network of a utility VM is."""

    #: Nothing was done yet.
    NOT_CONFIGURED = "NotConfigured"
    #: The guest has the adapters of all endpoints.
    CONFIGURED = "Configured"
    #: Something failed half-way; only taking down is left.
    INVALID = "Invalid"
    #: Taken down; nothing more can be done.
    TORN_DOWN = "TornDown"
    #: Loaded from a saved state; not bound to a VM.
    DESTINATION_MIGRATING = "DestinationMigrating"
    #: Saved, and frozen until the migration ends.
    SOURCE_MIGRATING = "SourceMigrating"


@attrs.frozen(kw_only=True)
class GuestAdapter:
    """
    What is kept of the endpoint behind an adapter of the VM.

    Args:
        endpoint_id: Of the endpoint.
        mac_address: Its hardware address.
        name: Its name.
    """

    endpoint_id: str
    mac_address: str = ""
    name: str = ""

    @property
    def settings(self) -> dict[str, object]:
        """The settings of the VM's device."""
        found = {"EndpointId": self.endpoint_id, "MacAddress": self.mac_address}
        return {name: value for name, value in found.items() if value}


@attrs.frozen(kw_only=True)
class SavedNetwork:
    """
    The network of a utility VM as one host hands it to another.

    Args:
        namespace_id: The namespace that the guest knows.
        guest_os: What runs in the VM.
        namespaces: Whether the guest was given the namespace.
        policy_based_routing: Whether Linux guests route by policy.
        adapters: By their ids.
    """

    namespace_id: str
    guest_os: GuestOS
    namespaces: bool
    policy_based_routing: bool
    adapters: Mapping[str, GuestAdapter]

    def dumps(self) -> str:
        """Write it."""
        return json.dumps(
            {
                "SchemaVersion": _SAVED_VERSION,
                "NamespaceId": self.namespace_id,
                "GuestOs": self.guest_os.value,
                "IsNamespaceSupportedByGuest": self.namespaces,
                "PolicyBasedRouting": self.policy_based_routing,
                "VmEndpoints": {
                    adapter_id: {
                        "EndpointId": adapter.endpoint_id,
                        "MacAddress": adapter.mac_address,
                        "EndpointName": adapter.name,
                    }
                    for adapter_id, adapter in self.adapters.items()
                },
            }
        )

    @classmethod
    def loads(cls, text: str) -> SavedNetwork:
        """
        Read what :meth:`dumps` wrote.

        Raises:
            InvalidDataError: It is not that, or of another version.
        """
        try:
            found = json.loads(text)
        except ValueError as error:
            raise _unreadable(f"is not JSON: {error}") from None
        if not isinstance(found, dict) or "SchemaVersion" not in found:
            raise _unreadable("is something else")
        version = found["SchemaVersion"]
        if version != _SAVED_VERSION:
            raise _unreadable(f"has version {version!r}, not {_SAVED_VERSION}")
        try:
            return cls(
                namespace_id=_text(found, "NamespaceId"),
                guest_os=GuestOS(found["GuestOs"]),
                namespaces=bool(found["IsNamespaceSupportedByGuest"]),
                policy_based_routing=bool(found["PolicyBasedRouting"]),
                adapters={
                    _adapter_id(adapter_id): GuestAdapter(
                        endpoint_id=_text(bound, "EndpointId"),
                        mac_address=str(bound.get("MacAddress", "")),
                        name=str(bound.get("EndpointName", "")),
                    )
                    for adapter_id, bound in found["VmEndpoints"].items()
                },
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _unreadable(f"lacks what belongs in it: {error}") from error


def _text(found: Mapping[str, object], name: str) -> str:
    value = found[name]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is {value!r}")
    return value


def _adapter_id(text: str) -> str:
    if not text:
        raise ValueError("an adapter has no id")
    return text


def _unreadable(why: str) -> InvalidDataError:
    return InvalidDataError(
        operation="GuestNetwork.load", message=f"The saved state {why}."
    )


def guest_request(verb: str, resource: str, settings: object) -> dict[str, object]:
    """
    Write a change that the guest makes.

    Args:
        verb: ``"Add"`` or ``"Remove"``.
        resource: ``"Network"`` or ``"NetworkNamespace"``.
        settings: A model, or plain values.
    """
    return {
        "GuestRequest": {
            "RequestType": verb,
            "ResourceType": resource,
            "Settings": settings,
        }
    }


def windows_adapter(
    adapter_id: str, verb: str, endpoint: HostComputeEndpoint | None = None
) -> dict[str, object]:
    """
    Write what a Windows guest is told of an adapter.

    Args:
        adapter_id: Of the adapter.
        verb: ``"PreAdd"``, which has the endpoint; then ``"Add"``, or ``"Remove"``.
        endpoint: Behind the adapter.
    """
    more = {} if endpoint is None else {"Settings": endpoint}
    return {"AdapterId": adapter_id, "RequestType": verb, **more}


def linux_adapter(
    adapter_id: str,
    namespace_id: str,
    endpoint: HostComputeEndpoint,
    *,
    policy_based_routing: bool,
) -> dict[str, object]:
    """
    Write what a Linux guest is told of an adapter; what is empty is left out.

    ``DNSSuffix`` becomes the guest's list of domains to search, in which the
    endpoint's own domain comes first.
    """
    dns = endpoint.dns
    domains = () if dns is None else (dns.domain or "", *dns.search)
    servers = () if dns is None else dns.server_list
    found: dict[str, object] = {
        "NamespaceID": namespace_id,
        "ID": adapter_id,
        "MacAddress": endpoint.mac_address,
        "DNSSuffix": _listed(domains),
        "DNSServerList": _listed(servers),
        "EncapOverhead": _overhead(endpoint),
        "IPConfigs": [
            _filled(IPAddress=config.ip_address, PrefixLength=config.prefix_length)
            for config in endpoint.ip_configurations
        ],
        "Routes": [
            _filled(
                NextHop=route.next_hop,
                DestinationPrefix=route.destination_prefix,
                Metric=route.metric,
            )
            for route in endpoint.routes
        ],
        "PolicyBasedRouting": policy_based_routing,
    }
    return _filled(**found)


def _filled(**found: object) -> dict[str, object]:
    return {name: value for name, value in found.items() if value}


def _listed(texts: tuple[str, ...]) -> str:
    return ",".join(text.lower() for text in texts if text)


def _overhead(endpoint: HostComputeEndpoint) -> int:
    """
    Give what encapsulation adds to each packet, in bytes.

    Raises:
        InvalidDataError: Its policy says no number.
    """
    from hcsshim.documents import dumps  # noqa: PLC0415 - loads the models

    for policy in endpoint.policies:
        if str(policy.type).lower() == "encapoverhead":
            settings = json.loads(dumps(policy)).get("Settings") or {}
            overhead = settings.get("Overhead", 0)
            if not isinstance(overhead, int):
                raise InvalidDataError(
                    operation="GuestNetwork.setup",
                    system_id=str(endpoint.id or ""),
                    message=f"The EncapOverhead of the endpoint is {overhead!r}, "
                    "not a number.",
                )
            return overhead
    return 0
