"""The connection to the Host Compute Service: calls, their tickets, their events."""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock
from time import monotonic
from typing import TYPE_CHECKING

from hcsshim._ffi import ffi, lib
from hcsshim._native import calls
from hcsshim._native.events import LONGEST_WAIT, EventQueue, milliseconds
from hcsshim._native.port import Completion, Event
from hcsshim.errors import HandleClosedError, HcsTimeoutError, check

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from weakref import WeakKeyDictionary

    from hcsshim._ffi import CData
    from hcsshim._native.loop import LoopTickets
    from hcsshim._native.trace import Tracer

_E_HANDLE: int = lib.HCSSHIM_E_HANDLE
_INTERRUPTED: int = lib.HCSSHIM_E_INTERRUPTED
_WAIT_TIMEOUT: int = lib.HCSSHIM_E_WAIT_TIMEOUT
#: Names what answers: ``embedded``, or on Windows ``system``, ``computecore`` or
#: ``vmcompute``. By default the service of Windows where it is installed.
PROVIDER_VARIABLE = "HCSSHIM_PROVIDER"
EMBEDDED = "embedded"

_DISCONNECT_EVENT: int = lib.HCSSHIM_EVENT_SERVICE_DISCONNECT


class NativeOperation:
    """A submitted call; see :class:`hcsshim._native.port.Operation`."""

    __slots__ = (
        "_completion",
        "_lock",
        "_service",
        "_ticket",
        "_traced",
        "call",
        "handle",
    )

    def __init__(
        self,
        service: NativeService,
        call: str,
        ticket: int,
        handle: int,
        traced: tuple[int, float] = (0, 0.0),
    ) -> None:
        self._service = service
        self._ticket = ticket
        self._completion: Completion | None = None
        self._lock = allocate_lock()
        self._traced = traced
        self.call = call
        self.handle = handle

    @property
    def ticket(self) -> int:
        """The native ticket, which names this call on the wire."""
        return self._ticket

    @property
    def service(self) -> NativeService:
        """Where it was submitted."""
        return self._service

    def result(self, timeout: float | None) -> Completion:
        """Wait for the answer; see the port."""
        deadline = None if timeout is None else monotonic() + timeout
        while self._completion is None:
            left = LONGEST_WAIT
            if deadline is not None:
                left = min(max(deadline - monotonic(), 0.0), LONGEST_WAIT)
            code = lib.hcsshim_ticket_wait(
                self._service.native, self._ticket, milliseconds(left)
            )
            if code == 0:
                return self.take()
            if code == _E_HANDLE and self._completion is None:
                raise HandleClosedError(operation=self.call)
            if (
                code == _WAIT_TIMEOUT
                and deadline is not None
                and monotonic() >= deadline
            ):
                raise HcsTimeoutError(operation=self.call)
            if code not in (_WAIT_TIMEOUT, _INTERRUPTED, _E_HANDLE):
                check(code, self.call)
        return self._completion

    def take(self) -> Completion:
        """Move the outcome of an answered call here; once, then remember it."""
        with self._lock:
            if self._completion is None:
                self._completion = self._take()
                if self._service.trace is not None:
                    number, begin = self._traced
                    seconds = monotonic() - begin
                    self._service.trace.answer(number, self._completion, seconds)
            return self._completion

    def _take(self) -> Completion:
        out = ffi.new("hcsshim_completion *")
        code = lib.hcsshim_ticket_take(self._service.native, self._ticket, out)
        if code == _E_HANDLE:
            raise HandleClosedError(operation=self.call)
        check(code, self.call)
        document = None
        if out.document != ffi.NULL:
            document = ffi.unpack(out.document, out.length).decode("utf-8", "replace")
        elif out.hresult < 0:
            document = self._service.explain(self.call, out.hresult & 0xFFFFFFFF)
        files = (out.files[0], out.files[1], out.files[2])
        completion = Completion(
            out.hresult & 0xFFFFFFFF, document, out.process_id, files
        )
        out.files = (-1, -1, -1)  # they are the completion's now
        lib.hcsshim_completion_clear(out)
        return completion

    async def completed(self, timeout: float | None) -> Completion:
        """Await the answer; see the port."""
        if self._completion is not None:
            return self._completion
        from hcsshim._native.loop import await_ticket  # noqa: PLC0415 - needs asyncio

        return await await_ticket(self, timeout)

    def cancel(self) -> bool:
        """Ask for cancellation; see the port."""
        if self._completion is not None:
            return False
        if self._service.trace is not None:
            self._service.trace.ended(self._traced[0], "cancel")
        code = lib.hcsshim_ticket_cancel(self._service.native, self._ticket)
        return bool(code == 0)

    def abandon(self) -> None:
        """Give up waiting; see the port."""
        if self._service.trace is not None and self._completion is None:
            self._service.trace.ended(self._traced[0], "abandon")
        lib.hcsshim_ticket_abandon(self._service.native, self._ticket)


class NativeSubscription:
    """The events of one handle; see :class:`hcsshim._native.port.Subscription`."""

    __slots__ = ("_closed", "_handle", "_lock", "_queue", "_service", "_waiting")

    def __init__(self, service: NativeService, handle: int) -> None:
        self._service = service
        self._handle = handle
        self._queue = EventQueue()
        self._waiting: list[Event] = []
        self._lock = allocate_lock()
        self._closed = False

    @property
    def queue(self) -> EventQueue:
        """Where the events arrive."""
        return self._queue

    @property
    def ended(self) -> bool:
        """Whether no event can come any more."""
        return self._closed

    def poll(self, timeout: float = 0.0) -> Event | None:
        """
        Take the oldest event, if one is there or comes soon.

        Args:
            timeout: Seconds; see :meth:`EventQueue.drain`.
        """
        with self._lock:
            if not self._waiting and not self._closed:
                self._waiting = [
                    Event(
                        kind,
                        status & 0xFFFFFFFF,
                        text.decode() if text is not None else None,
                    )
                    for _, kind, status, text in reversed(self._queue.drain(timeout))
                ]
            event = self._waiting.pop() if self._waiting else None
        trace = self._service.trace
        if event is not None and trace is not None:
            trace.event(self._handle, event.type, event.hresult, event.document)
        if event is not None and event.type == _DISCONNECT_EVENT:
            self.close()
        return event

    def next(self, timeout: float | None) -> Event | None:
        """Take the oldest event; see the port."""
        deadline = None if timeout is None else monotonic() + timeout
        event = self.poll()
        while event is None and not self._closed:
            left = LONGEST_WAIT
            if deadline is not None:
                left = min(deadline - monotonic(), LONGEST_WAIT)
                if left <= 0:
                    raise HcsTimeoutError(operation="events")
            event = self.poll(left)
        return event

    async def anext(self, timeout: float | None) -> Event | None:
        """Await the oldest event; see the port."""
        from hcsshim._native.loop import await_event  # noqa: PLC0415 - needs asyncio

        return await await_event(self, timeout)

    def close(self) -> None:
        """Stop listening; see the port."""
        if self._closed:
            return
        self._closed = True
        lib.hcsshim_handle_listen(self._service.native, self._handle, ffi.NULL)
        self._queue.wake()


class NativeService:
    """
    A connection to the embedded host.

    Args:
        path: The host's socket.

    Raises:
        HcsError: No host listens there, or it is of another version.
    """

    __slots__ = ("__weakref__", "_service", "loops", "path", "pid", "trace")

    def __init__(self, path: str) -> None:
        self._service = ffi.gc(self._open(path), lib.hcsshim_service_free)
        #: What each event loop awaits; made by the first that does.
        self.loops: WeakKeyDictionary[AbstractEventLoop, LoopTickets] | None = None
        self.path = path
        self.pid = os.getpid()
        #: Writes down what is called and answered, if that is asked for.
        self.trace = _tracer() if "HCSSHIM_TRACE" in os.environ else None

    def _open(self, path: str) -> CData:
        out = ffi.new("hcsshim_service **")
        where = os.fsencode(path)
        name = f"python {os.getpid()}".encode()
        code = lib.hcsshim_service_connect(where, len(where), name, len(name), out)
        check(code, "connect", path)
        native: CData = out[0]
        return native

    def explain(self, call: str, hresult: int) -> str | None:
        """Give a result document for an outcome that came without one."""
        del call, hresult
        return None

    @property
    def native(self) -> CData:
        """The ``hcsshim_service *``."""
        return self._service

    @property
    def host_process_id(self) -> int:
        """The process id of the host at the other end."""
        return lib.hcsshim_service_host(self._service)

    @property
    def alive(self) -> bool:
        """Whether the host is still there."""
        return self.pid == os.getpid() and bool(
            lib.hcsshim_service_alive(self._service)
        )

    def submit(self, call: str, *arguments: str | int | None) -> NativeOperation:
        """Begin a call; see :class:`hcsshim._native.port.Service`."""
        ticket = ffi.new("uint64_t *")
        begin = 0.0 if self.trace is None else monotonic()
        handle, number = self._submit(call, arguments, ticket)
        return NativeOperation(self, call, ticket[0], handle, (number, begin))

    def send(self, call: str, *arguments: str | int | None) -> None:
        """Begin a call whose answer nobody wants; see the port."""
        if self.alive:
            try:
                self._submit(call, arguments, ffi.NULL)
            except HandleClosedError:
                return  # somebody else closed it: what was wanted is done
            except ConnectionError:
                return  # the service went away, and the handle with it

    def _submit(
        self, call: str, arguments: tuple[str | int | None, ...], ticket: CData
    ) -> tuple[int, int]:
        values = ffi.new("hcsshim_value[]", len(arguments))
        texts = []  # what C borrows must live until it returns
        for value, argument in zip(values, arguments, strict=True):
            if isinstance(argument, int):
                value.number = argument
            elif argument is not None:
                data = argument.encode()
                texts.append(ffi.from_buffer("char[]", data))
                value.text = texts[-1]
                value.length = len(data)
        handle = ffi.new("uint64_t *")
        code = lib.hcsshim_service_submit(
            self._service,
            calls.number(call),
            values,
            len(arguments),
            ticket,
            handle,
        )
        number = 0
        if self.trace is not None:
            wanted = ticket != ffi.NULL
            number = self.trace.call(call, arguments, handle[0], wanted=wanted)
            if code < 0:
                self.trace.ended(number, "refused")
        if code == _E_HANDLE:
            raise HandleClosedError(operation=call)
        check(code, call)
        return int(handle[0]), number

    def subscribe(self, call: str, handle: int, options: int = 0) -> NativeSubscription:
        """Listen to a handle's events; see the port."""
        subscription = self.listen(call, handle)
        self.send(call, handle, options)
        return subscription

    def listen(self, call: str, handle: int) -> NativeSubscription:
        """Listen to a handle that stands for events itself; see the port."""
        subscription = NativeSubscription(self, handle)
        code = lib.hcsshim_handle_listen(
            self._service, handle, subscription.queue.native
        )
        if code == _E_HANDLE:
            raise HandleClosedError(operation=call)
        return subscription

    def close(self) -> None:
        """
        Disconnect; every open call ends with ``ServiceDisconnectedError``.

        No other thread may be in a call of this service, waits excepted.
        """
        ffi.release(self._service)


def _tracer() -> Tracer | None:
    from hcsshim._native.trace import tracer  # noqa: PLC0415 - seldom

    return tracer()


_lock = allocate_lock()
_shared: NativeService | None = None


def shared() -> NativeService:
    """
    Give the process's connection to the service, made on first use.

    A host that went away, or a fork, makes it connect anew, and start a host if
    none runs.

    Raises:
        HcsError: No host answers and none can be started.
        ValueError: ``HCSSHIM_PROVIDER`` names no provider of this machine.
    """
    global _shared  # noqa: PLW0603 - one connection per process is the point
    with _lock:
        if _shared is None or not _shared.alive:
            _shared = _connect()
        return _shared


def _connect() -> NativeService:
    from hcsshim._native import host_process  # noqa: PLC0415 - seldom needed

    provider = os.environ.get(PROVIDER_VARIABLE) or _usual_provider()
    if provider != EMBEDDED:
        from hcsshim._native.system import SystemService  # noqa: PLC0415 - on Windows

        return SystemService(provider)
    path = host_process.socket_path()
    try:
        return NativeService(path)
    except OSError:  # nobody listens; anything else comes again below
        host_process.ensure_running()
        return NativeService(path)


def _usual_provider() -> str:
    """The service of Windows where it is installed, else the embedded host."""
    if sys.platform != "win32":
        return EMBEDDED
    folder = os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32")
    installed = os.path.exists(os.path.join(folder, "vmcompute.dll"))
    return "system" if installed else EMBEDDED
