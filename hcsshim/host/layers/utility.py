"""The utility VM of a layer: its parent's files, and what the layer changes of them."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

from hcsshim.host.layers import folders
from hcsshim.host.results import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable

UTILITY = "UtilityVM"
#: What making a utility VM of a layer changes in place: never shared with the parent.
_BOOT = ("efi", "microsoft", "boot")
_CHANGED = {"bcd", "bcd.log", "bcd.log1", "bcd.log2"}


def inherit(layer: str, parent: str, check: Callable[[], None]) -> None:
    """
    Give a layer with a utility VM all files of its parent's that it has none for.

    Files become hard links where the file system can, as Windows clones them; boot
    files, links and folders are the layer's own.

    Args:
        layer: Its folder; without ``UtilityVM`` it gets nothing.
        parent: The folder of the layer below.
        check: Called often; raises to stop.

    Raises:
        Refusal: The layer's ``UtilityVM`` is a link.
    """
    target = os.path.join(layer, UTILITY)
    source = os.path.join(parent, UTILITY, folders.FILES)
    if not os.path.lexists(target) or not _is_folder(source):
        return
    if not _is_folder(target):
        raise refuse(
            HResult.ERROR_INVALID_DATA, f"'{UTILITY}' in the layer is no folder."
        )
    _Clone(source, os.path.join(target, folders.FILES), check).run()


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


class _Clone:
    """One tree on its way into another."""

    def __init__(self, source: str, target: str, check: Callable[[], None]) -> None:
        self._source = source
        self._target = target
        self._check = check
        self._made: list[tuple[str, os.stat_result]] = []

    def run(self) -> None:
        """Do all of it, and set the times of folders when nothing touches them."""
        waiting: list[tuple[str, ...]] = [()]
        while waiting:
            parts = waiting.pop()
            if self._enter(parts):
                waiting.extend(self._fill(parts))
        for path, status in reversed(self._made):
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _enter(self, parts: tuple[str, ...]) -> bool:
        """Have a folder. ``False``: the layer has something else in its place."""
        path = os.path.join(self._target, *parts)
        if not os.path.lexists(path):
            source = os.path.join(self._source, *parts)
            os.mkdir(path)
            shutil.copystat(source, path)
            self._made.append((path, os.lstat(source)))
        return _is_folder(path)

    def _fill(self, parts: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Clone the files of a folder; give the folders in it."""
        inner = []
        for name in sorted(os.listdir(os.path.join(self._source, *parts))):
            self._check()
            below = (*parts, name)
            source = os.path.join(self._source, *below)
            target = os.path.join(self._target, *below)
            if _is_folder(source):
                inner.append(below)
            elif not os.path.lexists(target):
                self._clone(source, target, own=_is_changed(below))
        return inner

    def _clone(self, source: str, target: str, *, own: bool) -> None:
        if not own and not os.path.islink(source):
            try:
                os.link(source, target)
            except OSError:  # another disk, or one that has no links
                pass
            else:
                return
        shutil.copy2(source, target, follow_symlinks=False)


def _is_changed(parts: tuple[str, ...]) -> bool:
    """Tell the boot files, in whatever letters."""
    *folder, name = (part.lower() for part in parts)
    return tuple(folder) == _BOOT and name in _CHANGED
