"""What networks of each kind let through, with real packets."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

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

from hcsshim.host.datapath import resolver
from hcsshim.host.datapath.port import (
    AddressPlan,
    DatapathError,
    DnsPlan,
    NetworkKind,
    OutboundNatPlan,
    PortMappingPlan,
    RoutePlan,
    SubnetPlan,
)


@in_namespaces
def test_two_containers_of_one_network_reach_each_other(lab: Lab) -> None:
    """
    Two containers of one network talk by TCP, each seeing the other's address.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    one = lab.container(datapath, endpoint(4))
    other = lab.container(datapath, endpoint(5))

    with serving(other, 80) as listener:
        seen = one.talk(listener, "10.7.0.5", 80)

    assert "10.7.0.4" == seen


@in_namespaces
def test_outbound_translation(lab: Lab) -> None:
    """
    A container of a NAT network reaches the outside with the machine's address.
    """
    outside = lab.outside()
    datapath = lab.datapath()
    datapath.apply_network(network())
    inside = lab.container(datapath, endpoint(4))

    with serving(outside, 80) as listener:
        seen = inside.talk(listener, "192.0.2.1", 80)

    assert "192.0.2.2" == seen


@in_namespaces
def test_port_mapping(lab: Lab) -> None:
    """
    A port of the machine leads to a container: from outside, from the machine's own
    addresses, its loopback, and a neighbour of the network.
    """
    outside = lab.outside()
    datapath = lab.datapath()
    datapath.apply_network(network())
    mapping = PortMappingPlan(protocol=6, internal_port=80, external_port=8080)
    inside = lab.container(datapath, endpoint(4, port_mappings=(mapping,)))
    neighbour = lab.container(datapath, endpoint(5))

    with serving(inside, 80) as listener:
        seen = [
            outside.talk(listener, "192.0.2.2", 8080),
            lab.machine.talk(listener, "192.0.2.2", 8080),
            lab.machine.talk(listener, "127.0.0.1", 8080),
            neighbour.talk(listener, "10.7.0.1", 8080),
        ]

    assert "192.0.2.1" == seen[0]


@in_namespaces
def test_outbound_translation_of_an_endpoint(lab: Lab) -> None:
    """
    An endpoint's own translation replaces its network's: exceptions keep the
    container's address, all else gets the one that was asked for.
    """
    outside = lab.outside()
    links = outside.links()
    links.add_address(links.index("eth0"), "192.0.2.9", 24)
    links.add_route(links.index("eth0"), "10.7.0.0/24", gateway="192.0.2.2")
    links.close()
    machine = lab.machine.links()
    machine.add_address(machine.index("eth0"), "192.0.2.77", 24)
    machine.close()
    datapath = lab.datapath()
    datapath.apply_network(network())
    nat = OutboundNatPlan(source="192.0.2.77", exceptions=("192.0.2.9/32",))
    inside = lab.container(datapath, endpoint(4, outbound_nat=(nat,)))

    with serving(outside, 80) as listener:
        translated = inside.talk(listener, "192.0.2.1", 80)
        excepted = inside.talk(listener, "192.0.2.9", 80)

    assert ("192.0.2.77", "10.7.0.4") == (translated, excepted)


@in_namespaces
def test_internal_network(lab: Lab) -> None:
    """
    Containers of an Internal network reach the machine, and nothing behind it.
    """
    outside = lab.outside()
    datapath = lab.datapath()
    datapath.apply_network(network(NetworkKind.INTERNAL))
    inside = lab.container(datapath, endpoint(4))

    with serving(lab.machine, 80) as own, serving(outside, 80):
        seen = inside.talk(own, "10.7.0.1", 80)
        reached = inside.reaches("192.0.2.1", 80)

    assert ("10.7.0.4", False) == (seen, reached)


@in_namespaces
def test_private_network(lab: Lab) -> None:
    """
    Containers of a Private network reach each other, and not even the machine.
    """
    datapath = lab.datapath()
    datapath.apply_network(network(NetworkKind.PRIVATE))
    one = lab.container(datapath, endpoint(4))
    other = lab.container(datapath, endpoint(5))

    with serving(other, 80) as listener, serving(lab.machine, 80):
        seen = one.talk(listener, "10.7.0.5", 80)
        reached = one.reaches("10.7.0.1", 80)

    assert ("10.7.0.4", False) == (seen, reached)


@in_namespaces
def test_networks_are_apart(lab: Lab) -> None:
    """
    A container does not reach those of another NAT network, but what they publish.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    datapath.apply_network(
        network(
            id=OTHER_NETWORK,
            subnets=(SubnetPlan(prefix="10.8.0.0/24", gateway="10.8.0.1"),),
        )
    )
    one = lab.container(datapath, endpoint(4))
    published = PortMappingPlan(protocol=6, internal_port=80, external_port=8080)
    other = lab.container(
        datapath,
        endpoint(
            5,
            network=OTHER_NETWORK,
            addresses=(AddressPlan(address="10.8.0.5", prefix_length=24),),
            routes=(RoutePlan(prefix="0.0.0.0/0", next_hop="10.8.0.1"),),
            port_mappings=(published,),
        ),
    )

    with serving(other, 80) as listener:
        reached = one.reaches("10.8.0.5", 80)
        one.talk(listener, "10.7.0.1", 8080)

    assert not reached


@in_namespaces
def test_isolated_endpoints(lab: Lab) -> None:
    """
    Endpoints that must not talk to each other do not, but reach the gateway.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    one = lab.container(datapath, endpoint(4, isolated=True))
    other = lab.container(datapath, endpoint(5, isolated=True))

    with serving(other, 80) as listener, serving(lab.machine, 81) as own:
        apart = one.reaches("10.7.0.5", 80)
        one.talk(own, "10.7.0.1", 81)
        datapath.apply_endpoint(endpoint(5))
        together = one.talk(listener, "10.7.0.5", 80)

    assert (False, "10.7.0.4") == (apart, together)


@in_namespaces
def test_bridged_network(lab: Lab) -> None:
    """
    On an L2Bridge network containers have addresses of the wire: outside hosts reach
    them without translation, and see the machine's MAC address for them.
    """
    outside = lab.outside("10.7.0.1")
    datapath = lab.datapath()
    datapath.apply_network(network(NetworkKind.L2_BRIDGE))
    inside = lab.container(datapath, endpoint(4))

    with serving(inside, 80) as listener, serving(outside, 80) as other:
        arrived = outside.talk(listener, "10.7.0.4", 80)
        left = inside.talk(other, "10.7.0.1", 80)

    assert ("10.7.0.1", "10.7.0.4") == (arrived, left)
    datapath.remove_endpoint(endpoint(4).id)
    machine = lab.machine.links()
    assert [] == machine.answered_for()
    machine.close()


@in_namespaces
def test_transparent_network(lab: Lab) -> None:
    """
    On a Transparent network a container is on the machine's wire itself.
    """
    outside = lab.outside("10.7.0.1")
    datapath = lab.datapath()
    datapath.apply_network(network(NetworkKind.TRANSPARENT, adapter="eth0"))
    inside = lab.container(datapath, endpoint(4))

    with serving(inside, 80) as listener:
        seen = outside.talk(listener, "10.7.0.4", 80)
    datapath.detach(endpoint(4).id, target(inside))

    assert "10.7.0.1" == seen
    assert not outside.reaches("10.7.0.4", 80)


@in_namespaces
def test_tunnelled_network(lab: Lab) -> None:
    """
    On an L2Tunnel network neighbours meet at the router only, and outside too.
    """
    outside = lab.outside("10.7.0.1")
    datapath = lab.datapath()
    datapath.apply_network(network(NetworkKind.L2_TUNNEL))
    one = lab.container(datapath, endpoint(4))
    two = lab.container(datapath, endpoint(5))

    with serving(two, 80) as listener, serving(outside, 80) as other:
        assert ("10.7.0.4", "10.7.0.1") == (
            one.talk(listener, "10.7.0.5", 80),
            outside.talk(listener, "10.7.0.5", 80),
        )
        assert "10.7.0.4" == one.talk(other, "10.7.0.1", 80)
    arp = Path("/proc/thread-self/net/arp")
    known = one.namespace.run(lambda: arp.read_text(encoding="ascii"))
    assert "10.7.0.5 " in known
    assert endpoint(5).mac not in known  # but that of the router
    datapath.clear_network(NETWORK)
    datapath.remove_network(NETWORK)
    assert ([], []) == lab.leftovers()


def _vlans_apart(lab: Lab, kind: NetworkKind) -> None:
    outside = lab.outside("10.7.0.1")
    datapath = lab.datapath()
    datapath.apply_network(network(kind))
    vlans = {4: 5, 5: 5, 6: 6, 7: 0}
    inside = {
        number: lab.container(datapath, endpoint(number, vlan=vlan))
        for number, vlan in vlans.items()
    }

    for number, vlan in vlans.items():
        found = {
            other: inside[number].reaches(
                f"10.7.0.{other}", 80, patiently=vlans[other] == vlan
            )
            for other in vlans
        }
        assert {other: vlans[other] == vlan for other in vlans} == found
        assert outside.reaches(f"10.7.0.{number}", 80, patiently=True)
    bridges = [part for part in datapath.parts(NETWORK) if part.kind == "bridge"]
    assert {"VLAN 5", "VLAN 6", ""} == {part.detail for part in bridges}
    for number in vlans:
        datapath.remove_endpoint(endpoint(number).id)
    datapath.remove_network(NETWORK)
    assert ([], []) == lab.leftovers()


@in_namespaces
def test_vlans_of_a_bridged_network_are_apart(lab: Lab) -> None:
    """
    On an L2Bridge network endpoints reach those of their own VLAN, and no others.
    """
    _vlans_apart(lab, NetworkKind.L2_BRIDGE)


@in_namespaces
def test_vlans_of_a_tunnelled_network_are_apart(lab: Lab) -> None:
    """
    On an L2Tunnel network endpoints reach those of their own VLAN, and no others.
    """
    _vlans_apart(lab, NetworkKind.L2_TUNNEL)


@in_namespaces
def test_vlan_of_a_transparent_network(lab: Lab) -> None:
    """
    In a VLAN the wire carries tagged frames only; without 802.1Q that is said.
    """
    outside = lab.outside("10.7.0.1")
    datapath = lab.datapath()
    datapath.apply_network(network(NetworkKind.TRANSPARENT, adapter="eth0"))
    plain = lab.container(datapath, endpoint(4))
    tagged, said = None, ""
    try:
        tagged = lab.container(datapath, endpoint(5, vlan=7))
    except DatapathError as error:
        said = error.message
    if tagged is None:
        assert "VLAN 7" in said
        assert "802.1Q" in said
    else:
        same = lab.container(datapath, endpoint(6, vlan=7))
        assert same.reaches("10.7.0.5", 80, patiently=True)
        assert not plain.reaches("10.7.0.5", 80)
        assert not tagged.reaches("10.7.0.1", 80)
    assert outside.reaches("10.7.0.4", 80, patiently=True)
    datapath.clear_network(NETWORK)
    datapath.remove_network(NETWORK)
    assert ([], []) == lab.leftovers()


@in_namespaces
def test_both_families(lab: Lab) -> None:
    """
    A network may have IPv6 too: between containers, to the outside, and for ports.
    """
    outside = lab.outside()
    links, others = lab.machine.links(), outside.links()
    links.add_address(links.index("eth0"), "fd01::2", 64)
    others.add_address(others.index("eth0"), "fd01::1", 64)
    links.close()
    others.close()
    datapath = lab.datapath()
    six = SubnetPlan(prefix="fd07::/64", gateway="fd07::1")
    datapath.apply_network(network(subnets=(*network().subnets, six)))
    mapping = PortMappingPlan(protocol=6, internal_port=80, external_port=8080)
    more = {
        "addresses": (
            AddressPlan(address="10.7.0.4", prefix_length=24),
            AddressPlan(address="fd07::4", prefix_length=64),
        ),
        "routes": (
            RoutePlan(prefix="0.0.0.0/0", next_hop="10.7.0.1"),
            RoutePlan(prefix="::/0", next_hop="fd07::1"),
        ),
    }
    inside = lab.container(datapath, endpoint(4, port_mappings=(mapping,), **more))

    with serving(outside, 80, "::") as listener, serving(inside, 80, "::") as own:
        left = inside.talk(listener, "fd01::1", 80)
        arrived = outside.talk(own, "fd01::2", 8080)

    assert ("fd01::2", "fd01::1") == (left, arrived)


@in_namespaces
def test_names(lab: Lab) -> None:
    """
    A container gets the DNS settings of its endpoint, and a link in its image does
    not lead the file elsewhere.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    place = lab.place()
    (place.root / "etc").mkdir()
    (place.root / "etc" / "resolv.conf").symlink_to("/run/elsewhere")
    dns = DnsPlan(
        domain="example.org",
        search=("a.example.org",),
        servers=("10.7.0.1", "192.0.2.53"),
        options=("ndots:2",),
    )
    datapath.apply_endpoint(endpoint(4, dns=dns))
    datapath.attach(endpoint(4).id, target(place))

    assert (
        "nameserver 10.7.0.1\nnameserver 192.0.2.53\n"
        "search example.org a.example.org\noptions ndots:2\n"
    ) == (place.root / "etc" / "resolv.conf").read_text(encoding="utf-8")


@in_namespaces
def test_names_of_one_more_endpoint(lab: Lab) -> None:
    """
    What a container's image has stays, and the next endpoint's settings are written
    where the first one's are.
    """
    place = lab.place()
    (place.root / "dev").mkdir()
    (place.root / "etc").mkdir()
    (place.root / "etc" / "resolv.conf").write_text("of the image", encoding="utf-8")

    for server in ("10.7.0.1", "10.7.0.53"):
        resolver.write(place.pid, DnsPlan(servers=(server,)))

    seen = Path(f"/proc/{place.pid}/root/etc/resolv.conf")
    assert "nameserver 10.7.0.53\n" == seen.read_text(encoding="utf-8")
    kept = (place.root / "etc" / "resolv.conf").read_text(encoding="utf-8")
    assert "of the image" == kept


@in_namespaces
def test_names_that_nobody_set(lab: Lab) -> None:
    """
    Without DNS settings a container asks the machine's servers, but for those that
    only the machine can reach.
    """
    file = lab.place().root / "resolv.conf"
    lines = ("# mine", "nameserver 127.0.0.53", "nameserver 192.0.2.53", "nameserver")
    file.write_text("\n".join(lines), encoding="utf-8")
    resolver._OF_MACHINE = (str(file.with_name("missing")), str(file))
    datapath = lab.datapath()
    datapath.apply_network(network())
    place = lab.container(datapath, endpoint(4))

    found = (place.root / "etc" / "resolv.conf").read_text(encoding="utf-8")

    assert "nameserver 192.0.2.53\n" == found


@in_namespaces
def test_counters(lab: Lab) -> None:
    """
    Traffic is counted as the endpoint sees it.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    one = lab.container(datapath, endpoint(4))
    other = lab.container(datapath, endpoint(5))
    with serving(other, 80) as listener, one.dial("10.7.0.5", 80, 30) as stream:
        accepted, _ = listener.accept()
        stream.sendall(bytes(100_000))
        left = 100_000
        while left:
            left -= len(accepted.recv(left))
        accepted.close()

    sent = datapath.counters(endpoint(4).id)
    received = datapath.counters(endpoint(5).id)

    assert sent.bytes_sent > 100_000 > sent.bytes_received
    assert received.bytes_received > 100_000 > received.bytes_sent


@in_namespaces
def test_bandwidth(lab: Lab) -> None:
    """
    What an endpoint may send in a second is limited, and the limit can be lifted.
    """
    datapath = lab.datapath()
    datapath.apply_network(network())
    one = lab.container(datapath, endpoint(4, outgoing_bytes_per_second=1_000_000))
    other = lab.container(datapath, endpoint(5))

    def seconds() -> float:
        with serving(other, 80) as listener, one.dial("10.7.0.5", 80, 60) as stream:
            accepted, _ = listener.accept()
            with accepted:
                begin = monotonic()
                for _ in range(16):
                    stream.sendall(bytes(50_000))
                    accepted.recv(50_000, 0x100)
                return monotonic() - begin

    limited = seconds()
    datapath.apply_endpoint(endpoint(4))
    links = one.links()
    kinds = {found.get_attr("TCA_KIND") for found in links._route.get_qdiscs()}
    links.close()

    # 800 kB, of which the first 64 kB are not held up.
    assert limited > 0.6
    assert "tbf" not in kinds
