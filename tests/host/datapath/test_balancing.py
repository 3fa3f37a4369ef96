"""How load balancers spread real connections."""

from __future__ import annotations

import contextlib
from pathlib import Path

from datapath_lab import (
    NETWORK,
    Lab,
    endpoint,
    in_namespaces,
    network,
    serving,
    spread,
)

from hcsshim.host.datapath.port import (
    BackendPlan,
    Distribution,
    FrontendPortPlan,
    LoadBalancerPlan,
)

ID = "33333333-0000-0000-0000-000000000001"


def balancer(*numbers: int, **more: object) -> LoadBalancerPlan:
    """Plan a load balancer for endpoints, 10.96.0.10 unless said otherwise."""
    settings: dict[str, object] = {
        "frontends": ("10.96.0.10",),
        "ports": (FrontendPortPlan(protocol=6, external_port=80, internal_port=80),),
    }
    return LoadBalancerPlan(
        id=ID,
        network=NETWORK,
        backends=tuple(
            BackendPlan(endpoint=endpoint(n).id, addresses=(f"10.7.0.{n}",))
            for n in numbers
        ),
        **{**settings, **more},  # type: ignore[arg-type]
    )


@in_namespaces
def test_spreading(lab: Lab) -> None:
    """
    Connections to a virtual address are spread over three containers: of a neighbour,
    and of the machine; a backend that is removed gets no more.
    """
    lab.outside()
    datapath = lab.datapath()
    datapath.apply_network(network())
    backends = [lab.container(datapath, endpoint(n)) for n in (11, 12, 13)]
    client = lab.container(datapath, endpoint(4))
    datapath.apply_load_balancer(balancer(11, 12, 13))

    with contextlib.ExitStack() as stack:
        served = [stack.enter_context(serving(place, 80)) for place in backends]
        of_neighbour = spread(client, served, "10.96.0.10", 12)
        of_machine = spread(lab.machine, served, "10.96.0.10", 12)
        datapath.apply_load_balancer(balancer(11, 13))
        of_two = spread(client, served, "10.96.0.10", 12)
        datapath.remove_load_balancer(ID)
        gone = client.reaches("10.96.0.10", 80)

    assert [4, 4, 4] == of_neighbour
    assert [4, 4, 4] == of_machine
    assert [6, 0, 6] == of_two
    assert not gone


@in_namespaces
def test_spreading_by_source(lab: Lab) -> None:
    """
    Where the choice depends on the source, one client always gets the same backend.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    backends = [lab.container(datapath, endpoint(n)) for n in (11, 12, 13)]
    client = lab.container(datapath, endpoint(4))
    for choice in (Distribution.SOURCE, Distribution.SOURCE_AND_PROTOCOL):
        port = FrontendPortPlan(
            protocol=6, external_port=80, internal_port=80, distribution=choice
        )
        datapath.apply_load_balancer(balancer(11, 12, 13, ports=(port,)))

        with contextlib.ExitStack() as stack:
            served = [stack.enter_context(serving(place, 80)) for place in backends]
            counts = spread(client, served, "10.96.0.10", 6)

        assert [0, 0, 6] == sorted(counts)


@in_namespaces
def test_node_port(lab: Lab) -> None:
    """
    Without an address of its own, a load balancer serves on all of the machine's.
    """
    outside = lab.outside()
    datapath = lab.datapath()
    datapath.apply_network(network())
    backends = [lab.container(datapath, endpoint(n)) for n in (11, 12)]
    port = FrontendPortPlan(protocol=6, external_port=30080, internal_port=80)
    datapath.apply_load_balancer(balancer(11, 12, frontends=(), ports=(port,)))

    with serving(backends[0], 80) as one, serving(backends[1], 80) as other:
        seen = {
            outside.talk(one, "192.0.2.2", 30080),
            outside.talk(other, "192.0.2.2", 30080),
        }

    assert {"192.0.2.1"} == seen


@in_namespaces
def test_a_balancer_that_was_known_before(lab: Lab) -> None:
    """
    A load balancer that was made before its network carried anything works too.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    datapath.apply_load_balancer(balancer(11))
    backend = lab.container(datapath, endpoint(11))
    client = lab.container(datapath, endpoint(4))

    with serving(backend, 80) as listener:
        client.talk(listener, "10.96.0.10", 80)


@in_namespaces
def test_direct_return(lab: Lab) -> None:
    """
    With direct return a backend sees the client's own address and answers it; where
    the kernel cannot do that, and without it, the answer comes back to the gateway.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    backend = lab.container(datapath, endpoint(11))
    client = lab.container(datapath, endpoint(4))
    bridged = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    able = bridged.exists() and "1" == bridged.read_text(encoding="ascii").strip()

    seen = []
    with serving(backend, 80) as listener:
        for direct in (True, False):
            datapath.apply_load_balancer(balancer(11, direct_return=direct))
            seen.append(client.talk(listener, "10.96.0.10", 80))

    assert ["10.7.0.4" if able else "10.7.0.1", "10.7.0.1"] == seen
