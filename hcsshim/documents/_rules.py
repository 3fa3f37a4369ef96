"""Validators that state what HCS would refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hcsshim.documents._document import Document, DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    import attrs

    Field = attrs.Attribute[Any]  # of whatever type the field has
    Rule = Callable[[Document, Field, Any], None]

#: How no GUID is written where one must be.
NO_GUID = "00000000-0000-0000-0000-000000000000"

_HEX = frozenset("0123456789abcdefABCDEF")


def fail(
    document: Document, field: Field, expected: str, value: object
) -> DocumentError:
    """
    Make the error for a field, with its place.

    Args:
        document: The document being built.
        field: The field of it.
        expected: What it should hold.
        value: What it holds.

    Returns:
        The error, to be raised.
    """
    path = f"{type(document).__name__}.{field.metadata['wire']}"
    return DocumentError(expected, value, path)


def between(least: int, most: int) -> Rule:
    """
    Make a validator for a whole number, or a list of them, in a range.

    Args:
        least: Smallest number allowed.
        most: Largest number allowed.

    Returns:
        The validator; None passes.
    """

    def check(document: Document, field: Field, value: object) -> None:
        if value is None:
            return
        for number in value if isinstance(value, (tuple, list)) else (value,):
            whole = isinstance(number, int) and not isinstance(number, bool)
            if not whole or not least <= number <= most:
                expected = f"a whole number from {least} to {most}"
                raise fail(document, field, expected, number)

    return check


def is_guid(text: str) -> bool:
    """
    Tell whether text has the form of a GUID: 36 characters in either case, no braces.

    Args:
        text: Any text.

    Returns:
        True if it has. (Spelled out, since compiling a pattern costs more.)
    """
    parts = text.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and _HEX.issuperset(
        "".join(parts)
    )


def guid(document: Document, field: Field, value: object) -> None:
    """
    Accept a GUID: 36 characters in either case, no braces.

    Args:
        document: The document being built.
        field: The field of it.
        value: Its value; None passes, and so does empty text, which is not sent.

    Raises:
        DocumentError: It is not a GUID.
    """
    if value is None or value == "":
        return
    if not isinstance(value, str) or not is_guid(value):
        raise fail(document, field, "a GUID", value)


uint8 = between(0, 2**8 - 1)
uint16 = between(0, 2**16 - 1)
uint32 = between(0, 2**32 - 1)
uint64 = between(0, 2**64 - 1)
int32 = between(-(2**31), 2**31 - 1)
int64 = between(-(2**63), 2**63 - 1)

#: An HRESULT or exit code, which services write signed or unsigned.
code = between(-(2**31), 2**32 - 1)

#: A share of processor time in hundredths of a percent, or a weight; 0 is no limit.
share = between(0, 10_000)
