"""Steps of network objects, on a service that follows a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hcsshim import HcsTimeoutError, NotFoundError, NotSupportedError
from hcsshim.documents.hcn import PersistedNamespaceConfig
from hcsshim.hcn import (
    FEATURES,
    Endpoint,
    LoadBalancer,
    Network,
    NetworkEvents,
    _features,
    _persisted,
    network_version,
    require_feature,
    supported_features,
)
from hcsshim.hcn._steps import filter_query

if TYPE_CHECKING:
    from hcs.conftest import ScriptedService

ID = "5f0b1190-63be-4e0c-b974-bd0f55675a42"


def version(service: ScriptedService, major: int, minor: int) -> None:
    """Let the service have a version."""
    output = {"Major": major, "Minor": minor}
    service.script("HNSCall", 0, {"Success": True, "Output": output})


def test_id_is_chosen_here(service: ScriptedService) -> None:
    """
    Without an id the library makes one, so nothing has to be asked.
    """
    with Network.create("{}", service=service) as network:
        (call,) = service.asked

    assert call == ("HcnCreateNetwork", network.id, "{}")


def test_id_of_the_document_is_used(service: ScriptedService) -> None:
    """
    A document's own id is the object's.
    """
    with Network.create({"ID": ID}, service=service) as network:
        assert network.id == ID


def test_giving_up_deletes_what_may_come(service: ScriptedService) -> None:
    """
    A creation that takes too long is closed, and deleted under its new id.
    """
    service.script("HcnCreateNetwork", None)

    with pytest.raises(HcsTimeoutError):
        Network.create("{}", timeout=0, service=service)

    assert service.names() == [
        *("HcnCreateNetwork", "HcnCloseNetwork", "HcnDeleteNetwork"),
    ]


def test_giving_up_spares_what_others_may_have(service: ScriptedService) -> None:
    """
    Under an id that the caller chose nothing is deleted: it may have been there.
    """
    service.script("HcnCreateNetwork", None)

    with pytest.raises(HcsTimeoutError):
        Network.create("{}", network_id=ID, timeout=0, service=service)

    assert "HcnDeleteNetwork" not in service.names()


def test_failure_closes_the_handle(service: ScriptedService) -> None:
    """
    A creation that fails leaves no handle behind, and deletes nothing.
    """
    service.script("HcnCreateNetwork", 0x803B0010)

    with pytest.raises(FileExistsError):
        Network.create("{}", service=service)

    assert service.names() == ["HcnCreateNetwork", "HcnCloseNetwork"]


def test_message_is_that_of_the_record(service: ScriptedService) -> None:
    """
    An error says what the record says, of Windows or in our own words.
    """
    record = {"Success": False, "Error": "Nope. ", "ErrorCode": 0x803B0001}
    for more, text in (({}, "Nope."), ({"Detail": "No network x."}, "No network x.")):
        service.script("HcnOpenNetwork", 0x803B0001, {**record, **more})
        with pytest.raises(NotFoundError, match=text) as raised:
            Network.open(ID, service=service)
        assert raised.value.message == text


def test_list_asks_for_all_at_once(service: ScriptedService) -> None:
    """
    Objects of a list are opened and asked before the first answer is awaited; one
    that is gone by then is left out.
    """
    service.script("HcnEnumerateEndpoints", 0, [ID, ID, ID])
    service.script("HcnOpenEndpoint", 0)
    service.script("HcnOpenEndpoint", 0x803B0002)
    service.script("HcnQueryEndpointProperties", 0, {"ID": ID, "Name": "a"})
    service.script("HcnQueryEndpointProperties", 0x803B0002)
    service.script("HcnQueryEndpointProperties", 0, {"ID": ID, "Name": "c"})

    found = Endpoint.list(service=service)

    assert [endpoint.name for endpoint in found] == ["a", "c"]
    assert service.names() == [
        "HcnEnumerateEndpoints",
        *["HcnOpenEndpoint"] * 3,
        *["HcnQueryEndpointProperties"] * 3,
        *["HcnCloseEndpoint"] * 3,
    ]


def test_filters_have_the_names_of_v1() -> None:
    """
    A filter is a text inside the query; what is not asked for is left out.
    """
    assert '"Filter":"{\\"Name\\":\\"a\\"}"' in filter_query(Name="a", Type=None)
    assert "Filter" not in filter_query(Name=None)


def test_unclosed_handle_warns(service: ScriptedService) -> None:
    """
    A handle that is forgotten is closed, with a warning.
    """
    networks = [Network.create("{}", service=service)]
    with pytest.warns(ResourceWarning, match="unclosed network"):
        networks.clear()

    assert service.names()[-1] == "HcnCloseNetwork"


def test_events_are_registered_and_not(service: ScriptedService) -> None:
    """
    A listener registers, and unregisters when it stops; twice is once.
    """
    with NetworkEvents.listen(service=service) as events:
        pass
    events.close()

    assert service.names() == [
        "HcnRegisterServiceCallback",
        "HcnRegisterServiceCallback",
        "HcnUnregisterServiceCallback",
    ]


# -- features ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        *(((9, 3), True), ((9, 410), True), ((10, 4), True), ((10, 410), True)),
        *(((11, 0), True), ((255, 2), True), ((8, 410), False), ((9, 2), False)),
        *(((10, 0), False), ((10, 2), False), ((10, 3), False)),
    ],
)
def test_r70_ranges(present: tuple[int, int], expected: bool) -> None:  # noqa: FBT001
    """
    A feature of two ranges is in these, and nowhere between them.
    """
    assert expected == _features.is_supported(present, "Slash32EndpointPrefixes")


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("present", [(1, 1), (9, 2), (13, 2), (15, 4)], ids=str)
def test_r54_to_r69_checks_agree_with_the_summary(
    service: ScriptedService, feature: str, present: tuple[int, int]
) -> None:
    """
    Asking for a feature fails exactly when the summary says that it is missing.
    """
    version(service, *present)
    has = _features.is_supported(present, feature)

    if has:
        require_feature(feature, service=service)
    else:
        with pytest.raises(NotSupportedError, match=r"needs version \d+\.\d+"):
            require_feature(feature, service=service)

    summary = supported_features(service=service)
    assert summary.api is not None
    assert summary.api.v2 == (present >= (9, 2))


def test_r53_version_is_asked_once(service: ScriptedService) -> None:
    """
    A service is asked for its version once.
    """
    version(service, 15, 4)

    assert network_version(service=service) == (15, 4)
    assert network_version(service=service) == (15, 4)
    assert service.names() == ["HNSCall"]


@pytest.mark.parametrize(
    ("document", "feature"),
    [
        ({"Policies": [{"Type": "SetPolicy", "Settings": {}}]}, "SetPolicy"),
        (
            {
                "Policies": [
                    {"Type": "setpolicy", "Settings": {"PolicyType": "NestedIpSet"}}
                ]
            },
            "NestedIpSet",
        ),
        ({"Type": "NAT", "Flags": 1024}, "DisableHostPort"),
        ({"Settings": {"Policies": [{"Type": "TierAcl"}]}}, "TierAcl"),
        ({"PortMappings": [{"DistributionType": 1}]}, "SessionAffinity"),
        ({"PortMappings": [], "Flags": 1}, "DSR"),
        ({"IpConfigurations": [{"PrefixLength": 32}]}, "Slash32EndpointPrefixes"),
    ],
)
def test_what_is_too_new_is_refused_before_the_call(
    service: ScriptedService, document: dict[str, object], feature: str
) -> None:
    """
    What the service is too old for is refused with the version that brings it.
    """
    version(service, 9, 2)

    with pytest.raises(NotSupportedError, match=f"{feature} needs version"):
        Network.create(document, service=service)

    assert service.names() == ["HNSCall"]


def test_old_services_make_load_balancers_again(service: ScriptedService) -> None:
    """
    Where a load balancer cannot be changed it is deleted and made with its old id.
    """
    version(service, 9, 3)
    with LoadBalancer.create("{}", balancer_id=ID, service=service) as balancer:
        balancer.update("{}")

    assert service.names() == [
        *("HcnCreateLoadBalancer", "HNSCall", "HcnDeleteLoadBalancer"),
        *("HcnCloseLoadBalancer", "HcnCreateLoadBalancer", "HcnCloseLoadBalancer"),
    ]


# -- records of namespaces --------------------------------------------------

SHIM = PersistedNamespaceConfig(
    container_id="c", host_unique_id="1d3be6f8-2c42-4b23-9be5-5b2c0d6d7f10"
)


def test_r79_records_of_namespaces() -> None:
    """
    A record that was never left is not found; one that was comes back whole.
    """
    with pytest.raises(NotFoundError):
        _persisted.load(ID)

    _persisted.store(ID, SHIM)

    assert _persisted.load(ID.upper()) == SHIM
    _persisted.remove(ID)


def test_r80_leaving_and_removing_twice() -> None:
    """
    Leaving a record again replaces it; removing it again is no error.
    """
    other = PersistedNamespaceConfig(
        container_id="d", host_unique_id=SHIM.host_unique_id
    )
    _persisted.store(ID, SHIM)
    _persisted.store(ID, other)
    assert _persisted.load(ID) == other

    _persisted.remove(ID)
    _persisted.remove(ID)


def test_r38_r39_record_without_shim_is_removed() -> None:
    """
    Synchronising a namespace whose shim is gone removes its record, and succeeds.
    """
    _persisted.store(ID, SHIM)

    _persisted.sync(ID)
    _persisted.sync(ID)

    with pytest.raises(NotFoundError):
        _persisted.load(ID)


def test_records_have_ids() -> None:
    """
    A name that is no id never becomes a path.
    """
    with pytest.raises(ValueError, match="no id"):
        _persisted.load("../../x")


def test_r81_order_of_endpoints() -> None:
    """
    Endpoints whose name ends in eth0 come first; the others keep their order.
    """
    names = (
        ("1", "eth0-name"),
        ("2", "name-eth098"),
        ("3", "name-eth0"),
        ("4", "eth0"),
    )

    assert _persisted.in_order(names) == ("3", "4", "1", "2")
