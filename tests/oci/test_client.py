"""The client of the program, with the program."""

from __future__ import annotations

import json
import os
import shutil
import sys
from itertools import count
from typing import TYPE_CHECKING

import pytest

from hcsshim.oci import Runhcs, RunhcsError
from hcsshim.oci.client import find_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hcsshim.oci import ContainerState

_numbers = count()


@pytest.fixture
def client(tmp_path: Path, host: object) -> Iterator[Runhcs]:
    """A client with a root of its own."""
    del host
    client = Runhcs(
        root=str(tmp_path / "state"),
        owner="me",
        log=tmp_path / "log",
        log_format="json",
        debug=True,
    )
    yield client
    for state in client.list():
        client.delete(state.id, force=True)


def bundle(folder: Path) -> Path:
    """Make a bundle whose process waits; its root is a link to this machine's."""
    (folder / "config.json").write_text(
        json.dumps(
            {
                "ociVersion": "1.0.2",
                "process": {"args": ["/wait"], "cwd": "/"},
                "root": {"path": "rootfs"},
                "linux": {},
            }
        )
    )
    (folder / "rootfs").mkdir()
    return folder


@pytest.mark.host
def test_a_life(client: Runhcs, tmp_path: Path) -> None:
    """
    create, state, list, kill, delete, and what fails between.
    """
    container_id = f"client-{os.getpid()}-{next(_numbers)}"
    pid_file = tmp_path / "pid"

    client.create(container_id, bundle(tmp_path), pid_file=pid_file)

    state: ContainerState = client.state(container_id)
    assert ("created", "me") == (state.status.value, state.owner)
    assert int(pid_file.read_text()) == state.pid
    assert (state,) == client.list()
    for fail, message in (
        (lambda: client.start(container_id), "/wait"),
        (lambda: client.ps(container_id), "is not running"),
        (lambda: client.pause(container_id), "is not running"),
        (lambda: client.resume(container_id), "is not paused"),
        (lambda: client.kill(container_id, "KILL"), "is not running"),
        (lambda: client.resize_tty(container_id, 1, 1), "is not running"),
        (lambda: client.state("nobody"), "does not exist"),
    ):
        with pytest.raises(RunhcsError, match=message) as caught:
            fail()
        assert 1 == caught.value.exit_code
    client.delete(container_id)
    with pytest.raises(RunhcsError, match="create ended with 1"):
        client.create(container_id, tmp_path / "nowhere")
    assert () == client.list()
    assert "does not exist" in (tmp_path / "log").read_text()


@pytest.mark.host
def test_exec_gives_the_exit_code(client: Runhcs, tmp_path: Path) -> None:
    """
    That of the process, or 1 if there was none.
    """
    file = tmp_path / "process.json"
    file.write_text('{"args": ["x"], "cwd": "/"}')

    assert 1 == client.exec("nobody", file)


def test_the_program_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    On PATH, else beside the interpreter, else as a module.
    """
    program = tmp_path / "runhcs"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (str(program),) == find_program()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert (str(program),) == find_program()
    program.unlink()
    assert (sys.executable, "-m", "hcsshim.cli.runhcs") == find_program()
    assert shutil.which("runhcs") is None
