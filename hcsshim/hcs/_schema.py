"""Which version of the HCS schema a service understands."""

from __future__ import annotations

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from hcsshim._native.port import Service

    #: A version of the schema: major and minor number.
    Schema: TypeAlias = tuple[int, int]

V1_0 = (1, 0)
V2_1 = (2, 1)
V2_5 = (2, 5)


def choose_schema(
    supported: Sequence[Schema], requested: Schema | None = None
) -> Schema:
    """
    Choose a version as HCS clients do: 2.1 where it is understood, else 1.0.

    Args:
        supported: What the service says that it understands.
        requested: Taken instead if the service understands it.

    Returns:
        A version. Newer minor versions include the older ones.
    """
    if requested is not None and any(_includes(have, requested) for have in supported):
        return requested
    return V2_1 if any(_includes(have, V2_1) for have in supported) else V1_0


def _includes(supported: Schema, wanted: Schema) -> bool:
    return supported[0] == wanted[0] and supported[1] >= wanted[1]


def schema_version(
    requested: Schema | None = None, *, service: Service | None = None
) -> Schema:
    """
    Ask the service what it understands, and choose with :func:`choose_schema`.

    Args:
        requested: Taken if the service understands it.
        service: Where; by default the process's shared connection.

    Returns:
        1.0 of a service too old to be asked.
    """
    from hcsshim.documents import BasicInformation, from_dict  # noqa: PLC0415
    from hcsshim.errors import NotSupportedError  # noqa: PLC0415 - as above
    from hcsshim.hcs._service import service_properties  # noqa: PLC0415 - as above

    try:
        answer = service_properties("Basic", service=service)
    except NotSupportedError:
        return V1_0
    supported: list[Schema] = []
    for raw in answer.properties:
        versions = from_dict(BasicInformation, raw).supported_schema_versions  # type: ignore[arg-type]  # what is no object is refused there
        supported += [(version.major or 0, version.minor or 0) for version in versions]
    return choose_schema(supported, requested)
