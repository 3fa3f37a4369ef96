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
import sys
from collections.abc import Mapping
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

    Reader = tuple[str, str, codecs.Codec, type | None, bool]
    Writer = tuple[str, bool, Callable[[object], JSON], bool, Callable[[], JSON] | None]

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
    while module.startswith("hcsshim."):
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
    name, _, inside = annotation.partition("[")
    inside = inside.removesuffix("]")
    if name == "tuple":
        item, *more = inside.split(", ")
        length = None if more == ["..."] else 1 + len(more)
        return codecs.Items(codec_for(item, module), length)
    if name == "Mapping":
        key, _, item = inside.partition(", ")
        return codecs.Entries(int if key == "int" else str, codec_for(item, module))
    if annotation.endswith(" | str"):
        return codecs.Listed(_loader(annotation.removesuffix(" | str"), module))
    return codecs.Part(annotation, _loader(annotation, module), plan_of)


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
        self._secrets = {
            field.metadata["wire"]
            for field in attrs.fields(cls)
            if field.metadata.get("secret")
        }
        self._by_wire = {member.wire: _reader(member) for member in self.members}
        self._folded = {w.casefold(): read for w, read in self._by_wire.items()}
        self._defaults: dict[str, object] = {"extra": NO_EXTRA}
        for field in attrs.fields(cls):
            self._defaults[field.name] = field.default
        self._names = tuple(member.name for member in self.members)
        self._values = self._getter()
        self._writers = tuple(_writer(member) for member in self.members)

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
            name, wire, codec, exact, droppable = member
            if type(given) is exact:
                values[name] = given
            else:
                try:
                    values[name] = codec.decode(given)
                except DocumentError as error:
                    if not set_aside:
                        raise self._within(wire, error) from None
                    unknown[key] = given
            if droppable and not given:
                sent.append(wire)
        if unknown or sent:
            values["extra"] = Extra(unknown, sent)
        return self._make(values)

    def _extra(self, members: object) -> Extra:
        """Take unknown members that a caller adds; known ones have fields."""
        if not isinstance(members, Mapping):
            raise DocumentError("a mapping", members, f"{self.cls.__name__}.extra")
        for name in members:
            if not isinstance(name, str) or name.casefold() in self._folded:
                path = f"{self.cls.__name__}.extra"
                raise DocumentError("names that have no field", name, path)
        return Extra(members)

    def _within(self, wire: str, error: DocumentError) -> DocumentError:
        """Add a member's name to an error, and take a secret out of it."""
        secret = wire in self._secrets
        return (error.withheld() if secret else error).within(wire)

    def _make(self, values: dict[str, object]) -> Document:
        """Make a document without its validators."""
        document = object.__new__(self.cls)
        assign = object.__setattr__
        for name, value in values.items():
            assign(document, name, value)
        return document

    def _other_case(self, key: str, raw: dict[str, JSON]) -> Reader | None:
        """Find a member in another spelling, unless the exact one is there too."""
        reader = self._folded.get(key.casefold())
        return None if reader is None or reader[1] in raw else reader

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
        for value, member in zip(self._values(document), self._writers, strict=True):
            if value is None:
                if member[4] is not None:
                    written[member[0]] = member[4]()
                continue
            wire, plain, encode, droppable, _ = member
            if droppable and not value and wire not in sent:
                continue
            if plain:
                written[wire] = value  # type: ignore[assignment]  # a scalar
                continue
            try:
                written[wire] = encode(value)
            except DocumentError as error:
                raise self._within(wire, error) from None
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
        if type(document.extra) is not Extra:
            object.__setattr__(document, "extra", self._extra(document.extra))
        for member, value in zip(self.members, self._values(document), strict=True):
            if value is None or value == ():
                continue
            try:
                final = member.codec.settle(value)
            except DocumentError as error:
                inner = self._within(member.wire, error)
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


def _reader(member: Member) -> Reader:
    """Pick out what decoding needs, in a form that is fast to take apart."""
    codec = member.codec
    return member.name, member.wire, codec, codec.exact, member.droppable


def _writer(member: Member) -> Writer:
    """Pick out what encoding needs; the last is what stands for None, if anything."""
    codec = member.codec
    absent: Callable[[], JSON] | None = None
    if member.nullable:
        absent = _null
    elif member.always:
        absent = (
            codec.zero if member.zero is None else functools.partial(_same, member.zero)
        )
    return member.wire, codec.plain, codec.encode, member.droppable, absent


def _null() -> JSON:
    """Return what JSON calls null."""
    return None


def _same(value: JSON) -> JSON:
    """Return the value."""
    return value


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
