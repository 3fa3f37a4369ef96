"""
Reading what other programs print about HCS: errors in logs, lists of systems, events.

What clients log of a failure is text, in a form that changed over the years; what it
says is made into the same exceptions and models as an answer of HCS.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import attrs

from hcsshim.documents._document import DocumentError
from hcsshim.documents.results import ErrorEvent

if TYPE_CHECKING:
    from hcsshim.errors import HcsError

__all__ = [
    "EventLogEntry",
    "LoggedError",
    "LoggedSystem",
    "parse_event_log",
    "parse_logged_error",
    "parse_system_list",
]

_EVENT = re.compile(
    r"\[Event Detail: (?P<message>.*?)"
    r"(?: Stack Trace: (?P<stack>.*?))?"
    r"(?: Provider: (?P<provider>[0-9A-Fa-f-]{36}))?"
    r"(?: EventID: (?P<id>\d+))?"
    r"(?: flags: (?P<flags>\d+))?"
    r"(?: Source: (?P<source>.*?))?\]",
    re.DOTALL,
)
_OUTER = re.compile(
    r"(?:process (?P<pid>\d+) in )?container (?P<id>\S+) "
    r"encountered an error during (?P<rest>.*)",
    re.DOTALL,
)
_INNER = re.compile(
    r"(?P<operation>[\w:]+) (?P<id>[^\s:]+)(?::(?P<pid>\d+))?: (?P<message>.*)",
    re.DOTALL,
)
_SYSTEM_CALL = re.compile(
    r"(?P<operation>.*?)(?:: failure in a Windows system call:| failed in Win32:) "
    r"(?P<message>.*?) \((?P<code>0x[0-9A-Fa-f]+)\)",
    re.DOTALL,
)
_EXTRA = re.compile(r"\s*\(?extra info: (?P<extra>.*?)\)?\s*$", re.DOTALL)
_WIN32 = 0x80070000
_NO_CODE = 0x80004005


@attrs.frozen(kw_only=True)
class LoggedError:
    """
    A failure as a client of HCS logged it.

    Attributes:
        operation: What failed, in the client's words; ``""`` if it does not say.
        system_id: Of the compute system; ``""`` likewise.
        process_id: Of the process, if one was concerned.
        message: The sentence for the code.
        code: As printed, often shortened to a Win32 code; ``None`` if it is not there.
        events: What HCS sent along.
        extra_info: The document that old clients printed as well; it may hold secrets.
    """

    operation: str = ""
    system_id: str = ""
    process_id: int | None = None
    message: str = ""
    code: int | None = None
    events: tuple[ErrorEvent, ...] = ()
    extra_info: str | None = attrs.field(default=None, repr=False)

    @property
    def hresult(self) -> int:
        """The code in full; ``E_FAIL`` where none was printed."""
        if self.code is None:
            return _NO_CODE
        return _WIN32 | self.code if self.code < 0x10000 else self.code

    def error(self) -> HcsError:
        """Make the exception that the failure is, without raising it."""
        from hcsshim.documents._converter import to_dict  # noqa: PLC0415 - seldom
        from hcsshim.errors import error_of  # noqa: PLC0415 - as above

        document = {
            "Error": self.hresult - (1 << 32),
            "ErrorMessage": self.message,
            "ErrorEvents": [to_dict(event) for event in self.events],
        }
        return error_of(
            self.hresult,
            self.operation,
            self.system_id,
            json.dumps(document),
            process_id=self.process_id,
        )


def parse_logged_error(text: str) -> LoggedError:
    """
    Read a failure as clients of HCS have printed it since 2016.

    Args:
        text: One error; what stands before it in a line of a log may be there, too.

    Raises:
        DocumentError: It is no such text.
    """
    events = tuple(_event(match) for match in _EVENT.finditer(text))
    extra = _EXTRA.search(text)
    rest = text if extra is None else text[: extra.start()]
    rest = _EVENT.sub("", rest).rstrip()
    found = _outer(rest) or _inner(rest)
    if found is None:
        raise DocumentError("the text of a failure that a client of HCS logged", text)
    return attrs.evolve(
        found,
        events=events,
        extra_info=None if extra is None else extra["extra"],
    )


def _event(match: re.Match[str]) -> ErrorEvent:
    return ErrorEvent(
        message=match["message"].strip() or None,
        stack_trace=match["stack"],
        provider=match["provider"],
        event_id=int(match["id"]) if match["id"] else None,
        flags=int(match["flags"]) if match["flags"] else None,
        source=match["source"],
    )


def _outer(text: str) -> LoggedError | None:
    """Read the form of the public wrapper: ``container ID encountered an error``."""
    match = _OUTER.search(text)
    if match is None:
        return None
    call = _SYSTEM_CALL.match(match["rest"])
    operation, _, message = match["rest"].partition(": ")
    if call is not None:
        operation, message = call["operation"], call["message"]
    return LoggedError(
        operation=operation,
        system_id=match["id"],
        process_id=int(match["pid"]) if match["pid"] else None,
        message=message.strip(),
        code=None if call is None else int(call["code"], 16),
    )


def _inner(text: str) -> LoggedError | None:
    """Read the form inside the library: ``CreateProcess ID:PID: message``."""
    match = _INNER.search(text)
    if match is None:
        return None
    return LoggedError(
        operation=match["operation"],
        system_id=match["id"],
        process_id=int(match["pid"]) if match["pid"] else None,
        message=match["message"].strip(),
    )


@attrs.frozen(kw_only=True)
class LoggedSystem:
    """
    A system as ``hcsdiag list`` shows it.

    Attributes:
        id: Its id.
        kind: In the tool's words: ``VM``, ``Windows Server Container``.
        state: ``Running``, ``Unknown`` of one that was left behind.
        runtime_id: Its GUID, if that is shown.
        owner: Who made it, if that is shown.
    """

    id: str
    kind: str
    state: str
    runtime_id: str | None = None
    owner: str | None = None


def parse_system_list(text: str) -> tuple[LoggedSystem, ...]:
    """
    Read what ``hcsdiag list`` prints: a line with the id, and one about the system.

    Raises:
        DocumentError: It is something else.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    found = []
    for name, about in zip(lines[::2], lines[1::2], strict=False):
        parts = [part.strip() for part in about.split(",")]
        if name.startswith(" ") or not about.startswith(" ") or len(parts) < 2:
            raise DocumentError("the output of hcsdiag list", text)
        known = [*parts, None, None][:4]
        found.append(
            LoggedSystem(
                id=name.strip(),
                kind=parts[0],
                state=parts[1],
                runtime_id=known[2] or None,
                owner=known[3] or None,
            )
        )
    if len(lines) % 2:
        raise DocumentError("the output of hcsdiag list", text)
    return tuple(found)


@attrs.frozen(kw_only=True)
class EventLogEntry:
    """
    A line of the event log of Microsoft-Windows-Hyper-V-Compute.

    Attributes:
        system_id: Of the system that it is about.
        text: What it says.
        result: HRESULT of the call.
        notification: Kind of the notification, where it is about one.
        status: HRESULT that the notification brings: the outcome.
        settings: The document of the call, where it has one.
    """

    system_id: str
    text: str
    result: int | None = None
    notification: int | None = None
    status: int | None = None
    settings: str | None = None


_LINE = re.compile(r"\[(?P<id>[^\]]+)\] (?P<text>.*)", re.DOTALL)
_RESULT = re.compile(r"result (0x[0-9A-Fa-f]{8})")
_NOTIFICATION = re.compile(r"notification:? (\d+) / (0x[0-9A-Fa-f]{8})")
_SETTINGS = re.compile(r"settings '(.*)'", re.DOTALL)


def parse_event_log(line: str) -> EventLogEntry:
    """
    Read a line of the event log.

    Raises:
        DocumentError: It is about no system.
    """
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise DocumentError("a line of the event log of HCS", line)
    text = match["text"]
    result, told = _RESULT.search(text), _NOTIFICATION.search(text)
    settings = _SETTINGS.search(text)
    return EventLogEntry(
        system_id=match["id"],
        text=text,
        result=int(result[1], 16) if result else None,
        notification=int(told[1]) if told else None,
        status=int(told[2], 16) if told else None,
        settings=settings[1] if settings else None,
    )
