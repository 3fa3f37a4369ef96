"""Fixtures for tests of every folder: above all, an embedded host of one's own."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from hcsshim._native import calls, host_process
from hcsshim._native.service import NativeService
from hcsshim.host.serving import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

# Examples are not kept: who runs the tests may not be who owns the folder.
settings.register_profile("tests", database=None)
settings.load_profile("tests")

#: What the kernel and a host have to clean up after a test, at most.
_SETTLE_SECONDS = 30.0


class PrivateHost:
    """
    An embedded host that only this test run uses.

    Attributes:
        path: Of its socket, also in ``HCSSHIM_HOST``.
        state: Its state folder, also in ``XDG_STATE_HOME``.
    """

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "run" / "host.sock")
        self.state = folder / "state"

    def connect(self) -> socket.socket:
        """Connect and shake hands, starting the host if it does not run."""
        host_process.ensure_running()
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.connect(self.path)
        stream.settimeout(_SETTLE_SECONDS)
        stream.sendall(wire.encode_hello("tests"))
        return stream

    @staticmethod
    def receive(stream: socket.socket) -> tuple[wire.Header, memoryview]:
        """Receive one frame that brings no descriptors."""
        head = stream.recv(wire.HEADER_BYTES, socket.MSG_WAITALL)
        header = wire.decode_header(head)
        left = header.length - wire.HEADER_BYTES
        body = stream.recv(left, socket.MSG_WAITALL) if left else b""
        return header, memoryview(body)

    @property
    def pid(self) -> int:
        """Its process id."""
        with self.connect() as stream:
            return self.receive(stream)[0].detail

    def systems(self) -> list[str]:
        """List the ids of its systems."""
        (row,) = (
            r
            for r in calls.table()
            if r.remote and r.name == "HcsEnumerateComputeSystems"
        )
        with self.connect() as stream:
            self.receive(stream)
            stream.sendall(wire.encode_call(row, 1, (None,)))
            answer = wire.decode_answer(*self.receive(stream))
        return [found["Id"] for found in json.loads(answer.document or "[]")]

    def systems_left(self) -> list[str]:
        """List its systems once they have ended, or have had the time to."""
        deadline = monotonic() + _SETTLE_SECONDS
        pause = Event()
        while (left := self.systems()) and monotonic() < deadline:
            pause.wait(0.05)  # a client that died leaves them to the host
        return left

    def log(self) -> str:
        """Read its log."""
        return Path(host_process.log_path()).read_text(encoding="utf-8")

    def stop(self) -> None:
        """Stop it, and wait until its process is gone."""
        if not host_process.is_listening(self.path):
            return
        process = os.pidfd_open(self.pid)
        try:
            signal.pidfd_send_signal(process, signal.SIGTERM)
            ended, _, _ = select.select([process], [], [], _SETTLE_SECONDS)
            assert ended, f"the host does not end\n{self.log()}"
        finally:
            os.close(process)


class WindowsPrivateHost(PrivateHost):
    """The same on Windows, where it is reached by the library's own client."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = rf"\\.\pipe\{folder.name}"

    @property
    def pid(self) -> int:
        """Its process id."""
        host_process.ensure_running()
        with closing(NativeService(self.path)) as service:
            return service.host_process_id

    def systems(self) -> list[str]:
        """List the ids of its systems."""
        host_process.ensure_running()
        with closing(NativeService(self.path)) as service:
            call = service.submit("HcsEnumerateComputeSystems", None)
            answer = call.result(_SETTLE_SECONDS)
        return [found["Id"] for found in json.loads(answer.document or "[]")]

    def stop(self) -> None:
        """Stop it, and wait until its process is gone."""
        if not host_process.is_listening(self.path):
            return
        import _winapi

        pid = self.pid
        process = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, pid)
        try:
            host_process.stop(pid)
            limit = int(_SETTLE_SECONDS * 1000)
            ended = _winapi.WaitForSingleObject(process, limit)
            assert _winapi.WAIT_OBJECT_0 == ended, f"it does not end\n{self.log()}"
        finally:
            _winapi.CloseHandle(process)


def descendants(pid: int) -> set[int]:
    """List the processes that descend from one; on Windows none can be told."""
    if sys.platform == "win32":
        return set()
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            status = Path(entry.path, "stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            continue
        parent = int(status.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found


def is_spare(pid: int) -> bool:
    """Tell whether a process is a silo that waits for a system to need it."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8") == "silo-spare\n"
    except FileNotFoundError:
        return False


def wait_for_end(pids: set[int]) -> set[int]:
    """Wait until processes have ended; give those that have not, spare silos apart."""
    left = set()
    deadline = monotonic() + _SETTLE_SECONDS
    for pid in pids:
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            while not select.select([process], [], [], 0.05)[0]:
                if is_spare(pid):
                    break
                if monotonic() > deadline:
                    left.add(pid)
                    break
        finally:
            os.close(process)
    return left


def _mounts(*folders: Path) -> list[str]:
    """List what is mounted in folders of this process; others have their own."""
    if sys.platform == "win32":
        return []
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if any(f" {f}/" in line for f in folders)]


def _cgroups(pid: int) -> list[str]:
    """List the cgroups that a host made."""
    return [
        folder
        for folder, _, _ in os.walk("/sys/fs/cgroup")
        if f"hcsshim-{pid}-" in folder
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what is for another platform, and say so."""
    here, other = ("windows", "linux")[:: 1 if sys.platform == "win32" else -1]
    for item in items:
        if item.get_closest_marker(other) and not item.get_closest_marker(here):
            item.add_marker(pytest.mark.skip(reason=f"only for {other.title()}"))


@pytest.fixture(scope="session", autouse=True)
def _private_host() -> Iterator[PrivateHost]:
    """Keep every test away from the user's own host, and end ours at last."""
    windows = sys.platform == "win32"
    where = None if windows else "/tmp"  # paths of sockets are short
    folder = Path(tempfile.mkdtemp(prefix="hcsshim-", dir=where))
    with pytest.MonkeyPatch.context() as patch:
        host = WindowsPrivateHost(folder) if windows else PrivateHost(folder)
        patch.setenv(host_process.SOCKET_VARIABLE, host.path)
        patch.setenv("XDG_STATE_HOME", str(host.state))
        yield host
        host.stop()
    _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder; Windows keeps files for a moment after their user's end."""
    deadline = monotonic() + (_SETTLE_SECONDS if sys.platform == "win32" else -1)
    pause = Event()
    while not _try_to_remove(folder, last=monotonic() > deadline):
        pause.wait(0.1)


def _try_to_remove(folder: Path, *, last: bool) -> bool:
    try:
        shutil.rmtree(folder)
    except PermissionError:
        if last:
            raise
        return False
    return True


@pytest.fixture
def host(
    _private_host: PrivateHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrivateHost]:
    """
    Give a running embedded host, and check that the test left nothing in it.

    All tests of a run share it. ``HCSSHIM_HOST`` is set, so the package's own calls
    reach it.
    """
    host_process.ensure_running()
    folders = tmp_path_factory.getbasetemp(), _private_host.state.parent
    before = _mounts(*folders)
    pid = _private_host.pid
    children = descendants(pid)
    yield _private_host
    left = _private_host.systems_left()
    if left:
        _private_host.stop()  # the next test shall not suffer
        pytest.fail(f"systems were left: {left}")
    if _private_host.pid != pid:
        return  # the test ended the host, and so all that was in it
    assert not wait_for_end(descendants(pid) - children), _private_host.log()
    assert before == _mounts(*folders)
    assert not _cgroups(pid)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines in a loop of their own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = pyfuncitem.funcargs
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: arguments[name] for name in names}))
    return True
