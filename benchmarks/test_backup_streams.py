"""
Win32 backup streams to tar and back, in memory, beside copies of the same bytes.

With ``BACKUPTAR_REFERENCE`` naming a program that does the same with Go's code, as
``PROGRAM SIZE ROUNDS`` for 64 MiB of files of one size, and prints a line for each
round, microseconds of a file to tar and from it, that is a peer.
"""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import time
from typing import IO, TYPE_CHECKING

import pytest

from hcsshim._native.backup import BackupUnpack
from hcsshim.layers import (
    BackupStream,
    BackupTarReader,
    BackupTarWriter,
    FileInfo,
    StreamId,
    join_streams,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

REFERENCE = os.environ.get("BACKUPTAR_REFERENCE")
ROUNDS = 7
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


def take_apart(tar: IO[bytes]) -> None:
    """Give each file's name, times and stream, without an object for each."""
    tar.seek(0)
    unpack = BackupUnpack()
    while piece := tar.read(256 << 10):
        unpack.feed(piece)
        while unpack.next() is not None:
            pass


def theirs(size: int) -> dict[str, float]:
    """Give what Go takes, microseconds of a file; nothing without it."""
    if not REFERENCE:
        return {}
    done = subprocess.run(
        [REFERENCE, str(size), "1"], check=True, capture_output=True, text=True
    )
    to, back = done.stdout.split()
    return {"Go to": float(to), "Go from": float(back)}


def deeds_of(size: int) -> dict[str, Callable[[], object]]:
    """Give what is to be timed, for 64 MiB of files of one size."""
    stream = join_streams(
        [SECURITY, BackupStream(id=StreamId.DATA, data=os.urandom(size))]
    )
    names = [f"Files/a-folder/and-a-file-{n:07}" for n in range((64 << 20) // size)]
    tar = io.BytesIO()

    def to_tar(target: IO[bytes]) -> None:
        with BackupTarWriter(target, hashed=False) as writer:
            for name in names:
                writer.add(name, INFO, stream)

    def objects() -> None:
        tar.seek(0)
        for file in BackupTarReader(tar):
            assert file.size == size

    def copy() -> None:
        for _ in names:
            bytes(bytearray(stream))  # twice: out of one buffer into another

    to_tar(tar)
    return {
        "copy": copy,
        "to": lambda: to_tar(Nothing()),
        "from": lambda: take_apart(tar),
        "objects": objects,
    }


@pytest.mark.parametrize("size", [4 << 10, 64 << 10])
def test_backup_streams(benchmark: BenchmarkFixture, size: int) -> None:
    """
    One round: 64 MiB of files as backup streams become a tar, and streams again, by
    the conversion itself and as objects; beside copies of the same bytes.
    """
    rounds: list[dict[str, float]] = []
    deeds = deeds_of(size)

    def turn() -> None:
        taken = {}
        for name, deed in deeds.items():
            begin = time.process_time()
            deed()
            taken[name] = (time.process_time() - begin) / (64 << 20) * size * 1e6
        rounds.append(taken | theirs(size))

    def ratio(one: str, other: str) -> float:
        return statistics.median(taken[one] / taken[other] for taken in rounds)

    benchmark.pedantic(turn, rounds=ROUNDS, warmup_rounds=1)
    medians = {
        name: statistics.median(taken[name] for taken in rounds) for name in rounds[0]
    }
    benchmark.extra_info["microseconds"] = medians

    assert max(ratio("to", "copy"), ratio("from", "copy")) <= (
        60 if size == 4 << 10 else 25
    )
    if size == 64 << 10:
        assert size / max(medians["to"], medians["objects"]) >= 1500  # bytes per us
    elif REFERENCE:
        assert min(ratio("Go to", "to"), ratio("Go from", "from")) >= 3
