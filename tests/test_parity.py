"""The table of what the reference has: each Python name in it is there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

import hcsshim.hcs
from hcsshim._native import calls

TABLE = Path(__file__).parents[1] / "docs" / "parity.md"
TEXT = TABLE.read_text(encoding="utf-8")
NAMES = sorted(set(re.findall(r"`(hcsshim(?:\.\w+)+)`", TEXT)))
ROWS = [
    [cell.strip() for cell in line.strip("| ").split("|")]
    for line in TEXT.replace("| |", "|  |").splitlines()
    if line.startswith("|") and not line.startswith("|--")
]
#: Capabilities of the inventory that belong to HCS, by their marks in the table.
CAPABILITIES = (
    *(f"CS{number}" for number in range(1, 16)),
    *(f"PR{number}" for number in range(1, 10)),
    *(f"IO{number}" for number in range(1, 7)),
    *(f"LY{number}" for number in range(1, 11)),
    *(f"ST{number}" for number in range(1, 4)),
)


def resolve(name: str) -> object:
    """Import what a dotted name stands for."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value: object = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            value = getattr(value, part)
        return value
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there(name: str) -> None:
    """
    A name that the table promises can be imported.
    """
    pytest.importorskip("click") if name.startswith("hcsshim.cli") else None
    assert resolve(name) is not None


def test_a_row_has_a_name_or_a_reason() -> None:
    """
    What has no Python name says why not.
    """
    for reference, python, *remarks in (row for row in ROWS if len(row) >= 2):
        assert python or any(remarks), reference


@pytest.mark.parametrize("mark", CAPABILITIES)
def test_every_capability_is_in_the_table(mark: str) -> None:
    """
    No capability of HCS was left out.
    """
    assert re.search(rf"\({mark}[,)]|[ (]{mark}\)", TEXT), mark


def test_every_call_of_computecore_is_made_from_python() -> None:
    """
    No function that the service answers is out of reach.
    """
    folder = Path(hcsshim.hcs.__file__).parent
    source = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    source += '"HcsEnumerateComputeSystemsInNamespace"'  # composed where it is made
    rows = [row for row in calls.table() if row.remote and row.dll == "computecore"]
    assert len(rows) > 40
    assert [] == [row.name for row in rows if f'"{row.name}"' not in source]


def test_quirks_are_mended_kept_or_elsewhere() -> None:
    """
    Each of the reference's quirks was decided on.
    """
    quirks = TEXT.partition("## Quirks")[2]
    rows = [line.split("|")[2].strip() for line in quirks.splitlines() if "|" in line]
    decided = [row for row in rows if row not in ("Here", "---")]
    assert {"mended", "kept", "elsewhere"} == set(decided)
    assert len(decided) >= 22
