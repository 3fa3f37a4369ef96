"""Copying and removing trees of files, with all that belongs to a file."""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP = 8 * 1024 * 1024
#: What the kernel's overlay notes on files for itself.
OVERLAY_PREFIX = "user.overlay."
OPAQUE = "user.overlay.opaque"
#: Attributes that this user may not set, or this file system not hold.
_NOT_HERE = frozenset((errno.EPERM, errno.ENOTSUP, errno.EACCES, errno.EINVAL))


def is_whiteout(status: os.stat_result) -> bool:
    """Tell whether a file stands for one that was deleted, in an overlay."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def is_opaque(path: str) -> bool:
    """Tell whether a directory hides that of the layers below, in an overlay."""
    if sys.platform == "win32":
        return False
    try:
        return os.getxattr(path, OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False


class TreeCopy:
    """
    A copy of one or more trees: hard links among what is copied stay such.

    Nothing is followed: not symbolic links, and the target must not exist.

    Args:
        check: Called before each file; raises to stop.
        tombstone: If given, deleted files and replaced directories of an overlay are
            not copied but told: their path below the tree's root.
    """

    def __init__(
        self,
        check: Callable[[], None],
        tombstone: Callable[[str], None] | None = None,
    ) -> None:
        self._check = check
        self._tombstone = tombstone
        self._links: dict[tuple[int, int], str] = {}

    def copy(self, source: str, target: str) -> None:
        """
        Copy a directory and all that is in it.

        Raises:
            OSError: Something cannot be read or written.
        """
        os.mkdir(target, 0o700)
        directories = [("", os.lstat(source))]
        for below, _ in directories:  # grows while we go through it
            folder = os.path.join(source, below) if below else source
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    self._check()
                    path = os.path.join(below, entry.name)
                    status = entry.stat(follow_symlinks=False)
                    if self._copy_entry(entry.path, os.path.join(target, path), status):
                        directories.append((path, status))
                    self._tell(entry.path, path, status)
        for below, status in reversed(directories):
            pair = os.path.join(source, below), os.path.join(target, below)
            self._copy_metadata(*(pair if below else (source, target)), status)

    def copy_any(self, source: str, target: str) -> None:
        """Copy a directory with all that is in it, or a file."""
        status = os.lstat(source)
        if stat.S_ISDIR(status.st_mode):
            self.copy(source, target)
        else:
            self._copy_entry(source, target, status)

    def _tell(self, source: str, path: str, status: os.stat_result) -> None:
        if self._tombstone is None:
            return
        replaced = stat.S_ISDIR(status.st_mode) and is_opaque(source)
        if replaced or is_whiteout(status):
            self._tombstone(path)

    def _copy_entry(self, source: str, target: str, status: os.stat_result) -> bool:
        """Copy one entry; tell whether it is a directory, to be gone through."""
        mode = status.st_mode
        if stat.S_ISDIR(mode):
            os.mkdir(target, 0o700)
            return True
        if self._tombstone is not None and is_whiteout(status):
            return False
        if status.st_nlink > 1:
            key = status.st_dev, status.st_ino
            first = self._links.setdefault(key, target)
            if first != target:
                os.link(first, target, follow_symlinks=False)
                return False
        if stat.S_ISREG(mode):
            self._copy_data(source, target, status.st_size)
        elif stat.S_ISLNK(mode):
            os.symlink(os.readlink(source), target)
        elif stat.S_ISSOCK(mode):
            return False  # nobody listens at a copy
        else:
            os.mknod(target, mode, status.st_rdev)
        self._copy_metadata(source, target, status)
        return False

    def _copy_data(self, source: str, target: str, size: int) -> None:
        """Copy the bytes, the holes staying holes; on Windows all else, too."""
        if sys.platform == "win32":
            from hcsshim._native import win32  # noqa: PLC0415 - by platform

            win32.copy_file(source, target)
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        reader = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            writer = os.open(target, flags, 0o600)
            try:
                os.truncate(writer, size)
                self._copy_ranges(reader, writer, size)
            finally:
                os.close(writer)
        finally:
            os.close(reader)

    def _copy_ranges(self, reader: int, writer: int, size: int) -> None:
        at = 0
        while at < size:
            try:
                at = os.lseek(reader, at, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    return  # a hole up to the end
                raise
            end = os.lseek(reader, at, os.SEEK_HOLE)
            os.lseek(reader, at, os.SEEK_SET)
            os.lseek(writer, at, os.SEEK_SET)
            while at < end:
                self._check()
                moved = os.sendfile(writer, reader, None, min(_STEP, end - at))
                if moved == 0:
                    return  # it has become shorter
                at += moved

    def _copy_metadata(self, source: str, target: str, status: os.stat_result) -> None:
        """Copy owner, attributes, mode and times, in the order that keeps them."""
        if sys.platform == "win32":
            if stat.S_ISDIR(status.st_mode):  # files are copied with theirs
                os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
            return
        if os.geteuid() == 0:
            os.chown(target, status.st_uid, status.st_gid, follow_symlinks=False)
        for name in _attributes(source):
            if self._tombstone is not None and name.startswith(OVERLAY_PREFIX):
                continue
            try:
                value = os.getxattr(source, name, follow_symlinks=False)
                os.setxattr(target, name, value, follow_symlinks=False)
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(target, stat.S_IMODE(status.st_mode))
        times = status.st_atime_ns, status.st_mtime_ns
        os.utime(target, ns=times, follow_symlinks=False)


def _attributes(path: str) -> list[str]:
    try:
        return os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NOT_HERE:
            return []
        raise


def remove_tree(path: str) -> None:
    """
    Remove a tree, also where its own modes forbid that to its owner.

    It is renamed first, so that whoever looks for it sees all of it or nothing.
    """
    from hcsshim._native import unpack  # noqa: PLC0415 - seldom needed

    folder, name = os.path.split(path)
    doomed = os.path.join(folder, f".{name}.{os.urandom(4).hex()}.removed")
    os.rename(path, doomed)
    unpack.remove_tree(doomed)
