"""What is left in the kernel: nothing when removed, and what others made always."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import attrs
import pytest
from datapath_lab import (
    NETWORK,
    OTHER_NETWORK,
    Lab,
    endpoint,
    in_namespaces,
    network,
    serving,
    target,
)

from hcsshim.host.datapath.nft_wire import Batch, NftSocket
from hcsshim.host.datapath.port import (
    AclPlan,
    Action,
    AddressPlan,
    BackendPlan,
    DatapathError,
    Direction,
    Everything,
    FrontendPortPlan,
    LoadBalancerPlan,
    NetworkKind,
    OutboundNatPlan,
    PortMappingPlan,
    RoutePlan,
    SdnRoutePlan,
    SubnetPlan,
)
from hcsshim.hresult import HResult

MAPPING = PortMappingPlan(protocol=6, internal_port=80, external_port=8080)
BLOCK = AclPlan(action=Action.BLOCK, direction=Direction.IN)
FULL = endpoint(
    4,
    port_mappings=(MAPPING,),
    outbound_nat=(OutboundNatPlan(exceptions=("10.0.0.0/8",)),),
    acls=(BLOCK,),
)
BALANCER = LoadBalancerPlan(
    id="33333333-0000-0000-0000-000000000001",
    network=NETWORK,
    backends=(BackendPlan(endpoint=FULL.id, addresses=("10.7.0.4",)),),
    frontends=("10.96.0.10",),
    ports=(FrontendPortPlan(protocol=6, external_port=80, internal_port=80),),
)


def forwarding() -> str:
    """Tell whether the machine forwards."""
    return Path("/proc/sys/net/ipv4/ip_forward").read_text(encoding="ascii").strip()


@in_namespaces
def test_nothing_is_left(lab: Lab) -> None:
    """
    When all is removed, no interface, rule, route, port or setting is left.
    """
    lab.outside()
    datapath = lab.datapath()
    plain = network()
    bridged = network(
        NetworkKind.L2_BRIDGE,
        id=OTHER_NETWORK,
        subnets=(SubnetPlan(prefix="192.0.2.0/24", gateway="192.0.2.1"),),
    )
    assert "0" == forwarding()
    for plan in (plain, bridged):
        datapath.apply_network(plan)
    place = lab.container(datapath, FULL)
    lab.container(datapath, endpoint(5, network=OTHER_NETWORK))
    datapath.apply_load_balancer(BALANCER)
    assert "1" == forwarding()
    names, tables = lab.leftovers()
    assert 4 == len(names)
    assert 5 == len(tables)

    datapath.remove_load_balancer(BALANCER.id)
    datapath.detach(FULL.id, target(place))
    datapath.remove_endpoint(FULL.id)
    datapath.remove_endpoint(endpoint(5).id)
    for plan in (plain, bridged):
        datapath.remove_network(plan.id)

    assert ([], []) == lab.leftovers()
    assert "0" == forwarding()
    links = place.links()
    assert ["lo"] == [link.name for link in links.all()]
    links.close()
    with serving(lab.machine, 8080):
        pass


@in_namespaces
def test_closing_removes_everything(lab: Lab) -> None:
    """
    A host that ends takes everything along.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    lab.container(datapath, FULL)
    datapath.apply_load_balancer(BALANCER)

    datapath.close()

    assert ([], []) == lab.leftovers()
    assert "0" == forwarding()


@in_namespaces
def test_r272_r274_what_a_killed_host_left(lab: Lab) -> None:
    """
    A host that starts removes what a killed one left, not what a living one has, nor
    what others made.
    """
    lab.outside()
    containers = [lab.place(), lab.place()]

    def host(number: int, kind: NetworkKind) -> int:
        base = f"10.{number}.0"
        subnet = SubnetPlan(prefix=f"{base}.0/24", gateway=f"{base}.1")
        plan = attrs.evolve(
            FULL,
            addresses=(AddressPlan(address=f"{base}.4", prefix_length=24),),
            routes=(),
            port_mappings=(attrs.evolve(MAPPING, external_port=8080 + number),),
        )

        def work() -> None:
            datapath = lab.datapath()
            datapath.apply_network(network(kind, subnets=(subnet,)))
            datapath.apply_endpoint(plan)
            datapath.attach(plan.id, target(containers[number]))
            datapath.apply_load_balancer(BALANCER)

        return lab.fork(work)

    hosts = [host(0, NetworkKind.L2_BRIDGE), host(1, NetworkKind.NAT)]
    links = lab.machine.links()
    mine = links.add_bridge("mine", "somebody else's")
    links.add_route(links.index("eth0"), "10.50.0.0/16", gateway="192.0.2.1")
    assert 1 == len(links.answered_for())
    nft = NftSocket(lab.machine.namespace)
    batch = Batch()
    batch.add_table("mine")
    nft.commit(batch)
    nft.close()
    before = lab.leftovers()

    lab.kill(hosts[0])
    lab.datapath().reconcile(Everything(networks=(network(),), endpoints=(FULL,)))

    names, tables = lab.leftovers()
    alive = str(hosts[1])
    assert 5 == len(before[0])
    assert 3 == len(names)
    assert "mine" in names
    assert ["mine"] == [table for table in tables if alive not in table]
    assert 3 == len([table for table in tables if alive in table])
    assert mine == links.index("mine")
    assert [] == links.answered_for()
    assert "1" == forwarding()
    lab.kill(hosts[1])
    datapath = lab.datapath()
    datapath.reconcile(Everything(networks=(network(),), endpoints=(FULL,)))
    assert (["mine"], ["mine"]) == lab.leftovers()
    links.close()
    datapath.attach(FULL.id, target(containers[0]))


@in_namespaces
def test_a_port_of_another_program(lab: Lab) -> None:
    """
    A port that another program has is refused, and nothing is left of the attaching;
    an endpoint that is attached already stays as it was.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    one = lab.container(datapath, endpoint(5, acls=(BLOCK,)))
    other = lab.container(datapath, endpoint(6))
    place = lab.place()
    datapath.apply_endpoint(FULL)
    before = lab.leftovers()

    with serving(lab.machine, 8080):
        with pytest.raises(DatapathError, match="Port 8080 of the machine") as refused:
            datapath.attach(FULL.id, target(place))
        with pytest.raises(DatapathError, match="Port 8080 of the machine"):
            datapath.apply_endpoint(endpoint(5, port_mappings=(MAPPING,)))

    assert HResult.HCN_E_PORT_ALREADY_EXISTS == refused.value.hresult
    assert before == lab.leftovers()
    with serving(one, 80):
        assert not other.reaches("10.7.0.5", 80)
    datapath.attach(FULL.id, target(place))


@in_namespaces
def test_a_port_is_taken(lab: Lab) -> None:
    """
    Another program is told that a mapped port is in use, until the mapping is removed.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    lab.container(datapath, endpoint(4, port_mappings=(MAPPING,)))

    with socket.socket() as stream, pytest.raises(OSError, match="in use"):
        stream.bind(("127.0.0.1", 8080))
    datapath.apply_endpoint(endpoint(4))

    with serving(lab.machine, 8080):
        pass


@in_namespaces
def test_an_adapter_that_is_missing(lab: Lab) -> None:
    """
    A network that needs an adapter says that there is none.
    """
    datapath = lab.datapath()
    datapath.apply_network(network(NetworkKind.TRANSPARENT, adapter="Ethernet 7"))
    datapath.apply_endpoint(endpoint(4))

    with pytest.raises(DatapathError, match="adapter 'Ethernet 7'") as refused:
        datapath.attach(endpoint(4).id, target(lab.place()))

    assert HResult.HCN_E_ADAPTER_NOT_FOUND == refused.value.hresult


@in_namespaces
def test_a_silo_that_is_gone(lab: Lab) -> None:
    """
    Attaching to a process that ended says so; detaching from one does no harm.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    datapath.apply_endpoint(endpoint(4))
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    gone = attrs.evolve(target(lab.machine), pid=pid)

    with pytest.raises(DatapathError, match=r"cannot be attached to .*: No such file"):
        datapath.attach(endpoint(4).id, gone)
    datapath.detach(endpoint(4).id, gone)

    assert 1 == len(lab.leftovers()[0])


@in_namespaces
def test_the_machine_as_target(lab: Lab) -> None:
    """
    An endpoint may be the machine's own: its interface stays in the machine's
    namespace, and goes when it is detached.
    """
    datapath = lab.datapath()
    datapath.apply_network(network(host_port=False))
    own = attrs.evolve(
        target(lab.machine), id="host", pid=None, interface="vEthernet (blue)"
    )
    datapath.apply_endpoint(endpoint(9))
    datapath.attach(endpoint(9).id, own)
    inside = lab.container(datapath, endpoint(4))

    with serving(inside, 80) as listener:
        seen = lab.machine.talk(listener, "10.7.0.4", 80)
    links = lab.machine.links()
    aliases = [link.alias for link in links.all()]
    links.close()
    datapath.detach(endpoint(9).id, own)

    assert "10.7.0.9" == seen
    assert any(alias.endswith("vEthernet (blue)") for alias in aliases)
    assert 2 == len(lab.leftovers()[0])


@in_namespaces
def test_parts(lab: Lab) -> None:
    """
    What the kernel has for a network can be listed, and what somebody broke shows.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    lab.container(datapath, FULL)
    datapath.apply_load_balancer(BALANCER)
    whole = datapath.parts(NETWORK)
    links = lab.machine.links()
    (veth,) = (part for part in whole if part.kind == "veth")
    links.remove(links.index(veth.name))
    links.close()
    nft = NftSocket(lab.machine.namespace)
    batch = Batch()
    batch.delete_table(next(t for t in nft.tables() if "balancer" in t))
    nft.commit(batch)
    nft.close()

    broken = datapath.parts(NETWORK)

    assert {"bridge", "address", "veth", "rule"} == {part.kind for part in whole}
    assert {NETWORK, FULL.id, BALANCER.id} == {part.object for part in whole}
    assert [] == [part.problem for part in whole if part.problem]
    assert {(FULL.id, "is gone"), (BALANCER.id, "is gone")} == {
        (part.object, part.problem) for part in broken if part.problem
    }


@in_namespaces
def test_routes_of_several_endpoints(lab: Lab) -> None:
    """
    A route object leads its endpoints through a neighbour, until it is removed.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    one = lab.container(datapath, endpoint(4))
    router = lab.container(datapath, endpoint(5))
    links = router.links()
    links.add_address(links.index("eth0"), "10.60.0.1", 24)
    links.close()
    route = SdnRoutePlan(
        id="44444444-0000-0000-0000-000000000001",
        endpoints=(endpoint(4).id,),
        routes=(RoutePlan(prefix="10.60.0.0/24", next_hop="10.7.0.5"),),
    )

    with serving(router, 80) as listener:
        before = one.reaches("10.60.0.1", 80)
        datapath.apply_route(route)
        seen = one.talk(listener, "10.60.0.1", 80)
        datapath.remove_route(route.id)
        after = one.reaches("10.60.0.1", 80)

    assert (False, "10.7.0.4", False) == (before, seen, after)
