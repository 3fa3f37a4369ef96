"""``hcsshim network diag``: objects, the kernel's parts, and where they disagree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hcsshim._native.port import Service

_ATTACHED = (2, 3)
_OBJECTS_ONLY = "Only objects: this service does not tell what carries packets."
_STATES = {1: "created", 2: "attached", 3: "shared", 4: "detached", 5: "degraded"}


@attrs.define
class Node:
    """A line of the drawing, and what hangs from it."""

    text: str
    problem: str = ""
    below: list[Node] = attrs.field(factory=list)


@attrs.define
class Diagnosis:
    """
    What there is of a network.

    Attributes:
        root: The network itself.
        obstacle: Why the machine carries no packets, if so.
        unseen: What the drawing cannot show, in a sentence; else empty.
        problems: What disagrees, a sentence each.
    """

    root: Node
    obstacle: str = ""
    unseen: str = ""
    problems: list[str] = attrs.field(factory=list)

    def as_dict(self) -> dict[str, object]:
        """Give it for programs."""
        return {
            "Network": attrs.asdict(self.root),
            "Obstacle": self.obstacle,
            "Unseen": self.unseen,
            "Problems": list(self.problems),
        }


def gather(network_id: str, service: Service | None = None) -> Diagnosis:
    """
    Ask the service for a network, all on it, and what the kernel has for that.

    Args:
        network_id: Its id.
        service: Which; by default the process's shared connection.
    """
    from hcsshim.hns import list_endpoints, list_policy_lists  # noqa: PLC0415

    detailed = _ask(network_id, service)
    listed = detailed.get("Parts")
    seen = isinstance(listed, list)
    parts = [part for part in listed or () if isinstance(part, dict)] if seen else []
    diagnosis = Diagnosis(
        Node(_network_text(detailed)), obstacle=detailed.get("Obstacle", "")
    )
    if not seen:
        diagnosis.unseen = _OBJECTS_ONLY
    drawn: set[int] = set()
    _hang_parts(diagnosis.root, parts, network_id, drawn)
    on = {}
    for endpoint in list_endpoints(service=service):
        if str(endpoint.virtual_network).lower() == network_id.lower():
            on[str(endpoint.id).lower()] = endpoint
            node = Node(_endpoint_text(endpoint))
            diagnosis.root.below.append(node)
            _hang_parts(node, parts, str(endpoint.id), drawn)
            if seen and endpoint.state in _ATTACHED and not node.below:
                node.problem = "attached, but the kernel has nothing for it"
                if diagnosis.obstacle:
                    node.problem = f"carries no packets: {diagnosis.obstacle}"
    for balancer in list_policy_lists(service=service):
        ends = [found.rpartition("/")[2].lower() for found in balancer.references]
        if not set(ends) & set(on):
            continue
        node = Node(
            _balancer_text(balancer, [on[end].name for end in ends if end in on])
        )
        diagnosis.root.below.append(node)
        _hang_parts(node, parts, str(balancer.id), drawn)
    for place, part in enumerate(parts):
        if place not in drawn:
            left = Node(_part_text(part), part.get("Problem") or "is of no object")
            diagnosis.root.below.append(left)
    diagnosis.problems = list(_problems(diagnosis.root))
    return diagnosis


def _ask(network_id: str, service: Service | None) -> dict[str, Any]:
    """Ask for a network with the kernel's parts, or without where HNS has no such."""
    from hcsshim.errors import HcsError, NotFoundError  # noqa: PLC0415 - lazily
    from hcsshim.hns import hns_call  # noqa: PLC0415 - lazily

    try:
        answer = hns_call("GET", f"/networks/{network_id}/detailed", service=service)
    except NotFoundError:
        raise
    except HcsError:
        answer = hns_call("GET", f"/networks/{network_id}", service=service)
    found: dict[str, Any] = json.loads(answer)
    return found


def _network_text(document: dict[str, object]) -> str:
    subnets = document.get("Subnets")
    shown = [
        f"{part.get('AddressPrefix')} via {part.get('GatewayAddress', 'nothing')}"
        for part in (subnets if isinstance(subnets, list) else ())
    ]
    where = ", ".join(shown) or "no subnets"
    return f"network {document.get('Name')}  {document.get('Type')}  {where}"


def _endpoint_text(endpoint: object) -> str:
    address = getattr(endpoint, "ip_address", None) or "no address"
    state = _STATES.get(getattr(endpoint, "state", 0), "unknown")
    systems = ", ".join(getattr(endpoint, "shared_containers", ()))
    users = f" to {systems}" if systems else ""
    mac = getattr(endpoint, "mac_address", None) or "no MAC address"
    name = getattr(endpoint, "name", "")
    return f"endpoint {name}  {address}  {mac}  {state}{users}"


def _balancer_text(balancer: object, names: Iterable[object]) -> str:
    policies = getattr(balancer, "policies", ())
    shown = []
    for policy in policies:
        if not isinstance(policy, dict):
            continue
        vips = ", ".join(policy.get("VIPs") or ()) or "this machine"
        if policy.get("Type") == "ROUTE":
            shown.append(f"{policy.get('DestinationPrefix')}")
        else:
            shown.append(f"{vips}:{policy.get('ExternalPort')}")
    kind = "route" if any("/" in text for text in shown) else "load balancer"
    return f"{kind} {'; '.join(shown)}  to {', '.join(map(str, names))}"


def _part_text(part: dict[str, object]) -> str:
    detail = part.get("Detail")
    return f"{part.get('Kind')} {part.get('Name')}" + (f"  {detail}" if detail else "")


def _hang_parts(
    node: Node, parts: list[dict[str, object]], object_id: str, drawn: set[int]
) -> None:
    """Hang the kernel's parts of an object under it, each under its own parent."""
    mine = {
        str(part.get("Name")): Node(_part_text(part), str(part.get("Problem") or ""))
        for part in parts
        if str(part.get("Object", "")).lower() == object_id.lower()
    }
    for place, part in enumerate(parts):
        if str(part.get("Object", "")).lower() != object_id.lower():
            continue
        drawn.add(place)
        child = mine[str(part.get("Name"))]
        above = mine.get(str(part.get("Parent", "")), node)
        if above is child:
            above = node
        if child not in above.below:
            above.below.append(child)


def _problems(node: Node) -> Iterable[str]:
    if node.problem:
        yield f"{node.text}: {node.problem}"
    for child in node.below:
        yield from _problems(child)


def draw(diagnosis: Diagnosis) -> list[str]:
    """Draw it as a tree; lines that disagree begin their remark with ``!``."""
    lines = [_line(diagnosis.root)]
    _draw_below(diagnosis.root, "", lines)
    if diagnosis.unseen:
        lines += ["", diagnosis.unseen]
    if diagnosis.obstacle:
        lines += ["", f"This machine carries no packets: {diagnosis.obstacle}"]
    count = len(diagnosis.problems)
    lines += ["", "Nothing disagrees." if not count else f"{count} disagree."]
    return lines


def _line(node: Node) -> str:
    return f"{node.text}  ! {node.problem}" if node.problem else node.text


def _draw_below(node: Node, indent: str, lines: list[str]) -> None:
    for place, child in enumerate(node.below):
        last = place == len(node.below) - 1
        lines.append(f"{indent}{'└─' if last else '├─'} {_line(child)}")
        _draw_below(child, indent + ("   " if last else "│  "), lines)
