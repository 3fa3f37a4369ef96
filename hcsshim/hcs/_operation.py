# Made by async_to_sync.py of hcsshim/hcs/_async_operation.py; do not edit.
"""Calls that are begun and not waited for; the blocking face."""

from __future__ import annotations

from hcsshim.errors import HcsTimeoutError, check
from hcsshim.hcs import _system_steps as steps
from hcsshim.hcs._calls import optional_json
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    import datetime as dt

    from hcsshim._native import port
    from hcsshim.documents import OperationInfo
    from hcsshim.hcs._calls import DocumentLike
    from hcsshim.hcs._handles import SystemHandle


class Operation:
    """
    A call to a system that goes on by itself: begun, looked at, cancelled, waited for.

    Made by ``ComputeSystem.begin``. One that is not waited for may be dropped; the
    service finishes its work all the same.
    """

    __slots__ = ("_call", "_ended", "_operation", "_started", "_system_id")

    def __init__(self, call: port.Operation, operation: str, system_id: str) -> None:
        self._call = call
        self._operation = operation
        self._system_id = system_id
        self._started = _now()
        self._ended: tuple[dt.datetime, int] | None = None

    @property
    def name(self) -> str:
        """The native call: ``"HcsPauseComputeSystem"``."""
        return self._operation

    @property
    def system_id(self) -> str:
        """The id of the system that it is about."""
        return self._system_id

    @property
    def done(self) -> bool:
        """Whether it has come to an end, well or not."""
        return self._look() is not None

    def _look(self) -> port.Completion | None:
        try:
            completion = self._call.result(0)
        except HcsTimeoutError:
            return None
        if self._ended is None:
            self._ended = (_now(), completion.hresult)
        return completion

    def result(self, *, timeout: float | None = None) -> str | None:
        """
        Wait for the end; any number may, and as often as they like.

        Args:
            timeout: Seconds, ``None`` forever, 0 only looks.

        Returns:
            The result document, if there is one.

        Raises:
            HcsTimeoutError: It has not come in time; the operation goes on.
            OperationCancelledError: It was cancelled.
            HcsError: It failed.

        Source:
            ``HcsWaitForOperationResult``.
        """
        limit = seconds(timeout, "")
        completion = drive(steps.finish(self._call, self._operation, limit))
        self._look()
        check(completion.hresult, self._operation, self._system_id, completion.document)
        return completion.document

    def cancel(self) -> bool:
        """
        Ask the service to give the operation up; its end still comes.

        Windows carries out what it has begun. The embedded host stops what waits.

        Returns:
            Whether it was still under way.

        Source:
            ``HcsCancelOperation``.
        """
        return self._look() is None and self._call.cancel()

    @property
    def info(self) -> OperationInfo:
        """
        How far it has come, as HCS writes it down.

        Source:
            ``OperationInfo`` of the HCS schema, 2.6.
        """
        from hcsshim.documents import (  # noqa: PLC0415 - seldom
            OperationFailureInfo,
            OperationInfo,
        )

        self._look()
        ended, hresult = self._ended or (None, 0)
        failed = hresult & 0x80000000
        return OperationInfo(
            operation=steps.OPERATION_TYPES.get(self._operation),
            start_timestamp=self._started,
            end_timestamp=ended,
            failure_info=(
                OperationFailureInfo(result=hresult - (1 << 32)) if failed else None
            ),
        )

    def __del__(self) -> None:
        call = getattr(self, "_call", None)  # the constructor may have failed
        if call is not None:
            call.abandon()

    def __repr__(self) -> str:
        state = "done" if self.done else "under way"
        return f"<Operation {self._operation} {self._system_id!r} {state}>"


def _now() -> dt.datetime:
    import datetime as dt  # noqa: PLC0415 - seldom

    return dt.datetime.now(dt.timezone.utc)


def begin(system: SystemHandle, verb: str, document: DocumentLike | None) -> Operation:
    """
    Submit a call without waiting for it.

    Raises:
        ValueError: There is no such verb.
    """
    operation = steps.VERBS.get(verb.lower())
    if operation is None:
        known = ", ".join(steps.VERBS)
        raise ValueError(f"{verb!r} is no verb of a system; there are {known}")
    call = system.service.submit(
        operation, system.use(operation), optional_json(document)
    )
    return Operation(call, operation, system.system_id)
