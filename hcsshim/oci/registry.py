"""Registry values that Windows containers and utility VMs start with."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hcsshim.documents import (
    DocumentError,
    RegistryHive,
    RegistryKey,
    RegistryValue,
    RegistryValueType,
    loads_list,
)
from hcsshim.oci import annotation_keys as keys

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = logging.getLogger(__name__)

#: Long enough that nobody waits longer, as a registry text.
_LONGEST_GRACE = str(2**31 - 1)
_DUMPS = "Microsoft\\Windows\\Windows Error Reporting\\LocalDumps"
_DUMP_TYPES = {"": 2, "mini": 1, "full": 2}
_USUAL_DUMPS = 10

#: Hives and beginnings of keys that an annotation may set values under.
_PERMITTED = (
    (RegistryHive.SYSTEM, "currentcontrolset\\services"),
    (RegistryHive.SYSTEM, "currentcontrolset\\policies"),
    (RegistryHive.SYSTEM, "software"),
    (RegistryHive.SOFTWARE, ""),
)


def container_values(
    annotations: Mapping[str, str], container_id: str, dump_location: str = ""
) -> tuple[RegistryValue, ...]:
    """
    Give the registry values that a Windows container starts with.

    Services get as long to stop as the container's own stop is waited for. Where a
    folder for crash dumps is named, Windows Error Reporting writes them there.

    Args:
        annotations: Of the specification.
        container_id: Stands for ``{container_id}`` at the end of the folder.
        dump_location: The folder, unless an annotation names another.

    Raises:
        ValueError: The type or the number of dumps makes no sense.
    """
    grace = RegistryValue(
        key=RegistryKey(hive=RegistryHive.SYSTEM, name="ControlSet001\\Control"),
        name="WaitToKillServiceTimeout",
        string_value=_LONGEST_GRACE,
        type=RegistryValueType.STRING,
    )
    folder = annotations.get(keys.CONTAINER_PROCESS_DUMP_LOCATION, dump_location)
    dumps = _dump_values(annotations, folder, container_id) if folder else ()
    tests = annotated_values(annotations, keys.WCOW_REGISTRY_ANNOTATION_TEST)
    return (grace, *dumps, *tests)


def _dump_values(
    annotations: Mapping[str, str], folder: str, container_id: str
) -> tuple[RegistryValue, ...]:
    for placeholder in ("{container_id}", "{CONTAINER_ID}"):
        if folder.endswith(placeholder):
            folder = folder.removesuffix(placeholder) + container_id
            break
    kind = annotations.get(keys.WCOW_PROCESS_DUMP_TYPE, "")
    if kind not in _DUMP_TYPES:
        raise ValueError(
            f"annotation {keys.WCOW_PROCESS_DUMP_TYPE!r}: expected mini or full, "
            f"got {kind!r}"
        )
    key = RegistryKey(hive=RegistryHive.SOFTWARE, name=_DUMPS)
    return (
        RegistryValue(
            key=key,
            name="DumpFolder",
            string_value=folder,
            type=RegistryValueType.STRING,
        ),
        RegistryValue(
            key=key,
            name="DumpType",
            dword_value=_DUMP_TYPES[kind],
            type=RegistryValueType.D_WORD,
        ),
        RegistryValue(
            key=key,
            name="DumpCount",
            dword_value=_dump_count(annotations),
            type=RegistryValueType.D_WORD,
        ),
    )


def _dump_count(annotations: Mapping[str, str]) -> int:
    text = annotations.get(keys.WCOW_PROCESS_DUMP_COUNT, "")
    if not text:
        return _USUAL_DUMPS
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**31):
        raise ValueError(
            f"annotation {keys.WCOW_PROCESS_DUMP_COUNT!r}: expected a number from 1 "
            f"on, got {text!r}"
        )
    return int(text)


def annotated_values(
    annotations: Mapping[str, str], key: str
) -> tuple[RegistryValue, ...]:
    """
    Read registry values from an annotation: a JSON list of ``RegistryValue``.

    What is incomplete, or outside the places where an annotation may write, is
    logged and left out.
    """
    text = annotations.get(key, "")
    if not text:
        return ()
    try:
        values = loads_list(RegistryValue, text)
    except DocumentError as error:
        _log.warning("annotation %r is ignored: %s", key, error)
        return ()
    good = []
    for index, value in enumerate(values):
        problem = _problem(value)
        if problem:
            _log.warning("annotation %r: value %d is ignored: %s", key, index, problem)
        else:
            good.append(value)
    return tuple(good)


def _problem(value: RegistryValue) -> str:
    """Say what keeps a value from being written; nothing if it is fine."""
    key = value.key
    if key is None or not key.name or not value.name:
        return "it has no key, or no name"
    if key.hive not in tuple(RegistryHive):
        return "its hive is unknown"
    if value.type not in tuple(RegistryValueType):
        return "its type is unknown"
    place = key.name.lower()
    if any(key.hive == hive and place.startswith(start) for hive, start in _PERMITTED):
        return ""
    return "an annotation may not write there"
