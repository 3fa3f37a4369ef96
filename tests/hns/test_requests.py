# Made by async_to_sync.py of tests/hns/test_async_requests.py; do not edit.
"""Requests of v1 through the awaitable face; the blocking face."""

from __future__ import annotations

import pytest

from hcsshim import AlreadyExistsError, HcsError, InvalidStateError, NotFoundError, hns
from hcsshim.documents.hns import ELBPolicy, HNSEndpoint, HNSNetwork, Subnet

pytestmark = pytest.mark.host

UNKNOWN = "5F0B1190-63BE-4E0C-B974-BD0F55675A42"
NAT = HNSNetwork(
    name="v1-faces",
    type="nat",
    subnets=(Subnet(address_prefix="10.215.0.0/24", gateway_address="10.215.0.1"),),
)


def test_life_of_networks_and_endpoints(host: object) -> None:
    """
    Networks and endpoints are made, found, changed, counted and deleted.
    """
    network = hns.create_network(NAT)
    try:
        assert network == hns.get_network(str(network.id))
        assert network == hns.get_network_named("v1-faces")
        assert network.id in [found.id for found in hns.list_networks()]
        endpoint = hns.create_endpoint(
            HNSEndpoint(virtual_network=network.id, name="e")
        )
        named = str(endpoint.id)
        assert endpoint.ip_address == "10.215.0.2"
        changed = hns.update_endpoint(named, {"DNSServerList": "1.1.1.1"})
        assert changed.dns_server_list == "1.1.1.1"
        assert changed == hns.get_endpoint(named)
        assert named in [found.id for found in hns.list_endpoints()]
        assert (hns.endpoint_statistics(named)).packets_sent == 0
        hns.delete_endpoint(named)
        with pytest.raises(NotFoundError, match="HNS failed with error"):
            hns.delete_endpoint(named)
    finally:
        hns.delete_network(str(network.id))
    assert host is not None


def test_failures(host: object) -> None:
    """
    Failures of the call, and inside its answer, are exceptions by their codes.
    """
    with pytest.raises(NotFoundError, match="0x803B0001"):
        hns.get_network(UNKNOWN)
    with pytest.raises(NotFoundError, match="does not represent a valid object"):
        hns.delete_network(UNKNOWN)
    with pytest.raises(NotFoundError, match='Network "nowhere" not found'):
        hns.get_network_named("nowhere")
    with pytest.raises(HcsError, match="0x803B0015"):
        hns.hns_call("GET", "/nonsense")
    assert host is not None


def test_host_attachment(host: object) -> None:
    """
    An endpoint is attached to this machine once, and detached once.
    """
    network = hns.create_network({"Name": "v1-host", "Type": "Private"})
    endpoint = hns.create_endpoint({"VirtualNetwork": network.id})
    named = str(endpoint.id)
    try:
        with pytest.raises(InvalidStateError):
            hns.detach_endpoint_from_host(named)
        hns.attach_endpoint_to_host(named)
        with pytest.raises(AlreadyExistsError):
            hns.attach_endpoint_to_host(named)
        hns.detach_endpoint_from_host(named)
        with pytest.raises(NotFoundError):
            hns.hot_attach_endpoint("nobody", named)
        hns.hot_detach_endpoint("nobody", named)
    finally:
        hns.delete_network(str(network.id))
    assert host is not None


def test_policy_lists(host: object) -> None:
    """
    A policy list is a load balancer, made and deleted by v1.
    """
    network = hns.create_network({"Name": "v1-lists", "Type": "nat"})
    endpoint = hns.create_endpoint({"VirtualNetwork": network.id})
    elb = ELBPolicy(
        type="ELB", vips=("192.0.2.80",), protocol=6, internal_port=80, external_port=80
    )
    try:
        made = hns.create_policy_list((str(endpoint.id),), (elb,))
        assert made.references == (f"/endpoints/{endpoint.id}",)
        assert (made,) == hns.list_policy_lists()
        hns.delete_policy_list(str(made.id))
    finally:
        hns.delete_network(str(network.id))
    assert host is not None


def test_the_service(host: object) -> None:
    """
    Version, namespaces and management addresses are told.
    """
    version = (hns.hns_globals()).version

    assert version is not None
    assert (version.major, version.minor) == (15, 4)
    assert any(found.is_default for found in hns.list_namespaces())
    macs = hns.set_management_macs(["00-11-22-33-44-55"])
    assert macs == hns.management_macs()
    cleared = hns.set_management_macs(())
    assert not cleared.mac_address_list
    assert host is not None
