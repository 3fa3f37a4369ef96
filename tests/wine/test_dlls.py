"""
Programs that load our DLLs under Wine, and the package on those DLLs.

The programs in ``clients/`` use the DLLs the way a stranger would: nothing of ours is
compiled into them.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from programs import find_program

HERE = Path(__file__).parent
CLIENTS = ("absent", "v1", "v2", "hns")
PROVIDERS = ("embedded", "computecore", "vmcompute")

pytestmark = pytest.mark.wine


def on_windows(path: Path) -> str:
    """Name a file of this machine as Wine does."""
    return "Z:" + str(path).replace("/", "\\")


def windows_python(*arguments: str) -> str:
    """Run the Windows CPython with the package; give what it printed."""
    done = subprocess.run(
        [str(HERE / "python"), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wine() -> None:
    """Leave the tests out where Wine and its compiler are missing."""
    find_program("wine")
    find_program("x86_64-w64-mingw32-gcc")


@pytest.mark.usefixtures("wine")
def test_strangers(tmp_path: Path) -> None:
    """
    Life cycles of both generations, networks, misuse of handles: all as on Windows.
    """
    programs = []
    for name in CLIENTS:
        program = tmp_path / f"{name}.exe"
        subprocess.run(
            [
                find_program("x86_64-w64-mingw32-gcc"),
                *("-std=c11", "-Wall", "-Wextra", "-Werror", "-D_WIN32_WINNT=0x0A00"),
                *("-o", str(program), str(HERE / "clients" / f"{name}.c"), "-lole32"),
            ],
            check=True,
        )
        programs.append(on_windows(program))

    printed = windows_python(on_windows(HERE / "run_clients.py"), *programs)

    outcomes = json.loads(printed)
    assert {program: [0, "ok\n"] for program in programs} == outcomes


@pytest.mark.usefixtures("wine")
def test_package_on_every_provider() -> None:
    """
    The same program, on the embedded host, and on DLLs of both generations.
    """
    script = on_windows(HERE / "provider_script.py")
    runs = [f"{provider}:{script}" for provider in PROVIDERS]

    outcomes = json.loads(windows_python(on_windows(HERE / "run_clients.py"), *runs))

    assert [[0, "ok\n"]] * len(PROVIDERS) == list(outcomes.values())
