"""Queues of events that native threads post and Python drains in batches."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from hcsshim._ffi import ffi, lib
from hcsshim.errors import check

if TYPE_CHECKING:
    from hcsshim._ffi import CData

#: ``hcsshim_event``: source, type, status, offset, length.
_EVENT = Struct("=QIiII")
_BATCH = 256
_TEXT_BYTES = 64 * 1024
_NO_TEXT: int = lib.HCSSHIM_NO_TEXT & 0xFFFFFFFF

#: The longest wait in C. A signal that arrives between Python's last look and
#: the wait does not interrupt it, so it is looked for again this often.
LONGEST_WAIT = 1.0

#: One event: source, type, status, text.
RawEvent = tuple[int, int, int, bytes | None]


class EventQueue:
    """
    A queue that any native thread posts into without ever meeting Python.

    Close it when it is done with; what still posts into it keeps the native part
    alive until then.
    """

    __slots__ = ("_events", "_needed", "_queue", "_text", "_text_size")

    def __init__(self) -> None:
        out = ffi.new("hcsshim_queue **")
        check(lib.hcsshim_queue_new(out), "EventQueue")
        self._queue = ffi.gc(out[0], lib.hcsshim_queue_free)
        self._events = ffi.new("hcsshim_event[]", _BATCH)
        self._needed = ffi.new("size_t *")
        self._text_size = 1024
        self._text = ffi.new("char[]", self._text_size)

    @property
    def native(self) -> CData:
        """The ``hcsshim_queue *``, to be posted into."""
        return self._queue

    def fileno(self) -> int:
        """Give the descriptor that is readable while events wait."""
        file = ffi.new("int64_t *")
        check(lib.hcsshim_queue_file(self._queue, file), "EventQueue.fileno")
        return int(file[0])

    def wake(self) -> None:
        """Let a thread that waits go on; nothing is posted."""
        lib.hcsshim_queue_wake(self._queue)

    def drain(self, timeout: float = 0.0) -> list[RawEvent]:
        """
        Take events out, oldest first; not for two threads at once.

        Args:
            timeout: Seconds to block while there is none, :data:`LONGEST_WAIT` at
                most. A signal or :meth:`wake` ends it sooner: call again.

        Returns:
            A batch. A large backlog comes in several, and the descriptor stays
            readable until the last one was taken.
        """
        count = self._drain(milliseconds(timeout) if timeout else 0)
        if count == 0 and self._needed[0] > 0:
            self._grow(self._needed[0])
            count = self._drain(0)
        if count == 0:
            return []
        events: list[RawEvent] = []
        rows = ffi.buffer(self._events, count * _EVENT.size)
        for source, kind, status, offset, length in _EVENT.iter_unpack(rows):
            data = None
            if length != _NO_TEXT:
                data = ffi.unpack(self._text + offset, length)
            events.append((source, kind, status, data))
        return events

    def _drain(self, timeout_ms: int) -> int:
        return lib.hcsshim_queue_drain(
            self._queue,
            timeout_ms,
            self._events,
            _BATCH,
            self._text,
            self._text_size,
            self._needed,
        )

    def _grow(self, size: int) -> None:
        self._text_size = max(size, _TEXT_BYTES)
        self._text = ffi.new("char[]", self._text_size)

    def close(self) -> None:
        """Let go of the native queue. Idempotent; nobody may be waiting."""
        ffi.release(self._queue)


def milliseconds(seconds: float) -> int:
    """Round seconds up to whole milliseconds, as native calls take them."""
    return max(0, -int(-seconds * 1000 // 1))
