"""How the disk modules open, read, and replace files."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from hcsshim.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    #: Told the bytes done and the bytes in all; ``None`` where nobody knows.
    Progress: TypeAlias = Callable[[int, int | None], None]
    #: A file's name, or an open binary file that can seek.
    Source: TypeAlias = str | os.PathLike[str] | IO[bytes]


@contextmanager
def opened(source: Source, mode: str = "rb") -> Iterator[IO[bytes]]:
    """Open a name for the time of the block; an open file stays the caller's."""
    if isinstance(source, (str, os.PathLike)):
        with open(source, mode, buffering=0) as file:  # noqa: PTH123 - any PathLike
            yield file
    else:
        yield source


def size_of(file: IO[bytes]) -> int:
    """Give the length of a file or device in bytes, its position unmoved."""
    before = file.tell()
    try:
        return file.seek(0, os.SEEK_END)
    finally:
        file.seek(before)


def read_at(file: IO[bytes], offset: int, length: int) -> bytes:
    """
    Read exactly ``length`` bytes at ``offset``.

    Raises:
        InvalidDataError: The file ends before.
    """
    file.seek(offset)
    parts = []
    left = length
    while left > 0:
        part = file.read(left)
        if not part:
            raise InvalidDataError(
                message=f"The file ends {left} bytes before offset {offset + length}."
            )
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def write_at(file: IO[bytes], offset: int, data: bytes) -> None:
    """Write all of ``data`` at ``offset``, however little a write takes."""
    file.seek(offset)
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """
    Write a file that appears under its name only when it is whole.

    It is made under another name in the same folder, and removed if the block
    raises. What stood under the name is replaced.

    Args:
        path: The name.

    Yields:
        The file, open for reading and writing.
    """
    target = os.fspath(path)
    folder, name = os.path.split(target)
    partial = os.path.join(folder, f".{name}.{secrets.token_hex(6)}.partial")  # noqa: PTH118 - plain names
    try:
        with open(partial, "x+b", buffering=0) as file:  # noqa: PTH123 - plain names
            yield file
        os.replace(partial, target)  # noqa: PTH105 - plain names
    except BaseException:
        with suppress(OSError):
            os.unlink(partial)  # noqa: PTH108 - plain names
        raise


@contextmanager
def restoring(file: IO[bytes]) -> Iterator[None]:
    """Cut a file back to its present length if the block raises."""
    before = size_of(file)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            file.truncate(before)
        raise
