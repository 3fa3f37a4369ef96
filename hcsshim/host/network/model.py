"""
The objects of networks, as the host keeps them: one form for both generations.

Ids are lower-case GUIDs. Values are frozen; a change makes a new value, so a call that
fails has changed nothing. What a document said that has no meaning here is kept
beside, to be given back.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import attrs

if TYPE_CHECKING:
    from hcsshim.host.fields import JSON

T = TypeVar("T")

#: Between 1601, where FILETIME begins, and 1970.
_EPOCH_SECONDS = 11644473600


def new_id() -> str:
    """Make a GUID."""
    return str(uuid4())


def filetime() -> int:
    """Give the time as HNS writes it."""
    return time.time_ns() // 100 + _EPOCH_SECONDS * 10_000_000


class State:
    """Numbers that HNS writes as the state of an object."""

    CREATED = 1
    ATTACHED = 2
    SHARED = 3
    DETACHED = 4
    DEGRADED = 5
    #: Of a network, policy list or namespace.
    BROKEN = 4
    #: Of a policy list.
    APPLIED = 2


@attrs.frozen(kw_only=True)
class Policy:
    """A policy in the form of v2; settings have the schema's spelling."""

    type: str
    settings: dict[str, JSON] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Route:
    """A route of a subnet or endpoint."""

    prefix: str
    next_hop: str = ""
    metric: int = 0


@attrs.frozen(kw_only=True)
class IpSubnet:
    """A part of a subnet that endpoints are bound to."""

    id: str = attrs.field(factory=new_id)
    prefix: str
    flags: int = 3


@attrs.frozen(kw_only=True)
class Subnet:
    """A subnet of a network."""

    id: str = attrs.field(factory=new_id)
    prefix: str
    routes: tuple[Route, ...] = attrs.field(default=(), metadata={"of": Route})
    policies: tuple[Policy, ...] = attrs.field(default=(), metadata={"of": Policy})
    ip_subnets: tuple[IpSubnet, ...] = attrs.field(
        default=(), metadata={"of": IpSubnet}
    )
    flags: int = 0

    @property
    def gateway(self) -> str:
        """The next hop of the first default route; ``""`` if there is none."""
        for route in self.routes:
            if route.prefix.endswith("/0") and route.next_hop not in (
                "",
                "0.0.0.0",  # noqa: S104 - "no gateway" of some clients
                "::",
            ):
                return route.next_hop
        return ""

    def number_of(self, policy: str) -> int:
        """Give the isolation id of its VLAN or VSID policy; 0 if it has none."""
        for found in self.policies:
            number = found.settings.get("IsolationId")
            if found.type == policy and isinstance(number, int):
                return number
        return 0


@attrs.frozen(kw_only=True)
class MacRange:
    """A range of MAC addresses, both ends included."""

    first: int
    last: int


@attrs.frozen(kw_only=True)
class Dns:
    """How names are resolved."""

    domain: str = ""
    search: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.domain or self.search or self.servers or self.options)


@attrs.frozen(kw_only=True)
class Health:
    """What went wrong with an object, if anything did."""

    error: int = 0
    detail: str = ""
    updated: int = attrs.field(factory=filetime)


@attrs.frozen(kw_only=True)
class Network:
    """
    A network.

    Attributes:
        spelled: Its type as the client wrote it; v1 gives that back.
        ipam_type: ``Static`` or ``DHCP``.
        vlan: That HNS gave a NAT network by itself; 0 for none.
        layer: Id of the layer under it, shared by all networks of an adapter.
        switch: Id of the switch under it.
        adapter: The machine's interface that it is bound to; ``""`` for none.
        address: Of this machine on the adapter.
        router_mac: Of an overlay.
        given: Members of v1 that are only given back.
    """

    id: str = ""
    name: str = ""
    owner: str = ""
    type: str = "NAT"
    spelled: str = ""
    flags: int = 0
    ipam_type: str = "Static"
    subnets: tuple[Subnet, ...] = attrs.field(default=(), metadata={"of": Subnet})
    policies: tuple[Policy, ...] = attrs.field(default=(), metadata={"of": Policy})
    mac_ranges: tuple[MacRange, ...] = attrs.field(
        default=(), metadata={"of": MacRange}
    )
    dns: Dns = attrs.field(default=Dns(), metadata={"of": Dns})
    vlan: int = 0
    layer: str = ""
    switch: str = ""
    adapter: str = ""
    address: str = ""
    router_mac: str = ""
    activity: str = attrs.field(factory=new_id)
    parent: str = attrs.field(factory=new_id)
    given: dict[str, JSON] = attrs.field(factory=dict)
    health: Health = attrs.field(factory=Health, metadata={"of": Health})

    def policy(self, kind: str) -> dict[str, JSON] | None:
        """Give the settings of the first policy of a type."""
        return next((p.settings for p in self.policies if p.type == kind), None)


@attrs.frozen(kw_only=True)
class Address:
    """An address of an endpoint."""

    address: str
    prefix_length: int
    ip_subnet: str = ""


@attrs.frozen(kw_only=True)
class Endpoint:
    """
    An endpoint.

    Attributes:
        namespace: Id of the namespace it is in; ``""`` for none.
        systems: Ids of the compute systems that use it, ``"host"`` for this machine;
            a system is listed once for each time it attached it.
        port: What a virtual machine's port was told, ``VirtualMachineId`` and others.
        internal_dns: ``EnableInternalDNS`` of v1.
        given: Members of v1 that are only given back.
    """

    id: str = ""
    name: str = ""
    network: str = ""
    mac: str = ""
    flags: int = 0
    addresses: tuple[Address, ...] = attrs.field(default=(), metadata={"of": Address})
    routes: tuple[Route, ...] = attrs.field(default=(), metadata={"of": Route})
    policies: tuple[Policy, ...] = attrs.field(default=(), metadata={"of": Policy})
    dns: Dns = attrs.field(default=Dns(), metadata={"of": Dns})
    namespace: str = ""
    systems: tuple[str, ...] = ()
    state: int = State.CREATED
    port: dict[str, JSON] = attrs.field(factory=dict)
    internal_dns: bool = False
    activity: str = attrs.field(factory=new_id)
    made: int = attrs.field(factory=filetime)
    given: dict[str, JSON] = attrs.field(factory=dict)
    health: Health = attrs.field(factory=Health, metadata={"of": Health})

    @property
    def remote(self) -> bool:
        """Whether it lives on another machine."""
        return bool(self.flags & 1)


@attrs.frozen(kw_only=True)
class Namespace:
    """
    A network namespace: what one compartment shows.

    Attributes:
        number: Of its compartment; 0 before there is one.
        endpoints: In the order in which they came.
        containers: Ids of compute systems, once for each that was started in it.
        permanent: The machine's own, which cannot be deleted.
    """

    id: str = ""
    type: str = "Host"
    number: int = 0
    compartment: str = attrs.field(factory=new_id)
    endpoints: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    permanent: bool = False
    activity: str = attrs.field(factory=new_id)
    given: dict[str, JSON] = attrs.field(factory=dict)
    health: Health = attrs.field(factory=Health, metadata={"of": Health})


@attrs.frozen(kw_only=True)
class BalancedPort:
    """One port of a load balancer."""

    protocol: int = 6
    internal: int = 0
    external: int = 0
    distribution: int = 0
    flags: int = 0


@attrs.frozen(kw_only=True)
class LoadBalancer:
    """
    A load balancer; v1 calls it a policy list with ``ELB`` policies.

    Attributes:
        endpoints: Ids as the client spelled them.
        references: Whether these were given as v1's ``/endpoints/<id>``.
        policies: What else the policy list held, in the form of v1.
    """

    id: str = ""
    endpoints: tuple[str, ...] = ()
    frontends: tuple[str, ...] = ()
    source: str = ""
    ports: tuple[BalancedPort, ...] = attrs.field(
        default=(), metadata={"of": BalancedPort}
    )
    flags: int = 0
    network: str = ""
    activity: str = attrs.field(factory=new_id)
    degraded: bool = False
    health: Health = attrs.field(factory=Health, metadata={"of": Health})


@attrs.frozen(kw_only=True)
class SdnRoute:
    """Routes of some endpoints; v1 calls it a policy list with ``ROUTE`` policies."""

    id: str = ""
    endpoints: tuple[str, ...] = ()
    routes: tuple[Policy, ...] = attrs.field(default=(), metadata={"of": Policy})
    activity: str = attrs.field(factory=new_id)
    health: Health = attrs.field(factory=Health, metadata={"of": Health})


@attrs.frozen(kw_only=True)
class GuestService:
    """A guest network service."""

    id: str = ""
    state: str = "Created"
    settings: dict[str, JSON] = attrs.field(factory=dict)


Object = Network | Endpoint | Namespace | LoadBalancer | SdnRoute
_Part = (
    Policy
    | Route
    | IpSubnet
    | Subnet
    | MacRange
    | Dns
    | Health
    | Address
    | BalancedPort
)
_PARTS = (
    *(Policy, Route, IpSubnet, Subnet, MacRange),
    *(Dns, Health, Address, BalancedPort),
)


def record_of(value: Object | _Part) -> dict[str, JSON]:
    """Take an object apart, for the store."""
    return {
        field.name: _plain(getattr(value, field.name))
        for field in type(value).__attrs_attrs__
    }


def _plain(value: object) -> JSON:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, _PARTS):
        return record_of(value)
    return value  # type: ignore[return-value]  # what else a model holds is JSON


def rebuild(cls: type[T], record: dict[str, JSON]) -> T:
    """
    Put an object together again.

    Args:
        cls: Its class.
        record: As :func:`record_of` gave it. Members that are missing get their
            defaults, and unknown ones are left out: another version wrote them.
    """
    values: dict[str, object] = {}
    for field in attrs.fields(cls):  # type: ignore[arg-type]  # of our classes
        if field.name not in record:
            continue
        value = record[field.name]
        inner = field.metadata.get("of")
        if isinstance(value, list):
            values[field.name] = tuple(
                rebuild(inner, item) if inner and isinstance(item, dict) else item
                for item in value
            )
        elif inner and isinstance(value, dict):
            values[field.name] = rebuild(inner, value)
        else:
            values[field.name] = value
    return cls(**values)
