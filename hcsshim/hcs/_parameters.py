"""From Python's way to say what to run to the documents of HCS."""

from __future__ import annotations

import os
from collections.abc import Mapping

from hcsshim.hcs._calls import as_json, write

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from hcsshim.documents import Document

    #: A command: arguments, one command line, or a whole document.
    Command: TypeAlias = Sequence[str] | str | Document | Mapping[str, object]


def is_document(args: Command) -> bool:
    """Tell whether a command is a document of process parameters."""
    return not isinstance(args, (str, list, tuple)) and (
        isinstance(args, Mapping) or hasattr(args, "__attrs_attrs__")
    )


def command_line(args: Sequence[str] | str) -> str:
    """
    Write a command as the one line that HCS takes.

    Args:
        args: The arguments, or the line itself.

    Raises:
        TypeError: An argument is no text.
        ValueError: There is none.
    """
    if isinstance(args, str):
        line = args
    else:
        from hcsshim.documents.command_line import join  # noqa: PLC0415 - seldom

        line = join([os.fspath(arg) for arg in args])
    if not line.strip():
        raise ValueError("the command is empty")
    return line


def process_parameters(  # noqa: PLR0913 - what a process can be given
    args: Command,
    *,
    env: Mapping[str, str] | None,
    cwd: str | os.PathLike[str] | None,
    user: str | None,
    console_size: tuple[int, int] | None,
    stdin: bool,
    stdout: bool,
    stderr: bool,
) -> str:
    """
    Write the ``ProcessParameters`` document of a command.

    Args:
        args: A command, or a document, which is used as it is.
        env: Variables.
        cwd: Working directory.
        user: Who runs it.
        console_size: Width and height of a console; ``None`` for pipes.
        stdin: Whether to make a pipe for it.
        stdout: As ``stdin``.
        stderr: As ``stdin``; a console has none.

    Raises:
        TypeError: A document comes together with what would be in it.
        ValueError: The command is empty, or a size is not positive.
    """
    if is_document(args):
        if any(value is not None for value in (env, cwd, user, console_size)):
            raise TypeError("env, cwd, user and console_size belong in the document")
        return as_json(args)  # type: ignore[arg-type]  # is_document() has looked
    document: dict[str, object] = {"CommandLine": command_line(args)}  # type: ignore[arg-type]  # as above
    if user is not None:
        document["User"] = user
    if cwd is not None:
        document["WorkingDirectory"] = os.fspath(cwd)
    if env is not None:
        document["Environment"] = dict(env)
    if console_size is not None:
        width, height = check_size(*console_size)
        document["EmulateConsole"] = True
        document["ConsoleSize"] = [height, width]
    if stdin:
        document["CreateStdInPipe"] = True
    if stdout:
        document["CreateStdOutPipe"] = True
    if stderr and console_size is None:
        document["CreateStdErrPipe"] = True
    return write(document)


def check_size(width: int, height: int) -> tuple[int, int]:
    """
    Check the size of a console.

    Raises:
        ValueError: A side is not between 1 and 65535.
    """
    for side in (width, height):
        if not 1 <= side <= 0xFFFF:
            raise ValueError(f"a console is 1 to 65535 characters wide, not {side}")
    return width, height


def resize_request(width: int, height: int) -> str:
    """Write the request that changes the size of a process's console."""
    width, height = check_size(width, height)
    size = {"Height": height, "Width": width}
    return write({"Operation": "ConsoleSize", "ConsoleSize": size})


#: The request that closes a process's stdin from the service's side.
CLOSE_STDIN = '{"Operation":"CloseHandle","CloseHandle":{"Handle":"StdIn"}}'


def signal_options(signal: int | str) -> str:
    """
    Write the options of a signal.

    Args:
        signal: Number of a Linux signal, or name of a Windows control event.

    Source:
        ``SignalProcessOptions`` of the HCS schema, 2.1.
    """
    return write({"Signal": int(signal) if isinstance(signal, int) else signal})


def property_query(types: Sequence[str]) -> str | None:
    """Write the query for some types of properties; ``None`` for the basic ones."""
    return write({"PropertyTypes": [str(name) for name in types]}) if types else None
