"""Logs of ``runhcs``: a line each, as text or as JSON."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from typing import TYPE_CHECKING

import pytest

from hcsshim.cli.runhcs.log import JsonFormatter, TextFormatter, open_log

from .conftest import config

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Bundle, Command


def record(message: str, level: int = logging.WARNING) -> logging.LogRecord:
    """Make a record of the log."""
    return logging.LogRecord("hcsshim", level, "", 0, message, (), None)


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("word", "word"),
        ("two words", '"two words"'),
        ('a "quote"\n', r'"a \"quote\"\n"'),
        ("", '""'),
    ],
)
def test_text(message: str, written: str) -> None:
    """
    Quotes only where they are needed; always one line.
    """
    line = TextFormatter().format(record(message))

    match = re.fullmatch(r'time="([^"]+)" level=warning msg=(.+)', line)
    assert match is not None
    assert written == match[2]
    assert dt.datetime.fromisoformat(match[1].replace("Z", "+00:00")).tzinfo


def test_json() -> None:
    """
    An object with level, message and time.
    """
    entry = json.loads(JsonFormatter().format(record('a "b"', logging.ERROR)))

    assert ("error", 'a "b"') == (entry["level"], entry["msg"])
    assert {"level", "msg", "time"} == set(entry)


def test_a_pipe_that_anybody_could_have_made_is_refused() -> None:
    """
    Only administrators can make those with the prefix.
    """
    with pytest.raises(ValueError, match="a log pipe must begin with"):
        open_log("\\\\.\\pipe\\mine", "text", debug=False)


@pytest.mark.host
def test_failures_are_logged(runhcs: Command, tmp_path: Path) -> None:
    """
    What a command says on stderr is in the log, too; both are one line.
    """
    log = tmp_path / "log"

    for style in ("text", "json"):
        failed = runhcs(
            *("--log", str(log), "--log-format", style, "state", "nobody"), code=1
        )
        assert b"runhcs: container 'nobody' does not exist\n" == failed.stderr

    text, structured = log.read_text().splitlines()
    assert text.endswith("level=error msg=\"container 'nobody' does not exist\"")
    assert "container 'nobody' does not exist" == json.loads(structured)["msg"]


@pytest.mark.host
def test_shims_log_where_they_are_told(
    runhcs: Command, bundle: Bundle, container_id: str, tmp_path: Path
) -> None:
    """
    A life in three lines; what cannot be fulfilled is a warning; no variable of the
    environment is in it.
    """
    specification = config("exit 3", env=["SECRET=hush", "PATH=/usr/bin:/bin"])
    specification["linux"] = {"sysctl": {"a": "b"}}
    folder = str(bundle(specification))
    log = tmp_path / "shim.log"

    runhcs(
        *("--debug", "--log-format", "json", "run", "-b", folder),
        *("--shim-log", str(log), container_id),
        code=3,
    )

    text = log.read_text()
    entries = [json.loads(line) for line in text.splitlines()]
    told = [entry["msg"] for entry in entries if entry["level"] == "info"]
    assert [
        f"container {container_id!r} is created",
        f"container {container_id!r} is started",
        f"container {container_id!r} has ended with 3",
    ] == told
    warned = [entry["msg"] for entry in entries if entry["level"] == "warning"]
    assert f"container {container_id!r}: linux.sysctl: it has no effect" in warned
    assert "hush" not in text
