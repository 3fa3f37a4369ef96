"""
How one member crosses between Python and JSON, by the kind its annotation names.

Each codec has three verbs. ``decode`` reads what a service wrote and is lenient,
``encode`` writes, and ``settle`` checks what a caller passed when building a document
and puts it into its final form (tuples for lists, enum members for their text).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from hcsshim.documents._document import (
    JSON,
    Document,
    DocumentError,
    Map,
    Numbered,
    Unlisted,
    WireEnum,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.documents._plan import Plan

T = TypeVar("T")

ZERO_TIME = "0001-01-01T00:00:00Z"
LISTED_AT_MOST = 12


class Codec:
    """
    A member of any JSON value, kept as it is; base of the other kinds.

    ``exact`` is the type that needs no decoding, ``plain`` tells that encoding changes
    nothing, ``droppable`` that an empty value may be left out.
    """

    exact: type | None = None
    plain = False
    droppable = False

    def decode(self, raw: JSON) -> object:
        """Turn decoded JSON into the field's value."""
        return raw

    def encode(self, value: object) -> JSON:
        """Turn a field's value into what ``json`` can write."""
        return plain_json(value)

    def settle(self, value: object) -> object:
        """Check and normalise a value given by a caller."""
        plain_json(value)
        return value

    def check(self, value: object) -> None:
        """Refuse what parsing let through but building would not."""

    def zero(self) -> JSON:
        """Return what is written for None where a member is always written."""
        return None


def plain_json(value: object) -> JSON:
    """
    Replace documents inside an open value by their JSON.

    Args:
        value: JSON, a document, or a mix of both.

    Returns:
        The value as plain JSON.

    Raises:
        DocumentError: Something inside is neither.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Document):
        from hcsshim.documents._plan import plan_of  # noqa: PLC0415  # a cycle

        return plan_of(type(value)).encode(value)
    if isinstance(value, Mapping):
        return {_key(k): _step(plain_json, k, v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_step(plain_json, f"[{i}]", v) for i, v in enumerate(value)]
    raise DocumentError("a JSON value or a document", value)


def _key(key: object) -> str:
    """Check that a key of an open object is text."""
    if isinstance(key, str):
        return str(key)
    raise DocumentError("text as a key", key)


def _step(convert: Callable[[T], object], step: object, value: T) -> JSON:
    """Convert one element and name its place when that fails."""
    try:
        return convert(value)  # type: ignore[return-value]  # callers pass encoders
    except DocumentError as error:
        raise error.within(str(step)) from None


class Scalar(Codec):
    """Text, a switch, or a number, kept in its own type."""

    plain = True
    droppable = True

    def __init__(self, kind: type, expected: str, *, zero: JSON) -> None:
        self.exact = kind
        self._kind = kind
        self._expected = expected
        self._zero = zero

    def decode(self, raw: JSON) -> object:
        """Accept the kind itself, and whole numbers in either spelling."""
        if self._kind is int and isinstance(raw, float) and raw.is_integer():
            return int(raw)
        if self._kind is float and type(raw) is int:
            return float(raw)
        if isinstance(raw, self._kind) and type(raw) is not bool:
            return raw
        raise DocumentError(self._expected, raw)

    def settle(self, value: object) -> object:
        """Accept the kind and its subclasses; True and False are no numbers."""
        if self._kind is float and type(value) is int:
            return float(value)
        if not isinstance(value, self._kind) or (
            isinstance(value, bool) and self._kind is not bool
        ):
            raise DocumentError(self._expected, value)
        return value

    def encode(self, value: object) -> JSON:
        """Write the value as it is."""
        return value  # type: ignore[return-value]  # decode and settle saw to it

    def zero(self) -> JSON:
        """Return the empty value of the kind."""
        return self._zero


class Listed(Codec):
    """One of the values of an enum, or text that this version does not know."""

    droppable = True

    def __init__(self, load: Callable[[], type[WireEnum]]) -> None:
        self._load = load
        self._members: dict[str, WireEnum] | None = None

    def _by_text(self) -> dict[str, WireEnum]:
        if self._members is None:
            self._members = {m.value: m for m in self._load()}
        return self._members

    def decode(self, raw: JSON) -> object:
        """Find the member; other text is kept, in its own spelling."""
        if type(raw) is int:
            return Numbered(raw)
        if not isinstance(raw, str):
            raise DocumentError("text", raw)
        return self._by_text().get(raw) or (Unlisted(raw) if raw else raw)

    def encode(self, value: object) -> JSON:
        """Write the text, or the number that came instead."""
        return int(value) if isinstance(value, Numbered) else str(value)

    def settle(self, value: object) -> object:
        """Accept a member or its text in any case, refuse text that is not listed."""
        if value == "" or isinstance(value, (WireEnum, Unlisted)):
            return value
        if isinstance(value, str):
            folded = value.casefold()
            for text, member in self._by_text().items():
                if text.casefold() == folded:
                    return member
        raise DocumentError(self._expected(), value)

    def check(self, value: object) -> None:
        """Refuse text that is not listed; case is ignored, as services do."""
        if isinstance(value, Unlisted):
            self.settle(str(value))

    def _expected(self) -> str:
        texts = list(self._by_text())
        if len(texts) > LISTED_AT_MOST:
            return f"a listed {self._load().__name__}"
        return f"one of {', '.join(texts)}"

    def zero(self) -> JSON:
        """Return empty text."""
        return ""


class Part(Codec):
    """
    A document inside a document; its class is loaded when first needed.

    Args:
        name: Name of the class.
        load: Loads the class.
        plan_of: Finds the plan of a class.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], type[Document]],
        plan_of: Callable[[type[Document]], Plan],
    ) -> None:
        self._name = name
        self._load = load
        self._plan_of = plan_of

    def decode(self, raw: JSON) -> object:
        """Read an object into the class."""
        plan = self._plan_of(self._load())
        self.decode = plan.decode  # type: ignore[method-assign]  # found once
        return plan.decode(raw)

    def encode(self, value: object) -> JSON:
        """Write the object, which may be of a subclass."""
        cls = type(value)
        return self._plan_of(cls).encode(value)  # type: ignore[arg-type]  # settled

    def settle(self, value: object) -> object:
        """Accept the class, by name, so that nothing is loaded to check it."""
        if any(base.__name__ == self._name for base in type(value).__mro__):
            return value
        raise DocumentError(f"a {self._name} document", value)

    def zero(self) -> JSON:
        """Return the object as it is when nothing in it is set."""
        cls = self._load()
        return self._plan_of(cls).encode(cls())


class Items(Codec):
    """A list of one kind, held as a tuple; ``length`` fixes its size."""

    droppable = True

    def __init__(self, item: Codec, length: int | None = None) -> None:
        self._item = item
        self._length = length

    def decode(self, raw: JSON) -> object:
        """Read each element."""
        if not isinstance(raw, list):
            raise DocumentError("a list", raw)
        return self._each(self._item.decode, raw)  # type: ignore[arg-type]  # JSON

    def encode(self, value: object) -> JSON:
        """Write each element."""
        if self._item.plain:
            return list(value)  # type: ignore[call-overload, no-any-return]  # tuple
        return list(self._each(self._item.encode, value))  # type: ignore[arg-type]

    def settle(self, value: object) -> object:
        """Accept a list or tuple of acceptable elements."""
        if not isinstance(value, (list, tuple)):
            raise DocumentError("a tuple", value)
        return self._each(self._item.settle, value)

    def check(self, value: object) -> None:
        """Check each element."""
        self._each(self._item.check, value)  # type: ignore[arg-type]  # a tuple

    def _each(
        self, convert: Callable[[object], T], values: list[object] | tuple[object, ...]
    ) -> tuple[T, ...]:
        if self._length is not None and len(values) != self._length:
            raise DocumentError(f"{self._length} elements", values)
        found: list[T] = []
        try:
            for value in values:
                found.append(convert(value))  # noqa: PERF401  # counts for the path
        except DocumentError as error:
            raise error.within(f"[{len(found)}]") from None
        return tuple(found)

    def zero(self) -> JSON:
        """Return null for a list, zeros for a fixed array."""
        return None if self._length is None else [self._item.zero()] * self._length


class Entries(Codec):
    """An object with free keys, held as an unchangeable mapping."""

    droppable = True

    def __init__(self, key: type, item: Codec) -> None:
        self._numbers = key is int
        self._item = item

    def decode(self, raw: JSON) -> object:
        """Read each entry; keys that are numbers in Python are decimal text in JSON."""
        if not isinstance(raw, dict):
            raise DocumentError("an object", raw)
        return self._each(self._item.decode, raw)  # type: ignore[arg-type]  # JSON

    def encode(self, value: object) -> JSON:
        """Write each entry."""
        encode = self._item.encode
        entries: Mapping[object, object] = value  # type: ignore[assignment]  # settled
        return {str(k): _step(encode, k, v) for k, v in entries.items()}

    def settle(self, value: object) -> object:
        """Accept a mapping of acceptable entries."""
        if not isinstance(value, Mapping):
            raise DocumentError("a mapping", value)
        return self._each(self._item.settle, value)

    def check(self, value: object) -> None:
        """Check each entry."""
        self._each(self._item.check, value)  # type: ignore[arg-type]  # a mapping

    def _each(
        self, convert: Callable[[object], T], values: Mapping[object, object]
    ) -> Map[str | int, T]:
        found: dict[str | int, T] = {}
        for key, value in values.items():
            try:
                found[self._key(key)] = convert(value)
            except DocumentError as error:  # noqa: PERF203  # names the key
                raise error.within(str(key)) from None
        return Map(found)

    def _key(self, key: object) -> str | int:
        if not self._numbers:
            if isinstance(key, str):
                return key
            raise DocumentError("text as a key", key)
        try:
            return int(key)  # type: ignore[call-overload, no-any-return]  # caught
        except (TypeError, ValueError):
            raise DocumentError("a whole number as key", key) from None


class Binary(Codec):
    """Bytes, base64 text in JSON."""

    droppable = True

    def decode(self, raw: JSON) -> object:
        """Read standard base64."""
        if not isinstance(raw, str):
            raise DocumentError("base64 text", raw)
        import base64  # noqa: PLC0415  # seldom needed

        try:
            return base64.b64decode(raw, validate=True)
        except ValueError:
            raise DocumentError("base64 text", raw) from None

    def encode(self, value: object) -> JSON:
        """Write standard base64."""
        import base64  # noqa: PLC0415  # seldom needed

        return base64.b64encode(value).decode()  # type: ignore[arg-type]  # settled

    def settle(self, value: object) -> object:
        """Accept anything bytes-like."""
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
        raise DocumentError("bytes", value)


class Moment(Codec):
    """
    A time in UTC; HCS writes the first moment of year 1 for none.

    ``datetime`` is imported when a document really holds a time.
    """

    def decode(self, raw: JSON) -> object:
        """Read RFC 3339 text; unset times become None."""
        if raw in ("", ZERO_TIME):
            return None
        from hcsshim.documents import _time  # noqa: PLC0415  # seldom needed

        try:
            return _time.Timestamp.parse(raw)  # type: ignore[arg-type]  # caught
        except (TypeError, ValueError, OverflowError):
            raise DocumentError("a time such as 2024-05-06T07:08:09Z", raw) from None

    def encode(self, value: object) -> JSON:
        """Write RFC 3339 text."""
        from hcsshim.documents import _time  # noqa: PLC0415  # seldom needed

        return _time.format_time(value)  # type: ignore[arg-type]  # settled

    def settle(self, value: object) -> object:
        """Accept a datetime."""
        import datetime as dt  # noqa: PLC0415  # seldom needed

        if isinstance(value, dt.datetime):
            return value
        raise DocumentError("a datetime", value)

    def zero(self) -> JSON:
        """Return the time that means none."""
        return ZERO_TIME


class Ticks(Codec):
    """A time span counted in units of 100 ns."""

    droppable = True

    def decode(self, raw: JSON) -> object:
        """Read the count."""
        if type(raw) is float and raw.is_integer():
            raw = int(raw)
        if type(raw) is not int:
            raise DocumentError("a whole number of 100 ns units", raw)
        from hcsshim.documents import _time  # noqa: PLC0415  # seldom needed

        try:
            return _time.Duration(raw)
        except OverflowError:
            raise DocumentError("less than a billion days", raw) from None

    def encode(self, value: object) -> JSON:
        """Write the count."""
        from hcsshim.documents import _time  # noqa: PLC0415  # seldom needed

        return _time.ticks_of(value)  # type: ignore[arg-type]  # settled

    def settle(self, value: object) -> object:
        """Accept a timedelta."""
        import datetime as dt  # noqa: PLC0415  # seldom needed

        if isinstance(value, dt.timedelta):
            return value
        raise DocumentError("a timedelta", value)

    def zero(self) -> JSON:
        """Return no time at all."""
        return 0
