"""Overlays between two machines, with real packets."""

from __future__ import annotations

from datapath_lab import (
    Lab,
    endpoint,
    in_namespaces,
    network,
    serving,
)

from hcsshim.host.datapath.port import (
    AddressPlan,
    NetworkKind,
    NetworkPlan,
    RemoteSubnetPlan,
    RoutePlan,
    SubnetPlan,
)

MACS = {7: "00:15:5d:aa:00:07", 8: "00:15:5d:aa:00:08"}
MACHINES = {7: "192.0.2.2", 8: "192.0.2.1"}


def overlay(own: int, *, other: int = 0) -> NetworkPlan:
    """Plan the overlay as one machine sees it: 10.own.0.0/24 is here."""
    remote = RemoteSubnetPlan(
        prefix=f"10.{other}.0.0/24",
        isolation_id=4242,
        provider_address=MACHINES.get(other, ""),
        router_mac=MACS.get(other, ""),
    )
    return network(
        NetworkKind.OVERLAY,
        subnets=(
            SubnetPlan(
                prefix=f"10.{own}.0.0/24", gateway=f"10.{own}.0.1", isolation_id=4242
            ),
        ),
        provider_address=MACHINES[own],
        router_mac=MACS[own],
        remote_subnets=(remote,) if other else (),
    )


def member(subnet: int, number: int, **more: object) -> dict[str, object]:
    """Say what an endpoint of a subnet has."""
    return {
        "addresses": (
            AddressPlan(address=f"10.{subnet}.0.{number}", prefix_length=24),
        ),
        "routes": (RoutePlan(prefix="0.0.0.0/0", next_hop=f"10.{subnet}.0.1"),),
        **more,
    }


@in_namespaces
def test_remote_subnets(lab: Lab) -> None:
    """
    Containers of two machines whose subnets are routed to each other talk, each
    seeing the other's own address; when the route is taken away, they do not.
    """
    elsewhere = lab.place()
    lab.wire(lab.machine, MACHINES[7], elsewhere, MACHINES[8])
    here, there = lab.datapath(), lab.datapath(elsewhere)
    here.apply_network(overlay(7, other=8))
    there.apply_network(overlay(8, other=7))
    one = lab.container(here, endpoint(4, **member(7, 4)))
    other = lab.container(there, endpoint(5, **member(8, 5)))

    with serving(other, 80) as listener:
        seen = one.talk(listener, "10.8.0.5", 80)
        here.apply_network(overlay(7))
        reached = one.reaches("10.8.0.5", 80)

    assert ("10.7.0.4", False) == (seen, reached)


@in_namespaces
def test_remote_endpoints(lab: Lab) -> None:
    """
    Containers of one subnet on two machines talk if each machine knows the other's.
    """
    elsewhere = lab.place()
    lab.wire(lab.machine, MACHINES[7], elsewhere, MACHINES[8])
    here, there = lab.datapath(), lab.datapath(elsewhere)
    plan = overlay(7)
    here.apply_network(plan)
    there.apply_network(
        network(
            NetworkKind.OVERLAY,
            subnets=plan.subnets,
            provider_address=MACHINES[8],
            router_mac=MACS[8],
        )
    )
    far = member(7, 5, remote=True, provider_address=MACHINES[8])
    near = member(7, 4, remote=True, provider_address=MACHINES[7])
    there.apply_endpoint(endpoint(4, **near))
    one = lab.container(here, endpoint(4, **member(7, 4)))
    other = lab.container(there, endpoint(5, **member(7, 5)))

    with serving(other, 80) as listener:
        unknown = one.reaches("10.7.0.5", 80)
        here.apply_endpoint(endpoint(5, **far))
        seen = one.talk(listener, "10.7.0.5", 80)
        here.remove_endpoint(endpoint(5).id)
        forgotten = one.reaches("10.7.0.5", 80)

    assert (False, "10.7.0.4", False) == (unknown, seen, forgotten)
