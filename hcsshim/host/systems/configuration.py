"""
Create documents: v1 ``ContainerConfig`` and v2 ``ComputeSystem``, to one value.

Source:
    HCS schema types of these names. ``EmbeddedHost`` is our extension: with
    ``{"Isolation": "None"}`` processes run straight on the machine; with
    ``"Namespaces"`` there is no system whose processes see more than its layers, which
    Windows gives without saying so; ``Root`` is ``Layered`` by default, ``InPlace`` for
    a single layer that takes what is written, or ``ReadOnly``.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from pathlib import Path

import attrs

from hcsshim.host.fields import Fields
from hcsshim.host.paths import container_path, machine_directory, machine_path
from hcsshim.host.played import knows_schema
from hcsshim.host.results import refuse, refuse_virtual_machine
from hcsshim.host.silos.port import Limits, MappedDirectory, Root
from hcsshim.hresult import HResult

_MEGABYTE = 1024 * 1024
#: ``Processor.Maximum`` and ``Weight`` count up to this: 10000 is all processors.
_PROCESSOR_MOST = 10000
_LONGEST_HOST_NAME = 63
_USUAL_HOST_NAME = 12
#: Characters of the longest document whose meaning is remembered, and how many are.
#: Clients that make many systems make them of few documents.
_LONGEST_KEPT = 4096
_KEPT = 16

_SYSTEM = (
    "Owner",
    "SchemaVersion",
    "HostingSystemId",
    "HostedSystem",
    "Container",
    "VirtualMachine",
    "ShouldTerminateOnLastHandleClosed",
    "EmbeddedHost",
)
_CONTAINER = (
    "GuestOs",
    "Storage",
    "MappedDirectories",
    "MappedPipes",
    "Memory",
    "Processor",
    "Networking",
    "HvSocket",
    "ContainerCredentialGuard",
    "RegistryChanges",
    "AssignedDevices",
    "AdditionalDeviceNamespace",
    "IsolationType",
)
_ROOTS = {
    "Layered": Root.LAYERED,
    "InPlace": Root.IN_PLACE,
    "ReadOnly": Root.READ_ONLY,
}
_ISOLATED = "Namespaces"
#: What a container of this host cannot have; accepting it would be a lie.
_NOT_HERE = ("MappedPipes", "AssignedDevices", "ContainerCredentialGuard")


@attrs.frozen(kw_only=True)
class Networking:
    """
    What a system's document says of its network.

    Args:
        namespace: Id of a namespace; ``""`` for none.
        endpoints: Ids of endpoints.
        shared: Id of the system whose network it shares; ``""`` for none.
        search: Domains to search for names, before those of the endpoints.
    """

    namespace: str = ""
    endpoints: tuple[str, ...] = ()
    shared: str = ""
    search: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.namespace or self.endpoints or self.shared)


@attrs.frozen(kw_only=True)
class Configuration:
    """
    What a system is made from.

    Args:
        owner: Free text of the client's.
        name: v1's; else empty.
        hostname: That processes see; empty for the usual one.
        layers: Topmost first.
        scratch: Folder for what is written, or ``None``.
        root: What becomes of writes.
        mapped_directories: In order.
        limits: Of all processes together.
        isolated: False only if the document says so.
        demanding: True only if the document asks for isolation by name.
        terminate_on_last_close: ``ShouldTerminateOnLastHandleClosed``.
        networking: What it is attached to when it starts.
    """

    owner: str = ""
    name: str = ""
    hostname: str = ""
    layers: tuple[Path, ...] = ()
    scratch: Path | None = None
    root: Root = Root.LAYERED
    mapped_directories: tuple[MappedDirectory, ...] = ()
    limits: Limits = attrs.field(factory=Limits)
    isolated: bool = True
    demanding: bool = False
    terminate_on_last_close: bool = False
    networking: Networking = attrs.field(factory=Networking)


def read_configuration(system_id: str, text: str | None) -> Configuration:
    """
    Read a create document of either generation.

    Raises:
        Refusal: It is malformed, names what is not there, or needs what this host
            has not.
    """
    short = text is not None and len(text) <= _LONGEST_KEPT
    configuration = _read_kept(text) if short else _read(text)
    if configuration is None:
        raise refuse_virtual_machine(system_id)
    for layer in configuration.layers:
        machine_directory(str(layer), "layer")
    if configuration.scratch is not None:
        machine_directory(str(configuration.scratch), "scratch folder")
    for directory in configuration.mapped_directories:
        machine_path(str(directory.source), "mapped directory")
    return configuration


def _read(text: str | None) -> Configuration | None:
    """Read what the text alone says; ``None`` if it wants a virtual machine."""
    document = Fields.parse(text)
    version = document.child("SchemaVersion")
    major = version.number("Major", most=0xFFFFFFFF) or 0
    minor = version.number("Minor", most=0xFFFFFFFF) or 0
    if "SchemaVersion" not in document or major == 1:
        return _read_v1(document)
    if not knows_schema(major, 0):
        version.refuse("Major")
    if not knows_schema(major, minor):
        version.refuse("Minor")
    return _read_v2(document)


_read_kept = functools.lru_cache(maxsize=_KEPT)(_read)


def _read_v2(document: Fields) -> Configuration | None:
    document.only(_SYSTEM)
    if "VirtualMachine" in document:
        return None
    if "HostedSystem" in document or document.text("HostingSystemId"):
        return None
    if "Container" not in document:
        document.refuse("Container", "Missing field")
    container = document.child("Container")
    container.only(_CONTAINER)
    for name in _NOT_HERE:
        if container.value(name):
            raise refuse(
                HResult.ERROR_NOT_SUPPORTED,
                f"The embedded host has no support for '{container.path_of(name)}'.",
            )
    if container.text("IsolationType"):
        raise refuse(
            HResult.ERROR_NOT_SUPPORTED,
            "The embedded host runs no containers of the host's own processes.",
        )
    storage = container.child("Storage")
    storage.only(("Layers", "Path", "QoS", "PrivilegedContainerRootPath"))
    guest = container.child("GuestOs")
    guest.only(("HostName",))
    return Configuration(
        owner=document.text("Owner"),
        hostname=_host_name(guest),
        layers=_layers(storage),
        scratch=_scratch(storage.text("Path")),
        root=_root(document, storage),
        mapped_directories=_mapped_directories(container),
        limits=Limits(
            memory_bytes=read_memory(container.child("Memory")),
            cpus=read_cpus(container.child("Processor")),
            cpu_weight=read_weight(container.child("Processor")),
        ),
        isolated=_isolated(document),
        demanding=document.child("EmbeddedHost").text("Isolation") == _ISOLATED,
        terminate_on_last_close=document.flag("ShouldTerminateOnLastHandleClosed"),
        networking=_networking(container.child("Networking")),
    )


def _read_v1(document: Fields) -> Configuration | None:
    """
    Read a v1 document.

    HCS never minded unknown fields there, and clients send many that mean nothing
    any more.
    """
    if document.flag("HvPartition") or "HvRuntime" in document:
        return None
    kind = document.text("SystemType")
    if kind.lower() != "container":
        if kind.lower() == "virtualmachine":
            return None
        document.refuse("SystemType", "Invalid value for field")
    for name in ("MappedPipes", "MappedVirtualDisks", "AssignedDevices"):
        if document.value(name):
            raise refuse(
                HResult.ERROR_NOT_SUPPORTED,
                f"The embedded host has no support for '{name}'.",
            )
    megabytes = document.number("MemoryMaximumInMB")
    count = document.number("ProcessorCount", most=0xFFFFFFFF)
    maximum = document.number("ProcessorMaximum", most=_PROCESSOR_MOST)
    return Configuration(
        owner=document.text("Owner"),
        name=document.text("Name"),
        hostname=_host_name(document),
        layers=_layers(document),
        scratch=_scratch(
            document.text("LayerFolderPath") or document.text("VolumePath")
        ),
        mapped_directories=_mapped_directories(document),
        limits=Limits(
            memory_bytes=megabytes * _MEGABYTE if megabytes else None,
            cpus=_cpus(count, maximum),
            cpu_weight=_weight(document.number("ProcessorWeight", most=10000)),
        ),
        isolated=_isolated(document),
        demanding=document.child("EmbeddedHost").text("Isolation") == _ISOLATED,
        terminate_on_last_close=document.flag("TerminateOnLastHandleClosed"),
        networking=Networking(
            endpoints=document.texts("EndpointList"),
            shared=document.text("NetworkSharedContainerName"),
        ),
    )


def _networking(fields: Fields) -> Networking:
    fields.only(
        (
            *("AllowUnqualifiedDnsQuery", "DnsSearchList", "NetworkAdapters"),
            *("NetworkSharedContainerName", "Namespace"),
        )
    )
    search = fields.text("DnsSearchList").split(",")
    return Networking(
        namespace=fields.text("Namespace"),
        endpoints=fields.texts("NetworkAdapters"),
        shared=fields.text("NetworkSharedContainerName"),
        search=tuple(filter(None, map(str.strip, search))),
    )


def _root(document: Fields, storage: Fields) -> Root:
    extension = document.child("EmbeddedHost")
    root = _ROOTS.get(extension.text("Root", "Layered"))
    if root is None:
        extension.refuse("Root")
    in_place = root is Root.IN_PLACE
    if root is not Root.LAYERED and (
        sys.platform == "win32" or not _isolated(document)
    ):
        extension.refuse("Root")  # only a root of one's own can be another
    if in_place and (len(storage.children("Layers")) != 1 or storage.text("Path")):
        extension.refuse("Root")
    return root


def _isolated(document: Fields) -> bool:
    extension = document.child("EmbeddedHost")
    extension.only(("Isolation", "Root"))
    isolation = extension.text("Isolation", _ISOLATED)
    if isolation not in (_ISOLATED, "None"):
        extension.refuse("Isolation")
    return isolation != "None"


def _host_name(fields: Fields) -> str:
    name = fields.text("HostName")
    if len(name) > _LONGEST_HOST_NAME:
        fields.refuse("HostName")
    return name


def usual_host_name(system_id: str) -> str:
    """Give the host name of a system whose document has none: as runtimes do."""
    label = re.sub(r"[^A-Za-z0-9-]+", "-", system_id)[:_USUAL_HOST_NAME].strip("-")
    return label or "container"


def _layers(fields: Fields) -> tuple[Path, ...]:
    layers = []
    for layer in fields.children("Layers"):
        path = layer.text("Path")
        if not path:
            layer.refuse("Path", "Missing field")
        layers.append(Path(path))
    return tuple(layers)


def _scratch(path: str) -> Path | None:
    return Path(path) if path else None


def _mapped_directories(fields: Fields) -> tuple[MappedDirectory, ...]:
    return tuple(
        _mapped_directory(item) for item in fields.children("MappedDirectories")
    )


def read_mapped_directory(fields: Fields) -> MappedDirectory:
    """
    Read a directory that a container shall see.

    Raises:
        Refusal: The directory is not there.
    """
    directory = _mapped_directory(fields)
    machine_path(str(directory.source), "mapped directory")
    return directory


def _mapped_directory(fields: Fields) -> MappedDirectory:
    for name in ("HostPath", "ContainerPath"):
        if not fields.text(name):
            fields.refuse(name, "Missing field")
    if fields.text("HostPathType", "AbsolutePath") not in ("AbsolutePath", ""):
        fields.refuse("HostPathType")
    return MappedDirectory(
        source=Path(fields.text("HostPath")),
        target=container_path(fields.text("ContainerPath")),
        read_only=fields.flag("ReadOnly"),
    )


def read_memory(memory: Fields) -> int | None:
    """Read ``Container.Memory``, to bytes; 0 is no limit."""
    memory.only(("SizeInMB",))
    megabytes = memory.number("SizeInMB", most=2**40)
    return megabytes * _MEGABYTE if megabytes else None


def read_cpus(processor: Fields) -> float | None:
    """Read the ceiling of ``Container.Processor``, to processors."""
    processor.only(("Count", "Maximum", "Weight", "Limit"))
    count = processor.number("Count", most=0x7FFFFFFF)
    maximum = processor.number("Maximum", most=_PROCESSOR_MOST)
    if maximum is None:  # the name that newer schemas have for it
        maximum = processor.number("Limit", most=_PROCESSOR_MOST)
    return _cpus(count, maximum)


def read_weight(processor: Fields) -> int | None:
    """Read the share of ``Container.Processor``, to what cgroups call weight."""
    return _weight(processor.number("Weight", most=_PROCESSOR_MOST))


def _cpus(count: int | None, maximum: int | None) -> float | None:
    """``maximum`` is a share of the machine in 1/10000; the smaller limit holds."""
    limits = []
    if count:
        limits.append(float(count))
    if maximum:
        limits.append(maximum / _PROCESSOR_MOST * (os.cpu_count() or 1))
    return min(limits) if limits else None


def _weight(weight: int | None) -> int | None:
    """Both scales have 100 as their usual value and 10000 as their end."""
    return weight or None
