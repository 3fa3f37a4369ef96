"""
Relays: connections carried by sockets, where no rule of the kernel's can.

A user without rights cannot lead the machine's packets into the switch. But a socket
stays in the namespace it was made in, whoever uses it: a relay joins one of the
machine's with one of the switch's, on one thread for all of them.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final, Protocol

import attrs

from hcsshim.host.datapath.doors import bind

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.datapath.doors import Door
    from hcsshim.host.datapath.namespaces import NetworkNamespace
    from hcsshim.host.datapath.port import PortMappingPlan

_PIECE: Final = 64 * 1024
_BACKLOG: Final = 128
_MOST_PEERS: Final = 1024
_IN_PROGRESS: Final = 115  # EINPROGRESS
_ORIGINAL_DESTINATION: Final = 80  # SO_ORIGINAL_DST
_IPV4_NAME = struct.Struct("=H2s4s8x")

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class _Watched(Protocol):
    """What the relay's thread calls."""

    def ready(self, events: int) -> None:
        """A socket of it is ready."""

    def close(self) -> None:
        """Close its sockets."""


class Relay:
    """
    The thread that carries.

    Args:
        inside: The switch's namespace.
    """

    def __init__(self, inside: NetworkNamespace) -> None:
        self.inside = inside
        self._selector = selectors.DefaultSelector()
        self._calls: deque[Callable[[], None]] = deque()
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._reader, _READ)
        self._stopping = False
        self._thread = threading.Thread(
            target=self._run, name="hcsshim-relay", daemon=True
        )
        self._thread.start()

    def call(self, work: Callable[[], None]) -> None:
        """Do something on the relay's thread, and wait until it is done."""
        done = threading.Event()

        def run() -> None:
            try:
                work()
            finally:
                done.set()

        self._calls.append(run)
        os.write(self._writer, b"1")
        done.wait()

    def watch(self, stream: socket.socket, events: int, watched: _Watched) -> None:
        """Tell an object whenever its socket is ready; on the relay's thread."""
        known = self._selector.get_map().get(stream)
        if not events:
            if known is not None:
                self._selector.unregister(stream)
        elif known is None:
            self._selector.register(stream, events, watched)
        elif known.events != events:
            self._selector.modify(stream, events, watched)

    def _run(self) -> None:
        while not self._stopping:
            for key, events in self._selector.select():
                if key.data is None:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._reader, 4096)
                    continue
                try:
                    key.data.ready(events)
                except OSError:
                    key.data.close()
            while self._calls:
                self._calls.popleft()()

    def close(self) -> None:
        """End the thread, and all connections."""

        def stop() -> None:
            self._stopping = True
            keys = tuple(self._selector.get_map().values())
            for watched in {id(key.data): key.data for key in keys}.values():
                if watched is not None:
                    watched.close()

        if self._thread.is_alive():
            self.call(stop)
            self._thread.join()
            self._selector.close()
            os.close(self._reader)
            os.close(self._writer)


@attrs.define(eq=False)
class _Side:
    """One end of a connection, and what waits to be sent to it."""

    stream: socket.socket
    pending: bytes = b""
    ended: bool = False  # it sends no more
    shut: bool = False  # we send no more


class _Connection:
    """Two sockets that are joined."""

    def __init__(
        self, relay: Relay, accepted: socket.socket, dialled: socket.socket
    ) -> None:
        self._relay = relay
        self._sides = (_Side(accepted), _Side(dialled))
        self._connecting = True
        relay.watch(dialled, _WRITE, self)

    def ready(self, _events: int) -> None:
        """Carry what can be carried."""
        one, other = self._sides
        if self._connecting:
            error = other.stream.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, os.strerror(error))
            self._connecting = False
        self._carry(one, other)
        self._carry(other, one)
        if one.shut and other.shut:
            self.close()
            return
        for side, peer in ((one, other), (other, one)):
            wanted = _READ if not (side.ended or peer.pending) else 0
            wanted |= _WRITE if side.pending else 0
            self._relay.watch(side.stream, wanted, self)

    @staticmethod
    def _carry(source: _Side, target: _Side) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                if not target.pending:
                    if source.ended:
                        break
                    target.pending = source.stream.recv(_PIECE)
                    source.ended = not target.pending
                    continue
                sent = target.stream.send(target.pending)
                target.pending = target.pending[sent:]
        if source.ended and not target.pending and not target.shut:
            target.shut = True
            with contextlib.suppress(OSError):
                target.stream.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close both."""
        for side in self._sides:
            if side.stream.fileno() >= 0:
                self._relay.watch(side.stream, 0, self)
                side.stream.close()


class _Listener:
    """A TCP socket whose connections are carried on."""

    def __init__(
        self,
        relay: Relay,
        stream: socket.socket,
        dial: Callable[[socket.socket], tuple[socket.socket, tuple[str, int]]],
    ) -> None:
        self._relay = relay
        self._stream = stream
        self._dial = dial
        stream.listen(_BACKLOG)
        stream.setblocking(False)
        relay.call(lambda: relay.watch(stream, _READ, self))

    def ready(self, _events: int) -> None:
        """Take a connection."""
        try:
            accepted, _ = self._stream.accept()
        except OSError:  # it went again, or there are no descriptors for it
            return
        accepted.setblocking(False)
        try:
            dialled, address = self._dial(accepted)
        except OSError:
            accepted.close()
            return
        dialled.setblocking(False)
        if dialled.connect_ex(address) not in (0, _IN_PROGRESS):
            accepted.close()
            dialled.close()
            return
        _Connection(self._relay, accepted, dialled)

    def close(self) -> None:
        """Listen no more."""
        self._relay.watch(self._stream, 0, self)
        self._stream.close()


class _Datagrams:
    """A UDP socket whose peers each get one at the other side."""

    def __init__(
        self,
        relay: Relay,
        stream: socket.socket,
        dial: Callable[[], socket.socket],
    ) -> None:
        self._relay = relay
        self._stream = stream
        self._dial = dial
        self._peers: OrderedDict[object, _Answers] = OrderedDict()
        stream.setblocking(False)
        relay.call(lambda: relay.watch(stream, _READ, self))

    def ready(self, _events: int) -> None:
        """Carry one datagram on."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            data, peer = self._stream.recvfrom(_PIECE)
            answers = self._peers.get(peer)
            if answers is None:
                if len(self._peers) >= _MOST_PEERS:
                    self._peers.popitem(last=False)[1].close()
                dialled = self._dial()
                answers = _Answers(self._relay, self._stream, dialled, peer)
                self._peers[peer] = answers
            self._peers.move_to_end(peer)
            answers.send(data)

    def close(self) -> None:
        """Carry no more."""
        for answers in self._peers.values():
            answers.close()
        self._peers.clear()
        self._relay.watch(self._stream, 0, self)
        self._stream.close()


class _Answers:
    """The other side of one peer of a UDP socket."""

    def __init__(
        self,
        relay: Relay,
        back: socket.socket,
        stream: socket.socket,
        peer: tuple[str, int],
    ) -> None:
        self._relay = relay
        self._back = back
        self._stream = stream
        self._peer = peer
        stream.setblocking(False)
        relay.watch(stream, _READ, self)

    def send(self, data: bytes) -> None:
        """Carry a datagram on; as with all datagrams it may be lost."""
        with contextlib.suppress(OSError):
            self._stream.send(data)

    def ready(self, _events: int) -> None:
        """Carry an answer back."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            data = self._stream.recv(_PIECE)
            self._back.sendto(data, self._peer)

    def close(self) -> None:
        """Carry no more."""
        if self._stream.fileno() >= 0:
            self._relay.watch(self._stream, 0, self)
            self._stream.close()


@attrs.frozen
class _RelayedDoor:
    """A port of the machine that a relay serves."""

    relay: Relay
    served: _Listener | _Datagrams

    def close(self) -> None:
        """Serve it no more."""
        self.relay.call(self.served.close)


class RelayedDoors:
    """
    Serves ports of the machine by sockets.

    Args:
        relay: Serves them.
    """

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def open(self, mapping: PortMappingPlan, address: str) -> Door:
        """
        Serve a port of the machine.

        Raises:
            DatapathError: Somebody else has it.
        """
        relay = self._relay
        stream = bind(mapping, address, to_listen=True)
        family, target = stream.family, (address, mapping.internal_port)

        def dial(kind: int) -> socket.socket:
            return relay.inside.run(lambda: socket.socket(family, kind))

        if stream.type == socket.SOCK_STREAM:
            listener = _Listener(
                relay, stream, lambda _: (dial(socket.SOCK_STREAM), target)
            )
            return _RelayedDoor(relay, listener)

        def connect() -> socket.socket:
            dialled = dial(socket.SOCK_DGRAM)
            dialled.connect(target)
            return dialled

        return _RelayedDoor(relay, _Datagrams(relay, stream, connect))


class Outlet:
    """
    The way out of a switch that has no adapter: TCP, and questions for names.

    Rules of the switch lead what is for the outside to ports of its own, where the
    relay takes it and goes on from the machine's namespace. Questions for names go to
    the machine's own server, whichever was asked.

    Args:
        relay: Carries.

    Attributes:
        port: Where TCP is to be led.
        names_port: Where questions for names are to be led; 0 if the machine itself
            has nobody to ask.
    """

    def __init__(self, relay: Relay) -> None:
        def bound(kind: int) -> socket.socket:
            stream = socket.socket(socket.AF_INET, kind | socket.SOCK_CLOEXEC)
            stream.bind(("", 0))
            return stream

        listener = relay.inside.run(lambda: bound(socket.SOCK_STREAM))
        self.port: int = listener.getsockname()[1]
        _Listener(relay, listener, _dial_outside)
        self.names_port = 0
        server = _name_server()
        if server:
            questions = relay.inside.run(lambda: bound(socket.SOCK_DGRAM))
            self.names_port = questions.getsockname()[1]
            _Datagrams(relay, questions, lambda: _ask(server))


def _dial_outside(accepted: socket.socket) -> tuple[socket.socket, tuple[str, int]]:
    """Find out where a connection was going, and go there."""
    name = accepted.getsockopt(
        socket.IPPROTO_IP, _ORIGINAL_DESTINATION, _IPV4_NAME.size
    )
    _, port, address = _IPV4_NAME.unpack(name)
    target = socket.inet_ntoa(address), int.from_bytes(port, "big")
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM), target


def _ask(server: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    stream = socket.socket(family, socket.SOCK_DGRAM)
    stream.connect((server, 53))
    return stream


def _name_server() -> str:
    """Give the first server of the machine's own."""
    with (
        contextlib.suppress(OSError),
        open("/etc/resolv.conf", encoding="ascii", errors="replace") as file,
    ):
        for line in file:
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver":
                return words[1]
    return ""
