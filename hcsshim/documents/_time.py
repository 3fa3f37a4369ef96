"""
Times and durations of HCS, exact to 100 ns.

HCS counts in units of 100 ns ("ticks") and writes times with up to seven fractional
digits. ``datetime`` and ``timedelta`` stop at microseconds, so the classes here are
those, plus the last digit: they compare and calculate like their bases, and a parsed
document is written back unchanged.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import SupportsIndex

TICKS_PER_SECOND = 10_000_000
TICKS_PER_MICROSECOND = 10

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
    r"([Zz]|[+-]\d\d:\d\d)?",
    re.ASCII,
)


class Duration(dt.timedelta):
    """
    A time span made from a count of 100 ns ticks, which it keeps.

    Args:
        ticks: Number of 100 ns units.
    """

    __slots__ = ("ticks",)

    ticks: int

    def __new__(cls, ticks: int) -> Duration:  # noqa: PYI034  # Self is in 3.11
        """Make a span of so many ticks."""
        self = super().__new__(cls, microseconds=ticks // TICKS_PER_MICROSECOND)
        self.ticks = ticks
        return self

    def __bool__(self) -> bool:
        return self.ticks != 0

    def __reduce__(self) -> tuple[type[Duration], tuple[int]]:
        return type(self), (self.ticks,)

    def __repr__(self) -> str:
        return f"Duration(ticks={self.ticks})"


class Timestamp(dt.datetime):
    """A moment in UTC that remembers the text it was parsed from."""

    text: str = ""

    @classmethod
    def parse(cls, text: str) -> Timestamp:
        """
        Read an RFC 3339 time with 0 to 9 fractional digits; no zone means UTC.

        Args:
            text: For example ``2019-10-25T22:16:38.9955661Z``.

        Returns:
            The moment, cut to microseconds, with the text beside it.

        Raises:
            ValueError: It is not a time.
        """
        match = _TIME.fullmatch(text)
        if match is None:
            msg = f"not a time: {text!r}"
            raise ValueError(msg)
        *numbers, fraction, zone = match.groups()
        year, month, day, hour, minute, second = map(int, numbers)
        micro = int((fraction or "0").ljust(6, "0")[:6])
        self = cls(year, month, day, hour, minute, second, micro, dt.timezone.utc)
        if zone is not None and zone not in "Zz":
            self = self - _offset(zone)
        self.text = text
        return self

    def __reduce_ex__(self, _protocol: SupportsIndex) -> tuple[object, tuple[str]]:
        return Timestamp.parse, (format_time(self),)


def _offset(zone: str) -> dt.timedelta:
    """Convert ``+hh:mm`` to a time span."""
    span = dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return -span if zone[0] == "-" else span


def format_time(value: dt.datetime) -> str:
    """
    Write a moment as HCS does: UTC, ``Z``, no more fractional digits than needed.

    Args:
        value: An aware datetime; a naive one is taken as UTC.

    Returns:
        The text, for a parsed ``Timestamp`` the very text it came from.
    """
    text = getattr(value, "text", "")
    if text:
        return str(text)
    if value.tzinfo is not None:
        value = value.astimezone(dt.timezone.utc)
    whole = (
        f"{value.year:04}-{value.month:02}-{value.day:02}"
        f"T{value.hour:02}:{value.minute:02}:{value.second:02}"
    )
    fraction = f".{value.microsecond:06}".rstrip("0") if value.microsecond else ""
    return f"{whole}{fraction}Z"


def ticks_of(value: dt.timedelta) -> int:
    """
    Count the 100 ns ticks in a time span.

    Args:
        value: A span; a ``Duration`` gives its exact count.

    Returns:
        The number of ticks.
    """
    ticks = getattr(value, "ticks", None)
    if isinstance(ticks, int):
        return ticks
    return value // dt.timedelta(microseconds=1) * TICKS_PER_MICROSECOND
