"""``hcsshim verity``: root hashes of layers, and what is checked with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hcsshim.cli.disk_options import standard_input, watched
from hcsshim.cli.progress import progress_bar
from hcsshim.cli.show import json_option
from hcsshim.cli.tables import print_json

archive_argument = click.argument(
    "archive", metavar="IMAGE", type=click.Path(exists=True, path_type=Path)
)
name_option = click.option("--name", help="Of the image, where there are several.")
platform_option = click.option(
    "--platform",
    metavar="OS/ARCH",
    help="Of an image for several; else this machine's.",
)


@click.group()
def verity() -> None:
    """
    Compute and check dm-verity root hashes.

    \b
    Examples:
      hcsshim verity roothash image.tar
      hcsshim verity create image.tar -o disks
      hcsshim verity verify disks/0123abcd.vhd
    """  # noqa: D301 - click's mark for text to be left as it is


@verity.command()
@archive_argument
@name_option
@platform_option
@json_option
def roothash(
    *, archive: Path, name: str | None, platform: str | None, as_json: bool
) -> None:
    """Show the root hash of each layer of an image: OCI layout or docker archive."""
    from hcsshim.images.layer_disks import (  # noqa: PLC0415 - lazily
        image_layers,
        layer_root_hashes,
    )

    layers = image_layers(archive, name=name, platform=platform)
    with progress_bar(archive.name, sum(layer.size for layer in layers)) as show:
        hashes = layer_root_hashes(layers, show)
    if as_json:
        print_json({"layers": list(hashes)})
        return
    for number, root_hash in enumerate(hashes):
        click.echo(f"Layer {number} root hash: {root_hash}")


@verity.command()
@click.argument("layer", metavar="LAYER")
def hashlayer(*, layer: str) -> None:
    """Show the root hash of one layer: a tar, packed or not; - is stdin."""
    from hcsshim.disk import ext4_root_hash  # noqa: PLC0415 - lazily

    with standard_input(layer) as file, watched(layer, file) as progress:
        click.echo(ext4_root_hash(file, progress=progress).root_hash)


@verity.command()
@archive_argument
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the disks go.",
)
@name_option
@platform_option
@json_option
def create(
    *,
    archive: Path,
    folder: Path,
    name: str | None,
    platform: str | None,
    as_json: bool,
) -> None:
    """Make a VHD with hash tree of each layer, named by the digest of its tar."""
    from hcsshim.images.layer_disks import (  # noqa: PLC0415 - lazily
        create_layer_disks,
        image_layers,
    )

    layers = image_layers(archive, name=name, platform=platform)
    with progress_bar(archive.name, sum(layer.size for layer in layers)) as show:
        made = create_layer_disks(layers, folder, show)
    if as_json:
        print_json({"layers": [{"path": str(p), "root_hash": h} for p, h in made]})
        return
    for number, (path, root_hash) in enumerate(made):
        click.echo(f"Layer {number} root hash: {root_hash}  {path}")


@verity.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("root_hash", metavar="[ROOT_HASH]", required=False)
@click.option("--hash-offset", type=int, help="Of the super block, in bytes.")
def verify(*, image: Path, root_hash: str | None, hash_offset: int | None) -> None:
    """
    Check every block of an image against its hash tree.

    Without ROOT_HASH the image is only shown to agree with itself.
    """
    from hcsshim.disk import read_verity  # noqa: PLC0415 - lazily
    from hcsshim.disk import verify as verify_image  # noqa: PLC0415 - as above

    found = read_verity(image, hash_offset=hash_offset)
    options: dict[str, Any] = {"hash_offset": found.hash_offset}
    with progress_bar(image.name, found.hash_offset) as show:
        verify_image(
            image,
            root_hash or found.root_hash,
            progress=lambda done, _: show(done),
            **options,
        )
    click.echo(f"{found.root_hash}  {image}: good")
