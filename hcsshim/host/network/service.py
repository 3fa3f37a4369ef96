"""The networking service of a host: its objects, and what carries out calls on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim.host.datapath import open_datapath
from hcsshim.host.network.adapters import MachineAdapters
from hcsshim.host.network.balancers import Balancers
from hcsshim.host.network.compartments import Compartments
from hcsshim.host.network.core import Core
from hcsshim.host.network.endpoints import Endpoints
from hcsshim.host.network.guests import Guests
from hcsshim.host.network.networks import Networks
from hcsshim.host.network.spaces import Namespaces, host_target
from hcsshim.host.network.store import Store
from hcsshim.host.network.store_path import store_path
from hcsshim.host.results import Refusal

if TYPE_CHECKING:
    from hcsshim.host.datapath import Datapath
    from hcsshim.host.network.adapters import Adapters
    from hcsshim.host.network.compartments import Lookup


class NetworkService:
    """
    All that the host knows of networks.

    Args:
        store: What outlives the host.
        datapath: What carries packets.
        adapters: Of the machine.
        lookup: Finds the running compute system of an id.

    Attributes:
        management_macs: v1's list of these.
    """

    def __init__(
        self, store: Store, datapath: Datapath, adapters: Adapters, lookup: Lookup
    ) -> None:
        self.core = Core(store, datapath, adapters)
        self.endpoints = Endpoints(self.core)
        self.networks = Networks(self.core, self.endpoints)
        self.namespaces = Namespaces(self.core, self.endpoints)
        self.balancers = Balancers(self.core)
        self.guests = Guests(self.core)
        self.compartments = Compartments(
            self.core, self.endpoints, self.namespaces, lookup
        )
        self.management_macs: list[str] = []
        self.core.load()
        self.namespaces.ensure_default()
        self._replug()

    @property
    def busy(self) -> bool:
        """Whether this machine itself uses an endpoint, which ends with the host."""
        return any(
            endpoint.systems and not endpoint.health.error
            for endpoint in self.core.endpoints.values()
        )

    def _replug(self) -> None:
        """Give this machine the endpoints of its own namespace again."""
        for space in tuple(self.core.namespaces.values()):
            if space.type != "HostDefault":
                continue
            for found in space.endpoints:
                endpoint = self.core.endpoints[found]
                try:
                    self.endpoints.attach(found, host_target(endpoint, space.id))
                except Refusal as refusal:
                    self.endpoints.degrade(endpoint, refusal)

    def close(self) -> None:
        """End the service: the host ends."""
        self.core.close()


def open_service(socket_path: str, lookup: Lookup) -> NetworkService:
    """
    Make the networking service of a host.

    Args:
        socket_path: Of the host's socket.
        lookup: Finds the running compute system of an id.
    """
    path = store_path(socket_path)
    return NetworkService(Store(path), open_datapath(), MachineAdapters(), lookup)
