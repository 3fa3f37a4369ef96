"""Queries and their filters: which objects, and in which form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from hcsshim.host.network.members import Members, same_id
from hcsshim.host.network.model import (
    Endpoint,
    LoadBalancer,
    Namespace,
    Network,
    SdnRoute,
    State,
)
from hcsshim.host.network.refusals import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hcsshim.host.fields import JSON
    from hcsshim.host.network.core import Core
    from hcsshim.host.network.model import Object

_WRAPPER = ("SchemaVersion", "Flags", "Filter")


@attrs.frozen(kw_only=True)
class Query:
    """
    A query.

    Attributes:
        v2: Whether the answer is a document of v2.
        wanted: What the filter asks for, by the names of v1 in lower case.
    """

    v2: bool = False
    wanted: dict[str, JSON] = attrs.field(factory=dict)


def read_query(text: str | None) -> Query:
    """
    Read a query; a filter may also be given without its wrapper.

    Raises:
        Refusal: It, or the filter in it, is not the JSON of an object.
    """
    fields = Members.parse_optional(text)
    major = fields.child("SchemaVersion").number("Major", most=0xFFFFFFFF)
    inner = fields.value("Filter")
    if isinstance(inner, str) and inner.strip():
        members = _parse(inner)
    elif isinstance(inner, dict):
        members = inner
    elif any(name in fields for name in ("SchemaVersion", "Filter")):
        members = {}
    else:
        members = fields.members()
    wanted = {name.lower(): value for name, value in members.items()}
    return Query(v2=major == 2, wanted=wanted)


def _parse(text: str) -> dict[str, JSON]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise refuse(HResult.HCN_E_INVALID_JSON, "The filter is no JSON object.")
    return found


def _same(value: str) -> Callable[[JSON], bool]:
    return lambda wanted: isinstance(wanted, str) and wanted == value


def _same_guid(value: str) -> Callable[[JSON], bool]:
    return lambda wanted: isinstance(wanted, str) and same_id(wanted) == same_id(value)


def _either_guid(*values: str) -> Callable[[JSON], bool]:
    return lambda wanted: isinstance(wanted, str) and same_id(wanted) in values


def _same_word(value: str) -> Callable[[JSON], bool]:
    return lambda wanted: isinstance(wanted, str) and wanted.lower() == value.lower()


def _same_number(value: int) -> Callable[[JSON], bool]:
    return lambda wanted: wanted == value and not isinstance(wanted, bool)


def _keys(item: Object) -> dict[str, Callable[[JSON], bool]]:
    """Give what a filter can ask of an object."""
    keys: dict[str, Callable[[JSON], bool]] = {"id": _same_guid(item.id)}
    if isinstance(item, Network):
        keys["id"] = _either_guid(item.id, item.switch)
        keys["name"] = _same(item.name)
        keys["type"] = _same_word(item.type)
        keys["flags"] = _same_number(item.flags)
        state = State.BROKEN if item.health.error else State.CREATED
        keys["state"] = _same_number(state)
    elif isinstance(item, Endpoint):
        keys["name"] = _same(item.name)
        keys["virtualnetwork"] = _same_guid(item.network)
        machine = item.port.get("VirtualMachineId")
        keys["virtualmachine"] = _same_guid(str(machine or ""))
        keys["flags"] = _same_number(item.flags)
        keys["state"] = _same_number(item.state)
    elif isinstance(item, Namespace):
        keys["type"] = _same_word(item.type)
    return keys


def matches(item: Object, query: Query) -> bool:
    """Tell whether an object meets all that a query's filter asks."""
    if not query.wanted:
        return True
    keys = _keys(item)
    return all(
        name in keys and keys[name](value) for name, value in query.wanted.items()
    )


def find(core: Core, cls: type[Object], query: Query) -> list[Object]:
    """
    List the objects of a class that a query asks for.

    An id, a network's name and an endpoint's network are looked up, not searched for.
    """
    return [item for item in _candidates(core, cls, query) if matches(item, query)]


def _candidates(core: Core, cls: type[Object], query: Query) -> Iterable[Object]:
    tables: dict[type[Object], Mapping[str, Object]] = {
        Network: core.networks,
        Endpoint: core.endpoints,
        Namespace: core.namespaces,
        LoadBalancer: core.balancers,
        SdnRoute: core.routes,
    }
    table = tables[cls]
    wanted = query.wanted.get("id")
    if isinstance(wanted, str):
        found = table.get(same_id(wanted))
        if found is None and cls is Network:
            found = _first_on_switch(core, same_id(wanted))
        return () if found is None else (found,)
    network = query.wanted.get("virtualnetwork")
    if cls is Endpoint and isinstance(network, str):
        return core.endpoints_of(same_id(network))
    name = query.wanted.get("name")
    if cls is Network and isinstance(name, str):
        named = core.network_named(name)
        return () if named is None else (named,)
    return table.values()


def _first_on_switch(core: Core, switch: str) -> Network | None:
    """
    Find the network that stands for a switch: ``SwitchGuid`` is an id like others.

    Source:
        Clients ask for that id, to learn the name of the switch.
    """
    on_it = (network for network in core.networks.values() if network.switch == switch)
    return next(on_it, None)
