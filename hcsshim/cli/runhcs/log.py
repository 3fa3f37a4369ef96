"""Logs of ``runhcs``: a line each, as text or as JSON, with level, message and time."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

#: Only administrators can make pipes whose names begin like this.
SAFE_PIPE = "\\\\.\\pipe\\ProtectedPrefix\\Administrators\\"
_PIPE = "\\\\.\\pipe\\"

_LEVELS = {"CRITICAL": "fatal", "WARNING": "warning"}
_PLAIN = re.compile(r"[A-Za-z0-9\-._/@^+]+")


class TextFormatter(logging.Formatter):
    """``time="..." level=info msg="..."``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        message = record.getMessage()
        quoted = message if _PLAIN.fullmatch(message) else json.dumps(message)
        return f'time="{_time(record)}" level={_level(record)} msg={quoted}'


class JsonFormatter(logging.Formatter):
    """``{"level": "info", "msg": "...", "time": "..."}``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        return json.dumps(
            {
                "level": _level(record),
                "msg": record.getMessage(),
                "time": _time(record),
            },
            separators=(",", ":"),
        )


def _time(record: logging.LogRecord) -> str:
    moment = dt.datetime.fromtimestamp(record.created, dt.timezone.utc).astimezone()
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _level(record: logging.LogRecord) -> str:
    return _LEVELS.get(record.levelname, record.levelname.lower())


def open_log(path: str, log_format: str, *, debug: bool) -> None:
    """
    Send what this package logs to a file or a pipe.

    Args:
        path: Of the file, which is appended to; empty or ``nul`` for none.
        log_format: ``text`` or ``json``.
        debug: Whether to log every detail.

    Raises:
        OSError: It cannot be opened.
        ValueError: It is a pipe that anybody could have made.
    """
    logger = logging.getLogger("hcsshim")
    logger.addHandler(logging.NullHandler())  # or warnings go to stderr
    if path in ("", "nul", os.devnull):
        return
    if path.startswith(_PIPE) and not path.startswith(SAFE_PIPE):
        raise ValueError(f"a log pipe must begin with {SAFE_PIPE}, not {path!r}")
    stream: TextIO = open(path, "a", encoding="utf-8")  # noqa: SIM115, PTH123 - until we end
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
