"""
The plan of a document class: its members, ready to decode and encode.

A plan is made from the class's own fields when the class first meets JSON: wire names
from the metadata, codecs from the annotations. Classes that an annotation names are
loaded only when a document really holds one, so a small document stays cheap.
"""

from __future__ import annotations

import functools
import importlib
import operator
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from hcsshim.documents import _codecs as codecs
from hcsshim.documents._document import (
    JSON,
    NO_EXTRA,
    Document,
    DocumentError,
    Extra,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SCALARS: dict[str, codecs.Codec] = {
    "str": codecs.Scalar(str, "text", zero=""),
    "bool": codecs.Scalar(bool, "true or false", zero=False),
    "int": codecs.Scalar(int, "a whole number", zero=0),
    "float": codecs.Scalar(float, "a number", zero=0.0),
    "bytes": codecs.Binary(),
    "dt.datetime": codecs.Moment(),
    "dt.timedelta": codecs.Ticks(),
    "JSON": codecs.Codec(),
    "AnyValue": codecs.Codec(),
}

_LISTED = re.compile(r"(\w+) \| str")
_FIXED = re.compile(r"tuple\[(\w+)((?:, \w+)+)\]")
_ITEMS = re.compile(r"tuple\[(.+), \.\.\.\]")
_ENTRIES = re.compile(r"Mapping\[(str|int), (.+)\]")


class Member(NamedTuple):
    """One field of a document class."""

    name: str
    wire: str
    codec: codecs.Codec
    droppable: bool  # an empty value is left out
    always: bool  # None is written too
    zero: JSON  # in this form, unless it is the codec's own
    nullable: bool  # or as null


def find_class(module: str, name: str) -> type[Any]:
    """
    Find a document or enum class that an annotation of a module names.

    Args:
        module: Module of the class that has the annotation.
        name: Name in the annotation.

    Returns:
        The class, from the module itself, its package, or the packages around that.

    Raises:
        LookupError: There is no such class; the models contradict themselves.
    """
    while module.startswith("hcsshim.documents"):
        space = sys.modules.get(module) or importlib.import_module(module)
        found = getattr(space, name, None)
        if isinstance(found, type):
            return found
        module = module.rpartition(".")[0]
    msg = f"no document class {name}"
    raise LookupError(msg)


def codec_for(annotation: str, module: str) -> codecs.Codec:
    """
    Choose the codec for an annotation.

    Args:
        annotation: Text of the annotation, in the few forms the models use.
        module: Module in which its names are looked up.

    Returns:
        The codec.
    """
    annotation = annotation.removesuffix(" | None")
    if annotation in SCALARS:
        return SCALARS[annotation]
    if match := _LISTED.fullmatch(annotation):
        return codecs.Listed(_loader(match[1], module))
    if match := _FIXED.fullmatch(annotation):
        return codecs.Items(codec_for(match[1], module), match[2].count(",") + 1)
    if match := _ITEMS.fullmatch(annotation):
        return codecs.Items(codec_for(match[1], module))
    if match := _ENTRIES.fullmatch(annotation):
        key = int if match[1] == "int" else str
        return codecs.Entries(key, codec_for(match[2], module))
    return codecs.Part(annotation, _loader(annotation, module))


def _loader(name: str, module: str) -> Callable[[], type[Any]]:
    """Delay the look-up of a class until it is needed."""
    return functools.partial(find_class, module, name)


class Plan:
    """
    Decodes and encodes the documents of one class.

    Args:
        cls: The document class.
    """

    def __init__(self, cls: type[Document]) -> None:
        self.cls = cls
        self.members = tuple(
            _member(field, cls)
            for field in attrs.fields(cls)
            if "wire" in field.metadata
        )
        self._by_wire = {member.wire: member for member in self.members}
        self._folded = {member.wire.casefold(): member for member in self.members}
        self._defaults: dict[str, object] = {"extra": NO_EXTRA}
        for field in attrs.fields(cls):
            self._defaults[field.name] = field.default
        self._names = tuple(member.name for member in self.members)
        self._values = self._getter()

    def _getter(self) -> Callable[[Document], tuple[object, ...]]:
        """Make a function that reads all members of a document at once."""
        if len(self._names) > 1:
            return operator.attrgetter(*self._names)
        names = self._names
        return lambda document: tuple(getattr(document, name) for name in names)

    def decode(self, raw: JSON, *, set_aside: bool = False) -> Document:
        """
        Read a JSON object, leniently: no validators run.

        Args:
            raw: What ``json`` made of the text.
            set_aside: Keep members that cannot be read among the unknown ones.

        Returns:
            A document of the class.

        Raises:
            DocumentError: A member has a type it cannot have.
        """
        if not isinstance(raw, dict):
            raise DocumentError("an object", raw)
        values = self._defaults.copy()
        known = self._by_wire
        unknown: dict[str, JSON] = {}
        sent: list[str] = []
        for key, given in raw.items():
            member = known.get(key) or self._other_case(key, raw)
            if member is None:
                unknown[key] = given
                continue
            if given is None:
                continue
            if type(given) is member.codec.exact:
                values[member.name] = given
            else:
                try:
                    values[member.name] = member.codec.decode(given)
                except DocumentError as error:
                    if not set_aside:
                        raise error.within(member.wire) from None
                    unknown[key] = given
            if member.droppable and not given:
                sent.append(member.wire)
        if unknown or sent:
            values["extra"] = Extra(unknown, sent)
        return self._make(values)

    def _make(self, values: dict[str, object]) -> Document:
        """Make a document without its validators."""
        document = object.__new__(self.cls)
        assign = object.__setattr__
        for name, value in values.items():
            assign(document, name, value)
        return document

    def _other_case(self, key: str, raw: dict[str, JSON]) -> Member | None:
        """Find a member in another spelling, unless the exact one is there too."""
        member = self._folded.get(key.casefold())
        return None if member is None or member.wire in raw else member

    def encode(self, document: Document) -> dict[str, JSON]:
        """
        Write a document as a JSON object.

        Args:
            document: An instance of the class.

        Returns:
            The members in the order of the fields, unknown ones last.

        Raises:
            DocumentError: An open member holds something that is not JSON.
        """
        written: dict[str, JSON] = {}
        extra = document.extra
        sent = extra.sent
        for member, value in zip(self.members, self._values(document), strict=True):
            _, wire, codec, droppable, always, zero, nullable = member
            if value is None:
                if always:
                    written[wire] = codec.zero() if zero is None else zero
                elif nullable:
                    written[wire] = None
                continue
            if droppable and not value and wire not in sent:
                continue
            if codec.plain:
                written[wire] = value  # type: ignore[assignment]  # a scalar
                continue
            try:
                written[wire] = codec.encode(value)
            except DocumentError as error:
                raise error.within(wire) from None
        for key, kept in extra.items():
            written.setdefault(key, kept)
        return written

    def settle(self, document: Document) -> None:
        """
        Check the types of a document being built and put its values in final form.

        Args:
            document: A new instance of the class.

        Raises:
            DocumentError: A field has a value of the wrong type.
        """
        for member, value in zip(self.members, self._values(document), strict=True):
            if value is None or value == ():
                continue
            try:
                final = member.codec.settle(value)
            except DocumentError as error:
                inner = error.within(member.wire)
                raise inner.within(self.cls.__name__) from None
            if final is not value:
                object.__setattr__(document, member.name, final)


def _member(field: attrs.Attribute[object], cls: type[Document]) -> Member:
    """Describe one field."""
    codec = codec_for(str(field.type), cls.__module__)
    emit = field.metadata["emit"]
    return Member(
        field.name,
        field.metadata["wire"],
        codec,
        droppable=emit == "nonempty" and codec.droppable,
        always=emit == "always",
        zero=field.metadata["zero"],
        nullable=emit == "null",
    )


_plans: dict[type[Document], Plan] = {}


def plan_of(cls: type[Document]) -> Plan:
    """
    Return the plan of a class, made on first use.

    Args:
        cls: A document class.

    Returns:
        Its plan.
    """
    plan = _plans.get(cls)
    if plan is None:
        plan = _plans[cls] = Plan(cls)
    return plan
