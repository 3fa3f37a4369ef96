# Made by async_to_sync.py of hcsshim/hcn/_async_network.py; do not edit.
"""Networks, blocking."""

from __future__ import annotations

from hcsshim.hcn import _requests as requests
from hcsshim.hcn import _steps as steps
from hcsshim.hcn._endpoint import Endpoint
from hcsshim.hcn._objects import NetworkObject
from hcsshim.hcs._calls import as_json
from hcsshim.hcs._connection import connected
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service
    from hcsshim.documents.hcn import (
        Dns,
        HostComputeEndpoint,
        HostComputeNetwork,
        NetworkType,
    )
    from hcsshim.hcn._requests import PolicyLike
    from hcsshim.hcs._calls import DocumentLike


class Network(NetworkObject):
    """
    A network that endpoints are made on.

    Make one with :meth:`create` or :meth:`open`, or find one with :meth:`open_named`.
    """

    __slots__ = ()

    _kind = "Network"

    @classmethod
    def create(
        cls,
        settings: DocumentLike,
        *,
        network_id: str | None = None,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> Network:
        """
        Make a network.

        Args:
            settings: ``HostComputeNetwork``, a mapping, or JSON text; a document of
                v1 is taken too.
            network_id: Its id; by default that of the document, or a new one.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            AlreadyExistsError: The id or the name is taken.
            InvalidDataError: The document is not valid.
            NotFoundError: The machine has no such adapter.
            NotSupportedError: The service is too old for what the document asks.

        Source:
            ``HcnCreateNetwork``.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        text = as_json(settings)
        where = service or connected()
        step = steps.create(where, cls._kind, network_id, text, limit)
        return cls(drive(step))

    @classmethod
    def open_named(
        cls,
        name: str,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> Network:
        """
        Open the network of a name.

        Args:
            name: Exactly as it is.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            NotFoundError: There is none.
        """
        found = cls.ids(steps.filter_query(Name=name), timeout=timeout, service=service)
        what = f'Network name "{name}"'
        one = steps.require_one(found, "HcnEnumerateNetworks", what)
        return cls.open(one, timeout=timeout, service=service)

    @classmethod
    def list(
        cls,
        *,
        name: str | None = None,
        network_type: NetworkType | str | None = None,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> tuple[HostComputeNetwork, ...]:
        """
        List networks.

        Args:
            name: Only the one of this name.
            network_type: Only those of this type.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Source:
            ``HcnEnumerateNetworks``, ``HcnQueryNetworkProperties``.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeNetwork  # noqa: PLC0415

        kind = None if network_type is None else str(network_type)
        query = steps.filter_query(Name=name, Type=kind)
        found = cls._documents(query, timeout, service)
        return tuple(loads(HostComputeNetwork, text) for text in found)

    @classmethod
    def get(
        cls,
        network_id: str,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> HostComputeNetwork:
        """
        Read the document of a network.

        Args:
            network_id: Its id.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            NotFoundError: There is none.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeNetwork  # noqa: PLC0415

        query = steps.filter_query(ID=network_id)
        found = cls._documents(query, timeout, service)
        what = f'Network ID "{network_id}"'
        one = steps.require_one(found, "HcnEnumerateNetworks", what)
        return loads(HostComputeNetwork, one)

    def properties(self, *, timeout: float | None = DEFAULT) -> HostComputeNetwork:
        """
        Read the network's document.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            InvalidStateError: It was deleted.

        Source:
            ``HcnQueryNetworkProperties``.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeNetwork  # noqa: PLC0415

        return loads(HostComputeNetwork, self._query(timeout))

    def add_policies(
        self, *policies: PolicyLike, timeout: float | None = DEFAULT
    ) -> None:
        """
        Add policies; one that the network has already is refused, ``HostRoute`` apart.

        Args:
            policies: ``NetworkPolicy``, or the settings of one.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            AlreadyExistsError: The network has one of them.
            InvalidDataError: One is not valid.
        """
        self._change_policies("Add", policies, timeout)

    def remove_policies(
        self, *policies: PolicyLike, timeout: float | None = DEFAULT
    ) -> None:
        """
        Remove policies, named by their type and what identifies them.

        Args:
            policies: As for :meth:`add_policies`.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotFoundError: The network has no such policy.
            InUseError: A filter uses the set.
        """
        self._change_policies("Remove", policies, timeout)

    def update_policies(
        self, *policies: PolicyLike, timeout: float | None = DEFAULT
    ) -> None:
        """
        Change policies, named as in :meth:`remove_policies`.

        Args:
            policies: As for :meth:`add_policies`.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotFoundError: The network has no such set.
        """
        self._change_policies("Update", policies, timeout)

    def set_dns(self, dns: Dns, *, timeout: float | None = DEFAULT) -> None:
        """
        Replace the settings of name resolution, for endpoints made from now on.

        Args:
            dns: The new ones.
            timeout: Seconds, ``None`` forever; by default 240.
        """
        self._modify(requests.request("DNS", "Update", dns), timeout)

    def create_endpoint(
        self,
        settings: DocumentLike | None = None,
        *,
        endpoint_id: str | None = None,
        timeout: float | None = DEFAULT,
    ) -> Endpoint:
        """
        Make an endpoint on the network.

        Args:
            settings: ``HostComputeEndpoint``, a mapping, or JSON text; by default all
                is left to the service.
            endpoint_id: Its id; by default that of the document, or a new one.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            AlreadyExistsError: A port is taken.
            InvalidDataError: The document is not valid, or an address is taken.
            NotFoundError: The network was deleted, or has no such subnet.

        Source:
            ``HcnCreateEndpoint``.
        """
        text = steps.QUERY if settings is None else as_json(settings)
        handle = self._object
        limit = seconds(timeout, "SYSCALLWATCHER")
        step = steps.create(
            handle.service, "Endpoint", endpoint_id, text, limit, parent=handle
        )
        return Endpoint(drive(step))

    def endpoints(
        self, *, timeout: float | None = DEFAULT
    ) -> tuple[HostComputeEndpoint, ...]:
        """
        List the network's endpoints.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.
        """
        return Endpoint.list(
            network_id=self.id, timeout=timeout, service=self._object.service
        )
