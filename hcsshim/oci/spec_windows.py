"""The ``windows`` section of a runtime specification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.documents._document import Document, wire

if TYPE_CHECKING:
    from hcsshim.documents._document import JSON


@attrs.frozen(kw_only=True, repr=False)
class Windows(Document):
    """
    What only containers of Windows have.

    Attributes:
        layer_folders: Layers, the newest first, at the end the scratch layer.
        devices: Devices of the host.
        resources: Limits.
        credential_spec: Credential specification of a group-managed account;
            masked in ``repr``.
        servicing: Start to install updates.
        ignore_flushes_during_boot: Do not wait for the disk until it has
            booted.
        hyperv: Isolate it by a hypervisor.
        network: Its network.

    Source:
        ``windows``
    """

    layer_folders: tuple[str, ...] = attrs.field(
        default=(), metadata=wire("layerFolders", emit="always")
    )
    devices: tuple[WindowsDevice, ...] = attrs.field(
        default=(), metadata=wire("devices")
    )
    resources: WindowsResources | None = attrs.field(
        default=None, metadata=wire("resources")
    )
    credential_spec: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("credentialSpec", secret=True)
    )
    servicing: bool | None = attrs.field(default=None, metadata=wire("servicing"))
    ignore_flushes_during_boot: bool | None = attrs.field(
        default=None, metadata=wire("ignoreFlushesDuringBoot")
    )
    hyperv: HyperV | None = attrs.field(
        default=None, metadata=wire("hyperv", emit="nonnull")
    )
    network: WindowsNetwork | None = attrs.field(default=None, metadata=wire("network"))


@attrs.frozen(kw_only=True, repr=False)
class WindowsDevice(Document):
    """
    A device of the host.

    Attributes:
        id: GUID or path, as the type says.
        id_type: ``class``, ``vpci-class-guid``, ``vpci-location-path``, ...

    Source:
        ``windows.devices``
    """

    id: str | None = attrs.field(default=None, metadata=wire("id", emit="always"))
    id_type: str | None = attrs.field(
        default=None, metadata=wire("idType", emit="always")
    )


@attrs.frozen(kw_only=True, repr=False)
class WindowsMemory(Document):
    """
    Limit of memory.

    Attributes:
        limit: Bytes.

    Source:
        ``windows.resources.memory``
    """

    limit: int | None = attrs.field(default=None, metadata=wire("limit"))


@attrs.frozen(kw_only=True, repr=False)
class WindowsCpu(Document):
    """
    Limits of processor time; at most one may be set.

    Attributes:
        count: Number of processors.
        shares: Weight against other containers, 1 to 10000.
        maximum: Share of all processors, out of 10000.
        affinity: Processors it may use.

    Source:
        ``windows.resources.cpu``
    """

    count: int | None = attrs.field(default=None, metadata=wire("count"))
    shares: int | None = attrs.field(default=None, metadata=wire("shares"))
    maximum: int | None = attrs.field(default=None, metadata=wire("maximum"))
    affinity: tuple[WindowsCpuAffinity, ...] = attrs.field(
        default=(), metadata=wire("affinity")
    )


@attrs.frozen(kw_only=True, repr=False)
class WindowsCpuAffinity(Document):
    """
    Processors of one group.

    Attributes:
        mask: A bit for each processor.
        group: Number of the group.

    Source:
        ``windows.resources.cpu.affinity``
    """

    mask: int | None = attrs.field(default=None, metadata=wire("mask", emit="always"))
    group: int | None = attrs.field(default=None, metadata=wire("group"))


@attrs.frozen(kw_only=True, repr=False)
class WindowsStorage(Document):
    """
    Limits of the disk.

    Attributes:
        iops: Operations per second.
        bps: Bytes per second.
        sandbox_size: Size of the scratch layer in bytes.

    Source:
        ``windows.resources.storage``
    """

    iops: int | None = attrs.field(default=None, metadata=wire("iops"))
    bps: int | None = attrs.field(default=None, metadata=wire("bps"))
    sandbox_size: int | None = attrs.field(default=None, metadata=wire("sandboxSize"))


@attrs.frozen(kw_only=True, repr=False)
class WindowsResources(Document):
    """
    Limits of containers of Windows.

    Attributes:
        memory: Limit of memory.
        cpu: Limits of processor time.
        storage: Limits of the disk.

    Source:
        ``windows.resources``
    """

    memory: WindowsMemory | None = attrs.field(default=None, metadata=wire("memory"))
    cpu: WindowsCpu | None = attrs.field(default=None, metadata=wire("cpu"))
    storage: WindowsStorage | None = attrs.field(default=None, metadata=wire("storage"))


@attrs.frozen(kw_only=True, repr=False)
class HyperV(Document):
    """
    Isolation by a hypervisor.

    Attributes:
        utility_vm_path: Folder of the utility VM's image; else it is looked for
            in the layers.

    Source:
        ``windows.hyperv``
    """

    utility_vm_path: str | None = attrs.field(
        default=None, metadata=wire("utilityVMPath")
    )


@attrs.frozen(kw_only=True, repr=False)
class WindowsNetwork(Document):
    """
    The network of a container of Windows.

    Attributes:
        endpoint_list: Ids of its endpoints.
        allow_unqualified_dns_query: Resolve names of one label.
        dns_search_list: Domains to search.
        network_shared_container_name: Container whose network it shares.
        network_namespace: Id of its namespace.

    Source:
        ``windows.network``
    """

    endpoint_list: tuple[str, ...] = attrs.field(
        default=(), metadata=wire("endpointList")
    )
    allow_unqualified_dns_query: bool | None = attrs.field(
        default=None, metadata=wire("allowUnqualifiedDNSQuery")
    )
    dns_search_list: tuple[str, ...] = attrs.field(
        default=(), metadata=wire("DNSSearchList")
    )
    network_shared_container_name: str | None = attrs.field(
        default=None, metadata=wire("networkSharedContainerName")
    )
    network_namespace: str | None = attrs.field(
        default=None, metadata=wire("networkNamespace")
    )
