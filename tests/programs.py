"""
Other people's programs, by which tests check what we write.

A machine need not have them: without one, its tests are left out, and say so. CI
installs them all and sets ``HCSSHIM_TESTS_NEED_ALL_TOOLS``: then nothing is left out,
but on Windows, where most of them do not exist.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def find_program(name: str) -> str:
    """Give the path of a program, or leave the test out."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is not None:
        return path
    if os.environ.get("HCSSHIM_TESTS_NEED_ALL_TOOLS") and os.name != "nt":
        pytest.fail(f"{name} must be installed here")
    pytest.skip(f"{name} is not installed")


def copy_program(name: str, root: Path) -> None:
    """Copy a program and the libraries that it needs."""
    path = shutil.which(name)
    assert path, name
    listed = subprocess.run(["ldd", path], check=True, capture_output=True, text=True)
    needed = [word for word in listed.stdout.split() if word.startswith("/")]
    for file in (path, *needed):
        target = root / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(file), target)
    (root / "bin").mkdir(exist_ok=True)
    shortcut = root / "bin" / name
    if not shortcut.exists():
        shortcut.symlink_to(path)
