"""
The host itself: its socket, its clients, its systems, and its end.

One host serves one socket: it holds the lock beside it as long as it lives. It ends
on SIGTERM, or when it has had neither clients nor systems for a while.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hcsshim._native.host_process import (
    is_listening,
    lock_file,
    lock_path,
    prepare_folder,
)
from hcsshim.host.layers.layers import Layers
from hcsshim.host.serving import transport, wire
from hcsshim.host.serving.connection import Connection
from hcsshim.host.serving.dispatch import handlers
from hcsshim.host.serving.loop import READ, Loop
from hcsshim.host.serving.session import Session
from hcsshim.host.systems.systems import Systems
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.network.service import NetworkService
    from hcsshim.host.serving.log import Log
    from hcsshim.host.serving.loop import Timer
    from hcsshim.host.silos.port import Silo, SiloConfig
    from hcsshim.host.systems.systems import System

#: How long to leave new clients waiting when there are no more descriptors.
_ACCEPT_AGAIN_SECONDS = 0.1
#: What systems have to end when the host ends.
_STOP_SECONDS = 10.0


class AlreadyRunningError(Exception):
    """Another host serves this socket."""


class Host:
    """
    The embedded host.

    Args:
        path: Of its socket; the folder is made if it is missing.
        open_silo: Makes silos.
        log: Its own.
        idle_seconds: How long it lives on without clients and systems.
        open_networks: Makes the networking service; by default the machine's.
        close_silos: Waits for the end of what ``open_silo`` has made.

    Raises:
        AlreadyRunningError: One is there already.
        HcsError: The folder is not private.
        OSError: The socket cannot be made.
    """

    def __init__(  # noqa: PLR0913 - one for each thing that tests replace
        self,
        path: str,
        open_silo: Callable[[SiloConfig], Silo],
        log: Log,
        idle_seconds: float,
        *,
        open_networks: Callable[[Host], NetworkService] | None = None,
        close_silos: Callable[[], None] | None = None,
    ) -> None:
        self._path = path
        self._log = log
        self._idle_seconds = idle_seconds
        self._idle: Timer | None = None
        self._clients: set[Client] = set()
        self._stopping = False
        prepare_folder(path)
        self._lock = _take_lock(path)
        self.loop = Loop(log.exception)
        self.layers = Layers(self.loop, log.exception)
        self.layers.emptied = self._look_if_idle
        self.systems = Systems(self.loop, open_silo, self.layers)
        self.systems.emptied = self._look_if_idle
        self.systems.plug = self._plug
        self.systems.replug = self._replug
        self.systems.unplug = self._unplug
        self._networks: NetworkService | None = None
        self._open_networks = open_networks
        self._close_silos = close_silos
        self.handlers = handlers(self.systems, self.layers, self.loop, self.networks)
        self._listener = self._listen()
        self._look_if_idle()

    def _listen(self) -> transport.Listener:
        listener = transport.Listener(self._path, self.loop)
        self.loop.watch(listener.fileno(), READ, self._accept)
        return listener

    # -- clients ---------------------------------------------------------

    def _accept(self, _events: int) -> None:
        try:
            stream, process = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except PermissionError as error:
            self._log.write(f"refused {error.strerror}")
            return
        except OSError as error:
            if error.errno not in transport.NO_FILES:
                raise
            self._accept_later()
            return
        self._clients.add(Client(self, stream, process))
        self._look_if_idle()

    def _accept_later(self) -> None:
        """Let the queue of the socket hold whoever comes now."""
        self._log.write("has no descriptors left for more clients")
        listener = self._listener
        self.loop.unwatch(listener.fileno())

        def again() -> None:
            if self._listener is listener and not self._stopping:
                self.loop.watch(listener.fileno(), READ, self._accept)

        self.loop.call_later(_ACCEPT_AGAIN_SECONDS, again)

    def forget(self, client: Client) -> None:
        """A client is gone."""
        self._clients.discard(client)
        self._look_if_idle()

    def failed(self, error: BaseException) -> None:
        """Write down a bug."""
        self._log.exception(error)

    def debug(self, message: str) -> None:
        """Write down what happened, if somebody wants to know."""
        self._log.debug(message)

    # -- networks --------------------------------------------------------

    @property
    def path(self) -> str:
        """Of its socket."""
        return self._path

    def networks(self) -> NetworkService:
        """Give the networking service, made on first use."""
        if self._networks is None:
            if self._open_networks is not None:
                self._networks = self._open_networks(self)
            else:
                from hcsshim.host.network.service import (  # noqa: PLC0415 - seldom
                    open_service,
                )

                self._networks = open_service(self._path, self.init_of)
        return self._networks

    def resume_networks(self) -> None:
        """Bring back the networks that an earlier host kept, if there are any."""
        from hcsshim.host.network.store_path import has_store  # noqa: PLC0415

        if not self._stopping and has_store(self._path):
            self.networks()

    def init_of(self, system_id: str) -> tuple[int | None] | None:
        """
        Find the first process of a running system.

        Returns:
            Its process id, ``None`` in its place if the system is not isolated; or
            ``None`` if no system of the id runs.
        """
        system = self.systems.running(system_id)
        if system is None:
            return None
        return (system.init_pid if system.configuration.isolated else None,)

    def _plug(self, system: System) -> None:
        pid = system.init_pid if system.configuration.isolated else None
        networking = system.configuration.networking
        self.networks().compartments.start(system.id, pid, networking)

    def _replug(self, system: System, endpoint: str, added: bool) -> None:  # noqa: FBT001 - a callback
        compartments = self.networks().compartments
        change = compartments.add if added else compartments.remove
        change(system.id, endpoint)

    def _unplug(self, system: System) -> None:
        if self._networks is not None:
            self._networks.compartments.end(system.id)

    # -- the end ---------------------------------------------------------

    def _look_if_idle(self) -> None:
        if self._stopping:
            if not len(self.systems):
                self.loop.stop()
            return
        busy = bool(self._clients) or len(self.systems) > 0 or self.layers.busy
        if not busy and self._networks is not None:
            busy = self._networks.busy
        if busy and self._idle is not None:
            self._idle.cancel()
            self._idle = None
        elif not busy and self._idle is None:
            self._idle = self.loop.call_later(self._idle_seconds, self._end_if_idle)

    def _end_if_idle(self) -> None:
        """
        End, unless a client is just coming.

        Without its name nobody can connect to the socket any more; who did before is
        waiting at it, and is served.
        """
        self._idle = None
        self._listener.hide()
        self._accept(READ)
        if not self._clients:
            self._log.debug("ends, since nobody needs it")
            self.stop()
            return
        self.loop.unwatch(self._listener.fileno())
        self._drain_listener()
        self._listener.close()
        self._listener = self._listen()

    def _drain_listener(self) -> None:
        """Take in all that wait at the old socket."""
        count = -1
        while count != len(self._clients):
            count = len(self._clients)
            self._accept(READ)

    def stop(self) -> None:
        """End: drop the clients, end the systems, then leave the loop."""
        if self._stopping:
            return
        self._stopping = True
        self.loop.unwatch(self._listener.fileno())
        self._listener.hide()
        self._listener.close()
        if self._networks is not None:
            self._networks.core.notices.end()
        for client in tuple(self._clients):
            client.connection.close("the host ends")
        self.systems.terminate_all()
        self.loop.call_later(_STOP_SECONDS, self.loop.stop)
        self._look_if_idle()

    def run(self) -> None:
        """Serve until :meth:`stop`, then free everything."""
        self.loop.run()
        self.systems.close_all()
        if self._close_silos is not None:
            self._close_silos()
        if self._networks is not None:
            self._networks.close()
        self.layers.close()
        self.loop.close()
        os.close(self._lock)

    def stop_on_signals(self) -> None:
        """Let whoever ends processes end the host; only in the main thread."""
        self.loop.call_on_signals(self.stop)


def _take_lock(path: str) -> int:
    """
    Take the lock that belongs to a socket.

    Raises:
        AlreadyRunningError: A host has it and answers. One that is just ending is
            waited for.
    """
    name = lock_path(path, "lock")
    lock = lock_file(name, wait=False)
    if lock is None:
        if is_listening(path):
            raise AlreadyRunningError(path)
        lock = lock_file(name, wait=True)
    if lock is None:
        raise AlreadyRunningError(path)
    return lock


class Client:
    """
    One connection, from its hello on a session.

    Args:
        host: That it talks to.
        stream: Its end of it.
        process: Its process id, for the log.
    """

    def __init__(self, host: Host, stream: transport.Stream, process: int) -> None:
        self._host = host
        self._process = process
        self._session: Session | None = None
        self.connection = Connection(
            stream, process, host.loop, self._receive, self._closed
        )

    def _receive(self, header: wire.Header, body: memoryview) -> None:
        if self._session is not None:
            self._session.receive(header, body)
            return
        name = wire.decode_hello(header, body)
        pid = os.getpid()
        if header.detail != wire.VERSION:
            code = HResult.HCS_E_UNSUPPORTED_PROTOCOL_VERSION
            self.connection.send(wire.encode_welcome(_VERSION, pid, code))
            self.connection.end()
            return
        self._host.debug(f"talks to {name!a}, process {self._process}")
        self._session = Session(self.connection, self._host.handlers, self._host.failed)
        self.connection.send(wire.encode_welcome(_VERSION, pid))

    def _closed(self, reason: str) -> None:
        self._host.debug(f"ended with process {self._process}: {reason}")
        if self._session is not None:
            self._session.end()
        self._host.forget(self)


_VERSION = f"hcsshim host, wire version {wire.VERSION}"
