"""Our own terminal on POSIX systems."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

assert sys.platform != "win32"  # noqa: S101 - tells type checkers, too

import termios  # noqa: E402 - by platform
import tty  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def raw_terminal() -> Iterator[None]:
    """Let every key through to the process; our terminal is as before afterwards."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSADRAIN)  # what was typed ahead stays
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
