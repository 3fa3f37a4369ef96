"""Paths in documents: those of the machine, and those that a container sees."""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
import sys

from hcsshim.host.results import refuse, refuse_errno
from hcsshim.hresult import HResult

_DRIVE = re.compile(r"(?:\\\\\?\\|//\?/)?[A-Za-z]:(?=[\\/]|$)")


def container_path(path: str) -> str:
    r"""
    Give the path of this machine's kind that a path of a container means.

    On POSIX ``C:\data\logs`` is ``/data/logs``, as is ``/data/logs``; on Windows both
    are ``C:\data\logs``. It is always absolute and never climbs above the root.
    """
    if sys.platform == "win32":
        drive, rest = ntpath.splitdrive(path.removeprefix("\\\\?\\"))
        return ntpath.normpath(f"{drive or 'C:'}\\{rest}")
    drive = _DRIVE.match(path)
    if drive is not None:
        path = path[drive.end() :].replace("\\", "/")
    elif path.startswith("\\"):
        path = path.replace("\\", "/")
    return posixpath.normpath("/" + path.lstrip("/"))


def machine_directory(path: str, role: str) -> str:
    """
    Check a directory of the machine.

    Args:
        path: As the document has it.
        role: What it is for, to say so: ``"layer"``.

    Raises:
        Refusal: It is not there, as Windows refuses it, or is a file.
    """
    machine_path(path, role)
    if not os.path.isdir(path):
        raise refuse(
            HResult.ERROR_DIRECTORY, f"The {role} '{path}' is not a directory."
        )
    return path


def machine_path(path: str, role: str) -> str:
    """
    Check a directory or a file of the machine.

    Args:
        path: As the document has it.
        role: What it is for.

    Raises:
        Refusal: It is not there, as Windows refuses it.
    """
    if not os.path.isabs(path):
        raise refuse(
            HResult.ERROR_PATH_NOT_FOUND,
            f"The {role} '{path}' is not an absolute path of this machine.",
        )
    try:
        os.stat(path)
    except OSError as error:
        absent = isinstance(error, (FileNotFoundError, NotADirectoryError))
        raise refuse_errno(
            error.errno or 0,
            f"The {role} '{path}' cannot be used",
            HResult.ERROR_PATH_NOT_FOUND if absent else None,
        ) from None
    return path
