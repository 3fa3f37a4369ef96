"""
Modify requests: what may be changed about a running container.

v2 names it by ``ResourcePath``, v1 by ``ResourceType``; both come to the same here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.host.fields import Fields
from hcsshim.host.paths import container_path
from hcsshim.host.played import knows_feature
from hcsshim.host.results import refuse
from hcsshim.host.systems.configuration import (
    read_cpus,
    read_mapped_directory,
    read_memory,
    read_weight,
)
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from hcsshim.host.systems.systems import System

#: What v1 calls Network; v2 changes networks by their namespaces.
_NETWORK = "network"

#: v1's name of what v2 has a path for.
_V1_PATHS = {
    "mappeddirectory": "container/mappeddirectories",
    "network": _NETWORK,
    "memory": "container/memory/sizeinmb",
    "processor": "container/processor",
}
_UPDATED = ("container/memory/sizeinmb", "container/processor")
_LIMITS = "CpuLimitUpdate"
#: Paths that HCS knows for containers, and this host cannot serve.
_NOT_HERE = frozenset(
    (
        "container/devices/generic",
        "container/mappedpipes",
        "container/registryflushstate",
    )
)


def modify(system: System, text: str | None) -> None:
    """
    Carry out a modify request.

    Raises:
        Refusal: It is malformed, not for containers, or fails on this machine.
    """
    request = Fields.parse(text)
    request.only(
        ("ResourcePath", "ResourceType", "RequestType", "Settings", "GuestRequest")
    )
    path = request.text("ResourcePath").lower().strip("/")
    if not path:
        kind = request.text("ResourceType")
        path = _V1_PATHS.get(kind.lower(), "")
        if not path:
            _refuse_path(request, "ResourceType", kind)
    verb = request.text("RequestType", "Update").lower()
    if path == _NETWORK:
        _modify_network(system, request, verb)
    elif path == "container/mappeddirectories":
        _modify_directories(system, request, verb)
    elif path == "container/memory/sizeinmb" and verb == "update":
        megabytes = Fields({"SizeInMB": request.value("Settings")}, "Settings")
        memory = read_memory(megabytes)
        system.limit(attrs.evolve(system.limits, memory_bytes=memory))
    elif path == "container/processor" and verb == "update" and knows_feature(_LIMITS):
        processor = request.child("Settings")
        system.limit(
            attrs.evolve(
                system.limits,
                cpus=read_cpus(processor),
                cpu_weight=read_weight(processor),
            )
        )
    elif path in _UPDATED and (path != "container/processor" or knows_feature(_LIMITS)):
        request.refuse("RequestType")
    else:
        _refuse_path(request, "ResourcePath", path)


def _modify_network(system: System, request: Fields, verb: str) -> None:
    if verb not in ("add", "remove"):
        request.refuse("RequestType")
    system.change_network(request.text("Settings"), added=verb == "add")


def _refuse_path(request: Fields, field: str, path: str) -> None:
    if path.startswith("virtualmachine/"):
        raise refuse(
            HResult.HCS_E_SYSTEM_NOT_CONFIGURED_FOR_OPERATION,
            f"A container has no '{request.text(field)}'.",
        )
    if path in _NOT_HERE or (field == "ResourceType" and path):
        raise refuse(
            HResult.ERROR_NOT_SUPPORTED,
            f"The embedded host cannot change '{request.text(field)}'.",
        )
    request.refuse(field, "Invalid value for field" if path else "Missing field")


def _modify_directories(system: System, request: Fields, verb: str) -> None:
    settings = request.child("Settings")
    if verb == "add":
        system.map_directory(read_mapped_directory(settings))
    elif verb == "remove":
        target = settings.text("ContainerPath")
        if not target:
            settings.refuse("ContainerPath", "Missing field")
        system.unmap_directory(container_path(target))
    else:
        request.refuse("RequestType")
