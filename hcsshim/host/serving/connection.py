"""
One client's connection: frames in, frames and descriptors out, nothing blocking.

A client that does not read what it asked for is not served further until it does,
so it can neither stop the host nor fill its memory.
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

from hcsshim.host.serving import transport, wire
from hcsshim.host.serving.loop import READ, WRITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.serving.loop import Loop

_ROOM = 64 * 1024
#: Unsent bytes above which no more calls are read, and below which they are again.
HIGH_WATER = 1024 * 1024
LOW_WATER = HIGH_WATER // 4
#: What a descriptor that waits to be sent counts for.
_FILE_WEIGHT = 4 * 1024
#: Unsent bytes with which a connection ends: answers of calls that it made before.
LARGEST_BACKLOG = 4 * wire.LARGEST_FRAME
#: How long to wait when the kernel holds too many descriptors that wait.
_RETRY_SECONDS = 0.01


class Connection:
    """
    A connected socket or pipe.

    Args:
        stream: Becomes the connection's own; it does not block.
        process: At the other end.
        loop: That watches it.
        received: Gets each frame; the body is only valid during the call.
        closed: Told once, when the connection is over for whatever reason.
    """

    def __init__(
        self,
        stream: transport.Stream,
        process: int,
        loop: Loop,
        received: Callable[[wire.Header, memoryview], None],
        closed: Callable[[str], None],
    ) -> None:
        self._stream = stream
        self._process = process
        self._loop = loop
        self._received = received
        self._closed: Callable[[str], None] | None = closed
        self._inbox = bytearray()
        self._wanted = wire.HEADER_BYTES
        self._outbox: deque[tuple[memoryview, tuple[int, ...]]] = deque()
        self._unsent = 0
        self._paused = False
        self._ending = False
        self._watched = READ
        self._retrying = False
        self._file = stream.fileno()
        loop.watch(self._file, READ, self._ready)

    @property
    def open(self) -> bool:
        """Whether it is still of use."""
        return self._closed is not None

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        if events & ~WRITE and self.open:
            self._receive()

    # -- in --------------------------------------------------------------

    def _receive(self) -> None:
        try:
            data = self._stream.recv(max(_ROOM, self._wanted - len(self._inbox)))
        except BlockingIOError:
            return
        except OSError as error:
            self.close(os.strerror(error.errno or 0))
            return
        if not data:
            self.close("the client closed it")
            return
        if self._inbox:
            self._inbox += data
            if len(self._inbox) >= self._wanted:
                self._take_from_inbox()
        else:
            self._keep(data, self._take(memoryview(data)))

    def _take_from_inbox(self) -> None:
        inbox, self._inbox = self._inbox, bytearray()
        self._keep(inbox, self._take(memoryview(inbox)))

    def _keep(self, data: bytes | bytearray, taken: int) -> None:
        """Keep what no whole frame was made of."""
        if taken < len(data) and self.open:
            self._inbox = bytearray(memoryview(data)[taken:])

    def _take(self, data: memoryview) -> int:
        """Hand over the whole frames of ``data``; give the bytes they took."""
        offset = 0
        while self.open and not self._paused:
            left = len(data) - offset
            self._wanted = wire.HEADER_BYTES
            if left < wire.HEADER_BYTES:
                break
            try:
                header = wire.decode_header(data, offset)
                self._wanted = header.length
                if left < header.length:
                    break
                body = data[offset + wire.HEADER_BYTES : offset + header.length]
                offset += header.length
                self._received(header, body)
            except wire.WireError as error:
                self.close(f"it sent {error}")
        return offset

    # -- out -------------------------------------------------------------

    def give_files(
        self, files: tuple[int, ...]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """
        Prepare files to go with a frame; they are the connection's from now on.

        Returns:
            Numbers that are part of the frame, and what to :meth:`send` it with.
        """
        try:
            return transport.give_files(self._stream, self._process, files)
        except OSError as error:
            self.close(os.strerror(error.errno or 0))
            return (0,) * len(files), ()

    def send(self, frame: bytes, files: tuple[int, ...] = ()) -> None:
        """
        Send a frame, now or when there is room.

        Args:
            frame: All of it.
            files: Descriptors that travel with its first byte; from now on the
                connection's, which closes them.
        """
        if not self.open:
            _close_all(files)
            return
        self._outbox.append((memoryview(frame), files))
        self._unsent += len(frame) + _FILE_WEIGHT * len(files)
        if len(self._outbox) == 1:
            self._flush()
        if self._unsent > LARGEST_BACKLOG:
            self.close("it does not read what it asked for")
        elif self._unsent > HIGH_WATER and not self._paused:
            self._paused = True
            self._rewatch()

    def _flush(self) -> None:
        while self._outbox:
            data, files = self._outbox[0]
            try:
                sent = transport.send(self._stream, data, files)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno in transport.TOO_MANY_FILES:
                    self._retry_later()
                    break
                self.close(os.strerror(error.errno or 0))
                return
            _close_all(files)
            self._unsent -= sent + _FILE_WEIGHT * len(files)
            if sent == len(data):
                self._outbox.popleft()
            else:
                self._outbox[0] = (data[sent:], ())
        self._sent()

    def _retry_later(self) -> None:
        """Try again soon; the kernel tells nobody when it has room for files."""
        if not self._retrying:
            self._retrying = True
            self._loop.call_later(_RETRY_SECONDS, self._retry)

    def _retry(self) -> None:
        self._retrying = False
        if self.open:
            self._flush()

    def _sent(self) -> None:
        """See what follows from the state of the outbox."""
        if self._ending and not self._outbox:
            self.close("it has ended")
            return
        resumed = self._paused and self._unsent < LOW_WATER
        if resumed:
            self._paused = False
        self._rewatch()
        if resumed and self._inbox:
            # Later, not now: this may be running inside the handling of a frame.
            self._loop.call_soon(self._resume)

    def _resume(self) -> None:
        if self.open and not self._paused and self._inbox:
            self._take_from_inbox()

    def _rewatch(self) -> None:
        events = 0 if self._paused or self._ending else READ
        if self._outbox and not self._retrying:
            events |= WRITE
        if events != self._watched and self.open:
            self._watched = events
            self._loop.rewatch(self._file, events)

    def end(self) -> None:
        """Close once everything was sent; read nothing more."""
        self._ending = True
        self._sent()

    def close(self, reason: str) -> None:
        """Drop the connection and what waits in it. Idempotent."""
        closed, self._closed = self._closed, None
        if closed is None:
            return
        self._loop.unwatch(self._file)
        self._stream.close()
        for _, files in self._outbox:
            _close_all(files)
        self._outbox.clear()
        closed(reason)


def _close_all(files: tuple[int, ...]) -> None:
    for file in set(files):
        transport.close_file(file)
