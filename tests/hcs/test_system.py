# Made by async_to_sync.py of tests/hcs/test_async_system.py; do not edit.
"""The verbs of a compute system, with a service that follows a script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hcsshim import (
    AlreadyExistsError,
    ComputeSystem,
    EventType,
    HandleClosedError,
    HcsError,
    HcsTimeoutError,
    InvalidStateError,
    NotFoundError,
    ProtocolError,
    ServiceDisconnectedError,
    documents,
    enumerate_systems,
    modify_service,
    service_properties,
)
from hcsshim._native.port import GENERIC_ALL, INFINITE, Event

if TYPE_CHECKING:
    from .conftest import ScriptedService

CREATE = "HcsCreateComputeSystem"
OPEN = "HcsOpenComputeSystem"
CLOSE = "HcsCloseComputeSystem"
START = "HcsStartComputeSystem"
SHUT_DOWN = "HcsShutDownComputeSystem"
TERMINATE = "HcsTerminateComputeSystem"
PROPERTIES = "HcsGetComputeSystemProperties"
WAIT_EXIT = "HcsWaitForComputeSystemExit"

EXITED = '{"Status":0,"ExitType":"GracefulExit"}'


def make(service: ScriptedService) -> ComputeSystem:
    """Create a system, and forget the calls that this took."""
    system = ComputeSystem.create("demo", {}, service=service)
    service.asked.clear()
    return system


def test_create_asks_for_the_exit_in_the_same_breath(
    service: ScriptedService,
) -> None:
    """
    The wait for the exit is submitted behind the creation, on the handle to come.
    """
    with ComputeSystem.create("demo", {"Owner": "me"}, service=service) as system:
        assert system.id == "demo"
        assert service.asked == [
            (CREATE, "demo", '{"Owner":"me"}'),
            (WAIT_EXIT, 1001, INFINITE),
        ]


@pytest.mark.parametrize(
    "document",
    [
        '{"Owner":"me"}',
        {"Owner": "me"},
        documents.ComputeSystem(owner="me", container=documents.Container()),
    ],
    ids=["text", "mapping", "model"],
)
def test_document_may_be_text_mapping_or_model(
    service: ScriptedService, document: documents.ComputeSystem | dict[str, object]
) -> None:
    """
    All three ways to give a document reach the service as the same members.
    """
    with ComputeSystem.create("demo", document, service=service):
        sent = json.loads(str(service.asked[0][2]))

    assert sent["Owner"] == "me"


def test_document_of_another_kind_is_refused(service: ScriptedService) -> None:
    """
    What is no document is a ``TypeError``, and the service is not asked.
    """
    with pytest.raises(TypeError, match="mapping or JSON text"):
        ComputeSystem.create("demo", 5, service=service)  # type: ignore[arg-type]  # the point

    assert service.asked == []


def test_failed_create_leaves_nothing(service: ScriptedService) -> None:
    """
    A creation that fails is undone: what it may have made is terminated and closed.
    """
    service.script(CREATE, 0x8037010F)

    with pytest.raises(AlreadyExistsError, match="'demo', 0x8037010F"):
        ComputeSystem.create("demo", "{}", service=service)

    assert service.asked[2:] == [(TERMINATE, 1001, None), (CLOSE, 1001)]
    assert service.last(WAIT_EXIT).abandoned


@pytest.mark.parametrize("cause", [None, KeyboardInterrupt()], ids=["time", "Ctrl-C"])
def test_create_that_is_given_up_is_undone(
    service: ScriptedService, cause: BaseException | None
) -> None:
    """
    Time-out and Ctrl-C abandon the call and undo, behind it, what it still makes.
    """
    service.script(CREATE, cause)

    with pytest.raises((HcsTimeoutError, KeyboardInterrupt)):
        ComputeSystem.create("demo", "{}", service=service, timeout=0)

    assert service.last(CREATE).abandoned
    assert service.last(WAIT_EXIT).abandoned
    assert service.asked[2:] == [(TERMINATE, 1001, None), (CLOSE, 1001)]


def test_time_out_says_what_and_how_long(service: ScriptedService) -> None:
    """
    The error of a time-out names call, system and limit.
    """
    service.script(START, None)
    with make(service) as system:
        with pytest.raises(HcsTimeoutError) as caught:
            system.start(timeout=2.5)

    assert str(caught.value) == (
        "No answer within 2.5 s. (HcsStartComputeSystem 'demo', 0x80370118)"
    )
    assert service.last(START).abandoned


def test_open_asks_for_all_access_and_undoes_less(
    service: ScriptedService,
) -> None:
    """
    Opening a system that does not exist closes the handle and terminates nothing.
    """
    service.script(OPEN, 0xC037010E)

    with pytest.raises(NotFoundError):
        ComputeSystem.open("demo", service=service)

    assert service.asked == [
        (OPEN, "demo", GENERIC_ALL),
        (WAIT_EXIT, 1001, INFINITE),
        (CLOSE, 1001),
    ]


@pytest.mark.parametrize(
    ("verb", "call"),
    [
        ("start", START),
        ("pause", "HcsPauseComputeSystem"),
        ("resume", "HcsResumeComputeSystem"),
        ("save", "HcsSaveComputeSystem"),
        ("crash", "HcsCrashComputeSystem"),
    ],
)
def test_verbs_are_one_call(service: ScriptedService, verb: str, call: str) -> None:
    """
    Each simple verb is one call on the handle, and its failure is raised.
    """
    with make(service) as system:
        getattr(system, verb)()
        service.script(call, 0x80370105)
        with pytest.raises(InvalidStateError, match=call):
            getattr(system, verb)()

        assert service.asked == [(call, 1001, None)] * 2


def test_modify_sends_the_request(service: ScriptedService) -> None:
    """
    A request that holds a model inside a mapping is written as one document.
    """
    with make(service) as system:
        system.modify(
            {
                "ResourcePath": "Container/MappedDirectories",
                "Settings": documents.MappedDirectory(
                    host_path="/src", container_path="/dst"
                ),
            }
        )

    sent = json.loads(str(service.asked[0][2]))
    assert sent["Settings"]["HostPath"] == "/src"


@pytest.mark.parametrize("code", [0, 0xC0370110, 0x8037010E])
def test_terminate_of_a_stopped_system_is_success(
    service: ScriptedService, code: int
) -> None:
    """
    Terminating waits until the system is gone; gone already is as good.
    """
    service.script(TERMINATE, code)
    with make(service) as system:
        service.last(WAIT_EXIT).answer(0, EXITED)

        system.terminate()

        assert service.asked == [(TERMINATE, 1001, None)]


def test_terminate_waits_for_the_exit(service: ScriptedService) -> None:
    """
    That the service accepted the request is not enough: the system must be gone.
    """
    with make(service) as system:
        with pytest.raises(HcsTimeoutError, match=WAIT_EXIT):
            system.terminate(timeout=0)

        assert not service.last(WAIT_EXIT).abandoned


def test_shutdown_falls_back_to_terminate(service: ScriptedService) -> None:
    """
    A guest that cannot be asked to end is made to.
    """
    service.script(SHUT_DOWN, 0x80070032)
    with make(service) as system:
        service.last(WAIT_EXIT).answer(0, EXITED)

        system.shutdown()

        assert service.names() == [SHUT_DOWN, TERMINATE]


def test_shutdown_in_the_wrong_state_is_an_error(
    service: ScriptedService,
) -> None:
    """
    A refusal because of the state does not end a system by force.
    """
    service.script(SHUT_DOWN, 0x80370105)
    with make(service) as system:
        with pytest.raises(InvalidStateError):
            system.shutdown()

        assert service.names() == [SHUT_DOWN]


def test_properties_are_asked_for_and_decoded(service: ScriptedService) -> None:
    """
    Types become a query, the answer a model.
    """
    service.script(PROPERTIES, 0, {"Id": "demo", "State": "Running", "New": 1})
    with make(service) as system:
        properties = system.properties(
            "Statistics", documents.PropertyType.PROCESS_LIST
        )

    assert service.asked[0] == (
        PROPERTIES,
        1001,
        '{"PropertyTypes":["Statistics","ProcessList"]}',
    )
    assert properties.state == "Running"
    assert properties.extra["New"] == 1


def test_basic_properties_need_no_query(service: ScriptedService) -> None:
    """
    Without types the query is left out; both types and a query are a mistake.
    """
    service.script(PROPERTIES, 0, {"Id": "demo"})
    with make(service) as system:
        system.properties()
        with pytest.raises(TypeError, match="not both"):
            system.properties("Statistics", query="{}")

        assert service.asked == [(PROPERTIES, 1001, None)]


def test_empty_answer_of_a_query_is_an_error(service: ScriptedService) -> None:
    """
    Success without an answer breaks the interface's promise.
    """
    with make(service) as system:
        with pytest.raises(ProtocolError, match="0x8000FFFF"):
            system.properties()


def test_wait_gives_the_exit_status_to_everyone(
    service: ScriptedService,
) -> None:
    """
    The answer of one call serves any number of waits, without another call.
    """
    with make(service) as system:
        service.last(WAIT_EXIT).answer(0, EXITED)

        statuses = [system.wait(), system.wait(timeout=0)]

        assert service.asked == []
    assert [status.exit_type for status in statuses] == ["GracefulExit"] * 2


def test_wait_that_is_given_up_disturbs_nobody(service: ScriptedService) -> None:
    """
    A time-out of one waiter leaves the call alone, for the others.
    """
    with make(service) as system:
        with pytest.raises(HcsTimeoutError):
            system.wait(timeout=0)

        assert not service.last(WAIT_EXIT).abandoned
        service.last(WAIT_EXIT).answer(0, EXITED)
        assert (system.wait()).exit_type == "GracefulExit"


def test_wait_tells_that_the_service_went_away(service: ScriptedService) -> None:
    """
    A service that dies while somebody waits is an error of its own.
    """
    with make(service) as system:
        service.last(WAIT_EXIT).answer(0x8037011E)

        with pytest.raises(ServiceDisconnectedError):
            system.wait()


def test_close_is_idempotent_and_final(service: ScriptedService) -> None:
    """
    The handle is closed once; afterwards every verb says that it is closed.
    """
    system = make(service)

    system.close()
    system.close()

    assert service.asked == [(CLOSE, 1001)]
    assert system.closed
    assert "closed" in repr(system)
    for use in (system.start, system.wait, system.events, system.properties):
        with pytest.raises(HandleClosedError):
            use()


def test_close_closes_the_processes_first(service: ScriptedService) -> None:
    """
    A parent knows its open children and closes them before itself.
    """
    system = make(service)
    first = system.create_process(["one"])
    second = system.create_process(["two"])
    first.close()
    service.names()

    system.close()

    assert service.names() == ["HcsCloseProcess", CLOSE]
    assert second.closed


def test_unclosed_system_warns_and_is_closed(service: ScriptedService) -> None:
    """
    A system that is forgotten warns, and does not keep its handle.
    """
    forgotten = [ComputeSystem.open("demo", service=service)]
    service.asked.clear()

    with pytest.warns(ResourceWarning, match="unclosed compute system 'demo'"):
        forgotten.clear()

    assert service.asked == [(CLOSE, 1001)]


def test_events_end_with_the_exit(service: ScriptedService) -> None:
    """
    Listening opens a handle of its own; iteration ends after the last event.
    """
    with make(service) as system, system.events() as events:
        service.subscriptions[0].events = [
            Event(6, 0, None),
            Event(0x7777, 0, None),
            Event(1, 0, EXITED),
            Event(6, 0, None),
        ]
        assert service.asked == [
            (OPEN, "demo", GENERIC_ALL),
            ("HcsSetComputeSystemCallback", 1002),
        ]

        seen = [event for event in events]

    assert [event.type for event in seen] == [
        EventType.SYSTEM_GUEST_CONNECTION_CLOSED,
        0x7777,
        EventType.SYSTEM_EXITED,
    ]
    data = seen[-1].data
    assert isinstance(data, documents.SystemExitStatus)
    assert data.exit_type == "GracefulExit"
    assert seen[0].data is None


def test_events_close_their_own_handle(service: ScriptedService) -> None:
    """
    Closing a listener closes its handle, once, and ends its iteration.
    """
    with make(service) as system:
        events = system.events()
        service.asked.clear()

        events.close()
        events.close()

        assert service.asked == [(CLOSE, 1002)]
        assert service.subscriptions[0].closed
        assert events.next() is None


def test_next_event_may_time_out(service: ScriptedService) -> None:
    """
    No event in time is a time-out, and the listener goes on.
    """
    with make(service) as system, system.events() as events:
        with pytest.raises(HcsTimeoutError):
            events.next(timeout=0)

        service.subscriptions[0].events.append(Event(4, 0, None))
        event = events.next(timeout=0)
        assert event is not None
        assert event.type == EventType.SYSTEM_RDP_ENHANCED_MODE_STATE_CHANGED


def test_failed_listening_leaves_nothing(service: ScriptedService) -> None:
    """
    If the system is gone, listener and handle are too.
    """
    with make(service) as system:
        service.script(OPEN, 0x8037010E)

        with pytest.raises(NotFoundError):
            system.events()

        assert service.names()[-1] == CLOSE
        assert service.subscriptions[0].closed


def test_enumerate_asks_for_what_is_wanted(service: ScriptedService) -> None:
    """
    Conditions become a query; none are none.
    """
    found = [{"Id": "demo", "State": "Running", "Owner": "me"}]
    service.script("HcsEnumerateComputeSystems", 0, found)
    service.script("HcsEnumerateComputeSystems", 0, "[]")

    systems = enumerate_systems(owners=["me"], service=service)
    nothing = enumerate_systems(service=service)

    assert [system.id for system in systems] == ["demo"]
    assert nothing == ()
    assert [call[1] for call in service.asked] == ['{"Owners":["me"]}', None]


def test_service_has_properties_and_settings(service: ScriptedService) -> None:
    """
    The service itself is asked and changed without a handle.
    """
    service.script("HcsGetServiceProperties", 0, {"Properties": [{}]})

    properties = service_properties("Basic", service=service)
    modify_service({"PropertyType": "CpuGroup"}, service=service)

    assert len(properties.properties) == 1
    assert service.asked == [
        ("HcsGetServiceProperties", '{"PropertyTypes":["Basic"]}'),
        ("HcsModifyServiceSettings", '{"PropertyType":"CpuGroup"}'),
    ]


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_impossible_time_outs_are_refused(
    service: ScriptedService, timeout: float
) -> None:
    """
    A limit that is negative or no number is a ``ValueError``; nothing is asked.
    """
    with pytest.raises(ValueError, match="at least 0"):
        ComputeSystem.create("demo", "{}", timeout=timeout, service=service)

    assert service.asked == []


def test_errors_carry_the_events_of_hcs(service: ScriptedService) -> None:
    """
    The result document that came with a failure is in the error.
    """
    document = {"Error": -1, "ErrorEvents": [{"Message": "Layer 3 is gone."}]}
    service.script(START, 0x80370112, document)
    with make(service) as system:
        with pytest.raises(HcsError, match=r"^Layer 3 is gone\. ") as caught:
            system.start()

    assert [event.message for event in caught.value.events] == ["Layer 3 is gone."]
    assert caught.value.system_id == "demo"
