"""Which kind of silo this machine has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hcsshim.host.silo import Silo, SiloConfig


def open_silo(config: SiloConfig) -> Silo:
    """
    Begin to make a silo.

    Raises:
        OSError: This machine cannot make one.
    """
    if sys.platform != "linux":
        raise OSError(f"there are no silos for {sys.platform}")
    from hcsshim.host.silo_linux import LinuxSilo  # noqa: PLC0415 - by platform

    return LinuxSilo(config)


def remove_leftovers() -> None:
    """Remove what a host that was killed left on the machine."""
    if sys.platform == "linux":
        from hcsshim.host import silo_linux  # noqa: PLC0415 - by platform

        silo_linux.remove_leftovers()
