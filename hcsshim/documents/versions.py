"""Which schema version a document needs: each member knows the one that brought it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import attrs

from hcsshim.documents._converter import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hcsshim.documents._document import Document

#: Major and minor number of a schema version.
SchemaVersion: TypeAlias = tuple[int, int]

#: What every host has that understands schema 2 at all.
FIRST: SchemaVersion = (2, 1)


class NewerMember(NamedTuple):
    """
    A member of a document that not every host knows.

    Attributes:
        path: Dotted JSON path, as HCS names it when it refuses a document.
        since: Schema version that brought it.
    """

    path: str
    since: SchemaVersion


def newer_members(
    document: Document, than: SchemaVersion = FIRST
) -> Iterator[NewerMember]:
    """
    Name the members of a document that came after a schema version.

    Args:
        document: A document of schema 2; others have no such members.
        than: The newest version that is known to the reader.

    Yields:
        Members that are set, outer ones first.
    """
    for path, part in walk(document):
        for field in attrs.fields(type(part)):
            since = field.metadata.get("since")
            if not since:
                continue
            major, _, minor = since.partition(".")
            version = (int(major), int(minor))
            if version > than and _is_set(part, field.name):
                name = field.metadata["wire"]
                yield NewerMember(f"{path}.{name}" if path else name, version)


def _is_set(document: Document, name: str) -> bool:
    return getattr(document, name) not in (None, (), {})


def needed_version(document: Document) -> SchemaVersion:
    """
    Tell the oldest schema version of generation 2 that has all that is set.

    Args:
        document: A document of schema 2.

    Returns:
        At least 2.1, which is the oldest in use.
    """
    return max((member.since for member in newer_members(document)), default=FIRST)
