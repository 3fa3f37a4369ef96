"""
The datapath of Linux: bridges and pairs of interfaces, by netlink.

For root, the switch is in the machine's own network namespace: each network is a
bridge there, as tools of people expect it. Others have a namespace of their own for
it, in a user namespace that the host entered when it started; the outside is reached
through sockets of the machine's then.

Nothing is made for a network before its first endpoint is attached. All of it bears
tags, see :mod:`hcsshim.host.datapath.tags`.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import attrs

from hcsshim.host.datapath.attachment import Attachment
from hcsshim.host.datapath.links import MissingLibraryError
from hcsshim.host.datapath.opening import MISSING_LIBRARY
from hcsshim.host.datapath.port import Counters, DatapathError
from hcsshim.host.results import hresult_of_errno
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hcsshim.host.datapath.port import (
        EndpointPlan,
        Everything,
        KernelPart,
        LoadBalancerPlan,
        NetworkPlan,
        SdnRoutePlan,
        Target,
    )
    from hcsshim.host.datapath.switch import Switch


class LinuxDatapath:
    """
    The datapath of this machine; see :class:`hcsshim.host.datapath.port.Datapath`.

    Args:
        open_switch: Makes the switch when the first endpoint is attached.
    """

    def __init__(self, open_switch: Callable[[], Switch]) -> None:
        self._open_switch = open_switch
        self._made: Switch | None = None
        self._networks: dict[str, NetworkPlan] = {}
        self._endpoints: dict[str, EndpointPlan] = {}
        self._balancers: dict[str, LoadBalancerPlan] = {}
        self._routes: dict[str, SdnRoutePlan] = {}
        self._attachments: dict[str, Attachment] = {}

    def obstacle(self) -> str:
        """Say nothing: what cannot do anything is another class."""
        return ""

    def _switch(self) -> Switch:
        if self._made is None:
            self._made = self._open_switch()
        return self._made

    def reconcile(self, everything: Everything) -> None:
        """
        Remember all plans, and remove what hosts left that are gone.

        Raises:
            DatapathError: The kernel refuses.
        """
        self._networks = {plan.id: plan for plan in everything.networks}
        self._endpoints = {plan.id: plan for plan in everything.endpoints}
        self._balancers = {plan.id: plan for plan in everything.load_balancers}
        self._routes = {plan.id: plan for plan in everything.routes}
        with _explaining("What an earlier host left cannot be removed"):
            self._switch().remove_leftovers()

    # -- networks --------------------------------------------------------

    def apply_network(self, network: NetworkPlan) -> None:
        """
        Make a network known, or change it to this plan.

        Raises:
            DatapathError: The kernel refuses.
        """
        if self._made is not None:
            with _explaining(f"Network {network.name!r} cannot be changed"):
                self._made.change(network)
                self._networks[network.id] = network
                self._refresh(network.id)
        self._networks[network.id] = network

    def _refresh(self, network: str) -> None:
        """Let filters of the network's endpoints follow the network's own."""
        for attachment in self._attachments.values():
            if attachment.plan.network == network:
                attachment.refresh()

    def remove_network(self, network: str) -> None:
        """
        Remove a network.

        Raises:
            DatapathError: The kernel refuses.
        """
        self._networks.pop(network, None)
        if self._made is not None:
            with _explaining(f"Network {network} cannot be removed"):
                self._made.remove(network)

    def clear_network(self, network: str) -> None:
        """
        Detach all endpoints of a network at once.

        Raises:
            DatapathError: The kernel refuses.
        """
        found = {
            endpoint: attachment
            for endpoint, attachment in self._attachments.items()
            if attachment.plan.network == network
        }
        for endpoint in found:
            del self._attachments[endpoint]
        if self._made is not None:
            with _explaining(f"Endpoints of network {network} cannot be detached"):
                Attachment.remove_together(self._made, tuple(found.values()))

    # -- endpoints -------------------------------------------------------

    def apply_endpoint(self, endpoint: EndpointPlan) -> None:
        """
        Make an endpoint known, or change it to this plan.

        Raises:
            DatapathError: The kernel refuses; nothing has changed.
        """
        before = self._endpoints.get(endpoint.id)
        whole = self._with_routes(endpoint)
        with _explaining(f"Endpoint {endpoint.id} cannot be changed"):
            attachment = self._attachments.get(endpoint.id)
            if attachment is not None:
                attachment.change(whole)
            elif endpoint.remote:
                self._replace_remote(before, endpoint)
        self._endpoints[endpoint.id] = endpoint

    def _replace_remote(
        self, before: EndpointPlan | None, after: EndpointPlan | None
    ) -> None:
        network = after.network if after is not None else ""
        if before is not None:
            network = before.network
        carrier = self._made.carrier(network) if self._made is not None else None
        if self._made is None or carrier is None:
            return
        if before is not None:
            self._made.remove_remote(carrier, before)
        if after is not None:
            self._made.add_remote(carrier, after)

    def remove_endpoint(self, endpoint: str) -> None:
        """
        Forget an endpoint, detaching it first.

        Raises:
            DatapathError: The kernel refuses.
        """
        plan = self._endpoints.pop(endpoint, None)
        attachment = self._attachments.pop(endpoint, None)
        with _explaining(f"Endpoint {endpoint} cannot be removed"):
            if attachment is not None:
                attachment.remove()
            elif plan is not None and plan.remote:
                self._replace_remote(plan, None)

    def attach(self, endpoint: str, target: Target) -> None:
        """
        Put an endpoint's interface into a target.

        Raises:
            DatapathError: The kernel refuses, or something is missing.
        """
        what = f"Endpoint {endpoint} cannot be attached to {target.id!r}"
        plan = self._endpoints.get(endpoint)
        network = self._networks.get(plan.network) if plan is not None else None
        if plan is None or network is None:
            raise DatapathError(
                HResult.HCN_E_ENDPOINT_NOT_FOUND, f"{what}: it is not known."
            )
        if plan.remote:
            raise DatapathError(
                HResult.HCN_E_ENDPOINT_NOT_LOCAL, f"{what}: it is on another machine."
            )
        with _explaining(what):
            attachment = self._attachments.get(endpoint)
            if attachment is not None:
                attachment.join(target)
                return
            switch = self._switch()
            fresh = switch.carrier(network.id) is None
            carrier = switch.make(network, plan.vlan)
            if fresh:
                self._complete(switch, network.id)
            self._attachments[endpoint] = Attachment(
                switch, carrier, self._with_routes(plan), target
            )

    def _complete(self, switch: Switch, network: str) -> None:
        """Add to a network that was just made what belongs to it."""
        carrier = switch.carrier(network)
        if carrier is None:
            return
        for endpoint in self._endpoints.values():
            if endpoint.network == network and endpoint.remote:
                switch.add_remote(carrier, endpoint)
        for balancer in self._balancers.values():
            if balancer.network == network:
                switch.write_balancer(balancer)

    def detach(self, endpoint: str, target: Target) -> None:
        """
        Take an endpoint's interface out of a target.

        Raises:
            DatapathError: The kernel refuses.
        """
        attachment = self._attachments.get(endpoint)
        if attachment is None:
            return
        attachment.targets.discard(target.id)
        if attachment.targets:
            return
        del self._attachments[endpoint]
        with _explaining(f"Endpoint {endpoint} cannot be detached"):
            attachment.remove()

    # -- load balancers and routes ---------------------------------------

    def apply_load_balancer(self, balancer: LoadBalancerPlan) -> None:
        """
        Make a load balancer, or change it to this plan.

        Raises:
            DatapathError: The kernel refuses.
        """
        switch = self._made
        if switch is not None and switch.carrier(balancer.network) is not None:
            with _explaining(f"Load balancer {balancer.id} cannot be made"):
                before = self._balancers.get(balancer.id)
                if before is not None and before.frontends != balancer.frontends:
                    switch.remove_balancer(before)
                switch.write_balancer(balancer)
        elif switch is not None and balancer.id in self._balancers:
            with _explaining(f"Load balancer {balancer.id} cannot be changed"):
                switch.remove_balancer(self._balancers[balancer.id])
        self._balancers[balancer.id] = balancer

    def remove_load_balancer(self, balancer: str) -> None:
        """
        Remove a load balancer.

        Raises:
            DatapathError: The kernel refuses.
        """
        plan = self._balancers.pop(balancer, None)
        if plan is not None and self._made is not None:
            with _explaining(f"Load balancer {balancer} cannot be removed"):
                self._made.remove_balancer(plan)

    def apply_route(self, route: SdnRoutePlan) -> None:
        """
        Make a route, or change it to this plan.

        Raises:
            DatapathError: The kernel refuses.
        """
        before = self._routes.get(route.id)
        self._routes[route.id] = route
        touched = {*route.endpoints, *(before.endpoints if before else ())}
        try:
            self._reroute(touched)
        except BaseException:
            if before is None:
                del self._routes[route.id]
            else:
                self._routes[route.id] = before
            with contextlib.suppress(DatapathError):
                self._reroute(touched)
            raise

    def remove_route(self, route: str) -> None:
        """
        Remove a route.

        Raises:
            DatapathError: The kernel refuses.
        """
        before = self._routes.pop(route, None)
        if before is not None:
            self._reroute({*before.endpoints})

    def _reroute(self, endpoints: set[str]) -> None:
        for endpoint in sorted(endpoints):
            plan = self._endpoints.get(endpoint)
            if plan is not None:
                self.apply_endpoint(plan)

    def _with_routes(self, endpoint: EndpointPlan) -> EndpointPlan:
        """Give a plan that has the routes of other objects too."""
        more = tuple(
            plan
            for route in self._routes.values()
            if endpoint.id in route.endpoints
            for plan in route.routes
        )
        if not more:
            return endpoint
        return attrs.evolve(endpoint, sdn_routes=(*endpoint.sdn_routes, *more))

    # -- what is there ---------------------------------------------------

    def counters(self, endpoint: str) -> Counters:
        """Count an endpoint's traffic; zeros where it is not attached."""
        attachment = self._attachments.get(endpoint)
        if attachment is None:
            return Counters()
        try:
            return attachment.counters()
        except OSError:  # the silo ended, and took it along
            return Counters()

    def parts(self, network: str) -> list[KernelPart]:
        """
        List what the kernel has for a network and all that belongs to it.

        Raises:
            DatapathError: The kernel refuses.
        """
        if self._made is None:
            return []
        with _explaining(f"The parts of network {network} cannot be listed"):
            links = {link.index: link for link in self._made.links.all()}
            tables = self._made.nft.tables().keys()
            found = self._made.parts(network, links, tables)
            for attachment in self._attachments.values():
                if attachment.plan.network == network:
                    found += attachment.parts(links, tables)
            for balancer in self._balancers.values():
                if balancer.network == network and found:
                    found += self._made.balancer_parts(balancer, tables)
        return found

    def close(self) -> None:
        """Remove everything."""
        made, self._made = self._made, None
        if made is not None:
            with contextlib.suppress(OSError):
                Attachment.remove_together(made, tuple(self._attachments.values()))
            self._attachments.clear()
            for balancer in self._balancers.values():
                with contextlib.suppress(OSError):
                    made.remove_balancer(balancer)
            made.close()


@contextlib.contextmanager
def _explaining(what: str) -> Iterator[None]:
    """Let the kernel's refusals say what was being done."""
    try:
        yield
    except MissingLibraryError as error:
        raise DatapathError(
            HResult.ERROR_NOT_SUPPORTED, f"{what}: {MISSING_LIBRARY}"
        ) from error
    except OSError as error:
        number = error.errno or 0
        reason = error.strerror or os.strerror(number)
        if error.filename:
            reason = f"{reason}: {error.filename}"
        raise DatapathError(hresult_of_errno(number), f"{what}: {reason}.") from error
