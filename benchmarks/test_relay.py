"""
The stdio relay beside a bare splice loop and beside ``cat``.

Ratios are medians of ratios, each of runs close together. Pipes are of 1 MiB for
ours and for the splice loop, of the usual 64 KiB for ``cat``.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hcsshim import ComputeSystem
from hcsshim._native.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

BYTES = 2 << 30
PIPE_BYTES = 1 << 20
ROUNDS = 7


@pytest.fixture(scope="module")
def pipes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program of ``pipes.c``."""
    program = tmp_path_factory.mktemp("pipes") / "pipes"
    source = Path(__file__).with_name("pipes.c")
    subprocess.run(
        ["cc", "-O2", "-static", "-D_GNU_SOURCE", "-o", program, source], check=True
    )
    return str(program)


def pipe(size: int | None) -> tuple[int, int]:
    """Make a pipe, of a size if one is given."""
    read_end, write_end = os.pipe()
    if size is not None:
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, size)
    return read_end, write_end


def flow(
    program: str, between: Callable[[int, int], Callable[[], object]], size: int | None
) -> float:
    """
    Time the way of all bytes from a producer, through something, to a consumer.

    ``between`` takes the two descriptors over, and gives what waits for its end.
    """
    first, second = pipe(size), pipe(size)
    begin = time.perf_counter()
    producer = subprocess.Popen([program, "produce", str(BYTES)], stdout=first[1])
    consumer = subprocess.Popen([program, "consume"], stdin=second[0])
    os.close(first[1])
    os.close(second[0])
    finish = between(first[0], second[1])
    finish()
    assert 0 == consumer.wait()
    seconds = time.perf_counter() - begin
    assert 0 == producer.wait()
    return seconds


def process_between(*command: str) -> Callable[[int, int], Callable[[], object]]:
    """Put a process between producer and consumer."""

    def between(source: int, target: int) -> Callable[[], object]:
        process = subprocess.Popen(command, stdin=source, stdout=target)
        os.close(source)
        os.close(target)
        return process.wait

    return between


def test_pipe_to_pipe(benchmark: BenchmarkFixture, pipes: str) -> None:
    """
    One round: 2 GiB through our relay, a bare C splice loop, and ``cat``.
    """
    times: dict[str, list[float]] = {"ours": [], "splice": [], "cat": []}
    relay = Relay()

    def ours(source: int, target: int) -> Callable[[], object]:
        return relay.copy(source, target, own_source=True, own_target=True).result

    def turn() -> None:
        splice = process_between(pipes, "splice")
        times["splice"].append(flow(pipes, splice, PIPE_BYTES))
        times["ours"].append(flow(pipes, ours, PIPE_BYTES))
        times["cat"].append(flow(pipes, process_between("cat"), None))

    benchmark.pedantic(turn, rounds=ROUNDS)
    relay.close()
    over_splice = median_ratio(times["ours"], times["splice"])
    cat_over_ours = median_ratio(times["cat"], times["ours"])
    benchmark.extra_info.update(
        bytes=BYTES,
        ours_gb_per_s=BYTES / statistics.median(times["ours"]) / 1e9,
        ours_over_splice=over_splice,
        cat_over_ours=cat_over_ours,
    )
    assert over_splice < 1.5
    assert cat_over_ours > 5


def median_ratio(ours: list[float], theirs: list[float]) -> float:
    """Give the median of the ratios, turn by turn."""
    return statistics.median(o / t for o, t in zip(ours, theirs, strict=True))


def drop(read: Callable[[], int]) -> None:
    """Read to the end."""
    while read():
        pass


def test_into_python_memory(benchmark: BenchmarkFixture, rootfs: Path) -> None:
    """
    One round: 1 GiB from a process of a system into a buffer of ours, and from a
    subprocess through ``os.read``.
    """
    size = 1 << 30
    command = ["head", "-c", str(size), "/dev/zero"]
    document = {
        "SchemaVersion": {"Major": 2, "Minor": 1},
        "ShouldTerminateOnLastHandleClosed": True,
        "Container": {
            "Storage": {
                "Layers": [
                    {"Id": "00000000-0000-0000-0000-000000000002", "Path": str(rootfs)}
                ]
            }
        },
    }
    times: dict[str, list[float]] = {"ours": [], "os.read": []}

    def floor() -> float:
        process = subprocess.Popen(
            [str(rootfs / "bin" / "busybox"), *command], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        file = process.stdout.fileno()
        begin = time.perf_counter()
        drop(lambda: len(os.read(file, 65536)))
        seconds = time.perf_counter() - begin
        process.communicate()
        return seconds

    def ours(system: ComputeSystem) -> float:
        with system.create_process(command, stdin=False, stderr=False) as process:
            assert process.stdout is not None
            stream = process.stdout
            begin = time.perf_counter()
            drop(lambda: len(stream.read1(65536)))
            seconds = time.perf_counter() - begin
            process.wait()
            return seconds

    with ComputeSystem.create("benchmark-read", document) as system:
        system.start()

        def turn() -> None:
            times["os.read"].append(floor())
            times["ours"].append(ours(system))

        benchmark.pedantic(turn, rounds=ROUNDS)
        system.terminate()
    ratio = median_ratio(times["ours"], times["os.read"])
    benchmark.extra_info.update(bytes=size, ours_over_os_read=ratio)
    assert ratio < 1.5


def echo_median_us(send: Callable[[], object], receive: Callable[[], object]) -> float:
    """Give the median time of a byte's way there and back."""
    times = []
    for _ in range(3000):
        begin = time.perf_counter_ns()
        send()
        receive()
        times.append((time.perf_counter_ns() - begin) / 1000)
    return statistics.median(times)


def test_echo(benchmark: BenchmarkFixture, pipes: str, rootfs: Path) -> None:
    """
    One round: 3000 one-byte echoes through a process of a system, and through a
    subprocess on a bare pipe pair. Everything on one CPU.
    """
    shutil.copy(pipes, rootfs / "bin" / "pipes")
    document = {
        "SchemaVersion": {"Major": 2, "Minor": 1},
        "ShouldTerminateOnLastHandleClosed": True,
        "Container": {
            "Storage": {
                "Layers": [
                    {"Id": "00000000-0000-0000-0000-000000000003", "Path": str(rootfs)}
                ]
            }
        },
    }
    cpus = os.sched_getaffinity(0)
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    with ComputeSystem.create("benchmark-echo", document) as system:
        system.start()
        with (
            subprocess.Popen(
                [pipes, "echo"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            ) as bare,
            system.create_process(["pipes", "echo"], stderr=False) as process,
        ):
            assert bare.stdin is not None
            assert bare.stdout is not None
            assert process.stdin is not None
            assert process.stdout is not None
            one = bare.stdin.fileno(), bare.stdout.fileno()
            raw = process.stdin.raw, process.stdout.raw
            os.sched_setaffinity(0, {min(cpus)})
            os.sched_setaffinity(bare.pid, {min(cpus)})
            pin_processes("pipes", min(cpus))

            def turn() -> None:
                times["bare"].append(
                    echo_median_us(
                        lambda: os.write(one[0], b"x"), lambda: os.read(one[1], 1)
                    )
                )
                times["ours"].append(
                    echo_median_us(lambda: raw[0].write(b"x"), lambda: raw[1].read(1))
                )

            benchmark.pedantic(turn, rounds=ROUNDS)
            os.sched_setaffinity(0, cpus)
            bare.stdin.close()
            process.stdin.close()
            process.wait()
        system.terminate()
    ratio = median_ratio(times["ours"], times["bare"])
    benchmark.extra_info.update(
        ours_us=statistics.median(times["ours"]),
        bare_us=statistics.median(times["bare"]),
        ours_over_bare=ratio,
    )
    assert ratio < 1.5


def pin_processes(name: str, cpu: int) -> None:
    """Pin every process of a name to one CPU."""
    for status in Path("/proc").glob("[0-9]*/comm"):
        if status.read_text().strip() == name:
            os.sched_setaffinity(int(status.parent.name), {cpu})
