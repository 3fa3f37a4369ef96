"""``hcsshim network``: networks, and how they hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hcsshim.cli.networking import (
    document_option,
    network_id,
    read_json,
    write_document,
)
from hcsshim.cli.show import json_option
from hcsshim.cli.tables import print_json, print_table

if TYPE_CHECKING:
    from typing import TextIO

_TYPES = ("NAT", "ICS", "Internal", "Private", "Transparent", "L2Bridge", "Overlay")


@click.group()
def network() -> None:
    """
    Make and look at networks.

    \b
    Examples:
      hcsshim network create pods --subnet 10.5.0.0/24
      hcsshim run --network pods -p 8080:80 -- httpd -f
      hcsshim network diag pods
    """  # noqa: D301 - click's mark for text to be left as it is


@network.command("ls")
@click.option("-q", "--quiet", is_flag=True, help="Only the ids.")
@json_option
def list_(*, quiet: bool, as_json: bool) -> None:
    """List networks."""
    from hcsshim.documents import to_dict  # noqa: PLC0415 - lazily
    from hcsshim.hcn import Endpoint, Network  # noqa: PLC0415 - as above

    found = Network.list()
    if quiet:
        for item in found:
            click.echo(item.id)
        return
    if as_json:
        print_json([to_dict(item) for item in found])
        return
    counts: dict[str | None, int] = {}
    for endpoint in Endpoint.list():
        place = endpoint.host_compute_network
        counts[place] = counts.get(place, 0) + 1
    rows = [
        {
            "ID": str(item.id),
            "NAME": str(item.name or ""),
            "TYPE": str(item.type or "NAT"),
            "SUBNETS": ", ".join(
                str(subnet.ip_address_prefix)
                for ipam in item.ipams
                for subnet in ipam.subnets
            ),
            "ENDPOINTS": str(counts.get(item.id, 0)),
        }
        for item in found
    ]
    print_table(["ID", "NAME", "TYPE", "SUBNETS", "ENDPOINTS"], rows)


@network.command("inspect")
@click.argument("name")
def inspect(name: str) -> None:
    """Show the network NAME, or of that id, as JSON."""
    from hcsshim.documents import to_dict  # noqa: PLC0415 - lazily
    from hcsshim.hcn import Network  # noqa: PLC0415 - as above

    print_json(to_dict(Network.get(network_id(name))))


@network.command("create")
@click.option(
    "--type",
    "kind",
    type=click.Choice(_TYPES, case_sensitive=False),
    default="NAT",
    show_default=True,
    help="What carries it.",
)
@click.option(
    "--subnet", "subnets", multiple=True, metavar="PREFIX", help="10.5.0.0/24"
)
@click.option(
    "--gateway",
    "gateways",
    multiple=True,
    metavar="ADDRESS",
    help="Of each subnet, in order; by default its first address.",
)
@click.option("--vsid", type=click.IntRange(4096, 16777214), help="Of an overlay.")
@click.option("--adapter", metavar="NAME", help="Bind to this adapter of the machine.")
@click.option("--dns", "servers", multiple=True, metavar="ADDRESS", help="Name server.")
@document_option
@click.argument("name", required=False)
def create(  # noqa: PLR0913 - click gives every option as an argument
    *,
    kind: str,
    subnets: tuple[str, ...],
    gateways: tuple[str, ...],
    vsid: int | None,
    adapter: str | None,
    servers: tuple[str, ...],
    document: TextIO | None,
    name: str | None,
) -> None:
    """Make the network NAME, and print its id."""
    from hcsshim.hcn import Network  # noqa: PLC0415 - lazily

    if document is not None:
        text = read_json(document)
    elif name is None:
        raise click.UsageError("give a NAME, or --document")
    else:
        text = write_document(
            {
                "Name": name,
                "Type": kind,
                "Dns": {"ServerList": list(servers)} if servers else None,
                "Ipams": _ipams(kind, subnets, gateways, vsid),
                "Policies": _adapter(adapter),
            }
        )
    with Network.create(text) as made:
        click.echo(made.id)


def _adapter(name: str | None) -> list[object]:
    if name is None:
        return []
    return [{"Type": "NetAdapterName", "Settings": {"NetworkAdapterName": name}}]


def _ipams(
    kind: str, subnets: tuple[str, ...], gateways: tuple[str, ...], vsid: int | None
) -> list[object]:
    """Write the subnets, each with a default route."""
    from ipaddress import ip_network  # noqa: PLC0415 - lazily

    if len(gateways) > len(subnets):
        raise click.UsageError("there are more --gateway than --subnet")
    parts = []
    for place, prefix in enumerate(subnets):
        try:
            whole = ip_network(prefix, strict=False)
        except ValueError:
            raise click.BadParameter(
                f"{prefix!r} is no prefix; write it like 10.5.0.0/24",
                param_hint="--subnet",
            ) from None
        hop = gateways[place] if place < len(gateways) else str(whole[1])
        destination = "0.0.0.0/0" if whole.version == 4 else "::/0"
        routes = [{"NextHop": hop, "DestinationPrefix": destination}]
        policies = []
        if kind == "Overlay":
            policies = [{"Type": "VSID", "Settings": {"IsolationId": vsid or 4096}}]
        parts.append(
            {"IpAddressPrefix": prefix, "Routes": routes, "Policies": policies}
        )
    return [{"Type": "Static", "Subnets": parts}] if parts else []


@network.command("rm")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def remove(names: tuple[str, ...]) -> None:
    """Delete the networks NAME, or of these ids, and their endpoints."""
    from hcsshim.hcn import Network  # noqa: PLC0415 - lazily

    for name in names:
        Network.delete_by_id(network_id(name))


@network.command("diag")
@json_option
@click.argument("name")
def diagnose(*, as_json: bool, name: str) -> int:
    """
    Draw how the network NAME hangs together, and what disagrees.

    Under each object stands what this machine's kernel has for it. The exit code is 1
    if something disagrees.
    """
    from hcsshim.cli.network_drawing import draw, gather  # noqa: PLC0415 - lazily

    diagnosis = gather(network_id(name))
    if as_json:
        print_json(diagnosis.as_dict())
    else:
        for line in draw(diagnosis):
            click.echo(line)
    return 1 if diagnosis.problems else 0
