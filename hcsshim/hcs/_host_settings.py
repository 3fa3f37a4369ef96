# Made by async_to_sync.py of hcsshim/hcs/_async_host_settings.py; do not edit.
"""Processors and credentials of the host; the blocking face."""

from __future__ import annotations

from hcsshim.errors import NotFoundError
from hcsshim.hcs._service import modify_service, service_properties
from hcsshim.hcs._timeouts import DEFAULT

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    from hcsshim._native.port import Service
    from hcsshim.documents import (
        ContainerCredentialGuardInstance,
        CpuGroupConfig,
        Document,
        ProcessorTopology,
    )

    D = TypeVar("D", bound=Document)

_CPU_GROUP = "CpuGroup"
_CREDENTIAL_GUARD = "ContainerCredentialGuard"


def processor_topology(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> ProcessorTopology:
    """
    Ask for the host's logical processors, and where each of them sits.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Source:
        ``HcsGetServiceProperties``, ``ProcessorTopology``.
    """
    from hcsshim.documents import ProcessorTopology  # noqa: PLC0415 - seldom

    return _ask(ProcessorTopology, "ProcessorTopology", timeout, service)


def cpu_groups(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> tuple[CpuGroupConfig, ...]:
    """
    List the groups of processors that virtual machines can be bound to.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotSupportedError: The host has no hypervisor.

    Source:
        ``HcsGetServiceProperties``, ``CpuGroup``.
    """
    from hcsshim.documents import CpuGroupConfigurations  # noqa: PLC0415 - seldom

    found = _ask(CpuGroupConfigurations, _CPU_GROUP, timeout, service)
    return found.cpu_groups


def create_cpu_group(
    group_id: str,
    processors: Sequence[int],
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Make a group of processors.

    Args:
        group_id: A GUID that no group has.
        processors: Numbers of its logical processors.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotSupportedError: The host has no hypervisor.

    Source:
        ``HcsModifyServiceSettings``, ``CpuGroup``.
    """
    from hcsshim.documents import CreateGroupOperation  # noqa: PLC0415 - seldom

    details = CreateGroupOperation(
        group_id=group_id,
        logical_processor_count=len(processors),
        logical_processors=tuple(processors),
    )
    _change(_CPU_GROUP, "CreateGroup", details, timeout, service)


def delete_cpu_group(
    group_id: str,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Delete a group of processors that no machine is bound to.

    Args:
        group_id: Its GUID.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotSupportedError: The host has no hypervisor.

    Source:
        ``HcsModifyServiceSettings``, ``CpuGroup``.
    """
    from hcsshim.documents import DeleteGroupOperation  # noqa: PLC0415 - seldom

    details = DeleteGroupOperation(group_id=group_id)
    _change(_CPU_GROUP, "DeleteGroup", details, timeout, service)


def credential_guards(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> tuple[ContainerCredentialGuardInstance, ...]:
    """
    List the guards that lend containers the credentials of a managed account.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotSupportedError: The host has no such service.

    Source:
        ``HcsGetServiceProperties``, ``ContainerCredentialGuard``.
    """
    from hcsshim.documents import (  # noqa: PLC0415 - seldom
        ContainerCredentialGuardSystemInfo,
    )

    kind = ContainerCredentialGuardSystemInfo
    return (_ask(kind, _CREDENTIAL_GUARD, timeout, service)).instances


def add_credential_guard(
    guard_id: str,
    credential_spec: str,
    *,
    transport: str = "LRPC",
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> ContainerCredentialGuardInstance:
    """
    Have a guard made for a container.

    Args:
        guard_id: Its id, usually that of the container.
        credential_spec: The specification, as JSON text; never logged or shown.
        transport: ``"LRPC"`` for process isolation, ``"HvSocket"`` for a machine.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Returns:
        The guard, whose state belongs into the container's document.

    Raises:
        NotFoundError: The host made it and does not list it.
        NotSupportedError: The host has no such service.

    Source:
        ``HcsModifyServiceSettings``, ``ContainerCredentialGuard``.
    """
    from hcsshim.documents import (  # noqa: PLC0415 - seldom
        ContainerCredentialGuardAddInstanceRequest,
    )

    details = ContainerCredentialGuardAddInstanceRequest(
        id=guard_id, credential_spec=credential_spec, transport=transport
    )
    _change(_CREDENTIAL_GUARD, "AddInstance", details, timeout, service)
    for instance in credential_guards(timeout=timeout, service=service):
        if (instance.id or "").casefold() == guard_id.casefold():
            return instance
    raise NotFoundError(
        operation="HcsGetServiceProperties",
        message=f"The host does not list the credential guard {guard_id!r}.",
    )


def remove_credential_guard(
    guard_id: str,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Have a guard removed.

    Args:
        guard_id: Its id.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotSupportedError: The host has no such service.

    Source:
        ``HcsModifyServiceSettings``, ``ContainerCredentialGuard``.
    """
    from hcsshim.documents import (  # noqa: PLC0415 - seldom
        ContainerCredentialGuardRemoveInstanceRequest,
    )

    details = ContainerCredentialGuardRemoveInstanceRequest(id=guard_id)
    _change(_CREDENTIAL_GUARD, "RemoveInstance", details, timeout, service)


def _ask(kind: type[D], name: str, timeout: float | None, service: Service | None) -> D:
    from hcsshim.documents import from_dict  # noqa: PLC0415 - seldom

    found = service_properties(name, timeout=timeout, service=service)
    raw = found.properties[0] if found.properties else {}
    return from_dict(kind, raw)  # type: ignore[arg-type]  # parsed, so it is JSON


def _change(
    name: str,
    verb: str,
    details: Document,
    timeout: float | None,
    service: Service | None,
) -> None:
    request = {
        "PropertyType": name,
        "Settings": {"Operation": verb, "OperationDetails": details},
    }
    modify_service(request, timeout=timeout, service=service)
