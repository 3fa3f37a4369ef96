"""Handles and arguments of computenetwork, through the shim to the host."""

from __future__ import annotations

import json

import pytest

from hcsshim import HandleClosedError, InvalidDataError, hcn
from hcsshim._native import calls
from hcsshim._native.service import shared

pytestmark = pytest.mark.host

ROWS = {row.name: row for row in calls.table()}
ID = "5f0b1190-63be-4e0c-b974-bd0f55675a42"


def test_kinds_of_arguments_on_the_wire() -> None:
    """
    Ids cross as texts, short numbers as long ones, records not at all.
    """
    endpoint = ROWS["HcnCreateEndpoint"].wire_kinds
    port = ROWS["HcnReserveGuestNetworkServicePort"].wire_kinds

    assert endpoint == (calls.OBJECT, calls.TEXT, calls.TEXT, calls.OUT_OBJECT)
    assert port == (calls.OBJECT, *[calls.U32] * 3, calls.OUT_OBJECT)


def test_an_object_is_no_system(clean: object) -> None:
    """
    A handle of one kind is refused where another is wanted, before anything is sent.
    """
    service = shared()
    call = service.submit("HcnCreateNamespace", None, "{}")
    assert call.result(60).hresult == 0

    with pytest.raises(HandleClosedError):
        service.submit("HcsStartComputeSystem", call.handle, None)

    answer = service.submit("HcnQueryNamespaceProperties", call.handle, None).result(60)
    hcn.Namespace.delete_by_id(json.loads(answer.document or "")["ID"])
    service.send("HcnCloseNamespace", call.handle)
    assert clean is not None


@pytest.mark.parametrize(
    ("closing", "making"),
    [
        ("HcnCloseNamespace", ("HcnCreateNamespace", ID, "{}")),
        ("HcnUnregisterServiceCallback", ("HcnRegisterServiceCallback",)),
    ],
)
def test_closed_handles_are_stale(
    clean: object, closing: str, making: tuple[str, ...]
) -> None:
    """
    What closes or unregisters makes its handle stale at once, on this side.
    """
    service = shared()
    call = service.submit(*making)
    assert call.result(60).hresult == 0

    assert service.submit(closing, call.handle).result(60).hresult == 0

    with pytest.raises(HandleClosedError):
        service.submit(closing, call.handle)
    if making[0] == "HcnCreateNamespace":
        hcn.Namespace.delete_by_id(ID)
    assert clean is not None


def test_numbers_that_are_too_large(clean: object) -> None:
    """
    A port that does not fit 16 bits is refused, before anything is sent.
    """
    service = shared()
    call = service.submit("HcnCreateGuestNetworkService", ID, "{}")
    assert call.result(60).hresult == 0

    with pytest.raises(InvalidDataError):
        service.submit("HcnReserveGuestNetworkServicePort", call.handle, 1, 1, 65536)

    assert service.submit("HcnDeleteGuestNetworkService", ID).result(60).hresult == 0
    service.send("HcnCloseGuestNetworkService", call.handle)
    assert clean is not None


def test_service_goes_away(clean: object) -> None:
    """
    When the host ends, listeners get one last event, and then no more.
    """
    with hcn.NetworkEvents.listen() as events:
        clean.stop()  # type: ignore[attr-defined]  # a PrivateHost
        last = events.next(timeout=60)

        assert last is not None
        assert last.type == hcn.NetworkEventType.SERVICE_DISCONNECT
        assert last.last
        assert events.next(timeout=60) is None


def test_networks_survive_their_host(clean: object) -> None:
    """
    A network, its endpoints and their addresses are there again with the next host.
    """
    with hcn.Network.create({"Name": "kept", "Type": "Private"}) as network:
        spelled = network.id
        mac = network.create_endpoint({"Name": "e"})
        before = mac.properties()
        mac.close()
    clean.stop()  # type: ignore[attr-defined]  # a PrivateHost

    assert [found.name for found in hcn.Network.list()] == ["kept"]
    assert hcn.Endpoint.list() == (before,)
    hcn.Network.delete_by_id(spelled)
