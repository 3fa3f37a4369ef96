"""
The cffi recipe of ``hcsshim._ffi``.

The marked region of ``hcsshim.h`` is the declaration, so the header and what
Python sees cannot drift apart.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).parent

#: Files whose name ends so belong to one platform; the others to all.
PLATFORM_SUFFIXES = ("_linux", "_posix", "_unix", "_win32")


def suffixes(platform: str) -> tuple[str, ...]:
    """Tell which of ``PLATFORM_SUFFIXES`` are built on ``platform``."""
    if platform == "win32":
        return ("_win32",)
    if platform.startswith("linux"):
        return ("_linux", "_unix")
    return ("_posix", "_unix")


def sources(platform: str) -> list[str]:
    """
    List the C files of the extension, relative to the project.

    ``*_unix.c`` is for Linux and other POSIX systems, ``*_linux.c`` for Linux,
    ``*_posix.c`` for POSIX systems without Linux's calls, ``*_win32.c`` for
    Windows. ``silo/`` and ``dll/`` are programs and libraries of their own.
    """
    found = []
    for folder in ("native", "events", "relay", "layer"):
        for path in sorted((HERE / folder).glob("*.c")):
            mine = [s for s in PLATFORM_SUFFIXES if path.stem.endswith(s)]
            if not mine or mine[0] in suffixes(platform):
                found.append(f"csrc/{folder}/{path.name}")
    return found


def include_dirs() -> list[str]:
    """
    Name the folders of headers.

    ``python/`` stands in for CPython's headers where they are not installed.
    """
    headers = Path(sysconfig.get_path("include"), "Python.h")
    return ["csrc"] if headers.exists() else ["csrc", "csrc/python"]


header = (HERE / "hcsshim.h").read_text(encoding="utf-8")
region = re.search(r"/\* cdef: begin.*?\*/(.*)/\* cdef: end \*/", header, re.DOTALL)
if region is None:
    raise RuntimeError("hcsshim.h lost its cdef markers")

ffi = FFI()
ffi.cdef(region[1].replace("HCSSHIM_API", ""))
ffi.set_source(
    "hcsshim._ffi",
    '#include "hcsshim.h"',
    sources=sources(sys.platform),
    include_dirs=include_dirs(),
    define_macros=[] if sys.platform == "win32" else [("_GNU_SOURCE", "1")],
    extra_compile_args=[] if sys.platform == "win32" else ["-std=c11", "-O2"],
    libraries=[] if sys.platform == "win32" else ["pthread"],
)

if __name__ == "__main__":
    ffi.compile(verbose=True)
