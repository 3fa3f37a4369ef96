"""
Where the embedded host listens, and how it is started.

The host and its clients agree on this module, and on nothing else but the wire.
"""

from __future__ import annotations

import os
import stat
import sys

from hcsshim.errors import AccessDeniedError, HcsError
from hcsshim.hresult import HResult

#: The path of the host's socket, if it shall not be the usual one.
SOCKET_VARIABLE = "HCSSHIM_HOST"
#: Seconds that an empty host without clients lives on.
IDLE_VARIABLE = "HCSSHIM_HOST_IDLE"

_LOG_LINES = 15


def socket_path() -> str:
    """
    Give the path of the host's socket; the one place that has the rule.

    ``HCSSHIM_HOST`` if that is set, else ``$XDG_RUNTIME_DIR/hcsshim/host.sock`` if
    that folder is the user's, else ``/tmp/hcsshim-<uid>/host.sock``.

    Raises:
        AccessDeniedError: The folder exists and is not private to the user, so
            the socket in it might be somebody else's.
    """
    path = os.environ.get(SOCKET_VARIABLE)
    if sys.platform == "win32":
        from hcsshim._native import host_process_windows  # noqa: PLC0415 - by platform

        return path or host_process_windows.usual_pipe()
    if not path:
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        if not runtime or not _is_private(runtime):
            runtime = f"/tmp/hcsshim-{os.getuid()}"  # noqa: S108 - checked below
            path = f"{runtime}/host.sock"
        else:
            path = f"{runtime}/hcsshim/host.sock"
    path = os.path.abspath(path)
    folder = os.path.dirname(path)
    if os.path.lexists(folder) and not _is_private(folder):
        raise AccessDeniedError(
            HResult.ERROR_ACCESS_DENIED,
            "connect",
            message=f"{folder!r} must be a folder of the user's own, of mode 0700: "
            "the embedded host's socket is there",
        )
    return path


def _is_private(folder: str) -> bool:
    """Tell whether nobody but this user can put anything into a folder."""
    if sys.platform == "win32":
        return True  # what counts there is the pipe's own access list
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.getuid()
        and stat.S_IMODE(status.st_mode) & 0o077 == 0
    )


def state_folder() -> str:
    r"""
    Give the folder that keeps what outlives a host; made if it is missing.

    ``$XDG_STATE_HOME/hcsshim``, by default ``~/.local/state/hcsshim``, on Windows
    ``%LOCALAPPDATA%\hcsshim``.
    """
    home = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(home):  # relative ones are to be ignored
        home = os.path.expanduser("~/.local/state")
        if sys.platform == "win32":
            home = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~")
    folder = os.path.join(home, "hcsshim")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def log_path() -> str:
    """Give the path of the host's log."""
    return os.path.join(state_folder(), "host.log")


def prepare_folder(path: str) -> None:
    """
    Make the folder of the socket, for this user only; a pipe of Windows needs none.

    Raises:
        AccessDeniedError: It exists and is not private to the user.
    """
    if sys.platform == "win32":
        return
    folder = os.path.dirname(path)
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except FileNotFoundError:
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        os.mkdir(folder, 0o700)
    if not _is_private(folder):
        raise AccessDeniedError(
            HResult.ERROR_ACCESS_DENIED,
            "host",
            message=f"{folder!r} must be a folder of the user's own, of mode 0700",
        )


def lock_path(path: str, kind: str) -> str:
    """Give the path of a lock that belongs to a socket; ``kind`` tells which."""
    if sys.platform == "win32":  # the name of a pipe is no file's
        name = "".join(c if c.isalnum() else "-" for c in path)
        return os.path.join(state_folder(), f"{name}.{kind}")
    return f"{path}.{kind}"


def lock_file(path: str, *, wait: bool) -> int | None:
    """
    Take the lock that a file stands for, until the descriptor is closed.

    Args:
        path: Made if it is missing.
        wait: For whoever holds it.

    Returns:
        The descriptor; ``None`` if somebody holds the lock and ``wait`` is false.
    """
    if sys.platform == "win32":
        from hcsshim._native import host_process_windows  # noqa: PLC0415 - by platform

        return host_process_windows.lock_file(path, wait=wait)
    import fcntl  # noqa: PLC0415 - only to start a host

    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(path, flags, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(file)
        return None
    except BaseException:
        os.close(file)
        raise
    return file


def is_listening(path: str) -> bool:
    """Tell whether a host accepts connections at ``path``."""
    if sys.platform == "win32":
        from hcsshim._native import host_process_windows  # noqa: PLC0415 - by platform

        return host_process_windows.is_listening(path)
    import socket  # noqa: PLC0415 - only to start a host

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


def ensure_running() -> None:
    """
    Start the host unless it runs, and wait until it takes connections.

    Any number of processes and threads may do so at once: one host starts.

    Raises:
        HcsError: It did not start; the message has the last lines of its log.
    """
    path = socket_path()
    prepare_folder(path)
    lock = lock_file(lock_path(path, "start"), wait=True)
    assert lock is not None  # noqa: S101 - it waits
    try:
        if not is_listening(path):
            _start(path)
    finally:
        os.close(lock)


def stop(process_id: int) -> None:
    """
    Ask a host to end; it ends its systems first.

    Raises:
        OSError: There is no such process, or it is somebody else's.
    """
    if sys.platform == "win32":
        from hcsshim._native import host_process_windows  # noqa: PLC0415 - by platform

        host_process_windows.stop(process_id)
    else:
        import signal  # noqa: PLC0415 - only to stop a host

        os.kill(process_id, signal.SIGTERM)


def _start(path: str) -> None:
    """Start a host; it leaves this process's session, and is nobody's child."""
    if sys.platform == "win32":
        from hcsshim._native import host_process_windows  # noqa: PLC0415 - by platform

        before, started = host_process_windows.start(log_path(), _environment(path))
    else:
        before, started = _start_unix(path)
    if not started:
        raise HcsError(
            HResult.HCS_E_SERVICE_NOT_AVAILABLE,
            "host",
            message="The embedded host did not start. " + _complaint(before),
        )


def _start_unix(path: str) -> tuple[int, bool]:
    """Start a host; give the length of its log before, and whether it serves."""
    import subprocess  # noqa: PLC0415 - only to start a host

    log = os.open(log_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    before = os.fstat(log).st_size
    ready, answer = os.pipe()
    try:
        try:
            subprocess.run(
                [sys.executable, "-m", "hcsshim.host", "--detach", str(answer)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(path),
                pass_fds=(answer,),
                start_new_session=True,
                check=False,
            )
        finally:
            os.close(answer)
        started = os.read(ready, 1)  # the end of the file if the host died
    finally:
        os.close(ready)
        os.close(log)
    return before, started == b"1"


def _environment(path: str) -> dict[str, str]:
    """
    Make the host's environment: ours, with paths that hold in any folder.

    The host imports this very package, wherever it came from.
    """
    environment = dict(os.environ)
    environment[SOCKET_VARIABLE] = path
    paths = environment.get("PYTHONPATH", "").split(os.pathsep)
    folder = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    if os.path.basename(folder) not in ("site-packages", "dist-packages"):
        paths.insert(0, folder)
    environment["PYTHONPATH"] = os.pathsep.join(
        dict.fromkeys(os.path.abspath(entry) for entry in paths if entry)
    )
    if not environment["PYTHONPATH"]:
        del environment["PYTHONPATH"]
    return environment


def _complaint(before: int) -> str:
    """Quote what was written to the log since it was ``before`` bytes long."""
    try:
        with open(log_path(), encoding="utf-8", errors="replace") as log:
            log.seek(before)
            lines = log.read().splitlines()[-_LOG_LINES:]
    except OSError:
        lines = []
    if not lines:
        return f"Its log, {log_path()}, says nothing about it."
    return "Its log ends:\n" + "\n".join(lines)
