# Made by async_to_sync.py of hcsshim/layers/_async_storage.py; do not edit.
"""
The layer calls of computestorage, one function each; the blocking face.

A layer is named by its folder, a virtual disk by its file. ``parents`` are the folders
of the layers below, the nearest first.
"""

from __future__ import annotations

from hcsshim.hcs._calls import as_json, write
from hcsshim.hcs._drivers import drive
from hcsshim.layers import _steps as steps

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Sequence

    from hcsshim._native.port import Service
    from hcsshim.hcs._calls import DocumentLike
    from hcsshim.layers._steps import PathName


def import_storage_layer(
    path: PathName,
    folder_to_import: PathName,
    parents: Sequence[PathName],
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Make a read-only layer of a folder that carries what it changes.

    Args:
        path: The layer's folder, which is made.
        folder_to_import: What an export wrote.
        parents: The layers below.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        AlreadyExistsError: There is a layer with something in it.

    Source:
        ``HcsImportLayer``.
    """
    folder = steps.full(path)
    data = drive(steps.layer_data(service, parents))
    drive(
        steps.call(
            service,
            "HcsImportLayer",
            folder,
            folder,
            steps.full(folder_to_import),
            data,
            timeout=timeout,
        )
    )


def export_storage_layer(  # noqa: PLR0913 - keywords all but three
    path: PathName,
    export_folder: PathName,
    parents: Sequence[PathName],
    *,
    writable: bool = False,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Write what a layer changes into a folder.

    Args:
        path: The layer's folder, or where it is mounted.
        export_folder: Nothing may be in it.
        parents: The layers below.
        writable: Whether it is a writable layer.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        InvalidDataError: The layer is of the other kind.

    Source:
        ``HcsExportLayer``.
    """
    folder, target = steps.full(path), steps.full(export_folder)
    data = drive(steps.layer_data(service, parents))
    options = write({"IsWritableLayer": True} if writable else {})
    asked = steps.call(
        service,
        "HcsExportLayer",
        folder,
        folder,
        target,
        data,
        options,
        timeout=timeout,
    )
    drive(asked)


def destroy_storage_layer(
    path: PathName, *, timeout: float | None = None, service: Service | None = None
) -> None:
    """
    Remove a layer.

    Args:
        path: The layer's folder.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is none.

    Source:
        ``HcsDestroyLayer``.
    """
    folder = steps.full(path)
    drive(steps.call(service, "HcsDestroyLayer", folder, folder, timeout=timeout))


def setup_base_os_layer(
    path: PathName,
    options: DocumentLike,
    vhd: PathName | None = None,
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Make a base layer of a folder that has its ``Files``.

    Args:
        path: The layer's folder.
        options: ``OsLayerOptions``.
        vhd: The disk of a utility VM; a container's layer has none.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: The files or the disk are not there.

    Source:
        ``HcsSetupBaseOSLayer``.
    """
    folder = steps.full(path)
    disk = None if vhd is None else steps.full(vhd)
    asked = steps.call(
        service,
        "HcsSetupBaseOSLayer",
        folder,
        folder,
        disk,
        as_json(options),
        timeout=timeout,
    )
    drive(asked)


def setup_base_os_volume(
    path: PathName,
    volume: PathName,
    options: DocumentLike,
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Make a base layer whose disk is mounted already.

    Args:
        path: The layer's folder.
        volume: Where its disk is mounted.
        options: ``OsLayerOptions``.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: The files or the volume are not there.

    Source:
        ``HcsSetupBaseOSVolume``.
    """
    folder = steps.full(path)
    drive(
        steps.call(
            service,
            "HcsSetupBaseOSVolume",
            folder,
            folder,
            steps.full(volume),
            as_json(options),
            timeout=timeout,
        )
    )


def initialize_writable_layer(
    path: PathName,
    parents: Sequence[PathName],
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Make a writable layer of a folder.

    Args:
        path: The layer's folder.
        parents: The layers below.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        AlreadyExistsError: It is a layer already.

    Source:
        ``HcsInitializeWritableLayer``.
    """
    folder = steps.full(path)
    data = drive(steps.layer_data(service, parents))
    drive(
        steps.call(
            service,
            "HcsInitializeWritableLayer",
            folder,
            folder,
            data,
            None,
            timeout=timeout,
        )
    )


def attach_layer_storage_filter(
    path: PathName,
    parents: Sequence[PathName],
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Mount a layer on its parents.

    On Windows the layer's own folder shows the chain then; on the embedded host
    :func:`layer_mount_path` says where it is seen.

    Args:
        path: The layer's folder.
        parents: The layers below.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        InUseError: It is mounted already.

    Source:
        ``HcsAttachLayerStorageFilter``.
    """
    folder = steps.full(path)
    data = drive(steps.layer_data(service, parents))
    drive(
        steps.call(
            service,
            "HcsAttachLayerStorageFilter",
            folder,
            folder,
            data,
            timeout=timeout,
        )
    )


def detach_layer_storage_filter(
    path: PathName, *, timeout: float | None = None, service: Service | None = None
) -> None:
    """
    Unmount a layer.

    Args:
        path: The layer's folder.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        InUseError: Somebody is in it.
        NotFoundError: It is not mounted.

    Source:
        ``HcsDetachLayerStorageFilter``.
    """
    folder = steps.full(path)
    drive(
        steps.call(
            service, "HcsDetachLayerStorageFilter", folder, folder, timeout=timeout
        )
    )


def attach_overlay_filter(
    path: PathName,
    parents: Sequence[PathName],
    filter_type: str,
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Mount a layer on its parents with a filter of one's choice.

    Args:
        path: The layer's folder.
        parents: The layers below.
        filter_type: ``"WCIFS"`` or ``"UnionFS"``.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        InUseError: It is mounted already.

    Source:
        ``HcsAttachOverlayFilter``.
    """
    folder = steps.full(path)
    data = drive(steps.layer_data(service, parents, filter_type))
    drive(
        steps.call(
            service, "HcsAttachOverlayFilter", folder, folder, data, timeout=timeout
        )
    )


def detach_overlay_filter(
    path: PathName,
    filter_type: str,
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Unmount a layer that was mounted with a filter.

    Args:
        path: The layer's folder.
        filter_type: Which.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        InUseError: Somebody is in it.

    Source:
        ``HcsDetachOverlayFilter``.
    """
    folder = steps.full(path)
    data = write({"FilterType": filter_type})
    asked = steps.call(
        service, "HcsDetachOverlayFilter", folder, folder, data, timeout=timeout
    )
    drive(asked)


def format_writable_layer_vhd(
    path: PathName, *, timeout: float | None = None, service: Service | None = None
) -> None:
    """
    Put an empty file system into a virtual disk.

    Args:
        path: The disk's file.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        NotSupportedError: This machine lacks what makes file systems.

    Source:
        ``HcsFormatWritableLayerVhd``.
    """
    folder = steps.full(path)
    drive(
        steps.call(
            service, "HcsFormatWritableLayerVhd", folder, folder, timeout=timeout
        )
    )


def layer_vhd_mount_path(
    path: PathName, *, timeout: float | None = None, service: Service | None = None
) -> str:
    """
    Give where the volume of a formatted disk is.

    Args:
        path: The disk's file.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        BusyError: It is not formatted.

    Source:
        ``HcsGetLayerVhdMountPath``.
    """
    disk = steps.full(path)
    asked = steps.call(service, "HcsGetLayerVhdMountPath", disk, disk, timeout=timeout)
    return drive(asked) or ""
