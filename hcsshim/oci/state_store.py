"""
What an OCI runtime remembers of its containers between two of its calls.

On Windows the original keeps it in the registry: keys per container, below a root with
a name. Here these are folders below the user's state folder, and a file for each key,
written whole or not at all. Ids may be any text; they are escaped as in URLs.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote
from uuid import uuid4

from hcsshim._native.host_process import state_folder
from hcsshim.oci.locks import held

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from hcsshim.documents._document import JSON

_LOCK_SECONDS = 60.0
_TRIES, _STEP = 200, 0.02  # for files that are open


class NoContainerError(LookupError):
    """
    Nothing is known of a container.

    Args:
        container_id: Its id.
    """

    def __init__(self, container_id: str) -> None:
        super().__init__(container_id)
        self.container_id = container_id

    def __str__(self) -> str:
        return f"container {self.container_id!r} does not exist"


class NoStateError(LookupError):
    """
    A container has no value for a key.

    Args:
        container_id: Its id.
        key: The key.
    """

    def __init__(self, container_id: str, key: str) -> None:
        super().__init__(container_id, key)
        self.container_id = container_id
        self.key = key

    def __str__(self) -> str:
        return f"container {self.container_id!r} has no state {self.key!r}"


class StateStore:
    """
    The containers of one root.

    Any number of processes may use a root at once.

    Args:
        root: A name; or a folder, if it has a separator in it.
    """

    __slots__ = ("folder",)

    def __init__(self, root: str = "default") -> None:
        if not root:
            raise ValueError("the root has no name")
        if "/" in root or os.sep in root:
            self.folder = Path(root).absolute()
        else:
            self.folder = Path(state_folder(), "runhcs", _escape(root))

    def ids(self) -> tuple[str, ...]:
        """List the containers, in the order of their ids."""
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 - names are all we need
        except FileNotFoundError:
            return ()
        return tuple(sorted(unquote(name) for name in names if name[0] != "."))

    def create(self, container_id: str, key: str, value: JSON) -> None:
        """
        Begin to remember a container.

        Raises:
            FileExistsError: It is known already.
            ValueError: The id is empty.
        """
        if not container_id:
            raise ValueError("the container's id is empty")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self.folder / f".new-{uuid4()}"
        temporary.mkdir(mode=0o700)
        try:
            _write(temporary / _file_name(key), value)
            temporary.rename(self.path(container_id))
        except OSError:
            shutil.rmtree(temporary)
            if not self.path(container_id).exists():
                raise
            raise FileExistsError(
                f"container {container_id!r} exists already"
            ) from None

    def get(self, container_id: str, key: str) -> JSON:
        """
        Read a value.

        Raises:
            NoContainerError: The container is not known.
            NoStateError: It has no such value.
        """
        folder = self.path(container_id)
        try:
            text = (folder / _file_name(key)).read_text("utf-8")
        except FileNotFoundError:
            if not folder.exists():
                raise NoContainerError(container_id) from None
            raise NoStateError(container_id, key) from None
        value: JSON = json.loads(text)
        return value

    def set(self, container_id: str, key: str, value: JSON) -> None:
        """
        Write a value.

        Raises:
            NoContainerError: The container is not known.
        """
        folder = self.path(container_id)
        if not folder.exists():
            raise NoContainerError(container_id)
        temporary = folder / f".{_file_name(key)}.{uuid4()}"
        try:
            _write(temporary, value)
            temporary.replace(folder / _file_name(key))
        except FileNotFoundError:
            raise NoContainerError(container_id) from None

    def clear(self, container_id: str, key: str) -> None:
        """
        Forget a value.

        Raises:
            NoContainerError: The container is not known.
            NoStateError: It has no such value.
        """
        folder = self.path(container_id)
        try:
            (folder / _file_name(key)).unlink()
        except FileNotFoundError:
            if not folder.exists():
                raise NoContainerError(container_id) from None
            raise NoStateError(container_id, key) from None

    def remove(self, container_id: str) -> None:
        """
        Forget a container.

        Raises:
            NoContainerError: It is not known.
        """
        doomed = self.folder / f".old-{uuid4()}"
        try:
            _patiently(lambda: self.path(container_id).rename(doomed))
        except FileNotFoundError:
            raise NoContainerError(container_id) from None
        _patiently(lambda: shutil.rmtree(doomed))

    def remove_all(self) -> None:
        """Forget every container of this root."""
        for container_id in self.ids():
            self.remove(container_id)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, container_id: str) -> Path:
        """Give the folder of a container, known or not."""
        return self.folder / _escape(container_id)

    def locked(self, container_id: str) -> AbstractContextManager[None]:
        """
        Keep other processes from changing a container's life at the same time.

        Who had to wait for it may find the container gone.

        Raises:
            NoContainerError: It is not known.
            TimeoutError: One of them takes very long.
        """
        path = self.path(container_id) / "lock"
        try:
            return held(path, _LOCK_SECONDS, f"container {container_id!r}")
        except FileNotFoundError:
            raise NoContainerError(container_id) from None


def _patiently(work: Callable[[], object]) -> None:
    """On Windows wait until nobody has a file open any more; nobody has for long."""
    for _ in range(_TRIES if os.name == "nt" else 0):
        try:
            work()
        except PermissionError:  # noqa: PERF203 - that is what it is for
            sleep(_STEP)
        else:
            return
    work()


def _escape(text: str) -> str:
    """Make a file's name of any text; what begins with a dot is ours."""
    name = quote(text, safe="")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def _file_name(key: str) -> str:
    return f"{_escape(key)}.json"


def _write(path: Path, value: JSON) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(file, "w", encoding="utf-8") as stream:  # noqa: PTH123 - opened above
        json.dump(value, stream)
