"""
Control groups: limits, counters and the freezer of Linux.

Two generations exist. In version 1 every controller has a hierarchy of its own,
in version 2 one hierarchy has them all, and hybrid machines mount both. A group
of ours is a folder in each hierarchy that it needs.

Folders are called ``hcsshim-PID-START-NAME`` after the host that made them, so
that another host can tell whether that one still lives.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
import select
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from hcsshim.host.silos.port import Limits, Statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PERIOD_US: Final = 100_000
_FROZEN_WITHIN: Final = 5.0
_REMOVED_WITHIN: Final = 5.0
_OCTAL: Final = re.compile(r"\\([0-7]{3})")
_TAG: Final = re.compile(r"hcsshim-(\d+)-(\d+)-")


@attrs.frozen
class Hierarchy:
    """
    One mounted hierarchy.

    Args:
        version: 1 or 2.
        controllers: Of version 1.
        root: Where it is mounted.
        own: The folder of this process.
    """

    version: int
    controllers: frozenset[str]
    root: Path
    own: Path


def parse(mounts: str, membership: str) -> list[Hierarchy]:
    """
    Find the hierarchies and this process's place in each.

    Args:
        mounts: The text of ``/proc/self/mountinfo``.
        membership: The text of ``/proc/self/cgroup``.
    """
    places: dict[frozenset[str], str] = {}
    for line in membership.splitlines():
        _, listed, path = line.split(":", 2)
        places[frozenset(listed.split(",")) - {""}] = path
    found: list[Hierarchy] = []
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        version = 2 if kind[0] == "cgroup2" else 1
        options = frozenset(kind[2].split(",")) if version == 1 else frozenset[str]()
        for names, path in places.items():
            if (version == 2) == (not names) and names <= options:
                found.append(_place(version, names, fields[3], fields[4], path))
    return found


def _place(
    version: int, names: frozenset[str], below: str, mounted: str, path: str
) -> Hierarchy:
    """Apply what part of a hierarchy is mounted to a path in the whole."""
    root = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), mounted))
    inside = os.path.relpath(path, below) if path.startswith(below) else "."
    own = root if inside.startswith("..") else root / inside
    return Hierarchy(version, names, root, own)


def hierarchies() -> list[Hierarchy]:
    """Find the hierarchies of this machine."""
    try:
        return parse(
            Path("/proc/self/mountinfo").read_text(),
            Path("/proc/self/cgroup").read_text(),
        )
    except OSError:
        return []


@functools.cache
def _start_ticks(pid: int) -> int | None:
    """Tell when a process started, as a number for comparing."""
    return read_start_ticks(pid)


def read_start_ticks(pid: int) -> int | None:
    """Tell when a process started, in the kernel's ticks; ``None`` if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    if fields[0] in (b"Z", b"X"):  # it ended, and nobody asked how
        return None
    return int(fields[19])


def _folder_name(name: str) -> str:
    pid = os.getpid()
    return f"hcsshim-{pid}-{_start_ticks(pid)}-{name}"


def _write(path: Path, text: str) -> None:
    """Write with one call, for the kernel takes each write as an order."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _refuse(what: str) -> OSError:
    return OSError(errno.EPERM, f"{what}: no writable cgroup on this machine")


def _move(folder: Path, pid: int) -> None:
    """Move a process into a group; a process that ended needs no moving."""
    try:
        _write(folder / "cgroup.procs", str(pid))
    except OSError as error:
        if error.errno != errno.ESRCH:
            raise


def _move_all(folders: Iterable[Path], pids: Callable[[], list[int]]) -> None:
    """Move processes until a look finds none that were born meanwhile."""
    targets = tuple(folders)
    moved: set[int] = set()
    while new := set(pids()) - moved:
        for pid in new:
            for folder in targets:
                _move(folder, pid)
        moved |= new


def _remove_folder(folder: Path) -> None:
    """Kill what is left in a group and remove it and the groups in it."""
    deadline = time.monotonic() + _REMOVED_WITHIN
    while True:
        with contextlib.suppress(OSError):
            for below in folder.iterdir():
                if below.is_dir():
                    _remove_folder(below)
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
        else:
            return
        _thaw(folder)
        _kill_members(folder)
        time.sleep(0.001)


def _kill_members(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for pid in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)


def _thaw(folder: Path) -> None:
    for name, value in (("cgroup.freeze", "0"), ("freezer.state", "THAWED")):
        if (folder / name).exists():
            with contextlib.suppress(OSError):
                _write(folder / name, value)


class Cgroup:
    """
    The group whose limits and counters hold for a silo.

    Args:
        name: The silo's.
        since_start: Whether it counts from the silo's first moment on.

    Raises:
        OSError: No group can be made here.
    """

    def __init__(self, name: str, *, since_start: bool = True) -> None:
        #: Whether its counters tell all that the silo used.
        self.counts = since_start
        self._folders: dict[str, tuple[int, Path]] = {}
        self._made: list[Path] = []
        for hierarchy in hierarchies():
            try:
                if hierarchy.version == 1:
                    self._make_first(hierarchy, _folder_name(name))
                else:
                    self._make_second(hierarchy, _folder_name(name))
            except OSError:  # noqa: PERF203 - a hierarchy of somebody else's
                continue
        if not self._made:
            raise _refuse("limits cannot be set")
        self.counts = since_start and {"memory", "cpu"} <= self._folders.keys()

    def _make_first(self, hierarchy: Hierarchy, name: str) -> None:
        wanted = hierarchy.controllers & {"memory", "cpu", "cpuacct", "blkio"}
        if not wanted:
            return
        folder = hierarchy.own / name
        os.mkdir(folder)
        self._made.append(folder)
        for controller in wanted:
            self._folders[controller] = (1, folder)

    def _make_second(self, hierarchy: Hierarchy, name: str) -> None:
        """Go up to the first folder that may hand controllers down."""
        place = hierarchy.own
        while True:
            offered = self._offered(place)
            if offered & {"memory", "cpu"}:
                break
            if place == hierarchy.root:
                return
            place = place.parent
        folder = place / name
        os.mkdir(folder)
        self._made.append(folder)
        for controller in offered:
            self._folders.setdefault(controller, (2, folder))

    @staticmethod
    def _offered(place: Path) -> frozenset[str]:
        control = place / "cgroup.subtree_control"
        try:
            for controller in ("memory", "cpu", "io"):
                with contextlib.suppress(OSError):
                    _write(control, f"+{controller}")
            return frozenset(control.read_text().split())
        except OSError:
            return frozenset()

    @property
    def unified(self) -> Path | None:
        """The folder in the hierarchy of version 2, if there is one."""
        for version, folder in self._folders.values():
            if version == 2:
                return folder
        return None

    def add(self, pid: int) -> None:
        """Move a process, and with it what it will start, into the group."""
        for folder in self._made:
            _move(folder, pid)

    def add_all(self, pids: Callable[[], list[int]]) -> None:
        """Move processes that may be starting others meanwhile."""
        _move_all(self._made, pids)

    def limit(self, limits: Limits) -> None:
        """
        Replace the limits.

        Raises:
            OSError: A controller that a limit needs is missing, or the kernel
                refused the value.
        """
        self._limit_memory(limits.memory_bytes)
        self._limit_cpus(limits.cpus)
        self._weigh_cpus(limits.cpu_weight)

    def _find(self, controller: str, value: object) -> tuple[int, Path] | None:
        found = self._folders.get(controller)
        if found is None and value is not None:
            raise _refuse(f"{controller} cannot be limited")
        return found

    def _limit_memory(self, size: int | None) -> None:
        found = self._find("memory", size)
        if found is None:
            return
        version, folder = found
        if version == 2:
            _write(folder / "memory.max", "max" if size is None else str(size))
            return
        value = str(-1 if size is None else size)
        both = folder / "memory.memsw.limit_in_bytes"
        if both.exists():
            # It must never be the lower one of the two, so it is out of the
            # way while the other changes.
            _write(both, "-1")
        _write(folder / "memory.limit_in_bytes", value)
        if both.exists():
            _write(both, value)

    def _limit_cpus(self, cpus: float | None) -> None:
        found = self._find("cpu", cpus)
        if found is None:
            return
        version, folder = found
        quota = None if cpus is None else max(int(cpus * _PERIOD_US), 1000)
        if version == 2:
            text = "max" if quota is None else str(quota)
            _write(folder / "cpu.max", f"{text} {_PERIOD_US}")
            return
        _write(folder / "cpu.cfs_period_us", str(_PERIOD_US))
        _write(folder / "cpu.cfs_quota_us", str(-1 if quota is None else quota))

    def _weigh_cpus(self, weight: int | None) -> None:
        found = self._find("cpu", weight)
        if found is None:
            return
        version, folder = found
        value = 100 if weight is None else weight
        if version == 2:
            _write(folder / "cpu.weight", str(value))
        else:
            _write(folder / "cpu.shares", str(max(value * 1024 // 100, 2)))

    def statistics(self) -> Statistics:
        """
        Read the counters.

        Raises:
            OSError: The group was removed.
        """
        user, kernel = self._read_cpu()
        memory, peak = self._read_memory()
        io = self._read_io()
        return Statistics(
            cpu_total=user + kernel,
            cpu_user=user,
            cpu_kernel=kernel,
            memory=memory,
            memory_peak=peak,
            read_count=io[0] if io else None,
            read_bytes=io[1] if io else None,
            write_count=io[2] if io else None,
            write_bytes=io[3] if io else None,
            exact=True,
        )

    def _read_cpu(self) -> tuple[float, float]:
        version, folder = self._folders.get("cpuacct") or self._folders["cpu"]
        if version == 2:
            values = _read_pairs(folder / "cpu.stat")
            return values["user_usec"] / 1e6, values["system_usec"] / 1e6
        # In nanoseconds, where the halves in cpuacct.stat are in ticks.
        user = int((folder / "cpuacct.usage_user").read_text()) / 1e9
        kernel = int((folder / "cpuacct.usage_sys").read_text()) / 1e9
        return user, kernel

    def _read_memory(self) -> tuple[int, int | None]:
        version, folder = self._folders["memory"]
        names = (
            ("memory.current", "memory.peak")
            if version == 2
            else ("memory.usage_in_bytes", "memory.max_usage_in_bytes")
        )
        try:
            peak = int((folder / names[1]).read_text())
        except FileNotFoundError:  # version 2 before Linux 5.19
            peak = None
        return int((folder / names[0]).read_text()), peak

    def _read_io(self) -> tuple[int, int, int, int] | None:
        found = self._folders.get("io") or self._folders.get("blkio")
        if found is None:
            return None
        version, folder = found
        if version == 2:
            return _sum_second_io((folder / "io.stat").read_text())
        sizes = (folder / "blkio.throttle.io_service_bytes_recursive").read_text()
        counts = (folder / "blkio.throttle.io_serviced_recursive").read_text()
        return (
            _sum_first_io(counts, "Read"),
            _sum_first_io(sizes, "Read"),
            _sum_first_io(counts, "Write"),
            _sum_first_io(sizes, "Write"),
        )

    def remove(self) -> None:
        """Remove the folders; what is still in them is killed."""
        while self._made:
            _remove_folder(self._made.pop())
        self._folders.clear()


def _read_pairs(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in path.read_text().splitlines())
    return {name: int(value) for name, value in pairs}


def _sum_first_io(text: str, kind: str) -> int:
    fields = (line.split() for line in text.splitlines())
    return sum(int(f[2]) for f in fields if len(f) == 3 and f[1] == kind)


def _sum_second_io(text: str) -> tuple[int, int, int, int]:
    totals = dict.fromkeys(("rios", "rbytes", "wios", "wbytes"), 0)
    for line in text.splitlines():
        for field in line.split()[1:]:
            name, _, value = field.partition("=")
            if name in totals:
                totals[name] += int(value)
    return totals["rios"], totals["rbytes"], totals["wios"], totals["wbytes"]


class Freezer:
    """
    The group that stops a silo's processes.

    The silo's first process stays out of it: it must hear of its host's death.
    Version 2 is preferred, for there a stopped process can be killed.

    Args:
        name: The silo's.
        limits: Its other group; of version 2, this one is made inside it.

    Raises:
        OSError: No freezer can be used here.
    """

    def __init__(self, name: str, limits: Cgroup | None) -> None:
        self._folder: Path | None = None
        usable = sorted(
            (h for h in hierarchies() if h.version == 2 or "freezer" in h.controllers),
            key=lambda hierarchy: -hierarchy.version,
        )
        for hierarchy in usable:
            parent = hierarchy.own
            if hierarchy.version == 2 and limits is not None:
                parent = limits.unified or parent
            folder = parent / f"{_folder_name(name)}-frozen"
            state = "cgroup.freeze" if hierarchy.version == 2 else "freezer.state"
            try:
                os.mkdir(folder)
            except OSError:
                continue
            if os.access(folder / state, os.W_OK):
                self._folder, self._version = folder, hierarchy.version
                return
            os.rmdir(folder)
        raise _refuse("the silo cannot be paused")

    def freeze(self, pids: Callable[[], list[int]]) -> None:
        """
        Stop processes, and wait until each stands.

        Raises:
            OSError: They cannot be moved or do not stop.
        """
        if self._folder is None:
            raise _refuse("the silo cannot be paused")
        self._set(frozen=True)
        _move_all([self._folder], pids)
        self._await_frozen(self._folder)

    def _await_frozen(self, folder: Path) -> None:
        deadline = time.monotonic() + _FROZEN_WITHIN
        name = "cgroup.events" if self._version == 2 else "freezer.state"
        with (folder / name).open() as events:
            changes = select.poll()
            changes.register(events, select.POLLPRI)
            while True:
                events.seek(0)
                text = events.read()
                if "frozen 1" in text or text.strip() == "FROZEN":
                    return
                if self._is_empty(folder):
                    return
                if time.monotonic() > deadline:
                    raise OSError(errno.ETIMEDOUT, "a process does not stop")
                # Version 1 does not announce the change.
                changes.poll(1000 if self._version == 2 else 1)

    @staticmethod
    def _is_empty(folder: Path) -> bool:
        return not (folder / "cgroup.procs").read_text().strip()

    def _set(self, *, frozen: bool) -> None:
        if self._folder is None:
            return
        if self._version == 2:
            _write(self._folder / "cgroup.freeze", "1" if frozen else "0")
        else:
            state = "FROZEN" if frozen else "THAWED"
            _write(self._folder / "freezer.state", state)

    def thaw(self) -> None:
        """Let the processes go on."""
        self._set(frozen=False)

    def remove(self) -> None:
        """Remove the folder; what is still in it is killed."""
        if self._folder is not None:
            _remove_folder(self._folder)
            self._folder = None


def remove_leftovers() -> None:
    """Remove groups of hosts that do not live any more."""
    for hierarchy in hierarchies():
        for place in (hierarchy.own, *hierarchy.own.parents):
            if hierarchy.root not in (place, *place.parents):
                break
            with contextlib.suppress(OSError):
                _remove_dead(place)


def _remove_dead(place: Path) -> None:
    for folder in place.glob("hcsshim-*"):
        match = _TAG.match(folder.name)
        if match is None or not folder.is_dir():
            continue
        if read_start_ticks(int(match[1])) != int(match[2]):
            with contextlib.suppress(OSError):
                _remove_folder(folder)
