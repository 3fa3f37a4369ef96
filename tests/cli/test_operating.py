"""Asking, changing, logs, leftovers, health and traces: for people who operate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING

import pytest

from hcsshim._native.trace_file import read_trace
from hcsshim.cli import records
from hcsshim.cli.doctor import findings
from hcsshim.cli.logs import entries_of
from hcsshim.cli.prune import left_systems
from hcsshim.documents import ComputeSystemProperties

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Hcsshim

pytestmark = pytest.mark.host
_names = count()


def new_name() -> str:
    """Make an id that no other test uses."""
    return f"operating-{os.getpid()}-{next(_names)}"


@pytest.fixture
def running(hcsshim: Hcsshim) -> Iterator[str]:
    """A running container that keeps its output; it is removed afterwards."""
    name = new_name()
    hcsshim("create", "--log", name)
    hcsshim("start", name)
    yield name
    hcsshim("rm", "-f", name, code=None)


def test_props(hcsshim: Hcsshim, running: str) -> None:
    """
    Types, a whole query, and the answer of schema 1.
    """
    answer = json.loads(hcsshim("props", running, "Statistics", "ProcessList").stdout)
    assert (running, "Running") == (answer["Id"], answer["State"])
    assert "Processor" in answer["Statistics"]
    assert "Running" == json.loads(hcsshim("props", running).stdout)["State"]
    query = b'{"Queries":{"Statistics":null}}'
    named = json.loads(hcsshim("props", running, "--query", "-", data=query).stdout)
    assert named["PropertyResponses"]["Statistics"]["Response"]["Processor"]
    old = json.loads(hcsshim("props", "--v1", running, "MappedVirtualDisk").stdout)
    assert running == old["Id"]

    assert b"hint: " in hcsshim("props", "nobody", code=1).stderr
    assert b"0x8037010D" in hcsshim("props", running, "Nonsense", code=1).stderr
    hcsshim("props", running, "Statistics", "--query", "-", data=query, code=2)


def test_modify(hcsshim: Hcsshim, running: str, tmp_path: Path) -> None:
    """
    Directories come and go; a request may be given whole.
    """
    (tmp_path / "file").write_text("hello")
    hcsshim("modify", running, "--add-volume", f"{tmp_path}:/mnt/hot:ro")
    assert b"hello" == hcsshim("exec", running, "--", "cat", "/mnt/hot/file").stdout
    (shown,) = json.loads(hcsshim("props", running, "MappedDirectory").stdout)[
        "MappedDirectories"
    ]
    assert ("/mnt/hot", True) == (shown["ContainerPath"], shown["ReadOnly"])
    hcsshim("modify", running, "--remove-volume", "/mnt/hot")
    request = {
        "ResourcePath": "Container/MappedDirectories",
        "RequestType": "Add",
        "Settings": {"HostPath": str(tmp_path), "ContainerPath": "/mnt/hot"},
    }
    hcsshim("modify", running, "-", data=json.dumps([request]).encode())
    assert b"file\n" == hcsshim("exec", running, "--", "ls", "/mnt/hot").stdout

    hcsshim("modify", running, code=2)
    nothing = b'{"ResourcePath":"Nonsense"}'
    said = hcsshim("modify", running, "-", data=nothing, code=1).stderr
    assert b"Nonsense" in said or b"ResourcePath" in said


def test_limits_of_a_running_container(hcsshim: Hcsshim, running: str) -> None:
    """
    Memory and processors can be changed, where there are cgroups.
    """
    done = hcsshim("modify", running, "--memory", "128m", "--cpus", "0.5", code=None)

    assert 0 == done.returncode or (os.geteuid() != 0 and done.stderr)


def test_service(hcsshim: Hcsshim) -> None:
    """
    The service tells about itself and the machine; settings it has not are refused.
    """
    basic = json.loads(hcsshim("service").stdout)["Properties"][0]
    assert basic["SupportedSchemaVersions"]
    found = json.loads(hcsshim("service", "Basic", "ProcessorTopology").stdout)
    assert os.cpu_count() == found["Properties"][1]["LogicalProcessorCount"]
    setting = b'{"PropertyType":"CpuGroup","Settings":{}}'
    refused = hcsshim("service", "--modify", "-", data=setting, code=1).stderr
    assert b"0x80370102" in refused
    hcsshim("service", "--modify", "-", "Basic", data=setting, code=2)


def test_exec_with_user_and_env_file(
    hcsshim: Hcsshim, running: str, tmp_path: Path
) -> None:
    """
    Variables come from files and options, the latter win; a user is looked up inside.
    """
    file = tmp_path / "variables"
    file.write_text("# comment\nONE=1\n\nTWO=2\n")
    said = hcsshim(
        *("exec", "--env-file", str(file), "-e", "TWO=two", running),
        *("--", "sh", "-c", "echo $ONE $TWO"),
    )
    assert b"1 two\n" == said.stdout
    same = hcsshim("exec", "--user", "0", running, "--", "sh", "-c", "echo in")
    assert b"in\n" == same.stdout
    nobody = hcsshim("exec", "-u", "no-such-user", running, "--", "true", code=None)
    assert nobody.returncode in (125, 126, 127)
    assert b"no-such-user" in nobody.stderr
    file.write_text("no equals sign\n")
    bad = hcsshim("exec", "--env-file", str(file), running, "--", "true", code=2)
    assert b"line 1" in bad.stderr


def test_logs_of_processes(hcsshim: Hcsshim, running: str) -> None:
    """
    What processes write is passed on, kept, and printed again where it came from.
    """
    script = "echo one; echo two >&2; printf end"
    done = hcsshim("exec", running, "--", "sh", "-c", script)
    assert (b"one\nend", b"two\n") == (done.stdout, done.stderr)

    kept = hcsshim("logs", running)
    assert (b"one\nend\n", b"two\n") == (kept.stdout, kept.stderr)
    assert b"end\n" == hcsshim("logs", "-n", "1", "--stream", "stdout", running).stdout
    assert b"" == hcsshim("logs", "-n", "0", running).stdout
    timed = hcsshim("logs", "-t", "--stream", "stdout", running).stdout
    assert timed.splitlines()[0].endswith(b"Z one")
    raw = hcsshim("logs", "--raw", running).stdout
    assert {"stdout", "stderr"} == {entry.stream for entry in entries_of(raw)}


def test_logs_are_followed(hcsshim: Hcsshim, running: str) -> None:
    """
    What comes later is printed when it comes, until the container ends.
    """
    hcsshim("exec", running, "--", "sh", "-c", "echo before")
    follower = subprocess.Popen(
        [sys.executable, "-m", "hcsshim", "logs", "-f", running],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert follower.stdout is not None
    assert "before\n" == follower.stdout.readline()
    hcsshim("exec", running, "--", "sh", "-c", "echo after")
    assert "after\n" == follower.stdout.readline()
    hcsshim("stop", running)

    assert "" == follower.communicate(timeout=60)[0]
    assert 0 == follower.returncode
    assert b"before\nafter\n" == hcsshim("logs", running).stdout


def test_run_keeps_a_log(hcsshim: Hcsshim, tmp_path: Path) -> None:
    """
    ``run --log`` keeps it with the container, ``--log-file`` in a file of one's own.
    """
    name = new_name()
    hcsshim(
        "run", "--log", "--name", name, "--", "sh", "-c", "echo kept; exit 3", code=3
    )
    assert b"kept\n" == hcsshim("logs", name).stdout
    assert b"Exited (3)" in hcsshim("ps", "-a").stdout
    hcsshim("rm", name)
    assert b"--log" in hcsshim("logs", name, code=1).stderr

    file = tmp_path / "log"
    for word in ("one", "two"):
        hcsshim("run", "--log-file", str(file), "--", "echo", word)
    assert [b"one", b"two"] == [e.content for e in entries_of(file.read_bytes())]
    hcsshim("run", "--log", "--rm", "--", "true", code=2)


def test_a_failed_create_keeps_nothing(hcsshim: Hcsshim) -> None:
    """
    A log is only there if the container is.
    """
    name = new_name()
    document = b'{"SchemaVersion":{"Major":9}}'
    hcsshim("create", "--log", name, "--document", "-", data=document, code=1)

    assert records.log_path(name) is None


def test_what_is_no_log_is_told() -> None:
    """
    A line in another form is named, not guessed at.
    """
    with pytest.raises(ValueError, match="nonsense"):
        list(entries_of(b"nonsense\n"))


def test_prune_tells_before_it_removes(hcsshim: Hcsshim) -> None:
    """
    First it only tells; with --force it removes, and never what runs.
    """
    created, live, ended = new_name(), new_name(), new_name()
    hcsshim("create", created)
    hcsshim("create", live)
    hcsshim("start", live)
    hcsshim("run", "--log", "--name", ended, "--", "true")

    told = json.loads(hcsshim("prune", "--json").stdout)
    kinds = {item["id"]: item["kind"] for item in told}
    assert ("system", "container") == (kinds[created], kinds[ended])
    assert live not in kinds
    assert b"would be removed with --force" in hcsshim("prune").stdout
    assert b"removed" in hcsshim("prune", "--force").stdout

    left = json.loads(hcsshim("prune", "--json").stdout)
    assert not {created, ended} & {item["id"] for item in left}
    assert b"Running" in hcsshim("ps").stdout
    hcsshim("rm", "-f", live)


def test_prune_finds_what_was_cut_short(hcsshim: Hcsshim) -> None:
    """
    The folder of a removal that was interrupted is rubbish.
    """
    name = new_name()
    hcsshim("run", "--log", "--name", name, "--", "true")
    log = records.log_path(name)
    assert log is not None
    log.parent.rename(log.parent.with_name(f".{name}.1.2"))

    told = json.loads(hcsshim("prune", "--json").stdout)
    assert "rubbish" in {item["kind"] for item in told if name in item["id"]}
    hcsshim("prune", "-f")
    left = json.loads(hcsshim("prune", "--json").stdout)
    assert not [item for item in left if name in item["id"]]


@pytest.mark.parametrize(
    ("state", "owner", "found"),
    [
        ("Created", "hcsshim", True),
        ("Unknown", "hcsshim", True),
        ("Stopped", "hcsshim", True),
        ("Running", "hcsshim", False),
        ("Paused", "hcsshim", False),
        ("Created", "docker", False),
    ],
)
def test_which_systems_are_left_over(state: str, owner: str, found: bool) -> None:  # noqa: FBT001
    """
    Only systems of ours, and only such as nobody uses.
    """
    system = ComputeSystemProperties(id="x", state=state, owner=owner)

    assert found is bool(left_systems([system], frozenset(("hcsshim",))))


def test_doctor(hcsshim: Hcsshim) -> None:
    """
    What there is and what is missing, for people and for programs.
    """
    done = hcsshim("doctor", "--json", code=None)
    found = {item["name"]: item for item in json.loads(done.stdout)}
    missing = [item for item in found.values() if item["state"] == "missing"]
    assert bool(missing) is (done.returncode == 1)
    assert "embedded" == found["provider"]["found"]
    for name in ("library", "kernel", "namespaces", "cgroups", "build", "features"):
        assert name in found
    if not missing:
        assert "ok" == found["a container"]["state"]
    shown = hcsshim("doctor", "--no-run", code=None).stdout
    assert shown.startswith(b"CHECK")
    assert b"a container" not in shown


@pytest.mark.parametrize(
    ("version", "state"),
    [("10.0.26100.1", "ok"), ("10.0.17763.1", "warning"), ("Vista", "missing")],
)
def test_doctor_looks_at_an_image(hcsshim: Hcsshim, version: str, state: str) -> None:
    """
    The build of an image is held against that of the host.
    """
    done = hcsshim("doctor", "--no-run", "--json", "--image", version, code=None)

    (found,) = [i for i in json.loads(done.stdout) if i["name"] == "image"]
    assert state == found["state"]
    assert version in found["found"]


@pytest.mark.usefixtures("host")
def test_doctor_without_a_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    A host that cannot be reached is a finding with advice, not a failure.
    """
    (tmp_path / "open").mkdir(mode=0o755)
    monkeypatch.setenv("HCSSHIM_HOST", str(tmp_path / "open" / "host.sock"))
    monkeypatch.setattr("hcsshim._native.service._shared", None)

    found = {item.name: item for item in findings(running=False)}

    assert "missing" == found["host"].state
    assert "0700" in found["host"].found
    assert found["host"].advice


def test_failures_come_with_hints(hcsshim: Hcsshim) -> None:
    """
    Below the sentence stands what usually helps.
    """
    said = hcsshim("start", "nobody", code=1).stderr.decode().splitlines()

    assert said[0].startswith("hcsshim: ")
    assert said[1].startswith("hint: ")
    assert 2 == len(said)
    missing = hcsshim("run", "--", "no-such-command", code=127).stderr.decode()
    assert "hint: " in missing


@pytest.fixture
def traced(hcsshim: Hcsshim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The trace of a run with a secret, that exited with 5."""
    path = tmp_path / "trace"
    with monkeypatch.context() as patch:
        patch.setenv("HCSSHIM_TRACE", str(path))
        hcsshim("run", "-e", "KEY=hunter2", "--", "sh", "-c", "exit 5", code=5)
    return path


def test_a_trace_has_everything_but_secrets(hcsshim: Hcsshim, traced: Path) -> None:
    """
    Calls, answers and times are there; the values of the environment are not.
    """
    entries = list(read_trace(str(traced)))
    calls = [entry.call for entry in entries if entry.kind == "call"]
    assert "HcsCreateComputeSystem" == calls[0]
    assert "HcsCreateProcess" in calls
    answered = {entry.id for entry in entries if entry.kind == "answer"}
    assert {entry.id for entry in entries if entry.kind == "call"} >= answered
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    assert "hunter2" not in traced.read_text()
    assert '"KEY\\":\\"***' in traced.read_text()
    assert 0 == traced.stat().st_mode & 0o077

    shown = hcsshim("trace", "show", str(traced)).stdout.decode()
    assert "> HcsCreateProcess(" in shown
    assert "S_OK after" in shown
    as_json = json.loads(hcsshim("trace", "show", "--json", str(traced)).stdout)
    assert len(entries) == len(as_json)


def test_statistics_of_a_trace(hcsshim: Hcsshim, traced: Path) -> None:
    """
    Counts, failures and times by call; what took longest comes first.
    """
    figures = json.loads(hcsshim("trace", "stats", "--json", str(traced)).stdout)
    by_name = {item["call"]: item for item in figures}
    assert 1 == by_name["HcsCreateProcess"]["count"]
    assert 0 == by_name["HcsCreateProcess"]["failed"]
    totals = [item["total_ms"] for item in figures]
    assert sorted(totals, reverse=True) == totals
    assert b"MEDIAN MS" in hcsshim("trace", "stats", str(traced)).stdout


@pytest.mark.parametrize("options", [(), ("--real-time",)], ids=["fast", "real time"])
def test_a_trace_is_replayed(
    hcsshim: Hcsshim, traced: Path, options: tuple[str, ...]
) -> None:
    """
    The same program is answered the same, with no host, no container and no secret.
    """
    program = [sys.executable, "-m", "hcsshim", "run", "-e", "KEY=x"]
    program += ["--", "sh", "-c", "exit 5"]

    hcsshim("trace", "replay", *options, str(traced), "--", *program, code=5)


def test_a_replay_knows_only_its_trace(hcsshim: Hcsshim, traced: Path) -> None:
    """
    What was not called then is refused, and counted.
    """
    quiet = [sys.executable, "-c", "import hcsshim\ntry: hcsshim.service_properties()"]
    quiet[-1] += "\nexcept hcsshim.HcsError as error: print(error)"
    done = hcsshim("trace", "replay", str(traced), "--", *quiet, code=3)
    assert b"The trace has no such HcsGetServiceProperties" in done.stdout
    assert b"no answer for 1 calls" in done.stderr


def test_what_is_no_trace(hcsshim: Hcsshim, tmp_path: Path) -> None:
    """
    Another file is refused with its line; a line that was cut short is left out.
    """
    path = tmp_path / "trace"
    path.write_text('{"at":0,"pid":1,"kind":"begin"}\nnonsense\n')
    for command in ("show", "stats", "replay"):
        assert b"line 2" in hcsshim("trace", command, str(path), code=1).stderr
    path.write_text('{"at":0,"pid":1,"kind":"begin"}\n{"at":0,"pi')
    assert b"begin" in hcsshim("trace", "show", str(path)).stdout
