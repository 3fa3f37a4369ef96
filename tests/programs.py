"""
Other people's programs, by which tests check what we write.

A machine need not have them: without one, its tests are left out, and say so. CI
installs them all and sets ``HCSSHIM_TESTS_NEED_ALL_TOOLS``: then nothing is left out.
"""

from __future__ import annotations

import os
import shutil

import pytest


def find_program(name: str) -> str:
    """Give the path of a program, or leave the test out."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is not None:
        return path
    if os.environ.get("HCSSHIM_TESTS_NEED_ALL_TOOLS"):
        pytest.fail(f"{name} must be installed here")
    pytest.skip(f"{name} is not installed")
