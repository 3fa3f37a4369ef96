"""The C tests, each built with AddressSanitizer + UBSan and with ThreadSanitizer."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from programs import find_program

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"]
SANITIZERS = ["address,undefined", "thread"]


#: The files that stand in for each other: Linux's own calls, or plain POSIX.
PLATFORMS = {"linux": ("_posix", "_win32"), "posix": ("_linux", "_win32")}


def shim_sources(platform: str) -> list[str]:
    """List the C files of the shim as they are built for a platform."""
    return [
        str(path)
        for folder in ("native", "events", "relay", "layer")
        for path in sorted((ROOT / "csrc" / folder).glob("*.c"))
        if not path.stem.endswith(PLATFORMS[platform])
    ]


def run_sanitized(program: Path, sanitizer: str, platform: str, folder: Path) -> str:
    """Build a C test with the shim's sources, run it, and give what it printed."""
    binary = folder / program.stem
    compiler = find_program("clang")
    subprocess.run(
        [
            compiler,
            *("-std=c11", "-D_GNU_SOURCE", "-g", "-O1", f"-fsanitize={sanitizer}"),
            "-fno-sanitize-recover=all",
            *WARNINGS,
            f"-I{ROOT / 'csrc'}",
            *("-o", str(binary)),
            str(program),
            *shim_sources(platform),
            "-lpthread",
        ],
        check=True,
        timeout=300,
    )
    result = subprocess.run(
        [str(binary), str(folder / "socket")],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("sanitizer", SANITIZERS)
@pytest.mark.parametrize(
    "program",
    [
        *("test_service", "test_relay", "test_tar", "test_layer"),
        *("test_ext4", "test_verity"),
    ],
)
def test_program(program: str, sanitizer: str, platform: str, tmp_path: Path) -> None:
    """
    Tickets, handles, queues, transfers, tars, images and hash trees keep their promises
    under many threads, with Linux's own calls and with the fallbacks for other POSIX
    systems.
    """
    source = HERE / f"{program}.c"

    assert "ok\n" == run_sanitized(source, sanitizer, platform, tmp_path)
