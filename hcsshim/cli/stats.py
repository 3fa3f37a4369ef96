"""``hcsshim stats``: what containers use, live."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from hcsshim.cli.show import json_option
from hcsshim.cli.tables import print_json, print_table, rich_table, size_text

if TYPE_CHECKING:
    from hcsshim import SystemStats

COLUMNS = ("ID", "CPU %", "CPU TIME", "MEMORY", "PEAK", "READ", "WRITTEN")


def take_samples(ids: tuple[str, ...]) -> tuple[SystemStats, ...]:
    """Ask every running container, or those named; those that vanish are left out."""
    from hcsshim import ComputeSystem, stats_all  # noqa: PLC0415 - lazily

    found = stats_all(ids)
    known = {stats.id for stats in found}
    for name in ids:
        if name not in known:  # say why not
            with ComputeSystem.open(name) as system:
                found = (*found, system.stats())
    return found


def row_of(stats: SystemStats, before: SystemStats | None) -> dict[str, str]:
    """Write the figures for a person; the rate needs an earlier look."""
    rate = "-"
    if before is not None and stats.taken > before.taken:
        rate = f"{stats.since(before).cpu_percent:.1f}"
    return {
        "ID": stats.id,
        "CPU %": rate,
        "CPU TIME": f"{stats.cpu_total.total_seconds():.2f} s",
        "MEMORY": size_text(stats.memory_bytes),
        "PEAK": size_text(stats.memory_peak_bytes),
        "READ": size_text(stats.read_bytes),
        "WRITTEN": size_text(stats.written_bytes),
    }


def figures_of(stats: SystemStats) -> dict[str, object]:
    """Write the figures for programs: times in seconds, sizes in bytes."""
    return {
        "id": stats.id,
        "cpu_seconds": stats.cpu_total.total_seconds(),
        "memory_bytes": stats.memory_bytes,
        "memory_peak_bytes": stats.memory_peak_bytes,
        "read_bytes": stats.read_bytes,
        "written_bytes": stats.written_bytes,
    }


@click.command()
@click.option("--no-stream", is_flag=True, help="Show one snapshot, and end.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=1.0,
    show_default=True,
    help="Seconds from one look to the next.",
)
@json_option
@click.argument("ids", metavar="[ID...]", nargs=-1)
def stats(
    ids: tuple[str, ...], *, no_stream: bool, interval: float, as_json: bool
) -> None:
    """Show what containers use; live at a terminal, until Ctrl-C."""
    samples = take_samples(ids)
    if as_json:
        print_json([figures_of(sample) for sample in samples])
    elif no_stream or not sys.stdout.isatty():
        print_table(COLUMNS, [row_of(sample, None) for sample in samples])
    else:
        watch(ids, samples, interval)


def watch(
    ids: tuple[str, ...], samples: tuple[SystemStats, ...], interval: float
) -> None:
    """Redraw the table at an interval, until Ctrl-C."""
    from threading import Event  # noqa: PLC0415 - only for people

    from rich.live import Live  # noqa: PLC0415 - only for people

    before: dict[str, SystemStats] = {}
    pause = Event()
    with Live(screen=True, auto_refresh=False) as live:
        while True:
            rows = [row_of(sample, before.get(sample.id)) for sample in samples]
            live.update(rich_table(COLUMNS, rows), refresh=True)  # type: ignore[arg-type] # a table
            before = {sample.id: sample for sample in samples}
            try:
                pause.wait(interval)
                samples = take_samples(ids)
            except KeyboardInterrupt:
                return
