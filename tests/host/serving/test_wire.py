"""The codec of the wire: round trips, and bytes that are no frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcsshim._native import calls
from hcsshim.host.serving import wire

REMOTE = [call for call in calls.table() if call.remote]
U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
TEXT = st.none() | st.text()


@st.composite
def made_calls(
    draw: st.DrawFn,
) -> tuple[calls.Call, int, tuple[wire.Argument, ...]]:
    """Draw a call of the table with fitting arguments."""
    call = draw(st.sampled_from(REMOTE))
    values = {calls.TEXT: TEXT, calls.U32: U32}
    arguments = tuple(draw(values.get(kind, U64)) for kind in call.wire_kinds)
    return call, draw(U64), arguments


def split(frame: bytes) -> tuple[wire.Header, memoryview]:
    """Take a frame apart."""
    return wire.decode_header(frame), memoryview(frame)[wire.HEADER_BYTES :]


@given(made_calls())
def test_call_round_trip(
    made: tuple[calls.Call, int, tuple[wire.Argument, ...]],
) -> None:
    """What a client sends is what the host reads."""
    call, ticket, arguments = made

    header, body = split(wire.encode_call(call, ticket, arguments))

    assert (wire.CALL, call.number, ticket) == (header.kind, header.call, header.id)
    assert list(arguments) == wire.decode_arguments(call.wire_kinds, body)


@given(U64, U32, TEXT, U32, st.integers(0, 7))
def test_answer_round_trip(
    ticket: int, hresult: int, document: str | None, process_id: int, files: int
) -> None:
    """What the host answers is what a client reads."""
    frame = wire.encode_answer(ticket, hresult, document, process_id, files)

    answer = wire.decode_answer(*split(frame))

    assert (ticket, hresult, files, document, process_id, ()) == answer


@given(st.lists(U64, min_size=1, max_size=3))
def test_answer_with_handles_round_trip(handles: list[int]) -> None:
    """On Windows an answer tells the numbers of the handles that came along."""
    mask = (1 << len(handles)) - 1
    frame = wire.encode_answer(5, 0, None, 7, mask, tuple(handles))

    answer = wire.decode_answer(*split(frame))

    assert tuple(handles) == answer.handles


def test_answer_with_missing_handle() -> None:
    """An answer has as many handles as it says."""
    frame = wire.encode_answer(5, 0, None, 7, 3, (1,))

    with pytest.raises(wire.WireError, match="behind an answer"):
        wire.decode_answer(*split(frame))


@given(U64, U32, U32, TEXT)
def test_event_round_trip(
    handle: int, event: int, status: int, data: str | None
) -> None:
    """An event arrives with its handle, kind, status and data."""
    header, body = split(wire.encode_event(handle, event, status, data))

    assert (handle, event, status) == (header.id, header.detail, header.hresult)
    assert data == wire.decode_event(header, body)


@given(st.text())
def test_hello_round_trip(name: str) -> None:
    """The host learns the client's name."""
    assert name == wire.decode_hello(*split(wire.encode_hello(name)))


def test_welcome_round_trip() -> None:
    """A client learns the host's version and process id."""
    header, body = split(wire.encode_welcome("1.0", 42))

    assert wire.decode_welcome(header, body) == "1.0"
    assert header.detail == 42


@given(made_calls(), st.data())
def test_truncated_call_is_refused(
    made: tuple[calls.Call, int, tuple[wire.Argument, ...]], data: st.DataObject
) -> None:
    """A body that is shorter than its arguments is no call."""
    call, ticket, arguments = made
    _, body = split(wire.encode_call(call, ticket, arguments))
    if len(body) == 0:
        return
    cut = data.draw(st.integers(0, len(body) - 1))

    with pytest.raises(wire.WireError):
        wire.decode_arguments(call.wire_kinds, body[:cut])


@given(made_calls(), st.binary(min_size=1))
def test_longer_call_is_refused(
    made: tuple[calls.Call, int, tuple[wire.Argument, ...]], more: bytes
) -> None:
    """Bytes behind the last argument are no call."""
    call, ticket, arguments = made
    _, body = split(wire.encode_call(call, ticket, arguments))

    with pytest.raises(wire.WireError):
        wire.decode_arguments(call.wire_kinds, memoryview(bytes(body) + more))


@given(st.binary(), st.sampled_from(REMOTE))
def test_garbage_is_read_or_refused(garbage: bytes, call: calls.Call) -> None:
    """Whatever the bytes, they are arguments or a WireError, nothing else."""
    try:
        found = wire.decode_arguments(call.wire_kinds, memoryview(garbage))
    except wire.WireError:
        return
    assert len(found) == len(call.wire_kinds)


@given(st.binary(min_size=wire.HEADER_BYTES, max_size=wire.HEADER_BYTES))
def test_header_length_is_bounded(raw: bytes) -> None:
    """No frame is shorter than its header or longer than the largest."""
    length = int.from_bytes(raw[:4], "little")
    fits = wire.HEADER_BYTES <= length <= wire.LARGEST_FRAME
    if fits:
        assert wire.decode_header(raw).length == length
    else:
        with pytest.raises(wire.WireError):
            wire.decode_header(raw)


def test_text_that_is_not_utf8() -> None:
    """A text of other bytes is refused, not guessed at."""
    with pytest.raises(wire.WireError, match="UTF-8"):
        wire.decode_text(memoryview(b"\x01\0\0\0\xff"), 0)


def test_too_large_a_frame_is_not_written() -> None:
    """A frame that no host would take is refused where it is made."""
    create = next(c for c in REMOTE if c.name == "HcsCreateComputeSystem")

    with pytest.raises(wire.WireError, match="bytes"):
        wire.encode_call(create, 1, ("id", "x" * wire.LARGEST_FRAME, 1))


def test_answer_of_another_kind() -> None:
    """Frames are read as what they are."""
    header, body = split(wire.encode_cancel(1))

    with pytest.raises(wire.WireError, match="answer"):
        wire.decode_answer(header, body)
    with pytest.raises(wire.WireError, match="hello"):
        wire.decode_hello(header, body)
    with pytest.raises(wire.WireError, match="welcome"):
        wire.decode_welcome(header, body)
    with pytest.raises(wire.WireError, match="event"):
        wire.decode_event(header, body)
