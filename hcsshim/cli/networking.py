"""What the commands about networks share: options, lookups, and ``run --network``."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, TextIO, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

_PROTOCOLS = {"tcp": 6, "udp": 17}
_MOST_PORT = 65535
_GUID = re.compile(r"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?")
_SCHEMA = {"Major": 2, "Minor": 0}


@attrs.frozen
class Port:
    """
    A port of this machine, or of a frontend, and where it leads.

    Args:
        address: Of this machine; ``""`` for every one.
        external: 0 for one that the service chooses.
        internal: Of the container.
        protocol: Its number.
    """

    address: str
    external: int
    internal: int
    protocol: int

    @property
    def policy(self) -> dict[str, object]:
        """The policy that maps the port."""
        settings: dict[str, object] = {
            "Protocol": self.protocol,
            "InternalPort": self.internal,
            "ExternalPort": self.external,
        }
        if self.address:
            settings["VIP"] = self.address
        return {"Type": "PortMapping", "Settings": settings}


class PortType(click.ParamType[Port]):
    """``8080:80``, ``80``, ``127.0.0.1:8080:80``, each with ``/udp`` if it is that."""

    name = "port"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Port:
        """Read a mapping of ports."""
        if isinstance(value, Port):
            return value
        match = re.fullmatch(
            r"(?:(?:(.+):)?(\d{1,5}):)?(\d{1,5})(?:/(tcp|udp))?", str(value).lower()
        )
        if match is None:
            self.fail(f"{value!r} is not EXTERNAL:INTERNAL, as in 8080:80", param, ctx)
        external, internal = int(match[2] or 0), int(match[3])
        if not 1 <= internal <= _MOST_PORT or external > _MOST_PORT:
            self.fail(f"{value!r} has a number that is no port", param, ctx)
        address = (match[1] or "").strip("[]")
        return Port(address, external, internal, _PROTOCOLS[match[4] or "tcp"])


def port_option(function: F) -> F:
    """Add the option that publishes ports."""
    return click.option(
        "-p",
        "--publish",
        "ports",
        multiple=True,
        metavar="[EXTERNAL:]INTERNAL[/udp]",
        type=PortType(),
        help="Let a port of this machine lead to the container; repeatable.",
    )(function)


def document_option(function: F) -> F:
    """Add the option that takes a whole document instead of other options."""
    return click.option(
        "--document",
        "document",
        type=click.File("r", encoding="utf-8"),
        metavar="FILE",
        help="Take the whole document from FILE, - for stdin.",
    )(function)


def read_json(document: TextIO) -> str:
    """
    Read a document that must be JSON.

    Raises:
        click.BadParameter: It is none.
    """
    text = document.read()
    try:
        json.loads(text)
    except ValueError as error:
        raise click.BadParameter(
            f"it is no JSON: {error}", param_hint="--document"
        ) from None
    return text


def write_document(members: Mapping[str, object]) -> str:
    """Write a document of v2; members that are empty are left out."""
    kept = {
        name: value for name, value in members.items() if value not in (None, "", [])
    }
    return json.dumps({**kept, "SchemaVersion": _SCHEMA})


def network_id(name: str) -> str:
    """
    Give the id of a network.

    Args:
        name: Its name, or its id.

    Raises:
        click.ClickException: There is none.
    """
    from hcsshim.hcn import Network  # noqa: PLC0415 - lazily

    found = Network.list(name=name)
    if found:
        return str(found[0].id)
    if _GUID.fullmatch(name):
        return str(Network.get(name).id)
    raise click.ClickException(
        f"there is no network {name!r}; make it: hcsshim network create {name}"
    )


def endpoint_ids(names: Sequence[str]) -> list[str]:
    """
    Give the ids of endpoints.

    Args:
        names: Names or ids; a name that several have stands for none of them.

    Raises:
        click.ClickException: There is none of a name, or several.
    """
    from hcsshim.hcn import Endpoint  # noqa: PLC0415 - lazily

    ids = []
    for name in names:
        if _GUID.fullmatch(name):
            ids.append(str(Endpoint.get(name).id))
            continue
        found = Endpoint.list(name=name)
        if len(found) != 1:
            several = f"{len(found)} endpoints are" if found else "no endpoint is"
            raise click.ClickException(f"{several} named {name!r}; give an id")
        ids.append(str(found[0].id))
    return ids


@contextmanager
def on_network(
    document: str, network: str | None, ports: Sequence[Port], name: str
) -> Iterator[str]:
    """
    Give a container an endpoint of its own, as long as it lives.

    Args:
        document: Of the container.
        network: Name or id of the network; ``None`` for no network at all.
        ports: That lead to it.
        name: Of the endpoint.

    Returns:
        The document with the endpoint.
    """
    if network is None:
        if ports:
            raise click.UsageError("-p needs a network: --network NAME")
        yield document
        return
    from hcsshim.hcn import Endpoint, Network  # noqa: PLC0415 - lazily

    settings = write_document(
        {"Name": f"{name}_eth0", "Policies": [port.policy for port in ports]}
    )
    with Network.open(network_id(network)) as found:
        endpoint = found.create_endpoint(settings)
    endpoint.close()
    try:
        changed = json.loads(document)
        networking = changed["Container"].setdefault("Networking", {})
        networking["NetworkAdapters"] = [endpoint.id]
        yield json.dumps(changed)
    finally:
        Endpoint.delete_by_id(endpoint.id)
