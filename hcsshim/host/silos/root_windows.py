r"""
What stands for the root of a container on Windows: a folder.

No filter driver shows it as ``C:\`` to the processes; they begin in it, and paths in
their documents are looked up there first, then on the machine. Their variable
``CONTAINER_SANDBOX_MOUNT_POINT`` names it, as in containers of the host's processes.
"""

from __future__ import annotations

import contextlib
import errno
import ntpath
import os
import sys
import tempfile
from typing import TYPE_CHECKING

from hcsshim.host.layers import folders, names_windows
from hcsshim.host.layers.trees import remove_tree
from hcsshim.host.layers.volume_windows import WindowsVolume

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

if TYPE_CHECKING:
    from hcsshim.host.silos.port import MappedDirectory, SiloConfig

#: Tells processes where their root is.
VARIABLE = "CONTAINER_SANDBOX_MOUNT_POINT"
_DRIVE = "c:"


class Root:
    """
    The root of one container.

    Args:
        config: Names its layers, and what is mapped into it.
    """

    def __init__(self, config: SiloConfig) -> None:
        self._config = config
        self._volume: WindowsVolume | None = None
        self._temporary = ""
        #: Where something is mapped to, and whether a folder was there before.
        self._links: dict[str, bool] = {}
        #: Its folder.
        self.path = ""

    def make(self) -> None:
        """
        Let everything be seen. May take long.

        Raises:
            OSError: Something cannot be copied or mapped; then nothing is left.
        """
        try:
            self._mount()
            for directory in self._config.mapped_directories:
                self.map(directory)
        except BaseException:
            self.remove()
            raise

    def _mount(self) -> None:
        config = self._config
        if config.mounted is not None:
            self.path = str(config.mounted)
            return
        if config.scratch is not None:
            folder = str(config.scratch)
            for name in (folders.FILES, "work"):
                os.makedirs(os.path.join(folder, name), exist_ok=True)
        else:
            folder = self._temporary = tempfile.mkdtemp(prefix="hcsshim-root-")
        self.path = os.path.join(folder, folders.MOUNT)
        self._volume = WindowsVolume(
            [str(layer) for layer in config.layers],
            None if config.scratch is None else folder,
            self.path,
            named=False,
        )

    def remove(self) -> None:
        """
        Let nothing be seen any more; what was written stays in the scratch folder.

        May take long. What cannot be removed now is taken up by the next mount.
        """
        for target in tuple(self._links):
            with contextlib.suppress(OSError):
                self.unmap(target)
        if self._links:
            return  # nobody may walk into what is mapped
        if self._volume is not None:
            self._volume.close()
            self._volume = None
        if self._temporary:
            with contextlib.suppress(OSError):
                remove_tree(self._temporary)

    # -- what is mapped --------------------------------------------------

    def map(self, directory: MappedDirectory) -> None:
        """
        Show a directory of the machine, or a file.

        Raises:
            OSError: Something is there, or this machine cannot.
        """
        place = self._place(directory.target)
        existed = os.path.isdir(place)
        if existed:
            os.rmdir(place)
        else:
            os.makedirs(os.path.dirname(place), exist_ok=True)
        try:
            names_windows.link(str(directory.source), place)
        except BaseException:
            if existed:
                os.mkdir(place)
            raise
        self._links[directory.target] = existed

    def unmap(self, target: str) -> None:
        """
        Show it no more.

        Raises:
            OSError: Nothing is mapped there, or it is in use.
        """
        if target not in self._links:
            raise FileNotFoundError(errno.ENOENT, "nothing is mapped", target)
        place = self._place(target)
        names_windows.unlink(place)
        if self._links.pop(target):
            os.mkdir(place)

    # -- paths -----------------------------------------------------------

    def _place(self, path: str) -> str:
        """Give where a path of the container is, if it is in its root."""
        tail = ntpath.splitdrive(path)[1]
        # Made absolute first, so that ".." leads nowhere above the root.
        below = ntpath.normpath(ntpath.join("\\", tail)).lstrip("\\")
        return os.path.join(self.path, below) if below else self.path

    def find(self, path: str) -> str:
        r"""
        Give the machine's path for one of the container.

        What is not in the root is the machine's own, as is what is on other drives
        than ``C:``.
        """
        drive = ntpath.splitdrive(path)[0]
        if drive.lower() not in ("", _DRIVE):
            return path
        place = self._place(path)
        return place if os.path.exists(place) else path

    def find_program(self, name: str, directory: str) -> str:
        """
        Give the machine's path for a program of the container, if that is a path.

        Args:
            name: Its extension may be missing.
            directory: Where a path that is not absolute begins.
        """
        if not ntpath.dirname(name):
            return name
        path = ntpath.join(directory, name)
        for extension in ("", *os.environ.get("PATHEXT", "").split(os.pathsep)):
            place = self.find(path + extension)
            if os.path.isfile(place):
                return place
        return name

    def search_path(self, text: str) -> str:
        """Give a ``PATH`` that looks into the root first."""
        found: list[str] = []
        for folder in filter(None, text.split(os.pathsep)):
            inside = self.find(folder)
            found += (inside, folder) if inside != folder else (folder,)
        return os.pathsep.join(found)
