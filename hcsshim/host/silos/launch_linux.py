"""
The processes that Linux silos begin and end with.

Making the namespaces and most mounts of a silo is the same for all of them, and takes
longer than all that its configuration adds. So a host keeps spare silos, which have
that behind them: they belong to no system, nobody can see or enter them, and they end
with the host.

The end of a silo takes the kernel a while, too: its processes are dead, and their
namespaces still have to be taken apart. Nobody need wait for that but the host before
it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import select
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hcsshim.host.serving.loop import READ
from hcsshim.host.silos import wire_linux as wire

if TYPE_CHECKING:
    from hcsshim.host.serving.loop import Loop, Timer
    from hcsshim.host.silos.port import SiloConfig

_LOWEST: Final = 5  # descriptors below are placed for the program
_MFD_EXEC: Final = 0x10
_SEALS: Final = (
    fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
)
#: How many spare silos there are when nothing happens: one to use, one more for whoever
#: comes before that is replaced.
_SPARES: Final = 2
#: Seconds from the use of a spare silo until the next is made: what the system that
#: took it was made for shall not have to share the machine with that.
_SPARE_AFTER: Final = 0.02
#: The same when none is left, and whoever comes next would have to wait for one.
_SPARE_SOON: Final = 0.002


@functools.cache
def _program() -> str:
    """
    Copy the program into sealed memory and give the copy's path.

    A silo reaches what it runs through ``/proc/1/exe``; the copy cannot be
    written to, and it is not the file that the next silo is made from.
    """
    path = Path(__file__).with_name("silo")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
        try:
            copy = os.memfd_create("silo", flags | _MFD_EXEC)
        except OSError:  # before Linux 6.3 every such file may be run
            copy = os.memfd_create("silo", flags)
        while size > 0:
            size -= os.sendfile(copy, file.fileno(), None, size)
    copy = _raise_above_placed(copy)
    fcntl.fcntl(copy, fcntl.F_ADD_SEALS, _SEALS)
    return f"/proc/self/fd/{copy}"


def _raise_above_placed(file: int) -> int:
    """Exchange a descriptor for one that placing 0 to 4 does not overwrite."""
    if file >= _LOWEST:
        return file
    moved = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _LOWEST)
    os.close(file)
    return int(moved)


def spawn(mode: str, process: int) -> tuple[int, socket.socket]:
    """
    Spawn the program without forking this process.

    Args:
        mode: Its first argument.
        process: A pidfd, ours to close: whom the program watches or enters.

    Returns:
        Its pid and our end of the socket.
    """
    process = _raise_above_placed(process)
    try:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        end = _raise_above_placed(theirs.detach())
        try:
            pid = os.posix_spawn(
                _program(),
                ["silo", mode],
                {},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
                    (os.POSIX_SPAWN_DUP2, 0, 1),
                    (os.POSIX_SPAWN_DUP2, 0, 2),
                    (os.POSIX_SPAWN_DUP2, end, 3),
                    (os.POSIX_SPAWN_DUP2, process, 4),
                ],
            )
        except BaseException:
            ours.close()
            raise
        finally:
            os.close(end)
    finally:
        os.close(process)
    return pid, ours


class Launch:
    """
    A silo that has begun: its processes, and the connection to them.

    Args:
        launcher: The pid of the process that makes the first one and ends.
        connection: Our end.

    Attributes:
        events: Ready when there is something to hear, or the first process has ended.
        init: The pid of the first process; 0 until it is known.
        init_file: A pidfd of it, or -1.
    """

    __slots__ = ("connection", "events", "init", "init_file", "launcher")

    def __init__(self, launcher: int, connection: socket.socket) -> None:
        self.launcher = launcher
        self.connection = connection
        self.init = 0
        self.init_file = -1
        connection.setblocking(False)
        self.events = select.epoll()
        self.events.register(connection, select.EPOLLIN)

    def learn_init(self, pid: int) -> None:
        """Remember the first process, of which the launcher has told."""
        self.init = pid
        self.init_file = os.pidfd_open(pid)
        self.events.register(self.init_file, select.EPOLLIN)

    def hear(self) -> bool:
        """Hear what a spare silo says; tell whether it is of use."""
        try:
            data = self.connection.recv(wire.REPLY_MAX)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        reply = wire.reply(data) if data else None
        if reply is None or reply.kind != wire.LAUNCHED:
            return False
        self.learn_init(reply.pid)
        return True


def launch(config: SiloConfig | None = None) -> Launch:
    """Spawn the program as a silo, isolated unless the configuration says no."""
    if config is not None and config.isolated and config.network_of is not None:
        return Launch(*_spawn_beside(config.network_of))
    mode = "silo" if config is None or config.isolated else "supervise"
    return Launch(*spawn(mode, os.pidfd_open(os.getpid())))


def _spawn_beside(pid: int) -> tuple[int, socket.socket]:
    """Spawn a silo in the network namespace of another one's process."""
    from hcsshim.host.datapath.namespaces import (  # noqa: PLC0415 - seldom needed
        NetworkNamespace,
    )

    namespace = NetworkNamespace.of_process(pid)
    try:
        return namespace.run(lambda: spawn("join", os.pidfd_open(os.getpid())))
    finally:
        namespace.close()


class SpareSilos:
    """
    Silos that wait for their configuration.

    A silo finds its layers among the mounts that the machine had when the silo's
    namespaces were made, and keeps those mounts in use until it is configured. So when
    the machine mounts or unmounts anything, the spare ones are let go.

    Args:
        loop: Of the host: makes new ones when there is time.
        remains: Sees those off that are not needed.
    """

    def __init__(self, loop: Loop, remains: Remains) -> None:
        self._loop = loop
        self._remains = remains
        self._made: list[Launch] = []
        self._missing = 0
        self._timer: Timer | None = None
        # Each open file tells of a change once, so there is one to wake us, and one
        # to ask in case what came first was a call.
        self._watched = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        self._asked = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        self._question = select.poll()
        self._question.register(self._asked, select.POLLPRI)
        loop.watch(self._watched, select.EPOLLPRI, lambda _events: self._let_go())

    @property
    def inits(self) -> tuple[int, ...]:
        """The pids of the first processes of those that are there."""
        return tuple(made.init for made in self._made if made.init)

    def take(self) -> Launch:
        """
        Give a spare one away, or a new one.

        Raises:
            OSError: No process can be made.
        """
        if self._question.poll(0):
            self._let_go()
        if self._made:
            made = self._made.pop(0)
            self._loop.unwatch(made.events.fileno())
        else:
            made = launch()
        self._missing = _SPARES - len(self._made)
        self._make_later()
        return made

    def _make_later(self) -> None:
        if self._timer is None:
            delay = _SPARE_AFTER if self._made else _SPARE_SOON
            self._timer = self._loop.call_later(delay, self._make)

    def _make(self) -> None:
        self._timer = None
        self._missing -= 1
        try:
            made = launch()
        except OSError:
            return  # who needs one will be told
        self._made.append(made)
        self._loop.watch(made.events.fileno(), READ, lambda _events: self._hear(made))
        if self._missing > 0:
            self._make_later()

    def _hear(self, made: Launch) -> None:
        if not made.hear():
            self._drop(made)

    def _drop(self, made: Launch) -> None:
        self._made.remove(made)
        self._loop.unwatch(made.events.fileno())
        self._remains.add_unused(made)

    def _let_go(self) -> None:
        """Let the spare ones end; the use of the next silo makes new ones."""
        for made in tuple(self._made):
            self._drop(made)

    def close(self) -> None:
        """Let the spare ones end, and make no more."""
        self._let_go()
        if self._timer is not None:
            self._timer.cancel()
        self._loop.unwatch(self._watched)
        for file in (self._watched, self._asked):
            os.close(file)


class Remains:
    """
    Processes of silos with nothing left in them, which the kernel is taking apart.

    Args:
        loop: Of the host: hears of their ends.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._left: dict[int, tuple[int, ...]] = {}

    def add(self, file: int, pids: tuple[int, ...]) -> None:
        """
        See to processes.

        Args:
            file: The pidfd of the one that ends last; ours to close.
            pids: Children of this process.
        """
        self._left[file] = pids
        self._loop.watch(file, READ, lambda _events: self._bury(file))

    def add_unused(self, made: Launch) -> None:
        """See to a silo that never got a configuration; it waits for one in vain."""
        with contextlib.suppress(OSError):
            made.connection.shutdown(socket.SHUT_WR)
        reap(made.launcher)  # what it said is there now
        if made.init == 0:
            made.hear()
        made.connection.close()
        made.events.close()
        if made.init != 0:
            self.add(made.init_file, (made.init,))

    def _bury(self, file: int) -> None:
        self._loop.unwatch(file)
        for pid in self._left.pop(file):
            reap(pid)
        os.close(file)

    def close(self) -> None:
        """Wait until all are gone."""
        for file in tuple(self._left):
            self._bury(file)


def reap(pid: int) -> None:
    """Wait for a child, unless somebody else in this process did."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
