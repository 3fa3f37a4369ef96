"""Folders that appear under their name only when they are whole."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hcsshim._native.unpack import remove_tree
from hcsshim.errors import AlreadyExistsError, HcsError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment] # as the branch says

if TYPE_CHECKING:
    from collections.abc import Iterator


def lock_folder(folder: Path) -> int | None:
    """
    Mark a folder as in use for as long as a descriptor is open.

    The mark dies with its process, so that what is left of a killed one can be told
    from what others work on. ``None``: somebody uses it.
    """
    if sys.platform == "win32":
        return _lock_beside(folder)
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _lock_beside(folder: Path) -> int | None:
    """Make a file beside a folder that Windows removes with its last handle."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    try:
        return os.open(f"{folder}.lock", flags | getattr(os, "O_TEMPORARY", 0))
    except FileExistsError:
        return None
    except PermissionError:  # it is about to go
        return None


def remove_leftovers(target: Path) -> None:
    """Remove what killed processes left of a folder that was to be made."""
    for leftover in target.parent.glob(f".{target.name}.*.partial"):
        with suppress(OSError):
            descriptor = lock_folder(leftover)
            if descriptor is not None:
                remove_tree(leftover)
                os.close(descriptor)


def _make_partial(final: Path) -> tuple[Path, int]:
    """
    Make the folder under its other name, and mark it as in use.

    Until it is marked, another process may take it for a leftover; then it is made
    once more.
    """
    while True:
        partial = final.parent / f".{final.name}.{secrets.token_hex(6)}.partial"
        partial.mkdir()
        try:
            descriptor = lock_folder(partial)
        except FileNotFoundError:
            continue
        if descriptor is None:
            continue
        if partial.is_dir():
            return partial, descriptor
        os.close(descriptor)


def _rename(partial: Path, final: Path) -> None:
    """Rename a folder, in place of an empty one if there is one."""
    if sys.platform == "win32" and final.is_dir():
        final.rmdir()
    os.rename(partial, final)


@contextmanager
def growing(target: str | os.PathLike[str]) -> Iterator[Path]:
    """
    Make a folder that appears under its name only when it is whole.

    It is made under another name beside it, and removed if the block raises. What
    a killed process left there is removed, too.

    Args:
        target: The name. Nothing, or an empty folder, may stand there.

    Yields:
        The folder under its other name.

    Raises:
        AlreadyExistsError: Something stands under the name.
    """
    final = Path(os.path.abspath(target))
    taken = AlreadyExistsError(message=f"There is something at {final} already.")
    if final.is_symlink() or (final.exists() and not final.is_dir()):
        raise taken
    if final.is_dir() and any(final.iterdir()):
        raise taken
    remove_leftovers(final)
    partial, descriptor = _make_partial(final)
    try:
        yield partial
        try:
            _rename(partial, final)
        except FileExistsError:
            raise taken from None
        except OSError as error:
            if final.is_dir() and any(final.iterdir()):
                raise taken from None
            raise error from None
    except BaseException:
        with suppress(HcsError):
            remove_tree(partial)
        raise
    finally:
        os.close(descriptor)
