"""
A machine of network namespaces, for tests of what carries packets.

Each test runs as a program of its own in a new user namespace, so it needs no rights
and can do no harm: the "machine" of the test is a namespace, "containers" are
processes in namespaces of their own, and "outside" is one more at the other end of a
wire. Where the machine's kernel allows no user namespaces, the tests are left out.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from hcsshim.host.datapath.links import End, Links
from hcsshim.host.datapath.linux import LinuxDatapath
from hcsshim.host.datapath.namespaces import (
    CLONE_NEWNET,
    CLONE_NEWUSER,
    NetworkNamespace,
    unshare,
)
from hcsshim.host.datapath.nft_wire import NftSocket
from hcsshim.host.datapath.port import (
    AddressPlan,
    EndpointPlan,
    NetworkKind,
    NetworkPlan,
    RoutePlan,
    SubnetPlan,
    Target,
)
from hcsshim.host.datapath.switch import Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hcsshim.host.datapath.port import Datapath

T = TypeVar("T")

_CLONE_NEWNS = 0x00020000
_PR_SET_PDEATHSIG = 1
_LEFT_OUT = 77
_LONGEST_SECONDS = 120
#: How long a connection may take that shall come about, and one that shall not.
_PATIENCE = 30.0
_IMPATIENCE = 0.7

NETWORK = "11111111-0000-0000-0000-000000000001"
OTHER_NETWORK = "11111111-0000-0000-0000-000000000002"


def in_namespaces(scenario: Callable[[Lab], None]) -> Callable[[], None]:
    """Make a test of a scenario that runs in namespaces of its own, as their root."""
    return _as_user(scenario, 0)


def as_ordinary_user(scenario: Callable[[Lab], None]) -> Callable[[], None]:
    """Make a test of a scenario whose process is no root, but has its rights still."""
    return _as_user(scenario, 1000)


def _as_user(scenario: Callable[[Lab], None], user: int) -> Callable[[], None]:
    def test() -> None:
        run(test, user)

    test.__name__ = scenario.__name__
    test.__doc__ = scenario.__doc__
    test.scenario = scenario  # type: ignore[attr-defined]
    return test


def run(test: Callable[[], None], user: int = 0) -> str:
    """Run the scenario of a test; give what it printed."""
    pytest.importorskip("pyroute2", reason="needs the extra 'net'")
    code = test.scenario.__code__  # type: ignore[attr-defined]
    command = (sys.executable, "-W", "always", __file__)
    done = subprocess.run(
        [*command, code.co_filename, code.co_name, str(user)],
        capture_output=True,
        text=True,
        timeout=_LONGEST_SECONDS,
        check=False,
    )
    if done.returncode == _LEFT_OUT:
        pytest.skip(f"no user namespaces here: {done.stderr.strip()}")
    assert (0, "") == (done.returncode, done.stderr), done.stderr
    return done.stdout


def _enter(inner: int) -> None:
    """Get all rights in namespaces of our own."""
    user, group = os.geteuid(), os.getegid()
    try:
        unshare(CLONE_NEWUSER | CLONE_NEWNET | _CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{inner} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{inner} {group} 1", encoding="ascii")
    except OSError as error:
        sys.stderr.write(str(error))
        sys.exit(_LEFT_OUT)


def main(file: str, name: str, user: str) -> int:
    """Run one scenario."""
    _enter(int(user))
    spec = importlib.util.spec_from_file_location("scenarios", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lab = sys.modules["datapath_lab"].Lab()
    try:
        getattr(module, name).scenario(lab)
    except Exception:  # noqa: BLE001 - printed for the test
        traceback.print_exc()
        return 1
    finally:
        lab.close()
    return 0


class Place:
    """
    A network namespace of the lab.

    Attributes:
        namespace: It.
        pid: Of a process in it.
        root: What is ``/`` for that process.
    """

    def __init__(self, pid: int, root: Path, namespace: NetworkNamespace) -> None:
        self.pid = pid
        self.root = root
        self.namespace = namespace

    def socket(self, kind: int, family: int = socket.AF_INET) -> socket.socket:
        """Make a socket in it."""
        return self.namespace.run(lambda: socket.socket(family, kind))

    def listen(self, port: int, address: str = "") -> socket.socket:
        """Serve TCP there."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = self.socket(socket.SOCK_STREAM, family)
        listener.settimeout(_PATIENCE)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(64)
        return listener

    def dial(self, address: str, port: int, patience: float) -> socket.socket:
        """Connect by TCP from there."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        stream = self.socket(socket.SOCK_STREAM, family)
        stream.settimeout(patience)
        try:
            stream.connect((address, port))
        except BaseException:
            stream.close()
            raise
        return stream

    def talk(self, listener: socket.socket, address: str, port: int) -> str:
        """
        Connect, say something and hear it back.

        Returns:
            The address that the one who listens sees.
        """
        with self.dial(address, port, _PATIENCE) as stream:
            accepted, peer = listener.accept()
            with accepted:
                accepted.settimeout(_PATIENCE)
                stream.sendall(b"hello")
                assert accepted.recv(5, socket.MSG_WAITALL) == b"hello"
                accepted.sendall(b"world")
                assert stream.recv(5, socket.MSG_WAITALL) == b"world"
        return str(peer[0])

    def reaches(self, address: str, port: int, *, patiently: bool = False) -> bool:
        """
        Tell whether somebody answers, listening or not; nobody accepts.

        Args:
            address: Whose.
            port: Which.
            patiently: Do not take a slow machine for a filter: an answer is expected.
        """
        try:
            self.dial(address, port, _PATIENCE if patiently else _IMPATIENCE).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return True

    def check(self, address: str, expected: dict[int, bool]) -> None:
        """Check which ports of an address answer."""
        found = {
            port: self.reaches(address, port, patiently=answers)
            for port, answers in expected.items()
        }
        assert expected == found, (expected, found)

    def links(self) -> Links:
        """Ask about its interfaces."""
        return Links(self.namespace)


class Lab:
    """The machine, what is around it, and its containers."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        self._folder = Path(folder)
        self.machine = Place(os.getpid(), Path("/"), NetworkNamespace())
        links = self.machine.links()
        links.set_up(links.index("lo"))
        links.close()

    def at_end(self, work: Callable[[], None]) -> None:
        """Do something before the lab ends."""
        self._stack.callback(work)

    def enter(self, context: contextlib.AbstractContextManager[T]) -> T:
        """Enter a context until the lab ends."""
        return self._stack.enter_context(context)

    def place(self) -> Place:
        """Make a namespace, and a process in it that does nothing."""
        root = Path(tempfile.mkdtemp(dir=self._folder))

        def work() -> None:
            unshare(CLONE_NEWNET | _CLONE_NEWNS)
            os.chroot(root)

        pid = self.fork(work, bare=True)
        self._stack.callback(self.kill, pid)
        place = Place(pid, root, NetworkNamespace.of_process(pid))
        links = place.links()
        links.set_up(links.index("lo"))
        links.close()
        return place

    @staticmethod
    def fork(work: Callable[[], None], *, bare: bool = False) -> int:
        """
        Do something in a process that then waits to be killed.

        Args:
            work: What.
            bare: Close all files that it has from us.

        Returns:
            Its id.
        """
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                work()
                os.write(writer, b"1")
                if bare:
                    os.closerange(3, 1024)
                signal.pause()
            finally:
                traceback.print_exc()
                os._exit(1)
        os.close(writer)
        assert os.read(reader, 1) == b"1"
        os.close(reader)
        return pid

    @staticmethod
    def kill(pid: int) -> None:
        """End a process of ours as nobody can prevent."""
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def outside(self, address: str = "192.0.2.1") -> Place:
        """
        Make a neighbour of the machine's, at the other end of a wire.

        The machine has the next address, and its default route leads there.
        """
        other = self.place()
        own = str(ipaddress.ip_address(address) + 1)
        self.wire(self.machine, own, other, address)
        links = self.machine.links()
        links.add_route(links.index("eth0"), "0.0.0.0/0", gateway=address)
        links.close()
        return other

    @staticmethod
    def wire(one: Place, address: str, other: Place, other_address: str) -> None:
        """Join two namespaces by interfaces that are called ``eth0``."""
        links, others = one.links(), other.links()
        end = End(
            name="eth0", mac="02:00:00:00:00:02", mtu=1500, file=other.namespace.file
        )
        for side, index, own in (
            (links, links.add_pair("eth0", "", end), address),
            (others, others.index("eth0"), other_address),
        ):
            side.add_address(index, own, 24)
            side.set_up(index)
            side.close()

    def datapath(self, place: Place | None = None) -> LinuxDatapath:
        """Start a datapath, on the machine or another one."""
        where = place or self.machine
        made = LinuxDatapath(
            lambda: Switch(NetworkNamespace(where.namespace.duplicate()))
        )
        self._stack.callback(made.close)
        return made

    def container(
        self, datapath: Datapath, plan: EndpointPlan, interface: str = "eth0"
    ) -> Place:
        """Make a container with an endpoint."""
        place = self.place()
        datapath.apply_endpoint(plan)
        datapath.attach(plan.id, target(place, interface))
        return place

    def leftovers(self) -> tuple[list[str], list[str]]:
        """List what the machine has of interfaces and tables, lo and eth0 aside."""
        links = self.machine.links()
        names = [link.name for link in links.all()]
        links.close()
        nft = NftSocket(self.machine.namespace)
        tables = list(nft.tables())
        nft.close()
        return sorted(set(names) - {"lo", "eth0"}), tables

    def close(self) -> None:
        """End all processes, remove all files."""
        self._stack.close()


def target(place: Place, interface: str = "eth0") -> Target:
    """Give the target that a place is."""
    return Target(id=f"system-{place.pid}", pid=place.pid, interface=interface)


def network(kind: NetworkKind = NetworkKind.NAT, **more: object) -> NetworkPlan:
    """Plan a network, 10.7.0.0/24 unless said otherwise."""
    settings: dict[str, object] = {
        "id": NETWORK,
        "name": "blue",
        "subnets": (SubnetPlan(prefix="10.7.0.0/24", gateway="10.7.0.1"),),
    }
    return NetworkPlan(kind=kind, **{**settings, **more})  # type: ignore[arg-type]


def endpoint(number: int, **more: object) -> EndpointPlan:
    """Plan an endpoint of the network, 10.7.0.``number`` unless said otherwise."""
    settings: dict[str, object] = {
        "id": f"22222222-0000-0000-0000-{number:012d}",
        "network": NETWORK,
        "mac": f"00:15:5d:00:00:{number:02x}",
        "addresses": (AddressPlan(address=f"10.7.0.{number}", prefix_length=24),),
        "routes": (RoutePlan(prefix="0.0.0.0/0", next_hop="10.7.0.1"),),
    }
    return EndpointPlan(**{**settings, **more})  # type: ignore[arg-type]


def spread(
    client: Place, listeners: Sequence[socket.socket], address: str, count: int
) -> list[int]:
    """Connect several times; tell how often each listener was reached."""
    import select

    port = listeners[0].getsockname()[1]
    reached: Counter[int] = Counter()
    for _ in range(count):
        with client.dial(address, port, _PATIENCE):
            ready, _, _ = select.select(listeners, [], [], _PATIENCE)
            (found,) = ready
            found.accept()[0].close()
            reached[found.fileno()] += 1
    return [reached[listener.fileno()] for listener in listeners]


@contextlib.contextmanager
def serving(place: Place, port: int, address: str = "") -> Iterator[socket.socket]:
    """Serve TCP in a place for a while."""
    with place.listen(port, address) as listener:
        yield listener


if __name__ == "__main__":
    # The module of the test imports this one by its name.
    sys.modules["datapath_lab"] = sys.modules["__main__"]
    sys.path.append(str(Path(__file__).parent.parent))  # for what is beside conftest
    sys.exit(main(*sys.argv[1:]))
