"""
A process's stdio, joined to our own.

The native relay moves the bytes; Python only waits for the process, passes signals
on, and follows the size of the window.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from hcsshim._native import relay
from hcsshim._native.files import duplicate, standard
from hcsshim.errors import HcsError, NotSupportedError

if sys.platform == "win32":
    from hcsshim.cli.console_windows import raw_terminal
else:
    from hcsshim.cli.console_unix import raw_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from hcsshim import Process

#: Signals that are the process's, not ours. A terminal in raw mode sends Ctrl-C as
#: a byte; these then come from elsewhere.
if sys.platform == "win32":
    PASSED_ON = (signal.SIGINT, signal.SIGBREAK)
    _RESIZED = None
else:
    PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    _RESIZED = signal.SIGWINCH

_FORCE_AFTER = 2  # Ctrl-C that often, and the process is killed


def window_size() -> tuple[int, int]:
    """Give the columns and rows of our terminal; 80 and 24 without one."""
    for file in (0, 1, 2):
        try:
            size = os.get_terminal_size(file)
        except OSError:
            continue
        if size.columns and size.lines:
            return size.columns, size.lines
    return shutil.get_terminal_size().columns, 24


def _signal(process: Process, number: int) -> None:
    """Deliver a signal; a process that cannot have it is killed."""
    try:
        process.signal(number)
    except NotSupportedError:
        process.kill()


@contextmanager
def signals_passed_on(process: Process) -> Iterator[None]:
    """Deliver to the process what would end us; the second Ctrl-C kills it."""
    interrupts = 0

    def deliver(number: int, frame: FrameType | None) -> None:
        nonlocal interrupts
        del frame
        interrupts += number == signal.SIGINT
        try:
            if interrupts >= _FORCE_AFTER:
                process.kill()
            else:
                _signal(process, number)
        except HcsError:
            return  # it has just exited; its exit code tells the rest

    before = {number: signal.signal(number, deliver) for number in PASSED_ON}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def window_followed(process: Process) -> Iterator[None]:
    """Give the process's console the size of our window, now and when it changes."""

    def resize(*_: object) -> None:
        try:
            process.resize_console(*window_size())
        except HcsError:
            return  # it has just exited

    if _RESIZED is None:  # nothing tells of it
        yield
        return
    before = signal.signal(_RESIZED, resize)
    try:
        resize()  # it may have changed since the process was started
        yield
    finally:
        signal.signal(_RESIZED, before)


def attach(
    process: Process,
    *,
    console: bool,
    log: int | None = None,
    ended: Callable[[], None] | None = None,
) -> int:
    """
    Join a process's streams to ours and wait for its end.

    Args:
        process: Just started; its streams are used up.
        console: It has a terminal: ours passes every key on.
        log: A file that keeps what the process writes, in CRI's log format.
        ended: Called when it has ended, and somebody else may still have its output.

    Returns:
        Its exit code.
    """
    with ExitStack() as stack:
        # First: once its output shows, a person may press Ctrl-C.
        stack.enter_context(signals_passed_on(process))
        if console:
            stack.enter_context(raw_terminal())
            stack.enter_context(window_followed(process))
        outputs = []
        for stream, target in ((process.stdout, 1), (process.stderr, 2)):
            if stream is not None:
                transfer = relay.shared().copy(
                    stream.fileno(),
                    standard(target),
                    log=-1 if log is None else log,
                    log_stream=target,
                )
                outputs.append(stack.enter_context(transfer))
                stream.close()
        if process.stdin is not None:
            own = duplicate(process.stdin.fileno())
            process.stdin.close()
            transfer = relay.shared().copy(standard(0), own, own_target=True)
            stack.enter_context(transfer)
        exit_code = process.wait()
        if ended is not None:
            ended()
        for output in outputs:
            output.result()  # what it wrote last is still on its way
    return exit_code
