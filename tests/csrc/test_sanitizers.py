"""The C tests, each built with AddressSanitizer + UBSan and with ThreadSanitizer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"]
SANITIZERS = ["address,undefined", "thread"]


def shim_sources(*folders: str) -> list[str]:
    """List the C files of the shim's folders that are built on Linux."""
    return [
        str(path)
        for folder in folders
        for path in sorted((ROOT / "csrc" / folder).glob("*.c"))
        if not path.stem.endswith(("_posix", "_win32"))
    ]


def run_sanitized(program: Path, sanitizer: str, folder: Path) -> str:
    """Build a C test with the shim's sources, run it, and give what it printed."""
    binary = folder / program.stem
    compiler = shutil.which("clang") or shutil.which("gcc")
    assert compiler, "a C compiler is needed"
    subprocess.run(
        [
            compiler,
            *("-std=c11", "-D_GNU_SOURCE", "-g", "-O1", f"-fsanitize={sanitizer}"),
            "-fno-sanitize-recover=all",
            *WARNINGS,
            f"-I{ROOT / 'csrc'}",
            *("-o", str(binary)),
            str(program),
            *shim_sources("native", "events", "layer"),
            "-lpthread",
        ],
        check=True,
        timeout=120,
    )
    result = subprocess.run(
        [str(binary), str(folder / "socket")],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_service_under_threads(sanitizer: str, tmp_path: Path) -> None:
    """
    Tickets, handles and queues keep their promises under many threads.
    """
    assert run_sanitized(HERE / "test_service.c", sanitizer, tmp_path) == "ok\n"


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_verity_trees(sanitizer: str, tmp_path: Path) -> None:
    """
    SHA-256 is right in every kernel, and trees are, made by however many threads.
    """
    assert run_sanitized(HERE / "test_verity.c", sanitizer, tmp_path) == "ok\n"
