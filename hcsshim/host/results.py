"""
Result documents, as HCS writes them, and the exception that carries one.

The texts are those of Windows 1803 and newer: clients show them, so an error on the
embedded host reads like the one it stands for. What only we can know, the path or
the reason of the machine, is the message of an event beside it.
"""

from __future__ import annotations

import errno
import os
from json.encoder import encode_basestring_ascii as quote

from hcsshim.hresult import HResult, message_of

#: Microsoft-Windows-Hyper-V-Compute.
COMPUTE_PROVIDER = "17103e3f-3c6e-4677-bb17-3b267eb5be57"
#: What HCS writes in an event that is not from a provider.
NO_PROVIDER = "00000000-0000-0000-0000-000000000000"

_INVALID_CONFIGURATION = 11000
_HYPERV_NOT_INSTALLED = 11008

_FEATURE_MISSING = (
    "The operation could not be started because a required feature is not installed."
)
_INVALID_DATA = "The data is invalid."

#: Windows' own text for the codes that this host answers with.
TEXTS: dict[int, str] = {
    HResult.HCS_E_HYPERV_NOT_INSTALLED: _FEATURE_MISSING,
    HResult.HCS_E_INVALID_STATE: "The requested virtual machine or container "
    "operation is not valid in the current state.",
    HResult.HCS_E_UNEXPECTED_EXIT: "The virtual machine or container exited "
    "unexpectedly.",
    HResult.HCS_E_TERMINATED: "The virtual machine or container was forcefully exited.",
    HResult.HCS_E_INVALID_JSON: "The virtual machine or container JSON document is "
    "invalid.",
    HResult.HCS_E_SYSTEM_NOT_FOUND: "A virtual machine or container with the "
    "specified identifier does not exist.",
    HResult.HCS_E_SYSTEM_ALREADY_EXISTS: "A virtual machine or container with the "
    "specified identifier already exists.",
    HResult.HCS_E_SYSTEM_ALREADY_STOPPED: "The virtual machine or container with the "
    "specified identifier is not running.",
    HResult.HCS_E_SERVICE_NOT_AVAILABLE: _FEATURE_MISSING,
    HResult.HCS_E_OPERATION_TIMEOUT: "The operation has timed out.",
    HResult.HCS_E_PROCESS_ALREADY_STOPPED: "The process has already exited.",
    HResult.HCS_E_SYSTEM_NOT_CONFIGURED_FOR_OPERATION: "The virtual machine or "
    "container is not configured to perform the operation.",
    HResult.HCS_E_OPERATION_ALREADY_CANCELLED: "The operation has already been "
    "cancelled.",
    HResult.E_NOTIMPL: "Not implemented",
    HResult.E_UNEXPECTED: "Catastrophic failure",
    HResult.ERROR_FILE_NOT_FOUND: "The system cannot find the file specified.",
    HResult.ERROR_PATH_NOT_FOUND: "The system cannot find the path specified.",
    HResult.ERROR_TOO_MANY_OPEN_FILES: "The system cannot open the file.",
    HResult.ERROR_ACCESS_DENIED: "Access is denied.",
    HResult.ERROR_INVALID_HANDLE: "The handle is invalid.",
    HResult.ERROR_INVALID_DATA: _INVALID_DATA,
    HResult.ERROR_OUTOFMEMORY: "Not enough memory resources are available to "
    "complete this operation.",
    HResult.ERROR_NOT_SUPPORTED: "The request is not supported.",
    HResult.ERROR_INVALID_PARAMETER: "The parameter is incorrect.",
    HResult.ERROR_BAD_EXE_FORMAT: "%1 is not a valid Win32 application.",
    HResult.ERROR_FILENAME_EXCED_RANGE: "The filename or extension is too long.",
    HResult.ERROR_DIRECTORY: "The directory name is invalid.",
    HResult.ERROR_SHUTDOWN_IN_PROGRESS: "A system shutdown is in progress.",
    HResult.ERROR_NOT_FOUND: "Element not found.",
    HResult.ERROR_LOGON_FAILURE: "The user name or password is incorrect.",
    HResult.ERROR_NO_SYSTEM_RESOURCES: "Insufficient system resources exist to "
    "complete the requested service.",
}

#: Which HRESULT a reason of the machine is, where a file is concerned.
_OF_ERRNO: dict[int, int] = {
    errno.ENOENT: HResult.ERROR_FILE_NOT_FOUND,
    errno.ENOTDIR: HResult.ERROR_PATH_NOT_FOUND,
    errno.ELOOP: HResult.ERROR_PATH_NOT_FOUND,
    errno.EACCES: HResult.ERROR_ACCESS_DENIED,
    errno.EPERM: HResult.ERROR_ACCESS_DENIED,
    errno.EISDIR: HResult.ERROR_ACCESS_DENIED,
    errno.ENOEXEC: HResult.ERROR_BAD_EXE_FORMAT,
    errno.E2BIG: HResult.ERROR_FILENAME_EXCED_RANGE,
    errno.ENAMETOOLONG: HResult.ERROR_FILENAME_EXCED_RANGE,
    errno.ENOMEM: HResult.ERROR_OUTOFMEMORY,
    errno.EMFILE: HResult.ERROR_TOO_MANY_OPEN_FILES,
    errno.ENFILE: HResult.ERROR_TOO_MANY_OPEN_FILES,
    errno.EAGAIN: HResult.ERROR_NO_SYSTEM_RESOURCES,
    errno.ENOSPC: HResult.ERROR_DISK_FULL,
    errno.ENOSYS: HResult.ERROR_NOT_SUPPORTED,
    errno.EOPNOTSUPP: HResult.ERROR_NOT_SUPPORTED,
    errno.ENOTSUP: HResult.ERROR_NOT_SUPPORTED,  # another number on Windows
}


class Refusal(Exception):  # noqa: N818 - an answer, not an error of the host
    """
    A call that is answered with a failure.

    Args:
        hresult: What the call returns.
        document: Its result document.
    """

    def __init__(self, hresult: int, document: str) -> None:
        super().__init__(f"0x{hresult:08X}")
        self.hresult = hresult
        self.document = document


def _signed(hresult: int) -> int:
    return hresult - 0x1_0000_0000 if hresult & 0x80000000 else hresult


def text_of(hresult: int) -> str:
    """Give Windows' text for a code, or ours where that is not known."""
    return TEXTS.get(hresult) or message_of(hresult)


def _document(error: int, text: str, events: str = "") -> str:
    members = f'"Error":{_signed(error)},"ErrorMessage":{quote(text)}'
    return f'{{{members},"ErrorEvents":[{events}]}}' if events else f"{{{members}}}"


def _event(message: str, number: int, data: tuple[str, ...]) -> str:
    values = ",".join(f'{{"Type":"String","Value":{quote(item)}}}' for item in data)
    return (
        f'{{"Message":{quote(message)},"Provider":"{COMPUTE_PROVIDER}",'
        f'"EventId":{number},"Data":[{values}]}}'
    )


def refuse(hresult: int, message: str = "") -> Refusal:
    """
    Make a failure.

    Args:
        hresult: Also of the document.
        message: What happened, in a sentence; ``""`` if the code says it all.
    """
    events = ""
    if message:
        events = f'{{"Message":{quote(message)},"Provider":"{NO_PROVIDER}"}}'
    return Refusal(hresult, _document(hresult, text_of(hresult), events))


def refuse_document(problem: str, path: str, *, readable: bool = True) -> Refusal:
    """
    Make the failure for a document that HCS does not accept, event 11000.

    Args:
        problem: ``"Unknown field"``.
        path: Where in the document: ``"Container.Memory"``, ``"$"`` for all of it.
        readable: False if it is no JSON at all.
    """
    code, text = 0xC037010D, TEXTS[HResult.HCS_E_INVALID_JSON]
    if not readable:
        code, text = HResult.ERROR_INVALID_DATA, _INVALID_DATA
    detail = f"{problem} '{path}'"
    event = _event(
        "The specified compute system configuration is invalid: "
        f"{text} (0x{code:08X}, '{detail}').",
        _INVALID_CONFIGURATION,
        (f"%%{code}", f"0x{code:08X}", detail),
    )
    return Refusal(HResult.HCS_E_INVALID_JSON, _document(code, text, event))


def refuse_virtual_machine(system_id: str) -> Refusal:
    """Make the failure for what only a hypervisor could run, event 11008."""
    code = HResult.HCS_E_HYPERV_NOT_INSTALLED
    event = _event(
        f"Virtual machine or Hyper-V container '{system_id}' cannot be created "
        "because Hyper-V is not installed.",
        _HYPERV_NOT_INSTALLED,
        (system_id, f"%%{code}", f"0x{code:08X}"),
    )
    return Refusal(code, _document(code, text_of(code), event))


def hresult_of_errno(number: int) -> int:
    """Find the HRESULT of a reason of the machine."""
    return _OF_ERRNO.get(number, HResult.E_FAIL)


def refuse_errno(number: int, message: str, hresult: int | None = None) -> Refusal:
    """
    Make a failure out of a reason of the machine.

    Args:
        number: The ``errno``.
        message: What failed; the machine's text for the reason is added.
        hresult: Where more is known than the reason.
    """
    code = hresult_of_errno(number) if hresult is None else hresult
    return refuse(code, f"{message}: {os.strerror(number)}.")


def system_exit_status(status: int, exit_type: str, detail: str, by: str) -> str:
    """
    Write how a system ended.

    Args:
        status: HRESULT.
        exit_type: ``GracefulExit``, ``ForcedExit``, ``UnexpectedExit``.
        detail: Of the attribution: ``Shutdown``, ``Terminate``, ``UnexpectedExit``.
        by: Who asked for it: ``Client``, ``Internal``, ``Unknown``.
    """
    return (
        f'{{"Status":{_signed(status)},"ExitType":"{exit_type}","Attribution":['
        f'{{"SystemExit":{{"Detail":"{detail}","Initiator":"{by}"}}}}]}}'
    )


def process_status(process_id: int, exit_code: int | None) -> str:
    """Write the status of a process, ``exit_code`` being ``None`` while it runs."""
    if exit_code is None:
        return f'{{"ProcessId":{process_id},"Exited":false}}'
    return (
        f'{{"ProcessId":{process_id},"Exited":true,"ExitCode":{exit_code},'
        '"LastWaitResult":0}'
    )
