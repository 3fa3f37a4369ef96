"""
Layers that are seen as one folder on Windows, without its filter driver: as a copy.

Mounting copies the layers over one another, the lowest first. Unmounting looks for
what has changed in the copy, and leaves that in the writable layer: its ``Files`` has
what is new or different, and ``work`` a list of what is gone. A file has changed if its
size or the time of its last write has.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from typing import TYPE_CHECKING

from hcsshim.host.layers import folders, names_windows
from hcsshim.host.layers.trees import TreeCopy, remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: What the folder held before anything was written to it: a line for each entry.
_BELOW = "below.json"
#: What the writable layer hides of those below it.
_DELETED = "deleted.json"

#: By path below the root: ``None`` for a folder, else size and time in nanoseconds.
_Listing = dict[str, "list[int] | None"]


class WindowsVolume:
    """
    A copy of layers. Its methods take as long as copying does.

    Args:
        layers: Root file systems, the topmost first.
        scratch: The folder of the writable layer; ``None`` for a copy that is to be
            read, whose changes are dropped.
        target: The folder to copy to. What it holds is taken as it is, if a host
            ended before it could unmount that.
        named: Give it the name of a volume.

    Raises:
        OSError: Something cannot be copied.
    """

    shared = True

    def __init__(
        self,
        layers: Sequence[str],
        scratch: str | None,
        target: str,
        *,
        named: bool = True,
    ) -> None:
        self._layers = tuple(layers)
        self._scratch = scratch
        self._folder = target
        self._named = named
        self._mounted = False
        #: Where the layers are seen.
        self.path = target
        self.mount()

    def _work(self, name: str) -> str:
        return os.path.join(self._scratch or "", "work", name)

    def mount(self) -> None:
        """
        Copy the layers.

        Raises:
            OSError: Something cannot be copied.
        """
        left = self._scratch is not None and os.path.exists(self._work(_BELOW))
        if not left:
            self._clear()
            for root in reversed(self._layers):
                _lay(root, self._folder)
            if self._scratch is not None:
                self._lay_changes(self._scratch)
        if self._named:
            self.path = names_windows.name_volume(self._folder)
        self._mounted = True

    def _lay_changes(self, scratch: str) -> None:
        below = _list(self._folder)
        for path in _read(self._work(_DELETED)):
            _remove(os.path.join(self._folder, path))
        _lay(os.path.join(scratch, folders.FILES), self._folder)
        _write(self._work(_BELOW), below)  # last: now there is something to keep

    def unmount(self) -> None:
        """
        Take the changes out of the copy, and remove it.

        Raises:
            OSError: Somebody has a file of it open; the copy stays.
        """
        if not self._mounted:
            return
        self.settle()
        if self._scratch is not None:
            os.unlink(self._work(_BELOW))
        self._clear()
        if self._named:
            names_windows.forget_volume(self._folder)
        self._mounted = False

    def settle(self) -> None:
        """
        Let the writable layer have what was changed up to now.

        Raises:
            OSError: Something cannot be read.
        """
        if self._mounted and self._scratch is not None:
            self._take_changes(self._scratch)

    def _take_changes(self, scratch: str) -> None:
        changed = self._work("changed")
        _remove(changed)
        os.mkdir(changed)
        now, below = _list(self._folder), _read(self._work(_BELOW))
        for path, state in now.items():
            if path not in below or below[path] != state:
                self._copy_changed(path, state, changed)
        gone = [path for path in below if path not in now or _differ(below, now, path)]
        hidden = set(gone)
        _write(
            self._work(_DELETED),
            [path for path in gone if os.path.dirname(path) not in hidden],
        )
        files = os.path.join(scratch, folders.FILES)
        _remove(files)
        os.rename(changed, files)

    def _copy_changed(self, path: str, state: list[int] | None, changed: str) -> None:
        target = os.path.join(changed, path)
        if state is None:
            os.makedirs(target, exist_ok=True)
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        TreeCopy(_never).copy_any(os.path.join(self._folder, path), target)

    def _clear(self) -> None:
        if os.path.lexists(self._folder):
            remove_tree(self._folder)
        folders.make_tree(self._folder)

    def close(self) -> None:
        """Unmount; if somebody is in it, what was changed is kept. Idempotent."""
        with contextlib.suppress(OSError):
            self.unmount()


def deleted(scratch: str) -> list[str]:
    """List what a writable layer hides of those below it."""
    return list(_read(os.path.join(scratch, "work", _DELETED)))


def _never() -> None:
    """Let a copy go on."""


def _differ(below: _Listing, now: _Listing, path: str) -> bool:
    """Tell whether a file took the place of a folder, or the other way round."""
    return (below[path] is None) != (now[path] is None)


def _walk(root: str, below: str = "") -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(os.path.join(root, below)) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if names_windows.is_link(entry):
            continue  # to what is not the layer's
        path, status = os.path.join(below, entry.name), os.lstat(entry.path)
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            yield from _walk(root, path)


def _list(root: str) -> _Listing:
    return {
        path: None
        if stat.S_ISDIR(status.st_mode)
        else [status.st_size, status.st_mtime_ns]
        for path, status in _walk(root)
    }


def _lay(source: str, target: str) -> None:
    """Copy a tree over another: files replace, folders come together."""
    for path, status in _walk(source):
        place = os.path.join(target, path)
        if stat.S_ISDIR(status.st_mode):
            if os.path.lexists(place) and not os.path.isdir(place):
                _remove(place)
            os.makedirs(place, exist_ok=True)
        else:
            _remove(place)
            TreeCopy(_never).copy_any(os.path.join(source, path), place)


def _remove(path: str) -> None:
    if os.path.lexists(path):
        remove_tree(path)


def _read(path: str) -> _Listing:
    try:
        with open(path, encoding="utf-8", errors="surrogatepass") as file:
            return dict(json.load(file))
    except FileNotFoundError:
        return {}


def _write(path: str, paths: object) -> None:
    """Write a listing, or a list of paths as one, in one step."""
    listing = dict.fromkeys(paths) if isinstance(paths, list) else paths
    with open(f"{path}.new", "w", encoding="utf-8", errors="surrogatepass") as file:
        json.dump(listing, file)
    os.replace(f"{path}.new", path)
