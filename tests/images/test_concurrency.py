"""Several processes with one store, and processes that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from time import monotonic
from typing import TYPE_CHECKING

import pytest
from made_images import MadeImage, layout, tar_of, write_tar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hcsshim.images import ImageStore

pytestmark = pytest.mark.host

PATIENCE = 60

#: Loads what it is told to, and says when it begins.
LOADER = """
import sys
from hcsshim.images import ImageStore
store = ImageStore()
print("begins", flush=True)
for path in sys.argv[1:]:
    store.load(path)
"""

#: Loads and removes, again and again.
CHURN = """
import sys
from hcsshim.errors import NotFoundError
from hcsshim.images import ImageStore
store = ImageStore()
for _ in range(8):
    store.load(sys.argv[1], name=sys.argv[2])
    store.remove(sys.argv[2])
"""


def loader(*paths: Path, script: str = LOADER) -> subprocess.Popen[bytes]:
    """Start a process that loads."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, paths)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait for processes that must succeed."""
    for process in processes:
        _, errors = process.communicate(timeout=PATIENCE)
        assert 0 == process.returncode, errors.decode()


def check_whole(store: ImageStore, expected: dict[str, bytes]) -> None:
    """Check that each layer that is there is all there, and every image has all."""
    for folder in (store.root / "layers").glob("sha256-*"):
        (file,) = (folder / "Files").iterdir()
        assert expected[file.name] == file.read_bytes()
    for image in store.images():
        assert len(image.manifest.layers) == len(store.layer_folders(image))
        for layer in image.manifest.layers:
            assert layer.size == store.blobs.path(layer.digest).stat().st_size


@pytest.fixture
def files() -> dict[str, bytes]:
    """What the layers of the tests' image have: a file each."""
    chance = random.Random(1)  # noqa: S311 - no secret
    return {f"file{n}": chance.randbytes(3_000_000) for n in range(3)}


@pytest.fixture
def archive(tmp_path: Path, files: dict[str, bytes]) -> Path:
    """An archive with an image of several layers."""
    layers = [tar_of({name: data}) for name, data in files.items()]
    return write_tar(tmp_path / "in.tar", layout(MadeImage(layers)))


def test_many_load_the_same_image(
    store: ImageStore, archive: Path, files: dict[str, bytes]
) -> None:
    """All of several processes that load one image at once succeed."""
    finish([loader(archive) for _ in range(6)])

    assert ["made:1"] == [image.name for image in store.images()]
    check_whole(store, files)
    assert [] == list(store.temporary.iterdir())
    assert [] == list((store.root / "layers").glob(".*"))


def test_many_load_different_images(store: ImageStore, tmp_path: Path) -> None:
    """No name is lost when several processes add one each."""
    base = tar_of({"shared": b"x" * 100_000})
    paths = []
    for number in range(6):
        made = MadeImage([base, tar_of({"own": str(number).encode()})])
        files = layout(made, f"made:{number}")
        paths.append(write_tar(tmp_path / f"{number}.tar", files))

    finish([loader(path) for path in paths])

    names = [image.name for image in store.images()]
    assert [f"made:{number}" for number in range(6)] == names


def test_some_load_while_others_remove(store: ImageStore, tmp_path: Path) -> None:
    """Removing never takes what somebody is just bringing in."""
    base = tar_of({"shared": b"x" * 100_000})
    made = MadeImage([base, tar_of({"own": b"1"})])
    path = write_tar(tmp_path / "in.tar", layout(made))

    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CHURN, path, name], stderr=subprocess.PIPE
        )
        for name in ("first", "second", "third")
    ]
    finish(processes)

    assert [] == store.images()
    assert [] == store.blobs.all()
    assert [] == list((store.root / "layers").iterdir())


@pytest.mark.parametrize("attempt", range(10))
def test_killed_load_leaves_what_is_whole(
    store: ImageStore, archive: Path, files: dict[str, bytes], attempt: int
) -> None:
    """
    A load that is killed, at one point or another, leaves a store that is sound, and
    loading again completes it.
    """
    process = loader(archive)
    assert process.stdout is not None
    assert b"begins\n" == process.stdout.readline()
    _wait_for_progress(store, process, attempt)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)

    (store.root / "layers").mkdir(parents=True, exist_ok=True)
    check_whole(store, files)
    store.load(archive)

    check_whole(store, files)
    assert 3 == len(store.layer_folders(store.find("made:1")))
    assert [] == list(store.temporary.iterdir())
    assert [] == list((store.root / "layers").glob(".*"))


def _wait_for_progress(
    store: ImageStore, process: subprocess.Popen[bytes], attempt: int
) -> None:
    """Wait until a load has come as far as an attempt wants it, or has ended."""
    end = monotonic() + PATIENCE
    while process.poll() is None and monotonic() < end:
        if sum(len(files) for _, _, files in os.walk(store.root)) >= attempt:
            return


def test_killed_export_leaves_no_archive(
    store: ImageStore, archive: Path, tmp_path: Path
) -> None:
    """An export that is killed before its end leaves no file of the name."""
    store.load(archive)
    script = (
        "import os, signal, sys\n"
        "from hcsshim.images import ImageStore\n"
        "store = ImageStore()\n"
        "kill = lambda done, total: os.kill(os.getpid(), signal.SIGKILL)\n"
        "store.export(store.find('made:1'), sys.argv[1], progress=kill)\n"
    )

    process = loader(tmp_path / "out.tar", script=script)
    process.communicate(timeout=PATIENCE)

    assert -signal.SIGKILL == process.returncode
    assert not (tmp_path / "out.tar").exists()
