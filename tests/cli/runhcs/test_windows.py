"""``runhcs`` on Windows: a bundle runs with the machine's own files."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from .conftest import program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.host,
    pytest.mark.windows,
    pytest.mark.usefixtures("host"),
]


def runhcs(
    root: str, *arguments: str, code: int = 0
) -> subprocess.CompletedProcess[bytes]:
    """Run a command whose stdio nobody inherits."""
    done = subprocess.run(
        [*program(root), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert code == done.returncode, done.stderr.decode()
    return done


def write_bundle(folder: Path, *command: str) -> str:
    """Make a bundle without layers."""
    process = {"args": list(command), "cwd": "C:\\", "env": ["A=b c"]}
    specification = {
        "ociVersion": "1.0.2",
        "process": process,
        "root": {"path": ""},
        "windows": {},
    }
    (folder / "config.json").write_text(json.dumps(specification))
    return str(folder)


def test_a_bundle_runs(tmp_path: Path, root: str, container_id: str) -> None:
    """
    Its process has the specification's variables, and our stdio and exit code.
    """
    folder = write_bundle(tmp_path, "cmd", "/c", "echo hi %A%& exit 5")

    done = runhcs(root, "run", "-b", folder, container_id, code=5)

    assert b"hi b c" == done.stdout.strip()
    assert [] == json.loads(runhcs(root, "list", "--format", "json").stdout)


def test_failures_are_sentences(tmp_path: Path, root: str, container_id: str) -> None:
    """
    A program that is not there; a container that is not known. Nothing is left.
    """
    folder = write_bundle(tmp_path, "no-such-program-anywhere")

    failed = runhcs(root, "run", "-b", folder, container_id, code=1)
    assert b"no-such-program-anywhere" in failed.stderr
    assert b"does not exist" in runhcs(root, "state", container_id, code=1).stderr
    assert not [name for name in os.listdir(root) if not name.startswith(".")]  # noqa: PTH208
