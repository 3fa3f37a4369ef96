"""Rules 40 to 52 and 239 to 254: load balancers, policy lists, routes."""

from __future__ import annotations

import json

import pytest
from network_support import UNKNOWN, V2, Net, request

PORT = {"Protocol": 6, "InternalPort": 8080, "ExternalPort": 8090}


def balanced(*endpoints: str, **more: object) -> dict[str, object]:
    """Write a load balancer with a frontend."""
    return {
        **V2,
        "HostComputeEndpoints": list(endpoints),
        "SourceVIP": "10.0.0.1",
        "FrontendVIPs": ["1.1.1.2", "1.1.1.3"],
        "PortMappings": [PORT],
        **more,
    }


def routed(*endpoints: str, **more: object) -> dict[str, object]:
    """Write a route."""
    setting = {
        "DestinationPrefix": "169.254.169.254/24",
        "NextHop": "127.10.0.34",
        "NeedEncap": False,
    }
    return {**V2, "HostComputeEndpoints": list(endpoints), "Setting": [setting], **more}


def ends(net: Net, count: int = 2) -> list[str]:
    """Make endpoints on an overlay; give their ids."""
    on = net.overlay()
    return [net.id_of("Endpoint", net.endpoint(on, f"e{n}")) for n in range(count)]


def test_r40_create_and_delete(net: Net) -> None:
    """A load balancer with frontends outside every subnet is made and deleted."""
    handle = net.make("LoadBalancer", document=balanced(ends(net)[0]))
    spelled = net.id_of("LoadBalancer", handle)
    (plan,) = net.datapath.balancers.values()

    net.ok("HcnDeleteLoadBalancer", spelled)

    assert plan.frontends == ("1.1.1.2", "1.1.1.3")
    assert plan.source == "10.0.0.1"
    assert net.datapath.balancers == {}


def test_r41_r245_whole_document_or_request(net: Net) -> None:
    """A load balancer is changed by its whole new document, or by a request."""
    first, second = ends(net)
    handle = net.make("LoadBalancer", document=balanced(first))
    for endpoints in ((first, second), (first,)):
        net.ok("HcnModifyLoadBalancer", handle, json.dumps(balanced(*endpoints)))
        found = net.query("LoadBalancer", handle)
        assert found["HostComputeEndpoints"] == list(endpoints)

    net.modify("LoadBalancer", handle, "Endpoint", "Add", {"EndpointId": second})

    (plan,) = net.datapath.balancers.values()
    assert [backend.endpoint for backend in plan.backends] == [first, second]


def test_r42_r43_found_and_listed(net: Net) -> None:
    """Load balancers are listed, also none, and found by id."""
    assert net.ids("LoadBalancer") == []
    handle = net.make("LoadBalancer", document=balanced(ends(net)[0]))
    spelled = net.id_of("LoadBalancer", handle)

    assert net.ids("LoadBalancer", ID=spelled) == [spelled]


def test_r44_delete_and_create_with_the_old_id(net: Net) -> None:
    """The id of a deleted one is free at once, in the document too."""
    first, second = ends(net)
    handle = net.make("LoadBalancer", document=balanced(first))
    spelled = net.id_of("LoadBalancer", handle)
    for endpoints in ((first, second), (first,)):
        net.ok("HcnDeleteLoadBalancer", spelled)
        handle = net.make("LoadBalancer", document=balanced(*endpoints, ID=spelled))
        found = net.query("LoadBalancer", handle)
        assert len(found["HostComputeEndpoints"]) == len(endpoints)
        assert found["ID"] == spelled


@pytest.mark.parametrize(
    ("flags", "mapping"), [(0, 0), (1, 8), (0, 1)], ids=["r45", "r46", "r47"]
)
def test_r45_r46_r47_flags(net: Net, flags: int, mapping: int) -> None:
    """Flags of the load balancer and of its ports come back as numbers."""
    document = balanced(
        ends(net)[0], Flags=flags, PortMappings=[{**PORT, "Flags": mapping}]
    )

    found = net.query("LoadBalancer", net.make("LoadBalancer", document=document))

    assert found["Flags"] == flags
    assert found["PortMappings"][0]["Flags"] == mapping


def test_r48_to_r50_routes(net: Net) -> None:
    """A route with bits of a host is made, found, listed and deleted."""
    assert net.ids("SdnRoute") == []
    handle = net.make("SdnRoute", document=routed(ends(net)[0]))
    spelled = net.id_of("SdnRoute", handle)

    assert net.ids("SdnRoute", ID=spelled) == [spelled]
    net.ok("HcnDeleteSdnRoute", spelled)
    assert net.datapath.routes == {}


def test_r51_r52_r253_cycles_of_routes(net: Net) -> None:
    """Deleting a route that is gone succeeds, so stale ids harm nobody."""
    first, second = ends(net)
    spelled = net.id_of("SdnRoute", net.make("SdnRoute", document=routed(first)))
    for endpoints in ((first, second), (first,)):
        net.ok("HcnDeleteSdnRoute", spelled)
        handle = net.make("SdnRoute", document=routed(*endpoints))
        assert len(net.query("SdnRoute", handle)["HostComputeEndpoints"]) == (
            len(endpoints)
        )

    net.ok("HcnDeleteSdnRoute", spelled)
    net.ok("HcnDeleteSdnRoute", UNKNOWN)


def test_r239_node_port(net: Net) -> None:
    """Without frontends it is a port of the machine."""
    document = balanced(ends(net)[0], FrontendVIPs=[])
    net.make("LoadBalancer", document=document)

    (plan,) = net.datapath.balancers.values()

    assert plan.frontends == ()


def test_r240_endpoint_in_many(net: Net) -> None:
    """An endpoint may be in many load balancers."""
    (endpoint,) = ends(net, 1)

    for place in range(5):
        net.make(
            "LoadBalancer", document=balanced(endpoint, FrontendVIPs=[f"2.0.0.{place}"])
        )

    assert len(net.ids("LoadBalancer")) == 5


def test_r241_frontend_is_taken(net: Net) -> None:
    """A frontend, or the machine, has a port of a protocol once."""
    (endpoint,) = ends(net, 1)
    for more in ({}, {"FrontendVIPs": []}):
        net.make("LoadBalancer", document=balanced(endpoint, **more))
        net.refuse(0x803B0013, "LoadBalancer", document=balanced(endpoint, **more))

    udp = {**PORT, "Protocol": 17}
    net.make("LoadBalancer", document=balanced(endpoint, PortMappings=[udp]))


def test_r182_node_ports_and_mappings_share_ports(net: Net) -> None:
    """A port that maps to an endpoint cannot be a node port too."""
    mapping = {
        "Type": "PortMapping",
        "Settings": {"InternalPort": 1, "ExternalPort": 8090},
    }
    endpoint = net.endpoint(net.overlay(), Policies=[mapping])
    document = balanced(net.id_of("Endpoint", endpoint), FrontendVIPs=[])

    net.refuse(0x803B0013, "LoadBalancer", document=document)


def test_r242_endpoints_are_required(net: Net) -> None:
    """Unknown endpoints, and none at all, are refused."""
    net.refuse(0x803B0002, "LoadBalancer", document=balanced(UNKNOWN))
    net.refuse(0x803B000D, "LoadBalancer", document=balanced())


def test_r243_r244_distribution(net: Net) -> None:
    """What keeps a client on a backend reaches the datapath."""
    port = {**PORT, "DistributionType": 2}
    net.make("LoadBalancer", document=balanced(ends(net)[0], PortMappings=[port]))

    (plan,) = net.datapath.balancers.values()

    assert plan.ports[0].distribution.name == "SOURCE"


def test_r246_deleted_endpoints_leave(net: Net) -> None:
    """A load balancer without endpoints stays, degraded, until it is deleted."""
    (endpoint,) = ends(net, 1)
    handle = net.make("LoadBalancer", document=balanced(endpoint))
    net.ok("HcnDeleteEndpoint", endpoint)

    found = net.query("LoadBalancer", handle)

    assert found["HostComputeEndpoints"] == []
    assert net.hns("GET", "/policylists/")[0]["State"] == 4
    net.ok("HcnDeleteLoadBalancer", found["ID"])


def test_r247_unknown_load_balancer(net: Net) -> None:
    """An unknown load balancer is an element that was not found."""
    record = net.refused(0x80070490, "HcnDeleteLoadBalancer", UNKNOWN)

    assert record["Error"] == "Element not found. "


def test_r248_r307_policy_lists(net: Net) -> None:
    """A load balancer with two ports is a policy list with two policies."""
    assert net.hns("GET", "/policylists") == []
    (endpoint,) = ends(net, 1)
    ports = [PORT, {**PORT, "ExternalPort": 8091}]
    net.make("LoadBalancer", document=balanced(endpoint.upper(), PortMappings=ports))

    (found,) = net.hns("GET", "/policylists/")

    assert found["References"] == [f"/endpoints/{endpoint.upper()}"]
    assert [item["Type"] for item in found["Policies"]] == ["ELB", "ELB"]
    assert [item["ExternalPort"] for item in found["Policies"]] == [8090, 8091]


def elb(**more: object) -> dict[str, object]:
    """Write a policy of a load balancer of v1."""
    return {
        "Type": "ELB",
        "InternalPort": 80,
        "ExternalPort": 80,
        "Protocol": 6,
        **more,
    }


def test_r249_load_balancers_of_v1(net: Net) -> None:
    """A policy list of v1 is a load balancer of v2, and the other way round."""
    (endpoint,) = ends(net, 1)
    body = {"References": [f"/endpoints/{endpoint}"], "Policies": [elb(ILB=True)]}
    spelled = net.hns("POST", "/policylists/", body)["ID"]
    handle = net.open("LoadBalancer", spelled)

    found = net.query("LoadBalancer", handle)
    net.hns("DELETE", f"/policylists/{spelled}")

    assert found["FrontendVIPs"] == []
    assert found["PortMappings"][0]["Flags"] == 1
    assert net.ids("LoadBalancer") == []


def test_routes_of_v1(net: Net) -> None:
    """A policy list with routes is an SDN route."""
    (endpoint,) = ends(net, 1)
    route = {"Type": "ROUTE", "DestinationPrefix": "10.0.0.0/8", "NeedEncap": True}
    body = {"References": [f"/endpoints/{endpoint}"], "Policies": [route]}

    spelled = net.hns("POST", "/policylists/", body)["ID"]

    assert net.ids("SdnRoute") == [spelled.lower()]
    assert net.hns("GET", f"/policylists/{spelled}")["Policies"] == [route]
    net.hns("DELETE", f"/policylists/{spelled}")
    assert net.ids("SdnRoute") == []


def test_r250_bad_references(net: Net) -> None:
    """A reference is /endpoints/<id> and nothing else."""
    for reference in ("/networks/x", "x", "/endpoints/"):
        body = {"References": [reference], "Policies": [elb()]}
        net.hns_refused(0x803B001C, "POST", "/policylists/", body)


@pytest.mark.parametrize("protocol", [6, 17, 1, 58, 256])
def test_r251_protocols(net: Net, protocol: int) -> None:
    """TCP, UDP, both kinds of ICMP, and any are accepted; others are not."""
    (endpoint,) = ends(net, 1)
    port = {**PORT, "Protocol": protocol}

    net.make("LoadBalancer", document=balanced(endpoint, PortMappings=[port]))

    bad = {**PORT, "Protocol": 99}
    net.refuse(
        0x803B000D, "LoadBalancer", document=balanced(endpoint, PortMappings=[bad])
    )


def test_r252_many_load_balancers(net: Net) -> None:
    """Hundreds of load balancers over one endpoint are made and listed."""
    (endpoint,) = ends(net, 1)
    for place in range(300):
        vip = f"3.0.{place // 250}.{place % 250}"
        net.make("LoadBalancer", document=balanced(endpoint, FrontendVIPs=[vip]))

    assert len(net.hns("GET", "/policylists/")) == 300


def test_r254_both_names_of_routes(net: Net) -> None:
    """Routes are read and written under both of their names."""
    document = routed(ends(net)[0])
    document["Routes"] = document.pop("Setting")

    found = net.query("SdnRoute", net.make("SdnRoute", document=document))

    assert found["Setting"] == found["Routes"] == document["Routes"]


def test_route_is_replaced(net: Net) -> None:
    """A route is changed by its whole new document."""
    first, second = ends(net)
    handle = net.make("SdnRoute", document=routed(first))

    net.ok("HcnModifySdnRoute", handle, json.dumps(routed(first, second)))

    (plan,) = net.datapath.routes.values()
    assert plan.endpoints == (first, second)


def test_unknown_changes_are_refused(net: Net) -> None:
    """A request that there is not changes nothing."""
    handle = net.make("LoadBalancer", document=balanced(ends(net)[0]))

    net.refused(
        0x803B0015, "HcnModifyLoadBalancer", handle, request("Nonsense", "Add", {})
    )


def test_internal_port_of_load_balancers(net: Net) -> None:
    """A port needs an internal one."""
    port = {"Protocol": 6, "ExternalPort": 80}

    net.refuse(
        0x803B002D,
        "LoadBalancer",
        document=balanced(ends(net)[0], PortMappings=[port]),
    )
