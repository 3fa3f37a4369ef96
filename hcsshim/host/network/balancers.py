"""The rules of load balancers and SDN routes, which v1 calls policy lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.host.network.core import balanced_ports, carried
from hcsshim.host.network.members import Members, as_address, as_guid
from hcsshim.host.network.model import Health, LoadBalancer, SdnRoute, new_id
from hcsshim.host.network.plans import plan_sdn_route
from hcsshim.host.network.reading import read_load_balancer
from hcsshim.host.network.refusals import refuse
from hcsshim.host.network.requests import read_request, unsupported
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hcsshim.host.network.core import Core

_RESOURCES = ("Endpoint", "Policy", "LoadBalancer")
#: TCP, UDP, both kinds of ICMP, and any.
_PROTOCOLS = (6, 17, 1, 58, 256)
_WITH_PORTS = (6, 17)


class Balancers:
    """
    Makes, changes and deletes load balancers and routes.

    Args:
        core: The objects.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    # -- load balancers --------------------------------------------------

    def create(self, draft: LoadBalancer, balancer_id: str = "") -> LoadBalancer:
        """
        Make a load balancer.

        Raises:
            Refusal: It cannot be; nothing of it is left.
        """
        core = self._core
        balancer = attrs.evolve(draft, id=balancer_id or draft.id or new_id())
        self._require_free(balancer.id)
        self._check(balancer)
        self._take_ports(balancer)
        try:
            core.apply_balancer(balancer)
            core.keep(balancer)
        except BaseException:
            self._free_ports(balancer)
            with carried():
                core.datapath.remove_load_balancer(balancer.id)
            raise
        return balancer

    def _require_free(self, object_id: str) -> None:
        if object_id in self._core.balancers or object_id in self._core.routes:
            raise refuse(
                HResult.ERROR_OBJECT_ALREADY_EXISTS,
                f"There is a policy list {object_id}.",
            )

    def _check(self, balancer: LoadBalancer) -> None:
        self._require_endpoints(balancer.endpoints)
        for address in (*balancer.frontends, *filter(None, (balancer.source,))):
            as_address(address, HResult.HCN_E_INVALID_POLICY)
        for port in balancer.ports:
            if port.protocol not in _PROTOCOLS:
                raise refuse(
                    HResult.HCN_E_INVALID_POLICY,
                    f"A load balancer does not know protocol {port.protocol}.",
                )
            if port.protocol in _WITH_PORTS and not port.internal:
                raise refuse(
                    HResult.HCN_E_INVALID_INTERNAL_PORT,
                    "A port of a load balancer has no InternalPort.",
                )

    def _require_endpoints(self, endpoints: Iterable[str]) -> None:
        """
        Check that there are endpoints, all of one network.

        Raises:
            Refusal: There are none, or one of them is not there.
        """
        networks = set()
        for text in endpoints:
            networks.add(self._core.endpoint(as_guid(text)).network)
        if not networks:
            raise refuse(
                HResult.HCN_E_INVALID_POLICY, "The document names no endpoint."
            )

    def _take_ports(self, balancer: LoadBalancer) -> None:
        owner = f"load balancer {balancer.id}"
        taken = []
        try:
            for key in balanced_ports(balancer):
                self._core.ports.take(key, owner)
                taken.append(key)
        except BaseException:
            for key in taken:
                self._core.ports.free(key, owner)
            raise

    def _free_ports(self, balancer: LoadBalancer) -> None:
        for key in balanced_ports(balancer):
            self._core.ports.free(key, f"load balancer {balancer.id}")

    def modify(self, balancer_id: str, text: str | None) -> None:
        """
        Change a load balancer: by a request, or by its whole new document.

        Raises:
            Refusal: The document is not valid; nothing changed.
        """
        before = self._core.balancer(balancer_id)
        fields = Members.parse(text)
        if "ResourceType" in fields or "RequestType" in fields:
            after = self._requested(before, fields)
        else:
            after = read_load_balancer(text)
        self._replace(
            before,
            attrs.evolve(
                after,
                id=before.id,
                activity=before.activity,
                degraded=not after.endpoints,
                health=Health(),
            ),
        )

    def _requested(self, before: LoadBalancer, fields: Members) -> LoadBalancer:
        resource, verb = read_request(fields, _RESOURCES)
        settings = fields.child("Settings")
        if verb == "Refresh":
            return before
        if resource == "Endpoint" and verb in ("Add", "Remove"):
            named = (
                settings.texts("HostComputeEndpoints")
                or settings.texts("EndpointIds")
                or tuple(filter(None, (settings.text("EndpointId"),)))
            )
            wanted = {as_guid(text) for text in named}
            kept = tuple(f for f in before.endpoints if as_guid(f) not in wanted)
            return attrs.evolve(
                before, endpoints=(*kept, *named) if verb == "Add" else kept
            )
        if verb == "Update":
            document = settings.members()
            return _updated(before, Members(document))
        raise unsupported(resource, verb)

    def _replace(self, before: LoadBalancer, after: LoadBalancer) -> None:
        core = self._core
        self._check(after)
        self._free_ports(before)
        try:
            self._take_ports(after)
        except BaseException:
            self._take_ports(before)
            raise
        try:
            core.apply_balancer(after)
            core.keep(after)
        except BaseException:
            self._free_ports(after)
            self._take_ports(before)
            raise

    def delete(self, balancer_id: str) -> None:
        """
        Delete a load balancer.

        Raises:
            Refusal: There is none of this id.
        """
        balancer = self._core.balancer(balancer_id)
        with carried():
            self._core.datapath.remove_load_balancer(balancer_id)
        self._core.keep(gone=(balancer,))
        self._free_ports(balancer)

    # -- routes ----------------------------------------------------------

    def create_route(self, draft: SdnRoute, route_id: str = "") -> SdnRoute:
        """
        Make a route.

        Raises:
            Refusal: It cannot be; nothing of it is left.
        """
        core = self._core
        route = attrs.evolve(draft, id=route_id or draft.id or new_id())
        self._require_free(route.id)
        self._require_endpoints(route.endpoints)
        with carried():
            core.datapath.apply_route(plan_sdn_route(route))
        core.keep(route)
        return route

    def modify_route(self, route_id: str, draft: SdnRoute) -> None:
        """
        Replace a route.

        Raises:
            Refusal: The new one is not valid; nothing changed.
        """
        before = self._core.route(route_id)
        self._require_endpoints(draft.endpoints)
        route = attrs.evolve(draft, id=route_id, activity=before.activity)
        with carried():
            self._core.datapath.apply_route(plan_sdn_route(route))
        self._core.keep(route)

    def delete_route(self, route_id: str) -> None:
        """Delete a route; one that is not there is gone already."""
        route = self._core.routes.get(route_id)
        if route is None:
            return
        with carried():
            self._core.datapath.remove_route(route_id)
        self._core.keep(gone=(route,))


def _updated(before: LoadBalancer, settings: Members) -> LoadBalancer:
    import json  # noqa: PLC0415 - seldom needed

    after = read_load_balancer(json.dumps(settings.members()))
    return attrs.evolve(
        before,
        endpoints=after.endpoints or before.endpoints,
        frontends=after.frontends or before.frontends,
        ports=after.ports or before.ports,
        source=after.source or before.source,
        flags=after.flags if "Flags" in settings else before.flags,
    )
