"""What the tests of the disk formats share."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from programs import find_program

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def tool() -> Run:
    """Run somebody else's program, or leave the test out."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = [str(argument) for argument in arguments]
        words[0] = find_program(words[0])
        return subprocess.run(
            words, check=False, capture_output=True, text=True, timeout=60
        )

    return run
