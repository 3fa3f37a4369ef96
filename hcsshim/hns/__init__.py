"""
Networks of the Host Networking Service, first generation (HNS).

It is one native call with methods, paths and JSON; the objects are those of
:mod:`hcsshim.hcn`. The names below are loaded when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself takes longer to import than all of this
if TYPE_CHECKING:
    from hcsshim.hns._async_service import (
        async_attach_endpoint_to_host,
        async_create_endpoint,
        async_create_network,
        async_create_policy_list,
        async_delete_endpoint,
        async_delete_network,
        async_delete_policy_list,
        async_detach_endpoint_from_host,
        async_endpoint_statistics,
        async_get_endpoint,
        async_get_network,
        async_get_network_named,
        async_hns_call,
        async_hns_globals,
        async_hot_attach_endpoint,
        async_hot_detach_endpoint,
        async_list_endpoints,
        async_list_namespaces,
        async_list_networks,
        async_list_policy_lists,
        async_management_macs,
        async_set_management_macs,
        async_update_endpoint,
    )
    from hcsshim.hns._service import (
        attach_endpoint_to_host,
        create_endpoint,
        create_network,
        create_policy_list,
        delete_endpoint,
        delete_network,
        delete_policy_list,
        detach_endpoint_from_host,
        endpoint_statistics,
        get_endpoint,
        get_network,
        get_network_named,
        hns_call,
        hns_globals,
        hot_attach_endpoint,
        hot_detach_endpoint,
        list_endpoints,
        list_namespaces,
        list_networks,
        list_policy_lists,
        management_macs,
        set_management_macs,
        update_endpoint,
    )

__all__ = (
    "async_attach_endpoint_to_host",
    "async_create_endpoint",
    "async_create_network",
    "async_create_policy_list",
    "async_delete_endpoint",
    "async_delete_network",
    "async_delete_policy_list",
    "async_detach_endpoint_from_host",
    "async_endpoint_statistics",
    "async_get_endpoint",
    "async_get_network",
    "async_get_network_named",
    "async_hns_call",
    "async_hns_globals",
    "async_hot_attach_endpoint",
    "async_hot_detach_endpoint",
    "async_list_endpoints",
    "async_list_namespaces",
    "async_list_networks",
    "async_list_policy_lists",
    "async_management_macs",
    "async_set_management_macs",
    "async_update_endpoint",
    "attach_endpoint_to_host",
    "create_endpoint",
    "create_network",
    "create_policy_list",
    "delete_endpoint",
    "delete_network",
    "delete_policy_list",
    "detach_endpoint_from_host",
    "endpoint_statistics",
    "get_endpoint",
    "get_network",
    "get_network_named",
    "hns_call",
    "hns_globals",
    "hot_attach_endpoint",
    "hot_detach_endpoint",
    "list_endpoints",
    "list_namespaces",
    "list_networks",
    "list_policy_lists",
    "management_macs",
    "set_management_macs",
    "update_endpoint",
)


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - costs nothing here

    if name not in __all__:
        raise AttributeError(f"module 'hcsshim.hns' has no attribute {name!r}")
    home = "_async_service" if name.startswith("async_") else "_service"
    value: object = getattr(import_module(f"hcsshim.hns.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
