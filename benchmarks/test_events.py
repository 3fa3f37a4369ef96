"""
How fast events get from a foreign native thread to Python.

Each row has its floor beside it in ``extra_info``: the same wake-up through a
bare eventfd, or, for callbacks, a ctypes callback into Python.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import statistics
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hcsshim._ffi import ffi, lib
from hcsshim._native.events import EventQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_benchmark.fixture import BenchmarkFixture

COUNT = 1000
INTERVAL_US = 300
POST = int(ffi.cast("uintptr_t", ffi.addressof(lib, "hcsshim_queue_post")))
CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int32,
    ctypes.c_void_p,
    ctypes.c_uint64,
    ctypes.c_uint32,
    ctypes.c_int32,
    ctypes.c_char_p,
    ctypes.c_size_t,
)


class Foreign:
    """The thread of ``foreign.c``."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._library.begin.argtypes = [
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self.begun = (ctypes.c_uint64 * (COUNT * 1000))()
        self.took = (ctypes.c_uint64 * (COUNT * 1000))()

    def begin(
        self,
        *,
        queue: EventQueue | None = None,
        post: int = POST,
        file: int = -1,
        count: int = COUNT,
        interval_us: int = INTERVAL_US,
    ) -> None:
        """Let it post, or ring ``file``, ``count`` times."""
        native = 0 if queue is None else int(ffi.cast("uintptr_t", queue.native))
        assert 0 == self._library.begin(
            post, native, file, count, interval_us, self.begun, self.took
        )

    def finish(self) -> None:
        """Wait until it is done."""
        self._library.finish()

    def microseconds_taken(self) -> list[float]:
        """How long its calls took, sorted."""
        return sorted(value / 1000 for value in self.took[:COUNT])

    def microseconds_late(self, woken: list[int]) -> float:
        """The median time from the post to the wake-up."""
        return statistics.median(
            (end - begin) / 1000
            for begin, end in zip(self.begun[: len(woken)], woken, strict=True)
        )


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    """A foreign native thread."""
    library = tmp_path_factory.mktemp("foreign") / "foreign.so"
    source = Path(__file__).with_name("foreign.c")
    subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-lpthread"],
        check=True,
    )
    return Foreign(ctypes.CDLL(str(library)))


@pytest.fixture
def spinning() -> Iterator[None]:
    """Two Python threads that compute, so that the GIL is always wanted."""
    stop = False

    def spin() -> None:
        while not stop:
            sum(range(1000))

    threads = [threading.Thread(target=spin) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield
    stop = True
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("spinning")
def test_callback_while_python_computes(
    benchmark: BenchmarkFixture, foreign: Foreign
) -> None:
    """
    One round: 1000 events posted by a foreign thread, 300 us apart, while two
    Python threads compute. Floor: the same through a ctypes callback.
    """
    queue = EventQueue()

    def post() -> None:
        foreign.begin(queue=queue)
        foreign.finish()

    benchmark.pedantic(post, rounds=3)
    ours = foreign.microseconds_taken()

    callback = CALLBACK(lambda *_: 0)
    foreign.begin(
        post=ctypes.cast(callback, ctypes.c_void_p).value or 0, count=COUNT // 4
    )
    foreign.finish()
    theirs = sorted(value / 1000 for value in foreign.took[: COUNT // 4])

    benchmark.extra_info.update(
        median_us=statistics.median(ours),
        p99_us=ours[int(COUNT * 0.99)],
        ctypes_median_us=statistics.median(theirs),
    )
    assert statistics.median(ours) < 2
    assert ours[int(COUNT * 0.99)] < 50


def wake_median(foreign: Foreign, wait: Callable[[], int], **begin: object) -> float:
    """
    Give the median time in us from a post to the return of ``wait``, which tells
    how many posts it saw: two may come close together.
    """
    woken: list[int] = []
    foreign.begin(**begin)  # type: ignore[arg-type] # passed on
    while len(woken) < COUNT:
        seen = wait()
        woken += [time.monotonic_ns()] * seen
    foreign.finish()
    return foreign.microseconds_late(woken)


async def async_wake_median(
    foreign: Foreign, watched: int, take: Callable[[], int], **begin: object
) -> float:
    """As :func:`wake_median`, for a callback of the running loop."""
    loop = asyncio.get_running_loop()
    woken: list[int] = []
    done = loop.create_future()

    def ready() -> None:
        seen = take()
        woken.extend([time.monotonic_ns()] * seen)
        if len(woken) == COUNT:
            done.set_result(None)

    loop.add_reader(watched, ready)
    foreign.begin(**begin)  # type: ignore[arg-type] # passed on
    await done
    loop.remove_reader(watched)
    foreign.finish()
    return foreign.microseconds_late(woken)


def paired(
    benchmark: BenchmarkFixture, ours: Callable[[], float], floor: Callable[[], float]
) -> float:
    """Time both by turns, note the medians, and give the median ratio."""
    floors, times = [], []

    def turn() -> None:
        floors.append(floor())
        times.append(ours())

    benchmark.pedantic(turn, rounds=5)
    ratio = statistics.median(o / f for o, f in zip(times, floors, strict=True))
    benchmark.extra_info.update(
        median_us=statistics.median(times),
        floor_us=statistics.median(floors),
        ratio=ratio,
    )
    return ratio


def test_blocked_wait(benchmark: BenchmarkFixture, foreign: Foreign) -> None:
    """
    One round: 1000 events, 300 us apart, each waking a blocked wait. Floor: an
    eventfd and a blocked ``os.read``. Placement: as the kernel likes.
    """
    queue = EventQueue()
    file = os.eventfd(0)

    def wait() -> int:
        return len(queue.drain(1.0))

    def read() -> int:
        return int.from_bytes(os.read(file, 8), "little")

    ratio = paired(
        benchmark,
        lambda: wake_median(foreign, wait, queue=queue),
        lambda: wake_median(foreign, read, file=file),
    )
    os.close(file)
    assert ratio < 2


def test_asyncio_waiter(benchmark: BenchmarkFixture, foreign: Foreign) -> None:
    """
    One round: 1000 events, 300 us apart, each waking a task. Floor: the same
    loop with ``add_reader`` on an eventfd.
    """
    queue = EventQueue()
    file = os.eventfd(0, os.EFD_NONBLOCK)

    def take() -> int:
        return len(queue.drain())

    def read() -> int:
        return int.from_bytes(os.read(file, 8), "little")

    ratio = paired(
        benchmark,
        lambda: asyncio.run(
            async_wake_median(foreign, queue.fileno(), take, queue=queue)
        ),
        lambda: asyncio.run(async_wake_median(foreign, file, read, file=file)),
    )
    os.close(file)
    assert ratio < 2


def test_drain(benchmark: BenchmarkFixture, foreign: Foreign) -> None:
    """
    One round: 300,000 events of 32 bytes, posted before, drained to tuples.
    """
    count = 300_000
    queue = EventQueue()

    def post() -> None:
        foreign.begin(queue=queue, count=count, interval_us=0)
        foreign.finish()

    def drain() -> int:
        drained = 0
        while batch := queue.drain():
            drained += len(batch)
        return drained

    assert count == benchmark.pedantic(drain, setup=post, rounds=5)
    rate = count / benchmark.stats.stats.median
    benchmark.extra_info["events_per_second"] = round(rate)
    assert rate > 1_000_000
