"""
Networks of the Host Networking Service, second generation (HCN).

The names below are loaded when they are first used, so that importing the package
costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself takes longer to import than all of this
if TYPE_CHECKING:
    from hcsshim.hcn._async_balancer import AsyncLoadBalancer, AsyncRoute
    from hcsshim.hcn._async_endpoint import AsyncEndpoint
    from hcsshim.hcn._async_events import AsyncNetworkEvents
    from hcsshim.hcn._async_guest_network import AsyncGuestNetwork
    from hcsshim.hcn._async_namespace import AsyncNamespace
    from hcsshim.hcn._async_network import AsyncNetwork
    from hcsshim.hcn._async_service import (
        async_network_version,
        async_require_feature,
        async_supported_features,
    )
    from hcsshim.hcn._balancer import LoadBalancer, Route
    from hcsshim.hcn._endpoint import Endpoint
    from hcsshim.hcn._events import NetworkEvent, NetworkEventType
    from hcsshim.hcn._features import FEATURES
    from hcsshim.hcn._guest_network import GuestNetwork
    from hcsshim.hcn._guest_requests import GuestAdapter, GuestNetworkState, GuestOS
    from hcsshim.hcn._namespace import Namespace
    from hcsshim.hcn._network import Network
    from hcsshim.hcn._network_events import NetworkEvents
    from hcsshim.hcn._service import (
        network_version,
        require_feature,
        supported_features,
    )

#: Where each public name lives.
_HOMES = {
    "_async_balancer": ("AsyncLoadBalancer", "AsyncRoute"),
    "_async_endpoint": ("AsyncEndpoint",),
    "_async_events": ("AsyncNetworkEvents",),
    "_async_guest_network": ("AsyncGuestNetwork",),
    "_async_namespace": ("AsyncNamespace",),
    "_async_network": ("AsyncNetwork",),
    "_async_service": (
        "async_network_version",
        "async_require_feature",
        "async_supported_features",
    ),
    "_balancer": ("LoadBalancer", "Route"),
    "_endpoint": ("Endpoint",),
    "_events": ("NetworkEvent", "NetworkEventType"),
    "_features": ("FEATURES",),
    "_guest_network": ("GuestNetwork",),
    "_guest_requests": ("GuestAdapter", "GuestNetworkState", "GuestOS"),
    "_namespace": ("Namespace",),
    "_network": ("Network",),
    "_network_events": ("NetworkEvents",),
    "_service": ("network_version", "require_feature", "supported_features"),
}
_home_of = {name: home for home, names in _HOMES.items() for name in names}

__all__ = (
    "FEATURES",
    "AsyncEndpoint",
    "AsyncGuestNetwork",
    "AsyncLoadBalancer",
    "AsyncNamespace",
    "AsyncNetwork",
    "AsyncNetworkEvents",
    "AsyncRoute",
    "Endpoint",
    "GuestAdapter",
    "GuestNetwork",
    "GuestNetworkState",
    "GuestOS",
    "LoadBalancer",
    "Namespace",
    "Network",
    "NetworkEvent",
    "NetworkEventType",
    "NetworkEvents",
    "Route",
    "async_network_version",
    "async_require_feature",
    "async_supported_features",
    "network_version",
    "require_feature",
    "supported_features",
)


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - costs nothing here

    home = _home_of.get(name)
    if home is None:
        raise AttributeError(f"module 'hcsshim.hcn' has no attribute {name!r}")
    value: object = getattr(import_module(f"hcsshim.hcn.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
