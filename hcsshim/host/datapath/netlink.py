"""
The form of netlink messages: headers, and nested type-length-value records.

Source:
    linux/netlink.h.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

REQUEST: Final = 1
ACK: Final = 4
DUMP: Final = 0x300
CREATE: Final = 0x400
APPEND: Final = 0x800
ERROR: Final = 2
_DONE: Final = 3
_NESTED: Final = 0x8000
_TYPE_MASK: Final = 0x3FFF

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_SIGNED = struct.Struct("=i")
_RECEIVE: Final = 64 * 1024


def attribute(kind: int, value: bytes) -> bytes:
    """Encode one record, padded to four bytes."""
    return _ATTRIBUTE.pack(len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def text(kind: int, value: str) -> bytes:
    """Encode a text, with the NUL the kernel wants."""
    return attribute(kind, value.encode() + b"\0")


def number(kind: int, value: int) -> bytes:
    """Encode a 32-bit number."""
    return attribute(kind, struct.pack(">I", value & 0xFFFFFFFF))


def nested(kind: int, *records: bytes) -> bytes:
    """Encode a record of records."""
    return attribute(kind | _NESTED, b"".join(records))


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Decode the records of a message."""
    at = 0
    while at + 4 <= len(data):
        size, kind = _ATTRIBUTE.unpack_from(data, at)
        if size < 4 or at + size > len(data):
            return
        yield kind & _TYPE_MASK, data[at + 4 : at + size]
        at += size + (-size % 4)


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """Encode a message."""
    size = _HEADER.size + len(body)
    padding = b"\0" * (-size % 4)
    return _HEADER.pack(size, kind, flags, sequence, 0) + body + padding


def split(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Split what was received: kind, sequence number, body."""
    at = 0
    while at + _HEADER.size <= len(data):
        size, kind, _, sequence, _ = _HEADER.unpack_from(data, at)
        if size < _HEADER.size or at + size > len(data):
            return
        yield kind, sequence, data[at + _HEADER.size : at + size]
        at += size + (-size % 4)


def outcome(body: bytes) -> int:
    """Give the errno of an answer that is an error or an acknowledgement."""
    (code,) = _SIGNED.unpack_from(body)
    return -int(code)


def receive(stream: socket.socket) -> Iterator[tuple[int, int, bytes]]:
    """Receive some messages."""
    return split(stream.recv(_RECEIVE))


def ask(stream: socket.socket, kind: int, body: bytes) -> None:
    """
    Ask for a change, and wait until it is made.

    Raises:
        OSError: The kernel refuses.
    """
    stream.send(message(kind, REQUEST | ACK, 1, body))
    for answer, _, data in receive(stream):
        code = outcome(data) if answer == ERROR else 0
        if code:
            raise OSError(code, os.strerror(code))


def dump(stream: socket.socket, kind: int, body: bytes) -> list[bytes]:
    """
    Ask for a list, and receive it.

    Raises:
        OSError: The kernel refuses.
    """
    stream.send(message(kind, REQUEST | DUMP, 1, body))
    found: list[bytes] = []
    while True:
        for answer, _, data in receive(stream):
            if answer == _DONE:
                return found
            if answer == ERROR:
                code = outcome(data)
                raise OSError(code, os.strerror(code))
            found.append(data)
