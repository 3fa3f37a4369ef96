"""Which kind of silo this machine has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.serving.loop import Loop
    from hcsshim.host.silos.port import Silo, SiloConfig
    from hcsshim.host.silos.silo_linux import SpareSilo

#: Seconds from the use of the spare silo until the next is made: the system that
#: took it has been started by then.
_SPARE_AFTER = 0.002


class Silos:
    """Makes silos, and may keep a spare one so that the next comes sooner."""

    def __init__(self) -> None:
        self._call_later: Callable[[float, Callable[[], None]], object] | None = None
        self._spare: SpareSilo | None = None
        self._loop: Loop | None = None

    def use_loop(self, loop: Loop) -> None:
        """Have silos watched by a loop of the host's, where they need one."""
        self._loop = loop

    def keep_spare(
        self, call_later: Callable[[float, Callable[[], None]], object]
    ) -> None:
        """
        Keep a spare silo from now on.

        Args:
            call_later: Has something called after some seconds.
        """
        self._call_later = call_later

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
            return WindowsSilo(config, self._loop)
        if sys.platform != "linux":
            raise OSError(f"there are no silos for {sys.platform}")
        return self._open_linux(config)

    def _open_linux(self, config: SiloConfig) -> Silo:
        from hcsshim.host.silos.silo_linux import (  # noqa: PLC0415 - by platform
            LinuxSilo,
            SpareSilo,
        )

        if self._call_later is None:
            return LinuxSilo(config)
        if self._spare is None:
            self._spare = SpareSilo()
        silo = LinuxSilo(config, self._spare)
        self._call_later(_SPARE_AFTER, self._spare.prepare)
        return silo

    def close(self) -> None:
        """Let the spare one end."""
        if self._spare is not None:
            self._spare.close()


def remove_leftovers() -> None:
    """Remove what a host that was killed left on the machine."""
    if sys.platform == "linux":
        from hcsshim.host.silos import silo_linux  # noqa: PLC0415 - by platform

        silo_linux.remove_leftovers()
