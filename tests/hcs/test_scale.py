"""Many systems and processes at once: exact output, few threads, little memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from hcsshim import AsyncComputeSystem, AsyncProcess

pytestmark = [pytest.mark.host, pytest.mark.slow]

SYSTEMS = 100
PROCESSES = 10  # in each
BYTES = 64 * 1024

DOCUMENT = {
    "SchemaVersion": {"Major": 2, "Minor": 1},
    "ShouldTerminateOnLastHandleClosed": True,
    "Container": {},
}

#: Sends its input back on stdout, and the input's length on stderr.
ECHO = ["sh", "-c", "{ tee /dev/fd/3 | wc -c >&2; } 3>&1"]


def threads() -> int:
    """Count the threads of this process, Python's and native ones."""
    return len(list(Path("/proc/self/task").iterdir()))


def resident_kib() -> int:
    """Give the memory that this process keeps in RAM."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


async def make_system(number: int) -> AsyncComputeSystem:
    """Create and start a system over the machine's own root."""
    system = await AsyncComputeSystem.create(f"scale-{os.getpid()}-{number}", DOCUMENT)
    await system.start()
    return system


def some_bytes(number: int) -> bytes:
    """Make bytes that no other process gets."""
    seed = hashlib.sha256(str(number).encode()).digest()
    return (seed * (BYTES // len(seed) + 1))[:BYTES]


@pytest.mark.usefixtures("host")
def test_a_thousand_processes_in_a_hundred_systems() -> None:
    """
    1,000 processes at once, each with three pipes: every byte arrives, the number
    of threads stays, and an idle process costs at most 64 KiB of memory.
    """

    async def scenario() -> None:
        systems = [await make_system(number) for number in range(SYSTEMS)]
        async with systems[0] as first:
            async with await first.create_process(ECHO) as warm_up:
                await warm_up.communicate(b"x")
            before = threads(), resident_kib()
            processes = [
                await system.create_process(ECHO)
                for system in systems
                for _ in range(PROCESSES)
            ]
            assert before[0] == threads()
            idle = (resident_kib() - before[1]) / len(processes)
            assert idle <= 64, f"{idle} KiB for an idle process"

            outputs = await asyncio.gather(
                *(talk(number, process) for number, process in enumerate(processes))
            )

            assert before[0] == threads()
            assert [True] * len(processes) == outputs
            for system in systems:
                await system.terminate()
                await system.aclose()

    asyncio.run(scenario())


async def talk(number: int, process: AsyncProcess) -> bool:
    """Send bytes through a process, and tell whether all came back."""
    data = some_bytes(number)
    async with process:
        output, errors = await process.communicate(data)
        assert 0 == await process.wait()
    return output == data and int(errors) == BYTES
