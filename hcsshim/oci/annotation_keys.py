"""
The keys of the annotations that containers and utility VMs are configured with.

Each constant is the text of a key, with what it means; several keys have an older name
beside the present one.
"""

from __future__ import annotations

#: CRI role of the container: ``sandbox`` or ``container``; must come together with
#: the sandbox id.
KUBERNETES_CONTAINER_TYPE = "io.kubernetes.cri.container-type"

#: Id of the pod sandbox the container belongs to.
KUBERNETES_SANDBOX_ID = "io.kubernetes.cri.sandbox-id"

#: Folder in the container for crash dumps of its processes; also read for the UVM.
CONTAINER_PROCESS_DUMP_LOCATION = "io.microsoft.container.processdumplocation"

#: Memory limit of the container in MB; beats the OCI limit; rounded up to even; by
#: default what the specification says.
CONTAINER_MEMORY_SIZE_IN_MB = "io.microsoft.container.memory.sizeinmb"

#: Processor count of the container; excludes limit and weight; by default what the
#: specification says.
CONTAINER_PROCESSOR_COUNT = "io.microsoft.container.processor.count"

#: Processor limit, 1 to 10000 (share of one or of all processors times 10000); by
#: default what the specification says.
CONTAINER_PROCESSOR_LIMIT = "io.microsoft.container.processor.limit"

#: Relative processor weight, 0 to 10000, 100 is normal; by default what the
#: specification says.
CONTAINER_PROCESSOR_WEIGHT = "io.microsoft.container.processor.weight"

#: Storage bandwidth limit in bytes per second; by default what the specification
#: says.
CONTAINER_STORAGE_QOS_BANDWIDTH_MAXIMUM = (
    "io.microsoft.container.storage.qos.bandwidthmaximum"
)

#: Storage operations limit per second; by default what the specification says.
CONTAINER_STORAGE_QOS_IOPS_MAXIMUM = "io.microsoft.container.storage.qos.iopsmaximum"

#: Core-size rlimit of Linux processes as ``soft;hard`` (two integers; anything else
#: fails the start).
RLIMIT_CORE = "io.microsoft.lcow.rlimitcore"

#: Size of ``/dev/shm`` in KB.
LCOW_DEV_SHM_SIZE_IN_KB = "io.microsoft.lcow.shm.size-kb"

#: Run the Linux container privileged (all devices and capabilities of the guest); by
#: default false.
LCOW_PRIVILEGED = "io.microsoft.virtualmachine.lcow.privileged"

#: Share the UVM network namespace; a workload container inherits the sandbox setting;
#: by default false.
LCOW_HOST_NETWORK = "io.microsoft.virtualmachine.lcow.hostnetwork"

#: Copy the container output also to this file in the guest.
LCOW_TEE_LOG_PATH = "io.microsoft.container.lcow.tee-log-path"

#: Mount the folder of such log copies at this place in the container.
LCOW_TEE_LOG_DIR_MOUNT = "io.microsoft.container.lcow.tee-log-dir-mount"

#: Do not set up pod networking for the sandbox; by default false.
SKIP_POD_NETWORKING = "io.microsoft.cri.skip-pod-networking"

#: Tenant sandbox id for multi-pod VMs; no reader in the current code.
TENANT_SANDBOX_ID = "io.microsoft.cri.tenant-sandbox-id"

#: Virtual pod id: the sandbox lives inside another sandbox's VM.
VIRTUAL_POD_ID = "io.microsoft.cri.virtual-pod-id"

#: dm-mod create text for a verity root device; by default built-in.
DM_VERITY_CREATE_ARGS = "io.microsoft.virtualmachine.lcow.dmverity-create-args"

#: Boot the LCOW root through dm-verity; by default false (true with a policy on
#: isolation hardware).
DM_VERITY_MODE = "io.microsoft.virtualmachine.lcow.dmverity-mode"

#: Root file system VHD for dm-verity boot; by default ``rootfs.vhd``.
DM_VERITY_ROOTFS_VHD = "io.microsoft.virtualmachine.lcow.dmverity-rootfs-vhd"

#: Encrypt the scratch disk with a new key; by default false (true when a policy is
#: set).
LCOW_ENCRYPTED_SCRATCH_DISK = "io.microsoft.virtualmachine.storage.scratch.encrypted"
ENCRYPTED_SCRATCH_DISK = LCOW_ENCRYPTED_SCRATCH_DISK

#: Guest state (VMGS) file of the VM; by default ``kernel.vmgs`` when confidential.
LCOW_GUEST_STATE_FILE = "io.microsoft.virtualmachine.lcow.gueststatefile"
GUEST_STATE_FILE = LCOW_GUEST_STATE_FILE

#: Use the hardware-compatibility layer of an isolated VM; by default unset.
LCOW_HCL_ENABLED = "io.microsoft.virtualmachine.lcow.hcl-enabled"
HCL_ENABLED = LCOW_HCL_ENABLED

#: Host AMD certificate for the guest; no reader in the current code.
LCOW_HOST_AMD_CERTIFICATE = "io.microsoft.virtualmachine.lcow.amd-certificate"
HOST_AMD_CERTIFICATE = LCOW_HOST_AMD_CERTIFICATE

#: Keep the policy but skip the isolated boot (LCOW: normal boot; WCOW: guest-state-
#: only isolation); by default false.
NO_SECURITY_HARDWARE = "io.microsoft.virtualmachine.no_security_hardware"

#: Security policy of the pod (LCOW).
LCOW_SECURITY_POLICY = "io.microsoft.virtualmachine.lcow.securitypolicy"
SECURITY_POLICY = LCOW_SECURITY_POLICY

#: Enforcer to use; by default by policy (lcow-v2: ``rego``).
LCOW_SECURITY_POLICY_ENFORCER = "io.microsoft.virtualmachine.lcow.enforcer"
SECURITY_POLICY_ENFORCER = LCOW_SECURITY_POLICY_ENFORCER

#: Expose the policy files and variables to the container (LCOW); by default true.
LCOW_SECURITY_POLICY_ENV = "io.microsoft.virtualmachine.lcow.securitypolicy.env"
UVM_SECURITY_POLICY_ENV = LCOW_SECURITY_POLICY_ENV

#: UVM reference info file in the boot folder; by default ``reference_info.cose``.
LCOW_REFERENCE_INFO_FILE = "io.microsoft.virtualmachine.lcow.uvm-reference-info-file"
UVM_REFERENCE_INFO_FILE = LCOW_REFERENCE_INFO_FILE

#: Device-extension JSON files given to the container; build 20348 or newer.
DEVICE_EXTENSIONS = "io.microsoft.container.wcow.deviceextensions"

#: Where a host-process container's root file system appears; by default built-in.
HOST_PROCESS_ROOTFS_LOCATION = "microsoft.com/hostprocess-rootfs-location"

#: Refuse a gMSA credential spec (creation raises); by default false.
WCOW_DISABLE_GMSA = "io.microsoft.container.wcow.gmsa.disable"

#: Local dump type: ``mini`` or ``full``.
WCOW_PROCESS_DUMP_TYPE = "io.microsoft.wcow.processdumptype"

#: How many local dumps to keep; by default 10.
WCOW_PROCESS_DUMP_COUNT = "io.microsoft.wcow.processdumpcount"

#: Guest state file of a confidential WCOW VM; by default by isolation type in the
#: boot folder.
WCOW_GUEST_STATE_FILE = "io.microsoft.virtualmachine.wcow.gueststatefile"

#: Security policy of the pod (WCOW).
WCOW_SECURITY_POLICY = "io.microsoft.virtualmachine.wcow.securitypolicy"

#: Enforcer (WCOW); by default by policy.
WCOW_SECURITY_POLICY_ENFORCER = "io.microsoft.virtualmachine.wcow.enforcer"

#: Host AMD certificate (WCOW); no reader in the current code.
WCOW_HOST_AMD_CERTIFICATE = "io.microsoft.virtualmachine.wcow.amd-certificate"

#: Expose the policy files and variables to the container (WCOW); by default true.
WCOW_SECURITY_POLICY_ENV = "io.microsoft.virtualmachine.wcow.securitypolicy.env"

#: UVM reference info file (WCOW); by default in the boot folder.
WCOW_REFERENCE_INFO_FILE = "io.microsoft.virtualmachine.wcow.uvm-reference-info-file"

#: Isolation of the confidential WCOW VM, turns overcommit off: ``SecureNestedPaging``
#: (``SNP``), ``VirtualizationBasedSecurity`` (``VBS``), ``GuestStateOnly``; other
#: text raises; by default ``SecureNestedPaging`` (``GuestStateOnly`` with no-
#: security-hardware).
WCOW_ISOLATION_TYPE = "io.microsoft.virtualmachine.wcow.isolation_type"

#: Boot the confidential WCOW VM without secure boot; by default false.
WCOW_DISABLE_SECURE_BOOT = "io.microsoft.virtualmachine.wcow.no_secure_boot"

#: EFI disk of the confidential WCOW VM is writable; by default false.
WCOW_WRITABLE_EFI = "io.microsoft.virtualmachine.wcow.writable_efi"

#: Debug mode of a confidential WCOW VM; refused for others; by default false.
WCOW_DEBUG_MODE = "io.microsoft.wcow.debug"

#: Where debug copies are put; required in debug mode.
WCOW_DEBUG_DATA_PATH = "io.microsoft.wcow.debug_data_path"

#: Host-process container runs as the shim's user; by default false.
HOST_PROCESS_INHERIT_USER = "microsoft.com/hostprocess-inherit-user"

#: Run as a host-process container; by default false.
HOST_PROCESS_CONTAINER = "microsoft.com/hostprocess-container"

#: Forbid host-process containers: conflicts with the annotation above when both are
#: true; by default false.
DISABLE_HOST_PROCESS_CONTAINER = "microsoft.com/disable-hostprocess-container"

#: Folder of the UVM boot files; also by shim option; by default under the Windows
#: shared folder.
BOOT_FILES_ROOT_PATH = "io.microsoft.virtualmachine.bootfilesrootpath"

#: Folder on the host for UVM crash dumps.
DUMP_DIRECTORY_PATH = "io.microsoft.virtualmachine.dump-directory-path"

#: No writable host shares for the UVM; by default false.
DISABLE_WRITABLE_FILE_SHARES = "io.microsoft.virtualmachine.fileshares.disablewritable"

#: Kernel drivers to install in the VM.
VIRTUAL_MACHINE_KERNEL_DRIVERS = "io.microsoft.virtualmachine.kerneldrivers"

#: Hash-envelope reference info file; by default
#: ``reference_info_hash_envelope.cose``.
UVM_HASH_ENVELOPE_REFERENCE_INFO_FILE = (
    "io.microsoft.virtualmachine.uvm-hash-envelope-reference-info-file"
)

#: CPU group of the VM (lower-cased); also settable by update.
CPU_GROUP_ID = "io.microsoft.virtualmachine.cpugroup.id"

#: Virtual processors of the VM; capped by the host count; by default what the
#: specification says, else 2 (1 on one processor).
PROCESSOR_COUNT = "io.microsoft.virtualmachine.computetopology.processor.count"

#: Processor limit of the VM, 1 to 100000; by default what the specification says,
#: else none.
PROCESSOR_LIMIT = "io.microsoft.virtualmachine.computetopology.processor.limit"

#: Processor weight of the VM; by default what the specification says, else none.
PROCESSOR_WEIGHT = "io.microsoft.virtualmachine.computetopology.processor.weight"

#: Memory may be backed by the page file; by default true.
ALLOW_OVERCOMMIT = "io.microsoft.virtualmachine.computetopology.memory.allowovercommit"

#: Commit VM memory late; needs overcommit; by default false.
ENABLE_DEFERRED_COMMIT = (
    "io.microsoft.virtualmachine.computetopology.memory.enabledeferredcommit"
)

#: Guest tells the host of cold pages; build 18967; by default false.
ENABLE_COLD_DISCARD_HINT = (
    "io.microsoft.virtualmachine.computetopology.memory.enablecolddiscardhint"
)

#: Physical backing: turns overcommit off and, for LCOW, VPMem off; by default false.
FULLY_PHYSICALLY_BACKED = "io.microsoft.virtualmachine.fullyphysicallybacked"

#: VM memory in MB; rounded up to even; by default what the specification says, else
#: 1024 (2048 for confidential WCOW).
MEMORY_SIZE_IN_MB = "io.microsoft.virtualmachine.computetopology.memory.sizeinmb"

#: Low MMIO gap in MB; by default 0 (host choice).
MEMORY_LOW_MMIO_GAP_IN_MB = (
    "io.microsoft.virtualmachine.computetopology.memory.lowmmiogapinmb"
)

#: High MMIO base in MB; by default 0.
MEMORY_HIGH_MMIO_BASE_IN_MB = (
    "io.microsoft.virtualmachine.computetopology.memory.highmmiobaseinmb"
)

#: High MMIO gap in MB; by default 0.
MEMORY_HIGH_MMIO_GAP_IN_MB = (
    "io.microsoft.virtualmachine.computetopology.memory.highmmiogapinmb"
)

#: Implicit NUMA: most processors per node; by default 0.
NUMA_MAXIMUM_PROCESSORS_PER_NODE = (
    "io.microsoft.virtualmachine.computetopology.processor.numa.max-processors-per-node"
)

#: Implicit NUMA: most memory per node in MB; by default 0.
NUMA_MAXIMUM_MEMORY_SIZE_PER_NODE = (
    "io.microsoft.virtualmachine.computetopology.processor.numa.max-size-per-node"
)
NUMA_MAXIMUM_SIZE_PER_NODE = NUMA_MAXIMUM_MEMORY_SIZE_PER_NODE

#: Preferred physical nodes.
NUMA_PREFERRED_PHYSICAL_NODES = (
    "io.microsoft.virtualmachine.computetopology.numa.preferred-physical-nodes"
)

#: Explicit NUMA: physical node of each virtual node.
NUMA_MAPPED_PHYSICAL_NODES = (
    "io.microsoft.virtualmachine.computetopology.numa.mapped-physical-nodes"
)

#: Explicit NUMA: processors of each virtual node.
NUMA_COUNT_OF_PROCESSORS = (
    "io.microsoft.virtualmachine.computetopology.numa.count-of-processors"
)

#: Explicit NUMA: memory blocks of each virtual node.
NUMA_COUNT_OF_MEMORY_BLOCKS = (
    "io.microsoft.virtualmachine.computetopology.numa.count-of-memory-blocks"
)

#: Resource partition; excludes CPU group.
RESOURCE_PARTITION_ID = "io.microsoft.virtualmachine.resource-partition-id"

#: VM storage bandwidth limit; by default what the specification says, else none.
STORAGE_QOS_BANDWIDTH_MAXIMUM = (
    "io.microsoft.virtualmachine.storageqos.bandwidthmaximum"
)

#: VM storage operations limit; by default what the specification says, else none.
STORAGE_QOS_IOPS_MAXIMUM = "io.microsoft.virtualmachine.storageqos.iopsmaximum"

#: WCOW VM: no compartment per network namespace; by default false.
DISABLE_COMPARTMENT_NAMESPACE = (
    "io.microsoft.virtualmachine.disablecompartmentnamespace"
)

#: WCOW VM keeps its own time zone; by default false.
NO_INHERIT_HOST_TIMEZONE = "io.microsoft.virtualmachine.wcow.timezone.noinherit"

#: VSMB shares are not mapped directly into guest memory; by default false.
VSMB_NO_DIRECT_MAP = "io.microsoft.virtualmachine.wcow.virtualSMB.nodirectmap"

#: ETW providers of log forwarding.
LOG_SOURCES = "io.microsoft.virtualmachine.forwardlogs.sources"

#: Forward guest logs to the host; by default true for WCOW, false when a policy is
#: set.
LOG_FORWARDING_ENABLED = "io.microsoft.virtualmachine.forwardlogs.enable"

#: Add the built-in list of providers; by default true.
DEFAULT_LOG_SOURCES_ENABLED = (
    "io.microsoft.virtualmachine.forwardlogs.defaultsources.enable"
)

#: No time synchronisation in the guest; by default false.
DISABLE_LCOW_TIME_SYNC_SERVICE = "io.microsoft.virtualmachine.lcow.timesync.disable"

#: Extra kernel command-line text.
KERNEL_BOOT_OPTIONS = "io.microsoft.virtualmachine.lcow.kernelbootoptions"

#: Boot the kernel without UEFI; by default true from build 18286 (not arm64).
KERNEL_DIRECT_BOOT = "io.microsoft.virtualmachine.lcow.kerneldirectboot"

#: Root image: ``initrd`` or ``vhd``; by default ``initrd``.
PREFERRED_ROOTFS_TYPE = "io.microsoft.virtualmachine.lcow.preferredrootfstype"

#: Turn PCI pass-through support on at kernel start; by default false.
VPCI_ENABLED = "io.microsoft.virtualmachine.lcow.vpcienabled"

#: Number of VPMem devices, at most 128; 0 means SCSI layers; by default 64 (lcow-v2:
#: 0).
VPMEM_COUNT = "io.microsoft.virtualmachine.devices.virtualpmem.maximumcount"

#: One layer per VPMem device; by default false from 19H1.
VPMEM_NO_MULTI_MAPPING = "io.microsoft.virtualmachine.lcow.vpmem.nomultimapping"

#: Size of each VPMem device, multiple of 4096; by default 4 GiB.
VPMEM_SIZE = "io.microsoft.virtualmachine.devices.virtualpmem.maximumsizebytes"

#: ncproxy address; then the external network set-up is used.
NETWORK_CONFIG_PROXY = "io.microsoft.network.ncproxy"

#: Container id given to ncproxy.
NCPROXY_CONTAINER_ID = "io.microsoft.network.ncproxy.containerid"

#: Deprecated, unused.
GPUVHD_PATH = "io.microsoft.lcow.gpuvhdpath"

#: GPU capability list for the guest GPU hook.
CONTAINER_GPU_CAPABILITIES = "io.microsoft.container.gpu.capabilities"

#: VM is built so that it can migrate; by default false.
LIVE_MIGRATION_SUPPORT_ENABLED = "io.microsoft.migration.support-enabled"

#: On the destination: id of the container at the source.
LIVE_MIGRATION_SOURCE_CONTAINER_ID = "io.microsoft.migration.source-container-id"

#: Expands to the four keys in the note.
DISABLE_UNSAFE_OPERATIONS = "io.microsoft.disable-unsafe-operations"

#: Entry of the VM's hypervisor socket service table; all-zero GUID is the default
#: entry.
UVM_HYPERV_SOCKET_CONFIG_PREFIX = "io.microsoft.virtualmachine.hv-socket.service-table."

#: Serial console pipe of the VM.
UVM_CONSOLE_PIPE = "io.microsoft.virtualmachine.console.pipe"

#: Additional vsock ports opened for the guest.
EXTRA_VSOCK_PORTS = "io.microsoft.virtualmachine.lcow.extra-vsock-ports"

#: Guest root folders become writable through overlays; by default false.
WRITABLE_OVERLAY_DIRS = "io.microsoft.virtualmachine.lcow.writable-overlay-directories"

#: Guest sets up policy-based routing; by default false.
NETWORKING_POLICY_BASED_ROUTING = (
    "io.microsoft.virtualmachine.lcow.network.policybasedrouting"
)

#: More arguments of the guest agent's command line.
EXTRA_LCOW_EXEC_ARGS = "io.microsoft.virtualmachine.lcow.extra-exec-command-args"

#: More registry values set in a WCOW VM.
ADDITIONAL_REGISTRY_VALUES = "io.microsoft.virtualmachine.wcow.additional-reg-keys"

#: Registry values for tests of the guest.
WCOW_REGISTRY_ANNOTATION_TEST = "io.microsoft.container.wcow.test-registry-annotation"

#: The role of a container as CRI-O says it.
CRIO_CONTAINER_TYPE = "io.kubernetes.cri-o.ContainerType"
CRIO_SANDBOX_ID = "io.kubernetes.cri-o.SandboxID"
#: The same as dockershim said it; there a sandbox is a ``podsandbox``.
DOCKER_CONTAINER_TYPE = "io.kubernetes.docker.type"
DOCKER_SANDBOX_ID = "io.kubernetes.sandbox.id"

#: Keys that set others to their own value.
EXPANSIONS: dict[str, tuple[str, ...]] = {
    DISABLE_UNSAFE_OPERATIONS: (
        WCOW_DISABLE_GMSA,
        DISABLE_WRITABLE_FILE_SHARES,
        VSMB_NO_DIRECT_MAP,
        DISABLE_HOST_PROCESS_CONTAINER,
    )
}
