# Made by async_to_sync.py of hcsshim/hcn/_async_namespace.py; do not edit.
"""Namespaces, blocking."""

from __future__ import annotations

from hcsshim.hcn import _persisted as persisted
from hcsshim.hcn import _requests as requests
from hcsshim.hcn import _steps as steps
from hcsshim.hcn._objects import NetworkObject
from hcsshim.hcs._calls import as_json, write
from hcsshim.hcs._connection import connected
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service
    from hcsshim.documents.hcn import HostComputeNamespace, NamespaceType
    from hcsshim.hcs._calls import DocumentLike


class Namespace(NetworkObject):
    """
    A network namespace: the endpoints that containers of a pod share.

    Make one with :meth:`create` or :meth:`open` one, add endpoints to it, and name
    its id as ``Container.Networking.Namespace`` of a compute system.
    """

    __slots__ = ()

    _kind = "Namespace"

    @classmethod
    def create(
        cls,
        settings: DocumentLike | None = None,
        *,
        namespace_type: NamespaceType | str | None = None,
        namespace_id: str | None = None,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> Namespace:
        """
        Make a namespace.

        Args:
            settings: ``HostComputeNamespace``, a mapping, or JSON text.
            namespace_type: Instead of ``settings``: its type, by default ``Host``.
            namespace_id: Its id; by default that of the document, or a new one.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            AlreadyExistsError: The id is taken.
            TypeError: Both ``settings`` and ``namespace_type`` were given.

        Source:
            ``HcnCreateNamespace``.
        """
        if settings is not None and namespace_type is not None:
            raise TypeError("give settings or a namespace_type, not both")
        if settings is None:
            document = {"SchemaVersion": {"Major": 2, "Minor": 0}}
            kind = {} if namespace_type is None else {"Type": str(namespace_type)}
            text = write({**document, **kind})
        else:
            text = as_json(settings)
        limit = seconds(timeout, "SYSCALLWATCHER")
        where = service or connected()
        step = steps.create(where, cls._kind, namespace_id, text, limit)
        return cls(drive(step))

    @classmethod
    def list(
        cls,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> tuple[HostComputeNamespace, ...]:
        """
        List the namespaces; the machine's own is always among them.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Source:
            ``HcnEnumerateNamespaces``, ``HcnQueryNamespaceProperties``.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeNamespace  # noqa: PLC0415

        found = cls._documents(steps.QUERY, timeout, service)
        return tuple(loads(HostComputeNamespace, text) for text in found)

    @classmethod
    def get(
        cls,
        namespace_id: str,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> HostComputeNamespace:
        """
        Read the document of a namespace.

        Args:
            namespace_id: Its id.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            NotFoundError: There is none.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeNamespace  # noqa: PLC0415

        query = steps.filter_query(ID=namespace_id)
        found = cls._documents(query, timeout, service)
        what = f'Namespace ID "{namespace_id}"'
        one = steps.require_one(found, "HcnEnumerateNamespaces", what)
        return loads(HostComputeNamespace, one)

    def properties(self, *, timeout: float | None = DEFAULT) -> HostComputeNamespace:
        """
        Read the namespace's document.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            InvalidStateError: It was deleted.

        Source:
            ``HcnQueryNamespaceProperties``.
        """
        from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
        from hcsshim.documents.hcn import HostComputeNamespace  # noqa: PLC0415

        return loads(HostComputeNamespace, self._query(timeout))

    def add_endpoint(
        self, endpoint_id: str, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Add an endpoint; containers that run in the namespace get it at once.

        Args:
            endpoint_id: Of the endpoint.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            AlreadyExistsError: It is in a namespace.
            InvalidStateError: It is a remote one.
            NotFoundError: There is no such endpoint.
        """
        settings = {"EndpointId": endpoint_id}
        self._modify(requests.request("Endpoint", "Add", settings), timeout)

    def remove_endpoint(
        self, endpoint_id: str, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Remove an endpoint, also from the containers that run in the namespace.

        Args:
            endpoint_id: Of the endpoint.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            InvalidStateError: It is not in the namespace.
            NotFoundError: There is no such endpoint.
        """
        settings = {"EndpointId": endpoint_id}
        self._modify(requests.request("Endpoint", "Remove", settings), timeout)

    def endpoint_ids(self, *, timeout: float | None = DEFAULT) -> tuple[str, ...]:
        """
        List the endpoints in it.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.
        """
        return persisted.resources(self._query(timeout), "Endpoint")

    def container_ids(self, *, timeout: float | None = DEFAULT) -> tuple[str, ...]:
        """
        List the compute systems that run in it.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.
        """
        return persisted.resources(self._query(timeout), "Container")

    def sync(self, *, timeout: float | None = DEFAULT) -> None:
        """
        Bring a guest's namespace up to date, by the shim that runs its machine.

        Namespaces of this machine, and those whose shim is not known or gone, need
        nothing.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.
        """
        found = self.properties(timeout=timeout)
        if str(found.type or "").startswith("Guest"):
            persisted.sync(self.id)
