"""
Attaching endpoints: by the embedded host's datapath, and by ``ip`` and ``nft``.

All of it happens in namespaces of the benchmark's own. One round attaches one endpoint
to a process's network namespace: a pair of interfaces, one end in the bridge, the
other with address, MTU, MAC address and default route; a port of the machine that
leads to it; a filter of two rules.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from typing import TYPE_CHECKING

import attrs
from datapath_lab import (
    Lab,
    Place,
    endpoint,
    in_namespaces,
    network,
    run,
    target,
)
from programs import find_program

from hcsshim.host.datapath.port import (
    AclPlan,
    Action,
    AddressPlan,
    Direction,
    EndpointPlan,
    PortMappingPlan,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

    from hcsshim.host.datapath.port import Target

ROUNDS = 30
#: How many endpoints a network has when it is called full; a bridge takes 1023.
MANY = 1000
#: In how many containers they are, each with its share.
PLACES = 50


def plan(number: int) -> EndpointPlan:
    """Plan an endpoint of 10.7.0.0/16 with a port and a filter."""
    address = f"10.7.{number // 250}.{number % 250 + 2}"
    rules = tuple(
        AclPlan(
            action=action, direction=Direction.IN, protocols=(6,), local_ports=ports
        )
        for action, ports in ((Action.ALLOW, ((80, 80),)), (Action.BLOCK, ()))
    )
    return endpoint(
        number,
        mac=f"00:15:5d:00:{number // 256:02x}:{number % 256:02x}",
        addresses=(AddressPlan(address=address, prefix_length=16),),
        port_mappings=(
            PortMappingPlan(
                protocol=6, internal_port=80, external_port=10_000 + number
            ),
        ),
        acls=rules,
    )


def by_commands(place: Place, number: int) -> None:
    """Attach an endpoint by the commands a person would type."""
    made = plan(number)
    address = made.addresses[0].address
    inside = ["nsenter", "-t", str(place.pid), "-n"]
    pair = f"ip link add v{number} type veth peer name eth0 address {made.mac}"
    for command in (
        [*pair.split(), "mtu", "1500", "netns", str(place.pid)],
        f"ip link set v{number} master br0 up".split(),
        [*inside, *f"ip addr add {address}/16 dev eth0".split()],
        [*inside, "ip", "link", "set", "eth0", "up"],
        [*inside, "ip", "route", "add", "default", "via", "10.7.0.1"],
    ):
        subprocess.run(command, check=True)
    feed(["nft", "-f", "-"], commanded_ports(number, address))
    feed([*inside, "nft", "-f", "-"], COMMANDED_FILTER)


def by_batches(place: Place, number: int) -> None:
    """Attach an endpoint by as few commands as there can be."""
    made = plan(number)
    address = made.addresses[0].address
    inside = ["nsenter", "-t", str(place.pid), "-n"]
    feed(
        ["ip", "-batch", "-"],
        f"link add v{number} type veth peer name eth0 address {made.mac} "
        f"mtu 1500 netns {place.pid}\nlink set v{number} master br0 up\n",
    )
    feed(
        [*inside, "ip", "-batch", "-"],
        f"addr add {address}/16 dev eth0\nlink set eth0 up\n"
        "route add default via 10.7.0.1\n",
    )
    feed(["nft", "-f", "-"], commanded_ports(number, address))
    feed([*inside, "nft", "-f", "-"], COMMANDED_FILTER)


def commanded_ports(number: int, address: str) -> str:
    """Write the table of an endpoint's ports for ``nft``."""
    rule = f"fib daddr type local tcp dport {10_000 + number} dnat ip to {address}:80"
    return f"""table inet e{number} {{
        chain mapped {{ type nat hook prerouting priority dstnat; {rule}; }}
        chain local {{ type nat hook output priority -100; {rule}; }}
    }}"""


COMMANDED_FILTER = """table inet filter {
    chain incoming {
        type filter hook input priority filter;
        iifname lo accept
        ct state established,related accept
        tcp dport 80 accept
        meta l4proto tcp drop
    }
}"""


def feed(command: list[str], text: str) -> None:
    """Run a command with a text for its input."""
    subprocess.run(command, input=text, text=True, check=True)


def seconds(work: Callable[[], None]) -> float:
    """Time one run."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


@in_namespaces
def beside_commands(lab: Lab) -> None:
    """Attach by turns in all ways; print the medians of ratios, and our seconds."""
    datapath = lab.datapath()
    wide = network().subnets[0]
    datapath.apply_network(network(subnets=(attrs.evolve(wide, prefix="10.7.0.0/16"),)))
    feed(["ip", "-batch", "-"], "link add br0 type bridge\nlink set br0 up\n")
    places = [lab.place() for _ in range(3 * ROUNDS + 1)]
    first = plan(0)
    datapath.apply_endpoint(first)
    datapath.attach(first.id, target(places.pop()))  # makes the bridge
    ours, commands, batches = [], [], []
    for number in range(1, 3 * ROUNDS + 1, 3):

        def attach(number: int = number) -> None:
            made = plan(number)
            datapath.apply_endpoint(made)
            datapath.attach(made.id, target(places.pop()))

        ours.append(seconds(attach))
        place, other = places.pop(), places.pop()
        one, two = number + 1, number + 2
        commands.append(seconds(lambda p=place, n=one: by_commands(p, n)))
        batches.append(seconds(lambda p=other, n=two: by_batches(p, n)))
    print(  # noqa: T201 - for the one who started this
        json.dumps(
            {
                "ours": statistics.median(ours),
                "commands": ratio(commands, ours),
                "batches": ratio(batches, ours),
            }
        )
    )


def ratio(others: list[float], ours: list[float]) -> float:
    """Give the median of ratios."""
    return statistics.median(b / a for a, b in zip(ours, others, strict=True))


@in_namespaces
def as_it_fills(lab: Lab) -> None:
    """
    Attach many, then delete them; print the seconds of the first and the last.

    By turns commands do the same at both ends, in a bridge that is as full.
    """
    datapath = lab.datapath()
    wide = attrs.evolve(network().subnets[0], prefix="10.7.0.0/16")
    datapath.apply_network(network(subnets=(wide,)))
    feed(["ip", "-batch", "-"], "link add br0 type bridge\nlink set br0 up\n")
    places = [lab.place() for _ in range(PLACES)]
    part = MANY // 50
    own = [lab.place() for _ in range(2 * part)]
    attached, commands = [], []
    for number in range(MANY):
        made = plan(number)
        made_for = target(places[number % PLACES], f"eth{number // PLACES}")

        def attach(made: EndpointPlan = made, where: Target = made_for) -> None:
            datapath.apply_endpoint(made)
            datapath.attach(made.id, where)

        if number == MANY - part:
            fill(MANY - part - len(commands))
        attached.append(seconds(attach))
        if number < part or number >= MANY - part:
            other = own.pop()
            commands.append(
                seconds(lambda p=other, n=2 * MANY + number: by_batches(p, n))
            )
            # The kernel takes 1024 chains in one place; ours need a thousand.
            feed(["nft", "-f", "-"], f"delete table inet e{2 * MANY + number}\n")
    detached = [
        seconds(lambda n=number: datapath.remove_endpoint(plan(n).id))
        for number in range(part)
    ]
    cleared = seconds(lambda: datapath.clear_network(network().id))
    print(  # noqa: T201 - for the one who started this
        json.dumps(
            {
                "first": statistics.median(attached[1:part]),
                "last": statistics.median(attached[-part:]),
                "commands_first": statistics.median(commands[:part]),
                "commands_last": statistics.median(commands[part:]),
                "deleted": statistics.median(detached),
                "deleted_by_command": statistics.median(
                    seconds(
                        lambda n=2 * MANY + number: feed(
                            ["ip", "-batch", "-"], f"link del v{n}\n"
                        )
                    )
                    for number in range(part)
                ),
                "deleted_with_network": cleared / (MANY - part),
            }
        )
    )


def fill(count: int) -> None:
    """Let ``ip`` plug pairs into its bridge until it has as many ports as ours."""
    lines = [
        f"link add f{n} type veth peer name g{n}\nlink set f{n} master br0 up"
        for n in range(count)
    ]
    feed(["ip", "-batch", "-"], "\n".join(lines) + "\n")


def measure(
    benchmark: BenchmarkFixture, scenario: Callable[[], None]
) -> dict[str, float]:
    """Run a scenario once; it times itself."""
    for program in ("ip", "nft", "nsenter"):
        find_program(program)
    found: dict[str, float] = json.loads(
        benchmark.pedantic(run, args=(scenario,), rounds=1)
    )
    benchmark.extra_info.update(found)
    return found


def test_attaching_beside_commands(benchmark: BenchmarkFixture) -> None:
    """
    Attaching is faster than the same by commands, even the fewest there can be.
    """
    found = measure(benchmark, beside_commands)

    assert found["commands"] > 1.5
    assert found["batches"] > 0.7


def test_attaching_as_the_network_fills(benchmark: BenchmarkFixture) -> None:
    """
    Attaching to a full network takes not much longer than to an empty one.

    Deleting an endpoint takes what ``ip`` takes; a network with all of its endpoints
    a fraction of that for each.
    """
    found = measure(benchmark, as_it_fills)

    assert found["last"] < 3 * found["first"]
    assert found["last"] < 2 * found["commands_last"]
    assert found["deleted"] < 2 * found["deleted_by_command"]
    assert found["deleted_with_network"] < found["deleted"]
