"""The host's socket, and descriptors that travel over it."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import sys
from array import array
from typing import TYPE_CHECKING, TypeAlias

assert sys.platform != "win32"  # noqa: S101 - tells type checkers, too

if TYPE_CHECKING:
    from hcsshim.host.serving.loop import Loop

#: A client's connection.
Stream: TypeAlias = socket.socket

_BACKLOG = 128
_CREDENTIALS = struct.Struct("3i")
#: Reasons for which no client can be let in just now.
NO_FILES = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
#: Reasons for which the kernel takes no descriptors just now.
TOO_MANY_FILES = frozenset((errno.ETOOMANYREFS, errno.ENOBUFS, errno.ENOMEM))


class Listener:
    """
    Where clients come in.

    Args:
        path: Of the socket; made anew.
        loop: That watches it.

    Raises:
        OSError: The socket cannot be made.
    """

    def __init__(self, path: str, loop: Loop) -> None:
        del loop  # it watches the descriptor
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)  # of a host that was killed; we hold the lock
            before = os.umask(0o177)
            try:
                self._socket.bind(path)
            finally:
                os.umask(before)
            self._socket.listen(_BACKLOG)
            self._socket.setblocking(False)
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Give what is ready to be read when somebody comes."""
        return self._socket.fileno()

    def accept(self) -> tuple[Stream, int]:
        """
        Let a client in.

        Returns:
            The connection, which does not block, and the client's process id.

        Raises:
            BlockingIOError: There is none.
            PermissionError: It is not of our user; it was sent away.
            OSError: It cannot be let in.
        """
        stream, _ = self._socket.accept()
        process, user, _group = _CREDENTIALS.unpack(
            stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        )
        if user != os.getuid():
            stream.close()
            raise PermissionError(errno.EPERM, f"user {user}, process {process}")
        stream.setblocking(False)
        return stream, process

    def hide(self) -> None:
        """Let nobody come any more; who has come can still be accepted."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    def close(self) -> None:
        """Close it; after :meth:`hide`."""
        self._socket.close()


def give_files(
    stream: Stream, process: int, files: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """
    Prepare files to go to a client with a frame.

    Returns:
        Numbers that are part of the frame, and files that go beside it.
    """
    del stream, process
    return (), files


def send(stream: Stream, data: memoryview, files: tuple[int, ...]) -> int:
    """
    Send some bytes, and files with the first of them.

    Raises:
        BlockingIOError: There is no room now.
        OSError: The connection is broken, or see ``TOO_MANY_FILES``.
    """
    if not files:
        return stream.send(data)
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", files))
    return stream.sendmsg([data], [rights])


def make_pipe(index: int) -> tuple[int, int]:
    """
    Make a pipe for a process.

    Args:
        index: 0 for its stdin, 1 and 2 for its stdout and stderr.

    Returns:
        The process's end, and the client's.

    Raises:
        OSError: The machine has no more descriptors.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    return (reader, writer) if index == 0 else (writer, reader)


def close_file(file: int) -> None:
    """Close a descriptor."""
    os.close(file)


def console_file(console: int, index: int) -> int:
    """Give a client's end of a console: both directions are one descriptor."""
    del index
    return os.dup(console)


def resize_console(console: int, rows: int, columns: int) -> None:
    """Tell a console its size."""
    import fcntl  # noqa: PLC0415 - seldom used
    import termios  # noqa: PLC0415

    size = struct.pack("HHHH", rows, columns, 0, 0)
    fcntl.ioctl(console, termios.TIOCSWINSZ, size)


def close_console(console: int) -> None:
    """Let go of a console."""
    os.close(console)
