"""
Which layers are mounted, and who has them.

A layer that is prepared has a path where the whole chain is seen. A writable one is
mounted once only: while it is the scratch of a system, its volume is unmounted, and
it comes back when the system has ended.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import attrs

from hcsshim.host.layers import folders
from hcsshim.host.results import refuse, refuse_errno
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hcsshim.host.systems.configuration import Configuration


def _comparable(path: str) -> str:
    """Write a path so that equal ones compare equal."""
    return os.path.normcase(path.rstrip(os.sep))


class Taken(NamedTuple):
    """
    What a system has of the layers.

    Attributes:
        folders: Of its layers, the topmost first.
        roots: The root file systems in them.
        scratch: The folder that takes what it writes, or ``None``.
        mounted: Where all of them are seen already, if it can use that.
    """

    folders: tuple[str, ...]
    roots: tuple[Path, ...]
    scratch: Path | None
    mounted: Path | None


class Volume(Protocol):
    """
    Layers that are seen as one folder.

    Attributes:
        path: Where.
        shared: Whether a system uses that folder; if not, it mounts for itself.
    """

    path: str
    shared: bool

    def mount(self) -> None:
        """Let them be seen again."""

    def settle(self) -> None:
        """Let the writable layer have what was changed up to now."""

    def unmount(self) -> None:
        """Let them be seen no more, for a while."""

    def close(self) -> None:
        """The same for good."""


def _mounted(layers: Sequence[str], scratch: str | None, target: str) -> Volume:
    """
    Let layers be seen as one folder, in this platform's way.

    Raises:
        Refusal: It has none.
        OSError: It failed.
    """
    if sys.platform == "linux":
        from hcsshim.host.layers.volume_linux import (  # noqa: PLC0415 - by platform
            LinuxVolume,
        )

        return LinuxVolume(layers, scratch, target)
    if sys.platform == "win32":
        from hcsshim.host.layers.volume_windows import (  # noqa: PLC0415 - by platform
            WindowsVolume,
        )

        return WindowsVolume(layers, scratch, target)
    raise refuse(HResult.ERROR_NOT_SUPPORTED)


@attrs.define(eq=False)
class Prepared:
    """
    A layer whose chain can be seen.

    Args:
        layer: Which.
        roots: The root file systems below it, the topmost first.
        path: Where it is seen.
        volume: Its mount; ``None`` for one layer alone, which needs none.
    """

    layer: folders.LayerFolder
    parents: tuple[str, ...]
    roots: tuple[str, ...]
    path: str = ""
    volume: Volume | None = None

    def mount(self) -> None:
        """
        Mount the chain.

        Raises:
            Refusal: This machine cannot.
        """
        if not self.layer.writable and not self.roots:
            self.path = self.layer.tree  # one layer needs no mount
            return
        lower = self.roots
        if not self.layer.writable:
            lower = (self.layer.tree, *lower)
        os.makedirs(self.layer.mount_point, mode=0o755, exist_ok=True)
        scratch = self.layer.path if self.layer.writable else None
        try:
            self.volume = _mounted(lower, scratch, self.layer.mount_point)
        except OSError as error:
            raise refuse_errno(
                error.errno or 0,
                f"This machine cannot mount the layers of '{self.layer.path}': "
                f"{error.args[-1]}",
                HResult.ERROR_NOT_SUPPORTED,
            ) from None
        self.path = self.volume.path

    @property
    def shared(self) -> bool:
        """Whether a system uses the folder where the chain is seen."""
        return self.volume is not None and self.volume.shared

    def lend(self) -> None:
        """
        Unmount the chain for a while.

        Raises:
            Refusal: Somebody is in it.
        """
        if self.volume is None:
            return
        try:
            self.volume.unmount()
        except OSError as error:
            raise refuse_errno(
                error.errno or 0,
                f"The layer '{self.layer.path}' cannot be unmounted",
                HResult.ERROR_SHARING_VIOLATION,
            ) from None

    def release(self) -> None:
        """
        Unmount the chain for good.

        Raises:
            Refusal: Somebody is in it.
        """
        self.lend()
        self.close()

    def close(self) -> None:
        """Unmount the chain, whoever is in it."""
        if self.volume is not None:
            self.volume.close()
            self.volume = None


class Volumes:
    """
    The layers of this host that are active, prepared, or in use.

    Any thread may call it.

    Args:
        failed: Told of what went wrong where nobody can be told otherwise.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._lock = RLock()
        self._active: set[str] = set()
        self._prepared: dict[str, Prepared] = {}
        self._used: Counter[str] = Counter()

    @property
    def busy(self) -> bool:
        """Whether anything is open or mounted for somebody."""
        with self._lock:
            return bool(self._active or self._prepared)

    def forget(self, path: str) -> None:
        """A layer is gone, which may have been open."""
        with self._lock:
            self._active.discard(path)

    # -- the life of a layer ---------------------------------------------

    def activate(self, path: str) -> None:
        """
        Open a layer.

        Raises:
            Refusal: There is none.
        """
        folders.require(path)
        with self._lock:
            self._active.add(path)

    def deactivate(self, path: str) -> None:
        """
        Close a layer.

        Raises:
            Refusal: It is not open, or still prepared.
        """
        with self._lock:
            if path in self._prepared:
                raise refuse(
                    HResult.ERROR_SHARING_VIOLATION,
                    f"The layer '{path}' is still prepared.",
                )
            if path not in self._active:
                raise refuse(
                    HResult.ERROR_NOT_READY, f"The layer '{path}' is not active."
                )
            self._active.discard(path)

    def require_active(self, path: str) -> None:
        """
        Check that a layer was activated.

        Raises:
            Refusal: It was not.
        """
        with self._lock:
            if path not in self._active:
                raise refuse(
                    HResult.ERROR_NOT_READY, f"The layer '{path}' is not active."
                )

    def prepare(self, path: str, parents: Sequence[str]) -> str:
        """
        Mount a layer on its parents.

        Returns:
            Where it is seen.

        Raises:
            Refusal: It is prepared or in use already, or cannot be mounted.
        """
        layer = folders.require(path)
        roots = tuple(folders.root_of(parent) for parent in parents)
        if layer.writable and not roots:
            raise refuse(
                HResult.ERROR_INVALID_PARAMETER,
                f"The writable layer '{path}' needs its parents.",
            )
        with self._lock:
            if path in self._prepared or (layer.writable and self._used[path]):
                raise refuse(
                    HResult.ERROR_SHARING_VIOLATION,
                    f"The layer '{path}' is in use already.",
                )
            prepared = Prepared(layer, tuple(parents), roots)
            prepared.mount()
            self._prepared[path] = prepared
            self._used.update(prepared.parents)
            return prepared.path

    def unprepare(self, path: str) -> None:
        """
        Unmount a layer.

        Raises:
            Refusal: It is not prepared, or somebody is in it.
        """
        with self._lock:
            prepared = self._prepared.get(path)
            if prepared is None:
                raise refuse(
                    HResult.ERROR_NOT_FOUND, f"The layer '{path}' is not prepared."
                )
            if prepared.layer.writable and self._used[path]:
                raise refuse(
                    HResult.ERROR_SHARING_VIOLATION,
                    f"The layer '{path}' is the scratch of a running system.",
                )
            prepared.release()
            del self._prepared[path]
            self._used.subtract(prepared.parents)

    def mount_path(self, path: str) -> str:
        """
        Give where a layer is seen; ``""`` if nowhere.

        Raises:
            Refusal: There is no such layer.
        """
        layer = folders.require(path)
        with self._lock:
            prepared = self._prepared.get(path)
            if prepared is not None:
                return prepared.path
        return "" if layer.writable or layer.parents else layer.tree

    def folder_of(self, path: str) -> str:
        """Give the layer that is seen at a path; any other path is its own."""
        wanted = _comparable(path)
        with self._lock:
            for folder, prepared in self._prepared.items():
                seen = map(_comparable, (prepared.path, prepared.layer.mount_point))
                if prepared.layer.writable and wanted in seen:
                    return folder
        return path

    def settle(self, path: str) -> None:
        """Let a layer have what was changed where it is seen."""
        with self._lock:
            prepared = self._prepared.get(path)
            if prepared is not None and prepared.volume is not None:
                prepared.volume.settle()

    def require_free(self, path: str) -> None:
        """
        Check that nobody has a layer.

        Raises:
            Refusal: Somebody has.
        """
        with self._lock:
            if path in self._prepared or self._used[path]:
                raise refuse(
                    HResult.ERROR_SHARING_VIOLATION, f"The layer '{path}' is in use."
                )

    # -- systems ---------------------------------------------------------

    def take(self, configuration: Configuration) -> Taken:
        """
        Give a system what its document names: root file systems, and its scratch.

        Returns:
            What a silo can be made from; give it back when the system has ended.

        Raises:
            Refusal: A layer is not there, or is in use.
        """
        layers = tuple(os.path.normpath(layer) for layer in configuration.layers)
        roots = tuple(Path(folders.root_of(layer)) for layer in layers)
        scratch = configuration.scratch
        mounted = None
        with self._lock:
            if scratch is not None:
                scratch = Path(self.folder_of(os.path.normpath(scratch)))
                mounted = self._lend(str(scratch))
            for layer in layers:
                self._used[layer] += 1
        return Taken(layers, roots, scratch, mounted)

    def _lend(self, folder: str) -> Path | None:
        """
        Let a system have a writable layer.

        Returns:
            Where it is mounted; ``None`` if the system mounts it, and we do no longer.
        """
        layer = folders.find(folder)
        if layer is None:
            return None  # any folder may be a scratch
        folders.require_writable(folder)
        if self._used[folder]:
            raise refuse(
                HResult.ERROR_SHARING_VIOLATION,
                f"The layer '{folder}' is the scratch of another system.",
            )
        prepared = self._prepared.get(folder)
        shared = prepared is not None and prepared.shared
        if prepared is not None and not shared:
            prepared.lend()
        self._used[folder] += 1
        return Path(layer.mount_point) if shared else None

    def give_back(self, taken: Taken) -> None:
        """Take back what :meth:`take` gave: the system has ended."""
        with self._lock:
            for layer in taken.folders:
                self._used[layer] -= 1
            folder = str(taken.scratch or "")
            if not self._used[folder]:
                return
            self._used[folder] -= 1
            prepared = self._prepared.get(folder)
            if prepared is None or prepared.volume is None or prepared.shared:
                return
            try:
                prepared.volume.mount()
            except OSError as error:
                self._failed(error)

    def close(self) -> None:
        """Unmount everything, whoever is in it."""
        with self._lock:
            for prepared in self._prepared.values():
                prepared.close()
            self._prepared.clear()
