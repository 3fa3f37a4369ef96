"""States and records: as JSON and back."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcsshim.oci.container_state import (
    ContainerState,
    Record,
    Status,
    format_time,
    parse_time,
)

from .conftest import linux_spec

MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=dt.timezone.utc)
STATE = ContainerState(
    version="1.0.2",
    id="web",
    pid=7,
    status=Status.RUNNING,
    bundle="/b",
    rootfs="/b/rootfs",
    created=MOMENT,
    annotations={"a": "b"},
    owner="me",
)


@settings(deadline=None)
@given(st.datetimes(min_value=dt.datetime(1970, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_times(moment: dt.datetime) -> None:
    """
    A moment is the same one after it was written and read, in whatever zone.
    """
    assert moment.astimezone(dt.timezone.utc) == parse_time(format_time(moment))


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-01-02T03:04:05.6Z", 600_000),
        ("2026-01-02T03:04:05.600000999Z", 600_000),
        ("2026-01-02T03:04:05Z", 0),
    ],
)
def test_times_of_others(text: str, microsecond: int) -> None:
    """
    Up to nine digits, or none.
    """
    assert MOMENT.replace(microsecond=microsecond) == parse_time(text)
    with pytest.raises(ValueError, match="does not match"):
        parse_time("yesterday")


def test_states() -> None:
    """
    The names and their order are those of OCI runtimes.
    """
    wire = STATE.as_json()

    assert list(wire) == [
        *("ociVersion", "id", "pid", "status", "bundle", "rootfs", "created"),
        *("annotations", "owner"),
    ]
    assert "2026-01-02T03:04:05.6Z" == wire["created"]
    assert STATE == ContainerState.from_json(json.loads(json.dumps(wire)))
    for wrong in ({**wire, "pid": "x"}, {**wire, "annotations": 5}):
        with pytest.raises(ValueError, match="expected the state"):
            ContainerState.from_json(wrong)


def test_records() -> None:
    """
    What is remembered comes back whole; what is something else is told.
    """
    record = Record(
        id="web",
        owner="me",
        bundle="/b",
        spec=linux_spec({"a": "b"}),
        created=MOMENT,
        unique_id="u",
        sandbox_id="pod",
    )

    assert record == Record.from_json(json.loads(json.dumps(record.as_json())))
    assert "/bundle/rootfs" == record.rootfs
    for wrong in ({}, [], None, 5):
        with pytest.raises(ValueError, match="cannot be read"):
            Record.from_json(wrong)
