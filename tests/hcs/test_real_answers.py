"""What the embedded host really tells and changes, and what it refuses as Windows."""

from __future__ import annotations

import os
import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import hcsshim
from hcsshim import (
    AlreadyExistsError,
    AlreadyStoppedError,
    ComputeSystem,
    HcsError,
    HResult,
    InvalidDataError,
    NotFoundError,
    NotSupportedError,
    container_document,
    documents,
)
from hcsshim._native import host_process
from hcsshim._native.service import NativeService
from hcsshim.documents import v1

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import PrivateHost

pytestmark = pytest.mark.host

_ids = count()
_MEGABYTE = 1024 * 1024


def new_id() -> str:
    """Make an id that no other test uses."""
    return f"answers-{os.getpid()}-{next(_ids)}"


@pytest.fixture
def system(host: PrivateHost) -> Iterator[ComputeSystem]:
    """A running system over the machine's own root."""
    del host
    with ComputeSystem.create(new_id(), container_document()) as made:
        made.start()
        yield made
        made.terminate()


def output(system: ComputeSystem, *command: str) -> bytes:
    """Run a command in the system and give what it wrote."""
    with system.create_process(list(command), stderr=False) as process:
        return process.communicate(timeout=60)[0] or b""


def add(system: ComputeSystem, source: Path, *, read_only: bool = False) -> None:
    """Show a directory of the machine in the running system."""
    system.modify(
        documents.ModifySettingRequest(
            resource_path="Container/MappedDirectories",
            request_type="Add",
            settings=documents.MappedDirectory(
                host_path=str(source), container_path="/mnt/hot", read_only=read_only
            ),
        )
    )


def remove(system: ComputeSystem) -> None:
    """Take it away again."""
    system.modify(
        {
            "ResourcePath": "Container/MappedDirectories",
            "RequestType": "Remove",
            "Settings": {"ContainerPath": "/mnt/hot"},
        }
    )


def test_directories_come_and_go(system: ComputeSystem, tmp_path: Path) -> None:
    """
    A directory that is added is seen, listed, and written to; removed it is gone.
    """
    (tmp_path / "file").write_text("hello")
    assert () == system.mapped_directories()

    add(system, tmp_path)

    assert b"hello" == output(system, "cat", "/mnt/hot/file")
    (listed,) = system.mapped_directories()
    assert (str(tmp_path), "/mnt/hot") == (listed.host_path, listed.container_path)
    output(system, "touch", "/mnt/hot/new")
    with pytest.raises(AlreadyExistsError, match="/mnt/hot"):
        add(system, tmp_path)
    assert (tmp_path / "new").exists()
    remove(system)
    assert () == system.mapped_directories()
    with pytest.raises(NotFoundError, match="/proc"):
        system.modify(
            {
                "ResourcePath": "Container/MappedDirectories",
                "RequestType": "Remove",
                "Settings": {"ContainerPath": "/proc"},
            }
        )
    assert b"" == output(system, "sh", "-c", "cat /mnt/hot/file 2>/dev/null")
    with pytest.raises(NotFoundError):
        remove(system)


def test_read_only_directory(system: ComputeSystem, tmp_path: Path) -> None:
    """
    What was added for reading cannot be written to.
    """
    add(system, tmp_path, read_only=True)

    said = output(system, "sh", "-c", "touch /mnt/hot/x 2>/dev/null || echo refused")

    assert b"refused\n" == said
    assert system.mapped_directories()[0].read_only


def test_directory_that_is_not_there(system: ComputeSystem, tmp_path: Path) -> None:
    """
    A source that the machine has not is refused, and nothing is listed.
    """
    with pytest.raises(NotFoundError, match="missing"):
        add(system, tmp_path / "missing")

    assert () == system.mapped_directories()


def limits_of(host: PrivateHost) -> set[int]:
    """Collect the memory limits of all cgroups that the host made."""
    found = set()
    for folder, _, files in os.walk("/sys/fs/cgroup"):
        if f"hcsshim-{host.pid}-" not in folder:
            continue
        for name in {"memory.max", "memory.limit_in_bytes"} & set(files):
            text = Path(folder, name).read_text(encoding="ascii").strip()
            if text.isdigit():
                found.add(int(text))
    return found


@pytest.mark.parametrize("megabytes", [96, 160])
def test_memory_of_a_running_system(
    host: PrivateHost, system: ComputeSystem, megabytes: int
) -> None:
    """
    The kernel has the new limit at once; a user without cgroups is refused.
    """
    request = documents.ModifySettingRequest(
        resource_path="Container/Memory/SizeInMB",
        request_type="Update",
        settings=megabytes,
    )
    if os.geteuid() != 0:  # who may or may not have cgroups
        try:
            system.modify(request)
        except HcsError:
            return
    system.modify(request)
    assert megabytes * _MEGABYTE in limits_of(host)


def test_processors_of_a_running_system(system: ComputeSystem) -> None:
    """
    A share can be changed, as often as one likes; a wrong one is refused.
    """
    path = "Container/Processor"
    try:
        for share in (5000, 10000):
            system.modify({"ResourcePath": path, "Settings": {"Maximum": share}})
    except HcsError as error:
        if not isinstance(error, InvalidDataError) and os.geteuid() != 0:
            return  # no cgroups for an ordinary user
        raise
    with pytest.raises(InvalidDataError, match="Maximum"):
        system.modify({"ResourcePath": path, "Settings": {"Maximum": 10001}})


def test_statistics_are_real(system: ComputeSystem) -> None:
    """
    Work done inside shows in processor time, memory and the list of processes.
    """
    before = system.stats()
    busy = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; read line"
    with system.create_process(["sh", "-c", f"{busy} && echo no"]) as process:
        names = {item.image_name for item in system.process_list()}
        assert "sh" in names
        assert process.pid in {item.process_id for item in system.process_list()}
        assert system.stats().memory_bytes
        process.communicate(b"\n", timeout=60)
    after = system.stats()
    assert after.uptime is not None
    assert before.uptime is not None
    assert after.uptime > before.uptime
    with system.create_process(["sh", "-c", busy]) as process:
        rates = next(system.watch_stats(interval=0.05))
        assert rates.stats.cpu_total >= before.cpu_total
        process.communicate(b"\n", timeout=60)


def test_events_of_a_process(system: ComputeSystem) -> None:
    """
    Who listens to a process learns of its exit, and how it ended.
    """
    with system.create_process(["sh", "-c", "read x; exit 7"]) as process:
        with process.events() as stream:
            process.communicate(b"\n", timeout=60)
            (event,) = list(stream)
        assert isinstance(event.data, documents.ProcessStatus)
        assert 7 == event.data.returncode


def test_statistics_of_all(system: ComputeSystem) -> None:
    """
    The sweep has every running system, those that only exist included.
    """
    with ComputeSystem.create(new_id(), container_document()) as created:
        found = {stats.id for stats in hcsshim.stats_all()}
        some = hcsshim.stats_all([system.id, "nobody"])
        created.terminate()

    assert {system.id, created.id} <= found
    assert [system.id] == [stats.id for stats in some]


def test_questions_of_schema_1(system: ComputeSystem) -> None:
    """
    The old questions are answered, too.
    """
    answer = system.properties_v1(v1.PropertyType.STATISTICS, "ProcessList")

    assert answer.statistics is not None
    assert system.id == answer.id
    assert {} == dict(system.mapped_virtual_disks())


def test_named_questions(system: ComputeSystem) -> None:
    """
    The questions of schema 2.5: an answer each, or an error of its own.
    """
    answer = system.query("Statistics")
    assert isinstance(answer, dict)
    assert "Processor" in answer
    with pytest.raises(NotSupportedError, match="CompatibilityInfo"):
        system.query("CompatibilityInfo")
    service = hcsshim.service_properties(
        query={"PropertyQueries": {"Basic": {}, "ProcessorCapabilities": {}}}
    )
    assert service.property_responses["Basic"].response
    assert service.property_responses["ProcessorCapabilities"].error is not None


def test_nothing_is_told_after_the_end(host: PrivateHost) -> None:
    """
    A system that has ended has used nothing that anybody knows.
    """
    del host
    with ComputeSystem.create(new_id(), container_document()) as system:
        system.start()
        system.terminate()
        with pytest.raises(AlreadyStoppedError):
            system.stats()
        assert [] == list(system.watch_stats(interval=0.01))


def test_operations_for_real(system: ComputeSystem) -> None:
    """
    A shutdown that is cancelled is not waited for any more, and still happens.
    """
    with system.create_process(["sh", "-c", "trap '' TERM; echo; read x"]) as process:
        assert process.stdout is not None
        process.stdout.readline()
        operation = system.begin("shutdown")
        assert not operation.done
        assert operation.cancel()
        with pytest.raises(hcsshim.OperationCancelledError):
            operation.result(timeout=60)
        assert operation.done
    system.terminate()


VM_CALLS = [
    lambda system: system.crash(),
    lambda system: system.initialize_live_migration(),
    lambda system: system.start_live_migration(),
    lambda system: system.start_live_migration_transfer(),
    lambda system: system.finalize_live_migration(),
    lambda system: system.cancel_live_migration(),
]


@pytest.mark.parametrize("call", VM_CALLS)
def test_what_only_machines_do(system: ComputeSystem, call: object) -> None:
    """
    A container is not configured for what needs a virtual machine.
    """
    assert callable(call)
    with pytest.raises(NotSupportedError, match="is a container") as caught:
        call(system)

    expected = HResult.HCS_E_SYSTEM_NOT_CONFIGURED_FOR_OPERATION
    assert expected == caught.value.code


@pytest.mark.usefixtures("host")
def test_files_of_machines(tmp_path: Path) -> None:
    """
    The files are looked for first, then the hypervisor, which is not there.
    """
    disk = tmp_path / "disk.vhdx"
    disk.touch()
    for call in (hcsshim.grant_vm_access, hcsshim.revoke_vm_access):
        with pytest.raises(NotFoundError):
            call("vm", tmp_path / "missing")
        with pytest.raises(NotSupportedError, match="no virtual machines"):
            call("vm", disk)
    for group in (hcsshim.grant_vm_group_access, hcsshim.revoke_vm_group_access):
        with pytest.raises(NotSupportedError):
            group(disk)
    for make in (hcsshim.create_guest_state_file, hcsshim.create_runtime_state_file):
        with pytest.raises(NotFoundError):
            make(tmp_path / "missing" / "state")
        with pytest.raises(NotSupportedError):
            make(tmp_path / "state")
    with pytest.raises(NotSupportedError):
        hcsshim.processor_compatibility(disk)
    assert [disk] == list(tmp_path.iterdir())


@pytest.mark.usefixtures("host")
def test_there_is_one_namespace_of_ids() -> None:
    """
    Another one than the usual is refused, whoever asks for it.
    """
    for call in (
        lambda: hcsshim.enumerate_systems(id_namespace="other"),
        lambda: ComputeSystem.open("x", id_namespace="other"),
        lambda: ComputeSystem.create("x", {}, id_namespace="other"),
    ):
        with pytest.raises(NotSupportedError, match="namespaces"):
            call()


@pytest.mark.usefixtures("host")
def test_settings_of_the_service() -> None:
    """
    A setting that HCS has and this host has not is refused otherwise than nonsense.
    """
    with pytest.raises(NotSupportedError) as caught:
        hcsshim.create_cpu_group("g", [0])
    assert HResult.HCS_E_HYPERV_NOT_INSTALLED == caught.value.code
    with pytest.raises(NotSupportedError):
        hcsshim.add_credential_guard("web", '{"secret":"hunter2"}')
    with pytest.raises(InvalidDataError, match="PropertyType"):
        hcsshim.modify_service({"PropertyType": "Nonsense"})
    with pytest.raises(NotSupportedError, match="Error Reporting"):
        hcsshim.submit_crash_report(documents.CrashReport(system_id="x"))
    assert hcsshim.processor_topology().logical_processor_count == os.cpu_count()


@pytest.fixture
def played(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NativeService]:
    """A host of its own that plays the build of the test's parameter."""
    folder = Path(tempfile.mkdtemp(prefix="hcsshim-", dir="/tmp"))
    monkeypatch.setenv(host_process.SOCKET_VARIABLE, str(folder / "run" / "host.sock"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("HCSSHIM_HOST_BUILD", request.param)
    from conftest import PrivateHost

    private = PrivateHost(folder)
    host_process.ensure_running()
    service = NativeService(private.path)
    yield service
    service.close()
    private.stop()
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("played", "build", "schema"),
    [
        ("17763", 17763, (2, 1)),
        ("LTSC2022", 20348, (2, 5)),
        ("10.0.20348.2031", 20348, (2, 5)),
    ],
    indirect=["played"],
)
def test_any_build_is_played(
    played: NativeService, build: int, schema: tuple[int, int]
) -> None:
    """
    The host says which build it is, and what that knows.
    """
    known = hcsshim.capabilities(service=played)

    assert ("embedded", build) == (known.provider, known.build)
    assert schema == known.schema_version
    assert known.supports_schema(*schema)
    assert not known.supports_schema(schema[0], schema[1] + 1)
    assert (build >= 20348) is known.supports("NamedQueries")
    assert known.runs_image(f"10.0.{build}.1")
    assert not known.runs_image("10.0.14393.0")


@pytest.mark.parametrize("played", ["17763"], indirect=True)
def test_an_old_build_refuses_what_is_new(played: NativeService) -> None:
    """
    What came later is refused by the host, and named before by the library.
    """
    later = documents.ComputeSystem(
        schema_version=documents.Version(major=2, minor=5),
        container=documents.Container(),
    )
    with pytest.raises(InvalidDataError, match=r"SchemaVersion\.Minor"):
        ComputeSystem.create(new_id(), documents.dumps(later), service=played)
    (problem,) = hcsshim.capabilities(service=played).problems(later)
    assert "asks for schema 2.5; the host has up to 2.1" == problem.text

    text = container_document()
    with ComputeSystem.create(new_id(), text, service=played) as system:
        with pytest.raises(InvalidDataError, match="Queries"):
            system.query("Statistics")
        with pytest.raises(InvalidDataError, match="ResourcePath"):
            system.modify({"ResourcePath": "Container/Processor", "Settings": {}})
        system.terminate()


@pytest.mark.parametrize("played", ["14393"], indirect=True)
def test_the_oldest_build_has_one_schema(played: NativeService) -> None:
    """
    Documents of schema 2 are not known there; those of schema 1 are.
    """
    with pytest.raises(InvalidDataError, match=r"SchemaVersion\.Major"):
        ComputeSystem.create(new_id(), container_document(), service=played)
    config = v1.ContainerConfig(
        system_type="Container", name="old", terminate_on_last_handle_closed=True
    )
    with ComputeSystem.create(new_id(), config, service=played) as system:
        assert "Created" == system.properties().state
        system.terminate()


def test_a_build_that_there_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    A misspelt build keeps the host from starting, and is named.
    """
    folder = Path(tempfile.mkdtemp(prefix="hcsshim-", dir="/tmp"))
    monkeypatch.setenv(host_process.SOCKET_VARIABLE, str(folder / "run" / "host.sock"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HCSSHIM_HOST_BUILD", "Vista")

    with pytest.raises(HcsError, match="Vista"):
        host_process.ensure_running()
    shutil.rmtree(folder)
