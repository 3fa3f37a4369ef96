"""What becomes of systems when a client or the host dies, or a call is given up."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hcsshim import (
    AsyncComputeSystem,
    ComputeSystem,
    HcsTimeoutError,
    NotFoundError,
    ServiceDisconnectedError,
    enumerate_systems,
)
from hcsshim._native import service

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.host

DOCUMENT = {
    "SchemaVersion": {"Major": 2, "Minor": 1},
    "ShouldTerminateOnLastHandleClosed": True,
    "Container": {},
}

BECOME_CLIENT = """
import sys, time
from hcsshim import ComputeSystem
document = {{
    "SchemaVersion": {{"Major": 2, "Minor": 1}},
    "ShouldTerminateOnLastHandleClosed": {terminate},
    "Container": {{}},
}}
system = ComputeSystem.create(sys.argv[1], document)
system.start()
process = system.create_process(["sleep", "1000"])
print("ready", flush=True)
process.wait()
"""


@pytest.fixture
def own_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host of this test's own, which it may kill."""
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("HCSSHIM_HOST", str(folder / "host.sock"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.setenv("HCSSHIM_HOST_IDLE", "1")
    monkeypatch.setattr(service, "_shared", None)
    yield
    connection = service._shared
    if connection is not None and connection.alive:
        os.kill(connection.host_process_id, signal.SIGTERM)
        wait_until(lambda: not connection.alive)


def wait_until(condition: object, seconds: float = 10) -> None:
    """Wait for something that no event tells of."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        threading.Event().wait(0.01)


def start_client(name: str, *, terminate: bool) -> subprocess.Popen[str]:
    """Start a client that makes a running system with a process, and waits."""
    client = subprocess.Popen(
        [sys.executable, "-c", BECOME_CLIENT.format(terminate=terminate), name],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdout is not None
    assert "ready\n" == client.stdout.readline()
    return client


def kill(client: subprocess.Popen[str]) -> None:
    """Kill a client the hard way."""
    client.kill()
    client.wait()
    assert client.stdout is not None
    client.stdout.close()


@pytest.mark.usefixtures("host")
def test_system_ends_with_its_client_if_it_asked_for_that() -> None:
    """
    ``ShouldTerminateOnLastHandleClosed``: a killed client takes its system along.
    """
    name = f"dies-{os.getpid()}"
    client = start_client(name, terminate=True)

    with ComputeSystem.open(name) as system:
        kill(client)
        assert system.properties().state == "Running"  # this handle keeps it

    wait_until(lambda: name not in {found.id for found in enumerate_systems()})
    with pytest.raises(NotFoundError):
        ComputeSystem.open(name)


@pytest.mark.usefixtures("host")
def test_system_outlives_its_client_otherwise() -> None:
    """
    Without that, the system lives on, and another client takes it over.
    """
    name = f"lives-{os.getpid()}"
    kill(start_client(name, terminate=False))

    with ComputeSystem.open(name) as system:
        processes = system.properties("ProcessList").process_list
        assert processes is not None
        system.terminate()
        system.wait(timeout=10)


@pytest.mark.usefixtures("own_host")
def test_death_of_the_host_is_told_to_every_waiter() -> None:
    """
    All waiters learn of it within a second, nothing of the host survives, and the
    next call starts a new one.
    """
    with ComputeSystem.create("doomed", DOCUMENT) as system:
        system.start()
        process = system.create_process(["sleep", "1000"])
        host = service.shared().host_process_id
        mine = {host, *descendants(host)}
        ends: list[float] = []

        def wait() -> None:
            with pytest.raises(ServiceDisconnectedError):
                process.wait(timeout=30)
            ends.append(time.monotonic())

        waiters = [threading.Thread(target=wait) for _ in range(5)]
        for waiter in waiters:
            waiter.start()
        killed = time.monotonic()
        os.kill(host, signal.SIGKILL)
        for waiter in waiters:
            waiter.join()

        assert max(ends) - killed < 1
        process.close()
    wait_until(lambda: not any(Path(f"/proc/{pid}/stat").exists() for pid in mine))
    assert [] == list(enumerate_systems())
    assert host != service.shared().host_process_id


def descendants(pid: int) -> set[int]:
    """List the processes that a process started, and theirs."""
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found |= {child, *descendants(child)}
    return found


@pytest.mark.usefixtures("host")
def test_giving_up_at_any_moment_leaks_nothing() -> None:
    """
    Time-outs and cancelled tasks, at whatever point they hit, leave no system.
    """
    generator = random.Random(20)  # noqa: S311 - no secret
    prefix = f"cancelled-{os.getpid()}-"

    async def live(name: str) -> None:
        async with await AsyncComputeSystem.create(name, DOCUMENT) as system:
            await system.start()
            async with await system.create_process(["cat"]) as process:
                await process.communicate(b"x" * 100_000)
            await system.terminate()

    async def scenario() -> None:
        for number in range(40):
            task = asyncio.create_task(live(f"{prefix}{number}"))
            await asyncio.wait({task}, timeout=generator.uniform(0, 0.02))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for number in range(10):
            with pytest.raises(HcsTimeoutError):
                await AsyncComputeSystem.create(
                    f"{prefix}timeout-{number}", DOCUMENT, timeout=0
                )

    asyncio.run(scenario())

    wait_until(lambda: not [s for s in enumerate_systems() if s.id.startswith(prefix)])
