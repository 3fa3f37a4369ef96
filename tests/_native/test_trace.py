"""What ``HCSSHIM_TRACE`` writes down, and programs that are run against it again."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hcsshim import (
    AsyncComputeSystem,
    ComputeSystem,
    HandleClosedError,
    HcsTimeoutError,
    container_document,
)
from hcsshim._native.service import NativeService
from hcsshim._native.trace import Tracer
from hcsshim._native.trace_file import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import PrivateHost

pytestmark = pytest.mark.host

#: Prints what happens to a system, and no id, since those differ each time.
PROGRAM = """
import hcsshim
with hcsshim.ComputeSystem.create("traced", hcsshim.container_document()) as system:
    system.start()
    with system.events() as events:
        with system.create_process(["sh", "-c", "exit 4"], stdin=False) as process:
            print("exit", process.wait(timeout=60))
        print("state", system.properties().state)
        print("stats", system.stats().cpu_total)
        try:
            system.resume()
        except hcsshim.InvalidStateError as error:
            print("refused", error)
        system.terminate()
        print("events", [event.type.name for event in events])
    print("end", system.wait(timeout=60).exit_type)
"""


@pytest.fixture
def traced(
    host: PrivateHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[NativeService, str]]:
    """A connection of its own that writes a trace, and the file."""
    path = str(tmp_path / "trace")
    with monkeypatch.context() as patch:
        patch.setenv("HCSSHIM_TRACE", path)
        service = NativeService(host.path)
    yield service, path
    service.close()


def test_everything_is_written(traced: tuple[NativeService, str]) -> None:
    """
    Calls, answers, events, what was cancelled, given up, refused and only sent.
    """
    service, path = traced
    name = f"traced-{os.getpid()}"
    with ComputeSystem.create(name, container_document(), service=service) as system:
        system.start()
        with system.events() as stream:
            operation = system.begin("properties")
            operation.result()
            with pytest.raises(HcsTimeoutError):
                system.wait(timeout=0)
            waiting = service.submit(
                "HcsWaitForComputeSystemExit", system._system.use("x"), 0xFFFFFFFF
            )
            waiting.cancel()
            waiting.abandon()
            with pytest.raises(HandleClosedError):
                service.submit("HcsStartComputeSystem", 12345, None)
            system.terminate()
            assert [event.type for event in stream] == [1]

    entries = list(read_trace(path))
    kinds = {entry.kind for entry in entries}
    assert {
        *("begin", "call", "answer", "send", "event", "cancel", "abandon", "refused")
    } == kinds
    (event,) = [entry for entry in entries if entry.kind == "event"]
    assert 1 == event.type
    assert "ForcedExit" in (event.document or "")
    answers = {entry.id: entry for entry in entries if entry.kind == "answer"}
    for entry in entries:
        if entry.id in answers and entry.kind == "call":
            assert entry.at <= answers[entry.id].at
            assert answers[entry.id].seconds >= 0
            assert entry.call == answers[entry.id].call


def test_awaited_calls_are_written_too(traced: tuple[NativeService, str]) -> None:
    """
    The awaitable face is traced as the blocking one is.
    """
    service, path = traced

    async def work() -> None:
        name, text = f"awaited-{os.getpid()}", container_document()
        async with await AsyncComputeSystem.create(
            name, text, service=service
        ) as system:
            await system.start()
            await system.terminate()

    asyncio.run(work())

    calls = [entry.call for entry in read_trace(path) if entry.kind == "answer"]
    assert "HcsStartComputeSystem" in calls
    assert "HcsTerminateComputeSystem" in calls


def run(program: str, *, code: int = 0, **environment: str) -> str:
    """Run a program in a process of its own, and give what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert code == done.returncode, done.stderr
    return done.stdout


@pytest.mark.usefixtures("host")
def test_a_program_is_replayed(tmp_path: Path) -> None:
    """
    It prints the same: exit codes, answers, refusals and events come as they did.
    """
    pytest.importorskip("click")
    trace = tmp_path / "trace"
    first = run(PROGRAM, HCSSHIM_TRACE=str(trace))
    assert "exit 4" in first
    assert "events ['SYSTEM_EXITED']" in first
    assert "refused" in first

    again = subprocess.run(
        [
            *(sys.executable, "-m", "hcsshim", "trace", "replay", str(trace), "--"),
            *(sys.executable, "-c", PROGRAM),
        ],
        env={**os.environ, "HCSSHIM_HOST": str(tmp_path / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert 0 == again.returncode, again.stderr
    assert first == again.stdout


@pytest.mark.usefixtures("host")
def test_several_processes_share_a_file(tmp_path: Path) -> None:
    """
    Each writes whole lines with its own number.
    """
    trace = tmp_path / "trace"
    program = "import hcsshim\nfor _ in range(20): hcsshim.enumerate_systems()"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "HCSSHIM_TRACE": str(trace)},
        )
        for _ in range(3)
    ]
    assert [0, 0, 0] == [process.wait(120) for process in processes]

    entries = list(read_trace(str(trace)))
    assert {process.pid for process in processes} == {entry.pid for entry in entries}
    assert 60 == sum(entry.kind == "answer" for entry in entries)


def test_a_trace_that_cannot_be_written(tmp_path: Path) -> None:
    """
    A file that cannot be opened is told when the connection is made.
    """
    with pytest.raises(OSError, match="missing"):
        Tracer(str(tmp_path / "missing" / "trace"))


def test_documents_in_a_trace_are_masked(tmp_path: Path) -> None:
    """
    What is no JSON but looks like it is not written at all.
    """
    tracer = Tracer(str(tmp_path / "trace"))
    tracer.call(
        "HcsCreateProcess",
        (1, '{"Environment":{"A":"hunter2"},"CommandLine":"x"}', '{"A":"hunter2"'),
        0,
        wanted=True,
    )

    text = (tmp_path / "trace").read_text()
    assert "hunter2" not in text
    *_, line = text.splitlines()
    arguments = json.loads(line)["arguments"]
    assert {"Environment": {"A": "***"}, "CommandLine": "x"} == json.loads(arguments[1])
    assert "no JSON" in arguments[2]
