r"""
Two clients of the same DLLs: this library, and a program that somebody else wrote.

Only for Windows, or Wine, our DLLs lying in the system directory::

    tests/wine/python -m hcsshim host dlls 'C:\windows\system32'
    HCSSHIM_PEER='Z:\tmp\peer.exe' tests/wine/python -m pytest -s \
        -p no:cacheprovider benchmarks/test_dll_clients.py

``HCSSHIM_PEER`` is a program that prints how many seconds ``PROGRAM GENERATION
OPERATION COUNT [COMMAND]`` took, its own start left out. ``GENERATION`` is the DLL,
``computecore`` or ``vmcompute``. The operations, each in containers of a document
that says no more than their owner:

``lifecycle``
    ``COUNT`` times: create, start, terminate, wait, close; one more before, unmeasured.
``run``
    The same, with ``COMMAND`` run in between, its output read and its code asked for.
``output``
    ``COMMAND`` prints ``COUNT`` bytes, which are read in pieces of 128 KiB.
``input``
    ``COMMAND`` is written ``COUNT`` bytes in pieces of 128 KiB, then the end.

The two take turns, so that both meet the same machine. Measured with the Go library's
packages for both DLLs, on Wine 8 and two cores: lifecycle 0.8 to 1.0 of Go's time, run
0.9 to 1.05, output 0.87, input 1.13. The bounds leave room for noise.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from itertools import count

import pytest

from hcsshim import ComputeSystem
from hcsshim._native.system import SystemService

pytestmark = [
    pytest.mark.skipif(sys.platform != "win32", reason="only for Windows"),
    pytest.mark.skipif(
        "HCSSHIM_PEER" not in os.environ, reason="HCSSHIM_PEER names no other client"
    ),
]

ROUNDS = 5
CYCLES = 40
RUNS = 5
BYTES = 256 * 1024 * 1024
PIECE = 128 * 1024
HELLO = "cmd /c echo hello"
_LOOP = f"for _ in range({BYTES // PIECE}): "
WRITER = f'"{sys.executable}" -c "import os\nb = bytes({PIECE})\n{_LOOP}os.write(1, b)"'
READER = f'"{sys.executable}" -c "import os\nwhile os.read(0, {PIECE}): pass"'
_ids = count()


def started(service: SystemService) -> ComputeSystem:
    """Create and start a container."""
    system = ComputeSystem.create(
        f"ours-{os.getpid()}-{next(_ids)}",
        {
            "Owner": "bench",
            "SchemaVersion": {"Major": 2, "Minor": 1},
            "ShouldTerminateOnLastHandleClosed": True,
            "Container": {},
        },
        service=service,
    )
    system.start()
    return system


def end(system: ComputeSystem) -> None:
    """End a container."""
    system.terminate()
    system.wait()
    system.close()


def lifecycle(service: SystemService, cycles: int, _command: str) -> None:
    """Live as often."""
    for _ in range(cycles):
        end(started(service))


def run(service: SystemService, cycles: int, command: str) -> None:
    """Live as often, and run a command each time."""
    for _ in range(cycles):
        system = started(service)
        with system.create_process(command, stdin=False, stderr=False) as process:
            assert process.stdout is not None
            assert process.stdout.read() == b"hello\r\n"
            assert process.wait() == 0
        end(system)


def read_output(system: ComputeSystem, size: int, command: str) -> None:
    """Read what a command prints."""
    left = size
    buffer = bytearray(PIECE)
    with system.create_process(command, stdin=False, stderr=False) as process:
        assert process.stdout is not None
        while got := process.stdout.readinto1(buffer):
            left -= got
        assert process.wait() == 0
    assert left == 0


def write_input(system: ComputeSystem, size: int, command: str) -> None:
    """Write to a command."""
    piece = bytes(PIECE)
    with system.create_process(command, stdout=False, stderr=False) as process:
        assert process.stdin is not None
        for _ in range(size // PIECE):
            process.stdin.write(piece)
        process.stdin.close()
        assert process.wait() == 0


def ours(service: SystemService, operation: str, amount: int, command: str) -> float:
    """Measure this library, in seconds."""
    if operation in {"lifecycle", "run"}:
        end(started(service))
        began = time.perf_counter()
        {"lifecycle": lifecycle, "run": run}[operation](service, amount, command)
        return time.perf_counter() - began
    system = started(service)
    began = time.perf_counter()
    move = {"output": read_output, "input": write_input}[operation]
    move(system, amount, command)
    took = time.perf_counter() - began
    end(system)
    return took


def peer(generation: str, operation: str, amount: int, command: str) -> float:
    """Have the other client measure itself."""
    done = subprocess.run(
        [os.environ["HCSSHIM_PEER"], generation, operation, str(amount), command],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return float(done.stdout)


@pytest.mark.parametrize(
    ("operation", "amount", "command", "at_most"),
    [
        ("lifecycle", CYCLES, "", 1.5),
        ("run", RUNS, HELLO, 1.5),
        ("output", BYTES, WRITER, 1.25),
        ("input", BYTES, READER, 1.5),
    ],
    ids=["lifecycle", "run", "output", "input"],
)
@pytest.mark.parametrize("generation", ["computecore", "vmcompute"])
def test_same_dll(
    generation: str, operation: str, amount: int, command: str, at_most: float
) -> None:
    """One round: both clients do the same once, on the same DLL."""
    service = SystemService(generation)
    ratios, seconds = [], []
    for _ in range(ROUNDS):
        mine = ours(service, operation, amount, command)
        other = peer(generation, operation, amount, command)
        ratios.append(mine / other)
        seconds.append(mine)
    ratio = statistics.median(ratios)
    sys.stdout.write(
        f"\n{generation} {operation}: ours {statistics.median(seconds):.3f} s, "
        f"{ratio:.2f} of the other's (of {ROUNDS} rounds: "
        f"{min(ratios):.2f} to {max(ratios):.2f})\n"
    )
    service.close()
    assert ratio <= at_most
