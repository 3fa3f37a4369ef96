"""The command line as a user runs it: in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from programs import copy_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Hcsshim = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def hcsshim(host: object) -> Hcsshim:
    """Run the command line to its end, on the tests' own host."""
    del host

    def run(
        *arguments: str, data: bytes | None = None, code: int | None = 0
    ) -> subprocess.CompletedProcess[bytes]:
        result = subprocess.run(
            [sys.executable, "-m", "hcsshim", *arguments],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert b"Traceback" not in result.stderr, result.stderr.decode()
        if code is not None:
            assert code == result.returncode, result.stderr.decode()
        return result

    return run


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small root file system made of this machine's own programs."""
    root = tmp_path_factory.mktemp("layer")
    for name in ("sh", "cat", "stty", "sleep", "touch", "ls"):
        copy_program(name, root)
    return root
