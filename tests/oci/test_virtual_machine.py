"""Utility VMs: annotations to what a VM is made from."""

from __future__ import annotations

import json
from uuid import UUID

import attrs
import pytest

from hcsshim.oci import (
    HyperV,
    LinuxVmOptions,
    RuntimeOptions,
    Spec,
    VmDevice,
    Windows,
    WindowsCpu,
    WindowsDevice,
    WindowsMemory,
    WindowsResources,
    WindowsVmOptions,
    vm_options_for,
    with_runtime_options,
)
from hcsshim.oci import annotation_keys as keys

from .conftest import linux_spec, windows_spec

#: Texts for every annotation of a VM, and the option that each sets.
COMMON = {
    keys.MEMORY_SIZE_IN_MB: ("4096", "memory_in_mb", 4096),
    keys.MEMORY_LOW_MMIO_GAP_IN_MB: ("1", "low_mmio_gap_in_mb", 1),
    keys.MEMORY_HIGH_MMIO_BASE_IN_MB: ("2", "high_mmio_base_in_mb", 2),
    keys.MEMORY_HIGH_MMIO_GAP_IN_MB: ("3", "high_mmio_gap_in_mb", 3),
    keys.ALLOW_OVERCOMMIT: ("false", "allow_overcommit", False),
    keys.ENABLE_DEFERRED_COMMIT: ("true", "enable_deferred_commit", True),
    keys.PROCESSOR_COUNT: ("6", "processor_count", 6),
    keys.PROCESSOR_LIMIT: ("7", "processor_limit", 7),
    keys.PROCESSOR_WEIGHT: ("8", "processor_weight", 8),
    keys.STORAGE_QOS_IOPS_MAXIMUM: ("9", "storage_iops", 9),
    keys.STORAGE_QOS_BANDWIDTH_MAXIMUM: ("10", "storage_bandwidth", 10),
    keys.CPU_GROUP_ID: ("ABC", "cpu_group_id", "abc"),
    keys.RESOURCE_PARTITION_ID: (
        "12345678-1234-1234-1234-123456789abc",
        "resource_partition_id",
        UUID("12345678-1234-1234-1234-123456789abc"),
    ),
    keys.NETWORK_CONFIG_PROXY: ("addr", "network_config_proxy", "addr"),
    keys.CONTAINER_PROCESS_DUMP_LOCATION: ("C:\\d", "process_dump_location", "C:\\d"),
    keys.DUMP_DIRECTORY_PATH: ("C:\\e", "dump_directory", "C:\\e"),
    keys.DISABLE_WRITABLE_FILE_SHARES: ("true", "no_writable_file_shares", True),
    keys.UVM_CONSOLE_PIPE: ("p", "console_pipe", "p"),
    keys.NUMA_MAXIMUM_PROCESSORS_PER_NODE: ("4", "max_processors_per_numa_node", 4),
    keys.NUMA_MAXIMUM_MEMORY_SIZE_PER_NODE: ("5", "max_memory_per_numa_node", 5),
    keys.NUMA_PREFERRED_PHYSICAL_NODES: ("0,1", "preferred_numa_nodes", (0, 1)),
    keys.NUMA_MAPPED_PHYSICAL_NODES: ("1", "numa_mapped_nodes", (1,)),
    keys.NUMA_COUNT_OF_PROCESSORS: ("2,2", "numa_processor_counts", (2, 2)),
    keys.NUMA_COUNT_OF_MEMORY_BLOCKS: ("9", "numa_memory_blocks", (9,)),
    keys.BOOT_FILES_ROOT_PATH: ("C:\\boot", "boot_files", "C:\\boot"),
}
LINUX = {
    keys.KERNEL_DIRECT_BOOT: ("false", "kernel_direct", False),
    keys.KERNEL_BOOT_OPTIONS: ("quiet", "kernel_options", "quiet"),
    keys.EXTRA_LCOW_EXEC_ARGS: ("-x", "guest_arguments", "-x"),
    keys.VPMEM_COUNT: ("12", "vpmem_count", 12),
    keys.VPMEM_SIZE: ("4096", "vpmem_size", 4096),
    keys.VPMEM_NO_MULTI_MAPPING: ("true", "vpmem_no_multi_mapping", True),
    keys.ENABLE_COLD_DISCARD_HINT: ("true", "enable_cold_discard_hint", True),
    keys.VPCI_ENABLED: ("true", "vpci_enabled", True),
    keys.LCOW_ENCRYPTED_SCRATCH_DISK: ("true", "scratch_encryption", True),
    keys.DISABLE_LCOW_TIME_SYNC_SERVICE: ("true", "disable_time_sync", True),
    keys.LCOW_HCL_ENABLED: ("false", "hcl_enabled", False),
    keys.EXTRA_VSOCK_PORTS: ("5,6", "extra_vsock_ports", (5, 6)),
    keys.NETWORKING_POLICY_BASED_ROUTING: ("true", "policy_based_routing", True),
    keys.WRITABLE_OVERLAY_DIRS: ("true", "writable_overlay_dirs", True),
    keys.LCOW_SECURITY_POLICY_ENFORCER: ("rego", "security_policy_enforcer", "rego"),
    keys.LCOW_REFERENCE_INFO_FILE: ("r", "reference_info_file", "r"),
    keys.UVM_HASH_ENVELOPE_REFERENCE_INFO_FILE: ("h", "hash_envelope_file", "h"),
    keys.PREFERRED_ROOTFS_TYPE: ("vhd", "root_file", "rootfs.vhd"),
    keys.LCOW_GUEST_STATE_FILE: ("g", "guest_state_file", "g"),
    keys.DM_VERITY_ROOTFS_VHD: ("v", "dm_verity_root", "v"),
    keys.DM_VERITY_MODE: ("true", "dm_verity", True),
    keys.DM_VERITY_CREATE_ARGS: ("c", "dm_verity_create_args", "c"),
}
WINDOWS = {
    keys.DISABLE_COMPARTMENT_NAMESPACE: ("true", "disable_compartment_namespace", True),
    keys.VSMB_NO_DIRECT_MAP: ("true", "no_direct_map", True),
    keys.NO_INHERIT_HOST_TIMEZONE: ("true", "no_inherit_timezone", True),
    keys.WCOW_WRITABLE_EFI: ("true", "writable_efi", True),
    keys.LOG_SOURCES: ("e30=", "log_sources", "e30="),
    keys.LOG_FORWARDING_ENABLED: ("false", "log_forwarding", False),
    keys.DEFAULT_LOG_SOURCES_ENABLED: ("false", "default_log_sources", False),
}


def linux(annotations: dict[str, str], **members: object) -> LinuxVmOptions:
    """Say what the VM of a Linux container is made from."""
    options = vm_options_for(linux_spec(annotations, **members), "vm", "me")
    assert isinstance(options, LinuxVmOptions)
    return options


def windows(annotations: dict[str, str], **members: object) -> WindowsVmOptions:
    """Say what the VM of a Windows container is made from."""
    spec = windows_spec(annotations, hyperv=HyperV(), **members)
    options = vm_options_for(spec, "vm", "me")
    assert isinstance(options, WindowsVmOptions)
    return options


@pytest.mark.parametrize("key", [*COMMON, *LINUX])
def test_each_annotation_sets_an_option_of_linux(key: str) -> None:
    """
    And no other option changes.
    """
    text, name, value = {**COMMON, **LINUX}[key]

    options = linux({key: text})

    assert value == getattr(options, name)
    changed = {name, "root_type"} if name == "root_file" else {name}
    assert changed == differences(options, linux({}))


@pytest.mark.parametrize("key", [*COMMON, *WINDOWS])
def test_each_annotation_sets_an_option_of_windows(key: str) -> None:
    """
    And no other option changes.
    """
    text, name, value = {**COMMON, **WINDOWS}[key]

    options = windows({key: text})

    assert value == getattr(options, name)
    assert {name} == differences(options, windows({}))


def differences(one: object, other: object) -> set[str]:
    """Name the options that differ."""
    return {
        field.name
        for field in attrs.fields(type(one))
        if getattr(one, field.name) != getattr(other, field.name)
    }


def test_defaults() -> None:
    """
    A VM that nothing is said about.
    """
    options = linux({})

    assert ("vm", "me") == (options.id, options.owner)
    assert (1024, True, 1) == (
        options.memory_in_mb,
        options.allow_overcommit,
        options.scsi_controllers,
    )
    assert options.processor_count in (1, 2)
    assert (64, 4 << 30) == (options.vpmem_count, options.vpmem_size)
    assert ("kernel", "initrd.img") == (options.kernel_file, options.root_file)
    assert windows({}).log_forwarding


def test_memory_is_assigned_in_even_numbers() -> None:
    """
    An odd number is rounded up.
    """
    assert 1002 == linux({keys.MEMORY_SIZE_IN_MB: "1001"}).assigned_memory_in_mb


def test_older_builds_have_other_defaults() -> None:
    """
    Direct boot and multi-mapping came with builds of Windows.
    """
    old = vm_options_for(linux_spec(), "vm", "me", build=17763)

    assert not old.kernel_direct
    assert old.vpmem_no_multi_mapping


def test_physical_backing_takes_others_away() -> None:
    """
    No overcommit, and no memory devices, whatever annotations say.
    """
    annotations = {
        keys.FULLY_PHYSICALLY_BACKED: "true",
        keys.VPMEM_COUNT: "5",
        keys.ALLOW_OVERCOMMIT: "true",
    }

    options = linux(annotations)

    assert (False, 0) == (options.allow_overcommit, options.vpmem_count)
    assert not windows(annotations).allow_overcommit


def test_limits_of_the_specification_hold_for_the_vm() -> None:
    """
    Where no annotation says otherwise.
    """
    resources = WindowsResources(
        memory=WindowsMemory(limit=3 << 30), cpu=WindowsCpu(count=3)
    )

    options = windows({}, resources=resources)

    assert (3072, 3) == (options.memory_in_mb, options.processor_count)


def test_policy_of_linux() -> None:
    """
    A VM that boots measured has no memory devices, no options, a verified root.
    """
    options = linux(
        {
            keys.LCOW_SECURITY_POLICY: "cG9s",
            keys.VPMEM_COUNT: "5",
            keys.KERNEL_BOOT_OPTIONS: "x",
        }
    )

    assert options.confidential
    assert (0, "", False) == (
        options.vpmem_count,
        options.kernel_options,
        options.allow_overcommit,
    )
    assert ("kernel.vmgs", True, "rootfs.vhd", "") == (
        options.guest_state_file,
        options.dm_verity,
        options.dm_verity_root,
        options.root_file,
    )
    assert options.scratch_encryption
    assert "cG9s" not in repr(options)


def test_policy_without_hardware() -> None:
    """
    The policy stays, the measured boot does not; encryption can be declined.
    """
    options = linux(
        {
            keys.LCOW_SECURITY_POLICY: "cG9s",
            keys.NO_SECURITY_HARDWARE: "true",
            keys.LCOW_ENCRYPTED_SCRATCH_DISK: "false",
        }
    )

    assert options.confidential
    assert (64, "", False) == (
        options.vpmem_count,
        options.guest_state_file,
        options.scratch_encryption,
    )


@pytest.mark.parametrize(
    ("given", "isolation", "state"),
    [
        ({}, "SecureNestedPaging", "cwcow.snp.vmgs"),
        ({keys.WCOW_ISOLATION_TYPE: "SNP"}, "SecureNestedPaging", "cwcow.snp.vmgs"),
        (
            {keys.WCOW_ISOLATION_TYPE: "VBS"},
            "VirtualizationBasedSecurity",
            "cwcow.vbs.vmgs",
        ),
        ({keys.NO_SECURITY_HARDWARE: "true"}, "GuestStateOnly", "cwcow.gso.vmgs"),
    ],
)
def test_policy_of_windows(given: dict[str, str], isolation: str, state: str) -> None:
    """
    Isolation decides the guest state; memory is enough; nothing is forwarded.
    """
    options = windows(
        {keys.WCOW_SECURITY_POLICY: "x", keys.BOOT_FILES_ROOT_PATH: "C:\\b", **given}
    )

    assert isolation == options.isolation_type
    assert f"C:\\b\\{state}" == options.guest_state_file
    assert "C:\\b\\reference_info.cose" == options.reference_info_file
    assert (2048, False, False) == (
        options.memory_in_mb,
        options.allow_overcommit,
        options.log_forwarding,
    )


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        (
            {keys.WCOW_SECURITY_POLICY: "x", keys.MEMORY_SIZE_IN_MB: "1024"},
            "needs 2048 MB, got 1024",
        ),
        (
            {keys.WCOW_SECURITY_POLICY: "x", keys.WCOW_ISOLATION_TYPE: "SGX"},
            "got 'SGX'",
        ),
        ({keys.WCOW_DEBUG_MODE: "true"}, "for confidential VMs only"),
        (
            {keys.WCOW_DEBUG_MODE: "true", keys.WCOW_SECURITY_POLICY: "x"},
            "needs 'io.microsoft.wcow.debug_data_path' beside it",
        ),
        ({keys.RESOURCE_PARTITION_ID: "x"}, "expected a GUID"),
    ],
)
def test_contradictions_are_refused(annotations: dict[str, str], message: str) -> None:
    """
    The error names the annotation.
    """
    with pytest.raises(ValueError, match=message):
        windows(annotations)


def test_devices_of_a_vm() -> None:
    """
    A number at the end is the virtual function; other types are left out.
    """
    devices = (
        WindowsDevice(id="PCIP\\VEN_1\\3", id_type="vpci"),
        WindowsDevice(id="PCIP\\VEN_1\\3&x", id_type="vpci-instance-id"),
        WindowsDevice(id="g", id_type="class"),
    )
    spec = attrs.evolve(linux_spec(), windows=Windows(devices=devices))

    options = vm_options_for(spec, "vm", "me")

    assert (VmDevice("PCIP\\VEN_1", 3), VmDevice("PCIP\\VEN_1\\3&x")) == (
        options.devices
    )


def test_registry_values() -> None:
    """
    A list of them in an annotation.
    """
    value = {"Key": {"Hive": "Software", "Name": "x"}, "Name": "n", "Type": "String"}

    options = windows({keys.ADDITIONAL_REGISTRY_VALUES: json.dumps([value])})

    assert ["n"] == [value.name for value in options.registry_values]


def test_containers_without_a_vm() -> None:
    """
    A process container has none.
    """
    with pytest.raises(ValueError, match="not isolated by a hypervisor"):
        vm_options_for(windows_spec(), "vm", "me")


def test_options_of_the_runtime_become_annotations() -> None:
    """
    What a container says itself wins.
    """
    options = RuntimeOptions(
        boot_files_root_path="C:\\b",
        vm_processor_count=3,
        vm_memory_size_in_mb=0,
        ncproxy_addr="addr",
        default_container_annotations={"a": "1", "b": "2"},
    )
    spec = Spec(annotations={keys.PROCESSOR_COUNT: "9", "b": "mine"})

    assert {
        keys.BOOT_FILES_ROOT_PATH: "C:\\b",
        keys.PROCESSOR_COUNT: "9",
        keys.NETWORK_CONFIG_PROXY: "addr",
        "a": "1",
        "b": "mine",
    } == with_runtime_options(spec, options).annotations
