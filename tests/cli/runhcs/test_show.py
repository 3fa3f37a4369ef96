"""What ``runhcs`` tells of containers, beside what runc does."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from programs import find_program

from hcsshim.cli.runhcs.show import table

from .conftest import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conftest import Bundle, Command

    Runc = Callable[..., bytes]

pytestmark = pytest.mark.host

LONG = "while :; do sleep 0.05; done"


@pytest.fixture
def runc(tmp_path: Path) -> Iterator[Runc]:
    """Run runc, in a root of its own."""
    path = find_program("runc")
    command = [path, "--root", str(tmp_path / "runc")]

    def run(*arguments: str) -> bytes:
        with (
            (tmp_path / "runc.out").open("wb") as stdout,
            (tmp_path / "runc.err").open("wb") as stderr,
        ):
            done = subprocess.run(
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                check=False,
                timeout=60,
            )
        assert 0 == done.returncode, (tmp_path / "runc.err").read_text()
        return (tmp_path / "runc.out").read_bytes()

    yield run
    for container_id in run("list", "-q").decode().split():
        run("delete", "--force", container_id)


@pytest.mark.skipif(os.geteuid() != 0, reason="runc needs root for these bundles")
def test_state_list_and_ps_are_those_of_runc(
    runhcs: Command, runc: Runc, bundle: Bundle, container_id: str
) -> None:
    """
    One bundle in both: the same members in the same order, with the same meaning.

    runc has no owner in ``state``, and the owner of its files in ``list``; ours is
    that of the compute system in both. Process ids are the container's own here.
    """
    specification = config(LONG)
    specification["linux"] = {
        "namespaces": [{"type": kind} for kind in ("mount", "pid", "network")]
    }
    specification["linux"]["cgroupsPath"] = f"/hcsshim-tests-{container_id}"
    specification["mounts"] = [
        {"type": "proc", "source": "proc", "destination": "/proc"}
    ]
    del specification["hostname"]  # it would need another namespace
    folder = str(bundle(specification))
    theirs: dict[str, object] = {}
    ours: dict[str, object] = {}

    for run, found in ((runc, theirs), (runhcs, ours)):
        read = bytes if run is runc else (lambda result: result.stdout)
        run("create", "--bundle", folder, container_id)
        found["created"] = json.loads(read(run("state", container_id)))
        run("start", container_id)
        found["running"] = json.loads(read(run("state", container_id)))
        found["list"] = json.loads(read(run("list", "--format", "json")))
        found["table"] = read(run("list")).decode().splitlines()
        found["ids"] = read(run("list", "--quiet"))
        found["ps"] = json.loads(read(run("ps", "--format", "json", container_id)))
        run("delete", "--force", container_id)

    for step in ("created", "running"):
        assert list(theirs[step]) == list(ours[step])
        for name in ("id", "status", "annotations"):
            assert theirs[step][name] == ours[step][name]
        assert "1.0.2" == ours[step]["ociVersion"]  # runc tells the newest it knows
        assert ("", "runhcs") == (theirs[step]["owner"], ours[step]["owner"])
        assert folder == theirs[step]["bundle"] == ours[step]["bundle"]
        assert f"{folder}/rootfs" == ours[step]["rootfs"]
        assert ours[step]["pid"] > 0
        moments = [run[step]["created"] for run in (theirs, ours)]
        for moment in moments:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", moment)
    assert list(theirs["list"][0]) == list(ours["list"][0])
    assert theirs["ids"] == ours["ids"]
    assert theirs["table"][0].split() == ours["table"][0].split()
    for line in (theirs["table"][1], ours["table"][1]):
        assert [container_id, "running", folder] == [line.split()[i] for i in (0, 2, 3)]
    assert all(isinstance(pid, int) for pid in (*theirs["ps"], *ours["ps"]))


@pytest.mark.skipif(os.geteuid() != 0, reason="its mounts are root's")
def test_a_bundle_of_runc_runs_as_it_is(
    runhcs: Command, bundle: Bundle, container_id: str, tmp_path: Path
) -> None:
    """
    What ``runc spec`` writes: a shell with a terminal; it does what its stdin says.
    """
    folder = bundle({})
    (folder / "config.json").unlink()
    subprocess.run([find_program("runc"), "spec"], cwd=folder, check=True)

    done = runhcs(
        *("--log", str(tmp_path / "log"), "run", "-b", str(folder), container_id),
        data=b"hostname; stty size; exit 4\n",
        code=4,
    )

    lines = done.stdout.decode().replace("\r", "").split("\n")
    assert any(line.endswith("runc") for line in lines)  # beside a prompt, perhaps
    assert any(line.endswith("24 80") for line in lines)
    assert "warning" not in (tmp_path / "log").read_text()


def test_table_is_aligned() -> None:
    """
    Columns are as wide as their widest cell and a gap, twelve at least.
    """
    rows = [("ID", "PID", "OWNER"), ("a-very-long-id", "1", "me")]

    assert [
        "ID               PID         OWNER",
        "a-very-long-id   1           me",
    ] == list(table(rows))


def test_what_cannot_be_read_is_named_and_left_out(
    runhcs: Command, bundle: Bundle, container_id: str, root: str
) -> None:
    """
    ``list`` tells of the others, and says which it cannot read.
    """
    from pathlib import Path

    broken = Path(root, "broken")
    runhcs("create", "-b", str(bundle(config(LONG))), container_id)
    broken.mkdir()
    (broken / "state.json").write_text("{}")

    done = runhcs("list", "--format", "json")

    assert [container_id] == [state["id"] for state in json.loads(done.stdout)]
    assert b"reading state for broken: " in done.stderr
    assert f"broken\n{container_id}\n".encode() == runhcs("list", "-q").stdout


@pytest.mark.parametrize("command", ["list", "ps"])
def test_unknown_formats_are_refused(runhcs: Command, command: str) -> None:
    """
    Only what is documented is a format.
    """
    arguments = [command, "--format", "yaml", *(["x"] if command == "ps" else [])]

    assert b"invalid format option" in runhcs(*arguments, code=1).stderr


def test_usage_errors_are_1(runhcs: Command) -> None:
    """
    As every failure of the original is.
    """
    assert b"No such command" in runhcs("bogus", code=1).stderr
    assert b"Missing argument" in runhcs("state", code=1).stderr
    assert b"unknown log-format" in runhcs("--log-format", "x", "list", code=1).stderr
