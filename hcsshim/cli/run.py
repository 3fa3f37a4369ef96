"""``hcsshim run`` and ``hcsshim exec``: commands in containers."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from time import time
from typing import TYPE_CHECKING

import click

from hcsshim.cli import records
from hcsshim.cli.app import sentence
from hcsshim.cli.image import what_to_run
from hcsshim.cli.logs import open_log, open_log_file
from hcsshim.cli.networking import on_network, port_option
from hcsshim.cli.options import (
    container_options,
    container_text,
    environment,
    process_options,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hcsshim import ComputeSystem
    from hcsshim.cli.networking import Port
    from hcsshim.cli.options import Volume

#: Exit codes for what is no exit code of the command, as with other container tools.
OUR_FAULT, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127


def run_error(error: BaseException, exit_code: int) -> click.ClickException:
    """Say that the command could not be run, with an exit code for that."""
    failure = click.ClickException(sentence(error))
    failure.exit_code = exit_code  # type: ignore[misc] # click reads it so
    return failure


@contextmanager
def run_errors(found: int = OUR_FAULT, denied: int = OUR_FAULT) -> Iterator[None]:
    """Give the failures of a piece of work the exit codes of ``run``."""
    from hcsshim import AccessDeniedError, NotFoundError  # noqa: PLC0415 - lazily

    try:
        yield
    except NotFoundError as error:
        raise run_error(error, found) from error
    except AccessDeniedError as error:
        raise run_error(error, denied) from error
    except (OSError, ValueError) as error:
        raise run_error(error, OUR_FAULT) from error


def run_in(  # noqa: PLR0913 - the options of process_options
    system: ComputeSystem,
    command: tuple[str, ...],
    *,
    variables: dict[str, str],
    workdir: str | None,
    user: str | None,
    interactive: bool,
    tty: bool,
    log: int | None = None,
) -> int:
    """Run a command in a running system, joined to our stdio; give its exit code."""
    from hcsshim.cli.attach import attach, window_size  # noqa: PLC0415 - lazily
    from hcsshim.ntstatus import (  # noqa: PLC0415 - as above
        describe_exit_code,
        exit_code_name,
    )

    with run_errors(NOT_FOUND, NOT_EXECUTABLE):
        process = system.create_process(
            list(command),
            env=variables,
            cwd=workdir,
            user=user,
            console_size=window_size() if tty else None,
            stdin=interactive,
            stderr=not tty,
        )
    with process, run_errors():
        exit_code = attach(process, console=tty and interactive, log=log)
    if exit_code_name(exit_code) is not None:
        meaning = describe_exit_code(exit_code)
        click.echo(f"hcsshim: the command exited with {meaning}", err=True)
    return exit_code


@click.command()
@click.option("--name", help="The container's id; by default a new one.")
@click.option("--rm", "remove", is_flag=True, help="Keep nothing of it.")
@click.option(
    "--log", "keep_log", is_flag=True, help="Keep its output for `hcsshim logs`."
)
@click.option(
    "--log-file",
    metavar="FILE",
    help="Add its output to FILE, in CRI's log format.",
)
@click.option("--image", help="Run an image, which has layers and a command.")
@click.option("--entrypoint", metavar="PROGRAM", help="Instead of the image's own.")
@click.option("--network", metavar="NAME", help="Join this network, or that of an id.")
@port_option
@container_options
@process_options
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def run(  # noqa: PLR0913 - click gives every option as an argument
    *,
    name: str | None,
    remove: bool,
    keep_log: bool,
    log_file: str | None,
    image: str | None,
    entrypoint: str | None,
    network: str | None,
    ports: tuple[Port, ...],
    layers: tuple[str, ...],
    scratch: str | None,
    volumes: tuple[Volume, ...],
    hostname: str | None,
    memory: int | None,
    cpus: float | None,
    unisolated: bool,
    variables: tuple[tuple[str, str], ...],
    env_files: tuple[Path, ...],
    workdir: str | None,
    user: str | None,
    interactive: bool,
    tty: bool,
    command: tuple[str, ...],
) -> int:
    """
    Run COMMAND in a container of its own, and end the container with it.

    An image says what is run, where and as whom; COMMAND and options come before it.
    With --layer or --image, what was written is kept until `hcsshim rm`, unless --rm
    or --scratch is given. The exit code is the command's; 125 if hcsshim failed, 126
    and 127 if the command cannot be executed or does not exist.

    \b
    Examples:
      hcsshim run -- sh -c 'echo hello from $(hostname)'
      hcsshim run -it --rm --image debian:12 -- bash
      hcsshim run --network pods -p 8080:80 -- httpd -f -p 80
      hcsshim run -it --rm --layer rootfs -v "$PWD:/src:ro" -w /src -- sh
      printf 'a\\nb\\n' | hcsshim run -i -- wc -l
    """  # noqa: D301 - click's mark for text to be left as it is
    from hcsshim.hcs._run import new_id  # noqa: PLC0415 - lazily

    with run_errors():
        wanted = what_to_run(image, layers, command, entrypoint)
    layers, command = wanted.layers, wanted.command
    system_id = name or new_id()
    if keep_log and (remove or log_file is not None):
        raise click.UsageError("--log keeps a log; drop --rm and --log-file")
    keeps_scratch = bool(layers) and not remove and scratch is None
    keeps = keeps_scratch or keep_log
    folder, log = scratch, None
    with run_errors():
        if keeps:
            made = records.new_folder(system_id, scratch=keeps_scratch, log=keep_log)
            folder = made or scratch
        if log_file is not None:
            log = open_log_file(log_file)
        elif keep_log:
            log = open_log(system_id)
    begin, exit_code = time(), None
    try:
        text = container_text(
            layers=layers,
            scratch=folder,
            volumes=volumes,
            hostname=hostname,
            memory=memory,
            cpus=cpus,
            unisolated=unisolated,
            keep=False,
        )
        with run_errors(), on_network(text, network, ports, system_id) as document:
            exit_code = run_system(
                system_id,
                document,
                command,
                variables=wanted.variables | environment(variables, env_files),
                workdir=workdir or wanted.workdir,
                user=user or wanted.user,
                interactive=interactive,
                tty=tty,
                log=log,
            )
    finally:
        if log is not None:
            os.close(log)
        if keeps and exit_code is None:
            records.remove(system_id)
        elif keeps:
            records.keep(
                records.Record(
                    id=system_id,
                    command=command,
                    exit_code=exit_code,
                    created=begin,
                    ended=time(),
                )
            )
    return exit_code


def run_system(  # noqa: PLR0913 - the options of process_options
    system_id: str,
    document: str,
    command: tuple[str, ...],
    *,
    variables: dict[str, str],
    workdir: str | None,
    user: str | None,
    interactive: bool,
    tty: bool,
    log: int | None,
) -> int:
    """Create a system, run a command in it, end the system; give the exit code."""
    from hcsshim import ComputeSystem, HcsError  # noqa: PLC0415 - lazily
    from hcsshim.hcs._run import END_SECONDS  # noqa: PLC0415 - lazily

    with run_errors():
        system = ComputeSystem.create(system_id, document)
    # Whatever happens, closing the last handle ends the system.
    with system:
        try:
            with run_errors():
                system.start()
            exit_code = run_in(
                system,
                command,
                variables=variables,
                workdir=workdir,
                user=user,
                interactive=interactive,
                tty=tty,
                log=log,
            )
        except Exception:
            with suppress(HcsError):  # what went wrong before is what is told
                system.terminate(timeout=END_SECONDS)
            raise
        with run_errors():
            system.terminate()
    return exit_code


@click.command("exec")
@process_options
@click.argument("system_id", metavar="ID")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(  # noqa: PLR0913 - click gives every option as an argument
    *,
    variables: tuple[tuple[str, str], ...],
    env_files: tuple[Path, ...],
    workdir: str | None,
    user: str | None,
    interactive: bool,
    tty: bool,
    system_id: str,
    command: tuple[str, ...],
) -> int:
    """
    Run COMMAND in the running container ID.

    The exit code is the command's, as with `hcsshim run`.

    \b
    Examples:
      hcsshim exec web -- ps
      hcsshim exec -it web -- sh
    """  # noqa: D301 - click's mark for text to be left as it is
    from hcsshim import ComputeSystem  # noqa: PLC0415 - lazily

    with run_errors():
        system = ComputeSystem.open(system_id)
        log = open_log(system_id)
    try:
        with system:
            return run_in(
                system,
                command,
                variables=environment(variables, env_files),
                workdir=workdir,
                user=user,
                interactive=interactive,
                tty=tty,
                log=log,
            )
    finally:
        if log is not None:
            os.close(log)
