"""Calls that are answered when something ends, or when their time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim.host.results import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.serving.latch import Latch
    from hcsshim.host.serving.loop import Loop, Timer
    from hcsshim.host.serving.session import Call

_INFINITE = 0xFFFFFFFF


def wait(call: Call, loop: Loop, ended: Latch, document: Callable[[], str]) -> None:
    """
    Answer a call once something ended.

    Args:
        call: Its second argument is the time-out in milliseconds.
        loop: For that.
        ended: What is waited for.
        document: Gives the answer then.
    """
    timeout_ms = call.number(1)
    timer: Timer | None = None

    def listener() -> None:
        if timer is not None:
            timer.cancel()
        call.answer(0, document())

    def give_up() -> None:
        ended.forget(listener)
        call.refuse(refuse(HResult.HCS_E_OPERATION_TIMEOUT))

    def cancel() -> None:
        if timer is not None:
            timer.cancel()
        ended.forget(listener)
        call.answer(HResult.HCS_E_OPERATION_ALREADY_CANCELLED)

    if ended.fired:
        listener()
        return
    if timeout_ms == 0 or call.ticket == 0:
        give_up()
        return
    call.cancel = cancel
    call.dropped = cancel
    ended.listen(listener)
    if timeout_ms != _INFINITE:
        timer = loop.call_later(timeout_ms / 1000, give_up)
