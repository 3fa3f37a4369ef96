"""Steps of the layer calls: what several calls make together, and waiting between."""

from __future__ import annotations

import json
import os

from hcsshim.errors import HcsError
from hcsshim.hcs._calls import answer
from hcsshim.hcs._connection import connected
from hcsshim.hcs._timeouts import seconds
from hcsshim.hresult import HResult

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from hcsshim._native.port import Service
    from hcsshim.hcs._drivers import Step

    PathName: TypeAlias = str | os.PathLike[str]

#: What a busy machine answers for a moment when a layer is activated or prepared.
_AGAIN = frozenset((HResult.ERROR_NOT_READY, HResult.ERROR_DEVICE_NOT_CONNECTED))
_MOST_ATTEMPTS = 5
_BETWEEN_SECONDS = 0.1


class Pause:
    """
    A wait for time to pass.

    Args:
        length: In seconds.
    """

    __slots__ = ("length",)

    def __init__(self, length: float) -> None:
        self.length = length

    def block(self) -> None:
        """Wait by blocking."""
        from time import sleep  # noqa: PLC0415 - seldom needed

        sleep(self.length)

    async def arrive(self) -> None:
        """Wait by awaiting."""
        from asyncio import sleep  # noqa: PLC0415 - seldom needed

        await sleep(self.length)


def full(path: PathName) -> str:
    """Write a layer's path as the service wants it: absolute, with no end."""
    return os.path.abspath(path)  # noqa: PTH100 - no pathlib here, it costs time


def full_all(paths: Iterable[PathName]) -> tuple[str, ...]:
    """Write several layers' paths so."""
    return tuple(full(path) for path in paths)


def descriptors(parents: Sequence[PathName]) -> str:
    """Describe parent layers, the nearest first."""
    return json.dumps([{"Path": full(parent)} for parent in parents])


def call(
    service: Service | None,
    operation: str,
    path: str,
    *arguments: str | int | None,
    timeout: float | None = None,
) -> Step[str | None]:
    """
    Make one call and give its answer.

    Args:
        service: Where; by default the process's shared connection.
        operation: The native call.
        path: Of the layer concerned, for error texts.
        arguments: Of the call.
        timeout: Seconds; ``None`` forever.

    Raises:
        HcsError: It failed.
    """
    limit = seconds(timeout, "SYSCALLWATCHER")
    submitted = (service or connected()).submit(operation, *arguments)
    completion = yield from answer(submitted, operation, path, limit)
    return completion.document


def layer_data(
    service: Service | None,
    parents: Sequence[PathName],
    filter_type: str | None = None,
) -> Step[str]:
    """
    Write the ``LayerData`` document of a chain, with the ids of its layers.

    Args:
        service: Where to ask for the ids.
        parents: The layers below, the nearest first.
        filter_type: ``"WCIFS"``, ``"UnionFS"``, or ``None`` for the usual one.
    """
    layers = []
    for parent in parents:
        path = full(parent)
        name = os.path.basename(path)  # noqa: PTH119 - as above
        guid = yield from call(service, "NameToGuid", path, name)
        layers.append({"Id": guid, "Path": path})
    document: dict[str, object] = {
        "SchemaVersion": {"Major": 2, "Minor": 1},
        "Layers": layers,
    }
    if filter_type is not None:
        document["FilterType"] = filter_type
    return json.dumps(document)


def mount(service: Service | None, path: str, parents: str) -> Step[str]:
    """
    Activate and prepare a layer, and undo that if it fails.

    Both are tried again a few times while the machine is not ready.

    Returns:
        Where the layer is seen.

    Source:
        The retries of ``MountWCOWLayers`` in the original library.
    """
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        try:
            return (yield from _mount_once(service, path, parents))
        except HcsError as error:
            if error.hresult not in _AGAIN or attempt == _MOST_ATTEMPTS:
                raise
        yield Pause(_BETWEEN_SECONDS)
    raise AssertionError("the last attempt raises")


def _mount_once(service: Service | None, path: str, parents: str) -> Step[str]:
    yield from call(service, "ActivateLayer", path, path)
    prepared = False
    try:
        yield from call(service, "PrepareLayer", path, path, parents)
        prepared = True
        return (yield from call(service, "GetLayerMountPath", path, path)) or ""
    except BaseException:
        if prepared:
            yield from _quietly(service, "UnprepareLayer", path)
        yield from _quietly(service, "DeactivateLayer", path)
        raise


def _quietly(service: Service | None, operation: str, path: str) -> Step[None]:
    """Undo a call because of another error, which is the one to be told."""
    try:
        yield from call(service, operation, path, path)
    except HcsError:
        return


def unmount(service: Service | None, path: str) -> Step[None]:
    """
    Unprepare and deactivate a layer.

    Raises:
        InUseError: Somebody is in it; it stays mounted.
    """
    yield from call(service, "UnprepareLayer", path, path)
    yield from call(service, "DeactivateLayer", path, path)
