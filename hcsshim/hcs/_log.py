"""
What is logged of the calls to the service, for programs that log at all.

Importing ``logging`` takes longer than a call. A program that has not imported it
cannot have asked for records either, so it is used only where it is loaded already.
"""

from __future__ import annotations

import sys
from functools import cache
from time import perf_counter

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from logging import Logger

_NAME = "hcsshim.hcs"


def logger() -> Logger | None:
    """Give the logger, or ``None`` if the program does not log."""
    return _logger() if "logging" in sys.modules else None


@cache
def _logger() -> Logger:
    import logging  # noqa: PLC0415 - it is loaded

    found = logging.getLogger(_NAME)
    if not found.handlers:
        found.addHandler(logging.NullHandler())
    return found


def log_call(
    operation: str, system_id: str, hresult: int | None, started: float
) -> None:
    """
    Log a call that was answered or given up, at DEBUG; never a document.

    Args:
        operation: The native call.
        system_id: Of the compute system concerned.
        hresult: How it ended; ``None`` if it was given up.
        started: When, by ``time.perf_counter``.
    """
    log = logger()
    if log is None or not log.isEnabledFor(10):
        return
    log.debug(
        "%s %s: %s after %.1f ms",
        operation,
        system_id,
        "given up" if hresult is None else f"0x{hresult:08X}",
        (perf_counter() - started) * 1000,
        extra={"system": system_id, "operation": operation, "hresult": hresult},
    )


def log_lost_exit(system_id: str, process_id: int) -> None:
    """Warn that a process is gone whose exit the service never told."""
    log = logger()
    if log is not None:
        log.warning(
            "process %d of %s is gone, and its exit code is unknown",
            process_id,
            system_id,
            extra={"system": system_id, "operation": "HcsWaitForProcessExit"},
        )
