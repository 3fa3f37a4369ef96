"""
Reading a result document: what HCS has to say about a failure.

This is part of how an error gets its text, so it needs no model and raises
nothing: a bad document never hides the code that came with it. The typed model
of the same document is ``hcsshim.documents``' business.

Source:
    ``ResultError``, ``ErrorEvent``, ``EventData`` and ``AttributionRecord`` of the
    HCS schema, 2.1 and 2.4.
"""

from __future__ import annotations

_NO_PROVIDER = "00000000-0000-0000-0000-000000000000"

#: Members of an attribution record that say what went wrong, best first.
_DETAILS = ("Detail", "Type", "ErrorType")


class ErrorEvent:
    """
    One of the events that HCS explains a failure with.

    Attributes:
        message: A complete text, in the host's language; may be ``""``.
        provider: GUID of the event's provider in lower case, or ``""``.
        event_id: The event's number among those of its provider; 0 if unknown.
        flags: As sent; 0 if none.
        source: As sent, mostly ``""``.
        stack_trace: As sent, mostly ``""``.
        data: The event's values, not localised: codes as ``0x`` and eight digits
            or ``%%`` and decimals, ids, JSON paths.

    Source:
        ``ErrorEvent`` of the HCS schema, 2.1.
    """

    __slots__ = (
        "data",
        "event_id",
        "flags",
        "message",
        "provider",
        "source",
        "stack_trace",
    )

    def __init__(  # noqa: PLR0913 - one for each member of the document
        self,
        message: str = "",
        *,
        provider: str = "",
        event_id: int = 0,
        flags: int = 0,
        source: str = "",
        stack_trace: str = "",
        data: tuple[str, ...] = (),
    ) -> None:
        self.message = message
        self.provider = provider
        self.event_id = event_id
        self.flags = flags
        self.source = source
        self.stack_trace = stack_trace
        self.data = data

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ErrorEvent):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return (
            f"<ErrorEvent {self.event_id} of {self.provider or 'nobody'}: "
            f"{self.message!r}>"
        )


class Result:
    """
    What a result document says.

    Attributes:
        hresult: ``Error``, unsigned; ``None`` if the document names none.
        message: ``ErrorMessage``: the text of the code on that machine, or ``""``.
        events: Most general first.
        attribution: What each record blames, such as ``"Construct"``.
    """

    __slots__ = ("attribution", "events", "hresult", "message")

    def __init__(
        self,
        hresult: int | None,
        message: str,
        events: tuple[ErrorEvent, ...],
        attribution: tuple[str, ...],
    ) -> None:
        self.hresult = hresult
        self.message = message
        self.events = events
        self.attribution = attribution

    @property
    def sentence(self) -> str:
        """
        The one line to show: that of the last event with a message, else
        :attr:`message`, else ``""``.
        """
        for event in reversed(self.events):
            if event.message:
                return one_line(event.message)
        return one_line(self.message)


def one_line(text: str) -> str:
    """Replace line breaks and runs of blanks by single blanks."""
    return " ".join(text.split())


def read(document: str | None) -> Result:
    """
    Read a result document, or an entry of ``PropertyResponses`` with an ``Error``.

    Args:
        document: JSON, or nothing. Anything that is no result document reads as an
            empty one.
    """
    if not document:
        return Result(None, "", (), ())
    import json  # noqa: PLC0415 - only failures need it

    try:
        value = json.loads(document)
    except (ValueError, RecursionError):
        return Result(None, "", (), ())
    members = value if isinstance(value, dict) else {}
    if isinstance(members.get("Error"), dict):
        members = members["Error"]
    code = members.get("Error")
    return Result(
        None if type(code) is not int else code & 0xFFFFFFFF,
        _text(members.get("ErrorMessage")),
        tuple(_event(item) for item in _objects(members.get("ErrorEvents"))),
        tuple(_blame(item) for item in _objects(members.get("Attribution"))),
    )


def _event(members: dict[str, object]) -> ErrorEvent:
    provider = _text(members.get("Provider")).lower()
    return ErrorEvent(
        _text(members.get("Message")),
        provider="" if provider == _NO_PROVIDER else provider,
        event_id=_number(members.get("EventId")),
        flags=_number(members.get("Flags")),
        source=_text(members.get("Source")),
        stack_trace=_text(members.get("StackTrace")),
        data=tuple(_text(item.get("Value")) for item in _objects(members.get("Data"))),
    )


def _blame(record: dict[str, object]) -> str:
    for kind, fields in record.items():
        if isinstance(fields, dict):
            for name in _DETAILS:
                if fields.get(name):
                    return one_line(str(fields[name]))
        return one_line(kind)
    return ""


def _objects(value: object) -> list[dict[str, object]]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if type(value) is int else 0
