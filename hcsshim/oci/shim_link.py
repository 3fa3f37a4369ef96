"""
Between a command and the shim of a container: starting one, and telling it to go on.

A new shim tells on a pipe whether it is ready: four bytes if so, a sentence if not.
Later commands reach it over a socket in the user's private folder (on Windows a named
pipe), named after the container's unique id.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import attrs

from hcsshim._native.host_process import socket_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Listener
    from types import TracebackType
    from typing import BinaryIO, Protocol

    from typing_extensions import Self

    class Link(Protocol):
        """A connection to a shim: a socket, or on Windows a pipe."""

        def send_bytes(self, buf: bytes, /) -> None:
            """Send a message."""

        def recv_bytes(self) -> bytes:
            """Wait for a message."""

        def close(self) -> None:
            """End it."""

        def __enter__(self) -> Self: ...

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
            /,
        ) -> None: ...


#: What means success, on the pipe and on the socket.
READY = b"\0OK\0"
START = b"start"
WAKE = b"wake"

_PROGRAM = (sys.executable, "-m", "hcsshim.cli.runhcs")


@attrs.frozen
class Shim:
    """
    The process that holds a container, or a process of one.

    Args:
        process: A child of ours, until we end.
    """

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def wait(self) -> int:
        """Wait until it has ended, and give its exit code: that of what it held."""
        return self.process.wait()

    def release(self) -> None:
        """Let it go on without us."""
        # Popen warns of children that still run when it is collected; ours shall.
        self.process.returncode = 0


def start_shim(arguments: Sequence[str], container_id: str) -> Shim:
    """
    Start a shim with our stdio, and wait until it is ready.

    It has a session of its own, so that keys of our terminal do not end it.

    Args:
        arguments: For the program, up to the container's id.
        container_id: The container.

    Raises:
        ChildProcessError: It could not do what it was started for; the text is its
            own.
    """
    reader, writer = os.pipe()
    with closing(os.fdopen(reader, "rb")) as answer:
        try:
            shim = Shim(_start(arguments, container_id, writer))
        finally:
            os.close(writer)
        text = _read_all(answer)
    if text != READY:
        shim.wait()
        problem = text.decode("utf-8", "replace")
        raise ChildProcessError(problem or "the shim ended without a word")
    return shim


def _start(
    arguments: Sequence[str], container_id: str, writer: int
) -> subprocess.Popen[bytes]:
    handle = _share(writer)
    command = (*_PROGRAM, *arguments, "--status", str(handle), "--", container_id)
    return subprocess.Popen(
        command,
        close_fds=os.name != "nt",
        pass_fds=(writer,) if os.name != "nt" else (),
        start_new_session=True,
    )


def _read_all(stream: BinaryIO) -> bytes:
    return stream.read()


if sys.platform == "win32":
    import msvcrt

    def _share(file: int) -> int:
        handle = msvcrt.get_osfhandle(file)
        os.set_handle_inheritable(handle, True)
        return handle

    def take_shared(handle: int) -> int:
        """Make a descriptor of what a parent passed on."""
        return msvcrt.open_osfhandle(handle, os.O_WRONLY)

else:

    def _share(file: int) -> int:
        return file

    def take_shared(handle: int) -> int:
        """Make a descriptor of what a parent passed on."""
        os.set_inheritable(handle, False)
        return handle


def tell(status: int, text: bytes) -> None:
    """Tell whoever started us how it went; once."""
    with os.fdopen(status, "wb") as stream:
        stream.write(text)


def _address(unique_id: str) -> str:
    if os.name == "nt":
        return f"\\\\.\\pipe\\runhcs-shim-{unique_id}"
    folder = os.path.dirname(socket_path())  # noqa: PTH120 - text stays text
    return os.path.join(folder, f"runhcs-{unique_id}.sock")  # noqa: PTH118 - as above


def listen(unique_id: str) -> Listener:
    """Be ready to be told to start a container's process."""
    from multiprocessing.connection import Listener  # noqa: PLC0415 - takes time

    return Listener(_address(unique_id))


def connect(unique_id: str) -> Link:
    """
    Reach a container's shim.

    Raises:
        ChildProcessError: It is not there any more.
    """
    from multiprocessing.connection import Client  # noqa: PLC0415 - takes time

    try:
        return Client(_address(unique_id))
    except OSError:
        raise ChildProcessError("the container's shim has ended") from None


def send_start(unique_id: str) -> None:
    """
    Tell a shim to start its container's process.

    Raises:
        ChildProcessError: It could not; the text is its own.
    """
    with connect(unique_id) as link:
        link.send_bytes(START)
        try:
            answer = link.recv_bytes()
        except EOFError:
            answer = b"the container's shim has ended"
    if answer != READY:
        raise ChildProcessError(answer.decode("utf-8", "replace"))
