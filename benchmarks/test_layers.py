"""
Layers beside bsdtar, tarfile, digests and decompression alone.

Three kinds of tars: of many small files, of some larger ones, of a few huge ones. Each
ratio is the median of ratios of runs close together, by the clock: two threads of ours
work at a time. Whoever else uses the processors meanwhile spoils that, so then nothing
is asserted. Tars are on the disk, and in the page cache; what is made of them is on
tmpfs where there is one: a disk's journal would be measured otherwise.
"""

from __future__ import annotations

import hashlib
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
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest

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
    from collections.abc import Callable, Iterator

    from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 5
KINDS = ["small", "mixed", "huge"]
#: The part of all processors that others may take while the clock is asked.
OTHERS = 0.1
SECURITY = BackupStream(id=StreamId.SECURITY_DATA, data=b"\1\0\4\x80" + bytes(160))
INFO = FileInfo(
    creation_time=132000000000000001,
    access_time=132000000000000002,
    write_time=132000000000000003,
    change_time=132000000000000004,
    attributes=0x20,
)


@pytest.fixture(scope="module")
def room() -> Iterator[Path]:
    """A folder on tmpfs, if there is one; one layer at a time fits."""
    shared = Path("/dev/shm")  # noqa: S108 - tmpfs is meant
    fits = shared.is_dir() and shutil.disk_usage(shared).free > 2 << 30
    parent = shared if fits else None
    folder = Path(tempfile.mkdtemp(prefix="hcsshim-benchmark-", dir=parent))
    yield folder
    remove_tree(folder)


def sample_bytes() -> bytes:
    """Give 16 MiB that compress as files usually do."""
    text = bytearray()
    for path in sorted(Path(os.__file__).parent.rglob("*.py")):
        text += path.read_bytes()
        if len(text) >= 16 << 20:
            break
    return bytes(text)[: 16 << 20]


def write_layer(path: Path, sizes: list[int]) -> None:
    """Write the tar of a layer of files, 20 in a folder."""
    chance = random.Random(1)  # noqa: S311 - the same files each time
    pool = sample_bytes()
    folder = FileInfo(write_time=INFO.write_time, attributes=0x10)
    with path.open("wb") as out, BackupTarWriter(out, hashed=False) as tar:
        tar.add("Files", folder, join_streams([SECURITY]))
        for number, size in enumerate(sizes):
            name = f"Files/folder-of-some-length-{number // 20:05}"
            if number % 20 == 0:
                tar.add(name, folder, join_streams([SECURITY]))
            start = chance.randrange(len(pool) // 2)
            data = (pool[start:] * (size // (len(pool) // 2) + 1))[:size]
            stream = [SECURITY, BackupStream(id=StreamId.DATA, data=data)]
            tar.add(f"{name}/file-{number:07}.dll", INFO, join_streams(stream))


@pytest.fixture(scope="module")
def tars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Tars of 600 MB of small files, 300 MB mixed, 600 MB in three files."""
    chance = random.Random(1)  # noqa: S311 - as above
    folder = tmp_path_factory.mktemp("tars")
    sizes = {
        "small": [chance.randrange(22 << 10) for _ in range(51000)],
        "mixed": [
            int(chance.paretovariate(1.2) * 40000) % 2000000 for _ in range(2100)
        ],
        "huge": [200 << 20] * 3,
    }
    for kind, of_kind in sizes.items():
        write_layer(folder / f"{kind}.tar", of_kind)
    yield {kind: folder / f"{kind}.tar" for kind in sizes}
    remove_tree(folder)


@attrs.frozen
class Taken:
    """What runs of one thing took, in seconds, in the order of rounds."""

    processor: list[float]
    clock: list[float]


def processor_seconds() -> float:
    """Give the processor time of this process and of those it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def busy_seconds() -> float:
    """Give the processor time of all processes together."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    idle = int(fields[4]) + int(fields[5])
    return (sum(map(int, fields[1:9])) - idle) / os.sysconf("SC_CLK_TCK")


def compare(
    benchmark: BenchmarkFixture,
    deeds: dict[str, Callable[[], object]],
    *,
    between: Callable[[], object] = lambda: None,
    rounds: int = ROUNDS,
) -> dict[str, Taken]:
    """
    Run deeds in turns, and give what each took.

    Skips the test if others took the processors meanwhile.
    """
    taken = {name: Taken([], []) for name in deeds}
    others = 0.0

    def turn() -> None:
        nonlocal others
        for name, deed in deeds.items():
            between()
            busy, begin, clock = (
                busy_seconds(),
                processor_seconds(),
                time.perf_counter(),
            )
            deed()
            taken[name].processor.append(processor_seconds() - begin)
            taken[name].clock.append(time.perf_counter() - clock)
            others += busy_seconds() - busy - taken[name].processor[-1]

    benchmark.pedantic(turn, rounds=rounds, warmup_rounds=1)
    between()
    share = (
        others / sum(sum(one.clock) for one in taken.values()) / (os.cpu_count() or 1)
    )
    benchmark.extra_info.update(
        others=share,
        processor={
            name: statistics.median(one.processor) for name, one in taken.items()
        },
        clock={name: statistics.median(one.clock) for name, one in taken.items()},
    )
    if share > OTHERS:
        pytest.skip(f"others took {share:.0%} of the processors")
    return taken


def ratio(one: list[float], other: list[float]) -> float:
    """Give the median of ratios, round by round."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def bsdtar() -> str:
    """Find bsdtar."""
    program = shutil.which("bsdtar")
    assert program, "install libarchive-tools"
    return program


def digest_of(path: Path) -> str:
    """Compute a file's SHA-256 as fast as Python does."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(256 << 10):
            digest.update(piece)
    return digest.hexdigest()


@pytest.mark.parametrize("kind", KINDS)
def test_import(
    benchmark: BenchmarkFixture, room: Path, tars: dict[str, Path], kind: str
) -> None:
    """
    One round: a tar becomes a layer and a digest, by us; and without a digest by
    ``bsdtar -x``.

    Half of its time for many small files. Of large ones the digest, which is serial,
    takes longer than bsdtar all by itself: there ours takes hardly longer than that,
    and less than bsdtar and a digest after it.
    """
    tar, target = tars[kind], room / "layer"

    def extract() -> None:
        target.mkdir()
        subprocess.run([bsdtar(), "-xpf", tar, "-C", target], check=True)

    taken = compare(
        benchmark,
        {
            "ours": lambda: import_tar(tar, target),
            "bsdtar": extract,
            "digest": lambda: digest_of(tar),
        },
        between=lambda: remove_tree(target),
    )
    ours, other = taken["ours"].clock, taken["bsdtar"].clock
    both = [sum(pair) for pair in zip(other, taken["digest"].clock, strict=True)]
    benchmark.extra_info["ratios"] = [ratio(other, ours), ratio(both, ours)]

    if kind == "small":
        assert ratio(other, ours) >= 2
    else:
        assert ratio(both, ours) >= 1.5
        assert ratio(ours, taken["digest"].clock) <= 1.5


@pytest.mark.parametrize("kind", KINDS)
def test_export(
    benchmark: BenchmarkFixture, room: Path, tars: dict[str, Path], kind: str
) -> None:
    """
    One round: a layer becomes a tar, by us with its digest, by ``bsdtar -c`` and by
    tarfile, which of huge files only copies bytes, as everybody has to.
    """
    layer, out = room / "layer", tars[kind].with_suffix(".out")
    import_tar(tars[kind], layer)

    def python() -> None:
        with tarfile.open(out, "w") as tar:
            tar.add(layer / "Files", "Files")

    taken = compare(
        benchmark,
        {
            "ours": lambda: export_tar(layer, out),
            "bsdtar": lambda: subprocess.run(
                [bsdtar(), "-cf", out, "-C", layer, "Files"], check=True
            ),
            "tarfile": python,
        },
        between=lambda: out.unlink(missing_ok=True),
    )
    remove_tree(layer)
    ours = taken["ours"].clock
    benchmark.extra_info["ratios"] = [
        ratio(ours, taken["bsdtar"].clock),
        ratio(taken["tarfile"].clock, ours),
    ]

    assert ratio(ours, taken["bsdtar"].clock) <= 1.5
    if kind == "small":
        assert ratio(taken["tarfile"].clock, ours) >= 3


@pytest.mark.parametrize("kind", KINDS)
def test_gzip_overlaps(
    benchmark: BenchmarkFixture, room: Path, tars: dict[str, Path], kind: str
) -> None:
    """
    One round: a gzip tar becomes a layer; it is decompressed alone; a plain tar becomes
    a layer.

    Ours takes about as long as decompression alone, or where that is more, as two
    processors need for decompression and all the rest: within 15 % on a quiet machine,
    or a little more.
    """
    fast = pytest.importorskip("isal.isal_zlib")
    packed, target = tars[kind].with_suffix(".tar.gz"), room / "layer"
    packer = fast.compressobj(2, fast.DEFLATED, 31)
    with tars[kind].open("rb") as source, packed.open("wb") as out:
        while piece := source.read(1 << 20):
            out.write(packer.compress(piece))
        out.write(packer.flush())

    def alone() -> None:
        unpacker = fast.decompressobj(31)
        with packed.open("rb", buffering=0) as file:
            while piece := file.read(256 << 10):
                unpacker.decompress(piece)

    taken = compare(
        benchmark,
        {
            "alone": alone,
            "ours": lambda: import_tar(packed, target),
            "plain": lambda: import_tar(tars[kind], target),
        },
        between=lambda: remove_tree(target),
    )
    packed.unlink()
    floors = [
        max(clock, (one + other) / 2)
        for clock, one, other in zip(
            taken["alone"].clock,
            taken["alone"].processor,
            taken["plain"].processor,
            strict=True,
        )
    ]
    benchmark.extra_info["ratios"] = [
        ratio(taken["ours"].clock, taken["alone"].clock),
        ratio(taken["ours"].clock, floors),
    ]

    assert ratio(taken["ours"].clock, floors) <= 1.15 + 0.1


def test_cost_is_linear(
    benchmark: BenchmarkFixture, room: Path, tmp_path: Path
) -> None:
    """
    One round: layers of 10 to 100000 files become folders; ten times as many files
    never cost much more than ten times as much.
    """
    counts = [10, 100, 1000, 10000, 100000]
    for count in counts:
        write_layer(
            tmp_path / f"{count}.tar", [number % 512 for number in range(count)]
        )
    target = room / "layer"

    def deed(count: int) -> Callable[[], object]:
        return lambda: import_tar(tmp_path / f"{count}.tar", target)

    taken = compare(
        benchmark,
        {str(count): deed(count) for count in counts},
        between=lambda: remove_tree(target),
        rounds=3,
    )

    for few, many in pairwise(counts):
        assert ratio(taken[str(many)].processor, taken[str(few)].processor) <= 13


#: The peak is this program's own; that of ``getrusage`` is inherited.
MEMORY = """
import re, sys
from pathlib import Path
from hcsshim.layers import export_tar, import_tar
def kib(what):
    status = Path("/proc/self/status").read_text()
    return int(re.search(what + r":\\s+(\\d+) kB", status)[1])
before = kib("VmRSS")
import_tar(sys.argv[1], sys.argv[2])
export_tar(sys.argv[2], sys.argv[3])
print(kib("VmHWM") - before)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_memory(
    benchmark: BenchmarkFixture, room: Path, tars: dict[str, Path], kind: str
) -> None:
    """
    One round: a layer is imported and exported; that takes less than 64 MiB.
    """
    target, out = room / "layer", tars[kind].with_suffix(".out")

    def turn() -> int:
        remove_tree(target)
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, tars[kind], target, out],
            check=True,
            capture_output=True,
            text=True,
        )
        return int(done.stdout)

    grown = benchmark.pedantic(turn, rounds=2)
    benchmark.extra_info["kib"] = grown
    remove_tree(target)
    out.unlink()

    assert 0 < grown < 64 << 10
