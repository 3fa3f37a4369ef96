"""
Reading annotations: texts that stand for truth values, numbers, lists and GUIDs.

Names are matched exactly. A value that cannot be read is logged as a warning and its
default holds, so that one misspelt annotation does not keep a container from running;
a GUID that cannot be read is an error, as is what contradicts itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import UUID

from hcsshim.documents import DocumentError, HvSocketServiceConfig, loads
from hcsshim.oci import annotation_keys as keys

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = logging.getLogger(__name__)

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))

INT32 = (-(2**31), 2**31 - 1)
UINT32 = (0, 2**32 - 1)
UINT64 = (0, 2**64 - 1)


class AnnotationConflictError(ValueError):
    """
    Annotations contradict each other.

    Args:
        problems: All of them, a sentence each.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def flag(annotations: Mapping[str, str], key: str, *, default: bool = False) -> bool:
    """Read a truth value; one of ``1 t T TRUE true True``, or the like for false."""
    value = optional_flag(annotations, key)
    return default if value is None else value


def optional_flag(annotations: Mapping[str, str], key: str) -> bool | None:
    """Read a truth value that may be unset."""
    text = annotations.get(key)
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text is not None:
        _warn(key, text, "true or false")
    return None


def number(
    annotations: Mapping[str, str],
    key: str,
    default: int = 0,
    *,
    bounds: tuple[int, int] = UINT64,
) -> int:
    """Read a whole number in decimal digits within bounds."""
    text = annotations.get(key)
    if text is None:
        return default
    value = _whole(text, bounds)
    if value is None:
        _warn(key, text, f"a whole number from {bounds[0]} to {bounds[1]}")
        return default
    return value


def numbers(
    annotations: Mapping[str, str],
    key: str,
    default: tuple[int, ...] = (),
    *,
    bounds: tuple[int, int] = UINT32,
) -> tuple[int, ...]:
    """Read whole numbers with commas between; all of them must be good."""
    parts = texts(annotations, key)
    if not parts:
        return default
    values = [_whole(part, bounds) for part in parts]
    good = tuple(value for value in values if value is not None)
    if len(good) != len(values):
        _warn(key, annotations[key], "whole numbers with commas between")
        return default
    return good


def text_value(annotations: Mapping[str, str], key: str, default: str = "") -> str:
    """Read a text as it is."""
    return annotations.get(key, default)


def texts(annotations: Mapping[str, str], key: str) -> tuple[str, ...]:
    """Read texts with commas between; nothing is none."""
    text = annotations.get(key, "")
    return tuple(text.split(",")) if text else ()


def guid(annotations: Mapping[str, str], key: str) -> UUID | None:
    """
    Read a GUID, with braces or without.

    Raises:
        ValueError: It is none.
    """
    text = annotations.get(key)
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise ValueError(f"annotation {key!r}: expected a GUID, got {text!r}") from None


def hv_socket_services(
    annotations: Mapping[str, str],
) -> dict[str, HvSocketServiceConfig]:
    """Read the table of Hyper-V socket services: a key for each GUID."""
    services = {}
    for key, text in annotations.items():
        if not key.startswith(keys.UVM_HYPERV_SOCKET_CONFIG_PREFIX):
            continue
        try:
            service = UUID(key.removeprefix(keys.UVM_HYPERV_SOCKET_CONFIG_PREFIX))
            config = loads(HvSocketServiceConfig, text)
        except (DocumentError, ValueError) as error:
            _log.warning("annotation %r is ignored: %s", key, error)
            continue
        services[str(service)] = config
    return services


def expand_annotations(
    annotations: Mapping[str, str],
) -> tuple[dict[str, str], tuple[str, ...]]:
    """
    Set the keys that others stand for, and look for contradictions.

    A key that is there already with another text is left alone. Whatever is found,
    the rest is expanded.

    Returns:
        All annotations, and a sentence for each contradiction.
    """
    expanded = dict(annotations)
    problems = []
    for key, names in keys.EXPANSIONS.items():
        if key not in annotations:
            continue
        for name in names:
            value = expanded.setdefault(name, annotations[key])
            if value != annotations[key]:
                problems.append(
                    f"annotation {key!r} = {annotations[key]!r} contradicts "
                    f"{name!r} = {value!r}"
                )
    host_process = (keys.HOST_PROCESS_CONTAINER, keys.DISABLE_HOST_PROCESS_CONTAINER)
    if all(flag(expanded, key) for key in host_process):
        problems.append(
            f"annotations {host_process[0]!r} and {host_process[1]!r} are both true"
        )
    for problem in problems:
        _log.warning("%s", problem)
    return expanded, tuple(problems)


def _whole(text: str, bounds: tuple[int, int]) -> int | None:
    digits = text[1:] if text[:1] in ("-", "+") and bounds[0] < 0 else text
    if not (digits.isascii() and digits.isdigit()):
        return None
    value = int(text)
    return value if bounds[0] <= value <= bounds[1] else None


def _warn(key: str, text: str, expected: str) -> None:
    _log.warning("annotation %r is ignored: expected %s, got %r", key, expected, text)
