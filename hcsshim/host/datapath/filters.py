"""
Filters: access rules and proxies, as tables in an endpoint's own namespace.

There, unlike on the bridge, the kernel can always tell a reply from a new flow. What
runs in the silo has no right to change the tables.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import attrs

from hcsshim.host.datapath import nft_expressions as nft
from hcsshim.host.datapath.port import Action, Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hcsshim.host.datapath.nft_expressions import Prefix
    from hcsshim.host.datapath.nft_wire import Batch
    from hcsshim.host.datapath.port import (
        AclPlan,
        EndpointPlan,
        NetworkPlan,
        ProxyPlan,
        TierPlan,
    )

_CHAINS = {Direction.IN: "incoming", Direction.OUT: "outgoing"}
_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1}
#: Before the proxies of a silo that has them: nothing else translates there.
_PROXY_PRIORITY = nft.DESTINATION_NAT


@attrs.frozen
class _Member:
    """An address of a filter, perhaps with a protocol and a port."""

    prefix: Prefix
    protocol: int = 0
    port: int = 0


def has_filters(endpoint: EndpointPlan, network: NetworkPlan) -> bool:
    """Tell whether an endpoint needs a table."""
    return bool(endpoint.acls or endpoint.tiers or endpoint.proxies or network.acls)


def add_filters(
    batch: Batch, table: str, endpoint: EndpointPlan, network: NetworkPlan
) -> None:
    """Fill an endpoint's table, which is there and empty."""
    sets = {entry.id.lower(): entry.members for entry in network.sets}
    for direction, hook in ((Direction.IN, nft.INPUT), (Direction.OUT, nft.OUTPUT)):
        rules = [
            rule
            for rule in (*endpoint.acls, *network.acls)
            if rule.direction is direction
        ]
        tiers = [tier for tier in endpoint.tiers if tier.direction is direction]
        if not rules and not tiers:
            continue
        chain = _CHAINS[direction]
        batch.add_chain(table, chain, "filter", hook, nft.FILTER)
        _add_usual(batch, table, chain, direction)
        writer = _Writer(batch, table, sets)
        for rule in _in_order(rule for rule in rules if rule.host_rule):
            writer.add(chain, rule)
        for index, tier in enumerate(sorted(tiers, key=lambda tier: tier.order)):
            writer.add_tier(chain, f"{chain}{index}", tier)
        for rule in _in_order(rule for rule in rules if not rule.host_rule):
            writer.add(chain, rule)
    for proxy in endpoint.proxies:
        _add_proxy(batch, table, proxy)


def _add_usual(batch: Batch, table: str, chain: str, direction: Direction) -> None:
    """Let pass what no rule is about: replies, loopback, and how IPv6 finds MACs."""
    own = nft.from_interface if direction is Direction.IN else nft.to_interface
    batch.add_rule(table, chain, [*own("lo"), nft.accept()], "loopback")
    batch.add_rule(table, chain, [*nft.established(), nft.accept()], "replies")
    batch.add_rule(
        table, chain, [*nft.neighbour_discovery(), nft.accept()], "neighbours"
    )


def _in_order(rules: Iterator[AclPlan]) -> list[AclPlan]:
    return sorted(
        rules, key=lambda rule: (rule.priority, rule.action is not Action.BLOCK)
    )


class _Writer:
    """Writes rules into a table."""

    def __init__(
        self, batch: Batch, table: str, sets: Mapping[str, Sequence[str]]
    ) -> None:
        self._batch = batch
        self._table = table
        self._sets = sets

    def add_tier(self, chain: str, name: str, tier: TierPlan) -> None:
        """Add a chain for a tier, and the jump to it."""
        self._batch.add_chain(self._table, name)
        for rule in _in_order(iter(tier.rules)):
            self.add(name, rule)
        self._batch.add_rule(self._table, chain, [nft.jump(name)], tier.name)

    def add(self, chain: str, rule: AclPlan) -> None:
        """Add a rule, once for each family of addresses that it names."""
        verdict = {
            Action.ALLOW: nft.accept,
            Action.BLOCK: nft.drop,
            Action.PASS: nft.leave,
        }[rule.action]()
        for local in self._sides(rule.local_addresses):
            for remote in self._sides(rule.remote_addresses):
                matched = self._match(rule, local, remote)
                if matched is not None:
                    self._batch.add_rule(
                        self._table, chain, [*matched, verdict], rule.name
                    )

    def _sides(self, wanted: Sequence[str]) -> list[list[_Member]]:
        """
        Group addresses so that one comparison can tell whether any matches.

        An empty group stands for any address.
        """
        if not wanted:
            return [[]]
        members = [_member(text) for name in wanted for text in self._resolve(name)]
        plain = [member for member in members if not member.port]
        groups = [
            [member for member in plain if member.prefix.version == version]
            for version in (4, 6)
        ]
        groups += [[member] for member in members if member.port]
        return [group for group in groups if group]

    def _resolve(self, name: str) -> Sequence[str]:
        return self._sets.get(name.lower(), (name,))

    def _match(
        self, rule: AclPlan, local: list[_Member], remote: list[_Member]
    ) -> list[bytes] | None:
        versions = {member.prefix.version for member in (*local, *remote)}
        if len(versions) > 1:
            return None
        incoming = rule.direction is Direction.IN
        matched: list[bytes] = []
        for members, source in ((local, not incoming), (remote, incoming)):
            if members:
                prefixes = [member.prefix for member in members]
                matched += nft.addresses(
                    self._batch, self._table, prefixes, source=source
                )
        return matched + self._match_ports(rule, local, remote)

    def _match_ports(
        self, rule: AclPlan, local: list[_Member], remote: list[_Member]
    ) -> list[bytes]:
        incoming = rule.direction is Direction.IN
        local_ports = [(m.port, m.port) for m in local if m.port] or rule.local_ports
        remote_ports = [(m.port, m.port) for m in remote if m.port] or rule.remote_ports
        numbers = [m.protocol for m in (*local, *remote) if m.protocol]
        numbers = numbers or list(rule.protocols)
        if not numbers and (local_ports or remote_ports):
            numbers = list(nft.PORT_PROTOCOLS)
        batch, table = self._batch, self._table
        return [
            *nft.protocols(batch, table, numbers),
            *nft.ports(batch, table, local_ports, source=not incoming),
            *nft.ports(batch, table, remote_ports, source=incoming),
        ]


def _member(text: str) -> _Member:
    """Read ``10.0.0.4``, ``10.0.0.0/24`` or ``10.0.0.4,tcp:80``."""
    address, _, rest = text.partition(",")
    prefix = ipaddress.ip_network(address.strip(), strict=False)
    if not rest:
        return _Member(prefix)
    protocol, _, port = rest.rpartition(":")
    return _Member(prefix, _PROTOCOLS.get(protocol.strip().lower(), 6), int(port))


def _add_proxy(batch: Batch, table: str, proxy: ProxyPlan) -> None:
    """Redirect TCP to a proxy, in both directions that it asks for."""
    for port, chain, hook in (
        (proxy.inbound_port, "to_proxy_in", nft.PREROUTING),
        (proxy.outbound_port, "to_proxy_out", nft.OUTPUT),
    ):
        if not port:
            continue
        batch.add_chain(table, chain, "nat", hook, _PROXY_PRIORITY)
        tcp = nft.protocol(6)
        if hook == nft.OUTPUT:
            batch.add_rule(table, chain, [*nft.to_interface("lo"), nft.accept()])
            if proxy.user.isdecimal():
                user = nft.of_user(int(proxy.user))
                batch.add_rule(table, chain, [*user, nft.accept()], "of the proxy")
        incoming = hook == nft.PREROUTING
        for group in _families(proxy.address_exceptions):
            match = nft.addresses(batch, table, group, source=incoming)
            batch.add_rule(table, chain, [*match, nft.accept()], "exception")
        if proxy.port_exceptions:
            match = [*tcp, *nft.ports(batch, table, proxy.port_exceptions)]
            batch.add_rule(table, chain, [*match, nft.accept()], "exception")
        ports = nft.ports(batch, table, proxy.remote_ports)
        for match in _remote_matches(batch, table, proxy, incoming=incoming):
            redirect = _redirect(proxy.address, port)
            batch.add_rule(table, chain, [*match, *tcp, *ports, *redirect], "proxy")


def _remote_matches(
    batch: Batch, table: str, proxy: ProxyPlan, *, incoming: bool
) -> list[list[bytes]]:
    if not proxy.remote_addresses:
        if proxy.address:
            return [nft.family(ipaddress.ip_address(proxy.address).version)]
        return [[]]
    return [
        nft.addresses(batch, table, group, source=incoming)
        for group in _families(proxy.remote_addresses)
    ]


def _redirect(address: str, port: int) -> list[bytes]:
    if address:
        return nft.to_address(ipaddress.ip_address(address), port)
    return nft.to_own_port(port)


def _families(texts: Sequence[str]) -> list[list[Prefix]]:
    """Group prefixes by their family."""
    prefixes = [ipaddress.ip_network(text, strict=False) for text in texts]
    groups: list[list[Prefix]] = [
        [prefix for prefix in prefixes if prefix.version == version]
        for version in (4, 6)
    ]
    return [group for group in groups if group]
