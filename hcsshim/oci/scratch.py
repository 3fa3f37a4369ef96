"""
Scratch disks of Linux containers: an empty ext4 file system in a VHDX.

The original boots a utility VM for its ``mkfs.ext4``; here it is this machine's own.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hcsshim.disk import create_vhdx
from hcsshim.errors import NotSupportedError
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: The size that a cached disk has.
USUAL_SIZE_GB = 20

_GIB = 1 << 30
_SEARCH = ("/usr/sbin", "/sbin")
#: No journal: what is in it is worth nothing after a crash.
_OPTIONS = (
    "-q",
    "-F",
    "-E",
    "lazy_itable_init=0",
    "-O",
    "^has_journal,sparse_super2,^resize_inode",
)


class SparseReader(io.RawIOBase):
    """
    A file whose holes are not read: the system would fetch each page of them.

    Args:
        file: Stays the caller's.
    """

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._position = 0
        self._size = os.fstat(file.fileno()).st_size
        self._hole = range(0)  # the last one found, from where we came upon it

    def seekable(self) -> bool:
        """It is."""
        return True

    def readable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Give the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, within the file or from its end."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}
        self._position = base[whence] + offset
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        """Read what is there, zeros from a hole."""
        view = memoryview(buffer)
        end = min(self._position + len(view), self._size)
        view = view[: max(0, end - self._position)]
        if self._next_data() >= end:
            view[:] = bytes(len(view))
            count = len(view)
        else:
            self._file.seek(self._position)
            count = self._file.readinto(view)
        self._position += count
        return count

    def _next_data(self) -> int:
        """Give where the next data begin; the position itself if nobody knows."""
        if not hasattr(os, "SEEK_DATA"):
            return self._position
        if self._position not in self._hole:
            try:
                data = os.lseek(self._file.fileno(), self._position, os.SEEK_DATA)
            except OSError:  # there are none
                data = self._size
            self._hole = range(self._position, data)
        return self._hole.stop


def create_scratch(
    path: str | os.PathLike[str],
    size_gb: int = USUAL_SIZE_GB,
    *,
    cache: str | os.PathLike[str] | None = None,
) -> None:
    """
    Make a scratch disk.

    Args:
        path: The VHDX to be made; it appears when it is whole.
        size_gb: Its size in GiB.
        cache: A disk of the usual size, to be copied if it is there, and left there
            if not.

    Raises:
        FileExistsError: There is a file already.
        NotSupportedError: This machine has no ``mkfs.ext4``.
        ValueError: The size is not positive.
    """
    if size_gb <= 0:
        raise ValueError(f"the size must be positive, got {size_gb}")
    target = Path(path)
    if target.exists():
        raise FileExistsError(f"{str(target)!r} exists already")
    kept = Path(cache) if cache and size_gb == USUAL_SIZE_GB else None
    if kept is not None and kept.exists():
        _copy(kept, target)
        return
    with TemporaryDirectory(dir=target.parent, prefix=".scratch-") as folder:
        image = Path(folder, "image")
        with image.open("wb") as stream:
            stream.truncate(size_gb * _GIB)
        prepare_disk(image)
        with image.open("rb", buffering=0) as stream:
            create_vhdx(target, source=SparseReader(stream))  # type: ignore[arg-type]  # it reads and seeks, which is all
    if kept is not None:
        _copy(target, kept)


def prepare_disk(path: str | os.PathLike[str]) -> None:
    """
    Make an empty file system on a disk, or in a file; what was there is lost.

    Raises:
        FileNotFoundError: There is no such disk.
        NotSupportedError: This machine has no ``mkfs.ext4``.
        OSError: It cannot be made; the text is the program's.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"{str(path)!r} is not there")
    where = os.pathsep.join((os.environ.get("PATH", ""), *_SEARCH))
    program = shutil.which("mkfs.ext4", path=where)
    if program is None:
        raise NotSupportedError(
            HResult.ERROR_NOT_SUPPORTED,
            "mkfs.ext4",
            message="This machine has no mkfs.ext4; it is part of e2fsprogs.",
        )
    done = subprocess.run(
        [program, *_OPTIONS, os.fspath(path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"no file system on {str(path)!r}: {done.stderr.strip()}")


def _copy(source: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
