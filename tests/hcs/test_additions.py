"""What the environment adds to every create document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hcsshim import ComputeSystem
from hcsshim.documents import v1
from hcsshim.hcs._calls import merged

if TYPE_CHECKING:
    from .conftest import ScriptedService

VARIABLE = "HCSSHIM_CREATECONTAINER_ADDITIONALJSON"


def test_objects_are_merged_deeply(
    service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Members are replaced where they stand, whatever form the document had.
    """
    addition = {"Container": {"Memory": {"SizeInMB": 7}}, "Owner": "me", "New": [1]}
    monkeypatch.setenv(VARIABLE, json.dumps(addition))
    document = {"Owner": "x", "Container": {"Memory": {"A": 1}, "Storage": {}}}

    ComputeSystem.create("a", document, service=service).close()
    config = v1.ContainerConfig(system_type="Container", name="n")
    ComputeSystem.create("b", config, service=service).close()

    first, second = [
        json.loads(str(call[2]))
        for call in service.asked
        if call[0] == "HcsCreateComputeSystem"
    ]
    assert {
        "Owner": "me",
        "Container": {"Memory": {"A": 1, "SizeInMB": 7}, "Storage": {}},
        "New": [1],
    } == first
    assert ("me", "Container") == (second["Owner"], second["SystemType"])


def test_without_the_variable_text_stays_text(
    service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A document that is text is not even read.
    """
    monkeypatch.delenv(VARIABLE, raising=False)

    ComputeSystem.create("a", "not JSON", service=service).close()

    assert "not JSON" == service.asked[0][2]


@pytest.mark.parametrize("value", ["{", "[]", "7"])
def test_nonsense_is_told(
    service: ScriptedService, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """
    What is no object is named by its variable, before anything is made.
    """
    monkeypatch.setenv(VARIABLE, value)

    with pytest.raises(ValueError, match=VARIABLE):
        ComputeSystem.create("a", {}, service=service)

    assert [] == service.asked


def test_merging_changes_neither_side() -> None:
    """
    The document that a caller gave stays as it is.
    """
    value, over = {"a": {"b": 1}}, {"a": {"c": 2}, "d": {"e": 3}}

    assert {"a": {"b": 1, "c": 2}, "d": {"e": 3}} == merged(value, over)
    assert ({"a": {"b": 1}}, {"a": {"c": 2}, "d": {"e": 3}}) == (value, over)
