"""What the calls about layers do, each for as long as it takes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from uuid import UUID

from hcsshim.host.layers import disks, folders, transport
from hcsshim.host.layers.trees import TreeCopy
from hcsshim.host.results import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim.host.layers.volumes import Volumes
    from hcsshim.host.serving.workers import Job

#: Where ids of things have their names; what Windows uses for layers is not public.
_NAMES = UUID("cab70344-facb-41e4-b5e5-ab6592283e6e")
_HIVES = {
    "system": "System",
    "software": "Software",
    "sam": "Sam",
    "security": "Security",
    "default": "DefaultUser",
}
_CONFIG = ("Windows", "System32", "config")


def name_to_guid(name: str) -> str:
    """Give the id of a layer whose folder has a name, in whatever case."""
    return str(_uuid5(name.upper().encode("utf-16-le", "surrogatepass")))


def _uuid5(name: bytes) -> UUID:
    """Make the version 5 UUID of a name that is no text of UTF-8."""
    import hashlib  # noqa: PLC0415 - seldom needed

    digest = hashlib.sha1(_NAMES.bytes + name, usedforsecurity=False).digest()
    return UUID(bytes=digest[:16], version=5)


def create_scratch(path: str, parents: tuple[str, ...]) -> None:
    """
    Make a writable layer on its parents.

    Raises:
        Refusal: It has none, one is not there, or there is something already.
    """
    if not parents:
        raise refuse(
            HResult.ERROR_INVALID_PARAMETER,
            f"The writable layer '{path}' needs a parent at least.",
        )
    for parent in parents:
        folders.root_of(parent)
    with folders.staged(path) as folder:
        disks.create_sandbox(folder, parents)
        folders.make_writable(folder, parents)


def destroy(volumes: Volumes, path: str) -> None:
    """
    Remove a layer that nobody has.

    Raises:
        Refusal: Somebody has it, or it is no layer.
    """
    volumes.require_free(path)
    folders.destroy(path)
    volumes.forget(path)


def copy(source: str, target: str, job: Job) -> None:
    """
    Copy a layer.

    Raises:
        Refusal: There is none, or there is something at the target.
    """
    folders.require(source)
    with folders.staged(target) as folder:
        tree = TreeCopy(job.check)
        for name in sorted(os.listdir(source)):
            if name != folders.MOUNT:
                tree.copy_any(os.path.join(source, name), os.path.join(folder, name))


def exists(path: str) -> bool:
    """Tell whether there is a layer."""
    return os.path.isdir(path) and folders.find(path) is not None


def export(volumes: Volumes, path: str, target: str, job: Job) -> None:
    """
    Write what a layer changes into a folder.

    Raises:
        Refusal: There is no such layer, or the target is not free.
    """
    layer = folders.require(volumes.folder_of(path))
    volumes.settle(layer.path)
    transport.export(layer, target, job.check)


def process_base(path: str) -> None:
    """
    Make a base layer of a folder that has its ``Files``.

    Raises:
        Refusal: It has none, or is another kind of layer.
    """
    _require_files(path)
    layer = folders.find(path)
    if layer is not None and (layer.writable or layer.parents):
        raise refuse(HResult.ERROR_INVALID_PARAMETER, f"'{path}' is no base layer.")
    _copy_hives(path)
    disks.create(os.path.join(path, disks.BLANK))
    folders.write_marker(path, writable=False, parents=())


def process_utility(path: str) -> None:
    """
    Make the disks of a utility VM's folder that has its ``Files``.

    Raises:
        Refusal: It has none.
    """
    _require_files(path)
    for name in ("SystemTemplateBase.vhdx", "SystemTemplate.vhdx"):
        disks.create(os.path.join(path, name))


def initialize_writable(path: str, parents: tuple[str, ...]) -> None:
    """
    Make a writable layer of a folder, without a disk.

    Raises:
        Refusal: The folder is not there, is a layer already, or a parent is not
            there.
    """
    if not os.path.isdir(path):
        raise refuse(HResult.ERROR_PATH_NOT_FOUND, f"There is no folder '{path}'.")
    if folders.find(path) is not None:
        raise refuse(
            HResult.ERROR_ALREADY_EXISTS, f"The folder '{path}' is a layer already."
        )
    for parent in parents:
        folders.root_of(parent)
    folders.make_writable(path, parents)


def base_images() -> str:
    """
    List the base layers that the users of this host share.

    They are the folders of ``base-images`` in the state folder.
    """
    from hcsshim._native.host_process import (  # noqa: PLC0415 - seldom needed
        state_folder,
    )

    shared = os.path.join(state_folder(), "base-images")
    images = []
    for name in sorted(os.listdir(shared)) if os.path.isdir(shared) else ():
        path = os.path.join(shared, name)
        layer = folders.find(path)
        if layer is not None and not layer.writable:
            images.append({"Name": name, "Path": path, "ID": name_to_guid(name)})
    return json.dumps({"Images": images})


def _require_files(path: str) -> None:
    if not os.path.isdir(os.path.join(path, folders.FILES)):
        raise refuse(
            HResult.ERROR_PATH_NOT_FOUND, f"'{path}' has no folder '{folders.FILES}'."
        )


def _copy_hives(path: str) -> None:
    """Keep the registry of a base layer as it was, where there is one."""
    config = os.path.join(path, folders.FILES)
    for part in _CONFIG:
        found = _find(config, part)
        if found is None:
            return
        config = found
    for name, kept in _HIVES.items():
        hive = _find(config, name)
        if hive is None:
            continue
        target = os.path.join(path, "Hives", f"{kept}_Base")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.lexists(target):
            os.unlink(target)
        TreeCopy(lambda: None).copy_any(hive, target)


def _find(folder: str, name: str) -> str | None:
    """Find an entry whatever its case, never through a symbolic link."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.lower() == name.lower() and not entry.is_symlink():
                    return entry.path
    except NotADirectoryError:
        return None
    return None
