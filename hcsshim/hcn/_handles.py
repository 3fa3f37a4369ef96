"""Who owns the handle of a network object."""

from __future__ import annotations

from hcsshim.hcs._handles import Owner

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service


class ObjectHandle(Owner):
    """
    The owner of one native handle of a network, endpoint, namespace and so on.

    The handle does not keep the object: somebody may delete it by its id.

    Args:
        service: Where it lives.
        handle: Its number.
        kind: ``"Network"``: what the names of calls about it end in.
        object_id: Id of the object.
    """

    __slots__ = ("kind",)

    def __init__(
        self, service: Service, handle: int, kind: str, object_id: str
    ) -> None:
        self.kind = kind
        super().__init__(service, handle, object_id)

    @property
    def object_id(self) -> str:
        """Id of the object."""
        return self.system_id

    def closing_call(self) -> str:
        """Name the call that closes such a handle."""
        return f"HcnClose{self.kind}"

    def describe(self) -> str:
        """Say in a few words whose handle it is."""
        return f"{self.kind.lower()} {self.object_id!r}"
