"""Locks that processes hold on files; the system frees them when a holder dies."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

_STEP = 0.01  # seconds between two tries


class FileLock:
    """
    A lock on a file, held by at most one open file of it.

    Args:
        path: The file; made if it is missing, and never removed.

    Raises:
        FileNotFoundError: Its folder is not there.
    """

    __slots__ = ("_file",)

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def try_acquire(self) -> bool:
        """Take it if nobody has it."""
        return _try_lock(self._file)

    def acquire(self, timeout: float) -> bool:
        """Take it as soon as nobody has it; false if that takes too long."""
        deadline = monotonic() + timeout
        while not _try_lock(self._file):
            if monotonic() > deadline:
                return False
            sleep(_STEP)
        return True

    def close(self) -> None:
        """Let it go."""
        os.close(self._file)


def is_held(path: Path) -> bool:
    """Tell whether somebody holds the lock on a file."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        return not lock.try_acquire()
    finally:
        lock.close()


def held(path: Path, timeout: float, what: str) -> AbstractContextManager[None]:
    """
    Take the lock on a file, and hold it until the end of the block.

    Raises:
        FileNotFoundError: The file's folder is not there.
        TimeoutError: Somebody else has it for too long; ``what`` says what it is for.
    """
    lock = FileLock(path)
    if not lock.acquire(timeout):
        lock.close()
        raise TimeoutError(f"{what} is busy: another command works on it")
    return _released(lock)


@contextmanager
def _released(lock: FileLock) -> Iterator[None]:
    try:
        yield
    finally:
        lock.close()


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> bool:
        os.lseek(file, 0, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
