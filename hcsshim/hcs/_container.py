"""From Python's way to say what a container is to the document of HCS."""

from __future__ import annotations

import os

from hcsshim.hcs._calls import write

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from hcsshim.documents import Layer, MappedDirectory

    StrPath: TypeAlias = str | os.PathLike[str]

    #: A directory of the host in the container: source and target, a third item
    #: that is true makes it read-only; or the document's own model.
    Mount: TypeAlias = tuple[StrPath, str] | tuple[StrPath, str, bool] | MappedDirectory

#: The whole machine, in the unit of a container's share of its processors.
_ALL_PROCESSORS = 10_000


def container_document(  # noqa: PLR0913 - what a container can be given
    *,
    layers: Sequence[StrPath | Layer] = (),
    scratch: StrPath | None = None,
    hostname: str | None = None,
    mounts: Sequence[Mount] = (),
    memory_in_mb: int | None = None,
    cpus: float | None = None,
    owner: str = "hcsshim",
    keep: bool = False,
) -> str:
    """
    Write the document of a container, to be given to ``ComputeSystem.create``.

    Args:
        layers: Directories of its file system, topmost first, as HCS orders them.
        scratch: Directory for what it writes; by default the provider's choice.
        hostname: By default the provider's choice.
        mounts: Directories of the host that it sees.
        memory_in_mb: Limit; by default none.
        cpus: How many processors' worth of time it may use; by default no limit.
        owner: Whose it is, for ``enumerate_systems(owners=...)``.
        keep: Whether it lives on when nobody has it open.

    Raises:
        ValueError: A limit is not positive.

    Source:
        ``ComputeSystem`` and ``Container`` of the HCS schema, 2.1.
    """
    container: dict[str, object] = {}
    if hostname is not None:
        container["GuestOs"] = {"HostName": hostname}
    storage: dict[str, object] = {}
    if layers:
        storage["Layers"] = [_layer(layer) for layer in layers]
    if scratch is not None:
        storage["Path"] = os.fspath(scratch)
    if storage:
        container["Storage"] = storage
    if mounts:
        container["MappedDirectories"] = [_mount(mount) for mount in mounts]
    if memory_in_mb is not None:
        container["Memory"] = {"SizeInMB": _positive(memory_in_mb, "memory_in_mb")}
    if cpus is not None:
        share = _positive(cpus, "cpus") / (os.cpu_count() or 1) * _ALL_PROCESSORS
        share = max(1, min(_ALL_PROCESSORS, round(share)))
        container["Processor"] = {"Maximum": share}
    return write(
        {
            "Owner": owner,
            "SchemaVersion": {"Major": 2, "Minor": 1},
            "ShouldTerminateOnLastHandleClosed": not keep,
            "Container": container,
        }
    )


def _positive(value: float, name: str) -> float:
    if not value > 0:
        raise ValueError(f"{name} must be positive, got {value!r}")
    return value


def _layer(layer: StrPath | Layer) -> object:
    if not isinstance(layer, (str, os.PathLike)):
        return layer
    from uuid import NAMESPACE_URL, uuid5  # noqa: PLC0415 - keeps the import light

    path = os.path.abspath(os.fspath(layer))  # noqa: PTH100 - text stays text
    # Any stable id will do: only the layers of one system are told apart by it.
    return {"Id": str(uuid5(NAMESPACE_URL, path)), "Path": path}


def _mount(mount: Mount) -> object:
    if not isinstance(mount, tuple):
        return mount
    source, target, *read_only = mount
    return {
        "HostPath": os.path.abspath(os.fspath(source)),  # noqa: PTH100 - as above
        "ContainerPath": target,
        "ReadOnly": bool(read_only and read_only[0]),
    }
