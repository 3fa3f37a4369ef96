"""Rules 7 to 14 and 124 to 163: networks."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from typing import TYPE_CHECKING

import pytest
from network_support import (
    UNKNOWN,
    V2,
    Net,
    kinds,
    network,
    overlay,
    policies,
    policy,
    subnet,
)

if TYPE_CHECKING:
    from network_support import JSON

REMOTE = policy(
    "RemoteSubnetRoute",
    DestinationPrefix="192.168.2.0/24",
    IsolationId=5000,
    ProviderAddress="1.1.1.1",
    DistributedRouterMacAddress="00-12-34-56-78-9a",
)
NETWORK_ACL = policy(
    "NetworkACL",
    Protocols="6",
    Action="Allow",
    Direction="In",
    LocalAddresses="192.168.100.0/24,10.0.0.21",
    RemoteAddresses="192.168.100.0/24,10.0.0.21",
    LocalPorts="80,8080",
    RemotePorts="80,8080",
    RuleType="Switch",
    Priority=200,
)


def test_r7_create_and_delete(net: Net) -> None:
    """A NAT network with its own pool of MACs, and one without any Ipam."""
    ranges = [
        {"StartMacAddress": "00-15-5D-52-C0-00", "EndMacAddress": "00-15-5D-52-CF-FF"}
    ]
    pool = {"Ranges": ranges}
    full = network("NAT", "full", "192.168.100.0/24", MacPool=pool)

    for document in (full, {**V2, "Name": "bare", "Type": "NAT"}):
        handle = net.make("Network", document=document)
        spelled = net.id_of("Network", handle)
        net.ok("HcnDeleteNetwork", spelled)

    assert net.ids("Network") == []


def test_r1_r2_r3_nothing_found_is_no_error(net: Net) -> None:
    """Filters that find nothing give an empty list."""
    assert net.ids("Network", Name="Not found name") == []
    assert net.ids("Network", ID=UNKNOWN) == []
    assert net.ids("Namespace", ID=UNKNOWN) == []


def test_r8_r9_r10_found_by_name_and_id(net: Net) -> None:
    """A network is found by exact name and by id, and listed."""
    spelled = net.id_of("Network", net.nat("here"))

    assert net.ids("Network", Name="here") == [spelled]
    assert net.ids("Network", ID=spelled) == [spelled]
    assert net.ids("Network") == [spelled]


@pytest.mark.parametrize(
    "listed",
    [REMOTE, policy("HostRoute"), NETWORK_ACL],
    ids=["r11 remote subnet", "r12 host route", "r13 filter"],
)
def test_r11_r12_r13_add_and_remove_policy(net: Net, listed: dict[str, object]) -> None:
    """A policy that was added is shown, and is not after its removal."""
    handle = net.overlay()

    net.modify("Network", handle, "Policy", "Add", policies(listed))
    assert listed["Type"] in kinds(net.query("Network", handle))
    net.modify("Network", handle, "Policy", "Remove", policies(listed))

    assert listed["Type"] not in kinds(net.query("Network", handle))


def test_r14_r150_flags_are_echoed(net: Net) -> None:
    """Flags come back as sent, unknown bits too."""
    flags = 8 | 1 << 30

    assert net.query("Network", net.overlay(Flags=flags))["Flags"] == flags


def test_r124_name_is_taken(net: Net) -> None:
    """A second network of a name is refused, with the text that clients look for."""
    net.nat("a")

    record = net.refuse(0x803B0010, "Network", document=network("NAT", "a"))

    assert record["Error"] == "A network with this name already exists. "


def test_r125_case_of_types(net: Net) -> None:
    """v2 shows the canonical type, v1 what the client wrote."""
    handle = net.make(
        "Network", document=network("l2bridge", "a", "10.6.0.0/24", "10.6.0.1")
    )

    assert net.query("Network", handle)["Type"] == "L2Bridge"
    assert net.query("Network", handle, None)["Type"] == "l2bridge"


def test_r126_unknown_type(net: Net) -> None:
    """A type that there is not is refused."""
    net.refuse(0x803B000B, "Network", document=network("Nonsense", "a"))


def test_r127_missing_type_is_nat(net: Net) -> None:
    """Without a type it is a NAT network."""
    handle = net.make("Network", document={**V2, "Name": "a"})

    assert net.query("Network", handle)["Type"] == "NAT"


def test_r128_r129_automatic_prefix(net: Net) -> None:
    """A prefix that is left open is a free /20, the gateway its first address."""
    net.machine.adapters.used = (IPv4Network("172.16.0.0/20"),)
    documents = [
        {**V2, "Name": "a", "Type": "NAT"},
        {**V2, "Name": "b", "Type": "ICS", "Ipams": []},
    ]
    handles = [net.make("Network", document=document) for document in documents]
    body = {"Name": "c", "Type": "nat", "Subnets": [{"AddressPrefix": "0.0.0.0/0"}]}
    last = net.hns("POST", "/networks", body)["Subnets"][0]

    parts = [net.query("Network", h)["Ipams"][0]["Subnets"][0] for h in handles]

    prefixes = [ip_network(part["IpAddressPrefix"]) for part in parts]
    prefixes.append(ip_network(last["AddressPrefix"]))
    assert [str(prefix) for prefix in prefixes] == [
        *("172.16.16.0/20", "172.16.32.0/20", "172.16.48.0/20"),
    ]
    assert parts[0]["Routes"][0]["NextHop"] == "172.16.16.1"
    assert last["GatewayAddress"] == "172.16.48.1"


def test_r130_overlapping_prefixes(net: Net) -> None:
    """Prefixes of NAT and ICS networks do not overlap."""
    net.nat(prefix="10.5.0.0/16")

    net.refuse(0x803B000A, "Network", document=network("ICS", "b", "10.5.3.0/24"))


def test_r131_prefixes_are_read_strictly_and_normalised(net: Net) -> None:
    """A text that is no prefix is refused; bits of a host in one are cleared."""
    net.refuse(0x803B0030, "Network", document=network("NAT", "a", "10.5.0.0"))
    net.refuse(0x803B0030, "Network", document=network("NAT", "a", "ten/8"))
    document = network("NAT", "a", "10.0.0.10/10")

    handle = net.make("Network", document=document)

    part = net.query("Network", handle)["Ipams"][0]["Subnets"][0]
    assert part["IpAddressPrefix"] == "10.0.0.0/10"


def test_r132_gateway_outside(net: Net) -> None:
    """A gateway lies in its prefix."""
    document = network("NAT", "a", "10.5.0.0/24", "10.6.0.1")

    net.refuse(0x803B000A, "Network", document=document)


def test_missing_gateway(net: Net) -> None:
    """A bridged network needs a gateway."""
    document = {**V2, "Name": "a", "Type": "L2Bridge"}
    document["Ipams"] = [{"Subnets": [subnet("10.5.0.0/24")]}]

    net.refuse(0x803B000A, "Network", document=document)


@pytest.mark.parametrize("kind", ["ICS", "Transparent", "Private", "Internal"])
def test_r133_subnets_without_routes(net: Net, kind: str) -> None:
    """These types need no routes."""
    part = subnet("172.50.224.0/20")
    document = {**V2, "Name": "a", "Type": kind, "Ipams": [{"Subnets": [part]}]}

    net.make("Network", document=document)


def test_r134_r88_block_of_macs(net: Net) -> None:
    """Without a pool there is a block of 4096, and no address is given twice."""
    handle = net.nat()
    (block,) = net.query("Network", handle)["MacPool"]["Ranges"]
    first, last = (
        int(block[name].replace("-", ""), 16)
        for name in ("StartMacAddress", "EndMacAddress")
    )
    macs = [
        net.query("Endpoint", net.endpoint(handle, f"e{place}"))["MacAddress"]
        for place in range(5)
    ]

    assert last - first == 4095
    assert block["StartMacAddress"].startswith("00-15-5D-")
    assert len(set(macs)) == 5


def test_r135_ranges_in_order(net: Net) -> None:
    """Addresses come from the given ranges only, one after the other."""
    ranges = [
        {"StartMacAddress": "00-15-5D-00-00-0A", "EndMacAddress": "00-15-5D-00-00-0A"},
        {"StartMacAddress": "00-15-5D-00-00-01", "EndMacAddress": "00-15-5D-00-00-01"},
    ]
    handle = net.nat(MacPool={"Ranges": ranges})

    macs = [net.query("Endpoint", net.endpoint(handle))["MacAddress"] for _ in range(2)]

    assert macs == ["00-15-5D-00-00-0A", "00-15-5D-00-00-01"]
    net.refuse(0x803B002F, "Endpoint", network=handle)


def adapter(name: str) -> dict[str, object]:
    """Write the policy that binds to an adapter."""
    return policy("NetAdapterName", NetworkAdapterName=name)


def test_r136_unknown_adapters(net: Net) -> None:
    """An adapter must be there, and not be the service's own."""
    for name, code in (("none", 0x803B0006), ("vEthernet (x)", 0x80070057)):
        document = overlay(Policies=[adapter(name)])
        net.refuse(code, "Network", document=document)


def test_r137_first_adapter(net: Net) -> None:
    """Without a name it is the first adapter; without any adapter nothing goes."""
    assert net.query("Network", net.overlay("a"), None)["NetworkAdapterName"] == (
        "Ethernet"
    )
    net.machine.adapters.known.clear()

    net.refuse(0x803B0006, "Network", document=overlay("b"))


@pytest.mark.parametrize("make", [Net.bridge, Net.overlay], ids=["bridge", "overlay"])
def test_r138_address_of_the_adapter(net: Net, make: object) -> None:
    """The machine's address on the adapter is published in both generations."""
    handle = make(net)  # type: ignore[operator]

    found = net.query("Network", handle)

    assert "ProviderAddress" in kinds(found)
    assert net.query("Network", handle, None)["ManagementIP"] == "192.0.2.1"


def test_r139_router_mac(net: Net) -> None:
    """An overlay shows the MAC address of its distributed router."""
    handle = net.overlay()

    assert "DrMacAddress" in kinds(net.query("Network", handle))
    assert net.query("Network", handle, None)["DrMacAddress"].count("-") == 5


def test_r140_isolation_of_overlays(net: Net) -> None:
    """Every subnet of an overlay needs a VSID of at least 4096."""
    net.refuse(0x803B0008, "Network", document=network("Overlay", "a", "10.6.0.0/24"))
    net.refuse(0x803B000D, "Network", document=overlay("a", 4095))
    net.make("Network", document=overlay("a", 4096))


def test_r141_vxlan_port(net: Net) -> None:
    """The port is that of the policy, else 4789."""
    usual = net.id_of("Network", net.overlay("a"))
    document = overlay("b", Policies=[policy("VxlanPort", Port=4800)])
    handle = net.make("Network", document=document)

    assert net.datapath.networks[usual].vxlan_port == 4789
    assert net.datapath.networks[net.id_of("Network", handle)].vxlan_port == 4800
    assert "VxlanPort" in kinds(net.query("Network", handle))


def test_r142_remote_subnets_are_replaced(net: Net) -> None:
    """A second route for a prefix takes the place of the first."""
    handle = net.overlay()
    for address in ("1.1.1.1", "2.2.2.2"):
        listed = {
            **REMOTE,
            "Settings": {**REMOTE["Settings"], "ProviderAddress": address},
        }
        net.modify("Network", handle, "Policy", "Add", policies(listed))

    (plan,) = net.datapath.networks[net.id_of("Network", handle)].remote_subnets

    assert plan.provider_address == "2.2.2.2"
    assert kinds(net.query("Network", handle)).count("RemoteSubnetRoute") == 1


def test_r143_policies_are_flat_in_v1(net: Net) -> None:
    """v1 shows policies of v2 with their settings beside the type."""
    handle = net.overlay(Policies=[REMOTE])

    listed = net.query("Network", handle, None)["Policies"]

    assert {"Type": "RemoteSubnetRoute", **REMOTE["Settings"]} in listed


def test_r144_removal_by_what_identifies(net: Net) -> None:
    """Prefix, isolation and provider name a route; its MAC does not."""
    handle = net.overlay(Policies=[REMOTE])
    settings = dict(REMOTE["Settings"])
    del settings["DistributedRouterMacAddress"]
    other = {**settings, "ProviderAddress": "9.9.9.9"}

    net.refuse_change(
        *(0x803B0008, "Network", handle, "Policy", "Remove"),
        policies(policy("RemoteSubnetRoute", **other)),
    )
    net.modify(
        *("Network", handle, "Policy", "Remove"),
        policies(policy("RemoteSubnetRoute", **settings)),
    )

    assert "RemoteSubnetRoute" not in kinds(net.query("Network", handle))


def test_r145_one_host_route(net: Net) -> None:
    """Adding a host route twice succeeds and makes one."""
    handle = net.overlay()
    for _ in range(2):
        net.modify("Network", handle, "Policy", "Add", policies(policy("HostRoute")))

    assert kinds(net.query("Network", handle)).count("HostRoute") == 1


def test_exact_duplicates_of_other_policies(net: Net) -> None:
    """Any other policy cannot be there twice."""
    handle = net.overlay(Policies=[NETWORK_ACL])

    net.refuse_change(
        0x803B0012, "Network", handle, "Policy", "Add", policies(NETWORK_ACL)
    )


def test_r146_r91_shared_layer(net: Net) -> None:
    """Networks of one adapter share a layer, which a third can ask for."""
    first, second = net.overlay("a"), net.overlay("b")
    other = net.make("Network", document=overlay("c", Policies=[adapter("Second")]))
    extra = [
        net.query("Network", handle)["Health"]["Extra"]
        for handle in (first, second, other)
    ]
    constraint = policy("LayerConstraint", LayerId=extra[2]["LayeredOn"].upper())
    fourth = net.make("Network", document=overlay("d", Policies=[constraint]))

    assert extra[0]["LayeredOn"] == extra[1]["LayeredOn"] != extra[2]["LayeredOn"]
    assert extra[0]["SwitchGuid"] == extra[1]["SwitchGuid"]
    found = net.query("Network", fourth)["Health"]["Extra"]["LayeredOn"]
    assert found == extra[2]["LayeredOn"]
    constraint = policy("LayerConstraint", LayerId=UNKNOWN)
    net.refuse(0x803B0003, "Network", document=overlay("e", Policies=[constraint]))


def test_r91_a_switch_is_found_by_its_id(net: Net) -> None:
    """An id of a switch finds the network that has it, as ncproxy asks for it."""
    handle = net.nat()
    switch = net.query("Network", handle)["Health"]["Extra"]["SwitchGuid"]

    assert [net.id_of("Network", handle)] == net.ids("Network", ID=switch)
    assert [net.id_of("Network", handle)] == net.ids("Network", ID=switch.upper())
    assert [] == net.ids("Network", ID=switch, Name="another")
    assert [] == net.ids("Network", ID=UNKNOWN)


def test_r147_endpoints_go_with_their_network(net: Net) -> None:
    """Deleting a network deletes its endpoints."""
    handle = net.nat()
    net.endpoint(handle)

    net.ok("HcnDeleteNetwork", net.id_of("Network", handle))

    assert net.ids("Endpoint") == []
    assert net.datapath.endpoints == {}


def test_r148_deleting_what_is_not_there(net: Net) -> None:
    """Deleting an unknown network fails, in v1 inside the envelope."""
    net.refused(0x803B0001, "HcnDeleteNetwork", UNKNOWN)

    answer = net.hns_fails("DELETE", f"/networks/{UNKNOWN}")

    assert answer["Error"] == (
        "The object identifier does not represent a valid object. "
    )


def test_r149_r271_what_a_restart_keeps(net: Net) -> None:
    """Networks stay as they are over a restart, those with flag 8 do not."""
    kept = net.overlay("kept", Policies=[REMOTE])
    net.endpoint(kept, IpConfigurations=[{"IpAddress": "192.168.1.9"}])
    lost = net.nat("lost", Flags=8)
    net.endpoint(lost)
    before = net.query("Network", kept)

    net.machine.restart()

    (spelled,) = net.ids("Network")
    assert before == net.query("Network", net.open("Network", spelled))
    (endpoint,) = net.ids("Endpoint")
    found = net.query("Endpoint", net.open("Endpoint", endpoint))
    assert found["IpConfigurations"][0]["IpAddress"] == "192.168.1.9"
    net.refuse(
        *(0x803B002F, "Endpoint"),
        document={**V2, "IpConfigurations": [{"IpAddress": "192.168.1.9"}]},
        network=net.open("Network", spelled),
    )


def test_r151_name_server_of_ics(net: Net) -> None:
    """The flags of an ICS network reach what carries its packets."""
    handle = net.make("Network", document=network("ICS", "a", Flags=3))
    spelled = net.id_of("Network", handle)

    assert net.datapath.networks[spelled].kind.value == "ICS"
    assert net.query("Network", handle)["Flags"] == 3


def test_r152_network_of_wsl(net: Net) -> None:
    """The document of WSL is accepted under its id, and gives one subnet."""
    part = {
        "ObjectType": 5,
        "AddressPrefix": "192.168.50.0/24",
        "GatewayAddress": "192.168.50.1",
        "IpSubnets": [
            {"Flags": 3, "IpAddressPrefix": "192.168.50.0/24", "ObjectType": 6}
        ],
    }
    document = {"Name": "WSL", "Flags": 9, "Type": "ICS", "IPv6": False}
    document |= {"IsolateSwitch": True, "MaxConcurrentEndpoints": 1, "Subnets": [part]}

    handle = net.make("Network", document=document, object_id=UNKNOWN)

    found = net.query("Network", handle, None)
    (only,) = found["Subnets"]
    assert only["AddressPrefix"] == "192.168.50.0/24"
    assert only["GatewayAddress"] == "192.168.50.1"
    assert found["IsolateSwitch"] is True


def test_r153_counts_of_endpoints(net: Net) -> None:
    """A network counts the endpoints it has and had."""
    handle = net.nat()
    net.endpoint(handle, "a")
    spelled = net.id_of("Endpoint", net.endpoint(handle, "b"))
    net.ok("HcnDeleteEndpoint", spelled)

    found = net.query("Network", handle, None)

    assert found["CurrentEndpointCount"] == 1
    assert found["TotalEndpoints"] == 2
    assert found["MaxConcurrentEndpoints"] == 2


def a_set(name: str, values: str, kind: str = "IPSET") -> dict[str, object]:
    """Write a set of addresses."""
    return policy("SetPolicy", Id=name, Name=name, PolicyType=kind, Values=values)


def test_r154_sets(net: Net) -> None:
    """Sets may nest, but only in sets that are there."""
    handle = net.overlay()
    nested = a_set("both", "one,two", "NESTEDIPSET")
    one, two = a_set("one", "10.0.0.1,10.0.1.0/24"), a_set("two", "10.0.2.1,80:tcp")

    net.refuse_change(0x803B000D, "Network", handle, "Policy", "Add", policies(nested))
    net.modify("Network", handle, "Policy", "Add", policies(one, two, nested))

    sets = {
        s.id: s.members
        for s in net.datapath.networks[net.id_of("Network", handle)].sets
    }
    assert sets["one"] == ("10.0.0.1", "10.0.1.0/24")
    assert set(sets["one"]) < set(sets["both"])


def test_r155_updating_sets(net: Net) -> None:
    """An update replaces the members of a set that is there."""
    handle = net.overlay(Policies=[a_set("one", "10.0.0.1")])

    net.modify(
        "Network", handle, "Policy", "Update", policies(a_set("one", "10.0.0.2"))
    )
    (found,) = net.datapath.networks[net.id_of("Network", handle)].sets

    assert found.members == ("10.0.0.2",)
    net.refuse_change(
        *(0x803B0008, "Network", handle, "Policy", "Update"),
        policies(a_set("two", "10.0.0.2")),
    )


def test_r156_sets_in_use(net: Net) -> None:
    """A set that a nested one or a filter uses cannot go."""
    one = a_set("one", "10.0.0.1")
    two = a_set("two", "10.0.0.2")
    nested = a_set("both", "one", "NESTEDIPSET")
    handle = net.overlay(Policies=[one, two, nested])
    acl = policy("ACL", Action="Block", Direction="In", RemoteAddresses="two")
    net.endpoint(handle, Policies=[acl])

    for used in (one, two):
        net.refuse_change(
            0x803B002C, "Network", handle, "Policy", "Remove", policies(used)
        )
    net.modify("Network", handle, "Policy", "Remove", policies(nested))
    net.modify("Network", handle, "Policy", "Remove", policies(one))


def test_r157_dns_of_the_network(net: Net) -> None:
    """Endpoints that bring no name servers get the network's."""
    handle = net.nat(Dns={"Domain": "a.test", "ServerList": ["1.1.1.1", "2.2.2.2"]})
    own = net.endpoint(handle, Dns={"ServerList": ["9.9.9.9"]})

    found = net.query("Endpoint", net.endpoint(handle))["Dns"]

    assert found == {"Domain": "a.test", "ServerList": ["1.1.1.1", "2.2.2.2"]}
    assert net.query("Endpoint", own)["Dns"] == {"ServerList": ["9.9.9.9"]}


def test_dns_can_be_replaced(net: Net) -> None:
    """A request replaces the settings of name resolution."""
    handle = net.nat()

    net.modify("Network", handle, "DNS", "Update", {"ServerList": ["3.3.3.3"]})

    assert net.query("Network", handle)["Dns"] == {"ServerList": ["3.3.3.3"]}


def test_r158_empty_search(net: Net) -> None:
    """A search list with one empty text is none."""
    net.nat(Dns={"Search": [""], "ServerList": ["1.1.1.1"]})


def test_r159_route_to_nowhere(net: Net) -> None:
    """A default route by 0.0.0.0 means that there is no gateway."""
    nowhere = "0.0.0.0"  # noqa: S104 - of a route
    handle = net.make(
        "Network", document=network("L2Bridge", "a", "10.6.0.0/24", nowhere)
    )
    endpoint = net.endpoint(handle)

    assert net.query("Endpoint", endpoint)["Routes"] == []


def test_r160_both_families(net: Net) -> None:
    """One Ipam may hold a subnet of each family."""
    parts = [subnet("10.6.0.0/24", "10.6.0.1"), subnet("fd00::/64", "fd00::1")]
    document = {**V2, "Name": "a", "Type": "L2Bridge", "Ipams": [{"Subnets": parts}]}
    handle = net.make("Network", document=document)

    found = net.query("Endpoint", net.endpoint(handle))

    addresses = [item["IpAddress"] for item in found["IpConfigurations"]]
    assert addresses == ["10.6.0.2", "fd00::2"]
    hops = [route["NextHop"] for route in found["Routes"]]
    assert hops == ["10.6.0.1", "fd00::1"]


def test_r161_gateway_may_be_taken(net: Net) -> None:
    """With its flag a subnet lets an endpoint take the gateway's address."""
    part = subnet("10.6.0.0/24", "10.6.0.2", Flags=1)
    document = {**V2, "Name": "a", "Type": "L2Bridge", "Ipams": [{"Subnets": [part]}]}
    handle = net.make("Network", document=document)

    net.endpoint(handle, IpConfigurations=[{"IpAddress": "10.6.0.2"}])


@pytest.mark.parametrize(
    ("resource", "verb"),
    [("Nonsense", "Add"), ("Policy", "Nonsense"), ("DNS", "Remove"), ("Policy", 4)],
)
def test_r162_unknown_requests(net: Net, resource: str, verb: object) -> None:
    """A pair of resource and verb that there is not is refused."""
    net.refuse_change(0x803B0015, "Network", net.nat(), resource, verb, {})


def test_r163_both_generations_see_the_same(net: Net) -> None:
    """What one generation makes the other shows and deletes."""
    first = net.id_of("Network", net.nat("new"))
    second = net.hns("POST", "/networks/", {"Name": "old", "Type": "Private"})["ID"]

    names = [item["Name"] for item in net.hns("GET", "/networks/")]
    assert names == ["new", "old"]
    assert net.ids("Network", Name="old") == [second.lower()]
    net.hns("DELETE", f"/networks/{first}")
    net.ok("HcnDeleteNetwork", second)
    assert net.ids("Network") == []


def test_extensions(net: Net) -> None:
    """Extensions of a switch are turned on and off; others, and shared ones, not."""
    handle = net.nat()
    settings = {"ExtensionID": "e7c3b2f0-f3c5-48df-af2b-10fed6d72e7a", "Enable": True}

    net.modify("Network", handle, "Extension", "Update", settings)

    shown = net.query("Network", handle, None)["Extensions"]
    assert shown[0]["IsEnabled"] is True
    net.refuse_change(
        *(0x803B001F, "Network", handle, "Extension", "Update"),
        {"ExtensionID": UNKNOWN, "Enable": True},
    )
    shared = net.overlay("a")
    net.overlay("b")
    net.refuse_change(0x803B0018, "Network", shared, "Extension", "Update", settings)


@pytest.mark.parametrize("kind", ["Transparent", "L2Bridge", "L2Tunnel"])
@pytest.mark.parametrize("where", ["network", "subnet", "endpoint"])
def test_vlans_reach_what_carries_packets(net: Net, kind: str, where: str) -> None:
    """The VLAN of an endpoint is its own, its subnet's, or its network's."""
    listed: dict[str, list[JSON]] = {
        place: [{"Type": "VLAN", "VLAN": vlan}]
        for vlan, place in enumerate(("network", "subnet", "endpoint"), 5)
    }
    wanted = listed[where][0]["VLAN"]
    for place in ("subnet", "endpoint")[
        ("network", "subnet", "endpoint").index(where) :
    ]:
        listed[place] = []
    subnet = {
        "AddressPrefix": "10.9.0.0/24",
        "GatewayAddress": "10.9.0.1",
        "Policies": listed["subnet"],
    }
    body = {"Type": kind, "Subnets": [subnet], "Policies": listed["network"]}
    on = net.hns("POST", "/networks", body)["ID"]

    made = net.hns(
        "POST",
        "/endpoints",
        {"VirtualNetwork": on, "IPAddress": "10.9.0.4", "Policies": listed["endpoint"]},
    )

    assert wanted == net.datapath.endpoints[made["ID"].lower()].vlan


def test_nat_networks_have_no_vlans(net: Net) -> None:
    """The VLAN that HNS gives a NAT network is shown, and puts nobody apart."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))

    assert net.datapath.endpoints[endpoint].vlan == 0
