# Made by async_to_sync.py of hcsshim/hcs/_async_files.py; do not edit.
"""Files of virtual machines, and who may use them; the blocking face."""

from __future__ import annotations

import os

from hcsshim.hcs import _system_steps as steps
from hcsshim.hcs._calls import answer, as_json
from hcsshim.hcs._connection import connected
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Completion, Service
    from hcsshim.hcs._calls import DocumentLike


def grant_vm_access(
    vm_id: str,
    path: str | os.PathLike[str],
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Let a virtual machine use a file: its disk, its ISO image.

    Args:
        vm_id: Id of its compute system.
        path: The file.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no such file.
        NotSupportedError: The host has no virtual machines.

    Source:
        ``HcsGrantVmAccess``.
    """
    _call(service, timeout, "HcsGrantVmAccess", vm_id, os.fspath(path))


def revoke_vm_access(
    vm_id: str,
    path: str | os.PathLike[str],
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Take back what :func:`grant_vm_access` gave.

    Args:
        vm_id: Id of its compute system.
        path: The file.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no such file.
        NotSupportedError: The host has no virtual machines.

    Source:
        ``HcsRevokeVmAccess``.
    """
    _call(service, timeout, "HcsRevokeVmAccess", vm_id, os.fspath(path))


def grant_vm_group_access(
    path: str | os.PathLike[str],
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Let every virtual machine use a file.

    Args:
        path: The file.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no such file.
        NotSupportedError: The host has no virtual machines, or is older than 19041.

    Source:
        ``HcsGrantVmGroupAccess``.
    """
    _call(service, timeout, "HcsGrantVmGroupAccess", os.fspath(path))


def revoke_vm_group_access(
    path: str | os.PathLike[str],
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Take back what :func:`grant_vm_group_access` gave.

    Args:
        path: The file.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotFoundError: There is no such file.
        NotSupportedError: The host has no virtual machines, or is older than 19041.

    Source:
        ``HcsRevokeVmGroupAccess``.
    """
    _call(service, timeout, "HcsRevokeVmGroupAccess", os.fspath(path))


def create_guest_state_file(
    path: str | os.PathLike[str],
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Make an empty file for the state of a virtual machine's firmware (``.vmgs``).

    Args:
        path: The file to be made.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotSupportedError: The host has no virtual machines.

    Source:
        ``HcsCreateEmptyGuestStateFile``.
    """
    _call(service, timeout, "HcsCreateEmptyGuestStateFile", os.fspath(path))


def create_runtime_state_file(
    path: str | os.PathLike[str],
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Make an empty file for the saved state of a virtual machine (``.vmrs``).

    Args:
        path: The file to be made.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotSupportedError: The host has no virtual machines.

    Source:
        ``HcsCreateEmptyRuntimeStateFile``.
    """
    _call(service, timeout, "HcsCreateEmptyRuntimeStateFile", os.fspath(path))


def submit_crash_report(
    report: DocumentLike,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Hand the report of a guest's crash to Windows Error Reporting.

    Args:
        report: ``CrashReport``, as an event brought it.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotSupportedError: The host has no such service.

    Source:
        ``HcsSubmitWerReport``.
    """
    _call(service, timeout, "HcsSubmitWerReport", as_json(report))


def processor_compatibility(
    path: str | os.PathLike[str],
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> str:
    """
    Ask which processor features the saved state of a virtual machine needs.

    Args:
        path: Its file (``.vmrs``).
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Returns:
        The features, as the host writes them down.

    Raises:
        NotFoundError: There is no such file.
        NotSupportedError: The host has no virtual machines.

    Source:
        ``HcsGetProcessorCompatibilityFromSavedState``.
    """
    operation = "HcsGetProcessorCompatibilityFromSavedState"
    completion = _call(service, timeout, operation, os.fspath(path))
    return steps.require_document(completion, operation)


def _call(
    service: Service | None, timeout: float | None, operation: str, *arguments: str
) -> Completion:
    call = (service or connected()).submit(operation, *arguments)
    limit = seconds(timeout, "SYSCALLWATCHER")
    return drive(answer(call, operation, "", limit))
