"""Bundles made of this machine's own programs, and ``runhcs`` as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING

import pytest
from programs import copy_program

from hcsshim.oci.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Result = subprocess.CompletedProcess[bytes]
    Command = Callable[..., Result]
    Bundle = Callable[..., Path]

_numbers = count()
_PROGRAMS = ("sh", "cat", "env", "hostname", "id", "sleep", "stty", "touch", "ls")


def config(script: str, **process: object) -> dict[str, object]:
    """Make a specification whose process runs a script of the shell."""
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": ["sh", "-c", script],
            "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "A=b", "EMPTY="],
            "cwd": "/",
            **process,
        },
        "root": {"path": "rootfs"},
        "hostname": "box",
        "annotations": {"org.example.key": "value"},
        "linux": {"namespaces": [{"type": "mount"}]},
    }


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small root file system."""
    root = tmp_path_factory.mktemp("rootfs")
    root.chmod(0o755)  # as the root that users of all kinds have
    for name in _PROGRAMS:
        copy_program(name, root)
    return root


@pytest.fixture
def bundle(tmp_path: Path, rootfs: Path) -> Bundle:
    """Make a bundle from a specification."""

    def make(specification: dict[str, object]) -> Path:
        folder = tmp_path / f"bundle-{next(_numbers)}"
        folder.mkdir()
        # Containers write in it; files that are there already stay shared.
        shutil.copytree(rootfs, folder / "rootfs", True, copy_function=os.link)
        (folder / "config.json").write_text(json.dumps(specification))
        return folder

    return make


@pytest.fixture
def root(tmp_path: Path, host: object) -> Iterator[str]:
    """A root of one's own; no container is left in it."""
    del host
    folder = str(tmp_path / "state")
    yield folder
    runtime = Runtime(folder)
    for container_id in runtime.ids():
        runtime.delete(container_id, force=True)


@pytest.fixture
def container_id() -> str:
    """An id that no other test has: systems are the whole host's."""
    return f"oci-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def runhcs(root: str, tmp_path: Path) -> Command:
    """
    Run a command of ``runhcs`` to its end.

    Its output goes to files: what a container inherits would keep a pipe open.
    """

    def run(
        *arguments: str, data: bytes = b"", code: int | None = 0, output: str = ""
    ) -> Result:
        number = next(_numbers)
        out = tmp_path / (output or f"out-{number}")
        err = tmp_path / f"err-{number}"
        (tmp_path / "in").write_bytes(data)
        with (
            (tmp_path / "in").open("rb") as stdin,
            out.open("wb") as stdout,
            err.open("wb") as stderr,
        ):
            done = subprocess.run(
                [*program(root), *arguments],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                check=False,
                timeout=60,
            )
        errors = err.read_bytes()
        assert b"Traceback" not in errors, errors.decode()
        if code is not None:
            assert code == done.returncode, errors.decode()
        return subprocess.CompletedProcess(
            done.args, done.returncode, out.read_bytes(), errors
        )

    return run


def program(root: str) -> list[str]:
    """Give the command line up to the command."""
    return [sys.executable, "-m", "hcsshim.cli.runhcs", "--root", root]
