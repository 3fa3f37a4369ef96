"""
The host's named pipe, and handles that go to its clients.

A connection is a pipe that always has a read pending, and a write when there is
something to send, so the host's code can use it like a socket that does not block.
Handles go to a client by being duplicated into its process; their numbers there are
part of the frame that tells of them.
"""

from __future__ import annotations

import errno
import itertools
import os
import sys
from typing import TYPE_CHECKING

from hcsshim._native import win32
from hcsshim.host.serving.loop_windows import Operation
from hcsshim.host.serving.timers import READ, WRITE
from hcsshim.host.silos import consoles_windows as consoles

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

if TYPE_CHECKING:
    from hcsshim.host.serving.loop_windows import Loop

_BUFFER = 64 * 1024
_LARGEST_WRITE = 1024 * 1024
#: What a process's pipe takes before it must wait.
_PIPE_BUFFER = 256 * 1024
#: Instances of the host's pipe that wait for clients.
_WAITING_INSTANCES = 8
#: No handle is negative.
_numbers = itertools.count(-2, -1)
_pipe_numbers = itertools.count(1)

NO_FILES = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM))
TOO_MANY_FILES: frozenset[int] = frozenset()


class Stream:
    """
    A client's connection, to be used like a socket that does not block.

    Args:
        handle: Of the pipe, which becomes its own.
        loop: That has its operations.
    """

    def __init__(self, handle: int, loop: Loop) -> None:
        self._handle = handle
        self._loop = loop
        self._number = next(_numbers)
        self._data = b""
        self._error: OSError | None = None
        self._reading: Operation | None = None
        self._writing: Operation | None = None
        self._closed = False
        loop.add(self._number, self)
        self._read()

    def fileno(self) -> int:
        """Give the number that the loop knows it by."""
        return self._number

    def ready(self) -> int:
        """See the loop's ``Source``."""
        events = READ if self._data or self._error is not None else 0
        return events if self._writing is not None else events | WRITE

    def _read(self) -> None:
        operation = Operation(self._has_read)
        try:
            operation.read(self._handle, _BUFFER)
        except OSError as error:
            self._error = error
            self._loop.stir(self._number)
            return
        self._reading = operation
        self._loop.expect(operation)

    def _has_read(self) -> None:
        operation, self._reading = self._reading, None
        if operation is None or self._closed:
            self._finish_closing()
            return
        try:
            self._data = operation.data()
        except OSError as error:
            self._error = error
        if not self._data and self._error is None:
            self._read()  # somebody wrote nothing
            return
        self._loop.stir(self._number)

    def recv(self, size: int) -> bytes:
        """
        Take what has come; ``b""`` at the end.

        Raises:
            BlockingIOError: Nothing has.
            OSError: The connection is broken.
        """
        if not self._data and self._error is None:
            raise BlockingIOError
        if not self._data:
            if isinstance(self._error, BrokenPipeError):
                return b""
            raise self._error or BrokenPipeError
        data, self._data = self._data[:size], self._data[size:]
        if not self._data and self._error is None:
            self._read()
        return data

    def send(self, data: memoryview) -> int:
        """
        Begin to send some bytes; they count as sent.

        Raises:
            BlockingIOError: Earlier ones are on their way.
            OSError: The connection is broken.
        """
        if self._error is not None:
            raise self._error
        if self._writing is not None:
            raise BlockingIOError
        piece = bytes(data[:_LARGEST_WRITE])
        operation = Operation(self._has_written)
        operation.write(self._handle, piece)
        self._writing = operation
        self._loop.expect(operation)
        return len(piece)

    def _has_written(self) -> None:
        operation, self._writing = self._writing, None
        if operation is None or self._closed:
            self._finish_closing()
            return
        try:
            operation.check()
        except OSError as error:
            self._error = error
        self._loop.stir(self._number)

    def close(self) -> None:
        """Close it, once what was sent is on its way. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove(self._number)
        if self._reading is not None:
            self._reading.cancel()
        self._finish_closing()

    def _finish_closing(self) -> None:
        """The last operation that ends closes the handle."""
        if self._closed and self._reading is None and self._writing is None:
            handle, self._handle = self._handle, 0
            if handle:
                win32.close_handle(handle)


class _Instance:
    """One serving end of the host's pipe that waits for a client."""

    def __init__(self, listener: Listener, handle: int) -> None:
        self.handle = handle
        self.waiting = Operation(lambda: listener.has_come(self))


class Listener:
    """
    Where clients come in; see the one for Unix.

    Args:
        path: The name of the pipe.
        loop: That is told when somebody comes.

    Raises:
        OSError: The pipe cannot be made, or somebody else has one of this name.
    """

    def __init__(self, path: str, loop: Loop) -> None:
        self._path = path
        self._loop = loop
        self._number = next(_numbers)
        self._security = win32.OwnerOnly()
        self._waiting: list[_Instance] = []
        self._arrived: list[_Instance] = []
        self._hidden = False
        loop.add(self._number, self)
        for index in range(_WAITING_INSTANCES):
            self._add(first=index == 0)

    def _add(self, *, first: bool = False) -> None:
        handle = win32.create_pipe(self._path, self._security, _BUFFER, first=first)
        self._loop.attach(handle)
        instance = _Instance(self, handle)
        if instance.waiting.connect(handle):
            self._waiting.append(instance)
            self._loop.expect(instance.waiting)
        else:
            self._arrived.append(instance)
            self._loop.stir(self._number)

    def has_come(self, instance: _Instance) -> None:
        """Somebody came, or the instance is being closed."""
        if instance not in self._waiting:
            return
        self._waiting.remove(instance)
        try:
            instance.waiting.check()
        except OSError:
            win32.close_handle(instance.handle)  # it came and went
        else:
            self._arrived.append(instance)
        self._loop.stir(self._number)
        if not self._hidden:
            self._add()

    def fileno(self) -> int:
        """Give the number that the loop knows it by."""
        return self._number

    def ready(self) -> int:
        """See the loop's ``Source``."""
        return READ if self._arrived else 0

    def accept(self) -> tuple[Stream, int]:
        """
        Let a client in; only our own user could open the pipe.

        Raises:
            BlockingIOError: There is none.
            OSError: It has gone again.
        """
        if not self._arrived:
            raise BlockingIOError
        instance = self._arrived.pop(0)
        try:
            process = win32.client_process_id(instance.handle)
        except OSError:
            win32.close_handle(instance.handle)
            raise ConnectionAbortedError from None
        return Stream(instance.handle, self._loop), process

    def hide(self) -> None:
        """Let nobody come any more; who has come can still be accepted."""
        self._hidden = True
        waiting, self._waiting = self._waiting, []
        for instance in waiting:
            if instance.waiting.stop():
                self._arrived.append(instance)
            else:
                win32.close_handle(instance.handle)
            self._loop.forget(instance.waiting)

    def close(self) -> None:
        """Close it; after :meth:`hide`."""
        self._loop.remove(self._number)
        for instance in self._arrived:
            win32.close_handle(instance.handle)
        self._arrived.clear()


def give_files(
    stream: Stream, process: int, files: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """
    Duplicate handles into a client's process; ours are closed.

    Returns:
        Their numbers there, and nothing that goes beside the frame.

    Raises:
        OSError: The client is gone; the handles are closed all the same.
    """
    del stream
    if not files:
        return (), ()
    left = list(files)
    try:
        client = win32.open_for_handles(process)
        try:
            numbers = []
            while left:
                numbers.append(win32.move_handle(left.pop(0), client))
            return tuple(numbers), ()
        finally:
            win32.close_handle(client)
    finally:
        for file in left:
            win32.close_handle(file)


def send(stream: Stream, data: memoryview, files: tuple[int, ...]) -> int:
    """Send some bytes; see the one for Unix."""
    del files  # they went before
    return stream.send(data)


def make_pipe(index: int) -> tuple[int, int]:
    """
    Make a pipe for a process; see the one for Unix.

    The client's end is for overlapped I/O; the process's is not, since most
    programs do not expect it.
    """
    import _winapi  # noqa: PLC0415 - Windows' own

    name = rf"\\.\pipe\hcsshim-{os.getpid()}-{next(_pipe_numbers)}"
    inwards, outwards = 1, 2
    client = win32.create_pipe(
        name,
        win32.OwnerOnly(),
        _PIPE_BUFFER,
        access=outwards if index == 0 else inwards,
        first=True,
        instances=1,
    )
    access = _winapi.GENERIC_READ if index == 0 else _winapi.GENERIC_WRITE
    try:
        process = _winapi.CreateFile(name, access, 0, 0, _winapi.OPEN_EXISTING, 0, 0)
    except OSError:
        win32.close_handle(client)
        raise
    return process, client


def close_file(file: int) -> None:
    """Close a handle."""
    win32.close_handle(file)


def console_file(console: int, index: int) -> int:
    """Give a client's end of a console: where it writes to (0) or reads from."""
    return consoles.take_file(console, index)


def resize_console(console: int, rows: int, columns: int) -> None:
    """Tell a console its size."""
    consoles.resize(console, rows, columns)


def close_console(console: int) -> None:
    """Let go of a console."""
    consoles.close(console)
