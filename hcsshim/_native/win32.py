"""
The functions of Windows that the library calls from Python, by their own names.

Typed by hand over ctypes, each in one place; failures are ``OSError`` with
``winerror``. Handles are plain numbers.

Source:
    The Windows SDK: ``handleapi.h``, ``namedpipeapi.h``, ``securitybaseapi.h``,
    ``synchapi.h``.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)

INFINITE = 0xFFFFFFFF
DUPLICATE_CLOSE_SOURCE = 1
DUPLICATE_SAME_ACCESS = 2

_EVENT_MODIFY_STATE = 2
_PROCESS_DUP_HANDLE = 0x40
_SYNCHRONIZE = 0x00100000
_PIPE_ACCESS_DUPLEX = 3
_FILE_FLAG_OVERLAPPED = 0x40000000
_FIRST_INSTANCE = 0x00080000
_REJECT_REMOTE_CLIENTS = 8
_UNLIMITED_INSTANCES = 255
_TOKEN_QUERY = 8
_TOKEN_USER = 1
_SDDL_REVISION = 1


def failure(path: str | None = None) -> OSError:
    """Make the exception of the call that has just failed."""
    code = ctypes.get_last_error()
    return OSError(None, ctypes.FormatError(code).strip(), path, code)


class SecurityAttributes(ctypes.Structure):
    """``SECURITY_ATTRIBUTES``."""

    _fields_ = (
        ("length", wintypes.DWORD),
        ("descriptor", ctypes.c_void_p),
        ("inherit", wintypes.BOOL),
    )


kernel32.CreateEventW.restype = ctypes.c_void_p
kernel32.OpenEventW.restype = ctypes.c_void_p
kernel32.OpenProcess.restype = ctypes.c_void_p
kernel32.CreateNamedPipeW.restype = ctypes.c_void_p
kernel32.GetCurrentProcess.restype = ctypes.c_void_p
_INVALID = ctypes.c_void_p(-1).value


def create_event(name: str | None = None) -> int:
    """Make an event that stays set until it is reset."""
    event = kernel32.CreateEventW(None, True, False, name)
    if not event:
        raise failure(name)
    return int(event)


def open_event(name: str) -> int:
    """
    Open an event that somebody made, to set it.

    Raises:
        OSError: There is none.
    """
    event = kernel32.OpenEventW(_EVENT_MODIFY_STATE | _SYNCHRONIZE, False, name)
    if not event:
        raise failure(name)
    return int(event)


def set_event(event: int) -> None:
    """Set an event."""
    kernel32.SetEvent(ctypes.c_void_p(event))


def reset_event(event: int) -> None:
    """Reset an event."""
    kernel32.ResetEvent(ctypes.c_void_p(event))


def is_set(handle: int) -> bool:
    """Tell whether an event is set, or a process has ended."""
    return bool(kernel32.WaitForSingleObject(ctypes.c_void_p(handle), 0) == 0)


def close_handle(handle: int) -> None:
    """Close a handle."""
    kernel32.CloseHandle(ctypes.c_void_p(handle))


def duplicate_handle(handle: int, *, inheritable: bool = False) -> int:
    """Make another handle of the same object."""
    own = ctypes.c_void_p()
    process = ctypes.c_void_p(kernel32.GetCurrentProcess())
    if not kernel32.DuplicateHandle(
        process,
        ctypes.c_void_p(handle),
        process,
        ctypes.byref(own),
        0,
        inheritable,
        DUPLICATE_SAME_ACCESS,
    ):
        raise failure()
    return int(own.value or 0)


def open_for_handles(process_id: int) -> int:
    """
    Open a process, to give it handles.

    Raises:
        OSError: It is gone, or somebody else's.
    """
    access = _PROCESS_DUP_HANDLE | _SYNCHRONIZE
    process = kernel32.OpenProcess(access, False, process_id)
    if not process:
        raise failure()
    return int(process)


def move_handle(handle: int, process: int) -> int:
    """
    Give a handle to another process; it is closed here, whatever happens.

    Args:
        handle: Of ours.
        process: As :func:`open_for_handles` gave it.

    Returns:
        Its number there.

    Raises:
        OSError: The process is gone.
    """
    theirs = ctypes.c_void_p()
    if not kernel32.DuplicateHandle(
        ctypes.c_void_p(kernel32.GetCurrentProcess()),
        ctypes.c_void_p(handle),
        ctypes.c_void_p(process),
        ctypes.byref(theirs),
        0,
        False,
        DUPLICATE_CLOSE_SOURCE | DUPLICATE_SAME_ACCESS,
    ):
        raise failure()
    return int(theirs.value or 0)


class _SidAndAttributes(ctypes.Structure):
    _fields_ = (("sid", ctypes.c_void_p), ("attributes", wintypes.DWORD))


def user_sid() -> str:
    """Give the security identifier of the user that this process runs as."""
    token = ctypes.c_void_p()
    process = ctypes.c_void_p(kernel32.GetCurrentProcess())
    if not advapi32.OpenProcessToken(process, _TOKEN_QUERY, ctypes.byref(token)):
        raise failure()
    try:
        size = wintypes.DWORD()
        advapi32.GetTokenInformation(token, _TOKEN_USER, None, 0, ctypes.byref(size))
        room = ctypes.create_string_buffer(size.value)
        if not advapi32.GetTokenInformation(
            token, _TOKEN_USER, room, size, ctypes.byref(size)
        ):
            raise failure()
        user = _SidAndAttributes.from_buffer(room)
        text = wintypes.LPWSTR()
        if not advapi32.ConvertSidToStringSidW(
            ctypes.c_void_p(user.sid), ctypes.byref(text)
        ):
            raise failure()
        sid = text.value or ""
        kernel32.LocalFree(text)
        return sid
    finally:
        kernel32.CloseHandle(token)


class OwnerOnly:
    """Security attributes that let in nobody but the user of this process."""

    def __init__(self) -> None:
        sid = user_sid()
        descriptor = ctypes.c_void_p()
        if not advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW(
            f"O:{sid}D:P(A;;GA;;;{sid})", _SDDL_REVISION, ctypes.byref(descriptor), None
        ):
            raise failure()
        self._descriptor = descriptor
        self.attributes = SecurityAttributes(
            ctypes.sizeof(SecurityAttributes), descriptor, False
        )

    def __del__(self) -> None:
        kernel32.LocalFree(self._descriptor)


def create_pipe(  # noqa: PLR0913 - what a pipe is made from
    name: str,
    security: OwnerOnly,
    buffer_bytes: int,
    *,
    access: int = _PIPE_ACCESS_DUPLEX,
    first: bool = False,
    instances: int = _UNLIMITED_INSTANCES,
) -> int:
    r"""
    Make the serving end of a named pipe of bytes, for overlapped I/O.

    Args:
        name: ``\\.\pipe\...``.
        security: Who may open the other end.
        buffer_bytes: What the pipe takes before a writer waits.
        access: 1: data comes in; 2: it goes out; 3: both.
        first: Fail if anybody has a pipe of this name already.
        instances: That the name may have.

    Raises:
        OSError: It cannot be made.
    """
    mode = access | _FILE_FLAG_OVERLAPPED | (_FIRST_INSTANCE if first else 0)
    pipe = kernel32.CreateNamedPipeW(
        name,
        mode,
        _REJECT_REMOTE_CLIENTS,
        instances,
        buffer_bytes,
        buffer_bytes,
        0,
        ctypes.byref(security.attributes),
    )
    if pipe == _INVALID:
        raise failure(name)
    return int(pipe)


def copy_file(source: str, target: str) -> None:
    """
    Copy a file with its streams, attributes and times.

    Raises:
        OSError: It cannot be copied, or the target exists.
    """
    if not kernel32.CopyFileW(source, target, True):
        raise failure(source)


def client_process_id(pipe: int) -> int:
    """
    Tell who opened the other end of a pipe.

    Raises:
        OSError: Nobody, or not any more.
    """
    process_id = wintypes.ULONG()
    if not kernel32.GetNamedPipeClientProcessId(
        ctypes.c_void_p(pipe), ctypes.byref(process_id)
    ):
        raise failure()
    return process_id.value
