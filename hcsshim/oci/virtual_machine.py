"""Utility VMs: from a specification's annotations to what the VM is made from."""

from __future__ import annotations

import logging
import ntpath
from typing import TYPE_CHECKING

import attrs

from hcsshim.oci import annotation_keys as keys
from hcsshim.oci import limits, vm_options
from hcsshim.oci.annotation_values import (
    UINT32,
    UINT64,
    flag,
    guid,
    hv_socket_services,
    number,
    numbers,
    optional_flag,
    text_value,
)
from hcsshim.oci.kinds import is_isolated, is_linux
from hcsshim.oci.registry import annotated_values
from hcsshim.oci.vm_options import LinuxVmOptions, VmDevice, WindowsVmOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    from hcsshim.oci.spec import Spec

    V = TypeVar("V", LinuxVmOptions, WindowsVmOptions)

_log = logging.getLogger(__name__)

_VM_DEVICES = ("vpci", "vpci-instance-id", "gpu")
_SNP, _VBS, _GSO = (
    "SecureNestedPaging",
    "VirtualizationBasedSecurity",
    "GuestStateOnly",
)
_ISOLATION = {_SNP: _SNP, "SNP": _SNP, _VBS: _VBS, "VBS": _VBS, _GSO: _GSO}
_GUEST_STATES = {
    _SNP: "cwcow.snp.vmgs",
    _VBS: "cwcow.vbs.vmgs",
    _GSO: "cwcow.gso.vmgs",
}
#: Memory that a confidential VM of Windows has at least, in MB.
_LEAST_CONFIDENTIAL = 2048


@attrs.frozen(kw_only=True)
class RuntimeOptions:
    """
    What containerd's configuration says for all containers of a runtime.

    Args:
        boot_files_root_path: Folder of the boot files of utility VMs.
        vm_processor_count: 0 says nothing.
        vm_memory_size_in_mb: 0 says nothing.
        ncproxy_addr: Address of who sets networks up.
        default_container_annotations: For containers that have them not.

    Source:
        ``Options`` of ``containerd.runhcs.v1``.
    """

    boot_files_root_path: str = ""
    vm_processor_count: int = 0
    vm_memory_size_in_mb: int = 0
    ncproxy_addr: str = ""
    default_container_annotations: Mapping[str, str] = attrs.field(factory=dict)


def with_runtime_options(spec: Spec, options: RuntimeOptions) -> Spec:
    """Add annotations for a runtime's options; those that are there win."""
    given = {
        keys.BOOT_FILES_ROOT_PATH: options.boot_files_root_path,
        keys.PROCESSOR_COUNT: str(options.vm_processor_count or ""),
        keys.MEMORY_SIZE_IN_MB: str(options.vm_memory_size_in_mb or ""),
        keys.NETWORK_CONFIG_PROXY: options.ncproxy_addr,
    }
    annotations = dict(options.default_container_annotations)
    annotations |= {key: value for key, value in given.items() if value}
    return attrs.evolve(spec, annotations={**annotations, **spec.annotations})


def vm_options_for(
    spec: Spec, vm_id: str, owner: str, *, build: int = 20348
) -> LinuxVmOptions | WindowsVmOptions:
    """
    Say what the utility VM of an isolated container is made from.

    Args:
        spec: Of the container, or of its pod's sandbox.
        vm_id: Of the VM's compute system.
        owner: Whose it is.
        build: Of the host, which decides some defaults.

    Raises:
        ValueError: The container is not isolated, or its annotations contradict
            themselves.
    """
    if not is_isolated(spec):
        raise ValueError("the container is not isolated by a hypervisor")
    if is_linux(spec):
        linux = LinuxVmOptions(
            id=vm_id,
            owner=owner,
            kernel_direct=build >= vm_options.KERNEL_DIRECT_SINCE,
            vpmem_no_multi_mapping=build < vm_options.MULTI_MAPPING_SINCE,
        )
        return _linux(spec, _common(spec, linux))
    return _windows(spec, _common(spec, WindowsVmOptions(id=vm_id, owner=owner)))


def _common(spec: Spec, options: V) -> V:
    a = spec.annotations
    backed = flag(a, keys.FULLY_PHYSICALLY_BACKED)
    overcommit = flag(a, keys.ALLOW_OVERCOMMIT, default=options.allow_overcommit)
    return attrs.evolve(
        options,
        memory_in_mb=limits.memory_in_mb(
            spec, keys.MEMORY_SIZE_IN_MB, options.memory_in_mb
        ),
        low_mmio_gap_in_mb=number(a, keys.MEMORY_LOW_MMIO_GAP_IN_MB),
        high_mmio_base_in_mb=number(a, keys.MEMORY_HIGH_MMIO_BASE_IN_MB),
        high_mmio_gap_in_mb=number(a, keys.MEMORY_HIGH_MMIO_GAP_IN_MB),
        allow_overcommit=overcommit and not backed,
        fully_physically_backed=backed,
        enable_deferred_commit=flag(a, keys.ENABLE_DEFERRED_COMMIT),
        processor_count=limits.processor_count(
            spec, keys.PROCESSOR_COUNT, options.processor_count
        ),
        processor_limit=limits.processor_maximum(spec, keys.PROCESSOR_LIMIT),
        processor_weight=limits.processor_weight(spec, keys.PROCESSOR_WEIGHT),
        storage_iops=limits.storage_iops(spec, keys.STORAGE_QOS_IOPS_MAXIMUM),
        storage_bandwidth=limits.storage_bandwidth(
            spec, keys.STORAGE_QOS_BANDWIDTH_MAXIMUM
        ),
        cpu_group_id=text_value(a, keys.CPU_GROUP_ID).lower(),
        resource_partition_id=guid(a, keys.RESOURCE_PARTITION_ID),
        network_config_proxy=text_value(a, keys.NETWORK_CONFIG_PROXY),
        process_dump_location=text_value(a, keys.CONTAINER_PROCESS_DUMP_LOCATION),
        dump_directory=text_value(a, keys.DUMP_DIRECTORY_PATH),
        no_writable_file_shares=flag(a, keys.DISABLE_WRITABLE_FILE_SHARES),
        hv_socket_services=hv_socket_services(a),
        max_processors_per_numa_node=number(
            a, keys.NUMA_MAXIMUM_PROCESSORS_PER_NODE, bounds=UINT32
        ),
        max_memory_per_numa_node=number(a, keys.NUMA_MAXIMUM_MEMORY_SIZE_PER_NODE),
        preferred_numa_nodes=numbers(a, keys.NUMA_PREFERRED_PHYSICAL_NODES),
        numa_mapped_nodes=numbers(a, keys.NUMA_MAPPED_PHYSICAL_NODES),
        numa_processor_counts=numbers(a, keys.NUMA_COUNT_OF_PROCESSORS),
        numa_memory_blocks=numbers(a, keys.NUMA_COUNT_OF_MEMORY_BLOCKS, bounds=UINT64),
        console_pipe=text_value(a, keys.UVM_CONSOLE_PIPE),
    )


def _linux(spec: Spec, options: LinuxVmOptions) -> LinuxVmOptions:
    a = spec.annotations
    vpmem = number(a, keys.VPMEM_COUNT, options.vpmem_count, bounds=UINT32)
    options = attrs.evolve(
        options,
        boot_files=text_value(a, keys.BOOT_FILES_ROOT_PATH),
        kernel_direct=flag(a, keys.KERNEL_DIRECT_BOOT, default=options.kernel_direct),
        kernel_options=text_value(a, keys.KERNEL_BOOT_OPTIONS),
        guest_arguments=text_value(a, keys.EXTRA_LCOW_EXEC_ARGS),
        vpmem_count=0 if options.fully_physically_backed else vpmem,
        vpmem_size=number(a, keys.VPMEM_SIZE, options.vpmem_size),
        vpmem_no_multi_mapping=flag(
            a, keys.VPMEM_NO_MULTI_MAPPING, default=options.vpmem_no_multi_mapping
        ),
        enable_cold_discard_hint=flag(a, keys.ENABLE_COLD_DISCARD_HINT),
        vpci_enabled=flag(a, keys.VPCI_ENABLED),
        scratch_encryption=flag(a, keys.LCOW_ENCRYPTED_SCRATCH_DISK),
        disable_time_sync=flag(a, keys.DISABLE_LCOW_TIME_SYNC_SERVICE),
        hcl_enabled=optional_flag(a, keys.LCOW_HCL_ENABLED),
        extra_vsock_ports=numbers(a, keys.EXTRA_VSOCK_PORTS),
        devices=_devices(spec),
        policy_based_routing=flag(a, keys.NETWORKING_POLICY_BASED_ROUTING),
        writable_overlay_dirs=flag(a, keys.WRITABLE_OVERLAY_DIRS),
        security_policy=text_value(a, keys.LCOW_SECURITY_POLICY),
        security_policy_enforcer=text_value(a, keys.LCOW_SECURITY_POLICY_ENFORCER),
        reference_info_file=text_value(
            a, keys.LCOW_REFERENCE_INFO_FILE, options.reference_info_file
        ),
        hash_envelope_file=text_value(
            a, keys.UVM_HASH_ENVELOPE_REFERENCE_INFO_FILE, options.hash_envelope_file
        ),
    )
    options = _with_linux_policy(a, _with_root(a, options))
    return attrs.evolve(  # what is said outright wins over what a policy implies
        options,
        guest_state_file=text_value(
            a, keys.LCOW_GUEST_STATE_FILE, options.guest_state_file
        ),
        dm_verity_root=text_value(a, keys.DM_VERITY_ROOTFS_VHD, options.dm_verity_root),
        dm_verity=flag(a, keys.DM_VERITY_MODE, default=options.dm_verity),
        dm_verity_create_args=text_value(a, keys.DM_VERITY_CREATE_ARGS),
    )


def _with_root(a: Mapping[str, str], options: LinuxVmOptions) -> LinuxVmOptions:
    files = {"initrd": vm_options.INITRD, "vhd": vm_options.ROOT_VHD}
    kind = a.get(keys.PREFERRED_ROOTFS_TYPE)
    if kind in files:
        return attrs.evolve(options, root_type=kind, root_file=files[kind])
    if kind is not None:
        key = keys.PREFERRED_ROOTFS_TYPE
        _log.warning(
            "annotation %r is ignored: expected initrd or vhd, got %r", key, kind
        )
    return options


def _with_linux_policy(a: Mapping[str, str], options: LinuxVmOptions) -> LinuxVmOptions:
    """Take back what a VM that boots from a measured state cannot have."""
    if not options.confidential:
        return options
    encrypted = flag(a, keys.LCOW_ENCRYPTED_SCRATCH_DISK, default=True)
    options = attrs.evolve(options, scratch_encryption=encrypted)
    if flag(a, keys.NO_SECURITY_HARDWARE):
        return options
    return attrs.evolve(
        options,
        vpmem_count=0,
        guest_state_file=vm_options.GUEST_STATE,
        kernel_options="",
        allow_overcommit=False,
        root_type="",
        root_file="",
        dm_verity_root=vm_options.ROOT_VHD,
        dm_verity=True,
    )


def _devices(spec: Spec) -> tuple[VmDevice, ...]:
    devices = []
    for device in spec.windows.devices if spec.windows else ():
        if device.id_type not in _VM_DEVICES:
            _log.warning("device type %r is not for VMs; left out", device.id_type)
            continue
        path, _, last = (device.id or "").replace("\\", "/").rpartition("/")
        if path and last.isascii() and last.isdigit() and int(last) <= 0xFFFF:
            devices.append(VmDevice((device.id or "")[: len(path)], int(last)))
        else:
            devices.append(VmDevice(device.id or ""))
    return tuple(devices)


def _windows(spec: Spec, options: WindowsVmOptions) -> WindowsVmOptions:
    a = spec.annotations
    options = attrs.evolve(
        options,
        boot_files=text_value(a, keys.BOOT_FILES_ROOT_PATH),
        disable_compartment_namespace=flag(a, keys.DISABLE_COMPARTMENT_NAMESPACE),
        no_direct_map=flag(a, keys.VSMB_NO_DIRECT_MAP),
        no_inherit_timezone=flag(a, keys.NO_INHERIT_HOST_TIMEZONE),
        registry_values=annotated_values(a, keys.ADDITIONAL_REGISTRY_VALUES),
        writable_efi=flag(a, keys.WCOW_WRITABLE_EFI),
        debug_mode=flag(a, keys.WCOW_DEBUG_MODE),
        debug_data_path=text_value(a, keys.WCOW_DEBUG_DATA_PATH),
        security_policy=text_value(a, keys.WCOW_SECURITY_POLICY),
    )
    if options.confidential:
        options = _with_windows_policy(a, options)
    if options.debug_mode and not options.confidential:
        raise ValueError(
            f"annotation {keys.WCOW_DEBUG_MODE!r} is for confidential VMs only"
        )
    if options.debug_mode and not options.debug_data_path:
        raise ValueError(
            f"annotation {keys.WCOW_DEBUG_MODE!r} needs "
            f"{keys.WCOW_DEBUG_DATA_PATH!r} beside it"
        )
    return attrs.evolve(
        options,
        log_sources=text_value(a, keys.LOG_SOURCES),
        log_forwarding=flag(
            a, keys.LOG_FORWARDING_ENABLED, default=not options.confidential
        ),
        default_log_sources=flag(a, keys.DEFAULT_LOG_SOURCES_ENABLED, default=True),
    )


def _with_windows_policy(
    a: Mapping[str, str], options: WindowsVmOptions
) -> WindowsVmOptions:
    memory = number(a, keys.MEMORY_SIZE_IN_MB, _LEAST_CONFIDENTIAL)
    if memory < _LEAST_CONFIDENTIAL:
        raise ValueError(
            f"annotation {keys.MEMORY_SIZE_IN_MB!r}: a confidential VM needs "
            f"{_LEAST_CONFIDENTIAL} MB, got {memory}"
        )
    default = _GSO if flag(a, keys.NO_SECURITY_HARDWARE) else _SNP
    wanted = text_value(a, keys.WCOW_ISOLATION_TYPE, default)
    if wanted not in _ISOLATION:
        raise ValueError(
            f"annotation {keys.WCOW_ISOLATION_TYPE!r}: expected "
            f"{', '.join(_ISOLATION)}, got {wanted!r}"
        )
    isolation = _ISOLATION[wanted]
    folder = options.boot_files

    def file(key: str, usual: str) -> str:
        return text_value(a, key, ntpath.join(folder, usual))

    return attrs.evolve(
        options,
        memory_in_mb=memory,
        allow_overcommit=False,
        isolation_type=isolation,
        security_policy_enforcer=text_value(a, keys.WCOW_SECURITY_POLICY_ENFORCER),
        disable_secure_boot=flag(a, keys.WCOW_DISABLE_SECURE_BOOT),
        guest_state_file=file(keys.WCOW_GUEST_STATE_FILE, _GUEST_STATES[isolation]),
        reference_info_file=file(
            keys.WCOW_REFERENCE_INFO_FILE, vm_options.REFERENCE_INFO
        ),
        hash_envelope_file=file(
            keys.UVM_HASH_ENVELOPE_REFERENCE_INFO_FILE, vm_options.HASH_ENVELOPE
        ),
    )
