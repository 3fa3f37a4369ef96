"""``hcsshim endpoint``, ``namespace``, ``lb`` and ``route``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hcsshim.cli.networking import (
    Port,
    PortType,
    document_option,
    endpoint_ids,
    network_id,
    port_option,
    read_json,
    write_document,
)
from hcsshim.cli.show import json_option
from hcsshim.cli.tables import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from hcsshim.documents import Document

    Show = Callable[[Document], dict[str, str]]

_NAMESPACE_TYPES = ("Host", "HostDefault", "Guest", "GuestDefault")


def show_list(
    found: Sequence[Document], columns: Sequence[str], show: Show, *, as_json: bool
) -> None:
    """Print objects: a table for people, documents for programs."""
    from hcsshim.documents import to_dict  # noqa: PLC0415 - lazily

    if as_json:
        print_json([to_dict(item) for item in found])
    else:
        print_table(columns, [show(item) for item in found])


def show_one(item: Document) -> None:
    """Print one object as JSON."""
    from hcsshim.documents import to_dict  # noqa: PLC0415 - lazily

    print_json(to_dict(item))


# -- endpoints --------------------------------------------------------------


@click.group()
def endpoint() -> None:
    """Make and look at endpoints: interfaces of containers."""


@endpoint.command("ls")
@click.option("--network", metavar="NAME", help="Only those of this network.")
@json_option
def list_endpoints(*, network: str | None, as_json: bool) -> None:
    """List endpoints."""
    from hcsshim.hcn import Endpoint, Network  # noqa: PLC0415 - lazily

    where = None if network is None else network_id(network)
    names = {item.id: str(item.name or item.id) for item in Network.list()}

    def show(item: Document) -> dict[str, str]:
        on = getattr(item, "host_compute_network", None)
        addresses = getattr(item, "ip_configurations", ())
        return {
            "ID": str(getattr(item, "id", "")),
            "NAME": str(getattr(item, "name", "") or ""),
            "NETWORK": names.get(on, str(on)),
            "ADDRESSES": ", ".join(str(found.ip_address) for found in addresses),
            "MAC": str(getattr(item, "mac_address", "") or ""),
        }

    columns = ["ID", "NAME", "NETWORK", "ADDRESSES", "MAC"]
    show_list(Endpoint.list(network_id=where), columns, show, as_json=as_json)


@endpoint.command("inspect")
@click.argument("name")
def inspect_endpoint(name: str) -> None:
    """Show the endpoint NAME, or of that id, as JSON."""
    from hcsshim.hcn import Endpoint  # noqa: PLC0415 - lazily

    show_one(Endpoint.get(endpoint_ids([name])[0]))


@endpoint.command("create")
@click.option("--name", help="Its name; several endpoints may have the same.")
@click.option("--address", "addresses", multiple=True, help="Instead of a free one.")
@click.option("--mac", help="Instead of a free one.")
@click.option("--dns", "servers", multiple=True, metavar="ADDRESS", help="Name server.")
@port_option
@document_option
@click.argument("network")
def create_endpoint(  # noqa: PLR0913 - click gives every option as an argument
    *,
    name: str | None,
    addresses: tuple[str, ...],
    mac: str | None,
    servers: tuple[str, ...],
    ports: tuple[Port, ...],
    document: TextIO | None,
    network: str,
) -> None:
    """Make an endpoint on NETWORK, and print its id."""
    from hcsshim.hcn import Network  # noqa: PLC0415 - lazily

    if document is not None:
        text = read_json(document)
    else:
        text = write_document(
            {
                "Name": name,
                "MacAddress": mac,
                "IpConfigurations": [{"IpAddress": found} for found in addresses],
                "Dns": {"ServerList": list(servers)} if servers else None,
                "Policies": [port.policy for port in ports],
            }
        )
    with Network.open(network_id(network)) as on, on.create_endpoint(text) as made:
        click.echo(made.id)


@endpoint.command("rm")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def remove_endpoints(names: tuple[str, ...]) -> None:
    """Delete the endpoints NAME, or of these ids, wherever they are attached."""
    from hcsshim.hcn import Endpoint  # noqa: PLC0415 - lazily

    for found in endpoint_ids(names):
        Endpoint.delete_by_id(found)


# -- namespaces -------------------------------------------------------------


@click.group()
def namespace() -> None:
    """Make and look at namespaces: networks that containers share."""


@namespace.command("ls")
@json_option
def list_namespaces(*, as_json: bool) -> None:
    """List namespaces; the machine's own is among them."""
    from hcsshim.hcn import Namespace  # noqa: PLC0415 - lazily

    def show(item: Document) -> dict[str, str]:
        resources = getattr(item, "resources", ())
        kinds = [str(found.type) for found in resources]
        return {
            "ID": str(getattr(item, "id", "")),
            "TYPE": str(getattr(item, "type", "") or ""),
            "COMPARTMENT": str(getattr(item, "namespace_id", "") or "-"),
            "ENDPOINTS": str(kinds.count("Endpoint")),
            "CONTAINERS": str(kinds.count("Container")),
        }

    columns = ["ID", "TYPE", "COMPARTMENT", "ENDPOINTS", "CONTAINERS"]
    show_list(Namespace.list(), columns, show, as_json=as_json)


@namespace.command("inspect")
@click.argument("namespace_id", metavar="ID")
def inspect_namespace(namespace_id: str) -> None:
    """Show the namespace ID, as JSON."""
    from hcsshim.hcn import Namespace  # noqa: PLC0415 - lazily

    show_one(Namespace.get(namespace_id))


@namespace.command("create")
@click.option(
    "--type",
    "kind",
    type=click.Choice(_NAMESPACE_TYPES, case_sensitive=False),
    default="Host",
    show_default=True,
    help="Whose it is.",
)
@click.option(
    "--endpoint", "endpoints", multiple=True, metavar="NAME", help="That joins it."
)
def create_namespace(*, kind: str, endpoints: tuple[str, ...]) -> None:
    """Make a namespace, and print its id."""
    from hcsshim.hcn import Namespace  # noqa: PLC0415 - lazily

    ids = endpoint_ids(endpoints)
    with Namespace.create(namespace_type=kind) as made:
        try:
            for found in ids:
                made.add_endpoint(found)
        except BaseException:
            made.delete()
            raise
        click.echo(made.id)


@namespace.command("rm")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
def remove_namespaces(ids: tuple[str, ...]) -> None:
    """Delete the namespaces ID; their endpoints stay."""
    from hcsshim.hcn import Namespace  # noqa: PLC0415 - lazily

    for found in ids:
        Namespace.delete_by_id(found)


# -- load balancers ---------------------------------------------------------


@click.group()
def lb() -> None:
    """Make and look at load balancers."""


@lb.command("ls")
@json_option
def list_balancers(*, as_json: bool) -> None:
    """List load balancers."""
    from hcsshim.hcn import LoadBalancer  # noqa: PLC0415 - lazily

    def show(item: Document) -> dict[str, str]:
        ports = getattr(item, "port_mappings", ())
        frontends = getattr(item, "frontend_vips", ())
        return {
            "ID": str(getattr(item, "id", "")),
            "FRONTENDS": ", ".join(frontends) or "this machine",
            "PORTS": ", ".join(
                f"{port.external_port}:{port.internal_port}" for port in ports
            ),
            "ENDPOINTS": str(len(getattr(item, "host_compute_endpoints", ()))),
        }

    columns = ["ID", "FRONTENDS", "PORTS", "ENDPOINTS"]
    show_list(LoadBalancer.list(), columns, show, as_json=as_json)


@lb.command("inspect")
@click.argument("balancer_id", metavar="ID")
def inspect_balancer(balancer_id: str) -> None:
    """Show the load balancer ID, as JSON."""
    from hcsshim.hcn import LoadBalancer  # noqa: PLC0415 - lazily

    show_one(LoadBalancer.get(balancer_id))


@lb.command("create")
@click.option("--vip", "vips", multiple=True, help="Frontend; none: this machine.")
@click.option("--source-vip", help="What remote endpoints see as the source.")
@click.option("--dsr", is_flag=True, help="Endpoints answer clients directly.")
@click.option(
    "-p",
    "--port",
    "ports",
    multiple=True,
    required=True,
    metavar="EXTERNAL:INTERNAL[/udp]",
    type=PortType(),
    help="What is served; repeatable.",
)
@click.argument("endpoints", nargs=-1, required=True, metavar="ENDPOINT...")
def create_balancer(
    *,
    vips: tuple[str, ...],
    source_vip: str | None,
    dsr: bool,
    ports: tuple[Port, ...],
    endpoints: tuple[str, ...],
) -> None:
    """Spread what comes to a frontend over the ENDPOINTs, and print the id."""
    from hcsshim.hcn import LoadBalancer  # noqa: PLC0415 - lazily

    text = write_document(
        {
            "HostComputeEndpoints": endpoint_ids(endpoints),
            "FrontendVIPs": list(vips),
            "SourceVIP": source_vip,
            "Flags": 1 if dsr else 0,
            "PortMappings": [
                {
                    "Protocol": port.protocol,
                    "InternalPort": port.internal,
                    "ExternalPort": port.external or port.internal,
                }
                for port in ports
            ],
        }
    )
    with LoadBalancer.create(text) as made:
        click.echo(made.id)


@lb.command("rm")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
def remove_balancers(ids: tuple[str, ...]) -> None:
    """Delete the load balancers ID."""
    from hcsshim.hcn import LoadBalancer  # noqa: PLC0415 - lazily

    for found in ids:
        LoadBalancer.delete_by_id(found)


# -- routes -----------------------------------------------------------------


@click.group()
def route() -> None:
    """Make and look at routes of endpoints."""


@route.command("ls")
@json_option
def list_routes(*, as_json: bool) -> None:
    """List routes."""
    from hcsshim.hcn import Route  # noqa: PLC0415 - lazily

    def show(item: Document) -> dict[str, str]:
        settings = getattr(item, "setting", ())
        return {
            "ID": str(getattr(item, "id", "")),
            "ROUTES": ", ".join(
                f"{found.destination_prefix} via {found.next_hop or 'the machine'}"
                for found in settings
            ),
            "ENDPOINTS": str(len(getattr(item, "host_compute_endpoints", ()))),
        }

    show_list(Route.list(), ["ID", "ROUTES", "ENDPOINTS"], show, as_json=as_json)


@route.command("inspect")
@click.argument("route_id", metavar="ID")
def inspect_route(route_id: str) -> None:
    """Show the route ID, as JSON."""
    from hcsshim.hcn import Route  # noqa: PLC0415 - lazily

    show_one(Route.get(route_id))


@route.command("create")
@click.option("--to", "prefix", required=True, metavar="PREFIX", help="Destination.")
@click.option("--via", metavar="ADDRESS", help="Next hop.")
@click.option("--encap", is_flag=True, help="By the machine's own encapsulation.")
@click.argument("endpoints", nargs=-1, required=True, metavar="ENDPOINT...")
def create_route(
    *, prefix: str, via: str | None, encap: bool, endpoints: tuple[str, ...]
) -> None:
    """Give the ENDPOINTs a route, and print its id."""
    from hcsshim.hcn import Route  # noqa: PLC0415 - lazily

    if via is None and not encap:
        raise click.UsageError("give --via ADDRESS, or --encap")
    setting = {"DestinationPrefix": prefix, "NextHop": via or "", "NeedEncap": encap}
    text = write_document(
        {"HostComputeEndpoints": endpoint_ids(endpoints), "Setting": [setting]}
    )
    with Route.create(text) as made:
        click.echo(made.id)


@route.command("rm")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
def remove_routes(ids: tuple[str, ...]) -> None:
    """Delete the routes ID."""
    from hcsshim.hcn import Route  # noqa: PLC0415 - lazily

    for found in ids:
        Route.delete_by_id(found)
