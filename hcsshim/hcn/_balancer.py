# Made by async_to_sync.py of hcsshim/hcn/_async_balancer.py; do not edit.
"""Load balancers and routes, blocking."""

from __future__ import annotations

from hcsshim.hcn import _balancer_steps as balancers
from hcsshim.hcn import _steps as steps
from hcsshim.hcn._objects import NetworkObject
from hcsshim.hcs._calls import as_json
from hcsshim.hcs._connection import connected
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service
    from hcsshim.documents.hcn import HostComputeLoadBalancer, HostComputeRoute
    from hcsshim.hcs._calls import DocumentLike


class LoadBalancer(NetworkObject):
    """
    A load balancer: what comes to its frontends is spread over endpoints.

    Make one with :meth:`create` or :meth:`open` one.
    """

    __slots__ = ()

    _kind = "LoadBalancer"

    @classmethod
    def create(
        cls,
        settings: DocumentLike,
        *,
        balancer_id: str | None = None,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> LoadBalancer:
        """
        Make a load balancer.

        Args:
            settings: ``HostComputeLoadBalancer``, a mapping, or JSON text.
            balancer_id: Its id; by default that of the document, or a new one.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            AlreadyExistsError: A frontend's port is taken.
            InvalidDataError: The document is not valid, or names no endpoint.
            NotFoundError: An endpoint is not there.

        Source:
            ``HcnCreateLoadBalancer``.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        text = as_json(settings)
        where = service or connected()
        step = steps.create(where, cls._kind, balancer_id, text, limit)
        return cls(drive(step))

    @classmethod
    def list(
        cls,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> tuple[HostComputeLoadBalancer, ...]:
        """
        List the load balancers.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Source:
            ``HcnEnumerateLoadBalancers``, ``HcnQueryLoadBalancerProperties``.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeLoadBalancer  # noqa: PLC0415

        found = cls._documents(steps.QUERY, timeout, service)
        return tuple(loads(HostComputeLoadBalancer, text) for text in found)

    @classmethod
    def get(
        cls,
        balancer_id: str,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> HostComputeLoadBalancer:
        """
        Read the document of a load balancer.

        Args:
            balancer_id: Its id.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            NotFoundError: There is none.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeLoadBalancer  # noqa: PLC0415

        query = steps.filter_query(ID=balancer_id)
        found = cls._documents(query, timeout, service)
        what = f'LoadBalancer "{balancer_id}"'
        one = steps.require_one(found, "HcnEnumerateLoadBalancers", what)
        return loads(HostComputeLoadBalancer, one)

    def properties(self, *, timeout: float | None = DEFAULT) -> HostComputeLoadBalancer:
        """
        Read the load balancer's document.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            InvalidStateError: It was deleted.

        Source:
            ``HcnQueryLoadBalancerProperties``.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeLoadBalancer  # noqa: PLC0415

        return loads(HostComputeLoadBalancer, self._query(timeout))

    def update(
        self, settings: DocumentLike, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Replace the load balancer by another document.

        A service that cannot change one deletes it and makes it again, with its id;
        then connections through it are cut.

        Args:
            settings: The whole new document.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            InvalidDataError: The document is not valid.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        text = as_json(settings)
        self._object = drive(balancers.replace(self._object, text, limit))

    def add_endpoint(
        self, endpoint_id: str, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Let an endpoint take its share.

        Args:
            endpoint_id: Of the endpoint.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotFoundError: There is no such endpoint.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        step = balancers.change(self._object, limit, add=endpoint_id)
        self._object = drive(step)

    def remove_endpoint(
        self, endpoint_id: str, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Let an endpoint take no share any more.

        Args:
            endpoint_id: Of the endpoint.
            timeout: Seconds, ``None`` forever; by default 240.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        step = balancers.change(self._object, limit, remove=endpoint_id)
        self._object = drive(step)


class Route(NetworkObject):
    """
    An SDN route of some endpoints.

    Make one with :meth:`create` or :meth:`open` one.
    """

    __slots__ = ()

    _kind = "SdnRoute"

    @classmethod
    def create(
        cls,
        settings: DocumentLike,
        *,
        route_id: str | None = None,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> Route:
        """
        Make a route.

        Args:
            settings: ``HostComputeRoute``, a mapping, or JSON text.
            route_id: Its id; by default that of the document, or a new one.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            InvalidDataError: The document is not valid, or names no endpoint.
            NotFoundError: An endpoint is not there.

        Source:
            ``HcnCreateSdnRoute``.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        text = as_json(settings)
        where = service or connected()
        step = steps.create(where, cls._kind, route_id, text, limit)
        return cls(drive(step))

    @classmethod
    def list(
        cls,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> tuple[HostComputeRoute, ...]:
        """
        List the routes.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Source:
            ``HcnEnumerateSdnRoutes``, ``HcnQuerySdnRouteProperties``.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeRoute  # noqa: PLC0415

        found = cls._documents(steps.QUERY, timeout, service)
        return tuple(loads(HostComputeRoute, text) for text in found)

    @classmethod
    def get(
        cls,
        route_id: str,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> HostComputeRoute:
        """
        Read the document of a route.

        Args:
            route_id: Its id.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            NotFoundError: There is none.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeRoute  # noqa: PLC0415

        query = steps.filter_query(ID=route_id)
        found = cls._documents(query, timeout, service)
        what = f'SDN Route "{route_id}"'
        one = steps.require_one(found, "HcnEnumerateSdnRoutes", what)
        return loads(HostComputeRoute, one)

    def properties(self, *, timeout: float | None = DEFAULT) -> HostComputeRoute:
        """
        Read the route's document.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            InvalidStateError: It was deleted.

        Source:
            ``HcnQuerySdnRouteProperties``.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeRoute  # noqa: PLC0415

        return loads(HostComputeRoute, self._query(timeout))

    def add_endpoint(
        self, endpoint_id: str, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Give the route to one more endpoint; it is made again for that.

        Args:
            endpoint_id: Of the endpoint.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotFoundError: There is no such endpoint.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        step = balancers.change(self._object, limit, add=endpoint_id)
        self._object = drive(step)

    def remove_endpoint(
        self, endpoint_id: str, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Take the route from an endpoint; it is made again for that.

        Args:
            endpoint_id: Of the endpoint.
            timeout: Seconds, ``None`` forever; by default 240.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        step = balancers.change(self._object, limit, remove=endpoint_id)
        self._object = drive(step)
