"""``hcsshim logs``: the stdio that was kept of a container."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import click

from hcsshim.cli import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hcsshim import ComputeSystem

_LOOK_SECONDS = 0.2


class Entry(NamedTuple):
    """
    One entry of a log: a line, or a part of a long one.

    Attributes:
        time: As it was written, in UTC.
        stream: ``stdout`` or ``stderr``.
        whole: Whether the line ends here.
        content: Without the end of the line.
    """

    time: str
    stream: str
    whole: bool
    content: bytes


def entries_of(data: bytes) -> Iterator[Entry]:
    """
    Read entries in the log format of the container runtime interface.

    Args:
        data: Whole lines.

    Raises:
        ValueError: A line is none.
    """
    for line in data.split(b"\n")[:-1]:
        parts = line.split(b" ", 3)
        if len(parts) != 4 or parts[1] not in (b"stdout", b"stderr"):
            raise ValueError(f"{line[:60]!r} is no line of a container's log")
        time, stream, tag, content = parts
        yield Entry(time.decode(), stream.decode(), tag[:1] == b"F", content)


class Printer:
    """
    Writes entries where they came from: to stdout and stderr.

    Args:
        stream: Only this one; ``None`` for both.
        times: Write the time before each line.
        tail: How many lines at most, the last of what is there.
    """

    def __init__(self, stream: str | None, tail: int | None, *, times: bool) -> None:
        self._stream = stream
        self._times = times
        self._tail = tail
        self._begun: dict[str, bytes] = {}

    def print(self, entries: Iterator[Entry]) -> None:
        """Write the lines that are complete; what is not waits for its end."""
        lines: list[tuple[str, bytes]] = []
        for entry in entries:
            if self._stream not in (None, entry.stream):
                continue
            begun = self._begun.pop(entry.stream, None)
            if begun is None:
                begun = f"{entry.time} ".encode() if self._times else b""
            line = begun + entry.content
            if entry.whole:
                lines.append((entry.stream, line + b"\n"))
            else:
                self._begun[entry.stream] = line
        if self._tail is not None:
            lines = lines[-self._tail :] if self._tail else []
            self._tail = None
        for stream, line in lines:
            file = sys.stdout if stream == "stdout" else sys.stderr
            file.buffer.write(line)
        sys.stdout.buffer.flush()
        sys.stderr.buffer.flush()


def read_new(file: BinaryIO, rest: bytes) -> tuple[bytes, bytes]:
    """Read what was added to a log; give whole lines, and the begun one."""
    data = rest + file.read()
    end = data.rfind(b"\n") + 1
    return data[:end], data[end:]


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on until the container ends.")
@click.option(
    "-n", "--tail", type=click.IntRange(min=0), help="Only so many lines, the last."
)
@click.option("-t", "--timestamps", is_flag=True, help="Begin each line with its time.")
@click.option("--stream", type=click.Choice(["stdout", "stderr"]), help="Only that.")
@click.option("--raw", is_flag=True, help="The file as it is, in CRI's log format.")
@click.argument("system_id", metavar="ID")
def logs(  # noqa: PLR0913 - click gives every option as an argument
    system_id: str,
    *,
    follow: bool,
    tail: int | None,
    timestamps: bool,
    stream: str | None,
    raw: bool,
) -> None:
    """
    Print what the processes of the container ID wrote.

    It was kept if `hcsshim run` or `create` were told so, with --log.
    """
    path = records.log_path(system_id)
    if path is None:
        raise click.ClickException(
            f"no log is kept of {system_id!r}; ask for one with --log when you run or "
            "create it"
        )
    printer = Printer(stream, tail, times=timestamps)
    with path.open("rb") as file:
        if raw:
            sys.stdout.buffer.write(file.read())
            return
        lines, rest = read_new(file, b"")
        printer.print(entries_of(lines))
        if follow:
            go_on(system_id, file, rest, printer)


def go_on(system_id: str, file: BinaryIO, rest: bytes, printer: Printer) -> None:
    """Print what is added until the container has ended."""
    from hcsshim import ComputeSystem, NotFoundError  # noqa: PLC0415 - lazily

    try:
        system = ComputeSystem.open(system_id)
    except NotFoundError:
        return
    with system:
        ended = False
        while not ended:
            ended = has_ended(system)  # first: what it wrote last is there then
            lines, rest = read_new(file, rest)
            printer.print(entries_of(lines))


def has_ended(system: ComputeSystem) -> bool:
    """Tell whether a system has ended, after waiting a moment for that."""
    from hcsshim import HcsError, HcsTimeoutError  # noqa: PLC0415 - lazily

    try:
        system.wait(timeout=_LOOK_SECONDS)
    except HcsTimeoutError:
        return False
    except HcsError:
        return True  # however it ended, and whoever could tell
    return True


def open_log(system_id: str) -> int | None:
    """Open the log of a container for adding to it, if one is kept."""
    import os  # noqa: PLC0415 - lazily

    path = records.log_path(system_id)
    return None if path is None else os.open(path, os.O_WRONLY | os.O_APPEND)


def open_log_file(path: str) -> int:
    """Open a file for a log, for adding to it; made if it is missing."""
    import os  # noqa: PLC0415 - lazily

    return os.open(Path(path), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
