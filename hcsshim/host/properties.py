"""
Property queries of both generations, and their answers.

A query names types in ``PropertyTypes``, or, since schema 2.5, has an object per
name in ``Queries``, which is answered per name in ``PropertyResponses``.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from time import monotonic, time
from typing import TYPE_CHECKING

from hcsshim.host.fields import JSON, Fields
from hcsshim.host.lifecycle import State, public_name
from hcsshim.host.results import Refusal, refuse, refuse_document
from hcsshim.host.systems import runtime_id
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hcsshim.host.silo import ProcessStatistics
    from hcsshim.host.systems import System

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
        "mappedvirtualdisk",
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
        "RuntimeOsType": "Linux",
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


def _of_type(system: System, name: str) -> Members:
    """Give the members that a property type adds to an answer."""
    key = name.lower()
    if key == "basic":
        return {}
    if key == "statistics":
        return {"Statistics": _statistics(system)}
    if key == "processlist":
        return {"ProcessList": _process_list(system)}
    if key == "terminateonlasthandleclosed":
        flag = system.configuration.terminate_on_last_close
        return {"TerminateOnLastHandleClosed": flag}
    if key == "systemguid":
        return {"SystemGUID": runtime_id(system.id)}
    if key in _OF_VIRTUAL_MACHINES:
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
    fields.only(("PropertyTypes", "Queries"))
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


def answer_service(query: str | None) -> str:
    """
    Answer a property query about the service.

    Raises:
        Refusal: The query is malformed, or asks for what this host has not.
    """
    fields = Fields.parse_optional(query)
    fields.only(("PropertyTypes",))
    found: list[JSON] = []
    for name in fields.texts("PropertyTypes") or ("Basic",):
        key = name.lower()
        if key == "basic":
            versions: list[JSON] = [{"Major": 1}, {"Major": 2, "Minor": 5}]
            found.append({"SupportedSchemaVersions": versions})
        elif key == "processortopology":
            found.append(_topology())
        elif key in (
            "cpugroup",
            "containercredentialguard",
            "memory",
            "qoscapabilities",
        ):
            raise refuse(
                HResult.ERROR_NOT_SUPPORTED, f"The embedded host has no '{name}'."
            )
        else:
            fields.refuse("PropertyTypes")
    return _encode({"Properties": found})
