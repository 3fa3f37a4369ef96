"""What utility VMs are made from, before it becomes a document."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from hcsshim.documents import HvSocketServiceConfig, RegistryValue

KERNEL = "kernel"
UNCOMPRESSED_KERNEL = "vmlinux"
INITRD = "initrd.img"
ROOT_VHD = "rootfs.vhd"
GUEST_STATE = "kernel.vmgs"
REFERENCE_INFO = "reference_info.cose"
HASH_ENVELOPE = "reference_info_hash_envelope.cose"

#: Builds of Windows that brought something for utility VMs.
KERNEL_DIRECT_SINCE = 18286
MULTI_MAPPING_SINCE = 18362


def usual_processors() -> int:
    """Give the number of processors of a VM that asks for none."""
    return 1 if os.cpu_count() == 1 else 2


@attrs.frozen
class VmDevice:
    """
    A device of the host that a VM gets.

    Args:
        id: Its instance path.
        function: Number of the virtual function.
    """

    id: str
    function: int = 0


@attrs.frozen(kw_only=True)
class VmOptions:
    """
    What every utility VM is made from.

    Args:
        id: Of its compute system.
        owner: Whose it is.
        memory_in_mb: Even; see :attr:`assigned_memory_in_mb`.
        low_mmio_gap_in_mb: 0 is the host's choice, as in the next two.
        high_mmio_base_in_mb: Where memory of devices begins.
        high_mmio_gap_in_mb: How much there is.
        allow_overcommit: Its memory may be backed by the page file.
        fully_physically_backed: Its memory, and devices, may not.
        enable_deferred_commit: Commit memory late.
        processor_count: Number of virtual processors.
        processor_limit: Out of 100000; 0 is none.
        processor_weight: 0 is the usual one.
        storage_iops: Operations per second; 0 is no limit.
        storage_bandwidth: Bytes per second; 0 is no limit.
        cpu_group_id: CPU group, in small letters.
        resource_partition_id: Excludes a CPU group.
        network_config_proxy: Address of who sets its network up.
        process_dump_location: Folder inside for crash dumps of processes.
        dump_directory: Folder of the host for crash dumps of the VM.
        no_writable_file_shares: Refuse such shares.
        scsi_controllers: How many.
        hv_socket_services: By GUID.
        max_memory_per_numa_node: Implicit NUMA, in MB.
        max_processors_per_numa_node: Implicit NUMA.
        preferred_numa_nodes: Nodes of the host.
        numa_mapped_nodes: Explicit NUMA: the host's node of each of the VM's.
        numa_processor_counts: Explicit NUMA: processors of each node.
        numa_memory_blocks: Explicit NUMA: memory of each node.
        console_pipe: Named pipe of the serial console.
        security_policy: Of a confidential VM, base64.
        security_policy_enforcer: Who holds it.
        guest_state_file: Of a confidential VM.
        reference_info_file: Of a confidential VM.
        hash_envelope_file: Of a confidential VM.
    """

    id: str
    owner: str
    memory_in_mb: int = 1024
    low_mmio_gap_in_mb: int = 0
    high_mmio_base_in_mb: int = 0
    high_mmio_gap_in_mb: int = 0
    allow_overcommit: bool = True
    fully_physically_backed: bool = False
    enable_deferred_commit: bool = False
    processor_count: int = attrs.field(factory=usual_processors)
    processor_limit: int = 0
    processor_weight: int = 0
    storage_iops: int = 0
    storage_bandwidth: int = 0
    cpu_group_id: str = ""
    resource_partition_id: UUID | None = None
    network_config_proxy: str = ""
    process_dump_location: str = ""
    dump_directory: str = ""
    no_writable_file_shares: bool = False
    scsi_controllers: int = 1
    hv_socket_services: Mapping[str, HvSocketServiceConfig] = attrs.field(factory=dict)
    max_memory_per_numa_node: int = 0
    max_processors_per_numa_node: int = 0
    preferred_numa_nodes: tuple[int, ...] = ()
    numa_mapped_nodes: tuple[int, ...] = ()
    numa_processor_counts: tuple[int, ...] = ()
    numa_memory_blocks: tuple[int, ...] = ()
    console_pipe: str = ""
    security_policy: str = attrs.field(default="", repr=False)
    security_policy_enforcer: str = ""
    guest_state_file: str = ""
    reference_info_file: str = ""
    hash_envelope_file: str = ""

    @property
    def assigned_memory_in_mb(self) -> int:
        """The memory it gets: memory is assigned in blocks of 2 MB."""
        return self.memory_in_mb + self.memory_in_mb % 2

    @property
    def confidential(self) -> bool:
        """Whether a security policy holds in it."""
        return bool(self.security_policy)


@attrs.frozen(kw_only=True)
class LinuxVmOptions(VmOptions):
    """
    What a utility VM of Linux is made from.

    Args:
        boot_files: Folder of kernel and root; empty for the installed one.
        kernel_file: In that folder.
        kernel_direct: Boot the kernel without UEFI.
        root_file: In that folder; empty for none.
        root_type: ``initrd``, ``vhd``, or empty.
        kernel_options: More text for the kernel's command line.
        guest_command: What the guest runs.
        guest_arguments: More arguments for that.
        vpmem_count: Number of devices that hold layers; 0 puts layers on SCSI.
        vpmem_size: Bytes of each.
        vpmem_no_multi_mapping: One layer on each.
        enable_cold_discard_hint: Let the guest tell of memory it does not need.
        vpci_enabled: Let devices be added.
        scratch_encryption: Encrypt what containers write.
        disable_time_sync: Leave its clock alone.
        hcl_enabled: Hardware-compatibility layer; ``None`` is the host's choice.
        extra_vsock_ports: Ports that its guest may listen on.
        devices: Of the host.
        policy_based_routing: Route by source address.
        writable_overlay_dirs: Let the guest write in its own root.
        dm_verity: Boot with a verified root.
        dm_verity_root: That root.
        dm_verity_create_args: How it is verified.
    """

    boot_files: str = ""
    kernel_file: str = KERNEL
    kernel_direct: bool = True
    root_file: str = INITRD
    root_type: str = "initrd"
    kernel_options: str = ""
    guest_command: str = "/bin/gcs -v4 -log-format json -loglevel info"
    guest_arguments: str = ""
    vpmem_count: int = 64
    vpmem_size: int = 4 << 30
    vpmem_no_multi_mapping: bool = False
    enable_cold_discard_hint: bool = False
    vpci_enabled: bool = False
    scratch_encryption: bool = False
    disable_time_sync: bool = False
    hcl_enabled: bool | None = None
    extra_vsock_ports: tuple[int, ...] = ()
    devices: tuple[VmDevice, ...] = ()
    policy_based_routing: bool = False
    writable_overlay_dirs: bool = False
    dm_verity: bool = False
    dm_verity_root: str = ""
    dm_verity_create_args: str = ""
    reference_info_file: str = REFERENCE_INFO
    hash_envelope_file: str = HASH_ENVELOPE


@attrs.frozen(kw_only=True)
class WindowsVmOptions(VmOptions):
    """
    What a utility VM of Windows is made from.

    Args:
        boot_files: Folder of the boot files of a confidential VM.
        disable_compartment_namespace: No compartment for each network namespace.
        no_direct_map: Shares are not mapped into its memory.
        no_inherit_timezone: It keeps its own time zone.
        registry_values: Set before its first boot.
        writable_efi: Its EFI disk may be written.
        isolation_type: Of a confidential VM.
        disable_secure_boot: Of a confidential VM.
        debug_mode: Keep copies of its disks; confidential VMs only.
        debug_data_path: Where they are put.
        log_sources: ETW providers whose events are forwarded, base64 of JSON.
        log_forwarding: Forward events at all.
        default_log_sources: Forward the usual ones, too.
    """

    boot_files: str = ""
    disable_compartment_namespace: bool = False
    no_direct_map: bool = False
    no_inherit_timezone: bool = False
    registry_values: tuple[RegistryValue, ...] = ()
    writable_efi: bool = False
    isolation_type: str = ""
    disable_secure_boot: bool = False
    debug_mode: bool = False
    debug_data_path: str = ""
    log_sources: str = ""
    log_forwarding: bool = True
    default_log_sources: bool = True
