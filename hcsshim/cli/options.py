"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_MIB = 1 << 20


class Size(click.ParamType[int]):
    """A size in bytes, with a unit if one is given: ``512m``, ``2g``, ``1.5GiB``."""

    name = "size"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Read a size; the result is in bytes."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(
            r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", str(value).strip(), re.IGNORECASE
        )
        size = 0
        if match is not None:
            size = int(float(match[1]) * _UNITS[match[2].lower()])
        if size <= 0:
            self.fail(f"{value!r} is no size; write it like 512m or 2g", param, ctx)
        return size


@attrs.frozen
class Volume:
    """
    A directory of the machine that a container sees.

    Args:
        source: Absolute path on the machine.
        target: Absolute path in the container.
        read_only: Whether writes are refused.
    """

    source: str
    target: str
    read_only: bool


class VolumeType(click.ParamType[Volume]):
    """``SRC:DST`` or ``SRC:DST:ro``."""

    name = "volume"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Volume:
        """Read a volume; the source must be a directory."""
        if isinstance(value, Volume):
            return value
        # A target may be a Windows path, whose drive has a colon of its own.
        match = re.fullmatch(
            r"(.+?):((?:[A-Za-z]:)?[/\\][^:]*)(?::(ro|rw))?", str(value)
        )
        if match is None:
            self.fail(f"{value!r} is not SRC:DST or SRC:DST:ro", param, ctx)
        source = Path(match[1]).expanduser().absolute()
        if not source.is_dir():
            self.fail(f"{match[1]!r} is no directory of this machine", param, ctx)
        return Volume(str(source), match[2], match[3] == "ro")


class Variable(click.ParamType[tuple[str, str]]):
    """``NAME=VALUE``, or ``NAME`` for the value that it has here."""

    name = "variable"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, str]:
        """Read an environment variable."""
        import os  # noqa: PLC0415 - for the second form only

        if isinstance(value, tuple):
            return value[0], value[1]
        name, equals, text = str(value).partition("=")
        if not name:
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        return name, text if equals else os.environ.get(name, "")


def read_env_file(path: Path) -> dict[str, str]:
    """
    Read variables from a file: one ``NAME=VALUE`` a line, ``#`` begins a comment.

    Raises:
        click.BadParameter: A line is none of these; the message names it.
    """
    variables = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(
                f"line {number} of {str(path)!r} is not NAME=VALUE",
                param_hint="--env-file",
            )
        variables[name] = value
    return variables


def environment(
    variables: tuple[tuple[str, str], ...], files: tuple[Path, ...]
) -> dict[str, str]:
    """Put the variables of ``--env-file`` and ``-e`` together; the latter win."""
    merged: dict[str, str] = {}
    for file in files:
        merged.update(read_env_file(file))
    merged.update(variables)
    return merged


def container_options(command: F) -> F:
    """Add the options that say what a container is made of."""
    for option in reversed(
        (
            click.option(
                "--layer",
                "layers",
                multiple=True,
                metavar="DIR",
                type=click.Path(exists=True, file_okay=False, resolve_path=True),
                help="A layer of the file system, the topmost first; repeatable. "
                "Without one: this machine's own root, read-only.",
            ),
            click.option(
                "--scratch",
                metavar="DIR",
                type=click.Path(file_okay=False, resolve_path=True),
                help="Where writes go, and stay.",
            ),
            click.option(
                "-v",
                "--volume",
                "volumes",
                multiple=True,
                metavar="SRC:DST[:ro]",
                type=VolumeType(),
                help="Show a directory of this machine in the container; repeatable.",
            ),
            click.option("--hostname", help="The name that the container sees."),
            click.option(
                "--memory", type=Size(), metavar="SIZE", help="Limit: 512m, 2g."
            ),
            click.option(
                "--cpus",
                type=click.FloatRange(min=0, min_open=True),
                metavar="N",
                help="Limit of processor time, in processors: 0.5, 2.",
            ),
            click.option(
                "--unisolated",
                is_flag=True,
                help="Run straight on this machine, without namespaces.",
            ),
        )
    ):
        command = option(command)
    return command


def process_options(command: F) -> F:
    """Add the options that say how a process runs."""
    for option in reversed(
        (
            click.option(
                "-e",
                "--env",
                "variables",
                multiple=True,
                metavar="NAME[=VALUE]",
                type=Variable(),
                help="Set an environment variable; repeatable.",
            ),
            click.option(
                "--env-file",
                "env_files",
                multiple=True,
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                help="Set the variables that a file lists, a line each.",
            ),
            click.option(
                "-w", "--workdir", metavar="DIR", help="Where the command starts."
            ),
            click.option("-u", "--user", help="Who runs the command."),
            click.option(
                "-i", "--interactive", is_flag=True, help="Pass stdin to the command."
            ),
            click.option(
                "-t", "--tty", is_flag=True, help="Give the command a terminal."
            ),
        )
    ):
        command = option(command)
    return command


def container_text(  # noqa: PLR0913 - the options of container_options
    *,
    layers: tuple[str, ...],
    scratch: str | None,
    volumes: tuple[Volume, ...],
    hostname: str | None,
    memory: int | None,
    cpus: float | None,
    unisolated: bool,
    keep: bool,
) -> str:
    """Write the document of a container from the options of a command."""
    from hcsshim import container_document  # noqa: PLC0415 - only when it is needed

    text = container_document(
        layers=layers,
        scratch=scratch,
        hostname=hostname,
        mounts=[(volume.source, volume.target, volume.read_only) for volume in volumes],
        memory_in_mb=None if memory is None else max(1, memory // _MIB),
        cpus=cpus,
        keep=keep,
    )
    if unisolated:
        import json  # noqa: PLC0415 - as above

        document = json.loads(text)
        document["EmbeddedHost"] = {"Isolation": "None"}
        text = json.dumps(document)
    return text
