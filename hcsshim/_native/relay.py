"""The stdio relay: bytes that go from file to file without passing Python."""

from __future__ import annotations

import os
from _thread import allocate_lock
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from hcsshim._ffi import ffi, lib
from hcsshim._native.events import LONGEST_WAIT, milliseconds
from hcsshim.errors import HandleClosedError, HcsTimeoutError, check

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from hcsshim._ffi import CData

_E_HANDLE: int = lib.HCSSHIM_E_HANDLE
_INTERRUPTED: int = lib.HCSSHIM_E_INTERRUPTED
_WAIT_TIMEOUT: int = lib.HCSSHIM_E_WAIT_TIMEOUT


class Outcome(NamedTuple):
    """
    How a transfer ended.

    Attributes:
        hresult: 0 if the source ended and all of it was written; unsigned 32 bits.
            0x8007006D: nobody reads the target any more; 0x800703E3: cancelled.
        bytes: How many were moved.
    """

    hresult: int
    bytes: int


class Transfer:
    """
    Bytes on their way from one file to another.

    Close it when its outcome is known or does not matter; a transfer that still
    runs is cancelled by that.
    """

    __slots__ = ("_id", "_outcome", "_relay")

    def __init__(self, relay: Relay, transfer: int) -> None:
        self._relay = relay
        self._id = transfer
        self._outcome: Outcome | None = None

    def result(self, timeout: float | None = None) -> Outcome:
        """
        Block until it has ended.

        Args:
            timeout: Seconds; ``None`` waits forever, 0 looks once.

        Raises:
            HcsTimeoutError: It still runs.
            HandleClosedError: It was closed.
        """
        deadline = None if timeout is None else monotonic() + timeout
        out = ffi.new("hcsshim_outcome *")
        while self._outcome is None:
            left = LONGEST_WAIT
            if deadline is not None:
                left = min(max(deadline - monotonic(), 0.0), LONGEST_WAIT)
            code = lib.hcsshim_transfer_wait(
                self._relay.native, self._id, milliseconds(left), out
            )
            if code == 0:
                self._outcome = Outcome(out.hresult & 0xFFFFFFFF, out.bytes)
            elif code == _E_HANDLE:
                raise HandleClosedError(operation="relay")
            elif code not in {_WAIT_TIMEOUT, _INTERRUPTED}:
                check(code, "relay")
            elif deadline is not None and monotonic() >= deadline:
                raise HcsTimeoutError(operation="relay")
        return self._outcome

    def cancel(self) -> None:
        """Stop it where it is; what was moved stays moved."""
        lib.hcsshim_transfer_cancel(self._relay.native, self._id)

    def close(self) -> None:
        """Cancel it if it runs, and forget it. Idempotent."""
        lib.hcsshim_transfer_end(self._relay.native, self._id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Relay:
    """
    One native thread that moves the bytes of any number of transfers.

    Programs use the process's own, :func:`shared`.
    """

    __slots__ = ("_relay", "pid")

    def __init__(self) -> None:
        out = ffi.new("hcsshim_relay **")
        check(lib.hcsshim_relay_new(out), "relay")
        self._relay = ffi.gc(out[0], lib.hcsshim_relay_free)
        self.pid = os.getpid()

    @property
    def native(self) -> CData:
        """The ``hcsshim_relay *``."""
        return self._relay

    def copy(  # noqa: PLR0913 - what a transfer can be given
        self,
        source: int,
        target: int,
        *,
        own_source: bool = False,
        own_target: bool = False,
        log: int = -1,
        log_stream: int = 1,
    ) -> Transfer:
        """
        Move everything that comes from one file into another.

        Args:
            source: Descriptor of a pipe, terminal, socket, device or regular file.
            target: As ``source``.
            own_source: Hand it over: it is closed when the transfer ends.
            own_target: The same; whoever reads it then sees the end.
            log: A regular file, opened for appending, that keeps the lines that pass
                in the log format of the container runtime interface; -1 for none.
            log_stream: 1 if these are stdout, 2 if stderr.

        Returns:
            The transfer. It runs by itself; what is not handed over may be closed
            at once, and stays blocking for others who use it.

        Raises:
            HcsError: A descriptor is not open; nothing was handed over.
        """
        flags = lib.HCSSHIM_COPY_OWNS_SOURCE if own_source else 0
        flags |= lib.HCSSHIM_COPY_OWNS_TARGET if own_target else 0
        transfer = ffi.new("uint64_t *")
        code = lib.hcsshim_relay_copy_logged(
            self._relay, source, target, log, log_stream, flags, transfer
        )
        check(code, "relay")
        return Transfer(self, int(transfer[0]))

    def close(self) -> None:
        """Cancel every transfer and end the thread. No other thread may be in it."""
        ffi.release(self._relay)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_lock = allocate_lock()
_shared: Relay | None = None


def shared() -> Relay:
    """Give the process's relay, made on first use, and anew after a fork."""
    global _shared  # noqa: PLW0603 - one relay per process is the point
    with _lock:
        if _shared is None or _shared.pid != os.getpid():
            _shared = Relay()
        return _shared
