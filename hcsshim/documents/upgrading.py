"""From the documents of schema 1 to those of schema 2 that mean the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs

from hcsshim.documents import resource_paths, v1
from hcsshim.documents._converter import from_dict, to_dict, unknown_members
from hcsshim.documents._document import JSON, Document, DocumentError
from hcsshim.documents.compute_system import ComputeSystem, Version
from hcsshim.documents.container import Container
from hcsshim.documents.container_limits import GuestOs, Memory, Networking, Processor
from hcsshim.documents.device import Device
from hcsshim.documents.disk import StorageQoS
from hcsshim.documents.mapped_directory import MappedDirectory
from hcsshim.documents.mapped_pipe import MappedPipe
from hcsshim.documents.modify import ModifySettingRequest
from hcsshim.documents.process_parameters import ProcessParameters
from hcsshim.documents.properties import Properties, PropertyQuery, SystemQuery
from hcsshim.documents.storage import Layer, Storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: The version that a document gets: every host of schema 2 has it.
_VERSION = Version(major=2, minor=1)
_VOLUME = "\\\\?\\Volume{"


class Upgraded(NamedTuple):
    """
    A document of schema 2, and what of the old one has no place in it.

    Attributes:
        document: The new document.
        left_out: JSON paths in the old one, of members that were set.
    """

    document: Document
    left_out: tuple[str, ...]


def upgrade(document: Document) -> Upgraded:
    """
    Turn a document of schema 1 into one of schema 2.

    Args:
        document: Of :mod:`hcsshim.documents.v1`, parsed or built; a network or endpoint
            of HNS becomes one of HCN.

    Returns:
        The new document, and the members that schema 2 has no place for.

    Raises:
        DocumentError: It is a virtual machine or needs one, for which schema 2 has
            several documents instead of one; or it is no document of schema 1.
    """
    if type(document).__module__.startswith("hcsshim.documents.hns"):
        from hcsshim.documents.upgrading_networks import (  # noqa: PLC0415 - seldom
            CONVERSIONS,
        )

        change = CONVERSIONS.get(type(document))
        if change is not None:
            return Upgraded(*change(document))
    convert = _CONVERSIONS.get(type(document))
    if convert is None:
        raise DocumentError(
            "a document of schema 1 that has a form in schema 2",
            type(document).__name__,
        )
    return convert(document)


def _unknown(document: Document, path: str = "") -> list[str]:
    """Name the members that are not known here; schema 2 refuses unknown ones."""
    return [f"{path}{name}" for name in document.extra]


def _set(document: Document, names: Iterable[str], path: str = "") -> list[str]:
    """Name those of some fields that hold something."""
    fields = attrs.fields_dict(type(document))
    return [
        f"{path}{fields[name].metadata['wire']}"
        for name in names
        if getattr(document, name)
    ]


def _container(old: v1.ContainerConfig) -> Upgraded:
    _refuse_virtual_machines(old)
    left_out = [
        *_set(
            old,
            (
                "name",
                "ignore_flushes_during_boot",
                "credentials",
                "storage_sandbox_size",
                "servicing",
                "container_type",
                "hv_runtime",
            ),
        ),
        *_unknown(old),
    ]
    if old.volume_path and old.layer_folder_path:
        left_out.append("LayerFolderPath")
    left_out += _inner_left_out(old)
    limits = _set(old, ("processor_count", "processor_maximum", "processor_weight"))
    left_out += limits[1:]
    container = Container(
        guest_os=GuestOs(host_name=old.host_name) if old.host_name else None,
        storage=_storage(old),
        mapped_directories=tuple(
            MappedDirectory(
                host_path=item.host_path,
                container_path=item.container_path,
                read_only=item.read_only or None,
            )
            for item in old.mapped_directories
        ),
        mapped_pipes=tuple(
            MappedPipe(
                host_path=item.host_path, container_pipe_name=item.container_pipe_name
            )
            for item in old.mapped_pipes
        ),
        memory=_memory(old),
        processor=_processor(old),
        networking=_networking(old),
        assigned_devices=tuple(
            Device(interface_class_guid=item.interface_class_guid)
            for item in old.assigned_devices
        ),
    )
    system = ComputeSystem(
        owner=old.owner or None,
        schema_version=_VERSION,
        container=container,
        should_terminate_on_last_handle_closed=old.terminate_on_last_handle_closed
        or None,
    )
    return Upgraded(system, tuple(left_out))


def _refuse_virtual_machines(old: v1.ContainerConfig) -> None:
    """
    Refuse what is not isolated by processes.

    Raises:
        DocumentError: It needs a virtual machine.
    """
    kind = old.system_type or "Container"
    if kind.casefold() != "container":
        raise DocumentError("a container", kind, "SystemType")
    if old.hv_partition:
        raise DocumentError(
            "a container with process isolation, since schema 2 describes the virtual "
            "machine of another one in a document of its own",
            old.hv_partition,
            "HvPartition",
        )
    if old.mapped_virtual_disks:
        raise DocumentError(
            "no disks, which schema 2 attaches to virtual machines only",
            old.mapped_virtual_disks,
            "MappedVirtualDisks",
        )


def _inner_left_out(old: v1.ContainerConfig) -> list[str]:
    found = []
    for index, directory in enumerate(old.mapped_directories):
        path = f"MappedDirectories[{index}]."
        names = ("bandwidth_maximum", "iops_maximum", "create_in_utility_vm")
        found += _set(directory, (*names, "linux_metadata"), path)
        found += _unknown(directory, path)
    lists = {"Layers": old.layers or (), "MappedPipes": old.mapped_pipes}
    for name, items in (*lists.items(), ("AssignedDevices", old.assigned_devices)):
        for index, item in enumerate(items):
            found += _unknown(item, f"{name}[{index}].")
    return found


def _storage(old: v1.ContainerConfig) -> Storage | None:
    path = old.volume_path or old.layer_folder_path or None
    if path and path.startswith(_VOLUME) and not path.endswith("\\"):
        path += "\\"  # schema 2 wants a folder, where schema 1 named the volume
    layers = tuple(Layer(id=layer.id, path=layer.path) for layer in old.layers or ())
    limits = (old.storage_iops_maximum, old.storage_bandwidth_maximum)
    quality = None
    if any(limits):
        quality = StorageQoS(
            iops_maximum=limits[0] or None, bandwidth_maximum=limits[1] or None
        )
    if not (path or layers or quality):
        return None
    return Storage(layers=layers, path=path, qos=quality)


def _memory(old: v1.ContainerConfig) -> Memory | None:
    megabytes = old.memory_maximum_in_mb
    return Memory(size_in_mb=megabytes) if megabytes else None


def _processor(old: v1.ContainerConfig) -> Processor | None:
    """Count, maximum and weight exclude each other there: the first is kept."""
    if old.processor_count:
        return Processor(count=old.processor_count)
    if old.processor_maximum:
        return Processor(maximum=old.processor_maximum)
    if old.processor_weight:
        return Processor(weight=old.processor_weight)
    return None


def _networking(old: v1.ContainerConfig) -> Networking | None:
    if not (
        old.endpoint_list
        or old.allow_unqualified_dns_query
        or old.dns_search_list
        or old.network_shared_container_name
    ):
        return None
    return Networking(
        allow_unqualified_dns_query=old.allow_unqualified_dns_query or None,
        dns_search_list=old.dns_search_list or None,
        network_shared_container_name=old.network_shared_container_name or None,
        network_adapters=old.endpoint_list,
    )


def _process(old: v1.ProcessConfig) -> Upgraded:
    height, width = old.console_size or (0, 0)
    parameters = ProcessParameters(
        application_name=old.application_name or None,
        command_line=old.command_line or None,
        command_args=old.command_args,
        user=old.user or None,
        working_directory=old.working_directory or None,
        environment=old.environment,
        emulate_console=old.emulate_console or None,
        create_std_in_pipe=old.create_std_in_pipe or None,
        create_std_out_pipe=old.create_std_out_pipe or None,
        create_std_err_pipe=old.create_std_err_pipe or None,
        # Zeros mean none, and are always written there; here none are.
        console_size=(height, width) if height or width else (),
    )
    names = ("create_in_utility_vm", "oci_specification")
    return Upgraded(parameters, (*_set(old, names), *_unknown(old)))


def _modification(old: v1.ResourceModificationRequestResponse) -> Upgraded:
    kind = str(old.resource_type or "")
    path = _RESOURCES.get(kind.casefold())
    if path is None:
        raise DocumentError(
            "a resource that has a path in schema 2, where networks are changed "
            "through namespaces instead",
            kind,
            "ResourceType",
        )
    verb = str(old.request_type) if old.request_type else None
    request = ModifySettingRequest(
        resource_path=path, request_type=verb, settings=old.settings
    )
    return Upgraded(request, tuple(_unknown(old)))


def _same_names(kind: type[Document]) -> Callable[[Document], Upgraded]:
    """Make the conversion to a type whose members have the names they had."""

    def convert(old: Document) -> Upgraded:
        raw = to_dict(old)
        parsed = from_dict(kind, raw)
        left_out = tuple(unknown_members(parsed))
        _strip(parsed, raw)
        return Upgraded(from_dict(kind, raw), left_out)

    return convert


def _strip(document: Document, raw: dict[str, JSON]) -> None:
    """Take out of ``raw`` what ``document``, which was read from it, does not know."""
    for name in document.extra:
        raw.pop(name, None)
    for field in attrs.fields(type(document)):
        inner = raw.get(field.metadata.get("wire", ""))
        value = getattr(document, field.name)
        if isinstance(value, Document) and isinstance(inner, dict):
            _strip(value, inner)
        elif isinstance(value, tuple) and isinstance(inner, list):
            for part, raw_part in zip(value, inner, strict=True):
                if isinstance(part, Document) and isinstance(raw_part, dict):
                    _strip(part, raw_part)


_RESOURCES = {
    "mappeddirectory": resource_paths.CONTAINER_MAPPED_DIRECTORIES,
    "memory": resource_paths.CONTAINER_MEMORY,
    "processor": resource_paths.CONTAINER_PROCESSOR,
}

_CONVERSIONS: dict[type[Document], Callable[..., Upgraded]] = {
    v1.ContainerConfig: _container,
    v1.ProcessConfig: _process,
    v1.ResourceModificationRequestResponse: _modification,
    v1.PropertyQuery: _same_names(PropertyQuery),
    v1.ComputeSystemQuery: _same_names(SystemQuery),
    v1.ContainerProperties: _same_names(Properties),
}
