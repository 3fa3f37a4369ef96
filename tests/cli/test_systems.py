"""The commands about containers that live on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Hcsshim

pytestmark = pytest.mark.host
_names = count()


@pytest.fixture
def running(hcsshim: Hcsshim) -> Iterator[str]:
    """A running container's id; it is removed afterwards."""
    name = f"cli-{os.getpid()}-{next(_names)}"
    assert f"{name}\n".encode() == hcsshim("create", name).stdout
    hcsshim("start", name)
    yield name
    hcsshim("rm", "-f", name, code=None)


def state(hcsshim: Hcsshim, name: str) -> str | None:
    """Look a container's state up in what ``ps --json`` says."""
    systems = json.loads(hcsshim("ps", "--json").stdout)
    return {system["Id"]: system["State"] for system in systems}.get(name)


def test_life(hcsshim: Hcsshim) -> None:
    """
    create, start, exec, pause, resume, stop: each does what its name says.
    """
    name = f"life-{os.getpid()}"
    hcsshim("create", name, "--hostname", "box")
    assert "Created" == state(hcsshim, name)
    hcsshim("start", name)
    assert "Running" == state(hcsshim, name)
    assert b"box\n" == hcsshim("exec", name, "--", "hostname").stdout
    paused = hcsshim("pause", name, code=None)
    if paused.returncode == 0:
        assert "Paused" == state(hcsshim, name)
        hcsshim("resume", name)
    else:  # an ordinary user may have no freezer
        assert os.geteuid() != 0
        assert b"cannot freeze" in paused.stderr
    hcsshim("stop", name)
    assert state(hcsshim, name) is None
    hcsshim("stop", name, code=1)


def test_remove_asks_for_force(hcsshim: Hcsshim, running: str) -> None:
    """
    A running container is not removed by mistake.
    """
    assert b"--force" in hcsshim("rm", running, code=1).stderr
    assert "Running" == state(hcsshim, running)
    hcsshim("rm", "--force", running)
    assert state(hcsshim, running) is None


def test_id_in_use(hcsshim: Hcsshim, running: str) -> None:
    """
    An id is given once.
    """
    assert b"0x8037010F" in hcsshim("create", running, code=1).stderr


def test_inspect_and_stats(hcsshim: Hcsshim, running: str) -> None:
    """
    What a container is and uses, as JSON for programs and as a table.
    """
    facts = json.loads(hcsshim("inspect", running).stdout)
    assert (running, "Running") == (facts["Id"], facts["State"])
    assert facts["Statistics"]["Processor"]

    (figures,) = json.loads(hcsshim("stats", "--json", running).stdout)
    assert running == figures["id"]
    assert figures["memory_bytes"] > 0
    head, row = hcsshim("stats", "--no-stream", running).stdout.decode().splitlines()
    assert head.startswith("ID")
    assert row.startswith(running)


def test_kill_with_a_signal(hcsshim: Hcsshim, running: str) -> None:
    """
    A signal reaches the processes; KILL ends the container.
    """
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "hcsshim",
            "exec",
            running,
            "--",
            "sh",
            "-c",
            "trap 'echo hup; exit 4' HUP; echo ready; while :; do sleep 0.05; done",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    hcsshim("kill", "-s", "HUP", running)
    assert "hup\n" == process.communicate(timeout=20)[0]
    assert 4 == process.returncode

    hcsshim("kill", running)
    assert state(hcsshim, running) is None


def test_events(hcsshim: Hcsshim, running: str) -> None:
    """
    ``events --json`` prints one object for each event, and ends with the container.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "hcsshim", "events", "--json", running],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "listening" in json.loads(process.stdout.readline())["type"].lower()
    hcsshim("stop", running)

    lines = process.communicate(timeout=20)[0].splitlines()
    assert {"id": running, "type": "SYSTEM_EXITED"}.items() <= json.loads(
        lines[-1]
    ).items()
    assert 0 == process.returncode


def test_create_from_a_document(hcsshim: Hcsshim) -> None:
    """
    A whole document may be given, but not together with options; bad JSON is named.
    """
    name = f"document-{os.getpid()}"
    document = b'{"SchemaVersion": {"Major": 2, "Minor": 1}, "Container": {}}'
    hcsshim("create", name, "--document", "-", data=document)
    hcsshim("rm", name)

    refused = hcsshim("create", name, "--document", "-", data=b"{", code=1)
    assert b"0x8037010D" in refused.stderr
    both = hcsshim("create", name, "--document", "-", "--hostname", "x", code=2)
    assert b"--document" in both.stderr


def test_host_commands(hcsshim: Hcsshim) -> None:
    """
    The host's state is told to people and programs; its log can be read.
    """
    facts = json.loads(hcsshim("host", "status", "--json").stdout)
    assert facts["running"] is True
    assert str(facts["process_id"]) in hcsshim("host", "start").stdout.decode()
    assert facts["socket"] in hcsshim("host", "status").stdout.decode()
    assert b"started" in hcsshim("host", "logs").stdout
    assert "26100" in facts["build"]
    assert b"26100" in hcsshim("host", "start", "--build", "LTSC2025").stdout
    other = hcsshim("host", "start", "--build", "17763", code=1).stderr
    assert b"hcsshim host stop" in other
    assert b"no version" in hcsshim("host", "start", "--build", "Vista", code=1).stderr


def test_help_and_version(hcsshim: Hcsshim) -> None:
    """
    Every command has a help text.
    """
    text = hcsshim("--help").stdout.decode()
    for command in ("run", "exec", "ps", "stats", "events", "host"):
        assert command in text
        assert b"Usage" in hcsshim(command, "--help").stdout
