"""Commands about single processes of a container."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcsshim.cli.runhcs.app import runtime_of
from hcsshim.cli.runhcs.lifecycle import write_pid_file

if TYPE_CHECKING:
    from hcsshim.documents._document import JSON
    from hcsshim.oci.runtime import Runtime

_MOST = 65535


@click.command("exec", context_settings={"allow_interspersed_args": False})
@click.option("--cwd", default="", metavar="DIR", help="Where it starts.")
@click.option(
    "-e", "--env", multiple=True, metavar="NAME=VALUE", help="A variable; repeatable."
)
@click.option("-t", "--tty", is_flag=True, help="Give it a terminal.")
@click.option("-u", "--user", default="", help="Who runs it.")
@click.option(
    "-p", "--process", "process_file", default="", metavar="FILE", help="process.json"
)
@click.option("-d", "--detach", is_flag=True, help="Do not wait for it.")
@click.option(
    "--pid-file", default="", metavar="FILE", help="Write its process id to it."
)
@click.option("--shim-log", default="", metavar="FILE", help="Where its shim logs.")
@click.argument("container_id", metavar="ID")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def exec_(  # noqa: PLR0913 - click gives every option as an argument
    ctx: click.Context,
    *,
    cwd: str,
    env: tuple[str, ...],
    tty: bool,
    user: str,
    process_file: str,
    detach: bool,
    pid_file: str,
    shim_log: str,
    container_id: str,
    command: tuple[str, ...],
) -> int:
    """
    Run COMMAND, or what process.json says, in the container ID.

    The exit code is its own; with --detach 0 once it has started.
    """
    from hcsshim.documents import to_dict  # noqa: PLC0415 - lazily
    from hcsshim.oci.bundle import read_process  # noqa: PLC0415 - as above
    from hcsshim.oci.runtime import with_overrides  # noqa: PLC0415 - as above

    runtime = runtime_of(ctx)
    process: JSON
    if process_file:
        process = to_dict(read_process(process_file))
    elif not command:
        raise click.ClickException("process args cannot be empty")
    else:
        process = with_overrides(
            runtime.record(container_id).spec,
            command,
            cwd=cwd,
            env=env,
            user=user,
            terminal=tty,
        )
    path = Path(pid_file) if pid_file else None
    if not detach:
        return _attached(runtime, container_id, process, path)
    shim = runtime.start_detached(container_id, process, log=_absolute(shim_log))
    if path is not None:
        write_pid_file(path, shim.pid)
    shim.release()
    return 0


def _absolute(path: str) -> str:
    return os.path.abspath(path) if path else ""  # noqa: PTH100 - pipes are no paths


def _attached(
    runtime: Runtime, container_id: str, process: JSON, pid_file: Path | None
) -> int:
    """Run a process with our own stdio; we stand for it outside the container."""
    from hcsshim.cli.runhcs.shim import run_process  # noqa: PLC0415 - lazily

    record, system = runtime.open_running(container_id)

    def started() -> None:
        if pid_file is not None:
            write_pid_file(pid_file, os.getpid())

    with system:
        return run_process(
            runtime,
            record,
            system,
            process,
            started=started,
            stdin=True,
            console=sys.stdin.isatty(),
        )


@click.command("resize-tty")
@click.option("-p", "--pid", default=0, help="Its process id here; else the first's.")
@click.argument("container_id", metavar="ID")
@click.argument("width", type=click.IntRange(1, _MOST))
@click.argument("height", type=click.IntRange(1, _MOST))
@click.pass_context
def resize_tty(
    ctx: click.Context, *, container_id: str, width: int, height: int, pid: int
) -> None:
    """Give the terminal of a process of the container ID another size."""
    runtime_of(ctx).resize_tty(container_id, width, height, pid)
