"""Typed questions, operations, files and settings: what is asked, what is read."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

import hcsshim
from hcsshim import (
    AlreadyStoppedError,
    AsyncComputeSystem,
    ComputeSystem,
    EventOptions,
    HcsTimeoutError,
    InvalidStateError,
    NotFoundError,
    NotSupportedError,
    OperationCancelledError,
    ProtocolError,
    SystemStats,
    documents,
)
from hcsshim._native.port import Event
from hcsshim.hcs._events import SystemEvent, event_of
from hcsshim.hcs._stats import stats_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import ScriptedService

PROPERTIES = "HcsGetComputeSystemProperties"
SERVICE_PROPERTIES = "HcsGetServiceProperties"
STATISTICS = {
    "Statistics": {
        "Timestamp": "2024-05-06T07:08:09.5Z",
        "Uptime100ns": 600_000_000,
        "Processor": {"TotalRuntime100ns": 30_000_000, "RuntimeUser100ns": 20_000_000},
        "Memory": {"MemoryUsageCommitBytes": 4096},
        "Storage": {"ReadSizeBytes": 10, "WriteSizeBytes": 20},
    }
}


@pytest.fixture
def system(service: ScriptedService) -> Iterator[ComputeSystem]:
    """An open system of a service that follows a script."""
    with ComputeSystem.open("demo", service=service) as opened:
        service.names()
        yield opened


def test_statistics_and_stats(service: ScriptedService, system: ComputeSystem) -> None:
    """
    The same answer as HCS's own document, and in bytes and times of Python's.
    """
    service.script(PROPERTIES, 0, STATISTICS)
    assert system.statistics().memory is not None
    service.script(PROPERTIES, 0, STATISTICS)

    stats = system.stats()

    assert "demo" == stats.id
    assert dt.timedelta(seconds=60) == stats.uptime
    assert dt.timedelta(seconds=3) == stats.cpu_total
    assert dt.timedelta(seconds=2) == stats.cpu_user
    assert (4096, 10, 20) == (stats.memory_bytes, stats.read_bytes, stats.written_bytes)
    assert stats.memory_peak_bytes is None
    query = {"PropertyTypes": ["Statistics"]}
    assert query == json.loads(str(service.asked[-1][2]))


def test_an_answer_without_what_was_asked_for(
    service: ScriptedService, system: ComputeSystem
) -> None:
    """
    A service that answers something else breaks its promise.
    """
    service.script(PROPERTIES, 0, {"Id": "demo"})
    with pytest.raises(ProtocolError):
        system.stats()


def test_typed_answers(service: ScriptedService, system: ComputeSystem) -> None:
    """
    Each question has its type of property, and gives the model of its answer.
    """
    service.script(PROPERTIES, 0, {"ProcessList": [{"ProcessId": 7}]})
    assert 7 == system.process_list()[0].process_id
    memory = {"VirtualMachineMemory": {"AssignedMemory": 2}}
    service.script(PROPERTIES, 0, {"Memory": memory})
    assert system.memory().virtual_machine_memory is not None
    service.script(PROPERTIES, 0, {"GuestConnectionInfo": {"ProtocolVersion": 4}})
    assert 4 == system.guest_connection().protocol_version
    disks = {"0": {"MappedVirtualDisks": {"1": {"ContainerPath": "C:\\d"}}}}
    service.script(PROPERTIES, 0, {"MappedVirtualDiskControllers": disks})
    assert (
        "C:\\d"
        == system.mapped_virtual_disks()[0].mapped_virtual_disks[1].container_path
    )
    mapped = [{"HostPath": "/a", "ContainerPath": "/b"}]
    service.script(PROPERTIES, 0, {"MappedDirectories": mapped})
    assert "/b" == system.mapped_directories()[0].container_path
    assert [
        "ProcessList",
        "Memory",
        "GuestConnection",
        "MappedVirtualDisk",
        "MappedDirectory",
    ] == [json.loads(str(call[2]))["PropertyTypes"][0] for call in service.asked]


def test_named_queries(service: ScriptedService, system: ComputeSystem) -> None:
    """
    An answer is given as it is; a query's own error is raised though the call is fine.
    """
    data = {"PropertyResponses": {"CompatibilityInfo": {"Response": {"Data": "AAE="}}}}
    service.script(PROPERTIES, 0, data)
    assert {"Data": "AAE="} == system.query("CompatibilityInfo")
    assert {"Queries": {"CompatibilityInfo": None}} == json.loads(
        str(service.asked[-1][2])
    )

    error = {"Error": -2147024846, "ErrorMessage": "Not here."}
    answer = {"PropertyResponses": {"X": {"Error": error}}}
    service.script(PROPERTIES, 0, answer)
    with pytest.raises(NotSupportedError, match=r"Not here\."):
        system.query("X", {"a": 1})


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("initialize_live_migration", "HcsInitializeLiveMigrationOnSource"),
        ("start_live_migration", "HcsStartLiveMigrationOnSource"),
        ("start_live_migration_transfer", "HcsStartLiveMigrationTransfer"),
        ("finalize_live_migration", "HcsFinalizeLiveMigration"),
        ("cancel_live_migration", "HcsCancelLiveMigration"),
    ],
)
def test_live_migration(
    service: ScriptedService, system: ComputeSystem, method: str, call: str
) -> None:
    """
    Each step of a migration is one call with its options.
    """
    getattr(system, method)({"Origin": "Source"})

    assert [call] == [str(asked[0]) for asked in service.asked]
    assert {"Origin": "Source"} == json.loads(str(service.asked[0][2]))


FILES: list[tuple[Callable[..., object], str, tuple[str, ...]]] = [
    (hcsshim.grant_vm_access, "HcsGrantVmAccess", ("vm", "/d.vhdx")),
    (hcsshim.revoke_vm_access, "HcsRevokeVmAccess", ("vm", "/d.vhdx")),
    (hcsshim.grant_vm_group_access, "HcsGrantVmGroupAccess", ("/d",)),
    (hcsshim.revoke_vm_group_access, "HcsRevokeVmGroupAccess", ("/d",)),
    (hcsshim.create_guest_state_file, "HcsCreateEmptyGuestStateFile", ("/s.vmgs",)),
    (hcsshim.create_runtime_state_file, "HcsCreateEmptyRuntimeStateFile", ("/s.vmrs",)),
    (hcsshim.submit_crash_report, "HcsSubmitWerReport", ('{"SystemId":"x"}',)),
]


@pytest.mark.parametrize(("function", "call", "arguments"), FILES)
def test_calls_about_files(
    service: ScriptedService,
    function: Callable[..., object],
    call: str,
    arguments: tuple[str, ...],
) -> None:
    """
    Each function is one call, with its arguments in the order of the DLL.
    """
    function(*arguments, service=service)

    assert [(call, *arguments)] == service.asked


def test_processor_compatibility(service: ScriptedService) -> None:
    """
    The features of a saved state are given as text; none is an error.
    """
    call = "HcsGetProcessorCompatibilityFromSavedState"
    service.script(call, 0, "features")
    assert "features" == hcsshim.processor_compatibility("/s.vmrs", service=service)
    with pytest.raises(ProtocolError):
        hcsshim.processor_compatibility("/s.vmrs", service=service)


def test_service_settings(service: ScriptedService) -> None:
    """
    Processor groups and credential guards are changed with one request each.
    """
    hcsshim.create_cpu_group("g", [0, 2], service=service)
    hcsshim.delete_cpu_group("g", service=service)
    hcsshim.remove_credential_guard("c", service=service)

    assert [
        {
            "PropertyType": "CpuGroup",
            "Settings": {
                "Operation": "CreateGroup",
                "OperationDetails": {
                    "GroupId": "g",
                    "LogicalProcessorCount": 2,
                    "LogicalProcessors": [0, 2],
                },
            },
        },
        {
            "PropertyType": "CpuGroup",
            "Settings": {
                "Operation": "DeleteGroup",
                "OperationDetails": {"GroupId": "g"},
            },
        },
        {
            "PropertyType": "ContainerCredentialGuard",
            "Settings": {
                "Operation": "RemoveInstance",
                "OperationDetails": {"Id": "c"},
            },
        },
    ] == [json.loads(str(call[1])) for call in service.asked]


def test_credential_guard_is_found_again(service: ScriptedService) -> None:
    """
    What was made is looked up, in any case of its id; what is not listed is an error.
    """
    guard = {"CredentialGuard": {"Cookie": "c"}, "Id": "WEB"}
    listed = {"Properties": [{"Instances": [{"Id": "other"}, guard]}]}
    service.script(SERVICE_PROPERTIES, 0, listed)

    made = hcsshim.add_credential_guard("web", "{}", service=service)

    assert made.credential_guard is not None
    assert "c" == made.credential_guard.cookie
    service.script(SERVICE_PROPERTIES, 0, listed)
    with pytest.raises(NotFoundError, match="'db'"):
        hcsshim.add_credential_guard("db", "{}", service=service)


def test_topology_and_groups(service: ScriptedService) -> None:
    """
    The service's answers are decoded by what was asked for.
    """
    processors = {"Properties": [{"LogicalProcessorCount": 2}]}
    service.script(SERVICE_PROPERTIES, 0, processors)
    found = hcsshim.processor_topology(service=service)
    assert 2 == found.logical_processor_count
    groups = {"Properties": [{"CpuGroups": [{"GroupId": "g"}]}]}
    service.script(SERVICE_PROPERTIES, 0, groups)
    assert ["g"] == [group.group_id for group in hcsshim.cpu_groups(service=service)]


def test_an_operation_goes_on_by_itself(
    service: ScriptedService, system: ComputeSystem
) -> None:
    """
    Begun, looked at, waited for in vain, cancelled, and its end taken.
    """
    service.script("HcsShutDownComputeSystem", None)
    operation = system.begin("shutdown", {"Force": True})
    assert {"Force": True} == json.loads(str(service.asked[-1][2]))
    assert not operation.done
    assert operation.info.end_timestamp is None
    with pytest.raises(HcsTimeoutError):
        operation.result(timeout=0)

    assert operation.cancel()

    call = service.last("HcsShutDownComputeSystem")
    assert call.cancelled
    assert not call.abandoned
    call.answer(0x80370121)
    assert operation.done
    assert not operation.cancel()
    with pytest.raises(OperationCancelledError, match="'demo'"):
        operation.result()
    info = operation.info
    assert "Shutdown" == info.operation
    assert info.failure_info is not None
    assert info.start_timestamp is not None
    assert info.end_timestamp is not None
    assert info.start_timestamp <= info.end_timestamp


def test_an_operation_gives_its_document(
    service: ScriptedService, system: ComputeSystem
) -> None:
    """
    The end may be taken as often as one likes.
    """
    service.script(PROPERTIES, 0, '{"Id":"demo"}')
    operation = system.begin("properties")

    assert '{"Id":"demo"}' == operation.result() == operation.result(timeout=1)
    assert operation.info.failure_info is None
    assert "demo" == operation.system_id
    assert "done" in repr(operation)


def test_an_operation_nobody_wants(
    service: ScriptedService, system: ComputeSystem
) -> None:
    """
    Dropping it frees its ticket.
    """
    service.script("HcsPauseComputeSystem", None)
    system.begin("pause")

    assert service.last("HcsPauseComputeSystem").abandoned


def test_unknown_verb(system: ComputeSystem) -> None:
    """
    A verb that there is not is named, with those that there are.
    """
    with pytest.raises(ValueError, match=r"'fly'.*terminate"):
        system.begin("fly")


def test_operations_can_be_awaited(service: ScriptedService) -> None:
    """
    The awaitable face has them, too.
    """

    async def work() -> str | None:
        async with await AsyncComputeSystem.open("demo", service=service) as system:
            service.script(PROPERTIES, 0, "{}")
            return await system.begin("properties").result()

    assert "{}" == asyncio.run(work())


def test_stats_of_all_in_one_sweep(service: ScriptedService) -> None:
    """
    All calls are under way before the first is waited for; who vanished is left out.
    """
    service.script("HcsEnumerateComputeSystems", 0, [{"Id": n} for n in "abcd"])
    service.script("HcsOpenComputeSystem", 0)
    service.script("HcsOpenComputeSystem", 0x8037010E)
    for code in (0, 0x80070006, 0x80370110, 0):
        service.script(PROPERTIES, code, STATISTICS if code == 0 else None)

    found = hcsshim.stats_all(service=service)

    assert ["a", "d"] == [stats.id for stats in found]
    names = service.names()
    assert names[0] == "HcsEnumerateComputeSystems"
    assert ["HcsOpenComputeSystem", PROPERTIES, "HcsCloseComputeSystem"] * 4 == names[
        1:
    ]


def test_a_sweep_that_fails_leaves_nothing_open(service: ScriptedService) -> None:
    """
    Another failure is raised, and every call given up.
    """
    service.script(PROPERTIES, 0x80004005)

    with pytest.raises(hcsshim.HcsError):
        hcsshim.stats_all(["a", "b"], service=service)

    calls = service.operations[PROPERTIES]
    assert all(call.abandoned for call in calls)


def looked(seconds: float, cpu: float, read: int | None) -> SystemStats:
    """Make what a look at a system would have given."""
    return SystemStats(
        id="demo", taken=seconds, cpu_total=dt.timedelta(seconds=cpu), read_bytes=read
    )


def test_rates() -> None:
    """
    Rates are what was used between two looks, by the time between.
    """
    rates = looked(12.0, 6.0, 500).since(looked(10.0, 5.0, 100))

    assert 2.0 == rates.seconds
    assert 0.5 == rates.cpus
    assert 50.0 == rates.cpu_percent
    assert 200.0 == rates.read_bytes_per_second
    assert rates.written_bytes_per_second is None


def test_rates_need_an_earlier_look() -> None:
    """
    There is none between a look and itself, nor between two systems.
    """
    stats = looked(1.0, 1.0, 1)
    with pytest.raises(ValueError, match="earlier look"):
        stats.since(stats)
    other = SystemStats(id="other", taken=0.0)
    with pytest.raises(ValueError, match="same system"):
        stats.since(other)


def test_watching_ends_with_the_system(
    service: ScriptedService, system: ComputeSystem
) -> None:
    """
    The iterator looks at an interval, and ends when the system has.
    """
    service.script(PROPERTIES, 0, STATISTICS)
    service.script(PROPERTIES, 0, STATISTICS)
    watch = system.watch_stats(interval=0.001)

    first = next(watch)
    service.operations["HcsWaitForComputeSystemExit"][-1].answer(0, "{}")

    assert 0.0 == first.cpus
    assert [] == list(watch)
    with pytest.raises(ValueError, match="positive"):
        next(system.watch_stats(interval=0))


def test_a_linux_guest_has_counters_of_its_own() -> None:
    """
    Containers of Linux answer with metrics of cgroups; machines with pages.
    """
    metrics = {"cpu": {"usage": {"total": 2_000_000_000}}, "memory": {}}
    metrics["memory"] = {"usage": {"usage": 7, "max": 9}}
    linux = documents.loads(documents.Properties, json.dumps({"LCOWMetrics": metrics}))
    memory = {"VirtualMachineMemory": {"AssignedMemory": 3}}
    machine = documents.loads(
        documents.Properties, json.dumps({**STATISTICS, "Memory": memory})
    )

    found = stats_of("demo", linux)
    assert found is not None
    assert dt.timedelta(seconds=2) == found.cpu_total
    assert (7, 9) == (found.memory_bytes, found.memory_peak_bytes)
    pages = stats_of("demo", machine)
    assert pages is not None
    assert 3 * 4096 == pages.memory_bytes


def test_listening_with_options(
    service: ScriptedService, system: ComputeSystem
) -> None:
    """
    What else a listener wants is told to the service.
    """
    system.events(options=EventOptions.LIVE_MIGRATION).close()

    listened = [c for c in service.asked if c[0] == "HcsSetComputeSystemCallback"]
    assert [4] == [call[2] for call in listened]


@pytest.mark.parametrize(
    ("kind", "document", "model"),
    [
        (1, '{"Status":0}', documents.SystemExitStatus),
        (2, '{"SystemId":"x"}', documents.CrashReport),
        (3, '{"SystemId":"x"}', documents.CrashReport),
        (0x00010000, '{"ProcessId":1}', documents.ProcessStatus),
        (0x80000003, "{}", documents.OperationSystemMigrationNotificationInfo),
        (0xC0000001, "{}", documents.OperationInfo),
    ],
)
def test_events_have_models(
    kind: int, document: str, model: type[documents.Document]
) -> None:
    """
    Every kind of event that brings a document gives it as its model.
    """
    event = event_of(Event(kind, 0, document))

    assert isinstance(event.data, model)


@pytest.mark.parametrize("kind", [4, 5, 6, 0x01000000, 0x02000000, 0x80000002, 77])
def test_events_without_models(kind: int) -> None:
    """
    The others have none; a kind that is not known stays a number.
    """
    event: SystemEvent = event_of(Event(kind, 0, None))

    assert event.data is None
    assert kind == event.type


def test_members_newer_than_the_host(service: ScriptedService) -> None:
    """
    A typed document is held against the host before it is sent; text is not.
    """
    basic = {
        "SupportedSchemaVersions": [{"Major": 2, "Minor": 1}],
        "EmbeddedHost": {"Version": "10.0.17763"},
    }
    service.script(SERVICE_PROPERTIES, 0, {"Properties": [basic]})
    query = documents.PropertyQuery(queries={"Statistics": None})
    with ComputeSystem.open("demo", service=service) as system:
        service.names()
        with pytest.raises(
            NotSupportedError, match=r"'Queries' came with schema 2\.5.*17763.*2\.1"
        ):
            system.properties(query=query)
        assert [SERVICE_PROPERTIES] == service.names()

        service.script(PROPERTIES, 0, "{}")
        system.properties(query=documents.dumps(query))
        system_document = documents.ComputeSystem(
            container=documents.Container(
                mapped_directories=(
                    documents.MappedDirectory(
                        host_path="a", container_path="b", support_cloud_files=True
                    ),
                )
            )
        )
        with pytest.raises(NotSupportedError, match="SupportCloudFiles"):
            ComputeSystem.create("x", system_document, service=service)
        assert [PROPERTIES] == service.names()


@pytest.mark.linux
def test_old_hosts_do_not_know_the_question(service: ScriptedService) -> None:
    """
    A host that refuses the question is of the first generation with documents.
    """
    service.script(SERVICE_PROPERTIES, 0x8037010D)

    known = hcsshim.capabilities(service=service)

    assert known is hcsshim.capabilities(service=service)
    assert "system" == known.provider
    assert known.supports_schema(2, 1)
    assert not known.supports_schema(2, 2)


@pytest.mark.parametrize("error", [AlreadyStoppedError, InvalidStateError])
def test_errors_have_hints(error: type[hcsshim.HcsError]) -> None:
    """
    What people meet often comes with advice.
    """
    assert error(operation="HcsStartComputeSystem").hint


def test_ids_of_another_namespace(service: ScriptedService) -> None:
    """
    Every call that names a system by its id names the namespace as well.
    """
    made = ComputeSystem.create("x", "{}", id_namespace="n", service=service)
    with made:
        made.events().close()
    ComputeSystem.open("x", id_namespace="n", service=service).close()
    service.script("HcsEnumerateComputeSystemsInNamespace", 0, "[]")
    assert () == hcsshim.enumerate_systems(id_namespace="n", service=service)

    named = [call for call in service.asked if str(call[0]).endswith("InNamespace")]
    assert [
        ("HcsCreateComputeSystemInNamespace", "n", "x"),
        ("HcsOpenComputeSystemInNamespace", "n", "x"),
        ("HcsOpenComputeSystemInNamespace", "n", "x"),
        ("HcsEnumerateComputeSystemsInNamespace", "n", None),
    ] == [call[:3] for call in named]
    assert not [c for c in service.asked if c[0] == "HcsOpenComputeSystem"]


def test_events_of_a_process(service: ScriptedService, system: ComputeSystem) -> None:
    """
    A process is listened to through a handle of its own; its exit is the last event.
    """
    service.script("HcsCreateProcess", 0, None, process_id=7)
    with system.create_process(["x"], stdin=False) as process:
        service.names()
        stream = process.events()
        assert ["HcsOpenProcess", "HcsSetProcessCallback"] == service.names()
        service.subscriptions[-1].events += [
            Event(77, 0, None),
            Event(0x00010000, 0, '{"ProcessId":7,"Exited":true,"ExitCode":3}'),
            Event(78, 0, None),
        ]
        kinds = [event.type for event in stream]
        stream.close()
        assert [77, 0x00010000] == kinds
        assert service.subscriptions[-1].closed
        assert "HcsCloseProcess" in service.names()


def test_listening_to_a_process_that_is_gone(
    service: ScriptedService, system: ComputeSystem
) -> None:
    """
    Nothing of the attempt is left.
    """
    with system.create_process(["x"], stdin=False) as process:
        service.script("HcsOpenProcess", 0x80070490)
        with pytest.raises(hcsshim.ProcessGoneError):
            process.events()
        assert service.subscriptions[-1].closed
        assert "HcsCloseProcess" == service.names()[-1]
