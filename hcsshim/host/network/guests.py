"""The rules of guest network services, and of the ports that they reserve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.host.network import notices
from hcsshim.host.network.members import Members
from hcsshim.host.network.model import GuestService, new_id
from hcsshim.host.network.refusals import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim.host.network.core import Core

_STATES = (
    *("Created", "Bootstrapping", "Synchronized", "Paused", "Desynchronized"),
    *("Rehydrating", "Degraded", "Destroyed"),
)
_TCP, _UDP = 6, 17
#: What clients call the protocols: 1 TCP, 2 UDP, 3 both.
_PROTOCOLS = {1: (_TCP,), 2: (_UDP,), 3: (_TCP, _UDP)}
_EXCLUSIVE, _SHARED = 1, 2
_DYNAMIC = range(49152, 65536)


@attrs.define(eq=False)
class Reservation:
    """
    Ports that a client keeps for itself until it lets go of the handle.

    Attributes:
        ports: Protocol and port of each.
        shared: Others may share them.
    """

    guests: Guests
    ports: tuple[tuple[int, int], ...]
    shared: bool

    def hold(self) -> None:
        """Do nothing: there is one handle of it."""

    def release(self) -> None:
        """Give the ports back."""
        self.guests.give_back(self)


class Guests:
    """
    Makes and deletes guest network services, and reserves ports for them.

    Args:
        core: The objects.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._reservations: list[Reservation] = []

    def create(self, text: str | None, guest_id: str) -> GuestService:
        """
        Make a guest network service.

        Raises:
            Refusal: The id is taken, or the document is no JSON.
        """
        fields = Members.parse_optional(text)
        found = guest_id or fields.guid("ID") or new_id()
        if found in self._core.guests:
            raise refuse(
                HResult.ERROR_OBJECT_ALREADY_EXISTS,
                f"There is a guest network service {found}.",
            )
        guest = GuestService(id=found, settings=fields.members())
        self._core.guests[found] = guest
        self._core.notices.send(notices.GUEST_SERVICE_CREATE, found)
        return guest

    def find(self, guest_id: str) -> GuestService:
        """
        Find a guest network service.

        Raises:
            Refusal: There is none of this id.
        """
        found = self._core.guests.get(guest_id)
        if found is None:
            raise refuse(
                HResult.ERROR_NOT_FOUND,
                f"There is no guest network service {guest_id}.",
            )
        return found

    def modify(self, guest_id: str, text: str | None) -> None:
        """
        Change the state of a guest network service.

        Raises:
            Refusal: It is no state.
        """
        guest = self.find(guest_id)
        fields = Members.parse(text)
        settings = fields.child("Settings")
        words = {state.lower(): state for state in _STATES}
        state = settings.choice("State", words, *_STATES)
        state = state or fields.choice("State", words, *_STATES)
        if state and state not in _STATES:
            fields.refuse("State")
        if state:
            self._core.guests[guest_id] = attrs.evolve(guest, state=state)
            self._core.notices.send(notices.GUEST_SERVICE_STATE, guest_id)

    def delete(self, guest_id: str) -> None:
        """
        Delete a guest network service.

        Raises:
            Refusal: There is none of this id.
        """
        self.find(guest_id)
        del self._core.guests[guest_id]
        self._core.notices.send(notices.GUEST_SERVICE_DELETE, guest_id)

    def reserve(self, protocol: int, access: int, port: int) -> Reservation:
        """
        Reserve one port.

        Raises:
            Refusal: It is reserved, or the numbers mean nothing.
        """
        if (
            protocol not in _PROTOCOLS
            or access not in (_EXCLUSIVE, _SHARED)
            or not port
        ):
            raise refuse(
                HResult.ERROR_INVALID_PARAMETER,
                f"No port {port} of protocol {protocol} with access {access}.",
            )
        wanted = tuple((number, port) for number in _PROTOCOLS[protocol])
        reservation = Reservation(self, wanted, access == _SHARED)
        if self._taken(reservation):
            raise refuse(HResult.HCN_E_PORT_ALREADY_EXISTS, f"Port {port} is reserved.")
        self._reservations.append(reservation)
        return reservation

    def reserve_range(self, count: int) -> tuple[Reservation, int]:
        """
        Reserve ports that follow each other.

        Returns:
            The reservation, and the first port; the last is ``count`` behind it.

        Raises:
            Refusal: There are not so many free ones.
        """
        if count <= 0:
            raise refuse(HResult.ERROR_INVALID_PARAMETER, "A range of no ports.")
        for first in range(_DYNAMIC.start, _DYNAMIC.stop - count):
            ports = tuple(
                (protocol, first + offset)
                for offset in range(count + 1)
                for protocol in (_TCP, _UDP)
            )
            reservation = Reservation(self, ports, shared=False)
            if not self._taken(reservation):
                self._reservations.append(reservation)
                return reservation, first
        raise refuse(
            HResult.HCN_E_PORT_ALREADY_EXISTS,
            f"There are no {count} free ports in a row.",
        )

    def _taken(self, wanted: Reservation) -> bool:
        ports = set(wanted.ports)
        return any(
            ports & set(other.ports) and not (other.shared and wanted.shared)
            for other in self._reservations
        ) or any(self._core.ports.holds((number, port, "")) for number, port in ports)

    def give_back(self, reservation: Reservation) -> None:
        """Free the ports of a reservation."""
        if reservation in self._reservations:
            self._reservations.remove(reservation)

    def entries(self) -> list[dict[str, int]]:
        """List what is reserved."""
        return [
            {"Protocol": protocol, "StartingPort": port, "EndingPort": port}
            for reservation in self._reservations
            for protocol, port in reservation.ports
        ]
