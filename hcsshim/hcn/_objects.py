# Made by async_to_sync.py of hcsshim/hcn/_async_objects.py; do not edit.
"""What all network objects can, blocking."""

from __future__ import annotations

from hcsshim.hcn import _requests as requests
from hcsshim.hcn import _steps as steps
from hcsshim.hcs._calls import as_json
from hcsshim.hcs._connection import connected
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from types import TracebackType
    from typing import ClassVar

    from typing_extensions import Self

    from hcsshim._native.port import Service
    from hcsshim.hcn._handles import ObjectHandle
    from hcsshim.hcn._requests import PolicyLike
    from hcsshim.hcs._calls import DocumentLike


class NetworkObject:
    """
    An object of the networking service, by a handle of its own.

    Closing releases the handle only; the object stays until it is deleted. Used as a
    context manager it closes at the end of the block.
    """

    __slots__ = ("__weakref__", "_object")

    #: What the names of calls about it end in.
    _kind: ClassVar[str] = ""

    def __init__(self, handle: ObjectHandle) -> None:
        self._object = handle

    @classmethod
    def open(
        cls,
        object_id: str,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> Self:
        """
        Open an object that exists, whoever made it.

        Args:
            object_id: Its id.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            NotFoundError: There is none of this id.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        step = steps.open_existing(service or connected(), cls._kind, object_id, limit)
        return cls(drive(step))

    @classmethod
    def delete_by_id(
        cls,
        object_id: str,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> None:
        """
        Delete an object without opening it.

        Args:
            object_id: Its id.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            NotFoundError: There is none of this id.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        drive(steps.delete(service or connected(), cls._kind, object_id, limit))

    @classmethod
    def ids(
        cls,
        query: DocumentLike | None = None,
        *,
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> tuple[str, ...]:
        """
        List the ids of all objects of the kind, or of those that a query asks for.

        Args:
            query: ``HostComputeQuery``; its filter has the names of v1.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.
        """
        text = steps.QUERY if query is None else as_json(query)
        limit = seconds(timeout, "SYSCALLWATCHER")
        found = drive(
            steps.enumerate_ids(service or connected(), cls._kind, text, limit)
        )
        return tuple(found)

    @classmethod
    def _documents(
        cls, text: str, timeout: float | None, service: Service | None
    ) -> list[str]:
        limit = seconds(timeout, "SYSCALLWATCHER")
        where = service or connected()
        ids = drive(steps.enumerate_ids(where, cls._kind, text, limit))
        return drive(steps.read_all(where, cls._kind, ids, limit))

    @property
    def id(self) -> str:
        """The object's id."""
        return self._object.object_id

    @property
    def closed(self) -> bool:
        """Whether the handle was closed."""
        return self._object.closed

    def modify(self, request: DocumentLike, *, timeout: float | None = DEFAULT) -> None:
        """
        Change the object by any request there is.

        Args:
            request: A modify request: ``ResourceType``, ``RequestType``, ``Settings``.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotSupportedError: There is no such request, or the service is too old for
                what it asks.
            InvalidDataError: It is not valid; nothing changed.
        """
        self._modify(as_json(request), timeout)

    def _modify(self, document: str, timeout: float | None) -> None:
        limit = seconds(timeout, "SYSCALLWATCHER")
        drive(steps.modify(self._object, document, limit))

    def _change_policies(
        self, verb: str, policies: tuple[PolicyLike, ...], timeout: float | None
    ) -> None:
        self._modify(requests.policies(verb, policies), timeout)

    def _query(self, timeout: float | None) -> str:
        limit = seconds(timeout, "SYSCALLWATCHER")
        return drive(steps.query(self._object, limit))

    def delete(self, *, timeout: float | None = DEFAULT) -> None:
        """
        Delete the object, and close the handle.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotFoundError: It was deleted by somebody else.
        """
        handle = self._object
        limit = seconds(timeout, "SYSCALLWATCHER")
        handle.use(f"HcnDelete{self._kind}")
        drive(steps.delete(handle.service, self._kind, handle.object_id, limit))
        handle.close()

    def close(self) -> None:
        """Close the handle; the object stays. Idempotent."""
        self._object.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        return f"<{type(self).__name__} {self.id}{state}>"
