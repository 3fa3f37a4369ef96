"""
Process documents: v1 ``ProcessConfig``, v2 ``ProcessParameters`` and the form for
Linux guests, all to the command that a silo starts.
"""

from __future__ import annotations

import functools
import sys
from typing import NamedTuple

from hcsshim.host.fields import Fields
from hcsshim.host.paths import container_path
from hcsshim.host.silos.port import Command
from hcsshim.host.systems.confinement import read_confinement

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: The size of a console whose document says nothing, or zero.
_USUAL_CONSOLE = (24, 80)
_LARGEST_CONSOLE = 0x7FFF
#: Characters of the longest document whose meaning is remembered, and how many are:
#: the same few commands look after a system again and again.
_LONGEST_KEPT = 1024
_KEPT = 16

_FIELDS = (
    "ApplicationName",
    "CommandLine",
    "CommandArgs",
    "User",
    "WorkingDirectory",
    "Environment",
    "RestrictedToken",
    "EmulateConsole",
    "CreateStdInPipe",
    "CreateStdOutPipe",
    "CreateStdErrPipe",
    "ConsoleSize",
    "UseExistingLogin",
    "UseLegacyConsole",
    "CreateInUtilityVm",
    "OCISpecification",
    "OciProcess",
)


class Request(NamedTuple):
    """
    What a process document asks for.

    Attributes:
        command: Without its files.
        pipes: Whether a pipe is wanted for stdin, stdout, stderr.
    """

    command: Command
    pipes: tuple[bool, bool, bool]


def read_request(text: str | None) -> Request:
    """
    Read a process document.

    Raises:
        Refusal: It is malformed, or names no command.
    """
    short = text is not None and len(text) <= _LONGEST_KEPT
    return _read_kept(text) if short else _read(text)


def _read(text: str | None) -> Request:
    document = Fields.parse(text)
    document.only(_FIELDS)
    console = _console(document) if document.flag("EmulateConsole") else None
    pipes = (
        document.flag("CreateStdInPipe"),
        document.flag("CreateStdOutPipe"),
        document.flag("CreateStdErrPipe") and console is None,
    )
    if "OciProcess" in document:
        return Request(_read_oci(document.child("OciProcess"), console), pipes)
    user = document.text("User")
    command = Command(
        arguments=_arguments(document),
        environment=_set_only(
            _environment(document.table("Environment"), user, console)
        ),
        directory=container_path(document.text("WorkingDirectory")),
        user=user,
        console=console,
        line=document.text("CommandLine") if sys.platform == "win32" else "",
    )
    return Request(command, pipes)


_read_kept = functools.lru_cache(maxsize=_KEPT)(_read)


def _arguments(document: Fields) -> tuple[str, ...]:
    arguments = document.texts("CommandArgs")
    name = "CommandArgs"
    if not arguments:
        from hcsshim.documents import command_line  # noqa: PLC0415 - seldom needed

        name = "CommandLine"
        arguments = tuple(command_line.split(document.text(name)))
    application = document.text("ApplicationName")
    if application:
        arguments = (application, *arguments[1:])
    if not arguments or not arguments[0]:
        document.refuse(name, "Missing field")
    return (_program(arguments[0]), *arguments[1:])


def _program(name: str) -> str:
    r"""Give a program's name as the container knows it: ``C:\bin\sh`` is a path."""
    if sys.platform == "win32":
        return name
    return container_path(name) if name[1:3] in (":\\", ":/") else name


def _environment(
    given: dict[str, str], user: str, console: tuple[int, int] | None
) -> dict[str, str]:
    """Merge variables over the usual ones."""
    if sys.platform == "win32":
        return given  # the silo has the rest
    environment = {"PATH": _PATH, "HOME": "/root" if user in ("", "root") else "/"}
    if console is not None:
        environment["TERM"] = "xterm"
    environment.update(given)
    return environment


def _set_only(environment: dict[str, str]) -> dict[str, str]:
    """An empty value takes a variable away, but for Linux guests."""
    if sys.platform == "win32":
        return environment  # the silo does that
    return {name: value for name, value in environment.items() if value}


def _console(document: Fields) -> tuple[int, int]:
    size = document.numbers("ConsoleSize", _LARGEST_CONSOLE)
    if not size or size == (0, 0):
        return _USUAL_CONSOLE
    if len(size) != 2 or 0 in size:
        document.refuse("ConsoleSize")
    return (size[0], size[1])


def _read_oci(process: Fields, console: tuple[int, int] | None) -> Command:
    """Read the ``process`` of an OCI specification, as Linux guests get it."""
    arguments = process.texts("args")
    if not arguments:
        process.refuse("args", "Missing field")
    variables: dict[str, str] = {}
    for entry in process.texts("env"):
        name, equals, value = entry.partition("=")
        if not name or not equals:
            process.refuse("env")
        variables[name] = value
    owner = process.child("user")
    user = owner.text("username") or (
        f"{owner.number('uid') or 0}:{owner.number('gid') or 0}"
    )
    return Command(
        arguments=arguments,
        environment=_environment(variables, "" if user == "0:0" else user, console),
        directory=container_path(process.text("cwd")),
        user="" if user == "0:0" else user,
        console=console,
        confinement=read_confinement(process),
    )
