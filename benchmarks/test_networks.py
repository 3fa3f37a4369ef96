"""
A thousand endpoints: made, listed and deleted, beside ``ip`` doing the same.

``ip`` makes what an endpoint stands for, a pair of interfaces with an address, by two
commands each in a network namespace of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from programs import find_program

from hcsshim import ComputeSystem
from hcsshim.hcn import Endpoint, Namespace, Network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

COUNT = 1000
ROUNDS = 9
BATCH = 20
#: What the cost of one endpoint among a thousand may be, of that among ten.
FLAT = 3.0
V2 = {"SchemaVersion": {"Major": 2, "Minor": 0}}


def nat(name: str, prefix: str, gateway: str) -> str:
    """Describe a NAT network."""
    routes = [{"NextHop": gateway, "DestinationPrefix": "0.0.0.0/0"}]
    subnet = {"IpAddressPrefix": prefix, "Routes": routes}
    return json.dumps(
        {**V2, "Name": name, "Type": "NAT", "Ipams": [{"Subnets": [subnet]}]}
    )


@pytest.fixture
def network() -> Iterator[Network]:
    """Give a network with room for thousands."""
    with Network.create(nat("benchmark", "10.220.0.0/16", "10.220.0.1")) as made:
        yield made
        made.delete()


def create(network: Network, count: int) -> float:
    """Make endpoints, one after the other; give the seconds for each."""
    text = json.dumps(V2)
    begin = time.perf_counter()
    for _ in range(count):
        network.create_endpoint(text).close()
    return (time.perf_counter() - begin) / count


def by_command(count: int) -> float:
    """Let ``ip`` make pairs of interfaces with addresses; give the seconds for each."""
    lines = [
        f"ip link add v{n} type veth peer name p{n}\n"
        f"ip addr add 10.1.0.{n + 1}/16 dev v{n}"
        for n in range(count)
    ]
    begin = time.perf_counter()
    subprocess.run(
        [
            "unshare",
            "--user",
            "--map-root-user",
            "--net",
            "sh",
            "-ec",
            "\n".join(lines),
        ],
        check=True,
    )
    return (time.perf_counter() - begin) / count


def test_creation_beside_ip(benchmark: BenchmarkFixture, network: Network) -> None:
    """
    One round makes some endpoints; ``ip`` by turns. At its best 300 a second or more.
    """
    find_program("ip")
    try:
        by_command(1)
    except subprocess.CalledProcessError:
        pytest.skip("this machine gives ip no namespace of its own")
    create(network, BATCH)  # what happens once only
    ours, theirs = [], []

    def once() -> None:
        ours.append(create(network, BATCH))
        theirs.append(by_command(BATCH))

    benchmark.pedantic(once, rounds=ROUNDS)

    ratio = statistics.median(t / o for o, t in zip(ours, theirs, strict=True))
    rate = 1 / min(ours)
    benchmark.extra_info.update(endpoints_a_second=round(rate), ip_over_ours=ratio)
    assert rate >= 300
    assert ratio > 1


def test_cost_is_flat(benchmark: BenchmarkFixture, network: Network) -> None:
    """
    One round makes a thousand endpoints, lists them with a filter, and deletes one.
    """
    first, last, listed = [], [], []

    def once() -> None:
        for endpoint in Endpoint.ids():
            Endpoint.delete_by_id(endpoint)
        create(network, 10)
        first.append(create(network, 50))
        create(network, COUNT - 110)
        last.append(create(network, 50))
        begin = time.perf_counter()
        found = network.endpoints()
        listed.append((time.perf_counter() - begin) / len(found))
        assert len(found) == COUNT

    benchmark.pedantic(once, rounds=3)

    ratio = statistics.median(b / a for a, b in zip(first, last, strict=True))
    benchmark.extra_info.update(
        last_over_first=ratio,
        listed_microseconds=round(statistics.median(listed) * 1e6),
    )
    assert ratio < FLAT


def attach_by_command(count: int) -> float:
    """Let ``ip`` and ``nft`` attach interfaces to another namespace, each by itself."""
    lines = [
        "ip link add br0 type bridge; ip link set br0 up",
        "unshare --net sleep 60 & other=$!; sleep 0.05",
        "nft add table t",
        "nft 'add chain t c { type nat hook postrouting priority 0; }'",
    ]
    for n in range(count):
        lines += [
            f"ip link add v{n} type veth peer name p{n}",
            f"ip link set v{n} master br0 up",
            f"ip link set p{n} netns $other",
            f"nsenter --net --target $other ip addr add 10.1.0.{n + 1}/16 dev p{n}",
            f"nsenter --net --target $other ip link set p{n} up",
            f"nft add rule t c ip saddr 10.1.0.{n + 1} masquerade",
        ]
    lines.append("kill $other")
    begin = time.perf_counter()
    subprocess.run(
        [
            "unshare",
            "--user",
            "--map-root-user",
            "--net",
            "sh",
            "-ec",
            "\n".join(lines),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return (time.perf_counter() - begin - 0.05) / count


def test_attaching_beside_ip_and_nft(
    benchmark: BenchmarkFixture, network: Network, rootfs: Path
) -> None:
    """
    One round attaches an endpoint to a running container; ``ip`` and ``nft`` by turns.
    """
    find_program("nft")
    if os.geteuid() != 0:
        pytest.skip("attaching by command needs root")
    container = {"Storage": {"Layers": [{"Id": "1", "Path": str(rootfs)}]}}
    with Namespace.create() as namespace:
        document = {
            "Owner": "benchmark",
            "SchemaVersion": {"Major": 2, "Minor": 1},
            "Container": {**container, "Networking": {"Namespace": namespace.id}},
        }
        ours, theirs = [], []

        def once() -> None:
            endpoints = [network.create_endpoint() for _ in range(BATCH // 2)]
            begin = time.perf_counter()
            for endpoint in endpoints:
                namespace.add_endpoint(endpoint.id)
            ours.append((time.perf_counter() - begin) / len(endpoints))
            theirs.append(attach_by_command(BATCH // 2))
            for endpoint in endpoints:
                endpoint.delete()

        with ComputeSystem.create("attached", document) as system:
            system.start()
            try:
                benchmark.pedantic(once, rounds=3)
            finally:
                system.terminate()
        namespace.delete()

    ratio = statistics.median(t / o for o, t in zip(ours, theirs, strict=True))
    benchmark.extra_info.update(
        attachments_a_second=round(1 / statistics.median(ours)),
        commands_over_ours=ratio,
    )
    assert ratio > 0.5
