"""The state of a container, as an OCI runtime tells it."""

from __future__ import annotations

import datetime as dt
import enum
from typing import TYPE_CHECKING

import attrs

from hcsshim.documents import from_dict, to_dict
from hcsshim.oci.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hcsshim.documents._document import JSON


class Status(str, enum.Enum):
    """Where a container is in its life."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class ContainerState:
    """
    What ``state`` and ``list`` tell of a container.

    Args:
        version: Of the specification that it was made from.
        id: Its id.
        pid: Of the process that stands for it on this machine; 0 when it has stopped.
            Its exit code is the container's.
        status: Where it is in its life.
        bundle: Folder of its bundle.
        rootfs: Its root.
        created: When it was made.
        annotations: Of its specification.
        owner: Whose it is.
    """

    version: str
    id: str
    pid: int
    status: Status
    bundle: str
    rootfs: str
    created: dt.datetime
    annotations: Mapping[str, str] = attrs.field(factory=dict)
    owner: str = ""

    def as_json(self) -> dict[str, JSON]:
        """Give it with the names that OCI runtimes use."""
        state: dict[str, JSON] = {
            "ociVersion": self.version,
            "id": self.id,
            "pid": self.pid,
            "status": self.status.value,
            "bundle": self.bundle,
            "rootfs": self.rootfs,
            "created": format_time(self.created),
        }
        if self.annotations:
            state["annotations"] = dict(self.annotations)
        state["owner"] = self.owner
        return state

    @classmethod
    def from_json(cls, state: Mapping[str, JSON]) -> ContainerState:
        """
        Read what an OCI runtime said.

        Raises:
            ValueError: It is no state.
        """
        annotations = state.get("annotations") or {}
        pid = state.get("pid") or 0
        if not isinstance(annotations, dict) or not isinstance(pid, int):
            raise ValueError("expected the state of a container")  # noqa: TRY004 - data
        return cls(
            version=str(state.get("ociVersion", "")),
            id=str(state.get("id", "")),
            pid=pid,
            status=Status(state.get("status", "unknown")),
            bundle=str(state.get("bundle", "")),
            rootfs=str(state.get("rootfs", "")),
            created=parse_time(str(state.get("created", ""))),
            annotations={str(key): str(text) for key, text in annotations.items()},
            owner=str(state.get("owner", "")),
        )


@attrs.frozen(kw_only=True)
class Record:
    """
    What is remembered of a container while it is known.

    Args:
        id: Its id.
        owner: Whose it is.
        bundle: Folder of its bundle.
        spec: Its specification, with absolute paths.
        created: When it was made.
        unique_id: Tells it from others that had its id.
        sandbox_id: Of its pod's sandbox; its own for the sandbox; empty outside.
        system_id: Of its compute system.
    """

    id: str
    owner: str
    bundle: str
    spec: Spec
    created: dt.datetime
    unique_id: str
    sandbox_id: str = ""

    @property
    def rootfs(self) -> str:
        """Its root; empty if the specification has none."""
        return (self.spec.root.path or "") if self.spec.root else ""

    def as_json(self) -> dict[str, JSON]:
        """Give it as it is kept."""
        return {
            "ID": self.id,
            "Owner": self.owner,
            "Bundle": self.bundle,
            "Rootfs": self.rootfs,
            "Created": format_time(self.created),
            "UniqueID": self.unique_id,
            "SandboxID": self.sandbox_id,
            "Spec": to_dict(self.spec),
        }

    @classmethod
    def from_json(cls, kept: JSON) -> Record:
        """
        Read what was kept.

        Raises:
            ValueError: It is something else.
        """
        if not isinstance(kept, dict) or "Spec" not in kept:
            raise ValueError("what is kept of the container cannot be read")
        return cls(
            id=str(kept["ID"]),
            owner=str(kept["Owner"]),
            bundle=str(kept["Bundle"]),
            spec=from_dict(Spec, kept["Spec"]),
            created=parse_time(str(kept["Created"])),
            unique_id=str(kept["UniqueID"]),
            sandbox_id=str(kept["SandboxID"]),
        )


def format_time(moment: dt.datetime) -> str:
    """Write a moment as runtimes do: RFC 3339 in UTC, no more digits than it has."""
    text = moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text.rstrip("0").rstrip(".") + "Z"


def parse_time(text: str) -> dt.datetime:
    """
    Read a moment, with up to nine digits after the second.

    Raises:
        ValueError: It is none.
    """
    whole, point, rest = text.removesuffix("Z").partition(".")
    digits = (rest[:6] if point else "").ljust(6, "0")
    return dt.datetime.strptime(f"{whole}.{digits}+0000", "%Y-%m-%dT%H:%M:%S.%f%z")
