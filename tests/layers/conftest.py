"""What the tests of layers share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A name in a folder of its own, for a layer that is to be made."""
    folder = tmp_path / "layers"
    folder.mkdir()
    return folder / "layer"


def supports_attributes(folder: Path) -> bool:
    """Tell whether files in a folder can have extended attributes of users."""
    try:
        os.setxattr(folder, "user.hcsshim.test", b"1")
    except (AttributeError, OSError):
        return False
    os.removexattr(folder, "user.hcsshim.test")
    return True


@pytest.fixture
def attributes(tmp_path: Path) -> None:
    """Leave the test out where files have no extended attributes of users."""
    if not supports_attributes(tmp_path):
        pytest.skip("the file system of the temporary folder has no user attributes")
