"""
How long the faces wait by default.

As in the original library each limit is 240 seconds, and an environment variable
with a positive whole number of seconds replaces it.

Source:
    ``internal/timeout`` of the Go library.
"""

from __future__ import annotations

import os
from time import monotonic

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from typing import Final

_FOUR_MINUTES = 240.0
_PREFIX = "HCSSHIM_TIMEOUT_"


class _Default(float):
    """A number of seconds that stands for "the default of this operation"."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "DEFAULT"


#: For ``timeout=``: the default of the operation, which the environment may replace.
DEFAULT: Final[float] = _Default(_FOUR_MINUTES)


def seconds(timeout: float | None, name: str) -> float | None:
    """
    Give the time limit of an operation.

    Args:
        timeout: What the caller asked for; :data:`DEFAULT` for the default.
        name: The end of the variable's name: ``"SYSTEMSTART"``.

    Raises:
        ValueError: ``timeout`` is negative or no number.
    """
    if timeout is None:
        return None
    if timeout is not DEFAULT:
        if not timeout >= 0:  # also refuses NaN
            raise ValueError(f"timeout must be at least 0, got {timeout!r}")
        return timeout
    text = os.environ.get(_PREFIX + name, "")
    if text.isascii() and text.isdigit() and int(text) > 0:
        return float(text)
    return _FOUR_MINUTES


class Deadline:
    """
    One limit for several waits.

    Args:
        timeout: Seconds from now; ``None`` for no limit.
    """

    __slots__ = ("_end",)

    def __init__(self, timeout: float | None) -> None:
        limit = seconds(timeout, "")
        self._end = None if limit is None else monotonic() + limit

    def left(self, without: float | None = None) -> float | None:
        """
        Give what is left for the next wait.

        Args:
            without: What to give if there is no limit.
        """
        return without if self._end is None else max(0.0, self._end - monotonic())
