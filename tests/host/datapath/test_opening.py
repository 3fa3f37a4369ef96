"""Which datapath a machine and a user's rights allow."""

from __future__ import annotations

import os
import socket

import pytest
from datapath_lab import (
    Lab,
    Place,
    as_ordinary_user,
    endpoint,
    in_namespaces,
    network,
    serving,
    target,
)

from hcsshim.host.datapath import DatapathError, opening, relay
from hcsshim.host.datapath.port import PortMappingPlan
from hcsshim.hresult import HResult

PREFIX = "Endpoint 22222222-0000-0000-0000-000000000004 cannot be attached to"


def attach(lab: Lab) -> None:
    """Attach an endpoint by what this process is given."""
    datapath = opening.open_datapath()
    try:
        datapath.apply_network(network())
        datapath.apply_endpoint(endpoint(4))
        datapath.attach(endpoint(4).id, target(lab.machine))
    finally:
        datapath.close()


@in_namespaces
def test_without_rights(lab: Lab) -> None:
    """
    Without rights objects are accepted, and attaching says what is missing.
    """
    _drop_capabilities()

    with pytest.raises(DatapathError, match=f"{PREFIX}.*Making networks takes root"):
        attach(lab)


@in_namespaces
def test_without_the_library(lab: Lab) -> None:
    """
    Without pyroute2 attaching says how to get it.
    """
    find_spec = opening.importlib.util.find_spec
    opening.importlib.util.find_spec = lambda name: (
        None if name == "pyroute2" else find_spec(name)
    )

    with pytest.raises(DatapathError, match=r"pip install 'hcsshim\[net\]'") as error:
        attach(lab)

    assert HResult.ERROR_NOT_SUPPORTED == error.value.hresult


@as_ordinary_user
def test_an_ordinary_user(lab: Lab) -> None:
    """
    A user without rights becomes root of networks and stays the same user; what is
    made is nowhere to be seen in the machine's own namespace.
    """
    user = os.geteuid()
    _drop_capabilities()

    entered = opening.become_root_of_networks()

    assert entered
    assert user == os.geteuid()
    datapath = opening.open_datapath()
    datapath.apply_network(network())
    one = lab.container(datapath, endpoint(4))
    other = lab.container(datapath, endpoint(5))
    with serving(other, 80) as listener:
        assert "10.7.0.4" == one.talk(listener, "10.7.0.5", 80)
    machine = lab.machine.links()
    assert ["lo"] == [link.name for link in machine.all()]
    machine.close()
    datapath.close()


@as_ordinary_user
def test_the_outside_of_an_ordinary_user(lab: Lab) -> None:
    """
    Without rights too, containers reach the outside by TCP and find names, and ports
    of the machine lead to them.
    """
    outside = lab.outside()
    web, names = outside.listen(80), outside.socket(socket.SOCK_DGRAM)
    names.bind(("", 53))
    names.settimeout(30)
    relay._name_server = lambda: "192.0.2.1"
    _drop_capabilities()
    opening.become_root_of_networks()
    datapath = opening.open_datapath()
    datapath.apply_network(network())
    mappings = tuple(
        PortMappingPlan(protocol=protocol, internal_port=7, external_port=8080)
        for protocol in (6, 17)
    )
    inside = lab.container(datapath, endpoint(4, port_mappings=mappings))
    neighbour = lab.container(datapath, endpoint(5))

    left = inside.talk(web, "192.0.2.1", 80)
    asked = ask(inside, ("10.7.0.1", 53), names)
    with serving(inside, 7) as listener:
        arrived = lab.machine.talk(listener, "127.0.0.1", 8080)
    with inside.socket(socket.SOCK_DGRAM) as server:
        server.bind(("", 7))
        server.settimeout(30)
        called = ask(lab.machine, ("127.0.0.1", 8080), server)
        near = ask(neighbour, ("10.7.0.4", 7), server)
    with serving(neighbour, 80) as listener:
        beside = inside.talk(listener, "10.7.0.5", 80)
    refused = inside.reaches("192.0.2.1", 81, patiently=True)

    assert ("192.0.2.2", "192.0.2.2") == (left, asked)
    assert ("10.7.0.1", "10.7.0.1") == (arrived, called)
    assert ("10.7.0.5", "10.7.0.4") == (near, beside)
    resolver = inside.root / "etc" / "resolv.conf"
    assert "nameserver 10.7.0.1\n" == resolver.read_text(encoding="utf-8")
    assert refused  # at once, though by a connection that ends
    web.close()
    names.close()
    datapath.close()
    with serving(lab.machine, 8080):
        pass


def ask(client: Place, address: tuple[str, int], server: socket.socket) -> str:
    """Ask by UDP and get an answer; give the address that the server sees."""
    with client.socket(socket.SOCK_DGRAM) as stream:
        stream.settimeout(30)
        stream.connect(address)
        stream.send(b"hello")
        data, peer = server.recvfrom(100)
        assert b"hello" == data
        server.sendto(b"world", peer)
        assert b"world" == stream.recv(100)
    return str(peer[0])


def _drop_capabilities() -> None:
    """Lose all rights but those of the user."""
    import ctypes
    import struct

    header = struct.pack("Ii", 0x20080522, 0)
    if ctypes.CDLL(None).capset(header, struct.pack("6I", *[0] * 6)) != 0:
        raise OSError("capset")
