"""What the tests of the disk formats share."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def tool() -> Run:
    """Run somebody else's program, or fail: these tests mean nothing without it."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = [str(argument) for argument in arguments]
        assert shutil.which(words[0]), f"{words[0]} must be installed for this test"
        return subprocess.run(
            words, check=False, capture_output=True, text=True, timeout=60
        )

    return run
