"""
Layers mounted where the machine's own programs see them.

A process of the silo program holds each mount, so that a mount never outlives the
host. Who may not mount gets it in a namespace of its own; its path then leads through
``/proc``, and holds for programs of the same user.
"""

from __future__ import annotations

import contextlib
import os
import socket
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

from hcsshim.host.silos import wire_linux as wire
from hcsshim.host.silos.launch_linux import reap, spawn
from hcsshim.host.silos.port import MappedDirectory, SiloConfig

if TYPE_CHECKING:
    from collections.abc import Sequence


class LinuxVolume:
    """
    A mount of layers. Its methods wait for a few milliseconds.

    Args:
        layers: Root file systems, the topmost first.
        scratch: Takes the writes in its ``upper`` and ``work``; ``None`` for a mount
            that is read-only, of two layers at least.
        target: An empty directory, where to mount.

    Raises:
        OSError: This machine cannot mount them; the text says at what it failed.
    """

    shared = False

    def __init__(self, layers: Sequence[str], scratch: str | None, target: str) -> None:
        self._pid, self._socket = spawn("volume", os.pidfd_open(os.getpid()))
        try:
            config = SiloConfig(
                name="volume",
                hostname="volume",
                layers=tuple(Path(layer) for layer in layers),
                scratch=None if scratch is None else Path(scratch),
                mapped_directories=(MappedDirectory(source=Path("/"), target=target),),
            )
            holder = self._ask(wire.configure(config)).pid
        except BaseException:
            self.close()
            raise
        #: Where the layers are seen.
        self.path = f"/proc/{holder}/root{target}" if holder else target

    def _ask(self, packet: wire.Packet) -> wire.Reply:
        try:
            files = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", packet.files))]
            self._socket.sendmsg([packet.data], files if packet.files else [])
            data = self._socket.recv(wire.REPLY_MAX)
        except ConnectionError:
            data = b""
        finally:
            if packet.memory >= 0:
                os.close(packet.memory)
        if not data:
            raise ChildProcessError("the process that mounts was killed")
        reply = wire.reply(data)
        if reply.kind == wire.FAILED:
            text = f"to {reply.stage} failed: {os.strerror(reply.status)}"
            raise OSError(reply.status, text, reply.path or None)
        return reply

    def settle(self) -> None:
        """Do nothing: the writable layer has what is written at once."""

    def unmount(self) -> None:
        """
        Unmount, unless somebody is in it; the path stays the volume's.

        Raises:
            OSError: Somebody is; the mount stays.
        """
        with contextlib.suppress(ChildProcessError):  # whoever killed it did our work
            self._ask(wire.request(wire.UNMAP))

    def mount(self) -> None:
        """
        Mount again what was unmounted.

        Raises:
            OSError: This machine cannot mount it any more.
        """
        self._ask(wire.request(wire.MAP))

    def close(self) -> None:
        """Unmount even if somebody is in it: who is keeps what is open. Idempotent."""
        if self._socket.fileno() >= 0:
            self._socket.close()
            reap(self._pid)
