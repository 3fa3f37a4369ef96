"""
How layers lie on the disk of this host.

A **read-only layer** is a folder with ``layer.json`` and ``Files``: a tree as the
kernel's overlay takes it, where a deleted file is a character device 0/0 and a
directory that hides those below has the attribute ``user.overlay.opaque``.

A **writable layer** is a folder with ``layer.json``, its disk ``sandbox.vhdx``, and
``Files``, which takes what is written: silos know it as ``upper``, beside ``work``.

Either may have ``Mount``, where the whole chain is seen while the layer is prepared.
A layer that was imported from a tar has ``Files`` and ``.hcsshim`` instead. Any other
folder may be a parent, too: all of it is a root file system.

Everything here may take long, and belongs into a worker's thread.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import attrs

from hcsshim.errors import AlreadyExistsError
from hcsshim.host.layers.trees import remove_tree
from hcsshim.host.results import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MARKER = "layer.json"
FILES = "Files"
MOUNT = "Mount"
UPPER = "upper"
SANDBOX = "sandbox.vhdx"
#: What importing a tar leaves in a layer: the metadata of Windows, and its parents.
METADATA = ".hcsshim"
CHAIN = "layerchain.json"
_VERSION = 1


@attrs.frozen(kw_only=True)
class LayerFolder:
    """
    A layer of this host.

    Args:
        path: Its folder.
        writable: Whether it takes writes.
        parents: The folders of those below, the nearest first.
    """

    path: str
    writable: bool
    parents: tuple[str, ...] = ()

    @property
    def tree(self) -> str:
        """The folder of what this layer adds to its parents."""
        return os.path.join(self.path, FILES)

    @property
    def mount_point(self) -> str:
        """The folder where its chain is mounted."""
        return os.path.join(self.path, MOUNT)


def normal(path: str | None, role: str = "layer") -> str:
    """
    Check a path, and write it in its one form.

    Raises:
        Refusal: It is empty, or not absolute.
    """
    if not path or not os.path.isabs(path) or "\0" in path:
        raise refuse(
            HResult.ERROR_INVALID_PARAMETER,
            f"The path {path!r} of the {role} is not an absolute path of this machine.",
        )
    return os.path.normpath(path)


def find(path: str) -> LayerFolder | None:
    """
    Read what a folder says about itself; ``None`` if it is no layer of this host.

    Raises:
        Refusal: Its ``layer.json`` is damaged.
    """
    marker = os.path.join(path, MARKER)
    if not os.access(marker, os.F_OK):
        return _find_imported(path)
    try:
        with open(marker, encoding="utf-8") as file:
            document = json.load(file)
        return LayerFolder(
            path=path,
            writable={"ReadOnly": False, "Writable": True}[document["Type"]],
            parents=tuple(str(parent) for parent in document["Parents"]),
        )
    except (FileNotFoundError, NotADirectoryError):
        return _find_imported(path)
    except (ValueError, LookupError, TypeError):
        raise refuse(
            HResult.ERROR_INVALID_DATA,
            f"'{marker}' is not what this host writes there.",
        ) from None


def _find_imported(path: str) -> LayerFolder | None:
    """
    Find a layer that a client made of a tar.

    Source:
        ``layerchain.json`` of Docker's graph driver names the parents.
    """
    imported = os.path.isdir(os.path.join(path, METADATA))
    if not imported or not os.path.isdir(os.path.join(path, FILES)):
        return None
    parents = []
    with suppress(FileNotFoundError), open(os.path.join(path, CHAIN), "rb") as file:
        parents = json.load(file)
    return LayerFolder(
        path=path, writable=False, parents=tuple(str(parent) for parent in parents)
    )


def require(path: str) -> LayerFolder:
    """
    Find a layer.

    Raises:
        Refusal: There is none.
    """
    layer = find(path)
    if layer is None:
        raise refuse(HResult.ERROR_PATH_NOT_FOUND, f"There is no layer at '{path}'.")
    return layer


def require_writable(path: str) -> LayerFolder:
    """
    Find a layer that takes writes.

    Raises:
        Refusal: There is none.
    """
    layer = require(path)
    if not layer.writable:
        raise refuse(
            HResult.ERROR_INVALID_PARAMETER, f"The layer '{path}' is read-only."
        )
    return layer


def root_of(path: str) -> str:
    """
    Give the root file system that a folder is as a parent.

    Raises:
        Refusal: It is not there, or takes writes.
    """
    layer = find(path)
    if layer is not None and layer.writable:
        raise refuse(
            HResult.ERROR_INVALID_PARAMETER,
            f"The layer '{path}' takes writes and cannot be a parent.",
        )
    root = path if layer is None else layer.tree
    if not os.path.isdir(root):
        raise refuse(
            HResult.ERROR_PATH_NOT_FOUND, f"The parent layer '{path}' is not there."
        )
    return root


def write_marker(folder: str, *, writable: bool, parents: Sequence[str]) -> None:
    """Say in a folder what it is; the last step of making a layer."""
    document = {
        "Version": _VERSION,
        "Type": "Writable" if writable else "ReadOnly",
        "Parents": list(parents),
    }
    path = os.path.join(folder, MARKER)
    temporary = f"{path}.{os.urandom(4).hex()}"
    with open(temporary, "x", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


@contextmanager
def staged(path: str) -> Iterator[str]:
    """
    Make a folder that is there as a whole, or not at all.

    Args:
        path: May be an empty folder already.

    Yields:
        Where to put what shall be in it.

    Raises:
        Refusal: Something is there.
    """
    from hcsshim._native.growing import growing  # noqa: PLC0415 - seldom needed

    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with growing(path) as folder:
            _open_to_all(os.fspath(folder))  # silos' users go through it
            yield os.fspath(folder)
    except AlreadyExistsError as error:
        raise refuse(HResult.ERROR_ALREADY_EXISTS, error.message) from None


def _open_to_all(path: str) -> None:
    """Let everybody enter a folder, whatever the umask was."""
    os.chmod(path, 0o755)  # noqa: S103 - users of a silo are others


def is_empty(path: str) -> bool:
    """Tell whether a path is a folder with nothing in it."""
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except NotADirectoryError:
        return False


def make_tree(path: str) -> None:
    """Make the root of a file system, which everybody may enter."""
    os.mkdir(path)
    _open_to_all(path)


def create(path: str) -> None:
    """
    Make a read-only layer with nothing in it.

    Raises:
        Refusal: There is something already.
    """
    with staged(path) as folder:
        make_tree(os.path.join(folder, FILES))
        write_marker(folder, writable=False, parents=())


def make_writable(folder: str, parents: Sequence[str]) -> None:
    """Put into a folder what a writable layer has, its disk apart."""
    for name in (FILES, "work"):
        make_tree(os.path.join(folder, name))
    os.symlink(FILES, os.path.join(folder, UPPER))
    write_marker(folder, writable=True, parents=parents)


def destroy(path: str) -> None:
    """
    Remove a layer.

    Raises:
        Refusal: There is none, something is mounted in it, or it is a folder that
            this host did not make.
    """
    if not os.path.isdir(path):
        raise refuse(HResult.ERROR_PATH_NOT_FOUND, f"There is no layer at '{path}'.")
    if find(path) is None and not is_empty(path):
        raise refuse(
            HResult.ERROR_NOT_SUPPORTED,
            f"'{path}' is no layer of this host, which will not remove it: "
            f"it has no {MARKER}.",
        )
    if os.path.ismount(os.path.join(path, MOUNT)):
        raise refuse(
            HResult.ERROR_SHARING_VIOLATION, f"Something is mounted in '{path}'."
        )
    remove_tree(path)
