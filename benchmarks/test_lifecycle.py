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
    ours: Callable[[], float],
    others: dict[str, Callable[[], float]],
) -> dict[str, float]:
    """Let ours and the others tell their seconds by turns; give theirs over ours."""
    times: dict[str, list[float]] = {name: [] for name in others}
    mine: list[float] = []

    def turn() -> None:
        for name, work in others.items():
            times[name].append(work())
        mine.append(ours())

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


#: Runs a command once for each line it reads, and tells how long it took. crun wants
#: a machine with cgroups of version 2 alone, so this lives in a mount namespace that
#: shows it one.
TIMER = """
import subprocess, sys, time
subprocess.run(["umount", "-R", "/sys/fs/cgroup"], check=True)
subprocess.run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"], check=True)
for line in sys.stdin:
    begin = time.perf_counter()
    subprocess.run(sys.argv[1:], check=True, stdin=subprocess.DEVNULL)
    print(time.perf_counter() - begin, flush=True)
"""


class OciRuntime:
    """Runs ``true`` with an OCI runtime, over a root file system."""

    def __init__(self, runtime: str, rootfs: Path, folder: Path) -> None:
        assert shutil.which(runtime), f"install {runtime}"
        folder.mkdir()
        subprocess.run([runtime, "spec"], cwd=folder, check=True)
        config = json.loads((folder / "config.json").read_text())
        config["process"].update(args=["true"], terminal=False)
        config["root"] = {"path": str(rootfs), "readonly": True}
        config["linux"].pop("resources", None)
        (folder / "config.json").write_text(json.dumps(config))
        options = ["--cgroup-manager=disabled"] if runtime == "crun" else []
        command = [runtime, *options, "run", "-b", str(folder), f"benchmark-{runtime}"]
        self._timer = subprocess.Popen(
            ["unshare", "-m", sys.executable, "-c", TIMER, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self) -> float:
        """Run it once; give the seconds it took."""
        assert self._timer.stdin is not None
        assert self._timer.stdout is not None
        self._timer.stdin.write("\n")
        self._timer.stdin.flush()
        return float(self._timer.stdout.readline())

    def close(self) -> None:
        """End the timing process."""
        self._timer.communicate()


@pytest.fixture
def runtimes(tmp_path: Path, rootfs: Path) -> Iterator[dict[str, OciRuntime]]:
    """Two OCI runtimes, ready to run ``true``."""
    runtimes = {
        name: OciRuntime(name, rootfs, tmp_path / name) for name in ("crun", "runc")
    }
    yield runtimes
    for runtime in runtimes.values():
        runtime.close()


def test_life_cycle(
    benchmark: BenchmarkFixture, rootfs: Path, runtimes: dict[str, OciRuntime]
) -> None:
    """
    One round: ``crun run``, ``runc run``, and create + start + run ``true`` + wait +
    terminate of ours, over the same root file system.
    """
    ratios = pair(
        benchmark,
        lambda: seconds(lambda: live_once(rootfs)),
        {name: runtime.run for name, runtime in runtimes.items()},
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
            lambda: seconds(lambda: run_true(system)),
            {
                "subprocess": lambda: seconds(
                    lambda: subprocess.run(["true"], check=True)
                )
            },
        )
        system.terminate()

    assert ratios["subprocess"] >= 0.5


FIRST_CALL = "import hcsshim; hcsshim.enumerate_systems()"


def interpreter_seconds(code: str) -> float:
    """Time a fresh interpreter that runs some code."""
    return seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True))


def test_first_call_of_a_fresh_client(benchmark: BenchmarkFixture) -> None:
    """
    One round: a new interpreter that imports the package and makes one call to a
    running host. Floor: the bare interpreter.
    """
    ratios = pair(
        benchmark,
        lambda: interpreter_seconds(FIRST_CALL),
        {"bare": lambda: interpreter_seconds("pass")},
    )

    assert ratios["bare"] > 0
    assert benchmark.extra_info["ours_ms"] < 100
