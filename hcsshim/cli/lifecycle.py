"""``start``, ``stop``, ``kill``, ``rm``, ``pause``, ``resume``."""

from __future__ import annotations

import signal as signals
from typing import TYPE_CHECKING

import click

from hcsshim.cli import records

if TYPE_CHECKING:
    from hcsshim import ComputeSystem

ids_argument = click.argument("ids", metavar="ID...", nargs=-1, required=True)


def open_system(system_id: str) -> ComputeSystem:
    """Open a system by its id."""
    from hcsshim import ComputeSystem  # noqa: PLC0415 - lazily

    return ComputeSystem.open(system_id)


@click.command()
@ids_argument
def start(ids: tuple[str, ...]) -> None:
    """Start created containers."""
    for system_id in ids:
        with open_system(system_id) as system:
            system.start()
        click.echo(system_id)


@click.command()
@click.option(
    "--time",
    "seconds",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Seconds until force is used.",
)
@ids_argument
def stop(ids: tuple[str, ...], seconds: float) -> None:
    """Ask containers to end; those that do not are ended by force."""
    from hcsshim import HcsTimeoutError, InvalidStateError  # noqa: PLC0415 - lazily

    for system_id in ids:
        with open_system(system_id) as system:
            try:
                system.shutdown(timeout=seconds)
            except (HcsTimeoutError, InvalidStateError):
                system.terminate()
        click.echo(system_id)


def signal_number(text: str) -> int:
    """
    Read a signal: ``9``, ``KILL`` or ``SIGKILL``.

    Raises:
        click.BadParameter: There is none of this name.
    """
    if text.isdigit() and 0 < int(text) < signals.NSIG:
        return int(text)
    name = text.upper().removeprefix("SIG")
    found = getattr(signals, f"SIG{name}", None)
    if not isinstance(found, signals.Signals):
        raise click.BadParameter(f"there is no signal {text!r}", param_hint="--signal")
    return int(found)


@click.command()
@click.option(
    "-s",
    "--signal",
    "signal_name",
    default="KILL",
    show_default=True,
    help="Another signal goes to every process; the container lives on.",
)
@ids_argument
def kill(ids: tuple[str, ...], signal_name: str) -> None:
    """End containers by force, or signal their processes."""
    number = signal_number(signal_name)
    for system_id in ids:
        with open_system(system_id) as system:
            if number == signals.SIGKILL:
                system.terminate()
            else:
                signal_all(system, number)
        click.echo(system_id)


def signal_all(system: ComputeSystem, number: int) -> None:
    """Send a signal to every process of a system that was started through HCS."""
    from hcsshim import NotFoundError, ProcessGoneError  # noqa: PLC0415 - lazily

    for details in system.properties("ProcessList").process_list:
        if details.process_id is None:
            continue
        try:
            with system.open_process(details.process_id) as process:
                process.signal(number)
        except (NotFoundError, ProcessGoneError):
            continue  # it exited, or is a child of one that got the signal


@click.command()
@click.option("-f", "--force", is_flag=True, help="End running ones first.")
@ids_argument
def rm(ids: tuple[str, ...], force: bool) -> None:  # noqa: FBT001 - click's
    """Remove containers, and what is kept of those that ended."""
    from hcsshim import NotFoundError  # noqa: PLC0415 - lazily

    for system_id in ids:
        try:
            remove_system(system_id, force=force)
        except NotFoundError:
            if not records.remove(system_id):
                raise
        else:
            records.remove(system_id)
        click.echo(system_id)


def remove_system(system_id: str, *, force: bool) -> None:
    """End a system that does not run, or any if ``force`` says so."""
    with open_system(system_id) as system:
        state = system.properties().state
        if state != "Created" and not force:
            raise click.ClickException(
                f"container {system_id!r} is {str(state).lower()}; "
                "stop it first, or use --force"
            )
        system.terminate()


@click.command()
@ids_argument
def pause(ids: tuple[str, ...]) -> None:
    """Stop every process of containers where it is."""
    for system_id in ids:
        with open_system(system_id) as system:
            system.pause()
        click.echo(system_id)


@click.command()
@ids_argument
def resume(ids: tuple[str, ...]) -> None:
    """Let paused containers go on."""
    for system_id in ids:
        with open_system(system_id) as system:
            system.resume()
        click.echo(system_id)
