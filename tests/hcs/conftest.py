"""A service that follows a script: no threads, no clock, no host."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

import pytest

from hcsshim._native.port import Completion, Event
from hcsshim.errors import HandleClosedError, HcsTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Calls that are answered only when a test says so.
LASTING = ("HcsWaitForComputeSystemExit", "HcsWaitForProcessExit")


class ScriptedOperation:
    """A submitted call; see the port."""

    def __init__(self, name: str, handle: int) -> None:
        self.name = name
        self.handle = handle
        self.abandoned = False
        self.cancelled = False
        self.outcome: Completion | BaseException | None = None

    def answer(
        self, hresult: int = 0, document: str | None = None, **more: object
    ) -> None:
        """Let the call be answered."""
        self.outcome = Completion(hresult, document, **more)  # type: ignore[arg-type]  # keywords of a test

    def result(self, timeout: float | None) -> Completion:
        """Give the scripted answer; waiting forever for none is the test's mistake."""
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        if self.outcome is not None:
            return self.outcome
        if self.abandoned:
            raise HandleClosedError(operation=self.name)
        assert timeout is not None, f"nobody will ever answer {self.name}"
        raise HcsTimeoutError(operation=self.name)

    async def completed(self, timeout: float | None) -> Completion:
        """Give the scripted answer after other tasks had their turn."""
        await asyncio.sleep(0)
        return self.result(timeout)

    def cancel(self) -> bool:
        """Note that the call shall be cancelled."""
        self.cancelled = self.outcome is None
        return self.cancelled

    def abandon(self) -> None:
        """Note that nobody wants the answer."""
        self.abandoned = True


class ScriptedSubscription:
    """The events of one handle; see the port."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = False

    def next(self, timeout: float | None) -> Event | None:
        """Give the next scripted event."""
        if self.events:
            return self.events.pop(0)
        if self.closed:
            return None
        assert timeout is not None, "no event will ever come"
        raise HcsTimeoutError(operation="events")

    async def anext(self, timeout: float | None) -> Event | None:
        """Give the next scripted event after other tasks had their turn."""
        await asyncio.sleep(0)
        return self.next(timeout)

    def close(self) -> None:
        """Note that nobody listens."""
        self.closed = True


class ScriptedService:
    """
    A service that answers as told, and remembers what it was asked.

    Attributes:
        asked: Every call, submitted or sent, with its arguments, in order.
        operations: What was submitted, by name of the call.
        subscriptions: What was listened to.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.operations: dict[str, list[ScriptedOperation]] = {}
        self.subscriptions: list[ScriptedSubscription] = []
        self.hooks: dict[str, Callable[[], None]] = {}
        self._script: dict[str, list[Completion | BaseException | None]] = {}
        self._handles = iter(range(1001, 2000))

    def script(
        self,
        name: str,
        outcome: int | BaseException | None = 0,
        document: object = None,
        **more: object,
    ) -> None:
        """
        Say what the next call of a name ends in; 0 is what happens unsaid.

        Args:
            name: Of the call.
            outcome: HRESULT, an exception of the wait, or ``None`` for no answer.
            document: Text, or what to write as JSON.
            more: Further fields of the completion.
        """
        text = document
        if document is not None and not isinstance(document, str):
            text = json.dumps(document)
        answer: Completion | BaseException | None = None
        if isinstance(outcome, int):
            answer = Completion(outcome, text, **more)  # type: ignore[arg-type]  # as above
        elif outcome is not None:
            answer = outcome
        self._script.setdefault(name, []).append(answer)

    def submit(self, call: str, *arguments: str | int | None) -> ScriptedOperation:
        """Begin a call; see the port."""
        self.asked.append((call, *arguments))
        if call in self.hooks:
            self.hooks[call]()
        creates = call.startswith(
            ("HcsCreate", "HcsOpen", "HcnCreate", "HcnOpen", "HcnRegister")
        )
        handle = next(self._handles) if creates else 0
        operation = ScriptedOperation(call, handle)
        if self._script.get(call):
            operation.outcome = self._script[call].pop(0)
        elif call not in LASTING:
            operation.outcome = Completion(0)
        self.operations.setdefault(call, []).append(operation)
        return operation

    def send(self, call: str, *arguments: str | int | None) -> None:
        """Begin a call whose answer nobody wants; see the port."""
        self.asked.append((call, *arguments))

    def subscribe(
        self, call: str, handle: int, options: int = 0
    ) -> ScriptedSubscription:
        """Listen to a handle's events; see the port."""
        self.asked.append((call, handle, options) if options else (call, handle))
        self.subscriptions.append(ScriptedSubscription())
        return self.subscriptions[-1]

    def listen(self, call: str, handle: int) -> ScriptedSubscription:
        """Listen to a handle that stands for events; see the port."""
        return self.subscribe(call, handle)

    def names(self) -> list[str]:
        """Give the names of the calls so far, and forget them."""
        names = [str(call[0]) for call in self.asked]
        self.asked.clear()
        return names

    def last(self, name: str) -> ScriptedOperation:
        """Give the latest call of a name."""
        return self.operations[name][-1]


@pytest.fixture
def service() -> ScriptedService:
    """A service without a script: everything succeeds, nothing exits."""
    return ScriptedService()


@pytest.fixture
def pipes() -> Iterator[Callable[[], tuple[int, int]]]:
    """Make pipes; what the test leaves open of them is closed."""
    made: list[tuple[int, tuple[int, int]]] = []

    def identity(file: int) -> tuple[int, int] | None:
        try:
            status = os.fstat(file)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def make() -> tuple[int, int]:
        ends = os.pipe()
        made.extend((end, identity(end) or (0, 0)) for end in ends)
        return ends

    yield make
    for file, known in made:
        if identity(file) == known:
            os.close(file)
