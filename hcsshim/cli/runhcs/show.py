"""Commands that tell of containers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from hcsshim.cli.app import sentence
from hcsshim.cli.runhcs.app import runtime_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hcsshim.oci.container_state import ContainerState
    from hcsshim.oci.runtime import Runtime

_COLUMNS = ("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER")
_LEAST_WIDTH, _GAP = 12, 3


@click.command("list")
@click.option(
    "-f", "--format", "style", default="table", metavar="table|json", help="The form."
)
@click.option("-q", "--quiet", is_flag=True, help="The ids only.")
@click.pass_context
def list_(ctx: click.Context, *, style: str, quiet: bool) -> None:
    """List the containers of this root."""
    runtime = runtime_of(ctx)
    if style not in ("table", "json"):
        raise click.ClickException("invalid format option")
    if quiet:
        for container_id in runtime.ids():
            click.echo(container_id)
        return
    states = list(_readable(runtime))
    if style == "json":
        click.echo(_compact([state.as_json() for state in states]))
    else:
        for line in table([_COLUMNS, *map(_row, states)]):
            click.echo(line)


def _readable(runtime: Runtime) -> Iterator[ContainerState]:
    """Give the states that can be read, and name the others on stderr."""
    for container_id, found in runtime.states():
        if isinstance(found, Exception):
            click.echo(f"reading state for {container_id}: {sentence(found)}", err=True)
        else:
            yield found


def _row(state: ContainerState) -> tuple[str, ...]:
    shown = state.as_json()
    names = ("id", "pid", "status", "bundle", "created", "owner")
    return tuple(str(shown[name]) for name in names)


def table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Align rows as runc does: by blanks, the last column as it is."""
    widths = [
        max(_LEAST_WIDTH, _GAP + max(len(row[column]) for row in rows))
        for column in range(len(rows[0]) - 1)
    ]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield "".join((*cells, row[-1]))


@click.command()
@click.argument("container_id", metavar="ID")
@click.pass_context
def state(ctx: click.Context, *, container_id: str) -> None:
    """Tell the state of the container ID, as JSON."""
    found = runtime_of(ctx).state(container_id)
    click.echo(json.dumps(found.as_json(), indent=2))


@click.command()
@click.option(
    "-f", "--format", "style", default="json", metavar="json", help="Its form."
)
@click.argument("container_id", metavar="ID")
@click.pass_context
def ps(ctx: click.Context, *, container_id: str, style: str) -> None:
    """List the ids of the processes of the container ID, as JSON."""
    if style != "json":
        raise click.ClickException("invalid format option")
    click.echo(_compact(list(runtime_of(ctx).processes(container_id))))


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
