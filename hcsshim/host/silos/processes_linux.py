"""
The processes of a silo, read from ``/proc``.

All of them descend from the silo's first process, isolated or not, for it
adopts the orphans. It also reaps them, so its "children" counters hold the
times of what has ended.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import attrs

from hcsshim.host.silos.port import ProcessStatistics, Statistics


@functools.cache
def _clock() -> tuple[float, int, float]:
    """Give seconds per tick, bytes per page, and when the machine started."""
    started = 0.0
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("btime "):
            started = float(line.split()[1])
    return 1 / os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE"), started


@attrs.frozen
class Usage:
    """One process by its ``stat`` file; times in seconds, memory in bytes."""

    name: str
    parent: int
    user: float
    kernel: float
    ended_user: float
    ended_kernel: float
    started: float
    memory: int


def usage(pid: int) -> Usage | None:
    """
    Read the counters of a process.

    Args:
        pid: As this process sees it.

    Returns:
        ``None`` when it is gone.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name may hold spaces and parentheses; the last one ends it.
    begin, end = text.index(b"("), text.rindex(b")")
    fields = text[end + 2 :].split()
    tick, page, machine_started = _clock()
    return Usage(
        name=os.fsdecode(text[begin + 1 : end]),
        parent=int(fields[1]),
        user=int(fields[11]) * tick,
        kernel=int(fields[12]) * tick,
        ended_user=int(fields[13]) * tick,
        ended_kernel=int(fields[14]) * tick,
        started=machine_started + int(fields[19]) * tick,
        memory=int(fields[21]) * page,
    )


def descendants(pid: int) -> list[int]:
    """
    List the living descendants of a process, parents before children.

    Processes that are born meanwhile may be missing.
    """
    if not os.path.exists("/proc/self/task/self/children") and not os.path.exists(
        f"/proc/self/task/{os.getpid()}/children"
    ):
        return _descendants_by_parent(pid)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for child in _children(waiting.pop()):
            found.append(child)
            waiting.append(child)
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return children
    for thread in threads:
        try:
            text = Path(f"/proc/{pid}/task/{thread}/children").read_text()
        except OSError:
            continue
        children.extend(int(child) for child in text.split())
    return children


def _descendants_by_parent(pid: int) -> list[int]:
    """Look at every process, on kernels without lists of children."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (seen := usage(int(name))) is not None:
            children.setdefault(seen.parent, []).append(int(name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.extend(below)
        waiting.extend(below)
    return found


def inner_pid(pid: int, *, isolated: bool) -> int | None:
    """
    Translate a pid of the machine to the silo's view.

    Returns:
        ``None`` when the process is gone or a zombie.
    """
    try:
        text = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return None
    inner = None
    for line in text.splitlines():
        if line.startswith("State:") and line.split()[1] in "ZX":
            return None
        if line.startswith("NSpid:"):
            pids = line.split()[1:]
            inner = int(pids[1 if isolated and len(pids) > 1 else 0])
    return inner


def outer_pid(init: int, inner: int, *, isolated: bool) -> int | None:
    """Find the machine's pid of a process that the silo knows as ``inner``."""
    for pid in descendants(init):
        if inner_pid(pid, isolated=isolated) == inner:
            return pid
    return None


def _image(pid: int, name: str) -> str:
    """Give the whole program name, of which the kernel keeps 15 bytes."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return name
    whole = os.path.basename(os.fsdecode(line.split(b"\0")[0]))
    return whole if whole.startswith(name) else name


def list_processes(init: int, *, isolated: bool) -> list[ProcessStatistics]:
    """List the living processes of a silo, without its first one."""
    listed: list[ProcessStatistics] = []
    for pid in descendants(init):
        inner = inner_pid(pid, isolated=isolated)
        used = usage(pid)
        if inner is None or used is None:
            continue
        listed.append(
            ProcessStatistics(
                pid=inner,
                image=_image(pid, used.name),
                cpu_user=used.user,
                cpu_kernel=used.kernel,
                memory=used.memory,
                started=used.started,
            )
        )
    return sorted(listed, key=lambda process: process.pid)


_IO_FIELDS = ("syscr", "read_bytes", "syscw", "write_bytes")


def _io(pid: int) -> tuple[int, ...] | None:
    try:
        text = Path(f"/proc/{pid}/io").read_text()
    except OSError:
        return None
    values = dict(line.split(": ") for line in text.splitlines())
    return tuple(int(values[field]) for field in _IO_FIELDS)


def sum_up(init: int) -> Statistics:
    """
    Add up the living processes of a silo and what they have reaped.

    The memory is resident pages; shared ones count once for each process.
    """
    user = kernel = 0.0
    memory = 0
    io: tuple[int, ...] = (0, 0, 0, 0)
    for pid in [init, *descendants(init)]:
        used = usage(pid)
        if used is None:
            continue
        user += used.user + used.ended_user
        kernel += used.kernel + used.ended_kernel
        memory += used.memory
        counts = _io(pid)
        if counts is not None:
            io = tuple(a + b for a, b in zip(io, counts, strict=True))
    return Statistics(
        cpu_total=user + kernel,
        cpu_user=user,
        cpu_kernel=kernel,
        memory=memory,
        memory_peak=None,
        read_count=io[0],
        read_bytes=io[1],
        write_count=io[2],
        write_bytes=io[3],
        exact=False,
    )
