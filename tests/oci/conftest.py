"""Specifications to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.oci import Linux, Process, Root, Spec, User, Windows

if TYPE_CHECKING:
    from collections.abc import Mapping


def windows_spec(
    annotations: Mapping[str, str] | None = None, **members: object
) -> Spec:
    """Make a Windows specification whose ``windows`` section has some members."""
    section = Windows(layer_folders=("C:\\l2", "C:\\l1", "C:\\scratch"))
    return Spec(
        oci_version="1.0.2",
        root=Root(path=""),
        process=Process(cwd="C:\\", args=("cmd",), user=User(username="me")),
        annotations=annotations or {},
        windows=attrs.evolve(section, **members),
    )


def linux_spec(annotations: Mapping[str, str] | None = None, **members: object) -> Spec:
    """Make a Linux specification whose ``linux`` section has some members."""
    return Spec(
        oci_version="1.0.2",
        root=Root(path="/bundle/rootfs"),
        process=Process(cwd="/", args=("sh",), user=User(uid=0, gid=0)),
        annotations=annotations or {},
        linux=attrs.evolve(Linux(), **members),
    )
