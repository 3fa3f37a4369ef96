"""Which kind of silo this machine has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.serving.loop import Loop
    from hcsshim.host.silos.launch_linux import Remains, SpareSilos
    from hcsshim.host.silos.port import Silo, SiloConfig


class Silos:
    """
    Makes silos; on Linux it keeps spare ones, so that the next comes sooner.

    Args:
        log: Told what a silo is not that somebody might think it is.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._loop: Loop | None = None
        self._spares: SpareSilos | None = None
        self._remains: Remains | None = None

    def use_loop(self, loop: Loop) -> None:
        """Have silos watched by a loop of the host's, and spare ones made by it."""
        self._loop = loop

    def open(self, config: SiloConfig) -> Silo:
        """
        Begin to make a silo.

        Raises:
            OSError: This machine cannot make one.
        """
        if sys.platform == "win32":
            from hcsshim.host.silos.silo_windows import WindowsSilo  # noqa: PLC0415

            if self._loop is None:
                raise OSError("silos of Windows need the host's loop")
            return WindowsSilo(config, self._loop, self._log)
        if sys.platform != "linux":
            raise OSError(f"there are no silos for {sys.platform}")
        return self._open_linux(config)

    def _open_linux(self, config: SiloConfig) -> Silo:
        from hcsshim.host.silos.launch_linux import (  # noqa: PLC0415
            Remains,
            SpareSilos,
        )
        from hcsshim.host.silos.silo_linux import LinuxSilo  # noqa: PLC0415 - by platform

        if self._loop is None:
            return LinuxSilo(config)
        if self._remains is None:
            self._remains = Remains(self._loop)
            self._spares = SpareSilos(self._loop, self._remains)
        return LinuxSilo(config, self._spares, self._remains)

    def close(self) -> None:
        """Let the spare ones end, and wait until nothing is left of any."""
        if self._spares is not None:
            self._spares.close()
        if self._remains is not None:
            self._remains.close()


def remove_leftovers() -> None:
    """Remove what a host that was killed left on the machine."""
    if sys.platform == "linux":
        from hcsshim.host.silos import silo_linux  # noqa: PLC0415 - by platform

        silo_linux.remove_leftovers()
