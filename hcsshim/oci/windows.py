r"""
Windows containers: from a specification to what HCS creates.

The file system comes ready: on Windows ``root.path`` is the volume of the mounted
layers, ``\\?\Volume{GUID}\``; where it is empty, the scratch layer's folder stands
for it; without layers, whatever the service has. Isolation by a utility VM adds paths
as that VM sees them.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import attrs

from hcsshim.documents import (
    Device,
    DeviceType,
    Layer,
    MappedDirectory,
    MappedPipe,
    RegistryChanges,
)
from hcsshim.hcs._container import ContainerConfig, layer_id
from hcsshim.hcs._schema import V2_1
from hcsshim.oci import annotation_keys as keys
from hcsshim.oci import limits
from hcsshim.oci.annotation_values import flag, text_value
from hcsshim.oci.extensions import device_namespace
from hcsshim.oci.kinds import is_host_process
from hcsshim.oci.registry import container_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.documents import ContainerCredentialGuardState
    from hcsshim.hcs._schema import Schema
    from hcsshim.oci.spec import Mount, Spec
    from hcsshim.oci.spec_windows import Windows

PIPE_PREFIX = "\\\\.\\pipe\\"
#: Beginnings of a mount's source that mean a place inside the utility VM.
VM_PREFIX = "uvm://"
SANDBOX_PREFIX = "sandbox://"
SANDBOX_MOUNTS = "C:\\SandboxMounts"

_DISK_TYPES = ("physical-disk", "virtual-disk", "extensible-virtual-disk")
_VOLUME = re.compile(
    r"\\\\\?\\Volume\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}\\?",
    re.IGNORECASE,
)


@attrs.frozen(kw_only=True)
class WindowsOptions:
    """
    What a Windows container is made with, beside its specification.

    Args:
        owner: Whose it is.
        schema: As ``schema_version()`` chose it.
        build: Of the host.
        processors: Of the host.
        hosting_system_id: Of the utility VM that it runs in; empty for none.
        vm_processors: Of that VM.
        scale_limits_to_vm: Take the processor limit as a share of the host, and make
            it one of the VM.
        guest_path: How the VM sees a path of the host; told whether for reading only.
        network_namespace: Instead of the specification's.
        credential_guard: What the credential guard answered for its account.
        dump_location: The VM's folder for crash dumps.
        layer_id: Gives a layer's id for its folder.
    """

    owner: str = "hcsshim"
    schema: Schema = V2_1
    build: int = 20348
    processors: int = attrs.field(factory=lambda: os.cpu_count() or 1)
    hosting_system_id: str = ""
    vm_processors: int = 1
    scale_limits_to_vm: bool = False
    guest_path: Callable[[str, bool], str] | None = None
    network_namespace: str = ""
    credential_guard: ContainerCredentialGuardState | None = None
    dump_location: str = ""
    layer_id: Callable[[str], str] = layer_id


def windows_container(
    spec: Spec, container_id: str, options: WindowsOptions | None = None
) -> ContainerConfig:
    """
    Describe the container of a specification with a ``windows`` section.

    Args:
        spec: With absolute paths.
        container_id: Its id.
        options: What comes from elsewhere.

    Raises:
        ValueError: The specification contradicts itself, or wants what Windows
            containers have not; the text names the member.
    """
    if options is None:
        options = WindowsOptions()
    if spec.windows is None:
        raise ValueError("windows: expected the section of a Windows container")
    check_credentials(spec)
    config = ContainerConfig(
        owner=options.owner,
        hostname=spec.hostname,
        layers=_layers(spec.windows, options),
        scratch=_root(spec, spec.windows),
        mounts=tuple(_directories(spec, options)),
        pipes=tuple(pipe for pipe in map(_pipe, spec.mounts) if pipe is not None),
        ignore_flushes_during_boot=bool(spec.windows.ignore_flushes_during_boot),
    )
    config = _with_network(_with_limits(config, spec, options), spec.windows)
    if options.schema >= V2_1:
        return _with_v2(config, spec, container_id, options)
    return _with_v1(config, spec, spec.windows)


def check_credentials(spec: Spec) -> None:
    """
    Refuse a credential specification where an annotation forbids it.

    Raises:
        PermissionError: It does.
    """
    if credential_spec(spec) and flag(spec.annotations, keys.WCOW_DISABLE_GMSA):
        raise PermissionError(
            "windows.credentialSpec: group-managed accounts are disabled by the "
            f"annotation {keys.WCOW_DISABLE_GMSA!r}"
        )


def credential_spec(spec: Spec) -> str:
    """Give the credential specification as text; empty for none."""
    given = None if spec.windows is None else spec.windows.credential_spec
    return given if isinstance(given, str) else ""


def _layers(windows: Windows, options: WindowsOptions) -> tuple[Layer, ...]:
    """The last folder is the scratch layer, which is not among them."""
    return tuple(
        Layer(id=options.layer_id(folder), path=folder)
        for folder in windows.layer_folders[:-1]
    )


def _root(spec: Spec, windows: Windows) -> str | None:
    if spec.root is None or spec.root.path is None:
        raise ValueError("root: expected the container's root")
    if spec.root.readonly:
        raise ValueError("root.readonly: Windows containers cannot be read-only")
    path = spec.root.path
    if not path:
        return windows.layer_folders[-1] if windows.layer_folders else None
    if path.startswith("\\\\?\\"):
        if not _VOLUME.fullmatch(path):
            raise ValueError(
                f"root.path: expected a volume \\\\?\\Volume{{GUID}}\\, got {path!r}"
            )
        return path if path.endswith("\\") else path + "\\"
    return path


def _directories(spec: Spec, options: WindowsOptions) -> list[MappedDirectory]:
    found = []
    for index, mount in enumerate(spec.mounts):
        if mount.type not in (None, "", "bind", *_DISK_TYPES):
            raise ValueError(
                f"mounts[{index}].type: expected bind or a kind of disk, "
                f"got {mount.type!r}"
            )
        if not mount.source or not mount.destination:
            raise ValueError(f"mounts[{index}]: expected a source and a destination")
        if _pipe(mount) is not None:
            continue
        read_only = any(option.lower() == "ro" for option in mount.options)
        found.append(
            MappedDirectory(
                host_path=_host_path(mount, index, options, read_only=read_only),
                container_path=mount.destination,
                read_only=read_only,
            )
        )
    return found


def _host_path(
    mount: Mount, index: int, options: WindowsOptions, *, read_only: bool
) -> str:
    source = mount.source or ""
    if not options.hosting_system_id:
        if mount.type in _DISK_TYPES or source.startswith((VM_PREFIX, SANDBOX_PREFIX)):
            raise ValueError(
                f"mounts[{index}]: {mount.type or source!r} needs a utility VM"
            )
        # HCS does not follow symbolic links to files by itself.
        return os.path.realpath(source) if os.path.isabs(source) else source  # noqa: PTH117 - text stays text
    if source.startswith(SANDBOX_PREFIX):
        return f"{SANDBOX_MOUNTS}\\{source.removeprefix(SANDBOX_PREFIX).strip('/')}"
    if source.startswith(VM_PREFIX):
        return source.removeprefix(VM_PREFIX)
    if options.guest_path is None:
        raise ValueError(f"mounts[{index}].source: the VM does not see {source!r}")
    return options.guest_path(source, read_only)


def _pipe(mount: Mount) -> MappedPipe | None:
    """A pipe of the host under a pipe's name inside is mapped as such."""
    source, target = mount.source or "", mount.destination or ""
    if source.startswith(PIPE_PREFIX) and target.startswith(PIPE_PREFIX):
        name = target.removeprefix(PIPE_PREFIX)
        return MappedPipe(host_path=source, container_pipe_name=name)
    return None


def _with_limits(
    config: ContainerConfig, spec: Spec, options: WindowsOptions
) -> ContainerConfig:
    hosted = bool(options.hosting_system_id)
    most = options.vm_processors if hosted else options.processors
    processor = limits.container_processors(spec, most)
    maximum = processor.maximum
    if hosted and options.scale_limits_to_vm and maximum > 0:
        maximum = limits.rescaled(maximum, options.processors, options.vm_processors)
    iops = limits.storage_iops(spec, keys.CONTAINER_STORAGE_QOS_IOPS_MAXIMUM)
    bandwidth = limits.storage_bandwidth(
        spec, keys.CONTAINER_STORAGE_QOS_BANDWIDTH_MAXIMUM
    )
    memory = limits.memory_in_mb(spec, keys.CONTAINER_MEMORY_SIZE_IN_MB)
    return attrs.evolve(
        config,
        processor_count=processor.count or None,
        processor_maximum=maximum or None,
        processor_weight=processor.weight or None,
        memory_in_mb=memory or None,
        storage_iops=iops or None,
        storage_bandwidth=bandwidth or None,
    )


def _with_network(config: ContainerConfig, windows: Windows) -> ContainerConfig:
    network = windows.network
    if network is None:
        return config
    return attrs.evolve(
        config,
        allow_unqualified_dns=bool(network.allow_unqualified_dns_query),
        dns_search=network.dns_search_list,
        network_shared_with=network.network_shared_container_name,
    )


def _with_v1(config: ContainerConfig, spec: Spec, windows: Windows) -> ContainerConfig:
    """Add what only schema 1 can say."""
    config = attrs.evolve(
        config,
        credential_spec=credential_spec(spec) or None,
        endpoints=windows.network.endpoint_list if windows.network else (),
        servicing=bool(windows.servicing),
    )
    if windows.hyperv is None:
        return config
    if not windows.hyperv.utility_vm_path:
        raise ValueError("windows.hyperv.utilityVMPath: expected the VM's folder")
    return attrs.evolve(
        config,
        utility_vm_image=windows.hyperv.utility_vm_path,
        scratch=windows.layer_folders[-1] if windows.layer_folders else None,
    )


def _with_v2(
    config: ContainerConfig, spec: Spec, container_id: str, options: WindowsOptions
) -> ContainerConfig:
    """Add what only schema 2 can say."""
    network = None if spec.windows is None else spec.windows.network
    namespace = options.network_namespace
    if network is not None and not namespace:
        namespace = network.network_namespace or ""
    host_process = is_host_process(spec)
    root = text_value(spec.annotations, keys.HOST_PROCESS_ROOTFS_LOCATION)
    values = container_values(spec.annotations, container_id, options.dump_location)
    return attrs.evolve(
        config,
        network_namespace=namespace or None,
        credential_guard=options.credential_guard,
        devices=_devices(spec),
        device_namespace=device_namespace(spec.annotations, options.build),
        registry_changes=RegistryChanges(add_values=values),
        hosting_system_id=options.hosting_system_id or None,
        host_process=host_process,
        host_process_root=(root or None) if host_process else None,
    )


def _devices(spec: Spec) -> tuple[Device, ...]:
    devices: list[Device] = []
    for index, device in enumerate(spec.windows.devices if spec.windows else ()):
        if device.id_type in ("class", "vpci-class-guid"):
            devices.append(Device(interface_class_guid=device.id))
        elif device.id_type == "vpci-location-path":
            devices.append(
                Device(type=DeviceType.DEVICE_INSTANCE, location_path=device.id)
            )
        else:
            raise ValueError(
                f"windows.devices[{index}].idType: expected class, vpci-class-guid or "
                f"vpci-location-path, got {device.id_type!r}"
            )
    return tuple(devices)
