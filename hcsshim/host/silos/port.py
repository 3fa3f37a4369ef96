"""
What the host asks of a silo: the isolated place where a system's processes run.

The rules of compute systems (states, notifications, documents) are not here: a
silo knows processes, mounts and limits only.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from pathlib import Path


@attrs.frozen(kw_only=True)
class MappedDirectory:
    """
    A directory of the machine that a silo shows under another path.

    Args:
        source: Absolute path on the machine.
        target: Absolute POSIX path in the silo; made if it is missing.
        read_only: Refuse writes through ``target``.
    """

    source: Path
    target: str
    read_only: bool = False


@attrs.frozen(kw_only=True)
class Limits:
    """
    What the processes of a silo may use together; ``None`` is no limit.

    Args:
        memory_bytes: Memory, in bytes.
        cpus: Processor time in processors: 0.5 is half of one.
        cpu_weight: Share of a contended processor, 1 to 10000, 100 is usual.
    """

    memory_bytes: int | None = None
    cpus: float | None = None
    cpu_weight: int | None = None


class Root(enum.IntEnum):
    """What becomes of writes to the root of a silo."""

    #: They go to the scratch folder, or are lost with the silo.
    LAYERED = 0
    #: The only layer takes them.
    IN_PLACE = 1
    #: They fail.
    READ_ONLY = 2


@attrs.frozen(kw_only=True)
class SiloConfig:
    """
    Everything that a silo is made from.

    Args:
        name: Unique among the host's silos, made of letters, digits and ``-_.``.
        hostname: The name that processes see.
        layers: Root file systems, the topmost first. Empty: the machine's own
            root is the base.
        scratch: Folder whose ``upper`` and ``work`` take the writes, kept when the
            silo is gone. ``None``: writes go to memory or a folder of the silo's
            own and are gone with it.
        root: What becomes of writes.
        mapped_directories: Mounted in order.
        limits: Enforced by cgroups.
        isolated: ``False`` runs processes straight on the machine, without
            namespaces; only on an explicit request.
        demanding: Fail rather than show the layers to processes that could also look
            elsewhere; only on an explicit request.
        mounted: Where the layers and the scratch folder are seen together already, if
            they are; only on Windows.
        network_of: Id on the machine of a process whose network it shares; ``None``
            for a network of its own, which has nothing but the loopback.
    """

    name: str
    hostname: str
    layers: tuple[Path, ...] = ()
    scratch: Path | None = None
    root: Root = Root.LAYERED
    mapped_directories: tuple[MappedDirectory, ...] = ()
    limits: Limits = Limits()
    isolated: bool = True
    demanding: bool = False
    mounted: Path | None = None
    network_of: int | None = None


@attrs.frozen(kw_only=True)
class Confinement:
    """
    What a process may do on Linux, beyond or below what is usual.

    Args:
        capabilities: A bit for each that it has as root; ``None`` for the usual ones.
        umask: Mask of the modes of new files; ``None`` for the usual one.
        no_new_privileges: No program that it starts gets more rights.
        groups: Numbers of more groups.
        limits: Number of a resource, soft limit, hard limit.
    """

    capabilities: int | None = None
    umask: int | None = None
    no_new_privileges: bool = False
    groups: tuple[int, ...] = ()
    limits: tuple[tuple[int, int, int], ...] = ()


@attrs.frozen(kw_only=True)
class Command:
    """
    A process to be started in a silo.

    Args:
        arguments: ``arguments[0]`` is looked up in the ``PATH`` of
            ``environment``, in the silo, unless it holds a slash.
        environment: The whole environment.
        directory: Absolute working directory in the silo.
        user: ``name``, ``uid``, ``uid:gid`` as in the silo's own ``/etc/passwd``;
            empty for root.
        files: Descriptors (on Windows handles) for stdin, stdout and stderr; -1 is
            ``/dev/null``. They stay the caller's. Not used with a console.
        console: Rows and columns of a new pseudo terminal, or ``None``.
        line: On Windows, the command line as it was given; ``arguments`` are what
            its usual rules make of it.
        confinement: What it may do, on Linux.
    """

    arguments: tuple[str, ...]
    environment: dict[str, str]
    directory: str = "/"
    user: str = ""
    files: tuple[int, int, int] = (-1, -1, -1)
    console: tuple[int, int] | None = None
    line: str = ""
    confinement: Confinement = Confinement()


@attrs.frozen(kw_only=True)
class Ready:
    """The silo is set up and takes commands. ``init_pid`` is on the machine."""

    init_pid: int


@attrs.frozen(kw_only=True)
class Failed:
    """
    The silo could not be set up; it is gone.

    ``stage`` names what failed in words for a person ("mount the layers"),
    ``path`` the file concerned or "", ``errno`` the reason.
    """

    stage: str
    path: str
    errno: int


@attrs.frozen(kw_only=True)
class Started:
    """
    The command of ``token`` runs.

    ``pid`` is as processes in the silo see it. ``console`` is the descriptor of
    the terminal's other end, now the receiver's; -1 without a console.
    """

    token: int
    pid: int
    console: int = -1


@attrs.frozen(kw_only=True)
class Refused:
    """The command of ``token`` could not be started; as in :class:`Failed`."""

    token: int
    stage: str
    path: str
    errno: int


@attrs.frozen(kw_only=True)
class Exited:
    """
    A started command ended. ``status`` is as ``os.waitpid`` reports it.
    """

    pid: int
    status: int


@attrs.frozen(kw_only=True)
class Gone:
    """The silo ended: nothing of it is left running. The last message."""


Message = Ready | Failed | Started | Refused | Exited | Gone


@attrs.frozen(kw_only=True)
class Statistics:
    """
    What a silo has used so far; ``None`` where the machine does not tell.

    Times are in seconds, sizes in bytes. ``exact`` says whether cgroups counted
    (also what has ended) or the living processes were summed up.
    """

    cpu_total: float
    cpu_user: float
    cpu_kernel: float
    memory: int
    memory_peak: int | None
    read_count: int | None
    read_bytes: int | None
    write_count: int | None
    write_bytes: int | None
    exact: bool


@attrs.frozen(kw_only=True)
class ProcessStatistics:
    """One process of a silo; ``pid`` is as processes in the silo see it."""

    pid: int
    image: str
    cpu_user: float
    cpu_kernel: float
    memory: int
    started: float


class Silo(Protocol):
    """
    One silo. Not thread-safe: it belongs to the host's one thread.

    Nothing here waits, except :meth:`pause` and :meth:`statistics` for the few
    moments the kernel takes.
    """

    def fileno(self) -> int:
        """Give the descriptor that is readable when :meth:`receive` has news."""

    def receive(self) -> list[Message]:
        """Take what has arrived, without waiting. Empty if nothing has."""

    def start(self, token: int, command: Command) -> None:
        """Start a process; ``Started`` or ``Refused`` with the token answers."""

    def signal(self, pid: int, number: int) -> None:
        """
        Send a signal to one process.

        Raises:
            ProcessLookupError: It is gone.
        """

    def terminate(self) -> None:
        """Kill everything; ``Exited`` for each command, then ``Gone`` follow."""

    def pause(self) -> None:
        """
        Stop every process where it is.

        Raises:
            OSError: The machine offers no freezer here.
        """

    def resume(self) -> None:
        """Let paused processes go on."""

    def limit(self, limits: Limits) -> None:
        """
        Replace the limits of a running silo.

        Raises:
            OSError: No writable cgroup.
        """

    def map_directory(self, directory: MappedDirectory) -> None:
        """
        Mount one more directory while the silo runs.

        Raises:
            OSError: With the path that is at fault.
        """

    def unmap_directory(self, target: str) -> None:
        """Unmount what :meth:`map_directory` or the configuration mounted."""

    def statistics(self) -> Statistics:
        """Tell what the silo used so far."""

    def processes(self) -> list[ProcessStatistics]:
        """List the living processes."""

    def close(self) -> None:
        """Terminate, wait until all is gone, free everything. Idempotent."""
