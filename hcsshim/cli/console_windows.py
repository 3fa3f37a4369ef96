"""Our own console on Windows."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

import ctypes  # noqa: E402 - by platform
from ctypes import wintypes  # noqa: E402 - as above

from hcsshim._native.files import standard  # noqa: E402 - as above
from hcsshim._native.win32 import kernel32  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Of console input: keys come as sequences, one by one, and Ctrl-C as a byte.
_RAW_INPUT = 0x200
#: Of console output: it understands sequences.
_SEQUENCES = 0x5


@contextmanager
def raw_terminal() -> Iterator[None]:
    """Let every key through to the process; our console is as before afterwards."""
    if not sys.stdin.isatty():
        yield
        return
    before = [(file, _mode(standard(file))) for file in (0, 1)]
    kernel32.SetConsoleMode(ctypes.c_void_p(standard(0)), _RAW_INPUT)
    kernel32.SetConsoleMode(ctypes.c_void_p(standard(1)), _SEQUENCES)
    try:
        yield
    finally:
        for file, mode in before:
            kernel32.SetConsoleMode(ctypes.c_void_p(standard(file)), mode)


def _mode(handle: int) -> int:
    mode = wintypes.DWORD()
    kernel32.GetConsoleMode(ctypes.c_void_p(handle), ctypes.byref(mode))
    return mode.value
