# Made by async_to_sync.py of hcsshim/hcs/_async_service.py; do not edit.
"""Calls about the service and all its systems; the blocking face."""

from __future__ import annotations

from hcsshim.hcs import _system_steps as steps
from hcsshim.hcs._calls import answer, as_json, optional_json, write
from hcsshim.hcs._connection import connected
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Sequence

    from hcsshim._native.port import Service
    from hcsshim.documents import ComputeSystemProperties, ServiceProperties, SystemType
    from hcsshim.hcs._calls import DocumentLike
    from hcsshim.hcs._stats import SystemStats

ENUMERATE = "HcsEnumerateComputeSystems"
SERVICE_PROPERTIES = "HcsGetServiceProperties"
MODIFY_SERVICE = "HcsModifyServiceSettings"


def enumerate_systems(  # noqa: PLR0913 - the members of a query
    *,
    ids: Sequence[str] = (),
    types: Sequence[SystemType | str] = (),
    names: Sequence[str] = (),
    owners: Sequence[str] = (),
    id_namespace: str = "",
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> tuple[ComputeSystemProperties, ...]:
    """
    List the compute systems of the machine.

    A system may be gone before it is opened; treat ``NotFoundError`` as that.

    Args:
        ids: Only these; every given condition must hold.
        types: Only of these types.
        names: Only with one of these names.
        owners: Only of these owners.
        id_namespace: Of the ids; newer builds of Windows keep several apart.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        AccessDeniedError: The caller may not see them.

    Source:
        ``HcsEnumerateComputeSystems``.
    """
    from hcsshim.documents import ComputeSystemProperties, loads_list  # noqa: PLC0415

    conditions = {"Ids": ids, "Types": types, "Names": names, "Owners": owners}
    query = {name: list(values) for name, values in conditions.items() if values}
    text = write(query) if query else None
    document = _ask(ENUMERATE, text, timeout, service, id_namespace)
    return loads_list(ComputeSystemProperties, document)


def service_properties(
    *types: str,
    query: DocumentLike | None = None,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> ServiceProperties:
    """
    Ask for properties of the service and the machine.

    Args:
        types: Which: ``"Basic"``, ``"ProcessorTopology"``, ``"CpuGroup"``, ...
        query: A whole ``ServicePropertyQuery`` instead.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        TypeError: Both ``types`` and ``query`` were given.

    Source:
        ``HcsGetServiceProperties``.
    """
    from hcsshim.documents import ServiceProperties, loads  # noqa: PLC0415 - seldom
    from hcsshim.hcs._parameters import property_query  # noqa: PLC0415 - as above

    if types and query is not None:
        raise TypeError("give types or a query, not both")
    text = property_query(types) if query is None else as_json(query)
    return loads(ServiceProperties, _ask(SERVICE_PROPERTIES, text, timeout, service))


def modify_service(
    settings: DocumentLike,
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> None:
    """
    Change a setting of the service.

    Args:
        settings: ``ModificationRequest``.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotSupportedError: This provider has no such setting.

    Source:
        ``HcsModifyServiceSettings``.
    """
    where = service or connected()
    call = where.submit(MODIFY_SERVICE, optional_json(settings))
    limit = seconds(timeout, "SYSCALLWATCHER")
    drive(answer(call, MODIFY_SERVICE, "", limit))


def stats_all(
    ids: Sequence[str] = (),
    *,
    timeout: float | None = DEFAULT,
    service: Service | None = None,
) -> tuple[SystemStats, ...]:
    """
    Ask many systems at once what they used so far.

    Those that end meanwhile, or do not run, are left out.

    Args:
        ids: Of the systems; by default all that the machine has.
        timeout: Seconds for all of them, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Source:
        ``HcsGetComputeSystemProperties``, ``Statistics``.
    """
    from hcsshim.documents import Properties, loads  # noqa: PLC0415 - seldom
    from hcsshim.hcs._stats import stats_of  # noqa: PLC0415 - as above

    where = service or connected()
    names = list(ids)
    if not names:
        found = enumerate_systems(timeout=timeout, service=where)
        names = [system.id for system in found if system.id]
    limit = seconds(timeout, "SYSCALLWATCHER")
    query = '{"PropertyTypes":["Statistics"]}'
    answers = drive(steps.sweep(where, names, query, limit))
    stats = (stats_of(name, loads(Properties, text)) for name, text in answers)
    return tuple(item for item in stats if item is not None)


def _ask(
    operation: str,
    query: str | None,
    timeout: float | None,
    service: Service | None,
    id_namespace: str = "",
) -> str:
    where = service or connected()
    if id_namespace:
        call = where.submit(f"{operation}InNamespace", id_namespace, query)
    else:
        call = where.submit(operation, query)
    limit = seconds(timeout, "SYSCALLWATCHER")
    completion = drive(answer(call, operation, "", limit))
    return steps.require_document(completion, operation)
