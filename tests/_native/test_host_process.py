"""Tests of where the host listens and who may have put it there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hcsshim._native import host_process
from hcsshim.errors import AccessDeniedError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a private runtime folder, and no other wish about the socket."""
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    monkeypatch.delenv("HCSSHIM_HOST", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


def test_explicit_path_wins(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HCSSHIM_HOST is the path, whatever else is set."""
    monkeypatch.setenv("HCSSHIM_HOST", str(runtime / "private" / "a.sock"))

    assert str(runtime / "private" / "a.sock") == host_process.socket_path()


def test_runtime_folder_is_usual(runtime: Path) -> None:
    """The socket is in the user's runtime folder."""
    assert str(runtime / "hcsshim" / "host.sock") == host_process.socket_path()


def test_foreign_runtime_folder_is_not_used(runtime: Path) -> None:
    """A runtime folder that others may write to, as left by su, does not count."""
    runtime.chmod(0o777)

    assert f"/tmp/hcsshim-{os.getuid()}/host.sock" == host_process.socket_path()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o707])
def test_open_folder_is_refused(runtime: Path, mode: int) -> None:
    """A socket in a folder that others can enter is not trusted."""
    folder = runtime / "hcsshim"
    folder.mkdir()
    folder.chmod(mode)

    with pytest.raises(AccessDeniedError, match="0700"):
        host_process.socket_path()


def test_linked_folder_is_refused(runtime: Path, tmp_path: Path) -> None:
    """A link in place of the folder is not followed, wherever it leads."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (runtime / "hcsshim").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(AccessDeniedError, match="0700"):
        host_process.socket_path()


def test_prepared_folder_is_private(runtime: Path) -> None:
    """The folder is made for the user alone, whatever the umask."""
    before = os.umask(0)
    try:
        host_process.prepare_folder(host_process.socket_path())
    finally:
        os.umask(before)

    assert (runtime / "hcsshim").stat().st_mode & 0o777 == 0o700


def test_lock_is_taken_once(tmp_path: Path) -> None:
    """Who finds the lock taken is told so, and gets it once it is free."""
    first = host_process.lock_file(str(tmp_path / "lock"), wait=False)

    second = host_process.lock_file(str(tmp_path / "lock"), wait=False)

    assert first is not None
    assert second is None
    os.close(first)
    third = host_process.lock_file(str(tmp_path / "lock"), wait=False)
    assert third is not None
    os.close(third)


def test_lock_does_not_follow_links(tmp_path: Path) -> None:
    """A link in place of the lock file is refused."""
    (tmp_path / "lock").symlink_to(tmp_path / "target")

    with pytest.raises(OSError, match="symbolic links"):
        host_process.lock_file(str(tmp_path / "lock"), wait=False)
    assert not (tmp_path / "target").exists()
