"""Every generated class against the tables of the schemas, field by field."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import attrs
import pytest

from hcsshim import documents
from hcsshim.documents import v1

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "tools" / "schema"
RENAMED = {
    "HcsResult": "ResultError",
    "Service_PropertyQuery": "ServicePropertyQuery",
    "ContainersDef_BatchedBinding": "BatchedBinding",
    "ContainersDef_Container": "ContainerDefinition",
    "STDIOHandle": "StdioHandle",
}
GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ZERO_GUID = "00000000-0000-0000-0000-000000000000"
EMPTY = {"string": "", "bool": False, "guid": ZERO_GUID, "bytes": ""}


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


def types_of(table: dict, package: object) -> list[Type]:
    """List the types of a table with their classes."""
    reference = table.get("public_reference", {"extra_types": {}, "extra_fields": {}})
    found = {}
    for name, entry in table["types"].items():
        inherited = [
            member
            for base in entry.get("embeds", [])
            for member in table["types"][base]["fields"]
        ]
        more = reference["extra_fields"].get(name, [])
        found[name] = inherited + entry["fields"] + more
    for name, members in reference["extra_types"].items():
        found.setdefault(name, members)
    types = []
    for name, members in found.items():
        rows = tuple(
            Row(m["json"], m["type"], m.get("emit", "nonnull")) for m in members
        )
        short = name.rpartition(".")[2]
        types.append(Type(name, getattr(package, RENAMED.get(short, short)), rows))
    return types


V2 = load("hcs-v2.json")
V1 = load("hcs-v1.json")
TYPES = types_of(V2, documents) + types_of(V1, v1)
ROWS = [(kind, row) for kind in TYPES for row in kind.rows]
NAMED = {t.name: t for t in TYPES}
ENUMS = {
    **{n: list(e["values"]) for n, e in V2["public_reference"]["enums"].items()},
    **{n.rpartition(".")[2]: list(v.values()) for n, v in V1["enums"].items()},
    **{n.rpartition(".")[2]: list(v.values()) for n, v in V2["enums"].items()},
}
USED_ENUMS = set(ENUMS) - {
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

# What HCS writes although the reference library would leave it out when empty.
ANSWERS = {"HcsResult", "ErrorEvent", "ProcessStatus"}


def sample(kind: str, wire: str) -> object:  # noqa: PLR0911  # one line per kind
    """Make a JSON value of a table's type that is not empty."""
    kind = kind.removeprefix("*")
    if kind in ("string", "bytes", "ByteArray", "NullableByteArray"):
        return "AAEC"
    if kind in ("bool", "float64"):
        return {"bool": True, "float64": 0.5}[kind]
    if kind in ("guid", "Guid"):
        return GUID
    if kind in ("time", "DateTime"):
        return "2019-10-25T22:16:38.9955661Z"
    if kind.startswith("[]"):
        return [sample(kind[2:], wire)]
    if match := re.fullmatch(r"\[(\d)\](.+)", kind):
        return [sample(match[2], wire)] * int(match[1])
    if match := re.fullmatch(r"map\[\w+\](.+)", kind):
        return {"7": sample(match[1], wire)}
    if re.fullmatch(r"u?int\d*", kind):
        return 41
    short = kind.rpartition(".")[2]
    if short in ENUMS:
        return ENUMS[short][-1]
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
    text = kind.cls.__doc__ or ""

    assert f"type ``{kind.name}``" in text or "Schema type ``ResultError``" in text
    own = [f.name for f in attrs.fields(kind.cls) if not f.inherited]
    assert [n for n in own if f"\n        {n}: " not in f"\n{text}"] == []


@pytest.mark.parametrize(
    ("kind", "row"),
    ROWS,
    ids=[f"{k.cls.__module__}.{k.name}.{r.wire}" for k, r in ROWS],
)
def test_member_survives(kind: Type, row: Row) -> None:
    """A value of the table's type is read into the field and written back."""
    value = sample(row.kind, row.wire)

    document = documents.from_dict(kind.cls, {row.wire: value})

    assert not document.extra
    assert holds(written(document)[row.wire], value)


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
    name = next(
        f.name for f in attrs.fields(kind.cls) if f.metadata.get("wire") == row.wire
    )
    empty = EMPTY.get(row.kind, () if row.kind[0] == "[" else 0)
    if row.kind.startswith("map"):
        empty = {}
    if row.kind == "raw" or row.kind.rpartition(".")[2] in ENUMS:
        empty = None if row.kind == "raw" else ""
    if row.kind == "bytes":
        empty = b""
    if isinstance(ENUMS.get(row.kind, [""])[0], int):
        empty = 0
    choice = {"container": documents.Container()} if needs_choice(kind.cls) else {}

    document = kind.cls(**{name: empty, **choice})

    assert row.wire not in written(document)


NULLABLE = {"*bool": False, "*uint32": 0, "*uint8": 0, "*float64": 0.0}


@pytest.mark.parametrize(
    ("kind", "row"),
    [(k, r) for k, r in ROWS if r.kind in NULLABLE],
    ids=lambda value: getattr(value, "wire", getattr(value, "name", "")),
)
def test_nullable_members_keep_their_zero(kind: Type, row: Row) -> None:
    """A member that may be absent is written when it is zero."""
    zero = NULLABLE[row.kind]
    field = next(
        f for f in attrs.fields(kind.cls) if f.metadata.get("wire") == row.wire
    )

    document = kind.cls(**{field.name: zero})

    assert written(document) == {row.wire: zero}


@pytest.mark.parametrize("name", sorted(USED_ENUMS))
def test_enums_have_the_values_of_the_table(name: str) -> None:
    """An enum has the values of the table, and those seen in use."""
    enum = getattr(documents, RENAMED.get(name, name), None) or getattr(v1, name)
    added = {"AttachmentType": {"ExtensibleVirtualDisk"}}.get(name, set())

    assert {m.value for m in enum.__members__.values()} == {*ENUMS[name], *added}


@pytest.mark.parametrize("name", ["PropertyType", "RequestType", "ResourceType"])
def test_schema_1_has_enums_of_its_own(name: str) -> None:
    """An enum of schema 1 has its own values, also where schema 2 has the same name."""
    assert {m.value for m in getattr(v1, name)} == set(V1["enums"][name].values())


def test_generated_files_are_current() -> None:
    """Generating again changes nothing."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "generate_documents.py"), "--check"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("package", ["hcsshim.documents", "hcsshim.documents.v1"])
def test_public_names_exist(package: str) -> None:
    """Each public name can be imported, and nothing else is announced."""
    module = importlib.import_module(package)

    assert module.__all__ == dir(module)
    assert all(getattr(module, name) is not None for name in module.__all__)
