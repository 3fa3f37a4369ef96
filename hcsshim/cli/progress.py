"""A bar with bytes, rate and time left, when a person watches; else silence."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Report(Protocol):
    """How a long piece of work says how far it is."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """
        Say it.

        Args:
            done: The bytes done so far, all in all.
            total: How many there are to do, where that was not known before.
        """


def _ignore(done: int, total: int | None = None) -> None:
    del done, total


@contextmanager
def progress_bar(description: str, total_bytes: int | None) -> Iterator[Report]:
    """
    Show how far a long piece of work is.

    Args:
        description: What is done, in a few words.
        total_bytes: How much there is to do; ``None`` if nobody knows.

    Yields:
        To be called with the bytes done so far, all in all.
    """
    if not sys.stderr.isatty():
        yield _ignore
        return
    from rich.console import Console  # noqa: PLC0415 - only for people
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total_bytes)

        def report(done: int, total: int | None = None) -> None:
            if total is None:
                progress.update(task, completed=done)
            else:
                progress.update(task, completed=done, total=total)

        yield report
