"""
A recorded trace as a host: ``python -m hcsshim.host.replay FILE SOCKET``.

It answers the calls of clients with what was answered when the trace was written, in
that order: an answer or event is sent when all that was called before it then has been
called now. A call is recognised by its name, its documents without their secrets, and
the handles that it is about. The streams of processes are not in a trace; they are
empty here.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from hcsshim._native import calls
from hcsshim._native.trace_file import Entry, read_trace
from hcsshim.documents.masking import mask_text
from hcsshim.host.results import refuse
from hcsshim.host.serving import transport, wire
from hcsshim.host.serving.connection import Connection
from hcsshim.host.serving.loop import READ, Loop
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim.host.serving.timers import Timer

#: How long a call of the trace that does not come holds up what came after it.
_PATIENCE_SECONDS = 1.0
_HANDLES = (calls.SYSTEM, calls.PROCESS)
_MADE = (calls.OUT_SYSTEM, calls.OUT_PROCESS)


class Replay:
    """
    The state of a replay: which entries were used, and which comes next.

    Args:
        entries: Of the trace.
        loop: For what is sent later.
        real_time: Answer as slowly as it was then.
    """

    def __init__(self, entries: list[Entry], loop: Loop, *, real_time: bool) -> None:
        self._entries = [entry for entry in entries if entry.kind in _PLAYED]
        self._loop = loop
        self._real_time = real_time
        self._used = [False] * len(self._entries)
        self._next = 0
        #: Whom to answer, by process and number of the call then.
        self._tickets: dict[tuple[int, int], tuple[Client, int]] = {}
        #: What the handles of the trace are here, by process and number.
        self._made: dict[tuple[int, int], tuple[Client, int]] = {}
        self._stuck: Timer | None = None
        self.unmatched = 0

    def take(
        self, client: Client, row: calls.Call, ticket: int, given: list[wire.Argument]
    ) -> None:
        """Find the entry of a call that came, and go on from there."""
        index = self._find(client, row, given)
        if index is None:
            self.unmatched += 1
            if ticket:
                self._refuse(client, row, ticket)
            return
        entry = self._entries[index]
        self._used[index] = True
        self._tickets[entry.pid, entry.id] = (client, ticket)
        if row.wire_kinds and row.wire_kinds[-1] in _MADE:
            self._made[entry.pid, entry.handle] = (client, int(given[-1] or 0))
        self._advance()

    @staticmethod
    def _refuse(client: Client, row: calls.Call, ticket: int) -> None:
        refusal = refuse(HResult.E_UNEXPECTED, f"The trace has no such {row.name}.")
        client.send(wire.encode_answer(ticket, refusal.hresult, refusal.document, 0, 0))

    def _find(
        self, client: Client, row: calls.Call, given: list[wire.Argument]
    ) -> int | None:
        """Find the first unused entry that is this call; else one of the same name."""
        like = None
        for index, entry in enumerate(self._entries):
            if self._used[index] or entry.call != row.name or entry.kind == "answer":
                continue
            same = self._same(client, row, given, entry)
            if same:
                return index
            if same is None and like is None:
                like = index
        return like

    def _same(
        self, client: Client, row: calls.Call, given: list[wire.Argument], entry: Entry
    ) -> bool | None:
        """
        Compare a call with an entry.

        Returns:
            ``None`` if only texts differ, as ids do that have a process id in them.
        """
        texts = True
        kinds = [kind for kind in row.wire_kinds if kind not in _MADE]
        for kind, argument, then in zip(kinds, given, entry.arguments, strict=False):
            if kind in _HANDLES:
                if self._made.get((entry.pid, int(then or 0))) != (client, argument):
                    return False
            elif isinstance(argument, str):
                texts = texts and mask_text(argument) == then
            elif argument != then:
                texts = texts and kind != calls.TEXT
        return True if texts else None

    def _advance(self) -> None:
        """Send what was sent then, up to the next call that has not come."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        while self._next < len(self._entries):
            entry = self._entries[self._next]
            if entry.kind == "call" and not self._used[self._next]:
                break
            if entry.kind == "answer":
                self._answer(entry)
            elif entry.kind == "event":
                self._event(entry)
            self._next += 1
        if self._next < len(self._entries):
            self._stuck = self._loop.call_later(_PATIENCE_SECONDS, self._skip)

    def _skip(self) -> None:
        """Do without a call that does not come, if others have come after it."""
        self._stuck = None
        if any(self._used[self._next :]):
            self._next += 1
            self._advance()

    def _answer(self, entry: Entry) -> None:
        client, ticket = self._tickets.pop((entry.pid, entry.id), (None, 0))
        if client is not None and ticket:
            self._answer_to(client, ticket, entry)

    def _answer_to(self, client: Client, ticket: int, entry: Entry) -> None:
        def send() -> None:
            files = _empty_streams(entry.files)
            frame = wire.encode_answer(
                ticket, entry.hresult, entry.document, entry.process_id, entry.files
            )
            client.send(frame, files)

        if self._real_time:
            self._loop.call_later(entry.seconds, send)
        else:
            send()

    def _event(self, entry: Entry) -> None:
        client, handle = self._made.get((entry.pid, entry.handle), (None, 0))
        if client is not None:
            client.send(
                wire.encode_event(handle, entry.type, entry.hresult, entry.document)
            )


_PLAYED = ("call", "send", "answer", "event")


def _empty_streams(mask: int) -> tuple[int, ...]:
    """Make the streams of a process that reads nothing and writes nothing."""
    files = []
    for index in range(3):
        if mask & 1 << index:
            own, client = transport.make_pipe(index)
            transport.close_file(own)
            files.append(client)
    return tuple(files)


class Client:
    """
    One client of a replay.

    Args:
        stream: Its connection.
        process: At the other end.
        loop: That watches it.
        replay: What it is answered from.
    """

    def __init__(
        self, stream: transport.Stream, process: int, loop: Loop, replay: Replay
    ) -> None:
        self._replay = replay
        self._greeted = False
        self._rows = {row.number: row for row in calls.table() if row.remote}
        self._connection = Connection(
            stream, process, loop, self._receive, lambda _: None
        )

    def send(self, frame: bytes, files: tuple[int, ...] = ()) -> None:
        """Send a frame, if the client is still there."""
        self._connection.send(frame, files)

    def _receive(self, header: wire.Header, body: memoryview) -> None:
        if not self._greeted:
            wire.decode_hello(header, body)
            self._greeted = True
            self.send(wire.encode_welcome("a replayed trace", os.getpid()))
        elif header.kind == wire.CALL:
            row = self._rows.get(header.call)
            if row is None:
                raise wire.WireError(f"a call of number {header.call}")
            given = wire.decode_arguments(row.wire_kinds, body)
            self._replay.take(self, row, header.id, given)
        elif header.kind != wire.CANCEL:
            raise wire.WireError(f"a frame of kind {header.kind}")


def serve(trace: str, path: str, *, real_time: bool) -> int:
    """
    Serve a trace at a socket until SIGTERM or SIGINT.

    Args:
        trace: Path of the file.
        path: Of the socket, which is made; nobody else may use it.
        real_time: Answer as slowly as it was then.

    A line is written to stdout when clients can connect.

    Returns:
        How many calls the trace had no answer for.
    """

    def failed(error: BaseException) -> None:
        sys.stderr.write(f"replay: {type(error).__name__}: {error}\n")

    loop = Loop(failed)
    replay = Replay(list(read_trace(trace)), loop, real_time=real_time)
    listener = transport.Listener(path, loop)

    def accept(_events: int) -> None:
        stream, process = listener.accept()
        Client(stream, process, loop, replay)

    loop.watch(listener.fileno(), READ, accept)
    loop.call_on_signals(loop.stop)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    loop.run()
    listener.hide()
    listener.close()
    loop.close()
    return replay.unmatched


def main(arguments: list[str]) -> int:
    """
    Run a replay.

    Returns:
        The exit code: 3 if clients called what the trace does not have.
    """
    real_time = "--real-time" in arguments
    trace, path = [item for item in arguments if item != "--real-time"]
    try:
        missed = serve(trace, path, real_time=real_time)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"replay: {error}\n")
        return 1
    if missed:
        sys.stderr.write(f"replay: the trace had no answer for {missed} calls\n")
    return 3 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
