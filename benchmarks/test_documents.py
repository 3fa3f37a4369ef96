"""How fast documents are read and written, beside ``json`` doing the same text."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from hcsshim import documents

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

FIRST_CALL = """
from hcsshim import documents as d
d.dumps(d.ComputeSystem(
    owner="x",
    container=d.Container(
        storage=d.Storage(layers=(d.Layer(id="1", path="2"),), path="3"),
        mapped_directories=(d.MappedDirectory(host_path="4", container_path="5"),),
    ),
))
d.dumps(d.ProcessParameters(command_line="x", environment={"A": "B"}))
"""


def make_text(count: int) -> str:
    """Make a container document with so many layers and directories."""
    store = "C:\\ProgramData\\containerd\\root\\io.containerd.snapshotter.v1.windows"
    system = documents.ComputeSystem(
        owner="benchmark",
        schema_version=documents.Version(major=2, minor=1),
        container=documents.Container(
            storage=documents.Storage(
                layers=tuple(
                    documents.Layer(
                        id=f"{number:08x}-f8df-58df-8c9f-6332d08f06e0",
                        path=f"{store}\\snapshots\\{number}",
                    )
                    for number in range(count)
                ),
                path="\\\\?\\Volume{a447ecf4-fa27-4444-804b-f2df20374646}\\",
            ),
            mapped_directories=tuple(
                documents.MappedDirectory(
                    host_path=f"{store}\\volumes\\{number}",
                    container_path=f"C:\\data\\{number}",
                    read_only=True,
                )
                for number in range(count)
            ),
        ),
        should_terminate_on_last_handle_closed=True,
    )
    return documents.dumps(system)


@pytest.mark.parametrize("count", [1, 100], ids=["small", "30kB"])
def test_round_trip(benchmark: BenchmarkFixture, count: int) -> None:
    """One round parses a ComputeSystem and writes it."""
    text = make_text(count)
    benchmark.extra_info["bytes"] = len(text)

    written = benchmark(
        lambda: documents.dumps(documents.loads(documents.ComputeSystem, text))
    )

    assert written == text


@pytest.mark.parametrize("count", [1, 100], ids=["small", "30kB"])
def test_round_trip_floor(benchmark: BenchmarkFixture, count: int) -> None:
    """One round is ``json`` parsing and writing the same text."""
    text = make_text(count)
    benchmark.extra_info["bytes"] = len(text)

    written = benchmark(lambda: json.dumps(json.loads(text), separators=(",", ":")))

    assert written == text


def best_of(work: Callable[[], object], rounds: int = 50) -> float:
    """Time the fastest of several rounds, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def test_round_trip_within_five_times_of_json() -> None:
    """The typed way costs at most five times what ``json`` alone does."""
    text = make_text(100)
    raw = json.loads(text)

    typed = best_of(
        lambda: documents.dumps(documents.loads(documents.ComputeSystem, text))
    )
    plain = best_of(lambda: (json.loads(text), json.dumps(raw)))

    assert typed / plain < 5


def test_build(benchmark: BenchmarkFixture) -> None:
    """One round builds a process document and writes it."""
    environment = {f"NAME_{number}": "value" for number in range(20)}

    benchmark(
        lambda: documents.dumps(
            documents.ProcessParameters(
                command_line="cmd /c ver",
                environment=environment,
                create_std_out_pipe=True,
            )
        )
    )


@pytest.mark.parametrize(
    "code", ["pass", "import attrs", FIRST_CALL], ids=["python", "attrs", "documents"]
)
def test_first_call(benchmark: BenchmarkFixture, code: str) -> None:
    """One round is an interpreter that starts, runs the code, and ends."""
    benchmark.pedantic(
        subprocess.run,
        args=([sys.executable, "-c", code],),
        kwargs={"check": True},
        rounds=10,
        warmup_rounds=1,
    )
