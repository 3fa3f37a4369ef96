"""What the tests of images share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from made_images import MadeImage, busybox_files, tar_of

from hcsshim.images import ImageStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path, host: object, monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    """A store of the test's own, and a host for what is done with its layers."""
    assert host is not None
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return ImageStore()


@pytest.fixture(scope="session")
def base_tar() -> bytes:
    """The tar of a layer with a busybox."""
    return tar_of(busybox_files())


@pytest.fixture
def made(base_tar: bytes) -> MadeImage:
    """An image of two layers, of which the upper changes the lower."""
    upper = tar_of(
        {".wh.gone": b"", "kept": b"changed\n", "srv": None, "srv/new": b"new\n"}
    )
    return MadeImage(
        [base_tar, upper],
        config={
            "Env": ["PATH=/bin", "GREETING=hello"],
            "Cmd": ["sh", "-c", "echo $GREETING; cat new; pwd; id -u"],
            "WorkingDir": "/srv",
        },
    )
