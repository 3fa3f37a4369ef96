"""
Property queries of both generations, and their answers.

A query names types in ``PropertyTypes``, or, since schema 2.5, has an object per
name in ``Queries``, which is answered per name in ``PropertyResponses``.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timedelta, timezone
from time import monotonic, time
from typing import TYPE_CHECKING

from hcsshim.documents.identity import runtime_id
from hcsshim.host.fields import JSON, Fields
from hcsshim.host.played import knows_feature, schema_versions, version
from hcsshim.host.results import Refusal, refuse, refuse_document
from hcsshim.host.systems.lifecycle import State, public_name
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hcsshim.host.silos.port import ProcessStatistics
    from hcsshim.host.systems.systems import System

    Members = dict[str, JSON]
    Reader = Callable[[System], Members]

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_HUNDRED_NANOSECONDS = 10_000_000

#: Types that HCS knows, but only virtual machines have.
_OF_VIRTUAL_MACHINES = frozenset(
    (
        "memory",
        "guestmemory",
        "sharedmemoryregion",
        "containercredentialguard",
        "guestconnection",
        "icheartbeatstatus",
        "processortopology",
        "cpugroup",
        "compatibilityinfo",
    )
)


def timestamp(seconds: float) -> str:
    """Write a time as HCS does: UTC with seven digits of fraction."""
    moment = _EPOCH + timedelta(microseconds=round(seconds * 1_000_000))
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond:06d}0Z"


def ticks(seconds: float) -> int:
    """Give a duration in units of 100 ns."""
    return round(seconds * _HUNDRED_NANOSECONDS)


def basic(system: System) -> Members:
    """Give what every answer says about a system."""
    members: Members = {
        "Id": system.id,
        "SystemType": "Container",
        "RuntimeOsType": "Windows" if sys.platform == "win32" else "Linux",
        "RuntimeId": runtime_id(system.id),
        "State": public_name(system.state),
    }
    if system.configuration.owner:
        members["Owner"] = system.configuration.owner
    if system.configuration.name:
        members["Name"] = system.configuration.name
    if system.exit is not None:
        members["Stopped"] = True
        members["ExitType"] = system.exit.kind
    return members


def _require_alive(system: System) -> None:
    if system.state is State.STOPPED:
        raise refuse(HResult.HCS_E_SYSTEM_ALREADY_STOPPED)


def _statistics(system: System) -> Members:
    _require_alive(system)
    used = system.silo.statistics()
    memory: Members = {
        "MemoryUsageCommitBytes": used.memory,
        "MemoryUsagePrivateWorkingSetBytes": used.memory,
    }
    if used.memory_peak is not None:
        memory["MemoryUsageCommitPeakBytes"] = used.memory_peak
    storage: Members = {
        name: value
        for name, value in (
            ("ReadCountNormalized", used.read_count),
            ("ReadSizeBytes", used.read_bytes),
            ("WriteCountNormalized", used.write_count),
            ("WriteSizeBytes", used.write_bytes),
        )
        if value is not None
    }
    started = system.started_monotonic
    return {
        "Timestamp": timestamp(time()),
        "ContainerStartTime": timestamp(system.started_at),
        "Uptime100ns": ticks(monotonic() - started) if started else 0,
        "Processor": {
            "TotalRuntime100ns": ticks(used.cpu_total),
            "RuntimeUser100ns": ticks(used.cpu_user),
            "RuntimeKernel100ns": ticks(used.cpu_kernel),
        },
        "Memory": memory,
        "Storage": storage,
    }


def _process(process: ProcessStatistics) -> Members:
    return {
        "ProcessId": process.pid,
        "ImageName": process.image,
        "CreateTimestamp": timestamp(process.started),
        "UserTime100ns": ticks(process.cpu_user),
        "KernelTime100ns": ticks(process.cpu_kernel),
        "MemoryCommitBytes": process.memory,
        "MemoryWorkingSetPrivateBytes": process.memory,
        "MemoryWorkingSetSharedBytes": 0,
    }


def _process_list(system: System) -> list[JSON]:
    _require_alive(system)
    return [_process(process) for process in system.silo.processes()]


def _mapped_directories(system: System) -> list[JSON]:
    _require_alive(system)
    return [
        {
            "HostPath": str(directory.source),
            "ContainerPath": directory.target,
            "ReadOnly": directory.read_only,
        }
        for directory in system.mapped_directories.values()
    ]


#: What a property type adds to an answer, by its name in lower case.
_READERS: dict[str, Reader] = {
    "basic": lambda _: {},
    "statistics": lambda system: {"Statistics": _statistics(system)},
    "processlist": lambda system: {"ProcessList": _process_list(system)},
    "terminateonlasthandleclosed": lambda system: {
        "TerminateOnLastHandleClosed": system.configuration.terminate_on_last_close
    },
    "systemguid": lambda system: {"SystemGUID": runtime_id(system.id)},
    # Of schema 1; only machines have disks.
    "mappedvirtualdisk": lambda _: {"MappedVirtualDiskControllers": {}},
    # Ours; Windows has no such question.
    "mappeddirectory": lambda system: {
        "MappedDirectories": _mapped_directories(system)
    },
}


def _of_type(system: System, name: str) -> Members:
    """Give the members that a property type adds to an answer."""
    reader = _READERS.get(name.lower())
    if reader is not None:
        return reader(system)
    if name.lower() in _OF_VIRTUAL_MACHINES:
        raise refuse(
            HResult.ERROR_NOT_SUPPORTED, f"A container has no property '{name}'."
        )
    raise refuse_document("Invalid value for field", f"PropertyTypes.{name}")


def _respond(system: System, name: str) -> Members:
    """Answer one of the named queries: with its result, or its own error."""
    try:
        members = basic(system) if name.lower() == "basic" else _of_type(system, name)
    except Refusal as refusal:
        return {"Error": json.loads(refusal.document)}
    only = next(iter(members.values())) if len(members) == 1 else members
    return {"Response": only}


def answer(system: System, query: str | None) -> str:
    """
    Answer a property query about one system.

    Raises:
        Refusal: The query is malformed, or asks for what no container has.
    """
    fields = Fields.parse_optional(query)
    named = ("Queries",) if knows_feature("NamedQueries") else ()
    fields.only(("PropertyTypes", *named))
    members = basic(system)
    for name in fields.texts("PropertyTypes"):
        members.update(_of_type(system, name))
    if "Queries" in fields:
        queries = fields.value("Queries")
        if not isinstance(queries, dict):
            fields.refuse("Queries")
        members["PropertyResponses"] = {
            name: _respond(system, name) for name in queries
        }
    return _encode(members)


def enumerate_systems(systems: Iterable[System], query: str | None) -> str:
    """
    Answer a query for systems; every list that it has must match.

    Raises:
        Refusal: The query is malformed.
    """
    fields = Fields.parse_optional(query)
    fields.only(("Ids", "Names", "Types", "Owners"))
    wanted = {
        member: {text.lower() for text in fields.texts(name)}
        for name, member in (
            ("Ids", "Id"),
            ("Names", "Name"),
            ("Types", "SystemType"),
            ("Owners", "Owner"),
        )
        if fields.value(name)
    }
    found: list[JSON] = []
    for system in systems:
        members = basic(system)
        if all(
            str(members.get(member, "")).lower() in texts
            for member, texts in wanted.items()
        ):
            found.append(members)
    return _encode(found)


def _topology() -> Members:
    """Describe the processors as the kernel's files tell."""
    processors: list[JSON] = []
    for index in range(os.cpu_count() or 1):
        folder = f"/sys/devices/system/cpu/cpu{index}/topology"
        processors.append(
            {
                "LpIndex": index,
                "NodeNumber": 0,
                "PackageId": _read_number(f"{folder}/physical_package_id"),
                "CoreId": _read_number(f"{folder}/core_id"),
                "RootVpIndex": index,
            }
        )
    return {"LogicalProcessorCount": len(processors), "LogicalProcessors": processors}


def _read_number(path: str) -> int:
    try:
        with open(path, encoding="ascii") as file:
            return max(int(file.read()), 0)
    except (OSError, ValueError):
        return 0


def _basic_of_service() -> Members:
    versions: list[JSON] = [
        {"Major": major, "Minor": minor} if minor else {"Major": major}
        for major, minor in schema_versions()
    ]
    return {
        "SupportedSchemaVersions": versions,
        "EmbeddedHost": {"Version": str(version())},
    }


def answer_service(query: str | None) -> str:
    """
    Answer a property query about the service.

    Raises:
        Refusal: The query is malformed, or asks for what this host has not.
    """
    fields = Fields.parse_optional(query)
    named = ("PropertyQueries",) if knows_feature("NamedQueries") else ()
    fields.only(("PropertyTypes", *named))
    queries = fields.child("PropertyQueries").names if named else ()
    types = fields.texts("PropertyTypes") or (() if queries else ("Basic",))
    found: list[JSON] = [_of_service(name, "PropertyTypes") for name in types]
    members: Members = {"Properties": found}
    if queries:
        members["PropertyResponses"] = {name: _respond_of(name) for name in queries}
    return _encode(members)


def _respond_of(name: str) -> Members:
    """Answer one of the named queries: with its result, or its own error."""
    try:
        return {"Response": _of_service(name, "PropertyQueries")}
    except Refusal as refusal:
        return {"Error": json.loads(refusal.document)}


def _of_service(name: str, field: str) -> Members:
    """Answer one question about the service."""
    key = name.lower()
    if key == "basic":
        return _basic_of_service()
    if key == "processortopology":
        return _topology()
    if key in _NOT_OF_THIS_SERVICE:
        raise refuse(HResult.ERROR_NOT_SUPPORTED, f"The embedded host has no '{name}'.")
    raise refuse_document("Invalid value for field", f"{field}.{name}")


#: Questions that HCS knows, and that this host has no answer to.
_NOT_OF_THIS_SERVICE = frozenset(
    (
        "cpugroup",
        "containercredentialguard",
        "memory",
        "qoscapabilities",
        "processorcapabilities",
    )
)
