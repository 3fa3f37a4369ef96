"""
Build the DLLs that stand in for those of Windows, with mingw-w64.

``vmcompute.dll``, ``computecore.dll``, ``computenetwork.dll`` and
``computestorage.dll`` are clients of the embedded host with the exports of the real
ones; ``csrc/dll/exports.py`` makes those from the table of native calls. The Windows
wheel holds them, and ``hcsshim host dlls DIR`` writes them out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from compiling import CHECKOUT, COMPILER, compile_all, run

FLAGS = (
    *("-std=c11", "-O2", "-Icsrc"),
    *("-D_WIN32_WINNT=0x0A00", "-DWIN32_LEAN_AND_MEAN", "-DHCSSHIM_API="),
    *("-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"),
)
LIBRARIES = ("-lole32", "-lsynchronization", "-lntdll", "-ladvapi32")
DLLS = ("vmcompute", "computecore", "computenetwork", "computestorage")


def sources(dll: str) -> list[Path]:
    """List the C files of a DLL, those apart that are made."""
    sys.path.insert(0, str(CHECKOUT / "csrc"))
    import ffi_build

    shim = [
        CHECKOUT / source
        for source in ffi_build.sources("win32")
        if source.startswith(("csrc/native/", "csrc/events/"))
    ]
    own = sorted((CHECKOUT / "csrc" / "dll").glob("*.c"))
    return shim + [path for path in own if path.stem not in set(DLLS) - {dll}]


def build(dll: str, folder: Path, work: Path) -> Path:
    """Build one DLL into ``folder``; what is made on the way goes into ``work``."""
    made = folder / f"{dll}.dll"
    run(sys.executable, CHECKOUT / "csrc" / "dll" / "exports.py", dll, work)
    objects = compile_all([*sources(dll), work / f"{dll}_exports.c"], FLAGS, work)
    link = ("-shared", "-s", "-static-libgcc", "-o", made)
    run(COMPILER, *link, *objects, work / f"{dll}.def", *LIBRARIES)
    return made


def build_all(folder: Path, work: Path) -> None:
    """Build every DLL into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    for dll in DLLS:
        build(dll, folder, work)


if __name__ == "__main__":
    build_all(Path(sys.argv[1]), Path(sys.argv[2]))
