# Made by async_to_sync.py of hcsshim/layers/_async_wclayer.py; do not edit.
"""
The layer calls of vmcompute, one function each; the blocking face.

A layer is named by its folder. ``parents`` are the folders of the layers below it, the
nearest first, the base last.
"""

from __future__ import annotations

from hcsshim.hcs._drivers import drive
from hcsshim.layers import _steps as steps

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from hcsshim._native.port import Service
    from hcsshim.layers._steps import PathName


def create_layer(
    path: PathName, *, timeout: float | None = None, service: Service | None = None
) -> None:
    """
    Make a read-only layer with nothing in it.

    Args:
        path: The layer's folder.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        AlreadyExistsError: There is something.

    Source:
        ``CreateLayer``.
    """
    folder = steps.full(path)
    drive(steps.call(service, "CreateLayer", folder, folder, None, timeout=timeout))


def create_scratch_layer(
    path: PathName,
    parents: Sequence[PathName],
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Make a writable layer on its parents, with a disk of its own.

    Args:
        path: The layer's folder; may be an empty folder already.
        parents: The layers below.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        AlreadyExistsError: There is something.
        NotFoundError: A parent is not there.

    Source:
        ``CreateSandboxLayer``.
    """
    folder = steps.full(path)
    drive(
        steps.call(
            service,
            "CreateSandboxLayer",
            folder,
            folder,
            None,
            steps.descriptors(parents),
            timeout=timeout,
        )
    )


def activate_layer(
    path: PathName, *, timeout: float | None = None, service: Service | None = None
) -> None:
    """
    Open a layer, so that it can be prepared.

    Args:
        path: The layer's folder.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is none.

    Source:
        ``ActivateLayer``.
    """
    folder = steps.full(path)
    drive(steps.call(service, "ActivateLayer", folder, folder, timeout=timeout))


def deactivate_layer(
    path: PathName, *, timeout: float | None = None, service: Service | None = None
) -> None:
    """
    Close a layer again.

    Args:
        path: The layer's folder.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        InUseError: It is still prepared.

    Source:
        ``DeactivateLayer``.
    """
    folder = steps.full(path)
    drive(steps.call(service, "DeactivateLayer", folder, folder, timeout=timeout))


def prepare_layer(
    path: PathName,
    parents: Sequence[PathName],
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Mount an active layer on its parents.

    Args:
        path: The layer's folder.
        parents: The layers below.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        BusyError: It is not active, or the machine not ready.
        InUseError: It is in use already.

    Source:
        ``PrepareLayer``.
    """
    folder = steps.full(path)
    drive(
        steps.call(
            service,
            "PrepareLayer",
            folder,
            folder,
            steps.descriptors(parents),
            timeout=timeout,
        )
    )


def unprepare_layer(
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

    Source:
        ``UnprepareLayer``.
    """
    folder = steps.full(path)
    drive(steps.call(service, "UnprepareLayer", folder, folder, timeout=timeout))


def layer_mount_path(
    path: PathName, *, timeout: float | None = None, service: Service | None = None
) -> str:
    """
    Give where a prepared layer is seen; ``""`` if nowhere.

    Args:
        path: The layer's folder.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no such layer.

    Source:
        ``GetLayerMountPath``.
    """
    folder = steps.full(path)
    asked = steps.call(service, "GetLayerMountPath", folder, folder, timeout=timeout)
    return drive(asked) or ""


def expand_scratch_size(
    path: PathName,
    size: int,
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Make the disk of a writable layer larger.

    Args:
        path: The layer's folder.
        size: In bytes.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        InvalidDataError: It is larger already.

    Source:
        ``ExpandSandboxSize``.
    """
    folder = steps.full(path)
    drive(
        steps.call(service, "ExpandSandboxSize", folder, folder, size, timeout=timeout)
    )


def copy_layer(
    path: PathName,
    target: PathName,
    parents: Sequence[PathName] = (),
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Copy a layer.

    Args:
        path: The layer's folder.
        target: The copy's folder.
        parents: The layers below.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no such layer.
        AlreadyExistsError: There is something at the target.

    Source:
        ``CopyLayer``.
    """
    folder = steps.full(path)
    drive(
        steps.call(
            service,
            "CopyLayer",
            folder,
            folder,
            steps.full(target),
            steps.descriptors(parents),
            timeout=timeout,
        )
    )


def destroy_layer(
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
        InUseError: Somebody has it.

    Source:
        ``DestroyLayer``.
    """
    folder = steps.full(path)
    drive(steps.call(service, "DestroyLayer", folder, folder, timeout=timeout))


def import_layer(
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
        path: The layer's folder; nothing may be in it.
        folder_to_import: What an export wrote.
        parents: The layers below.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        AlreadyExistsError: There is a layer with something in it.
        InvalidDataError: It is no such folder.

    Source:
        ``ImportLayer``.
    """
    folder = steps.full(path)
    drive(
        steps.call(
            service,
            "ImportLayer",
            folder,
            folder,
            steps.full(folder_to_import),
            steps.descriptors(parents),
            timeout=timeout,
        )
    )


def export_layer(
    path: PathName,
    export_folder: PathName,
    parents: Sequence[PathName],
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Write what a layer changes into a folder.

    Args:
        path: The layer's folder.
        export_folder: Nothing may be in it.
        parents: The layers below. A base layer is not exported.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        AlreadyExistsError: There is something in the folder.
        InvalidDataError: There are no parents.

    Source:
        ``ExportLayer``.
    """
    folder = steps.full(path)
    drive(
        steps.call(
            service,
            "ExportLayer",
            folder,
            folder,
            steps.full(export_folder),
            steps.descriptors(parents),
            timeout=timeout,
        )
    )


def layer_exists(
    path: PathName, *, timeout: float | None = None, service: Service | None = None
) -> bool:
    """
    Tell whether there is a layer.

    Args:
        path: The layer's folder.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Source:
        ``LayerExists``.
    """
    folder = steps.full(path)
    asked = steps.call(service, "LayerExists", folder, folder, timeout=timeout)
    return (drive(asked) or "0") != "0"


def shared_base_images(
    *, timeout: float | None = None, service: Service | None = None
) -> str:
    """
    List the base images that the machine shares, as the JSON text it gives.

    Args:
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Source:
        ``GetBaseImages``.
    """
    asked = steps.call(service, "GetBaseImages", "", timeout=timeout)
    return drive(asked) or ""


def name_to_guid(
    name: str, *, timeout: float | None = None, service: Service | None = None
) -> UUID:
    """
    Give the id of a layer whose folder has a name.

    Args:
        name: The last part of the folder's path.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Source:
        ``NameToGuid``.
    """
    from uuid import UUID  # noqa: PLC0415 - seldom needed

    asked = steps.call(service, "NameToGuid", name, name, timeout=timeout)
    return UUID(drive(asked) or "")


def process_base_layer(
    path: PathName, *, timeout: float | None = None, service: Service | None = None
) -> None:
    """
    Make a base layer of a folder that has its ``Files``.

    Args:
        path: The layer's folder.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: It has none.

    Source:
        ``ProcessBaseImage``.
    """
    folder = steps.full(path)
    drive(steps.call(service, "ProcessBaseImage", folder, folder, timeout=timeout))


def process_utility_vm_image(
    path: PathName, *, timeout: float | None = None, service: Service | None = None
) -> None:
    """
    Make a utility VM of a folder that has its ``Files``.

    Args:
        path: The folder ``UtilityVM`` of a layer.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: It has none.

    Source:
        ``ProcessUtilityImage``.
    """
    folder = steps.full(path)
    drive(steps.call(service, "ProcessUtilityImage", folder, folder, timeout=timeout))


def grant_vm_access(
    path: PathName,
    vm_id: str,
    *,
    timeout: float | None = None,
    service: Service | None = None,
) -> None:
    """
    Let a VM open a file.

    Args:
        path: The file.
        vm_id: The VM.
        timeout: Seconds; ``None`` forever.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no such file.

    Source:
        ``GrantVmAccess``.
    """
    file = steps.full(path)
    asked = steps.call(service, "GrantVmAccess", file, vm_id, file, timeout=timeout)
    drive(asked)
