"""
What a process asked of the service, and what it was told: ``HCSSHIM_TRACE=file``.

Each call, answer and event is a line of JSON with its time, written when it happens, so
that a trace of a program that crashed has everything up to then. Environment values and
credentials are masked. Several processes may write to one file.
"""

from __future__ import annotations

import json
import os
from _thread import allocate_lock
from functools import cache
from itertools import count
from time import monotonic, time
from typing import TYPE_CHECKING

from hcsshim._native import calls
from hcsshim.documents.masking import mask_text

if TYPE_CHECKING:
    from hcsshim._native.port import Completion

#: Names the file; without it nothing is written.
VARIABLE = "HCSSHIM_TRACE"
FORMAT = 1


class Tracer:
    """
    Writes the trace of one process.

    Args:
        path: Of the file, which is added to; made if it is missing, for this user only.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        self._file = os.open(path, flags, 0o600)
        self._begin = monotonic()
        self._ids = count(1)
        self._write({"kind": "begin", "format": FORMAT, "time": time()})

    def _write(self, entry: dict[str, object]) -> None:
        at = round(monotonic() - self._begin, 6)
        line = {"at": at, "pid": os.getpid(), **entry}
        text = json.dumps(line, separators=(",", ":"), check_circular=False) + "\n"
        os.write(self._file, text.encode())  # one call: lines of others do not mix

    def call(
        self,
        call: str,
        arguments: tuple[str | int | None, ...],
        handle: int,
        *,
        wanted: bool,
    ) -> int:
        """
        Write that a call was submitted.

        Args:
            call: Its name.
            arguments: As they were given.
            handle: That it makes, or 0.
            wanted: Whether anybody waits for its answer.

        Returns:
            The number that its answer is written with.
        """
        number = next(self._ids)
        shown = [mask_text(a) if isinstance(a, str) else a for a in arguments]
        self._write(
            {
                "kind": "call" if wanted else "send",
                "id": number,
                "call": call,
                "dll": _dll_of(call),
                "arguments": shown,
                "handle": handle,
            }
        )
        return number

    def answer(self, number: int, completion: Completion, seconds: float) -> None:
        """
        Write the answer of a call.

        Args:
            number: Of the call.
            completion: The answer.
            seconds: Since the call was submitted.
        """
        document = completion.document
        self._write(
            {
                "kind": "answer",
                "id": number,
                "hresult": f"0x{completion.hresult:08X}",
                "document": None if document is None else mask_text(document),
                "process_id": completion.process_id,
                "files": sum(
                    1 << index
                    for index, file in enumerate(completion.files)
                    if file >= 0
                ),
                "seconds": round(seconds, 6),
            }
        )

    def ended(self, number: int, kind: str) -> None:
        """Write that a call was given up or asked to be cancelled."""
        self._write({"kind": kind, "id": number})

    def event(self, handle: int, kind: int, status: int, document: str | None) -> None:
        """Write an event of a handle."""
        self._write(
            {
                "kind": "event",
                "handle": handle,
                "type": kind,
                "status": f"0x{status:08X}",
                "document": None if document is None else mask_text(document),
            }
        )


_lock = allocate_lock()
_tracers: dict[tuple[str, int], Tracer] = {}


def tracer() -> Tracer | None:
    """
    Give what writes the trace of this process, if one is asked for.

    Raises:
        OSError: The file that is named cannot be opened.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        return None
    with _lock:
        key = (path, os.getpid())
        if key not in _tracers:
            _tracers[key] = Tracer(path)
        return _tracers[key]


@cache
def _dll_of(call: str) -> str:
    """Name the DLL that exports a call; of two, the first in the table."""
    return next((row.dll for row in calls.table() if row.name == call), "")
