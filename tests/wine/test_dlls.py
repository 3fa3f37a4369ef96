"""
Programs that load our DLLs under Wine, and the package on those DLLs.

The programs in ``clients/`` use the DLLs the way a stranger would: nothing of ours is
compiled into them.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from programs import find_program

if TYPE_CHECKING:
    from conftest import Wine

HERE = Path(__file__).parent
CLIENTS = ("absent", "v1", "v2", "hns")
PROVIDERS = ("embedded", "computecore", "vmcompute")

pytestmark = pytest.mark.wine


def test_strangers(wine: Wine, tmp_path: Path) -> None:
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
        programs.append(wine.path(program))

    printed = wine.python(wine.path(HERE / "run_clients.py"), *programs)

    outcomes = json.loads(printed)
    assert {program: [0, "ok\n"] for program in programs} == outcomes


def test_package_on_every_provider(wine: Wine) -> None:
    """
    The same program, on the embedded host, and on DLLs of both generations.
    """
    script = wine.path(HERE / "provider_script.py")
    runs = [f"{provider}:{script}" for provider in PROVIDERS]

    outcomes = json.loads(wine.python(wine.path(HERE / "run_clients.py"), *runs))

    assert [[0, "ok\n"]] * len(PROVIDERS) == list(outcomes.values())
