"""The life cycle, as a whole table."""

from __future__ import annotations

import itertools

import pytest

from hcsshim.host.systems.lifecycle import (
    NOTIFICATIONS,
    REFUSALS,
    TABLE,
    State,
    Verb,
    outcome,
    public_name,
)
from hcsshim.hresult import HResult

#: The table once more, by hand, one row a state: what each verb leads to.
EXPECTED = """
            ready   start   pause  resume  save  shutdown terminate create_process modify properties exit
CREATING    CREATED 105     105    105     105   105      STOPPING  105            105    105        STOPPED
CREATED     105     RUNNING 105    105     105   105      STOPPING  105            CREATED CREATED   STOPPED
RUNNING     105     105     PAUSED 105     105   STOPPING STOPPING  RUNNING        RUNNING RUNNING   STOPPED
PAUSED      105     105     105    RUNNING 32    105      STOPPING  105            PAUSED  PAUSED    STOPPED
STOPPING    105     105     105    105     105   105      STOPPING  45B            105     STOPPING  STOPPED
STOPPED     110     110     110    110     110   110      110       110            110     STOPPED   110
"""  # noqa: E501 - a table

CODES = {
    "105": HResult.HCS_E_INVALID_STATE,
    "110": HResult.HCS_E_SYSTEM_ALREADY_STOPPED,
    "32": HResult.ERROR_NOT_SUPPORTED,
    "45B": HResult.ERROR_SHUTDOWN_IN_PROGRESS,
}
CASES = [
    (State[row.split()[0]], verb, CODES.get(cell) or State[cell])
    for row in EXPECTED.strip().splitlines()[1:]
    for verb, cell in zip(Verb, row.split()[1:], strict=True)
]


@pytest.mark.parametrize(("state", "verb", "expected"), CASES)
def test_outcome(state: State, verb: Verb, expected: State | int) -> None:
    """Each verb in each state leads to a state, or is refused with one code."""
    assert expected == outcome(state, verb)


def test_every_pair_is_tested() -> None:
    """No state and no verb is missing above."""
    assert set(itertools.product(State, Verb)) == {(s, v) for s, v, _ in CASES}


def test_nothing_is_both_allowed_and_refused() -> None:
    """The two tables do not contradict each other."""
    assert not TABLE.keys() & REFUSALS.keys()


def test_every_life_ends() -> None:
    """From every state a system can end, and then stays ended."""
    for state in State:
        assert state is State.STOPPED or outcome(state, Verb.EXIT) is State.STOPPED
    leaving = {target for (s, _), target in TABLE.items() if s is State.STOPPED}
    assert leaving == {State.STOPPED}


def test_only_the_end_is_notified() -> None:
    """Clients are told of the end; all else is the answer of an operation."""
    assert NOTIFICATIONS == {Verb.EXIT: 1}


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (State.CREATING, "Created"),
        (State.CREATED, "Created"),
        (State.RUNNING, "Running"),
        (State.PAUSED, "Paused"),
        (State.STOPPING, "Running"),
        (State.STOPPED, "Stopped"),
    ],
)
def test_public_name(state: State, name: str) -> None:
    """Queries tell only states that HCS has."""
    assert name == public_name(state)
