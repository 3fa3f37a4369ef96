"""Large layers, and imports that are killed."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from layers_tars import TarMaker

from hcsshim._native.unpack import remove_tree
from hcsshim.layers import (
    BackupStream,
    BackupTarWriter,
    FileInfo,
    StreamId,
    export_tar,
    import_tar,
    join_streams,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT = 60
#: What 100 thousand files and their tars take, and then some.
ROOM = 4 << 30
IMPORT = """
import sys
from hcsshim.layers import import_tar
import_tar(sys.stdin.buffer, sys.argv[1])
"""


def importer(layer: Path) -> subprocess.Popen[bytes]:
    """Start a process that imports what it is given."""
    return subprocess.Popen(
        [sys.executable, "-c", IMPORT, str(layer)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def some_tar() -> bytes:
    """A layer of a few hundred files."""
    maker = TarMaker().folder("Files")
    for number in range(300):
        maker.add(f"Files/{number:03}", os.urandom(2000))
    return maker.done()


@pytest.mark.parametrize("part", [0, 0.001, 0.4, 0.9])
def test_killed_before_the_end(layer: Path, part: float) -> None:
    """
    An import killed at any byte leaves no layer, and the next one cleans up.
    """
    tar = some_tar()
    process = importer(layer)
    assert process.stdin is not None
    process.stdin.write(tar[: int(len(tar) * part)])
    process.stdin.flush()

    process.kill()
    process.wait(WAIT)
    process.stdin.close()

    assert not layer.exists()
    import_tar(io.BytesIO(tar), layer)
    assert [layer.name] == os.listdir(layer.parent)


@pytest.mark.parametrize("attempt", range(4))
def test_killed_at_the_end(layer: Path, attempt: int) -> None:
    """
    An import killed when it has all leaves no layer, or a whole one.
    """
    tar = some_tar()
    process = importer(layer)
    assert process.stdin is not None
    process.stdin.write(tar)
    process.stdin.close()

    if attempt > 0:  # one is left alone
        process.kill()
    process.wait(WAIT)

    assert attempt > 0 or layer.exists()
    if layer.exists():
        again = io.BytesIO()
        export_tar(layer, again)
        assert tar == again.getvalue()


def test_work_of_others_is_left_alone(layer: Path) -> None:
    """
    What another process is still making is no leftover.
    """
    tar = some_tar()
    process = importer(layer)
    assert process.stdin is not None
    process.stdin.write(tar[:-1024])
    process.stdin.flush()
    other = layer.with_name(layer.name + "2")

    import_tar(io.BytesIO(tar), other)
    process.stdin.write(tar[-1024:])
    process.stdin.close()

    assert 0 == process.wait(WAIT)
    assert sorted([layer.name, other.name]) == sorted(os.listdir(layer.parent))


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Path]:
    """A name for a layer on tmpfs, if there is one: 100 thousand files take long."""
    if not os.access("/dev/shm", os.W_OK) or shutil.disk_usage("/dev/shm").free < ROOM:
        yield tmp_path / "layer"
        return
    folder = Path(tempfile.mkdtemp(prefix="hcsshim-test-", dir="/dev/shm"))
    yield folder / "layer"
    remove_tree(folder)


@pytest.mark.slow
def test_hundred_thousand_files(roomy: Path) -> None:
    """
    A layer of 100 thousand files comes back byte for byte.
    """
    security = BackupStream(id=StreamId.SECURITY_DATA, data=bytes(160))
    stream = join_streams([security, BackupStream(id=StreamId.DATA, data=b"x" * 100)])
    name = roomy.with_name("layer.tar")
    with name.open("wb") as out, BackupTarWriter(out) as tar:
        for number in range(100_000):
            info = FileInfo(write_time=132 * 10**15 + number, attributes=0x20)
            tar.add(f"Files/{number // 500}/{number % 500}", info, stream)
        expected = tar.finish()

    done = import_tar(name, roomy)

    assert (100_000, expected.diff_id) == (done.members, done.diff_id)
    assert expected.diff_id == export_tar(roomy, roomy.with_name("again")).diff_id


@pytest.mark.slow
def test_sparse_file_over_8_gib(layer: Path) -> None:
    """
    A file of more than 8 GiB of zeros takes no room, and comes back.
    """
    size = (8 << 30) + 1
    member = tarfile.TarInfo("Files/large")
    member.size = size
    name = layer.with_name("layer.tar")
    with name.open("wb") as tar:
        tar.write(member.tobuf(tarfile.PAX_FORMAT))
        tar.truncate(tar.tell() + (size + 511) // 512 * 512 + 1024)

    done = import_tar(name, layer)

    status = (layer / "Files/large").stat()
    assert (size, size) == (status.st_size, done.size)
    assert status.st_blocks * 512 < 1 << 20
    with open(os.devnull, "wb") as nothing:
        assert done.diff_id == export_tar(layer, nothing).diff_id
