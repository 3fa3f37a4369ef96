# Made by async_to_sync.py of hcsshim/hcn/_async_events.py; do not edit.
"""Notifications of networks, blocking."""

from __future__ import annotations

from warnings import warn

from hcsshim.hcn._events import event_of
from hcsshim.hcs._calls import answer
from hcsshim.hcs._connection import connected
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from hcsshim._native.port import Service, Subscription
    from hcsshim.hcn._events import NetworkEvent

_REGISTER = "HcnRegisterServiceCallback"
_UNREGISTER = "HcnUnregisterServiceCallback"


class NetworkEvents:
    """
    What happens to networks, endpoints and namespaces, from :meth:`listen` on.

    Iterate over it; it ends when the service goes away.
    """

    __slots__ = ("_ended", "_handle", "_service", "_subscription")

    def __init__(
        self, service: Service, handle: int, subscription: Subscription
    ) -> None:
        self._service = service
        self._handle = handle
        self._subscription = subscription
        self._ended = False

    @classmethod
    def listen(
        cls, *, timeout: float | None = DEFAULT, service: Service | None = None
    ) -> NetworkEvents:
        """
        Register for the notifications of the service.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Source:
            ``HcnRegisterServiceCallback``.
        """
        where = service or connected()
        call = where.submit(_REGISTER)
        subscription = where.listen(_REGISTER, call.handle)
        try:
            drive(answer(call, _REGISTER, "", seconds(timeout, "SYSCALLWATCHER")))
        except BaseException:
            subscription.close()
            where.send(_UNREGISTER, call.handle)
            raise
        return cls(where, call.handle, subscription)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> NetworkEvent:
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def next(self, *, timeout: float | None = None) -> NetworkEvent | None:
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
        self._ended = event is None or event.last
        return event

    def close(self) -> None:
        """Stop listening. Idempotent; wakes whoever waits for an event."""
        self._close()

    def _close(self) -> bool:
        handle, self._handle = self._handle, 0
        self._ended = True
        if handle:
            self._subscription.close()
            self._service.send(_UNREGISTER, handle)
        return bool(handle)

    def __del__(self) -> None:
        if getattr(self, "_handle", 0):  # the constructor may have failed
            self._close()
            warn("unclosed network events", ResourceWarning, stacklevel=2, source=self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
