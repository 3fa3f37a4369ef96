"""``hcsshim create``: a container that lives until it is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hcsshim.cli import records
from hcsshim.cli.options import container_options, container_text

if TYPE_CHECKING:
    from typing import TextIO

    from hcsshim.cli.options import Volume


@click.command()
@click.option(
    "--document",
    type=click.File("r", encoding="utf-8"),
    help="A whole HCS document instead of the options below; - reads stdin.",
)
@click.option("--image", help="Take the layers of an image.")
@container_options
@click.option(
    "--log",
    is_flag=True,
    help="Keep what its processes write, for `hcsshim logs`.",
)
@click.argument("system_id", metavar="ID")
@click.pass_context
def create(  # noqa: PLR0913 - click gives every option as an argument
    ctx: click.Context,
    *,
    document: TextIO | None,
    image: str | None,
    layers: tuple[str, ...],
    scratch: str | None,
    volumes: tuple[Volume, ...],
    hostname: str | None,
    memory: int | None,
    cpus: float | None,
    unisolated: bool,
    log: bool,
    system_id: str,
) -> None:
    """
    Create the container ID. It does not run yet, and lives until it is stopped.

    \b
    Examples:
      hcsshim create web --layer rootfs --memory 512m
      hcsshim create web --image debian:12
      hcsshim create web --document config.json
    """  # noqa: D301 - click's mark for text to be left as it is
    from hcsshim import ComputeSystem  # noqa: PLC0415 - lazily

    if image is not None:
        if layers or document is not None:
            raise click.UsageError("--image has layers of its own", ctx)
        from hcsshim.images import ImageStore  # noqa: PLC0415 - lazily

        store = ImageStore()
        layers = store.layer_folders(store.find(image))
    described = layers or scratch or volumes or hostname or memory or cpus or unisolated
    if document is not None and described:
        raise click.UsageError("--document says all there is; drop the others", ctx)
    text = (
        document.read()
        if document is not None
        else container_text(
            layers=layers,
            scratch=scratch,
            volumes=volumes,
            hostname=hostname,
            memory=memory,
            cpus=cpus,
            unisolated=unisolated,
            keep=True,
        )
    )
    if log:
        records.new_folder(system_id, scratch=False, log=True)
    try:
        ComputeSystem.create(system_id, text).close()
    except BaseException:
        if log:
            records.remove(system_id)
        raise
    click.echo(system_id)
