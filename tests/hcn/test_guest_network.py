# Made by async_to_sync.py of tests/hcn/test_async_guest_network.py; do not edit.
"""
The network of a utility VM: namespaces and endpoints of the tests' own host.

The VM is a script, for no machine runs here: what is asked of HCS and of the guest is
compared with what they must be asked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hcsshim import (
    ComputeSystem,
    ConnectionClosedError,
    HcsError,
    InvalidDataError,
    InvalidStateError,
    NotFoundError,
)
from hcsshim.hcn import (
    Endpoint,
    GuestNetwork,
    GuestNetworkState,
    Namespace,
    Network,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hcs.conftest import ScriptedService
    from typing_extensions import Self

    from hcsshim.hcn import GuestAdapter
    from hcsshim.hcs._calls import DocumentLike

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("clean")]

MODIFY = "HcsModifyComputeSystem"
FAILS = 0x80004005
PATH = "VirtualMachine/Devices/NetworkAdapters/"
NETWORK = {
    "Name": "guests",
    "SchemaVersion": {"Major": 2, "Minor": 0},
    "Ipams": [
        {
            "Subnets": [
                {
                    "IpAddressPrefix": "10.214.0.0/24",
                    "Routes": [
                        {"NextHop": "10.214.0.1", "DestinationPrefix": "0.0.0.0/0"}
                    ],
                }
            ]
        }
    ],
}


class Pod:
    """A namespace with endpoints, and a VM that follows a script."""

    def __init__(self, service: ScriptedService) -> None:
        self.service = service
        self.namespace: Namespace
        self.network: Network
        self.vm: ComputeSystem
        self.endpoints: dict[str, str] = {}

    def open(self, *names: str) -> Pod:
        """Make the namespace and endpoints of the given names in it."""
        self.network = Network.create(NETWORK)
        self.namespace = Namespace.create()
        for name in names:
            self.add(name)
        self.vm = ComputeSystem.open("vm", service=self.service)
        self.service.names()
        return self

    def add(self, name: str) -> None:
        """Put a new endpoint into the namespace."""
        document = {
            "Name": name,
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Dns": {
                "Domain": "Pod.test",
                "Search": ["A.test"],
                "ServerList": ["1.1.1.1", "FE80::1"],
            },
            "Policies": [{"Type": "EncapOverhead", "Settings": {"Overhead": 50}}],
        }
        with self.network.create_endpoint(document) as endpoint:
            self.namespace.add_endpoint(endpoint.id)
            self.endpoints[name] = endpoint.id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.vm.close()
        self.namespace.delete()
        self.network.delete()

    def asked(self) -> list[Mapping[str, object]]:
        """Give what HCS was asked to modify since the last time."""
        calls = [call for call in self.service.asked if call[0] == MODIFY]
        self.service.asked.clear()
        texts = (str(part) for call in calls for part in call[1:])
        return [json.loads(text) for text in texts if text.startswith("{")]

    def fails(self, *outcomes: int) -> None:
        """Say what the next modifications end in."""
        for outcome in outcomes:
            self.service.script(MODIFY, outcome)


class Bridge:
    """The guest's end of a bridge, and what came over it."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, object]] = []
        self.open = True

    def modify(self, request: DocumentLike, *, timeout: float | None = None) -> None:
        """Take a request to the guest, while the bridge is open."""
        del timeout
        assert isinstance(request, dict)
        if not self.open:
            raise ConnectionClosedError(operation="bridge")
        self.told.append(request["GuestRequest"])


def opened(service: ScriptedService, *names: str) -> Pod:
    """Make a pod whose endpoints have the given names."""
    return Pod(service).open(*names)


def short(request: Mapping[str, object]) -> str:
    """Name the half that a request is about, and what is done with it."""
    guest = request.get("GuestRequest")
    if not isinstance(guest, dict):
        assert str(request["ResourcePath"]).startswith(PATH)
        return f"host {request['RequestType']}"
    if guest["ResourceType"] == "NetworkNamespace":
        return f"namespace {guest['RequestType']}"
    verb = guest["Settings"].get("RequestType", guest["RequestType"])
    return f"guest {verb}"


def test_r82_windows_guests_are_told_before_and_after(
    service: ScriptedService,
) -> None:
    """
    A Windows guest gets the namespace, then each adapter: told, added, told again.
    """
    with opened(service, "eth1", "pod-eth0") as pod:
        network = GuestNetwork(pod.vm, pod.namespace.id, guest_os="Windows")
        network.setup()
        asked = pod.asked()

        assert [short(request) for request in asked] == [
            "namespace Add",
            *("guest PreAdd", "host Add", "guest Add"),
            *("guest PreAdd", "host Add", "guest Add"),
        ]
        told, added, final = asked[1:4]
        (first, _) = network.adapters.items()
        adapter_id, adapter = first
        assert adapter.name == "pod-eth0"
        endpoint = told["GuestRequest"]["Settings"]["Settings"]  # type: ignore[index]  # JSON
        assert endpoint["ID"] == pod.endpoints["pod-eth0"]
        assert endpoint["HostComputeNamespace"] == pod.namespace.id
        assert added == {
            "ResourcePath": PATH + adapter_id,
            "RequestType": "Add",
            "Settings": {
                "EndpointId": adapter.endpoint_id,
                "MacAddress": adapter.mac_address,
            },
        }
        assert final == {
            "GuestRequest": {
                "RequestType": "Add",
                "ResourceType": "Network",
                "Settings": {"AdapterId": adapter_id, "RequestType": "Add"},
            }
        }

        network.teardown()

        assert [short(request) for request in pod.asked()] == [
            *("guest Remove", "host Remove") * 2,
            "namespace Remove",
        ]
        assert network.state is GuestNetworkState.TORN_DOWN
        assert network.adapters == {}


@pytest.mark.parametrize(
    ("outcomes", "left"),
    [((0, FAILS), 0), ((0, 0, FAILS), 0), ((0, 0, 0, FAILS), 1)],
    ids=["told before", "host", "told after"],
)
def test_r82_a_failing_step_leaves_only_what_the_host_added(
    service: ScriptedService, outcomes: tuple[int, ...], left: int
) -> None:
    """
    An adapter is kept account of once the host has it; then it can be taken down.
    """
    with opened(service, "eth0") as pod:
        network = GuestNetwork(pod.vm, pod.namespace.id, guest_os="Windows")
        pod.fails(*outcomes)
        with pytest.raises(HcsError):
            network.setup()

        assert left == len(network.adapters)
        assert network.state is GuestNetworkState.INVALID
        pod.asked()
        network.teardown()
        assert [short(request) for request in pod.asked()] == [
            *("guest Remove", "host Remove") * left,
            "namespace Remove",
        ]


@pytest.mark.parametrize("guest_os", ["Windows", "Linux"])
def test_r82_r83_a_failing_guest_stops_the_removal(
    service: ScriptedService, guest_os: str
) -> None:
    """
    While the guest has its half the host's stays; taking down again succeeds.
    """
    with opened(service, "eth0") as pod:
        network = GuestNetwork(pod.vm, pod.namespace.id, guest_os=guest_os)
        network.setup()
        pod.asked()
        pod.fails(FAILS)
        with pytest.raises(HcsError, match="0x80004005"):
            network.teardown()

        assert ["guest Remove"] == [short(request) for request in pod.asked()]
        assert network.state is GuestNetworkState.INVALID
        assert len(network.adapters) == 1

        network.teardown()

        assert network.state is GuestNetworkState.TORN_DOWN


@pytest.mark.parametrize("guest_os", ["Windows", "Linux"])
def test_r82_r83_a_closed_bridge_does_not_stop_it(
    service: ScriptedService, guest_os: str
) -> None:
    """
    A guest that is gone has lost its half; the host's is removed nevertheless.
    """
    with opened(service, "eth0") as pod:
        bridge = Bridge()
        network = GuestNetwork(
            pod.vm, pod.namespace.id, guest_os=guest_os, guest=bridge
        )
        network.setup()
        assert ["host Add"] == [short(request) for request in pod.asked()]
        assert "Network" in [request["ResourceType"] for request in bridge.told]
        bridge.open = False

        network.teardown()

        assert ["host Remove"] == [short(request) for request in pod.asked()]
        assert network.state is GuestNetworkState.TORN_DOWN


@pytest.mark.parametrize("guest_os", ["Windows", "Linux"])
@pytest.mark.parametrize(
    "gone", [0x8037010E, 0x80370110, 0x80370105, 0x80070006], ids=hex
)
def test_r82_r83_a_vanished_machine_is_tolerated(
    service: ScriptedService, guest_os: str, gone: int
) -> None:
    """
    The adapters of a machine that is gone are gone with it.
    """
    with opened(service, "eth0", "eth1") as pod:
        network = GuestNetwork(pod.vm, pod.namespace.id, guest_os=guest_os)
        network.setup()
        pod.fails(*[gone] * 5)

        network.teardown()

        assert network.state is GuestNetworkState.TORN_DOWN
        assert network.adapters == {}


def test_r83_linux_guests_are_told_afterwards(service: ScriptedService) -> None:
    """
    A Linux guest is told everything of an adapter once the host has added it.
    """
    with opened(service, "eth0") as pod:
        network = GuestNetwork(pod.vm, pod.namespace.id, policy_based_routing=True)
        network.setup()
        added, told = pod.asked()
        (adapter_id,) = network.adapters
        endpoint = Endpoint.get(pod.endpoints["eth0"])

        assert short(added) == "host Add"
        assert told == {
            "GuestRequest": {
                "RequestType": "Add",
                "ResourceType": "Network",
                "Settings": {
                    "NamespaceID": pod.namespace.id,
                    "ID": adapter_id,
                    "MacAddress": endpoint.mac_address,
                    "DNSSuffix": "pod.test,a.test",
                    "DNSServerList": "1.1.1.1,fe80::1",
                    "EncapOverhead": 50,
                    "IPConfigs": [{"IPAddress": "10.214.0.2", "PrefixLength": 24}],
                    "Routes": [
                        {"NextHop": "10.214.0.1", "DestinationPrefix": "0.0.0.0/0"}
                    ],
                    "PolicyBasedRouting": True,
                },
            }
        }

        network.teardown()

        assert pod.asked()[0] == {
            "GuestRequest": {
                "RequestType": "Remove",
                "ResourceType": "Network",
                "Settings": {"NamespaceID": pod.namespace.id, "ID": adapter_id},
            }
        }


def test_r83_without_namespaces_only_the_host_acts(
    service: ScriptedService,
) -> None:
    """
    A Linux guest that takes no namespaces is told nothing.
    """
    with opened(service, "eth0") as pod:
        network = GuestNetwork(pod.vm, pod.namespace.id, namespaces=False)
        network.setup()
        network.teardown()

        assert [short(request) for request in pod.asked()] == [
            *("host Add", "host Remove"),
        ]


@pytest.mark.parametrize(
    ("outcomes", "left"),
    [((FAILS,), []), ((0, FAILS), ["eth0"])],
    ids=["host", "guest"],
)
def test_r83_what_the_host_did_not_add_is_not_tracked(
    service: ScriptedService, outcomes: tuple[int, ...], left: list[str]
) -> None:
    """
    A failing guest leaves the host's half, which is taken down; a failing host none.
    """
    with opened(service, "eth0") as pod:
        network = GuestNetwork(pod.vm, pod.namespace.id)
        pod.fails(*outcomes)
        with pytest.raises(HcsError):
            network.setup()
        assert left == [adapter.name for adapter in network.adapters.values()]

        network.teardown()

        assert network.state is GuestNetworkState.TORN_DOWN


@pytest.mark.parametrize("half", [(0, 0, FAILS), (0, 0, 0, FAILS)], ids=len)
def test_r83_teardown_goes_on_after_single_failures(
    service: ScriptedService, half: tuple[int, ...]
) -> None:
    """
    One adapter that cannot be removed does not keep the others; it can be retried.
    """
    with opened(service, "eth0", "eth1", "eth2") as pod:
        network = GuestNetwork(pod.vm, pod.namespace.id)
        network.setup()
        pod.fails(*half)
        with pytest.raises(HcsError):
            network.teardown()

        assert ["eth1"] == [adapter.name for adapter in network.adapters.values()]
        network.teardown()
        assert network.state is GuestNetworkState.TORN_DOWN


def test_r84_setup_needs_a_namespace(service: ScriptedService) -> None:
    """
    Without an id, or for a namespace that is not there, nothing is set up.
    """
    with opened(service) as pod:
        network = GuestNetwork(pod.vm, "")
        with pytest.raises(InvalidDataError, match="must not be empty"):
            network.setup()
        assert network.state is GuestNetworkState.INVALID
        with pytest.raises(InvalidStateError, match="state Invalid, not NotConf"):
            network.setup()

        missing = GuestNetwork(pod.vm, "5f0b1190-63be-4e0c-b974-bd0f55675a42")
        with pytest.raises(NotFoundError):
            missing.setup()
        assert missing.state is GuestNetworkState.INVALID
        assert pod.asked() == []


def test_r84_set_up_once_and_down_any_number_of_times(
    service: ScriptedService,
) -> None:
    """
    A second set-up is refused and changes nothing; taking down early or twice is none.
    """
    with opened(service, "eth0") as pod:
        network = GuestNetwork(pod.vm, pod.namespace.id)
        network.teardown()
        assert network.state is GuestNetworkState.NOT_CONFIGURED

        network.setup()
        with pytest.raises(InvalidStateError, match="state Configured"):
            network.setup()
        assert network.state is GuestNetworkState.CONFIGURED

        network.teardown()
        pod.asked()
        network.teardown()
        assert pod.asked() == []
        assert network.state is GuestNetworkState.TORN_DOWN


def as_saved(**changed: object) -> str:
    """Write a saved state, with some of its members changed."""
    bound = {"EndpointId": "e", "MacAddress": "00-15-5D-00-00-01", "EndpointName": "n"}
    members = {
        "SchemaVersion": 1,
        "NamespaceId": "5f0b1190-63be-4e0c-b974-bd0f55675a42",
        "GuestOs": "Linux",
        "IsNamespaceSupportedByGuest": True,
        "PolicyBasedRouting": True,
        "VmEndpoints": {"nic": bound},
    }
    return json.dumps({**members, **changed})


@pytest.mark.parametrize(
    ("saved", "why"),
    [
        *(("", "not JSON"), ("[]", "something else"), ("{}", "something else")),
        (as_saved(SchemaVersion=2), "version 2, not 1"),
        (as_saved(NamespaceId=""), "NamespaceId"),
        (as_saved(GuestOs="Plan9"), "Plan9"),
        (as_saved(VmEndpoints={"": {"EndpointId": "e"}}), "no id"),
        (as_saved(VmEndpoints={"nic": None}), "lacks"),
        (as_saved(VmEndpoints={"nic": {}}), "EndpointId"),
    ],
)
def test_r85_what_is_no_saved_state_is_refused(saved: str, why: str) -> None:
    """
    Another version, or something half, makes no network.
    """
    with pytest.raises(InvalidDataError, match=why):
        GuestNetwork.load(saved)


def test_r85_migration(service: ScriptedService) -> None:
    """
    A saved network is loaded, patched and resumed; its adapters become those of here.
    """
    with opened(service, "eth0") as pod:
        source = GuestNetwork(pod.vm, pod.namespace.id, policy_based_routing=True)
        source.setup()
        pod.asked()
        kept: Mapping[str, GuestAdapter] = source.adapters
        saved = source.save()
        assert source.state is GuestNetworkState.SOURCE_MIGRATING
        assert saved == source.save()

        network = GuestNetwork.load(saved)
        assert network.state is GuestNetworkState.DESTINATION_MIGRATING
        assert kept == network.adapters
        assert source.namespace_id == network.namespace_id
        with Namespace.create() as here:
            with pod.network.create_endpoint({"Name": "new"}) as endpoint:
                here.add_endpoint(endpoint.id)
                network.patch(here.id)
                with pytest.raises(InvalidStateError):
                    network.reset_after_migration()
                network.resume(pod.vm)
                network.resume(pod.vm)
                assert network.state is GuestNetworkState.CONFIGURED
                assert pod.asked() == []
                network.reset_after_migration()
                asked = pod.asked()
                network.reset_after_migration()
                assert pod.asked() == []

                assert [short(request) for request in asked] == [
                    *("guest Remove", "host Remove", "host Add", "guest Add"),
                ]
                told = asked[3]["GuestRequest"]["Settings"]  # type: ignore[index]  # JSON
                assert told["NamespaceID"] == source.namespace_id
                assert told["PolicyBasedRouting"] is True
                (adapter,) = network.adapters.values()
                assert endpoint.id == adapter.endpoint_id
            network.teardown()
            here.delete()


def test_r85_the_source_goes_on_after_a_failed_migration(
    service: ScriptedService,
) -> None:
    """
    A source is resumed with what it had; taken down it only forgets its adapters.
    """
    with opened(service, "eth0") as pod:
        network = GuestNetwork(pod.vm, pod.namespace.id)
        network.setup()
        kept = network.adapters
        network.save()
        network.resume(pod.vm)
        assert network.state is GuestNetworkState.CONFIGURED
        assert kept == network.adapters

        network.save()
        pod.asked()
        network.teardown()
        assert pod.asked() == []
        assert network.adapters == {}
        assert network.state is GuestNetworkState.TORN_DOWN


def test_r85_unstable_states_are_refused(service: ScriptedService) -> None:
    """
    What is not set up is not saved; what is not loaded not patched; and so on.
    """
    with opened(service, "eth0") as pod:
        network = GuestNetwork(pod.vm, pod.namespace.id)
        invalid = GuestNetwork(pod.vm, "")
        with pytest.raises(InvalidDataError):
            invalid.setup()
        down = GuestNetwork(pod.vm, pod.namespace.id)
        down.setup()
        down.teardown()
        loaded = GuestNetwork.load(as_saved())

        for unstable in (network, invalid, down, loaded):
            with pytest.raises(InvalidStateError, match=unstable.state.value):
                unstable.save()
        for unstable in (network, invalid, down):
            with pytest.raises(InvalidStateError, match=unstable.state.value):
                unstable.resume(pod.vm)
            with pytest.raises(InvalidStateError, match=unstable.state.value):
                unstable.patch(pod.namespace.id)
        with pytest.raises(InvalidStateError):
            loaded.setup()
        loaded.teardown()
        assert loaded.state is GuestNetworkState.TORN_DOWN
