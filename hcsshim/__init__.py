"""
Launch and manage Windows containers through the Host Compute Service.

The public names are flat and listed in ``__all__``; each is loaded when it is first
used, so importing the package costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim import documents as documents
    from hcsshim import hcn as hcn
    from hcsshim import hns as hns
    from hcsshim.builds import Build as Build
    from hcsshim.builds import Feature as Feature
    from hcsshim.builds import OSVersion as OSVersion
    from hcsshim.errors import AccessDeniedError as AccessDeniedError
    from hcsshim.errors import AlreadyExistsError as AlreadyExistsError
    from hcsshim.errors import AlreadyStoppedError as AlreadyStoppedError
    from hcsshim.errors import BusyError as BusyError
    from hcsshim.errors import ConnectionClosedError as ConnectionClosedError
    from hcsshim.errors import ConnectionFailedError as ConnectionFailedError
    from hcsshim.errors import HandleClosedError as HandleClosedError
    from hcsshim.errors import HcsError as HcsError
    from hcsshim.errors import HcsTimeoutError as HcsTimeoutError
    from hcsshim.errors import InUseError as InUseError
    from hcsshim.errors import InvalidDataError as InvalidDataError
    from hcsshim.errors import InvalidStateError as InvalidStateError
    from hcsshim.errors import NotFoundError as NotFoundError
    from hcsshim.errors import NotSupportedError as NotSupportedError
    from hcsshim.errors import OperationCancelledError as OperationCancelledError
    from hcsshim.errors import OutOfMemoryError as OutOfMemoryError
    from hcsshim.errors import OutOfSpaceError as OutOfSpaceError
    from hcsshim.errors import ProcessFailedError as ProcessFailedError
    from hcsshim.errors import ProcessGoneError as ProcessGoneError
    from hcsshim.errors import ProtocolError as ProtocolError
    from hcsshim.errors import ServiceDisconnectedError as ServiceDisconnectedError
    from hcsshim.errors import TerminatedError as TerminatedError
    from hcsshim.errors import UnexpectedExitError as UnexpectedExitError
    from hcsshim.hcs._async_capabilities import async_capabilities as async_capabilities
    from hcsshim.hcs._async_events import AsyncEventStream as AsyncEventStream
    from hcsshim.hcs._async_files import (
        async_create_guest_state_file as async_create_guest_state_file,
    )
    from hcsshim.hcs._async_files import (
        async_create_runtime_state_file as async_create_runtime_state_file,
    )
    from hcsshim.hcs._async_files import async_grant_vm_access as async_grant_vm_access
    from hcsshim.hcs._async_files import (
        async_grant_vm_group_access as async_grant_vm_group_access,
    )
    from hcsshim.hcs._async_files import (
        async_processor_compatibility as async_processor_compatibility,
    )
    from hcsshim.hcs._async_files import (
        async_revoke_vm_access as async_revoke_vm_access,
    )
    from hcsshim.hcs._async_files import (
        async_revoke_vm_group_access as async_revoke_vm_group_access,
    )
    from hcsshim.hcs._async_files import (
        async_submit_crash_report as async_submit_crash_report,
    )
    from hcsshim.hcs._async_host_settings import (
        async_add_credential_guard as async_add_credential_guard,
    )
    from hcsshim.hcs._async_host_settings import async_cpu_groups as async_cpu_groups
    from hcsshim.hcs._async_host_settings import (
        async_create_cpu_group as async_create_cpu_group,
    )
    from hcsshim.hcs._async_host_settings import (
        async_credential_guards as async_credential_guards,
    )
    from hcsshim.hcs._async_host_settings import (
        async_delete_cpu_group as async_delete_cpu_group,
    )
    from hcsshim.hcs._async_host_settings import (
        async_processor_topology as async_processor_topology,
    )
    from hcsshim.hcs._async_host_settings import (
        async_remove_credential_guard as async_remove_credential_guard,
    )
    from hcsshim.hcs._async_operation import AsyncOperation as AsyncOperation
    from hcsshim.hcs._async_process import AsyncProcess as AsyncProcess
    from hcsshim.hcs._async_run import async_run as async_run
    from hcsshim.hcs._async_service import (
        async_enumerate_systems as async_enumerate_systems,
    )
    from hcsshim.hcs._async_service import async_modify_service as async_modify_service
    from hcsshim.hcs._async_service import (
        async_service_properties as async_service_properties,
    )
    from hcsshim.hcs._async_service import async_stats_all as async_stats_all
    from hcsshim.hcs._async_system import AsyncComputeSystem as AsyncComputeSystem
    from hcsshim.hcs._capabilities import capabilities as capabilities
    from hcsshim.hcs._completed import CompletedProcess as CompletedProcess
    from hcsshim.hcs._container import ContainerConfig as ContainerConfig
    from hcsshim.hcs._container import container_document as container_document
    from hcsshim.hcs._event_stream import EventStream as EventStream
    from hcsshim.hcs._events import EventOptions as EventOptions
    from hcsshim.hcs._events import EventType as EventType
    from hcsshim.hcs._events import SystemEvent as SystemEvent
    from hcsshim.hcs._files import create_guest_state_file as create_guest_state_file
    from hcsshim.hcs._files import (
        create_runtime_state_file as create_runtime_state_file,
    )
    from hcsshim.hcs._files import grant_vm_access as grant_vm_access
    from hcsshim.hcs._files import grant_vm_group_access as grant_vm_group_access
    from hcsshim.hcs._files import processor_compatibility as processor_compatibility
    from hcsshim.hcs._files import revoke_vm_access as revoke_vm_access
    from hcsshim.hcs._files import revoke_vm_group_access as revoke_vm_group_access
    from hcsshim.hcs._files import submit_crash_report as submit_crash_report
    from hcsshim.hcs._host_settings import add_credential_guard as add_credential_guard
    from hcsshim.hcs._host_settings import cpu_groups as cpu_groups
    from hcsshim.hcs._host_settings import create_cpu_group as create_cpu_group
    from hcsshim.hcs._host_settings import credential_guards as credential_guards
    from hcsshim.hcs._host_settings import delete_cpu_group as delete_cpu_group
    from hcsshim.hcs._host_settings import processor_topology as processor_topology
    from hcsshim.hcs._host_settings import (
        remove_credential_guard as remove_credential_guard,
    )
    from hcsshim.hcs._known_host import Capabilities as Capabilities
    from hcsshim.hcs._operation import Operation as Operation
    from hcsshim.hcs._process import Process as Process
    from hcsshim.hcs._run import run as run
    from hcsshim.hcs._schema import choose_schema as choose_schema
    from hcsshim.hcs._schema import schema_version as schema_version
    from hcsshim.hcs._service import enumerate_systems as enumerate_systems
    from hcsshim.hcs._service import modify_service as modify_service
    from hcsshim.hcs._service import service_properties as service_properties
    from hcsshim.hcs._service import stats_all as stats_all
    from hcsshim.hcs._stats import StatsRates as StatsRates
    from hcsshim.hcs._stats import SystemStats as SystemStats
    from hcsshim.hcs._system import ComputeSystem as ComputeSystem
    from hcsshim.hresult import HResult as HResult

#: Where each public name lives.
_HOMES = {
    "errors": (
        "AccessDeniedError",
        "AlreadyExistsError",
        "AlreadyStoppedError",
        "BusyError",
        "ConnectionClosedError",
        "ConnectionFailedError",
        "HandleClosedError",
        "HcsError",
        "HcsTimeoutError",
        "InUseError",
        "InvalidDataError",
        "InvalidStateError",
        "NotFoundError",
        "NotSupportedError",
        "OperationCancelledError",
        "OutOfMemoryError",
        "OutOfSpaceError",
        "ProcessFailedError",
        "ProcessGoneError",
        "ProtocolError",
        "ServiceDisconnectedError",
        "TerminatedError",
        "UnexpectedExitError",
    ),
    "builds": ("Build", "Feature", "OSVersion"),
    "hcs._async_capabilities": ("async_capabilities",),
    "hcs._async_files": (
        "async_create_guest_state_file",
        "async_create_runtime_state_file",
        "async_grant_vm_access",
        "async_grant_vm_group_access",
        "async_processor_compatibility",
        "async_revoke_vm_access",
        "async_revoke_vm_group_access",
        "async_submit_crash_report",
    ),
    "hcs._async_host_settings": (
        "async_add_credential_guard",
        "async_cpu_groups",
        "async_create_cpu_group",
        "async_credential_guards",
        "async_delete_cpu_group",
        "async_processor_topology",
        "async_remove_credential_guard",
    ),
    "hcs._async_operation": ("AsyncOperation",),
    "hcs._capabilities": ("capabilities",),
    "hcs._files": (
        "create_guest_state_file",
        "create_runtime_state_file",
        "grant_vm_access",
        "grant_vm_group_access",
        "processor_compatibility",
        "revoke_vm_access",
        "revoke_vm_group_access",
        "submit_crash_report",
    ),
    "hcs._host_settings": (
        "add_credential_guard",
        "cpu_groups",
        "create_cpu_group",
        "credential_guards",
        "delete_cpu_group",
        "processor_topology",
        "remove_credential_guard",
    ),
    "hcs._known_host": ("Capabilities",),
    "hcs._operation": ("Operation",),
    "hcs._stats": ("StatsRates", "SystemStats"),
    "hcs._async_events": ("AsyncEventStream",),
    "hcs._async_process": ("AsyncProcess",),
    "hcs._async_run": ("async_run",),
    "hcs._async_service": (
        "async_enumerate_systems",
        "async_modify_service",
        "async_service_properties",
        "async_stats_all",
    ),
    "hcs._async_system": ("AsyncComputeSystem",),
    "hcs._completed": ("CompletedProcess",),
    "hcs._container": ("ContainerConfig", "container_document"),
    "hcs._event_stream": ("EventStream",),
    "hcs._events": ("EventOptions", "EventType", "SystemEvent"),
    "hcs._process": ("Process",),
    "hcs._run": ("run",),
    "hcs._schema": ("choose_schema", "schema_version"),
    "hcs._service": (
        "enumerate_systems",
        "modify_service",
        "service_properties",
        "stats_all",
    ),
    "hcs._system": ("ComputeSystem",),
    "hresult": ("HResult",),
}

_home_of = {name: home for home, names in _HOMES.items() for name in names}
_modules = ("documents", "errors", "hcn", "hns")

__all__ = sorted([*_home_of, *_modules])  # noqa: PLE0605 - a list all the same


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - costs nothing here

    if name in _modules:
        return import_module(f"hcsshim.{name}")
    home = _home_of.get(name)
    if home is None:
        raise AttributeError(f"module 'hcsshim' has no attribute {name!r}")
    value: object = getattr(import_module(f"hcsshim.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
