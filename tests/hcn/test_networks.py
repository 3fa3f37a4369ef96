# Made by async_to_sync.py of tests/hcn/test_async_networks.py; do not edit.
"""Networks through the awaitable face, end to end; the blocking face."""

from __future__ import annotations

import json

import pytest

from hcsshim import (
    AlreadyExistsError,
    HandleClosedError,
    HcsTimeoutError,
    InvalidDataError,
    InvalidStateError,
    NotFoundError,
)
from hcsshim.documents import hcn as documents
from hcsshim.hcn import (
    Endpoint,
    LoadBalancer,
    Namespace,
    Network,
    NetworkEvents,
    NetworkEventType,
    Route,
    network_version,
    supported_features,
)

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("clean")]

V2 = documents.Version(major=2, minor=0)
NAT = documents.HostComputeNetwork(
    name="faces",
    type=documents.NetworkType.NAT,
    schema_version=V2,
    ipams=(
        documents.Ipam(
            subnets=(
                documents.Subnet(
                    ip_address_prefix="10.212.0.0/24",
                    routes=(
                        documents.Route(
                            next_hop="10.212.0.1", destination_prefix="0.0.0.0/0"
                        ),
                    ),
                ),
            )
        ),
    ),
)
OVERLAY = documents.HostComputeNetwork(
    name="faces-overlay",
    type=documents.NetworkType.OVERLAY,
    schema_version=V2,
    ipams=(
        documents.Ipam(
            subnets=(
                documents.Subnet(
                    ip_address_prefix="10.213.0.0/24",
                    routes=(
                        documents.Route(
                            next_hop="10.213.0.1", destination_prefix="0.0.0.0/0"
                        ),
                    ),
                    policies=(
                        documents.SubnetPolicy(
                            type="VSID",
                            settings=documents.VsidPolicySetting(isolation_id=5000),
                        ),
                    ),
                ),
            )
        ),
    ),
)


def test_life_of_a_network() -> None:
    """
    A network of models is made, found in every way, read, and deleted.
    """
    with Network.create(NAT) as network:
        found = network.properties()

        assert found.name == "faces"
        assert found == Network.get(network.id)
        assert (found,) == Network.list(name="faces", network_type="NAT")
        assert (network.id,) == Network.ids()
        with Network.open_named("faces") as again:
            assert again.id == network.id
        with Network.open(network.id) as again:
            assert "faces" in str((again.properties()).name)
        network.delete()
    assert network.closed


def test_documents_of_all_forms() -> None:
    """
    Mappings, texts, and documents of v1 are taken; an id may be chosen.
    """
    chosen = "0d3be6f8-2c42-4b23-9be5-5b2c0d6d7f10"
    for document in ({"Name": "a"}, '{"Name":"a"}', {"Name": "a", "Subnets": []}):
        network = Network.create(document, network_id=chosen)
        assert network.id == chosen
        network.delete()


def test_failures_are_exceptions_by_code() -> None:
    """
    What goes wrong is an exception of its own, with Windows' code and our sentence.
    """
    with Network.create(NAT) as network:
        with pytest.raises(AlreadyExistsError, match="named 'faces'") as raised:
            Network.create(NAT)
        assert raised.value.hresult == 0x803B0010
        with pytest.raises(InvalidDataError, match="0x803B001E"):
            network.create_endpoint(
                documents.HostComputeEndpoint(
                    ip_configurations=(documents.IpConfig(ip_address="9.9.9.9"),)
                )
            )
        with pytest.raises(InvalidDataError, match="0x803B001B"):
            Network.create({"Name": "b", "Nonsense": 1})
        Network.delete_by_id(network.id)
        with pytest.raises(InvalidStateError, match="was deleted"):
            network.properties()
        with pytest.raises(NotFoundError):
            network.create_endpoint()
    with pytest.raises(HandleClosedError):
        network.properties()


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (Network, 'Network ID "x" not found'),
        (Endpoint, 'Endpoint ID "x" not found'),
        (Namespace, 'Namespace ID "x" not found'),
        (LoadBalancer, 'LoadBalancer "x" not found'),
        (Route, 'SDN Route "x" not found'),
    ],
)
def test_r6_not_found(cls: type, text: str) -> None:
    """
    What is not there is one exception for all kinds, with a code.
    """
    unknown = "3c1f2d7e-0f3c-4d5e-9b7a-6e3d2c1b0a99"
    with pytest.raises(NotFoundError, match=text.replace("x", unknown)) as raised:
        cls.get(unknown)
    assert raised.value.hresult == 0x80070490
    with pytest.raises(NotFoundError):
        cls.open(unknown)


def test_policies_of_networks() -> None:
    """
    Policies are added, updated and removed, as models of settings or whole.
    """
    route = documents.RemoteSubnetRoutePolicySetting(
        destination_prefix="10.214.0.0/24",
        isolation_id=5000,
        provider_address="192.0.2.9",
        distributed_router_mac_address="00-15-5D-00-00-09",
    )
    with Network.create(OVERLAY) as network:
        network.add_policies(route)
        network.add_policies({"Type": "HostRoute", "Settings": {}})
        network.set_dns(documents.Dns(server_list=("192.0.2.53",)))
        found = network.properties()
        assert found.dns is not None
        assert found.dns.server_list == ("192.0.2.53",)
        types = [str(policy.type) for policy in found.policies]
        assert types[-2:] == ["RemoteSubnetRoute", "HostRoute"]
        network.remove_policies(route)
        with pytest.raises(NotFoundError):
            network.remove_policies(route)
        network.delete()


def test_life_of_an_endpoint() -> None:
    """
    An endpoint is made, listed, read, changed, counted and deleted.
    """
    mapping = documents.PortMappingPolicySetting(internal_port=80, external_port=0)
    with Network.create(NAT) as network:
        settings = documents.HostComputeEndpoint(
            name="e",
            policies=(documents.EndpointPolicy(type="PortMapping", settings=mapping),),
        )
        with network.create_endpoint(settings) as endpoint:
            found = endpoint.properties()
            assert found.ip_configurations[0].ip_address == "10.212.0.2"
            assert (found,) == network.endpoints()
            assert (found,) == Endpoint.list(name="e", state=1)
            assert () == Endpoint.list(name="f")
            acl = documents.AclPolicySetting(
                action="Block", direction="In", priority=100
            )
            endpoint.update_policies(acl)
            endpoint.add_policies(
                documents.EndpointPolicy(
                    type=documents.EndpointPolicyType.L2_DRIVER, settings={}
                )
            )
            types = [str(p.type) for p in (endpoint.properties()).policies]
            assert types == ["PortMapping", "ACL", "L2Driver"]
            endpoint.remove_policies(acl)
            assert (endpoint.statistics()).bytes_sent == 0
            endpoint.delete()
        network.delete()


def test_namespaces() -> None:
    """
    An endpoint joins a namespace and leaves it, from either side.
    """
    with Network.create(NAT) as network:
        endpoint = network.create_endpoint()
        with Namespace.create() as namespace:
            endpoint.join(namespace.id)
            assert (endpoint.id,) == namespace.endpoint_ids()
            assert () == namespace.container_ids()
            with pytest.raises(AlreadyExistsError):
                namespace.add_endpoint(endpoint.id)
            endpoint.leave(namespace.id)
            with pytest.raises(InvalidStateError):
                namespace.remove_endpoint(endpoint.id)
            assert namespace.id in [n.id for n in Namespace.list()]
            namespace.delete()
        endpoint.close()
        network.delete()


@pytest.mark.parametrize("kind", ["HostDefault", "Host", "Guest", "GuestDefault"])
def test_r25_r34_to_r37_sync(kind: str) -> None:
    """
    Namespaces of all types are made, and synchronising one needs no shim.
    """
    with Namespace.create(namespace_type=kind) as namespace:
        namespace.sync()

        assert str((namespace.properties()).type) == kind
        namespace.delete()


def test_settings_or_type_of_a_namespace() -> None:
    """
    A document and a type at once are a mistake.
    """
    with pytest.raises(TypeError):
        Namespace.create({}, namespace_type="Host")


def test_load_balancers_and_routes() -> None:
    """
    Load balancers and routes are made, changed by endpoint, and deleted.
    """
    with Network.create(OVERLAY) as network:
        ends = [network.create_endpoint() for _ in range(2)]
        for end in ends:
            end.close()
        first, second = (end.id for end in ends)
        port = documents.LoadBalancerPortMapping(
            protocol=6, internal_port=80, external_port=80
        )
        settings = documents.HostComputeLoadBalancer(
            host_compute_endpoints=(first,),
            frontend_vips=("192.0.2.80",),
            port_mappings=(port,),
            schema_version=V2,
        )
        with LoadBalancer.create(settings) as balancer:
            balancer.add_endpoint(second)
            balancer.remove_endpoint(first)
            found = balancer.properties()
            assert found.host_compute_endpoints == (second,)
            assert (found,) == LoadBalancer.list()
            balancer.update(settings)
            assert (balancer.properties()).host_compute_endpoints == (first,)
            balancer.delete()
        setting = documents.SDNRoutePolicySetting(
            destination_prefix="10.0.0.0/8", need_encap=True
        )
        document = documents.HostComputeRoute(
            host_compute_endpoints=(first,), setting=(setting,), schema_version=V2
        )
        with Route.create(document) as route:
            route.add_endpoint(second)
            route.remove_endpoint(first)
            found_route = route.properties()
            assert found_route.host_compute_endpoints == (second,)
            assert (found_route,) == Route.list()
            route.delete()
        network.delete()


def test_events() -> None:
    """
    Listeners hear of what happens, in order, until they stop.
    """
    with NetworkEvents.listen() as events:
        network = Network.create(NAT)
        network.delete()
        told = [events.next(timeout=60) for _ in range(4)]
        with pytest.raises(HcsTimeoutError):
            events.next(timeout=0)

    assert [event.type for event in told if event is not None] == [
        NetworkEventType.NETWORK_PRE_CREATE,
        NetworkEventType.NETWORK_CREATE,
        NetworkEventType.NETWORK_PRE_DELETE,
        NetworkEventType.NETWORK_DELETE,
    ]
    assert {event.object_id for event in told if event is not None} == {network.id}
    assert events.next() is None


def test_version_and_features() -> None:
    """
    The service has its version, and all that comes with it.
    """
    assert (15, 4) == network_version()

    features = supported_features()

    assert features.api is not None
    assert features.api.v2
    assert features.modify_loadbalancer


def test_many_endpoints_are_listed_at_once() -> None:
    """
    A list longer than a burst is whole, and in the order of creation.
    """
    with Network.create(json.dumps({"Name": "many", "Type": "Private"})) as network:
        names = [f"e{place}" for place in range(300)]
        for name in names:
            (network.create_endpoint({"Name": name})).close()

        found = network.endpoints()

        assert names == [endpoint.name for endpoint in found]
        network.delete()


def test_modify_by_any_request() -> None:
    """
    A request that has no method of its own can be made too.
    """
    with Network.create(NAT) as network:
        network.modify({"ResourceType": "Policy", "RequestType": "Refresh"})
        with pytest.raises(NotImplementedError, match="0x803B0015"):
            network.modify({"ResourceType": "x", "RequestType": "Add"})
        network.delete()
