"""``hcsshim ps`` and ``hcsshim inspect``."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import click

from hcsshim.cli import records
from hcsshim.cli.tables import print_json, print_table

json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.command()
@click.option(
    "-a",
    "--all",
    "everything",
    is_flag=True,
    help="Also those that ended and are kept.",
)
@click.option("-q", "--quiet", is_flag=True, help="Only the ids.")
@json_option
def ps(*, everything: bool, quiet: bool, as_json: bool) -> None:
    """List containers."""
    from hcsshim import enumerate_systems  # noqa: PLC0415 - lazily
    from hcsshim.documents import to_dict  # noqa: PLC0415 - as above

    systems = enumerate_systems()
    ended = records.kept() if everything else []
    if quiet:
        for system_id in [s.id for s in systems] + [record.id for record in ended]:
            click.echo(system_id)
        return
    if as_json:
        print_json([to_dict(system) for system in systems] + [_ended(r) for r in ended])
        return
    rows = [
        {
            "ID": str(system.id or ""),
            "STATE": str(system.state or ""),
            "TYPE": str(system.system_type or ""),
            "OWNER": str(system.owner or ""),
            "COMMAND": "",
        }
        for system in systems
    ]
    rows += [
        {
            "ID": record.id,
            "STATE": f"Exited ({_code_text(record.exit_code)})",
            "TYPE": "Container",
            "OWNER": "hcsshim",
            "COMMAND": " ".join(record.command),
        }
        for record in ended
    ]
    columns = ["ID", "STATE", "TYPE", "OWNER"] + ["COMMAND"] * everything
    print_table(columns, rows)


def _code_text(exit_code: int | None) -> str:
    """Write an exit code with its name of Windows, where it has one."""
    from hcsshim.ntstatus import exit_code_name  # noqa: PLC0415 - lazily

    found = exit_code_name(exit_code)
    return str(exit_code) if found is None or exit_code is None else found.name


def _ended(record: records.Record) -> dict[str, object]:
    """Describe an ended container as a program wants it, in HCS's own words."""
    return {
        "Id": record.id,
        "SystemType": "Container",
        "State": "Stopped",
        "Stopped": True,
        "Command": list(record.command),
        "ExitCode": record.exit_code,
        "Created": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
        "Ended": datetime.fromtimestamp(record.ended, timezone.utc).isoformat(),
    }


@click.command()
@click.option(
    "-p",
    "--property",
    "properties",
    multiple=True,
    default=("Statistics", "ProcessList"),
    show_default=True,
    help="What to ask for beside the basics; repeatable.",
)
@click.argument("system_id", metavar="ID")
def inspect(system_id: str, properties: tuple[str, ...]) -> None:
    """Show everything about the container ID, as JSON."""
    from hcsshim import ComputeSystem  # noqa: PLC0415 - lazily
    from hcsshim.documents import dumps  # noqa: PLC0415 - as above

    with ComputeSystem.open(system_id) as system:
        print_json(json.loads(dumps(system.properties(*properties))))
