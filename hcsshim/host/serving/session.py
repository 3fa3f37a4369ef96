"""
What one client has: its handles, and its calls that are not answered yet.

Calls of a connection begin in order. While the call that makes a handle pends, later
calls on that handle wait for it, so a client may send create, start, create process
and wait in one burst; calls on other handles go on.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from hcsshim._native import calls
from hcsshim.host.results import Refusal, refuse
from hcsshim.host.serving import transport, wire
from hcsshim.host.systems.processes import Process
from hcsshim.host.systems.systems import System
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.serving.connection import Connection

    Handler = Callable[["Call"], None]

_FIRST_KINDS = frozenset(calls.MADE.values())


class Target(Protocol):
    """What a handle may stand for."""

    def hold(self) -> None:
        """Count one more handle of it."""

    def release(self) -> None:
        """Count one handle less."""


class Handle:
    """
    A handle of a client's.

    Args:
        number: As the client chose it.
        kind: ``calls.SYSTEM``, ``calls.PROCESS`` or ``calls.OBJECT``.
        making: The call that makes it.
    """

    __slots__ = (
        "_listener",
        "kind",
        "making",
        "number",
        "refusal",
        "target",
        "waiting",
    )

    def __init__(self, number: int, kind: int, making: Call) -> None:
        self.number = number
        self.kind = kind
        #: The call that makes it, while that pends.
        self.making: Call | None = making
        self.target: Target | None = None
        #: Why there is no target.
        self.refusal: Refusal | None = None
        #: Calls that wait for the one that makes it.
        self.waiting: deque[Call] = deque()
        self._listener: Callable[[], None] | None = None

    def listen(self, listener: Callable[[], None]) -> None:
        """Call when the target ends; once, however often this is asked for."""
        if self._listener is None and isinstance(self.target, (System, Process)):
            self._listener = listener
            self.target.exited.listen(listener)

    def release(self) -> None:
        """Let go of the target."""
        target, self.target = self.target, None
        if target is None:
            return
        if self._listener is not None and isinstance(target, (System, Process)):
            target.exited.forget(self._listener)
        target.release()


class Call:
    """
    A call of a client's, from its frame to its answer.

    Attributes:
        session: Whose it is.
        ticket: 0 if no answer is wanted.
        row: Of the table of calls.
        arguments: Those of its ``wire_kinds``.
        cancel: What CANCEL does, while the call pends in a way that can be stopped.
        dropped: What the end of the client does, where something must be undone.
    """

    __slots__ = (
        "_answered",
        "_made",
        "arguments",
        "cancel",
        "dropped",
        "row",
        "session",
        "ticket",
    )

    def __init__(
        self,
        session: Session,
        ticket: int,
        row: calls.Call,
        arguments: list[wire.Argument],
    ) -> None:
        self.session = session
        self.ticket = ticket
        self.row = row
        self.arguments = arguments
        self.cancel: Callable[[], None] | None = None
        self.dropped: Callable[[], None] | None = None
        self._answered = False

    def text(self, index: int) -> str | None:
        """Give an argument that is a text."""
        argument = self.arguments[index]
        return None if isinstance(argument, int) else argument

    def number(self, index: int) -> int:
        """Give an argument that is a number."""
        argument = self.arguments[index]
        return argument if isinstance(argument, int) else 0

    def system(self) -> System:
        """
        Give the system that the call is about.

        Raises:
            Refusal: Its handle has none.
        """
        target = self.session.handle(self.number(0), calls.SYSTEM).target
        if not isinstance(target, System):
            raise refuse(HResult.ERROR_INVALID_HANDLE)
        return target

    def process(self) -> Process:
        """
        Give the process that the call is about.

        Raises:
            Refusal: Its handle has none.
        """
        target = self.session.handle(self.number(0), calls.PROCESS).target
        if not isinstance(target, Process):
            raise refuse(HResult.ERROR_INVALID_HANDLE)
        return target

    def target(self, index: int = 0) -> Target:
        """
        Give what a handle of computenetwork's among the arguments stands for.

        Raises:
            Refusal: It stands for nothing.
        """
        target = self.session.handle(self.number(index), calls.OBJECT).target
        if target is None:
            raise refuse(HResult.ERROR_INVALID_HANDLE)
        return target

    def made(self) -> Handle:
        """Give the handle that the call makes."""
        return self._made

    def makes(self, handle: Handle) -> None:
        """Remember the handle that the call makes."""
        self._made = handle

    def answer(
        self,
        hresult: int = 0,
        document: str | None = None,
        process_id: int = 0,
        files: tuple[int, ...] = (),
        mask: int = 0,
    ) -> None:
        """
        Answer the call; only the first time counts.

        Args:
            hresult: The outcome.
            document: Result document, or answer of a query.
            process_id: Of a new process.
            files: Descriptors that the client gets; closed in any case.
            mask: Which of stdin, stdout and stderr they are.
        """
        if self._answered or not self.ticket:
            self._answered = True
            self.session.close_files(files)
            return
        self._answered = True
        self.cancel = None
        handles, beside = self.session.give_files(files)
        frame = wire.encode_answer(
            self.ticket, hresult, document, process_id, mask, handles
        )
        self.session.answer(self.ticket, frame, beside)

    def refuse(self, refusal: Refusal) -> None:
        """Answer with a failure."""
        self.answer(refusal.hresult, refusal.document)


class Session:
    """
    One client, from its hello to its end.

    Args:
        connection: To it.
        handlers: By the number of the call.
        failed: Told of exceptions that are bugs of ours.
    """

    def __init__(
        self,
        connection: Connection,
        handlers: dict[int, tuple[calls.Call, tuple[int, ...], Handler]],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._connection = connection
        self._handlers = handlers
        self._failed = failed
        self.handles: dict[int, Handle] = {}
        self._calls: dict[int, Call] = {}
        self._ended = False

    # -- frames ----------------------------------------------------------

    def receive(self, header: wire.Header, body: memoryview) -> None:
        """
        Handle a frame.

        Raises:
            WireError: It breaks the rules.
        """
        if header.kind == wire.CALL:
            self._begin(header, body)
        elif header.kind == wire.CANCEL:
            self._cancel(header.id)
        else:
            raise wire.WireError(f"a frame of kind {header.kind}")

    def _begin(self, header: wire.Header, body: memoryview) -> None:
        entry = self._handlers.get(header.call)
        if entry is None:
            raise wire.WireError(f"a call of number {header.call}")
        row, kinds, handler = entry
        call = Call(self, header.id, row, wire.decode_arguments(kinds, body))
        if header.id:
            if header.id in self._calls:
                raise wire.WireError("a ticket twice")
            self._calls[header.id] = call
        if kinds and kinds[-1] in calls.MADE:
            self._add_handle(call, kinds[-1])
        if kinds and kinds[0] in _FIRST_KINDS:
            handle = self.handles.get(call.number(0))
            if handle is not None and handle.making is not None:
                self._begin_on_unmade(handle, call, handler)
                return
        self._run(call, handler)

    def _add_handle(self, call: Call, kind: int) -> None:
        number = call.number(-1)
        if number == 0 or number in self.handles:
            raise wire.WireError("a handle twice")
        handle = self.handles[number] = Handle(number, calls.MADE[kind], call)
        call.makes(handle)

    def _begin_on_unmade(self, handle: Handle, call: Call, handler: Handler) -> None:
        """Let a call wait, unless it is the one that ends the making."""
        making = handle.making
        if (
            call.row.name == "HcsTerminateComputeSystem"
            and making is not None
            and making.cancel is not None
        ):
            making.cancel()
            if handle.making is None:
                self._run(call, handler)
                return
        handle.waiting.append(call)

        def cancel() -> None:
            handle.waiting.remove(call)
            call.answer(HResult.HCS_E_OPERATION_ALREADY_CANCELLED)

        call.cancel = cancel

    def _run(self, call: Call, handler: Handler) -> None:
        try:
            handler(call)
        except Refusal as refusal:
            self._refuse(call, refusal)
        except Exception as error:  # noqa: BLE001 - one call must not end the host
            self._failed(error)
            self._refuse(call, refuse(HResult.E_UNEXPECTED))

    def _refuse(self, call: Call, refusal: Refusal) -> None:
        kinds = call.row.wire_kinds
        if kinds and kinds[-1] in calls.MADE:
            handle = self.handles.get(call.number(-1))
            if handle is not None and handle.making is call:
                self.fail(handle, refusal)
                return
        call.refuse(refusal)

    def _cancel(self, ticket: int) -> None:
        call = self._calls.get(ticket)
        if call is not None and call.cancel is not None:
            cancel, call.cancel = call.cancel, None
            cancel()

    # -- handles ---------------------------------------------------------

    def handle(self, number: int, kind: int) -> Handle:
        """
        Find a handle.

        Raises:
            Refusal: There is none of this number and kind, or the call that should
                have made it failed; then with its error.
        """
        handle = self.handles.get(number)
        if handle is None or handle.kind != kind:
            raise refuse(HResult.ERROR_INVALID_HANDLE)
        if handle.refusal is not None:
            raise handle.refusal
        return handle

    def complete(self, handle: Handle, target: Target) -> None:
        """Give a handle what it stands for; what waited for that goes on."""
        handle.target = target
        target.hold()
        if self._ended:
            handle.release()
            return
        self._made(handle)

    def fail(self, handle: Handle, refusal: Refusal) -> None:
        """Record that a handle stands for nothing, and tell so."""
        handle.refusal = refusal
        making = handle.making
        if making is not None:
            making.refuse(refusal)
        if not self._ended:
            self._made(handle)

    def _made(self, handle: Handle) -> None:
        handle.making = None
        waiting, handle.waiting = handle.waiting, deque()
        for call in waiting:
            call.cancel = None
            self._run(call, self._handlers[call.row.number][2])

    def close_handle(self, number: int) -> None:
        """
        Close a handle.

        Raises:
            Refusal: There is none of this number.
        """
        handle = self.handles.pop(number, None)
        if handle is None:
            raise refuse(HResult.ERROR_INVALID_HANDLE)
        handle.release()

    # -- out -------------------------------------------------------------

    def give_files(
        self, files: tuple[int, ...]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Prepare files to go with an answer; see :meth:`Connection.give_files`."""
        return self._connection.give_files(files)

    def answer(self, ticket: int, frame: bytes, files: tuple[int, ...]) -> None:
        """Send the answer of a call."""
        self._calls.pop(ticket, None)
        self._connection.send(frame, files)

    def notify(self, handle: Handle, event: int, status: int, data: str | None) -> None:
        """Send an event of a handle that the client still has."""
        if self.handles.get(handle.number) is handle:
            self._connection.send(wire.encode_event(handle.number, event, status, data))

    @staticmethod
    def close_files(files: tuple[int, ...]) -> None:
        """Close descriptors that nobody gets."""
        for file in files:
            transport.close_file(file)

    def end(self) -> None:
        """Run down what the client left: it is gone."""
        self._ended = True
        handles, self.handles = self.handles, {}
        pending, self._calls = self._calls, {}
        for call in pending.values():
            if call.dropped is not None:
                call.dropped()
        for handle in handles.values():
            handle.release()
