"""Reading what :mod:`hcsshim._native.trace` wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Entry(NamedTuple):
    """
    One line of a trace.

    Attributes:
        at: Seconds since the process began to write.
        pid: Of the process.
        kind: ``call``, ``send`` (a call without an answer), ``answer``, ``event``,
            ``cancel``, ``abandon``, ``refused`` (not even submitted), ``begin``.
        id: Of the call concerned, counted by its process; 0 if none is.
        call: Its name.
        arguments: Of a call; documents without their secrets.
        handle: That a call makes, or that an event is about.
        hresult: Of an answer; status of an event.
        document: Of an answer or event.
        process_id: Of an answer.
        files: Of an answer: bits of stdin, stdout, stderr.
        seconds: From a call to its answer.
        type: Of an event.
    """

    at: float
    pid: int
    kind: str
    id: int = 0
    call: str = ""
    arguments: tuple[str | int | None, ...] = ()
    handle: int = 0
    hresult: int = 0
    document: str | None = None
    process_id: int = 0
    files: int = 0
    seconds: float = 0.0
    type: int = 0


def read_trace(path: str) -> Iterator[Entry]:
    """
    Read a trace.

    A last line that was cut short, by the end of its process, is left out.

    Args:
        path: Of the file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no trace; the text names the line.
    """
    names: dict[tuple[int, int], str] = {}
    with Path(path).open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                return
            entry = _entry(line, f"line {number} of {path!r} is not of a trace")
            if entry.call:
                names[entry.pid, entry.id] = entry.call
            elif entry.id:
                entry = entry._replace(call=names.get((entry.pid, entry.id), ""))
            yield entry


def _entry(line: str, complaint: str) -> Entry:
    try:
        raw = json.loads(line)
        return Entry(
            at=float(raw["at"]),
            pid=int(raw["pid"]),
            kind=str(raw["kind"]),
            id=int(raw.get("id") or 0),
            call=str(raw.get("call") or ""),
            arguments=tuple(raw.get("arguments") or ()),
            handle=int(raw.get("handle") or 0),
            hresult=int(str(raw.get("hresult") or raw.get("status") or "0"), 16),
            document=raw.get("document"),
            process_id=int(raw.get("process_id") or 0),
            files=int(raw.get("files") or 0),
            seconds=float(raw.get("seconds") or 0.0),
            type=int(raw.get("type") or 0),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(complaint) from None
