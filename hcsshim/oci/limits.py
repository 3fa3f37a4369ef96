"""
Limits of processors, memory and disk: an annotation that is not 0, else what the
specification says, else a default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.oci import annotation_keys as keys
from hcsshim.oci.annotation_values import INT32, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hcsshim.oci.spec import Spec
    from hcsshim.oci.spec_windows import WindowsCpuAffinity, WindowsResources

MIB = 1024 * 1024
ALL_PROCESSORS = 10_000
#: The first build on which several processor groups may be named.
GROUPS_SINCE = 20348


@attrs.frozen
class ProcessorLimits:
    """
    Limits of processor time, of which at most one is not 0.

    Args:
        count: Number of processors.
        maximum: Share of all processors, out of 10000.
        weight: Share against other containers, out of 10000.
    """

    count: int = 0
    maximum: int = 0
    weight: int = 0


def windows_resources(spec: Spec) -> WindowsResources | None:
    """Give the limits of a specification's ``windows`` section."""
    return None if spec.windows is None else spec.windows.resources


def processor_count(spec: Spec, key: str, default: int = 0) -> int:
    """Read a number of processors."""
    resources = windows_resources(spec)
    given = None if resources is None or resources.cpu is None else resources.cpu.count
    return _chosen(spec, key, given, default)


def processor_maximum(spec: Spec, key: str, default: int = 0) -> int:
    """Read a share of all processors, out of 10000."""
    resources = windows_resources(spec)
    cpu = None if resources is None else resources.cpu
    return _chosen(spec, key, None if cpu is None else cpu.maximum, default)


def processor_weight(spec: Spec, key: str, default: int = 0) -> int:
    """Read a weight against other containers."""
    resources = windows_resources(spec)
    cpu = None if resources is None else resources.cpu
    return _chosen(spec, key, None if cpu is None else cpu.shares, default)


def storage_iops(spec: Spec, key: str, default: int = 0) -> int:
    """Read a limit of operations per second."""
    resources = windows_resources(spec)
    storage = None if resources is None else resources.storage
    return _chosen(spec, key, None if storage is None else storage.iops, default)


def storage_bandwidth(spec: Spec, key: str, default: int = 0) -> int:
    """Read a limit of bytes per second."""
    resources = windows_resources(spec)
    storage = None if resources is None else resources.storage
    return _chosen(spec, key, None if storage is None else storage.bps, default)


def memory_in_mb(spec: Spec, key: str, default: int = 0) -> int:
    """Read a limit of memory, in megabytes."""
    found = number(spec.annotations, key)
    if found:
        return found
    resources = windows_resources(spec)
    memory = None if resources is None else resources.memory
    if memory is not None and memory.limit:
        return memory.limit // MIB
    return default


def container_processors(spec: Spec, most: int) -> ProcessorLimits:
    """
    Read the processor limits of a container.

    Args:
        spec: Its specification.
        most: Number of processors of the host, or of the utility VM it is in.

    Raises:
        ValueError: More than one is set.
    """
    found = ProcessorLimits(
        processor_count(spec, keys.CONTAINER_PROCESSOR_COUNT),
        processor_maximum(spec, keys.CONTAINER_PROCESSOR_LIMIT),
        processor_weight(spec, keys.CONTAINER_PROCESSOR_WEIGHT),
    )
    if sum(value > 0 for value in attrs.astuple(found)) > 1:
        raise ValueError(
            f"processor count {found.count}, limit {found.maximum} and weight "
            f"{found.weight} exclude each other; set one of them"
        )
    return attrs.evolve(found, count=min(found.count, most))


def rescaled(maximum: int, host_processors: int, vm_processors: int) -> int:
    """
    Turn a share of the host's processors into one of a utility VM's.

    Orchestrators compute shares from the host's number of processors; in a VM with
    fewer the same processor time is a larger share.
    """
    share = maximum * host_processors // vm_processors
    return max(1, min(ALL_PROCESSORS, share))


def check_affinity(
    affinity: Sequence[WindowsCpuAffinity], build: int
) -> tuple[tuple[int, int], ...]:
    """
    Check which processors a container may use.

    Args:
        affinity: Of the specification.
        build: Of the host.

    Returns:
        Pairs of mask and processor group, as job objects take them.

    Raises:
        ValueError: A mask selects nothing, or the host knows one group only.
    """
    for index, entry in enumerate(affinity):
        if not entry.mask:
            raise ValueError(f"affinity[{index}].mask: expected a processor, got 0")
    groups = [entry.group or 0 for entry in affinity]
    if build < GROUPS_SINCE and (len(groups) > 1 or any(groups)):
        wanted = f"{len(groups)} groups" if len(groups) > 1 else f"group {groups[0]}"
        raise ValueError(
            f"affinity: {wanted} need Windows Server 2022 (build {GROUPS_SINCE}), "
            f"this is build {build}"
        )
    return tuple((entry.mask or 0, entry.group or 0) for entry in affinity)


def _chosen(spec: Spec, key: str, given: int | None, default: int) -> int:
    found = number(spec.annotations, key, bounds=INT32)
    return found or given or default
