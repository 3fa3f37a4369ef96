"""What several benchmarks need: a host of their own and a root file system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system of busybox alone."""
    busybox = shutil.which("busybox")
    assert busybox, "install busybox-static"
    root = tmp_path_factory.mktemp("rootfs")
    for folder in ("bin", "dev", "etc", "proc", "sys", "tmp"):
        (root / folder).mkdir()
    shutil.copy(busybox, root / "bin" / "busybox")
    names = subprocess.run(
        [busybox, "--list"], check=True, capture_output=True, text=True
    ).stdout.split()
    for name in names:
        if name != "busybox":
            (root / "bin" / name).symlink_to("busybox")
    return root


@pytest.fixture(scope="session", autouse=True)
def private_host(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let the benchmarks start an embedded host of their own."""
    folder = tmp_path_factory.mktemp("host")
    folder.chmod(0o700)
    windows = sys.platform == "win32"
    path = rf"\\.\pipe\{folder.name}-{os.getpid()}" if windows else folder / "host.sock"
    os.environ["HCSSHIM_HOST"] = str(path)
    os.environ["XDG_STATE_HOME"] = str(folder)
    os.environ["HCSSHIM_HOST_IDLE"] = "5"
