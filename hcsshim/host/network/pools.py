"""
Pools: addresses of a network, MAC addresses, ports of the machine.

All are in memory only: they are filled again from the objects that the store has.
Taking the lowest free number stays cheap, since nothing below ``_lowest`` is free.
"""

from __future__ import annotations

import errno
import secrets
import socket
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from hcsshim.host.network.members import as_address, as_mac, mac_text
from hcsshim.host.network.model import Address, MacRange
from hcsshim.host.network.refusals import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hcsshim.host.network.members import Prefix
    from hcsshim.host.network.model import IpSubnet, Network, Subnet

#: Subnets whose gateway address may be given to an endpoint have this flag.
_KEEP_NO_GATEWAY = 1
#: Microsoft's, and 4096 addresses in a block.
_MAC_PREFIX = 0x00155D000000
_MAC_BLOCK = 0x1000
#: Longer prefixes have no network and broadcast address.
_LONGEST_WITH_BROADCAST = 30


class _Numbers:
    """Numbers from first to last, some of which are taken or reserved."""

    __slots__ = ("_last", "_lowest", "_taken")

    def __init__(self, first: int, last: int) -> None:
        self._last = last
        self._lowest = first
        self._taken: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return number in self._taken

    def take_lowest(self, reserved: frozenset[int]) -> int | None:
        number = self._lowest
        while number in self._taken or number in reserved:
            number += 1
        if number > self._last:
            return None
        self._lowest = number + 1
        self._taken.add(number)
        return number

    def take(self, number: int) -> None:
        self._taken.add(number)

    def free(self, number: int) -> None:
        self._taken.discard(number)
        self._lowest = min(self._lowest, number)


class _Part:
    """One IpSubnet with its numbers."""

    __slots__ = ("id", "numbers", "prefix", "reserved", "subnet")

    def __init__(self, subnet: Subnet, part: IpSubnet) -> None:
        self.id = part.id
        self.subnet = subnet
        self.prefix: Prefix = ip_network(part.prefix)
        whole = ip_network(subnet.prefix)
        self.reserved = _reserved(whole, subnet)
        if self.prefix != whole:
            self.reserved |= _ends(self.prefix)
        first = int(self.prefix.network_address)
        self.numbers = _Numbers(first, first + self.prefix.num_addresses - 1)


def _ends(prefix: Prefix) -> frozenset[int]:
    """Give the network's and the broadcast address of a prefix, if it has them."""
    if prefix.num_addresses <= 2:
        return frozenset()
    if prefix.version == 6:
        return frozenset((int(prefix.network_address),))
    return frozenset((int(prefix.network_address), int(prefix.broadcast_address)))


def _reserved(prefix: Prefix, subnet: Subnet) -> frozenset[int]:
    reserved = set(_ends(prefix))
    if subnet.gateway and not subnet.flags & _KEEP_NO_GATEWAY:
        reserved.add(int(ip_address(subnet.gateway)))
    return frozenset(reserved)


class AddressPool:
    """
    The addresses of one network.

    Args:
        network: Whose subnets they are of.
    """

    def __init__(self, network: Network) -> None:
        self._parts: list[_Part] = []
        self._remote: dict[str, int] = {}
        self._loose: set[str] = set()
        self.set_subnets(network)

    def set_subnets(self, network: Network) -> None:
        """Follow a change of the subnets; what is taken stays taken."""
        before = {part.id: part for part in self._parts}
        self._parts = []
        for subnet in network.subnets:
            for ip_subnet in subnet.ip_subnets:
                part = _Part(subnet, ip_subnet)
                if part.id in before:
                    part.numbers = before[part.id].numbers
                self._parts.append(part)

    def users(self, ids: Iterable[str], addresses: Iterable[Address]) -> bool:
        """Tell whether any of some addresses is bound to one of some IpSubnets."""
        wanted = set(ids)
        return any(address.ip_subnet in wanted for address in addresses)

    def take(self, wanted: Address) -> Address:
        """
        Take an address that a client asks for.

        Args:
            wanted: Without an address, any of its IpSubnet will do; a prefix length
                of -1 is that of the subnet.

        Raises:
            Refusal: It is in no subnet, is reserved, or is taken.
        """
        if not wanted.address:
            return self._take_of(wanted.ip_subnet)
        found = as_address(wanted.address)
        text = str(found)
        if not self._parts:
            return self._take_loose(wanted, text)
        part = self._part_for(wanted, found.version, int(found))
        number = int(found)
        if number in part.reserved or number in part.numbers or text in self._remote:
            raise refuse(
                HResult.HCN_E_ADDR_INVALID_OR_RESERVED,
                f"{text} is reserved, or another endpoint has it.",
            )
        part.numbers.take(number)
        return self._address(part, text, wanted.prefix_length)

    def _take_loose(self, wanted: Address, text: str) -> Address:
        """Take an address of a network that has no subnets."""
        if text in self._loose or text in self._remote:
            raise refuse(
                HResult.HCN_E_ADDR_INVALID_OR_RESERVED,
                f"Another endpoint has {text}.",
            )
        self._loose.add(text)
        length = wanted.prefix_length
        if length < 0:
            length = 128 if ":" in text else 32
        return Address(address=text, prefix_length=length)

    def _part_for(self, wanted: Address, version: int, number: int) -> _Part:
        parts = [part for part in self._parts if part.prefix.version == version]
        if wanted.ip_subnet:
            parts = [part for part in parts if part.id == wanted.ip_subnet]
        if not parts:
            raise refuse(
                HResult.HCN_E_SUBNET_NOT_FOUND,
                f"The network has no subnet for {wanted.address}.",
            )
        for part in parts:
            first = int(part.prefix.network_address)
            if first <= number < first + part.prefix.num_addresses:
                return part
        raise refuse(
            HResult.HCN_E_INVALID_IP,
            f"{wanted.address} is in no subnet of the network.",
        )

    def _take_of(self, ip_subnet: str) -> Address:
        """Take the lowest free address of an IpSubnet."""
        for part in self._parts:
            if part.id == ip_subnet:
                found = self._lowest(part)
                if found is not None:
                    return found
                break
        else:
            raise refuse(
                HResult.HCN_E_SUBNET_NOT_FOUND, f"There is no IpSubnet {ip_subnet}."
            )
        raise refuse(
            HResult.HCN_E_ADDR_INVALID_OR_RESERVED,
            f"{part.prefix} has no free address.",
        )

    def take_any(self) -> tuple[Address, ...]:
        """
        Take the lowest free address of each family.

        Raises:
            Refusal: A family has none left.
        """
        taken: list[Address] = []
        for version in (4, 6):
            parts = [part for part in self._parts if part.prefix.version == version]
            if not parts:
                continue
            found = next(filter(None, map(self._lowest, parts)), None)
            if found is None:
                self.free(taken)
                raise refuse(
                    HResult.HCN_E_ADDR_INVALID_OR_RESERVED,
                    "The network has no free address.",
                )
            taken.append(found)
        return tuple(taken)

    def _lowest(self, part: _Part) -> Address | None:
        while (number := part.numbers.take_lowest(part.reserved)) is not None:
            cls = type(part.prefix.network_address)
            text = str(cls(number))
            if text not in self._remote:
                return self._address(part, text, -1)
            part.numbers.free(number)  # a remote endpoint's, which may go
            part.reserved |= {number}
        return None

    @staticmethod
    def _address(part: _Part, text: str, length: int) -> Address:
        if length < 0:
            length = ip_network(part.subnet.prefix).prefixlen
        return Address(address=text, prefix_length=length, ip_subnet=part.id)

    def note_remote(self, addresses: Iterable[Address]) -> None:
        """Remember addresses that endpoints of other machines have."""
        for address in addresses:
            text = address.address
            self._remote[text] = self._remote.get(text, 0) + 1

    def forget_remote(self, addresses: Iterable[Address]) -> None:
        """Forget what :meth:`note_remote` remembered."""
        for address in addresses:
            left = self._remote.get(address.address, 0) - 1
            if left > 0:
                self._remote[address.address] = left
                continue
            self._remote.pop(address.address, None)
            number = int(ip_address(address.address))
            for part in self._parts:
                if number in part.reserved:
                    part.reserved -= {number}
                    part.reserved |= _reserved(
                        ip_network(part.subnet.prefix), part.subnet
                    )
                    part.numbers.free(number)

    def restore(self, addresses: Iterable[Address]) -> None:
        """Mark addresses as taken that the store says are."""
        for address in addresses:
            number = int(ip_address(address.address))
            found = next((p for p in self._parts if p.id == address.ip_subnet), None)
            if found is None:
                self._loose.add(address.address)
            else:
                found.numbers.take(number)

    def free(self, addresses: Iterable[Address]) -> None:
        """Give addresses back."""
        for address in addresses:
            self._loose.discard(address.address)
            for part in self._parts:
                if part.id == address.ip_subnet:
                    part.numbers.free(int(ip_address(address.address)))


class MacPool:
    """
    The MAC addresses of all networks: none is given twice.
    """

    def __init__(self) -> None:
        self._taken: dict[int, int] = {}
        self._blocks: set[int] = set()
        self._lowest: dict[MacRange, int] = {}

    def make_block(self) -> MacRange:
        """Make a block of 4096 addresses for a network that brings none."""
        while True:
            block = _MAC_PREFIX + secrets.randbelow(0x1000) * _MAC_BLOCK
            if block not in self._blocks:
                self._blocks.add(block)
                return MacRange(first=block, last=block + _MAC_BLOCK - 1)

    def make_one(self) -> str:
        """Make an address that is in no network's pool."""
        block = self.make_block()
        return mac_text(block.first + secrets.randbelow(_MAC_BLOCK))

    def restore_block(self, ranges: Iterable[MacRange]) -> None:
        """Keep blocks that networks have from being made again."""
        self._blocks.update(found.first for found in ranges)

    def free_block(self, ranges: Iterable[MacRange]) -> None:
        """Forget the blocks of a network that went."""
        for found in ranges:
            self._blocks.discard(found.first)
            self._lowest.pop(found, None)

    def take(self, ranges: Iterable[MacRange]) -> str:
        """
        Take the lowest free address of a network's ranges, in order.

        Raises:
            Refusal: There is none left.
        """
        for found in ranges:
            number = self._lowest.get(found, found.first)
            while number in self._taken:
                number += 1
            if number <= found.last:
                self._lowest[found] = number + 1
                self._taken[number] = 1
                return mac_text(number)
        raise refuse(
            HResult.HCN_E_ADDR_INVALID_OR_RESERVED,
            "The network has no free MAC address.",
        )

    def note(self, mac: str) -> None:
        """Remember an address that a client gave; several may give the same."""
        number = as_mac(mac)
        self._taken[number] = self._taken.get(number, 0) + 1

    def free(self, mac: str) -> None:
        """Give an address back."""
        number = as_mac(mac)
        left = self._taken.get(number, 0) - 1
        if left > 0:
            self._taken[number] = left
            return
        self._taken.pop(number, None)
        for found, lowest in self._lowest.items():
            if found.first <= number < lowest:
                self._lowest[found] = number


#: Protocol, port and address of the machine, ``""`` for every one.
PortKey = tuple[int, int, str]
_TCP = 6
_UDP = 17
_DYNAMIC_PORTS = range(49152, 65536)
_SOCKETS = {_TCP: socket.SOCK_STREAM, _UDP: socket.SOCK_DGRAM}


class PortPool:
    """The ports of the machine that lead to endpoints and load balancers."""

    def __init__(self) -> None:
        self._owners: dict[PortKey, str] = {}
        self._next = _DYNAMIC_PORTS.start

    def take(self, key: PortKey, owner: str) -> None:
        """
        Take a port.

        Raises:
            Refusal: It is taken.
        """
        holder = self._owners.get(key)
        if holder is not None:
            protocol, port, address = key
            raise refuse(
                HResult.HCN_E_PORT_ALREADY_EXISTS,
                f"Port {port} of protocol {protocol} on {address or 'every address'} "
                f"is taken by {holder}.",
            )
        self._owners[key] = owner

    def holds(self, key: PortKey) -> bool:
        """Tell whether a port is taken."""
        return key in self._owners

    def take_any(self, protocol: int, address: str, owner: str) -> int:
        """
        Take a port that nobody has, no other program of the machine either.

        Raises:
            Refusal: There is none.
        """
        for port in self._candidates():
            key = (protocol, port, address)
            if key not in self._owners and _is_free(protocol, port):
                self._owners[key] = owner
                self._next = port + 1
                return port
        raise refuse(
            HResult.HCN_E_PORT_ALREADY_EXISTS, "There is no free port to choose."
        )

    def _candidates(self) -> Iterator[int]:
        start = self._next if self._next in _DYNAMIC_PORTS else _DYNAMIC_PORTS.start
        yield from range(start, _DYNAMIC_PORTS.stop)
        yield from range(_DYNAMIC_PORTS.start, start)

    def free(self, key: PortKey, owner: str) -> None:
        """Give a port back, if it is the owner's."""
        if self._owners.get(key) == owner:
            del self._owners[key]


def _is_free(protocol: int, port: int) -> bool:
    kind = _SOCKETS.get(protocol)
    if kind is None:
        return True
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("", port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True
