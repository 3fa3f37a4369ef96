"""
From Python's way to say what a container is to the documents of HCS.

One description renders schema 1 and schema 2: what a service understands decides.
"""

from __future__ import annotations

import os

import attrs

from hcsshim.hcs._calls import write
from hcsshim.hcs._schema import V1_0, V2_1

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from hcsshim.documents import (
        ComputeSystem,
        ContainerCredentialGuardState,
        ContainerDefinitionDevice,
        Device,
        Layer,
        MappedDirectory,
        MappedPipe,
        RegistryChanges,
        v1,
    )
    from hcsshim.hcs._schema import Schema

    StrPath: TypeAlias = str | os.PathLike[str]

    #: A directory of the host in the container: source and target, a third item
    #: that is true makes it read-only; or the document's own model.
    Mount: TypeAlias = tuple[StrPath, str] | tuple[StrPath, str, bool] | MappedDirectory

    #: A named pipe of the host in the container: path and name inside.
    Pipe: TypeAlias = tuple[str, str] | MappedPipe

#: The whole machine, in the unit of a container's share of its processors.
_ALL_PROCESSORS = 10_000

_PROCESSOR_LIMITS = ("cpus", "processor_count", "processor_maximum", "processor_weight")

#: What schema 1 has no member for.
_ONLY_V2 = (
    "network_namespace",
    "credential_guard",
    "device_namespace",
    "registry_changes",
    "host_process",
    "host_process_root",
    "hosting_system_id",
)
#: What schema 2 has no member for.
_ONLY_V1 = ("servicing", "scratch_size", "utility_vm_image", "credential_spec")


def _positive(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{attribute.name} must be positive, got {value!r}")


def _share(_: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and not 1 <= value <= _ALL_PROCESSORS:
        raise ValueError(
            f"{attribute.name} must be 1 to {_ALL_PROCESSORS}, got {value!r}"
        )


@attrs.frozen(kw_only=True)
class ContainerConfig:
    r"""
    What a container is made of, in any schema.

    :meth:`document` renders it; what a schema cannot say is refused, not dropped.

    Args:
        layers: Directories of its file system, topmost first, as HCS orders them.
        scratch: Directory for what it writes; for a Windows container its volume
            path, ``\\?\Volume{GUID}\``. By default the provider's choice.
        hostname: By default the provider's choice.
        mounts: Directories of the host that it sees.
        pipes: Named pipes of the host that it sees.
        memory_in_mb: Limit; by default none.
        cpus: How many of this machine's processors' worth of time it may use.
        processor_count: Limit as a number of processors.
        processor_maximum: Limit as a share of all processors, out of 10000.
        processor_weight: Share against other containers, out of 10000. At most one
            of these four may be given.
        storage_iops: Limit of operations per second.
        storage_bandwidth: Limit of bytes per second.
        scratch_size: Size of the scratch layer in bytes; schema 1 only.
        network_namespace: Id of its HCN namespace; schema 2 only.
        endpoints: Ids of its endpoints.
        network_shared_with: Id of the container whose network it shares.
        dns_search: Domains to search for names.
        allow_unqualified_dns: Resolve names of one label.
        credential_spec: Of a group-managed account, JSON as text; schema 1 only.
        credential_guard: The same for schema 2: what the credential guard's
            ``AddInstance`` answered.
        devices: Devices of the host; with schema 1 by interface class only.
        device_namespace: More devices for its namespace; schema 2 only.
        registry_changes: Before its first boot; schema 2 only.
        host_process: Whether its processes are the host's own; schema 2 only.
        host_process_root: Where such a container sees its files.
        utility_vm_image: Folder of a utility VM's image, to be isolated by a
            hypervisor; schema 1 only.
        hosting_system_id: Of the utility VM that it runs in; schema 2 only.
        servicing: Start to install updates, without network; schema 1 only.
        ignore_flushes_during_boot: Do not wait for the disk until it has booted;
            schema 2 says so where the disk is attached.
        owner: Whose it is, for ``enumerate_systems(owners=...)``.
        keep: Whether it lives on when nobody has it open.

    Raises:
        ValueError: A limit is not positive, or too many limit the processor.

    Source:
        ``ContainerConfig`` of schema 1; ``ComputeSystem`` and ``Container`` of 2.1.
    """

    layers: Sequence[StrPath | Layer] = ()
    scratch: StrPath | None = None
    hostname: str | None = None
    mounts: Sequence[Mount] = ()
    pipes: Sequence[Pipe] = ()
    memory_in_mb: int | None = attrs.field(default=None, validator=_positive)
    cpus: float | None = attrs.field(default=None, validator=_positive)
    processor_count: int | None = attrs.field(default=None, validator=_positive)
    processor_maximum: int | None = attrs.field(default=None, validator=_share)
    processor_weight: int | None = attrs.field(default=None, validator=_share)
    storage_iops: int | None = attrs.field(default=None, validator=_positive)
    storage_bandwidth: int | None = attrs.field(default=None, validator=_positive)
    scratch_size: int | None = attrs.field(default=None, validator=_positive)
    network_namespace: str | None = None
    endpoints: Sequence[str] = ()
    network_shared_with: str | None = None
    dns_search: Sequence[str] = ()
    allow_unqualified_dns: bool = False
    credential_spec: str | None = attrs.field(default=None, repr=False)
    credential_guard: ContainerCredentialGuardState | None = None
    devices: Sequence[Device] = ()
    device_namespace: ContainerDefinitionDevice | None = None
    registry_changes: RegistryChanges | None = None
    host_process: bool = False
    host_process_root: str | None = None
    utility_vm_image: StrPath | None = None
    hosting_system_id: str | None = None
    servicing: bool = False
    ignore_flushes_during_boot: bool = False
    owner: str = "hcsshim"
    keep: bool = False

    def __attrs_post_init__(self) -> None:
        given = [name for name in _PROCESSOR_LIMITS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} exclude each other")

    def document(
        self, schema: Schema = V2_1, system_id: str = ""
    ) -> ComputeSystem | v1.ContainerConfig:
        """
        Render the document that ``ComputeSystem.create`` takes.

        Args:
            schema: As ``schema_version()`` chose it.
            system_id: The container's id, which schema 1 repeats as its name.

        Returns:
            A typed document.

        Raises:
            ValueError: The schema has no way to say a part of this; the text names
                it.
        """
        from hcsshim.documents import ComputeSystem, loads, v1  # noqa: PLC0415

        text = self.render(schema, system_id)
        if schema > V1_0:
            return loads(ComputeSystem, text)
        return loads(v1.ContainerConfig, text)

    def render(self, schema: Schema = V2_1, system_id: str = "") -> str:
        """Render as :meth:`document` does, to JSON text, without loading models."""
        if schema > V1_0:
            return write(self._v2(schema))
        return write(self._v1(system_id))

    def container(self) -> dict[str, object]:
        """Render the ``Container`` of schema 2, as JSON values and models."""
        self._refuse(_ONLY_V1, "schema 2")
        storage = _filled(
            Layers=[_layer(layer) for layer in self.layers],
            Path=None if self.scratch is None else os.fspath(self.scratch),
            QoS=_filled(
                IopsMaximum=self.storage_iops, BandwidthMaximum=self.storage_bandwidth
            ),
            PrivilegedContainerRootPath=self.host_process_root,
        )
        return _filled(
            GuestOs=_filled(HostName=self.hostname),
            Storage=storage,
            MappedDirectories=[_mount(mount) for mount in self.mounts],
            MappedPipes=[_pipe(pipe) for pipe in self.pipes],
            Memory=_filled(SizeInMB=self.memory_in_mb),
            Processor=_filled(
                Count=self.processor_count,
                Maximum=self._maximum(),
                Weight=self.processor_weight,
            ),
            Networking=_filled(
                AllowUnqualifiedDnsQuery=self.allow_unqualified_dns,
                DnsSearchList=",".join(self.dns_search),
                NetworkSharedContainerName=self.network_shared_with,
                Namespace=self.network_namespace,
                NetworkAdapters=list(self.endpoints),
            ),
            ContainerCredentialGuard=self.credential_guard,
            RegistryChanges=self.registry_changes,
            AssignedDevices=list(self.devices),
            AdditionalDeviceNamespace=self.device_namespace,
            IsolationType="HostProcess" if self.host_process else None,
        )

    def _v2(self, schema: Schema) -> dict[str, object]:
        version = {"Major": schema[0], "Minor": schema[1]}
        document: dict[str, object] = {
            "Owner": self.owner,
            "SchemaVersion": version,
            "ShouldTerminateOnLastHandleClosed": not self.keep,
        }
        if self.hosting_system_id is None:
            return {**document, "Container": self.container()}
        hosted = {"SchemaVersion": version, "Container": self.container()}
        return {
            **document,
            "HostingSystemId": self.hosting_system_id,
            "HostedSystem": hosted,
        }

    def _v1(self, system_id: str) -> dict[str, object]:
        self._refuse(_ONLY_V2, "schema 1")
        isolated = self.utility_vm_image is not None
        scratch = None if self.scratch is None else os.fspath(self.scratch)
        is_volume = scratch is not None and scratch.startswith("\\\\?\\Volume")
        return {
            "SystemType": "Container",
            "Name": system_id,
            "Layers": [_layer(layer, id_name="ID") for layer in self.layers],
            "HvPartition": isolated,
            **_filled(
                Owner=self.owner,
                VolumePath=scratch.rstrip("\\") if scratch and is_volume else None,
                LayerFolderPath=None if is_volume else scratch,
                IgnoreFlushesDuringBoot=self.ignore_flushes_during_boot,
                Credentials=self.credential_spec,
                ProcessorCount=self.processor_count,
                ProcessorWeight=self.processor_weight,
                ProcessorMaximum=self._maximum(),
                StorageIOPSMaximum=self.storage_iops,
                StorageBandwidthMaximum=self.storage_bandwidth,
                StorageSandboxSize=self.scratch_size,
                MemoryMaximumInMB=self.memory_in_mb,
                HostName=self.hostname,
                MappedDirectories=[_v1_mount(mount) for mount in self.mounts],
                MappedPipes=[_pipe(pipe) for pipe in self.pipes],
                NetworkSharedContainerName=self.network_shared_with,
                EndpointList=list(self.endpoints),
                HvRuntime=self._hypervisor(),
                Servicing=self.servicing,
                AllowUnqualifiedDNSQuery=self.allow_unqualified_dns,
                DNSSearchList=",".join(self.dns_search),
                TerminateOnLastHandleClosed=not self.keep,
                AssignedDevices=[_v1_device(device) for device in self.devices],
            ),
        }

    def _hypervisor(self) -> dict[str, object]:
        if self.utility_vm_image is None:
            return {}
        return {"ImagePath": os.fspath(self.utility_vm_image)}

    def _maximum(self) -> int | None:
        if self.cpus is None:
            return self.processor_maximum
        share = self.cpus / (os.cpu_count() or 1) * _ALL_PROCESSORS
        return max(1, min(_ALL_PROCESSORS, round(share)))

    def _refuse(self, names: Sequence[str], schema: str) -> None:
        for name in names:
            if getattr(self, name):
                raise ValueError(f"{schema} has no way to say {name}")


def container_document(  # noqa: PLR0913 - what a container is usually given
    *,
    layers: Sequence[StrPath | Layer] = (),
    scratch: StrPath | None = None,
    hostname: str | None = None,
    mounts: Sequence[Mount] = (),
    memory_in_mb: int | None = None,
    cpus: float | None = None,
    owner: str = "hcsshim",
    keep: bool = False,
) -> str:
    """
    Write the document of a container, to be given to ``ComputeSystem.create``.

    This is :class:`ContainerConfig`, rendered for schema 2.1 at once; the arguments
    are its own.

    Args:
        layers: Directories of its file system, topmost first, as HCS orders them.
        scratch: Directory for what it writes; by default the provider's choice.
        hostname: By default the provider's choice.
        mounts: Directories of the host that it sees.
        memory_in_mb: Limit; by default none.
        cpus: How many processors' worth of time it may use; by default no limit.
        owner: Whose it is, for ``enumerate_systems(owners=...)``.
        keep: Whether it lives on when nobody has it open.

    Raises:
        ValueError: A limit is not positive.

    Source:
        ``ComputeSystem`` and ``Container`` of the HCS schema, 2.1.
    """
    config = ContainerConfig(
        layers=layers,
        scratch=scratch,
        hostname=hostname,
        mounts=mounts,
        memory_in_mb=memory_in_mb,
        cpus=cpus,
        owner=owner,
        keep=keep,
    )
    return config.render()


def _filled(**members: object) -> dict[str, object]:
    """Leave out what is not said."""
    return {name: value for name, value in members.items() if value}


def layer_id(path: str) -> str:
    """Give a layer's folder an id: any stable one will do, to tell layers apart."""
    from uuid import NAMESPACE_URL, uuid5  # noqa: PLC0415 - keeps the import light

    return str(uuid5(NAMESPACE_URL, path))


def _layer(layer: StrPath | Layer, id_name: str = "Id") -> object:
    if isinstance(layer, (str, os.PathLike)):
        path = _absolute(layer)
        return {id_name: layer_id(path), "Path": path}
    if id_name == "Id":
        return layer
    return {id_name: layer.id, "Path": layer.path}


def _mount(mount: Mount) -> object:
    if not isinstance(mount, tuple):
        return mount
    source, target, *read_only = mount
    return {
        "HostPath": _absolute(source),
        "ContainerPath": target,
        "ReadOnly": bool(read_only and read_only[0]),
    }


def _v1_mount(mount: Mount) -> object:
    if isinstance(mount, tuple):
        return _mount(mount)
    return {
        "HostPath": mount.host_path,
        "ContainerPath": mount.container_path,
        "ReadOnly": bool(mount.read_only),
    }


def _pipe(pipe: Pipe) -> object:
    if not isinstance(pipe, tuple):
        return pipe
    return {"HostPath": pipe[0], "ContainerPipeName": pipe[1]}


def _v1_device(device: Device) -> object:
    if not device.interface_class_guid:
        raise ValueError("schema 1 has no way to say devices but by interface class")
    return {"InterfaceClassGuid": device.interface_class_guid}


def _absolute(path: StrPath) -> str:
    text = os.fspath(path)
    if text.startswith("\\\\") or text[1:3] in (":\\", ":/"):  # of Windows, anywhere
        return text
    return os.path.abspath(text)  # noqa: PTH100 - text stays text
