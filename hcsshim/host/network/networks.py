"""The rules of networks: creation, change, deletion."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address, ip_network
from typing import TYPE_CHECKING

import attrs

from hcsshim.host.network import notices
from hcsshim.host.network.adapters import choose
from hcsshim.host.network.core import carried
from hcsshim.host.network.extensions import EXTENSIONS
from hcsshim.host.network.members import Members, as_address
from hcsshim.host.network.model import (
    Health,
    IpSubnet,
    Network,
    Policy,
    Route,
    Subnet,
    new_id,
)
from hcsshim.host.network.policies import (
    LEAST_VSID,
    NETWORK_TYPES,
    make_policy,
    remove_policies,
    same_policy,
)
from hcsshim.host.network.reading import (
    read_dns,
    read_ip_subnets,
    read_policies,
    read_subnet,
)
from hcsshim.host.network.refusals import refuse
from hcsshim.host.network.requests import read_request, unsupported
from hcsshim.host.network.sets import check_sets, require_unused
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hcsshim.host.network.adapters import Adapter
    from hcsshim.host.network.core import Core
    from hcsshim.host.network.endpoints import Endpoints
    from hcsshim.host.network.members import Prefix

ROUTED_BY_HOST = ("L2Bridge", "L2Tunnel", "Overlay")
_ON_ADAPTER = ("Transparent", *ROUTED_BY_HOST)
_TRANSLATED = ("NAT", "ICS")
_AUTOMATIC = (IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
_AUTOMATIC_LENGTH = 20

RESOURCES = ("DNS", "Extension", "Policy", "Subnet", "Subnets", "IPSubnet")


class Networks:
    """
    Makes, changes and deletes networks.

    Args:
        core: The objects.
        endpoints: Deletes those of a network that goes.
    """

    def __init__(self, core: Core, endpoints: Endpoints) -> None:
        self._core = core
        self._endpoints = endpoints

    # -- creation --------------------------------------------------------

    def create(self, draft: Network, network_id: str = "") -> Network:
        """
        Make a network.

        Args:
            draft: As read.
            network_id: Goes before that of the document.

        Raises:
            Refusal: It cannot be; nothing of it is left.
        """
        core = self._core
        network = attrs.evolve(draft, id=network_id or draft.id or new_id())
        if network.id in core.networks:
            raise refuse(
                HResult.HCN_E_NETWORK_ALREADY_EXISTS,
                f"There is a network {network.id}.",
            )
        if network.name and core.network_named(network.name) is not None:
            raise refuse(
                HResult.HCN_E_NETWORK_ALREADY_EXISTS,
                f"There is a network named {network.name!a}.",
            )
        network = self._bind(self._complete_subnets(network))
        check_sets(network.policies)
        if not network.mac_ranges:
            network = attrs.evolve(network, mac_ranges=(core.macs.make_block(),))
        core.notices.send(notices.NETWORK_PRE_CREATE, network.id, flags=network.flags)
        try:
            core.apply_network(network)
            core.keep(network)
        except BaseException:
            core.macs.free_block(network.mac_ranges)
            self._unapply(network.id)
            raise
        core.notices.send(notices.NETWORK_CREATE, network.id, flags=network.flags)
        return network

    def _unapply(self, network_id: str) -> None:
        with carried():
            self._core.datapath.remove_network(network_id)

    def _complete_subnets(self, network: Network) -> Network:
        subnets = network.subnets
        if not subnets and network.type in _TRANSLATED:
            subnets = (Subnet(prefix=""),)
        done = tuple(self._complete_subnet(network, subnet) for subnet in subnets)
        _require_disjoint(network.type, done)
        if network.type in _TRANSLATED:
            self._require_unused_prefixes(done)
        if network.type == "Overlay":
            for subnet in done:
                _require_isolation(subnet)
        return attrs.evolve(network, subnets=done)

    def _complete_subnet(self, network: Network, subnet: Subnet) -> Subnet:
        routes = subnet.routes
        prefix = subnet.prefix
        if not prefix:
            if network.type not in _TRANSLATED:
                raise refuse(
                    HResult.HCN_E_INVALID_NETWORK,
                    f"A subnet of a network of type {network.type} needs a prefix.",
                )
            prefix, routes = self._automatic_prefix(), ()
        whole = ip_network(prefix)
        routes = tuple(
            attrs.evolve(route, prefix=f"{_any(whole)}/0")
            if not route.prefix
            else route
            for route in routes
        )
        subnet = attrs.evolve(subnet, prefix=prefix, routes=routes)
        if not subnet.gateway and network.type in _TRANSLATED:
            first = str(whole[1] if whole.num_addresses > 1 else whole[0])
            kept = [r for r in routes if not r.prefix.endswith("/0")]
            default = Route(prefix=f"{_any(whole)}/0", next_hop=first)
            subnet = attrs.evolve(subnet, routes=(default, *kept))
        _check_gateway(network.type, subnet, whole)
        return attrs.evolve(subnet, ip_subnets=_complete_parts(subnet, whole))

    def _used_prefixes(self) -> list[Prefix]:
        return [
            ip_network(subnet.prefix)
            for network in self._core.networks.values()
            if network.type in _TRANSLATED
            for subnet in network.subnets
        ]

    def _automatic_prefix(self) -> str:
        used = [*self._used_prefixes(), *self._core.adapters.prefixes()]
        for space in _AUTOMATIC:
            for candidate in space.subnets(new_prefix=_AUTOMATIC_LENGTH):
                if not any(_overlap(candidate, other) for other in used):
                    return str(candidate)
        raise refuse(
            HResult.HCN_E_INVALID_NETWORK, "There is no free prefix for the network."
        )

    def _require_unused_prefixes(self, subnets: Iterable[Subnet]) -> None:
        used = self._used_prefixes()
        for subnet in subnets:
            if any(_overlap(ip_network(subnet.prefix), other) for other in used):
                raise refuse(
                    HResult.HCN_E_INVALID_NETWORK,
                    f"{subnet.prefix} overlaps the prefix of another network.",
                )

    def _bind(self, network: Network) -> Network:
        """Find the adapter and the layer, and add the policies that HNS adds."""
        if network.type not in _ON_ADAPTER:
            vlan = self._free_vlan() if network.type == "NAT" else 0
            return attrs.evolve(network, layer=new_id(), switch=new_id(), vlan=vlan)
        adapter, sharer = self._layer(network)
        policies = list(network.policies)
        network = attrs.evolve(
            network,
            adapter=adapter.name,
            address=adapter.address,
            layer=sharer.layer if sharer else new_id(),
            switch=sharer.switch if sharer else new_id(),
        )
        if network.policy("NetAdapterName") is None:
            settings = {"NetworkAdapterName": adapter.name}
            policies.append(make_policy("NetAdapterName", {**settings}))
        if network.type in ROUTED_BY_HOST and network.policy("ProviderAddress") is None:
            settings = {"ProviderAddress": adapter.address}
            policies.append(make_policy("ProviderAddress", {**settings}))
        if network.type == "Overlay":
            given = (network.policy("DrMacAddress") or {}).get("Address")
            router = given if isinstance(given, str) else self._core.macs.make_one()
            network = attrs.evolve(network, router_mac=router)
            if given is None:
                policies.append(make_policy("DrMacAddress", {"Address": router}))
        return attrs.evolve(network, policies=tuple(policies))

    def _free_vlan(self) -> int:
        used = {network.vlan for network in self._core.networks.values()}
        return next(number for number in range(1, 0xFFFF) if number not in used)

    def _layer(self, network: Network) -> tuple[Adapter, Network | None]:
        """Find the adapter of a network, and a network that has its layer already."""
        others = self._core.networks.values()
        constraint = (network.policy("LayerConstraint") or {}).get("LayerId")
        if isinstance(constraint, str) and constraint:
            wanted = constraint.lower().strip("{}")
            for other in others:
                if other.layer == wanted and other.adapter:
                    return choose(self._core.adapters, other.adapter), other
            raise refuse(
                HResult.HCN_E_LAYER_NOT_FOUND, f"There is no layer {constraint!a}."
            )
        name = _adapter_name(network)
        adapter = choose(self._core.adapters, name)
        sharer = next((item for item in others if item.adapter == adapter.name), None)
        return adapter, sharer

    # -- deletion --------------------------------------------------------

    def delete(self, network_id: str) -> None:
        """
        Delete a network, and its endpoints with it.

        Raises:
            Refusal: There is none of this id.
        """
        core = self._core
        network = core.network(network_id)
        core.notices.send(notices.NETWORK_PRE_DELETE, network.id, flags=network.flags)
        with carried():
            core.datapath.clear_network(network_id)
        for endpoint in core.endpoints_of(network_id):
            self._endpoints.delete(endpoint.id)
        self._unapply(network_id)
        core.keep(gone=(network,))
        core.macs.free_block(network.mac_ranges)
        core.notices.send(notices.NETWORK_DELETE, network.id, flags=network.flags)

    # -- change ----------------------------------------------------------

    def modify(self, network_id: str, text: str | None) -> None:
        """
        Carry out a modify request.

        Raises:
            Refusal: It is not valid; nothing changed.
        """
        network = self._core.network(network_id)
        fields = Members.parse(text)
        resource, verb = read_request(fields, RESOURCES)
        settings = fields.child("Settings")
        if verb == "Refresh":
            self._core.apply_network(network)
            return
        if resource == "Policy" and verb in ("Add", "Remove", "Update"):
            self.change_policies(network, verb, read_policies(settings, NETWORK_TYPES))
        elif resource == "DNS" and verb == "Update":
            self._replace(attrs.evolve(network, dns=read_dns(settings)))
        elif resource == "Extension" and verb in ("Update", "Add"):
            self._set_extension(network, settings)
        elif resource in ("Subnet", "Subnets", "IPSubnet") and verb in _SUBNET_VERBS:
            change = _SUBNET_VERBS[verb]
            self._change_subnets(network, change(self, network, resource, settings))
        else:
            raise unsupported(resource, verb)

    def _replace(self, network: Network) -> None:
        """Make a change real; what fails leaves the network as it was."""
        core = self._core
        before = core.network(network.id)
        network = attrs.evolve(network, health=Health())
        core.apply_network(network)
        try:
            core.keep(network)
        except BaseException:
            core.apply_network(before)
            raise

    def change_policies(
        self, network: Network, verb: str, listed: Sequence[Policy]
    ) -> None:
        """
        Add, remove or update policies.

        Raises:
            Refusal: One is there already, or is not there, or is used.
        """
        present = network.policies
        if verb == "Add":
            policies = _added(present, listed)
        elif verb == "Remove":
            require_unused(self._core, network, listed)
            policies = remove_policies(present, listed)
        else:
            policies = _updated(present, listed)
        check_sets(policies)
        for policy in listed:
            if policy.type == "VSwitchExtension":
                _require_extension(policy)
        self._replace(attrs.evolve(network, policies=policies))

    def _set_extension(self, network: Network, settings: Members) -> None:
        policy = make_policy(
            "VSwitchExtension",
            {
                "ExtensionID": settings.text("ExtensionID") or settings.text("Id"),
                "Enable": settings.flag("Enable") or settings.flag("IsEnabled"),
            },
        )
        _require_extension(policy)
        sharers = [
            other
            for other in self._core.networks.values()
            if other.switch == network.switch and other.id != network.id
        ]
        if sharers:
            raise refuse(
                HResult.HCN_E_SHARED_SWITCH_MODIFICATION,
                f"Network {sharers[0].id} shares the switch.",
            )
        self.change_policies(network, "Update", (policy,))

    def _change_subnets(self, network: Network, subnets: tuple[Subnet, ...]) -> None:
        changed = attrs.evolve(network, subnets=subnets)
        self._replace(changed)
        self._core.addresses[network.id].set_subnets(changed)

    def add_subnets(
        self, network: Network, resource: str, settings: Members
    ) -> tuple[Subnet, ...]:
        """
        Give the subnets of a network with more of them, or with more parts.

        Raises:
            Refusal: They overlap, or lie outside their subnet.
        """
        if resource == "IPSubnet":
            return self._add_parts(network, settings)
        added = [read_subnet(item) for item in settings.children("Subnets")]
        if not added:
            raise refuse(HResult.HCN_E_INVALID_SUBNET, "The request has no Subnets.")
        done = tuple(self._complete_subnet(network, subnet) for subnet in added)
        if network.type == "Overlay":
            for subnet in done:
                _require_isolation(subnet)
        subnets = (*network.subnets, *done)
        _require_disjoint(network.type, subnets)
        return subnets

    @staticmethod
    def _add_parts(network: Network, settings: Members) -> tuple[Subnet, ...]:
        wanted = {
            item.guid("ID"): read_ip_subnets(item)
            for item in settings.children("Subnets") or [settings]
        }
        for subnet_id in wanted:
            if all(subnet.id != subnet_id for subnet in network.subnets):
                raise refuse(
                    HResult.HCN_E_SUBNET_NOT_FOUND,
                    f"The network has no subnet {subnet_id!a}.",
                )
        subnets = []
        for subnet in network.subnets:
            parts = (*subnet.ip_subnets, *wanted.get(subnet.id, ()))
            changed = attrs.evolve(subnet, ip_subnets=parts)
            _complete_parts(changed, ip_network(subnet.prefix))
            subnets.append(changed)
        return tuple(subnets)

    def remove_subnets(
        self, network: Network, _resource: str, settings: Members
    ) -> tuple[Subnet, ...]:
        """
        Give the subnets of a network without one of them, or without a part.

        Raises:
            Refusal: There is none of the id, or endpoints use it.
        """
        wanted = settings.guid("ID")
        left: list[Subnet] = []
        doomed: set[str] = set()
        for subnet in network.subnets:
            if subnet.id == wanted:
                doomed |= {part.id for part in subnet.ip_subnets}
                continue
            parts = tuple(part for part in subnet.ip_subnets if part.id != wanted)
            if len(parts) != len(subnet.ip_subnets):
                doomed.add(wanted)
            left.append(attrs.evolve(subnet, ip_subnets=parts))
        if not doomed and len(left) == len(network.subnets):
            raise refuse(
                HResult.HCN_E_SUBNET_NOT_FOUND, f"The network has no subnet {wanted!a}."
            )
        for endpoint in self._core.endpoints_of(network.id):
            if any(address.ip_subnet in doomed for address in endpoint.addresses):
                raise refuse(
                    HResult.HCN_E_ENTITY_HAS_REFERENCES,
                    f"Endpoint {endpoint.id} has an address of the subnet.",
                )
        return tuple(left)


_SUBNET_VERBS: dict[
    str, Callable[[Networks, Network, str, Members], tuple[Subnet, ...]]
] = {"Add": Networks.add_subnets, "Remove": Networks.remove_subnets}


def _any(prefix: Prefix) -> str:
    return "0.0.0.0" if prefix.version == 4 else "::"  # noqa: S104 - of a prefix


def _overlap(one: Prefix, other: Prefix) -> bool:
    return one.version == other.version and one.overlaps(other)


def _adapter_name(network: Network) -> str:
    """Give the name of the adapter that a network's policies ask for."""
    for kind, member in (
        ("NetAdapterName", "NetworkAdapterName"),
        ("InterfaceConstraint", "InterfaceAlias"),
    ):
        name = (network.policy(kind) or {}).get(member)
        if isinstance(name, str) and name:
            return name
    return ""


def _check_gateway(kind: str, subnet: Subnet, whole: Prefix) -> None:
    gateway = subnet.gateway
    if not gateway:
        says_none = any(route.prefix.endswith("/0") for route in subnet.routes)
        if kind in ROUTED_BY_HOST and not says_none:
            raise refuse(
                HResult.HCN_E_INVALID_NETWORK,
                f"Subnet {subnet.prefix} of a network of type {kind} needs a gateway.",
            )
        return
    address = as_address(gateway, HResult.HCN_E_INVALID_NETWORK)
    if address.version != whole.version or address not in whole:
        raise refuse(
            HResult.HCN_E_INVALID_NETWORK,
            f"The gateway {gateway} is not in {subnet.prefix}.",
        )


def _complete_parts(subnet: Subnet, whole: Prefix) -> tuple[IpSubnet, ...]:
    """Give the parts of a subnet: one with all of it if it names none."""
    for index, part in enumerate(subnet.ip_subnets):
        prefix = ip_network(part.prefix)
        inside = (
            prefix.version == whole.version
            and prefix.prefixlen >= whole.prefixlen
            and ip_address(prefix.network_address) in whole
        )
        others = (ip_network(other.prefix) for other in subnet.ip_subnets[:index])
        if not inside or any(_overlap(prefix, other) for other in others):
            raise refuse(
                HResult.HCN_E_INVALID_IP_SUBNET,
                f"{part.prefix} is not in {subnet.prefix}, or is there twice.",
            )
    return subnet.ip_subnets or (IpSubnet(prefix=subnet.prefix),)


def _require_disjoint(kind: str, subnets: Sequence[Subnet]) -> None:
    for index, subnet in enumerate(subnets):
        prefix = ip_network(subnet.prefix)
        for other in subnets[:index]:
            another = ip_network(other.prefix)
            if _overlap(prefix, another):
                raise refuse(
                    HResult.HCN_E_INVALID_SUBNET,
                    f"{subnet.prefix} overlaps {other.prefix}.",
                )
            if prefix.version == another.version and kind in _TRANSLATED:
                raise refuse(
                    HResult.HCN_E_INVALID_NETWORK,
                    f"A network of type {kind} has one subnet of each family.",
                )


def _require_extension(policy: Policy) -> None:
    wanted = str(policy.settings.get("ExtensionID", "")).lower().strip("{}")
    if wanted not in EXTENSIONS:
        raise refuse(
            HResult.HCN_E_SWITCH_EXTENSION_NOT_FOUND,
            f"The switch has no extension {wanted!a}.",
        )


def _require_isolation(subnet: Subnet) -> None:
    number = subnet.number_of("VSID")
    if number == 0:
        raise refuse(
            HResult.HCN_E_POLICY_NOT_FOUND,
            f"Subnet {subnet.prefix} of an overlay needs a VSID policy.",
        )
    if number < LEAST_VSID:
        raise refuse(
            HResult.HCN_E_INVALID_POLICY,
            f"The VSID of an overlay is at least {LEAST_VSID}, not {number}.",
        )


def _added(present: Sequence[Policy], listed: Sequence[Policy]) -> tuple[Policy, ...]:
    policies = list(present)
    for policy in listed:
        same = [found for found in policies if same_policy(found, policy)]
        if policy.type == "RemoteSubnetRoute":
            prefix = policy.settings.get("DestinationPrefix")
            policies = [
                found
                for found in policies
                if found.type != policy.type
                or found.settings.get("DestinationPrefix") != prefix
            ]
        elif same and policy.type == "HostRoute":
            continue
        elif same:
            raise refuse(
                HResult.HCN_E_POLICY_ALREADY_EXISTS,
                f"The network has this policy of type {policy.type}.",
            )
        policies.append(policy)
    return tuple(policies)


def _updated(present: Sequence[Policy], listed: Sequence[Policy]) -> tuple[Policy, ...]:
    policies = list(present)
    for policy in listed:
        places = [
            index
            for index, found in enumerate(policies)
            if same_policy(found, policy)
            or (found.type == policy.type and policy.type in _REPLACED_BY_TYPE)
        ]
        if places:
            merged = {**policies[places[0]].settings, **policy.settings}
            policies[places[0]] = Policy(type=policy.type, settings=merged)
        elif policy.type in ("SetPolicy", "RemoteSubnetRoute"):
            raise refuse(
                HResult.HCN_E_POLICY_NOT_FOUND,
                f"The network has no such policy of type {policy.type}.",
            )
        else:
            policies.append(policy)
    return tuple(policies)


#: Policies that a network has one of.
_REPLACED_BY_TYPE = (
    *("NetAdapterName", "SourceMacAddress", "ProviderAddress", "DrMacAddress"),
    *("AutomaticDNS", "VxlanPort", "LayerConstraint"),
)
