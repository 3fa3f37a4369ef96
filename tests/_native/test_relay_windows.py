"""The relay on Windows: completion ports, and threads where files have none."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from itertools import count

import pytest

from hcsshim._native.relay import Relay

pytestmark = pytest.mark.windows

if sys.platform == "win32":
    import _winapi

    from hcsshim._native.pipes_windows import Reading, Writing, wait_any

_BROKEN_PIPE = 0x8007006D
_ABORTED = 0x800703E3
_MEGABYTE = 1024 * 1024
_OVERLAPPED = 0x40000000
_names = count()


def pipe(*, overlapped: bool) -> tuple[int, int]:
    """Make a named pipe; give the end to read from, and the one to write to."""
    name = rf"\\.\pipe\hcsshim-test-{os.getpid()}-{next(_names)}"
    flags = _OVERLAPPED if overlapped else 0
    reader = _winapi.CreateNamedPipe(name, 1 | flags, 0, 1, 65536, 65536, 0, 0)
    writer = _winapi.CreateFile(name, _winapi.GENERIC_WRITE, 0, 0, 3, flags, 0)
    return reader, writer


def write(handle: int, data: bytes, *, overlapped: bool) -> None:
    """Write all of it."""
    left = memoryview(data)
    while left:
        if overlapped:
            operation = Writing(handle, bytes(left))
            wait_any([operation.event], 60)
            left = left[operation.finish() :]
        else:
            left = left[_winapi.WriteFile(handle, bytes(left))[0] :]


def read(handle: int, *, overlapped: bool) -> bytes:
    """Read some; ``b""`` is the end."""
    if overlapped:
        operation = Reading(handle, _MEGABYTE)
        if operation.event is not None:
            wait_any([operation.event], 60)
        return operation.finish()
    try:
        return _winapi.ReadFile(handle, _MEGABYTE)[0]
    except BrokenPipeError:
        return b""


@pytest.mark.parametrize("overlapped", [True, False])
def test_everything_comes_through(overlapped: bool) -> None:  # noqa: FBT001 - a parameter
    """Every byte arrives in order, and the end after the last one."""
    source, feed = pipe(overlapped=overlapped)
    drain, target = pipe(overlapped=overlapped)
    data = os.urandom(_MEGABYTE)
    expected = hashlib.sha256(data * 16).digest()
    seen = hashlib.sha256()

    def feed_all() -> None:
        for _ in range(16):
            write(feed, data, overlapped=overlapped)
        _winapi.CloseHandle(feed)

    with Relay() as relay:
        transfer = relay.copy(source, target, own_source=True, own_target=True)
        thread = threading.Thread(target=feed_all)
        thread.start()
        while piece := read(drain, overlapped=overlapped):
            seen.update(piece)
        thread.join()
        outcome = transfer.result(60)
    _winapi.CloseHandle(drain)

    assert (0, 16 * _MEGABYTE) == (outcome.hresult, outcome.bytes)
    assert expected == seen.digest()


@pytest.mark.parametrize("overlapped", [True, False])
def test_cancel(overlapped: bool) -> None:  # noqa: FBT001 - a parameter
    """A cancelled transfer ends, although its read never would."""
    source, feed = pipe(overlapped=overlapped)
    drain, target = pipe(overlapped=overlapped)

    with Relay() as relay:
        transfer = relay.copy(source, target, own_source=True, own_target=True)
        write(feed, b"some", overlapped=overlapped)
        seen = read(drain, overlapped=overlapped)
        transfer.cancel()
        outcome = transfer.result(60)
    for handle in (feed, drain):
        _winapi.CloseHandle(handle)

    assert b"some" == seen
    assert (_ABORTED, 4) == (outcome.hresult, outcome.bytes)


def test_nobody_reads() -> None:
    """A target that nobody reads any more ends the transfer."""
    source, feed = pipe(overlapped=True)
    drain, target = pipe(overlapped=True)
    _winapi.CloseHandle(drain)

    with Relay() as relay:
        transfer = relay.copy(source, target, own_source=True, own_target=True)
        write(feed, b"some", overlapped=True)
        outcome = transfer.result(60)
    _winapi.CloseHandle(feed)

    assert _BROKEN_PIPE == outcome.hresult


def test_what_is_not_owned_stays_usable() -> None:
    """A file that was only lent can be read by its owner afterwards."""
    source, feed = pipe(overlapped=True)
    drain, target = pipe(overlapped=True)

    with Relay() as relay:
        transfer = relay.copy(source, target, own_target=True)
        transfer.cancel()
        assert _ABORTED == transfer.result(60).hresult
    write(feed, b"later", overlapped=True)
    seen = read(source, overlapped=True)
    for handle in (source, feed, drain):
        _winapi.CloseHandle(handle)

    assert b"later" == seen


def test_closing_the_relay_ends_everything() -> None:
    """A relay that is closed leaves no transfer behind."""
    source, feed = pipe(overlapped=True)
    drain, target = pipe(overlapped=False)
    relay = Relay()
    relay.copy(source, target, own_source=True, own_target=True)

    relay.close()

    assert b"" == read(drain, overlapped=True)
    for handle in (feed, drain):
        _winapi.CloseHandle(handle)
