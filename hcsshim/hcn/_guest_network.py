# Made by async_to_sync.py of hcsshim/hcn/_async_guest_network.py; do not edit.
"""
The network of a utility VM, blocking.

A namespace of the host and its endpoints become adapters of the VM, and what the guest
knows of them. Each adapter has two halves, the device that the host adds and the
interface that the guest makes of it, and either may fail alone:

==============  ==========================================  ==========================
Guest           Adding                                      Removing
==============  ==========================================  ==========================
Windows         guest ``PreAdd``, host ``Add``, guest       guest, then host
                ``Add``; before the first the namespace
Linux           host ``Add``, guest ``Add``                 guest, then host
Linux, without  host ``Add``                                host
namespaces
==============  ==========================================  ==========================

An adapter is kept account of once the host has added it, so that taking down finds
every device. A guest that cannot be reached has lost its half already, and a VM that is
gone both: neither holds taking down up.
"""

from __future__ import annotations

import logging

from hcsshim.errors import (
    AlreadyStoppedError,
    HandleClosedError,
    InvalidDataError,
    InvalidStateError,
    NotFoundError,
)
from hcsshim.hcn import _guest_requests as requests
from hcsshim.hcn import _persisted as persisted
from hcsshim.hcn._endpoint import Endpoint
from hcsshim.hcn._guest_requests import (
    GuestAdapter,
    GuestNetworkState,
    GuestOS,
    SavedNetwork,
)
from hcsshim.hcn._namespace import Namespace
from hcsshim.hcs._timeouts import DEFAULT
from hcsshim.hresult import HResult

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from hcsshim._native.port import Service
    from hcsshim.documents.hcn import HostComputeEndpoint
    from hcsshim.hcs._calls import DocumentLike

    class Modifiable(Protocol):
        """What takes requests to modify a VM, or its guest: a compute system."""

        def modify(
            self, request: DocumentLike, *, timeout: float | None = DEFAULT
        ) -> None:
            """Make a change."""


_log = logging.getLogger(__name__)

#: A device of a VM that is gone is gone with it.
_VM_GONE = (NotFoundError, AlreadyStoppedError, InvalidStateError, HandleClosedError)
#: What HCS answers for the guest of a VM that is gone.
_GUEST_GONE = frozenset(
    (
        HResult.HCS_E_SYSTEM_NOT_FOUND,
        HResult.HCS_E_SYSTEM_ALREADY_STOPPED,
        HResult.HCS_E_INVALID_STATE,
        HResult.ERROR_INVALID_HANDLE,
    )
)
_MIGRATING = (
    GuestNetworkState.SOURCE_MIGRATING,
    GuestNetworkState.DESTINATION_MIGRATING,
)


class GuestNetwork:
    """
    The network of a pod in a utility VM: a namespace and its endpoints, in the guest.

    Set it :meth:`up <setup>` once, and take it :meth:`down <teardown>`; for a live
    migration :meth:`save` it on one host, :meth:`load` and :meth:`resume` it on the
    other. It is for one thread at a time.

    Args:
        system: The VM's compute system.
        namespace_id: Of the namespace that the guest gets.
        guest_os: What runs in the VM.
        namespaces: Whether the guest takes namespaces: its
            ``NamespaceAddRequestSupported``.
        policy_based_routing: Whether a Linux guest routes by policy.
        guest: Who takes requests to the guest, ``{"GuestRequest": {...}}``; by default
            the compute system, through whose connection HCS hands them on.
        service: Where the namespace is; by default the process's shared connection.
    """

    def __init__(  # noqa: PLR0913 - what a guest can differ in
        self,
        system: Modifiable | None,
        namespace_id: str,
        *,
        guest_os: GuestOS | str = GuestOS.LINUX,
        namespaces: bool = True,
        policy_based_routing: bool = False,
        guest: Modifiable | None = None,
        service: Service | None = None,
    ) -> None:
        self._system = system
        self._guest = guest
        self._namespace_id = namespace_id
        self._guest_os = GuestOS(guest_os)
        self._namespaces = namespaces
        self._policy_based_routing = policy_based_routing
        self._service = service
        self._state = GuestNetworkState.NOT_CONFIGURED
        self._adapters: dict[str, GuestAdapter] = {}
        self._patched_id = ""

    @property
    def state(self) -> GuestNetworkState:
        """How far it is."""
        return self._state

    @property
    def namespace_id(self) -> str:
        """Id of the namespace that the guest knows."""
        return self._namespace_id

    @property
    def adapters(self) -> Mapping[str, GuestAdapter]:
        """What was added to the VM, by the ids of its adapters."""
        return dict(self._adapters)

    def setup(self, *, timeout: float | None = DEFAULT) -> None:
        """
        Give the guest the namespace and all its endpoints.

        Those whose names end in ``eth0`` come first, so that they are the guest's
        first. After a failure only :meth:`teardown` is left.

        Args:
            timeout: Seconds for each call, ``None`` forever; by default 240.

        Raises:
            InvalidDataError: It has no id of a namespace.
            InvalidStateError: It was set up before.
            NotFoundError: There is no such namespace.
        """
        self._require("setup", GuestNetworkState.NOT_CONFIGURED)
        self._state = GuestNetworkState.INVALID  # until all of it is done
        if not self._namespace_id:
            raise InvalidDataError(
                operation="GuestNetwork.setup",
                message="The id of the network namespace must not be empty.",
            )
        endpoints = self._endpoints(self._namespace_id, timeout)
        if self._on_windows and self._namespaces:
            self._change_namespace("Add", timeout)
        for endpoint in endpoints:
            space = endpoint.host_compute_namespace or self._namespace_id
            self._add(endpoint, space, timeout)
        self._state = GuestNetworkState.CONFIGURED

    def teardown(self, *, timeout: float | None = DEFAULT) -> None:
        """
        Take all adapters and the namespace from the guest, and from the VM.

        What fails is left out, the others are taken nevertheless; then it can be
        tried again. Nothing happens before :meth:`setup`, nor the second time. In a
        migration the adapters are not this VM's: they are only forgotten.

        Args:
            timeout: Seconds for each call, ``None`` forever; by default 240.

        Raises:
            HcsError: The first failure; the others are logged.
        """
        state = self._state
        if state in (GuestNetworkState.NOT_CONFIGURED, GuestNetworkState.TORN_DOWN):
            return
        if state in _MIGRATING:
            self._adapters.clear()
            self._state = GuestNetworkState.TORN_DOWN
            return
        self._state = GuestNetworkState.INVALID  # until all of it is done
        failure: OSError | None = None
        for adapter_id in tuple(self._adapters):
            failed = self._try_remove(adapter_id, timeout)
            failure = failure or failed
        if failure is not None:
            raise failure
        if self._on_windows and self._namespaces:
            try:
                self._change_namespace("Remove", timeout)
            except OSError as error:
                if not self._is_gone(error):
                    raise
        self._state = GuestNetworkState.TORN_DOWN

    def save(self) -> str:
        """
        Write the state for another host, and freeze it until the migration ends.

        It can be saved again while it is frozen.

        Returns:
            JSON text for :meth:`load`.

        Raises:
            InvalidStateError: It is not set up.
        """
        self._require(
            "save", GuestNetworkState.CONFIGURED, GuestNetworkState.SOURCE_MIGRATING
        )
        saved = SavedNetwork(
            namespace_id=self._namespace_id,
            guest_os=self._guest_os,
            namespaces=self._namespaces,
            policy_based_routing=self._policy_based_routing,
            adapters=self._adapters,
        ).dumps()
        self._state = GuestNetworkState.SOURCE_MIGRATING
        return saved

    @classmethod
    def load(cls, saved: str, *, service: Service | None = None) -> GuestNetwork:
        """
        Make a network of what another host saved; it waits for :meth:`resume`.

        Args:
            saved: From :meth:`save`.
            service: Where namespaces are; by default the process's shared connection.

        Raises:
            InvalidDataError: It is something else, or of another version.
        """
        found = SavedNetwork.loads(saved)
        network = cls(
            None,
            found.namespace_id,
            guest_os=found.guest_os,
            namespaces=found.namespaces,
            policy_based_routing=found.policy_based_routing,
            service=service,
        )
        network._adapters = dict(found.adapters)
        network._state = GuestNetworkState.DESTINATION_MIGRATING
        return network

    def patch(self, namespace_id: str) -> None:
        """
        Say which namespace of this host takes the place of the one that was saved.

        Args:
            namespace_id: Of a namespace here; the guest keeps the id that it knows.

        Raises:
            InvalidStateError: It was not loaded, or is resumed already.
        """
        self._require("patch", GuestNetworkState.DESTINATION_MIGRATING)
        self._patched_id = namespace_id

    def resume(self, system: Modifiable, *, guest: Modifiable | None = None) -> None:
        """
        Go on after a migration, here or, where it failed, on the host it came from.

        Nothing is asked or changed. Resuming twice does nothing.

        Args:
            system: The VM's compute system.
            guest: Who takes requests to the guest; by default the compute system.

        Raises:
            InvalidStateError: It is not in a migration.
        """
        if self._state is GuestNetworkState.CONFIGURED:
            return
        self._require("resume", *_MIGRATING)
        self._system, self._guest = system, guest
        self._state = GuestNetworkState.CONFIGURED

    def reset_after_migration(self, *, timeout: float | None = DEFAULT) -> None:
        """
        Put the endpoints of the namespace of :meth:`patch` in the place of the old.

        It does nothing where nothing was patched, and the second time.

        Args:
            timeout: Seconds for each call, ``None`` forever; by default 240.

        Raises:
            InvalidStateError: It was not resumed.
            NotFoundError: There is no such namespace.
        """
        if not self._patched_id:
            return
        self._require("reset_after_migration", GuestNetworkState.CONFIGURED)
        for adapter_id in tuple(self._adapters):
            self._remove(adapter_id, timeout)
        for endpoint in self._endpoints(self._patched_id, timeout):
            self._add(endpoint, self._namespace_id, timeout)
        self._patched_id = ""

    @property
    def _on_windows(self) -> bool:
        return self._guest_os is GuestOS.WINDOWS

    def _require(self, verb: str, *states: GuestNetworkState) -> None:
        if self._state not in states:
            wanted = " or ".join(state.value for state in states)
            raise InvalidStateError(
                operation=f"GuestNetwork.{verb}",
                system_id=self._namespace_id,
                message=f"The network is in state {self._state.value}, not {wanted}.",
            )

    def _endpoints(
        self, namespace_id: str, timeout: float | None
    ) -> list[HostComputeEndpoint]:
        where = self._service
        with Namespace.open(namespace_id, timeout=timeout, service=where) as namespace:
            ids = namespace.endpoint_ids(timeout=timeout)
        found = {}
        for endpoint_id in ids:
            found[endpoint_id] = Endpoint.get(
                endpoint_id, timeout=timeout, service=where
            )
        names = tuple((known, item.name or "") for known, item in found.items())
        return [found[known] for known in persisted.in_order(names)]

    def _add(
        self, endpoint: HostComputeEndpoint, space: str, timeout: float | None
    ) -> None:
        from uuid import uuid4  # noqa: PLC0415 - seldom loaded

        adapter_id = str(uuid4())
        adapter = GuestAdapter(
            endpoint_id=endpoint.id or "",
            mac_address=endpoint.mac_address or "",
            name=endpoint.name or "",
        )
        if self._on_windows:
            told: object = requests.windows_adapter(adapter_id, "Add")
            before = requests.windows_adapter(adapter_id, "PreAdd", endpoint)
            self._tell("Add", "Network", before, timeout)
        else:
            told = requests.linux_adapter(
                adapter_id,
                space,
                endpoint,
                policy_based_routing=self._policy_based_routing,
            )
        self._change_device("Add", adapter_id, adapter, timeout)
        self._adapters[adapter_id] = adapter
        if self._on_windows or self._namespaces:
            self._tell("Add", "Network", told, timeout)

    def _try_remove(self, adapter_id: str, timeout: float | None) -> OSError | None:
        try:
            self._remove(adapter_id, timeout)
        except OSError as error:
            _log.warning("adapter %s was not removed: %s", adapter_id, error)
            return error
        return None

    def _remove(self, adapter_id: str, timeout: float | None) -> None:
        if self._on_windows or self._namespaces:
            told = (
                requests.windows_adapter(adapter_id, "Remove")
                if self._on_windows
                else {"NamespaceID": self._namespace_id, "ID": adapter_id}
            )
            try:
                self._tell("Remove", "Network", told, timeout)
            except OSError as error:
                if not self._is_gone(error):
                    raise
        try:
            self._change_device(
                "Remove", adapter_id, self._adapters[adapter_id], timeout
            )
        except _VM_GONE as error:
            _log.debug("adapter %s went with its machine: %s", adapter_id, error)
        del self._adapters[adapter_id]

    def _change_namespace(self, verb: str, timeout: float | None) -> None:
        known: object = {"ID": self._namespace_id}
        try:
            known = Namespace.get(
                self._namespace_id, timeout=timeout, service=self._service
            )
        except NotFoundError:
            if verb == "Add":
                raise
        self._tell(verb, "NetworkNamespace", known, timeout)

    def _change_device(
        self,
        verb: str,
        adapter_id: str,
        adapter: GuestAdapter,
        timeout: float | None,
    ) -> None:
        self._bound(self._system).modify(
            {
                "ResourcePath": f"VirtualMachine/Devices/NetworkAdapters/{adapter_id}",
                "RequestType": verb,
                "Settings": adapter.settings,
            },
            timeout=timeout,
        )

    def _tell(
        self, verb: str, resource: str, settings: object, timeout: float | None
    ) -> None:
        guest = self._bound(self._guest or self._system)
        request = requests.guest_request(verb, resource, settings)
        guest.modify(request, timeout=timeout)

    def _bound(self, part: Modifiable | None) -> Modifiable:
        if part is None:
            raise InvalidStateError(
                operation="GuestNetwork",
                system_id=self._namespace_id,
                message="The network is bound to no machine.",
            )
        return part

    def _is_gone(self, error: OSError) -> bool:
        """Tell whether a guest could not be told because it is not there any more."""
        if isinstance(error, ConnectionError):
            return True
        through_hcs = self._guest is None
        return through_hcs and getattr(error, "hresult", 0) in _GUEST_GONE
