"""The rules of endpoints: creation, policies, attaching, deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.host.network import notices
from hcsshim.host.network.core import carried, mapped_ports
from hcsshim.host.network.members import Members, as_address
from hcsshim.host.network.model import (
    Address,
    Dns,
    Endpoint,
    Health,
    Network,
    Policy,
    Route,
    State,
    new_id,
)
from hcsshim.host.network.policies import (
    ENDPOINT_TYPES,
    add_to_endpoint,
    remove_policies,
    update_policies,
)
from hcsshim.host.network.reading import V1_FLAGS, read_policies, read_v1_policies
from hcsshim.host.network.refusals import refuse
from hcsshim.host.network.requests import read_request, unsupported
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hcsshim.host.datapath.port import Target
    from hcsshim.host.network.core import Core
    from hcsshim.host.network.model import Object
    from hcsshim.host.results import Refusal

RESOURCES = ("Port", "Policy")
#: Networks on which no port of the machine leads to an endpoint.
_WITHOUT_MAPPINGS = ("Private", "Transparent")
#: What an endpoint says that uses it from this machine.
HOST = "host"
_TCP = 6


class Endpoints:
    """
    Makes, changes, attaches and deletes endpoints.

    Args:
        core: The objects.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    # -- creation --------------------------------------------------------

    def create(
        self, network_id: str, draft: Endpoint, endpoint_id: str = ""
    ) -> Endpoint:
        """
        Make an endpoint.

        Args:
            network_id: Of its network.
            draft: As read.
            endpoint_id: Goes before that of the document.

        Raises:
            Refusal: It cannot be; nothing of it is left.
        """
        core = self._core
        network = core.network(network_id)
        if draft.network and draft.network != network_id:
            raise refuse(
                HResult.HCN_E_INVALID_ENDPOINT,
                f"The document names network {draft.network}, not {network_id}.",
            )
        endpoint = attrs.evolve(
            draft,
            id=endpoint_id or draft.id or new_id(),
            network=network_id,
            policies=self._complete_policies(network, draft),
        )
        if endpoint.id in core.endpoints:
            raise refuse(
                HResult.HCN_E_INVALID_ENDPOINT, f"There is an endpoint {endpoint.id}."
            )
        endpoint = self._take(network, endpoint)
        try:
            endpoint = _route(network, endpoint)
            core.apply_endpoint(endpoint)
            core.keep(endpoint)
        except BaseException:
            self._free(endpoint)
            with carried():
                core.datapath.remove_endpoint(endpoint.id)
            raise
        return endpoint

    def _complete_policies(
        self, network: Network, endpoint: Endpoint
    ) -> tuple[Policy, ...]:
        policies = add_to_endpoint((), endpoint.policies)
        self._require_mappable(network, policies)
        if endpoint.remote and network.type == "L2Bridge":
            policies += (Policy(type="L2Driver"),)
        if endpoint.remote and network.type == "Overlay":
            kinds = [policy.type for policy in policies]
            if "ProviderAddress" not in kinds:
                raise refuse(
                    HResult.HCN_E_POLICY_NOT_FOUND,
                    "A remote endpoint of an overlay needs a ProviderAddress policy.",
                )
        return policies

    @staticmethod
    def _require_mappable(network: Network, policies: Sequence[Policy]) -> None:
        if network.type in _WITHOUT_MAPPINGS and any(
            policy.type == "PortMapping" for policy in policies
        ):
            raise refuse(
                HResult.HCN_E_MAPPING_NOT_SUPPORTED,
                f"A network of type {network.type} maps no ports.",
            )

    def _take(self, network: Network, endpoint: Endpoint) -> Endpoint:
        """Take addresses, the MAC address and ports; all of them or none."""
        taken = attrs.evolve(endpoint, addresses=(), mac="", policies=())
        try:
            taken = self._take_addresses(network, endpoint, taken)
            mac = endpoint.mac
            if mac:
                self._core.macs.note(mac)
            else:
                mac = self._core.macs.take(network.mac_ranges)
            taken = attrs.evolve(taken, mac=mac)
            policies = self._take_ports(endpoint.id, endpoint.policies)
        except BaseException:
            self._free(taken)
            raise
        return attrs.evolve(taken, policies=policies)

    def _take_addresses(
        self, network: Network, endpoint: Endpoint, taken: Endpoint
    ) -> Endpoint:
        pool = self._core.addresses[network.id]
        if endpoint.remote:
            addresses = tuple(_remote_address(item) for item in endpoint.addresses)
            pool.note_remote(addresses)
            return attrs.evolve(taken, addresses=addresses)
        if not endpoint.addresses:
            return attrs.evolve(taken, addresses=pool.take_any())
        done: list[Address] = []
        try:
            done.extend(map(pool.take, endpoint.addresses))
        except BaseException:
            pool.free(done)
            raise
        return attrs.evolve(taken, addresses=tuple(done))

    def _take_ports(self, owner: str, policies: Sequence[Policy]) -> tuple[Policy, ...]:
        """Take the ports that policies map, and choose those that they leave open."""
        ports = self._core.ports
        done: list[Policy] = []
        name = f"endpoint {owner}"
        try:
            for policy in policies:
                if policy.type != "PortMapping":
                    done.append(policy)
                    continue
                settings = policy.settings
                protocol = settings.get("Protocol") or _TCP
                port = settings.get("ExternalPort") or 0
                address = str(settings.get("VIP") or "")
                assert isinstance(protocol, int)  # noqa: S101 - it was checked
                assert isinstance(port, int)  # noqa: S101 - as above
                if port:
                    ports.take((protocol, port, address), name)
                else:
                    port = ports.take_any(protocol, address, name)
                done.append(
                    attrs.evolve(policy, settings={**settings, "ExternalPort": port})
                )
        except BaseException:
            self._free_ports(owner, done)
            raise
        return tuple(done)

    def _free_ports(self, owner: str, policies: Sequence[Policy]) -> None:
        for key in mapped_ports(Endpoint(id=owner, policies=tuple(policies))):
            self._core.ports.free(key, f"endpoint {owner}")

    def _free(self, endpoint: Endpoint) -> None:
        """Give back what :meth:`_take` took."""
        pool = self._core.addresses.get(endpoint.network)
        if pool is not None and endpoint.remote:
            pool.forget_remote(endpoint.addresses)
        elif pool is not None:
            pool.free(endpoint.addresses)
        if endpoint.mac:
            self._core.macs.free(endpoint.mac)
        self._free_ports(endpoint.id, endpoint.policies)

    # -- deletion --------------------------------------------------------

    def delete(self, endpoint_id: str) -> None:
        """
        Delete an endpoint, having taken it out of whatever it is in.

        Raises:
            Refusal: There is none of this id.
        """
        core = self._core
        endpoint = core.endpoint(endpoint_id)
        changed: list[Object] = []
        space = core.namespaces.get(endpoint.namespace)
        if space is not None:
            left = tuple(found for found in space.endpoints if found != endpoint_id)
            changed.append(attrs.evolve(space, endpoints=left))
        balancers = [core.balancers[found] for found in core.users.get(endpoint_id, ())]
        for balancer in balancers:
            left = tuple(f for f in balancer.endpoints if f.lower() != endpoint_id)
            changed.append(attrs.evolve(balancer, endpoints=left, degraded=not left))
        with carried():
            core.datapath.remove_endpoint(endpoint_id)
        core.keep(*changed, gone=(endpoint,))
        self._free(endpoint)
        for balancer in balancers:
            core.apply_balancer(core.balancers[balancer.id])
        if endpoint.systems:
            self._tell(notices.ENDPOINT_DETACHED, endpoint)

    def _tell(self, kind: int, endpoint: Endpoint) -> None:
        self._core.notices.send(
            kind, endpoint.id, flags=endpoint.flags, concerns=endpoint.network
        )

    # -- change ----------------------------------------------------------

    def modify(self, endpoint_id: str, text: str | None) -> None:
        """
        Carry out a modify request.

        Raises:
            Refusal: It is not valid; nothing changed.
        """
        endpoint = self._core.endpoint(endpoint_id)
        fields = Members.parse(text)
        resource, verb = read_request(fields, RESOURCES)
        settings = fields.child("Settings")
        if verb == "Refresh":
            self._core.apply_endpoint(endpoint)
        elif resource == "Policy" and verb in ("Add", "Remove", "Update"):
            self._change(endpoint, verb, read_policies(settings, ENDPOINT_TYPES))
        elif resource == "Port" and verb in ("Add", "Remove"):
            self._set_port(endpoint, settings if verb == "Add" else None)
        else:
            raise unsupported(resource, verb)

    def _change(self, endpoint: Endpoint, verb: str, listed: Sequence[Policy]) -> None:
        if verb == "Add":
            policies = add_to_endpoint(endpoint.policies, listed)
        elif verb == "Remove":
            policies = remove_policies(endpoint.policies, listed, by_type=True)
        else:
            policies = update_policies(endpoint.policies, add_to_endpoint((), listed))
        self.set_policies(endpoint, policies)

    def set_policies(
        self, endpoint: Endpoint, policies: Sequence[Policy], **more: object
    ) -> None:
        """
        Give an endpoint other policies, and change its ports with them.

        Args:
            endpoint: As it is.
            policies: All of them.
            more: What else changes, by name.

        Raises:
            Refusal: A port is taken, or the machine cannot; nothing changed.
        """
        core = self._core
        self._require_mappable(core.network(endpoint.network), policies)
        before = [p for p in endpoint.policies if p.type == "PortMapping"]
        self._free_ports(endpoint.id, before)
        taken: tuple[Policy, ...] = ()
        try:
            taken = self._take_ports(endpoint.id, policies)
            changed = attrs.evolve(
                endpoint,
                policies=taken,
                health=Health(),
                **more,  # type: ignore[arg-type]  # by the caller's care
            )
            core.apply_endpoint(changed)
            core.keep(changed)
        except BaseException:
            self._free_ports(endpoint.id, taken)
            self._take_ports(endpoint.id, before)
            raise

    def merge_v1(self, endpoint_id: str, fields: Members) -> Endpoint:
        """
        Change what a partial document of v1 holds; the rest stays.

        Raises:
            Refusal: It is not valid; nothing changed.
        """
        endpoint = self._core.endpoint(endpoint_id)
        more: dict[str, object] = {}
        if "Name" in fields:
            more["name"] = fields.text("Name")
        if any(name in fields for name in ("DNSSuffix", "DNSServerList", "DNSDomain")):
            more["dns"] = _merged_dns(endpoint.dns, fields)
        flags = endpoint.flags
        for name, bit in V1_FLAGS:
            if name in fields:
                flags = flags | bit if fields.flag(name) else flags & ~bit
        more["flags"] = flags
        policies: tuple[Policy, ...] = endpoint.policies
        if "Policies" in fields:
            listed = read_v1_policies(fields, ENDPOINT_TYPES)
            if listed:
                policies = update_policies(policies, add_to_endpoint((), listed))
        self.set_policies(endpoint, policies, **more)
        return self._core.endpoint(endpoint_id)

    def _set_port(self, endpoint: Endpoint, settings: Members | None) -> None:
        """Note which port of a virtual machine's an endpoint is connected to."""
        port = settings.members() if settings is not None else {}
        state = State.ATTACHED if port else State.DETACHED
        if settings is not None and endpoint.port:
            raise refuse(
                HResult.HCN_E_ENDPOINT_ALREADY_ATTACHED,
                f"Endpoint {endpoint.id} is connected to a port.",
            )
        if settings is None and not endpoint.port:
            raise refuse(
                HResult.HCN_E_ENDPOINT_NOT_ATTACHED,
                f"Endpoint {endpoint.id} is connected to no port.",
            )
        changed = attrs.evolve(endpoint, port=port, state=state, health=Health())
        self._core.keep(changed)
        self._tell(
            notices.ENDPOINT_ATTACHED if port else notices.ENDPOINT_DETACHED, changed
        )

    # -- attaching -------------------------------------------------------

    def require_attachable(self, endpoint_id: str) -> Endpoint:
        """
        Find an endpoint that can be attached.

        Raises:
            Refusal: There is none, it is remote, or it is degraded.
        """
        endpoint = self._core.endpoint(endpoint_id)
        if endpoint.remote:
            raise refuse(
                HResult.HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION,
                f"Endpoint {endpoint_id} lives on another machine.",
            )
        if endpoint.state == State.DEGRADED:
            raise refuse(HResult.HCN_E_DEGRADED_OPERATION, endpoint.health.detail)
        return endpoint

    def attach(self, endpoint_id: str, target: Target) -> None:
        """
        Give an endpoint to a compute system or to this machine.

        On a machine that carries no packets an endpoint of its own is noted only;
        the endpoint's health says so.

        Args:
            endpoint_id: Which.
            target: Whom.

        Raises:
            Refusal: It cannot be attached.
        """
        core = self._core
        endpoint = self.require_attachable(endpoint_id)
        health = Health()
        obstacle = core.datapath.obstacle()
        if target.id == HOST and obstacle:
            health = Health(error=HResult.ERROR_NOT_SUPPORTED, detail=obstacle)
        else:
            with carried():
                core.datapath.attach(endpoint_id, target)
        systems = (*endpoint.systems, target.id)
        changed = attrs.evolve(
            endpoint, systems=systems, state=_state_of(systems), health=health
        )
        try:
            core.keep(changed)
        except BaseException:
            with carried():
                core.datapath.detach(endpoint_id, target)
            raise
        if len(systems) == 1:
            self._tell(notices.ENDPOINT_ATTACHED, changed)

    def degrade(self, endpoint: Endpoint, refusal: Refusal) -> None:
        """Keep an endpoint that cannot be rebuilt, and let its health say why."""
        health = Health(error=refusal.hresult, detail=refusal.document)
        self._core.keep(attrs.evolve(endpoint, state=State.DEGRADED, health=health))

    def detach(self, endpoint_id: str, target: Target) -> None:
        """
        Take an endpoint away from a compute system or from this machine.

        Raises:
            Refusal: It is not attached there.
        """
        core = self._core
        endpoint = core.endpoint(endpoint_id)
        systems = list(endpoint.systems)
        place = next(
            (i for i, s in enumerate(systems) if s.lower() == target.id.lower()), -1
        )
        if place < 0:
            raise refuse(
                HResult.HCN_E_ENDPOINT_NOT_ATTACHED,
                f"Endpoint {endpoint_id} is not attached to {target.id!a}.",
            )
        with carried():
            core.datapath.detach(endpoint_id, target)
        del systems[place]
        changed = attrs.evolve(
            endpoint, systems=tuple(systems), state=_state_of(systems), health=Health()
        )
        core.keep(changed)
        if not systems:
            self._tell(notices.ENDPOINT_DETACHED, changed)


def _state_of(systems: Sequence[str]) -> int:
    if not systems:
        return State.DETACHED
    return State.ATTACHED if len(systems) == 1 else State.SHARED


def _remote_address(item: Address) -> Address:
    """Check an address of another machine's endpoint, which may lie anywhere."""
    found = as_address(item.address)
    length = item.prefix_length
    if length < 0:
        length = found.max_prefixlen
    return attrs.evolve(item, address=str(found), prefix_length=length)


def _merged_dns(dns: Dns, fields: Members) -> Dns:
    if "DNSSuffix" in fields:
        dns = attrs.evolve(dns, search=fields.commas("DNSSuffix"))
    if "DNSServerList" in fields:
        dns = attrs.evolve(dns, servers=fields.commas("DNSServerList"))
    if "DNSDomain" in fields:
        dns = attrs.evolve(dns, domain=fields.text("DNSDomain"))
    return dns


def _route(network: Network, endpoint: Endpoint) -> Endpoint:
    """Add the default routes and the name servers that the document leaves out."""
    gateways = [
        subnet.gateway
        for subnet in network.subnets
        if subnet.gateway
        and any(
            part.id == address.ip_subnet
            for part in subnet.ip_subnets
            for address in endpoint.addresses
        )
    ]
    routes = endpoint.routes
    if not routes:
        routes = tuple(
            Route(prefix="::/0" if ":" in gateway else "0.0.0.0/0", next_hop=gateway)
            for gateway in gateways
        )
    automatic = (network.policy("AutomaticDNS") or {}).get("Enable") is True
    return attrs.evolve(
        endpoint,
        routes=routes,
        dns=_name_servers(network, endpoint, gateways if automatic else []),
    )


def _name_servers(network: Network, endpoint: Endpoint, first: list[str]) -> Dns:
    dns = endpoint.dns
    if not dns:
        dns = network.dns
        if first and not dns.servers:
            dns = attrs.evolve(dns, servers=tuple(first))
    if endpoint.internal_dns:
        gateway = next(
            (subnet.gateway for subnet in network.subnets if subnet.gateway), ""
        )
        others = [server for server in dns.servers if server != gateway]
        dns = attrs.evolve(dns, servers=tuple(filter(None, (gateway, *others))))
    return dns
