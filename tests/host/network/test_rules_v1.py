"""Rules 71 to 78, 255 to 268 and 299 to 308: v1, and the two renderings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from network_support import UNKNOWN, V2, Net, kinds, network, overlay, policy, subnet

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hns"


def fixture(name: str) -> object:
    """Read a document that was met in the wild."""
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def test_r71_r72_documents_of_v1_by_v2(net: Net) -> None:
    """HCN takes documents of v1, and answers in v2."""
    body = {"Name": "old", "Type": "nat", "Subnets": [{"AddressPrefix": "10.8.0.0/24"}]}
    on = net.make("Network", document=body)
    spelled = net.id_of("Network", on)

    endpoint = net.make("Endpoint", document={"VirtualNetwork": spelled}, network=on)

    found = net.query("Endpoint", endpoint)
    assert found["HostComputeNetwork"] == spelled
    assert found["Name"] == "Ethernet"


def test_r73_life_by_v1(net: Net) -> None:
    """A network and an endpoint are made, attached to the host, and deleted."""
    body = {"Name": "n", "Type": "nat", "Subnets": [{"AddressPrefix": "10.8.0.0/24"}]}
    on = net.hns("POST", "/networks/", body)["ID"]
    endpoint = net.hns("POST", "/endpoints/", {"VirtualNetwork": on})["ID"]
    attach = {"SystemType": "Host", "CompartmentId": 1}

    net.hns("POST", f"/endpoints/{endpoint}/attach", attach)
    net.hns("POST", f"/endpoints/{endpoint}/detach", attach)

    assert net.hns("DELETE", f"/endpoints/{endpoint}") is None
    assert net.hns("DELETE", f"/networks/{on}") is None


def test_r74_r76_r258_lists(net: Net) -> None:
    """Lists are arrays, also empty ones."""
    assert net.hns("GET", "/endpoints/") == []
    assert net.hns("GET", "/networks/") == []
    net.endpoint(net.nat())

    assert len(net.hns("GET", "/endpoints/")) == 1
    assert len(net.hns("GET", "/networks/")) == 1


def test_r75_statistics_of_all(net: Net) -> None:
    """Every endpoint has statistics; its network is deleted with it."""
    on = net.nat()
    net.endpoint(on)
    for endpoint in net.hns("GET", "/endpoints/"):
        found = net.hns("GET", f"/endpointstats/{endpoint['ID']}")
        assert found["EndpointId"] == endpoint["ID"]
        assert found["PacketsSent"] == 0

    net.hns("DELETE", f"/networks/{net.id_of('Network', on)}")

    assert net.hns("GET", "/endpoints/") == []


def test_r77_network_without_pools(net: Net) -> None:
    """A network without MacPools is made and deleted."""
    made = net.hns("POST", "/networks/", {"Name": "n", "Type": "nat"})

    assert len(made["MacPools"]) == 1
    net.hns("DELETE", f"/networks/{made['ID']}")


def test_r78_management_macs(net: Net) -> None:
    """The list of management MACs is kept until it is deleted."""
    macs = [{"MacAddress": f"00-11-22-33-44-5{n}"} for n in range(2)]
    body = {"MacAddressList": macs}

    assert net.hns("POST", "/accelnet/", body) == body
    assert net.hns("GET", "/accelnet") == body
    assert net.hns("DELETE", "/accelnet/") == {"MacAddressList": []}
    assert net.hns("GET", "/accelnet/") == {"MacAddressList": []}


@pytest.mark.parametrize(
    "collection",
    ["networks", "endpoints", "policylists", "namespaces", "activities", "plugins"],
)
def test_r255_slashes(net: Net, collection: str) -> None:
    """Collections are the same with and without a slash at the end."""
    net.nat()

    assert net.hns("GET", f"/{collection}") == net.hns("GET", f"/{collection}/")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nonsense"),
        ("PATCH", "/networks"),
        ("GET", ""),
        ("POST", "/networks/1/2/3"),
        ("DELETE", "/networks"),
        ("GET", "/globals"),
    ],
)
def test_r256_unknown_paths(net: Net, method: str, path: str) -> None:
    """What there is not fails inside the envelope."""
    answer = net.hns_fails(method, path)

    assert answer["ErrorCode"] == 0x803B0015
    assert answer["Error"] == "The specified request is unsupported. "


def test_r257_no_output(net: Net) -> None:
    """Where there is nothing to say, Output is left out."""
    on = net.id_of("Network", net.nat())

    answer = net.ok("HNSCall", "DELETE", f"/networks/{on}", "")

    assert answer == {"Success": True}


def test_r259_r268_keys(net: Net) -> None:
    """Keys have the spelling of v1, and objects are there for scripts."""
    on = net.nat()
    space = net.make("Namespace")
    net.endpoint(on, Dns={"ServerList": ["1.1.1.1"]})

    (network_document,) = net.hns("GET", "/networks")
    (endpoint,) = net.hns("GET", "/endpoints")
    shown = net.hns("GET", f"/namespaces/{net.id_of('Namespace', space)}")

    assert {"ID", "IPAddress", "DNSServerList", "MacAddress"} <= set(endpoint)
    assert {"ID", "CompartmentId", "IsDefault", "ResourceList"} <= set(shown)
    for document in (network_document, endpoint, shown):
        assert {"Resources", "Health", "AdditionalParams", "State"} <= set(document)


def test_r259_members_of_the_recorded_network(net: Net) -> None:
    """Every member that a recorded answer has is in ours too, subnets included."""
    recorded = fixture("v1-network-nat-created-a.response")["Output"]

    made = net.hns("POST", "/networks/", fixture("v1-network-nat-any-prefix.request"))

    assert set(recorded) <= set(made)
    assert set(recorded["Subnets"][0]) <= set(made["Subnets"][0])
    part = recorded["Subnets"][0]["IpSubnets"][0]
    assert set(part) <= set(made["Subnets"][0]["IpSubnets"][0])


def test_r259_members_of_the_recorded_endpoint(net: Net) -> None:
    """The same of a recorded endpoint."""
    recorded = fixture("v1-endpoint-nat-rs5.output")
    on = net.id_of("Network", net.nat())
    body = {"VirtualNetwork": on, "EnableInternalDNS": True, "EnableLowMetric": True}

    made = net.hns("POST", "/endpoints/", {**body, "DNSSuffix": "a.test"})

    assert set(recorded) <= set(made)


def test_r260_case_in_paths(net: Net) -> None:
    """Ids in paths are read in any case."""
    on = net.id_of("Network", net.nat())

    assert net.hns("GET", f"/networks/{on.upper()}") == net.hns(
        "GET", f"/Networks/{on}"
    )


def test_r261_type_as_spelled(net: Net) -> None:
    """Network and endpoint show the type as the client spelled it."""
    on = net.hns("POST", "/networks", {"Name": "n", "Type": "nAt"})
    endpoint = net.hns("POST", "/endpoints", {"VirtualNetwork": on["ID"]})

    assert (on["Type"], endpoint["Type"]) == ("nAt", "nAt")


def test_r262_r263_r53_versions(net: Net) -> None:
    """The service has version 15.4, which objects show as one number."""
    assert net.hns("GET", "/globals/version") == {"Major": 15, "Minor": 4}
    net.nat()

    assert net.hns("GET", "/networks")[0]["Version"] == 15 << 32 | 4


def test_r264_texts(net: Net) -> None:
    """Texts end with dot and blank."""
    record = net.hns_refused(0x803B0001, "GET", f"/networks/{UNKNOWN}")

    assert record["Error"] == "The network was not found. "


def test_r265_r266_unknown_ids(net: Net) -> None:
    """Deleting fails in the envelope; namespaces have Windows' own text."""
    for kind in ("networks", "endpoints"):
        answer = net.hns_fails("DELETE", f"/{kind}/{UNKNOWN}")
        assert answer["Error"] == (
            "The object identifier does not represent a valid object. "
        )
    for method in ("GET", "DELETE"):
        record = net.hns_refused(0x80070490, method, f"/namespaces/{UNKNOWN}")
        assert "Element not found." in record["Error"]


def test_bad_ids_in_paths(net: Net) -> None:
    """An id that is no GUID is refused as such."""
    net.hns_refused(0x803B0019, "GET", "/networks/nonsense")


def test_namespaces_of_v1(net: Net) -> None:
    """Namespaces are made by v1, with endpoints and containers in them."""
    made = net.hns("POST", "/namespaces/", {"IsDefault": True})
    path = f"/namespaces/{made['ID']}"
    endpoint = net.id_of("Endpoint", net.endpoint(net.nat()))
    body = {"Type": "Endpoint", "Data": {"Id": endpoint.upper()}}

    net.hns("POST", f"{path}/addresource", body)
    net.hns("POST", f"{path}/addresource", {"Type": "Container", "Data": {"Id": "c"}})

    shown = net.hns("GET", path)
    assert shown["IsDefault"] is True
    assert shown["ResourceList"] == [
        {"Type": "Endpoint", "Data": {"Id": endpoint.upper()}}
    ]
    assert shown["Containers"] == ["c"]


def test_network_is_changed_by_v1(net: Net) -> None:
    """A partial network of v1 changes extensions and policies."""
    on = net.id_of("Network", net.nat())
    extension = {"Id": "E7C3B2F0-F3C5-48DF-AF2B-10FED6D72E7A", "IsEnabled": True}

    found = net.hns("POST", f"/networks/{on}", {"Extensions": [extension]})

    assert found["Extensions"][0]["IsEnabled"] is True


# -- several subnets, and the two renderings --------------------------------


def bridged(*parts: object) -> dict[str, object]:
    """Write an L2Bridge network with some subnets."""
    ipams = [{"Type": "Static", "Subnets": list(parts)}]
    return {**V2, "Name": "b", "Type": "L2Bridge", "Ipams": ipams}


FIRST = subnet("10.1.0.0/24", "10.1.0.1")
SECOND = subnet("10.2.0.0/24", "10.2.0.1", Policies=[policy("VLAN", IsolationId=7)])


def test_r299_several_subnets(net: Net) -> None:
    """Subnets have their own routes and policies, and do not overlap."""
    found = net.query("Network", net.make("Network", document=bridged(FIRST, SECOND)))

    parts = found["Ipams"][0]["Subnets"]
    assert [part["Routes"][0]["NextHop"] for part in parts] == ["10.1.0.1", "10.2.0.1"]
    assert [len(part["Policies"]) for part in parts] == [0, 1]
    net.ok("HcnDeleteNetwork", found["ID"])
    overlapping = bridged(FIRST, subnet("10.1.0.0/25", "10.1.0.1"))
    net.refuse(0x803B0032, "Network", document=overlapping)


def test_r300_parts_of_subnets(net: Net) -> None:
    """IpSubnets lie inside; without any there is one with all of the subnet."""
    parts = [{"IpAddressPrefix": "10.1.0.64/26"}, {"IpAddressPrefix": "10.1.0.9/32"}]
    handle = net.make(
        "Network", document=bridged({**FIRST, "IpSubnets": parts}, SECOND)
    )

    shown = net.query("Network", handle)["Ipams"][0]["Subnets"]

    assert [len(part["IpSubnets"]) for part in shown] == [2, 1]
    assert shown[1]["IpSubnets"][0]["IpAddressPrefix"] == "10.2.0.0/24"
    outside = {**FIRST, "IpSubnets": [{"IpAddressPrefix": "10.3.0.0/26"}]}
    document = {**bridged(outside), "Name": "c"}
    net.refuse(0x803B0033, "Network", document=document)


def test_r301_address_of_a_part(net: Net) -> None:
    """An endpoint is bound to the IpSubnet that it names, which is shown."""
    parts = [
        {"IpAddressPrefix": "10.1.0.64/26", "ID": UNKNOWN},
        {"IpAddressPrefix": "10.1.0.128/26"},
    ]
    on = net.make("Network", document=bridged({**FIRST, "IpSubnets": parts}))

    endpoint = net.endpoint(on, IpConfigurations=[{"IpSubnetId": UNKNOWN}])

    (found,) = net.query("Endpoint", endpoint)["IpConfigurations"]
    assert found == {
        "IpAddress": "10.1.0.65",
        "PrefixLength": 24,
        "IpSubnetId": UNKNOWN,
    }
    other = UNKNOWN.replace("5", "6")
    document = {**V2, "IpConfigurations": [{"IpSubnetId": other}]}
    net.refuse(0x803B0005, "Endpoint", document=document, network=on)


def test_r302_subnets_come_and_go(net: Net) -> None:
    """Subnets and parts are added and removed, unless endpoints use them."""
    on = net.make("Network", document=bridged(FIRST))
    net.modify("Network", on, "Subnet", "Add", {"Subnets": [SECOND]})
    parts = net.query("Network", on)["Ipams"][0]["Subnets"]
    endpoint = net.endpoint(on, IpConfigurations=[{"IpAddress": "10.2.0.5"}])

    net.refuse_change(
        0x803B002C, "Network", on, "Subnet", "Remove", {"ID": parts[1]["ID"]}
    )
    net.ok("HcnDeleteEndpoint", net.id_of("Endpoint", endpoint))
    net.modify("Network", on, "Subnet", "Remove", {"ID": parts[1]["ID"]})

    assert len(net.query("Network", on)["Ipams"][0]["Subnets"]) == 1
    net.refuse_change(0x803B0005, "Network", on, "Subnet", "Remove", {"ID": UNKNOWN})


def test_r302_parts_come_and_go(net: Net) -> None:
    """The same of the parts of a subnet."""
    small = {"IpAddressPrefix": "10.1.0.64/26"}
    on = net.make("Network", document=bridged({**FIRST, "IpSubnets": [small]}))
    owner = net.query("Network", on)["Ipams"][0]["Subnets"][0]["ID"]
    added = {"IpAddressPrefix": "10.1.0.128/26", "ID": UNKNOWN}
    settings = {"Subnets": [{"ID": owner, "IpSubnets": [added]}]}

    net.modify("Network", on, "IPSubnet", "Add", settings)
    endpoint = net.endpoint(on, IpConfigurations=[{"IpSubnetId": UNKNOWN}])
    net.refuse_change(0x803B002C, "Network", on, "IPSubnet", "Remove", {"ID": UNKNOWN})
    net.ok("HcnDeleteEndpoint", net.id_of("Endpoint", endpoint))
    net.modify("Network", on, "IPSubnet", "Remove", {"ID": UNKNOWN})

    shown = net.query("Network", on)["Ipams"][0]["Subnets"][0]["IpSubnets"]
    assert [part["IpAddressPrefix"] for part in shown] == ["10.1.0.64/26"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"Subnets": [], "Type": "nat"}, 0),
        ({"Ipams": [], "Type": "nat"}, 0),
        ({"Type": "nat"}, 0),
        ({"Subnets": [], "Ipams": []}, 0x803B001B),
        ({**V2, "Subnets": []}, 0x803B001B),
        ({"SchemaVersion": {"Major": 3, "Minor": 0}}, 0x803B001B),
    ],
)
def test_r303_generation_of_a_document(
    net: Net, document: dict[str, object], code: int
) -> None:
    """Without a version the names of members tell the generation."""
    if code:
        net.refuse(code, "Network", document=document)
    else:
        net.make("Network", document={**document, "Name": "a"})


READ_ONLY = ("ID", "Health", "State", "Version", "Resources")


def rewritten(document: dict[str, object]) -> dict[str, object]:
    """Make a document for another object out of one that was read."""
    text = json.dumps({k: v for k, v in document.items() if k not in READ_ONLY})
    again = json.loads(text)
    for ipam in again.get("Ipams", ()):
        for part in ipam["Subnets"]:
            part.pop("ID")
            for inner in part["IpSubnets"]:
                inner.pop("ID")
    return {**again, "Name": "again"}


def test_r304_renderings_lose_nothing(net: Net) -> None:
    """What v1 made and v2 shows can be made again, and is equal."""
    policies = [{"Type": "VSID", "VSID": 5000}]
    part = {"AddressPrefix": "10.8.0.0/24", "GatewayAddress": "10.8.0.1"}
    body = {
        "Name": "old",
        "Type": "overlay",
        "Subnets": [{**part, "Policies": policies}],
        "DNSServerList": "1.1.1.1,2.2.2.2",
        "DNSSuffix": "a.test,b.test",
        "NetworkAdapterName": "Second",
        "MacPools": [
            {
                "StartMacAddress": "00-15-5D-00-00-00",
                "EndMacAddress": "00-15-5D-00-00-FF",
            }
        ],
    }
    made = net.hns("POST", "/networks", body)
    first = net.query("Network", net.open("Network", made["ID"]))

    second = net.query("Network", net.make("Network", document=rewritten(first)))

    assert rewritten(first) == rewritten(second)
    assert first["Dns"]["Search"] == ["a.test", "b.test"]
    assert {"NetAdapterName", "ProviderAddress", "DrMacAddress"} == set(kinds(first))


def test_r305_gateways(net: Net) -> None:
    """v1's gateway is v2's default route, in both directions."""
    on = net.query("Network", net.nat(), None)
    old = {"AddressPrefix": "10.9.0.0/24", "GatewayAddress": "10.9.0.9"}
    body = {"Name": "old", "Type": "nat", "Subnets": [old]}
    handle = net.open("Network", net.hns("POST", "/networks", body)["ID"])

    (part,) = net.query("Network", handle)["Ipams"][0]["Subnets"]

    assert on["Subnets"][0]["GatewayAddress"] == "10.5.0.1"
    assert part["Routes"] == [{"NextHop": "10.9.0.9", "DestinationPrefix": "0.0.0.0/0"}]


def test_r306_name_servers(net: Net) -> None:
    """Lists with commas of v1 are lists of v2, in their order."""
    on = net.id_of("Network", net.nat())
    body = {"VirtualNetwork": on, "DNSServerList": "2.2.2.2,1.1.1.1"}
    made = net.hns("POST", "/endpoints", body)

    found = net.query("Endpoint", net.open("Endpoint", made["ID"]))

    assert found["Dns"]["ServerList"] == ["2.2.2.2", "1.1.1.1"]
    assert made["DNSServerList"] == "2.2.2.2,1.1.1.1"


def test_r308_protocols_of_mappings(net: Net) -> None:
    """Texts of protocols in v1 are numbers in v2."""
    on = net.id_of("Network", net.nat())
    nat = {"Type": "NAT", "Protocol": "UDP", "InternalPort": 53, "ExternalPort": 5353}
    body = {"VirtualNetwork": on, "Policies": [nat]}
    made = net.hns("POST", "/endpoints", body)

    (found,) = net.query("Endpoint", net.open("Endpoint", made["ID"]))["Policies"]

    assert found["Type"] == "PortMapping"
    assert found["Settings"]["Protocol"] == 17
    assert made["Policies"] == [nat]


# -- fixtures ---------------------------------------------------------------

REQUESTS = {
    "v1-network-ics-wsl-192-168-50.request": "Network",
    "v1-network-nat-any-prefix.request": "Network",
    "v1-network-overlay-vsid-4096.request": "Network",
    "v2-network-ics-static.settings": "Network",
    "v2-network-transparent-flags-10.settings": "Network",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_met_in_the_wild_are_accepted(net: Net, name: str) -> None:
    """Networks that real clients asked for are made."""
    net.make(REQUESTS[name], document=json.dumps(fixture(name)))


def test_endpoints_met_in_the_wild_are_accepted(net: Net) -> None:
    """Endpoints that real clients asked for are made on their networks."""
    old = fixture("v1-endpoint-transparent-static.request")
    new = fixture("v2-endpoint-null-mac-schema-2-16.settings")
    for place, document in enumerate((old, new)):
        key = "VirtualNetwork" if place == 0 else "HostComputeNetwork"
        prefix, kind = (("10.0.1.0/24", "Transparent"), ("10.7.0.0/24", "NAT"))[place]
        on = net.make(
            "Network",
            document=network(kind, f"n{place}", prefix),
            object_id=document[key],
        )
        net.make("Endpoint", document=json.dumps(document), network=on)


def v1_policies(name: str) -> list[object]:
    """Give the policies that a fixture holds in the form of v1."""
    found = fixture(name)
    if name.endswith(".document"):
        return [item.get("Policy", item.get("Rule")) for item in found["Rules"]]
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize(
    "name",
    sorted(
        path.stem
        for pattern in ("v1-policy-*", "v1-endpoint-calico*", "rules-*.document*")
        for path in FIXTURES.glob(f"{pattern}.json")
    ),
)
def test_policies_of_v1_met_in_the_wild_are_accepted(net: Net, name: str) -> None:
    """Policies of v1 that real clients send are taken, and given back."""
    on = net.id_of("Network", net.make("Network", document=overlay()))
    listed = [item for item in v1_policies(name) if item]
    body = {"VirtualNetwork": on, "Policies": listed}

    made = net.hns("POST", "/endpoints", body)

    assert [item["Type"] for item in made["Policies"]] == [
        item["Type"] for item in listed
    ]


SETTINGS = {
    "v2-policy-acl-udp-block-in.settings": "ACL",
    "v2-policy-outboundnat-four.settings": "OutBoundNAT",
    "v2-policy-sdnroute-needencap.settings": "SDNRoute",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_met_in_the_wild_are_accepted(net: Net, name: str) -> None:
    """Settings of v2 that real clients send are taken, and given back."""
    settings = fixture(name)

    endpoint = net.endpoint(
        net.overlay(), Policies=[policy(SETTINGS[name], **settings)]
    )

    (found,) = net.query("Endpoint", endpoint)["Policies"]
    assert found["Settings"] == settings


def plugin_policies(name: str) -> list[dict[str, object]]:
    """Give the endpoint policies that a CNI configuration holds."""
    found = fixture(name)
    configurations = found.get("plugins", [found])
    listed = []
    for item in configurations:
        for key in ("AdditionalArgs", "policies"):
            for argument in item.get(key, ()):
                value = argument.get("Value") or argument.get("value")
                listed.append(value)
    return listed


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in FIXTURES.glob("cni-*.conf.json"))
)
def test_policies_of_plugins_are_accepted(net: Net, name: str) -> None:
    """Policies that CNI configurations hold are taken in their generation."""
    on = net.id_of("Network", net.overlay())
    for place, item in enumerate(plugin_policies(name)):
        settings = item.get("Settings") or item.get("settings")
        if settings is None:
            body = {"VirtualNetwork": on, "Name": f"e{place}", "Policies": [item]}
            net.hns("POST", "/endpoints", body)
        else:
            net.endpoint(net.open("Network", on), f"e{place}", Policies=[item])
