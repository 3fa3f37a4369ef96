# Made by async_to_sync.py of hcsshim/hcn/_async_endpoint.py; do not edit.
"""Endpoints, blocking."""

from __future__ import annotations

from hcsshim.hcn import _steps as steps
from hcsshim.hcn._objects import NetworkObject
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service
    from hcsshim.documents.hcn import HostComputeEndpoint
    from hcsshim.documents.hns import EndpointStats
    from hcsshim.hcn._requests import PolicyLike

_STATISTICS = "HcnQueryEndpointStats"


class Endpoint(NetworkObject):
    """
    An endpoint: what a container's network interface is made from.

    Make one with :meth:`Network.create_endpoint`, or :meth:`open` one.
    """

    __slots__ = ()

    _kind = "Endpoint"

    @classmethod
    def list(
        cls,
        *,
        name: str | None = None,
        network_id: str | None = None,
        state: int | None = None,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> tuple[HostComputeEndpoint, ...]:
        """
        List endpoints.

        Args:
            name: Only those of this name; several may have it.
            network_id: Only those of this network.
            state: Only those in this state, a number of ``hns.EndpointState``.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Source:
            ``HcnEnumerateEndpoints``, ``HcnQueryEndpointProperties``.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeEndpoint  # noqa: PLC0415

        query = steps.filter_query(Name=name, VirtualNetwork=network_id, State=state)
        found = cls._documents(query, timeout, service)
        return tuple(loads(HostComputeEndpoint, text) for text in found)

    @classmethod
    def get(
        cls,
        endpoint_id: str,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> HostComputeEndpoint:
        """
        Read the document of an endpoint.

        Args:
            endpoint_id: Its id.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            NotFoundError: There is none.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeEndpoint  # noqa: PLC0415

        query = steps.filter_query(ID=endpoint_id)
        found = cls._documents(query, timeout, service)
        what = f'Endpoint ID "{endpoint_id}"'
        one = steps.require_one(found, "HcnEnumerateEndpoints", what)
        return loads(HostComputeEndpoint, one)

    def properties(self, *, timeout: float | None = DEFAULT) -> HostComputeEndpoint:
        """
        Read the endpoint's document.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            InvalidStateError: It was deleted.

        Source:
            ``HcnQueryEndpointProperties``.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeEndpoint  # noqa: PLC0415

        return loads(HostComputeEndpoint, self._query(timeout))

    def statistics(self, *, timeout: float | None = DEFAULT) -> EndpointStats:
        """
        Count the endpoint's traffic, as its container sees it.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Source:
            ``HcnQueryEndpointStats``.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hns import EndpointStats  # noqa: PLC0415

        limit = seconds(timeout, "SYSCALLWATCHER")
        text = drive(steps.ask(self._object, _STATISTICS, None, limit))
        return loads(EndpointStats, text)

    def add_policies(
        self, *policies: PolicyLike, timeout: float | None = DEFAULT
    ) -> None:
        """
        Add policies.

        Args:
            policies: ``EndpointPolicy``, or the settings of one.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            AlreadyExistsError: A port is taken, or there can be one only.
            InvalidDataError: One is not valid.
        """
        self._change_policies("Add", policies, timeout)

    def remove_policies(
        self, *policies: PolicyLike, timeout: float | None = DEFAULT
    ) -> None:
        """
        Remove policies that equal the given ones; a proxy by its type alone.

        Args:
            policies: As for :meth:`add_policies`.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotFoundError: The endpoint has no such policy.
        """
        self._change_policies("Remove", policies, timeout)

    def update_policies(
        self, *policies: PolicyLike, timeout: float | None = DEFAULT
    ) -> None:
        """
        Replace all policies of the types that are given; other types stay.

        Args:
            policies: As for :meth:`add_policies`; none at all clears the proxies.
            timeout: Seconds, ``None`` forever; by default 240.
        """
        self._change_policies("Update", policies, timeout)

    def join(self, namespace_id: str, *, timeout: float | None = DEFAULT) -> None:
        """
        Add the endpoint to a namespace; its running containers get it at once.

        Args:
            namespace_id: Of the namespace.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            AlreadyExistsError: It is in one.
            NotFoundError: There is no such namespace.
        """
        from hcsshim.hcn._namespace import Namespace  # noqa: PLC0415

        service = self._object.service
        with Namespace.open(
            namespace_id, timeout=timeout, service=service
        ) as namespace:
            namespace.add_endpoint(self.id, timeout=timeout)

    def leave(self, namespace_id: str, *, timeout: float | None = DEFAULT) -> None:
        """
        Remove the endpoint from a namespace.

        Args:
            namespace_id: Of the namespace.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            InvalidStateError: It is not in it.
        """
        from hcsshim.hcn._namespace import Namespace  # noqa: PLC0415

        service = self._object.service
        with Namespace.open(
            namespace_id, timeout=timeout, service=service
        ) as namespace:
            namespace.remove_endpoint(self.id, timeout=timeout)
