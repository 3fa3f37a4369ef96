"""Rules 269 to 298: the service, and sequences of its clients."""

from __future__ import annotations

import json
import threading

import pytest
from network_support import UNKNOWN, V2, Net, kinds, network, overlay, policies, policy

from hcsshim.host.datapath.port import DatapathError

MAPPING = policy("PortMapping", InternalPort=80, ExternalPort=8080)


def test_r269_a_call_is_done_wholly_or_not_at_all(net: Net) -> None:
    """What the kernel refuses leaves no object, address or port behind."""
    on = net.overlay()
    net.datapath.failure = DatapathError(0x80070005, "No rights.")

    record = net.refuse(
        0x80070005, "Endpoint", document={**V2, "Policies": [MAPPING]}, network=on
    )

    assert record["Detail"] == "No rights."
    endpoint = net.endpoint(on, Policies=[MAPPING])
    assert net.query("Endpoint", endpoint)["IpConfigurations"][0]["IpAddress"] == (
        "192.168.1.2"
    )


def test_r269_failed_changes_change_nothing(net: Net) -> None:
    """A change that the kernel refuses leaves policies and ports as they were."""
    on = net.overlay()
    endpoint = net.endpoint(on, Policies=[MAPPING])
    other = policy("PortMapping", InternalPort=80, ExternalPort=9090)
    for kind, handle, listed in (
        ("Endpoint", endpoint, other),
        ("Network", on, policy("HostRoute")),
    ):
        before = net.query(kind, handle)
        net.datapath.failure = DatapathError(0x80070005, "No rights.")
        net.refuse_change(
            0x80070005, kind, handle, "Policy", "Update", policies(listed)
        )
        assert before["Policies"] == net.query(kind, handle)["Policies"]

    net.refuse(
        0x803B0013, "Endpoint", document={**V2, "Policies": [MAPPING]}, network=on
    )
    net.endpoint(on, Policies=[other])


def test_r270_many_clients_at_once(net: Net, raw_client: object) -> None:
    """Clients that make endpoints at once get different addresses."""
    on = net.id_of("Network", net.nat(prefix="10.5.0.0/16"))

    def work() -> None:
        client = raw_client(net.machine.path)  # type: ignore[operator]
        handle = client.new_id()
        assert client.call("HcnOpenNetwork", on, handle).hresult == 0
        for _ in range(25):
            document = json.dumps(V2)
            answer = client.call(
                "HcnCreateEndpoint", handle, None, document, client.new_id()
            )
            assert answer.hresult == 0
        client.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = net.hns("GET", "/endpoints/")
    assert len({item["IPAddress"] for item in found}) == 100
    assert len({item["MacAddress"] for item in found}) == 100


def test_r271_what_a_restart_forgets(net: Net) -> None:
    """Containers are over after a restart; membership of namespaces stays."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat(), Policies=[MAPPING]))
    space = net.make("Namespace")
    spelled = net.id_of("Namespace", space)
    net.modify("Namespace", space, "Endpoint", "Add", {"EndpointId": endpoint})
    document = {"Owner": "tests", "SchemaVersion": {"Major": 2, "Minor": 1}}
    document["Container"] = {"Networking": {"Namespace": spelled}}
    net.client.run("c", json.dumps(document))
    balancer = {**V2, "HostComputeEndpoints": [endpoint], "FrontendVIPs": ["1.1.1.1"]}
    balancer["PortMappings"] = [{"Protocol": 6, "InternalPort": 1, "ExternalPort": 1}]
    net.make("LoadBalancer", document=balancer)

    net.machine.restart()

    shown = net.hns("GET", f"/endpoints/{endpoint}")
    assert (shown["State"], shown["SharedContainers"]) == (4, [])
    assert shown["Namespace"] == {"ID": spelled.upper()}
    again = net.query("Namespace", net.open("Namespace", spelled))
    assert [item["Type"] for item in again["Resources"]] == ["Endpoint"]
    assert len(net.ids("LoadBalancer")) == 1
    net.refuse(0x803B0013, "LoadBalancer", document=balancer)


def test_r272_plans_at_the_start(net: Net) -> None:
    """A host that starts tells the datapath of all that it kept."""
    on = net.overlay()
    spelled = net.id_of("Endpoint", net.endpoint(on))

    net.machine.restart()
    net.ids("Network")

    everything = net.datapath.everything
    assert everything is not None
    assert [plan.id for plan in everything.endpoints] == [spelled]
    assert len(everything.networks) == 1


def test_r272_what_cannot_be_rebuilt(net: Net) -> None:
    """Networks that cannot be rebuilt stay listed, and say why."""
    net.nat()
    net.machine.end()
    net.machine.begin()
    net.datapath.failure = DatapathError(0x80070005, "No rights.")

    (found,) = net.hns("GET", "/networks")

    assert found["State"] == 4
    assert found["Health"]["LastErrorCode"] == 0x80070005


def test_r273_nothing_is_left(net: Net) -> None:
    """After the last deletion the datapath knows of nothing."""
    on = net.overlay()
    endpoint = net.id_of("Endpoint", net.endpoint(on))
    document = {**V2, "HostComputeEndpoints": [endpoint], "PortMappings": []}
    balancer = net.id_of("LoadBalancer", net.make("LoadBalancer", document=document))

    net.ok("HcnDeleteNetwork", net.id_of("Network", on))
    net.ok("HcnDeleteLoadBalancer", balancer)

    assert net.datapath.networks == {}
    assert net.datapath.endpoints == {}
    assert net.datapath.balancers == {}


def test_nothing_made_leaves_no_file(net: Net) -> None:
    """A host that made nothing which lasts leaves no file; another leaves it."""
    files = net.machine.store
    net.ok("HcnDeleteNetwork", net.id_of("Network", net.nat()))
    net.machine.restart()
    before = files.exists()
    net.nat()
    net.machine.end()

    assert not before
    assert files.exists()
    net.machine.begin()
    net.ids("Network")


def listen(net: Net) -> int:
    """Register for notifications; give the handle."""
    handle = net.client.new_id()
    net.ok("HcnRegisterServiceCallback", handle)
    return int(handle)


def test_r275_r276_notifications(net: Net) -> None:
    """Before and after a creation or deletion all are told, with the id."""
    other = net.client.new_id()
    handle = listen(net)
    net.ok("HcnRegisterServiceCallback", other)
    spelled = net.id_of("Network", net.nat())
    net.ok("HcnDeleteNetwork", spelled)

    told = [net.client.event() for _ in range(8)]

    for number in (handle, other):
        mine = [event for event in told if event.handle == number]
        assert [event.type for event in mine] == [1, 2, 3, 4]
        assert {event.data["ID"] for event in mine} == {spelled}


def test_r276_notifications_of_endpoints_and_namespaces(net: Net) -> None:
    """Ports that come and go, and namespaces, are told of."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))
    listen(net)
    space = net.id_of("Namespace", net.make("Namespace"))
    net.ok("HcnDeleteNamespace", space)
    body = {"SystemType": "Host"}
    net.hns("POST", f"/endpoints/{endpoint}/attach", body)
    net.hns("POST", f"/endpoints/{endpoint}/detach", body)

    told = [net.client.event() for _ in range(4)]

    assert [event.type for event in told] == [0x05, 0x06, 0x09, 0x10]
    assert [event.data["ID"] for event in told] == [space, space, endpoint, endpoint]


def test_r277_nothing_after_unregister(net: Net) -> None:
    """Who unregistered is told nothing more."""
    handle = listen(net)

    net.ok("HcnUnregisterServiceCallback", handle)
    net.nat()

    assert not net.client.events
    net.refused(0x80070006, "HcnUnregisterServiceCallback", handle)


def test_r278_service_goes_away(net: Net) -> None:
    """The last notification is that the service goes."""
    listen(net)

    net.machine.stop()

    assert net.client.event().type == 0x01000000


def test_network_callback(net: Net) -> None:
    """A callback of a network hears of that network only."""
    on = net.nat("a")
    handle = net.client.new_id()
    net.ok("HcnRegisterNetworkCallback", on, handle)
    net.ok("HcnDeleteNetwork", net.id_of("Network", net.overlay("b")))

    net.ok("HcnDeleteNetwork", net.id_of("Network", on))

    assert [net.client.event().type for _ in range(2)] == [3, 4]
    assert not net.client.events


def guest(net: Net) -> int:
    """Make a guest network service."""
    handle = net.client.new_id()
    net.ok("HcnCreateGuestNetworkService", UNKNOWN, "{}", handle)
    return int(handle)


def test_r279_reservations_are_exclusive(net: Net) -> None:
    """A reserved port is refused until its handle is released."""
    service = guest(net)
    first, second = net.client.new_id(), net.client.new_id()
    tcp, both, exclusive, shared = 1, 3, 1, 2
    net.ok("HcnReserveGuestNetworkServicePort", service, tcp, exclusive, 5000, first)

    for protocol, access in ((tcp, exclusive), (both, shared)):
        net.refused(
            *(0x803B0013, "HcnReserveGuestNetworkServicePort"),
            *(service, protocol, access, 5000, net.client.new_id()),
        )
    net.ok("HcnReleaseGuestNetworkServicePortReservationHandle", first)
    net.ok("HcnReserveGuestNetworkServicePort", service, both, exclusive, 5000, second)

    listed = net.ok("HcnEnumerateGuestNetworkPortReservations")
    assert listed["count"] == 2


def test_r280_range_of_ports(net: Net) -> None:
    """The ends of a range are as far apart as the count."""
    found = net.ok(
        "HcnReserveGuestNetworkServicePortRange", guest(net), 64, net.client.new_id()
    )

    assert found["endingPort"] - found["startingPort"] == 64


def test_states_of_guest_services(net: Net) -> None:
    """The state of a guest service is changed and told."""
    service = guest(net)
    listen(net)

    request = json.dumps({"RequestType": 2, "Settings": {"State": "Synchronized"}})
    net.ok("HcnModifyGuestNetworkService", service, request)
    found = net.ok("HcnQueryGuestNetworkServiceProperties", service, None)

    assert found["State"] == "Synchronized"
    assert net.client.event().type == 0x11
    net.ok("HcnDeleteGuestNetworkService", UNKNOWN)


def test_r281_time_of_the_last_change(net: Net) -> None:
    """A change moves the time in an object's health."""
    on = net.overlay()
    before = net.query("Network", on)["Health"]["Data"]["LastUpdateTime"]

    net.modify("Network", on, "Policy", "Add", policies(policy("HostRoute")))

    after = net.query("Network", on)["Health"]["Data"]["LastUpdateTime"]
    assert after > before > 130_000_000_000_000_000


def test_r282_a_thousand_endpoints(net: Net) -> None:
    """A thousand endpoints are made, listed with a filter, and deleted."""
    on = net.nat(prefix="10.5.0.0/16")
    spelled = net.id_of("Network", on)
    for place in range(1000):
        net.endpoint(on, f"e{place}")

    assert len(net.ids("Endpoint", VirtualNetwork=spelled)) == 1000
    assert len(net.ids("Endpoint", Name="e999", VirtualNetwork=spelled)) == 1
    net.ok("HcnDeleteNetwork", spelled)
    assert net.ids("Endpoint") == []


# -- clients ----------------------------------------------------------------


def test_r283_libnetwork(net: Net) -> None:
    """Networks and endpoints of Docker, by v1."""
    net.hns("GET", "/networks/")
    subnets = [{"AddressPrefix": "0.0.0.0/0", "GatewayAddress": "0.0.0.0"}]  # noqa: S104
    made = net.hns(
        "POST", "/networks/", {"Name": "nat", "Type": "nat", "Subnets": subnets}
    )
    nat = {"Type": "NAT", "InternalPort": 80, "Protocol": "TCP"}
    endpoint = net.hns(
        "POST", "/endpoints/", {"VirtualNetwork": made["ID"], "Policies": [nat]}
    )
    system = {"SystemType": "Container", "EndpointList": [endpoint["ID"]]}
    net.client.run("c", json.dumps(system))

    assert endpoint["Policies"][0]["ExternalPort"] > 0
    assert (
        endpoint["IPAddress"].rpartition(".")[0]
        == (made["Subnets"][0]["GatewayAddress"].rpartition(".")[0])
    )
    net.hns("DELETE", f"/endpoints/{endpoint['ID']}")
    net.hns("DELETE", f"/networks/{made['ID']}")


def test_r284_containerd(net: Net) -> None:
    """Namespace, network by name, endpoint, container, and all back."""
    net.nat("pods")
    space = net.make("Namespace")
    spelled = net.id_of("Namespace", space)
    (found,) = net.ids("Network", Name="pods")
    endpoint = net.id_of("Endpoint", net.endpoint(net.open("Network", found)))
    net.modify("Namespace", space, "Endpoint", "Add", {"EndpointId": endpoint})
    document = {"Owner": "tests", "SchemaVersion": {"Major": 2, "Minor": 1}}
    document["Container"] = {"Networking": {"Namespace": spelled}}
    system = net.client.run("c", json.dumps(document))
    net.client.call("HcsTerminateComputeSystem", system, None)

    net.modify("Namespace", space, "Endpoint", "Remove", {"EndpointId": endpoint})
    net.ok("HcnDeleteEndpoint", endpoint)
    net.ok("HcnDeleteNamespace", spelled)


def test_r285_cni_plugins(net: Net) -> None:
    """The network by name in both generations, the gateway, the endpoint again."""
    on = net.bridge("cbr0")
    by_name = [item for item in net.hns("GET", "/networks/") if item["Name"] == "cbr0"]
    gateway = net.query("Network", on)["Ipams"][0]["Subnets"][0]["Routes"][0]["NextHop"]
    net.endpoint(on, "pod_cbr0")

    assert len(by_name) == 1
    assert gateway == "10.6.0.1"
    assert len(net.ids("Endpoint", Name="pod_cbr0")) == 1


def test_r286_flannel_host_gw(net: Net) -> None:
    """A bridge for each node, its .2 on the host, attached twice without harm."""
    part = {"AddressPrefix": "10.244.1.0/24", "GatewayAddress": "10.244.1.1"}
    body = {"Name": "cbr0", "Type": "L2Bridge", "Subnets": [part]}
    made = net.hns("POST", "/networks/", body)
    body = {"Name": "cbr0_ep", "VirtualNetwork": made["ID"], "IPAddress": "10.244.1.2"}
    endpoint = net.hns("POST", "/endpoints/", body)["ID"]
    attach = {"SystemType": "Host", "CompartmentId": 1}

    net.hns("POST", f"/endpoints/{endpoint}/attach", attach)
    record = net.hns_refused(
        0x803B0014, "POST", f"/endpoints/{endpoint}/attach", attach
    )

    assert made["ManagementIP"] == "192.0.2.1"
    assert "This endpoint is already attached to the switch." in record["Error"]


def test_r287_flannel_vxlan(net: Net) -> None:
    """An overlay with a route for each node, which come and go."""
    on = net.overlay("flannel.4096")
    assert {"ProviderAddress", "DrMacAddress"} <= set(kinds(net.query("Network", on)))
    routes = [
        policy(
            "RemoteSubnetRoute",
            DestinationPrefix=f"10.244.{node}.0/24",
            IsolationId=5000,
            ProviderAddress=f"192.0.2.{node}",
            DistributedRouterMacAddress=f"00-15-5D-00-00-0{node}",
        )
        for node in range(2, 6)
    ]
    for route in routes:
        net.modify("Network", on, "Policy", "Add", policies(route))
    net.modify("Network", on, "Policy", "Remove", policies(routes[0]))

    assert kinds(net.query("Network", on)).count("RemoteSubnetRoute") == 3


def test_r288_r290_calico_and_npm(net: Net) -> None:
    """Filters come through v1 and by sets; translation and routes survive."""
    nat = policy("OutBoundNAT", Exceptions=["10.96.0.0/12"])
    route = policy("SDNRoute", DestinationPrefix="10.96.0.0/12", NeedEncap=True)
    on = net.overlay(
        Policies=[policy("SetPolicy", Id="s", Name="s", PolicyType="IPSET", Values="")]
    )
    endpoint = net.endpoint(on, Policies=[nat, route])
    spelled = net.id_of("Endpoint", endpoint)
    deny = {"Type": "ACL", "Action": "Block", "Direction": "In", "Protocol": 256}
    allow = policy("ACL", Action="Allow", Direction="In", RemoteAddresses="s")

    net.hns("POST", f"/endpoints/{spelled}", {"ID": spelled, "Policies": [deny]})
    net.modify("Endpoint", endpoint, "Policy", "Update", policies(allow))

    assert net.ids("Endpoint", State=1) == [spelled]
    assert kinds(net.query("Endpoint", endpoint)) == ["OutBoundNAT", "SDNRoute", "ACL"]


def test_r289_kube_proxy(net: Net) -> None:
    """Remote endpoints and load balancers for a cluster's services."""
    on = net.overlay()
    provider = policy("ProviderAddress", ProviderAddress="192.0.2.9")
    far = net.endpoint(
        on,
        *("far",),
        Flags=1,
        MacAddress="02-11-22-33-44-55",
        IpConfigurations=[{"IpAddress": "192.168.1.77"}],
        Policies=[provider],
    )
    near = net.id_of("Endpoint", net.endpoint(on, "near"))
    backends = [net.id_of("Endpoint", far), near]
    for vips, external in (([], 30080), (["10.96.0.10"], 80), (["203.0.113.7"], 80)):
        port = {"Protocol": 6, "InternalPort": 8080, "ExternalPort": external}
        document = {**V2, "HostComputeEndpoints": backends, "FrontendVIPs": vips}
        net.make("LoadBalancer", document={**document, "PortMappings": [port]})

    plans = net.datapath.balancers.values()
    assert [backend.remote for backend in next(iter(plans)).backends] == [True, False]
    assert len(net.ids("LoadBalancer")) == 3


def test_r291_r292_azure_and_aws(net: Net) -> None:
    """An l2bridge without the type of its Ipam, and a mapping of its port."""
    document = network("l2bridge", "azure", "10.6.0.0/24", "10.6.0.1")
    del document["Ipams"][0]["Type"]
    mapping = policy(
        "PortMapping", Protocol=6, InternalPort=80, ExternalPort=8080, Flags=1
    )
    endpoint = net.endpoint(net.make("Network", document=document), Policies=[mapping])
    spelled = net.id_of("Endpoint", endpoint)
    space = net.make("Namespace")

    net.modify("Namespace", space, "Endpoint", "Add", {"EndpointId": spelled})

    assert net.query("Namespace", space)["Resources"][0]["Data"]["Id"] == spelled
    assert (
        "not found"
        in net.hns_refused(0x803B0002, "GET", f"/endpoints/{UNKNOWN}")["Error"].lower()
    )


def test_r293_wsl(net: Net) -> None:
    """A network under a fixed id, opened when it is there, deleted while open."""
    document = {"Name": "WSL", "Type": "ICS", "Flags": 9, "IsolateSwitch": True}
    net.make("Network", document=document, object_id=UNKNOWN)
    net.refuse(0x803B0010, "Network", document=document, object_id=UNKNOWN)
    on = net.open("Network", UNKNOWN)
    endpoint = {**V2, "HostComputeNetwork": UNKNOWN}
    endpoint["Policies"] = [
        policy("PortName", Name=""),
        policy("Firewall", VmCreatorId=UNKNOWN),
    ]
    net.make("Endpoint", document=endpoint, object_id=UNKNOWN, network=on)

    assert net.query("Network", on, None)["Name"] == "WSL"
    assert net.ids("Endpoint", VirtualNetwork=UNKNOWN) == [UNKNOWN]
    net.ok("HcnDeleteNetwork", UNKNOWN)


def test_r294_multipass(net: Net) -> None:
    """Networks without gateways, by adapter; a missing one is ignored by clients."""
    part = {"IpAddressPrefix": "172.50.224.0/20", "Routes": [], "Policies": []}
    document = {**V2, "Name": "m", "Type": "ICS", "Ipams": [{"Subnets": [part]}]}
    on = net.make("Network", document=document)

    net.refused(0x803B0001, "HcnDeleteNetwork", UNKNOWN)

    assert "NatName" in net.query("Network", on, "{}")


def test_r295_antrea_and_ovn(net: Net) -> None:
    """Extensions, another port of VXLAN, and endpoints with fixed addresses."""
    on = net.make(
        "Network", document=overlay("ovn", Policies=[policy("VxlanPort", Port=4800)])
    )
    vfp = {"ExtensionID": "F74F241B-440F-4433-BB28-00F89EAD20D8", "Enable": False}
    net.modify("Network", on, "Extension", "Update", vfp)

    endpoint = net.endpoint(
        on,
        MacAddress="0a-58-0a-00-00-05",
        IpConfigurations=[{"IpAddress": "192.168.1.5", "PrefixLength": 24}],
    )

    assert net.query("Endpoint", endpoint)["MacAddress"] == "0a-58-0a-00-00-05"


def test_r296_winc(net: Net) -> None:
    """A chosen port, filters and a limit, by v1."""
    on = net.id_of("Network", net.nat())
    listed = [
        {"Type": "NAT", "Protocol": "TCP", "InternalPort": 8080, "ExternalPort": 0},
        {"Type": "ACL", "Action": "Allow", "Direction": "Out", "Protocol": 6},
        {"Type": "QOS", "MaximumOutgoingBandwidthInBytes": 1000000},
    ]

    made = net.hns("POST", "/endpoints/", {"VirtualNetwork": on, "Policies": listed})

    assert made["Policies"][0]["ExternalPort"] > 0
    plan = net.datapath.endpoints[made["ID"].lower()]
    assert plan.outgoing_bytes_per_second == 1000000


def test_r297_proxy_control(net: Net) -> None:
    """The endpoint of a container is found, and a proxy set and taken off."""
    endpoint = net.endpoint(net.nat())
    spelled = net.id_of("Endpoint", endpoint)
    net.client.run(
        "c", json.dumps({"SystemType": "Container", "EndpointList": [spelled]})
    )
    (found,) = [e for e in net.hns("GET", "/endpoints") if "c" in e["SharedContainers"]]

    proxy = policy("L4WFPPROXY", OutboundProxyPort="15001")
    net.modify("Endpoint", endpoint, "Policy", "Add", policies(proxy))
    net.modify("Endpoint", endpoint, "Policy", "Remove", policies(policy("L4WFPPROXY")))

    assert found["ID"] == spelled.upper()
    assert kinds(net.query("Endpoint", endpoint)) == []


@pytest.mark.parametrize("name", ["eth", "vm switch"])
def test_r298_interface_of_the_host(net: Net, name: str) -> None:
    """An endpoint of the host's namespace is an interface of its name and MAC."""
    (default,) = net.ids("Namespace")
    endpoint = net.endpoint(net.nat(), name)
    spelled = net.id_of("Endpoint", endpoint)
    space = net.open("Namespace", default)

    net.modify("Namespace", space, "Endpoint", "Add", {"EndpointId": spelled})

    (target,) = net.datapath.attached[spelled]
    assert target.interface == f"vEthernet ({name})"
    mac = net.query("Endpoint", endpoint)["MacAddress"]
    assert net.datapath.endpoints[spelled].mac == mac.replace("-", ":").lower()
