"""
Interfaces, addresses, routes and neighbours of one network namespace.

The only module that knows pyroute2, which has no types: what comes from it is turned
into ours at once.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import struct
from typing import TYPE_CHECKING, Any, Final

import attrs

from hcsshim.host.datapath.netlink import ask, attribute, dump, records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hcsshim.host.datapath.namespaces import NetworkNamespace

#: What our routes and neighbours say about who made them; nobody else's number.
PROTOCOL: Final = 199
_INTERFACE = struct.Struct("=16si20x")  # struct ifreq
_GET_INDEX: Final = 0x8933
_NTF_SELF: Final = 2
_NTF_PROXY: Final = 8
_NUD_PERMANENT: Final = 0x80
_RTNH_ONLINK: Final = 4
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_LINK = struct.Struct("=BxHiII")  # struct ifinfomsg
_DELETE_LINK: Final = 17
_IFLA_GROUP: Final = 27
_ADDRESSES_OF_NOBODY: Final = 1  # IN6_ADDR_GEN_MODE_NONE
#: Groups below are people's.
_FIRST_GROUP: Final = 0x68637300
_WORTH_A_GROUP: Final = 3
_GET_NEIGHBOUR: Final = 30
_NDA_DST: Final = 1
_NDA_PROTOCOL: Final = 12


class MissingLibraryError(Exception):
    """pyroute2 is not installed."""


@attrs.frozen
class Link:
    """An interface."""

    index: int
    name: str
    alias: str
    kind: str
    master: int
    up: bool


@attrs.frozen
class Traffic:
    """What an interface counted."""

    received_bytes: int = 0
    received_packets: int = 0
    received_dropped: int = 0
    sent_bytes: int = 0
    sent_packets: int = 0
    sent_dropped: int = 0


@attrs.frozen(kw_only=True)
class End:
    """
    An interface that a silo gets.

    Args:
        name: Of it.
        mac: Of it.
        mtu: Of it.
        file: Of the namespace it is in; -1 for the one that makes it.
    """

    name: str
    mac: str
    mtu: int
    file: int


@contextlib.contextmanager
def _as_oserror() -> Iterator[None]:
    """Let errors of the kernel's appear as what they are."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        code = getattr(error, "code", None)
        if isinstance(code, int):
            raise OSError(code, str(error.args[-1])) from error
        raise


def ignoring_absence() -> contextlib.AbstractContextManager[None]:
    """Let removing what is gone already succeed."""
    return _ignoring_absence()


@contextlib.contextmanager
def _ignoring_absence() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV, errno.ESRCH):
            raise


class Links:
    """
    A connection to the kernel about one namespace's interfaces.

    Args:
        namespace: Which.

    Raises:
        MissingLibraryError: pyroute2 is not installed.
        OSError: The namespace may not be entered.
    """

    def __init__(self, namespace: NetworkNamespace) -> None:
        try:
            from pyroute2 import (  # type: ignore[import-untyped]  # noqa: PLC0415 - slow, not always there
                IPRoute,
            )
        except ImportError as error:
            raise MissingLibraryError from error
        self._namespace = namespace
        self._socket = namespace.run(_route_socket)
        self._route: Any = IPRoute(use_socket=self._socket)

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._route.close()
        self._socket.close()

    # -- interfaces ------------------------------------------------------

    def all(self) -> list[Link]:
        """List all interfaces."""
        with _as_oserror():
            return [_link(found) for found in self._route.get_links()]

    def index(self, name: str) -> int:
        """
        Give the number of an interface.

        Raises:
            OSError: There is none of this name.
        """
        request = _INTERFACE.pack(os.fsencode(name), 0)
        answer = fcntl.ioctl(self._socket, _GET_INDEX, request)
        return int(_INTERFACE.unpack(answer)[1])

    def add_bridge(self, name: str, alias: str, mac: str = "") -> int:
        """Make a bridge, down; give its number."""
        settings: dict[str, object] = {"kind": "bridge", "br_forward_delay": 0}
        if mac:
            settings["address"] = mac
        return self._add(name, alias, settings)

    def add_vxlan(
        self, name: str, alias: str, *, vni: int, local: str, port: int
    ) -> int:
        """Make a VXLAN device that learns nothing and answers for its neighbours."""
        settings: dict[str, object] = {
            "kind": "vxlan",
            "vxlan_id": vni,
            "vxlan_port": port,
            "vxlan_learning": False,
            "vxlan_proxy": True,
        }
        if local:
            settings["vxlan_local"] = local
        return self._add(name, alias, settings)

    def add_pair(self, name: str, alias: str, end: End, bridge: int = 0) -> int:
        """
        Make a pair of interfaces that are one cable.

        Args:
            name: Of this end, which is switched off.
            alias: Of this end.
            end: The other one.
            bridge: That this end is a port of; 0 for none.

        Returns:
            The number of this end.
        """
        other: dict[str, object] = {
            "ifname": end.name,
            "address": end.mac,
            "mtu": end.mtu,
        }
        if end.file >= 0:
            other["net_ns_fd"] = end.file
        settings: dict[str, object] = {"kind": "veth", "mtu": end.mtu, "peer": other}
        if bridge:
            settings["master"] = bridge
        return self._add(name, alias, settings)

    def add_vlan(self, name: str, alias: str, under: int, vlan: int) -> int:
        """Make an interface that tags what goes out by another one, and untags."""
        settings: dict[str, object] = {"kind": "vlan", "link": under, "vlan_id": vlan}
        return self._add(name, alias, settings)

    def add_macvlan(self, name: str, alias: str, under: int, end: End) -> None:
        """Make an interface with an address of its own on another one's wire."""
        settings: dict[str, object] = {
            "kind": "macvlan",
            "macvlan_mode": "bridge",
            "link": under,
            "address": end.mac,
            "mtu": end.mtu,
        }
        index = self._add(name, alias, settings)
        try:
            with _as_oserror():
                self._route.link(
                    "set", index=index, net_ns_fd=end.file, ifname=end.name
                )
        except BaseException:
            self.remove(index)
            raise

    def _add(self, name: str, alias: str, settings: dict[str, object]) -> int:
        with _as_oserror():
            self._route.link("add", ifname=name, **settings)
            index = self.index(name)
            try:
                self._route.link("set", index=index, ifalias=alias)
            except BaseException:
                self.remove(index)
                raise
            return index

    def set_up(self, index: int, *, unnumbered: bool = False) -> None:
        """
        Switch an interface on.

        Args:
            index: Its number.
            unnumbered: Let it make no address of IPv6 for itself.
        """
        if unnumbered:
            mode = ["IFLA_INET6_ADDR_GEN_MODE", _ADDRESSES_OF_NOBODY]
            family = {"attrs": [["AF_INET6", {"attrs": [mode]}]]}
            try:
                with _as_oserror():
                    self._route.link("set", index=index, IFLA_AF_SPEC=family)
            except OSError as error:
                if error.errno != errno.EAFNOSUPPORT:  # a kernel without IPv6
                    raise
        with _as_oserror():
            self._route.link("set", index=index, state="up")

    def plug(self, index: int, bridge: int) -> None:
        """Make an interface a port of a bridge, and switch it on."""
        with _as_oserror():
            self._route.link("set", index=index, master=bridge, state="up")

    def set_port(self, index: int, *, isolated: bool) -> None:
        """Let a port talk to itself, and to isolated ports unless it is one."""
        with _as_oserror():
            self._route.brport("set", index=index, isolated=int(isolated), mode=1)

    def remove(self, index: int) -> None:
        """Remove an interface, and its other end if it is of a pair."""
        with ignoring_absence(), _as_oserror():
            self._route.link("del", index=index)

    def remove_together(self, indexes: Sequence[int]) -> None:
        """
        Remove many interfaces, at hardly more than the price of one.

        The kernel waits for all processors whenever it removes interfaces; it removes
        those of a group at once, so they become one that nobody else has.
        """
        if len(indexes) < _WORTH_A_GROUP:
            for index in indexes:
                self.remove(index)
            return
        with _as_oserror():
            taken = {f.get_attr("IFLA_GROUP") for f in self._route.get_links()}
        group = _FIRST_GROUP
        while group in taken:
            group += 1
        for index in indexes:
            with ignoring_absence(), _as_oserror():
                self._route.link("set", index=index, group=group)
        body = _LINK.pack(0, 0, 0, 0, 0) + attribute(
            _IFLA_GROUP, struct.pack("=I", group)
        )
        with ignoring_absence(), self._namespace.run(_route_socket) as stream:
            ask(stream, _DELETE_LINK, body)

    def traffic(self, index: int) -> Traffic:
        """Tell what an interface counted."""
        with _as_oserror():
            (found,) = self._route.get_links(index)
        counted = found.get_attr("IFLA_STATS64")
        return Traffic(
            received_bytes=int(counted["rx_bytes"]),
            received_packets=int(counted["rx_packets"]),
            received_dropped=int(counted["rx_dropped"]),
            sent_bytes=int(counted["tx_bytes"]),
            sent_packets=int(counted["tx_packets"]),
            sent_dropped=int(counted["tx_dropped"]),
        )

    # -- addresses and routes --------------------------------------------

    def add_address(self, index: int, address: str, prefix_length: int) -> None:
        """Give an interface an address; IPv6 ones work at once."""
        flags = {"flags": _IFA_F_NODAD} if ":" in address else {}
        with _as_oserror():
            self._route.addr(
                "replace",
                index=index,
                address=address,
                prefixlen=prefix_length,
                **flags,
            )

    def addresses(self, index: int) -> list[str]:
        """List the addresses of an interface, with the lengths of their prefixes."""
        with _as_oserror():
            return [
                f"{found.get_attr('IFA_ADDRESS')}/{found['prefixlen']}"
                for found in self._route.get_addr(index=index)
            ]

    def add_route(
        self,
        index: int,
        prefix: str,
        *,
        gateway: str = "",
        metric: int = 0,
        onlink: bool = False,
    ) -> None:
        """Lead a prefix through an interface."""
        more: dict[str, object] = {}
        if gateway:
            more["gateway"] = gateway
        if metric:
            more["priority"] = metric
        if onlink:
            more["flags"] = _RTNH_ONLINK
        with _as_oserror():
            self._route.route(
                "replace",
                dst=prefix,
                oif=index,
                proto=PROTOCOL,
                **_family(prefix),
                **more,
            )

    def remove_route(self, index: int, prefix: str) -> None:
        """Remove a route of ours."""
        with ignoring_absence(), _as_oserror():
            self._route.route(
                "del", dst=prefix, oif=index, proto=PROTOCOL, **_family(prefix)
            )

    def interface_towards(self, address: str = "") -> int:
        """Give the interface that leads to an address, or to all others; 0 if none."""
        with _as_oserror():
            if address:
                try:
                    found = tuple(self._route.route("get", dst=address))
                except OSError as error:
                    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
                        return 0
                    raise
            else:
                found = tuple(self._route.get_default_routes(family=socket.AF_INET))
        for route in found:
            index = route.get_attr("RTA_OIF")
            if isinstance(index, int):
                return index
        return 0

    def holder(self, address: str) -> int:
        """Give the interface that has an address; 0 if none has."""
        with _as_oserror():
            for found in self._route.get_addr(address=address):
                return int(found["index"])
        return 0

    # -- neighbours ------------------------------------------------------

    def add_neighbour(self, index: int, address: str, mac: str) -> None:
        """Fix the MAC address that an address has behind an interface."""
        with _as_oserror():
            self._route.neigh(
                "replace",
                ifindex=index,
                dst=address,
                lladdr=mac,
                state=_NUD_PERMANENT,
                **_family(address),
            )

    def remove_neighbour(self, index: int, address: str) -> None:
        """Forget it."""
        with ignoring_absence(), _as_oserror():
            self._route.neigh("del", ifindex=index, dst=address, **_family(address))

    def add_tunnel(self, index: int, mac: str, machine: str) -> None:
        """Send frames for a MAC address to another machine, from a VXLAN device."""
        with _as_oserror():
            self._route.fdb(
                "replace",
                ifindex=index,
                lladdr=mac,
                dst=machine,
                flags=_NTF_SELF,
                state=_NUD_PERMANENT,
            )

    def remove_tunnel(self, index: int, mac: str, machine: str) -> None:
        """Forget it."""
        with ignoring_absence(), _as_oserror():
            self._route.fdb(
                "del", ifindex=index, lladdr=mac, dst=machine, flags=_NTF_SELF
            )

    def answer_for(self, index: int, address: str) -> None:
        """Answer, on an interface's wire, for an address that is behind us."""
        with _as_oserror():
            self._route.neigh(
                "replace",
                ifindex=index,
                dst=address,
                flags=_NTF_PROXY,
                NDA_PROTOCOL=PROTOCOL,
                **_family(address),
            )

    def stop_answering_for(self, index: int, address: str) -> None:
        """Leave that to others again."""
        with ignoring_absence(), _as_oserror():
            self._route.neigh(
                "del", ifindex=index, dst=address, flags=_NTF_PROXY, **_family(address)
            )

    def answered_for(self) -> list[tuple[int, str]]:
        """List for which addresses we answer, and on which interfaces."""
        return [
            found
            for family in (socket.AF_INET, socket.AF_INET6)
            for found in self._dump_proxies(family)
        ]

    def _dump_proxies(self, family: int) -> Iterator[tuple[int, str]]:
        """Dump what pyroute2 has no request for."""
        body = _NEIGHBOUR.pack(family, 0, 0, _NTF_PROXY, 0)
        with self._namespace.run(_route_socket) as stream:
            answers = dump(stream, _GET_NEIGHBOUR, body)
        for answer in answers:
            _, index, _, flags, _ = _NEIGHBOUR.unpack_from(answer)
            fields = dict(records(answer[_NEIGHBOUR.size :]))
            if flags & _NTF_PROXY and fields.get(_NDA_PROTOCOL) == bytes((PROTOCOL,)):
                yield index, socket.inet_ntop(family, fields[_NDA_DST])

    # -- limits ----------------------------------------------------------

    def limit(self, index: int, bytes_per_second: int) -> None:
        """Limit what leaves by an interface; 0 for no limit."""
        with _as_oserror():
            if not bytes_per_second:
                with contextlib.suppress(Exception):
                    self._route.tc("del", index=index, root=True)
                return
            self._route.tc(
                "replace",
                "tbf",
                index=index,
                handle=0x10000,
                rate=bytes_per_second,
                burst=max(64 * 1024, bytes_per_second // 50),
                latency="50ms",
            )


_IFA_F_NODAD: Final = 0x02


def _family(text: str) -> dict[str, object]:
    return {"family": socket.AF_INET6 if ":" in text else socket.AF_INET}


def _route_socket() -> socket.socket:
    stream = socket.socket(
        socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    )
    stream.bind((0, 0))
    return stream


def _link(found: Any) -> Link:  # noqa: ANN401 - pyroute2's
    info = found.get_attr("IFLA_LINKINFO")
    return Link(
        index=int(found["index"]),
        name=str(found.get_attr("IFLA_IFNAME")),
        alias=str(found.get_attr("IFLA_IFALIAS") or ""),
        kind=str(info.get_attr("IFLA_INFO_KIND")) if info is not None else "",
        master=int(found.get_attr("IFLA_MASTER") or 0),
        up=bool(found["flags"] & 1),
    )
