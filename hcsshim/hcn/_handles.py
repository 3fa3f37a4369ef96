"""Who owns the handle of a network object, and how it is closed."""

from __future__ import annotations

import os
from _thread import allocate_lock
from warnings import warn

from hcsshim.errors import HandleClosedError

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service

_lock = allocate_lock()  # guards the swap, never held across a call


class ObjectHandle:
    """
    The owner of one native handle of a network, endpoint, namespace and so on.

    The handle does not keep the object: somebody may delete it by its id.

    Args:
        service: Where it lives.
        handle: Its number.
        kind: ``"Network"``: what the names of calls about it end in.
        object_id: Id of the object.
    """

    __slots__ = (
        "__weakref__",
        "_handle",
        "kind",
        "object_id",
        "owner_pid",
        "service",
    )

    def __init__(
        self, service: Service, handle: int, kind: str, object_id: str
    ) -> None:
        self._handle = 0  # __del__ also runs when the next lines raise
        self.service = service
        self.kind = kind
        self.object_id = object_id
        self.owner_pid = os.getpid()
        self._handle = handle

    @property
    def closed(self) -> bool:
        """Whether the handle was closed."""
        return self._handle == 0

    def use(self, operation: str) -> int:
        """
        Give the number for a call.

        Args:
            operation: The call, for the error's text.

        Raises:
            HandleClosedError: It was closed.
        """
        handle = self._handle
        if handle == 0:
            raise HandleClosedError(
                operation=operation,
                system_id=self.object_id,
                message="The handle was closed.",
            )
        return handle

    def close(self) -> bool:
        """
        Close the handle, once; never waits, never fails.

        Returns:
            Whether this call did it, not an earlier or racing one.
        """
        with _lock:
            handle, self._handle = self._handle, 0
        if handle == 0:
            return False
        if self.owner_pid == os.getpid():  # after a fork it is the parent's
            self.service.send(f"HcnClose{self.kind}", handle)
        return True

    def __del__(self) -> None:
        if self.closed or self.owner_pid != os.getpid():
            return
        self.close()
        warn(
            f"unclosed {self.kind.lower()} {self.object_id!r}",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )
