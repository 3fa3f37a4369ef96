"""
Expressions of nf_tables: what a rule compares and does.

Each function gives one or more expressions, encoded. Registers are the kernel's four
of 16 bytes; comparisons use the first, translations the first two.

Source:
    linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import TYPE_CHECKING, Final

from hcsshim.host.datapath.netlink import attribute, nested, number, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hcsshim.host.datapath.nft_wire import Batch

    Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network
    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING = range(5)
#: Priorities in a hook, as ``nft`` names them.
RAW: Final = -300
DESTINATION_NAT: Final = -100
FILTER: Final = 0
SOURCE_NAT: Final = 100

_ACCEPT, _DROP = 1, 0
_JUMP, _RETURN = -3, -5

_NETWORK, _TRANSPORT = 1, 2
_EQUAL, _UNEQUAL = 0, 1
_AT_MOST, _AT_LEAST = 3, 5
_META_IIFNAME, _META_OIFNAME = 6, 7
_META_SKUID, _META_NFPROTO, _META_L4PROTO = 10, 15, 16
_CT_STATE, _CT_STATUS, _CT_MARK = 0, 2, 3
_ESTABLISHED_OR_RELATED: Final = 6
_STATUS_DNAT: Final = 0x20
#: Bit of a flow's mark; others may use the rest.
_KEPT_BY_CLIENT: Final = 0x0800_0000
_LOCAL: Final = 2
_ROUTER_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT = 133, 136

#: Numbers that ``nft`` has for types of keys.
_TYPE_IPV4, _TYPE_IPV6, _TYPE_PROTOCOL, _TYPE_PORT = 7, 8, 12, 13
#: Protocols that have ports.
PORT_PROTOCOLS: Final = (socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_SCTP)


def _expression(name: str, *data: bytes) -> bytes:
    return text(1, name) + (nested(2, *data) if data else b"")


def _value(kind: int, data: bytes) -> bytes:
    return nested(kind, attribute(1, data))


def _verdict(code: int, chain: str = "") -> bytes:
    target = text(2, chain) if chain else b""
    verdict = nested(2, number(1, code) + target)
    return _expression("immediate", number(1, 0), nested(2, verdict))


def accept() -> bytes:
    """Let the packet go on."""
    return _verdict(_ACCEPT)


def drop() -> bytes:
    """Let the packet vanish."""
    return _verdict(_DROP)


def leave() -> bytes:
    """Go back to the chain that jumped here."""
    return _verdict(_RETURN)


def jump(chain: str) -> bytes:
    """Ask another chain."""
    return _verdict(_JUMP, chain)


def _compare(data: bytes, *, operation: int = _EQUAL) -> bytes:
    return _expression("cmp", number(1, 1), number(2, operation), _value(3, data))


def _meta(key: int) -> bytes:
    return _expression("meta", number(1, 1), number(2, key))


def _payload(base: int, offset: int, size: int, register: int = 1) -> bytes:
    return _expression(
        "payload",
        number(1, register),
        number(2, base),
        number(3, offset),
        number(4, size),
    )


def _masked(mask: bytes, flipped: bytes = b"") -> bytes:
    return _expression(
        "bitwise",
        number(1, 1),
        number(2, 1),
        number(3, len(mask)),
        _value(4, mask),
        _value(5, flipped or bytes(len(mask))),
    )


def _interface(key: int, name: str, *, equal: bool) -> list[bytes]:
    if name.endswith("*"):
        return [
            _meta(key),
            _compare(name[:-1].encode(), operation=_EQUAL if equal else _UNEQUAL),
        ]
    return [
        _meta(key),
        _compare(
            name.encode().ljust(16, b"\0"), operation=_EQUAL if equal else _UNEQUAL
        ),
    ]


def from_interface(name: str, *, equal: bool = True) -> list[bytes]:
    """Match what came in by an interface; ``*`` at the end is a wildcard."""
    return _interface(_META_IIFNAME, name, equal=equal)


def to_interface(name: str, *, equal: bool = True) -> list[bytes]:
    """Match what goes out by an interface; ``*`` at the end is a wildcard."""
    return _interface(_META_OIFNAME, name, equal=equal)


def family(version: int) -> list[bytes]:
    """Match IPv4 or IPv6."""
    number_ = socket.AF_INET if version == 4 else socket.AF_INET6
    return [_meta(_META_NFPROTO), _compare(bytes((number_,)))]


def protocol(number_: int) -> list[bytes]:
    """Match one protocol above IP."""
    return [_meta(_META_L4PROTO), _compare(bytes((number_,)))]


def protocols(batch: Batch, table: str, numbers: Sequence[int]) -> list[bytes]:
    """Match any of several protocols above IP; all if there are none."""
    wanted = sorted(set(numbers))
    if not wanted:
        return []
    if len(wanted) == 1:
        return protocol(wanted[0])
    spans = [(bytes((n,)), bytes((n + 1,))) for n in wanted]
    name = batch.add_intervals(table, _TYPE_PROTOCOL, _join(spans))
    return [_meta(_META_L4PROTO), _lookup(name)]


def _join(
    spans: Sequence[tuple[bytes, bytes | None]],
) -> list[tuple[bytes, bytes | None]]:
    """Join intervals that touch; they are sorted."""
    joined: list[tuple[bytes, bytes | None]] = []
    for first, behind in spans:
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], behind)
        else:
            joined.append((first, behind))
    return joined


def _lookup(name: str, *, register: int = 1, into: int = 0) -> bytes:
    data = [text(1, name), number(2, register)]
    if into:
        data.append(number(3, into))
    return _expression("lookup", *data)


def ports(
    batch: Batch, table: str, wanted: Iterable[tuple[int, int]], *, source: bool = False
) -> list[bytes]:
    """Match any of several ranges of ports; all if there are none."""
    ranges: list[tuple[int, int]] = []
    for first, last in sorted(wanted):
        if ranges and first <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
        else:
            ranges.append((first, last))
    if not ranges or ranges == [(0, 65535)]:
        return []
    load = _payload(_TRANSPORT, 0 if source else 2, 2)
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return [load, _compare(struct.pack(">H", ranges[0][0]))]
    spans = [
        (
            struct.pack(">H", first),
            struct.pack(">H", last + 1) if last < 65535 else None,
        )
        for first, last in ranges
    ]
    return [load, _lookup(batch.add_intervals(table, _TYPE_PORT, spans))]


def port(wanted: int) -> list[bytes]:
    """Match one destination port."""
    return [_payload(_TRANSPORT, 2, 2), _compare(struct.pack(">H", wanted))]


def addresses(
    batch: Batch, table: str, prefixes: Sequence[Prefix], *, source: bool
) -> list[bytes]:
    """
    Match any of several prefixes of one family, the family included.

    Args:
        batch: Gets the set, if one is needed.
        table: Where.
        prefixes: At least one.
        source: Compare the source, else the destination.
    """
    collapsed = _collapse(prefixes)
    version = collapsed[0].version
    matched = family(version)
    if collapsed[0].prefixlen == 0:
        return matched
    matched.append(_address(version, source=source))
    if len(collapsed) == 1:
        prefix = collapsed[0]
        if prefix.prefixlen < prefix.max_prefixlen:
            matched.append(_masked(prefix.netmask.packed))
        matched.append(_compare(prefix.network_address.packed))
        return matched
    kind = _TYPE_IPV4 if version == 4 else _TYPE_IPV6
    spans = _join([_span(prefix) for prefix in collapsed])
    return [*matched, _lookup(batch.add_intervals(table, kind, spans))]


def _collapse(prefixes: Sequence[Prefix]) -> list[Prefix]:
    four = [p for p in prefixes if isinstance(p, ipaddress.IPv4Network)]
    if four:
        return list(ipaddress.collapse_addresses(four))
    six = [p for p in prefixes if isinstance(p, ipaddress.IPv6Network)]
    return list(ipaddress.collapse_addresses(six))


def _span(prefix: Prefix) -> tuple[bytes, bytes | None]:
    first = prefix.network_address.packed
    behind = int(prefix.broadcast_address) + 1
    if behind >> prefix.max_prefixlen:
        return first, None
    return first, behind.to_bytes(len(first), "big")


def _address(version: int, *, source: bool, register: int = 1) -> bytes:
    if version == 4:
        return _payload(_NETWORK, 12 if source else 16, 4, register)
    return _payload(_NETWORK, 8 if source else 24, 16, register)


def address(wanted: Address, *, source: bool) -> list[bytes]:
    """Match one address, its family included."""
    return [
        *family(wanted.version),
        _address(wanted.version, source=source),
        _compare(wanted.packed),
    ]


def to_machine(*, present: bool = True) -> list[bytes]:
    """Match what is addressed to any address of the namespace itself, or is not."""
    return [
        _expression("fib", number(1, 1), number(2, 3), number(3, 2)),
        _compare(struct.pack("=I", _LOCAL), operation=_EQUAL if present else _UNEQUAL),
    ]


def of_user(uid: int) -> list[bytes]:
    """Match what a user's processes send."""
    return [_meta(_META_SKUID), _compare(struct.pack("=I", uid))]


def neighbour_discovery() -> list[bytes]:
    """Match the messages by which IPv6 finds routers and MAC addresses."""
    return [
        *protocol(socket.IPPROTO_ICMPV6),
        _payload(_TRANSPORT, 0, 1),
        _compare(bytes((_ROUTER_SOLICITATION,)), operation=_AT_LEAST),
        _compare(bytes((_NEIGHBOUR_ADVERTISEMENT,)), operation=_AT_MOST),
    ]


def _flags(key: int, bits: int, *, present: bool) -> list[bytes]:
    return [
        _expression("ct", number(1, 1), number(2, key)),
        _masked(struct.pack("=I", bits)),
        _compare(bytes(4), operation=_UNEQUAL if present else _EQUAL),
    ]


def established() -> list[bytes]:
    """Match packets of flows that have begun, and answers to them."""
    return _flags(_CT_STATE, _ESTABLISHED_OR_RELATED, present=True)


def redirected(*, present: bool = True) -> list[bytes]:
    """Match flows whose destination was translated, or was not."""
    return _flags(_CT_STATUS, _STATUS_DNAT, present=present)


def kept_by_client(*, present: bool = True) -> list[bytes]:
    """Match flows that :func:`keep_client` marked, or did not."""
    return _flags(_CT_MARK, _KEPT_BY_CLIENT, present=present)


def keep_client() -> list[bytes]:
    """Mark a flow whose source shall not be translated; other marks stay."""
    bit = struct.pack("=I", _KEPT_BY_CLIENT)
    others = struct.pack("=I", ~_KEPT_BY_CLIENT & 0xFFFFFFFF)
    return [
        _expression("ct", number(1, 1), number(2, _CT_MARK)),
        _masked(others, bit),
        _expression("ct", number(2, _CT_MARK), number(4, 1)),
    ]


def masquerade() -> bytes:
    """Give the flow the address of the interface it leaves by."""
    return _expression("masq")


def _load(register: int, data: bytes) -> bytes:
    return _expression("immediate", number(1, register), _value(2, data))


def _translate(kind: int, version: int, *, with_port: bool) -> bytes:
    number_ = socket.AF_INET if version == 4 else socket.AF_INET6
    data = [number(1, kind), number(2, number_), number(3, 1)]
    if with_port:
        data += [number(5, 2)]
    return _expression("nat", *data)


def to_address(wanted: Address, port_: int = 0) -> list[bytes]:
    """Send the flow to an address, and a port unless that stays."""
    loads = [_load(1, wanted.packed)]
    if port_:
        loads.append(_load(2, struct.pack(">H", port_)))
    return [*loads, _translate(1, wanted.version, with_port=bool(port_))]


def as_address(wanted: Address) -> list[bytes]:
    """Let the flow appear to come from an address."""
    return [_load(1, wanted.packed), _translate(0, wanted.version, with_port=False)]


def to_own_port(port_: int) -> list[bytes]:
    """Send the flow to a port of the namespace itself."""
    return [_load(1, struct.pack(">H", port_)), _expression("redir", number(1, 1))]


def to_one_of(
    batch: Batch,
    table: str,
    backends: Sequence[Address],
    port_: int,
    chosen: Sequence[bytes],
) -> list[bytes]:
    """
    Send the flow to one of several addresses.

    Args:
        batch: Gets the map.
        table: Where.
        backends: Of one family, at least one.
        port_: Of theirs; 0 keeps the flow's.
        chosen: What puts a number below their count into the first register.
    """
    if len(backends) == 1:
        return to_address(backends[0], port_)
    version = backends[0].version
    kind = _TYPE_IPV4 if version == 4 else _TYPE_IPV6
    name = batch.add_map(table, kind, [backend.packed for backend in backends])
    loads = [*chosen, _lookup(name, into=1)]
    if port_:
        loads.append(_load(2, struct.pack(">H", port_)))
    return [*loads, _translate(1, version, with_port=bool(port_))]


def in_turn(count: int) -> list[bytes]:
    """Choose 0, 1, … ``count`` - 1 in turn, for each flow the next."""
    return [_expression("numgen", number(1, 1), number(2, count), number(3, 0))]


def by_source(count: int, version: int, *, with_protocol: bool) -> list[bytes]:
    """Choose by the source's address, and the protocol if wanted."""
    size = 4 if version == 4 else 16
    loads = [_address(version, source=True)]
    if with_protocol:
        # The register behind the address; 32-bit ones are numbered from 8.
        behind = 8 + size // 4
        loads.append(_expression("meta", number(1, behind), number(2, _META_L4PROTO)))
        size += 4
    return [
        *loads,
        _expression(
            "hash",
            number(1, 1),
            number(2, 1),
            number(3, size),
            number(4, count),
            number(5, 0x68637368),
            number(7, 0),
        ),
    ]
