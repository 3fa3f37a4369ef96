"""
The exceptions, and the one place where an HRESULT becomes one.

::

    HcsError (OSError)
    ├── AccessDeniedError (PermissionError)
    ├── AlreadyExistsError (FileExistsError)
    ├── AlreadyStoppedError
    │   └── ProcessGoneError
    ├── BusyError
    ├── ConnectionFailedError (ConnectionError)
    ├── ConnectionClosedError (ConnectionError)
    ├── HandleClosedError (ValueError)
    ├── HcsTimeoutError (TimeoutError)
    ├── InUseError
    ├── InvalidDataError (ValueError)
    ├── InvalidStateError
    ├── NotFoundError (FileNotFoundError)
    │   └── ProcessGoneError
    ├── NotSupportedError (NotImplementedError)
    ├── OperationCancelledError
    ├── OutOfMemoryError (MemoryError)
    ├── OutOfSpaceError
    ├── ProcessFailedError
    ├── ProtocolError
    ├── ServiceDisconnectedError (ConnectionError)
    ├── TerminatedError
    └── UnexpectedExitError

A class exists where a caller would act on it; for the rest ``hresult`` is enough.
Both forms of an HCS code, ``0x8037xxxx`` and ``0xC037xxxx``, give the same class.
Wrong arguments are ``TypeError`` or ``ValueError``, as everywhere.
"""

from __future__ import annotations

import errno

from hcsshim.hresult import HResult, failed, message_of, normalise, win32_code

TYPE_CHECKING = False  # typing itself takes longer to import than all of this
if TYPE_CHECKING:
    from typing import ClassVar

    from hcsshim.documents import ErrorEvent, ResultError

__all__ = [
    "AccessDeniedError",
    "AlreadyExistsError",
    "AlreadyStoppedError",
    "BusyError",
    "ConnectionClosedError",
    "ConnectionFailedError",
    "HandleClosedError",
    "HcsError",
    "HcsTimeoutError",
    "InUseError",
    "InvalidDataError",
    "InvalidStateError",
    "NotFoundError",
    "NotSupportedError",
    "OperationCancelledError",
    "OutOfMemoryError",
    "OutOfSpaceError",
    "ProcessFailedError",
    "ProcessGoneError",
    "ProtocolError",
    "ServiceDisconnectedError",
    "TerminatedError",
    "UnexpectedExitError",
    "check",
    "error_of",
]


class HcsError(OSError):
    """
    A call to the Host Compute Service, or a neighbour of it, failed.

    Args:
        hresult: The code as returned, signed or unsigned; by default the one that
            the class stands for.
        operation: What failed: ``"HcsStartComputeSystem"``.
        system_id: Of the compute system concerned, or ``""``.
        process_id: Of the process concerned, or ``None``.
        document: The result document that came with the code, or ``None``.
        message: Replaces the text that document and code would give.

    Attributes:
        hresult: Unsigned 32 bits, as returned.
        operation: As given.
        system_id: As given.
        process_id: As given.
        document: As given.
        errno: What Python programmers compare; ``EIO`` where nothing fits.
    """

    #: The code of an error that is made without one.
    default_hresult: ClassVar[int] = HResult.E_FAIL
    default_errno: ClassVar[int] = errno.EIO
    _by_code: ClassVar[dict[int, type[HcsError]]] = {}

    def __init_subclass__(
        cls, *, codes: tuple[int, ...] = (), number: int | None = None
    ) -> None:
        super().__init_subclass__()
        for code in codes:
            HcsError._by_code[code] = cls
        if codes:
            cls.default_hresult = codes[0]
        if number is not None:
            cls.default_errno = number

    def __init__(  # noqa: PLR0913 - each is part of what is reported
        self,
        hresult: int | None = None,
        operation: str = "",
        *,
        system_id: str = "",
        process_id: int | None = None,
        document: str | None = None,
        message: str | None = None,
    ) -> None:
        code = self.default_hresult if hresult is None else hresult
        self.hresult = code & 0xFFFFFFFF
        self.operation = operation
        self.system_id = system_id
        self.process_id = process_id
        self.document = document
        self._message = message
        self._result: ResultError | None = None
        super().__init__(self.default_errno, message)

    @property
    def code(self) -> int:
        """The HRESULT to compare with ``HResult``: ``0xC037`` became ``0x8037``."""
        return normalise(self.hresult)

    @property
    def win32_code(self) -> int | None:
        """The Win32 code inside the HRESULT, or ``None`` if it wraps none."""
        return win32_code(self.hresult)

    @property
    def result(self) -> ResultError | None:
        """The result document as a model; ``None`` if no readable one came."""
        if self._result is None and self.document:
            from hcsshim.documents import parse_result  # noqa: PLC0415 - only failures

            self._result = parse_result(self.document)
        return self._result

    @property
    def events(self) -> tuple[ErrorEvent, ...]:
        """The events that explain the failure, most general first."""
        return () if self.result is None else self.result.error_events

    @property
    def message(self) -> str:
        """
        One sentence that says what went wrong.

        That of the last event with a message or of a network's error record, else the
        machine's text for the code, else ours; and whom HCS blames when neither of the
        first two was there.
        """
        if self._message is not None:
            return self._message
        result = self.result
        if result is not None:
            said = [event.message for event in reversed(result.error_events)]
            for text in (*said, result.error_message):
                if text and not text.isspace():
                    return " ".join(text.split())
        if self.document and '"ErrorCode"' in self.document:
            from hcsshim.documents.hcn import parse_error  # noqa: PLC0415 - as above

            record = parse_error(self.document)
            if record is not None and record.summary:
                return str(record.extra.get("Detail") or record.summary)
        text = message_of(self.hresult) or "The Host Compute Service reports an error."
        blamed = [record.detail for record in result.attribution] if result else []
        names = ", ".join(name for name in blamed if name)
        return f"{text} In: {names}." if names else text

    @property
    def hint(self) -> str:
        """What usually helps, in a sentence or two; ``""`` where nothing is known."""
        from hcsshim.hints import hint_of  # noqa: PLC0415 - only failures

        # What our own checks found needs no advice about the service.
        return hint_of(self.hresult) if self.operation else ""

    def __str__(self) -> str:
        subject = self.operation
        if self.process_id is not None:
            subject = f"{subject} process {self.process_id}"
        if self.system_id:
            subject = f"{subject} {self.system_id!r}"
        context = ", ".join(filter(None, (subject.strip(), f"0x{self.hresult:08X}")))
        return f"{self.message} ({context})"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def __reduce__(self) -> tuple[object, ...]:
        state = {name: value for name, value in vars(self).items() if name != "_result"}
        return _restore, (type(self),), state

    def __setstate__(self, state: dict[str, object] | None) -> None:
        self.__dict__.update(state or {})


def _restore(cls: type[HcsError]) -> HcsError:
    return cls()


class AccessDeniedError(
    HcsError,
    PermissionError,
    codes=(
        HResult.HCS_E_ACCESS_DENIED,
        HResult.ERROR_ACCESS_DENIED,
        HResult.ERROR_ELEVATION_REQUIRED,
        HResult.ERROR_NOT_ALL_ASSIGNED,
        HResult.ERROR_PRIVILEGE_NOT_HELD,
        HResult.ERROR_LOGON_FAILURE,
        HResult.ERROR_LOGON_TYPE_NOT_GRANTED,
        HResult.ERROR_VHD_PARENT_VHD_ACCESS_DENIED,
        HResult.ERROR_VID_VTL_ACCESS_DENIED,
        0xD0000022,  # STATUS_ACCESS_DENIED of another part, as an HRESULT
    ),
    number=errno.EACCES,
):
    """The caller may not do this, or the system may not reach a file it needs."""


class AlreadyExistsError(
    HcsError,
    FileExistsError,
    codes=(
        HResult.HCS_E_SYSTEM_ALREADY_EXISTS,
        HResult.ERROR_FILE_EXISTS,
        HResult.ERROR_ALREADY_EXISTS,
        HResult.ERROR_OBJECT_ALREADY_EXISTS,
        HResult.HCN_E_NETWORK_ALREADY_EXISTS,
        HResult.HCN_E_LAYER_ALREADY_EXISTS,
        HResult.HCN_E_POLICY_ALREADY_EXISTS,
        HResult.HCN_E_PORT_ALREADY_EXISTS,
        HResult.HCN_E_ENDPOINT_ALREADY_ATTACHED,
        HResult.GCN_E_DEFAULTNAMESPACE_EXISTS,
        HResult.HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS,
        HResult.HCN_INTERFACEPARAMETERS_ALREADY_APPLIED,
        HResult.ERROR_VID_PARTITION_ALREADY_EXISTS,
        HResult.ERROR_VID_MESSAGE_QUEUE_ALREADY_EXISTS,
        HResult.WHV_E_VP_ALREADY_EXISTS,
    ),
    number=errno.EEXIST,
):
    """The id or name is taken; for a system often the leak of an earlier failure."""


class AlreadyStoppedError(
    HcsError,
    codes=(
        HResult.HCS_E_SYSTEM_ALREADY_STOPPED,
        HResult.HCS_E_PROCESS_ALREADY_STOPPED,
    ),
    number=errno.ESRCH,
):
    """The system or process has ended: success for those who wanted that."""


class BusyError(
    HcsError,
    codes=(
        HResult.ERROR_BUSY,
        HResult.ERROR_NOT_READY,
        HResult.ERROR_PIPE_BUSY,
        HResult.ERROR_DEVICE_NOT_CONNECTED,
        HResult.HCS_E_OPERATION_PENDING,
    ),
    number=errno.EBUSY,
):
    """Not now; the same call may succeed a moment later."""


class ConnectionFailedError(
    HcsError,
    ConnectionError,
    codes=(
        HResult.HCS_E_CONNECT_FAILED,
        HResult.WSAECONNREFUSED,
        HResult.WSAENETUNREACH,
    ),
    number=errno.ECONNREFUSED,
):
    """No connection to the guest or the service could be made."""


class ConnectionClosedError(
    HcsError,
    ConnectionError,
    codes=(
        HResult.HCS_E_CONNECTION_CLOSED,
        HResult.ERROR_BROKEN_PIPE,
        HResult.ERROR_NO_DATA,
        HResult.ERROR_PIPE_NOT_CONNECTED,
        HResult.WSAECONNABORTED,
        HResult.WSAECONNRESET,
    ),
    number=errno.ECONNRESET,
):
    """The connection to the guest, or the pipe, ended."""


class HandleClosedError(
    HcsError,
    ValueError,
    codes=(HResult.ERROR_INVALID_HANDLE, HResult.RPC_X_NULL_CONTEXT),
    number=errno.EBADF,
):
    """The object was closed, here or by another thread."""


class HcsTimeoutError(
    HcsError,
    TimeoutError,
    codes=(
        HResult.HCS_E_OPERATION_TIMEOUT,
        HResult.HCS_E_CONNECTION_TIMEOUT,
        HResult.ERROR_SEM_TIMEOUT,
        HResult.WAIT_TIMEOUT,
        HResult.ERROR_TIMEOUT,
        HResult.WSAETIMEDOUT,
        HResult.GCN_E_NETADAPTER_TIMEOUT,
    ),
    number=errno.ETIMEDOUT,
):
    """
    It took longer than the caller or HCS would wait.

    Attributes:
        stdout: What the process had written so far, where that was captured.
        stderr: As ``stdout``.
    """

    stdout: bytes | None = None
    stderr: bytes | None = None


class InUseError(
    HcsError,
    codes=(
        HResult.ERROR_SHARING_VIOLATION,
        HResult.ERROR_DIR_NOT_EMPTY,
        HResult.HCN_E_ENTITY_HAS_REFERENCES,
        HResult.ERROR_VIRTDISK_DISK_ALREADY_OWNED,
        HResult.ERROR_VIRTDISK_DISK_ONLINE_AND_WRITABLE,
    ),
    number=errno.EBUSY,
):
    """Something still uses it."""


class InvalidDataError(
    HcsError,
    ValueError,
    codes=(
        HResult.HCS_E_INVALID_JSON,
        HResult.HCS_E_INVALID_LAYER,
        HResult.ERROR_INVALID_DATA,
        HResult.ERROR_INVALID_PARAMETER,
        HResult.ERROR_INVALID_NAME,
        HResult.ERROR_FILENAME_EXCED_RANGE,
        HResult.ERROR_NOT_A_REPARSE_POINT,
        HResult.E_POINTER,
        HResult.HCN_E_INVALID_NETWORK,
        HResult.HCN_E_INVALID_NETWORK_TYPE,
        HResult.HCN_E_INVALID_ENDPOINT,
        HResult.HCN_E_INVALID_POLICY,
        HResult.HCN_E_INVALID_POLICY_TYPE,
        HResult.HCN_E_GUID_CONVERSION_FAILURE,
        HResult.HCN_E_INVALID_JSON,
        HResult.HCN_E_INVALID_JSON_REFERENCE,
        HResult.HCN_E_INVALID_IP,
        HResult.HCN_E_INVALID_INTERNAL_PORT,
        HResult.HCN_E_ADDR_INVALID_OR_RESERVED,
        HResult.HCN_E_INVALID_PREFIX,
        HResult.HCN_E_INVALID_SUBNET,
        HResult.HCN_E_INVALID_IP_SUBNET,
        HResult.ERROR_VHD_DRIVE_FOOTER_MISSING,
        HResult.ERROR_VHD_DRIVE_FOOTER_CHECKSUM_MISMATCH,
        HResult.ERROR_VHD_DRIVE_FOOTER_CORRUPT,
        HResult.ERROR_VHD_FORMAT_UNKNOWN,
        HResult.ERROR_VHD_SPARSE_HEADER_CHECKSUM_MISMATCH,
        HResult.ERROR_VHD_SPARSE_HEADER_CORRUPT,
        HResult.ERROR_VHD_BLOCK_ALLOCATION_TABLE_CORRUPT,
        HResult.ERROR_VHD_INVALID_BLOCK_SIZE,
        HResult.ERROR_VHD_BITMAP_MISMATCH,
        HResult.ERROR_VHD_CHILD_PARENT_ID_MISMATCH,
        HResult.ERROR_VHD_CHILD_PARENT_TIMESTAMP_MISMATCH,
        HResult.ERROR_VHD_INVALID_SIZE,
        HResult.ERROR_VHD_INVALID_FILE_SIZE,
        HResult.ERROR_VIRTDISK_NOT_VIRTUAL_DISK,
        HResult.ERROR_VHD_CHILD_PARENT_SIZE_MISMATCH,
        HResult.ERROR_VHD_DIFFERENCING_CHAIN_CYCLE_DETECTED,
        HResult.ERROR_VHD_DIFFERENCING_CHAIN_ERROR_IN_PARENT,
        HResult.ERROR_VHD_INVALID_TYPE,
        HResult.ERROR_VHD_RESIZE_WOULD_TRUNCATE_DATA,
        HResult.ERROR_VHD_COULD_NOT_COMPUTE_MINIMUM_VIRTUAL_SIZE,
        HResult.ERROR_VHD_INVALID_CHANGE_TRACKING_ID,
        HResult.ERROR_VHD_MISSING_CHANGE_TRACKING_INFORMATION,
        HResult.ERROR_VID_INVALID_NUMA_SETTINGS,
        HResult.ERROR_VID_INVALID_NUMA_NODE_INDEX,
        HResult.ERROR_VID_SAVED_STATE_CORRUPT,
        HResult.ERROR_VID_SAVED_STATE_UNRECOGNIZED_ITEM,
        HResult.ERROR_VID_SAVED_STATE_INCOMPATIBLE,
        HResult.ERROR_VSMB_SAVED_STATE_CORRUPT,
    ),
    number=errno.EINVAL,
):
    """The document or an argument is not what the service accepts."""


class InvalidStateError(
    HcsError,
    codes=(
        HResult.HCS_E_INVALID_STATE,
        HResult.HCS_E_OPERATION_NOT_STARTED,
        HResult.HCS_E_OPERATION_ALREADY_STARTED,
        HResult.HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET,
        HResult.HCS_E_PROCESS_INFO_NOT_AVAILABLE,
        HResult.ERROR_INVALID_STATE,
        HResult.ERROR_SHUTDOWN_IN_PROGRESS,
        HResult.HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION,
        HResult.HCN_E_DEGRADED_OPERATION,
        HResult.HCN_E_SHARED_SWITCH_MODIFICATION,
        HResult.HCN_E_ENDPOINT_SHARING_DISABLED,
        HResult.HCN_E_OBJECT_USED_AFTER_UNLOAD,
        HResult.HCN_E_ENDPOINT_NOT_ATTACHED,
        HResult.HCN_E_ENDPOINT_NOT_LOCAL,
        HResult.ERROR_VHD_INVALID_STATE,
        HResult.ERROR_VHD_ALREADY_AT_OR_BELOW_MINIMUM_VIRTUAL_SIZE,
        HResult.ERROR_VHD_CHANGE_TRACKING_DISABLED,
    ),
    number=errno.EBUSY,
):
    """The object's present state does not allow the call."""


class NotFoundError(
    HcsError,
    FileNotFoundError,
    codes=(
        HResult.HCS_E_SYSTEM_NOT_FOUND,
        HResult.ERROR_NOT_FOUND,
        HResult.ERROR_FILE_NOT_FOUND,
        HResult.ERROR_PATH_NOT_FOUND,
        HResult.HCN_E_NETWORK_NOT_FOUND,
        HResult.HCN_E_ENDPOINT_NOT_FOUND,
        HResult.HCN_E_LAYER_NOT_FOUND,
        HResult.HCN_E_SWITCH_NOT_FOUND,
        HResult.HCN_E_SUBNET_NOT_FOUND,
        HResult.HCN_E_ADAPTER_NOT_FOUND,
        HResult.HCN_E_PORT_NOT_FOUND,
        HResult.HCN_E_POLICY_NOT_FOUND,
        HResult.HCN_E_VFP_PORTSETTING_NOT_FOUND,
        HResult.HCN_E_SWITCH_EXTENSION_NOT_FOUND,
        HResult.GCN_E_MODULE_NOT_FOUND,
        HResult.GCN_E_NETADAPTER_NOT_FOUND,
        HResult.GCN_E_NETCOMPARTMENT_NOT_FOUND,
        HResult.GCN_E_NETINTERFACE_NOT_FOUND,
        HResult.ERROR_VHD_PARENT_VHD_NOT_FOUND,
        HResult.ERROR_VIRTDISK_PROVIDER_NOT_FOUND,
        HResult.ERROR_VID_HANDLER_NOT_PRESENT,
        HResult.ERROR_VID_PARTITION_DOES_NOT_EXIST,
        HResult.ERROR_VID_PARTITION_NAME_NOT_FOUND,
        HResult.ERROR_VNET_VIRTUAL_SWITCH_NAME_NOT_FOUND,
        HResult.WHV_E_GPA_RANGE_NOT_FOUND,
        HResult.WHV_E_VP_DOES_NOT_EXIST,
        HResult.ERROR_VSMB_SAVED_STATE_FILE_NOT_FOUND,
        0x800708AD,  # NERR_UserNotFound
    ),
    number=errno.ENOENT,
):
    """The system, process, executable, layer or network object does not exist."""


class ProcessGoneError(NotFoundError, AlreadyStoppedError, number=errno.ESRCH):
    """
    A process that has exited or never was: HCS uses one code for both.

    It is 1168 (``ERROR_NOT_FOUND``) in a call about a process.
    """

    default_hresult = HResult.ERROR_NOT_FOUND


class NotSupportedError(
    HcsError,
    NotImplementedError,
    codes=(
        HResult.ERROR_NOT_SUPPORTED,
        HResult.E_NOTIMPL,
        HResult.HCS_E_IMAGE_MISMATCH,
        HResult.HCS_E_HYPERV_NOT_INSTALLED,
        HResult.HCS_E_UNKNOWN_MESSAGE,
        HResult.HCS_E_UNSUPPORTED_PROTOCOL_VERSION,
        HResult.HCS_E_WINDOWS_INSIDER_REQUIRED,
        HResult.HCS_E_SERVICE_NOT_AVAILABLE,
        HResult.HCS_E_SYSTEM_NOT_CONFIGURED_FOR_OPERATION,
        HResult.ERROR_MOD_NOT_FOUND,
        HResult.ERROR_PROC_NOT_FOUND,
        HResult.WSAEAFNOSUPPORT,
        HResult.HV_STATUS_NO_HYPERVISOR,
        HResult.HCN_E_REQUEST_UNSUPPORTED,
        HResult.HCN_E_MAPPING_NOT_SUPPORTED,
        HResult.GCN_E_NO_REQUEST_HANDLERS,
        HResult.GCN_E_REQUEST_UNSUPPORTED,
        HResult.HCN_E_ICS_DISABLED,
        HResult.HCN_E_VFP_NOT_ALLOWED,
        HResult.ERROR_VHD_FORMAT_UNSUPPORTED_VERSION,
        HResult.ERROR_VHD_SPARSE_HEADER_UNSUPPORTED_VERSION,
        HResult.ERROR_VIRTUAL_DISK_LIMITATION,
        HResult.ERROR_VIRTDISK_UNSUPPORTED_DISK_SECTOR_SIZE,
        HResult.WHV_E_UNSUPPORTED_HYPERVISOR_CONFIG,
    ),
    number=errno.EOPNOTSUPP,
):
    """It is beyond this machine, build, guest or provider, now and later."""


class OperationCancelledError(
    HcsError,
    codes=(
        HResult.HCS_E_OPERATION_ALREADY_CANCELLED,
        HResult.E_ABORT,
        HResult.ERROR_OPERATION_ABORTED,
        HResult.ERROR_CANCELLED,
    ),
    number=errno.ECANCELED,
):
    """The operation was cancelled before it was done."""


class OutOfMemoryError(
    HcsError,
    MemoryError,
    codes=(
        HResult.ERROR_OUTOFMEMORY,
        HResult.HCS_E_OPERATION_RESULT_ALLOCATION_FAILED,
        HResult.ERROR_NO_SYSTEM_RESOURCES,
    ),
    number=errno.ENOMEM,
):
    """The machine has not enough memory or other resources for this."""


class OutOfSpaceError(
    HcsError,
    codes=(
        HResult.ERROR_DISK_FULL,
        HResult.ERROR_FILE_TOO_LARGE,
        HResult.ERROR_VHD_BLOCK_ALLOCATION_FAILURE,
        HResult.ERROR_VHD_METADATA_FULL,
    ),
    number=errno.ENOSPC,
):
    """A disk, of the machine or a virtual one, is full."""


class ProcessFailedError(HcsError, codes=(HResult.ERROR_PROCESS_ABORTED,)):
    """
    A process that was run with ``check=True`` exited with another code than 0.

    Attributes:
        command: The command, as text.
        returncode: The exit code.
        stdout: What it wrote, if that was captured.
        stderr: As ``stdout``.
    """

    command: str = ""
    returncode: int = -1
    stdout: bytes | None = None
    stderr: bytes | None = None


class ProtocolError(
    HcsError,
    codes=(HResult.HCS_E_PROTOCOL_ERROR, HResult.E_UNEXPECTED),
    number=errno.EPROTO,
):
    """An answer is not what the interface promises."""


class ServiceDisconnectedError(
    HcsError,
    ConnectionError,
    codes=(
        HResult.HCS_E_SERVICE_DISCONNECT,
        HResult.ERROR_SERVICE_NOT_ACTIVE,
        HResult.RPC_S_SERVER_UNAVAILABLE,
        HResult.RPC_S_CALL_FAILED,
        HResult.HCN_E_MANAGER_STOPPED,
    ),
    number=errno.EPIPE,
):
    """The service went away; its handles are dead, open the systems again by id."""


class TerminatedError(
    HcsError, codes=(HResult.HCS_E_TERMINATED,), number=errno.ECANCELED
):
    """The system was forced to exit while the call was under way."""


class UnexpectedExitError(
    HcsError,
    codes=(
        HResult.HCS_E_UNEXPECTED_EXIT,
        HResult.HCS_E_TERMINATED_DURING_START,
        HResult.HCS_E_GUEST_CRITICAL_ERROR,
    ),
    number=errno.EPIPE,
):
    """The system exited, or crashed, although nobody asked for that."""


def error_of(
    hresult: int,
    operation: str,
    system_id: str = "",
    document: str | None = None,
    *,
    process_id: int | None = None,
) -> HcsError:
    """
    Make the exception for a code, without raising it.

    Args:
        hresult: A failure, signed or unsigned.
        operation: The native call: ``"HcsStartComputeSystem"``. In a call about a
            process 1168 becomes :class:`ProcessGoneError`.
        system_id: Of the compute system concerned.
        document: The result document that came with the code.
        process_id: Of the process concerned.
    """
    code = normalise(hresult)
    cls = HcsError._by_code.get(code, HcsError)  # noqa: SLF001 - our own table
    if code == HResult.ERROR_NOT_FOUND and "Process" in operation:
        cls = ProcessGoneError
    return cls(
        hresult,
        operation,
        system_id=system_id,
        process_id=process_id,
        document=document,
    )


def check(
    hresult: int,
    operation: str,
    system_id: str = "",
    document: str | None = None,
    *,
    process_id: int | None = None,
) -> int:
    """
    Raise if a code is a failure; the one place that does.

    Args:
        hresult: Signed or unsigned. ``0xC0370103`` (the operation goes on) is none.
        operation: The native call: ``"HcsStartComputeSystem"``.
        system_id: Of the compute system concerned.
        document: The result document that came with the code.
        process_id: Of the process concerned.

    Returns:
        ``hresult``, as it was given.

    Raises:
        HcsError: The subclass that the code stands for.
    """
    if not failed(hresult):
        return hresult
    if hresult & 0xFFFFFFFF == HResult.ERROR_VMCOMPUTE_OPERATION_PENDING:
        return hresult
    raise error_of(hresult, operation, system_id, document, process_id=process_id)
