"""What access rules and proxies do to real packets."""

from __future__ import annotations

import attrs
from datapath_lab import (
    Lab,
    Place,
    endpoint,
    in_namespaces,
    network,
    serving,
)

from hcsshim.host.datapath.port import (
    AclPlan,
    Action,
    AddressSetPlan,
    Direction,
    ProxyPlan,
    TierPlan,
)

IN, OUT = Direction.IN, Direction.OUT


def pair(lab: Lab, *acls: AclPlan, **more: object) -> tuple[Place, Place]:
    """Make two containers; the rules are the second one's."""
    datapath = lab.datapath()
    datapath.apply_network(network())
    one = lab.container(datapath, endpoint(4))
    return one, lab.container(datapath, endpoint(5, acls=acls, **more))


@in_namespaces
def test_a_rule_blocks_and_its_removal_opens(lab: Lab) -> None:
    """
    A rule that blocks what comes in does so, but not replies; without it all is open.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    one = lab.container(datapath, endpoint(4))
    other = lab.container(datapath, endpoint(5))
    block = AclPlan(action=Action.BLOCK, direction=IN)
    datapath.apply_endpoint(endpoint(5, acls=(block,)))

    with serving(one, 80) as listener, serving(other, 80) as own:
        blocked = one.reaches("10.7.0.5", 80)
        replied = other.talk(listener, "10.7.0.4", 80)
        loopback = other.talk(own, "127.0.0.1", 80)
        datapath.apply_endpoint(endpoint(5))
        opened = one.talk(own, "10.7.0.5", 80)

    assert not blocked
    assert ("10.7.0.5", "127.0.0.1", "10.7.0.4") == (replied, loopback, opened)


@in_namespaces
def test_blocking_outgoing(lab: Lab) -> None:
    """
    A rule for what goes out names the other side as remote.
    """
    block = AclPlan(
        action=Action.BLOCK,
        direction=OUT,
        protocols=(6,),
        remote_addresses=("10.7.0.4/32", "10.9.0.0/16"),
        remote_ports=((80, 80), (443, 450)),
    )
    one, other = pair(lab, block)

    with serving(one, 80), serving(one, 81), serving(one, 445), serving(other, 80):
        other.check("10.7.0.4", {80: False, 81: True, 445: False})
        one.check("10.7.0.5", {80: True})


@in_namespaces
def test_priorities(lab: Lab) -> None:
    """
    The lowest priority that matches wins; among equals blocking does.
    """

    def rule(action: Action, priority: int, port: int) -> AclPlan:
        ports = ((port, port),) if port else ()
        return AclPlan(
            action=action,
            direction=IN,
            protocols=(6, 17) if port else (),
            local_ports=ports,
            priority=priority,
        )

    allow, block = Action.ALLOW, Action.BLOCK
    one, other = pair(
        lab,
        rule(block, 200, 0),
        rule(allow, 100, 80),
        rule(allow, 90, 81),
        rule(block, 90, 81),
        rule(allow, 300, 82),
    )

    with serving(other, 80), serving(other, 81), serving(other, 82):
        one.check("10.7.0.5", {80: True, 81: False, 82: False})


@in_namespaces
def test_rules_of_the_network_and_sets(lab: Lab) -> None:
    """
    Rules of a network hold for its endpoints and may name sets, also with ports; a
    change of a set is a change of the rules.
    """
    plan = network(
        acls=(
            AclPlan(
                action=Action.BLOCK,
                direction=OUT,
                remote_addresses=("web",),
                priority=10,
            ),
        ),
        sets=(AddressSetPlan(id="WEB", members=("10.7.0.4,tcp:80", "192.0.2.0/24")),),
    )
    datapath = lab.datapath()
    datapath.apply_network(plan)
    one = lab.container(datapath, endpoint(4))
    other = lab.container(datapath, endpoint(5))

    with serving(one, 80), serving(one, 81):
        other.check("10.7.0.4", {80: False, 81: True})
        changed = AddressSetPlan(id="WEB", members=("10.7.0.4,tcp:81",))
        datapath.apply_network(attrs.evolve(plan, sets=(changed,)))
        other.check("10.7.0.4", {80: True, 81: False})


@in_namespaces
def test_tiers(lab: Lab) -> None:
    """
    Tiers are asked in their order; what passes one is judged by the next.
    """

    def tier(name: str, order: int, *rules: AclPlan) -> TierPlan:
        return TierPlan(name=name, direction=IN, order=order, rules=rules)

    def rule(action: Action, *ports: int) -> AclPlan:
        pairs = tuple((port, port) for port in ports)
        return AclPlan(action=action, direction=IN, protocols=(6,), local_ports=pairs)

    one, other = pair(
        lab,
        tiers=(
            tier("second", 2, rule(Action.BLOCK, 80, 81)),
            tier("first", 1, rule(Action.ALLOW, 80), rule(Action.PASS, 81)),
        ),
    )

    with serving(other, 80), serving(other, 81), serving(other, 82):
        one.check("10.7.0.5", {80: True, 81: False, 82: True})


@in_namespaces
def test_proxies(lab: Lab) -> None:
    """
    Connections of a container go to its proxy, except those to what is excepted.
    """
    proxy = ProxyPlan(
        outbound_port=15001, address_exceptions=("10.7.0.9/32",), user="1234"
    )
    one, other = pair(lab, proxies=(proxy,))

    with serving(other, 15001) as listener:
        seen = other.talk(listener, "10.7.0.4", 80)
        excepted = other.reaches("10.7.0.9", 80)

    assert "10.7.0.5" == seen
    assert not excepted
    assert one.pid != other.pid
