"""The parts of :mod:`hcsshim._native.host_process` that Windows does differently."""

from __future__ import annotations

import os
import sys
import time

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

#: How long to wait before a lock is tried again: nothing tells that it is free.
_LOCK_AGAIN_SECONDS = 0.02


def usual_pipe() -> str:
    """Give the name of the pipe of this user's host."""
    return rf"\\.\pipe\hcsshim-{os.environ.get('USERNAME', 'user')}"


def stop_event(process_id: int) -> str:
    """Name the event whose setting ends a host."""
    return rf"Local\hcsshim-host-{process_id}-stop"


def lock_file(path: str, *, wait: bool) -> int | None:
    """Take a lock; see :func:`hcsshim._native.host_process.lock_file`."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOINHERIT | os.O_BINARY, 0o600)
    try:
        while not _try_to_lock(file):
            if not wait:
                os.close(file)
                return None
            time.sleep(_LOCK_AGAIN_SECONDS)
    except BaseException:
        os.close(file)
        raise
    return file


def _try_to_lock(file: int) -> bool:
    import msvcrt  # noqa: PLC0415 - only to start a host

    try:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    except PermissionError:
        return False
    return True


def is_listening(path: str) -> bool:
    """Tell whether a host has a pipe of this name, busy or not."""
    import _winapi  # noqa: PLC0415 - only to start a host

    try:
        _winapi.WaitNamedPipe(path, 1)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # all its instances are in use at the moment
    return True


def stop(process_id: int) -> None:
    """Ask a host to end; see :func:`hcsshim._native.host_process.stop`."""
    from hcsshim._native import win32  # noqa: PLC0415 - only to stop a host

    event = win32.open_event(stop_event(process_id))
    win32.set_event(event)
    win32.close_handle(event)


def start(log_path: str, environment: dict[str, str]) -> tuple[int, bool]:
    """
    Start a host that goes on when this process ends.

    Args:
        log_path: Where it writes.
        environment: Its own.

    Returns:
        The length of its log before, and whether it takes connections now.
    """
    import msvcrt  # noqa: PLC0415 - only to start a host
    import subprocess  # noqa: PLC0415 - as above

    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    before = os.fstat(log).st_size
    ready, answer = os.pipe()
    handle = msvcrt.get_osfhandle(answer)
    os.set_handle_inheritable(handle, True)
    startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
    flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    try:
        try:
            host = subprocess.Popen(
                [sys.executable, "-m", "hcsshim.host", "--detach", str(handle)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=os.environ.get("SYSTEMROOT", "C:\\"),
                env=environment,
                startupinfo=startup,
                creationflags=flags,
                close_fds=True,
            )
        finally:
            os.close(answer)
        started = os.read(ready, 1)  # the end of the file if the host died
        # It is not ours to wait for, whatever the class thinks.
        host.returncode = 0
    finally:
        os.close(ready)
        os.close(log)
    return before, started == b"1"
