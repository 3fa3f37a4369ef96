"""Signals by name and number."""

from __future__ import annotations

import signal

import pytest

from hcsshim.documents import ProcessSignal
from hcsshim.oci.signals import linux_signal, windows_signal

ALL = [s for s in signal.Signals if not s.name.startswith("SIGRT")]


@pytest.mark.parametrize("number", ALL, ids=lambda number: number.name)
def test_linux_names(number: signal.Signals) -> None:
    """
    With the prefix, without it, in any case, or by number.
    """
    for text in (number.name, number.name[3:], number.name.lower(), str(int(number))):
        assert number == linux_signal(text)


def test_linux_limits() -> None:
    """
    Nothing is TERM; real-time signals have numbers only.
    """
    assert signal.SIGTERM == linux_signal()
    assert 64 == linux_signal("64")
    for text in ("0", "65", "NONE", "SIGNONE", "-1", "SIG", "1.5"):
        if text == "SIG":
            assert signal.SIGTERM == linux_signal(text)
            continue
        with pytest.raises(ValueError, match="is no signal"):
            linux_signal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ProcessSignal.CTRL_SHUTDOWN),
        ("TERM", ProcessSignal.CTRL_SHUTDOWN),
        ("SIGTERM", ProcessSignal.CTRL_SHUTDOWN),
        ("15", ProcessSignal.CTRL_SHUTDOWN),
        ("6", ProcessSignal.CTRL_SHUTDOWN),
        ("CtrlC", ProcessSignal.CTRL_C),
        ("0", ProcessSignal.CTRL_C),
        ("CTRLBREAK", ProcessSignal.CTRL_BREAK),
        ("1", ProcessSignal.CTRL_BREAK),
        ("CTRLCLOSE", ProcessSignal.CTRL_CLOSE),
        ("2", ProcessSignal.CTRL_CLOSE),
        ("CTRLLOGOFF", ProcessSignal.CTRL_LOG_OFF),
        ("5", ProcessSignal.CTRL_LOG_OFF),
        ("KILL", None),
        ("9", None),
    ],
)
def test_windows_signals(text: str, expected: ProcessSignal | None) -> None:
    """
    Its own, and what those of Linux come closest to.
    """
    assert expected == windows_signal(text)


@pytest.mark.parametrize("text", ["HUP", "3", "64", "USR1"])
def test_windows_has_no_others(text: str) -> None:
    """
    What it cannot say is refused.
    """
    with pytest.raises(ValueError, match="is no signal of Windows"):
        windows_signal(text)
