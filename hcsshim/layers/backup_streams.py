"""
Win32 backup streams: what ``BackupRead`` gives of a file, and what is in them.

A file is a run of streams, each with an id. These functions are for files that fit
into memory; :mod:`hcsshim.layers.backup_tar` converts whole layers.
"""

from __future__ import annotations

import enum
import struct
from typing import TYPE_CHECKING

import attrs

from hcsshim.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Id, attributes, size, bytes of the name.
_HEAD = struct.Struct("<IIQI")
_OFFSET = struct.Struct("<Q")
#: Next entry, flags, bytes of the name, bytes of the value.
_EA = struct.Struct("<IBBH")
#: Tag, bytes that follow, reserved.
_REPARSE = struct.Struct("<IHH")
#: Offset and bytes of the system's name, and of the one that is shown.
_NAMES = struct.Struct("<HHHH")
_MOUNT_POINT = 0xA0000003
_SYMLINK = 0xA000000C
#: The attribute of a stream whose data may follow in blocks.
SPARSE = 8


class StreamId(enum.IntEnum):
    """
    What a stream has.

    Source:
        ``WIN32_STREAM_ID``; [MS-BKUP] 2.1.
    """

    DATA = 1
    EA_DATA = 2
    SECURITY_DATA = 3
    ALTERNATE_DATA = 4
    LINK = 5
    PROPERTY_DATA = 6
    OBJECT_ID = 7
    REPARSE_DATA = 8
    SPARSE_BLOCK = 9
    TXFS_DATA = 10
    GHOSTED_FILE_EXTENTS = 11


@attrs.frozen(kw_only=True)
class BackupStream:
    """
    One stream of a file.

    Attributes:
        id: What it has.
        data: Its bytes; of a sparse block those after its offset.
        attributes: Bits; 8: sparse blocks follow.
        name: Of alternate data: ``":name:$DATA"``. Halves of pairs are kept.
        offset: Of a sparse block, where its data belongs.
    """

    id: StreamId = attrs.field(converter=StreamId)
    data: bytes = b""
    attributes: int = 0
    name: str = ""
    offset: int | None = None


def _damaged(what: str, offset: int) -> InvalidDataError:
    return InvalidDataError(message=f"The backup stream {what}, at byte {offset}.")


def split_streams(data: bytes) -> Iterator[BackupStream]:
    """
    Take a backup stream apart.

    Args:
        data: The whole of a file.

    Yields:
        Its streams, in order.

    Raises:
        InvalidDataError: It ends too early, or has an id that nobody knows.
    """
    at = 0
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise _damaged("ends inside a head", at)
        number, attributes, size, name_length = _HEAD.unpack_from(data, at)
        if number not in StreamId.__members__.values():
            raise _damaged(f"has an unknown id {number}", at)
        start = at + _HEAD.size + name_length
        if start + size > len(data):
            raise _damaged("ends inside a stream", at)
        name = data[at + _HEAD.size : start].decode("utf-16-le", "surrogatepass")
        body = data[start : start + size]
        offset = None
        if number == StreamId.SPARSE_BLOCK:
            if size < _OFFSET.size:
                raise _damaged("has a sparse block without an offset", at)
            (offset,) = _OFFSET.unpack_from(body)
            body = body[_OFFSET.size :]
        yield BackupStream(
            id=number, data=body, attributes=attributes, name=name, offset=offset
        )
        at = start + size


def join_streams(streams: Iterable[BackupStream]) -> bytes:
    """Put streams together into a file, the other way of :func:`split_streams`."""
    parts = []
    for stream in streams:
        name = stream.name.encode("utf-16-le", "surrogatepass")
        body = stream.data
        if stream.offset is not None:
            body = _OFFSET.pack(stream.offset) + body
        parts.append(_HEAD.pack(stream.id, stream.attributes, len(body), len(name)))
        parts += [name, body]
    return b"".join(parts)


@attrs.frozen
class ExtendedAttribute:
    """
    An extended attribute of NTFS.

    Attributes:
        name: 1 to 255 bytes, usually ASCII in capitals.
        value: At most 65535 bytes.
        flags: Bits; 0x80: whoever does not know it must not open the file.
    """

    name: bytes = attrs.field(validator=attrs.validators.min_len(1))
    value: bytes
    flags: int = 0


def decode_extended_attributes(data: bytes) -> list[ExtendedAttribute]:
    """
    Take a list of extended attributes apart.

    Raises:
        InvalidDataError: It is damaged.

    Source:
        ``FILE_FULL_EA_INFORMATION``.
    """
    found = []
    at = 0
    while at < len(data):
        if len(data) - at < _EA.size + 1:
            raise InvalidDataError(message="The extended attributes end too early.")
        after, flags, name_length, value_length = _EA.unpack_from(data, at)
        name_end = at + _EA.size + name_length
        end = name_end + 1 + value_length
        if end > len(data) or (after and not end - at <= after <= len(data) - at):
            raise InvalidDataError(message="The extended attributes do not fit.")
        found.append(
            ExtendedAttribute(
                data[at + _EA.size : name_end], data[name_end + 1 : end], flags
            )
        )
        at = at + after if after else len(data)
    return found


def encode_extended_attributes(attributes: Iterable[ExtendedAttribute]) -> bytes:
    """Put extended attributes together, the other way of decoding them."""
    entries = []
    for attribute in attributes:
        body = attribute.name + b"\0" + attribute.value
        head = (attribute.flags, len(attribute.name), len(attribute.value))
        entries.append((head, body))
    parts = []
    for index, (head, body) in enumerate(entries):
        size = _EA.size + len(body) + (-(_EA.size + len(body)) % 4)
        last = index + 1 == len(entries)
        entry = _EA.pack(0 if last else size, *head) + body
        parts.append(entry.ljust(size, b"\0"))
    return b"".join(parts)


@attrs.frozen
class ReparsePoint:
    r"""
    A symbolic link or a junction.

    Attributes:
        target: ``"C:\\x"``, ``"..\\x"``, ``"\\\\server\\share"``.
        is_mount_point: A junction, or a mounted volume.
    """

    target: str
    is_mount_point: bool = False


def decode_reparse_point(data: bytes) -> ReparsePoint:
    """
    Read where a symbolic link or a junction leads.

    Raises:
        InvalidDataError: It is damaged, or another kind of reparse point.

    Source:
        ``REPARSE_DATA_BUFFER``.
    """
    if len(data) < _REPARSE.size + _NAMES.size:
        raise InvalidDataError(message="The reparse point ends too early.")
    tag = _REPARSE.unpack_from(data)[0]
    if tag not in {_MOUNT_POINT, _SYMLINK}:
        raise InvalidDataError(message=f"The reparse point 0x{tag:08X} is no link.")
    substitute, substitute_size, shown, size = _NAMES.unpack_from(data, _REPARSE.size)
    start = _REPARSE.size + _NAMES.size + (4 if tag == _SYMLINK else 0)
    if size == 0:
        shown, size = substitute, substitute_size
    if start + shown + size > len(data):
        raise InvalidDataError(message="The reparse point ends too early.")
    target = data[start + shown : start + shown + size]
    text = target.decode("utf-16-le", "surrogatepass")
    if text.startswith("\\??\\UNC\\"):
        text = "\\" + text[7:]
    elif text.startswith("\\??\\"):
        text = text[4:]
    return ReparsePoint(text, tag == _MOUNT_POINT)


def encode_reparse_point(point: ReparsePoint) -> bytes:
    """
    Make the bytes of a symbolic link or a junction.

    Raises:
        ValueError: The target is too long.
    """
    target = point.target
    relative = False
    if target.startswith("\\\\?\\"):
        native = "\\??\\" + target[4:]
    elif target.startswith("\\\\"):
        native = "\\??\\UNC\\" + target[2:]
    elif target[1:2] == ":":
        native = "\\??\\" + target
    else:
        native, relative = target, True
    system, shown = (
        text.encode("utf-16-le", "surrogatepass") for text in (native, target)
    )
    body = _NAMES.pack(0, len(system), len(system) + 2, len(shown))
    if not point.is_mount_point:
        body += struct.pack("<I", relative)
    body += system + b"\0\0" + shown + b"\0\0"
    if len(body) > 0xFFFF:
        raise ValueError("the target of the link is too long")
    tag = _MOUNT_POINT if point.is_mount_point else _SYMLINK
    return _REPARSE.pack(tag, len(body), 0) + body
