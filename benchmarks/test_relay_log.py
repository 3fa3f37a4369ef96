"""Lines that pass through the relay and are kept in a log, beside Python's own way."""

from __future__ import annotations

import os
import statistics
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from hcsshim._native.relay import Relay

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

LINE = b"2024-05-06 07:08:09 INFO worker: request 12345 answered with 200 in 12 ms\n"
LINES = 200_000
ROUNDS = 3


def by_python(source: Path, log: Path) -> None:
    """Frame every line in Python, as a program without the relay would."""
    with source.open("rb") as lines, log.open("wb") as file:
        for line in lines:
            now = datetime.now(timezone.utc).isoformat().encode()
            file.write(b"%s stdout F %s" % (now, line))


def by_relay(relay: Relay, source: Path, log: Path | None) -> None:
    """Let the relay pass the file on, and keep a log if one is named."""
    null = os.open(os.devnull, os.O_WRONLY)
    given = os.open(source, os.O_RDONLY)
    kept = -1
    if log is not None:
        kept = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    with relay.copy(given, null, log=kept) as transfer:
        assert 0 == transfer.result(120).hresult
    for file in (null, given, kept):
        if file >= 0:
            os.close(file)


def test_log(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """
    One round: 200 000 lines passed on with a log, without one, and framed in Python.
    """
    source, ours, theirs = (tmp_path / name for name in ("source", "ours", "theirs"))
    source.write_bytes(LINE * LINES)
    times: dict[str, list[float]] = {"ours": [], "floor": [], "python": []}
    relay = Relay()

    def timed(name: str) -> None:
        begin = time.perf_counter()
        if name == "python":
            by_python(source, theirs)
        else:
            by_relay(relay, source, ours if name == "ours" else None)
        times[name].append(time.perf_counter() - begin)

    def turn() -> None:
        for name in times:
            timed(name)

    benchmark.pedantic(turn, rounds=ROUNDS)
    relay.close()
    assert LINES == ours.read_bytes().count(b" stdout F ")
    faster = statistics.median(
        python / own for python, own in zip(times["python"], times["ours"], strict=True)
    )
    benchmark.extra_info.update(
        bytes=len(LINE) * LINES,
        ours_mb_per_s=len(LINE) * LINES / statistics.median(times["ours"]) / 1e6,
        floor_mb_per_s=len(LINE) * LINES / statistics.median(times["floor"]) / 1e6,
        faster_than_python=faster,
    )
    assert faster > 3
