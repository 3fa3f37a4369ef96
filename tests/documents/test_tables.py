"""Every generated class against the tables of the schemas, field by field."""

from __future__ import annotations

import importlib
import inspect
import json
import pickle
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import attrs
import pytest

from hcsshim import documents
from hcsshim.documents import hcn, hns, v1
from hcsshim.documents._rules import guid

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / ".ci" / "generate" / "schema"

#: Classes that are not called as in the schema.
RENAMED: dict[str, str] = runpy.run_path(str(SCHEMA.parent / "document_layout.py"))[
    "RENAMED"
]
GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ZERO_GUID = "00000000-0000-0000-0000-000000000000"
EMPTY = {"string": "", "ip": "", "bool": False, "guid": ZERO_GUID, "bytes": ""}


class Row(NamedTuple):
    """One member of one type, as the table has it."""

    wire: str
    kind: str
    emit: str


class Type(NamedTuple):
    """One type of a table and the class made of it."""

    name: str
    cls: type[documents.Document]
    rows: tuple[Row, ...]


def load(name: str) -> dict:
    """Read a table."""
    return json.loads((SCHEMA / name).read_text(encoding="utf-8"))


def inherited(table: dict, entry: dict) -> list[dict]:
    """List the members that embedded types bring, outermost first."""
    bases = [table["types"][base] for base in entry.get("embeds", [])]
    return [m for base in bases for m in inherited(table, base) + base["fields"]]


def types_of(table: dict, package: object) -> list[Type]:
    """List the types of a table with their classes."""
    reference = table.get("public_reference", {"extra_types": {}, "extra_fields": {}})
    found = {}
    for name, entry in table["types"].items():
        more = reference["extra_fields"].get(name, [])
        found[name] = inherited(table, entry) + entry["fields"] + more
    for name, members in reference["extra_types"].items():
        found.setdefault(name, members)
    types = []
    for name, members in found.items():
        aliases = table.get("aliases", {})
        rows = tuple(
            Row(m["json"], aliases.get(m["type"], m["type"]), m.get("emit", "nonnull"))
            for m in members
        )
        short = name.rpartition(".")[2]
        types.append(Type(name, getattr(package, RENAMED.get(short, short)), rows))
    return types


V2 = load("hcs-v2.json")
V1 = load("hcs-v1.json")
HNS = load("hns-v1.json")
HCN = load("hcn-v2.json")
TABLES = {documents: V2, v1: V1, hns: HNS, hcn: HCN}
TYPES = [kind for package, table in TABLES.items() for kind in types_of(table, package)]
ROWS = [(kind, row) for kind in TYPES for row in kind.rows]
ENUMS = {
    package.__name__: {
        name.rpartition(".")[2]: list(values.values())
        for name, values in table["enums"].items()
    }
    for package, table in TABLES.items()
}
REFERENCE = {n: list(e["values"]) for n, e in V2["public_reference"]["enums"].items()}
ENUMS["hcsshim.documents"] = {**REFERENCE, **ENUMS["hcsshim.documents"]}


def values_of(kind: Type, name: str) -> list[object]:
    """Find the values of an enum that a member names; none if it names no enum."""
    package = kind.cls.__module__.rpartition(".")[0]
    return ENUMS[package].get(name.rpartition(".")[2], [])


UNUSED_ENUMS = {
    # Used by no type of the tables, or the same as another one.
    "EnlightenmentModifications",
    "InterruptModerationMode",
    "ModifyOperation",
    "ModifyPropertyType",
    "ModifyServiceOperation",
    "StdHandle",
    "System_PropertyType",
    # Open lists, kept as text.
    "OperationFailureDetail",
    "SystemExitDetail",
    "VirtualDeviceFailureDetail",
    "WorkerExitDetail",
    "WorkerExitType",
}
ENUM_CASES = [
    (package, name)
    for package in TABLES
    for name in sorted(set(ENUMS[package.__name__]) - UNUSED_ENUMS)
]

# What HCS writes although the reference library would leave it out when empty.
ANSWERS = {"HcsResult", "ErrorEvent", "ProcessStatus"}


def sample(owner: Type, kind: str) -> object:  # noqa: PLR0911  # one line per kind
    """Make a JSON value of a table's type that is not empty."""
    kind = kind.removeprefix("*")
    if kind in ("string", "ip", "bytes", "ByteArray", "NullableByteArray"):
        return "AAEC"
    if kind in ("bool", "float64"):
        return {"bool": True, "float64": 0.5}[kind]
    if kind in ("guid", "Guid"):
        return GUID
    if kind in ("time", "DateTime"):
        return "2019-10-25T22:16:38.9955661Z"
    if kind.startswith("[]"):
        return [sample(owner, kind[2:])]
    if match := re.fullmatch(r"\[(\d)\](.+)", kind):
        return [sample(owner, match[2])] * int(match[1])
    if match := re.fullmatch(r"map\[\w+\](.+)", kind):
        return {"7": sample(owner, match[1])}
    if re.fullmatch(r"u?int\d*", kind):
        return 41
    if values := values_of(owner, kind):
        return values[-1]
    return {"any": 0, "Any": 0, "raw": 0}.get(kind, {})


def written(document: documents.Document) -> dict:
    """Write a document and read it as plain JSON."""
    return json.loads(documents.dumps(document))


@pytest.mark.parametrize("kind", TYPES, ids=lambda t: f"{t.cls.__module__}.{t.name}")
def test_members_are_those_of_the_table(kind: Type) -> None:
    """A class has the table's members, under the same names, and no others."""
    fields = [f for f in attrs.fields(kind.cls) if "wire" in f.metadata]

    assert {row.wire for row in kind.rows} == {f.metadata["wire"] for f in fields}
    assert len(kind.rows) == len(fields)


@pytest.mark.parametrize("kind", TYPES, ids=lambda t: f"{t.cls.__module__}.{t.name}")
def test_fields_are_documented(kind: Type) -> None:
    """The class says what it is, where it comes from, and what each field holds."""
    text = inspect.getdoc(kind.cls) or ""

    assert f"type ``{kind.name}``" in text or "Schema type ``ResultError``" in text
    own = [f.name for f in attrs.fields(kind.cls) if not f.inherited]
    assert [n for n in own if f"\n    {n}: " not in text] == []


@pytest.mark.parametrize(
    ("kind", "row"),
    ROWS,
    ids=[f"{k.cls.__module__}.{k.name}.{r.wire}" for k, r in ROWS],
)
def test_member_survives(kind: Type, row: Row) -> None:
    """A value of the table's type is read into the field and written back."""
    value = sample(kind, row.kind)

    document = documents.from_dict(kind.cls, {row.wire: value})

    assert not document.extra
    assert holds(written(document)[row.wire], value)


def field_of(kind: Type, row: Row) -> attrs.Attribute:
    """Find the field of a member."""
    return next(f for f in attrs.fields(kind.cls) if f.metadata.get("wire") == row.wire)


def listed(kind: Type, row: Row) -> str | None:
    """Find a good value where a field is stricter than the table, which has text."""
    field = field_of(kind, row)
    if field.validator is guid:
        return GUID
    name, is_enum, _ = str(field.type).partition(" | str")
    if not is_enum or row.kind != "string":
        return None
    return next(iter(getattr(documents, name))).value


def holds(outer: object, inner: object) -> bool:
    """Tell whether all of a JSON value is in another, which may have more members."""
    if isinstance(inner, dict) and isinstance(outer, dict):
        return all(k in outer and holds(outer[k], v) for k, v in inner.items())
    if isinstance(inner, list) and isinstance(outer, list):
        return len(inner) == len(outer) and all(map(holds, outer, inner))
    return type(outer) is type(inner) and outer == inner


def needs_choice(cls: type[documents.Document]) -> bool:
    """Tell whether an empty document of the class would be refused."""
    return any(needed for _, needed in cls.choices)


@pytest.mark.parametrize(
    "kind",
    [t for t in TYPES if not needs_choice(t.cls)],
    ids=lambda t: f"{t.cls.__module__}.{t.name}",
)
def test_only_what_is_always_sent_is_in_an_empty_document(kind: Type) -> None:
    """Nothing set means nothing sent, but for the members the table marks so."""
    always = {row.wire for row in kind.rows if row.emit == "always"}

    assert always == set(written(kind.cls()))


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        (k, r)
        for k, r in ROWS
        if r.emit == "nonempty" and k.name not in ANSWERS and not r.wire.endswith("ns")
    ],
    ids=lambda value: getattr(value, "wire", getattr(value, "name", "")),
)
def test_empty_values_are_left_out(kind: Type, row: Row) -> None:
    """A member that is sent if not empty is left out when built with an empty value."""
    name = field_of(kind, row).name
    empty = EMPTY.get(row.kind, () if row.kind[0] == "[" else 0)
    if row.kind.startswith("map"):
        empty = {}
    if row.kind == "raw":
        empty = None
    if row.kind == "bytes":
        empty = b""
    if values := values_of(kind, row.kind):
        empty = type(values[0])()
    choice = {"container": documents.Container()} if needs_choice(kind.cls) else {}

    document = kind.cls(**{name: empty, **choice})

    assert row.wire not in written(document)


@pytest.mark.parametrize(
    "kind",
    [t for t in TYPES if not t.cls.choices],
    ids=lambda t: f"{t.cls.__module__}.{t.name}",
)
def test_full_documents_are_values(kind: Type) -> None:
    """With all members set a document is read, rebuilt, pickled, and checked alike."""
    raw = {row.wire: listed(kind, row) or sample(kind, row.kind) for row in kind.rows}

    document = documents.from_dict(kind.cls, raw)

    assert holds(written(document), raw)
    assert document == attrs.evolve(document)
    assert document == pickle.loads(pickle.dumps(document))  # noqa: S301  # our own
    again = documents.loads(kind.cls, documents.dumps(document))
    assert documents.dumps(again) == documents.dumps(document)
    assert isinstance(hash(document), int)
    documents.check(document)


NULLABLE = {"*bool": False, "*uint32": 0, "*uint8": 0, "*float64": 0.0}


@pytest.mark.parametrize(
    ("kind", "row"),
    [(k, r) for k, r in ROWS if r.kind in NULLABLE],
    ids=lambda value: getattr(value, "wire", getattr(value, "name", "")),
)
def test_nullable_members_keep_their_zero(kind: Type, row: Row) -> None:
    """A member that may be absent is written when it is zero."""
    zero = NULLABLE[row.kind]
    name = field_of(kind, row).name

    document = kind.cls(**{name: zero})

    assert written(document) == {row.wire: zero}


@pytest.mark.parametrize(
    ("package", "name"), ENUM_CASES, ids=lambda v: getattr(v, "__name__", v)
)
def test_enums_have_the_values_of_the_table(package: object, name: str) -> None:
    """An enum has the values of the table, and those seen in use."""
    enum = getattr(package, RENAMED.get(name, name))
    added = {"AttachmentType": {"ExtensibleVirtualDisk"}}.get(name, set())

    values = {member.value for member in enum.__members__.values()}

    assert values == {*ENUMS[package.__name__][name], *added}


def test_generated_files_are_current() -> None:
    """Generating again changes nothing."""
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "generate" / "documents.py"), "--check"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("package", [package.__name__ for package in TABLES])
def test_public_names_exist(package: str) -> None:
    """Each public name can be imported, and nothing else is announced."""
    module = importlib.import_module(package)

    assert module.__all__ == dir(module)
    assert all(getattr(module, name) is not None for name in module.__all__)
