"""``hcsshim trace``: what was recorded with ``HCSSHIM_TRACE=file``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcsshim.cli.show import json_option
from hcsshim.cli.tables import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hcsshim._native.trace_file import Entry

STATS = ("CALL", "COUNT", "FAILED", "TOTAL MS", "MEAN MS", "MEDIAN MS", "MOST MS")
_SHOWN = 100
_STOP_SECONDS = 30.0
#: What a replay exits with that was asked for what its trace does not have.
_MISSED = 3

file_argument = click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False)
)


@click.group()
def trace() -> None:
    """
    Look at recorded calls to HCS, and replay them.

    Any program that uses this library records with HCSSHIM_TRACE=FILE in its
    environment: each call, its answer and each event, with times. Values of
    environments and credentials are masked.

    \b
    Examples:
      HCSSHIM_TRACE=t.jsonl hcsshim run -- echo hello
      hcsshim trace show t.jsonl
      hcsshim trace replay t.jsonl -- python problem.py
    """  # noqa: D301 - click's mark for text to be left as it is


def read(file: str) -> list[Entry]:
    """Read a trace."""
    from hcsshim._native.trace_file import read_trace  # noqa: PLC0415 - lazily

    return list(read_trace(file))


def shorten(text: str) -> str:
    """Cut a text to what fits on a line."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def line_of(entry: Entry) -> str:
    """Write an entry on one line, for a person."""
    from hcsshim.hcs._events import EventType  # noqa: PLC0415 - lazily
    from hcsshim.hresult import name_of  # noqa: PLC0415 - as above

    head = f"{entry.at:10.6f} {entry.pid:>7} "
    code = f"0x{entry.hresult:08X}"
    if entry.kind in ("call", "send"):
        arguments = ", ".join(map(argument_of, entry.arguments))
        made = f" -> handle {entry.handle:#x}" if entry.handle else ""
        mark = f"#{entry.id}" if entry.kind == "call" else "(no answer wanted)"
        return f"{head}> {entry.call}({arguments}){made} {mark}"
    if entry.kind == "answer":
        named = f"{code} {name_of(entry.hresult)}".strip()
        took = f"{entry.seconds * 1000:.3f} ms"
        document = f" {shorten(entry.document)}" if entry.document else ""
        return f"{head}< {entry.call} #{entry.id}: {named} after {took}{document}"
    if entry.kind == "event":
        kinds = {int(kind): kind.name for kind in EventType}
        kind = kinds.get(entry.type, f"{entry.type:#x}")
        document = f" {shorten(entry.document)}" if entry.document else ""
        return f"{head}! {kind} of handle {entry.handle:#x}: {code}{document}"
    return f"{head}  {entry.kind} {entry.call} {f'#{entry.id}' if entry.id else ''}"


def argument_of(argument: str | int | None) -> str:
    """Write an argument; documents are cut."""
    if argument is None:
        return "none"
    return shorten(argument) if isinstance(argument, str) else f"{argument:#x}"


@trace.command()
@json_option
@file_argument
def show(file: str, *, as_json: bool) -> None:
    """Print what was called, answered and told, in order."""
    entries = read(file)
    if as_json:
        print_json([entry._asdict() for entry in entries])
        return
    for entry in entries:
        click.echo(line_of(entry).rstrip())


def figures_of(entries: Iterable[Entry]) -> list[dict[str, object]]:
    """Count calls, failures and times, by name; what took longest comes first."""
    times: dict[str, list[float]] = {}
    failed: dict[str, int] = {}
    called: dict[str, int] = {}
    for entry in entries:
        if entry.kind in ("call", "send"):
            called[entry.call] = called.get(entry.call, 0) + 1
        elif entry.kind == "answer":
            times.setdefault(entry.call, []).append(entry.seconds)
            if entry.hresult & 0x80000000:
                failed[entry.call] = failed.get(entry.call, 0) + 1
    found: list[dict[str, object]] = []
    for call in sorted(called, key=lambda name: -sum(times.get(name, ()))):
        own = sorted(times.get(call, [0.0]))
        found.append(
            {
                "call": call,
                "count": called[call],
                "failed": failed.get(call, 0),
                "total_ms": 1000 * sum(own),
                "mean_ms": 1000 * sum(own) / len(own),
                "median_ms": 1000 * own[len(own) // 2],
                "most_ms": 1000 * own[-1],
            }
        )
    return found


@trace.command()
@json_option
@file_argument
def stats(file: str, *, as_json: bool) -> None:
    """Count calls and failures, and tell what took how long."""
    figures = figures_of(read(file))
    if as_json:
        print_json(figures)
        return
    rows = [
        dict(zip(STATS, (number_of(value) for value in item.values()), strict=True))
        for item in figures
    ]
    print_table(STATS, rows)


def number_of(value: object) -> str:
    """Write a figure."""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@trace.command(context_settings={"ignore_unknown_options": True})
@click.option("--real-time", is_flag=True, help="Answer as slowly as it was then.")
@file_argument
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def replay(file: str, command: tuple[str, ...], *, real_time: bool) -> int:
    """
    Serve a trace as a host: clients are answered with what was answered then.

    With COMMAND, that is run with HCSSHIM_HOST set to it; the exit code is the
    command's, or 3 if it asked for what the trace does not have. Without, the socket's
    path is printed, and it serves until Ctrl-C. The streams of processes are not in a
    trace, and are empty.
    """
    read(file)  # what is no trace is told now
    folder = tempfile.mkdtemp(prefix="hcsshim-replay-")
    try:
        path = str(Path(folder, "host.sock"))
        arguments = [sys.executable, "-m", "hcsshim.host.replay", file, path]
        arguments += ["--real-time"] if real_time else []
        server = subprocess.Popen(arguments, stdout=subprocess.PIPE)
        assert server.stdout is not None  # noqa: S101 - it was asked for
        with server.stdout as ready:
            started = ready.readline()
        if not started:
            return server.wait()
        return serve(server, path, command)
    finally:
        shutil.rmtree(folder)


def serve(server: subprocess.Popen[bytes], path: str, command: tuple[str, ...]) -> int:
    """Let the replay serve a command, or whoever comes; give the exit code."""
    from hcsshim._native.host_process import SOCKET_VARIABLE  # noqa: PLC0415 - lazily
    from hcsshim._native.trace import VARIABLE  # noqa: PLC0415 - as above

    exit_code = 0
    try:
        if command:
            environment = {**os.environ, SOCKET_VARIABLE: path}
            environment.pop(VARIABLE, None)
            exit_code = subprocess.run(command, env=environment, check=False).returncode
        else:
            click.echo(f"export {SOCKET_VARIABLE}={path}")
            server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        if server.poll() is None:
            server.terminate()
    missed = server.wait(_STOP_SECONDS) == _MISSED
    return exit_code or (_MISSED if missed else 0)
