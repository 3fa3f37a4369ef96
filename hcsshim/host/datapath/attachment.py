"""One endpoint's interface in a silo, and all that is made for it."""

from __future__ import annotations

import contextlib
import errno
import os
from functools import partial
from typing import TYPE_CHECKING

import attrs

from hcsshim.host.datapath import filters, resolver, translation
from hcsshim.host.datapath.doors import Doors
from hcsshim.host.datapath.links import End, Links, ignoring_absence
from hcsshim.host.datapath.namespaces import NetworkNamespace
from hcsshim.host.datapath.nft_wire import Batch, NftSocket
from hcsshim.host.datapath.port import (
    Counters,
    DatapathError,
    KernelPart,
    NetworkKind,
)
from hcsshim.host.datapath.tags import Tag
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from hcsshim.host.datapath.links import Link
    from hcsshim.host.datapath.port import DnsPlan, EndpointPlan, Target
    from hcsshim.host.datapath.switch import Carrier, Switch

#: What VXLAN adds to a packet, over IPv4.
_VXLAN_OVERHEAD = 50
_USUAL_MTU = 1500


class Attachment:
    """
    An endpoint that is attached.

    Args:
        switch: Where its other end is.
        carrier: Of its network.
        plan: Of it.
        target: Where it is put.

    Raises:
        DatapathError: Something it needs is missing; nothing is left then.
        OSError: The kernel refuses; nothing is left then.
    """

    def __init__(
        self,
        switch: Switch,
        carrier: Carrier,
        plan: EndpointPlan,
        target: Target,
    ) -> None:
        self.plan = plan
        self.carrier = carrier
        self.targets: set[str] = set()
        self._switch = switch
        self._tag = Tag.ours("endpoint", plan.id)
        self._filters = Tag.ours("filter", plan.id).table
        self._interface = target.interface
        self._is_host = target.pid is None
        if target.pid is None:
            # Names there are the machine's; the wanted one is written beside it.
            self._interface = self._tag.interface("h")
            self._place = NetworkNamespace(switch.namespace.duplicate())
        else:
            self._place = NetworkNamespace.of_process(target.pid)
        self._index = 0
        self._doors = Doors(switch.doorkeeper)
        self._has_filters = False
        self._has_translation = False
        try:
            self._build(target)
        except BaseException:
            self.remove()
            raise

    # -- making ----------------------------------------------------------

    def _build(self, target: Target) -> None:
        self._doors.agree(self.plan)
        inside = Links(self._place)
        try:
            self._plug(target)
            self._configure(inside)
        finally:
            inside.close()
        if not self._is_host:
            self._open_low_ports()
        self._write_filters(self.plan)
        self._write_translation(self.plan)
        self.join(target)

    def _open_low_ports(self) -> None:
        """
        Let everybody in the silo serve any port, as on Windows.

        A silo that shares another's network has no rights in it, and could serve none
        of those below 1024 otherwise.
        """
        group = os.getegid()  # the one that is mapped, where not all are
        self._place.write_settings(
            ("ipv4/ip_unprivileged_port_start", "0"),
            ("ipv4/ping_group_range", "0 2147483647", f"{group} {group}"),
        )

    def join(self, target: Target) -> None:
        """
        Let one more silo of the namespace use it.

        Raises:
            DatapathError: The silo has a network namespace of its own.
            OSError: Its ``resolv.conf`` cannot be written.
        """
        if target.pid is not None:
            other = NetworkNamespace.of_process(target.pid)
            try:
                same = other.identity == self._place.identity
            finally:
                other.close()
            if not same:
                raise DatapathError(
                    HResult.HCN_E_ENDPOINT_ALREADY_ATTACHED,
                    f"Endpoint {self.plan.id} is attached already, to a silo that "
                    f"does not share its network with {target.id!r}.",
                )
            resolver.write(target.pid, self._dns(target))
        self.targets.add(target.id)

    def _dns(self, target: Target) -> DnsPlan:
        """Give what the plan and the target say; servers of the network's if none."""
        dns = self.plan.dns
        servers = dns.servers or self._switch.name_servers(self.carrier.plan)
        search = tuple(dict.fromkeys((*target.search, *dns.search)))
        return attrs.evolve(dns, search=search, servers=servers)

    def _plug(self, target: Target) -> None:
        """Make the interface, with its other end in the switch."""
        carrier = self.carrier
        end = End(
            name=self._interface,
            mac=self.plan.mac,
            mtu=self._mtu(),
            file=self._place.file,
        )
        alias = self._tag.alias
        if self._is_host:
            alias = f"{alias} {target.interface}"
        links = self._switch.links
        name = self._tag.interface("v")
        if carrier.plan.kind is NetworkKind.TRANSPARENT:
            links.add_macvlan(name, alias, carrier.adapter, end)
            return
        try:
            self._index = links.add_pair(name, alias, end, carrier.bridge)
        except OSError as error:
            if error.errno != errno.EXFULL:
                raise
            raise DatapathError(
                HResult.ERROR_NO_SYSTEM_RESOURCES,
                f"Endpoint {self.plan.id} cannot be attached: the bridge of network "
                f"{carrier.plan.name!r} has as many endpoints as Linux allows, 1023.",
            ) from error
        # A port has no use for addresses; the kernel gives it one of IPv6, and searches
        # those of all interfaces for it.
        self._switch.namespace.write_settings((f"ipv6/conf/{name}/disable_ipv6", "1"))
        links.set_port(self._index, isolated=self._is_isolated(self.plan))
        links.set_up(self._index)
        if carrier.routes_to_endpoints and not self._is_host:
            for address in self.plan.addresses:
                self._switch.lead_to(carrier, address.address)

    def _mtu(self) -> int:
        most = _USUAL_MTU
        if self.carrier.plan.kind is NetworkKind.OVERLAY:
            most -= _VXLAN_OVERHEAD
        return min(self.plan.mtu, most)

    def _is_isolated(self, plan: EndpointPlan) -> bool:
        return plan.isolated or self.carrier.plan.kind is NetworkKind.L2_TUNNEL

    def _configure(self, inside: Links) -> None:
        """Give the interface in the silo its addresses, routes and limit."""
        index = inside.index(self._interface)
        for address in self.plan.addresses:
            inside.add_address(index, address.address, address.prefix_length)
        # An interface that is given no address of IPv6 would make one and announce it,
        # which every port of the bridge hears: a thousand times of a thousand.
        speaks_six = any(":" in address.address for address in self.plan.addresses)
        inside.set_up(index, unnumbered=bool(self._index) and not speaks_six)
        if not self._is_host:
            for route in self.plan.routes:
                inside.add_route(
                    index,
                    route.prefix,
                    gateway=route.next_hop,
                    metric=route.metric,
                    onlink=bool(route.next_hop),
                )
        for route in self.plan.sdn_routes:
            if route.next_hop and not route.encapsulate:
                inside.add_route(
                    index, route.prefix, gateway=route.next_hop, onlink=True
                )
        if self.plan.outgoing_bytes_per_second:
            inside.limit(index, self.plan.outgoing_bytes_per_second)

    # -- changing --------------------------------------------------------

    def change(self, plan: EndpointPlan) -> None:
        """
        Make the policies agree with a new plan, wholly or not at all.

        Raises:
            DatapathError: A port is somebody else's.
            OSError: The kernel refuses.
        """
        before, self.plan = self.plan, plan
        try:
            self._apply(plan, before)
        except BaseException:
            self.plan = before
            with contextlib.suppress(OSError, DatapathError):
                self._apply(before, plan)
            raise

    def _apply(self, plan: EndpointPlan, before: EndpointPlan) -> None:
        self._doors.agree(plan)
        self._write_filters(plan)
        self._write_translation(plan)
        if self._index and self._is_isolated(plan) != self._is_isolated(before):
            self._switch.links.set_port(self._index, isolated=self._is_isolated(plan))
        changed = plan.outgoing_bytes_per_second != before.outgoing_bytes_per_second
        if changed or plan.sdn_routes != before.sdn_routes:
            inside = Links(self._place)
            try:
                self._apply_inside(inside, plan, before)
            finally:
                inside.close()

    def _apply_inside(
        self, inside: Links, plan: EndpointPlan, before: EndpointPlan
    ) -> None:
        index = inside.index(self._interface)
        inside.limit(index, plan.outgoing_bytes_per_second)
        for route in before.sdn_routes:
            if route not in plan.sdn_routes:
                inside.remove_route(index, route.prefix)
        for route in plan.sdn_routes:
            if route.next_hop and not route.encapsulate:
                inside.add_route(
                    index, route.prefix, gateway=route.next_hop, onlink=True
                )

    def refresh(self) -> None:
        """
        Write the tables anew: the network has changed.

        Raises:
            OSError: The kernel refuses.
        """
        self._write_filters(self.plan)

    def _write_filters(self, plan: EndpointPlan) -> None:
        wanted = filters.has_filters(plan, self.carrier.plan)
        if not wanted and not self._has_filters:
            return
        batch = Batch()
        if wanted:
            # What is replaced is freed later, and closing would wait for that.
            make = batch.replace_table if self._has_filters else batch.add_table
            make(self._filters, plan.name)
            filters.add_filters(batch, self._filters, plan, self.carrier.plan)
        else:
            batch.delete_table(self._filters)
        nft = NftSocket(self._place)
        try:
            nft.commit(batch)
        finally:
            nft.close()
        self._has_filters = wanted

    def _write_translation(self, plan: EndpointPlan) -> None:
        table = self._tag.table
        wanted = translation.has_translation(plan)
        if wanted:
            self._switch.write_table(
                table,
                plan.name,
                lambda batch: translation.add_endpoint_rules(
                    batch, table, plan, self.carrier.name
                ),
            )
        elif self._has_translation:
            self._switch.remove_table(table)
        self._has_translation = wanted

    # -- the rest --------------------------------------------------------

    def counters(self) -> Counters:
        """
        Count the traffic, as the endpoint sees it.

        Raises:
            OSError: The interface is gone.
        """
        inside = Links(self._place)
        try:
            counted = inside.traffic(inside.index(self._interface))
        finally:
            inside.close()
        return Counters(
            bytes_received=counted.received_bytes,
            bytes_sent=counted.sent_bytes,
            packets_received=counted.received_packets,
            packets_sent=counted.sent_packets,
            dropped_incoming=counted.received_dropped,
            dropped_outgoing=counted.sent_dropped,
        )

    def parts(
        self, links: Mapping[int, Link], tables: Collection[str]
    ) -> list[KernelPart]:
        """
        List what the kernel has for it.

        Args:
            links: Of the switch.
            tables: Of the switch.
        """
        name = self._tag.interface("v")
        found = []
        if self._index:
            link = links.get(self._index)
            problem = ""
            if link is None:
                problem = "is gone"
            elif link.master != self.carrier.bridge:
                problem = f"is no port of {self.carrier.name}"
            elif not link.up:
                problem = "is down"
            found.append(
                KernelPart(
                    kind="veth",
                    name=name,
                    parent=self.carrier.name,
                    object=self.plan.id,
                    detail=f"{self._interface} in {', '.join(sorted(self.targets))}",
                    problem=problem,
                )
            )
        if self._has_translation:
            table = self._tag.table
            found += self._switch.rules(table, name, self.plan.id, tables)
        return found

    def remove(self) -> None:
        """
        Take everything back. Idempotent.

        Raises:
            OSError: The kernel refuses; what could be removed is.
        """
        with contextlib.ExitStack() as late:
            self._release(late, self._unplug)

    @classmethod
    def remove_together(cls, switch: Switch, many: Sequence[Attachment]) -> None:
        """
        Take back all of some, at hardly more than the price of one.

        Raises:
            OSError: The kernel refuses; what could be removed is.
        """
        with contextlib.ExitStack() as late, contextlib.ExitStack() as stack:
            indexes: list[int] = []
            stack.callback(switch.links.remove_together, indexes)
            for attachment in many:
                stack.callback(attachment.release_to, late, indexes)

    def release_to(self, late: contextlib.ExitStack, indexes: list[int]) -> None:
        """
        Take everything back but the interface, if its other end is in the switch.

        Args:
            late: Takes what is closed after the interface is removed.
            indexes: Gets the number of the interface to remove.

        Raises:
            OSError: The kernel refuses; what could be removed is.
        """
        index = self._index
        self._release(late, partial(self._unplug, remove=False))
        indexes += [index] if index else []

    def _release(self, late: contextlib.ExitStack, unplug: Callable[[], None]) -> None:
        """
        Take everything back.

        Args:
            late: Takes what is closed after unplugging, which gives the kernel time to
                free what closing would wait for.
            unplug: Removes the interface.
        """
        self._doors.close()
        with contextlib.ExitStack() as stack:
            stack.callback(self._place.close)
            if self._has_translation:
                stack.callback(self._switch.remove_table, self._tag.table)
            stack.callback(unplug)
            if self._has_filters:
                stack.callback(self._remove_filters, late)
        self._has_filters = self._has_translation = False

    def _unplug(self, *, remove: bool = True) -> None:
        if self._index:
            if self.carrier.routes_to_endpoints and not self._is_host:
                for address in self.plan.addresses:
                    self._switch.lead_no_more_to(self.carrier, address.address)
            if remove:
                self._switch.links.remove(self._index)
            self._index = 0
        elif self.carrier.plan.kind is NetworkKind.TRANSPARENT:
            with ignoring_absence():
                inside = Links(self._place)
                try:
                    inside.remove(inside.index(self._interface))
                finally:
                    inside.close()

    def _remove_filters(self, late: contextlib.ExitStack) -> None:
        batch = Batch()
        batch.delete_table(self._filters)
        nft = NftSocket(self._place)
        late.callback(nft.close)
        try:
            nft.commit(batch)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
