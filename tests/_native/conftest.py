"""A host that does exactly what a test says, at the level of the wire."""

from __future__ import annotations

import array
import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from hcsshim._native.service import NativeService

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADER = struct.Struct("<IHHQiI")
HELLO, WELCOME, CALL, ANSWER, EVENT, CANCEL = range(1, 7)


class ScriptedHost:
    """
    The other end of one connection. The test reads calls and writes answers.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self.connection = socket.socket(socket.AF_UNIX)

    def welcome(self, hresult: int = 0) -> threading.Thread:
        """Take the next client, on a thread, and greet it."""

        def run() -> None:
            self.connection.close()
            self.connection = self._listener.accept()[0]
            assert HELLO == self.read()[0]
            self.write(WELCOME, hresult=hresult, detail=4711)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.connection.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def read(self) -> tuple[int, int, int, bytes]:
        """Give kind, call number, id and body of the next frame."""
        length, kind, call, key, _, _ = HEADER.unpack(self._receive(HEADER.size))
        return kind, call, key, self._receive(length - HEADER.size)

    def write(  # noqa: PLR0913 - a frame has so many fields
        self,
        kind: int,
        key: int = 0,
        *,
        hresult: int = 0,
        detail: int = 0,
        text: bytes | None = None,
        tail: bytes = b"",
        files: tuple[int, ...] = (),
    ) -> None:
        """Send one frame."""
        length = 0xFFFFFFFF if text is None else len(text)
        body = struct.pack("<I", length) + (text or b"") + tail
        frame = HEADER.pack(HEADER.size + len(body), kind, 0, key, hresult, detail)
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))
        sent = self.connection.sendmsg([frame + body], [rights] if files else [])
        if sent < len(frame + body):  # or the peer may be gone already
            self.connection.sendall((frame + body)[sent:])

    def answer(self, key: int, hresult: int = 0, text: bytes | None = None) -> None:
        """Answer a call."""
        self.write(ANSWER, key, hresult=hresult, text=text, tail=b"\0\0\0\0")

    def close(self) -> None:
        """Go away."""
        self.connection.close()
        self._listener.close()


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[ScriptedHost]:
    """A scripted host that listens."""
    host = ScriptedHost(str(tmp_path / "host.sock"))
    yield host
    host.close()


@pytest.fixture
def service(scripted: ScriptedHost) -> Iterator[NativeService]:
    """A client that is connected to the scripted host."""
    greeting = scripted.welcome()
    service = NativeService(scripted.path)
    greeting.join()
    yield service
    service.close()
