"""Processes of a specification: to the parameters that HCS starts them with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim.documents import LcowProcessParameters, ProcessParameters, to_dict
from hcsshim.documents.command_line import join

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hcsshim.oci.spec import Process

_LONGEST_SIDE = 0x7FFF


def process_parameters(
    process: Process,
    *,
    linux: bool,
    stdin: bool = True,
    console_size: tuple[int, int] | None = None,
) -> ProcessParameters:
    """
    Write the parameters of a process.

    A Linux container gets the specification's own process, as Linux guests do; it
    keeps variables with an empty value, which Windows has not.

    Args:
        process: Of a specification, or of ``process.json``.
        linux: Whether the container is one of Linux.
        stdin: Whether anything will be written to it.
        console_size: Width and height, where the process says none.

    Raises:
        ValueError: An argument cannot be put on a Windows command line.
    """
    terminal = bool(process.terminal)
    size: tuple[int, ...] = ()
    if terminal:
        size = _size(process) or (console_size[::-1] if console_size else ())
    if linux:
        return LcowProcessParameters(
            oci_process=to_dict(process),
            emulate_console=terminal,
            console_size=size,
            create_std_in_pipe=stdin,
            create_std_out_pipe=True,
            create_std_err_pipe=not terminal,
        )
    return ProcessParameters(
        command_line=process.command_line or join(process.args),
        user=None if process.user is None else process.user.username,
        working_directory=process.cwd,
        environment=environment(process.env),
        emulate_console=terminal,
        console_size=size,
        create_std_in_pipe=stdin,
        create_std_out_pipe=True,
        create_std_err_pipe=not terminal,
    )


def environment(entries: tuple[str, ...]) -> Mapping[str, str]:
    """
    Read variables, each ``NAME=value``.

    Those without a value are left out: on Windows an empty one is none.
    """
    pairs = (entry.partition("=") for entry in entries)
    return {name: value for name, _, value in pairs if name and value}


def _size(process: Process) -> tuple[int, ...]:
    """Height and width; nothing if one of them is not set."""
    box = process.console_size
    if box is None or not box.height or not box.width:
        return ()
    return (min(box.height, _LONGEST_SIDE), min(box.width, _LONGEST_SIDE))
