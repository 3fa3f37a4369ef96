"""``wclayer``: the commands and flags of the reference's program for layers."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from hcsshim.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

_FOLDER = click.Path(file_okay=False)


def _parents(*, required: bool) -> Callable[[F], F]:
    return click.option(
        "-l",
        "--layer",
        "parents",
        multiple=True,
        required=required,
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False),
        help="A parent layer, the nearest first; repeatable.",
    )


@click.group(
    "wclayer",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="hcsshim", prog_name="wclayer")
@click.option("--debug", is_flag=True, help="Show where a failure arose.")
def wclayer(*, debug: bool) -> None:
    """
    Make, import, export, mount and remove layers of containers.

    On a machine that is not Windows the embedded host carries this out.
    """
    del debug  # run() has looked at it


@wclayer.command()
@_parents(required=True)
@click.argument("layer", type=_FOLDER)
def create(*, parents: tuple[str, ...], layer: str) -> None:
    """Make LAYER, a writable layer on its parents."""
    from hcsshim.layers import create_scratch_layer  # noqa: PLC0415 - lazily

    create_scratch_layer(layer, parents)


@wclayer.command("import")
@_parents(required=False)
@click.option(
    "-i",
    "--input",
    "source",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    default="-",
    help="The tar, which may be compressed; by default stdin.",
)
@click.argument("layer", type=_FOLDER)
def import_(*, parents: tuple[str, ...], source: str, layer: str) -> None:
    """Make LAYER of a tar; without parents it becomes a base layer."""
    from hcsshim.layers import (  # noqa: PLC0415 - lazily
        destroy_layer,
        import_tar,
        process_base_layer,
        process_utility_vm_image,
    )

    given = sys.stdin.buffer if source == "-" else source
    with progress_bar("importing", None) as report:
        import_tar(given, layer, parents=parents, progress=report, hashed=False)
    if parents:
        return
    try:
        process_base_layer(layer)
        with suppress(FileNotFoundError):
            process_utility_vm_image(f"{layer}/UtilityVM")
    except BaseException:
        destroy_layer(layer)
        raise


@wclayer.command()
@_parents(required=False)
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="-",
    help="The tar; by default stdout.",
)
@click.option("-z", "--gzip", "packed", is_flag=True, help="Compress it.")
@click.argument("layer", type=click.Path(exists=True, file_okay=False))
def export(*, parents: tuple[str, ...], target: str, packed: bool, layer: str) -> None:
    """Write what LAYER has, or changes, as a tar."""
    from hcsshim.errors import NotFoundError  # noqa: PLC0415 - lazily
    from hcsshim.layers import export_tar, layer_exists  # noqa: PLC0415 - as above

    if not layer_exists(layer):
        raise NotFoundError(message=f"There is no layer at '{layer}'.")
    if target == "-" and sys.stdout.isatty():
        raise click.UsageError("a tar is nothing for a terminal; use -o FILE")
    given = sys.stdout.buffer if target == "-" else target
    with progress_bar("exporting", None) as report:
        export_tar(
            layer,
            given,
            parents=parents,
            compression="gzip" if packed else None,
            progress=report,
            hashed=False,
        )


@wclayer.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False))
def makebaselayer(*, path: str) -> None:
    """Make a base layer of PATH, whose Files has any tree."""
    from hcsshim.layers import convert_to_base_layer  # noqa: PLC0415 - lazily

    convert_to_base_layer(path)


@wclayer.command()
@_parents(required=False)
@click.argument("scratch", type=click.Path(exists=True, file_okay=False))
@click.argument("target", required=False, type=_FOLDER)
def mount(*, parents: tuple[str, ...], scratch: str, target: str | None) -> None:
    """
    Mount SCRATCH on its parents and print where it is seen.

    TARGET, an empty folder, shows it, too, and is printed then.
    """
    from hcsshim.layers import Layer, set_volume_mount_point  # noqa: PLC0415 - lazily

    layer = Layer(scratch, parents)
    volume = layer.mount()
    if target is not None:
        try:
            set_volume_mount_point(target, volume)
        except BaseException:
            layer.unmount()
            raise
    click.echo(target or volume)


@wclayer.command()
@click.argument("scratch", type=click.Path(exists=True, file_okay=False))
@click.argument("mounted", required=False, type=click.Path())
def unmount(*, scratch: str, mounted: str | None) -> None:
    """Unmount SCRATCH, and make MOUNTED, which showed it, an empty folder."""
    from hcsshim.layers import (  # noqa: PLC0415 - lazily
        Layer,
        delete_volume_mount_point,
    )

    if mounted is not None:
        delete_volume_mount_point(mounted)
    Layer(scratch).unmount()


@wclayer.command()
@click.argument("volume", type=click.Path(exists=True, file_okay=False))
@click.argument("target", type=_FOLDER)
def volumemount(*, volume: str, target: str) -> None:
    """Make TARGET, an empty folder, show VOLUME, which `mount` has printed."""
    from hcsshim.layers import set_volume_mount_point  # noqa: PLC0415 - lazily

    set_volume_mount_point(target, volume)
    click.echo(target)


@wclayer.command()
@click.argument("layer", type=_FOLDER)
def remove(*, layer: str) -> None:
    """Remove LAYER."""
    from hcsshim.layers import destroy_layer  # noqa: PLC0415 - lazily

    destroy_layer(layer)
