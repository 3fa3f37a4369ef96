"""From the name of a call to what carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim._native import calls
from hcsshim.host import refused_calls
from hcsshim.host.systems import process_calls, system_calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.layers.layers import Layers
    from hcsshim.host.network.service import NetworkService
    from hcsshim.host.serving.loop import Loop
    from hcsshim.host.serving.session import Call, Handler
    from hcsshim.host.systems.systems import Systems

#: Calls about layers: those of vmcompute, and computestorage.
_LAYER_NUMBERS = frozenset((*range(300, 390), *range(500, 600)))

_OF_SYSTEMS: dict[str, Callable[[Call, Systems], None]] = {
    "HcsEnumerateComputeSystems": system_calls.enumerate_compute_systems,
    "HcsEnumerateComputeSystemsInNamespace": system_calls.enumerate_in_namespace,
    "HcsCreateComputeSystem": system_calls.create_compute_system,
    "HcsCreateComputeSystemInNamespace": system_calls.create_in_namespace,
    "HcsOpenComputeSystem": system_calls.open_compute_system,
    "HcsOpenComputeSystemInNamespace": system_calls.open_in_namespace,
}

_WAITING: dict[str, Callable[[Call, Loop], None]] = {
    "HcsWaitForComputeSystemExit": system_calls.wait_for_exit,
    "HcsWaitForProcessExit": process_calls.wait_for_process_exit,
}

_OF_HANDLES: dict[str, Handler] = {
    "HcsCloseComputeSystem": system_calls.close_compute_system,
    "HcsStartComputeSystem": system_calls.start_compute_system,
    "HcsShutDownComputeSystem": system_calls.shut_down_compute_system,
    "HcsTerminateComputeSystem": system_calls.terminate_compute_system,
    "HcsPauseComputeSystem": system_calls.pause_compute_system,
    "HcsResumeComputeSystem": system_calls.resume_compute_system,
    "HcsSaveComputeSystem": system_calls.save_compute_system,
    "HcsGetComputeSystemProperties": system_calls.get_properties,
    "HcsModifyComputeSystem": system_calls.modify_compute_system,
    "HcsSetComputeSystemCallback": system_calls.set_callback,
    "HcsCreateProcess": process_calls.create_process,
    "HcsOpenProcess": process_calls.open_process,
    "HcsCloseProcess": process_calls.close_process,
    "HcsTerminateProcess": process_calls.terminate_process,
    "HcsSignalProcess": process_calls.signal_process,
    "HcsGetProcessInfo": process_calls.get_process_info,
    "HcsGetProcessProperties": process_calls.get_process_properties,
    "HcsModifyProcess": process_calls.modify_process,
    "HcsSetProcessCallback": process_calls.set_process_callback,
    "HcsGetServiceProperties": system_calls.get_service_properties,
    "HcsModifyServiceSettings": refused_calls.modify_service_settings,
    "HcsSubmitWerReport": refused_calls.submit_report,
    "HcsCrashComputeSystem": refused_calls.of_virtual_machines,
    "HcsInitializeLiveMigrationOnSource": refused_calls.of_virtual_machines,
    "HcsStartLiveMigrationOnSource": refused_calls.of_virtual_machines,
    "HcsStartLiveMigrationTransfer": refused_calls.of_virtual_machines,
    "HcsFinalizeLiveMigration": refused_calls.of_virtual_machines,
    "HcsCancelLiveMigration": refused_calls.of_virtual_machines,
    "HcsCreateEmptyGuestStateFile": refused_calls.make_file,
    "HcsCreateEmptyRuntimeStateFile": refused_calls.make_file,
    "HcsGrantVmAccess": refused_calls.change_access,
    "HcsRevokeVmAccess": refused_calls.change_access,
    "HcsGrantVmGroupAccess": refused_calls.change_access,
    "HcsRevokeVmGroupAccess": refused_calls.change_access,
    "HcsGetProcessorCompatibilityFromSavedState": refused_calls.change_access,
}


def handlers(
    systems: Systems,
    layers: Layers,
    loop: Loop,
    networks: Callable[[], NetworkService],
) -> dict[int, tuple[calls.Call, tuple[int, ...], Handler]]:
    """
    Make the table that a session looks calls up in.

    Args:
        systems: Of the host.
        layers: Of the host.
        loop: Of the host.
        networks: Gives the networking service, which the first call about networks
            makes.

    Returns:
        By number: the row, the kinds of its arguments on the wire, and the handler,
        of every call that may come over the wire.

    Raises:
        KeyError: A remote call of the table has no handler: it was forgotten here.
    """
    by_name: dict[str, Handler] = dict(_OF_HANDLES)
    for name, function in _OF_SYSTEMS.items():
        by_name[name] = _bind_systems(function, systems)
    for name, waiting in _WAITING.items():
        by_name[name] = _bind_loop(waiting, loop)
    for row in calls.table():
        if row.number in _LAYER_NUMBERS:
            by_name[row.name] = _bind_layers(row.name, layers)
        elif row.remote and row.dll == "computenetwork":
            by_name[row.name] = lambda call: _carry_out_hcn(call, networks())
    by_name["HNSCall"] = lambda call: _carry_out_hns(call, networks())
    return {
        row.number: (row, row.wire_kinds, by_name[row.name])
        for row in calls.table()
        if row.remote
    }


def _carry_out_hcn(call: Call, networks: NetworkService) -> None:
    from hcsshim.host.network import hcn_calls  # noqa: PLC0415 - loads the rules

    hcn_calls.carry_out(call, networks)


def _carry_out_hns(call: Call, networks: NetworkService) -> None:
    from hcsshim.host.network import hns_calls  # noqa: PLC0415 - loads the rules

    hns_calls.carry_out(call, networks)


def _bind_systems(
    function: Callable[[Call, Systems], None], systems: Systems
) -> Handler:
    return lambda call: function(call, systems)


def _bind_loop(function: Callable[[Call, Loop], None], loop: Loop) -> Handler:
    return lambda call: function(call, loop)


def _bind_layers(name: str, layers: Layers) -> Handler:
    def handle(call: Call) -> None:
        from hcsshim.host.layers.calls import CALLS  # noqa: PLC0415 - seldom needed

        CALLS[name](call, layers)

    return handle
