"""Everything that a service would refuse a document for, not only the first thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs

from hcsshim.documents._converter import check_choices, unknown_members, walk
from hcsshim.documents._document import DocumentError
from hcsshim.documents._plan import plan_of
from hcsshim.documents.versions import newer_members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hcsshim.documents._document import Document
    from hcsshim.documents.versions import SchemaVersion

#: Package of the documents whose unknown members nobody minds.
_LENIENT = ("hcsshim.documents.v1", "hcsshim.documents.hns")


class Problem(NamedTuple):
    """
    One reason to refuse a document.

    Attributes:
        path: Dotted JSON path of the member; ``$`` for the whole document.
        text: What is wrong with it.
    """

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def problems(
    document: Document, version: SchemaVersion | None = None
) -> tuple[Problem, ...]:
    """
    Explain what a service would refuse in a document.

    Args:
        document: Parsed; what is built anew was checked then.
        version: Newest schema version that the host understands, if what is newer shall
            be named.

    Returns:
        What is wrong, from the outside in; empty if nothing is.
    """
    found = list(_values(document))
    if not type(document).__module__.startswith(_LENIENT):
        found += [
            Problem(path, "no member of this name is known")
            for path in unknown_members(document)
        ]
    if version is not None:
        found += _newer(document, version)
    return tuple(found)


def _newer(document: Document, version: SchemaVersion) -> Iterator[Problem]:
    limit = f"{version[0]}.{version[1]}"
    asked = getattr(document, "schema_version", None)
    if asked is not None:
        major, minor = getattr(asked, "major", None), getattr(asked, "minor", None)
        if (major or 0, minor or 0) > version:
            text = f"asks for schema {major or 0}.{minor or 0}"
            yield Problem("SchemaVersion", f"{text}; the host has up to {limit}")
    for path, since in newer_members(document, version):
        text = f"came with schema {since[0]}.{since[1]}; the host has up to {limit}"
        yield Problem(path, text)


def _values(document: Document) -> Iterator[Problem]:
    for path, part in walk(document):
        for error in _errors(part):
            # Errors begin with the name of the class, which is no part of a path.
            inner = error.path.partition(".")[2]
            joint = "." if path and inner else ""
            described = DocumentError(error.expected, error.found, "").__str__()
            yield Problem(f"{path}{joint}{inner}" or "$", described.partition(": ")[2])


def _errors(part: Document) -> Iterator[DocumentError]:
    """Run every rule of one object of a document by itself."""
    cls = type(part)
    for field in attrs.fields(cls):
        if field.validator is not None:
            try:
                field.validator(part, field, getattr(part, field.name))
            except DocumentError as error:
                yield error
    for member in plan_of(cls).members:
        value = getattr(part, member.name)
        if value is not None:
            try:
                member.codec.check(value)
            except DocumentError as error:
                yield error.within(member.wire).within(cls.__name__)
    try:
        check_choices(part)
    except DocumentError as error:
        yield error
