# Made by async_to_sync.py of hcsshim/hcs/_async_events.py; do not edit.
"""The events of a compute system, blocking."""

from __future__ import annotations

from warnings import warn

from hcsshim._native.port import GENERIC_ALL
from hcsshim.hcs import _system_steps as steps
from hcsshim.hcs._calls import answer
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._events import event_of

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from hcsshim._native.port import Service, Subscription
    from hcsshim.hcs._events import SystemEvent
    from hcsshim.hcs._handles import ProcessHandle, SystemHandle

LISTEN = "HcsSetComputeSystemCallback"
LISTEN_TO_PROCESS = "HcsSetProcessCallback"
OPEN_PROCESS = "HcsOpenProcess"
CLOSE_PROCESS = "HcsCloseProcess"
PROCESS_EXITED = 0x00010000


class EventStream:
    """
    The events of one system or process, from the moment it was made.

    It has a handle of its own, so that listeners do not disturb each other, and goes
    on when the system object that it came from is closed.
    """

    __slots__ = ("_close_call", "_ended", "_handle", "_service", "_subscription")

    def __init__(
        self,
        service: Service,
        handle: int,
        subscription: Subscription,
        close_call: str = steps.CLOSE,
    ) -> None:
        self._service = service
        self._close_call = close_call
        self._handle = handle
        self._subscription = subscription
        self._ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SystemEvent:
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def next(self, *, timeout: float | None = None) -> SystemEvent | None:
        """
        Take the oldest event that was not taken yet.

        Args:
            timeout: Seconds to wait for one, ``None`` forever.

        Returns:
            The event; ``None`` once no more can come.

        Raises:
            HcsTimeoutError: None came in time.
        """
        if self._ended:
            return None
        raw = self._subscription.next(timeout)
        event = None if raw is None else event_of(raw)
        self._ended = (
            event is None
            or event.last
            or (event.type == PROCESS_EXITED and self._close_call == CLOSE_PROCESS)
        )
        return event

    def close(self) -> None:
        """Stop listening. Idempotent; wakes whoever waits for an event."""
        handle, self._handle = self._handle, 0
        self._ended = True
        if handle:
            self._subscription.close()
            self._service.send(self._close_call, handle)

    def __del__(self) -> None:
        handle = getattr(self, "_handle", 0)  # the constructor may have failed
        if handle:
            self._handle = 0
            self._subscription.close()
            self._service.send(self._close_call, handle)
            warn("unclosed event stream", ResourceWarning, stacklevel=2, source=self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def listen(
    system: SystemHandle, timeout: float | None, options: int = 0
) -> EventStream:
    """
    Open the system anew and listen.

    Args:
        system: Whose events.
        timeout: Seconds to wait for the service.
        options: Which events beside the usual ones.

    Raises:
        NotFoundError: The system is gone.
    """
    system.use(LISTEN)
    service = system.service
    call = steps.submit_open(service, system.system_id, system.id_namespace)
    subscription = None
    try:
        subscription = service.subscribe(LISTEN, call.handle, int(options))
        drive(answer(call, steps.OPEN, system.system_id, timeout))
    except BaseException:
        call.abandon()
        if subscription is not None:
            subscription.close()
        service.send(steps.CLOSE, call.handle)
        raise
    return EventStream(service, call.handle, subscription)


def listen_to_process(process: ProcessHandle, timeout: float | None) -> EventStream:
    """
    Open the process anew and listen.

    Args:
        process: Whose events.
        timeout: Seconds to wait for the service.

    Raises:
        ProcessGoneError: It is gone.
    """
    process.use(LISTEN_TO_PROCESS)
    service, number = process.service, process.process_id
    system = process.system.use(LISTEN_TO_PROCESS)
    call = service.submit(OPEN_PROCESS, system, number, GENERIC_ALL)
    subscription = None
    try:
        subscription = service.subscribe(LISTEN_TO_PROCESS, call.handle)
        drive(answer(call, OPEN_PROCESS, process.system_id, timeout, process_id=number))
    except BaseException:
        call.abandon()
        if subscription is not None:
            subscription.close()
        service.send(CLOSE_PROCESS, call.handle)
        raise
    return EventStream(service, call.handle, subscription, CLOSE_PROCESS)
