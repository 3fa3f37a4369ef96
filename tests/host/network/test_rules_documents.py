"""Rules 92 to 123: transport and documents."""

from __future__ import annotations

import json

import pytest
from network_support import NO_ID, UNKNOWN, V2, Net, network, policies, policy

from hcsshim._native import calls


def test_r92_success_leaves_no_record(net: Net) -> None:
    """A call that succeeds and asks nothing has no document at all."""
    handle = net.nat()

    assert net.ok("HcnModifyNetwork", handle, refresh()) is None


def refresh() -> str:
    """Write a request that changes nothing."""
    return json.dumps({"ResourceType": "Policy", "RequestType": "Refresh"})


def test_r93_failure_fills_the_record(net: Net) -> None:
    """A record has Windows' text with dot and blank, and the code without a sign."""
    record = net.refused(0x803B0001, "HcnOpenNetwork", UNKNOWN, net.client.new_id())

    assert record["Success"] is False
    assert record["Error"] == "The network was not found. "
    assert record["ErrorCode"] == 0x803B0001


def test_r94_record_is_part_of_every_row() -> None:
    """The pointer to the record is the client's: it never crosses the wire."""
    rows = [row for row in calls.table() if row.dll == "computenetwork"]

    assert any(len(row.kinds) > len(row.wire_kinds) for row in rows)


@pytest.mark.parametrize("given", [None, "", NO_ID])
def test_r95_zero_id_is_chosen_by_the_service(net: Net, given: str | None) -> None:
    """Without an id the service makes one; with one it is used."""
    chosen = net.make("Network", document=network("NAT", "a"), object_id=given)
    named = net.make("Network", document=network("NAT", "b"), object_id=UNKNOWN)

    assert net.id_of("Network", chosen) not in ("", NO_ID)
    assert net.id_of("Network", named) == UNKNOWN


def test_r96_id_of_the_document_is_honoured(net: Net) -> None:
    """The document's id holds when the call names none."""
    document = network("NAT", "a", ID=UNKNOWN.upper())

    assert net.id_of("Network", net.make("Network", document=document)) == UNKNOWN


def test_r97_id_is_free_at_once(net: Net) -> None:
    """An id can be used again as soon as its object is gone."""
    for _ in range(3):
        net.make("Network", document=network("NAT", "a"), object_id=UNKNOWN)
        net.ok("HcnDeleteNetwork", UNKNOWN)

    assert net.ids("Network") == []


def test_r98_taken_id_is_refused(net: Net) -> None:
    """A taken id has the code of its kind."""
    on = net.make("Network", document=network("NAT", "a"), object_id=UNKNOWN)
    net.make("Endpoint", object_id=UNKNOWN, network=on)
    net.make("Namespace", object_id=UNKNOWN)

    net.refuse(0x803B0010, "Network", document=network("NAT", "b"), object_id=UNKNOWN)
    net.refuse(0x803B000C, "Endpoint", object_id=UNKNOWN, network=on)
    net.refuse(0x80071392, "Namespace", object_id=UNKNOWN)


def test_r99_r100_case_of_ids(net: Net) -> None:
    """Ids of v2 are lower case, those of v1 upper case, without braces."""
    net.make("Network", document=network("NAT", "a"), object_id=f"{{{UNKNOWN}}}")

    assert net.ids("Network") == [UNKNOWN]
    assert net.hns("GET", "/networks/")[0]["ID"] == UNKNOWN.upper()
    assert net.hns("GET", f"/networks/{UNKNOWN.title()}")["ID"] == UNKNOWN.upper()


def test_r101_ids_inside_are_echoed(net: Net) -> None:
    """A load balancer gives back the ids of endpoints as they were spelled."""
    on = net.overlay()
    net.make("Endpoint", object_id=UNKNOWN, network=on)
    balancer = net.make("LoadBalancer", document=balanced(UNKNOWN.upper()))

    found = net.query("LoadBalancer", balancer)

    assert found["HostComputeEndpoints"] == [UNKNOWN.upper()]


def balanced(*endpoints: str) -> dict[str, object]:
    """Write a load balancer."""
    return {
        **V2,
        "HostComputeEndpoints": list(endpoints),
        "FrontendVIPs": ["1.1.1.1"],
        "PortMappings": [{"Protocol": 6, "InternalPort": 80, "ExternalPort": 80}],
    }


def test_r102_endpoint_and_namespace_spell_alike(net: Net) -> None:
    """An endpoint's own id and that among a namespace's resources are one text."""
    endpoint = net.endpoint(net.nat())
    space = net.make("Namespace")
    spelled = net.id_of("Endpoint", endpoint)
    net.modify("Namespace", space, "Endpoint", "Add", {"EndpointId": spelled.upper()})

    (resource,) = net.query("Namespace", space)["Resources"]

    assert resource == {"Type": "Endpoint", "Data": {"Id": spelled}}


@pytest.mark.parametrize("query", [None, "", "{}", '{"Flags":1}'])
def test_r103_r104_query_without_schema_is_answered_in_v1(
    net: Net, query: str | None
) -> None:
    """Only a query of major 2 gets a document of v2."""
    handle = net.nat()

    assert "Subnets" in net.query("Network", handle, query)
    assert "Ipams" in net.query("Network", handle)
    assert "Ipams" in net.query(
        "Network", handle, '{"SchemaVersion":{"Major":2,"Minor":16}}'
    )


def test_r105_bare_filter(net: Net) -> None:
    """An object given directly is a filter too."""
    net.nat("a")
    handle = net.make("Network", document=network("NAT", "b", "10.7.0.0/24"))

    found = net.ok("HcnEnumerateNetworks", '{"Name":"b"}')

    assert found == [net.id_of("Network", handle)]


def test_r106_filter_that_is_no_json(net: Net) -> None:
    """A filter must be JSON in its text."""
    text = json.dumps({**V2, "Filter": "{Name"})

    net.refused(0x803B001B, "HcnEnumerateNetworks", text)


def test_r107_filters_are_joined(net: Net) -> None:
    """All keys must match; none matches all, an unknown one nothing."""
    on = net.nat("a")
    spelled = net.id_of("Network", on)

    assert net.ids("Network") == [spelled]
    assert net.ids("Network", Name="a", Type="nat") == [spelled]
    assert net.ids("Network", Name="A") == []
    assert net.ids("Network", Name="a", Type="Overlay") == []
    assert net.ids("Network", Nonsense=1) == []
    assert net.ids("Network", ID=spelled.upper()) == [spelled]


def test_r108_numeric_filters(net: Net) -> None:
    """State and Flags compare as numbers."""
    on = net.make("Network", document=network("NAT", "a", Flags=72))
    endpoint = net.endpoint(on, Flags=8)
    spelled = net.id_of("Endpoint", endpoint)

    assert net.ids("Network", Flags=72) == [net.id_of("Network", on)]
    assert net.ids("Network", Flags=8) == []
    assert net.ids("Endpoint", State=1, Flags=8) == [spelled]
    assert net.ids("Endpoint", State=2) == []


def test_r109_endpoints_of_a_virtual_machine(net: Net) -> None:
    """An endpoint that a machine's port is connected to is found by the machine."""
    endpoint = net.endpoint(net.nat())
    port = {"PortId": NO_ID, "VirtualNicName": "nic", "VirtualMachineId": UNKNOWN}
    net.modify("Endpoint", endpoint, "Port", "Add", port)

    found = net.ids("Endpoint", VirtualMachine=UNKNOWN.upper())

    assert found == [net.id_of("Endpoint", endpoint)]


def test_r110_nothing_is_an_empty_list(net: Net) -> None:
    """An enumeration without matches is an empty array."""
    for kind in ("Network", "Endpoint", "LoadBalancer", "SdnRoute"):
        assert net.ids(kind) == []


def test_r111_listed_ids_can_be_opened(net: Net) -> None:
    """Whatever is listed can be opened."""
    on = net.nat()
    for place in range(3):
        net.endpoint(on, f"e{place}")

    for found in net.ids("Endpoint"):
        net.open("Endpoint", found)


def test_r112_numbers_are_numbers(net: Net) -> None:
    """Flags, protocols and ports are written as numbers."""
    on = net.overlay(Flags=8)
    net.make("Endpoint", object_id=UNKNOWN, network=on)
    balancer = net.make("LoadBalancer", document=balanced(UNKNOWN))

    found = net.query("LoadBalancer", balancer)

    assert net.query("Network", on)["Flags"] == 8
    assert found["Flags"] == 0
    assert found["PortMappings"] == [
        {
            "Protocol": 6,
            "InternalPort": 80,
            "ExternalPort": 80,
            "DistributionType": 0,
            "Flags": 0,
        }
    ]


def test_r113_enums_by_name_or_number(net: Net) -> None:
    """Enumerations are read in any case, and by their numbers."""
    handle = net.make("Network", document={**V2, "Name": "a", "Type": 0})
    endpoint = net.endpoint(handle)
    space = net.make("Namespace", document={**V2, "Type": "hostdefault"})
    spelled = net.id_of("Endpoint", endpoint)
    net.modify("Namespace", space, 1, 0, {"EndpointId": spelled})

    assert net.query("Network", handle)["Type"] == "NAT"
    assert net.query("Namespace", space)["Type"] == "HostDefault"
    assert net.query("Endpoint", endpoint)["HostComputeNamespace"] != NO_ID


def test_r114_null_counts_as_absent(net: Net) -> None:
    """Members that are null are not there."""
    document = network("ICS", "a", "172.50.224.0/20", Policies=None, MacPool=None)
    document["Ipams"][0]["Subnets"][0]["IpSubnets"] = None
    endpoint = net.endpoint(net.make("Network", document=document), MacAddress=None)

    assert net.query("Endpoint", endpoint)["MacAddress"]


def test_r115_r116_empty_and_read_only_members(net: Net) -> None:
    """Empty structs, and members that only answers have, mean nothing in requests."""
    document = network("NAT", "a", Dns={}, MacPool={}, Health={"Extra": {}})
    document |= {"State": 4, "Version": 1, "Resources": {"x": 1}}

    found = net.query("Network", net.make("Network", document=document))

    assert found["Health"]["Data"]["LastErrorCode"] == 0


@pytest.mark.parametrize("kind", ["Network", "Namespace"])
def test_r117_unknown_members_are_refused(net: Net, kind: str) -> None:
    """A member that nobody knows is named in the record."""
    document = {**V2, "Name": "a", "Nonsense": 1}

    record = net.refuse(0x803B001B, kind, document=document)

    assert record["Error"].startswith("Invalid JSON document string. {{")
    assert record["Error"].endswith(",UnknownField}}")


def test_r118_settings_are_lax(net: Net) -> None:
    """Settings are matched in any case; unknown members of them harm nobody."""
    nat = policy("OutBoundNAT", exceptionList=["10.0.0.0/8"], needEncap=False, more=1)

    endpoint = net.endpoint(net.overlay(), Policies=[nat])

    (found,) = net.query("Endpoint", endpoint)["Policies"]
    assert found["Settings"]["Exceptions"] == ["10.0.0.0/8"]


@pytest.mark.parametrize("minor", [0, 2, 16, 99])
def test_r119_any_minor_version(net: Net, minor: int) -> None:
    """Every 2.x is accepted, newer ones too."""
    schema = {"Major": 2, "Minor": minor}

    net.make("Network", document=network("NAT", "a", SchemaVersion=schema))


def test_r120_owner_is_kept(net: Net) -> None:
    """The owner comes back."""
    handle = net.make("Network", document=network("NAT", "a", Owner="someone"))

    assert net.query("Network", handle)["Owner"] == "someone"


def test_r121_handles_do_not_keep_objects(net: Net) -> None:
    """An object goes under its handles; using one fails, closing it does not."""
    first = net.nat()
    spelled = net.id_of("Network", first)
    second = net.open("Network", spelled)
    net.ok("HcnDeleteNetwork", spelled)

    net.refused(0x803B0031, "HcnQueryNetworkProperties", first, None)
    net.refused(0x803B0031, "HcnModifyNetwork", second, refresh())
    net.ok("HcnCloseNetwork", first)
    net.ok("HcnCloseNetwork", second)


def test_r121_handle_of_another_kind(net: Net) -> None:
    """A call about endpoints does not take the handle of a network."""
    net.refused(0x80070006, "HcnQueryEndpointProperties", net.nat(), None)


def test_r122_every_export_is_in_the_table() -> None:
    """All 57 exports of the library are there, and are carried out."""
    names = [row.name for row in calls.table() if row.dll == "computenetwork"]

    assert len(names) == 57
    assert {
        f"Hcn{verb}SdnRoute" for verb in ("Create", "Open", "Modify", "Delete")
    } <= (set(names))


def test_r123_documents_are_texts(net: Net) -> None:
    """What a call gives out is one text, which the shim allocates for the client."""
    answer = net.client.call("HcnEnumerateNetworks", None)

    assert answer.document == "[]"


def test_documents_that_are_no_json(net: Net) -> None:
    """A text that is not the JSON of an object, and wrong types, have one code."""
    for text in ("", "[]", "{", '{"Name":1}', '{"Flags":"x"}', '{"Name":"a",}'):
        net.refuse(0x803B001B, "Network", document=text)


def test_policies_need_objects_as_settings(net: Net) -> None:
    """Settings that are no object are not valid."""
    bad = {"Type": "NetworkACL", "Settings": [1]}

    net.refuse_change(0x803B000D, "Network", net.nat(), "Policy", "Add", policies(bad))
