"""Signals by name or number: those of Linux, and what they are on Windows."""

from __future__ import annotations

from hcsshim.documents import ProcessSignal

#: Numbers on Linux, whatever the machine that asks.
_NAMES = (
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT "
    "CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
)
_LINUX = {name: number for number, name in enumerate(_NAMES.split(), 1)}
_LINUX |= {"IOT": 6, "CLD": 17, "POLL": 29, "UNUSED": 31}
_LAST_LINUX = 64  # real-time signals have numbers only

_WINDOWS = {
    "CTRLC": ProcessSignal.CTRL_C,
    "CTRLBREAK": ProcessSignal.CTRL_BREAK,
    "CTRLCLOSE": ProcessSignal.CTRL_CLOSE,
    "CTRLLOGOFF": ProcessSignal.CTRL_LOG_OFF,
    "CTRLSHUTDOWN": ProcessSignal.CTRL_SHUTDOWN,
    "TERM": ProcessSignal.CTRL_SHUTDOWN,
    "KILL": None,
}
_WINDOWS_NUMBERS = {
    0: ProcessSignal.CTRL_C,
    1: ProcessSignal.CTRL_BREAK,
    2: ProcessSignal.CTRL_CLOSE,
    5: ProcessSignal.CTRL_LOG_OFF,
    6: ProcessSignal.CTRL_SHUTDOWN,
    9: None,
    15: ProcessSignal.CTRL_SHUTDOWN,
}
KILL = 9


def linux_signal(text: str = "") -> int:
    """
    Read a signal for a Linux process: ``TERM``, ``SIGTERM``, ``15``; TERM if empty.

    Raises:
        ValueError: There is no such signal.
    """
    name = text.upper().removeprefix("SIG") or "TERM"
    number = int(name) if name.isascii() and name.isdigit() else _LINUX.get(name, 0)
    if not 1 <= number <= _LAST_LINUX:
        raise ValueError(f"{text!r} is no signal")
    return number


def windows_signal(text: str = "") -> ProcessSignal | None:
    """
    Read a signal for a Windows process; ``None`` kills it.

    Names and numbers of Linux mean what comes closest.

    Raises:
        ValueError: Windows has no such signal.
    """
    name = text.upper().removeprefix("SIG") or "TERM"
    if name.isascii() and name.isdigit():
        if int(name) in _WINDOWS_NUMBERS:
            return _WINDOWS_NUMBERS[int(name)]
    elif name in _WINDOWS:
        return _WINDOWS[name]
    raise ValueError(f"{text!r} is no signal of Windows")
