"""
From the table of native calls to the exports of a DLL.

``python exports.py DLL FOLDER`` writes two files into ``FOLDER``: ``DLL_exports.c``
with one function for each remote call of that DLL in ``../native/calls.def``, each
packing its arguments for :c:func:`hcsshim__dll_invoke`; and ``DLL.def``, the list of
all its exports, so that a local call which nobody wrote does not link.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TABLE = Path(__file__).parents[1] / "native" / "calls.def"

_CALL = re.compile(
    r"HCSSHIM_CALL\(\s*(\d+),\s*(\w+),\s*(\w+),\s*(REMOTE|LOCAL),?(.*?)\)\s*"
    r"(?=HCSSHIM_CALL|/\*|\Z)",
    re.DOTALL,
)
_ARGUMENT = re.compile(r"HCSSHIM_A\((\w+),\s*(\w+)\)")

#: The C parameters of each kind of argument, ``@`` standing for its name; any other
#: kind is one pointer.
PARAMETERS = {
    "TEXT": ("const wchar_t *@",),
    "GUID": ("const GUID *@",),
    "U16": ("USHORT @",),
    "U32": ("DWORD @",),
    "U64": ("UINT64 @",),
    "OUT_TEXT": ("wchar_t **@",),
    "RESULT": ("wchar_t **@",),
    "ERROR_RECORD": ("wchar_t **@",),
    "LAYERS": ("const void *@", "SIZE_T @_count"),
    "OUT_BUFFER": ("SIZE_T *@_length", "wchar_t *@"),
}

HEAD = """\
/* {name}: made by csrc/dll/exports.py of csrc/native/calls.def; do not edit. */
#include <windows.h>

#include "dll/dll.h"
"""


def rows(dll: str) -> list[tuple[int, str, str, list[tuple[str, str]]]]:
    """Give number, name, reach and arguments (kind, name) of a DLL's calls."""
    text = TABLE.read_text(encoding="utf-8")
    text = re.sub(r"^/\*.*?\*/", "", text, count=1, flags=re.DOTALL)
    return [
        (int(number), name, reach, _ARGUMENT.findall(arguments))
        for number, library, name, reach, arguments in _CALL.findall(text)
        if library == dll
    ]


def function(number: int, name: str, arguments: list[tuple[str, str]]) -> str:
    """Write the function of a remote call."""
    declared = [
        parameter.replace("@", argument)
        for kind, argument in arguments
        for parameter in PARAMETERS.get(kind, ("void *@",))
    ]
    parameters = ", ".join(declared)
    packed = ", ".join(f"(uintptr_t){d.split()[-1].lstrip('*')}" for d in declared)
    return (
        f"\nHRESULT WINAPI {name}({parameters or 'void'});\n"
        f"HRESULT WINAPI {name}({parameters or 'void'})\n{{\n"
        f"    const uintptr_t arguments[] = {{{packed or '0'}}};\n\n"
        f"    return hcsshim__dll_invoke({number}, arguments);\n}}\n"
    )


def write(dll: str, folder: Path) -> None:
    """Write both files."""
    table = rows(dll)
    source = HEAD.format(name=dll)
    for number, name, reach, arguments in table:
        if reach == "REMOTE":
            source += function(number, name, arguments)
    exports = "".join(f"    {name}\n" for _, name, _, _ in table)
    (folder / f"{dll}_exports.c").write_text(source, encoding="utf-8")
    (folder / f"{dll}.def").write_text(
        f"LIBRARY {dll}.dll\nEXPORTS\n{exports}", encoding="utf-8"
    )


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
