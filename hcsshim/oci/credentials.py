"""Group-managed accounts: instances of the credential guard for containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim.documents import (
    ContainerCredentialGuardAddInstanceRequest,
    ContainerCredentialGuardInstance,
    ContainerCredentialGuardModifyOperation,
    ContainerCredentialGuardOperationRequest,
    ContainerCredentialGuardRemoveInstanceRequest,
    ContainerCredentialGuardSystemInfo,
    ContainerCredentialGuardTransport,
    ModificationRequest,
    from_dict,
)
from hcsshim.errors import NotFoundError
from hcsshim.hcs._service import modify_service, service_properties
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim._native.port import Service
    from hcsshim.documents import Document

_PROPERTY = "ContainerCredentialGuard"


def add_credential_guard(
    container_id: str,
    credential_spec: str,
    *,
    hosted: bool = False,
    service: Service | None = None,
) -> ContainerCredentialGuardInstance:
    """
    Let a container use a group-managed account.

    Args:
        container_id: Its id, which is the instance's, too.
        credential_spec: JSON as text.
        hosted: Whether it runs in a utility VM.
        service: Where; by default the process's shared connection.

    Returns:
        What its document says of it (``credential_guard``), and for a VM the
        Hyper-V socket service that it is reached by.

    Raises:
        NotSupportedError: This service has no credential guard.
        NotFoundError: The service took the request and does not know the instance.
    """
    transport = ContainerCredentialGuardTransport
    _modify(
        ContainerCredentialGuardModifyOperation.ADD_INSTANCE,
        ContainerCredentialGuardAddInstanceRequest(
            id=container_id,
            credential_spec=credential_spec,
            transport=transport.HV_SOCKET if hosted else transport.LRPC,
        ),
        service,
    )
    for raw in service_properties(_PROPERTY, service=service).properties:
        info = from_dict(ContainerCredentialGuardSystemInfo, raw)  # type: ignore[arg-type]  # what is no object is refused there
        for instance in info.instances:
            if instance.id == container_id:
                return instance
    raise NotFoundError(
        HResult.ERROR_NOT_FOUND,
        "HcsGetServiceProperties",
        message=f"The service has no credential guard for {container_id!r}.",
    )


def remove_credential_guard(
    container_id: str, *, service: Service | None = None
) -> None:
    """Take the account away from a container."""
    _modify(
        ContainerCredentialGuardModifyOperation.REMOVE_INSTANCE,
        ContainerCredentialGuardRemoveInstanceRequest(id=container_id),
        service,
    )


def _modify(
    operation: ContainerCredentialGuardModifyOperation,
    details: Document,
    service: Service | None,
) -> None:
    request = ContainerCredentialGuardOperationRequest(
        operation=operation, operation_details=details
    )
    modify_service(
        ModificationRequest(property_type=_PROPERTY, settings=request), service=service
    )
