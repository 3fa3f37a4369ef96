"""What every JSON document has in common: base class, wire names, enums, errors."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, TypeAlias, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A JSON value as the standard library decodes it.
JSON: TypeAlias = (
    "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None"
)

#: A member whose type HCS leaves open: a JSON value, or a document.
AnyValue: TypeAlias = "JSON | Document"

#: When a member is written. ``nonempty`` leaves out None and empty values (``""``, 0,
#: False, empty lists), ``nonnull`` leaves out None only; ``always`` writes the empty
#: value of the type for None, ``null`` writes null.
Emit: TypeAlias = Literal["nonempty", "nonnull", "always", "null"]

K = TypeVar("K")
V = TypeVar("V")

SHOWN = 60


class DocumentError(ValueError):
    """
    A document is not what HCS would accept, or not a document at all.

    The text is one sentence that names the JSON path and what was expected.

    Args:
        expected: What should have been there, for example ``a whole number``.
        found: The value that was there instead, shortened for the message.
        path: Dotted JSON path of the member, ``$`` for the root.
    """

    def __init__(self, expected: str, found: object = None, path: str = "") -> None:
        self.expected = expected
        self.found = found
        self.path = path
        super().__init__(expected, found, path)

    def __str__(self) -> str:
        shown = describe(self.found)
        return f"{self.path or '$'}: expected {self.expected}, got {shown}"

    def withheld(self) -> DocumentError:
        """
        Return the same error without the value, which is a secret.

        Returns:
            A new error.
        """
        return DocumentError(self.expected, Withheld("a secret"), self.path)

    def within(self, step: str) -> DocumentError:
        """
        Return the same error as seen from one level further out.

        Args:
            step: Name or ``[index]`` of the member that holds the bad value.

        Returns:
            A new error with the longer path.
        """
        joint = "" if not self.path or self.path.startswith("[") else "."
        return DocumentError(self.expected, self.found, f"{step}{joint}{self.path}")


class Withheld(str):
    """
    Stands in an error for a value that must not be shown, and says why.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def describe(value: object) -> str:
    """
    Say in few words what a value is, for an error message.

    Args:
        value: Anything.

    Returns:
        The JSON name of a container's type, the shortened value otherwise.
    """
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "a list"
    shown = repr(value)
    if isinstance(value, Withheld):
        return shown
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."


class Unlisted(str):
    """
    A value of an enum that this version does not list.

    Parsing makes them, so newer Windows can be read; pass one to send such a value on
    purpose, because a plain unknown string is refused when a document is built.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Unlisted({str.__repr__(self)})"


class Numbered(Unlisted):
    """
    An enum value that was sent as a number, as some clients do; written as one again.

    Args:
        number: The number.
    """

    __slots__ = ()

    def __new__(cls, number: int) -> Numbered:  # noqa: PYI034  # Self is in 3.11
        """Hold a number as decimal text."""
        return super().__new__(cls, str(number))

    def __reduce__(self) -> tuple[type[Numbered], tuple[int]]:
        return type(self), (int(self),)

    def __repr__(self) -> str:
        return f"Numbered({self})"


class WireEnum(str, enum.Enum):
    """
    Base of the string enums: each member is the text HCS uses.

    ``SystemType("container")`` finds ``SystemType.CONTAINER``: case is ignored.
    """

    __str__ = str.__str__

    def __format__(self, format_spec: str) -> str:
        return str(self).__format__(format_spec)

    @classmethod
    def _missing_(cls, value: object) -> WireEnum | None:
        folded = str(value).casefold()
        return next((m for m in cls if m.value.casefold() == folded), None)


class Map(dict[K, V]):
    """A dict that cannot be changed, as the document that holds it cannot."""

    __slots__ = ()

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        msg = f"{type(self).__name__} cannot be changed; build a new document"
        raise TypeError(msg)

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = pop = popitem = clear = setdefault = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # dict has none
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Map[K, V]], tuple[dict[K, V]]]:
        return type(self), (dict(self),)

    def __copy__(self) -> Map[K, V]:
        return self

    def __repr__(self) -> str:
        return dict.__repr__(self)  # without the name of a subclass


class Extra(Map[str, JSON]):
    """
    What a parsed document held beyond the members known here.

    Unknown members are its items. ``sent`` names the known members that were there
    with an empty value, which would be left out otherwise: both are written back.

    Args:
        unknown: Members that the document class does not have.
        sent: Wire names of members that were written although empty.
    """

    __slots__ = ("sent",)

    sent: frozenset[str]

    def __init__(
        self, unknown: Mapping[str, JSON] | None = None, sent: Iterable[str] = ()
    ) -> None:
        super().__init__(unknown or {})
        self.sent = frozenset(sent)

    def __repr__(self) -> str:
        return f"Extra({', '.join(map(repr, self))})"  # values may be secrets

    def __reduce__(  # type: ignore[override]  # two arguments instead of one
        self,
    ) -> tuple[type[Extra], tuple[dict[str, JSON], frozenset[str]]]:
        return type(self), (dict(self), self.sent)


NO_EXTRA = Extra()


def wire(
    name: str,
    *,
    emit: Emit = "nonempty",
    zero: JSON = None,
    secret: bool = False,
    since: str = "",
) -> dict[str, object]:
    """
    Describe how a field crosses to JSON, as ``metadata`` of an ``attrs.field``.

    Args:
        name: The key in JSON.
        emit: When the key is written.
        zero: What is written for None, where that is not the type's empty value.
        secret: The value may be a credential and is masked in ``repr``.
        since: Schema version that brought it, if that is later than 2.1.

    Returns:
        The metadata.
    """
    return {
        "wire": name,
        "emit": emit,
        "zero": zero,
        "secret": secret,
        "since": since,
    }


@attrs.frozen(kw_only=True, repr=False)
class Document:
    """
    Base of all documents: immutable, compared by value, built with keywords.

    None means that a member is not sent. What a parsed document held beyond its
    class is kept in ``extra`` and written back.
    """

    extra: Extra = attrs.field(default=NO_EXTRA, hash=False)

    #: Groups of fields of which at most one, or exactly one if True, may be set.
    choices: ClassVar[tuple[tuple[tuple[str, ...], bool], ...]] = ()

    def __attrs_post_init__(self) -> None:
        from hcsshim.documents._converter import settle  # noqa: PLC0415  # a cycle

        settle(self)

    def __repr__(self) -> str:
        shown = []
        for field in attrs.fields(type(self)):
            value = getattr(self, field.name)
            if value is None or value in ((), {}):
                continue
            text = _mask(value) if field.metadata.get("secret") else repr(value)
            shown.append(f"{field.name}={text}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _mask(value: object) -> str:
    """Show that a secret is set, and the names of variables, not their values."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name!r}: '***'" for name in value) + "}"
    return "'***'"


#: The default of members that are mappings.
EMPTY: Map[Any, Any] = Map()
