"""
Linux containers: on a host that runs them itself, and in a utility VM.

A host that runs Linux containers itself isolates each by namespaces of its own, with
its own ``/proc``, ``/sys`` and ``/dev``, of which it hides what OCI runtimes usually
hide; what a specification says about these is fulfilled already, or cannot be had.
:func:`unsupported` names the latter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.documents import LinuxHostedSystem, Version, to_dict
from hcsshim.hcs._container import ContainerConfig
from hcsshim.oci import annotation_keys as keys
from hcsshim.oci.annotation_values import flag
from hcsshim.oci.bundle import is_bind
from hcsshim.oci.limits import ALL_PROCESSORS, MIB
from hcsshim.oci.spec_linux import Linux
from hcsshim.oci.spec_windows import Windows, WindowsNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hcsshim.oci.spec import Mount, Process, Spec
    from hcsshim.oci.spec_linux import LinuxCpu, LinuxResources

#: File systems of the kernel that every container has, at their usual places.
_KERNEL_TYPES = frozenset(
    ("proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2", "devtmpfs")
)
#: Where every container has memory of its own for files.
_MEMORY_PLACES = frozenset(("/dev", "/dev/shm"))  # noqa: S108 - inside

_USUAL_PERIOD = 100_000
#: Control groups of version 1 count shares up to this.
_MOST_SHARES = 262_144


def linux_container(spec: Spec) -> ContainerConfig:
    """
    Describe the container of a Linux specification for a host that runs it itself.

    Args:
        spec: With absolute paths.

    Raises:
        ValueError: It joins what it cannot, or its root is missing.
    """
    if spec.root is None or not spec.root.path:
        raise ValueError("root.path: expected the container's root")
    for index, namespace in enumerate(spec.linux.namespaces if spec.linux else ()):
        if namespace.path:
            raise ValueError(
                f"linux.namespaces[{index}].path: existing namespaces cannot be joined"
            )
    config = ContainerConfig(
        layers=(spec.root.path,),
        hostname=spec.hostname or None,
        mounts=tuple(_directories(spec)),
    )
    resources = spec.linux.resources if spec.linux else None
    return config if resources is None else _with_limits(config, resources)


def _directories(spec: Spec) -> Iterator[tuple[str, str, bool]]:
    for index, mount in enumerate(spec.mounts):
        if not is_bind(mount.type, mount.options):
            continue
        if not mount.source or not mount.destination:
            raise ValueError(f"mounts[{index}]: expected a source and a destination")
        yield mount.source, mount.destination, "ro" in mount.options


def _with_limits(config: ContainerConfig, resources: LinuxResources) -> ContainerConfig:
    memory = resources.memory.limit if resources.memory else None
    if memory is not None and memory > 0:
        config = attrs.evolve(config, memory_in_mb=-(-memory // MIB))
    cpu = resources.cpu
    if cpu is None:
        return config
    if cpu.quota is not None and cpu.quota > 0:
        return attrs.evolve(config, cpus=cpu.quota / (cpu.period or _USUAL_PERIOD))
    if cpu.shares:
        return attrs.evolve(config, processor_weight=_weight(cpu))
    return config


def _weight(cpu: LinuxCpu) -> int:
    """The curve by which runtimes turn shares of version 1 into weights."""
    shares = max(2, min(_MOST_SHARES, cpu.shares or 0))
    return 1 + (shares - 2) * (ALL_PROCESSORS - 1) // (_MOST_SHARES - 2)


def unsupported(spec: Spec) -> Iterator[str]:
    """
    Name what a host that runs Linux containers itself does not do for one.

    Yields:
        A clause for each member, its path first.
    """
    if spec.hooks is not None and to_dict(spec.hooks):
        yield "hooks: none are run"
    for index, mount in enumerate(spec.mounts):
        problem = _mount_problem(mount)
        if problem:
            yield f"mounts[{index}]: {problem}"
    process = spec.process
    if process is not None:
        for name, value in (
            ("apparmorProfile", process.apparmor_profile),
            ("selinuxLabel", process.selinux_label),
            ("oomScoreAdj", process.oom_score_adj),
            ("ioPriority", process.io_priority),
            ("scheduler", process.scheduler),
            ("execCPUAffinity", process.exec_cpu_affinity),
        ):
            if value:
                yield f"process.{name}: it has no effect"
        yield from _unsupported_capabilities(process)
    if spec.linux is not None:
        yield from _unsupported_linux(spec.linux)


def _unsupported_capabilities(process: Process) -> Iterator[str]:
    """For root the bounding set is what counts; others have none at all."""
    sets, user = process.capabilities, process.user
    if sets is None or user is None or not (user.uid or user.username):
        return
    if sets.ambient or sets.inheritable:
        yield "process.capabilities: users other than root have none"


def _mount_problem(mount: Mount) -> str:
    if is_bind(mount.type, mount.options) or mount.type in _KERNEL_TYPES:
        return ""
    if mount.type == "tmpfs" and mount.destination in _MEMORY_PLACES:
        return ""
    return f"{mount.type!r} is not mounted at {mount.destination!r}"


def _unsupported_linux(linux: Linux) -> Iterator[str]:
    kinds = {namespace.type for namespace in linux.namespaces}
    for kind in ("network", "pid", "ipc", "uts", "mount"):
        if linux.namespaces and kind not in kinds:
            yield f"linux.namespaces: the host's {kind} is not shared"
    for name, value in (
        ("sysctl", linux.sysctl),
        ("devices", linux.devices),
        ("seccomp", linux.seccomp),
        ("rootfsPropagation", linux.rootfs_propagation),
        ("mountLabel", linux.mount_label),
        ("intelRdt", linux.intel_rdt),
        ("personality", linux.personality),
        ("timeOffsets", linux.time_offsets),
        ("netDevices", linux.net_devices),
    ):
        if value:
            yield f"linux.{name}: it has no effect"
    for path in (*linux.masked_paths, *linux.readonly_paths):
        if not path.startswith(("/proc/", "/sys/")):
            yield f"linux.maskedPaths, linux.readonlyPaths: {path!r} is as it is"
    if linux.resources is not None:
        yield from _unsupported_limits(linux.resources)


def _unsupported_limits(resources: LinuxResources) -> Iterator[str]:
    for name, value in (
        ("pids", resources.pids),
        ("blockIO", resources.block_io),
        ("hugepageLimits", resources.hugepage_limits),
        ("network", resources.network),
        ("rdma", resources.rdma),
        ("unified", resources.unified),
    ):
        if value:
            yield f"linux.resources.{name}: it has no effect"


def hosted_linux_document(
    spec: Spec, bundle: str, scratch: str = ""
) -> LinuxHostedSystem:
    """
    Write the document of a Linux container in a utility VM.

    Hooks, the path of the control group and limits that the guest sets by itself are
    taken out, as is everything of Windows but network namespace and devices.

    Args:
        spec: Its specification, with paths as the VM sees them.
        bundle: Folder of the bundle in the VM.
        scratch: Folder in the VM that takes what it writes.

    Source:
        ``LinuxHostedSystem`` of the guest's protocol.
    """
    linux = spec.linux or Linux()
    if linux.resources is not None:
        linux = attrs.evolve(linux, resources=_guest_resources(linux.resources))
    if flag(spec.annotations, keys.LCOW_PRIVILEGED):
        linux = attrs.evolve(linux, seccomp=None)
    guest = attrs.evolve(
        spec,
        hooks=None,
        windows=_guest_windows(spec),
        linux=attrs.evolve(linux, cgroups_path=None),
    )
    return LinuxHostedSystem(
        schema_version=Version(major=2, minor=1),
        oci_bundle_path=bundle,
        oci_specification=to_dict(guest),
        scratch_dir_path=scratch,
    )


def _guest_resources(resources: LinuxResources) -> LinuxResources:
    cpu = resources.cpu
    if cpu is not None:
        if cpu.period == 0:
            cpu = attrs.evolve(cpu, period=_USUAL_PERIOD)
        if cpu.quota == 0:
            cpu = attrs.evolve(cpu, quota=-1)
    return attrs.evolve(
        resources,
        cpu=cpu,
        devices=(),
        pids=None,
        block_io=None,
        hugepage_limits=None,
        network=None,
    )


def _guest_windows(spec: Spec) -> Windows | None:
    windows = spec.windows
    if windows is None:
        return None
    namespace = windows.network.network_namespace if windows.network else None
    if not namespace and not windows.devices:
        return None
    network = WindowsNetwork(network_namespace=namespace) if namespace else None
    return Windows(devices=windows.devices, network=network)
