"""HNSCall: methods and paths of v1, and the envelope of its answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from hcsshim.host.datapath.port import Target
from hcsshim.host.network import rendering_v1 as v1
from hcsshim.host.network.endpoints import HOST
from hcsshim.host.network.hcn_calls import (
    addresses_document,
    document_of,
    statistics_document,
)
from hcsshim.host.network.members import Members, as_guid, as_mac
from hcsshim.host.network.model import SdnRoute
from hcsshim.host.network.policies import NETWORK_TYPES
from hcsshim.host.network.reading import (
    read_endpoint,
    read_namespace,
    read_network,
    read_policy_list,
    read_v1_policies,
    v1_endpoint_members,
    v1_network_members,
)
from hcsshim.host.network.refusals import NO_VALID_OBJECT, refuse, text_of
from hcsshim.host.network.spaces import host_target
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.fields import JSON
    from hcsshim.host.network.model import Object
    from hcsshim.host.network.service import NetworkService
    from hcsshim.host.serving.session import Call

#: What an answer has no Output for.
_NOTHING: JSON = None
_CONTAINER_TYPES = ("container", "virtualmachine", "host")


class EnvelopeError(Exception):
    """
    A request that fails inside the envelope, the call itself having succeeded.

    Args:
        text: Of ``Error``.
        code: Of ``ErrorCode``.
    """

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


@attrs.frozen
class Request:
    """One request: the service, the id and verb of its path, and its body."""

    service: NetworkService
    id: str
    verb: str
    body: str | None


def carry_out(call: Call, service: NetworkService) -> None:
    """
    Carry out a call of v1.

    Raises:
        Refusal: It fails, with an error record.
    """
    method, path = (call.text(0) or "").upper(), call.text(1) or ""
    parts = [part for part in path.split("/") if part]
    collection = parts[0].lower() if parts else ""
    rest = [*parts[1:], "", ""]
    request = Request(service, rest[0], rest[1].lower(), call.text(2))
    try:
        output = _route(method, collection, request, len(parts))
    except EnvelopeError as error:
        answer: dict[str, JSON] = {
            "Success": False,
            "Error": error.text,
            "ErrorCode": error.code,
        }
    else:
        answer = {"Success": True}
        if output is not None:
            answer["Output"] = output
    call.answer(0, json.dumps(answer, separators=(",", ":"), ensure_ascii=False))


def _route(method: str, collection: str, request: Request, parts: int) -> JSON:
    """Find what carries a request out."""
    handlers = _ROUTES.get((collection, min(parts, 3)))
    if collection == "globals" and request.id.lower() == "version" and method == "GET":
        return {"Major": v1.MAJOR, "Minor": v1.MINOR}
    handler = (handlers or {}).get(
        f"{method} {request.verb}" if request.verb else method
    )
    if handler is None:
        raise EnvelopeError(
            text_of(HResult.HCN_E_REQUEST_UNSUPPORTED),
            HResult.HCN_E_REQUEST_UNSUPPORTED,
        )
    return handler(request)


def _document(request: Request, item: Object) -> JSON:
    return document_of(item, request.service.core, v2_form=False)


# -- networks ---------------------------------------------------------------


def _list_networks(request: Request) -> JSON:
    return [_document(request, i) for i in request.service.core.networks.values()]


def _create_network(request: Request) -> JSON:
    made = request.service.networks.create(read_network(request.body))
    return _document(request, made)


def _get_network(request: Request) -> JSON:
    return _document(request, request.service.core.network(as_guid(request.id)))


def _detailed_network(request: Request) -> JSON:
    """Answer with a network and what the kernel has for it; Windows has no such."""
    core = request.service.core
    network = core.network(as_guid(request.id))
    parts: list[JSON] = [
        {
            "Kind": part.kind,
            "Name": part.name,
            "Parent": part.parent,
            "Object": part.object,
            "Detail": part.detail,
            "Problem": part.problem,
        }
        for part in core.datapath.parts(network.id)
    ]
    document = document_of(network, core, v2_form=False)
    return {**document, "Parts": parts, "Obstacle": core.datapath.obstacle()}


def _change_network(request: Request) -> JSON:
    core = request.service.core
    network = core.network(as_guid(request.id))
    fields = v1_network_members(request.body)
    listed = read_v1_policies(fields, NETWORK_TYPES)
    if listed:
        request.service.networks.change_policies(network, "Update", listed)
    for extension in fields.children("Extensions"):
        settings = {
            "ExtensionID": extension.text("Id"),
            "Enable": extension.flag("IsEnabled"),
        }
        request.service.networks.modify(
            network.id,
            json.dumps(
                {
                    "ResourceType": "Extension",
                    "RequestType": "Update",
                    "Settings": settings,
                }
            ),
        )
    return _document(request, core.network(network.id))


def _delete_network(request: Request) -> JSON:
    found = as_guid(request.id)
    if found not in request.service.core.networks:
        raise EnvelopeError(NO_VALID_OBJECT, HResult.HCN_E_NETWORK_NOT_FOUND)
    request.service.networks.delete(found)
    return _NOTHING


# -- endpoints --------------------------------------------------------------


def _list_endpoints(request: Request) -> JSON:
    return [_document(request, i) for i in request.service.core.endpoints.values()]


def _create_endpoint(request: Request) -> JSON:
    draft = read_endpoint(request.body)
    if not draft.network:
        raise refuse(
            HResult.HCN_E_INVALID_ENDPOINT, "The endpoint names no VirtualNetwork."
        )
    made = request.service.endpoints.create(draft.network, draft)
    return _document(request, made)


def _get_endpoint(request: Request) -> JSON:
    return _document(request, request.service.core.endpoint(as_guid(request.id)))


def _change_endpoint(request: Request) -> JSON:
    fields = v1_endpoint_members(request.body)
    changed = request.service.endpoints.merge_v1(as_guid(request.id), fields)
    return _document(request, changed)


def _delete_endpoint(request: Request) -> JSON:
    found = as_guid(request.id)
    if found not in request.service.core.endpoints:
        raise EnvelopeError(NO_VALID_OBJECT, HResult.HCN_E_ENDPOINT_NOT_FOUND)
    request.service.endpoints.delete(found)
    return _NOTHING


def _attach(request: Request) -> JSON:
    service = request.service
    endpoint = service.core.endpoint(as_guid(request.id))
    kind, system, _ = _attachment(request)
    if kind == "container":
        service.compartments.add(system, endpoint.id)
        return {}
    if kind == "virtualmachine":
        raise refuse(
            HResult.HCN_E_REQUEST_UNSUPPORTED, "This host runs no virtual machines."
        )
    if endpoint.systems:
        raise refuse(
            HResult.HCN_E_ENDPOINT_ALREADY_ATTACHED,
            f"Endpoint {endpoint.id} is attached to {endpoint.systems[0]!a}.",
        )
    service.endpoints.attach(endpoint.id, host_target(endpoint))
    return {}


def _detach(request: Request) -> JSON:
    service = request.service
    endpoint = service.core.endpoint(as_guid(request.id))
    kind, system, _ = _attachment(request)
    if kind == "container":
        service.compartments.remove(system, endpoint.id)
    else:
        service.endpoints.detach(endpoint.id, Target(id=HOST))
    return {}


def _attachment(request: Request) -> tuple[str, str, int]:
    """Read who an endpoint is attached to: kind, id, and compartment."""
    fields = Members.parse(request.body)
    fields.only(("SystemType", "ContainerId", "CompartmentId", "VirtualNicName"))
    kind = fields.text("SystemType", "Container").lower()
    if kind not in _CONTAINER_TYPES:
        fields.refuse("SystemType")
    system = fields.text("ContainerId")
    if kind == "container" and not system:
        fields.refuse("ContainerId", "Missing field")
    return kind, system, fields.number("CompartmentId", most=0xFFFF) or 0


def _statistics(request: Request) -> JSON:
    core = request.service.core
    return statistics_document(core.endpoint(as_guid(request.id)), core)


def _detailed_endpoint(request: Request) -> JSON:
    return _get_endpoint(request)


def _addresses(request: Request) -> JSON:
    if not request.id:
        endpoints = request.service.core.endpoints.values()
        return [entry for item in endpoints for entry in addresses_document(item)]
    endpoint = request.service.core.endpoint(as_guid(request.id))
    return addresses_document(endpoint)


# -- policy lists -----------------------------------------------------------


def _list_policy_lists(request: Request) -> JSON:
    core = request.service.core
    items: list[Object] = [*core.balancers.values(), *core.routes.values()]
    return [_document(request, item) for item in items]


def _create_policy_list(request: Request) -> JSON:
    balancers = request.service.balancers
    draft = read_policy_list(request.body)
    made: Object
    if isinstance(draft, SdnRoute):
        made = balancers.create_route(draft)
    else:
        made = balancers.create(draft)
    return _document(request, made)


def _find_policy_list(request: Request) -> Object:
    core, found = request.service.core, as_guid(request.id)
    if found in core.routes:
        return core.routes[found]
    return core.balancer(found)


def _get_policy_list(request: Request) -> JSON:
    return _document(request, _find_policy_list(request))


def _delete_policy_list(request: Request) -> JSON:
    item = _find_policy_list(request)
    if isinstance(item, SdnRoute):
        request.service.balancers.delete_route(item.id)
    else:
        request.service.balancers.delete(item.id)
    return _NOTHING


# -- namespaces -------------------------------------------------------------


def _list_namespaces(request: Request) -> JSON:
    return [_document(request, i) for i in request.service.core.namespaces.values()]


def _create_namespace(request: Request) -> JSON:
    made = request.service.namespaces.create(read_namespace(request.body))
    return _document(request, made)


def _get_namespace(request: Request) -> JSON:
    return _document(request, request.service.core.namespace(as_guid(request.id)))


def _delete_namespace(request: Request) -> JSON:
    request.service.namespaces.delete(as_guid(request.id))
    return _NOTHING


def _resource(request: Request, *, added: bool) -> JSON:
    spaces = request.service.namespaces
    space = request.service.core.namespace(as_guid(request.id))
    fields = Members.parse(request.body)
    kind = fields.text("Type").lower()
    data = fields.child("Data")
    if kind == "container":
        spaces.note_container(space.id, data.text("Id"), added=added)
    elif kind == "endpoint":
        change = spaces.add_endpoint if added else spaces.remove_endpoint
        change(space.id, data.guid("Id"))
    else:
        fields.refuse("Type")
    return _NOTHING


def _add_resource(request: Request) -> JSON:
    return _resource(request, added=True)


def _remove_resource(request: Request) -> JSON:
    return _resource(request, added=False)


# -- the rest ---------------------------------------------------------------


def _management_macs(request: Request) -> JSON:
    macs = request.service.management_macs
    return {"MacAddressList": [{"MacAddress": mac} for mac in macs]}


def _set_management_macs(request: Request) -> JSON:
    fields = Members.parse(request.body)
    macs = [item.text("MacAddress") for item in fields.children("MacAddressList")]
    for mac in macs:
        as_mac(mac)
    request.service.management_macs = macs
    return _management_macs(request)


def _clear_management_macs(request: Request) -> JSON:
    request.service.management_macs = []
    return _management_macs(request)


def _nothing_listed(_request: Request) -> JSON:
    return []


_ROUTES: dict[tuple[str, int], dict[str, Callable[[Request], JSON]]] = {
    ("networks", 1): {"GET": _list_networks, "POST": _create_network},
    ("networks", 2): {
        "GET": _get_network,
        "POST": _change_network,
        "DELETE": _delete_network,
    },
    ("networks", 3): {"GET detailed": _detailed_network},
    ("endpoints", 1): {"GET": _list_endpoints, "POST": _create_endpoint},
    ("endpoints", 2): {
        "GET": _get_endpoint,
        "POST": _change_endpoint,
        "DELETE": _delete_endpoint,
    },
    ("endpoints", 3): {
        "POST attach": _attach,
        "POST detach": _detach,
        "GET detailed": _detailed_endpoint,
    },
    ("endpointstats", 2): {"GET": _statistics},
    ("endpointaddresses", 1): {"GET": _addresses},
    ("endpointaddresses", 2): {"GET": _addresses},
    ("policylists", 1): {"GET": _list_policy_lists, "POST": _create_policy_list},
    ("policylists", 2): {"GET": _get_policy_list, "DELETE": _delete_policy_list},
    ("namespaces", 1): {"GET": _list_namespaces, "POST": _create_namespace},
    ("namespaces", 2): {"GET": _get_namespace, "DELETE": _delete_namespace},
    ("namespaces", 3): {
        "POST addresource": _add_resource,
        "POST removeresource": _remove_resource,
    },
    ("accelnet", 1): {
        "GET": _management_macs,
        "POST": _set_management_macs,
        "DELETE": _clear_management_macs,
    },
    ("activities", 1): {"GET": _nothing_listed},
    ("plugins", 1): {"GET": _nothing_listed},
    ("portpools", 1): {"GET": _nothing_listed},
}
