"""The connection that is used when a caller names none."""

from __future__ import annotations

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service


def connected() -> Service:
    """
    Give the process's shared connection, made on first use.

    Raises:
        HcsError: No service answers, and none can be started.
    """
    from hcsshim._native.service import shared  # noqa: PLC0415 - loads the extension

    return shared()
