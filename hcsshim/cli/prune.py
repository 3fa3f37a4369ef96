"""``hcsshim prune``: what is left over, and its removal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from hcsshim.cli import records
from hcsshim.cli.show import json_option
from hcsshim.cli.tables import print_json, print_table, size_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hcsshim.documents import ComputeSystemProperties

COLUMNS = ("KIND", "ID", "SIZE", "WHY")


class Leftover(NamedTuple):
    """
    Something that nobody needs any more.

    Attributes:
        kind: ``system``: of HCS; ``container``: kept of an ended one; ``rubbish``: of a
            removal that was cut short.
        id: Of the system or container, or the path.
        why: It is thought to be left over.
        size_bytes: On disk; ``None`` for what takes none.
    """

    kind: str
    id: str
    why: str
    size_bytes: int | None


def left_systems(
    systems: Iterable[ComputeSystemProperties], owners: frozenset[str]
) -> list[Leftover]:
    """Find systems that never started, or stopped and were not removed."""
    found = []
    for system in systems:
        state, owner = str(system.state or "Unknown"), str(system.owner or "")
        if owner in owners and state in {"Created", "Stopped", "Unknown"} and system.id:
            why = {"Created": "it was never started"}.get(state, f"it is {state}")
            found.append(Leftover("system", system.id, why, None))
    return found


def leftovers(owners: frozenset[str]) -> list[Leftover]:
    """List all that is left over: systems, then what is kept on disk."""
    from hcsshim import enumerate_systems  # noqa: PLC0415 - lazily
    from hcsshim.cli.host import running_host  # noqa: PLC0415 - as above

    # A host that has to be started for the question has no systems.
    systems = enumerate_systems() if running_host() is not None else ()
    found = left_systems(systems, owners)
    alive = {system.id for system in systems}
    ended = {record.id: record for record in records.kept()}
    for folder in records.folders():
        if folder.system_id is None:
            why = "its removal was cut short"
            found.append(Leftover("rubbish", folder.path, why, folder.size_bytes))
        elif folder.system_id not in alive:
            record = ended.get(folder.system_id)
            why = "its end was never seen"
            if record is not None:
                why = f"it ended with {record.exit_code}"
            entry = Leftover("container", folder.system_id, why, folder.size_bytes)
            found.append(entry)
    return found


def remove(leftover: Leftover) -> None:
    """Remove one thing; gone already is fine."""
    from hcsshim import ComputeSystem, NotFoundError  # noqa: PLC0415 - lazily

    if leftover.kind == "system":
        try:
            with ComputeSystem.open(leftover.id) as system:
                system.terminate()
        except NotFoundError:
            return
        records.remove(leftover.id)
    elif leftover.kind == "container":
        records.remove(leftover.id)
    else:
        records.remove_rubbish(leftover.id)


@click.command()
@click.option("-f", "--force", is_flag=True, help="Remove it; without, only tell.")
@click.option(
    "--owner",
    "owners",
    multiple=True,
    default=("hcsshim",),
    show_default=True,
    help="Whose systems; repeatable.",
)
@json_option
def prune(owners: tuple[str, ...], *, force: bool, as_json: bool) -> None:
    """
    Tell what is left over of containers, and remove it with --force.

    That is: systems that were created and never started or stopped and are still
    there, what `hcsshim run` kept of containers that ended, and folders of removals
    that were cut short. Running systems are never touched.
    """
    found = leftovers(frozenset(owners))
    if force:
        for leftover in found:
            remove(leftover)
    if as_json:
        print_json([leftover._asdict() for leftover in found])
        return
    if not found:
        click.echo("nothing is left over")
        return
    rows = [
        {
            "KIND": item.kind,
            "ID": item.id,
            "SIZE": size_text(item.size_bytes),
            "WHY": item.why,
        }
        for item in found
    ]
    print_table(COLUMNS, rows)
    total = size_text(sum(item.size_bytes or 0 for item in found))
    verb = "removed" if force else "would be removed with --force"
    click.echo(f"{len(found)} {verb}, {total}")
