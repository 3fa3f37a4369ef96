"""``hcsshim host``: the embedded host."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from hcsshim.builds import OSVersion
from hcsshim.cli.show import json_option
from hcsshim.cli.tables import print_json

BUILD_VARIABLE = "HCSSHIM_HOST_BUILD"
#: What the DLLs start the host with; they look for it beside themselves.
STARTER = "hcsshim-host.py"
_STOP_SECONDS = 30.0


@click.group()
def host() -> None:
    """
    Start, look at and stop the embedded host.

    It starts by itself when it is needed, and ends when nobody needs it.
    """


def connect() -> object:
    """Connect to the host if one runs; ``None`` if none does."""
    from hcsshim._native import host_process  # noqa: PLC0415 - lazily
    from hcsshim._native.service import NativeService  # noqa: PLC0415 - as above
    from hcsshim.errors import NotFoundError  # noqa: PLC0415 - as above

    try:
        return NativeService(host_process.socket_path())
    except (NotFoundError, ConnectionError):  # there is none, or it is just ending
        return None


def running_host() -> int | None:
    """Give the process id of the host, if one runs."""
    from hcsshim._native.service import NativeService  # noqa: PLC0415 - lazily

    service = connect()
    if not isinstance(service, NativeService):
        return None
    process_id = service.host_process_id
    service.close()
    return process_id


@host.command()
@click.option("--foreground", is_flag=True, help="Stay in this terminal.")
@click.option(
    "--build",
    metavar="BUILD",
    help="Which build of Windows it plays: 17763, LTSC2022, 10.0.20348.2031.",
)
def start(*, foreground: bool, build: str | None) -> None:
    """Start the host, if it does not run."""
    from hcsshim._native import host_process  # noqa: PLC0415 - lazily

    if build is not None:
        os.environ[BUILD_VARIABLE] = build  # the host that is started inherits it
    if foreground:
        os.execv(sys.executable, [sys.executable, "-m", "hcsshim.host"])  # noqa: S606 - no shell
    host_process.ensure_running()
    click.echo(f"running, process {running_host()}, {played_build(build)}")


def played_build(wanted: str | None) -> str:
    """
    Tell which build the host plays.

    Args:
        wanted: As it was asked for.

    Raises:
        click.ClickException: Another one: it was running already.
    """
    from hcsshim import capabilities  # noqa: PLC0415 - lazily

    version = capabilities().version
    text = f"build {version} ({version.name})"
    if wanted is not None and OSVersion.named(wanted).build != version.build:
        raise click.ClickException(
            f"a host runs already and plays {text}; stop it first: hcsshim host stop"
        )
    return text


@host.command()
@json_option
def status(*, as_json: bool) -> int:
    """Tell whether the host runs; exits with 3 if it does not."""
    from hcsshim import enumerate_systems  # noqa: PLC0415 - lazily
    from hcsshim._native import host_process  # noqa: PLC0415 - as above

    process_id = running_host()
    systems = len(enumerate_systems()) if process_id is not None else 0
    facts = {
        "running": process_id is not None,
        "process_id": process_id,
        "systems": systems,
        "build": None if process_id is None else played_build(None),
        "socket": host_process.socket_path(),
        "log": host_process.log_path(),
    }
    if as_json:
        print_json(facts)
    elif process_id is None:
        click.echo(f"not running ({facts['socket']})")
    else:
        click.echo(f"running, process {process_id}, {systems} systems")
        click.echo(f"plays  {facts['build']}")
        click.echo(f"socket {facts['socket']}")
        click.echo(f"log    {facts['log']}")
    return 0 if process_id is not None else 3


@host.command()
def stop() -> None:
    """Stop the host, and with it every container."""
    from hcsshim._native import host_process  # noqa: PLC0415 - lazily

    process_id = running_host()
    if process_id is None:
        click.echo("not running")
        return
    host_process.stop(process_id)
    deadline = time.monotonic() + _STOP_SECONDS
    while running_host() is not None:
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"the host, process {process_id}, has not ended in "
                f"{_STOP_SECONDS:.0f} seconds"
            )
        time.sleep(0.02)  # nothing tells of another's end
    click.echo("stopped")


@host.command()
@click.option("-n", "--lines", default=50, show_default=True, help="How many.")
def logs(*, lines: int) -> None:
    """Print the end of the host's log."""
    from hcsshim._native import host_process  # noqa: PLC0415 - lazily

    path = Path(host_process.log_path())
    if path.exists():
        for line in path.read_text("utf-8", "replace").splitlines()[-lines:]:
            click.echo(line)


@host.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def dlls(*, folder: Path) -> None:
    """
    Write the DLLs that other programs load into FOLDER.

    vmcompute.dll, computecore.dll, computenetwork.dll and computestorage.dll have the
    exports of the real ones, and answer from the embedded host. Programs look for them
    in the system directory. hcsshim-host.py, which is written beside them, is what
    they start the host with; without it one must run already.
    """
    shipped = sorted((Path(__file__).parents[1] / "dlls").glob("*.dll"))
    if not shipped:
        raise click.ClickException(
            "this installation has no DLLs: only the Windows wheel brings them"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for source in shipped:
        part = folder / f"{source.name}.part"
        part.write_bytes(source.read_bytes())
        part.replace(folder / source.name)
        click.echo(str(folder / source.name))
    starter = folder / STARTER
    starter.write_text(starter_script(), encoding="utf-8")
    click.echo(str(starter))


def starter_script() -> str:
    """
    Write the program that starts the host for the DLLs beside it.

    Its first line names this Python, and it looks for modules where this one does.
    """
    places = [Path(entry).absolute() for entry in sys.path]
    folders = [str(place) for place in places if place.is_dir()]
    return f"""#!{sys.executable}
# Written by "hcsshim host dlls". The DLLs beside it run it when no host listens.
import os
import sys

folders = {folders!r}
os.environ["PYTHONPATH"] = os.pathsep.join(folders)
sys.path[:] = folders

from hcsshim._native.host_process import ensure_running

ensure_running()
"""
