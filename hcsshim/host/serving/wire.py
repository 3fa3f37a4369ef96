"""
The frames of ``csrc/native/wire.h``: bytes to values and back, nothing else.

Both directions are here, since the tests are clients of their own. Decoders trust
no length; what breaks the rules raises :class:`WireError`.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from hcsshim._native import calls

MAGIC = 0x4D49485353434801
VERSION = 1
HEADER_BYTES = 24
LARGEST_FRAME = 64 * 1024 * 1024
NO_TEXT = 0xFFFFFFFF

HELLO = 1
WELCOME = 2
CALL = 3
ANSWER = 4
EVENT = 5
CANCEL = 6

_HEADER = Struct("<IHHQII")
_U32 = Struct("<I")
_U64 = Struct("<Q")

#: An argument of a call; a handle is a number.
Argument = str | int | None


class WireError(Exception):
    """What came is no frame of this protocol; the connection is past help."""


class Header(NamedTuple):
    """The first 24 bytes of a frame; ``wire.h`` says what each field is."""

    length: int
    kind: int
    call: int
    id: int
    hresult: int
    detail: int


class Answer(NamedTuple):
    """The body of an answer, with what its header says of it."""

    ticket: int
    hresult: int
    files: int
    document: str | None
    process_id: int
    handles: tuple[int, ...] = ()


def decode_header(buffer: bytes | bytearray | memoryview, offset: int = 0) -> Header:
    """
    Read a frame's header.

    Raises:
        WireError: The length is one that no frame has.
    """
    header = Header._make(_HEADER.unpack_from(buffer, offset))
    if not HEADER_BYTES <= header.length <= LARGEST_FRAME:
        raise WireError(f"a frame of {header.length} bytes")
    return header


def _frame(  # noqa: PLR0913 - the fields of a header
    kind: int,
    body: bytes,
    *,
    call: int = 0,
    number: int = 0,
    hresult: int = 0,
    detail: int = 0,
) -> bytes:
    length = HEADER_BYTES + len(body)
    if length > LARGEST_FRAME:
        raise WireError(f"a frame of {length} bytes")
    header = _HEADER.pack(length, kind, call, number, hresult & 0xFFFFFFFF, detail)
    return header + body


def encode_text(text: str | None) -> bytes:
    """Write a text with its length."""
    if text is None:
        return b"\xff\xff\xff\xff"
    data = text.encode("utf-8", "surrogatepass")
    return _U32.pack(len(data)) + data


def decode_text(body: memoryview, offset: int) -> tuple[str | None, int]:
    """
    Read a text.

    Returns:
        The text, and the offset behind it.

    Raises:
        WireError: It does not end in the body, or is not UTF-8.
    """
    start = offset + 4
    if start > len(body):
        raise WireError("a frame that ends within a length")
    (length,) = _U32.unpack_from(body, offset)
    if length == NO_TEXT:
        return None, start
    end = start + length
    if end > len(body):
        raise WireError("a text that is longer than its frame")
    try:
        return str(body[start:end], "utf-8"), end
    except UnicodeDecodeError:
        raise WireError("a text that is not UTF-8") from None


def _decode_number(body: memoryview, offset: int, size: int) -> tuple[int, int]:
    end = offset + size
    if end > len(body):
        raise WireError("a frame that ends within a number")
    number: int = (_U32 if size == _U32.size else _U64).unpack_from(body, offset)[0]
    return number, end


def encode_hello(name: str) -> bytes:
    """Write a client's first frame."""
    return _frame(HELLO, encode_text(name), number=MAGIC, detail=VERSION)


def decode_hello(header: Header, body: memoryview) -> str:
    """
    Read a client's first frame.

    Returns:
        What the client calls itself.

    Raises:
        WireError: It is not a hello. Its version is for the caller to judge.
    """
    if header.kind != HELLO or header.id != MAGIC:
        raise WireError("something other than a hello")
    if header.detail != VERSION:
        return ""  # another version may go on differently
    name, end = decode_text(body, 0)
    if end != len(body):
        raise WireError("bytes behind a hello")
    return name or ""


def encode_welcome(version: str, process_id: int, hresult: int = 0) -> bytes:
    """Write the host's first frame."""
    return _frame(WELCOME, encode_text(version), hresult=hresult, detail=process_id)


def decode_welcome(header: Header, body: memoryview) -> str:
    """Read the host's first frame: its version."""
    if header.kind != WELCOME:
        raise WireError("something other than a welcome")
    return decode_text(body, 0)[0] or ""


def encode_call(
    call: calls.Call, ticket: int, arguments: tuple[Argument, ...]
) -> bytes:
    """
    Write a call.

    Args:
        call: Its row.
        ticket: 0 if no answer is wanted.
        arguments: For each of the row's ``wire_kinds``.
    """
    parts: list[bytes] = []
    for kind, argument in zip(call.wire_kinds, arguments, strict=True):
        if kind == calls.TEXT:
            if isinstance(argument, int):
                raise TypeError(f"{call.name} takes a text, not {argument!r}")
            parts.append(encode_text(argument))
        elif not isinstance(argument, int):
            raise TypeError(f"{call.name} takes a number, not {argument!r}")
        else:
            parts.append((_U32 if kind == calls.U32 else _U64).pack(argument))
    return _frame(CALL, b"".join(parts), call=call.number, number=ticket)


def decode_arguments(kinds: tuple[int, ...], body: memoryview) -> list[Argument]:
    """
    Read the arguments of a call.

    Args:
        kinds: The ``wire_kinds`` of the call.
        body: Of its frame.

    Raises:
        WireError: They do not fit the frame exactly.
    """
    arguments: list[Argument] = []
    offset = 0
    value: Argument
    for kind in kinds:
        if kind == calls.TEXT:
            value, offset = decode_text(body, offset)
        else:
            size = 4 if kind == calls.U32 else 8
            value, offset = _decode_number(body, offset, size)
        arguments.append(value)
    if offset != len(body):
        raise WireError("bytes behind the last argument")
    return arguments


def encode_answer(  # noqa: PLR0913, PLR0917 - the parts of an answer
    ticket: int,
    hresult: int,
    document: str | None,
    process_id: int,
    files: int,
    handles: tuple[int, ...] = (),
) -> bytes:
    """
    Write the answer of a call.

    Args:
        ticket: Of the call.
        hresult: The outcome.
        document: The result document, or the answer of a query.
        process_id: Of a created process; else 0.
        files: Bit 0 to 2: a descriptor for stdin, stdout, stderr goes along.
        handles: On Windows, their numbers in the client's process.
    """
    body = encode_text(document) + _U32.pack(process_id)
    body += b"".join(_U64.pack(handle) for handle in handles)
    return _frame(ANSWER, body, number=ticket, hresult=hresult, detail=files)


def decode_answer(header: Header, body: memoryview) -> Answer:
    """Read the answer of a call."""
    if header.kind != ANSWER:
        raise WireError("something other than an answer")
    document, offset = decode_text(body, 0)
    process_id, offset = _decode_number(body, offset, 4)
    handles = []
    while offset < len(body):
        handle, offset = _decode_number(body, offset, 8)
        handles.append(handle)
    if len(handles) not in (0, header.detail.bit_count()):
        raise WireError("bytes behind an answer")
    return Answer(
        header.id,
        header.hresult,
        header.detail,
        document,
        process_id,
        tuple(handles),
    )


def encode_event(handle: int, event: int, status: int, data: str | None) -> bytes:
    """Write an event of a handle."""
    return _frame(EVENT, encode_text(data), number=handle, hresult=status, detail=event)


def decode_event(header: Header, body: memoryview) -> str | None:
    """Read the data of an event; all else is in the header."""
    if header.kind != EVENT:
        raise WireError("something other than an event")
    data, end = decode_text(body, 0)
    if end != len(body):
        raise WireError("bytes behind an event")
    return data


def encode_cancel(ticket: int) -> bytes:
    """Write that nobody waits for a call any more."""
    return _frame(CANCEL, b"", number=ticket)
