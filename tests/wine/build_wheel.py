"""
Build the ``win_amd64`` wheel on Linux, with mingw-w64.

The C sources, the declaration and the metadata are those of the usual build; only
the compiler and the interpreter to link with are others. ``tests/wine/build`` runs it.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import build_dlls
from compiling import CHECKOUT, COMPILER, compile_all, run

TAG = "cp310-abi3-win_amd64"
FLAGS = (
    "-std=c11",
    "-O2",
    "-D_WIN32_WINNT=0x0A00",
    "-DWIN32_LEAN_AND_MEAN",
    "-DPy_LIMITED_API=0x030A0000",
    "-Icsrc",
)
#: Of our own files; what cffi writes is not ours to mend.
WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror")
#: DLLs that every Windows has; the extension may want no others.
LIBRARIES = ("-lole32", "-lsynchronization", "-lntdll", "-ladvapi32")

DUMPER = "x86_64-w64-mingw32-objdump"
SYSTEM_DLLS = {
    *("advapi32.dll", "kernel32.dll", "msvcrt.dll", "ntdll.dll", "ole32.dll"),
    *("api-ms-win-core-synch-l1-2-0.dll", "python3.dll"),
}


def compile_extension(out: Path, python: Path, work: Path) -> None:
    """
    Compile and link ``hcsshim._ffi``.

    Args:
        out: The file to make.
        python: Of the Windows interpreter: headers and ``python3.dll``.
        work: For objects; those of an earlier time are used again.
    """
    sys.path.insert(0, str(CHECKOUT / "csrc"))
    import ffi_build

    glue = work / "made" / "_ffi.c"
    glue.parent.mkdir(parents=True, exist_ok=True)
    ffi_build.ffi.emit_c_code(str(glue))
    flags = (*FLAGS, f"-I{python / 'include'}")
    objects = compile_all([glue], flags, work / "made")
    own = [CHECKOUT / source for source in ffi_build.sources("win32")]
    objects += compile_all(own, (*flags, *WARNINGS), work)
    run(
        COMPILER,
        "-shared",
        "-s",
        "-static-libgcc",
        "-o",
        out,
        *objects,
        python / "python3.dll",
        *LIBRARIES,
    )


def check_imports(tree: Path) -> None:
    """Check that what was linked wants DLLs of Windows and of Python only."""
    for file in (*tree.rglob("*.pyd"), *tree.rglob("*.dll")):
        headers = subprocess.run(
            [DUMPER, "-p", str(file)], check=True, capture_output=True, text=True
        ).stdout
        wanted = {name.lower() for name in re.findall(r"DLL Name: (\S+)", headers)}
        if strays := wanted - SYSTEM_DLLS:
            sys.exit(f"{file.name} needs {', '.join(sorted(strays))}")


def write_metadata(folder: Path) -> None:
    """Write the ``.dist-info`` folder, as the build backend would."""
    script = (
        "import sys; from setuptools import build_meta;"
        "build_meta.prepare_metadata_for_build_wheel(sys.argv[1])"
    )
    with tempfile.TemporaryDirectory() as made:
        run(sys.executable, "-W", "ignore", "-c", script, made)
        (info,) = Path(made).glob("*.dist-info")
        shutil.copytree(info, folder / info.name)
    wheel = folder / info.name / "WHEEL"
    wheel.write_text(
        f"Wheel-Version: 1.0\nGenerator: hcsshim\nRoot-Is-Purelib: false\nTag: {TAG}\n",
        encoding="utf-8",
    )


def main() -> None:
    """Build the wheel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows-python", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        tree = work / "tree"
        shutil.copytree(
            CHECKOUT / "hcsshim",
            tree / "hcsshim",
            ignore=shutil.ignore_patterns(
                "__pycache__", "*.so", "*.pyd", "*.c", "silo"
            ),
        )
        extension = tree / "hcsshim" / "_ffi.pyd"
        compile_extension(extension, arguments.windows_python, arguments.work)
        build_dlls.build_all(tree / "hcsshim" / "dlls", arguments.work / "dlls")
        check_imports(tree)
        write_metadata(tree)
        arguments.out.mkdir(parents=True, exist_ok=True)
        for old in arguments.out.glob("hcsshim-*win_amd64.whl"):
            old.unlink()
        run(sys.executable, "-m", "wheel", "pack", tree, "-d", arguments.out)
    (made,) = arguments.out.glob("hcsshim-*win_amd64.whl")
    sys.stdout.write(f"{made}\n")


if __name__ == "__main__":
    main()
