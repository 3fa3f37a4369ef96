"""
Waiting in asyncio: one queue per event loop, whose descriptor the loop watches.

A native thread posts into the queue and rings its descriptor once per burst;
the loop drains the batch and sets the futures. No thread of Python's is
involved, and no executor.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from hcsshim._ffi import lib
from hcsshim._native.events import EventQueue
from hcsshim.errors import HandleClosedError, HcsTimeoutError, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim._native.port import Completion, Event
    from hcsshim._native.service import (
        NativeOperation,
        NativeService,
        NativeSubscription,
    )

_E_HANDLE: int = lib.HCSSHIM_E_HANDLE


def watch(
    loop: asyncio.AbstractEventLoop, file: int, call: Callable[[], None]
) -> Callable[[], object]:
    """
    Have a loop call something whenever a queue's file is ready.

    Returns:
        What ends that.
    """
    if sys.platform == "win32":
        from hcsshim._native.loop_windows import Watch  # noqa: PLC0415 - by platform

        return Watch(loop, file, call).close
    loop.add_reader(file, call)
    return lambda: loop.remove_reader(file)


class LoopTickets:
    """
    The calls that one event loop awaits.

    Args:
        loop: It must have ``add_reader``, or on Windows be the proactor loop.
    """

    __slots__ = ("_futures", "_queue")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._queue = EventQueue()
        self._futures: dict[int, list[asyncio.Future[bool]]] = {}
        watch(loop, self._queue.fileno(), self._drain)  # the loop keeps it

    def _drain(self) -> None:
        for ticket, _, _, _ in self._queue.drain():
            for future in self._futures.pop(ticket, ()):
                _settle(future, True)

    def watch(self, operation: NativeOperation) -> asyncio.Future[bool]:
        """Give a future that is done when the call was answered."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._futures.setdefault(operation.ticket, []).append(future)
        code = lib.hcsshim_ticket_notify(
            operation.service.native, operation.ticket, self._queue.native
        )
        if code == _E_HANDLE:
            self.forget(operation.ticket, future)
            raise HandleClosedError(operation=operation.call)
        if check(code, operation.call) == 1:  # answered already
            self.forget(operation.ticket, future)
            future.set_result(True)
        return future

    def forget(self, ticket: int, future: asyncio.Future[bool]) -> None:
        """Stop watching for one waiter."""
        futures = self._futures.get(ticket)
        if futures is None or future not in futures:
            return
        futures.remove(future)
        if not futures:
            del self._futures[ticket]


def _tickets_of(service: NativeService) -> LoopTickets:
    """Find what the running loop awaits of a service; tickets are its own ids."""
    loop = asyncio.get_running_loop()
    if service.loops is None:
        service.loops = WeakKeyDictionary()
    tickets = service.loops.get(loop)
    if tickets is None:
        tickets = service.loops[loop] = LoopTickets(loop)
    return tickets


async def await_ticket(operation: NativeOperation, timeout: float | None) -> Completion:
    """
    Await a call's answer in the running loop.

    Raises:
        HcsTimeoutError: It has not come in ``timeout`` seconds.
    """
    tickets = _tickets_of(operation.service)
    future = tickets.watch(operation)
    timer = None
    if timeout is not None:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(timeout, _settle, future, False)
    try:
        if not await future:
            raise HcsTimeoutError(operation=operation.call)
    finally:
        if timer is not None:
            timer.cancel()
        tickets.forget(operation.ticket, future)
    return operation.take()


async def await_event(
    subscription: NativeSubscription, timeout: float | None
) -> Event | None:
    """
    Await the oldest event of a subscription in the running loop.

    Raises:
        HcsTimeoutError: None came in ``timeout`` seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout
    while True:
        event = subscription.poll()
        if event is not None or subscription.ended:
            return event
        ready: asyncio.Future[bool] = loop.create_future()
        unwatch = watch(
            loop, subscription.queue.fileno(), partial(_settle, ready, True)
        )
        timer = None
        if deadline is not None:
            timer = loop.call_at(deadline, _settle, ready, False)
        try:
            if not await ready:
                raise HcsTimeoutError(operation="events")
        finally:
            unwatch()
            if timer is not None:
                timer.cancel()


def _settle(future: asyncio.Future[bool], value: bool) -> None:  # noqa: FBT001 - a callback's
    if not future.done():
        future.set_result(value)
