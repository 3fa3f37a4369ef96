"""Base layers out of plain folders, and volumes at folders of one's choice."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hcsshim._native.unpack import remove_tree
from hcsshim.disk import create_differencing_vhdx, create_vhdx
from hcsshim.errors import (
    AlreadyExistsError,
    InvalidDataError,
    NotFoundError,
    NotSupportedError,
)
from hcsshim.layers._hive import empty_hive
from hcsshim.layers._storage import format_writable_layer_vhd, setup_base_os_layer
from hcsshim.layers._wclayer import (
    grant_vm_access,
    process_base_layer,
    process_utility_vm_image,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hcsshim._native.port import Service
    from hcsshim.layers._steps import PathName

_CONFIG = ("Windows", "System32", "config")
_HIVES = ("DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM")
_BOOT_STORE = ("EFI", "Microsoft", "Boot", "BCD")


def convert_to_base_layer(path: PathName, *, service: Service | None = None) -> None:
    """
    Make a base layer of a folder whose ``Files`` has a tree of any kind.

    Registry hives that are missing are made, empty; what an earlier conversion made
    of them is removed. A ``UtilityVM`` beside ``Files`` becomes one.

    Args:
        path: The folder.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no ``Files``, or the utility VM does not boot.
        InvalidDataError: Something else stands where a hive or a folder must be.

    Source:
        ``ConvertToBaseLayer`` of the original library.
    """
    layer = Path(os.path.abspath(path))  # noqa: PTH100 - links stay what they are
    files = layer / "Files"
    if not files.is_dir() or files.is_symlink():
        raise NotFoundError(message=f"'{layer}' has no folder 'Files'.")
    utility = layer / "UtilityVM"
    has_utility = _check_utility(utility)
    _make_hives(files)
    for name in ("Hives", "Layout"):
        remove_tree(layer / name)
    process_base_layer(layer, service=service)
    if has_utility:
        process_utility_vm_image(utility, service=service)


def _check_utility(utility: Path) -> bool:
    """
    Check a utility VM, if there is one.

    Raises:
        NotFoundError: It has no boot store.
    """
    if utility.is_symlink() or not (utility / "Files").is_dir():
        return False
    store = utility / "Files"
    for part in _BOOT_STORE:
        store = _find(store, part) or store / part
    if not store.is_file() or store.is_symlink():
        raise NotFoundError(message=f"The utility VM has no boot store '{store}'.")
    return True


def _find(folder: Path, name: str) -> Path | None:
    """Find an entry whatever its case."""
    if not folder.is_dir():
        return None
    matches = (
        entry for entry in folder.iterdir() if entry.name.lower() == name.lower()
    )
    return min(matches, default=None)


def _make_hives(files: Path) -> None:
    """Make the hives that are missing, and the folders on the way."""
    config = files
    for part in _CONFIG:
        config = _find(config, part) or config / part
        if not os.path.lexists(config):
            config.mkdir()
        if config.is_symlink() or not config.is_dir():
            raise InvalidDataError(message=f"'{config}' is no folder.")
    for name in _HIVES:
        hive = _find(config, name)
        if hive is None:
            _write(config / name, empty_hive())
        elif not stat.S_ISREG(hive.lstat().st_mode):
            raise InvalidDataError(message=f"'{hive}' is no file of the registry.")


def _write(path: Path, data: bytes) -> None:
    """Write a file that appears when it is whole."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


#: All virtual machines of a Windows machine.
_VM_GROUP = "S-1-5-83-0"
_GIB = 1 << 30


def setup_container_base_layer(
    path: PathName,
    base_vhd: PathName,
    diff_vhd: PathName,
    size_gb: int,
    *,
    service: Service | None = None,
) -> None:
    """
    Make the base layer of containers, and the disks that their scratch begins with.

    Args:
        path: The layer's folder, with its ``Files``.
        base_vhd: The disk to make, with an empty file system.
        diff_vhd: The disk to make that differs from it.
        size_gb: Of both, in GiB.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no ``Files``.
        NotSupportedError: This machine lacks what makes file systems.

    Source:
        ``SetupContainerBaseLayer`` of the original library.
    """
    for name in ("Hives", "Layout"):
        remove_tree(Path(path, name))
    with _new_disks(base_vhd, diff_vhd):
        create_vhdx(base_vhd, size_gb * _GIB)
        format_writable_layer_vhd(base_vhd, service=service)
        setup_base_os_layer(path, {"Type": "Container"}, service=service)
        _differ(base_vhd, diff_vhd, service)


def setup_utility_vm_base_layer(
    path: PathName,
    base_vhd: PathName,
    diff_vhd: PathName,
    size_gb: int,
    *,
    service: Service | None = None,
) -> None:
    """
    Make a utility VM, and the disks that its scratch begins with.

    Args:
        path: The folder ``UtilityVM`` of a layer, with its ``Files``.
        base_vhd: The disk to make, for the service to fill.
        diff_vhd: The disk to make that differs from it.
        size_gb: Of both, in GiB.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no ``Files``.

    Source:
        ``SetupUtilityVMBaseLayer`` of the original library.
    """
    with _new_disks(base_vhd, diff_vhd):
        create_vhdx(base_vhd, size_gb * _GIB)
        setup_base_os_layer(path, {"Type": "Vm"}, base_vhd, service=service)
        _differ(base_vhd, diff_vhd, service)


@contextmanager
def _new_disks(*disks: PathName) -> Iterator[None]:
    """Remove disks that are there, and those that were made if the block fails."""
    for disk in disks:
        remove_tree(disk)
    try:
        yield
    except BaseException:
        for disk in disks:
            remove_tree(disk)
        raise


def _differ(base: PathName, diff: PathName, service: Service | None) -> None:
    create_differencing_vhdx(diff, base)
    for disk in (base, diff):
        grant_vm_access(disk, _VM_GROUP, service=service)


def set_volume_mount_point(target: PathName, volume: PathName) -> None:
    """
    Make a folder show a volume.

    Args:
        target: An empty folder, or none yet.
        volume: Where it is seen: what mounting a layer gave.

    Raises:
        AlreadyExistsError: There is something at the target.
        NotFoundError: There is no such volume.

    Source:
        ``SetVolumeMountPoint``; off Windows a symbolic link takes its place.
    """
    _not_on_windows()
    folder = Path(os.path.abspath(target))  # noqa: PTH100 - links stay what they are
    if not Path(volume).is_dir():
        raise NotFoundError(message=f"There is no volume at '{volume}'.")
    there = folder.is_dir() and not folder.is_symlink()
    if not there and os.path.lexists(folder):
        raise AlreadyExistsError(message=f"'{folder}' is no folder.")
    if there:
        try:
            folder.rmdir()
        except OSError:
            raise AlreadyExistsError(message=f"'{folder}' is not empty.") from None
    try:
        folder.symlink_to(volume)
    except OSError:
        if there:
            folder.mkdir()
        raise


def delete_volume_mount_point(target: PathName) -> None:
    """
    Make a folder an empty one again.

    Args:
        target: What :func:`set_volume_mount_point` was given.

    Raises:
        InvalidDataError: It shows no volume.

    Source:
        ``DeleteVolumeMountPoint``.
    """
    _not_on_windows()
    folder = Path(os.path.abspath(target))  # noqa: PTH100 - links stay what they are
    if not folder.is_symlink():
        raise InvalidDataError(message=f"'{folder}' is no mount point of a volume.")
    folder.unlink()
    folder.mkdir()


def _not_on_windows() -> None:
    if sys.platform == "win32":
        raise NotSupportedError(message="On Windows, mountvol makes mount points.")
