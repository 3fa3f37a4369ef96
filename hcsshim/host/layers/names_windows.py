r"""
Names of volumes, and links, on Windows.

A writable layer of Windows is a disk, whose volume clients know by its name,
``\\?\Volume{GUID}``; many take no other path. Here it is a folder, which has such a
name for as long as it is mounted, as ``subst`` gives one a letter.

Wine finds devices by links in a folder of its own, and makes no reparse points, but
it starts the machine's programs: there ``ln`` makes both.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
import time
from typing import TYPE_CHECKING

from hcsshim._native.win32 import failure, kernel32

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_BROADCAST = 8
_REMOVE_DEFINITION = 2
_PROGRAMS = "\\\\?\\unix\\bin\\"
_DRIVE = "C:\\"
_LONGEST_WAIT = 30.0  # for a program that makes a link
_STEP = 0.002


def name_volume(folder: str) -> str:
    r"""
    Give a folder the name of a volume.

    Returns:
        ``\\?\Volume{GUID}``, always the same for a folder; the folder itself if this
        machine gives it no such name.
    """
    device = _device_of(folder)
    try:
        if is_wine():
            _link_by_program(_unix_path(folder), _wine_device(device))
            _wait(lambda: os.path.isdir(f"\\\\?\\{device}\\"), folder)
        elif not kernel32.DefineDosDeviceW(_NO_BROADCAST, device, folder):
            return folder
    except OSError:
        return folder
    return f"\\\\?\\{device}"


def forget_volume(folder: str) -> None:
    """Take the name away that a folder was given."""
    device = _device_of(folder)
    if is_wine():
        with contextlib.suppress(OSError):  # a name too many does no harm
            _start("rm", "-f", "--", _wine_device(device))
            _wait(lambda: not os.path.isdir(f"\\\\?\\{device}\\"), folder)
    else:
        flags = _NO_BROADCAST | _REMOVE_DEFINITION
        kernel32.DefineDosDeviceW(flags, device, None)


def link(source: str, place: str) -> None:
    """
    Let a folder be seen at another path, or a file.

    Raises:
        OSError: This machine cannot.
    """
    if is_wine():
        _link_by_program(_unix_path(source), _unix_path(place))
        _wait(lambda: os.path.exists(place), place)
    elif os.path.isdir(source):
        import _winapi  # noqa: PLC0415 - Windows' own

        _winapi.CreateJunction(source, place)
    else:
        os.link(source, place)


def unlink(place: str) -> None:
    """
    Remove what :func:`link` made, nothing of what it leads to.

    Raises:
        OSError: It cannot be removed.
    """
    if is_wine():
        _start("rm", "-f", "--", _unix_path(place))
        _wait(lambda: not os.path.lexists(place), place)
    elif os.path.isdir(place):
        os.rmdir(place)
    else:
        os.unlink(place)


def is_link(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a folder that lies elsewhere."""
    attributes = entry.stat(follow_symlinks=False).st_file_attributes
    reparses = stat.FILE_ATTRIBUTE_DIRECTORY | stat.FILE_ATTRIBUTE_REPARSE_POINT
    return attributes & reparses == reparses


def is_wine() -> bool:
    """Tell whether this is Wine."""
    return hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


def _device_of(folder: str) -> str:
    from uuid import NAMESPACE_URL, uuid5  # noqa: PLC0415 - seldom needed

    return f"Volume{{{uuid5(NAMESPACE_URL, os.path.normcase(folder))}}}"


def _unix_path(path: str) -> str:
    convert = kernel32.wine_get_unix_file_name
    convert.restype = ctypes.c_void_p
    found = convert(ctypes.c_wchar_p(path))
    if not found:
        raise failure(path)
    text = ctypes.string_at(found).decode(errors="surrogateescape")
    kernel32.GetProcessHeap.restype = ctypes.c_void_p
    heap = ctypes.c_void_p(kernel32.GetProcessHeap())
    kernel32.HeapFree(heap, 0, ctypes.c_void_p(found))
    return text.rstrip("/")


def _wine_device(device: str) -> str:
    """Give the path where Wine looks for a device: beside the drives."""
    return f"{_unix_path(_DRIVE)[: -len('c:')]}{device.lower()}"


def _link_by_program(source: str, place: str) -> None:
    _start("ln", "-sfn", "--", source, place)


def _start(program: str, *arguments: str) -> None:
    """Start a program of the machine under Wine, which tells nothing of its end."""
    import _winapi  # noqa: PLC0415 - Windows' own
    from subprocess import STARTUPINFO  # noqa: PLC0415 - seldom needed

    from hcsshim.documents.command_line import join  # noqa: PLC0415 - seldom needed

    line = join((program, *arguments))
    path = f"{_PROGRAMS}{program}"
    _winapi.CreateProcess(
        path, line, None, None, False, 0, dict(os.environ), None, STARTUPINFO()
    )


def _wait(done: Callable[[], bool], path: str) -> None:
    deadline = time.monotonic() + _LONGEST_WAIT
    while not done():
        if time.monotonic() > deadline:
            raise OSError(errno.ETIMEDOUT, "The link was not made", path)
        time.sleep(_STEP)
