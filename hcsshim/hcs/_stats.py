"""What compute systems use: in bytes and times of Python's, and how fast."""

from __future__ import annotations

import datetime as dt
from time import perf_counter
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from hcsshim.documents import Metrics, Properties, Statistics

_PAGE = 4096


@attrs.frozen(kw_only=True)
class SystemStats:
    """
    What one compute system had used when it was asked; ``None`` where nobody tells.

    Attributes:
        id: Of the system.
        at: When the service counted.
        taken: The same by ``time.perf_counter``, for rates.
        uptime: Since the system started.
        cpu_total: Processor time of all its processes, ended ones too.
        cpu_user: Of that, outside the kernel.
        cpu_kernel: Of that, in the kernel.
        memory_bytes: Memory that was promised to it.
        memory_peak_bytes: The most that ever was.
        memory_private_bytes: Memory that nobody shares.
        read_count: Reads from storage.
        read_bytes: What was read.
        write_count: Writes to storage.
        written_bytes: What was written.
    """

    id: str
    at: dt.datetime | None = None
    taken: float = attrs.field(factory=perf_counter, eq=False)
    uptime: dt.timedelta | None = None
    cpu_total: dt.timedelta = dt.timedelta()
    cpu_user: dt.timedelta | None = None
    cpu_kernel: dt.timedelta | None = None
    memory_bytes: int | None = None
    memory_peak_bytes: int | None = None
    memory_private_bytes: int | None = None
    read_count: int | None = None
    read_bytes: int | None = None
    write_count: int | None = None
    written_bytes: int | None = None

    def since(self, before: SystemStats) -> StatsRates:
        """
        Tell how fast things were used since an earlier look.

        Args:
            before: Of the same system, taken earlier.

        Raises:
            ValueError: It is of another system, or not earlier.
        """
        seconds = self.taken - before.taken
        if before.id != self.id or seconds <= 0:
            raise ValueError("rates need an earlier look at the same system")
        used = (self.cpu_total - before.cpu_total).total_seconds()
        return StatsRates(
            stats=self,
            seconds=seconds,
            cpus=max(0.0, used / seconds),
            read_bytes_per_second=_rate(before.read_bytes, self.read_bytes, seconds),
            written_bytes_per_second=_rate(
                before.written_bytes, self.written_bytes, seconds
            ),
        )


@attrs.frozen(kw_only=True)
class StatsRates:
    """
    What a system uses, between two looks at it.

    Attributes:
        stats: The later look.
        seconds: Between the two.
        cpus: Processors that were busy for it: 0.5 is half of one.
        read_bytes_per_second: From storage; ``None`` where nobody tells.
        written_bytes_per_second: To storage; as above.
    """

    stats: SystemStats
    seconds: float
    cpus: float
    read_bytes_per_second: float | None
    written_bytes_per_second: float | None

    @property
    def cpu_percent(self) -> float:
        """The share of one processor; 200 is two of them."""
        return 100 * self.cpus


def _rate(before: int | None, after: int | None, seconds: float) -> float | None:
    if before is None or after is None:
        return None
    return max(0, after - before) / seconds


def stats_of(system_id: str, properties: Properties) -> SystemStats | None:
    """
    Pick the figures out of an answer.

    Args:
        system_id: Of the system.
        properties: Its answer to a query for ``Statistics``.

    Returns:
        The figures; ``None`` if the answer has none.
    """
    stats = None
    if properties.statistics is not None:
        stats = _of_statistics(system_id, properties.statistics)
    elif properties.lcow_metrics is not None:
        stats = _of_metrics(system_id, properties.lcow_metrics)
    vm = properties.memory.virtual_machine_memory if properties.memory else None
    if stats is not None and vm is not None and vm.assigned_memory is not None:
        stats = attrs.evolve(stats, memory_bytes=vm.assigned_memory * _PAGE)
    return stats


def _of_statistics(system_id: str, figures: Statistics) -> SystemStats:
    processor, memory, storage = figures.processor, figures.memory, figures.storage
    total = processor.total_runtime if processor else None
    return SystemStats(
        id=system_id,
        at=figures.timestamp,
        uptime=figures.uptime,
        cpu_total=total or dt.timedelta(),
        cpu_user=processor.runtime_user if processor else None,
        cpu_kernel=processor.runtime_kernel if processor else None,
        memory_bytes=memory.memory_usage_commit_bytes if memory else None,
        memory_peak_bytes=memory.memory_usage_commit_peak_bytes if memory else None,
        memory_private_bytes=(
            memory.memory_usage_private_working_set_bytes if memory else None
        ),
        read_count=storage.read_count_normalized if storage else None,
        read_bytes=storage.read_size_bytes if storage else None,
        write_count=storage.write_count_normalized if storage else None,
        written_bytes=storage.write_size_bytes if storage else None,
    )


def _of_metrics(system_id: str, metrics: Metrics) -> SystemStats:
    """Read the counters of a Linux guest, whose processor times are nanoseconds."""
    usage = metrics.cpu.usage if metrics.cpu else None
    memory = metrics.memory.usage if metrics.memory else None

    def time(nanoseconds: int | None) -> dt.timedelta:
        return dt.timedelta(microseconds=(nanoseconds or 0) / 1000)

    return SystemStats(
        id=system_id,
        cpu_total=time(usage.total) if usage else dt.timedelta(),
        cpu_user=time(usage.user) if usage else None,
        cpu_kernel=time(usage.kernel) if usage else None,
        memory_bytes=memory.usage if memory else None,
        memory_peak_bytes=memory.max if memory else None,
    )
