"""``hcsshim props``, ``modify`` and ``service``: what HCS tells, and changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from hcsshim.cli.doc import read_file
from hcsshim.cli.options import Size, Volume, VolumeType
from hcsshim.cli.tables import print_json

if TYPE_CHECKING:
    from hcsshim.documents import JSON

_MIB = 1 << 20


@click.command()
@click.option("--v1", "schema_1", is_flag=True, help="Read the answer as schema 1.")
@click.option(
    "--query", "query_file", metavar="FILE", help="A whole query instead of types."
)
@click.argument("system_id", metavar="ID")
@click.argument("types", metavar="[TYPE...]", nargs=-1)
def props(
    system_id: str, types: tuple[str, ...], query_file: str | None, *, schema_1: bool
) -> None:
    """
    Print the properties of the system ID, as JSON.

    \b
    Types of HCS: Statistics ProcessList Memory GuestConnection SystemGUID
    TerminateOnLastHandleClosed MappedVirtualDisk ...; of the embedded host:
    MappedDirectory.

    \b
    Examples:
      hcsshim props web Statistics ProcessList
      echo '{"Queries":{"Statistics":null}}' | hcsshim props web --query -
    """  # noqa: D301 - click's mark for text to be left as it is
    from hcsshim import ComputeSystem  # noqa: PLC0415 - lazily
    from hcsshim.documents import PropertyQuery, from_dict, to_dict  # noqa: PLC0415

    if query_file is not None and (types or schema_1):
        raise click.UsageError("--query says all there is; drop the others")
    with ComputeSystem.open(system_id) as system:
        if schema_1:
            print_json(to_dict(system.properties_v1(*types)))
        elif query_file is not None:
            query = from_dict(PropertyQuery, read_file(query_file))
            print_json(to_dict(system.properties(query=query)))
        else:
            print_json(to_dict(system.properties(*types)))


def requests_of(
    file: str | None,
    memory: int | None,
    cpus: float | None,
    added: tuple[Volume, ...],
    removed: tuple[str, ...],
) -> list[JSON]:
    """Write the requests that the options of ``modify`` mean."""
    import os  # noqa: PLC0415 - lazily

    found: list[JSON] = []
    if file is not None:
        request = read_file(file)
        found += request if isinstance(request, list) else [request]
    if memory is not None:
        path = "Container/Memory/SizeInMB"
        megabytes = max(1, memory // _MIB)
        found.append(
            {"ResourcePath": path, "RequestType": "Update", "Settings": megabytes}
        )
    if cpus is not None:
        share = round(cpus / (os.cpu_count() or 1) * 10_000)
        settings: dict[str, JSON] = {"Maximum": max(1, min(10_000, share))}
        path = "Container/Processor"
        found.append(
            {"ResourcePath": path, "RequestType": "Update", "Settings": settings}
        )
    path = "Container/MappedDirectories"
    for target in removed:
        where = {"ContainerPath": target}
        found.append({"ResourcePath": path, "RequestType": "Remove", "Settings": where})
    for volume in added:
        mapped: dict[str, JSON] = {
            "HostPath": volume.source,
            "ContainerPath": volume.target,
            "ReadOnly": volume.read_only,
        }
        found.append({"ResourcePath": path, "RequestType": "Add", "Settings": mapped})
    return found


@click.command()
@click.option("--memory", type=Size(), metavar="SIZE", help="The new limit: 512m, 2g.")
@click.option(
    "--cpus",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="The new limit of processor time, in processors.",
)
@click.option(
    "--add-volume",
    "added",
    multiple=True,
    type=VolumeType(),
    metavar="SRC:DST[:ro]",
    help="Show one more directory of this machine; repeatable.",
)
@click.option(
    "--remove-volume",
    "removed",
    multiple=True,
    metavar="DST",
    help="Show a directory no more; repeatable.",
)
@click.argument("system_id", metavar="ID")
@click.argument("file", metavar="[FILE]", required=False)
def modify(  # noqa: PLR0913 - click gives every option as an argument
    system_id: str,
    file: str | None,
    *,
    memory: int | None,
    cpus: float | None,
    added: tuple[Volume, ...],
    removed: tuple[str, ...],
) -> None:
    """
    Change the running system ID.

    FILE holds a request, ModifySettingRequest, or a list of them; - reads stdin.

    \b
    Examples:
      hcsshim modify web --memory 1g --add-volume /srv/data:/data:ro
      hcsshim modify web request.json
    """  # noqa: D301 - click's mark for text to be left as it is
    from hcsshim import ComputeSystem  # noqa: PLC0415 - lazily

    requests = requests_of(file, memory, cpus, added, removed)
    if not requests:
        raise click.UsageError("say what to change: with FILE or an option")
    with ComputeSystem.open(system_id) as system:
        for request in requests:
            system.modify(json.dumps(request))
    click.echo(system_id)


@click.command()
@click.option("--modify", "settings", metavar="FILE", help="Change a setting instead.")
@click.argument("types", metavar="[TYPE...]", nargs=-1)
def service(types: tuple[str, ...], settings: str | None) -> None:
    """
    Print properties of the service and the machine, as JSON.

    \b
    Types: Basic ProcessorTopology CpuGroup ContainerCredentialGuard QoSCapabilities.
    With --modify, FILE holds a ModificationRequest; - reads stdin.
    """  # noqa: D301 - click's mark for text to be left as it is
    from hcsshim import modify_service, service_properties  # noqa: PLC0415 - lazily
    from hcsshim.documents import to_dict  # noqa: PLC0415 - as above

    if settings is not None:
        if types:
            raise click.UsageError("--modify changes; drop the types")
        modify_service(json.dumps(read_file(settings)))
        return
    print_json(to_dict(service_properties(*types)))
