"""
Reading the documents of calls: JSON text to checked fields.

Keys match in any case and ``null`` counts as missing, as everywhere in HCS. What is
of the wrong type, out of range, or unknown is refused with the path to it.

The models of :mod:`hcsshim.documents` are not used: building their classes would
double the time in which the host starts, and a host reads few of their fields.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

from hcsshim.host.results import refuse_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_no_constant)


class Fields:
    """
    One object of a document.

    Args:
        raw: As decoded.
        path: To it, ``""`` for the whole document.
    """

    __slots__ = ("_members", "_path")

    def __init__(self, raw: dict[str, JSON], path: str = "") -> None:
        self._path = path
        self._members = {
            key.lower(): (key, value) for key, value in raw.items() if value is not None
        }

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """
        Read the text of a whole document.

        Raises:
            Refusal: It is not the JSON of an object.
        """
        try:
            raw: JSON = _decoder.decode(text or "")
        except (ValueError, RecursionError):
            raw = None
        if not isinstance(raw, dict):
            cls.refuse_text()
        return cls(raw)

    @classmethod
    def refuse_text(cls) -> NoReturn:
        """
        Refuse a text that is not the JSON of an object.

        Raises:
            Refusal: Always.
        """
        raise refuse_document("Invalid JSON document", "$", readable=False)

    @classmethod
    def parse_optional(cls, text: str | None) -> Self:
        """Read a document that may be missing or empty."""
        return cls.parse(text) if text and not text.isspace() else cls({})

    def path_of(self, name: str) -> str:
        """Name a field by its path in the document."""
        return f"{self._path}.{name}" if self._path else name

    def refuse(self, name: str, problem: str = "Invalid value for field") -> NoReturn:
        """
        Refuse a field.

        Raises:
            Refusal: Always.
        """
        raise refuse_document(problem, self.path_of(name))

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._members

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, as they were spelled."""
        return tuple(spelling for spelling, _ in self._members.values())

    def only(self, names: Iterable[str]) -> None:
        """
        Refuse every field that is not listed.

        Raises:
            Refusal: There is one.
        """
        known = {name.lower() for name in names}
        for key, (spelling, _) in self._members.items():
            if key not in known:
                self.refuse(spelling, "Unknown field")

    def members(self) -> dict[str, JSON]:
        """Give all members under the names that they were written with."""
        return dict(self._members.values())

    def value(self, name: str) -> JSON:
        """Give a field as it is; ``None`` if it is missing."""
        member = self._members.get(name.lower())
        return None if member is None else member[1]

    def text(self, name: str, default: str = "") -> str:
        """Give a text, which holds no NUL."""
        value = self.value(name)
        if value is None:
            return default
        if not isinstance(value, str) or "\0" in value:
            self.refuse(name)
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Give a truth value."""
        value = self.value(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(name)
        return value

    def number(
        self, name: str, least: int = 0, most: int = 0x7FFFFFFFFFFFFFFF
    ) -> int | None:
        """Give a whole number within bounds; ``None`` if it is missing."""
        value = self.value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(name)
        if not least <= value <= most:
            self.refuse(name)
        return value

    def numbers(self, name: str, most: int) -> tuple[int, ...]:
        """Give a list of whole numbers from 0 on."""
        items = self._list(name)
        if not all(type(item) is int and 0 <= item <= most for item in items):
            self.refuse(name)
        return tuple(item for item in items if isinstance(item, int))

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a list of texts."""
        items = self._list(name)
        texts = tuple(i for i in items if isinstance(i, str) and "\0" not in i)
        if len(texts) != len(items):
            self.refuse(name)
        return texts

    def table(self, name: str) -> dict[str, str]:
        """Give an object whose values are all texts."""
        value = self.value(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(name)
        table: dict[str, str] = {}
        for key, item in value.items():
            if not isinstance(item, str) or "\0" in item or "\0" in key:
                self.refuse(f"{name}.{key}")
            table[key] = item
        return table

    def child(self, name: str) -> Self:
        """Give an object within; an empty one if it is missing."""
        value = self.value(name)
        if value is None:
            return type(self)({}, self.path_of(name))
        if not isinstance(value, dict):
            self.refuse(name)
        return type(self)(value, self.path_of(name))

    def children(self, name: str) -> list[Self]:
        """Give a list of objects within."""
        children = []
        for index, item in enumerate(self._list(name)):
            path = f"{name}[{index}]"
            if not isinstance(item, dict):
                self.refuse(path)
            children.append(type(self)(item, self.path_of(path)))
        return children

    def _list(self, name: str) -> list[JSON]:
        value = self.value(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(name)
        return value
