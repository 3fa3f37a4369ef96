"""Result documents: what failed calls and ended systems leave behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hcsshim.documents._converter import dumps, loads
from hcsshim.documents._document import DocumentError
from hcsshim.documents.results import (
    ErrorEvent,
    ExitInitiator,
    NotificationType,
    ProcessStatus,
    ResultError,
    SystemExitStatus,
    parse_result,
)

# Building Unicode tables counts as slow generation on a busy machine.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

FIXTURES = Path(__file__).parents[1] / "fixtures" / "hcs"
RESULTS = sorted(FIXTURES.glob("result-*.json"))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def read(name: str) -> str:
    """Read one recorded document."""
    return (FIXTURES / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_recorded_results_survive(path: Path) -> None:
    """A recorded result is read and written back as it was."""
    text = path.read_text(encoding="utf-8")

    result = parse_result(text)

    assert result is not None
    assert json.loads(text) == json.loads(dumps(result))


@pytest.mark.parametrize(
    ("name", "hresult", "summary"),
    [
        ("result-process-file-not-found", 0x80070002, "The system cannot find the"),
        ("result-construct-access-denied", 0x80070005, "Construct"),
        ("result-no-hypervisor", 0xC0351000, "Cannot start Hyper-V Container"),
        ("result-invalid-document-ntstatus", 0xC037010D, "The specified compute"),
    ],
)
def test_code_and_best_sentence(name: str, hresult: int, summary: str) -> None:
    """The code is unsigned; the text is the best one there is."""
    result = parse_result(read(name))

    assert result is not None
    assert hresult == result.hresult
    assert result.summary.startswith(summary)


def test_zero_provider_is_none() -> None:
    """An event whose provider is all zeros names no provider."""
    result = parse_result(read("result-process-file-not-found"))

    assert result is not None
    assert not result.error_events[0].has_provider
    assert ErrorEvent(provider="17103e3f-3c6e-4677-bb17-3b267eb5be57").has_provider


@pytest.mark.parametrize("number", [-2147024894, 2147942402])
def test_codes_come_signed_or_unsigned(number: int) -> None:
    """Both spellings of a code mean the same."""
    result = parse_result(f'{{"Error": {number}}}')

    assert result is not None
    assert result.hresult == 0x80070002


def test_bad_member_does_not_hide_the_code() -> None:
    """A member that makes no sense is set aside and the rest is read."""
    text = '{"error": -5, "ErrorMessage": 7, "ErrorEvents": [{"EventId": "x"}], "N": 1}'

    result = parse_result(text)

    assert result is not None
    assert result.error == -5
    assert result.extra == {
        "ErrorMessage": 7,
        "ErrorEvents": [{"EventId": "x"}],
        "N": 1,
    }


@pytest.mark.parametrize("text", [None, "", "no JSON", "[]", "7", "null", "[" * 99999])
def test_what_is_no_result_is_none(text: str | None) -> None:
    """Where there is no object there is no record, and no error."""
    assert parse_result(text) is None


@patient
@given(st.dictionaries(st.sampled_from(["Error", "errorevents", "X"]), json_values))
def test_parse_result_never_raises(raw: dict[str, object]) -> None:
    """Whatever JSON object comes, a record is made of it."""
    assert isinstance(parse_result(json.dumps(raw)), ResultError)


@patient
@given(st.text())
def test_parse_result_takes_any_text(text: str) -> None:
    """Any text at all is answered with a record or None."""
    result = parse_result(text)

    assert result is None or isinstance(result, ResultError)


def test_process_status() -> None:
    """The exit code of a process ended by Ctrl-C is the unsigned NTSTATUS."""
    status = loads(ProcessStatus, read("event-process-exited-ctrl-c"))

    assert status.returncode == 0xC000013A
    assert json.loads(read("event-process-exited-ctrl-c")) == json.loads(dumps(status))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (ProcessStatus(exited=True), 0),
        (ProcessStatus(exited=True, exit_code=-1), 0xFFFFFFFF),
        (ProcessStatus(exited=True, exit_code=3, last_wait_result=-1), None),
        (ProcessStatus(exited=False, exit_code=259), None),
        (ProcessStatus(), None),
    ],
)
def test_returncode_counts_only_after_a_good_wait(
    status: ProcessStatus, expected: int | None
) -> None:
    """There is a return code if the process ended and waiting for it worked."""
    assert expected == status.returncode


def test_system_exit_status() -> None:
    """An exit says how it came about and whom to blame."""
    status = loads(SystemExitStatus, read("event-system-exited-unexpected"))

    assert status.exit_type is NotificationType.UNEXPECTED_EXIT
    assert [record.detail for record in status.attribution] == [
        "UnexpectedExit",
        "ProcessUnexpectedExit",
    ]
    worker = status.attribution[1].worker_exit
    assert worker is not None
    assert worker.initiator is ExitInitiator.UNKNOWN


def test_building_a_result_is_strict() -> None:
    """A code that does not fit 32 bits is refused when a result is built."""
    with pytest.raises(DocumentError, match=r"^ResultError\.Error: expected a whole"):
        ResultError(error=2**40)
