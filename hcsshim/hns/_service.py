# Made by async_to_sync.py of hcsshim/hns/_async_service.py; do not edit.
"""The first generation of the networking service; the blocking face."""

from __future__ import annotations

from hcsshim.hcs._calls import as_json, write
from hcsshim.hcs._connection import connected
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds
from hcsshim.hns import _steps as steps

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Iterable

    from hcsshim._native.port import Service
    from hcsshim.documents.hns import (
        EndpointStats,
        HNSEndpoint,
        HNSGlobals,
        HNSNetwork,
        HNSNnvManagementMacList,
        Namespace,
        PolicyList,
    )
    from hcsshim.hcs._calls import DocumentLike


def hns_call(
    method: str,
    path: str,
    body: DocumentLike = "",
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> str:
    """
    Make a request of v1.

    Args:
        method: ``GET``, ``POST`` or ``DELETE``.
        path: ``/networks/<id>``.
        body: A model of :mod:`hcsshim.documents.hns`, a mapping, or JSON text.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Returns:
        The output as JSON text; ``""`` if there is none.

    Raises:
        HcsError: The subclass that the failure's code stands for.

    Source:
        ``HNSCall``.
    """
    text = body if isinstance(body, str) else as_json(body)
    limit = seconds(timeout, "SYSCALLWATCHER")
    return drive(steps.call(service or connected(), method, path, text, limit))


# -- networks ---------------------------------------------------------------


def list_networks(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> tuple[HNSNetwork, ...]:
    """
    List the networks, those of HCN too.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.
    """
    from hcsshim.documents import loads_list  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import HNSNetwork  # noqa: PLC0415 - as above

    text = hns_call("GET", "/networks/", timeout=timeout, service=service)
    return loads_list(HNSNetwork, text)


def get_network(
    network_id: str, *, timeout: float | None = DEFAULT, service: Service | None = None
) -> HNSNetwork:
    """
    Read a network.

    Args:
        network_id: Its id, in any case.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is none.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import HNSNetwork  # noqa: PLC0415 - as above

    path = f"/networks/{network_id}"
    text = hns_call("GET", path, timeout=timeout, service=service)
    return loads(HNSNetwork, text)


def get_network_named(
    name: str, *, timeout: float | None = DEFAULT, service: Service | None = None
) -> HNSNetwork:
    """
    Read the network of a name.

    Args:
        name: Exactly as it is.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is none.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import HNSNetwork  # noqa: PLC0415 - as above

    text = hns_call("GET", "/networks/", timeout=timeout, service=service)
    return loads(HNSNetwork, steps.found(text, "Network", name))


def create_network(
    network: DocumentLike,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> HNSNetwork:
    """
    Make a network.

    Args:
        network: ``HNSNetwork``, a mapping, or JSON text.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Returns:
        The network, filled in.

    Raises:
        AlreadyExistsError: The name is taken.
        InvalidDataError: The document is not valid.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import HNSNetwork  # noqa: PLC0415 - as above

    text = hns_call(
        "POST", "/networks/", as_json(network), timeout=timeout, service=service
    )
    return loads(HNSNetwork, text)


def delete_network(
    network_id: str, *, timeout: float | None = DEFAULT, service: Service | None = None
) -> None:
    """
    Delete a network, and its endpoints with it.

    Args:
        network_id: Its id, in any case.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is none.
    """
    path = f"/networks/{network_id}"
    hns_call("DELETE", path, timeout=timeout, service=service)


# -- endpoints --------------------------------------------------------------


def list_endpoints(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> tuple[HNSEndpoint, ...]:
    """
    List the endpoints, those of HCN too.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.
    """
    from hcsshim.documents import loads_list  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import HNSEndpoint  # noqa: PLC0415 - as above

    text = hns_call("GET", "/endpoints/", timeout=timeout, service=service)
    return loads_list(HNSEndpoint, text)


def get_endpoint(
    endpoint_id: str,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> HNSEndpoint:
    """
    Read an endpoint.

    Args:
        endpoint_id: Its id, in any case.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is none.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import HNSEndpoint  # noqa: PLC0415 - as above

    path = f"/endpoints/{endpoint_id}"
    text = hns_call("GET", path, timeout=timeout, service=service)
    return loads(HNSEndpoint, text)


def create_endpoint(
    endpoint: DocumentLike,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> HNSEndpoint:
    """
    Make an endpoint on the network that it names as ``VirtualNetwork``.

    Args:
        endpoint: ``HNSEndpoint``, a mapping, or JSON text.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Returns:
        The endpoint, filled in.

    Raises:
        NotFoundError: There is no such network.
        InvalidDataError: The document is not valid.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import HNSEndpoint  # noqa: PLC0415 - as above

    text = hns_call(
        "POST", "/endpoints/", as_json(endpoint), timeout=timeout, service=service
    )
    return loads(HNSEndpoint, text)


def update_endpoint(
    endpoint_id: str,
    changes: DocumentLike,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> HNSEndpoint:
    """
    Change an endpoint; what the document leaves out stays.

    Policies replace those of the types that are given.

    Args:
        endpoint_id: Its id, in any case.
        changes: Part of an ``HNSEndpoint``.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Returns:
        The changed endpoint.

    Raises:
        NotFoundError: There is none.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import HNSEndpoint  # noqa: PLC0415 - as above

    path = f"/endpoints/{endpoint_id}"
    text = hns_call("POST", path, as_json(changes), timeout=timeout, service=service)
    return loads(HNSEndpoint, text)


def delete_endpoint(
    endpoint_id: str,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Delete an endpoint, wherever it is attached.

    Args:
        endpoint_id: Its id, in any case.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is none.
    """
    path = f"/endpoints/{endpoint_id}"
    hns_call("DELETE", path, timeout=timeout, service=service)


def endpoint_statistics(
    endpoint_id: str,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> EndpointStats:
    """
    Count an endpoint's traffic; zeros before it was attached.

    Args:
        endpoint_id: Its id, in any case.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is none.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import EndpointStats  # noqa: PLC0415 - as above

    path = f"/endpointstats/{endpoint_id}"
    text = hns_call("GET", path, timeout=timeout, service=service)
    return loads(EndpointStats, text)


def attach_endpoint_to_host(
    endpoint_id: str,
    *,
    compartment: int = 1,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Give the machine itself an interface with the endpoint's address.

    Args:
        endpoint_id: Its id, in any case.
        compartment: Number of the network compartment.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        AlreadyExistsError: It is attached.
    """
    body = {"SystemType": "Host", "CompartmentId": compartment}
    path = f"/endpoints/{endpoint_id}/attach"
    hns_call("POST", path, write(body), timeout=timeout, service=service)


def detach_endpoint_from_host(
    endpoint_id: str,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Take the endpoint's interface away from the machine.

    Args:
        endpoint_id: Its id, in any case.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        InvalidStateError: It is not attached.
    """
    path = f"/endpoints/{endpoint_id}/detach"
    body = write({"SystemType": "Host"})
    hns_call("POST", path, body, timeout=timeout, service=service)


def hot_attach_endpoint(
    system_id: str,
    endpoint_id: str,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Give an endpoint to a running compute system; one that has it already keeps it.

    Args:
        system_id: Of the system.
        endpoint_id: Of the endpoint.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no such endpoint, or no such system runs.
    """
    endpoint = get_endpoint(endpoint_id, timeout=timeout, service=service)
    if system_id.lower() in (found.lower() for found in endpoint.shared_containers):
        return
    body = {"SystemType": "Container", "ContainerId": system_id}
    path = f"/endpoints/{endpoint_id}/attach"
    hns_call("POST", path, write(body), timeout=timeout, service=service)


def hot_detach_endpoint(
    system_id: str,
    endpoint_id: str,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Take an endpoint from a running compute system; one that has it not is done.

    Args:
        system_id: Of the system.
        endpoint_id: Of the endpoint.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no such endpoint.
    """
    endpoint = get_endpoint(endpoint_id, timeout=timeout, service=service)
    if system_id.lower() not in (found.lower() for found in endpoint.shared_containers):
        return
    body = {"SystemType": "Container", "ContainerId": system_id}
    path = f"/endpoints/{endpoint_id}/detach"
    hns_call("POST", path, write(body), timeout=timeout, service=service)


# -- policy lists -----------------------------------------------------------


def list_policy_lists(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> tuple[PolicyList, ...]:
    """
    List the policy lists: load balancers and routes, those of HCN too.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.
    """
    from hcsshim.documents import loads_list  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import PolicyList  # noqa: PLC0415 - as above

    text = hns_call("GET", "/policylists/", timeout=timeout, service=service)
    return loads_list(PolicyList, text)


def create_policy_list(
    endpoint_ids: Iterable[str],
    policies: Iterable[object],
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> PolicyList:
    """
    Make a policy list.

    Args:
        endpoint_ids: Of the endpoints that it is for.
        policies: ``ELBPolicy`` or ``RoutePolicy``, or mappings.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: An endpoint is not there.
        AlreadyExistsError: A frontend's port is taken.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import PolicyList  # noqa: PLC0415 - as above

    references = [f"/endpoints/{found}" for found in endpoint_ids]
    body = write({"References": references, "Policies": list(policies)})
    text = hns_call("POST", "/policylists/", body, timeout=timeout, service=service)
    return loads(PolicyList, text)


def delete_policy_list(
    list_id: str, *, timeout: float | None = DEFAULT, service: Service | None = None
) -> None:
    """
    Delete a policy list.

    Args:
        list_id: Its id, in any case.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is none.
    """
    path = f"/policylists/{list_id}"
    hns_call("DELETE", path, timeout=timeout, service=service)


# -- namespaces, the service ------------------------------------------------


def list_namespaces(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> tuple[Namespace, ...]:
    """
    List the namespaces, those of HCN too.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.
    """
    from hcsshim.documents import loads_list  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import Namespace  # noqa: PLC0415 - as above

    text = hns_call("GET", "/namespaces/", timeout=timeout, service=service)
    return loads_list(Namespace, text)


def hns_globals(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> HNSGlobals:
    """
    Give the version of the service.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import HNSGlobals, HNSVersion  # noqa: PLC0415

    text = hns_call("GET", "/globals/version", timeout=timeout, service=service)
    return HNSGlobals(version=loads(HNSVersion, text))


def management_macs(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> HNSNnvManagementMacList:
    """
    Give the machine's list of management MAC addresses.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import HNSNnvManagementMacList  # noqa: PLC0415

    text = hns_call("GET", "/accelnet/", timeout=timeout, service=service)
    return loads(HNSNnvManagementMacList, text)


def set_management_macs(
    macs: Iterable[str],
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> HNSNnvManagementMacList:
    """
    Replace the machine's list of management MAC addresses; none clears it.

    Args:
        macs: The addresses.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hns import HNSNnvManagementMacList  # noqa: PLC0415

    listed = [{"MacAddress": mac} for mac in macs]
    method, body = (
        ("POST", write({"MacAddressList": listed}))
        if listed
        else (
            "DELETE",
            "",
        )
    )
    text = hns_call(method, "/accelnet/", body, timeout=timeout, service=service)
    return loads(HNSNnvManagementMacList, text)
