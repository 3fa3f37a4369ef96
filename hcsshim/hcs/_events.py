"""What a compute system notifies its listeners of."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from hcsshim._native import port
    from hcsshim.documents import CrashReport, ProcessStatus, SystemExitStatus


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
    def data(self) -> SystemExitStatus | CrashReport | ProcessStatus | None:
        """The data as a model, where the kind of event has one."""
        from hcsshim import documents  # noqa: PLC0415 - loads the models

        if not self.document:
            return None
        if self.type == EventType.SYSTEM_EXITED:
            return documents.loads(documents.SystemExitStatus, self.document)
        if self.type == EventType.PROCESS_EXITED:
            return documents.loads(documents.ProcessStatus, self.document)
        if self.type in (
            EventType.SYSTEM_CRASH_INITIATED,
            EventType.SYSTEM_CRASH_REPORT,
        ):
            return documents.loads(documents.CrashReport, self.document)
        return None

    @property
    def last(self) -> bool:
        """Whether no event of the system can follow."""
        return self.type in (EventType.SYSTEM_EXITED, EventType.SERVICE_DISCONNECT)


def event_of(raw: port.Event) -> SystemEvent:
    """Name the kind of a native event."""
    try:
        kind: EventType | int = EventType(raw.type)
    except ValueError:
        kind = raw.type
    return SystemEvent(type=kind, hresult=raw.hresult, document=raw.document)
