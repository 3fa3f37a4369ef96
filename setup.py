"""
Build the C parts: the cffi extension, and on Linux the silo program.

Everything else about the project stands in ``pyproject.toml``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).parent
SILO_SOURCES = sorted(str(p.relative_to(HERE)) for p in HERE.glob("csrc/silo/*.c"))


class BuildNative(build_ext):
    """Build the extension, then the program that becomes init in a Linux silo."""

    def run(self) -> None:
        """Compile and link both into the package's folder."""
        super().run()
        if sys.platform == "linux" and SILO_SOURCES:
            self._link_silo()

    def _link_silo(self) -> None:
        """
        Link ``hcsshim/host/silos/silo``.

        Static, because it goes on running after pivot_root took the machine's
        libraries away.
        """
        package = Path(self.get_ext_fullpath("hcsshim._ffi")).parent
        objects = self.compiler.compile(
            SILO_SOURCES,
            output_dir=self.build_temp,
            include_dirs=["csrc"],
            extra_postargs=["-std=c11", "-D_GNU_SOURCE", "-Os"],
        )
        self.compiler.link_executable(
            objects,
            "silo",
            output_dir=str(package / "host" / "silos"),
            extra_postargs=["-static", "-s"],
        )

    def get_outputs(self) -> list[str]:
        """Name the program among what was built, so that a wheel holds it."""
        outputs: list[str] = super().get_outputs()
        if sys.platform == "linux" and SILO_SOURCES and not self.inplace:
            outputs.append(
                str(Path(self.build_lib, "hcsshim", "host", "silos", "silo"))
            )
        return outputs


class StableWheel(bdist_wheel):
    """Tag the wheel for every CPython from 3.10 on: the extension is abi3."""

    def finalize_options(self) -> None:
        """Choose the tag."""
        self.py_limited_api = "cp310"
        super().finalize_options()


setup(
    cffi_modules=["csrc/ffi_build.py:ffi"],
    cmdclass={"build_ext": BuildNative, "bdist_wheel": StableWheel},
)
