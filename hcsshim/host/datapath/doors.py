"""
Doors: the machine's ports that lead to endpoints.

The kernel's rules carry what comes to a port, but they take it from nobody: a socket
that is bound to it does, and so other programs are told that it is in use, and we are
told if it is theirs.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Protocol

from hcsshim.host.datapath.port import DatapathError
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim.host.datapath.port import EndpointPlan, PortMappingPlan

_KINDS = {6: socket.SOCK_STREAM, 17: socket.SOCK_DGRAM}


class Door(Protocol):
    """A port that is taken, until it is closed."""

    def close(self) -> None:
        """Let others have it."""


class Doorkeeper(Protocol):
    """Takes ports."""

    def open(self, mapping: PortMappingPlan, address: str) -> Door:
        """
        Take a port of the machine.

        Args:
            mapping: Of which port.
            address: Of the endpoint that it leads to.

        Raises:
            DatapathError: Somebody else has it.
        """


def bind(
    mapping: PortMappingPlan, address: str, *, to_listen: bool = False
) -> socket.socket:
    """
    Bind a socket to a port of the machine, for the family of an endpoint's address.

    Args:
        mapping: Of which port.
        address: Of the endpoint.
        to_listen: It will listen, so connections that are ending do not matter. A
            socket that only holds the port must mind them: others could have it too.

    Raises:
        DatapathError: Somebody else has the port.
    """
    six = ":" in address
    kind = _KINDS.get(mapping.protocol, socket.SOCK_STREAM)
    family = socket.AF_INET6 if six else socket.AF_INET
    stream = socket.socket(family, kind | socket.SOCK_CLOEXEC)
    try:
        if six:
            stream.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if to_listen and kind == socket.SOCK_STREAM:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stream.bind((mapping.address, mapping.external_port))  # "" is every address
    except OSError as error:
        stream.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        held = "is in use by another program"
        if error.errno == errno.EACCES:
            held = "is reserved for root"
        raise DatapathError(
            HResult.HCN_E_PORT_ALREADY_EXISTS,
            f"Port {mapping.external_port} of the machine {held}.",
        ) from error
    return stream


class Reservations:
    """Takes ports and does nothing with them: the kernel's rules lead them on."""

    def open(self, mapping: PortMappingPlan, address: str) -> Door:
        """
        Take a port of the machine.

        Raises:
            DatapathError: Somebody else has it.
        """
        try:
            return bind(mapping, address)
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            # An address that the machine will only get, or that is routed to it.
            return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


class Doors:
    """
    The doors of one endpoint.

    Args:
        keeper: Opens them.
    """

    def __init__(self, keeper: Doorkeeper) -> None:
        self._keeper = keeper
        self._open: dict[tuple[PortMappingPlan, str], Door] = {}

    def agree(self, plan: EndpointPlan) -> None:
        """
        Open what a plan asks for, close what it does not.

        Raises:
            DatapathError: A port is somebody else's; then nothing is changed.
        """
        wanted = {
            (mapping, address.address)
            for mapping in plan.port_mappings
            for address in plan.addresses
            if not mapping.address
            or (":" in mapping.address) == (":" in address.address)
        }
        opened: dict[tuple[PortMappingPlan, str], Door] = {}
        try:
            for key in sorted(wanted - set(self._open), key=str):
                opened[key] = self._keeper.open(*key)
        except BaseException:
            for door in opened.values():
                door.close()
            raise
        for key in set(self._open) - wanted:
            self._open.pop(key).close()
        self._open.update(opened)

    def close(self) -> None:
        """Close them all."""
        for door in self._open.values():
            door.close()
        self._open.clear()
