"""What is known of a host: its build, its schema versions, its features."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import attrs

from hcsshim.builds import (
    Build,
    Feature,
    OSVersion,
    has_feature,
    image_runs_on,
    schema_versions_of,
)
from hcsshim.errors import NotSupportedError

if TYPE_CHECKING:
    from hcsshim._native.port import Service
    from hcsshim.documents import Document, Problem, ServiceProperties


@attrs.frozen(kw_only=True)
class Capabilities:
    """
    What a host is and can do.

    Attributes:
        provider: ``"embedded"``, or ``"system"`` for the one of Windows.
        version: Of Windows; the embedded host plays a build of it.
        schema_versions: The newest schema version of each generation.
    """

    provider: str
    version: OSVersion
    schema_versions: tuple[tuple[int, int], ...]

    @property
    def build(self) -> int:
        """The build of Windows; :class:`hcsshim.Build` names some."""
        return self.version.build

    @property
    def schema_version(self) -> tuple[int, int]:
        """The newest schema version there is."""
        return max(self.schema_versions, default=(1, 0))

    def supports(self, feature: Feature | str) -> bool:
        """
        Tell whether the host has a feature.

        Args:
            feature: A member of :class:`hcsshim.Feature`, or its value.

        Raises:
            ValueError: There is no such feature.
        """
        return has_feature(self.version, feature)

    def supports_schema(self, major: int, minor: int) -> bool:
        """Tell whether the host understands a version of the schema."""
        return any(
            major == known[0] and minor <= known[1] for known in self.schema_versions
        )

    def runs_image(self, os_version: OSVersion | str) -> bool:
        """
        Tell whether an image runs here with process isolation.

        Args:
            os_version: The image's ``os.version``: ``"10.0.20348.2031"``.

        Raises:
            ValueError: It is no version.
        """
        if isinstance(os_version, str):
            os_version = OSVersion.parse(os_version)
        return image_runs_on(self.version, os_version)

    def problems(self, document: Document) -> tuple[Problem, ...]:
        """
        Name what this host would refuse in a document, which need not be sent for it.

        Args:
            document: A model of :mod:`hcsshim.documents`.
        """
        from hcsshim.documents import problems  # noqa: PLC0415 - loads the models

        return problems(document, self.schema_version)

    def require(self, document: Document) -> None:
        """
        Refuse a document with members that are newer than the host.

        Args:
            document: A model of :mod:`hcsshim.documents`.

        Raises:
            NotSupportedError: It has some; the text names the first of them.
        """
        from hcsshim.documents import newer_members  # noqa: PLC0415 - as above

        for path, since in newer_members(document, self.schema_version):
            mine = self.schema_version
            raise NotSupportedError(
                operation="check",
                message=f"The member '{path}' came with schema {since[0]}.{since[1]}, "
                f"and this host, build {self.build}, has up to {mine[0]}.{mine[1]}.",
            )


_USUAL = OSVersion(10, 0, Build.RS5)
_known: WeakKeyDictionary[Service, Capabilities] = WeakKeyDictionary()


def remembered(service: Service) -> Capabilities | None:
    """Give what was learned of a connection's host before."""
    return _known.get(service)


def remember(service: Service, capabilities: Capabilities) -> None:
    """Keep what was learned as long as the connection is used."""
    _known[service] = capabilities


def capabilities_of(answer: ServiceProperties | None) -> Capabilities:
    """
    Read a host's answer about itself.

    Args:
        answer: To ``Basic``; ``None`` from a host that does not know the question.
    """
    raw = answer.properties[0] if answer is not None and answer.properties else {}
    members = raw if isinstance(raw, dict) else {}
    embedded = members.get("EmbeddedHost")
    if isinstance(embedded, dict):
        version = OSVersion.parse(str(embedded.get("Version")))
    else:
        version = _running_version()
    versions = tuple(
        (int(item.get("Major") or 0), int(item.get("Minor") or 0))
        for item in members.get("SupportedSchemaVersions") or ()
        if isinstance(item, dict)
    )
    return Capabilities(
        provider="system" if embedded is None else "embedded",
        version=version,
        schema_versions=versions or schema_versions_of(version.build),
    )


def _running_version() -> OSVersion:
    """Give the version of the Windows that this runs on."""
    if sys.platform != "win32":
        return _USUAL
    import winreg  # noqa: PLC0415 - only there

    found = sys.getwindowsversion().platform_version
    path = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
            revision = int(winreg.QueryValueEx(key, "UBR")[0])
    except OSError:
        revision = 0
    return OSVersion(*found, revision)
