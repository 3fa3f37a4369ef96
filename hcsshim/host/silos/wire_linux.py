"""
How the host and the silo program speak: the packets of ``csrc/silo/silo.h``.

Numbers are native, for both ends are on one machine.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hcsshim.host.silos.port import (
        Command,
        Confinement,
        MappedDirectory,
        SiloConfig,
    )

CONFIGURE: Final = 1
START: Final = 2
SIGNAL: Final = 3
TERMINATE: Final = 4
MAP: Final = 5
UNMAP: Final = 6

LAUNCHED: Final = 1
READY: Final = 2
FAILED: Final = 3
STARTED: Final = 4
REFUSED: Final = 5
EXITED: Final = 6
EMPTY: Final = 7

IN_MEMORY: Final = 1
STANDARD_STREAMS: Final = (2, 4, 8)

INLINE_MAX: Final = 64 * 1024
REPLY_MAX: Final = 16 * 1024

_REQUEST = struct.Struct("=IIQiiII")
_REPLY = struct.Struct("=IiQiIII")
_NUMBER = struct.Struct("=I")
_CONFINEMENT = struct.Struct("=IIQ")
_LIMIT = struct.Struct("=IQQ")

_HAS_CAPABILITIES, _HAS_UMASK, _NO_NEW_PRIVILEGES = 1, 2, 4


@attrs.frozen
class Packet:
    """
    A request ready to be sent.

    Args:
        data: Head, and the payload where it is short.
        files: Descriptors to send along.
        memory: The one of ``files`` that holds a long payload and is ours to
            close once sent; -1 without one.
    """

    data: bytes
    files: tuple[int, ...] = ()
    memory: int = -1


@attrs.frozen
class Reply:
    """What the silo program answered; the fields are those of the header."""

    kind: int
    pid: int
    token: int
    status: int
    stage: str
    path: str


def _text(value: str) -> bytes:
    data = os.fsencode(value)
    if b"\0" in data:
        raise ValueError(f"a NUL character in {value!r}")
    return b"%b%b\0" % (_NUMBER.pack(len(data)), data)


def _texts(values: Iterable[str]) -> bytes:
    parts = [_text(value) for value in values]
    return _NUMBER.pack(len(parts)) + b"".join(parts)


def _mapping(directory: MappedDirectory) -> bytes:
    return b"".join(
        (
            _NUMBER.pack(directory.read_only),
            _text(str(directory.source)),
            _text(directory.target),
        )
    )


def request(  # noqa: PLR0913 (the fields of the structure)
    kind: int,
    payload: bytes = b"",
    *,
    token: int = 0,
    pid: int = 0,
    number: int = 0,
    streams: tuple[int, int, int] = (-1, -1, -1),
) -> Packet:
    """
    Build a request; a long payload goes into a memory file.

    Args:
        kind: One of the request kinds of this module.
        payload: As the kind wants it.
        token: Comes back in the answer.
        pid: Of :data:`SIGNAL`.
        number: Of :data:`SIGNAL`.
        streams: Descriptors to send, -1 for none.
    """
    flags = 0
    files: list[int] = []
    memory = -1
    if len(payload) > INLINE_MAX:
        flags |= IN_MEMORY
        memory = _to_memory(payload)
        files.append(memory)
    for bit, file in zip(STANDARD_STREAMS, streams, strict=True):
        if file >= 0:
            flags |= bit
            files.append(file)
    head = _REQUEST.pack(kind, len(payload), token, pid, number, flags, 0)
    inline = b"" if memory >= 0 else payload
    return Packet(head + inline, tuple(files), memory)


def _to_memory(payload: bytes) -> int:
    memory = os.memfd_create("payload", os.MFD_CLOEXEC)
    rest = memoryview(payload)
    while rest:
        rest = rest[os.write(memory, rest) :]
    return memory


def configure(config: SiloConfig) -> Packet:
    """Build the request that a silo begins with."""
    scratch = "" if config.scratch is None else str(config.scratch)
    mappings = [_mapping(directory) for directory in config.mapped_directories]
    payload = b"".join(
        (
            _NUMBER.pack(config.isolated),
            _NUMBER.pack(config.scratch is not None),
            _NUMBER.pack(config.root),
            _text(config.hostname),
            _text(scratch),
            _texts(str(layer) for layer in config.layers),
            _NUMBER.pack(len(mappings)),
            *mappings,
        )
    )
    return request(CONFIGURE, payload)


def _confinement(confinement: Confinement) -> bytes:
    capabilities, umask = confinement.capabilities, confinement.umask
    flags = (
        (_HAS_CAPABILITIES if capabilities is not None else 0)
        | (_HAS_UMASK if umask is not None else 0)
        | (_NO_NEW_PRIVILEGES if confinement.no_new_privileges else 0)
    )
    return b"".join(
        (
            _CONFINEMENT.pack(flags, umask or 0, capabilities or 0),
            _NUMBER.pack(len(confinement.groups)),
            *(_NUMBER.pack(group) for group in confinement.groups),
            _NUMBER.pack(len(confinement.limits)),
            *(_LIMIT.pack(*limit) for limit in confinement.limits),
        )
    )


def start(token: int, command: Command) -> Packet:
    """
    Build the request to start a command.

    Raises:
        ValueError: A text holds a NUL character.
    """
    rows, columns = command.console or (0, 0)
    payload = b"".join(
        (
            _NUMBER.pack(command.console is not None),
            _NUMBER.pack(min(max(rows, 0), 0xFFFF)),
            _NUMBER.pack(min(max(columns, 0), 0xFFFF)),
            _text(command.user),
            _text(command.directory),
            _texts(command.arguments),
            _texts(f"{key}={value}" for key, value in command.environment.items()),
            _confinement(command.confinement),
        )
    )
    streams = (-1, -1, -1) if command.console is not None else command.files
    return request(START, payload, token=token, streams=streams)


def map_directory(directory: MappedDirectory) -> Packet:
    """Build the request to mount a directory in a running silo."""
    return request(MAP, _mapping(directory))


def unmap_directory(target: str) -> Packet:
    """Build the request to unmount a directory of a running silo."""
    return request(UNMAP, _NUMBER.pack(0) + _text("") + _text(target))


def reply(data: bytes) -> Reply:
    """
    Take a reply apart.

    Raises:
        ValueError: Its lengths do not add up.
    """
    if len(data) < _REPLY.size:
        raise ValueError("a reply of the silo program is too short")
    kind, pid, token, status, stage_size, path_size, _ = _REPLY.unpack_from(data)
    text = data[_REPLY.size :]
    if stage_size + path_size != len(text):
        raise ValueError("a reply of the silo program has the wrong length")
    stage = text[:stage_size].decode()
    path = os.fsdecode(text[stage_size:])
    return Reply(kind, pid, token, status, stage, path)
