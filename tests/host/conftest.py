"""A client made of bytes, and a host whose silos do what the test says."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
from array import array
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hcsshim._native import calls
from hcsshim.host.serving import wire
from hcsshim.host.serving.log import Log
from hcsshim.host.serving.server import Host
from hcsshim.host.silos.port import Exited, Gone, Ready, Started, Statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hcsshim.host.silos.port import (
        Command,
        Limits,
        MappedDirectory,
        Message,
        ProcessStatistics,
        SiloConfig,
    )

PATIENCE_SECONDS = 10.0

CONTAINER = json.dumps(
    {"Owner": "tests", "SchemaVersion": {"Major": 2, "Minor": 1}, "Container": {}}
)
ROWS = {call.name: call for call in calls.table() if call.remote}


class Event:
    """An event that a client received."""

    def __init__(self, header: wire.Header, body: memoryview) -> None:
        self.handle = header.id
        self.type = header.detail
        self.status = header.hresult
        self.data = json.loads(wire.decode_event(header, body) or "null")


class Result:
    """An answer that a client received, with its descriptors."""

    def __init__(self, answer: wire.Answer, files: list[int]) -> None:
        self.hresult = answer.hresult
        self.document = answer.document
        self.pid = answer.process_id
        self.files = dict.fromkeys(range(3), -1)
        for index in range(3):
            if answer.files & 1 << index:
                self.files[index] = files.pop(0)

    @property
    def json(self) -> dict[str, object]:
        """The document, decoded."""
        found: dict[str, object] = json.loads(self.document or "{}")
        return found

    def close(self) -> None:
        """Close the descriptors."""
        for file in self.files.values():
            if file >= 0:
                os.close(file)


class RawClient:
    """A client of the host's socket, made of nothing but frames."""

    def __init__(self, path: str, *, hello: bool = True) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.connect(path)
        self.events: deque[Event] = deque()
        self._answers: dict[int, Result] = {}
        self._files: list[int] = []
        self._ids = 0
        if hello:
            self.socket.sendall(wire.encode_hello("tests"))
            self.welcome = self.frame()[0]

    def exactly(self, size: int) -> bytes:
        """Receive so many bytes, and the descriptors that come along."""
        data = bytearray()
        while len(data) < size:
            part, ancillary, _, _ = self.socket.recvmsg(
                size - len(data), socket.CMSG_SPACE(64 * 4)
            )
            for level, kind, raw in ancillary:
                assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
                files = array("i")
                files.frombytes(raw[: len(raw) - len(raw) % files.itemsize])
                self._files.extend(files)
            if not part:
                raise ConnectionError("the host closed the connection")
            data += part
        return bytes(data)

    def frame(self) -> tuple[wire.Header, memoryview]:
        """Receive one frame."""
        header = wire.decode_header(self.exactly(wire.HEADER_BYTES))
        body = self.exactly(header.length - wire.HEADER_BYTES)
        return header, memoryview(body)

    def step(self) -> None:
        """Receive one frame and file it."""
        header, body = self.frame()
        if header.kind == wire.EVENT:
            self.events.append(Event(header, body))
        else:
            answer = wire.decode_answer(header, body)
            self._answers[answer.ticket] = Result(answer, self._files)

    def new_id(self) -> int:
        """Choose a ticket or a handle."""
        self._ids += 1
        return self._ids

    def begin(self, name: str, *arguments: wire.Argument) -> int:
        """Send a call; give its ticket."""
        ticket = self.new_id()
        self.socket.sendall(wire.encode_call(ROWS[name], ticket, arguments))
        return ticket

    def cancel(self, ticket: int) -> None:
        """Send that nobody waits for a call."""
        self.socket.sendall(wire.encode_cancel(ticket))

    def result(self, ticket: int) -> Result:
        """Wait for the answer of a call."""
        while ticket not in self._answers:
            self.step()
        return self._answers.pop(ticket)

    def call(self, name: str, *arguments: wire.Argument) -> Result:
        """Make a call and wait for its answer."""
        return self.result(self.begin(name, *arguments))

    def event(self) -> Event:
        """Wait for an event."""
        while not self.events:
            self.step()
        return self.events.popleft()

    def create(self, system_id: str, document: str | None = CONTAINER) -> int:
        """Create a system that must succeed; give its handle."""
        handle = self.new_id()
        result = self.call("HcsCreateComputeSystem", system_id, document, handle)
        assert result.hresult == 0, result.document
        return handle

    def run(self, system_id: str, document: str | None = CONTAINER) -> int:
        """Create and start a system; give its handle."""
        handle = self.create(system_id, document)
        assert self.call("HcsStartComputeSystem", handle, None).hresult == 0
        return handle

    def process(self, system: int, **parameters: object) -> tuple[int, Result]:
        """Create a process that must succeed; give its handle and the answer."""
        handle = self.new_id()
        parameters.setdefault("CommandArgs", ["program"])
        text = json.dumps(parameters)
        result = self.call("HcsCreateProcess", system, text, handle)
        assert result.hresult == 0, result.document
        return handle, result

    def close(self) -> None:
        """Disconnect."""
        for result in self._answers.values():
            result.close()
        self.socket.close()


class ScriptedSilo:
    """
    A silo without processes: it says what a test lets it say.

    By itself it becomes ready, starts what it is told to, and ends what is
    terminated; ``Script`` can change each of that.
    """

    def __init__(self, config: SiloConfig, script: Script) -> None:
        self.config = config
        self.script = script
        self.done: list[tuple[object, ...]] = []
        self.pids: list[int] = []
        self.console_ends: list[int] = []
        self.closed = threading.Event()
        self._messages: deque[Message] = deque()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        if script.ready:
            self.say(Ready(init_pid=1))

    def say(self, *messages: Message) -> None:
        """Let the host hear messages; from any thread."""
        self._messages.extend(messages)
        os.eventfd_write(self._bell, 1)

    def fileno(self) -> int:
        """See the protocol."""
        return self._bell

    def receive(self) -> list[Message]:
        """See the protocol."""
        os.eventfd_read(self._bell)
        messages = []
        while self._messages:
            messages.append(self._messages.popleft())
        return messages

    def start(self, token: int, command: Command) -> None:
        """See the protocol."""
        self.done.append(("start", command))
        if not self.script.starts:
            return
        pid = len(self.pids) + 2
        self.pids.append(pid)
        console = -1
        if command.console is not None:
            other, console = os.openpty()
            self.console_ends.append(console)
            console = other
        self.say(Started(token=token, pid=pid, console=console))

    def signal(self, pid: int, number: int) -> None:
        """See the protocol."""
        self.done.append(("signal", pid, number))
        if pid not in self.pids:
            raise ProcessLookupError
        if number in self.script.deadly:
            self.pids.remove(pid)
            self.say(Exited(pid=pid, status=number))

    def terminate(self) -> None:
        """See the protocol."""
        self.done.append(("terminate",))
        if self.script.ends:
            self.say(*(Exited(pid=pid, status=9) for pid in self.pids), Gone())

    def pause(self) -> None:
        """See the protocol."""
        if self.script.failure is not None:
            raise self.script.failure
        self.done.append(("pause",))

    def resume(self) -> None:
        """See the protocol."""
        self.done.append(("resume",))

    def limit(self, limits: Limits) -> None:
        """See the protocol."""
        if self.script.failure is not None:
            raise self.script.failure
        self.done.append(("limit", limits))

    def map_directory(self, directory: MappedDirectory) -> None:
        """See the protocol."""
        if self.script.failure is not None:
            raise self.script.failure
        self.done.append(("map", directory))

    def unmap_directory(self, target: str) -> None:
        """See the protocol."""
        if self.script.failure is not None:
            raise self.script.failure
        self.done.append(("unmap", target))

    def statistics(self) -> Statistics:
        """See the protocol."""
        return self.script.statistics

    def processes(self) -> list[ProcessStatistics]:
        """See the protocol."""
        return self.script.processes

    def close(self) -> None:
        """See the protocol."""
        os.close(self._bell)
        for file in self.console_ends:
            os.close(file)
        self.closed.set()


class Script:
    """What the silos of a scripted host do."""

    def __init__(self) -> None:
        self.ready = True
        self.starts = True
        self.ends = True
        #: Signals that end a process.
        self.deadly = {9, 15}
        #: What pausing and changing raises.
        self.failure: OSError | None = None
        #: What opening a silo raises.
        self.refusal: OSError | None = None
        self.statistics = Statistics(
            cpu_total=3.0,
            cpu_user=2.0,
            cpu_kernel=1.0,
            memory=4096,
            memory_peak=8192,
            read_count=1,
            read_bytes=2,
            write_count=3,
            write_bytes=4,
            exact=True,
        )
        self.processes: list[ProcessStatistics] = []
        self.silos: list[ScriptedSilo] = []

    def open(self, config: SiloConfig) -> ScriptedSilo:
        """Make a silo for the host."""
        if self.refusal is not None:
            raise self.refusal
        silo = ScriptedSilo(config, self)
        self.silos.append(silo)
        return silo

    @property
    def silo(self) -> ScriptedSilo:
        """The silo that was made last."""
        return self.silos[-1]


def _open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a private folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="hcsshim-", dir="/tmp") as path:
        yield Path(path)


@pytest.fixture
def script() -> Script:
    """Give what the silos of ``scripted`` do; change it at will."""
    return Script()


@pytest.fixture
def scripted(folder: Path, script: Script) -> Iterator[Host]:
    """Run a host in a thread, with silos that do what ``script`` says."""
    files = _open_files()
    path = str(folder / "run" / "host.sock")
    host = Host(path, script.open, Log(None), idle_seconds=3600)
    failures: list[BaseException] = []
    host.failed = failures.append  # type: ignore[method-assign] # to be seen here
    thread = threading.Thread(target=host.run)
    thread.start()
    yield host
    host.loop.call_soon(host.stop)
    os.write(host.loop.wake_file, b"\0")
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert failures == []
    assert all(silo.closed.is_set() for silo in script.silos)
    assert files == _open_files(), "descriptors were left"


@pytest.fixture
def connect(scripted: Host, folder: Path) -> Iterator[Callable[..., RawClient]]:
    """Give a function that connects to the scripted host."""
    clients: list[RawClient] = []

    def make(*, hello: bool = True) -> RawClient:
        client = RawClient(str(folder / "run" / "host.sock"), hello=hello)
        clients.append(client)
        return client

    yield make
    assert scripted.loop is not None
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., RawClient]) -> RawClient:
    """Give a client of the scripted host."""
    return connect()


@pytest.fixture
def raw(host: object) -> Iterator[RawClient]:
    """Give a client of the real host."""
    client = RawClient(os.environ["HCSSHIM_HOST"])
    yield client
    client.close()
    assert host is not None


@pytest.fixture
def raw_client() -> Callable[[str], RawClient]:
    """Give what makes a client of any socket."""
    return RawClient
