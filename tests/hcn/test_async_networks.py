"""Networks through the awaitable face, end to end; the blocking face is generated."""

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
    AsyncEndpoint,
    AsyncLoadBalancer,
    AsyncNamespace,
    AsyncNetwork,
    AsyncNetworkEvents,
    AsyncRoute,
    NetworkEventType,
    async_network_version,
    async_supported_features,
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


async def test_life_of_a_network() -> None:
    """
    A network of models is made, found in every way, read, and deleted.
    """
    async with await AsyncNetwork.create(NAT) as network:
        found = await network.properties()

        assert found.name == "faces"
        assert found == await AsyncNetwork.get(network.id)
        assert (found,) == await AsyncNetwork.list(name="faces", network_type="NAT")
        assert (network.id,) == await AsyncNetwork.ids()
        async with await AsyncNetwork.open_named("faces") as again:
            assert again.id == network.id
        async with await AsyncNetwork.open(network.id) as again:
            assert "faces" in str((await again.properties()).name)
        await network.delete()
    assert network.closed


async def test_documents_of_all_forms() -> None:
    """
    Mappings, texts, and documents of v1 are taken; an id may be chosen.
    """
    chosen = "0d3be6f8-2c42-4b23-9be5-5b2c0d6d7f10"
    for document in ({"Name": "a"}, '{"Name":"a"}', {"Name": "a", "Subnets": []}):
        network = await AsyncNetwork.create(document, network_id=chosen)
        assert network.id == chosen
        await network.delete()


async def test_failures_are_exceptions_by_code() -> None:
    """
    What goes wrong is an exception of its own, with Windows' code and our sentence.
    """
    async with await AsyncNetwork.create(NAT) as network:
        with pytest.raises(AlreadyExistsError, match="named 'faces'") as raised:
            await AsyncNetwork.create(NAT)
        assert raised.value.hresult == 0x803B0010
        with pytest.raises(InvalidDataError, match="0x803B001E"):
            await network.create_endpoint(
                documents.HostComputeEndpoint(
                    ip_configurations=(documents.IpConfig(ip_address="9.9.9.9"),)
                )
            )
        with pytest.raises(InvalidDataError, match="0x803B001B"):
            await AsyncNetwork.create({"Name": "b", "Nonsense": 1})
        await AsyncNetwork.delete_by_id(network.id)
        with pytest.raises(InvalidStateError, match="was deleted"):
            await network.properties()
        with pytest.raises(NotFoundError):
            await network.create_endpoint()
    with pytest.raises(HandleClosedError):
        await network.properties()


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (AsyncNetwork, 'Network ID "x" not found'),
        (AsyncEndpoint, 'Endpoint ID "x" not found'),
        (AsyncNamespace, 'Namespace ID "x" not found'),
        (AsyncLoadBalancer, 'LoadBalancer "x" not found'),
        (AsyncRoute, 'SDN Route "x" not found'),
    ],
)
async def test_r6_not_found(cls: type, text: str) -> None:
    """
    What is not there is one exception for all kinds, with a code.
    """
    unknown = "3c1f2d7e-0f3c-4d5e-9b7a-6e3d2c1b0a99"
    with pytest.raises(NotFoundError, match=text.replace("x", unknown)) as raised:
        await cls.get(unknown)
    assert raised.value.hresult == 0x80070490
    with pytest.raises(NotFoundError):
        await cls.open(unknown)


async def test_policies_of_networks() -> None:
    """
    Policies are added, updated and removed, as models of settings or whole.
    """
    route = documents.RemoteSubnetRoutePolicySetting(
        destination_prefix="10.214.0.0/24",
        isolation_id=5000,
        provider_address="192.0.2.9",
        distributed_router_mac_address="00-15-5D-00-00-09",
    )
    async with await AsyncNetwork.create(OVERLAY) as network:
        await network.add_policies(route)
        await network.add_policies({"Type": "HostRoute", "Settings": {}})
        await network.set_dns(documents.Dns(server_list=("192.0.2.53",)))
        found = await network.properties()
        assert found.dns is not None
        assert found.dns.server_list == ("192.0.2.53",)
        types = [str(policy.type) for policy in found.policies]
        assert types[-2:] == ["RemoteSubnetRoute", "HostRoute"]
        await network.remove_policies(route)
        with pytest.raises(NotFoundError):
            await network.remove_policies(route)
        await network.delete()


async def test_life_of_an_endpoint() -> None:
    """
    An endpoint is made, listed, read, changed, counted and deleted.
    """
    mapping = documents.PortMappingPolicySetting(internal_port=80, external_port=0)
    async with await AsyncNetwork.create(NAT) as network:
        settings = documents.HostComputeEndpoint(
            name="e",
            policies=(documents.EndpointPolicy(type="PortMapping", settings=mapping),),
        )
        async with await network.create_endpoint(settings) as endpoint:
            found = await endpoint.properties()
            assert found.ip_configurations[0].ip_address == "10.212.0.2"
            assert (found,) == await network.endpoints()
            assert (found,) == await AsyncEndpoint.list(name="e", state=1)
            assert () == await AsyncEndpoint.list(name="f")
            acl = documents.AclPolicySetting(
                action="Block", direction="In", priority=100
            )
            await endpoint.update_policies(acl)
            await endpoint.add_policies(
                documents.EndpointPolicy(
                    type=documents.EndpointPolicyType.L2_DRIVER, settings={}
                )
            )
            types = [str(p.type) for p in (await endpoint.properties()).policies]
            assert types == ["PortMapping", "ACL", "L2Driver"]
            await endpoint.remove_policies(acl)
            assert (await endpoint.statistics()).bytes_sent == 0
            await endpoint.delete()
        await network.delete()


async def test_namespaces() -> None:
    """
    An endpoint joins a namespace and leaves it, from either side.
    """
    async with await AsyncNetwork.create(NAT) as network:
        endpoint = await network.create_endpoint()
        async with await AsyncNamespace.create() as namespace:
            await endpoint.join(namespace.id)
            assert (endpoint.id,) == await namespace.endpoint_ids()
            assert () == await namespace.container_ids()
            with pytest.raises(AlreadyExistsError):
                await namespace.add_endpoint(endpoint.id)
            await endpoint.leave(namespace.id)
            with pytest.raises(InvalidStateError):
                await namespace.remove_endpoint(endpoint.id)
            assert namespace.id in [n.id for n in await AsyncNamespace.list()]
            await namespace.delete()
        await endpoint.aclose()
        await network.delete()


@pytest.mark.parametrize("kind", ["HostDefault", "Host", "Guest", "GuestDefault"])
async def test_r25_r34_to_r37_sync(kind: str) -> None:
    """
    Namespaces of all types are made, and synchronising one needs no shim.
    """
    async with await AsyncNamespace.create(namespace_type=kind) as namespace:
        await namespace.sync()

        assert str((await namespace.properties()).type) == kind
        await namespace.delete()


async def test_settings_or_type_of_a_namespace() -> None:
    """
    A document and a type at once are a mistake.
    """
    with pytest.raises(TypeError):
        await AsyncNamespace.create({}, namespace_type="Host")


async def test_load_balancers_and_routes() -> None:
    """
    Load balancers and routes are made, changed by endpoint, and deleted.
    """
    async with await AsyncNetwork.create(OVERLAY) as network:
        ends = [await network.create_endpoint() for _ in range(2)]
        for end in ends:
            await end.aclose()
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
        async with await AsyncLoadBalancer.create(settings) as balancer:
            await balancer.add_endpoint(second)
            await balancer.remove_endpoint(first)
            found = await balancer.properties()
            assert found.host_compute_endpoints == (second,)
            assert (found,) == await AsyncLoadBalancer.list()
            await balancer.update(settings)
            assert (await balancer.properties()).host_compute_endpoints == (first,)
            await balancer.delete()
        setting = documents.SDNRoutePolicySetting(
            destination_prefix="10.0.0.0/8", need_encap=True
        )
        document = documents.HostComputeRoute(
            host_compute_endpoints=(first,), setting=(setting,), schema_version=V2
        )
        async with await AsyncRoute.create(document) as route:
            await route.add_endpoint(second)
            await route.remove_endpoint(first)
            found_route = await route.properties()
            assert found_route.host_compute_endpoints == (second,)
            assert (found_route,) == await AsyncRoute.list()
            await route.delete()
        await network.delete()


async def test_events() -> None:
    """
    Listeners hear of what happens, in order, until they stop.
    """
    async with await AsyncNetworkEvents.listen() as events:
        network = await AsyncNetwork.create(NAT)
        await network.delete()
        told = [await events.next(timeout=60) for _ in range(4)]
        with pytest.raises(HcsTimeoutError):
            await events.next(timeout=0)

    assert [event.type for event in told if event is not None] == [
        NetworkEventType.NETWORK_PRE_CREATE,
        NetworkEventType.NETWORK_CREATE,
        NetworkEventType.NETWORK_PRE_DELETE,
        NetworkEventType.NETWORK_DELETE,
    ]
    assert {event.object_id for event in told if event is not None} == {network.id}
    assert await events.next() is None


async def test_version_and_features() -> None:
    """
    The service has its version, and all that comes with it.
    """
    assert (15, 4) == await async_network_version()

    features = await async_supported_features()

    assert features.api is not None
    assert features.api.v2
    assert features.modify_loadbalancer


async def test_many_endpoints_are_listed_at_once() -> None:
    """
    A list longer than a burst is whole, and in the order of creation.
    """
    async with await AsyncNetwork.create(
        json.dumps({"Name": "many", "Type": "Private"})
    ) as network:
        names = [f"e{place}" for place in range(300)]
        for name in names:
            await (await network.create_endpoint({"Name": name})).aclose()

        found = await network.endpoints()

        assert names == [endpoint.name for endpoint in found]
        await network.delete()


async def test_modify_by_any_request() -> None:
    """
    A request that has no method of its own can be made too.
    """
    async with await AsyncNetwork.create(NAT) as network:
        await network.modify({"ResourceType": "Policy", "RequestType": "Refresh"})
        with pytest.raises(NotImplementedError, match="0x803B0015"):
            await network.modify({"ResourceType": "x", "RequestType": "Add"})
        await network.delete()
