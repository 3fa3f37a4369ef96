"""
Builds of Windows: their names, what each brought, and which images they run.

Source:
    Release information of Windows, and the version map of the HCS schema reference.
"""

from __future__ import annotations

import enum
import re

import attrs

__all__ = [
    "Build",
    "Feature",
    "OSVersion",
    "feature_build",
    "has_feature",
    "image_runs_on",
    "schema_versions_of",
]


class Build(enum.IntEnum):
    """
    Build numbers by the names that releases are known by; some have several.
    """

    RS1 = 14393
    V1607 = 14393
    LTSC2016 = 14393
    RS2 = 15063
    V1703 = 15063
    RS3 = 16299
    V1709 = 16299
    RS4 = 17134
    V1803 = 17134
    RS5 = 17763
    V1809 = 17763
    LTSC2019 = 17763
    V19H1 = 18362
    V1903 = 18362
    V19H2 = 18363
    V1909 = 18363
    V20H1 = 19041
    V2004 = 19041
    V20H2 = 19042
    V21H1 = 19043
    V21H2_WIN10 = 19044
    V22H2_WIN10 = 19045
    V21H2_SERVER = 20348
    LTSC2022 = 20348
    V21H2_WIN11 = 22000
    V22H2_WIN11 = 22621
    V23H2 = 25398
    V25H1_SERVER = 26100
    LTSC2025 = 26100


class Feature(str, enum.Enum):
    """
    What a host may be able to do, for :meth:`hcsshim.Capabilities.supports`.
    """

    MAPPED_PIPES = "MappedPipes"
    LINUX_METADATA = "LinuxMetadata"
    V2_DOCUMENTS = "V2Documents"
    SIGNALS = "Signals"
    ASSIGNED_DEVICES = "AssignedDevices"
    KERNEL_DIRECT_BOOT = "KernelDirectBoot"
    PLAN9_SINGLE_FILE = "Plan9SingleFile"
    VPMEM_MULTI_MAPPING = "VPMemMultiMapping"
    COLD_DISCARD_HINT = "ColdDiscardHint"
    CPU_LIMIT_UPDATE = "CpuLimitUpdate"
    CPU_GROUP_AT_CREATE = "CpuGroupAtCreate"
    SETUP_BASE_OS_VOLUME = "SetupBaseOSVolume"
    DEVICE_EXTENSIONS = "DeviceExtensions"
    MULTI_GROUP_AFFINITY = "MultiGroupAffinity"
    NAMED_QUERIES = "NamedQueries"
    SHUTDOWN_OPTIONS = "ShutdownOptions"
    CIMFS = "CimFS"
    VIRTUAL_NUMA = "VirtualNuma"
    BLOCK_CIM = "BlockCim"
    VERIFIED_CIM = "VerifiedCim"

    __str__ = str.__str__


#: The first build that has a feature.
_FIRST_BUILDS: dict[Feature, int] = {
    Feature.MAPPED_PIPES: 16299,
    Feature.LINUX_METADATA: 17134,
    Feature.V2_DOCUMENTS: 17763,
    Feature.SIGNALS: 17763,
    Feature.ASSIGNED_DEVICES: 17763,
    Feature.KERNEL_DIRECT_BOOT: 18286,
    Feature.PLAN9_SINGLE_FILE: 18362,
    Feature.VPMEM_MULTI_MAPPING: 18362,
    Feature.COLD_DISCARD_HINT: 18967,
    Feature.CPU_LIMIT_UPDATE: 19042,
    Feature.CPU_GROUP_AT_CREATE: 19043,
    Feature.SETUP_BASE_OS_VOLUME: 19645,
    Feature.DEVICE_EXTENSIONS: 20348,
    Feature.MULTI_GROUP_AFFINITY: 20348,
    Feature.NAMED_QUERIES: 20348,
    Feature.SHUTDOWN_OPTIONS: 20348,
    Feature.CIMFS: 20348,
    Feature.VIRTUAL_NUMA: 26100,
    Feature.BLOCK_CIM: 27766,
    Feature.VERIFIED_CIM: 27800,
}
#: CimFS came to Server 2022 with an update of this revision.
_CIMFS_REVISION = 2031

#: Schema versions by the first build that has them.
_SCHEMAS: tuple[tuple[int, tuple[int, int]], ...] = (
    (14393, (1, 0)),
    (17763, (2, 1)),
    (18362, (2, 2)),
    (19041, (2, 3)),
    (20348, (2, 5)),
    (22000, (2, 6)),
    (26100, (2, 11)),
)

#: Long-term releases from which on an image need not be of the host's very build.
_FLEXIBLE_RELEASES = (20348, 26100)

_VERSION = re.compile(r"(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?")


@attrs.frozen(order=True)
class OSVersion:
    """
    A version of Windows, as images and machines tell it: ``10.0.20348.2031``.

    Args:
        major: 10 for all that has containers.
        minor: 0 likewise.
        build: Names the release; see :class:`Build`.
        revision: Of the last update; 0 if it is not known.
    """

    major: int
    minor: int
    build: int
    revision: int = 0

    @classmethod
    def parse(cls, text: str) -> OSVersion:
        """
        Read a version, such as an image's ``os.version``.

        Args:
            text: Three or four numbers with dots between.

        Raises:
            ValueError: It is none.
        """
        match = _VERSION.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{text!r} is no version of Windows; one is like 10.0.20348.2031"
            )
        return cls(*(int(part) for part in match.groups("0")))

    @classmethod
    def named(cls, text: str) -> OSVersion:
        """
        Find a version by whatever it is called.

        Args:
            text: A build, ``17763``; a release, ``LTSC2022``; or a version.

        Raises:
            ValueError: It is none of these.
        """
        text = text.strip()
        build = Build.__members__.get(text.upper())
        if build is not None:
            return cls(10, 0, build)
        return cls.parse(f"10.0.{text}" if text.isdigit() else text)

    @property
    def name(self) -> str:
        """The release's usual name, ``LTSC2022``; the build where it has none."""
        names = [
            name for name, build in Build.__members__.items() if build == self.build
        ]
        return names[-1] if names else str(self.build)

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.build}"
        return f"{text}.{self.revision}" if self.revision else text


def image_runs_on(host: OSVersion, image: OSVersion) -> bool:
    """
    Tell whether a host can run an image with process isolation.

    Hosts before Server 2022 need the very same build. Later ones also run images of
    the builds before theirs, back to the long-term release before them.

    Args:
        host: Version of the machine.
        image: Version of Windows in the image.

    Source:
        Compatibility of Windows containers, process isolation.
    """
    if (host.major, host.minor) != (image.major, image.minor):
        return False
    if host.build < _FLEXIBLE_RELEASES[0]:
        return host.build == image.build
    oldest = max(
        (build for build in _FLEXIBLE_RELEASES if build < host.build),
        default=_FLEXIBLE_RELEASES[0],
    )
    return oldest <= image.build <= host.build


def schema_versions_of(build: int) -> tuple[tuple[int, int], ...]:
    """
    List the newest schema version of each generation that a build understands.

    ``(2, 5)`` stands for 2.0 to 2.5.

    Args:
        build: Of Windows.
    """
    newest: dict[int, tuple[int, int]] = {1: (1, 0)}
    for first, version in _SCHEMAS:
        if build >= first:
            newest[version[0]] = version
    return tuple(newest.values())


def feature_build(feature: Feature | str) -> int:
    """
    Give the first build that has a feature.

    Args:
        feature: A member of :class:`Feature`, or its value.

    Raises:
        ValueError: There is no such feature.
    """
    return _FIRST_BUILDS[Feature(feature)]


def has_feature(version: OSVersion, feature: Feature | str) -> bool:
    """
    Tell whether a version of Windows has a feature.

    Args:
        version: Of the host.
        feature: A member of :class:`Feature`, or its value.

    Raises:
        ValueError: There is no such feature.
    """
    wanted = Feature(feature)
    if wanted is Feature.CIMFS:  # an update brought it to one release only
        updated = (Build.LTSC2022, _CIMFS_REVISION)
        return version.build >= Build.LTSC2025 or (
            version.build == updated[0] and version.revision >= updated[1]
        )
    return version.build >= _FIRST_BUILDS[wanted]
