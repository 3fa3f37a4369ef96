"""
The life of a compute system and of a process, beside what others take.

Ratios are medians of ratios, each of two runs close together: the machine's speed
changes under us.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from itertools import count
from typing import TYPE_CHECKING

import pytest

from hcsshim import ComputeSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 25
_ids = count()


def document(rootfs: Path) -> dict[str, object]:
    """Describe a container over one layer."""
    return {
        "SchemaVersion": {"Major": 2, "Minor": 1},
        "Owner": "benchmark",
        "ShouldTerminateOnLastHandleClosed": True,
        "Container": {
            "Storage": {
                "Layers": [
                    {"Id": "00000000-0000-0000-0000-000000000001", "Path": str(rootfs)}
                ]
            }
        },
    }


def run_true(system: ComputeSystem) -> None:
    """Run ``true`` and wait for its end."""
    with system.create_process(
        ["true"], stdin=False, stdout=False, stderr=False
    ) as process:
        assert 0 == process.wait()


def live_once(rootfs: Path) -> None:
    """Create, start, run ``true``, wait, terminate."""
    with ComputeSystem.create(f"cycle-{next(_ids)}", document(rootfs)) as system:
        system.start()
        run_true(system)
        system.terminate()


def seconds(work: Callable[[], object]) -> float:
    """Time one run."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def pair(
    benchmark: BenchmarkFixture,
    ours: Callable[[], object],
    others: dict[str, Callable[[], object]],
) -> dict[str, float]:
    """Time ours and the others by turns; note and give theirs over ours."""
    times: dict[str, list[float]] = {name: [] for name in others}
    mine: list[float] = []

    def turn() -> None:
        for name, work in others.items():
            times[name].append(seconds(work))
        mine.append(seconds(ours))

    ours()
    benchmark.pedantic(turn, rounds=ROUNDS)
    ratios = {
        name: statistics.median(o / m for o, m in zip(times[name], mine, strict=True))
        for name in others
    }
    benchmark.extra_info["ours_ms"] = statistics.median(mine) * 1000
    for name, ratio in ratios.items():
        benchmark.extra_info[f"{name}_ms"] = statistics.median(times[name]) * 1000
        benchmark.extra_info[f"{name}_over_ours"] = ratio
    return ratios


@pytest.fixture
def bundle(tmp_path: Path, rootfs: Path) -> Iterator[Callable[[str], list[str]]]:
    """Give the command by which an OCI runtime runs ``true`` in the same root."""

    def command(runtime: str) -> list[str]:
        assert shutil.which(runtime), f"install {runtime}"
        folder = tmp_path / runtime
        folder.mkdir()
        subprocess.run([runtime, "spec"], cwd=folder, check=True)
        config = json.loads((folder / "config.json").read_text())
        config["process"].update(args=["true"], terminal=False)
        config["root"] = {"path": str(rootfs), "readonly": True}
        config["linux"].pop("resources", None)
        (folder / "config.json").write_text(json.dumps(config))
        options = ["--cgroup-manager=disabled"] if runtime == "crun" else []
        return [runtime, *options, "run", "-b", str(folder), f"benchmark-{runtime}"]

    yield command
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_life_cycle(
    benchmark: BenchmarkFixture,
    rootfs: Path,
    bundle: Callable[[str], list[str]],
) -> None:
    """
    One round: ``crun run``, ``runc run``, and create + start + run ``true`` + wait +
    terminate of ours, over the same root file system.
    """
    crun, runc = bundle("crun"), bundle("runc")

    ratios = pair(
        benchmark,
        lambda: live_once(rootfs),
        {
            "crun": lambda: subprocess.run(crun, check=True, stdin=subprocess.DEVNULL),
            "runc": lambda: subprocess.run(runc, check=True, stdin=subprocess.DEVNULL),
        },
    )

    assert ratios["crun"] >= 2
    assert ratios["runc"] >= 8


def test_process_in_a_running_system(benchmark: BenchmarkFixture, rootfs: Path) -> None:
    """
    One round: ``true`` in a running system. Floor: ``subprocess.run(["true"])``.
    """
    with ComputeSystem.create(f"running-{next(_ids)}", document(rootfs)) as system:
        system.start()
        ratios = pair(
            benchmark,
            lambda: run_true(system),
            {"subprocess": lambda: subprocess.run(["true"], check=True)},
        )
        system.terminate()

    assert ratios["subprocess"] >= 0.5


FIRST_CALL = """
import hcsshim
assert hcsshim.enumerate_systems() == [] or True
"""


def test_first_call_of_a_fresh_client(benchmark: BenchmarkFixture) -> None:
    """
    One round: a new interpreter that imports the package and makes one call to a
    running host. Floor: the bare interpreter.
    """
    ratios = pair(
        benchmark,
        lambda: subprocess.run([sys.executable, "-c", FIRST_CALL], check=True),
        {"bare": lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)},
    )

    assert ratios["bare"] > 0
    assert benchmark.extra_info["ours_ms"] < 100
