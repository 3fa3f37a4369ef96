"""The stdio relay, with every kind of file at both ends."""

from __future__ import annotations

import hashlib
import os
import pty
import random
import select
import socket
import threading
import tty
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcsshim._native.relay import Outcome, Relay, shared
from hcsshim.errors import HandleClosedError, HcsError, HcsTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN_PIPE = 0x8007006D
ABORTED = 0x800703E3


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay of the test's own, which leaves no descriptor behind."""
    before = open_files()
    with Relay() as relay:
        yield relay
    assert before == open_files()


def open_files() -> set[str]:
    """Name the descriptors that this process has open."""
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def read_all(file: int) -> bytes:
    """Read a descriptor to its end, and close it."""
    with open(file, "rb") as stream:
        return stream.read()


def write_all(file: int, data: bytes) -> threading.Thread:
    """Write on a thread, then close."""

    def run() -> None:
        with open(file, "wb") as stream:
            stream.write(data)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def ends(kind: str) -> tuple[int, int]:
    """Make two connected descriptors: to read from, to write into."""
    if kind == "pipe":
        return os.pipe()
    if kind == "socket":
        one, other = socket.socketpair()
        one.shutdown(socket.SHUT_WR)
        return one.detach(), other.detach()
    master, slave = pty.openpty()
    tty.setraw(slave)
    return master, slave


def some_bytes(size: int) -> bytes:
    """Make bytes that do not repeat."""
    return random.Random(size).randbytes(size)  # noqa: S311 - no secret


@pytest.mark.parametrize("size", [0, 1, 65536, 5_000_000])
@pytest.mark.parametrize("target", ["pipe", "socket"])
@pytest.mark.parametrize("source", ["pipe", "socket", "terminal"])
def test_every_byte_arrives(relay: Relay, source: str, target: str, size: int) -> None:
    """
    All bytes arrive in order, and the reader sees the end.
    """
    data = some_bytes(min(size, 200_000) if source == "terminal" else size)
    source_read, source_write = ends(source)
    target_read, target_write = ends(target)

    with relay.copy(
        source_read, target_write, own_source=True, own_target=True
    ) as transfer:
        writer = write_all(source_write, data)
        assert hashlib.sha256(data).digest() == (
            hashlib.sha256(read_all(target_read)).digest()
        )
        assert Outcome(0, len(data)) == transfer.result(5)
    writer.join()


@pytest.mark.parametrize("mode", ["wb", "ab"])
def test_regular_files(relay: Relay, tmp_path: Path, mode: str) -> None:
    """
    Regular files serve at both ends, appending ones too.
    """
    data = some_bytes(3_000_000)
    (tmp_path / "source").write_bytes(data)
    (tmp_path / "target").write_bytes(b"")

    with (
        (tmp_path / "source").open("rb") as source,
        (tmp_path / "target").open(mode) as target,
        relay.copy(source.fileno(), target.fileno()) as transfer,
    ):
        assert Outcome(0, len(data)) == transfer.result(5)
    assert data == (tmp_path / "target").read_bytes()

    read_end, write_end = os.pipe()
    with (
        (tmp_path / "source").open("rb") as source,
        (tmp_path / "other").open(mode) as target,
    ):
        relay.copy(source.fileno(), write_end, own_target=True)
        with relay.copy(read_end, target.fileno(), own_source=True) as transfer:
            assert Outcome(0, len(data)) == transfer.result(5)
    assert data == (tmp_path / "other").read_bytes()


def test_output_to_a_terminal(relay: Relay) -> None:
    """
    A terminal as target gets all bytes, however slowly it is read.
    """
    data = some_bytes(300_000)
    master, slave = ends("terminal")
    source_read, source_write = os.pipe()
    transfer = relay.copy(source_read, slave, own_source=True)
    writer = write_all(source_write, data)
    received = b""
    while len(received) < len(data):
        received += os.read(master, 1000)

    assert data == received
    assert Outcome(0, len(data)) == transfer.result(5)
    assert os.get_blocking(slave), "others who use the terminal must not notice"
    transfer.close()
    writer.join()
    os.close(master)
    os.close(slave)


@given(st.lists(st.binary(max_size=5000), max_size=30))
def test_any_chunks_arrive_exactly(chunks: list[bytes]) -> None:
    """
    However the bytes are cut, they arrive as they are.
    """
    source_read, source_write = os.pipe()
    target_read, target_write = os.pipe()
    with shared().copy(source_read, target_write, own_source=True, own_target=True):
        reader: list[bytes] = []
        thread = threading.Thread(target=lambda: reader.append(read_all(target_read)))
        thread.start()
        for chunk in chunks:
            os.write(source_write, chunk)
        os.close(source_write)
        thread.join()

    assert b"".join(chunks) == reader[0]


def test_target_without_a_reader(relay: Relay) -> None:
    """
    A target that nobody reads any more ends the transfer with ERROR_BROKEN_PIPE.
    """
    source_read, source_write = os.pipe()
    target_read, target_write = os.pipe()
    os.close(target_read)

    with relay.copy(
        source_read, target_write, own_source=True, own_target=True
    ) as transfer:
        os.write(source_write, b"x")
        assert BROKEN_PIPE == transfer.result(5).hresult
        with pytest.raises(BrokenPipeError):
            os.write(source_write, b"the source was closed, too")
    os.close(source_write)


def test_backpressure_does_not_stop_others(relay: Relay) -> None:
    """
    A target that is not read holds its own source back, and no other transfer.
    """
    stuck_read, stuck_write = os.pipe()
    full_read, full_write = os.pipe()
    stuck = relay.copy(stuck_read, full_write, own_source=True, own_target=True)
    os.set_blocking(stuck_write, False)
    written = 0
    while select.select([], [stuck_write], [], 0.2)[1]:
        written += os.write(stuck_write, bytes(65536))

    source_read, source_write = os.pipe()
    target_read, target_write = os.pipe()
    with relay.copy(
        source_read, target_write, own_source=True, own_target=True
    ) as transfer:
        os.write(source_write, b"through")
        assert b"through" == os.read(target_read, 100)
        os.close(source_write)
        assert Outcome(0, 7) == transfer.result(5)

    assert written < 4_000_000
    os.close(stuck_write)
    assert written == len(read_all(full_read))
    assert Outcome(0, written) == stuck.result(5)
    stuck.close()
    os.close(target_read)


def test_cancel_closes_what_was_handed_over(relay: Relay) -> None:
    """
    A cancelled transfer ends at once, and its files are closed.
    """
    source_read, source_write = os.pipe()
    target_read, target_write = os.pipe()
    transfer = relay.copy(source_read, target_write, own_source=True, own_target=True)
    with pytest.raises(HcsTimeoutError):
        transfer.result(0.01)

    transfer.cancel()

    assert Outcome(ABORTED, 0) == transfer.result(5)
    assert b"" == read_all(target_read)
    with pytest.raises(BrokenPipeError):
        os.write(source_write, b"x")
    transfer.close()
    transfer.close()
    os.close(source_write)


def test_closed_transfer_is_refused(relay: Relay) -> None:
    """
    A transfer that was closed has no outcome to wait for.
    """
    read_end, write_end = os.pipe()
    transfer = relay.copy(read_end, write_end)
    transfer.close()

    with pytest.raises(HandleClosedError):
        transfer.result(0)
    os.close(read_end)
    os.close(write_end)


def test_what_is_not_handed_over_stays_open(relay: Relay) -> None:
    """
    Borrowed descriptors stay the caller's, and blocking.
    """
    source_read, source_write = os.pipe()
    target_read, target_write = os.pipe()
    transfer = relay.copy(source_read, target_write)
    os.write(source_write, b"abc")
    os.close(source_write)

    assert Outcome(0, 3) == transfer.result(5)
    assert os.get_blocking(source_read)
    assert os.get_blocking(target_write)
    os.write(target_write, b"def")
    assert b"abcdef" == os.read(target_read, 100)
    transfer.close()
    for file in (source_read, target_read, target_write):
        os.close(file)


def test_bad_descriptors_are_refused(relay: Relay) -> None:
    """
    A descriptor that is not open is refused, and nothing was handed over.
    """
    read_end, write_end = os.pipe()

    with pytest.raises(HcsError, match="0x80070006"):
        relay.copy(read_end, 10_000, own_source=True)
    with pytest.raises(HcsError, match="0x80070006"):
        relay.copy(10_000, write_end, own_target=True)

    os.write(write_end, b"still open")
    assert b"still open" == os.read(read_end, 100)
    os.close(read_end)
    os.close(write_end)


def test_thousands_of_transfers_cost_one_thread(relay: Relay) -> None:
    """
    3,000 transfers at once run on one thread, each byte-exact.
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    count = min(3000, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100) // 4)
    threads = len(list(Path("/proc/self/task").iterdir()))
    pipes = []
    for number in range(count):
        source_read, source_write = os.pipe()
        target_read, target_write = os.pipe()
        transfer = relay.copy(
            source_read, target_write, own_source=True, own_target=True
        )
        pipes.append((number, source_write, target_read, transfer))
    assert threads == len(list(Path("/proc/self/task").iterdir()))
    for number, source_write, _, _ in pipes:
        os.write(source_write, b"%d" % number)
        os.close(source_write)
    for number, _, target_read, transfer in pipes:
        with transfer:
            assert b"%d" % number == read_all(target_read)
            assert 0 == transfer.result(5).hresult
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_freeing_with_transfers_under_way() -> None:
    """
    Closing the relay ends what runs, and closes every file.
    """
    before = open_files()
    relay = Relay()
    pipes = [(os.pipe(), os.pipe()) for _ in range(20)]
    for source, target in pipes:
        relay.copy(source[0], target[1], own_source=True, own_target=True)
        os.write(source[1], b"x")

    relay.close()

    for source, target in pipes:
        os.close(source[1])
        os.close(target[0])
    assert before == open_files()


def test_shared_relay_survives_a_fork() -> None:
    """
    A forked child gets a relay of its own.
    """
    parent = shared()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if shared() is not parent else 1)

    assert 0 == os.waitpid(pid, 0)[1]
    assert shared() is parent
