"""
The one place where documents become JSON text, and JSON text documents.

It is not cattrs: importing that takes about as long as a whole first call may, and its
converters know neither keys in another case nor members to be kept. The rules are few
enough to be written here once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

import attrs

from hcsshim.documents._document import JSON, Document, DocumentError, Withheld
from hcsshim.documents._plan import plan_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

D = TypeVar("D", bound=Document)

_encoder = json.JSONEncoder(
    separators=(",", ":"), allow_nan=False, check_circular=False
)


def from_dict(cls: type[D], raw: JSON) -> D:
    """
    Read a document from decoded JSON, leniently.

    Keys match in any case, null keeps the default, unknown members are kept, enum
    values that are not listed become ``Unlisted``. Ranges are not checked.

    Args:
        cls: Class of the document.
        raw: A JSON object as ``json`` decodes it.

    Returns:
        The document.

    Raises:
        DocumentError: It is no object, or a member has a type it cannot have.
    """
    document = plan_of(cls).decode(raw)
    assert isinstance(document, cls)  # noqa: S101  # a plan makes its own class
    return document


def salvage(cls: type[D], raw: dict[str, JSON]) -> D:
    """
    Read what can be read of a document.

    Args:
        cls: Class of the document.
        raw: A JSON object.

    Returns:
        The document; members that make no sense are in its ``extra``.
    """
    document = plan_of(cls).decode(raw, set_aside=True)
    assert isinstance(document, cls)  # noqa: S101  # a plan makes its own class
    return document


def to_dict(document: Document) -> dict[str, JSON]:
    """
    Write a document as a JSON object.

    Args:
        document: Any document.

    Returns:
        What ``json`` can write, unknown members last.

    Raises:
        DocumentError: An open member holds something that is not JSON.
    """
    try:
        return plan_of(type(document)).encode(document)
    except RecursionError:
        raise DocumentError("a document that does not contain itself") from None


def loads(cls: type[D], text: str) -> D:
    """
    Parse a document.

    Args:
        cls: Class of the document.
        text: JSON text of an object.

    Returns:
        The document, read as ``from_dict`` does.

    Raises:
        DocumentError: The text is not JSON or not such a document.
    """
    return from_dict(cls, parse_json(text))


def loads_list(cls: type[D], text: str) -> tuple[D, ...]:
    """
    Parse a list of documents, the answer to an enumeration.

    Args:
        cls: Class of each document.
        text: JSON text of a list; ``null`` is an empty one.

    Returns:
        The documents in their order.

    Raises:
        DocumentError: The text is not JSON or not a list of such documents.
    """
    raw = parse_json(text)
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise DocumentError("a list", raw)
    documents = []
    for index, element in enumerate(raw):
        try:
            documents.append(from_dict(cls, element))
        except DocumentError as error:  # noqa: PERF203  # names the place
            raise error.within(f"[{index}]") from None
    return tuple(documents)


def dumps(document: Document | None) -> str:
    """
    Write a document as compact JSON.

    Args:
        document: The document, or None for "no document".

    Returns:
        The text; for None the empty string, as HCS wants it, never ``{}``.

    Raises:
        DocumentError: An open member holds something that is not JSON.
    """
    return "" if document is None else write_json(to_dict(document))


def dumps_list(documents: Iterable[Document]) -> str:
    """
    Write a list of documents as compact JSON.

    Args:
        documents: The documents.

    Returns:
        The text of a JSON list.

    Raises:
        DocumentError: An open member holds something that is not JSON.
    """
    return write_json([to_dict(document) for document in documents])


def parse_json(text: str) -> JSON:
    """
    Parse JSON text, with one kind of error.

    Args:
        text: The text.

    Returns:
        Its value.

    Raises:
        DocumentError: It is not JSON, or nested beyond reason.
    """
    try:
        if isinstance(text, str) and text.startswith("\ufeff"):
            text = text[1:]  # of a file that Windows wrote
        value: JSON = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise DocumentError("a JSON document", _excuse(text, error)) from None
    return value


def _excuse(text: object, error: Exception) -> Withheld:
    """Say why text is no JSON without showing it: it may hold secrets."""
    if not isinstance(text, str):
        return Withheld(type(text).__name__)
    if not text:
        return Withheld("empty text")
    if isinstance(error, RecursionError):
        return Withheld("text nested too deeply")
    return Withheld(f"text that is none ({error})")


def write_json(value: JSON) -> str:
    """
    Write plain JSON compactly; non-ASCII text is escaped.

    Args:
        value: A JSON value.

    Returns:
        The text.

    Raises:
        DocumentError: It holds NaN, infinity, or something that is not JSON.
    """
    try:
        return _encoder.encode(value)
    except (ValueError, TypeError, RecursionError):
        raise DocumentError("JSON values and finite numbers", value) from None


def settle(document: Document) -> None:
    """
    Check a document that is being built; ``Document`` calls it.

    Args:
        document: The new document.

    Raises:
        DocumentError: HCS would refuse it.
    """
    plan_of(type(document)).settle(document)
    check_choices(document)


def check_choices(document: Document) -> None:
    """
    Check the rules about members that exclude each other.

    Args:
        document: Any document.

    Raises:
        DocumentError: Too many are set, or none where one is needed.
    """
    cls = type(document)
    for names, needed in cls.choices:
        given = [name for name in names if getattr(document, name) not in (None, 0, "")]
        if len(given) > 1 or (needed and not given):
            wires = [_wire_name(cls, name) for name in names]
            count = "exactly" if needed else "at most"
            found = " and ".join(_wire_name(cls, name) for name in given) or None
            raise DocumentError(
                f"{count} one of {', '.join(wires)}", found, cls.__name__
            )


def _wire_name(cls: type[Document], name: str) -> str:
    """Return the JSON name of a field."""
    return str(getattr(attrs.fields(cls), name).metadata["wire"])


def walk(document: Document, path: str = "") -> Iterator[tuple[str, Document]]:
    """
    Visit a document and all documents inside it.

    Args:
        document: Where to start.
        path: JSON path of the start, empty for the root.

    Yields:
        Dotted JSON path and document, outer ones first.
    """
    yield path, document
    for member in plan_of(type(document)).members:
        value = getattr(document, member.name)
        step = f"{path}.{member.wire}" if path else member.wire
        if isinstance(value, Document):
            yield from walk(value, step)
        elif isinstance(value, tuple):
            for index, element in enumerate(value):
                if isinstance(element, Document):
                    yield from walk(element, f"{step}[{index}]")
        elif isinstance(value, dict):
            for key, element in value.items():
                if isinstance(element, Document):
                    yield from walk(element, f"{step}.{key}")


def check(document: Document) -> None:
    """
    Hold a parsed document to the rules for building one.

    Parsing is lenient; whoever acts on a document from elsewhere checks it first.

    Args:
        document: A document, parsed or built.

    Raises:
        DocumentError: HCS would refuse it; the path starts at ``document``.
    """
    for path, part in walk(document):
        try:
            _check_fields(part)
        except DocumentError as error:  # noqa: PERF203  # names the place
            inner = error.path.partition(".")[2]
            joint = "." if path and inner else ""
            raise DocumentError(
                error.expected, error.found, f"{path}{joint}{inner}"
            ) from None


def _check_fields(document: Document) -> None:
    """Run the validators and choices of one document, and refuse unlisted values."""
    cls = type(document)
    attrs.validate(document)
    for member in plan_of(cls).members:
        value = getattr(document, member.name)
        if value is not None:
            try:
                member.codec.check(value)
            except DocumentError as error:
                raise error.within(member.wire).within(cls.__name__) from None
    check_choices(document)


def unknown_members(document: Document) -> Iterator[str]:
    """
    Name the members of a parsed document that its classes do not have.

    Args:
        document: A parsed document.

    Yields:
        Dotted JSON paths, as HCS names them when it refuses a document.
    """
    for path, part in walk(document):
        for name in part.extra:
            yield f"{path}.{name}" if path else name
