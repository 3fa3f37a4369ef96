"""
Where images come from: folders and tars, read file by file.

Nothing is ever unpacked by the names in them. A tar is gone through once, and what is
asked for is read where it stands.
"""

from __future__ import annotations

import os
import posixpath
import stat
import tarfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol

from hcsshim.images._documents import LARGEST_DOCUMENT, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_MEMBERS = 100_000
_MOST_LINKS = 8


class Source(Protocol):
    """A place that has the files of images, by name."""

    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name."""

    def open(self, name: str) -> IO[bytes]:
        """
        Open a file.

        Raises:
            InvalidDataError: There is none.
        """


def read_document(source: Source, name: str) -> bytes:
    """
    Read a whole file that must be small.

    Raises:
        InvalidDataError: There is none, or it is too large.
    """
    with source.open(name) as file:
        data = file.read(LARGEST_DOCUMENT + 1)
    if len(data) > LARGEST_DOCUMENT:
        raise invalid(f"{name!r} is larger than {LARGEST_DOCUMENT} bytes.")
    return data


class FolderSource:
    """
    A folder.

    Args:
        root: Which.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def _path(self, name: str) -> Path:
        if posixpath.normpath(name) != name or name.startswith(("/", "..")):
            raise invalid(f"The image names a file {name!r}, which leads out of it.")
        return self._root / name

    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        return self._path(name).is_file()

    def open(self, name: str) -> IO[bytes]:
        """Open a file; no device, and nothing that a link leads to."""
        flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)
        more = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            descriptor = os.open(self._path(name), flags | more)
        except OSError as error:
            raise invalid(
                f"The image lacks the file {name!r}: {error.strerror}."
            ) from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise invalid(f"{name!r} of the image is no file.")
        return os.fdopen(descriptor, "rb", buffering=0)


class TarSource:
    """
    A tar, plain or compressed.

    Args:
        tar: Open; stays the caller's.

    Raises:
        InvalidDataError: It is damaged, or has too many members.
    """

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members: dict[str, tarfile.TarInfo] = {}
        try:
            for count, member in enumerate(tar):
                if count >= _MOST_MEMBERS:
                    raise invalid(f"The tar has more than {_MOST_MEMBERS} members.")
                self._members[posixpath.normpath(member.name)] = member
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
            raise invalid(f"The tar is damaged: {error}.") from None

    def _find(self, name: str) -> tarfile.TarInfo | None:
        """Find a file; older archives have links from layer to layer."""
        for _ in range(_MOST_LINKS):
            member = self._members.get(posixpath.normpath(name))
            if member is None or member.isreg():
                return member
            if member.issym():
                folder = posixpath.dirname(member.name)
                name = posixpath.join(folder, member.linkname)
            elif member.islnk():
                name = member.linkname
            else:
                return None
        return None

    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        return self._find(name) is not None

    def open(self, name: str) -> IO[bytes]:
        """Open a file of the tar."""
        member = self._find(name)
        file = None if member is None else self._tar.extractfile(member)
        if file is None:
            raise invalid(f"The image lacks the file {name!r}.")
        return file


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """
    Open a folder or a tar with images.

    Args:
        path: Which.

    Raises:
        InvalidDataError: It is neither.
        OSError: It cannot be read.
    """
    if path.is_dir():
        yield FolderSource(path)
        return
    with path.open("rb") as file:
        try:
            tar = tarfile.open(fileobj=file, mode="r:*")  # noqa: SIM115 - below
        except (tarfile.TarError, EOFError) as error:
            raise invalid(
                f"'{path}' is neither an OCI layout nor a tar of images: {error}."
            ) from None
        with tar:
            yield TarSource(tar)
