"""What tests that run Windows programs under Wine share."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from programs import find_program

HERE = Path(__file__).parent


class Wine:
    """The Windows CPython with the package, under Wine."""

    def path(self, path: Path) -> str:
        """Name a file of this machine as Wine does."""
        return "Z:" + str(path).replace("/", "\\")

    def python(self, *arguments: str) -> str:
        """Run a Python program; give what it printed."""
        done = subprocess.run(
            [str(HERE / "python"), *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def drive(self) -> Path:
        """Give the folder that is the drive C: of this checkout's Windows."""
        printed = self.python(
            "-c",
            "import subprocess, sys;"
            "sys.stdout.buffer.write(subprocess.run(['winepath', '-u', 'C:'],"
            " stdout=subprocess.PIPE, check=True).stdout)",
        )
        return Path(printed.strip()).resolve()


@pytest.fixture(scope="session")
def wine() -> Wine:
    """Leave the tests out where Wine and its compiler are missing."""
    find_program("wine")
    find_program("x86_64-w64-mingw32-gcc")
    return Wine()
