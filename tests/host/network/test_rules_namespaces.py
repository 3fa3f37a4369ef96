"""Rules 5, 20, 26 to 33, 89, 211 and 214 to 238: namespaces and compute systems."""

from __future__ import annotations

import json

import pytest
from network_support import (
    UNKNOWN,
    V2,
    Net,
    policy,
)

from hcsshim.host.datapath.port import Counters, DatapathError


def container(space: str = "", *endpoints: str, shared: str = "") -> str:
    """Write a compute system on a namespace, endpoints, or another one's network."""
    networking = {
        **({"Namespace": space} if space else {}),
        **({"NetworkAdapters": list(endpoints)} if endpoints else {}),
        **({"NetworkSharedContainerName": shared} if shared else {}),
    }
    document = {"Owner": "tests", "SchemaVersion": {"Major": 2, "Minor": 1}}
    return json.dumps({**document, "Container": {"Networking": networking}})


def joined(net: Net, *names: str) -> tuple[int, str, list[str]]:
    """Make a namespace with endpoints in it: handle, id, ids of the endpoints."""
    on = net.nat()
    space = net.make("Namespace")
    endpoints = [net.id_of("Endpoint", net.endpoint(on, name)) for name in names]
    for endpoint in endpoints:
        net.modify("Namespace", space, "Endpoint", "Add", {"EndpointId": endpoint})
    return space, net.id_of("Namespace", space), endpoints


def state(net: Net, endpoint: str) -> int:
    """Give the state of an endpoint."""
    found = net.hns("GET", f"/endpoints/{endpoint}")
    return int(found["State"])


def test_r5_unknown_namespace(net: Net) -> None:
    """Opening an unknown namespace has the code that clients look for."""
    record = net.refused(0x80070490, "HcnOpenNamespace", UNKNOWN, net.client.new_id())

    assert record["Error"] == "Element not found. "


def test_r26_r27_host_and_guest_defaults(net: Net) -> None:
    """More default namespaces are made and deleted, any number of times."""
    for _ in range(2):
        for more in (
            {"Type": "HostDefault", "NamespaceId": 5},
            {"Type": "GuestDefault"},
        ):
            space = net.make("Namespace", document={**V2, **more})
            net.ok("HcnDeleteNamespace", net.id_of("Namespace", space))


def test_r28_r29_found_and_listed(net: Net) -> None:
    """A namespace is found by its id, and listed."""
    spelled = net.id_of("Namespace", net.make("Namespace"))

    assert net.ids("Namespace", ID=spelled) == [spelled]
    assert spelled in net.ids("Namespace")


def test_r30_r31_r32_r33_resources(net: Net) -> None:
    """A namespace lists the endpoints that were added, and no containers."""
    space, _, (endpoint,) = joined(net, "eth0")

    listed = net.query("Namespace", space)["Resources"]
    net.modify("Namespace", space, "Endpoint", "Remove", {"EndpointId": endpoint})

    assert listed == [{"Type": "Endpoint", "Data": {"Id": endpoint}}]
    assert net.query("Namespace", space)["Resources"] == []


def test_r89_r214_default_namespace(net: Net) -> None:
    """The machine's own namespace is always there, and stays."""
    (spelled,) = net.ids("Namespace")
    (shown,) = net.hns("GET", "/namespaces/")

    assert shown["IsDefault"] is True
    assert shown["CompartmentId"] == 1
    net.refused(0x803B0015, "HcnDeleteNamespace", spelled)
    net.hns_refused(0x803B0015, "DELETE", f"/namespaces/{spelled}")


def test_r215_bare_documents(net: Net) -> None:
    """A document without type, or of version 0.0, makes a namespace of type Host."""
    for document in (V2, {"SchemaVersion": {"Major": 0, "Minor": 0}}):
        space = net.make("Namespace", document=document)
        assert net.query("Namespace", space)["Type"] == "Host"


def test_r216_number_is_echoed(net: Net) -> None:
    """A given number comes back, also when its containers came and went."""
    space = net.make("Namespace", document={**V2, "NamespaceId": 7})
    spelled = net.id_of("Namespace", space)
    net.client.run("c", container(spelled))
    end(net, "c")

    assert net.query("Namespace", space)["NamespaceId"] == 7


def end(net: Net, system: str) -> None:
    """End a system, and wait until it is gone."""
    handle = net.client.new_id()
    assert net.client.call("HcsOpenComputeSystem", system, 0, handle).hresult == 0
    assert net.client.call("HcsTerminateComputeSystem", handle, None).hresult == 0


def test_r217_number_comes_with_the_first_container(net: Net) -> None:
    """The number is 0 until a container runs in the namespace, and after the last."""
    space, spelled, _ = joined(net, "eth0")
    before = net.query("Namespace", space)["NamespaceId"]

    net.client.run("c", container(spelled))
    during = net.query("Namespace", space)
    end(net, "c")

    assert before == 0
    assert during["NamespaceId"] > 1
    assert {"Type": "Container", "Data": {"Id": "c"}} in during["Resources"]
    assert net.query("Namespace", space)["NamespaceId"] == 0


def test_r218_v1_on_namespaces_of_v2(net: Net) -> None:
    """v1 removes endpoints from, and deletes, what v2 made."""
    _, spelled, (endpoint,) = joined(net, "eth0")
    body = {"Type": "Endpoint", "Data": {"Id": endpoint}}

    assert net.hns("POST", f"/namespaces/{spelled}/removeresource", body) is None
    net.hns("DELETE", f"/namespaces/{spelled}")

    assert spelled not in net.ids("Namespace")


def test_r219_endpoint_in_another_namespace(net: Net) -> None:
    """An endpoint is in one namespace only, and once."""
    space, _, (endpoint,) = joined(net, "eth0")

    for handle in (space, net.make("Namespace")):
        net.refuse_change(
            *(0x803B002B, "Namespace", handle, "Endpoint", "Add"),
            {"EndpointId": endpoint},
        )


def test_r220_removal_of_what_is_not_in(net: Net) -> None:
    """An endpoint that is not in, and an unknown one, are told apart."""
    space = net.make("Namespace")
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))

    for named, code in ((endpoint, 0x803B0034), (UNKNOWN, 0x803B0002)):
        net.refuse_change(
            code, "Namespace", space, "Endpoint", "Remove", {"EndpointId": named}
        )


def test_r221_remote_endpoints_are_refused(net: Net) -> None:
    """An endpoint of another machine joins no namespace."""
    address = [{"IpAddress": "9.9.9.9"}]
    on = net.bridge()
    endpoint = net.endpoint(on, Flags=1, IpConfigurations=address)
    space = net.make("Namespace")

    net.refuse_change(
        *(0x803B000F, "Namespace", space, "Endpoint", "Add"),
        {"EndpointId": net.id_of("Endpoint", endpoint)},
    )


def test_r222_r223_deletion(net: Net) -> None:
    """A namespace with a container stays; else it lets its endpoints go."""
    _, spelled, (endpoint,) = joined(net, "eth0")
    net.client.run("c", container(spelled))

    net.refused(0x803B0015, "HcnDeleteNamespace", spelled)
    end(net, "c")
    net.ok("HcnDeleteNamespace", spelled)

    assert net.hns("GET", f"/endpoints/{endpoint}").get("Namespace") is None


def test_r224_deletion_of_an_unknown_one(net: Net) -> None:
    """An unknown namespace is not found."""
    net.refused(0x80070490, "HcnDeleteNamespace", UNKNOWN)


def test_r225_r226_hot_add_and_remove(net: Net) -> None:
    """An endpoint that joins or leaves is plugged or unplugged at once."""
    space, spelled, _ = joined(net)
    net.client.run("c", container(spelled))
    endpoint = net.id_of(
        "Endpoint", net.endpoint(net.open("Network", net.ids("Network")[0]))
    )
    named = {"EndpointId": endpoint}

    net.modify("Namespace", space, "Endpoint", "Add", named)
    (target,) = net.datapath.attached[endpoint]
    net.modify("Namespace", space, "Endpoint", "Remove", named)

    assert (target.id, target.pid, target.interface) == ("c", 1, "eth0")
    assert net.datapath.attached[endpoint] == []
    end(net, "c")


def test_r227_r228_r211_sharing_a_namespace(net: Net) -> None:
    """Two containers share the endpoints; states and users follow them."""
    _, spelled, (endpoint,) = joined(net, "eth0")
    states = [state(net, endpoint)]
    for system in ("one", "Two"):
        net.client.run(system, container(spelled))
        states.append(state(net, endpoint))
    shown = net.hns("GET", f"/endpoints/{endpoint}")["SharedContainers"]
    for system in ("one", "Two"):
        end(net, system)
        states.append(state(net, endpoint))

    assert states == [1, 2, 3, 2, 4]
    assert shown == ["one", "Two"]
    assert net.datapath.attached[endpoint] == []


def test_shared_network_of_a_container(net: Net) -> None:
    """A container that shares another's network gets its endpoints."""
    _, spelled, (endpoint,) = joined(net, "eth0")
    net.client.run("one", container(spelled))

    net.client.run("two", container(shared="ONE"))

    assert [t.id for t in net.datapath.attached[endpoint]] == ["one", "two"]
    for system in ("one", "two"):
        end(net, system)


def test_r229_network_by_modify(net: Net) -> None:
    """HCS's own request plugs and unplugs an endpoint by its id."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))
    system = net.client.run("c")
    request = {"ResourceType": "Network", "Settings": endpoint}

    for verb in ("Add", "Remove"):
        text = json.dumps({**request, "RequestType": verb})
        answer = net.client.call("HcsModifyComputeSystem", system, text)
        assert answer.hresult == 0, answer.document
        assert len(net.datapath.attached[endpoint]) == (verb == "Add")
    end(net, "c")


def test_r230_vanished_system(net: Net) -> None:
    """A system that does not run is reported as such."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))
    body = {"SystemType": "Container", "ContainerId": "gone"}

    net.hns_refused(0xC037010E, "POST", f"/endpoints/{endpoint}/attach", body)


def test_r231_endpoints_outlive_containers(net: Net) -> None:
    """After a container's end its endpoint can be attached again, or deleted."""
    _, spelled, (endpoint,) = joined(net, "eth0")
    for _ in range(2):
        net.client.run("c", container(spelled))
        end(net, "c")

    assert state(net, endpoint) == 4
    net.ok("HcnDeleteEndpoint", endpoint)


def test_r232_failure_to_plug(net: Net) -> None:
    """A start whose endpoint cannot be plugged fails, and all is undone."""
    space, spelled, endpoints = joined(net, "eth0", "eth1")
    system = net.client.create("c", container(spelled))
    net.datapath.failure = DatapathError(0x80070005, "No rights for that.")

    answer = net.client.call("HcsStartComputeSystem", system, None)

    assert answer.hresult == 0x803B002E
    assert answer.json["Detail"] == "No rights for that."
    assert [state(net, endpoint) for endpoint in endpoints] == [1, 1]
    assert net.query("Namespace", space)["NamespaceId"] == 0
    end(net, "c")


def test_unknown_namespace_of_a_system(net: Net) -> None:
    """A system that names a namespace which is not there does not start."""
    system = net.client.create("c", container(UNKNOWN))

    answer = net.client.call("HcsStartComputeSystem", system, None)

    assert answer.hresult == 0x803B002E
    end(net, "c")


def test_r233_interfaces_of_the_machine(net: Net) -> None:
    """Attached to the host, or in its default namespace, an endpoint is the host's."""
    (default,) = net.ids("Namespace")
    on = net.nat()
    ends = [net.id_of("Endpoint", net.endpoint(on, name)) for name in ("a", "b")]

    net.hns("POST", f"/endpoints/{ends[0]}/attach", {"SystemType": "Host"})
    space = net.open("Namespace", default)
    net.modify("Namespace", space, "Endpoint", "Add", {"EndpointId": ends[1]})

    for endpoint, name in zip(ends, ("a", "b"), strict=True):
        (target,) = net.datapath.attached[endpoint]
        assert (target.pid, target.interface) == (None, f"vEthernet ({name})")
        assert state(net, endpoint) == 2


def test_host_stays_for_interfaces_of_the_machine(net: Net) -> None:
    """A host does not end by itself while this machine uses an endpoint."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))
    path, body = f"/endpoints/{endpoint}", {"SystemType": "Host"}
    busy = [net.machine.service.busy]

    for verb in ("attach", "detach"):
        net.hns("POST", f"{path}/{verb}", body)
        busy.append(net.machine.service.busy)

    assert busy == [False, True, False]


def test_host_without_packets(net: Net) -> None:
    """On a machine that carries none the host's endpoint is noted, and says so."""
    net.datapath.reason = "Nothing can be carried here."
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))

    net.hns("POST", f"/endpoints/{endpoint}/attach", {"SystemType": "Host"})

    health = net.hns("GET", f"/endpoints/{endpoint}")["Health"]
    assert health["Detail"] == "Nothing can be carried here."
    assert health["LastErrorCode"] == 0x80070032


def test_r234_r235_attach_and_detach_twice(net: Net) -> None:
    """An endpoint is attached once and detached once."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))
    body = {"SystemType": "Host", "CompartmentId": 1}
    path = f"/endpoints/{endpoint}"

    net.hns("POST", f"{path}/attach", body)
    record = net.hns_refused(0x803B0014, "POST", f"{path}/attach", body)
    net.hns("POST", f"{path}/detach", body)

    assert record["Error"] == ("This endpoint is already attached to the switch. ")
    net.hns_refused(0x803B0034, "POST", f"{path}/detach", body)


def test_r236_virtual_machines(net: Net) -> None:
    """Machines do not run here: their NICs are refused, with a clear sentence."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))
    body = {"SystemType": "VirtualMachine", "VirtualNicName": "nic"}

    record = net.hns_refused(0x803B0015, "POST", f"/endpoints/{endpoint}/attach", body)

    assert record["Detail"] == "This host runs no virtual machines."


def test_r237_r238_dns_and_mtu(net: Net) -> None:
    """Name servers and the MTU reach what makes the interface."""
    dns = {"Domain": "a.test", "Search": ["b.test"], "ServerList": ["1.1.1.1"]}
    overhead = policy("EncapOverhead", Overhead=100)
    on = net.nat()
    endpoint = net.endpoint(on, Dns=dns, Policies=[overhead])
    other = net.endpoint(net.overlay())

    plan = net.datapath.endpoints[net.id_of("Endpoint", endpoint)]

    assert (plan.dns.domain, plan.dns.search, plan.dns.servers) == (
        *("a.test", ("b.test",)),
        ("1.1.1.1",),
    )
    assert plan.mtu == 1400
    assert net.datapath.endpoints[net.id_of("Endpoint", other)].mtu == 1450


def test_search_list_of_a_container(net: Net) -> None:
    """What a container's own document searches reaches the datapath."""
    _, spelled, (endpoint,) = joined(net, "eth0")
    document = json.loads(container(spelled))
    document["Container"]["Networking"]["DnsSearchList"] = "a.test, b.test"

    net.client.run("c", json.dumps(document))

    (target,) = net.datapath.attached[endpoint]
    assert target.search == ("a.test", "b.test")
    end(net, "c")


def test_eth0_comes_first(net: Net) -> None:
    """Endpoints whose name ends in eth0 are plugged before the others."""
    _, spelled, endpoints = joined(net, "eth1", "pod-eth0")

    net.client.run("c", container(spelled))

    names = {
        endpoint: net.datapath.attached[endpoint][0].interface for endpoint in endpoints
    }
    assert names == {endpoints[0]: "eth1", endpoints[1]: "eth0"}
    end(net, "c")


def test_r212_r267_statistics(net: Net) -> None:
    """Traffic is zero before attachment, then what the endpoint itself saw."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))
    net.datapath.traffic = Counters(bytes_sent=7, bytes_received=9)
    path = f"/endpointstats/{endpoint}"

    before = net.hns("GET", path)
    net.hns("POST", f"/endpoints/{endpoint}/attach", {"SystemType": "Host"})
    after = net.hns("GET", path)

    assert (before["BytesSent"], before["BytesReceived"]) == (0, 0)
    assert (after["BytesSent"], after["BytesReceived"]) == (7, 9)


def test_v1_endpoint_list(net: Net) -> None:
    """The document of v1 names endpoints too."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))
    document = {"SystemType": "Container", "EndpointList": [endpoint.upper()]}

    net.client.run("c", json.dumps(document))

    assert [t.id for t in net.datapath.attached[endpoint]] == ["c"]
    end(net, "c")


@pytest.mark.parametrize("verb", ["Add", "Remove"])
def test_containers_by_request(net: Net, verb: str) -> None:
    """Who uses a namespace can also be told by a request."""
    space = net.make("Namespace")
    net.modify("Namespace", space, "Container", "Add", {"ContainerId": "c"})
    if verb == "Remove":
        net.modify("Namespace", space, "Container", "Remove", {"ContainerId": "C"})

    listed = net.query("Namespace", space)["Resources"]

    assert len(listed) == (verb == "Add")
