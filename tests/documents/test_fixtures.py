"""Documents met in the wild: each is recognised, read, and written back whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hcsshim import documents
from hcsshim.documents import v1

FIXTURES = Path(__file__).parents[1] / "fixtures" / "hcs"

#: What a file is, by the beginning of its name; the longest one counts.
KINDS: dict[str, type[documents.Document]] = {
    "answer-enumerate": v1.ContainerProperties,
    "answer-v1": v1.ContainerProperties,
    "create-v1": v1.ContainerConfig,
    "create-v2": documents.ComputeSystem,
    "event-process": documents.ProcessStatus,
    "event-system": documents.SystemExitStatus,
    "modify-v2": documents.ModifySettingRequest,
    "process-v1": v1.ProcessConfig,
    "process-v2": documents.ProcessParameters,
    "query-service": documents.ServicePropertyQuery,
    "query-v2": documents.PropertyQuery,
    "result": documents.ResultError,
}

#: Files that are no HCS documents: printed text, derivations, and networks.
OTHERS = (
    "go-message",
    "hcsdiag",
    "eventlog",
    "runtime-id",
    "name-to-guid",
    "hns",
    "hcn",
)

FILES = sorted(p for p in FIXTURES.glob("*.json") if not p.name.startswith(OTHERS))


def kind_of(path: Path) -> type[documents.Document]:
    """Find the class for a file."""
    return next(cls for start, cls in KINDS.items() if path.name.startswith(start))


def contains(outer: object, inner: object) -> bool:
    """Tell whether all of a JSON value is in another, which may have more members."""
    if isinstance(inner, dict) and isinstance(outer, dict):
        return all(k in outer and contains(outer[k], v) for k, v in inner.items())
    if isinstance(inner, list) and isinstance(outer, list):
        return len(inner) == len(outer) and all(map(contains, outer, inner))
    return type(outer) is type(inner) and outer == inner


def read(name: str) -> str:
    """Read one file."""
    return (FIXTURES / f"{name}.json").read_text(encoding="utf-8")


def test_every_file_has_a_kind() -> None:
    """No file is passed over."""
    assert len(FILES) == 28
    assert all(kind_of(path) for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_lost(path: Path) -> None:
    """All members come back with their values, types, and spelling."""
    text = path.read_text(encoding="utf-8")
    cls = kind_of(path)

    if text.lstrip().startswith("["):
        again = documents.dumps_list(documents.loads_list(cls, text))
    else:
        again = documents.dumps(documents.loads(cls, text))

    assert contains(json.loads(again), json.loads(text))


@pytest.mark.parametrize(
    "path", [p for p in FILES if "-v2-" in p.name], ids=lambda path: path.stem
)
def test_schema_2_adds_nothing(path: Path) -> None:
    """A document of schema 2 is written exactly as it was, empty values included."""
    text = path.read_text(encoding="utf-8")

    again = documents.dumps(documents.loads(kind_of(path), text))

    assert json.loads(text) == json.loads(again)


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.stem != "answer-enumerate-vms"], ids=lambda p: p.stem
)
def test_writing_is_stable(path: Path) -> None:
    """What was written once is written the same again."""
    cls = kind_of(path)
    written = documents.dumps(documents.loads(cls, path.read_text(encoding="utf-8")))

    document = documents.loads(cls, written)

    assert written == documents.dumps(document)
    assert document == documents.loads(cls, written)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_mark_of_the_encoding_is_no_part_of_a_document(path: Path) -> None:
    """Windows' own tools begin files with one; the document is the same."""
    text = path.read_text(encoding="utf-8")
    read = documents.loads_list if text.lstrip()[0] == "[" else documents.loads

    assert read(kind_of(path), text) == read(kind_of(path), f"\ufeff{text}")


def test_legacy_fields_are_kept() -> None:
    """Members that newer schemas dropped are found in ``extra`` and sent on."""
    config = documents.loads(
        v1.ContainerConfig, read("create-v1-hyperv-2016-legacy-fields")
    )

    assert config.extra == {
        "IsDummy": False,
        "SandboxPath": "C:\\ProgramData\\docker\\windowsfilter",
    }
    assert config.volume_path == ""
    assert config.hv_partition is True


def test_lower_case_system_type_is_accepted() -> None:
    """Old clients write ``container``; its spelling is kept."""
    config = documents.loads(v1.ContainerConfig, read("create-v1-lcow-initrd"))

    assert config.system_type == "container"
    assert documents.SystemType(config.system_type) is documents.SystemType.CONTAINER


def test_statistics_are_exact() -> None:
    """Times and durations are Python types and lose no digit."""
    answer = documents.loads(v1.ContainerProperties, read("answer-v1-statistics"))
    statistics = answer.statistics

    assert statistics is not None
    assert statistics.timestamp is not None
    assert statistics.timestamp.isoformat() == "2019-10-25T22:16:38.995566+00:00"
    assert statistics.uptime is not None
    assert statistics.uptime.total_seconds() == pytest.approx(1116.8781158, abs=1e-6)
    assert statistics.processor is not None
    assert statistics.processor.total_runtime is not None
    assert statistics.processor.total_runtime.total_seconds() == 2.65625


def test_enumeration_is_a_list() -> None:
    """The answer to an enumeration is a list; ids keep their case."""
    systems = documents.loads_list(v1.ContainerProperties, read("answer-enumerate-vms"))

    assert [s.id for s in systems] == [
        "01a59faf-4560-4e6a-85e4-2439d07c32f4",
        "03B99341-EFEA-4FA2-B706-73061721D61D",
    ]
    assert [s.state for s in systems] == ["SavedAsTemplate", "Running"]


def test_map_keys_are_free_text() -> None:
    """Controllers may have any name, with spaces too."""
    system = documents.loads(documents.ComputeSystem, read("create-v2-vm-scsi-boot"))

    assert system.virtual_machine is not None
    assert system.virtual_machine.devices is not None
    disk = system.virtual_machine.devices.scsi["boot disk"].attachments["0"]
    assert disk.type is documents.AttachmentType.VIRTUAL_DISK
    assert disk.path == "c:\\vm\\system.vhdx"


def test_settings_may_be_a_number() -> None:
    """The settings of a change have no fixed type."""
    request = documents.loads(
        documents.ModifySettingRequest, read("modify-v2-memory-update")
    )

    assert request.settings == 2048
    assert request.request_type is documents.RequestType.UPDATE
