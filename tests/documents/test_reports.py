"""What other programs print about HCS, read back."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcsshim import errors
from hcsshim.documents import (
    DocumentError,
    parse_event_log,
    parse_logged_error,
    parse_system_list,
    runtime_id,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "hcs"
MESSAGES = sorted(FIXTURES.glob("go-message-*.json"))
LISTS = sorted(FIXTURES.glob("hcsdiag-list-*.json"))


def read(path: Path) -> dict:
    """Read one recorded report."""
    found: dict = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_logged_errors_of_every_era(path: Path) -> None:
    """Operation, id, sentence, code, events and the document: each is found again."""
    report = read(path)

    logged = parse_logged_error(report["Text"])

    assert report["Operation"] == logged.operation
    assert report["Id"] == logged.system_id
    assert report["Message"] == logged.message
    code = None if report["Code"] is None else int(report["Code"], 16)
    assert code == logged.code
    assert report["ExtraInfo"] == logged.extra_info
    assert [event["Provider"] for event in report["Events"]] == [
        event.provider for event in logged.events
    ]
    error = logged.error()
    assert report["Message"] in str(error)
    assert report["Id"] == error.system_id
    assert len(report["Events"]) == len(error.events)
    assert (report["ExtraInfo"] or "no such text") not in repr(logged)


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_text_before_the_error(path: Path) -> None:
    """A line of a log may begin with other things."""
    report = read(path)
    prefix = 'time="2019-01-01" level=error msg="start failed" error: '

    logged = parse_logged_error(prefix + report["Text"])

    assert report["Id"] == logged.system_id
    assert report["Message"] == logged.message


def test_errors_of_processes_and_events() -> None:
    """The number of a process is kept, and all that an event says."""
    text = (
        "process 12 in container web encountered an error during hcs::Process::Kill: "
        "failure in a Windows system call: Element not found. (0x490)\n"
        "[Event Detail: The device failed. Provider: "
        "51ddfa29-d5c8-4803-be4b-2ecb715570fe EventID: 12010 flags: 5]"
    )

    logged = parse_logged_error(text)

    assert 12 == logged.process_id
    error = logged.error()
    assert isinstance(error, errors.ProcessGoneError)
    assert "The device failed." in str(error)
    (event,) = error.events
    assert (12010, 5) == (event.event_id, event.flags)
    inner = parse_logged_error("hcs::Process::Wait web:34: The process exited.")
    assert ("web", 34) == (inner.system_id, inner.process_id)
    assert 0x80004005 == inner.hresult


@pytest.mark.parametrize("text", ["", "everything is fine", "[Event Detail: x]"])
def test_what_is_no_error(text: str) -> None:
    """Other text is told from failures."""
    with pytest.raises(DocumentError):
        parse_logged_error(text)


@settings(deadline=None, max_examples=100)
@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text breaks a reader."""
    for parse in (parse_logged_error, parse_system_list, parse_event_log):
        with suppress(DocumentError):
            parse(text)


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_lists_of_systems(path: Path) -> None:
    """The columns are found again, also where the last are missing."""
    report = read(path)

    found = parse_system_list(report["Text"])

    assert [
        tuple(entry[k] for k in ("Id", "Kind", "State", "RuntimeId", "Owner"))
        for entry in report["Entries"]
    ] == [(s.id, s.kind, s.state, s.runtime_id, s.owner) for s in found]
    assert found + found == parse_system_list(report["Text"] * 2)
    assert () == parse_system_list("")


def test_lines_of_the_event_log() -> None:
    """A call that was accepted, and the notification with its outcome."""
    report = read(FIXTURES / "eventlog-modify-completion-failed.json")

    accepted, queued, queried = map(parse_event_log, report["Lines"])

    assert 0 == accepted.result
    assert accepted.settings is not None
    assert "Remove" == json.loads(accepted.settings)["RequestType"]
    for entry in (queued, queried):
        assert report["Notification"] == entry.notification
        assert int(report["Result"], 16) == entry.status
    assert accepted.system_id.endswith("@vm")


@pytest.mark.parametrize("vector", read(FIXTURES / "runtime-id-vectors.json"))
def test_runtime_ids(vector: dict[str, str]) -> None:
    """What HCS derives from an id that is no GUID."""
    assert vector["RuntimeId"] == runtime_id(vector["Id"])


def test_a_guid_is_its_own_runtime_id() -> None:
    """A GUID stays what it is, in lower case."""
    guid = "03B99341-EFEA-4FA2-B706-73061721D61D"

    assert guid.lower() == runtime_id(guid)
