"""
The adapters of the machine that networks can be bound to.

There is always one that can be used, ``Ethernet``: the interface of the default route
or, on a machine that has none, what stands for it in the datapath.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import attrs

from hcsshim.host.network.refusals import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim.host.results import Refusal

_UPLINK = "Ethernet"
#: Of the adapter that stands for one on a machine without any.
_STAND_IN_ADDRESS = "169.254.73.1"
_GET_ADDRESS = 0x8915  # SIOCGIFADDR
_VIRTUAL = "vethernet"
_MASK = 7  # its column in the table of routes


@attrs.frozen(kw_only=True)
class Adapter:
    """
    An adapter.

    Args:
        name: As clients call it.
        interface: As the machine calls it; ``""`` for the stand-in.
        address: Of the machine on it.
    """

    name: str
    interface: str
    address: str


class Adapters(Protocol):
    """What a machine has of them."""

    def find(self, name: str) -> Adapter | None:
        """Find one by its name."""

    def usual(self) -> Adapter | None:
        """Give the one for networks that name none."""

    def prefixes(self) -> tuple[IPv4Network, ...]:
        """List the prefixes that the machine has routes to, the default one apart."""


class MachineAdapters:
    """The adapters of this machine."""

    def find(self, name: str) -> Adapter | None:
        """Find an interface by its name; ``Ethernet`` is the usual one."""
        names = {found for _, found in socket.if_nameindex()} - {"lo"}
        if name in names:
            return Adapter(name=name, interface=name, address=_address_of(name))
        if name.lower() == _UPLINK.lower():
            return self.usual()
        return None

    def usual(self) -> Adapter | None:
        """Give the interface of the default route, or what stands for it."""
        interface = _default_interface()
        return Adapter(
            name=interface or _UPLINK,
            interface=interface,
            address=_address_of(interface) if interface else _STAND_IN_ADDRESS,
        )

    def prefixes(self) -> tuple[IPv4Network, ...]:
        """Read the machine's table of routes."""
        found = []
        for _, destination, mask in _routes():
            if mask:
                found.append(IPv4Network((destination, mask.bit_count())))
        return tuple(found)


def _routes() -> list[tuple[str, int, int]]:
    """Read interface, destination and mask of the machine's routes."""
    try:
        lines = Path("/proc/net/route").read_text(encoding="utf-8").splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [
        (row[0], _number(row[1]), _number(row[7])) for row in rows if len(row) > _MASK
    ]


def _number(text: str) -> int:
    """Read an address, which the table has in the order of the machine's bytes."""
    return int.from_bytes(int(text, 16).to_bytes(4, sys.byteorder), "big")


def _default_interface() -> str:
    for interface, destination, mask in _routes():
        if not destination and not mask:
            return interface
    return ""


def _address_of(interface: str) -> str:
    """Give an interface's IPv4 address, or the stand-in's if it has none."""
    import fcntl  # noqa: PLC0415 - not everywhere

    request = struct.pack("256s", interface.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe.fileno(), _GET_ADDRESS, request)
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.ENODEV):
                raise
            return _STAND_IN_ADDRESS
    return socket.inet_ntoa(answer[20:24])


def choose(adapters: Adapters, name: str) -> Adapter:
    """
    Find the adapter of a network.

    Args:
        adapters: What the machine has.
        name: As the client gave it; ``""`` if it gave none.

    Raises:
        Refusal: There is none of this name, or none at all.
    """
    found = adapters.find(name) if name else adapters.usual()
    if found is None:
        raise _missing(name)
    return found


def _missing(name: str) -> Refusal:
    if name.lower().startswith(_VIRTUAL):
        return refuse(
            HResult.ERROR_INVALID_PARAMETER,
            f"{name!a} is an adapter of the networking service itself.",
        )
    return refuse(
        HResult.HCN_E_ADAPTER_NOT_FOUND,
        f"This machine has no adapter {name!a}."
        if name
        else "This machine has no adapter.",
    )
