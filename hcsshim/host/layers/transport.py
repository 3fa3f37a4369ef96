r"""
Importing and exporting layers: folders that carry what one layer changes.

Such a folder has ``Files``, with what is new or changed, and ``tombstones.txt``, with
what is gone: after the line ``Version 1.0``, one path a line, ``\etc\motd``, below
``Files``. A path that is in both was replaced: what lay below it is gone, too. Whatever
else the folder has is kept beside the layer.

Windows' own folders hold backup streams instead of files; they are told by the files
``*.$wcidirs$`` and refused.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

from hcsshim.host.layers import folders, utility
from hcsshim.host.layers.trees import OPAQUE, TreeCopy
from hcsshim.host.results import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TOMBSTONES = "tombstones.txt"
_HEAD = b"\xef\xbb\xbfVersion 1.0"
_STREAMS = ".$wcidirs$"


def export(layer: folders.LayerFolder, target: str, check: Callable[[], None]) -> None:
    """
    Write what a layer changes into a folder.

    Args:
        layer: Which.
        target: May be an empty folder already; appears whole or not at all.
        check: Called often; raises to stop.

    Raises:
        Refusal: There is something in the target, or a deleted name has no form in
            ``tombstones.txt``.
    """
    gone: list[bytes] = []

    def tombstone(path: str) -> None:
        name = os.fsencode(path)
        if b"\\" in name or b"\n" in name or b"\r" in name:
            raise refuse(
                HResult.ERROR_INVALID_DATA,
                f"The deletion of {path!r} cannot be exported: a backslash or a line "
                f"end has no form in {TOMBSTONES}.",
            )
        gone.append(b"\\" + name.replace(b"/", b"\\"))

    with folders.staged(target) as folder:
        copy = TreeCopy(check, tombstone)
        copy.copy(layer.tree, os.path.join(folder, folders.FILES))
        for name in _beside(layer.path):
            copy.copy_any(os.path.join(layer.path, name), os.path.join(folder, name))
        if sys.platform == "win32":
            from hcsshim.host.layers import volume_windows  # noqa: PLC0415 - by platform

            for path in volume_windows.deleted(layer.path):
                tombstone(path.replace("\\", "/"))
        with open(os.path.join(folder, TOMBSTONES), "xb") as file:
            file.write(b"\n".join((_HEAD, *sorted(gone), b"")))


def _beside(folder: str) -> list[str]:
    """List what a layer has beside its files and the host's own."""
    own = {
        folders.MARKER,
        folders.FILES,
        folders.MOUNT,
        folders.UPPER,
        "work",
        TOMBSTONES,
    }
    return sorted(
        name
        for name in os.listdir(folder)
        if name not in own and not name.endswith(".vhdx")
    )


def import_(
    path: str, source: str, parents: Sequence[str], check: Callable[[], None]
) -> None:
    """
    Make a read-only layer of such a folder, its utility VM with the parent's files.

    Args:
        path: Of the layer; may be an empty layer already.
        source: The folder.
        parents: The layers below, the nearest first.
        check: Called often; raises to stop.

    Raises:
        Refusal: It is not such a folder, a tombstone leads out of it, or there is a
            layer with something in it already.
    """
    files = os.path.join(source, folders.FILES)
    if not os.path.isdir(files):
        raise refuse(
            HResult.ERROR_PATH_NOT_FOUND,
            f"'{source}' has no folder '{folders.FILES}' to import.",
        )
    if os.path.lexists(files + _STREAMS):
        raise refuse(
            HResult.ERROR_NOT_SUPPORTED,
            f"'{source}' holds backup streams of Windows, which the embedded host does "
            "not import.",
        )
    gone = _read_tombstones(os.path.join(source, TOMBSTONES))
    roots = [folders.root_of(parent) for parent in parents]
    if gone and not parents:
        raise refuse(
            HResult.ERROR_INVALID_DATA,
            f"'{source}' deletes files, but its layer has no parents.",
        )
    _clear_empty_layer(path)
    with folders.staged(path) as folder:
        copy = TreeCopy(check)
        tree = os.path.join(folder, folders.FILES)
        copy.copy(files, tree)
        for name in _beside(source):
            copy.copy_any(os.path.join(source, name), os.path.join(folder, name))
        if parents:
            utility.inherit(folder, parents[0], check)
        for parts in gone:
            check()
            _bury(tree, parts, roots)
        folders.write_marker(folder, writable=False, parents=parents)


def _clear_empty_layer(path: str) -> None:
    """Make room if there is a layer that nothing was ever put into."""
    layer = folders.find(path)
    if (
        layer is not None
        and not layer.writable
        and set(os.listdir(path)) == {folders.MARKER, folders.FILES}
        and folders.is_empty(layer.tree)
    ):
        folders.destroy(path)


def _read_tombstones(path: str) -> list[list[str]]:
    """
    Read the deleted paths, each as its parts.

    Raises:
        Refusal: The file is not of the form, or a path is not one below ``Files``.
    """
    try:
        with open(path, "rb") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return []
    if not lines or lines[0] != _HEAD:
        raise refuse(
            HResult.ERROR_INVALID_DATA, f"'{path}' does not begin with 'Version 1.0'."
        )
    found = []
    for line in lines[1:]:
        if not line:
            continue
        parts = os.fsdecode(line).split("\\")
        bad = any(part in {"", ".", ".."} or "/" in part for part in parts[1:])
        if parts[0] or len(parts) < 2 or bad or b"\0" in line:
            raise refuse(
                HResult.ERROR_INVALID_DATA,
                f"'{path}' deletes {os.fsdecode(line)!r}, which is no path in a layer.",
            )
        found.append(parts[1:])
    return found


def _bury(tree: str, parts: list[str], roots: Sequence[str]) -> None:
    """Write that a path of the layers below is gone."""
    at = tree
    for depth, part in enumerate(parts[:-1], 1):
        at = os.path.join(at, part)
        try:
            mode = os.lstat(at).st_mode
        except FileNotFoundError:
            _make_like(at, [os.path.join(root, *parts[:depth]) for root in roots])
            continue
        if not stat.S_ISDIR(mode):
            raise refuse(
                HResult.ERROR_INVALID_DATA,
                f"A tombstone leads through '/{'/'.join(parts[:depth])}', which is no "
                "directory in this layer.",
            )
    target = os.path.join(at, parts[-1])
    try:
        mode = os.lstat(target).st_mode
    except FileNotFoundError:
        before = os.lstat(at)
        os.mknod(target, stat.S_IFCHR, 0)
        os.utime(at, ns=(before.st_atime_ns, before.st_mtime_ns))
        return
    if stat.S_ISDIR(mode):
        os.setxattr(target, OPAQUE, b"y", follow_symlinks=False)


def _make_like(path: str, examples: list[str]) -> None:
    """Make a directory as the layers below have it."""
    folders.make_tree(path)
    for example in examples:
        try:
            status = os.lstat(example)
        except OSError:
            continue
        if stat.S_ISDIR(status.st_mode):
            if os.geteuid() == 0:
                os.chown(path, status.st_uid, status.st_gid)
            os.chmod(path, stat.S_IMODE(status.st_mode))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
            return
