"""
What is kept of containers that ended: a scratch folder and how it ended.

HCS itself forgets a system when it stops. ``run`` with layers and without ``--rm``
keeps what the command wrote, and this record of it, until ``rm``.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from time import time

import attrs

from hcsshim._native.host_process import state_folder


@attrs.frozen(kw_only=True)
class Record:
    """
    A container that ended.

    Args:
        id: Its id.
        command: What ran in it.
        exit_code: How that ended; ``None`` if it was cut short.
        created: When it was made, in seconds since 1970.
        ended: When it ended.
    """

    id: str
    command: tuple[str, ...]
    exit_code: int | None
    created: float
    ended: float


def _folder() -> Path:
    return Path(state_folder(), "containers")


def _folder_of(system_id: str) -> Path:
    """Give the folder of a container; an id is no path."""
    name = "".join(
        c if c.isalnum() or c in "-_." else f"%{ord(c):x}" for c in system_id
    )
    return _folder() / (name if name.strip(".") else f"%{name}")


@attrs.frozen(kw_only=True)
class Folder:
    """
    What is kept of one container on disk.

    Args:
        path: Of the folder.
        system_id: The container's id; ``None`` for one that was being removed.
        size_bytes: All that is in it.
    """

    path: str
    system_id: str | None
    size_bytes: int


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(place, name).lstat().st_size
            except OSError:  # noqa: PERF203 - it was removed meanwhile
                continue
    return total


def folders() -> list[Folder]:
    """List what is kept, whoever it is of."""
    found = []
    for path in sorted(_folder().glob("*")):
        name: str | None = None
        if not path.name.startswith("."):
            try:
                name = (path / "id").read_text("utf-8")
            except OSError:
                name = path.name
        found.append(Folder(path=str(path), system_id=name, size_bytes=_size(path)))
    return found


def new_folder(system_id: str, *, scratch: bool, log: bool) -> str | None:
    """
    Make the folder for what is kept of a container.

    Args:
        system_id: Its id.
        scratch: Whether what it writes is kept.
        log: Whether the stdio of its processes is kept.

    Returns:
        The path for what it writes, if that is kept.

    Raises:
        FileExistsError: Something is kept of a container of this id.
    """
    folder = _folder_of(system_id)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise FileExistsError(
            f"something is kept of a container {system_id!r}; "
            f"remove it with: hcsshim rm {system_id}"
        ) from None
    (folder / "id").write_text(system_id, "utf-8")
    if log:
        (folder / "log").touch(mode=0o600)
    if not scratch:
        return None
    (folder / "scratch").mkdir()
    return str(folder / "scratch")


def log_path(system_id: str) -> Path | None:
    """Give the file that keeps the stdio of a container; ``None`` if none does."""
    path = _folder_of(system_id) / "log"
    return path if path.exists() else None


def keep(record: Record) -> None:
    """Write the record of a container whose scratch folder is kept."""
    folder = _folder_of(record.id)
    temporary = folder / f".record.{os.getpid()}"
    temporary.write_text(json.dumps(attrs.asdict(record)), "utf-8")
    temporary.replace(folder / "record.json")


def kept() -> list[Record]:
    """List the containers of which something is kept, the newest last."""
    records = []
    for path in _folder().glob("*/record.json"):
        data = json.loads(path.read_text("utf-8"))
        data["command"] = tuple(data["command"])
        records.append(Record(**data))
    return sorted(records, key=lambda record: record.ended)


def remove(system_id: str) -> bool:
    """Remove what is kept of a container; tells whether there was anything."""
    folder = _folder_of(system_id)
    if not folder.exists():
        return False
    # Renamed first, so that an interrupted removal leaves no half container.
    doomed = folder.with_name(f".{folder.name}.{os.getpid()}.{time():.0f}")
    folder.rename(doomed)
    _remove(doomed)
    return True


def remove_rubbish(path: str) -> None:
    """Remove a folder whose removal was cut short; gone already is fine."""
    if Path(path).parent == _folder() and Path(path).exists():
        _remove(Path(path))


def _remove(doomed: Path) -> None:
    # overlayfs leaves a folder that nobody, not even its owner, may enter.
    for closed in (doomed / "scratch" / "work").glob("*"):
        closed.chmod(0o700)
    shutil.rmtree(doomed)
