"""
Which build of Windows the host plays.

``HCSSHIM_HOST_BUILD`` names it: ``17763``, ``10.0.20348.2031``, or a release as in
:class:`hcsshim.builds.Build`. What a build does not know, the host then refuses.
"""

from __future__ import annotations

import os
from functools import lru_cache

from hcsshim.builds import Build, OSVersion, has_feature, schema_versions_of

BUILD_VARIABLE = "HCSSHIM_HOST_BUILD"
_USUAL = OSVersion(10, 0, Build.LTSC2025)
_OLDEST = Build.RS1


def read_version(text: str) -> OSVersion:
    """
    Read the name of a build.

    Args:
        text: A number, a version, or the name of a release; empty for the usual one.

    Raises:
        ValueError: It is none of these, or older than the first with containers.
    """
    text = text.strip()
    if not text:
        return _USUAL
    version = OSVersion.named(text)
    if version.build < _OLDEST:
        raise ValueError(
            f"{BUILD_VARIABLE} is {text!r}; containers begin with build {int(_OLDEST)}"
        )
    return version


@lru_cache(maxsize=1)
def version() -> OSVersion:
    """
    Give the version that this process plays.

    Raises:
        ValueError: The variable names none.
    """
    return read_version(os.environ.get(BUILD_VARIABLE, ""))


@lru_cache(maxsize=1)
def schema_versions() -> tuple[tuple[int, int], ...]:
    """Give the newest schema version of each generation that the build knows."""
    return schema_versions_of(version().build)


def knows_schema(major: int, minor: int) -> bool:
    """Tell whether the build understands a version of the schema."""
    return any(major == known[0] and minor <= known[1] for known in schema_versions())


def knows_feature(name: str) -> bool:
    """Tell whether the build has a feature of :class:`hcsshim.builds.Feature`."""
    return has_feature(version(), name)
