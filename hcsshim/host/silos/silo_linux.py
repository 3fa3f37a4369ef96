"""
Silos of Linux: namespaces, an overlay of layers, cgroups on demand.

A silo is one process tree. Its first process is the program ``silo`` beside
this module, in namespaces of its own; it sets everything up, starts commands
and reaps. It is our child, so its end can be waited for, and when it ends the
kernel kills all that it contained. It watches a descriptor of this process, so
it ends when we do, however we do.

What costs time is left out until asked for: cgroups are made for limits and
for pausing only, since moving a process into one can take 15 ms.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
import sys
from collections import deque
from typing import TYPE_CHECKING

from hcsshim.host.silos import cgroup, processes_linux
from hcsshim.host.silos import wire_linux as wire
from hcsshim.host.silos.launch_linux import launch, reap, spawn
from hcsshim.host.silos.port import (
    Exited,
    Failed,
    Gone,
    Limits,
    Ready,
    Refused,
    Started,
)

if TYPE_CHECKING:
    from hcsshim.host.silos.launch_linux import Remains, SpareSilos
    from hcsshim.host.silos.port import (
        Command,
        MappedDirectory,
        Message,
        ProcessStatistics,
        SiloConfig,
        Statistics,
    )


class LinuxSilo:
    """
    A silo of this machine; see :class:`hcsshim.host.silos.port.Silo`.

    The constructor returns as soon as the program runs; :class:`Ready` or
    :class:`Failed` follows. Whatever can be known to fail is reported that way
    too, so that there is one place to handle it.

    Args:
        config: What to make it from.
        spares: Has one that was made before, which saves most of the time.
        remains: Waits in :meth:`close`'s stead for what the kernel still does when
            all processes are dead.

    Raises:
        OSError: The program is missing or no process can be made.
        ValueError: A text of ``config`` holds a NUL character.
    """

    def __init__(
        self,
        config: SiloConfig,
        spares: SpareSilos | None = None,
        remains: Remains | None = None,
    ) -> None:
        packet = wire.configure(config)
        self._config = config
        self._ready = False
        self._is_empty = False
        self._paused = False
        self._ended = False
        self._closed = False
        self._released = False
        self._remains = remains
        self._failed: Failed | None = None
        self._running: set[int] = set()
        self._unsent: deque[wire.Packet] = deque()
        self._cgroup: cgroup.Cgroup | None = None
        self._freezer: cgroup.Freezer | None = None
        self._launch = (
            spares.take()
            if spares is not None and config.isolated and config.network_of is None
            else launch(config)
        )
        self._socket = self._launch.connection
        self._epoll = self._launch.events
        if config.limits != Limits():
            self._limit_at_start(config.limits)
        if self._failed is None:
            self._send(packet)

    def _limit_at_start(self, limits: Limits) -> None:
        """Place the first process under limits, for all others descend from it."""
        first = self._launch.launcher
        if self._config.isolated:
            self._learn_init()
            first = self._init
        if self._failed is not None:
            return
        try:
            self._cgroup = cgroup.Cgroup(self._config.name)
            self._cgroup.limit(limits)
            self._cgroup.add(first)
        except OSError as error:
            self._failed = Failed(
                stage="limit what processes may use",
                path=error.filename or "",
                errno=error.errno or errno.EPERM,
            )
            self._socket.shutdown(socket.SHUT_WR)

    def _learn_init(self) -> None:
        """Wait for the first process to be made; it then awaits its configuration."""
        self._socket.setblocking(True)
        while self._init == 0 and self._failed is None:
            answer = self._take()
            if answer is None:
                return
            self._accept(*answer, [])
        self._socket.setblocking(False)

    # What arrives.

    @property
    def _init(self) -> int:
        return self._launch.init

    @property
    def _init_file(self) -> int:
        return self._launch.init_file

    def fileno(self) -> int:
        """Give the descriptor that is readable when :meth:`receive` has news."""
        return self._epoll.fileno()

    def receive(self) -> list[Message]:
        """Take what has arrived, without waiting. Empty if nothing has."""
        if self._ended or self._closed:
            return []
        if self._unsent:
            self._flush()
        ready = [file for file, _ in self._epoll.poll(0)]
        # Asked first: nothing more can come after what is read now.
        over = self._init_file in ready
        messages: list[Message] = []
        while (answer := self._take()) is not None:
            self._accept(*answer, messages)
            if not over:
                break  # if there is more, we are called again
        if over or self._is_over_without_init() or self._is_empty:
            self._finish(messages)
        return messages

    def _is_over_without_init(self) -> bool:
        """Tell whether the launcher gave up before there was anything."""
        return self._init == 0 and self._socket.fileno() < 0

    def _take(self) -> tuple[wire.Reply, int] | None:
        """Read one reply and the descriptor that may come along."""
        if self._socket.fileno() < 0:
            return None
        try:
            data, extra, _, _ = self._socket.recvmsg(
                wire.REPLY_MAX, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return None
        except ConnectionResetError:
            data, extra = b"", []
        if not data:
            self._hang_up()
            return None
        file = int.from_bytes(extra[0][2][:4], sys.byteorder) if extra else -1
        return wire.reply(data), file

    def _hang_up(self) -> None:
        """Drop the socket, which would stay readable for ever."""
        self._epoll.unregister(self._socket)
        self._socket.close()

    def _accept(self, reply: wire.Reply, file: int, messages: list[Message]) -> None:
        """Turn a reply into a message, and remember what it changes."""
        if reply.kind == wire.LAUNCHED:
            self._launch.learn_init(reply.pid)
        elif reply.kind == wire.READY:
            self._ready = True
            messages.append(Ready(init_pid=self._init))
        elif reply.kind == wire.FAILED:
            # Told once it is gone: see _finish().
            self._failed = Failed(
                stage=reply.stage, path=reply.path, errno=reply.status
            )
        elif reply.kind == wire.STARTED:
            self._running.add(reply.pid)
            messages.append(Started(token=reply.token, pid=reply.pid, console=file))
        elif reply.kind == wire.REFUSED:
            messages.append(
                Refused(
                    token=reply.token,
                    stage=reply.stage,
                    path=reply.path,
                    errno=reply.status,
                )
            )
        elif reply.kind == wire.EXITED:
            self._running.discard(reply.pid)
            messages.append(Exited(pid=reply.pid, status=reply.status))
        elif reply.kind == wire.EMPTY:
            self._is_empty = self._may_go_before_its_end()

    def _may_go_before_its_end(self) -> bool:
        """
        Tell whether nothing that others may want is in use until the very end.

        A scratch folder may become part of the next system; cgroups can be removed
        only when they are empty.
        """
        return (
            self._remains is not None
            and self._config.scratch is None
            and self._cgroup is None
            and self._freezer is None
        )

    def _finish(self, messages: list[Message]) -> None:
        """Say the last words of a silo whose processes are gone."""
        if self._ready:
            # The kernel killed what the first process did not get to report.
            messages.extend(
                Exited(pid=pid, status=signal.SIGKILL) for pid in sorted(self._running)
            )
            messages.append(Gone())
        else:
            messages.append(
                self._failed
                or Failed(stage="start the silo", path="", errno=errno.ECHILD)
            )
        self._running.clear()
        self._ended = True
        if not self._is_empty:  # else close() does, when those who wait know
            self._release()

    # What is sent.

    def _send(self, packet: wire.Packet) -> None:
        """Send a request now, or when there is room."""
        if not self._unsent and self._try_to_send(packet):
            return
        # The caller may close its descriptors as soon as we return.
        copies = tuple(os.dup(file) for file in packet.files)
        if packet.memory >= 0:
            os.close(packet.memory)
        self._unsent.append(wire.Packet(packet.data, copies))
        self._epoll.modify(self._socket, select.EPOLLIN | select.EPOLLOUT)

    def _try_to_send(self, packet: wire.Packet) -> bool:
        try:
            if packet.files:
                socket.send_fds(self._socket, [packet.data], packet.files)
            else:
                self._socket.send(packet.data)
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            pass  # it ended; receive() will tell
        if packet.memory >= 0:
            os.close(packet.memory)
        return True

    def _flush(self) -> None:
        """Send what had no room before."""
        while self._unsent and self._socket.fileno() >= 0:
            packet = self._unsent[0]
            if not self._try_to_send(packet):
                return
            self._unsent.popleft()
            for file in packet.files:
                os.close(file)
        if self._socket.fileno() >= 0:
            self._epoll.modify(self._socket, select.EPOLLIN)

    def _is_connected(self) -> bool:
        return not (self._ended or self._closed) and self._socket.fileno() >= 0

    def start(self, token: int, command: Command) -> None:
        """
        Start a process; ``Started`` or ``Refused`` with the token answers.

        Raises:
            BrokenPipeError: The silo is gone.
            ValueError: A text holds a NUL character.
        """
        if not self._is_connected():
            raise BrokenPipeError(errno.EPIPE, "the silo is gone")
        self._send(wire.start(token, command))

    def signal(self, pid: int, number: int) -> None:
        """
        Send a signal to one process.

        Raises:
            ProcessLookupError: It is gone.
            ValueError: There is no such signal.
        """
        signal.Signals(number)
        if self._is_connected() and pid in self._running:
            # The first process alone knows that the number is not reused.
            self._send(wire.request(wire.SIGNAL, pid=pid, number=number))
            return
        self._signal_other(pid, number)

    def _signal_other(self, pid: int, number: int) -> None:
        """Signal a process that no command of ours became."""
        isolated = self._config.isolated
        outer = None
        if self._ready and not self._ended and pid > int(isolated):
            outer = processes_linux.outer_pid(self._init, pid, isolated=isolated)
        if outer is None:
            raise ProcessLookupError(errno.ESRCH, f"no process {pid} in the silo")
        file = os.pidfd_open(outer)
        try:
            # It may have ended, and its number be somebody else's, meanwhile.
            if processes_linux.inner_pid(outer, isolated=isolated) != pid:
                raise ProcessLookupError(errno.ESRCH, f"no process {pid} in the silo")
            signal.pidfd_send_signal(file, number)
        finally:
            os.close(file)

    def terminate(self) -> None:
        """Kill everything; ``Exited`` for each command, then ``Gone`` follow."""
        if not self._is_connected():
            return
        self._send(wire.request(wire.TERMINATE))
        self._thaw()

    # What a running silo is asked about.

    def pause(self) -> None:
        """
        Stop every process where it is.

        Raises:
            OSError: The machine offers no freezer here.
        """
        if not self._ready or self._ended:
            raise OSError(errno.ESRCH, "the silo does not run")
        if self._freezer is None:
            self._freezer = cgroup.Freezer(self._config.name, self._cgroup)
        self._paused = True
        try:
            self._freezer.freeze(lambda: processes_linux.descendants(self._init))
        except OSError:
            self._thaw()
            raise

    def resume(self) -> None:
        """Let paused processes go on."""
        self._thaw()

    def _thaw(self) -> None:
        if self._freezer is not None and self._paused:
            self._freezer.thaw()
            self._paused = False

    def limit(self, limits: Limits) -> None:
        """
        Replace the limits of a running silo.

        Raises:
            OSError: No writable cgroup.
        """
        if not self._ready or self._ended:
            raise OSError(errno.ESRCH, "the silo does not run")
        if self._cgroup is None:
            if limits == Limits():
                return
            made = cgroup.Cgroup(self._config.name, since_start=False)
            try:
                made.limit(limits)
                made.add_all(
                    lambda: [
                        self._init,
                        *processes_linux.descendants(self._init),
                    ]
                )
            except OSError:
                made.remove()
                raise
            self._cgroup = made
            return
        self._cgroup.limit(limits)

    def map_directory(self, directory: MappedDirectory) -> None:
        """
        Mount one more directory while the silo runs.

        Raises:
            OSError: With the path that is at fault.
        """
        self._enter(wire.map_directory(directory))

    def unmap_directory(self, target: str) -> None:
        """
        Unmount what :meth:`map_directory` or the configuration mounted.

        Raises:
            OSError: Nothing is mounted there.
        """
        self._enter(wire.unmap_directory(target))

    def _enter(self, packet: wire.Packet) -> None:
        """Have a process of the program change the mounts; takes about 2 ms."""
        if not self._ready or self._ended:
            raise OSError(errno.ESRCH, "the silo does not run")
        if not self._config.isolated:
            raise OSError(errno.ENOTSUP, "no mounts without isolation")
        pid, connection = spawn("enter", os.dup(self._init_file))
        with connection:
            connection.send(packet.data)
            data = connection.recv(wire.REPLY_MAX)
        reap(pid)
        if not data:
            raise OSError(errno.ECHILD, "the process that mounts was killed")
        reply = wire.reply(data)
        if reply.kind == wire.FAILED:
            reason = f"{reply.stage}: {os.strerror(reply.status)}"
            raise OSError(reply.status, reason, reply.path or None)

    def statistics(self) -> Statistics:
        """Tell what the silo used so far."""
        if self._cgroup is not None and self._cgroup.counts:
            return self._cgroup.statistics()
        return processes_linux.sum_up(self._init)

    def processes(self) -> list[ProcessStatistics]:
        """List the living processes."""
        if not self._ready or self._ended:
            return []
        return processes_linux.list_processes(
            self._init, isolated=self._config.isolated
        )

    # The end.

    def close(self) -> None:
        """Terminate, wait until all is gone, free everything. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if not self._ended:
            self._kill()
        if not self._released:
            self._release()
        self._epoll.close()

    def _kill(self) -> None:
        """End the first process by the surest means there is."""
        if self._init == 0:
            self._await_launch()
        if self._config.isolated and self._init_file >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init_file, signal.SIGKILL)
        elif self._socket.fileno() >= 0:
            # A supervisor kills what it has when its host hangs up.
            self._socket.close()
        self._thaw()

    def _await_launch(self) -> None:
        """Learn of a first process that may be in the making right now."""
        if self._socket.fileno() < 0:
            return
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._socket.setblocking(True)
        while self._init == 0 and (answer := self._take()) is not None:
            self._accept(*answer, [])

    def _release(self) -> None:
        """Reap and free; what was in the silo is gone or on the way."""
        self._released = True
        pids = tuple({self._launch.launcher, self._init} - {0})
        if self._is_empty and self._remains is not None:
            self._remains.add(self._init_file, pids)
            self._launch.init_file = -1
        else:
            for pid in pids:
                reap(pid)
        if self._init_file >= 0:
            os.close(self._init_file)
            self._launch.init_file = -1
        if self._socket.fileno() >= 0:
            self._socket.close()
        for packet in self._unsent:
            for file in packet.files:
                os.close(file)
        self._unsent.clear()
        for group in (self._freezer, self._cgroup):
            if group is not None:
                group.remove()


def remove_leftovers() -> None:
    """
    Remove the cgroups of silos whose host was killed.

    A host calls it when it starts. Living hosts' cgroups are left alone.
    """
    cgroup.remove_leftovers()
