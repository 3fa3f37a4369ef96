"""
Run programs that load our DLLs: ``tests/wine/python run_clients.py PROGRAM...``.

Installs the DLLs where programs look for them, names a host of its own, which the
first program has started, runs each program, and prints one JSON object: exit code and
output by program. ``PROVIDER:FILE`` is a Python program that is to use that provider.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SYSTEM = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32")


def run(program: str) -> tuple[int, str]:
    """Run one program; give its exit code and what it printed."""
    provider, _, script = program.partition(":")
    command = [program]
    if script.endswith(".py"):
        command = [sys.executable, script, provider]
        os.environ["HCSSHIM_PROVIDER"] = provider
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def main() -> None:
    """Do so."""
    command = [sys.executable, "-m", "hcsshim", "host", "dlls", str(SYSTEM)]
    subprocess.run(command, check=True, capture_output=True)
    os.environ["HCSSHIM_HOST"] = rf"\\.\pipe\hcsshim-clients-{os.getpid()}"
    os.environ["HCSSHIM_HOST_IDLE"] = "300"  # one for all of them
    outcomes = {program: run(program) for program in sys.argv[1:]}
    os.environ["HCSSHIM_PROVIDER"] = "embedded"
    subprocess.run(
        [sys.executable, "-m", "hcsshim", "host", "stop"],
        check=True,
        capture_output=True,
    )
    sys.stdout.write(json.dumps(outcomes))


if __name__ == "__main__":
    main()
