"""
Layers beside bsdtar and tarfile, and conversions beside copies of the same bytes.

Each ratio is the median of ratios of runs close together. What is asserted are ratios
of processor time, our own threads' and that of programs we start, since on a busy
machine the time by the clock tells who else is there; by the clock two threads of ours
take less. Trees and tars are on tmpfs where there is one: a disk's journal would be
measured otherwise.
"""

from __future__ import annotations

import io
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from hcsshim._native.unpack import remove_tree
from hcsshim.layers import (
    BackupStream,
    BackupTarReader,
    BackupTarWriter,
    FileInfo,
    StreamId,
    export_tar,
    import_tar,
    join_streams,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 5
FILES = 15000
SECURITY = BackupStream(id=StreamId.SECURITY_DATA, data=b"\1\0\4\x80" + bytes(160))
INFO = FileInfo(
    creation_time=132000000000000001,
    access_time=132000000000000002,
    write_time=132000000000000003,
    change_time=132000000000000004,
    attributes=0x20,
)


class Nothing(io.RawIOBase):
    """A file that takes everything and keeps nothing."""

    def write(self, data: object) -> int:
        """Take some bytes."""
        return len(memoryview(data))  # type: ignore[arg-type] # bytes-like


@pytest.fixture(scope="module")
def room() -> Iterator[Path]:
    """A folder on tmpfs, if there is one."""
    shared = Path("/dev/shm")  # noqa: S108 - tmpfs is meant
    fits = shared.is_dir() and shutil.disk_usage(shared).free > 4 << 30
    parent = shared if fits else None
    folder = Path(tempfile.mkdtemp(prefix="hcsshim-benchmark-", dir=parent))
    yield folder
    remove_tree(folder)


def stream_of(data: bytes) -> bytes:
    """Give a file's backup stream."""
    return join_streams([SECURITY, BackupStream(id=StreamId.DATA, data=data)])


def python_text(length: int) -> bytes:
    """Give bytes that compress as files usually do."""
    text = b"".join(
        path.read_bytes() for path in sorted(Path(os.__file__).parent.glob("a*.py"))
    )
    assert len(text) >= length
    return text[:length]


def write_layer(path: Path, files: int, largest: int) -> None:
    """Write the tar of a layer of many files, 50 in a folder."""
    chance = random.Random(1)  # noqa: S311 - the same files each time
    pool = python_text(largest)
    folder = FileInfo(write_time=INFO.write_time, attributes=0x10)
    with path.open("wb") as out, BackupTarWriter(out, hashed=False) as tar:
        tar.add("Files", folder, join_streams([SECURITY]))
        for number in range(files):
            name = f"Files/folder-of-some-length-{number // 50:05}"
            if number % 50 == 0:
                tar.add(name, folder, join_streams([SECURITY]))
            size = chance.randrange(largest)
            tar.add(f"{name}/file-{number:07}.dll", INFO, stream_of(pool[:size]))


@pytest.fixture(scope="module")
def layer_tar(room: Path) -> Path:
    """The tar of a layer of many small files."""
    write_layer(room / "layer.tar", FILES, 24 << 10)
    return room / "layer.tar"


def processor_seconds() -> float:
    """Give the processor time of this process and of those it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(deed: Callable[[], object]) -> tuple[float, float]:
    """Give the seconds that something takes: of processors, and by the clock."""
    begin, clock = processor_seconds(), time.perf_counter()
    deed()
    return processor_seconds() - begin, time.perf_counter() - clock


def compare(
    benchmark: BenchmarkFixture,
    deeds: dict[str, Callable[[], object]],
    *,
    between: Callable[[], object] = lambda: None,
) -> dict[str, float]:
    """
    Run deeds in turns; give the median of each one's processor time by the first's.
    """
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in deeds}

    def turn() -> None:
        for name, deed in deeds.items():
            between()
            times[name].append(timed(deed))

    benchmark.pedantic(turn, rounds=ROUNDS, warmup_rounds=1)
    between()
    first = times[next(iter(deeds))]
    by_processor, by_clock = (
        {
            name: statistics.median(
                one[kind] / other[kind] for one, other in zip(taken, first, strict=True)
            )
            for name, taken in times.items()
        }
        for kind in (0, 1)
    )
    benchmark.extra_info.update(processor=by_processor, clock=by_clock)
    return by_processor


def test_import(benchmark: BenchmarkFixture, room: Path, layer_tar: Path) -> None:
    """
    One round: a tar becomes a layer, by us and by ``bsdtar -x``.

    We compute the tar's digest in the same processor time, on a second thread, so that
    by the clock bsdtar takes longer where there is a second processor.
    """
    bsdtar = shutil.which("bsdtar")
    assert bsdtar, "install libarchive-tools"
    target, other = room / "imported", room / "extracted"

    def extract() -> None:
        other.mkdir()
        subprocess.run([bsdtar, "-xpf", layer_tar, "-C", other], check=True)

    def clean() -> None:
        remove_tree(target)
        remove_tree(other)

    ratios = compare(
        benchmark,
        {"ours": lambda: import_tar(layer_tar, target), "bsdtar": extract},
        between=clean,
    )

    assert ratios["bsdtar"] >= 0.7


def test_export(benchmark: BenchmarkFixture, room: Path, layer_tar: Path) -> None:
    """
    One round: a layer becomes a tar, by us, by ``bsdtar -c`` and by tarfile.

    On a quiet machine tarfile takes three times as long, bsdtar about as long.
    """
    bsdtar = shutil.which("bsdtar")
    assert bsdtar, "install libarchive-tools"
    layer, out = room / "layer", room / "out.tar"
    import_tar(layer_tar, layer)

    def python() -> None:
        with tarfile.open(out, "w") as tar:
            tar.add(layer / "Files", "Files")

    ratios = compare(
        benchmark,
        {
            "ours": lambda: export_tar(layer, out),
            "bsdtar": lambda: subprocess.run(
                [bsdtar, "-cf", out, "-C", layer, "Files"], check=True
            ),
            "tarfile": python,
        },
        between=lambda: out.unlink(missing_ok=True),
    )
    remove_tree(layer)

    assert ratios["bsdtar"] >= 1 / 2.2
    assert ratios["tarfile"] >= 1.5


def test_gzip_overlaps(
    benchmark: BenchmarkFixture, room: Path, layer_tar: Path
) -> None:
    """
    One round: a gzip tar becomes a layer, beside its decompression alone.

    By the clock it should take hardly longer, on two processors.
    """
    fast = pytest.importorskip("isal.isal_zlib")
    packed = room / "layer.tar.gz"
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    with layer_tar.open("rb") as source, packed.open("wb") as out:
        while piece := source.read(1 << 20):
            out.write(packer.compress(piece))
        out.write(packer.flush())
    target = room / "gunzipped"

    def alone() -> None:
        unpacker = fast.decompressobj(31)
        with packed.open("rb", buffering=0) as file:
            while piece := file.read(256 << 10):
                unpacker.decompress(piece)

    ratios = compare(
        benchmark,
        {"alone": alone, "ours": lambda: import_tar(packed, target)},
        between=lambda: remove_tree(target),
    )

    assert ratios["ours"] <= 7


@pytest.mark.parametrize("size", [4 << 10, 64 << 10])
def test_backup_streams(benchmark: BenchmarkFixture, size: int) -> None:
    """
    One round: 64 MiB of files as backup streams become a tar and streams again, in
    memory, beside copies of the same bytes.
    """
    count = (64 << 20) // size
    stream = stream_of(os.urandom(size))
    names = [f"Files/a-folder/and-a-file-{number:07}" for number in range(count)]
    tar = io.BytesIO()

    def to_tar(target: IO[bytes]) -> None:
        with BackupTarWriter(target, hashed=False) as writer:
            for name in names:
                writer.add(name, INFO, stream)

    def from_tar() -> None:
        tar.seek(0)
        for file in BackupTarReader(tar):
            assert file.size == size

    def copy() -> None:
        for _ in names:
            bytes(bytearray(stream))  # twice: out of one buffer into another

    to_tar(tar)
    ratios = compare(
        benchmark,
        {"copy": copy, "to": lambda: to_tar(Nothing()), "from": from_tar},
    )
    benchmark.extra_info["bytes"] = count * size

    assert max(ratios["to"], ratios["from"]) <= (60 if size < 10000 else 25)


def test_cost_is_linear(benchmark: BenchmarkFixture, room: Path) -> None:
    """
    One round: a layer of 2000 files and one of ten times as many become folders; a
    file costs about the same.
    """
    small, large = room / "small.tar", room / "large.tar"
    write_layer(small, 2000, 1024)
    write_layer(large, 20000, 1024)
    target = room / "linear"

    ratios = compare(
        benchmark,
        {
            "small": lambda: import_tar(small, target),
            "large": lambda: import_tar(large, target),
        },
        between=lambda: remove_tree(target),
    )

    assert ratios["large"] <= 25


MEMORY = """
import resource, sys
from hcsshim.layers import export_tar, import_tar
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
import_tar(sys.argv[1], sys.argv[2])
export_tar(sys.argv[2], sys.argv[3])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory(benchmark: BenchmarkFixture, room: Path, layer_tar: Path) -> None:
    """
    One round: a layer is imported and exported; that takes less than 64 MiB.
    """
    target, out = room / "lean", room / "lean.tar"

    def turn() -> int:
        remove_tree(target)
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, layer_tar, target, out],
            check=True,
            capture_output=True,
            text=True,
        )
        return int(done.stdout)

    grown = benchmark.pedantic(turn, rounds=2)
    benchmark.extra_info["kib"] = grown
    remove_tree(target)

    assert grown < 64 << 10
