"""``hcsshim disk``: a look into the disks of layers."""

from __future__ import annotations

import os
import stat
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from hcsshim.cli.disk_options import watched
from hcsshim.cli.show import json_option
from hcsshim.cli.tables import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hcsshim.disk import Ext4Entry

image_argument = click.argument(
    "image", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


@click.group()
def disk() -> None:
    """
    Look into images without mounting them.

    \b
    Examples:
      hcsshim disk info layer.vhd
      hcsshim disk ls -l layer.vhd /etc
      hcsshim disk cat layer.vhd /etc/os-release
      hcsshim disk to-tar layer.vhd | tar -tv
    """  # noqa: D301 - click's mark for text to be left as it is


@disk.command()
@image_argument
@click.argument("path", default="/")
@click.option("-l", "--long", is_flag=True, help="Modes, owners, sizes, times, links.")
@click.option("-R", "--recursive", is_flag=True, help="Also what is in folders below.")
@json_option
def ls(*, image: Path, path: str, long: bool, recursive: bool, as_json: bool) -> None:
    """List a folder of an ext4 image."""
    from hcsshim.disk import list_ext4  # noqa: PLC0415 - lazily

    entries = list_ext4(image, path, recursive=recursive)
    if as_json:
        print_json([_described(entry) for entry in entries])
    elif long:
        _print_long(entries)
    else:
        for entry in entries:
            _say(entry.path)


@disk.command()
@image_argument
@click.argument("path")
def cat(*, image: Path, path: str) -> None:
    """Write a file of an ext4 image to stdout."""
    from hcsshim.disk import read_ext4_file  # noqa: PLC0415 - lazily

    for data in read_ext4_file(image, path):
        sys.stdout.buffer.write(data)


@disk.command()
@image_argument
@json_option
def info(*, image: Path, as_json: bool) -> None:
    """Tell what a file is: ext4, dm-verity, VHD, VHDX."""
    found = _examine(image)
    if as_json:
        print_json(found)
        return
    for kind, values in found.items():
        click.echo(f"{kind}:")
        for name, value in values.items():
            click.echo(f"  {name}: {value}")


@disk.command("to-tar")
@image_argument
@click.option("-o", "--output", metavar="FILE", help="The tar; by default stdout.")
@click.option("--overlay", is_flag=True, help="Make whiteouts those of OCI layers.")
def to_tar(*, image: Path, output: str | None, overlay: bool) -> None:
    """Write what an ext4 image holds into a tar."""
    from hcsshim.disk import ext4_to_tar  # noqa: PLC0415 - lazily

    if output is None and sys.stdout.isatty():
        raise click.UsageError("A tar is nothing for a terminal; give -o FILE.")
    target = sys.stdout.buffer if output is None else output
    with image.open("rb") as file, watched(image.name, file) as progress:
        ext4_to_tar(file, target, overlay=overlay, progress=progress)


def _examine(image: Path) -> dict[str, dict[str, object]]:
    """Find out all that a file is."""
    from hcsshim.disk import (  # noqa: PLC0415 - lazily
        ext4_info,
        read_verity,
        read_vhd,
        read_vhdx,
    )
    from hcsshim.errors import InvalidDataError  # noqa: PLC0415 - as above

    readers: dict[str, Callable[[Path], attrs.AttrsInstance]] = {
        "ext4": ext4_info,
        "dm-verity": read_verity,
        "VHD": read_vhd,
        "VHDX": read_vhdx,
    }
    told = {kind: _tried(read, image) for kind, read in readers.items()}
    found = {kind: values for kind, values in told.items() if values}
    if not found:
        raise InvalidDataError(message=f"'{image}' is neither ext4, VHD nor VHDX.")
    return found


def _tried(
    read: Callable[[Path], attrs.AttrsInstance], image: Path
) -> dict[str, object]:
    """Tell what a reader finds; nothing if it finds none of its kind."""
    from hcsshim.errors import HcsError  # noqa: PLC0415 - lazily

    try:
        return _values(read(image))
    except HcsError:
        return {}


def _values(value: attrs.AttrsInstance) -> dict[str, object]:
    """Give what a value of ours has, in words and numbers."""
    plain: dict[str, object] = {}
    for name, each in attrs.asdict(value, recurse=False).items():
        if attrs.has(type(each)):
            plain.update(_values(each))
        elif isinstance(each, bytes):
            plain[name] = each.hex()
        elif isinstance(each, (bool, int, str, list)) or each is None:
            plain[name] = each
        elif isinstance(each, tuple):
            plain[name] = list(each)
        else:
            plain[name] = str(each)
    return plain


def _described(entry: Ext4Entry) -> dict[str, object]:
    found: dict[str, object] = {
        "path": _printable(entry.path),
        "type": stat.filemode(entry.mode)[0],
        "mode": f"{stat.S_IMODE(entry.mode):04o}",
        "uid": entry.uid,
        "gid": entry.gid,
        "size": entry.size,
        "links": entry.links,
        "modified": _time(entry.modified_ns),
        "attributes": {_printable(k): v.hex() for k, v in entry.attributes.items()},
    }
    if stat.S_ISLNK(entry.mode):
        found["target"] = _printable(entry.target)
    if stat.S_ISCHR(entry.mode) or stat.S_ISBLK(entry.mode):
        found["device"] = list(entry.device)
    return found


def _print_long(entries: Iterable[Ext4Entry]) -> None:
    rows = []
    for entry in entries:
        arrow = f" -> {entry.target}" if entry.target else ""
        special = stat.S_ISCHR(entry.mode) or stat.S_ISBLK(entry.mode)
        size = "{}, {}".format(*entry.device) if special else str(entry.size)
        rows.append(
            {
                "MODE": stat.filemode(entry.mode),
                "LINKS": str(entry.links),
                "UID": str(entry.uid),
                "GID": str(entry.gid),
                "SIZE": size,
                "MODIFIED": _time(entry.modified_ns),
                "NAME": _printable(entry.path + arrow),
            }
        )
    columns = ["MODE", "LINKS", "UID", "GID", "SIZE", "MODIFIED", "NAME"]
    print_table(columns, rows)


def _time(nanoseconds: int) -> str:
    moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000, timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _say(text: str) -> None:
    """Print a name, whatever bytes it is made of."""
    click.echo(os.fsencode(text))


def _printable(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
