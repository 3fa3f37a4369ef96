"""The error record that a failed call of HCN leaves."""

from __future__ import annotations

import attrs

from hcsshim.documents._converter import parse_json, salvage
from hcsshim.documents._document import Document, DocumentError, wire
from hcsshim.documents._rules import code


@attrs.frozen(kw_only=True, repr=False)
class ErrorRecord(Document):
    """
    Why a call of HCN failed. A record on a call that returned success is a failure too.

    Attributes:
        success: False.
        error: Windows' text for the code; it ends with a blank.
        error_code: HRESULT, here as an unsigned number.

    Source:
        Answers of ``computenetwork.dll``; not in the public schema.
    """

    success: bool | None = attrs.field(
        default=None, metadata=wire("Success", emit="nonnull")
    )
    error: str | None = attrs.field(
        default=None, metadata=wire("Error", emit="nonnull")
    )
    error_code: int | None = attrs.field(
        default=None, validator=code, metadata=wire("ErrorCode", emit="nonnull")
    )

    @property
    def hresult(self) -> int | None:
        """
        The code as an unsigned number, as in ``0x%08X``.

        Returns:
            The code, None if the record has none.
        """
        return None if self.error_code is None else self.error_code & 0xFFFFFFFF

    @property
    def summary(self) -> str:
        """
        The text without the blank at its end.

        Returns:
            One line, empty if the record says nothing.
        """
        return (self.error or "").strip()


def parse_error(text: str | None) -> ErrorRecord | None:
    """
    Read the record of a failed call, and never fail.

    Args:
        text: The record, empty or None if the call left none.

    Returns:
        The record, or None if the text is no JSON object.
    """
    if not text or not isinstance(text, str):
        return None
    try:
        raw = parse_json(text)
    except DocumentError:
        return None
    return salvage(ErrorRecord, raw) if isinstance(raw, dict) else None
