"""``hcsshim stats``: what containers use, live."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING

import attrs
import click

from hcsshim.cli.show import json_option
from hcsshim.cli.tables import print_json, print_table, rich_table, size_text

if TYPE_CHECKING:
    from hcsshim.documents import Statistics

COLUMNS = ("ID", "CPU %", "CPU TIME", "MEMORY", "PEAK", "READ", "WRITTEN")


@attrs.frozen(kw_only=True)
class Sample:
    """What one container had used at a moment; times in seconds, sizes in bytes."""

    id: str
    at: float
    cpu_seconds: float
    memory_bytes: int | None
    memory_peak_bytes: int | None
    read_bytes: int | None
    written_bytes: int | None


def sample_of(system_id: str, statistics: Statistics) -> Sample:
    """Pick the figures out of HCS's statistics."""
    processor, memory = statistics.processor, statistics.memory
    storage = statistics.storage
    total = processor.total_runtime if processor is not None else None
    return Sample(
        id=system_id,
        at=monotonic(),
        cpu_seconds=total.total_seconds() if total is not None else 0.0,
        memory_bytes=memory.memory_usage_commit_bytes if memory else None,
        memory_peak_bytes=memory.memory_usage_commit_peak_bytes if memory else None,
        read_bytes=storage.read_size_bytes if storage else None,
        written_bytes=storage.write_size_bytes if storage else None,
    )


def take_samples(ids: tuple[str, ...]) -> list[Sample]:
    """Ask every running container, or those named; those that vanish are left out."""
    from hcsshim import (  # noqa: PLC0415 - lazily
        AlreadyStoppedError,
        ComputeSystem,
        InvalidStateError,
        NotFoundError,
        enumerate_systems,
    )

    names = ids or tuple(str(system.id) for system in enumerate_systems())
    samples = []
    for name in names:
        try:
            with ComputeSystem.open(name) as system:
                statistics = system.properties("Statistics").statistics
        except (NotFoundError, AlreadyStoppedError, InvalidStateError):
            if ids:
                raise
            continue
        if statistics is not None:
            samples.append(sample_of(name, statistics))
    return samples


def row_of(sample: Sample, before: Sample | None) -> dict[str, str]:
    """Write a sample for a person; the rate needs an earlier one."""
    rate = "-"
    if before is not None and sample.at > before.at:
        used = sample.cpu_seconds - before.cpu_seconds
        rate = f"{100 * used / (sample.at - before.at):.1f}"
    return {
        "ID": sample.id,
        "CPU %": rate,
        "CPU TIME": f"{sample.cpu_seconds:.2f} s",
        "MEMORY": size_text(sample.memory_bytes),
        "PEAK": size_text(sample.memory_peak_bytes),
        "READ": size_text(sample.read_bytes),
        "WRITTEN": size_text(sample.written_bytes),
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
        print_json(
            [
                attrs.asdict(sample, filter=lambda a, _: a.name != "at")
                for sample in samples
            ]
        )
    elif no_stream or not sys.stdout.isatty():
        print_table(COLUMNS, [row_of(sample, None) for sample in samples])
    else:
        watch(ids, samples, interval)


def watch(ids: tuple[str, ...], samples: list[Sample], interval: float) -> None:
    """Redraw the table at an interval, until Ctrl-C."""
    from threading import Event  # noqa: PLC0415 - only for people

    from rich.live import Live  # noqa: PLC0415 - only for people

    before: dict[str, Sample] = {}
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
