"""The calls about compute systems: documents to rules and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim._native import calls
from hcsshim.host.fields import Fields
from hcsshim.host.results import Refusal, refuse
from hcsshim.host.serving.waits import wait
from hcsshim.host.systems import properties
from hcsshim.host.systems.configuration import read_configuration
from hcsshim.host.systems.lifecycle import SYSTEM_EXITED
from hcsshim.host.systems.modification import modify
from hcsshim.host.systems.systems import check_id
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim.host.serving.loop import Loop
    from hcsshim.host.serving.session import Call
    from hcsshim.host.systems.systems import System, Systems

#: How a system ends that is terminated before it was made.
_ENDED_EARLY = frozenset(
    (HResult.HCS_E_TERMINATED, HResult.HCS_E_OPERATION_ALREADY_CANCELLED)
)


def _require_no_namespace(name: str | None) -> None:
    """Ids have one namespace here, the one that callers get who name none."""
    if name:
        raise refuse(
            HResult.ERROR_NOT_SUPPORTED,
            "The embedded host has no namespaces of ids but the usual one.",
        )


def enumerate_compute_systems(call: Call, systems: Systems) -> None:
    """HcsEnumerateComputeSystems."""
    call.answer(0, properties.enumerate_systems(systems, call.text(0)))


def enumerate_in_namespace(call: Call, systems: Systems) -> None:
    """HcsEnumerateComputeSystemsInNamespace."""
    _require_no_namespace(call.text(0))
    call.answer(0, properties.enumerate_systems(systems, call.text(1)))


def create_compute_system(call: Call, systems: Systems) -> None:
    """HcsCreateComputeSystem: answered when the silo is ready, or has failed."""
    _create(call, systems, call.text(0), call.text(1))


def create_in_namespace(call: Call, systems: Systems) -> None:
    """HcsCreateComputeSystemInNamespace."""
    _require_no_namespace(call.text(0))
    _create(call, systems, call.text(1), call.text(2))


def _create(
    call: Call, systems: Systems, given_id: str | None, document: str | None
) -> None:
    system_id = check_id(given_id)
    systems.require_free(system_id)
    system = systems.create(system_id, read_configuration(system_id, document))
    cancelled = False

    def created(refusal: Refusal | None) -> None:
        if refusal is None:
            call.answer()
            call.session.complete(call.made(), system)
            return
        if cancelled and refusal.hresult == HResult.HCS_E_TERMINATED:
            refusal = refuse(HResult.HCS_E_OPERATION_ALREADY_CANCELLED)
        call.session.fail(call.made(), refusal)

    def cancel() -> None:
        nonlocal cancelled
        cancelled = True
        system.terminate()

    system.when_created(created)
    call.cancel = cancel


def open_compute_system(call: Call, systems: Systems) -> None:
    """HcsOpenComputeSystem: one more handle."""
    _open(call, systems.find(call.text(0)))


def open_in_namespace(call: Call, systems: Systems) -> None:
    """HcsOpenComputeSystemInNamespace."""
    _require_no_namespace(call.text(0))
    _open(call, systems.find(call.text(1)))


def _open(call: Call, system: System) -> None:
    call.answer()
    call.session.complete(call.made(), system)


def close_compute_system(call: Call) -> None:
    """HcsCloseComputeSystem: the last handle may end the system."""
    call.session.close_handle(call.number(0))
    call.answer()


def start_compute_system(call: Call) -> None:
    """HcsStartComputeSystem."""
    system = call.system()
    Fields.parse_optional(call.text(1))
    system.start()
    call.answer()


def shut_down_compute_system(call: Call) -> None:
    """HcsShutDownComputeSystem: answered when the system has ended."""
    system = call.system()
    Fields.parse_optional(call.text(1))
    system.shutdown()
    _answer_at_end(call, system)


def terminate_compute_system(call: Call) -> None:
    """HcsTerminateComputeSystem: answered when the system has ended."""
    handle = call.session.handles.get(call.number(0))
    if (
        handle is not None
        and handle.kind == calls.SYSTEM
        and handle.refusal is not None
        and handle.refusal.hresult in _ENDED_EARLY
    ):
        call.answer()  # this very call ended it while it was being made
        return
    system = call.system()
    Fields.parse_optional(call.text(1))
    system.terminate()
    _answer_at_end(call, system)


def _answer_at_end(call: Call, system: System) -> None:
    def ended() -> None:
        call.answer()

    def forget() -> None:
        system.exited.forget(ended)

    def cancel() -> None:
        forget()
        call.answer(HResult.HCS_E_OPERATION_ALREADY_CANCELLED)

    system.exited.listen(ended)
    call.cancel = cancel
    call.dropped = forget


def pause_compute_system(call: Call) -> None:
    """HcsPauseComputeSystem."""
    system = call.system()
    Fields.parse_optional(call.text(1))
    system.pause()
    call.answer()


def resume_compute_system(call: Call) -> None:
    """HcsResumeComputeSystem."""
    system = call.system()
    Fields.parse_optional(call.text(1))
    system.resume()
    call.answer()


def save_compute_system(call: Call) -> None:
    """HcsSaveComputeSystem: refused, as HCS refuses it for containers."""
    call.system().save()


def get_properties(call: Call) -> None:
    """HcsGetComputeSystemProperties."""
    system = call.system()
    system.require_properties()
    call.answer(0, properties.answer(system, call.text(1)))


def modify_compute_system(call: Call) -> None:
    """HcsModifyComputeSystem."""
    modify(call.system(), call.text(1))
    call.answer()


def wait_for_exit(call: Call, loop: Loop) -> None:
    """HcsWaitForComputeSystemExit: answer when it has ended."""
    system = call.system()
    wait(call, loop, system.exited, lambda: _exit_document(system))


def set_callback(call: Call) -> None:
    """HcsSetComputeSystemCallback: tell when it ends, also if it has already."""
    system = call.system()
    session = call.session
    handle = session.handles[call.number(0)]
    call.answer()
    handle.listen(
        lambda: session.notify(
            handle,
            SYSTEM_EXITED,
            system.exit.status if system.exit else 0,
            _exit_document(system),
        )
    )


def _exit_document(system: System) -> str:
    return system.exit.document if system.exit is not None else ""


def get_service_properties(call: Call) -> None:
    """HcsGetServiceProperties."""
    call.answer(0, properties.answer_service(call.text(0)))
