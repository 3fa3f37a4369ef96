"""The table of native calls, as Python sees it: ``csrc/native/calls.def``."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from hcsshim._ffi import ffi, lib

#: Kinds of arguments that stand in a call's frame; ``calls.def`` says what each is.
TEXT: int = lib.HCSSHIM_KIND_TEXT
U32: int = lib.HCSSHIM_KIND_U32
SYSTEM: int = lib.HCSSHIM_KIND_SYSTEM
PROCESS: int = lib.HCSSHIM_KIND_PROCESS
OUT_SYSTEM: int = lib.HCSSHIM_KIND_OUT_SYSTEM
OUT_PROCESS: int = lib.HCSSHIM_KIND_OUT_PROCESS
OBJECT: int = lib.HCSSHIM_KIND_OBJECT
OUT_OBJECT: int = lib.HCSSHIM_KIND_OUT_OBJECT
U64: int = lib.HCSSHIM_KIND_U64

#: Of these, the ones that take room: a handle is 8 bytes.
HANDLES = frozenset((SYSTEM, PROCESS, OBJECT, OUT_SYSTEM, OUT_PROCESS, OUT_OBJECT))
ON_THE_WIRE = HANDLES | {TEXT, U32, U64}

#: Kinds that cross the wire as another one.
_SENT_AS = {
    lib.HCSSHIM_KIND_LAYERS: TEXT,
    lib.HCSSHIM_KIND_DISK: TEXT,
    lib.HCSSHIM_KIND_GUID: TEXT,
    lib.HCSSHIM_KIND_U16: U32,
}

#: What a call that makes a handle makes.
MADE = {OUT_SYSTEM: SYSTEM, OUT_PROCESS: PROCESS, OUT_OBJECT: OBJECT}


class Call(NamedTuple):
    """
    One row of the table.

    Attributes:
        number: What names it on the wire.
        dll: The DLL that exports it, without ``.dll``.
        name: The export.
        remote: The embedded host answers it.
        kinds: Of its arguments, in order, all of them.
    """

    number: int
    dll: str
    name: str
    remote: bool
    kinds: tuple[int, ...]

    @property
    def wire_kinds(self) -> tuple[int, ...]:
        """The kinds of the arguments that are part of the call's frame."""
        sent = (_SENT_AS.get(kind, kind) for kind in self.kinds)
        return tuple(kind for kind in sent if kind in ON_THE_WIRE)


@lru_cache(maxsize=1)
def table() -> tuple[Call, ...]:
    """Read the whole table, by rising number."""
    count = ffi.new("size_t *")
    rows = lib.hcsshim_calls(count)
    return tuple(
        Call(
            row.number,
            ffi.string(row.dll).decode(),
            ffi.string(row.name).decode(),
            bool(row.remote),
            tuple(bytes(row.kinds).rstrip(b"\0")),
        )
        for row in (rows[index] for index in range(count[0]))
    )


@lru_cache(maxsize=1)
def _numbers() -> dict[tuple[str, str], int]:
    numbers = {(call.dll, call.name): call.number for call in table()}
    for call in table():  # without a DLL, computecore comes before the others
        numbers.setdefault(("", call.name), call.number)
    return numbers


def number(name: str, dll: str = "") -> int:
    """
    Give the number of a call.

    Args:
        name: The export.
        dll: Of which DLL; without it, the first in the table that exports the name.

    Raises:
        KeyError: The table has no such call.
    """
    return _numbers()[dll, name]
