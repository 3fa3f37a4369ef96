"""
The calls about layers, of vmcompute and of computestorage: arguments to work.

Layers are named by their folders. Where Windows mounts a volume in place, this host
shows the chain elsewhere: ``GetLayerMountPath`` says where, whichever call mounted it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hcsshim.host.fields import Fields
from hcsshim.host.layers import disks, folders, transport
from hcsshim.host.layers import work as layer_work
from hcsshim.host.results import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.layers.layers import Layers
    from hcsshim.host.serving.session import Call
    from hcsshim.host.serving.workers import Job

_FILTERS = ("", "WCIFS", "UnionFS")


def _path(call: Call, index: int = 0, role: str = "layer") -> str:
    return folders.normal(call.text(index), role)


def _parents(text: str | None) -> tuple[str, ...]:
    """
    Read the descriptors of parent layers, the nearest first.

    Raises:
        Refusal: They are none.
    """
    wrapped = Fields.parse(f'{{"Layers":{text or "[]"}}}')
    return _layers(wrapped)


def _layers(document: Fields) -> tuple[str, ...]:
    return tuple(
        folders.normal(layer.text("Path"), "parent layer")
        for layer in document.children("Layers")
    )


def _layer_data(text: str | None) -> tuple[str, ...]:
    """
    Read a ``LayerData`` document: the parents, the nearest first.

    Raises:
        Refusal: It is malformed, or asks for a filter that there is not.
    """
    document = Fields.parse(text)
    document.only(("SchemaVersion", "Layers", "FilterType"))
    if document.text("FilterType") not in _FILTERS:
        document.refuse("FilterType")
    return _layers(document)


# -- vmcompute ---------------------------------------------------------------


def create_layer(call: Call, layers: Layers) -> None:
    """CreateLayer: a read-only one with nothing in it."""
    path = _path(call)
    layers.work(call, path, lambda _: folders.create(path))


def create_sandbox_layer(call: Call, layers: Layers) -> None:
    """CreateSandboxLayer: a writable one; the parent's id counts for nothing."""
    path, parents = _path(call), _parents(call.text(2))
    layers.work(call, path, lambda _: layer_work.create_scratch(path, parents))


def activate_layer(call: Call, layers: Layers) -> None:
    """ActivateLayer."""
    layers.volumes.activate(_path(call))
    call.answer()


def deactivate_layer(call: Call, layers: Layers) -> None:
    """DeactivateLayer."""
    layers.volumes.deactivate(_path(call))
    call.answer()
    layers.look_if_empty()


def prepare_layer(call: Call, layers: Layers) -> None:
    """PrepareLayer: mount the chain."""
    path, parents = _path(call), _parents(call.text(1))

    def work(_job: Job) -> None:
        layers.volumes.require_active(path)
        layers.volumes.prepare(path, parents)

    layers.work(call, path, work)


def unprepare_layer(call: Call, layers: Layers) -> None:
    """UnprepareLayer."""
    path = _path(call)
    layers.work(call, path, lambda _: layers.volumes.unprepare(path))


def get_layer_mount_path(call: Call, layers: Layers) -> None:
    """GetLayerMountPath: where the chain is seen, ``""`` if nowhere."""
    call.answer(0, layers.volumes.mount_path(_path(call)))


def expand_sandbox_size(call: Call, layers: Layers) -> None:
    """ExpandSandboxSize."""
    path, size = _path(call), call.number(1)

    def work(_job: Job) -> None:
        layer = folders.require_writable(path)
        disks.expand(os.path.join(layer.path, folders.SANDBOX), size)

    layers.work(call, path, work)


def copy_layer(call: Call, layers: Layers) -> None:
    """CopyLayer."""
    source, target = _path(call), _path(call, 1)
    _parents(call.text(2))
    layers.work(call, target, lambda job: layer_work.copy(source, target, job))


def destroy_layer(call: Call, layers: Layers) -> None:
    """DestroyLayer and HcsDestroyLayer."""
    path = _path(call)
    layers.work(call, path, lambda _: layer_work.destroy(layers.volumes, path))


def import_layer(call: Call, layers: Layers) -> None:
    """ImportLayer."""
    _import(call, layers, _parents(call.text(2)))


def hcs_import_layer(call: Call, layers: Layers) -> None:
    """HcsImportLayer."""
    _import(call, layers, _layer_data(call.text(2)))


def _import(call: Call, layers: Layers, parents: tuple[str, ...]) -> None:
    path, source = _path(call), _path(call, 1, "folder to import")

    def work(job: Job) -> None:
        layers.volumes.require_free(path)
        transport.import_(path, source, parents, job.check)

    layers.work(call, path, work)


def export_layer(call: Call, layers: Layers) -> None:
    """ExportLayer: not of base layers, which are read where they are."""
    if not _parents(call.text(2)):
        raise refuse(
            HResult.ERROR_INVALID_PARAMETER,
            "A layer without parents is not exported: read its files where they are.",
        )
    _export(call, layers, _path(call), _path(call, 1, "export folder"))


def hcs_export_layer(call: Call, layers: Layers) -> None:
    """HcsExportLayer: the options must name the kind of the layer."""
    path = layers.volumes.folder_of(_path(call))
    _layer_data(call.text(2))
    options = Fields.parse_optional(call.text(3))
    options.only(("IsWritableLayer",))
    if options.flag("IsWritableLayer") != folders.require(path).writable:
        options.refuse("IsWritableLayer")
    _export(call, layers, path, _path(call, 1, "export folder"))


def hcs_export_legacy_writable_layer(call: Call, layers: Layers) -> None:
    """HcsExportLegacyWritableLayer: named by its folder as well as its volume."""
    path = _path(call, 1)
    _layer_data(call.text(3))
    folders.require_writable(path)
    _export(call, layers, path, _path(call, 2, "export folder"))


def _export(call: Call, layers: Layers, path: str, target: str) -> None:
    layers.work(
        call, path, lambda job: layer_work.export(layers.volumes, path, target, job)
    )


def layer_exists(call: Call, _layers: Layers) -> None:
    """LayerExists."""
    call.answer(0, str(int(layer_work.exists(_path(call)))))


def get_base_images(call: Call, _layers: Layers) -> None:
    """GetBaseImages."""
    call.answer(0, layer_work.base_images())


def name_to_guid_call(call: Call, _layers: Layers) -> None:
    """NameToGuid."""
    call.answer(0, layer_work.name_to_guid(call.text(0) or ""))


def process_base_image(call: Call, layers: Layers) -> None:
    """ProcessBaseImage."""
    path = _path(call)
    layers.work(call, path, lambda _: layer_work.process_base(path))


def process_utility_image(call: Call, layers: Layers) -> None:
    """ProcessUtilityImage."""
    path = _path(call, role="utility VM")
    layers.work(call, path, lambda _: layer_work.process_utility(path))


def grant_vm_access(call: Call, _layers: Layers) -> None:
    """GrantVmAccess: a VM of this host would be this user's, who needs no grant."""
    path = _path(call, 1, "file")
    if not call.text(0):
        raise refuse(HResult.ERROR_INVALID_PARAMETER, "A VM's id is needed.")
    if not os.path.exists(path):
        raise refuse(HResult.ERROR_FILE_NOT_FOUND, f"There is no file '{path}'.")
    if not os.access(path, os.R_OK):
        raise refuse(HResult.ERROR_ACCESS_DENIED, f"'{path}' is not this user's.")
    call.answer()


# -- computestorage ----------------------------------------------------------


def setup_base_os_layer(call: Call, layers: Layers) -> None:
    """HcsSetupBaseOSLayer: a utility VM's needs a disk, a container's has none."""
    path = _path(call)
    utility = _is_utility(call.text(2))
    if utility:
        disk = _path(call, 1, "disk")
        if not os.path.isfile(disk):
            raise refuse(HResult.ERROR_FILE_NOT_FOUND, f"There is no disk '{disk}'.")
    process = layer_work.process_utility if utility else layer_work.process_base
    layers.work(call, path, lambda _: process(path))


def setup_base_os_volume(call: Call, layers: Layers) -> None:
    """HcsSetupBaseOSVolume: the same, the disk being mounted already."""
    path, volume = _path(call), _path(call, 1, "volume")
    process = layer_work.process_utility if _is_utility(call.text(2)) else None
    if not os.path.isdir(volume):
        raise refuse(HResult.ERROR_PATH_NOT_FOUND, f"There is no volume '{volume}'.")
    layers.work(call, path, lambda _: (process or layer_work.process_base)(path))


def _is_utility(text: str | None) -> bool:
    options = Fields.parse_optional(text)
    options.only(("Type", "DisableCiCacheOptimization", "SkipUpdateBcdForBoot"))
    for name in ("DisableCiCacheOptimization", "SkipUpdateBcdForBoot"):
        options.flag(name)
    kind = options.text("Type", "Container")
    if kind not in ("Container", "Vm"):
        options.refuse("Type")
    return kind == "Vm"


def initialize_writable_layer(call: Call, layers: Layers) -> None:
    """HcsInitializeWritableLayer."""
    path, parents = _path(call), _layer_data(call.text(1))
    Fields.parse_optional(call.text(2))
    layers.work(call, path, lambda _: layer_work.initialize_writable(path, parents))


def initialize_legacy_writable_layer(call: Call, layers: Layers) -> None:
    """HcsInitializeLegacyWritableLayer: named by its folder and its volume."""
    path, parents = _path(call, 1), _layer_data(call.text(2))
    Fields.parse_optional(call.text(3))
    layers.work(call, path, lambda _: layer_work.initialize_writable(path, parents))


def attach_filter(call: Call, layers: Layers) -> None:
    """HcsAttachLayerStorageFilter and HcsAttachOverlayFilter: mount the chain."""
    path, parents = _path(call), _layer_data(call.text(1))

    def work(_job: Job) -> None:
        layers.volumes.prepare(path, parents)

    layers.work(call, path, work)


def detach_filter(call: Call, layers: Layers) -> None:
    """HcsDetachLayerStorageFilter."""
    path = layers.volumes.folder_of(_path(call))
    layers.work(call, path, lambda _: layers.volumes.unprepare(path))


def detach_overlay_filter(call: Call, layers: Layers) -> None:
    """HcsDetachOverlayFilter."""
    _layer_data(call.text(1))
    detach_filter(call, layers)


def format_writable_layer_vhd(call: Call, layers: Layers) -> None:
    """HcsFormatWritableLayerVhd."""
    path = _path(call, role="disk")
    layers.work(call, path, lambda _: disks.format_writable(path))


def get_layer_vhd_mount_path(call: Call, _layers: Layers) -> None:
    """HcsGetLayerVhdMountPath."""
    call.answer(0, disks.require_volume(_path(call, role="disk")))


CALLS: dict[str, Callable[[Call, Layers], None]] = {
    "CreateLayer": create_layer,
    "CreateSandboxLayer": create_sandbox_layer,
    "ActivateLayer": activate_layer,
    "DeactivateLayer": deactivate_layer,
    "PrepareLayer": prepare_layer,
    "UnprepareLayer": unprepare_layer,
    "GetLayerMountPath": get_layer_mount_path,
    "ExpandSandboxSize": expand_sandbox_size,
    "CopyLayer": copy_layer,
    "DestroyLayer": destroy_layer,
    "ImportLayer": import_layer,
    "ExportLayer": export_layer,
    "LayerExists": layer_exists,
    "GetBaseImages": get_base_images,
    "NameToGuid": name_to_guid_call,
    "ProcessBaseImage": process_base_image,
    "ProcessUtilityImage": process_utility_image,
    "GrantVmAccess": grant_vm_access,
    "HcsImportLayer": hcs_import_layer,
    "HcsExportLayer": hcs_export_layer,
    "HcsExportLegacyWritableLayer": hcs_export_legacy_writable_layer,
    "HcsDestroyLayer": destroy_layer,
    "HcsSetupBaseOSLayer": setup_base_os_layer,
    "HcsInitializeWritableLayer": initialize_writable_layer,
    "HcsInitializeLegacyWritableLayer": initialize_legacy_writable_layer,
    "HcsAttachLayerStorageFilter": attach_filter,
    "HcsDetachLayerStorageFilter": detach_filter,
    "HcsFormatWritableLayerVhd": format_writable_layer_vhd,
    "HcsGetLayerVhdMountPath": get_layer_vhd_mount_path,
    "HcsSetupBaseOSVolume": setup_base_os_volume,
    "HcsAttachOverlayFilter": attach_filter,
    "HcsDetachOverlayFilter": detach_overlay_filter,
}
