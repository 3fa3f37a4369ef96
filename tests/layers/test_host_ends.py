"""Layers when their host is killed, stopped, or has nothing else to do."""

from __future__ import annotations

import os
import select
import shutil
import signal
import tempfile
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from hcsshim import layers
from hcsshim._native import host_process
from hcsshim._native.service import NativeService
from hcsshim.errors import NotFoundError, ServiceDisconnectedError
from hcsshim.layers import Layer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.host

PATIENCE = 60
FILES = 400


class OwnHost:
    """A host of one test, which the test may end as it likes."""

    def __init__(self) -> None:
        self.service = self.start()

    @staticmethod
    def start() -> NativeService:
        """Start it, and connect."""
        for _ in range(20):  # it may end before we come, for it does not wait long
            host_process.ensure_running()
            try:
                return NativeService(host_process.socket_path())
            except OSError:
                continue
        pytest.fail("no host stays")

    def end(self, number: int) -> None:
        """Send it a signal, and wait until it is gone."""
        file = os.pidfd_open(self.service.host_process_id)
        try:
            signal.pidfd_send_signal(file, number)
            assert select.select([file], [], [], PATIENCE)[0], "the host lives on"
        finally:
            os.close(file)

    def restart(self) -> None:
        """Connect to a new one."""
        self.service.close()
        self.service = self.start()


@pytest.fixture
def own_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnHost]:
    """Start a host for one test."""
    folder = Path(tempfile.mkdtemp(prefix="hcsshim-", dir="/tmp"))  # paths are short
    monkeypatch.setenv(host_process.SOCKET_VARIABLE, str(folder / "run" / "host.sock"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv(host_process.IDLE_VARIABLE, "1")
    host = OwnHost()
    yield host
    if host.service.alive:
        host.end(signal.SIGTERM)
    host.service.close()
    shutil.rmtree(folder)


def make_base(folder: Path, own_host: OwnHost, files: int = 3) -> Path:
    """Make a base layer with some files."""
    layers.create_layer(folder / "base", service=own_host.service)
    for number in range(files):
        path = folder / "base" / "Files" / f"d{number % 20}" / f"file{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 5000)
    return folder / "base"


def wait_for(path: Path, count: int) -> None:
    """Wait until a folder whose name is not known yet has some entries below it."""
    end = monotonic() + PATIENCE
    while monotonic() < end:
        found = 0
        for partial in path.parent.glob(f".{path.name}.*.partial"):
            found += sum(len(files) for _, _, files in os.walk(partial))
        if found >= count or path.exists():
            return
    pytest.fail(f"nothing happens at {path}")


@pytest.mark.parametrize("count", [0, 1, 20, 100, 300, 399])
def test_import_that_is_killed(tmp_path: Path, own_host: OwnHost, count: int) -> None:
    """
    A host that is killed while it imports leaves no layer or a whole one; the next
    import of it cleans up.
    """
    base = make_base(tmp_path, own_host, FILES)
    (tmp_path / "in").mkdir()
    shutil.copytree(base / "Files", tmp_path / "in" / "Files")
    submitted = own_host.service.submit(
        "ImportLayer",
        str(tmp_path / "layer"),
        str(tmp_path / "in"),
        f'[{{"Path":"{base}"}}]',
    )
    wait_for(tmp_path / "layer", count)

    own_host.end(signal.SIGKILL)

    with pytest.raises(ServiceDisconnectedError):
        _raise_for(submitted.result(PATIENCE).hresult)
    own_host.restart()
    whole = layers.layer_exists(tmp_path / "layer", service=own_host.service)
    if not whole:
        assert not (tmp_path / "layer").exists()
        layers.import_layer(
            tmp_path / "layer", tmp_path / "in", [base], service=own_host.service
        )
    assert FILES == sum(len(f) for _, _, f in os.walk(tmp_path / "layer" / "Files"))
    assert {"base", "in", "layer"} == {path.name for path in tmp_path.iterdir()}


def _raise_for(hresult: int) -> None:
    """Fail as a caller's wait does; an import may have ended just in time."""
    from hcsshim.errors import check

    check(hresult, "ImportLayer")
    raise ServiceDisconnectedError


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=str)
def test_mounts_end_with_the_host(
    tmp_path: Path, own_host: OwnHost, number: int
) -> None:
    """
    However a host ends, what it mounted is unmounted, and what was written is there.
    """
    base = make_base(tmp_path, own_host)
    layer = Layer.create_scratch(tmp_path / "scratch", [base], service=own_host.service)
    path = Path(layer.mount())
    (path / "new").write_text("new\n")

    own_host.end(number)

    end = monotonic() + PATIENCE
    while (path / "new").exists() and monotonic() < end:
        os.sched_yield()  # its process is told by the kernel
    assert not (path / "new").exists()
    own_host.restart()
    again = Layer(tmp_path / "scratch", [base], service=own_host.service)
    with again.mounted() as seen:
        assert "new\n" == Path(seen, "new").read_text()


def test_layers_survive_a_restart(tmp_path: Path, own_host: OwnHost) -> None:
    """Layers are on the disk: a new host knows them, and that they are not mounted."""
    base = make_base(tmp_path, own_host)
    own_host.end(signal.SIGTERM)

    own_host.restart()

    assert layers.layer_exists(base, service=own_host.service)
    with pytest.raises(NotFoundError, match="is not prepared"):
        layers.unprepare_layer(base, service=own_host.service)


def test_host_stays_while_layers_are_mounted(tmp_path: Path, own_host: OwnHost) -> None:
    """A host without clients lives on while something is mounted, and no longer."""
    base = make_base(tmp_path, own_host)
    layer = Layer.create_scratch(tmp_path / "scratch", [base], service=own_host.service)
    path = Path(layer.mount())
    process = os.pidfd_open(own_host.service.host_process_id)

    own_host.service.close()

    assert not select.select([process], [], [], 2)[0]
    assert (path / "d0" / "file0").exists()
    own_host.service = NativeService(host_process.socket_path())
    Layer(layer.path, service=own_host.service).unmount()
    own_host.service.close()
    assert select.select([process], [], [], PATIENCE)[0], "the host lives on"
    os.close(process)
    own_host.service = OwnHost.start()  # for the end of the test
