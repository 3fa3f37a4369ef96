"""Containers of an embedded host on its networks: from documents to packets."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from datapath_lab import Lab, as_ordinary_user, in_namespaces

from hcsshim import ComputeSystem
from hcsshim._native import calls, host_process
from hcsshim.host.serving import wire

if TYPE_CHECKING:
    from hcsshim import Process

#: Serves one connection on port 80, then makes one to the outside.
SERVER = """
import pathlib, socket
server = socket.create_server(("", 80))
names = pathlib.Path("/etc/resolv.conf")
print(names.read_text().strip() if names.exists() else "", flush=True)
stream, _ = server.accept()
stream.sendall(b"served")
stream.close()
stream = socket.create_connection(("192.0.2.1", 80), 30)
print(stream.recv(7).decode(), flush=True)
"""
#: Takes one connection on port 80.
LISTENER = """
import socket
server = socket.create_server(("", 80))
print("ready", flush=True)
server.accept()
"""


class Host:
    """An embedded host on the lab's machine, and a connection to it."""

    def __init__(self, lab: Lab) -> None:
        folder = lab.enter(tempfile.TemporaryDirectory(dir="/tmp"))
        os.environ[host_process.SOCKET_VARIABLE] = f"{folder}/run/host.sock"
        os.environ["XDG_STATE_HOME"] = f"{folder}/state"
        self.pid = 0
        self._stream = socket.socket(socket.AF_UNIX)
        self.connect()
        lab.at_end(self.stop)

    def connect(self) -> None:
        """Connect to it, starting it if it does not run."""
        self._stream.close()
        host_process.ensure_running()
        self._stream = socket.socket(socket.AF_UNIX)
        self._stream.settimeout(60)
        self._stream.connect(os.environ[host_process.SOCKET_VARIABLE])
        self._stream.sendall(wire.encode_hello("tests"))
        self.pid = self._receive()[0].detail

    def _receive(self) -> tuple[wire.Header, memoryview]:
        head = self._stream.recv(wire.HEADER_BYTES, socket.MSG_WAITALL)
        header = wire.decode_header(head)
        left = header.length - wire.HEADER_BYTES
        body = self._stream.recv(left, socket.MSG_WAITALL) if left else b""
        return header, memoryview(body)

    def hns(self, method: str, path: str, **body: object) -> dict[str, object]:
        """Call HNS."""
        (row,) = (row for row in calls.table() if row.name == "HNSCall")
        arguments = (method, path, json.dumps(body) if body else "")
        self._stream.sendall(wire.encode_call(row, 1, arguments))
        answer = wire.decode_answer(*self._receive())
        document = json.loads(answer.document or "{}")
        assert document.get("Success"), answer
        output: dict[str, object] = document.get("Output", {})
        return output

    def kill(self) -> None:
        """End it as nobody can prevent."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        self._stream.close()
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        try:
            process = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        signal.pidfd_send_signal(process, number)
        assert select.select([process], [], [], 60)[0]
        os.close(process)


def make_endpoint(host: Host) -> str:
    """Make a NAT network and an endpoint of it that port 8080 leads to."""
    network = host.hns(
        "POST",
        "/networks/",
        Name="blue",
        Type="NAT",
        Subnets=[{"AddressPrefix": "10.7.0.0/24", "GatewayAddress": "10.7.0.1"}],
    )
    mapping = {
        "Type": "NAT",
        "Protocol": "TCP",
        "InternalPort": 80,
        "ExternalPort": 8080,
    }
    endpoint = host.hns(
        "POST",
        "/endpoints/",
        VirtualNetwork=network["ID"],
        Policies=[mapping],
        DNSServerList="192.0.2.53",
    )
    return str(endpoint["ID"])


def create(endpoint: str) -> ComputeSystem:
    """Make a container with an endpoint."""
    return create_with("web", NetworkAdapters=[endpoint])


def create_with(name: str, **networking: object) -> ComputeSystem:
    """Make a container with what its document says of the network."""
    document = {
        "SchemaVersion": {"Major": 2, "Minor": 1},
        "Container": {"Networking": networking},
    }
    return ComputeSystem.create(f"{name}-{os.getpid()}", json.dumps(document))


def serve(lab: Lab, system: ComputeSystem, outside: socket.socket, address: str) -> str:
    """Serve a connection that comes to the machine; give what the container said."""
    process: Process = system.create_process(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said, process.communicate(timeout=60)
        with lab.machine.dial(address, 8080, 60) as stream:
            assert b"served" == stream.recv(6, socket.MSG_WAITALL)
        accepted, _ = outside.accept()
        accepted.sendall(b"reached")
        accepted.close()
        rest, errors = process.communicate(timeout=60)
        assert b"" == errors
    return (said + rest).decode()


def check(lab: Lab) -> None:
    """Let a container serve and be served; end its host, and all of it goes."""
    listener = lab.outside().listen(80)
    host = Host(lab)
    with create(make_endpoint(host)) as system:
        system.start()

        said = serve(lab, system, listener, "127.0.0.1")

        system.terminate()
        system.wait(timeout=60)
    listener.close()
    host.stop()
    machine = lab.machine.links()
    left = sorted(link.name for link in machine.all())
    machine.close()
    assert "nameserver 192.0.2.53\nreached\n" == said
    assert ["eth0", "lo"] == left


@in_namespaces
def test_a_container_of_root(lab: Lab) -> None:
    """
    A container of root's host is reached by a port of the machine, reaches the
    outside, and has the DNS settings of its endpoint.
    """
    check(lab)


@as_ordinary_user
def test_a_container_of_an_ordinary_user(lab: Lab) -> None:
    """
    So it is for a user without rights.
    """
    check(lab)


@in_namespaces
def test_a_host_that_is_killed(lab: Lab) -> None:
    """
    The host after one that was killed knows the network, removes what is left of it,
    and lets it work again.
    """
    listener = lab.outside().listen(80)
    host = Host(lab)
    endpoint = make_endpoint(host)
    with create(endpoint) as system:
        system.start()
        assert 2 == len(lab.leftovers()[0])
        host.kill()
    names, tables = lab.leftovers()
    assert names
    assert tables

    host.connect()
    found = host.hns("GET", f"/endpoints/{endpoint}")

    assert endpoint == found["ID"]
    assert ([], []) == lab.leftovers()
    with create(endpoint) as system:
        system.start()
        serve(lab, system, listener, "192.0.2.2")
        system.terminate()
        system.wait(timeout=60)
    listener.close()


def check_sharing(lab: Lab) -> None:
    """Let containers of one namespace and of one network share what there is."""
    listener = lab.outside().listen(80)
    host = Host(lab)
    endpoint = make_endpoint(host)
    namespace = str(host.hns("POST", "/namespaces/", IsDefault=False)["ID"])
    resource = {"Type": "Endpoint", "Data": {"Id": endpoint}}
    host.hns("POST", f"/namespaces/{namespace}/addresource", **resource)
    code = "import socket; socket.create_connection(('127.0.0.1', 80), 60)"
    with (
        create_with("one", Namespace=namespace) as one,
        create_with("two", Namespace=namespace) as two,
    ):
        one.start()
        two.start()
        first = one.create_process(
            [sys.executable, "-c", LISTENER], stdout=subprocess.PIPE
        )
        assert first.stdout is not None
        assert b"ready\n" == first.stdout.readline()

        second = two.create_process([sys.executable, "-c", code])

        assert 0 == second.wait(timeout=60)
        one.terminate()
        one.wait(timeout=60)
        with first, second:
            first.communicate(timeout=60)
        serve(lab, two, listener, "192.0.2.2")
        two.terminate()
        two.wait(timeout=60)
    listener.close()


@in_namespaces
def test_sharing(lab: Lab) -> None:
    """
    Containers of one namespace have one loopback; the endpoint stays with the second
    when the first ends.
    """
    check_sharing(lab)


@as_ordinary_user
def test_sharing_of_an_ordinary_user(lab: Lab) -> None:
    """
    So it is for a user without rights.
    """
    check_sharing(lab)


def command(*arguments: str) -> str:
    """Run the command line; give what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "hcsshim", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


def check_command_line(lab: Lab) -> None:
    """Do by commands what people do: make a network, run on it, look, remove it."""
    outside = lab.outside().listen(80)
    host = Host(lab)
    command("network", "create", "blue", "--subnet", "10.7.0.0/24")
    arguments = ["run", "--network", "blue", "-p", "8080:80", "--", sys.executable]
    with subprocess.Popen(
        [sys.executable, "-m", "hcsshim", *arguments, "-u", "-c", SERVER],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()

        diagnosis = command("network", "diag", "blue")
        with lab.machine.dial("127.0.0.1", 8080, 60) as stream:
            served = stream.recv(6, socket.MSG_WAITALL)
        accepted, _ = outside.accept()
        accepted.sendall(b"reached")
        accepted.close()
        said, _ = running.communicate(timeout=60)

    assert b"served" == served
    assert said.endswith(b"reached\n")
    assert 0 == running.returncode
    assert "10.7.0.1/24" in diagnosis
    assert "port 8080" in diagnosis
    assert "Nothing disagrees." in diagnosis
    command("network", "rm", "blue")
    outside.close()
    host.stop()


@in_namespaces
def test_command_line(lab: Lab) -> None:
    """
    ``hcsshim run --network blue -p 8080:80`` serves, and leaves nothing.
    """
    check_command_line(lab)

    assert ([], []) == lab.leftovers()


@as_ordinary_user
def test_command_line_of_an_ordinary_user(lab: Lab) -> None:
    """
    So it does for a user without rights.
    """
    check_command_line(lab)
