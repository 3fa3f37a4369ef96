"""Commands that change where a container is in its life."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcsshim.cli.runhcs.app import runtime_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any, TypeVar

    from hcsshim.oci.runtime import Runtime
    from hcsshim.oci.shim_link import Shim

    F = TypeVar("F", bound=Callable[..., Any])

#: Signals that are the container's while a command waits for it.
_PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGWINCH")


def creation_options(command: F) -> F:
    """Add the flags of ``create``, which ``run`` has, too."""
    for option in reversed(
        (
            click.option(
                "-b",
                "--bundle",
                default="",
                metavar="DIR",
                help="The bundle; by default the current folder.",
            ),
            click.option(
                "--pid-file",
                default="",
                metavar="FILE",
                help="Write the container's process id to it.",
            ),
            click.option(
                "--shim-log",
                default="",
                metavar="FILE",
                help="Where the container's shim logs.",
            ),
            click.option(
                "--vm-log",
                default="",
                metavar="FILE",
                help="Where the shim of its utility VM logs.",
            ),
            click.option(
                "--vm-console",
                default="",
                metavar="PIPE",
                help="Pipe of the console of its utility VM.",
            ),
            click.option(
                "--host", default="", metavar="ID", help="The VM to be created in."
            ),
        )
    ):
        command = option(command)
    return command


@click.command()
@creation_options
@click.argument("container_id", metavar="ID")
@click.pass_context
def create(  # noqa: PLR0913 - click gives every option as an argument
    ctx: click.Context,
    *,
    container_id: str,
    bundle: str,
    pid_file: str,
    shim_log: str,
    vm_log: str,
    vm_console: str,
    host: str,
) -> None:
    """Create the container ID from a bundle; its process waits for `start`."""
    del vm_log, vm_console  # no VM is ever started for it
    shim = _create(
        runtime_of(ctx),
        container_id,
        bundle=bundle,
        pid_file=pid_file,
        shim_log=shim_log,
        host=host,
    )
    shim.release()


def _create(  # noqa: PLR0913 - the options of creation_options
    runtime: Runtime,
    container_id: str,
    *,
    bundle: str,
    pid_file: str,
    shim_log: str,
    host: str,
    attached: bool = False,
) -> Shim:
    """Create a container; without its pid file there is none."""
    if host:
        runtime.record(host)
        raise click.ClickException(f"container {host!r} is no utility VM")
    shim = runtime.create(
        container_id, bundle or ".", attached=attached, log=_absolute(shim_log)
    )
    if pid_file:
        try:
            write_pid_file(Path(pid_file), shim.pid)
        except OSError:
            runtime.delete(container_id, force=True)
            raise
    return shim


def _absolute(path: str) -> str:
    return os.path.abspath(path) if path else ""  # noqa: PTH100 - pipes are no paths


def write_pid_file(path: Path, pid: int) -> None:
    """Write a process id to a file, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(str(pid), "ascii")
    temporary.replace(path)


@click.command()
@creation_options
@click.option("-d", "--detach", is_flag=True, help="Do not wait for it.")
@click.argument("container_id", metavar="ID")
@click.pass_context
def run(  # noqa: PLR0913 - click gives every option as an argument
    ctx: click.Context,
    *,
    container_id: str,
    bundle: str,
    pid_file: str,
    shim_log: str,
    vm_log: str,
    vm_console: str,
    host: str,
    detach: bool,
) -> int:
    """
    Create and start the container ID, wait for it, and delete it.

    The exit code is that of its process.
    """
    del vm_log, vm_console  # no VM is ever started for it
    runtime = runtime_of(ctx)
    shim = _create(
        runtime,
        container_id,
        bundle=bundle,
        pid_file=pid_file,
        shim_log=shim_log,
        host=host,
        attached=not detach,
    )
    # First: once its output shows, a person may press Ctrl-C.
    with nullcontext() if detach else _signals_passed_on(shim):
        try:
            runtime.start(container_id)
        except BaseException:
            runtime.delete(container_id, force=True)
            shim.wait()
            raise
        if detach:
            shim.release()
            return 0
        exit_code = shim.wait()
    runtime.delete(container_id, force=True)
    return exit_code


@contextmanager
def _signals_passed_on(shim: Shim) -> Iterator[None]:
    """Deliver to a shim what would end us; it has a session of its own."""

    def deliver(number: int, frame: FrameType | None) -> None:
        del frame
        with suppress(ProcessLookupError):
            os.kill(shim.pid, number)

    numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
    if sys.platform == "win32":  # a console tells all its processes
        numbers = []
    before = {number: signal.signal(number, deliver) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command()
@click.argument("container_id", metavar="ID")
@click.pass_context
def start(ctx: click.Context, *, container_id: str) -> None:
    """Start the process of the created container ID."""
    runtime_of(ctx).start(container_id)


@click.command()
@click.option("-f", "--force", is_flag=True, help="Kill it if it runs.")
@click.argument("container_id", metavar="ID")
@click.pass_context
def delete(ctx: click.Context, *, container_id: str, force: bool) -> None:
    """Delete the stopped container ID, and what is kept of it."""
    runtime_of(ctx).delete(container_id, force=force)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("container_id", metavar="ID")
@click.argument("signal_name", metavar="[SIGNAL]", default="")
@click.pass_context
def kill(ctx: click.Context, *, container_id: str, signal_name: str) -> None:
    """Send a signal, by name or number, to the container ID; by default TERM."""
    runtime_of(ctx).kill(container_id, signal_name.removeprefix("-"))


@click.command()
@click.argument("container_id", metavar="ID")
@click.pass_context
def pause(ctx: click.Context, *, container_id: str) -> None:
    """Stop all processes of the container ID for a while."""
    runtime_of(ctx).pause(container_id)


@click.command()
@click.argument("container_id", metavar="ID")
@click.pass_context
def resume(ctx: click.Context, *, container_id: str) -> None:
    """Let the processes of the paused container ID go on."""
    runtime_of(ctx).resume(container_id)
