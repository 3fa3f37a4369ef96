"""
Files named by their digests, which appear when they are whole and right.

Any number of processes may add the same file at once: each writes its own, and the
last one to be renamed takes the place of its twin.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from hcsshim.errors import NotFoundError, OperationCancelledError
from hcsshim.images._documents import invalid

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

_STEP = 1 << 20


def check_cancelled(cancel: threading.Event | None) -> None:
    """
    Stop here if somebody wants that.

    Raises:
        OperationCancelledError: They do.
    """
    if cancel is not None and cancel.is_set():
        raise OperationCancelledError(message="It was cancelled.")


def sync_folder(folder: Path) -> None:
    """Have the names of a folder survive the loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class StoreLock:
    """
    The lock of a store: many may add to it at once, one alone may remove.

    Args:
        path: Of its file, which is made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _held(self, operation: int) -> Iterator[int]:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, operation)
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def adding(self, temporary: Path) -> Iterator[None]:
        """
        Be among those who add.

        Args:
            temporary: The folder for what is not finished. If nobody else adds, what
                is in it was left by killed processes, and is removed.
        """
        with suppress(BlockingIOError), self._held(fcntl.LOCK_EX | fcntl.LOCK_NB):
            for partial in temporary.iterdir():
                partial.unlink()
        with self._held(fcntl.LOCK_SH):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody adds, and keep others from it."""
        with self._held(fcntl.LOCK_EX):
            yield


@contextmanager
def written(path: Path, temporary: Path) -> Iterator[IO[bytes]]:
    """
    Write a file that appears under its name when it is whole, and on the disk.

    Args:
        path: Its name; what is there is replaced.
        temporary: A folder of the same file system.

    Yields:
        To write into.
    """
    partial = temporary / f".{path.name}.{secrets.token_hex(6)}.partial"
    with partial.open("xb") as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)


class Blobs:
    """
    A folder of files that are named by their digests.

    Args:
        root: The folder; made with the first file.
        temporary: A folder of the same file system, for what is not finished.
    """

    def __init__(self, root: Path, temporary: Path) -> None:
        self._root = root
        self._temporary = temporary

    def path(self, digest: str) -> Path:
        """Give the path of a file; its digest must have been checked."""
        algorithm, _, name = digest.partition(":")
        return self._root / algorithm / name

    def has(self, digest: str, size: int) -> bool:
        """Tell whether a file is there."""
        try:
            return self.path(digest).stat().st_size == size
        except FileNotFoundError:
            return False

    def read(self, digest: str) -> bytes:
        """
        Read a whole document.

        Raises:
            NotFoundError: It is not there.
            InvalidDataError: The disk damaged it.
        """
        try:
            data = self.path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(
                message=f"The image store lacks the file {digest}."
            ) from None
        self._check(digest, hashlib.new(digest.partition(":")[0], data).hexdigest())
        return data

    @staticmethod
    def _check(digest: str, found: str) -> None:
        algorithm, _, wanted = digest.partition(":")
        if found != wanted:
            raise invalid(
                f"{digest} is not what it is named: it is {algorithm}:{found}."
            )

    def add(
        self,
        digest: str,
        size: int,
        source: IO[bytes],
        *,
        progress: Callable[[int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        """
        Add a file.

        Args:
            digest: What it must have.
            size: How many bytes it must have.
            source: Where to read it.
            progress: Told the bytes of each step.
            cancel: When it is set, nothing is added.

        Raises:
            InvalidDataError: It is another file than its digest says.
            OperationCancelledError: ``cancel`` was set.
        """
        path = self.path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        sums = hashlib.new(digest.partition(":")[0])
        left = size
        with written(path, self._temporary) as file:
            while data := source.read(min(_STEP, left + 1)):
                check_cancelled(cancel)
                left -= len(data)
                if left < 0:
                    raise invalid(f"{digest} is larger than the {size} bytes it has.")
                sums.update(data)
                file.write(data)
                if progress is not None:
                    progress(len(data))
            if left:
                raise invalid(f"{digest} ends {left} bytes before its end.")
            self._check(digest, sums.hexdigest())

    def add_bytes(self, data: bytes) -> str:
        """Add a document that is ours; give its digest."""
        name = hashlib.sha256(data).hexdigest()
        path = self._root / "sha256" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path, self._temporary) as file:
            file.write(data)
        return f"sha256:{name}"

    def all(self) -> list[str]:
        """List the digests of what is there."""
        return [
            f"{folder.name}:{file.name}"
            for folder in (self._root.iterdir() if self._root.is_dir() else ())
            for file in folder.iterdir()
        ]
