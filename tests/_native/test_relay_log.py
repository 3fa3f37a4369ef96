"""What the relay keeps of stdio: lines in the format of the runtime interface."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcsshim._native.relay import Relay, shared
from hcsshim.errors import HcsError

if TYPE_CHECKING:
    from pathlib import Path

LINE = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (stdout|stderr) ([PF]) (.*)", re.DOTALL
)
LONGEST = 16 * 1024
patient = settings(deadline=None, max_examples=60)


def relayed(
    pieces: list[bytes], path: Path, *, stream: int = 1, relay: Relay | None = None
) -> bytes:
    """Send pieces through the relay with a log; give what reached the target."""
    source, writer = os.pipe()
    reader, target = os.pipe()
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    transfer = (relay or shared()).copy(
        source, target, own_source=True, own_target=True, log=log, log_stream=stream
    )
    os.close(log)
    received = b""
    for piece in pieces:
        os.write(writer, piece)
        left = len(piece)
        while left:  # piece by piece: what comes is what one call of the kernel gave
            part = os.read(reader, left)
            received += part
            left -= len(part)
    os.close(writer)
    with transfer:
        outcome = transfer.result(60)
    assert 0 == outcome.hresult
    received += os.read(reader, 1)
    os.close(reader)
    return received


def parse(data: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Split a log into stream, tag and content of each entry."""
    entries = []
    for line in data.split(b"\n")[:-1]:
        match = LINE.fullmatch(line)
        assert match is not None, line
        entries.append((match[2], match[3], match[4]))
    assert data == b"" or data.endswith(b"\n")
    return entries


def joined(entries: list[tuple[bytes, bytes, bytes]]) -> list[bytes]:
    """Put the parts of long lines together."""
    lines, line = [], b""
    for _, tag, content in entries:
        line += content
        if tag == b"F":
            lines.append(line)
            line = b""
    assert not line
    return lines


@patient
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([b"\n", b"\n\n", b"x" * 20000, b"y" * LONGEST]),
        ),
        max_size=6,
    )
)
def test_nothing_is_lost(tmp_path_factory: pytest.TempPathFactory, pieces) -> None:  # noqa: ANN001 - hypothesis'
    """
    However the bytes come, the lines of the log are those of the stream.
    """
    path = tmp_path_factory.mktemp("log") / "log"
    pieces = [piece for piece in pieces if piece]
    whole = b"".join(pieces)

    received = relayed(pieces, path)

    assert whole == received
    entries = parse(path.read_bytes())
    lines = whole.split(b"\n")
    assert (lines if lines[-1] else lines[:-1]) == joined(entries)
    assert all(len(content) <= LONGEST for _, _, content in entries)
    assert {b"stdout"} >= {stream for stream, _, _ in entries}


@pytest.mark.parametrize(
    ("length", "tags"),
    [
        (0, b"F"),
        (LONGEST - 1, b"F"),
        (LONGEST, b"F"),
        (LONGEST + 1, b"PF"),
        (2 * LONGEST, b"PF"),
        (2 * LONGEST + 1, b"PPF"),
    ],
)
def test_long_lines_are_split(tmp_path: Path, length: int, tags: bytes) -> None:
    """
    A line up to 16 KiB is whole; of a longer one every part but the last says so.
    """
    relayed([b"z" * length + b"\n"], tmp_path / "log")

    entries = parse((tmp_path / "log").read_bytes())
    assert tags == b"".join(tag for _, tag, _ in entries)


def test_times_and_streams(tmp_path: Path) -> None:
    """
    An entry has the time at which its line was complete, in UTC, and its stream.
    """
    before = datetime.now(timezone.utc) - timedelta(milliseconds=1)
    relayed([b"one\n"], tmp_path / "log", stream=2)
    after = datetime.now(timezone.utc) + timedelta(milliseconds=1)

    match = LINE.match((tmp_path / "log").read_bytes())
    assert match is not None
    assert b"stderr" == match[2]
    text = match[1].decode()
    moment = datetime.fromisoformat(f"{text[:26]}+00:00")
    assert before <= moment <= after


def test_two_streams_share_a_log(tmp_path: Path) -> None:
    """
    A log is added to, whoever else writes into it.
    """
    relayed([b"out\n"], tmp_path / "log")
    relayed([b"err\n", b"no end"], tmp_path / "log", stream=2)

    assert [
        (b"stdout", b"F", b"out"),
        (b"stderr", b"F", b"err"),
        (b"stderr", b"F", b"no end"),
    ] == parse((tmp_path / "log").read_bytes())


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    """
    The bytes arrive all the same; the outcome tells what became of the log.
    """
    path = tmp_path / "log"
    path.touch()
    source, writer = os.pipe()
    reader, target = os.pipe()
    log = os.open(path, os.O_RDONLY)
    transfer = shared().copy(
        source, target, own_source=True, own_target=True, log=log, log_stream=1
    )
    os.close(log)
    os.write(writer, b"line\n")
    os.close(writer)

    with transfer:
        outcome = transfer.result(60)

    assert outcome.hresult & 0x80000000
    assert b"line\n" == os.read(reader, 10)
    os.close(reader)
    assert b"" == path.read_bytes()


def test_a_log_is_a_regular_file() -> None:
    """
    Anything that could block is refused, and nothing was handed over.
    """
    reader, writer = os.pipe()
    with pytest.raises(HcsError):
        shared().copy(reader, writer, own_source=True, log=writer)
    with pytest.raises(HcsError):
        shared().copy(reader, writer, log=-7)
    os.close(reader)
    os.close(writer)
