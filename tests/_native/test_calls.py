"""Tests of the table of native calls."""

from __future__ import annotations

import pytest

from hcsshim._native import calls


def test_numbers_rise_and_are_unique() -> None:
    """Rows come by rising number, so no number stands twice."""
    numbers = [call.number for call in calls.table()]

    assert sorted(set(numbers)) == numbers


def test_create_is_as_the_dll_declares_it() -> None:
    """A row gives the library, the reach and the arguments in order."""
    (create,) = (
        c for c in calls.table() if c.remote and c.name == "HcsCreateComputeSystem"
    )

    assert create.dll == "computecore"
    assert create.remote
    assert create.wire_kinds == (calls.TEXT, calls.TEXT, calls.OUT_SYSTEM)


def test_operations_never_cross_the_wire() -> None:
    """Calls about operations are the client's own."""
    local = {call.name for call in calls.table() if not call.remote}

    assert {"HcsCreateOperation", "HcsCloseOperation"} <= local


def test_number_finds_a_call_by_name() -> None:
    """The number of a name is that of its row."""
    found = {call.name: call.number for call in calls.table() if call.remote}

    assert calls.number("HcsCreateProcess") == found["HcsCreateProcess"]


def test_number_of_an_unknown_call() -> None:
    """A name that the table does not hold is a KeyError."""
    with pytest.raises(KeyError, match="HcsNoSuchCall"):
        calls.number("HcsNoSuchCall")


def test_layers_and_disks_cross_the_wire_as_text() -> None:
    """What is a structure or a handle in C is a text in the call's frame."""
    rows = {(call.dll, call.name): call for call in calls.table()}
    create = rows["vmcompute", "CreateSandboxLayer"]
    setup = rows["computestorage", "HcsSetupBaseOSLayer"]

    assert create.wire_kinds == (calls.TEXT, calls.TEXT, calls.TEXT)
    assert setup.wire_kinds == (calls.TEXT, calls.TEXT, calls.TEXT)
    assert rows["vmcompute", "ExpandSandboxSize"].wire_kinds[-1] == calls.U64
    assert rows["vmcompute", "GetLayerMountPath"].wire_kinds == (calls.TEXT,)


def test_number_finds_a_call_of_another_dll() -> None:
    """A name that one DLL alone exports needs no DLL to be found."""
    assert calls.number("CreateLayer", "vmcompute") == calls.number("CreateLayer")
