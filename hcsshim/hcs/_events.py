"""What a compute system notifies its listeners of."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from hcsshim._native import port
    from hcsshim.documents import (
        CrashReport,
        OperationInfo,
        OperationSystemMigrationNotificationInfo,
        ProcessStatus,
        SystemExitStatus,
    )

    EventData = (
        SystemExitStatus
        | CrashReport
        | ProcessStatus
        | OperationInfo
        | OperationSystemMigrationNotificationInfo
        | None
    )


class EventType(enum.IntEnum):
    """
    Kinds of notifications.

    Source:
        ``HCS_EVENT_TYPE`` of computecore.
    """

    INVALID = 0x00000000
    SYSTEM_EXITED = 0x00000001
    SYSTEM_CRASH_INITIATED = 0x00000002
    SYSTEM_CRASH_REPORT = 0x00000003
    SYSTEM_RDP_ENHANCED_MODE_STATE_CHANGED = 0x00000004
    SYSTEM_SILO_JOB_CREATED = 0x00000005
    SYSTEM_GUEST_CONNECTION_CLOSED = 0x00000006
    PROCESS_EXITED = 0x00010000
    OPERATION_CALLBACK = 0x01000000
    SERVICE_DISCONNECT = 0x02000000
    GROUP_VM_LIFECYCLE = 0x80000002
    GROUP_LIVE_MIGRATION = 0x80000003
    GROUP_OPERATION_INFO = 0xC0000001


class EventOptions(enum.IntFlag):
    """
    Which events a listener wants beside the usual ones.

    Source:
        ``HCS_EVENT_OPTIONS`` of computecore.
    """

    NONE = 0
    OPERATION_CALLBACKS = 1
    VM_LIFECYCLE = 2
    LIVE_MIGRATION = 4


@attrs.frozen(kw_only=True)
class SystemEvent:
    """
    One notification.

    Attributes:
        type: What happened; a bare number where newer Windows knows more kinds.
        hresult: Its status, unsigned.
        document: The data that came with it, as JSON text.

    Source:
        ``HCS_EVENT`` of computecore.
    """

    type: EventType | int
    hresult: int = 0
    document: str | None = None

    @property
    def data(self) -> EventData:
        """The data as a model, where the kind of event has one."""
        from hcsshim import documents  # noqa: PLC0415 - loads the models

        name = _MODELS.get(self.type)
        if not self.document or name is None:
            return None
        model: type[documents.Document] = getattr(documents, name)
        return documents.loads(model, self.document)  # type: ignore[return-value]  # the table's

    @property
    def last(self) -> bool:
        """Whether no event of the system can follow."""
        return self.type in (EventType.SYSTEM_EXITED, EventType.SERVICE_DISCONNECT)


#: The model of each kind of event that has data.
_MODELS: dict[int, str] = {
    EventType.SYSTEM_EXITED: "SystemExitStatus",
    EventType.SYSTEM_CRASH_INITIATED: "CrashReport",
    EventType.SYSTEM_CRASH_REPORT: "CrashReport",
    EventType.PROCESS_EXITED: "ProcessStatus",
    EventType.GROUP_LIVE_MIGRATION: "OperationSystemMigrationNotificationInfo",
    EventType.GROUP_OPERATION_INFO: "OperationInfo",
}


def event_of(raw: port.Event) -> SystemEvent:
    """Name the kind of a native event."""
    try:
        kind: EventType | int = EventType(raw.type)
    except ValueError:
        kind = raw.type
    return SystemEvent(type=kind, hresult=raw.hresult, document=raw.document)
