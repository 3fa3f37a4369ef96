"""
Calls about what only a hypervisor has, or only Windows: checked, then refused.

What is wrong with the call itself is told first, as Windows would; only a call that
would have succeeded there is refused for what this machine has not.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

from hcsshim.host.fields import Fields
from hcsshim.host.played import version
from hcsshim.host.results import refuse, refuse_errno
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim.host.serving.session import Call

#: Settings of the service that HCS knows, and why there are none here.
_SETTINGS = {
    "cpugroup": HResult.HCS_E_HYPERV_NOT_INSTALLED,
    "containercredentialguard": HResult.ERROR_NOT_SUPPORTED,
    "memory": HResult.ERROR_NOT_SUPPORTED,
}
_FIRST_WITH_GROUP_ACCESS = 19041


def _no_hypervisor() -> NoReturn:
    raise refuse(
        HResult.HCS_E_HYPERV_NOT_INSTALLED,
        "The embedded host has no virtual machines.",
    )


def of_virtual_machines(call: Call) -> None:
    """
    HcsCrashComputeSystem and live migration: a container has neither.

    Raises:
        Refusal: Always.
    """
    system = call.system()
    Fields.parse_optional(call.text(1))
    system.require_properties()
    raise refuse(
        HResult.HCS_E_SYSTEM_NOT_CONFIGURED_FOR_OPERATION,
        f"'{system.id}' is a container; {call.row.name} is for virtual machines.",
    )


def make_file(call: Call) -> None:
    """
    HcsCreateEmptyGuestStateFile and its sister: the formats are the hypervisor's.

    Raises:
        Refusal: Always.
    """
    path = _path(call, 0)
    if not os.path.isdir(os.path.dirname(path)):
        raise refuse(
            HResult.ERROR_PATH_NOT_FOUND, f"There is no folder to make '{path}' in."
        )
    _no_hypervisor()


def change_access(call: Call) -> None:
    """
    HcsGrantVmAccess, HcsRevokeVmAccess, those of groups, and saved states.

    Raises:
        Refusal: Always.
    """
    group = call.row.name.endswith("GroupAccess")
    if group and version().build < _FIRST_WITH_GROUP_ACCESS:
        raise refuse(HResult.ERROR_PROC_NOT_FOUND)
    named = call.row.name.endswith("VmAccess")
    if named and not call.text(0):
        raise refuse(
            HResult.ERROR_INVALID_PARAMETER, "The call names no virtual machine."
        )
    path = _path(call, 1 if named else 0)
    try:
        os.stat(path)
    except OSError as error:
        number = error.errno or 0
        raise refuse_errno(number, f"'{path}' cannot be used") from None
    _no_hypervisor()


def _path(call: Call, index: int) -> str:
    path = call.text(index)
    if not path or "\0" in path:
        raise refuse(HResult.ERROR_INVALID_PARAMETER, "The call names no file.")
    return path


def modify_service_settings(call: Call) -> None:
    """
    HcsModifyServiceSettings: none of the settings is of this host.

    Raises:
        Refusal: Always.
    """
    request = Fields.parse(call.text(0))
    request.only(("PropertyType", "Settings"))
    kind = request.text("PropertyType")
    code = _SETTINGS.get(kind.lower())
    if code is None:
        request.refuse(
            "PropertyType", "Invalid value for field" if kind else "Missing field"
        )
    raise refuse(code, f"The embedded host has no setting '{kind}'.")


def submit_report(call: Call) -> None:
    """
    HcsSubmitWerReport: nobody here collects reports.

    Raises:
        Refusal: Always.
    """
    Fields.parse(call.text(0))
    raise refuse(
        HResult.ERROR_NOT_SUPPORTED,
        "The embedded host knows no Windows Error Reporting.",
    )
