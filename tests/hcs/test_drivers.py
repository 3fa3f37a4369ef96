"""The two drivers treat every end of a wait alike."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hcsshim.errors import HcsTimeoutError
from hcsshim.hcs._drivers import Wait, adrive, drive, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.hcs._drivers import Step


class Pending:
    """Something to wait for, which ends as told."""

    def __init__(self, outcome: int | BaseException) -> None:
        self.outcome = outcome
        self.timeouts: list[float | None] = []
        self.abandoned = False

    def result(self, timeout: float | None) -> int:
        """End as told."""
        self.timeouts.append(timeout)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    async def completed(self, timeout: float | None) -> int:
        """End as told, after other tasks had their turn."""
        await asyncio.sleep(0)
        return self.result(timeout)

    def abandon(self) -> None:
        """Note it."""
        self.abandoned = True


def blocking(step: Step[object]) -> object:
    """Run a step by blocking."""
    return drive(step)


def awaiting(step: Step[object]) -> object:
    """Run a step by awaiting."""
    return asyncio.run(adrive(step))


both = pytest.mark.parametrize("run", [blocking, awaiting])


@both
def test_results_come_back_in_order(run: Callable[[Step[object]], object]) -> None:
    """
    A step goes on with what it waited for, and its value is the driver's.
    """

    def step() -> Step[object]:
        first = yield from wait_for(Pending(1), 5)
        second = yield from wait_for(Pending(2), None)
        return first, second

    assert run(step()) == (1, 2)


@both
def test_step_without_a_wait(run: Callable[[Step[object]], object]) -> None:
    """
    A step that needs no answer is driven to its end at once.
    """

    def step() -> Step[object]:
        yield from ()
        return "done"

    assert run(step()) == "done"


@both
def test_exceptions_of_a_wait_arrive_in_the_step(
    run: Callable[[Step[object]], object],
) -> None:
    """
    The step sees what ended its wait, may wait again, and may go on.
    """
    late = Pending(HcsTimeoutError())

    def step() -> Step[object]:
        try:
            yield from wait_for(late, 0.5)
        except HcsTimeoutError:
            return (yield from wait_for(Pending(3), None))

    assert run(step()) == 3
    assert late.timeouts == [0.5]


@both
def test_exceptions_of_the_step_are_raised(
    run: Callable[[Step[object]], object],
) -> None:
    """
    What a step does not handle, its caller gets.
    """

    def step() -> Step[object]:
        yield from wait_for(Pending(1), None)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        run(step())


def test_waiting_leaves_what_is_waited_for_alone() -> None:
    """
    Whether a call is given up after a wait is for the step to decide.
    """
    pending = Pending(KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        drive(wait_for(pending, None))

    assert not pending.abandoned


def test_cancelled_task_lets_the_step_clean_up() -> None:
    """
    The cancellation of a task arrives where the step waits.
    """
    seen: list[str] = []

    class Never(Pending):
        async def completed(self, timeout: float | None) -> int:
            del timeout
            await asyncio.get_running_loop().create_future()
            return 0

    def step() -> Step[object]:
        try:
            yield Wait(Never(0), None)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def scenario() -> None:
        task = asyncio.create_task(adrive(step()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert seen == ["cancelled"]


def test_step_that_is_dropped_cleans_up() -> None:
    """
    A step that is never driven to its end still gets to undo what it did.
    """
    seen: list[str] = []

    def step() -> Step[object]:
        try:
            yield Wait(Pending(1), None)
        finally:
            seen.append("undone")

    started = step()
    next(started)
    started.close()

    assert seen == ["undone"]
