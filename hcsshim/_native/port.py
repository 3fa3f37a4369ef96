"""
What the steps of :mod:`hcsshim.hcs` need of the native layer.

The classes that meet these protocols are in :mod:`hcsshim._native.service`;
tests of steps use a scripted port instead.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

#: A timeout argument of a native call that never elapses.
INFINITE = 0xFFFFFFFF

#: The access that is asked for when a handle is opened.
GENERIC_ALL = 0x10000000


class Completion(NamedTuple):
    """
    How a call ended.

    Attributes:
        hresult: Unsigned 32 bits; bit 31 set is failure.
        document: Result document, or the answer of a query.
        process_id: Of ``HcsCreateProcess`` and ``HcsGetProcessInfo``; else 0.
        files: Descriptors (on Windows handles) of a new process's stdin, stdout
            and stderr, now the receiver's; -1 where there is none.
    """

    hresult: int
    document: str | None = None
    process_id: int = 0
    files: tuple[int, int, int] = (-1, -1, -1)


class Event(NamedTuple):
    """
    A notification of a compute system or process.

    Attributes:
        type: ``HCS_EVENT_TYPE`` of the computecore generation.
        hresult: Status, unsigned 32 bits.
        document: EventData, or ``None``.
    """

    type: int
    hresult: int
    document: str | None


class Operation(Protocol):
    """
    A submitted call. The shim owns what the call uses until it is answered.

    Attributes:
        handle: The handle that the call creates, usable at once in further calls
            (the service handles calls in order); 0 if it creates none.
    """

    handle: int

    def result(self, timeout: float | None) -> Completion:
        """
        Wait for the answer; any number of threads may.

        Args:
            timeout: Seconds; ``None`` waits forever, 0 looks once.

        Raises:
            HcsTimeoutError: It has not come in time. The call goes on.
        """

    async def completed(self, timeout: float | None) -> Completion:
        """Await the answer in the running asyncio loop; as :meth:`result`."""

    def cancel(self) -> bool:
        """
        Ask for cancellation, and go on waiting for the answer.

        Returns:
            Whether the call was still unanswered.
        """

    def abandon(self) -> None:
        """
        Give up waiting: ask for cancellation and return at once.

        The late answer is drained by the shim, and descriptors that come with it
        are closed. A handle that the call creates is not closed by this.
        """


class Subscription(Protocol):
    """The events of one handle, from its beginning. Closing the handle ends it."""

    def next(self, timeout: float | None) -> Event | None:
        """
        Take the oldest event; ``None`` once the handle or service is gone.

        Raises:
            HcsTimeoutError: None came in ``timeout`` seconds.
        """

    async def anext(self, timeout: float | None) -> Event | None:
        """Await the oldest event; as :meth:`next`."""

    def close(self) -> None:
        """Stop listening. Idempotent; wakes whoever waits."""


class Service(Protocol):
    """A connection to the Host Compute Service, of Windows or embedded."""

    def submit(self, call: str, *arguments: str | int | None) -> Operation:
        """
        Begin a call.

        Args:
            call: Its name in ``calls.def``: ``"HcsStartComputeSystem"``.
            arguments: What its row lists as TEXT, U32, SYSTEM and PROCESS, in
                order; everything else is the shim's own business.

        Raises:
            HandleClosedError: A handle among the arguments is stale.
            ServiceDisconnectedError: The service went away.
        """

    def send(self, call: str, *arguments: str | int | None) -> None:
        """
        Begin a call whose answer nobody wants: the closing calls.

        Never fails: on a service that went away there is nothing left to close.
        """

    def subscribe(self, call: str, handle: int, options: int = 0) -> Subscription:
        """
        Listen to a handle's events.

        Args:
            call: ``"HcsSetComputeSystemCallback"`` or ``"HcsSetProcessCallback"``.
            handle: Of a system or process; it must not be listened to already.
            options: ``HCS_EVENT_OPTIONS``: which events beside the usual ones.
        """

    def listen(self, call: str, handle: int) -> Subscription:
        """
        Listen to a handle that was made for nothing else.

        Args:
            call: That made it: ``"HcnRegisterServiceCallback"``.
            handle: It must not be listened to already.
        """
