"""``hcsshim image``: images of containers; and what ``run`` takes of one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from hcsshim.cli.progress import progress_bar
from hcsshim.cli.show import json_option
from hcsshim.cli.tables import print_json, print_table, size_text

if TYPE_CHECKING:
    from hcsshim.images import Image

#: How much of a digest people are shown.
_SHOWN_DIGEST = len("sha256:") + 12


@click.group()
def image() -> None:
    """
    Load, list, export and remove images.

    They come as files, from `skopeo copy` or `docker save`: nothing is downloaded.
    `hcsshim run --image NAME` runs one.
    """


@image.command()
@click.option("--name", help="What to call it; by default as it is named there.")
@click.option(
    "--platform",
    metavar="OS/ARCH",
    help="Which to take of an image for several; by default this machine's.",
)
@click.option("-q", "--quiet", is_flag=True, help="Only the names.")
@click.argument("file", type=click.Path(exists=True, allow_dash=True))
def load(*, name: str | None, platform: str | None, quiet: bool, file: str) -> None:
    """
    Load the images of FILE: an OCI layout, a folder or a tar, or a Docker archive.

    Tars may be compressed; - reads one from stdin.

    \b
    Examples:
      skopeo copy docker://debian:12 oci-archive:debian.tar:debian:12
      hcsshim image load debian.tar
      docker save debian:12 | hcsshim image load -
    """  # noqa: D301 - click's mark for text to be left as it is
    from hcsshim.images import ImageStore  # noqa: PLC0415 - lazily

    source = sys.stdin.buffer if file == "-" else file
    with progress_bar("loading", None) as report:
        loaded = ImageStore().load(
            source, name=name, platform=platform, progress=report
        )
    for found in loaded:
        more = "" if quiet else f": {found.config.platform}, {size_text(found.size)}"
        click.echo(found.name + more)


@image.command("ls")
@click.option("-q", "--quiet", is_flag=True, help="Only the names.")
@json_option
def list_(*, quiet: bool, as_json: bool) -> None:
    """List images."""
    from hcsshim.images import ImageStore  # noqa: PLC0415 - lazily

    images = ImageStore().images()
    if as_json:
        print_json([_summary(found) for found in images])
        return
    named = [(name, found) for found in images for name in found.names or ("<none>",)]
    if quiet:
        for name, found in named:
            click.echo(name if found.names else found.digest)
        return
    rows = [
        {
            "NAME": name,
            "DIGEST": found.digest[:_SHOWN_DIGEST],
            "PLATFORM": found.config.platform,
            "CREATED": found.config.created[:10] or "-",
            "SIZE": size_text(found.size),
        }
        for name, found in named
    ]
    print_table(("NAME", "DIGEST", "PLATFORM", "CREATED", "SIZE"), rows)


def _summary(found: Image) -> dict[str, object]:
    return {
        "Names": list(found.names),
        "Digest": found.digest,
        "Platform": found.config.platform,
        "Created": found.config.created,
        "Size": found.size,
        "Layers": [
            {
                "Digest": layer.digest,
                "DiffId": diff_id,
                "MediaType": layer.media_type,
                "Size": layer.size,
            }
            for layer, diff_id in zip(
                found.manifest.layers, found.config.diff_ids, strict=True
            )
        ],
    }


@image.command()
@click.argument("name")
def inspect(*, name: str) -> None:
    """Show what the image NAME is, as JSON."""
    from hcsshim.images import ImageStore  # noqa: PLC0415 - lazily

    found = ImageStore().find(name)
    config = found.config
    print_json(
        _summary(found)
        | {
            "Config": {
                "User": config.user,
                "Env": list(config.env),
                "Entrypoint": list(config.entrypoint),
                "Cmd": list(config.cmd),
                "WorkingDir": config.working_dir,
                "Labels": dict(config.labels),
            }
        }
    )


@image.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def rm(*, names: tuple[str, ...]) -> None:
    """
    Remove images by NAME.

    An image that has several names loses one; with the last its files go, except those
    that other images have, too.
    """
    from hcsshim.images import ImageStore  # noqa: PLC0415 - lazily

    for name in names:
        ImageStore().remove(name)
        click.echo(name)


@image.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="-",
    help="The file; by default stdout.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("oci", "docker")),
    default="oci",
    help="An OCI layout (the default), or a Docker archive.",
)
@click.argument("name")
def export(*, output: str, form: str, name: str) -> None:
    """
    Write the image NAME as a tar, its files as they were loaded.

    \b
    Examples:
      hcsshim image export debian:12 -o debian.tar
      hcsshim image export --format docker debian:12 | docker load
    """  # noqa: D301 - click's mark for text to be left as it is
    from hcsshim.images import ImageStore  # noqa: PLC0415 - lazily

    store = ImageStore()
    found = store.find(name)
    if output == "-" and sys.stdout.isatty():
        raise click.UsageError("a tar is nothing for a terminal; use -o FILE")
    target = sys.stdout.buffer if output == "-" else Path(output)
    with progress_bar("exporting", found.size) as report:
        store.export(found, target, form=form, progress=report)


@attrs.frozen(kw_only=True)
class Wanted:
    """
    What a container is made of and runs, before options change it.

    Args:
        layers: Topmost first.
        command: What runs.
        variables: Environment.
        workdir: Where it starts; ``None`` for the usual.
        user: Who runs it; ``None`` for the usual.
    """

    layers: tuple[str, ...]
    command: tuple[str, ...]
    variables: dict[str, str] = attrs.field(factory=dict)
    workdir: str | None = None
    user: str | None = None


def what_to_run(
    image_name: str | None,
    layers: tuple[str, ...],
    command: tuple[str, ...],
    entrypoint: str | None,
) -> Wanted:
    """
    Find out what a container is made of and runs.

    Args:
        image_name: Of the image, if there is one.
        layers: Instead of an image.
        command: Instead of the image's own.
        entrypoint: Instead of the image's own.

    Raises:
        click.UsageError: The arguments do not go together, or nobody says what to run.
        NotFoundError: There is no such image, or it is for another system.
    """
    if image_name is None:
        if entrypoint is not None:
            raise click.UsageError("--entrypoint is for an image; give COMMAND instead")
        if not command:
            raise click.UsageError("Missing argument 'COMMAND...'.")
        return Wanted(layers=layers, command=command)
    if layers:
        raise click.UsageError("--image has layers of its own; drop --layer")
    from hcsshim.images import ImageStore  # noqa: PLC0415 - lazily

    store = ImageStore()
    found = store.find(image_name)
    given = None if entrypoint is None else (entrypoint,) if entrypoint else ()
    wanted = found.command(command, given)
    layers = store.layer_folders(found)
    if not wanted:
        raise click.UsageError(f"the image {image_name} has no command; give one")
    return Wanted(
        layers=layers,
        command=wanted,
        variables=found.config.environment,
        workdir=found.config.working_dir or None,
        user=found.config.user or None,
    )
