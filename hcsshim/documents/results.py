"""
What HCS answers besides data: results of failed calls, and how things ended.

Everything here is read leniently: a field that is missing means the same as one that is
empty, codes come signed or unsigned, and unknown members are kept.
"""

from __future__ import annotations

import attrs

from hcsshim.documents._converter import parse_json, salvage
from hcsshim.documents._document import Document, DocumentError, WireEnum, wire
from hcsshim.documents._rules import NO_GUID, code, guid, uint16, uint32, uint64


class EventDataType(WireEnum):
    """How the value of an event's element is to be read."""

    EMPTY = "Empty"
    STRING = "String"
    ANSI_STRING = "AnsiString"
    SBYTE = "SByte"
    BYTE = "Byte"
    INT16 = "Int16"
    UINT16 = "UInt16"
    INT32 = "Int32"
    UINT32 = "UInt32"
    INT64 = "Int64"
    UINT64 = "UInt64"
    SINGLE = "Single"
    DOUBLE = "Double"
    BOOLEAN = "Boolean"
    BINARY = "Binary"
    GUID = "Guid"


class NotificationType(WireEnum):
    """How a compute system came to its end."""

    NONE = "None"
    GRACEFUL_EXIT = "GracefulExit"
    FORCED_EXIT = "ForcedExit"
    UNEXPECTED_EXIT = "UnexpectedExit"
    UNKNOWN = "Unknown"


class ExitInitiator(WireEnum):
    """Who ended a compute system or its worker process."""

    NONE = "None"
    GUEST_OS = "GuestOS"
    CLIENT = "Client"
    INTERNAL = "Internal"
    UNKNOWN = "Unknown"


@attrs.frozen(kw_only=True, repr=False)
class EventData(Document):
    """
    One element of an event's data. Unlike messages, these are not localised.

    Attributes:
        type: How ``value`` is to be read; only ``STRING`` has been seen.
        value: Always text; ``%%`` and a decimal number stand for a message of Windows.

    Source:
        Schema type ``EventData``, since 2.1.
    """

    type: EventDataType | str | None = attrs.field(
        default=None, metadata=wire("Type", emit="nonnull")
    )
    value: str | None = attrs.field(
        default=None, metadata=wire("Value", emit="nonnull")
    )


@attrs.frozen(kw_only=True, repr=False)
class ErrorEvent(Document):
    """
    One event that led to a failure.

    Attributes:
        message: Complete text in the host's language; may hold line breaks.
        stack_trace: Never seen.
        provider: GUID of the source of events; all zeros mean none.
        event_id: Number of the event within its provider.
        flags: Flags of the event.
        source: Never seen.
        data: The event's own values, with codes that are not localised.

    Source:
        Schema type ``ErrorEvent``, since 2.1.
    """

    message: str | None = attrs.field(
        default=None, metadata=wire("Message", emit="nonnull")
    )
    stack_trace: str | None = attrs.field(
        default=None, metadata=wire("StackTrace", emit="nonnull")
    )
    provider: str | None = attrs.field(
        default=None, validator=guid, metadata=wire("Provider", emit="nonnull")
    )
    event_id: int | None = attrs.field(
        default=None, validator=uint16, metadata=wire("EventId", emit="nonnull")
    )
    flags: int | None = attrs.field(
        default=None, validator=uint32, metadata=wire("Flags", emit="nonnull")
    )
    source: str | None = attrs.field(
        default=None, metadata=wire("Source", emit="nonnull")
    )
    data: tuple[EventData, ...] = attrs.field(default=(), metadata=wire("Data"))

    @property
    def has_provider(self) -> bool:
        """
        Tell whether the event names where it comes from.

        Returns:
            False if the provider is missing or all zeros.
        """
        return bool(self.provider) and self.provider != NO_GUID


@attrs.frozen(kw_only=True, repr=False)
class WorkerExit(Document):
    """
    The worker process of a VM ended.

    Attributes:
        exit_code: Exit code of the worker process.
        type: What kind of end it was; see the schema's ``WorkerExitType``.
        detail: Informational and open: more values come with newer Windows.
        initiator: Who ended it.

    Source:
        Schema type ``WorkerExit``, since 2.4.
    """

    exit_code: int | None = attrs.field(
        default=None, validator=code, metadata=wire("ExitCode", emit="nonnull")
    )
    type: str | None = attrs.field(default=None, metadata=wire("Type", emit="nonnull"))
    detail: str | None = attrs.field(
        default=None, metadata=wire("Detail", emit="nonnull")
    )
    initiator: ExitInitiator | str | None = attrs.field(
        default=None, metadata=wire("Initiator", emit="nonnull")
    )


@attrs.frozen(kw_only=True, repr=False)
class GuestCrash(Document):
    """
    The guest crashed.

    Attributes:
        crash_parameters: For Windows the bug check code and its four values.

    Source:
        Schema type ``GuestCrash``, since 2.4.
    """

    crash_parameters: tuple[int, ...] = attrs.field(
        default=(), validator=uint64, metadata=wire("CrashParameters")
    )


@attrs.frozen(kw_only=True, repr=False)
class TripleFault(Document):
    """
    The guest's processor faulted three times in a row.

    Attributes:
        error_type: Code of the hypervisor.

    Source:
        Schema type ``TripleFault``, since 2.4.
    """

    error_type: int | None = attrs.field(
        default=None, validator=uint64, metadata=wire("ErrorType", emit="nonnull")
    )


@attrs.frozen(kw_only=True, repr=False)
class InjectNonMaskableInterrupt(Document):
    """
    The guest got a non-maskable interrupt. The record is empty.

    Source:
        Schema type ``InjectNonMaskableInterrupt``, since 2.4.
    """


@attrs.frozen(kw_only=True, repr=False)
class OperationFailure(Document):
    """
    An operation of the service failed.

    Attributes:
        detail: The operation; ``Construct`` is ``HcsCreateComputeSystem``.

    Source:
        Schema type ``OperationFailure``, since 2.4.
    """

    detail: str | None = attrs.field(
        default=None, metadata=wire("Detail", emit="nonnull")
    )


@attrs.frozen(kw_only=True, repr=False)
class SystemExit(Document):  # noqa: A001  # the schema's own name
    """
    A compute system ended.

    Attributes:
        detail: Why, for example ``Terminate`` or ``UnexpectedExit``.
        initiator: Who ended it.

    Source:
        Schema type ``SystemExit``, since 2.4.
    """

    detail: str | None = attrs.field(
        default=None, metadata=wire("Detail", emit="nonnull")
    )
    initiator: ExitInitiator | str | None = attrs.field(
        default=None, metadata=wire("Initiator", emit="nonnull")
    )


@attrs.frozen(kw_only=True, repr=False)
class VirtualDeviceFailure(Document):
    """
    A virtual device failed.

    Attributes:
        detail: What the device was doing; an open list.
        name: Name of the device.
        device_id: GUID of the kind of device.
        instance_id: GUID of the device.

    Source:
        Schema type ``VirtualDeviceFailure``, since 2.4.
    """

    detail: str | None = attrs.field(
        default=None, metadata=wire("Detail", emit="nonnull")
    )
    name: str | None = attrs.field(default=None, metadata=wire("Name", emit="nonnull"))
    device_id: str | None = attrs.field(
        default=None, validator=guid, metadata=wire("DeviceId", emit="nonnull")
    )
    instance_id: str | None = attrs.field(
        default=None, validator=guid, metadata=wire("InstanceId", emit="nonnull")
    )


@attrs.frozen(kw_only=True, repr=False)
class AttributionRecord(Document):
    """
    One cause of a failure or exit; the member that is set says of which kind.

    Attributes:
        worker_exit: The VM's worker process ended.
        guest_crash: The guest crashed.
        triple_fault: The guest's processor gave up.
        inject_non_maskable_interrupt: The guest was interrupted on request.
        operation_failure: An operation failed.
        system_exit: The system ended.
        virtual_device_failure: A device failed.

    Source:
        Schema type ``AttributionRecord``, since 2.4.
    """

    worker_exit: WorkerExit | None = attrs.field(
        default=None, metadata=wire("WorkerExit")
    )
    guest_crash: GuestCrash | None = attrs.field(
        default=None, metadata=wire("GuestCrash")
    )
    triple_fault: TripleFault | None = attrs.field(
        default=None, metadata=wire("TripleFault")
    )
    inject_non_maskable_interrupt: InjectNonMaskableInterrupt | None = attrs.field(
        default=None, metadata=wire("InjectNonMaskableInterrupt")
    )
    operation_failure: OperationFailure | None = attrs.field(
        default=None, metadata=wire("OperationFailure")
    )
    system_exit: SystemExit | None = attrs.field(
        default=None, metadata=wire("SystemExit")
    )
    virtual_device_failure: VirtualDeviceFailure | None = attrs.field(
        default=None, metadata=wire("VirtualDeviceFailure")
    )

    @property
    def detail(self) -> str | None:
        """
        Say in one word what the record blames, where it does.

        Returns:
            The ``Detail`` of the kind that is set, or None.
        """
        kinds = (
            self.operation_failure,
            self.system_exit,
            self.worker_exit,
            self.virtual_device_failure,
        )
        return next((kind.detail for kind in kinds if kind and kind.detail), None)


@attrs.frozen(kw_only=True, repr=False)
class ResultError(Document):
    """
    The result document of a failed call, also inside failed property responses.

    Attributes:
        error: HRESULT as a signed number; it may be the NTSTATUS form (0xC037....)
            of what the call returned (0x8037....).
        error_message: Windows' text for the code, in the host's language; may be empty.
        error_events: What led to it, the most general first.
        attribution: Who is to blame.

    Source:
        Schema type ``ResultError``, since 2.1; events and attribution since 2.4.
    """

    error: int | None = attrs.field(
        default=None, validator=code, metadata=wire("Error", emit="nonnull")
    )
    error_message: str | None = attrs.field(
        default=None, metadata=wire("ErrorMessage", emit="nonnull")
    )
    error_events: tuple[ErrorEvent, ...] = attrs.field(
        default=(), metadata=wire("ErrorEvents")
    )
    attribution: tuple[AttributionRecord, ...] = attrs.field(
        default=(), metadata=wire("Attribution")
    )

    @property
    def hresult(self) -> int | None:
        """
        The code as an unsigned number, as in ``0x%08X``.

        Returns:
            The code, None if the document has none.
        """
        return None if self.error is None else self.error & 0xFFFFFFFF

    @property
    def summary(self) -> str:
        """
        The most useful sentence: last event with a message, message, or attribution.

        Returns:
            One line or more of text, empty if the document says nothing.
        """
        for event in reversed(self.error_events):
            if event.message and event.message.strip():
                return event.message.strip()
        if self.error_message and self.error_message.strip():
            return self.error_message.strip()
        return next((r.detail for r in self.attribution if r.detail), "")


@attrs.frozen(kw_only=True, repr=False)
class ProcessStatus(Document):
    """
    How a process ended.

    Attributes:
        process_id: Its number.
        exited: It has ended.
        exit_code: Its exit code, unsigned; may be missing when it is 0.
        last_wait_result: HRESULT of waiting for it; the exit code counts only if 0.

    Source:
        Schema type ``ProcessStatus``, since 2.1.
    """

    process_id: int | None = attrs.field(
        default=None, validator=uint32, metadata=wire("ProcessId", emit="nonnull")
    )
    exited: bool | None = attrs.field(
        default=None, metadata=wire("Exited", emit="nonnull")
    )
    exit_code: int | None = attrs.field(
        default=None, validator=code, metadata=wire("ExitCode", emit="nonnull")
    )
    last_wait_result: int | None = attrs.field(
        default=None, validator=code, metadata=wire("LastWaitResult", emit="nonnull")
    )

    @property
    def returncode(self) -> int | None:
        """
        The exit code where it counts.

        Returns:
            An unsigned number, None if the process runs or its end was not seen.
        """
        if not self.exited or self.last_wait_result:
            return None
        return (self.exit_code or 0) & 0xFFFFFFFF


@attrs.frozen(kw_only=True, repr=False)
class SystemExitStatus(Document):
    """
    How a compute system ended; data of the system-exited event.

    Attributes:
        status: HRESULT as a signed number.
        exit_type: What kind of end it was.
        attribution: Who is to blame.

    Source:
        Schema type ``SystemExitStatus``, since 2.1; ``ExitType`` since 2.2.
    """

    status: int | None = attrs.field(
        default=None, validator=code, metadata=wire("Status", emit="always")
    )
    exit_type: NotificationType | str | None = attrs.field(
        default=None, metadata=wire("ExitType", emit="always")
    )
    attribution: tuple[AttributionRecord, ...] = attrs.field(
        default=(), metadata=wire("Attribution")
    )


def parse_result(text: str | None) -> ResultError | None:
    """
    Read the result document of a call, and never fail.

    A member that makes no sense is moved to ``extra``; the rest is still read.

    Args:
        text: The document, empty or None if the call left none.

    Returns:
        The record, or None if the text is no JSON object.
    """
    if not text or not isinstance(text, str):
        return None
    try:
        raw = parse_json(text)
    except DocumentError:
        return None
    return salvage(ResultError, raw) if isinstance(raw, dict) else None
