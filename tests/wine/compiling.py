"""Compile C files for Windows, each once, and again only when something changed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKOUT = Path(__file__).resolve().parents[2]
COMPILER = "x86_64-w64-mingw32-gcc"


def run(*command: object) -> None:
    """Run a command in the checkout, and end with its complaint if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
        sys.exit(f"failed: {' '.join(str(part) for part in command)}")


def newest(*patterns: str) -> float:
    """Tell when a file of ``csrc`` of these patterns was changed last."""
    return max(
        path.stat().st_mtime
        for pattern in patterns
        for path in (CHECKOUT / "csrc").glob(pattern)
    )


def compile_all(
    sources: Sequence[Path], flags: Sequence[str], work: Path
) -> list[Path]:
    """
    Compile files, two at a time.

    Args:
        sources: Their names differ, folder included.
        flags: Of the compiler.
        work: For the objects; those of an earlier time are used again, so other
            flags need another folder.

    Returns:
        The objects.
    """
    work.mkdir(parents=True, exist_ok=True)
    headers = newest("**/*.h", "**/*.def", "ffi_build.py")

    def compile_one(source: Path) -> Path:
        made = work / f"{source.parent.name}-{source.stem}.o"
        changed = max(headers, source.stat().st_mtime)
        if not made.exists() or made.stat().st_mtime <= changed:
            run(COMPILER, *flags, "-c", source, "-o", made)
        return made

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(compile_one, sources))
