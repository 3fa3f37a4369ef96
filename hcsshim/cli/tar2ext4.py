"""``tar2ext4``: the flags of the reference's program, and a few more."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from hcsshim.cli.disk_options import size_option, standard_input, watched

#: What the reference takes for true and false behind ``=``.
_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}


class GoCommand(click.Command):
    """A command whose flags may be written as programs in Go take them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take ``-i=FILE``, ``-vhd=true`` and ``--i`` for what they mean."""
        return super().parse_args(ctx, [w for a in args for w in self._words(a)])

    def _words(self, argument: str) -> list[str]:
        if not argument.startswith("-") or argument in {"-", "--"}:
            return [argument]
        name, equals, value = argument.lstrip("-").partition("=")
        for option in self.params:
            if f"-{name}" not in option.opts:
                continue
            if not equals:
                return [f"-{name}"]
            if isinstance(option, click.Option) and option.is_flag:
                if value not in _TRUE | _FALSE:
                    raise click.BadParameter(f"{value!r} is neither true nor false.")
                return [f"-{name}"] if value in _TRUE else []
            return [f"-{name}", value]
        return [argument]


@click.command(
    "tar2ext4",
    cls=GoCommand,
    context_settings={"help_option_names": ["-h", "-help", "--help"]},
)
@click.option("-i", "source", metavar="FILE", help="The tar; by default stdin.")
@click.option("-o", "target", metavar="FILE", required=True, help="The image.")
@click.option("-overlay", is_flag=True, help="Make whiteouts those of overlayfs.")
@click.option(
    "-convert-slash",
    "convert_backslash",
    is_flag=True,
    help="Make backslashes in names slashes.",
)
@click.option("-vhd", is_flag=True, help="Add the footer of a fixed VHD.")
@click.option(
    "-only-vhd",
    is_flag=True,
    help="Copy the input, add the footer of a fixed VHD, and ignore all else.",
)
@click.option(
    "-inline", is_flag=True, help="Put small files into inodes; does not go with DAX."
)
@click.option("-verity", is_flag=True, help="Add a dm-verity hash tree; show its root.")
@size_option("-max-size", "max_size", default="16G", help="What the image may take.")
@click.option("-strict", is_flag=True, help="Mend the faults of the reference.")
@click.option("-sparse", is_flag=True, help="Leave holes for zeros.")
def tar2ext4(  # noqa: PLR0913 - each is a flag
    *,
    source: str | None,
    target: str,
    overlay: bool,
    convert_backslash: bool,
    vhd: bool,
    only_vhd: bool,
    inline: bool,
    verity: bool,
    max_size: int,
    strict: bool,
    sparse: bool,
) -> None:
    """Convert a tar, packed or not, to an ext4 image."""
    from hcsshim.disk import tar_to_ext4  # noqa: PLC0415 - lazily

    if only_vhd:
        _add_footer(source, target)
        return
    with standard_input(source) as file, watched(target, file) as progress:
        image = tar_to_ext4(
            file,
            target,
            overlay=overlay,
            convert_backslash=convert_backslash,
            vhd=vhd,
            inline=inline,
            verity=verity,
            max_size=max_size,
            strict=strict,
            sparse=sparse,
            progress=progress,
        )
    if image.root_hash is not None:
        click.echo(image.root_hash)


def _add_footer(source: str | None, target: str) -> None:
    """Copy a raw image and make it a VHD."""
    from hcsshim.disk import append_vhd_footer  # noqa: PLC0415 - lazily
    from hcsshim.disk._io import replacing  # noqa: PLC0415 - as above

    with standard_input(source) as file, replacing(Path(target)) as image:
        shutil.copyfileobj(file, image, 256 * 1024)
        append_vhd_footer(image)
