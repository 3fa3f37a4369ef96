"""What the clients of HNS and HCN write is read, written back, and taken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from client_documents import (
    BALANCERS,
    ENDPOINTS_V1,
    ENDPOINTS_V2,
    NETWORKS,
    POLICY_LISTS,
)
from network_support import V2, Net, policy

from hcsshim import documents
from hcsshim.documents import hcn, hns

if TYPE_CHECKING:
    from network_support import JSON


def contains(outer: JSON, inner: JSON) -> bool:
    """Tell whether all of a JSON value is in another; a null may be left out."""
    if isinstance(inner, dict) and isinstance(outer, dict):
        return all(
            v is None if k not in outer else contains(outer[k], v)
            for k, v in inner.items()
        )
    if isinstance(inner, list) and isinstance(outer, list):
        return len(inner) == len(outer) and all(map(contains, outer, inner))
    return type(outer) is type(inner) and outer == inner


def check_model(kind: type[documents.Document], document: JSON) -> None:
    """Check that a model takes a document, and gives all of it back."""
    again = documents.dumps(documents.loads(kind, json.dumps(document)))

    assert contains(json.loads(again), document), again


def network_model(document: dict[str, JSON]) -> type[documents.Document]:
    """Give the model of a network's document."""
    return hcn.HostComputeNetwork if "SchemaVersion" in document else hns.HNSNetwork


def below(kind: str) -> dict[str, JSON]:
    """Describe a network of a type, 10.244.1.0/24."""
    subnet: dict[str, JSON] = {
        "IpAddressPrefix": "10.244.1.0/24",
        "Routes": [{"NextHop": "10.244.1.1", "DestinationPrefix": "0.0.0.0/0"}],
    }
    if kind == "Overlay":
        subnet["Policies"] = [policy("VSID", IsolationId=4096)]
    return {**V2, "Name": "n", "Type": kind, "Ipams": [{"Subnets": [subnet]}]}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(net: Net, name: str) -> None:
    """A network is made, and shown whole in both generations."""
    document = NETWORKS[name]
    check_model(network_model(document), document)

    handle = net.make("Network", document=document)

    check_model(hcn.HostComputeNetwork, net.query("Network", handle))
    check_model(hns.HNSNetwork, net.query("Network", handle, None))


@pytest.mark.parametrize(
    "name", [n for n in NETWORKS if "SchemaVersion" not in NETWORKS[n]]
)
def test_networks_by_hns(net: Net, name: str) -> None:
    """A network of v1 is made by HNS too."""
    made = net.hns("POST", "/networks", NETWORKS[name])

    assert made["Type"] == NETWORKS[name]["Type"]


@pytest.mark.parametrize("text", ["v1", "v2"])
@pytest.mark.parametrize("name", NETWORKS)
def test_r304_networks_are_made_again_of_what_is_shown(
    net: Net, name: str, text: str
) -> None:
    """A network that was deleted is made anew of its document, and is the same."""
    handle = net.make("Network", document=NETWORKS[name])
    shown = net.query("Network", handle, *(() if text == "v2" else (None,)))
    net.ok("HcnDeleteNetwork", shown["ID"])

    again = net.make("Network", document=shown)

    assert shown["ID"].lower() == net.id_of("Network", again)
    if text == "v2":
        assert settled(shown) == settled(net.query("Network", again))


def settled(document: dict[str, JSON]) -> dict[str, JSON]:
    """Leave out what says when something happened."""
    return {k: v for k, v in document.items() if k not in ("Health", "Version")}


@pytest.mark.parametrize("name", ENDPOINTS_V1)
def test_endpoints_of_v1(net: Net, name: str) -> None:
    """An endpoint is made, shown in both generations, and changed to what is shown."""
    kind, document = ENDPOINTS_V1[name]
    on = net.id_of("Network", net.make("Network", document=below(kind)))
    wanted = {k: v for k, v in document.items() if k != "Id"} | {"VirtualNetwork": on}
    check_model(hns.HNSEndpoint, wanted)

    made = net.hns("POST", "/endpoints", wanted)

    check_model(hns.HNSEndpoint, made)
    handle = net.open("Endpoint", made["ID"])
    check_model(hcn.HostComputeEndpoint, net.query("Endpoint", handle))
    kinds = [item["Type"] for item in made["Policies"]]
    assert all(item["Type"] in kinds for item in wanted.get("Policies", ()))
    changed = net.hns("POST", f"/endpoints/{made['ID']}", made)
    assert made["Policies"] == changed["Policies"]
    net.ok("HcnDeleteEndpoint", made["ID"])
    net.make("Endpoint", document=wanted, network=net.open("Network", on))


@pytest.mark.parametrize("name", ENDPOINTS_V2)
def test_endpoints_of_v2(net: Net, name: str) -> None:
    """An endpoint is made, and made again of what is shown in each generation."""
    kind, document = ENDPOINTS_V2[name]
    network = net.make("Network", document=below(kind))
    members = {"Id": "azure-npm-1", "Name": "x", "PolicyType": "IPSET"}
    known = [policy("SetPolicy", Values="10.0.0.1", **members)]
    net.modify("Network", network, "Policy", "Add", {"Policies": known})
    check_model(hcn.HostComputeEndpoint, document)

    endpoint = net.make("Endpoint", document=document, network=network)

    shown = net.query("Endpoint", endpoint)
    old = net.query("Endpoint", endpoint, None)
    check_model(hcn.HostComputeEndpoint, shown)
    check_model(hns.HNSEndpoint, old)
    for again in (shown, old):
        net.ok("HcnDeleteEndpoint", shown["ID"])
        made = net.make("Endpoint", document=again, network=network)
        if again is shown:
            assert settled(shown) == settled(net.query("Endpoint", made))


@pytest.mark.parametrize("name", BALANCERS)
def test_load_balancers(net: Net, name: str) -> None:
    """A load balancer is made, shown, and changed to what is shown."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.overlay()))
    document = {**BALANCERS[name], "HostComputeEndpoints": [endpoint]}
    check_model(hcn.HostComputeLoadBalancer, document)

    handle = net.make("LoadBalancer", document=document)

    shown = net.query("LoadBalancer", handle)
    check_model(hcn.HostComputeLoadBalancer, shown)
    net.ok("HcnModifyLoadBalancer", handle, json.dumps(shown))
    assert settled(shown) == settled(net.query("LoadBalancer", handle))
    check_model(hns.PolicyList, net.hns("GET", "/policylists")[0])


@pytest.mark.parametrize("name", POLICY_LISTS)
def test_policy_lists(net: Net, name: str) -> None:
    """A policy list is made, shown, and deleted."""
    endpoint = net.id_of("Endpoint", net.endpoint(net.overlay()))
    text = json.dumps(POLICY_LISTS[name]).replace("/X", f"/{endpoint}")
    document = json.loads(text)
    check_model(hns.PolicyList, document)

    made = net.hns("POST", "/policylists", document)

    check_model(hns.PolicyList, made)
    assert document["References"] == made["References"]
    assert made == net.hns("GET", f"/policylists/{made['ID']}")
    net.hns("DELETE", f"/policylists/{made['ID']}")
