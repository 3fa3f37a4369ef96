"""Exit codes as Windows means them, and advice about failures."""

from __future__ import annotations

import pytest

from hcsshim import CompletedProcess, HcsError, ProcessFailedError
from hcsshim.errors import error_of
from hcsshim.hints import _HINTS, hint_of
from hcsshim.hresult import name_of
from hcsshim.ntstatus import _CODES, describe_exit_code, exit_code_name


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0xC000013A, "STATUS_CONTROL_C_EXIT"),
        (-1073741510, "STATUS_CONTROL_C_EXIT"),
        (3221226505, "STATUS_STACK_BUFFER_OVERRUN"),
        (0xC0000005, "STATUS_ACCESS_VIOLATION"),
        (0xC0000135, "STATUS_DLL_NOT_FOUND"),
    ],
)
def test_a_code_of_windows_has_a_name(code: int, name: str) -> None:
    """
    Signed or unsigned, the name is that of the SDK.
    """
    found = exit_code_name(code)

    assert found is not None
    assert name == found.name
    assert name in describe_exit_code(code)


@pytest.mark.parametrize(
    ("code", "text"),
    [(0, "0"), (3, "3"), (255, "255"), (0xC0ABCDEF, "0xC0ABCDEF"), (-1, "-1")],
)
def test_a_code_of_the_program_has_none(code: int, text: str) -> None:
    """
    What the program chose itself stays a number; an unlisted status is hexadecimal.
    """
    assert exit_code_name(code) is None
    assert text == describe_exit_code(code)


def test_no_code_yet() -> None:
    """
    A process that runs has no code, so no name.
    """
    assert exit_code_name(None) is None


def test_every_meaning_is_short_and_no_sentence() -> None:
    """
    Names are unique; meanings fit into a sentence of ours.
    """
    names = [name for name, _ in _CODES.values()]
    assert sorted(set(names)) == sorted(names)
    assert all(meaning and not meaning.endswith(".") for _, meaning in _CODES.values())


def test_a_failed_run_names_the_code() -> None:
    """
    The exception of a run that was checked says what the code means.
    """
    done = CompletedProcess(["x.exe"], 0xC000013A)

    with pytest.raises(ProcessFailedError, match="0xC000013A STATUS_CONTROL_C_EXIT"):
        done.check_returncode()
    assert "STATUS_CONTROL_C_EXIT" == done.exit_code_name
    assert "" == CompletedProcess(["x"], 3).exit_code_name


def test_two_dozen_codes_have_a_hint() -> None:
    """
    Each hint is about a code that has a name, and is a sentence.
    """
    assert len(_HINTS) >= 24
    for code, text in _HINTS.items():
        assert name_of(code), hex(code)
        assert text.endswith((".", "prune`."))


def test_both_forms_of_a_code_have_the_same_hint() -> None:
    """
    What vmcompute returns is looked up as what computecore returns.
    """
    assert hint_of(0x8037010F)
    assert hint_of(0x8037010F) == hint_of(0xC037010F) == hint_of(-1070137073)


def test_errors_carry_the_hint() -> None:
    """
    An exception has the hint beside its text, which stays what is known.
    """
    error = error_of(0x8037010F, "HcsCreateComputeSystem", "web")

    assert "hcsshim rm --force" in error.hint
    assert error.hint not in str(error)
    assert "" == HcsError(0x80041008).hint
