"""The one way to print tables: for people at a terminal, for pipes, for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A row: what a person sees of each column, by the column's name.
Row = dict[str, str]


def print_json(value: object) -> None:
    """Print a value for programs, on lines that a person can read, too."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    """
    Print a table: framed by rich for a person, aligned text for a pipe.

    Args:
        columns: Their names, in order; the heads of the table.
        rows: Their cells, by column.
    """
    if sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415 - only for people

        Console().print(rich_table(columns, rows))
        return
    widths = [
        max(len(column), *(len(row[column]) for row in rows), 0)
        if rows
        else len(column)
        for column in columns
    ]
    for cells in (columns, *([row[column] for column in columns] for row in rows)):
        line = "  ".join(
            cell.ljust(width) for cell, width in zip(cells, widths, strict=True)
        )
        click.echo(line.rstrip())


def rich_table(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> object:
    """Make a table for a terminal."""
    from rich import box  # noqa: PLC0415 - only for people
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(row[column] for column in columns))
    return table


def size_text(size_bytes: int | None) -> str:
    """Write a size as people do: ``12.3 MiB``; ``-`` for an unknown one."""
    if size_bytes is None:
        return "-"
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
