"""
Steps, and the two drivers that run them.

A step is a generator. It submits calls and yields a :class:`Wait` wherever an
answer is needed; it never waits itself, so the order of calls, retries and clean-up
are written once, and are tested without threads or a clock. ``drive`` waits by
blocking, ``adrive`` by awaiting: they are the only code that exists twice.

A time-out, the cancellation of a task and Ctrl-C all arrive in the step as an
exception at its ``yield``. The step abandons what it waited for, undoes what the
call may still create, and lets the exception go on.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Protocol, TypeAlias, TypeVar

    R = TypeVar("R")
    R_co = TypeVar("R_co", covariant=True)
    T = TypeVar("T")

    class Pending(Protocol[R_co]):
        """What can be waited for: a submitted call, or a transfer of the relay."""

        def result(self, timeout: float | None) -> R_co:
            """Block until it is there; ``HcsTimeoutError`` after ``timeout``."""

        async def completed(self, timeout: float | None) -> R_co:
            """Await it; as :meth:`result`."""

        def abandon(self) -> None:
            """Give up on it, without waiting."""

    class Waitable(Protocol):
        """What a driver needs of a :class:`Wait`, whatever it is for."""

        def block(self) -> None:
            """Wait by blocking."""

        async def arrive(self) -> None:
            """Wait by awaiting."""

    Step: TypeAlias = Generator[Waitable, None, T]


class Wait:
    """
    Somebody must wait before the step can go on.

    Args:
        pending: For what.
        timeout: Seconds; ``None`` forever, 0 looks once.
    """

    __slots__ = ("pending", "timeout")

    def __init__(self, pending: Pending[object], timeout: float | None) -> None:
        self.pending = pending
        self.timeout = timeout

    def block(self) -> None:
        """Wait by blocking; what comes is kept by what was waited for."""
        self.pending.result(self.timeout)

    async def arrive(self) -> None:
        """Wait by awaiting; as :meth:`block`."""
        await self.pending.completed(self.timeout)


def wait_for(pending: Pending[R], timeout: float | None) -> Step[R]:
    """
    Wait for something, and leave it alone if waiting ends early.

    Args:
        pending: What keeps its result: asked again, it answers at once.
        timeout: Seconds; ``None`` forever, 0 looks once.

    Raises:
        HcsTimeoutError: It has not come in time.
    """
    yield Wait(pending, timeout)
    return pending.result(0)


def drive(step: Step[T]) -> T:
    """
    Run a step, waiting by blocking.

    Args:
        step: Just made; it is used up.
    """
    try:
        wait = next(step)
        while True:
            try:
                wait.block()
            except BaseException as exc:  # noqa: BLE001, PERF203 - the step decides
                wait = step.throw(exc)
            else:
                wait = next(step)
    except StopIteration as done:
        value: T = done.value
        return value


async def adrive(step: Step[T]) -> T:
    """
    Run a step, waiting by awaiting.

    Args:
        step: Just made; it is used up.
    """
    try:
        wait = next(step)
        while True:
            try:
                await wait.arrive()
            except BaseException as exc:  # noqa: BLE001, PERF203 - the step decides
                wait = step.throw(exc)
            else:
                wait = next(step)
    except StopIteration as done:
        value: T = done.value
        return value
