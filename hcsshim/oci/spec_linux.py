"""The ``linux`` section of a runtime specification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.documents._document import EMPTY, Document, wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hcsshim.documents._document import JSON


@attrs.frozen(kw_only=True, repr=False)
class IdMapping(Document):
    """
    A range of numbers that appear as others inside.

    Attributes:
        container_id: First number inside.
        host_id: First number on the host.
        size: How many.

    Source:
        ``linux.uidMappings``
    """

    container_id: int | None = attrs.field(
        default=None, metadata=wire("containerID", emit="always")
    )
    host_id: int | None = attrs.field(
        default=None, metadata=wire("hostID", emit="always")
    )
    size: int | None = attrs.field(default=None, metadata=wire("size", emit="always"))


@attrs.frozen(kw_only=True, repr=False)
class Linux(Document):
    """
    What only containers of Linux have.

    Attributes:
        uid_mappings: How users appear.
        gid_mappings: How groups appear.
        sysctl: Kernel parameters.
        resources: Limits.
        cgroups_path: Where its control group is.
        namespaces: What it does not share with the host.
        devices: Device files to be made.
        net_devices: Network devices to be moved inside.
        seccomp: Filter of system calls.
        rootfs_propagation: How mounts spread.
        masked_paths: Paths that cannot be read inside.
        readonly_paths: Paths that cannot be written inside.
        mount_label: SELinux label of mounts.
        intel_rdt: Cache and memory bandwidth of Intel processors.
        personality: Execution domain.
        time_offsets: Offsets of the clocks.

    Source:
        ``linux``
    """

    uid_mappings: tuple[IdMapping, ...] = attrs.field(
        default=(), metadata=wire("uidMappings")
    )
    gid_mappings: tuple[IdMapping, ...] = attrs.field(
        default=(), metadata=wire("gidMappings")
    )
    sysctl: Mapping[str, str] = attrs.field(default=EMPTY, metadata=wire("sysctl"))
    resources: LinuxResources | None = attrs.field(
        default=None, metadata=wire("resources")
    )
    cgroups_path: str | None = attrs.field(default=None, metadata=wire("cgroupsPath"))
    namespaces: tuple[Namespace, ...] = attrs.field(
        default=(), metadata=wire("namespaces")
    )
    devices: tuple[LinuxDevice, ...] = attrs.field(default=(), metadata=wire("devices"))
    net_devices: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("netDevices")
    )
    seccomp: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("seccomp")
    )
    rootfs_propagation: str | None = attrs.field(
        default=None, metadata=wire("rootfsPropagation")
    )
    masked_paths: tuple[str, ...] = attrs.field(
        default=(), metadata=wire("maskedPaths")
    )
    readonly_paths: tuple[str, ...] = attrs.field(
        default=(), metadata=wire("readonlyPaths")
    )
    mount_label: str | None = attrs.field(default=None, metadata=wire("mountLabel"))
    intel_rdt: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("intelRdt")
    )
    personality: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("personality")
    )
    time_offsets: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("timeOffsets")
    )


@attrs.frozen(kw_only=True, repr=False)
class Namespace(Document):
    """
    Something of the kernel that is not shared with the host.

    Attributes:
        type: ``pid``, ``network``, ``mount``, ``ipc``, ``uts``, ``user``,
            ``cgroup``, ``time``.
        path: One that exists, to be joined.

    Source:
        ``linux.namespaces``
    """

    type: str | None = attrs.field(default=None, metadata=wire("type", emit="always"))
    path: str | None = attrs.field(default=None, metadata=wire("path"))


@attrs.frozen(kw_only=True, repr=False)
class LinuxDevice(Document):
    """
    A device file to be made.

    Attributes:
        path: Where.
        type: ``c``, ``b``, ``u`` or ``p``.
        major: Major number.
        minor: Minor number.
        file_mode: Its mode.
        uid: Its owner.
        gid: Its group.

    Source:
        ``linux.devices``
    """

    path: str | None = attrs.field(default=None, metadata=wire("path", emit="always"))
    type: str | None = attrs.field(default=None, metadata=wire("type", emit="always"))
    major: int | None = attrs.field(
        default=None, metadata=wire("major", emit="nonnull")
    )
    minor: int | None = attrs.field(
        default=None, metadata=wire("minor", emit="nonnull")
    )
    file_mode: int | None = attrs.field(default=None, metadata=wire("fileMode"))
    uid: int | None = attrs.field(default=None, metadata=wire("uid", emit="nonnull"))
    gid: int | None = attrs.field(default=None, metadata=wire("gid", emit="nonnull"))


@attrs.frozen(kw_only=True, repr=False)
class DeviceRule(Document):
    """
    Which devices may be used.

    Attributes:
        allow: Or may not.
        type: ``a``, ``b`` or ``c``.
        major: Major number; all if absent.
        minor: Minor number; all if absent.
        access: Of ``rwm``.

    Source:
        ``linux.resources.devices``
    """

    allow: bool | None = attrs.field(
        default=None, metadata=wire("allow", emit="always")
    )
    type: str | None = attrs.field(default=None, metadata=wire("type"))
    major: int | None = attrs.field(
        default=None, metadata=wire("major", emit="nonnull")
    )
    minor: int | None = attrs.field(
        default=None, metadata=wire("minor", emit="nonnull")
    )
    access: str | None = attrs.field(default=None, metadata=wire("access"))


@attrs.frozen(kw_only=True, repr=False)
class LinuxMemory(Document):
    """
    Limits of memory, in bytes; -1 is none.

    Attributes:
        limit: Of memory.
        reservation: What is left when others need it.
        swap: Of memory and swap together.
        kernel: Of the kernel's memory; deprecated.
        kernel_tcp: Of its buffers; deprecated.
        swappiness: How soon it is swapped out.
        disable_oom_killer: Let it wait instead of killing it.
        use_hierarchy: Count children.
        check_before_update: Refuse a limit below what is in use.

    Source:
        ``linux.resources.memory``
    """

    limit: int | None = attrs.field(default=None, metadata=wire("limit"))
    reservation: int | None = attrs.field(default=None, metadata=wire("reservation"))
    swap: int | None = attrs.field(default=None, metadata=wire("swap"))
    kernel: int | None = attrs.field(default=None, metadata=wire("kernel"))
    kernel_tcp: int | None = attrs.field(default=None, metadata=wire("kernelTCP"))
    swappiness: int | None = attrs.field(
        default=None, metadata=wire("swappiness", emit="nonnull")
    )
    disable_oom_killer: bool | None = attrs.field(
        default=None, metadata=wire("disableOOMKiller")
    )
    use_hierarchy: bool | None = attrs.field(
        default=None, metadata=wire("useHierarchy")
    )
    check_before_update: bool | None = attrs.field(
        default=None, metadata=wire("checkBeforeUpdate")
    )


@attrs.frozen(kw_only=True, repr=False)
class LinuxCpu(Document):
    """
    Limits of processor time.

    Attributes:
        shares: Weight against others, 1024 being usual.
        quota: Microseconds of processor time per period; -1 is no limit.
        burst: Microseconds that may be saved up.
        period: Microseconds; 100000 if absent.
        realtime_runtime: Of real-time tasks.
        realtime_period: Of real-time tasks.
        cpus: Processors it may use, ``0-3,7``.
        mems: Memory nodes it may use.
        idle: Run when nobody else does.

    Source:
        ``linux.resources.cpu``
    """

    shares: int | None = attrs.field(default=None, metadata=wire("shares"))
    quota: int | None = attrs.field(default=None, metadata=wire("quota"))
    burst: int | None = attrs.field(default=None, metadata=wire("burst"))
    period: int | None = attrs.field(default=None, metadata=wire("period"))
    realtime_runtime: int | None = attrs.field(
        default=None, metadata=wire("realtimeRuntime")
    )
    realtime_period: int | None = attrs.field(
        default=None, metadata=wire("realtimePeriod")
    )
    cpus: str | None = attrs.field(default=None, metadata=wire("cpus"))
    mems: str | None = attrs.field(default=None, metadata=wire("mems"))
    idle: int | None = attrs.field(default=None, metadata=wire("idle"))


@attrs.frozen(kw_only=True, repr=False)
class LinuxPids(Document):
    """
    Limit of processes.

    Attributes:
        limit: How many.

    Source:
        ``linux.resources.pids``
    """

    limit: int | None = attrs.field(default=None, metadata=wire("limit", emit="always"))


@attrs.frozen(kw_only=True, repr=False)
class LinuxResources(Document):
    """
    Limits of containers of Linux.

    Attributes:
        devices: Which devices may be used.
        memory: Limits of memory.
        cpu: Limits of processor time.
        pids: Limit of processes.
        block_io: Limits of the disks.
        hugepage_limits: Limits of huge pages.
        network: Priority and class of packets.
        rdma: Limits of RDMA.
        unified: Files of the control group, by name.

    Source:
        ``linux.resources``
    """

    devices: tuple[DeviceRule, ...] = attrs.field(default=(), metadata=wire("devices"))
    memory: LinuxMemory | None = attrs.field(default=None, metadata=wire("memory"))
    cpu: LinuxCpu | None = attrs.field(default=None, metadata=wire("cpu"))
    pids: LinuxPids | None = attrs.field(default=None, metadata=wire("pids"))
    block_io: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("blockIO")
    )
    hugepage_limits: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("hugepageLimits")
    )
    network: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("network")
    )
    rdma: JSON | None = attrs.field(default=None, hash=False, metadata=wire("rdma"))
    unified: Mapping[str, str] = attrs.field(default=EMPTY, metadata=wire("unified"))
