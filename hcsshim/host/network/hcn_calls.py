"""The calls of computenetwork: from handles and documents to rules, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hcsshim.host.network import rendering_v1 as v1
from hcsshim.host.network import rendering_v2 as v2
from hcsshim.host.network.guests import Reservation
from hcsshim.host.network.members import NO_GUID, as_guid
from hcsshim.host.network.model import (
    Endpoint,
    LoadBalancer,
    Namespace,
    Network,
    SdnRoute,
)
from hcsshim.host.network.queries import find, read_query
from hcsshim.host.network.reading import (
    read_endpoint,
    read_load_balancer,
    read_namespace,
    read_network,
    read_sdn_route,
)
from hcsshim.host.network.refusals import refuse
from hcsshim.host.results import Refusal
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hcsshim.host.fields import JSON
    from hcsshim.host.network.core import Core
    from hcsshim.host.network.model import Object
    from hcsshim.host.network.service import NetworkService
    from hcsshim.host.serving.session import Call

    HcnHandler = Callable[[Call, NetworkService], None]


class ObjectHandle:
    """
    A handle of an object. It does not keep the object, which may be deleted by its id.

    Args:
        kind: ``"Network"``, ``"Endpoint"``, ...
        object_id: Of the object.
    """

    __slots__ = ("id", "kind")

    def __init__(self, kind: str, object_id: str) -> None:
        self.kind = kind
        self.id = object_id

    def hold(self) -> None:
        """Do nothing."""

    def release(self) -> None:
        """Do nothing."""


class Registration:
    """
    Somebody's wish to be notified.

    Args:
        call: The one that made it.
        service: Where it is registered.
        only: Id of the one object that it is about; ``""`` for all.
    """

    __slots__ = ("_handle", "_service", "_session")

    def __init__(self, call: Call, service: NetworkService, only: str = "") -> None:
        self._session = call.session
        self._handle = call.made()
        self._service = service
        service.core.notices.register(self._tell, only)

    def _tell(self, kind: int, data: str) -> None:
        self._session.notify(self._handle, kind, 0, data)

    def hold(self) -> None:
        """Do nothing: there is one handle of it."""

    def release(self) -> None:
        """Tell nothing any more."""
        self._service.core.notices.unregister(self._tell)


def _dump(value: JSON) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _id(call: Call, index: int) -> str:
    """Give an id among the arguments; ``""`` for that of zeros."""
    text = call.text(index)
    if not text:
        return ""
    found = as_guid(text)
    return "" if found == NO_GUID else found


def _handle(call: Call, kind: str, index: int = 0) -> str:
    """Give the id of the object that a handle is of."""
    target = call.target(index)
    if not isinstance(target, ObjectHandle) or target.kind != kind:
        raise refuse(HResult.ERROR_INVALID_HANDLE)
    return target.id


def _live(call: Call, table: Mapping[str, object], kind: str) -> str:
    """Give the id of a handle's object, which must still be there."""
    found = _handle(call, kind)
    if found not in table:
        raise refuse(
            HResult.HCN_E_OBJECT_USED_AFTER_UNLOAD, f"{kind} {found} was deleted."
        )
    return found


def _give(call: Call, kind: str, object_id: str) -> None:
    call.answer()
    call.session.complete(call.made(), ObjectHandle(kind, object_id))


def _enumerate(cls: type[Object]) -> HcnHandler:
    def handler(call: Call, service: NetworkService) -> None:
        found = find(service.core, cls, read_query(call.text(0)))
        call.answer(0, _dump([item.id for item in found]))

    return handler


def _table(core: Core, kind: str) -> Mapping[str, Object]:
    tables: dict[str, Mapping[str, Object]] = {
        "Network": core.networks,
        "Endpoint": core.endpoints,
        "Namespace": core.namespaces,
        "LoadBalancer": core.balancers,
        "SdnRoute": core.routes,
    }
    return tables[kind]


def _find(core: Core, kind: str, object_id: str) -> Object:
    finders: dict[str, Callable[[str], Object]] = {
        "Network": core.network,
        "Endpoint": core.endpoint,
        "Namespace": core.namespace,
        "LoadBalancer": core.balancer,
        "SdnRoute": core.route,
    }
    return finders[kind](object_id)


def _open(kind: str) -> HcnHandler:
    def handler(call: Call, service: NetworkService) -> None:
        found = _find(service.core, kind, _id(call, 0))
        _give(call, kind, found.id)

    return handler


def _query(kind: str) -> HcnHandler:
    def handler(call: Call, service: NetworkService) -> None:
        query = read_query(call.text(1))
        table = _table(service.core, kind)
        item = table[_live(call, table, kind)]
        call.answer(0, _dump(document_of(item, service.core, v2_form=query.v2)))

    return handler


def document_of(  # noqa: PLR0911 - one for each class and generation
    item: Object, core: Core, *, v2_form: bool
) -> dict[str, JSON]:
    """
    Write an object.

    Args:
        item: The object.
        core: All of them.
        v2_form: In the form of v2; else in that of v1.
    """
    if isinstance(item, Network):
        if v2_form:
            return v2.network_document(item, len(core.members[item.id]))
        return v1.network_document(item, core)
    if isinstance(item, Endpoint):
        return (
            v2.endpoint_document(item) if v2_form else v1.endpoint_document(item, core)
        )
    if isinstance(item, Namespace):
        return v2.namespace_document(item) if v2_form else v1.namespace_document(item)
    if v2_form and isinstance(item, LoadBalancer):
        return v2.load_balancer_document(item)
    if v2_form and isinstance(item, SdnRoute):
        return v2.sdn_route_document(item)
    return v1.policy_list_document(item)


def _close(call: Call, _service: NetworkService) -> None:
    call.session.close_handle(call.number(0))
    call.answer()


# -- by kind ----------------------------------------------------------------


def _create_network(call: Call, service: NetworkService) -> None:
    made = service.networks.create(read_network(call.text(1)), _id(call, 0))
    _give(call, "Network", made.id)


def _create_endpoint(call: Call, service: NetworkService) -> None:
    network = _handle(call, "Network")
    draft = read_endpoint(call.text(2))
    made = service.endpoints.create(network, draft, _id(call, 1))
    _give(call, "Endpoint", made.id)


def _create_namespace(call: Call, service: NetworkService) -> None:
    made = service.namespaces.create(read_namespace(call.text(1)), _id(call, 0))
    _give(call, "Namespace", made.id)


def _create_balancer(call: Call, service: NetworkService) -> None:
    made = service.balancers.create(read_load_balancer(call.text(1)), _id(call, 0))
    _give(call, "LoadBalancer", made.id)


def _create_route(call: Call, service: NetworkService) -> None:
    made = service.balancers.create_route(read_sdn_route(call.text(1)), _id(call, 0))
    _give(call, "SdnRoute", made.id)


def _modify_network(call: Call, service: NetworkService) -> None:
    found = _live(call, service.core.networks, "Network")
    service.networks.modify(found, call.text(1))
    call.answer()


def _modify_endpoint(call: Call, service: NetworkService) -> None:
    found = _live(call, service.core.endpoints, "Endpoint")
    service.endpoints.modify(found, call.text(1))
    call.answer()


def _modify_namespace(call: Call, service: NetworkService) -> None:
    found = _live(call, service.core.namespaces, "Namespace")
    service.namespaces.modify(found, call.text(1))
    call.answer()


def _modify_balancer(call: Call, service: NetworkService) -> None:
    found = _live(call, service.core.balancers, "LoadBalancer")
    service.balancers.modify(found, call.text(1))
    call.answer()


def _modify_route(call: Call, service: NetworkService) -> None:
    found = _live(call, service.core.routes, "SdnRoute")
    service.balancers.modify_route(found, read_sdn_route(call.text(1)))
    call.answer()


def _delete(kind: str) -> HcnHandler:
    def handler(call: Call, service: NetworkService) -> None:
        found = _id(call, 0)
        verbs: dict[str, Callable[[str], None]] = {
            "Network": service.networks.delete,
            "Endpoint": service.endpoints.delete,
            "Namespace": service.namespaces.delete,
            "LoadBalancer": service.balancers.delete,
            "SdnRoute": service.balancers.delete_route,
            "GuestNetworkService": service.guests.delete,
        }
        verbs[kind](found)
        call.answer()

    return handler


def statistics_document(endpoint: Endpoint, core: Core) -> dict[str, JSON]:
    """Write the traffic of an endpoint, zeros before it was attached."""
    counters = core.datapath.counters(endpoint.id)
    return {
        "BytesReceived": counters.bytes_received,
        "BytesSent": counters.bytes_sent,
        "DroppedPacketsIncoming": counters.dropped_incoming,
        "DroppedPacketsOutgoing": counters.dropped_outgoing,
        "EndpointId": endpoint.id.upper(),
        "InstanceId": endpoint.activity.upper(),
        "PacketsReceived": counters.packets_received,
        "PacketsSent": counters.packets_sent,
    }


def _query_statistics(call: Call, service: NetworkService) -> None:
    core = service.core
    endpoint = core.endpoints[_live(call, core.endpoints, "Endpoint")]
    call.answer(0, _dump(statistics_document(endpoint, core)))


def _query_addresses(call: Call, service: NetworkService) -> None:
    core = service.core
    endpoint = core.endpoints[_live(call, core.endpoints, "Endpoint")]
    call.answer(0, _dump(addresses_document(endpoint)))


def addresses_document(endpoint: Endpoint) -> list[JSON]:
    """Write the addresses of an endpoint."""
    return [
        {"IPAddress": item.address, "PrefixLength": item.prefix_length}
        for item in endpoint.addresses
    ]


# -- guest network services -------------------------------------------------

_GUEST = "GuestNetworkService"


def _enumerate_guests(call: Call, service: NetworkService) -> None:
    call.answer(0, _dump(list(service.core.guests)))


def _create_guest(call: Call, service: NetworkService) -> None:
    made = service.guests.create(call.text(1), _id(call, 0))
    _give(call, _GUEST, made.id)


def _open_guest(call: Call, service: NetworkService) -> None:
    _give(call, _GUEST, service.guests.find(_id(call, 0)).id)


def _modify_guest(call: Call, service: NetworkService) -> None:
    service.guests.modify(_live(call, service.core.guests, _GUEST), call.text(1))
    call.answer()


def _query_guest(call: Call, service: NetworkService) -> None:
    guest = service.core.guests[_live(call, service.core.guests, _GUEST)]
    call.answer(0, _dump({**guest.settings, "ID": guest.id, "State": guest.state}))


def _reserve_port(call: Call, service: NetworkService) -> None:
    _live(call, service.core.guests, _GUEST)
    made = service.guests.reserve(call.number(1), call.number(2), call.number(3))
    call.answer()
    call.session.complete(call.made(), made)


def _reserve_range(call: Call, service: NetworkService) -> None:
    _live(call, service.core.guests, _GUEST)
    count = call.number(1)
    made, first = service.guests.reserve_range(count)
    call.answer(0, _dump({"startingPort": first, "endingPort": first + count}))
    call.session.complete(call.made(), made)


def _release_reservation(call: Call, service: NetworkService) -> None:
    if not isinstance(call.target(), Reservation):
        raise refuse(HResult.ERROR_INVALID_HANDLE)
    _close(call, service)


def _enumerate_reservations(call: Call, service: NetworkService) -> None:
    entries: list[JSON] = [{**entry} for entry in service.guests.entries()]
    call.answer(0, _dump({"count": len(entries), "entries": entries}))


# -- notifications, the service itself --------------------------------------


def _register(call: Call, service: NetworkService) -> None:
    registration = Registration(call, service)
    call.answer()
    call.session.complete(call.made(), registration)


def _register_for(kind: str) -> HcnHandler:
    def handler(call: Call, service: NetworkService) -> None:
        registration = Registration(call, service, _handle(call, kind))
        call.answer()
        call.session.complete(call.made(), registration)

    return handler


def _unregister(call: Call, service: NetworkService) -> None:
    if not isinstance(call.target(), Registration):
        raise refuse(HResult.ERROR_INVALID_HANDLE)
    _close(call, service)


def _query_features(call: Call, _service: NetworkService) -> None:
    call.answer(0, _dump({"Version": {"Major": v1.MAJOR, "Minor": v1.MINOR}}))


def _query_metrics(call: Call, service: NetworkService) -> None:
    core = service.core
    call.answer(
        0,
        _dump(
            {
                "Networks": len(core.networks),
                "Endpoints": len(core.endpoints),
                "Namespaces": len(core.namespaces),
                "LoadBalancers": len(core.balancers),
                "SdnRoutes": len(core.routes),
            }
        ),
    )


_KINDS: dict[str, type[Object]] = {
    "Network": Network,
    "Endpoint": Endpoint,
    "Namespace": Namespace,
    "LoadBalancer": LoadBalancer,
    "SdnRoute": SdnRoute,
}

HANDLERS: dict[str, HcnHandler] = {
    "HcnCreateNetwork": _create_network,
    "HcnCreateEndpoint": _create_endpoint,
    "HcnCreateNamespace": _create_namespace,
    "HcnCreateLoadBalancer": _create_balancer,
    "HcnCreateSdnRoute": _create_route,
    "HcnModifyNetwork": _modify_network,
    "HcnModifyEndpoint": _modify_endpoint,
    "HcnModifyNamespace": _modify_namespace,
    "HcnModifyLoadBalancer": _modify_balancer,
    "HcnModifySdnRoute": _modify_route,
    "HcnQueryEndpointStats": _query_statistics,
    "HcnQueryEndpointAddresses": _query_addresses,
    "HcnEnumerateGuestNetworkServices": _enumerate_guests,
    "HcnCreateGuestNetworkService": _create_guest,
    "HcnOpenGuestNetworkService": _open_guest,
    "HcnModifyGuestNetworkService": _modify_guest,
    "HcnQueryGuestNetworkServiceProperties": _query_guest,
    "HcnDeleteGuestNetworkService": _delete(_GUEST),
    "HcnCloseGuestNetworkService": _close,
    "HcnReserveGuestNetworkServicePort": _reserve_port,
    "HcnReserveGuestNetworkServicePortRange": _reserve_range,
    "HcnReleaseGuestNetworkServicePortReservationHandle": _release_reservation,
    "HcnEnumerateGuestNetworkPortReservations": _enumerate_reservations,
    "HcnRegisterServiceCallback": _register,
    "HcnUnregisterServiceCallback": _unregister,
    "HcnRegisterNetworkCallback": _register_for("Network"),
    "HcnUnregisterNetworkCallback": _unregister,
    "HcnRegisterGuestNetworkServiceCallback": _register_for(_GUEST),
    "HcnUnregisterGuestNetworkServiceCallback": _unregister,
    "HcnQueryFeatures": _query_features,
    "HcnQueryMetrics": _query_metrics,
}
for _kind, _cls in _KINDS.items():
    HANDLERS[f"HcnEnumerate{_kind}s"] = _enumerate(_cls)
    HANDLERS[f"HcnOpen{_kind}"] = _open(_kind)
    HANDLERS[f"HcnQuery{_kind}Properties"] = _query(_kind)
    HANDLERS[f"HcnDelete{_kind}"] = _delete(_kind)
    HANDLERS[f"HcnClose{_kind}"] = _close


def carry_out(call: Call, service: NetworkService) -> None:
    """
    Carry out a call of computenetwork.

    Raises:
        Refusal: It fails, with an error record.
    """
    if service.core.stopping:
        raise refuse(HResult.HCN_E_MANAGER_STOPPED)
    try:
        HANDLERS[call.row.name](call, service)
    except Refusal as refusal:
        if '"ErrorCode"' in refusal.document:
            raise
        raise refuse(refusal.hresult) from None
