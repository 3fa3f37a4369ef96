"""
The switch: the bridges, tunnels and rules of networks, in one network namespace.

For root that is the machine's own; see :mod:`hcsshim.host.datapath.linux`.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
from typing import TYPE_CHECKING

import attrs

from hcsshim.host.datapath import resolver, translation
from hcsshim.host.datapath.doors import Reservations
from hcsshim.host.datapath.links import Links
from hcsshim.host.datapath.nft_wire import Batch, NftSocket
from hcsshim.host.datapath.port import DatapathError, KernelPart, NetworkKind
from hcsshim.host.datapath.relay import Outlet, RelayedDoors
from hcsshim.host.datapath.tags import Tag
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from hcsshim.host.datapath.doors import Doorkeeper
    from hcsshim.host.datapath.links import Link
    from hcsshim.host.datapath.namespaces import NetworkNamespace
    from hcsshim.host.datapath.port import (
        EndpointPlan,
        LoadBalancerPlan,
        NetworkPlan,
        RemoteSubnetPlan,
    )
    from hcsshim.host.datapath.relay import Relay

#: Kinds whose bridge has the gateway's address.
_WITH_GATEWAY = (
    NetworkKind.NAT,
    NetworkKind.ICS,
    NetworkKind.INTERNAL,
    NetworkKind.OVERLAY,
)
#: Kinds that stand on the machine's wire by being routed to.
ROUTED = (NetworkKind.L2_BRIDGE, NetworkKind.L2_TUNNEL)
_FORWARDED = (NetworkKind.NAT, NetworkKind.ICS, NetworkKind.OVERLAY, *ROUTED)
_BRIDGED = "bridge/bridge-nf-call-iptables"
_FORWARDING = "ipv4/ip_forward"
_FORWARDING_SIX = "ipv6/conf/all/forwarding"
_FORWARDING_WAS_OFF = "forwarding was off"


@attrs.define(eq=False)
class Carrier:
    """
    What carries one network.

    Attributes:
        plan: Of the network.
        tag: On all of it.
        bridge: Number of the bridge; 0 on a Transparent network.
        name: Of the bridge.
        adapter: Number of the machine's interface it is bound to; 0 for none.
        vlan: That its endpoints are in; 0 for none.
        tagged: Number of the interface that tags for it; 0 for none.
        tunnels: Numbers of the VXLAN devices, by the VNI.
    """

    plan: NetworkPlan
    tag: Tag
    bridge: int = 0
    name: str = ""
    adapter: int = 0
    vlan: int = 0
    tagged: int = 0
    tunnels: dict[int, int] = attrs.field(factory=dict)

    @property
    def routes_to_endpoints(self) -> bool:
        """Whether each endpoint has a route of its own."""
        return self.plan.kind in ROUTED


class Switch:
    """
    The switch.

    Args:
        namespace: That it is in.
        relay: Joins it with the machine, where it is not in the machine's own
            namespace; becomes this object's own.

    Raises:
        MissingLibraryError: pyroute2 is not installed.
        OSError: Not allowed here.
    """

    def __init__(self, namespace: NetworkNamespace, relay: Relay | None = None) -> None:
        self.namespace = namespace
        self.links = Links(namespace)
        self._relay = relay
        self._outlet: Outlet | None = None
        self.doorkeeper: Doorkeeper = Reservations()
        if relay is not None:
            self.links.set_up(self.links.index("lo"))
            self._outlet = Outlet(relay)
            self.doorkeeper = RelayedDoors(relay)
        try:
            self.nft = NftSocket(namespace)
        except BaseException:
            self.links.close()
            raise
        #: By network and VLAN: those of one network do not see each other.
        self._carriers: dict[tuple[str, int], Carrier] = {}

    # -- leftovers -------------------------------------------------------

    def remove_leftovers(self) -> None:
        """Remove what hosts left that are gone; what others made is not touched."""
        found = [(link.index, Tag.of_alias(link.alias)) for link in self.links.all()]
        self.links.remove_together(
            [index for index, tag in found if tag is not None and not tag.alive]
        )
        batch = Batch()
        restore = False
        tables = self.nft.tables()
        tags = {name: Tag.of_table(name) for name in tables}
        for name, note in tables.items():
            tag = tags[name]
            if tag is None or tag.alive:
                continue
            batch.delete_table(name)
            restore = restore or note == _FORWARDING_WAS_OFF
        if len(batch):
            self.nft.commit(batch)
        alive = {tag for tag in tags.values() if tag is not None and tag.alive}
        if restore and not alive:
            self.namespace.write_settings((_FORWARDING, "0"))
        for index, address in self.links.answered_for():
            towards = self.links.interface_towards(address)
            if towards in (0, index):
                self.links.stop_answering_for(index, address)

    # -- networks --------------------------------------------------------

    def carrier(self, network: str) -> Carrier | None:
        """Give what carries a network, or one of its VLANs, if it is made already."""
        return next(iter(self._all(network)), None)

    def _all(self, network: str) -> list[Carrier]:
        """Give all that carries a network: one for each VLAN that is in use."""
        return [made for (of, _), made in self._carriers.items() if of == network]

    def make(self, plan: NetworkPlan, vlan: int = 0) -> Carrier:
        """
        Give what carries a network, making it if it is not there.

        Args:
            plan: Of the network.
            vlan: Of the network's that is wanted; 0 for none.

        Raises:
            DatapathError: The adapter is missing.
            OSError: The kernel refuses.
        """
        carrier = self._carriers.get((plan.id, vlan))
        if carrier is not None:
            return carrier
        name = f"{plan.id}-{vlan}" if vlan else plan.id
        carrier = Carrier(plan, Tag.ours("network", name), vlan=vlan)
        try:
            self._build(carrier)
        except BaseException:
            self._tear_down(carrier)
            raise
        self._carriers[plan.id, vlan] = carrier
        return carrier

    def _build(self, carrier: Carrier) -> None:
        plan = carrier.plan
        if plan.kind is NetworkKind.TRANSPARENT or plan.kind in ROUTED:
            carrier.adapter = self._adapter(plan)
        if plan.kind is NetworkKind.TRANSPARENT:
            if carrier.vlan:
                self._tag(carrier)
            return
        carrier.name = carrier.tag.interface("b")
        mac = plan.router_mac if plan.kind is NetworkKind.OVERLAY else ""
        carrier.bridge = self.links.add_bridge(carrier.name, carrier.tag.alias, mac)
        self._set_switches(carrier)
        self.links.set_up(carrier.bridge)
        self._fill(carrier, None)

    def _tag(self, carrier: Carrier) -> None:
        """Make an interface that tags what goes out by the adapter."""
        try:
            carrier.tagged = self.links.add_vlan(
                carrier.tag.interface("t"),
                carrier.tag.alias,
                carrier.adapter,
                carrier.vlan,
            )
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            raise DatapathError(
                HResult.ERROR_NOT_SUPPORTED,
                f"VLAN {carrier.vlan} of network {carrier.plan.name!r} cannot be "
                "tagged: this machine's kernel has no 802.1Q (8021q).",
            ) from error
        self.links.set_up(carrier.tagged)
        carrier.adapter = carrier.tagged

    def change(self, plan: NetworkPlan) -> None:
        """
        Make what carries a network agree with a new plan; nothing if it is not made.

        Raises:
            OSError: The kernel refuses.
        """
        for carrier in self._all(plan.id):
            self._change(carrier, plan)

    def _change(self, carrier: Carrier, plan: NetworkPlan) -> None:
        before, carrier.plan = carrier.plan, plan
        if carrier.bridge:
            try:
                self._fill(carrier, before)
            except BaseException:
                carrier.plan = before
                raise

    def _fill(self, carrier: Carrier, before: NetworkPlan | None) -> None:
        """Give a bridge its addresses, tunnels, routes and rules."""
        plan = carrier.plan
        if plan.kind in _WITH_GATEWAY and plan.host_port:
            for subnet in plan.subnets:
                if subnet.gateway:
                    length = ipaddress.ip_network(subnet.prefix).prefixlen
                    self.links.add_address(carrier.bridge, subnet.gateway, length)
        if plan.kind is NetworkKind.OVERLAY:
            self._fill_overlay(carrier, before)
        table, outlet = carrier.tag.table, self._outlet

        def fill(batch: Batch) -> None:
            translation.add_network_rules(batch, table, plan, carrier.name)
            if outlet is not None:
                translation.add_outlet_rules(batch, table, plan, carrier.name, outlet)

        self.write_table(table, plan.name, fill)

    def _fill_overlay(self, carrier: Carrier, before: NetworkPlan | None) -> None:
        plan = carrier.plan
        for subnet in plan.subnets:
            vni = subnet.isolation_id
            if vni and vni not in carrier.tunnels:
                tag = Tag.ours("tunnel", f"{plan.id}-{vni}")
                index = self.links.add_vxlan(
                    tag.interface("x"),
                    tag.alias,
                    vni=vni,
                    local=plan.provider_address,
                    port=plan.vxlan_port,
                )
                carrier.tunnels[vni] = index
                self.links.plug(index, carrier.bridge)
        for remote in before.remote_subnets if before else ():
            if remote not in plan.remote_subnets:
                self._forget_remote_subnet(carrier, remote)
        for remote in plan.remote_subnets:
            self._add_remote_subnet(carrier, remote)

    def _add_remote_subnet(self, carrier: Carrier, remote: RemoteSubnetPlan) -> None:
        tunnel = carrier.tunnels.get(remote.isolation_id)
        if tunnel is None:
            return
        hop = str(ipaddress.ip_network(remote.prefix)[0])
        self.links.add_tunnel(tunnel, remote.router_mac, remote.provider_address)
        self.links.add_neighbour(carrier.bridge, hop, remote.router_mac)
        self.links.add_route(carrier.bridge, remote.prefix, gateway=hop, onlink=True)

    def _forget_remote_subnet(self, carrier: Carrier, remote: RemoteSubnetPlan) -> None:
        hop = str(ipaddress.ip_network(remote.prefix)[0])
        self.links.remove_route(carrier.bridge, remote.prefix)
        self.links.remove_neighbour(carrier.bridge, hop)
        tunnel = carrier.tunnels.get(remote.isolation_id)
        if tunnel is not None:
            self.links.remove_tunnel(tunnel, remote.router_mac, remote.provider_address)

    def add_remote(self, carrier: Carrier, endpoint: EndpointPlan) -> None:
        """
        Make an endpoint of another machine reachable.

        Raises:
            OSError: The kernel refuses.
        """
        tunnel = next(iter(carrier.tunnels.values()), 0)
        if not tunnel or not endpoint.provider_address:
            return
        self.links.add_tunnel(tunnel, endpoint.mac, endpoint.provider_address)
        for plan in endpoint.addresses:
            for index in (tunnel, carrier.bridge):
                self.links.add_neighbour(index, plan.address, endpoint.mac)

    def remove_remote(self, carrier: Carrier, endpoint: EndpointPlan) -> None:
        """Forget an endpoint of another machine."""
        tunnel = next(iter(carrier.tunnels.values()), 0)
        if not tunnel or not endpoint.provider_address:
            return
        for plan in endpoint.addresses:
            for index in (tunnel, carrier.bridge):
                self.links.remove_neighbour(index, plan.address)
        self.links.remove_tunnel(tunnel, endpoint.mac, endpoint.provider_address)

    def _adapter(self, plan: NetworkPlan) -> int:
        """Find the machine's interface that a network is bound to."""
        if self._relay is not None:
            raise DatapathError(
                HResult.HCN_E_ADAPTER_NOT_FOUND,
                f"Network {plan.name!r} needs one of the machine's adapters, which "
                "only root can give it.",
            )
        index = 0
        if plan.adapter:
            with contextlib.suppress(OSError):
                index = self.links.index(plan.adapter)
        index = index or self.links.interface_towards()
        if not index:
            wanted = repr(plan.adapter) if plan.adapter else "with a default route"
            raise DatapathError(
                HResult.HCN_E_ADAPTER_NOT_FOUND,
                f"Network {plan.name!r} needs an adapter {wanted}; there is none.",
            )
        return index

    def _set_switches(self, carrier: Carrier) -> None:
        """Set what the kernel offers as files only."""
        kind = carrier.plan.kind
        base = f"ipv4/conf/{carrier.name}"
        settings = {f"{base}/send_redirects": "0"}
        if kind in _WITH_GATEWAY:
            settings[f"{base}/route_localnet"] = "1"
        if kind in ROUTED:
            settings[f"{base}/proxy_arp"] = "1"
        if kind is NetworkKind.L2_TUNNEL:
            settings[f"{base}/proxy_arp_pvlan"] = "1"
        if kind is NetworkKind.PRIVATE:
            settings[f"ipv6/conf/{carrier.name}/disable_ipv6"] = "1"
        self.namespace.write_settings(*settings.items())
        if kind in _FORWARDED:
            self._forward(six=any(":" in s.prefix for s in carrier.plan.subnets))

    def _forward(self, *, six: bool) -> None:
        """Let the namespace forward, remembering that it did not."""
        if self.namespace.read_setting(_FORWARDING) == "0":
            table = Tag.ours("host", "forwarding").table
            self.write_table(table, _FORWARDING_WAS_OFF, lambda _batch: None)
            self.namespace.write_settings((_FORWARDING, "1"))
        if six and self.namespace.read_setting(_FORWARDING_SIX) == "0":
            self.namespace.write_settings((_FORWARDING_SIX, "1"))

    def remove(self, network: str) -> None:
        """
        Remove what carries a network.

        Raises:
            OSError: The kernel refuses.
        """
        found = self._all(network)
        for carrier in found:
            del self._carriers[network, carrier.vlan]
            self._tear_down(carrier)
        if found and not self._carriers:
            self._stop_forwarding()

    def _tear_down(self, carrier: Carrier) -> None:
        if carrier.tagged:
            self.links.remove(carrier.tagged)
        for tunnel in carrier.tunnels.values():
            self.links.remove(tunnel)
        if carrier.bridge:
            self.links.remove(carrier.bridge)
            self.remove_table(carrier.tag.table)

    def _stop_forwarding(self) -> None:
        """Restore what the first network changed."""
        table = Tag.ours("host", "forwarding").table
        if self.remove_table(table):
            self.namespace.write_settings((_FORWARDING, "0"))

    # -- routes to endpoints and to virtual addresses --------------------

    def lead_to(self, carrier: Carrier, address: str) -> None:
        """
        Stand in for an endpoint on the adapter's wire, and lead what comes to it.

        Raises:
            OSError: The kernel refuses.
        """
        self.links.add_route(carrier.bridge, _host_prefix(address))
        if carrier.adapter:
            self.links.answer_for(carrier.adapter, address)

    def lead_no_more_to(self, carrier: Carrier, address: str) -> None:
        """Undo :meth:`lead_to`."""
        if carrier.adapter:
            self.links.stop_answering_for(carrier.adapter, address)
        self.links.remove_route(carrier.bridge, _host_prefix(address))

    def name_servers(self, plan: NetworkPlan) -> tuple[str, ...]:
        """List whom endpoints of a network may ask for names, if nobody says."""
        if plan.kind not in translation.TRANSLATED:
            return ()
        if self._outlet is None:
            return resolver.machine_servers()
        if not self._outlet.names_port:
            return ()
        return tuple(subnet.gateway for subnet in plan.subnets if subnet.gateway)[:1]

    # -- tables ----------------------------------------------------------

    def write_table(self, table: str, note: str, fill: Callable[[Batch], None]) -> None:
        """
        Make a table anew, at once.

        Raises:
            OSError: The kernel refuses; the table is as it was.
        """
        batch = Batch()
        batch.replace_table(table, note)
        fill(batch)
        self.nft.commit(batch)

    def remove_table(self, table: str) -> bool:
        """Remove a table; tell whether it was there."""
        batch = Batch()
        batch.delete_table(table)
        try:
            self.nft.commit(batch)
        except FileNotFoundError:
            return False
        return True

    def write_balancer(self, balancer: LoadBalancerPlan) -> None:
        """
        Make a load balancer's rules agree with a plan.

        Raises:
            OSError: The kernel refuses; they are as they were.
        """
        table = Tag.ours("balancer", balancer.id).table
        self.write_table(
            table,
            "",
            lambda batch: translation.add_balancer_rules(
                batch, table, balancer, sees_bridged=self._sees_bridged()
            ),
        )
        carrier = self.carrier(balancer.network)
        if carrier is not None and carrier.bridge:
            for address in balancer.frontends:
                # So that the machine itself finds the way to its own rules.
                if not self.links.holder(address):
                    self.links.add_route(carrier.bridge, _host_prefix(address))

    def _sees_bridged(self) -> bool:
        """Tell whether rules see what passes from port to port of a bridge."""
        try:
            return self.namespace.read_setting(_BRIDGED) == "1"
        except FileNotFoundError:
            return False

    def remove_balancer(self, balancer: LoadBalancerPlan) -> None:
        """Remove a load balancer's rules."""
        self.remove_table(Tag.ours("balancer", balancer.id).table)
        carrier = self.carrier(balancer.network)
        if carrier is not None and carrier.bridge:
            for address in balancer.frontends:
                self.links.remove_route(carrier.bridge, _host_prefix(address))

    # -- the rest --------------------------------------------------------

    def parts(
        self, network: str, links: Mapping[int, Link], tables: Collection[str]
    ) -> list[KernelPart]:
        """
        List what the kernel has for a network itself.

        Args:
            network: Which.
            links: All interfaces here, by their numbers.
            tables: All tables here.
        """
        return [
            part
            for carrier in self._all(network)
            if carrier.bridge
            for part in self._parts(carrier, links, tables)
        ]

    def _parts(
        self, carrier: Carrier, links: Mapping[int, Link], tables: Collection[str]
    ) -> list[KernelPart]:
        network = carrier.plan.id
        found = []
        bridge = links.get(carrier.bridge)
        problem = "is gone" if bridge is None else "" if bridge.up else "is down"
        found.append(
            KernelPart(
                kind="bridge",
                name=carrier.name,
                object=network,
                detail=f"VLAN {carrier.vlan}" if carrier.vlan else "",
                problem=problem,
            )
        )
        if bridge is not None:
            found += [
                KernelPart(
                    kind="address", name=text, parent=carrier.name, object=network
                )
                for text in self.links.addresses(carrier.bridge)
                if not text.startswith("fe80:")
            ]
        for vni, index in carrier.tunnels.items():
            link = links.get(index)
            found.append(
                KernelPart(
                    kind="vxlan",
                    name=link.name if link else f"number {index}",
                    parent=carrier.name,
                    object=network,
                    detail=f"VNI {vni}",
                    problem="" if link else "is gone",
                )
            )
        found += self.rules(carrier.tag.table, carrier.name, network, tables)
        return found

    def balancer_parts(
        self, balancer: LoadBalancerPlan, tables: Collection[str]
    ) -> list[KernelPart]:
        """List what the kernel has for a load balancer."""
        carrier = self.carrier(balancer.network)
        if carrier is None:
            return []
        table = Tag.ours("balancer", balancer.id).table
        return self.rules(table, carrier.name, balancer.id, tables)

    def rules(
        self, table: str, parent: str, object_id: str, tables: Collection[str]
    ) -> list[KernelPart]:
        """List the rules of a table, one part for each of its chains."""
        if table not in tables:
            part = KernelPart(kind="rule", name=table, parent=parent, object=object_id)
            return [attrs.evolve(part, problem="is gone")]
        chains: dict[str, list[str]] = {}
        for chain, note in self.nft.rules(table):
            chains.setdefault(chain, []).append(note)
        return [
            KernelPart(
                kind="rule",
                name=chain,
                parent=parent,
                object=object_id,
                detail=", ".join(notes),
            )
            for chain, notes in chains.items()
        ]

    def close(self) -> None:
        """Remove everything, and let go of the namespace."""
        for network in {of for of, _ in self._carriers}:
            with contextlib.suppress(OSError):
                self.remove(network)
        self.links.close()
        self.nft.close()
        if self._relay is not None:
            self._relay.close()
        self.namespace.close()


def _host_prefix(address: str) -> str:
    return f"{address}/{128 if ':' in address else 32}"
