"""``hcsshim vhd``: fixed VHDs and VHDXs."""

from __future__ import annotations

from pathlib import Path

import click

from hcsshim.cli.disk import info
from hcsshim.cli.disk_options import size_option


@click.group()
def vhd() -> None:
    """
    Make disks, and tell what they are.

    \b
    Examples:
      hcsshim vhd create scratch.vhdx --size 20G
      hcsshim vhd info scratch.vhdx
    """  # noqa: D301 - click's mark for text to be left as it is


vhd.add_command(info)


@vhd.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@size_option("--size", "size", help="Of the disk.", default="20G")
@click.option("--fixed", is_flag=True, help="Take all the room of a VHDX now.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def create(*, path: Path, size: int, fixed: bool, force: bool) -> None:
    """
    Make an empty disk: a VHDX, or a fixed VHD if the name ends so.

    What takes no room yet is left out, or with --fixed filled with zeros.
    """
    from hcsshim.disk import create_vhd, create_vhdx  # noqa: PLC0415 - lazily

    if path.exists() and not force:
        raise click.ClickException(f"'{path}' is there already; --force replaces it.")
    if path.suffix.lower() == ".vhd":
        create_vhd(path, size, sparse=not fixed)
    else:
        create_vhdx(path, size, fixed=fixed)
