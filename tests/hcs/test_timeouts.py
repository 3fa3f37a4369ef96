"""How long is waited when nobody says how long."""

from __future__ import annotations

import pytest

from hcsshim.hcs._timeouts import DEFAULT, Deadline, seconds

VARIABLE = "HCSSHIM_TIMEOUT_SYSTEMSTART"


def test_default_is_that_of_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Four minutes, and the sentinel says what it is.
    """
    monkeypatch.delenv(VARIABLE, raising=False)

    assert seconds(DEFAULT, "SYSTEMSTART") == 240
    assert repr(DEFAULT) == "DEFAULT"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7", 7), ("0", 240), ("-7", 240), ("7s", 240), ("", 240), ("1.5", 240)],
)
def test_environment_replaces_the_default(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: float
) -> None:
    """
    A positive whole number of seconds counts; any other text changes nothing.
    """
    monkeypatch.setenv(VARIABLE, text)

    assert seconds(DEFAULT, "SYSTEMSTART") == expected


def test_argument_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What the caller says counts, ``None`` and 240 too.
    """
    monkeypatch.setenv(VARIABLE, "7")

    assert seconds(240.0, "SYSTEMSTART") == 240
    assert seconds(0, "SYSTEMSTART") == 0
    assert seconds(None, "SYSTEMSTART") is None


def test_deadline_is_shared_by_several_waits() -> None:
    """
    What is left never grows and never gets negative.
    """
    deadline = Deadline(1000)
    first, second = deadline.left(), deadline.left()

    assert first is not None
    assert second is not None
    assert 0 < second <= first <= 1000
    assert Deadline(0).left() == 0


def test_no_deadline_leaves_the_default() -> None:
    """
    Without a limit each wait keeps its own.
    """
    assert Deadline(None).left() is None
    assert Deadline(None).left(5) == 5
