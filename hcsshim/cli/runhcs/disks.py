"""Commands that make disks for Linux containers."""

from __future__ import annotations

import click


@click.command("create-scratch")
@click.option("--destpath", required=True, metavar="FILE", help="The disk to be made.")
@click.option(
    "--sizeGB",
    "size_gb",
    default=20,
    show_default=True,
    metavar="N",
    help="Its size in GiB.",
)
@click.option(
    "--cache-path",
    default="",
    metavar="FILE",
    help="A disk of the usual size, to be copied, or to be left for the next time.",
)
@click.option(
    "--use-virtual-memory",
    is_flag=True,
    help="For the VM that the original boots; without effect here.",
)
def create_scratch(
    *, destpath: str, size_gb: int, cache_path: str, use_virtual_memory: bool
) -> None:
    """Make a disk for what Linux containers write: ext4 in a VHDX."""
    from hcsshim.oci import scratch  # noqa: PLC0415 - lazily

    del use_virtual_memory
    scratch.create_scratch(destpath, size_gb, cache=cache_path or None)


@click.command("prepare-disk")
@click.option("--destpath", required=True, metavar="DISK", help="The disk.")
def prepare_disk(*, destpath: str) -> None:
    """Make an empty ext4 file system on a disk; what was there is lost."""
    from hcsshim.oci import scratch  # noqa: PLC0415 - lazily

    scratch.prepare_disk(destpath)
