"""
Messages to nf_tables, the kernel's packet filter.

A :class:`Batch` collects what shall change and the kernel takes all of it or nothing.
pyroute2 knows these messages too, but neither maps nor flags of sets, and has no
types.

Source:
    linux/netfilter/nf_tables.h and nfnetlink.h, whose names the constants have.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import TYPE_CHECKING, Final

from hcsshim.host.datapath import netlink
from hcsshim.host.datapath.netlink import attribute, nested, number, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hcsshim.host.datapath.namespaces import NetworkNamespace

NETLINK_NETFILTER: Final = 12
_SUBSYSTEM: Final = 10
_BATCH_BEGIN: Final = 0x10
_BATCH_END: Final = 0x11
_NEW_TABLE, _GET_TABLE, _DELETE_TABLE = 0, 1, 2
_NEW_CHAIN = 3
_NEW_RULE, _GET_RULE = 6, 7
_NEW_SET, _NEW_ELEMENTS = 9, 12

_GENERAL = struct.Struct(">BBH")

INET: Final = 1  # NFPROTO_INET: rules for IPv4 and IPv6

_FULL: Final = "the kernel takes 1024 chains in one place, and they are taken"

SET_INTERVAL: Final = 4
SET_MAP: Final = 8
_ELEMENT_INTERVAL_END: Final = 1


def comment(value: str) -> bytes:
    """Encode a comment as ``nft`` shows it; cut to what the kernel keeps."""
    data = value.encode()[:120] + b"\0"
    return bytes((0, len(data))) + data


class Batch:
    """
    Changes that are made together.

    Sets are named by what they hold, so two rules of one table that ask for the same
    addresses share one.
    """

    def __init__(self) -> None:
        self._messages: list[tuple[int, int, bytes]] = []
        self._sets: dict[tuple[object, ...], str] = {}

    def add_table(self, table: str, note: str = "") -> None:
        """Make a table, unless it is there."""
        extra = attribute(6, comment(note)) if note else b""
        self._add(_NEW_TABLE, netlink.CREATE, text(1, table) + extra)

    def delete_table(self, table: str) -> None:
        """Delete a table and all that is in it; it must be there."""
        self._add(_DELETE_TABLE, 0, text(1, table))

    def replace_table(self, table: str, note: str = "") -> None:
        """Make a table anew, whether it was there or not."""
        self.add_table(table)
        self.delete_table(table)
        self.add_table(table, note)

    def add_chain(
        self, table: str, chain: str, kind: str = "", hook: int = 0, priority: int = 0
    ) -> None:
        """Make a chain; of a ``kind`` (``"nat"``, ``"filter"``) it hangs in a hook."""
        based = b""
        if kind:
            place = nested(4, number(1, hook), number(2, priority))
            based = place + number(5, 1) + text(7, kind)
        self._add(_NEW_CHAIN, netlink.CREATE, text(1, table) + text(3, chain) + based)

    def add_rule(
        self, table: str, chain: str, expressions: Sequence[bytes], note: str = ""
    ) -> None:
        """Append a rule."""
        listed = nested(4, *(nested(1, expression) for expression in expressions))
        extra = attribute(7, comment(note)) if note else b""
        body = text(1, table) + text(2, chain) + listed + extra
        self._add(_NEW_RULE, netlink.CREATE | netlink.APPEND, body)

    def add_intervals(
        self, table: str, kind: int, spans: Iterable[tuple[bytes, bytes | None]]
    ) -> str:
        """
        Make a set of intervals, unless the table has the same one already.

        Args:
            table: Where.
            kind: Number that ``nft`` has for the type of the keys.
            spans: First key, and the key behind the last one or ``None`` for no end;
                sorted, apart from each other.

        Returns:
            Its name.
        """
        listed = tuple(spans)
        name = self._sets.get((table, kind, listed))
        if name is not None:
            return name
        name = self._sets[table, kind, listed] = f"set{len(self._sets)}"
        elements = []
        for first, behind in listed:
            elements.append(nested(1, nested(1, attribute(1, first))))
            if behind is not None:
                end = number(3, _ELEMENT_INTERVAL_END)
                elements.append(nested(1, nested(1, attribute(1, behind)), end))
        size = len(listed[0][0])
        key = number(4, kind) + number(5, size)
        self._add_set(table, name, number(3, SET_INTERVAL) + key, elements)
        return name

    def add_map(self, table: str, kind: int, values: Sequence[bytes]) -> str:
        """
        Make a map from 0, 1, 2, … (as the kernel computes them) to values.

        Returns:
            Its name.
        """
        key = (table, "map", kind, tuple(values))
        name = self._sets.get(key)
        if name is not None:
            return name
        name = self._sets[key] = f"map{len(self._sets)}"
        elements = [
            nested(
                1,
                nested(1, attribute(1, struct.pack("=I", index))),
                nested(2, attribute(1, value)),
            )
            for index, value in enumerate(values)
        ]
        types = (
            number(4, 4) + number(5, 4) + number(6, kind) + number(7, len(values[0]))
        )
        self._add_set(table, name, number(3, SET_MAP) + types, elements)
        return name

    def _add_set(
        self, table: str, name: str, form: bytes, elements: Sequence[bytes]
    ) -> None:
        head = text(1, table) + text(2, name)
        self._add(_NEW_SET, netlink.CREATE, head + form + number(10, len(self._sets)))
        # A record's size has 16 bits; an element takes up to 64 bytes.
        for start in range(0, len(elements), 512):
            part = nested(3, *elements[start : start + 512])
            self._add(
                _NEW_ELEMENTS, netlink.CREATE, text(1, table) + text(2, name) + part
            )

    def _add(self, kind: int, flags: int, body: bytes) -> None:
        self._messages.append((kind, flags, body))

    def __len__(self) -> int:
        return len(self._messages)

    def encode(self, family: int) -> tuple[bytes, int]:
        """Give the bytes to send, and how many answers will come."""
        parts = [
            netlink.message(
                _BATCH_BEGIN, netlink.REQUEST, 0, _GENERAL.pack(0, 0, _SUBSYSTEM)
            )
        ]
        head = _GENERAL.pack(family, 0, 0)
        for sequence, (kind, flags, body) in enumerate(self._messages, 1):
            number_ = (_SUBSYSTEM << 8) | kind
            parts.append(
                netlink.message(
                    number_,
                    netlink.REQUEST | netlink.ACK | flags,
                    sequence,
                    head + body,
                )
            )
        end = len(parts)
        parts.append(
            netlink.message(
                _BATCH_END, netlink.REQUEST, end, _GENERAL.pack(0, 0, _SUBSYSTEM)
            )
        )
        return b"".join(parts), len(self._messages)


def _plain(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "replace")


def _open() -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    stream = socket.socket(socket.AF_NETLINK, kind, NETLINK_NETFILTER)
    stream.bind((0, 0))
    return stream


class NftSocket:
    """
    A connection to nf_tables of one network namespace.

    Args:
        namespace: Which.

    Raises:
        OSError: It may not be entered, or has no nf_tables.
    """

    def __init__(self, namespace: NetworkNamespace) -> None:
        self._socket = namespace.run(_open)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            self._socket.setsockopt(socket.SOL_SOCKET, option, 1024 * 1024)

    def commit(self, batch: Batch) -> None:
        """
        Make all changes, or none.

        Raises:
            OSError: The kernel refuses the first one that it does not like.
        """
        data, count = batch.encode(INET)
        self._socket.send(data)
        failed = 0
        answered = 0
        while answered < count:
            for kind, sequence, body in netlink.receive(self._socket):
                if kind != netlink.ERROR:
                    continue
                failed = failed or netlink.outcome(body)
                # A batch that is refused as a whole has one answer.
                answered += count if sequence == 0 else 1
        if failed:
            why = _FULL if failed == errno.E2BIG else os.strerror(failed)
            raise OSError(failed, f"nf_tables: {why}")

    def tables(self) -> dict[str, str]:
        """List the tables for both families of addresses, and their comments."""
        found = (dict(netlink.records(body)) for body in self._dump(_GET_TABLE, b""))
        return {_plain(table[1]): _plain(table.get(6, b"")[2:]) for table in found}

    def rules(self, table: str) -> list[tuple[str, str]]:
        """List the rules of a table: the chain and the comment of each."""
        found = []
        for body in self._dump(_GET_RULE, text(1, table)):
            fields = dict(netlink.records(body))
            if _plain(fields[1]) != table:
                continue
            found.append((_plain(fields[2]), _plain(fields.get(7, b"")[2:])))
        return found

    def _dump(self, kind: int, body: bytes) -> list[bytes]:
        head = _GENERAL.pack(INET, 0, 0)
        found = netlink.dump(self._socket, (_SUBSYSTEM << 8) | kind, head + body)
        return [answer[_GENERAL.size :] for answer in found]

    def close(self) -> None:
        """Close the connection; tables stay."""
        self._socket.close()
