"""
Documents without their secrets, for logs and traces.

Environment values and credentials are replaced wherever they stand, in documents of
every kind and generation: by the names of the members that hold them, since a trace
does not know what a text is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hcsshim.documents._document import JSON

__all__ = ["MASK", "mask_json", "mask_text"]

MASK = "***"

#: Members whose whole value is a secret, in lower case.
_SECRETS = frozenset(
    (
        "cookie",
        "credential",
        "credentials",
        "credentialspec",
        "entriestobeadded",
        "password",
        "secret",
        "token",
    )
)
#: Members that hold variables: a mapping of values, or a list of ``NAME=VALUE``.
_VARIABLES = frozenset(("env", "environment", "environmentvariables"))


def mask_json(value: JSON, name: str = "") -> JSON:
    """
    Give a JSON value without its secrets.

    Args:
        value: As ``json`` decodes it.
        name: Of the member that holds it.
    """
    key = name.casefold()
    if key in _SECRETS and value not in (None, "", [], {}):
        return MASK
    if key in _VARIABLES:
        return _mask_variables(value)
    if isinstance(value, dict):
        return {member: mask_json(item, member) for member, item in value.items()}
    if isinstance(value, list):
        return [mask_json(item) for item in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        return mask_text(value)  # a document inside a document
    return value


def _mask_variables(value: JSON) -> JSON:
    if isinstance(value, dict):
        return dict.fromkeys(value, MASK)
    if isinstance(value, list):
        return [
            f"{item.partition('=')[0]}={MASK}"
            if isinstance(item, str) and "=" in item
            else MASK
            for item in value
        ]
    return MASK if value else value


def mask_text(text: str) -> str:
    """
    Give the text of an argument without its secrets.

    Args:
        text: JSON, which is written anew, or anything else, which stays; but what looks
            like a document and cannot be read is not shown at all.
    """
    if text.lstrip("\ufeff \t\r\n")[:1] not in ("{", "["):
        return text
    try:
        value: JSON = json.loads(text)
    except (ValueError, RecursionError):
        return f"({len(text)} characters that are no JSON)"
    return json.dumps(mask_json(value), separators=(",", ":"))
