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


def new_scratch(system_id: str) -> str:
    """
    Make the folder for what a container writes.

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
    (folder / "scratch").mkdir()
    return str(folder / "scratch")


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
    # overlayfs leaves a folder that nobody, not even its owner, may enter.
    for closed in (doomed / "scratch" / "work").glob("*"):
        closed.chmod(0o700)
    shutil.rmtree(doomed)
    return True
