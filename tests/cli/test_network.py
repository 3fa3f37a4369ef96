"""``hcsshim network``, ``endpoint``, ``namespace``, ``lb``, ``route``, end to end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hcs.conftest import ScriptedService

from hcsshim.cli import network_drawing
from hcsshim.hcn import Network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Hcsshim

pytestmark = pytest.mark.host

PREFIX = "10.211.0.0/24"


@pytest.fixture
def made(hcsshim: Hcsshim) -> Iterator[str]:
    """A network that is gone after the test."""
    name = "cli-tests"
    hcsshim("network", "create", name, "--subnet", PREFIX, "--dns", "192.0.2.53")
    yield name
    hcsshim("network", "rm", name)
    assert not Network.list(name=name)


def text(hcsshim: Hcsshim, *arguments: str, code: int = 0) -> str:
    """Run a command, and give what it printed."""
    return hcsshim(*arguments, code=code).stdout.decode()


def test_networks_are_listed_and_shown(hcsshim: Hcsshim, made: str) -> None:
    """
    A network is in the table, and its document is JSON, by name or id.
    """
    listed = text(hcsshim, "network", "ls")
    shown = json.loads(text(hcsshim, "network", "inspect", made))

    assert listed.splitlines()[0].split() == [
        *("ID", "NAME", "TYPE", "SUBNETS", "ENDPOINTS"),
    ]
    assert PREFIX in listed
    assert shown["Dns"]["ServerList"] == ["192.0.2.53"]
    assert shown == json.loads(text(hcsshim, "network", "inspect", shown["ID"]))
    assert shown["ID"] in text(hcsshim, "network", "ls", "-q")


def test_name_is_taken(hcsshim: Hcsshim, made: str) -> None:
    """
    A failure is one sentence, a hint, and an exit code.
    """
    result = hcsshim("network", "create", made, code=1)

    assert result.stderr.startswith(b"hcsshim: There is a network named")
    assert result.stderr.splitlines()[1:] == [
        b"hint: Use the network that exists, or delete it."
    ]


def test_unknown_network(hcsshim: Hcsshim) -> None:
    """
    A name that is none says how to make it.
    """
    result = hcsshim("network", "inspect", "nowhere", code=1)

    assert b"there is no network 'nowhere'" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("network", "create"),
        ("network", "create", "x", "--subnet", "nonsense"),
        ("network", "create", "x", "--gateway", "10.0.0.1"),
        ("endpoint", "create", "x", "-p", "80:0"),
        ("route", "create", "--to", "10.0.0.0/8", "x"),
        ("run", "-p", "80:80", "--", "true"),
    ],
    ids=" ".join,
)
def test_wrong_usage(hcsshim: Hcsshim, arguments: tuple[str, ...]) -> None:
    """
    Options that make no sense are told so before anything is done.
    """
    assert hcsshim(*arguments, code=2).stderr


def test_whole_document(hcsshim: Hcsshim) -> None:
    """
    A network may be described by a document, also from stdin.
    """
    document = {"Name": "from-stdin", "Type": "Private"}
    result = hcsshim(
        *("network", "create", "--document", "-"), data=json.dumps(document).encode()
    )
    found = result.stdout.decode().strip()

    assert Network.get(found).name == "from-stdin"
    hcsshim("network", "rm", found)
    bad = hcsshim("network", "create", "--document", "-", data=b"{", code=2)
    assert b"it is no JSON" in bad.stderr


def test_life_of_all_objects(hcsshim: Hcsshim, made: str) -> None:
    """
    Endpoints, namespaces, load balancers and routes are made, shown and deleted.
    """
    hcsshim("endpoint", "create", made, "--name", "web", "--address", "10.211.0.9")
    space = text(hcsshim, "namespace", "create", "--endpoint", "web").strip()
    balancer = text(
        hcsshim, *("lb", "create", "--vip", "192.0.2.80", "-p", "80:8080", "web")
    ).strip()
    route = text(hcsshim, "route", "create", "--to", "10.0.0.0/8", "--encap", "web")
    found = route.strip()

    assert "10.211.0.9" in text(hcsshim, "endpoint", "ls", "--network", made)
    assert json.loads(text(hcsshim, "endpoint", "inspect", "web"))["Name"] == "web"
    assert space in text(hcsshim, "namespace", "ls")
    assert "Endpoint" in text(hcsshim, "namespace", "inspect", space)
    assert "80:8080" in text(hcsshim, "lb", "ls")
    assert "192.0.2.80" in text(hcsshim, "lb", "inspect", balancer)
    assert "10.0.0.0/8 via the machine" in text(hcsshim, "route", "ls")
    assert "NeedEncap" in text(hcsshim, "route", "inspect", found)
    diagnosis = text(hcsshim, "network", "diag", made)
    assert "├─ endpoint web  10.211.0.9" in diagnosis
    assert "load balancer 192.0.2.80:80  to web" in diagnosis
    assert "route 10.0.0.0/8  to web" in diagnosis
    for kind, name in (
        *(("route", found), ("lb", balancer)),
        *(("namespace", space), ("endpoint", "web")),
    ):
        hcsshim(kind, "rm", name)
    assert json.loads(text(hcsshim, "endpoint", "ls", "--json")) == []


def test_name_of_several_endpoints(hcsshim: Hcsshim, made: str) -> None:
    """
    A name that two endpoints have stands for none of them.
    """
    for _ in range(2):
        hcsshim("endpoint", "create", made, "--name", "twin")

    result = hcsshim("endpoint", "rm", "twin", code=1)

    assert b"2 endpoints are named 'twin'; give an id" in result.stderr


def test_run_leaves_no_endpoint(hcsshim: Hcsshim, made: str) -> None:
    """
    An endpoint that was made for a run is gone after it, whether it ran or not.
    """
    result = hcsshim(
        *("run", "--network", made, "--", "cat", "/proc/net/dev"), code=None
    )

    assert json.loads(text(hcsshim, "endpoint", "ls", "--json")) == []
    if result.returncode == 0:
        assert b"eth0" in result.stdout
    else:  # a machine that carries no packets says what is missing
        assert b"cannot be attached" in result.stderr


# -- drawing ----------------------------------------------------------------


def drawn(*parts: dict[str, str], problem: str = "") -> list[str]:
    """Draw a network with an endpoint, and parts of the kernel."""
    root = network_drawing.Node("network n")
    endpoint = network_drawing.Node("endpoint e", problem)
    listed = [{"Kind": "veth", **part} for part in parts]
    taken: set[int] = set()
    network_drawing._hang_parts(endpoint, listed, "E1", taken)
    root.below.append(endpoint)
    diagnosis = network_drawing.Diagnosis(root)
    diagnosis.problems = list(network_drawing._problems(root))
    return network_drawing.draw(diagnosis)


def test_parts_hang_under_their_parents() -> None:
    """
    A part of the kernel hangs under its parent, that under the object.
    """
    lines = drawn(
        {"Name": "rule", "Parent": "port", "Object": "e1"},
        {"Name": "port", "Parent": "bridge", "Object": "E1"},
        {"Name": "other", "Object": "e2"},
    )

    assert lines == [
        "network n",
        "└─ endpoint e",
        "   └─ veth port",
        "      └─ veth rule",
        "",
        "Nothing disagrees.",
    ]


def test_what_disagrees_is_marked() -> None:
    """
    A part or object that disagrees says so on its line, and is counted.
    """
    lines = drawn(
        {"Name": "port", "Object": "e1", "Problem": "has another address"},
        problem="attached, but the kernel has nothing for it",
    )

    assert "└─ endpoint e  ! attached, but the kernel has nothing for it" in lines
    assert "   └─ veth port  ! has another address" in lines
    assert lines[-1] == "2 disagree."


def test_only_objects_where_hns_tells_no_more() -> None:
    """
    Where the service has no parts to tell of, the objects are drawn, and that is said.
    """
    service = ScriptedService()
    endpoint = {"ID": "E1", "Name": "web", "VirtualNetwork": "N1", "State": 2}
    service.script("HNSCall", 0x803B0015)
    for output in ({"Name": "n", "Type": "NAT"}, [endpoint], []):
        service.script("HNSCall", 0, {"Success": True, "Output": output})

    diagnosis = network_drawing.gather("N1", service)

    assert network_drawing.draw(diagnosis) == [
        "network n  NAT  no subnets",
        "└─ endpoint web  no address  no MAC address  attached",
        "",
        "Only objects: this service does not tell what carries packets.",
        "",
        "Nothing disagrees.",
    ]
