"""Which datapath a machine and a user's rights allow."""

from __future__ import annotations

import os

import pytest
from datapath_lab import Lab, as_ordinary_user, endpoint, in_namespaces, network, target

from hcsshim.host.datapath import DatapathError, opening
from hcsshim.hresult import HResult

PREFIX = "Endpoint 22222222-0000-0000-0000-000000000004 cannot be attached to"


def attach(lab: Lab, *, own_user_namespace: bool = False) -> None:
    """Attach an endpoint by what this process is given."""
    datapath = opening.open_datapath(own_user_namespace=own_user_namespace)
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
    A user without rights becomes root of networks, and stays the same user.
    """
    user = os.geteuid()
    _drop_capabilities()

    entered = opening.become_root_of_networks()

    assert entered
    assert user == os.geteuid()
    datapath = opening.open_datapath(own_user_namespace=True)
    datapath.apply_network(network())
    datapath.apply_endpoint(endpoint(4))
    child = lab.place()
    datapath.attach(endpoint(4).id, target(child))
    links = child.links()
    assert ["eth0", "lo"] == sorted(link.name for link in links.all())
    links.close()
    machine = lab.machine.links()
    assert ["lo"] == [link.name for link in machine.all()]
    machine.close()
    datapath.close()


def _drop_capabilities() -> None:
    """Lose all rights but those of the user."""
    import ctypes
    import struct

    header = struct.pack("Ii", 0x20080522, 0)
    if ctypes.CDLL(None).capset(header, struct.pack("6I", *[0] * 6)) != 0:
        raise OSError("capset")
