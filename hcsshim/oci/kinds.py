"""What kind of container a specification describes."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

from hcsshim.oci import annotation_keys as keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hcsshim.oci.spec import Spec


class ContainerType(str, enum.Enum):
    """The role of a container in a pod."""

    NONE = ""
    CONTAINER = "container"
    SANDBOX = "sandbox"


@attrs.frozen
class PodRole:
    """
    A container's place in a pod.

    Args:
        type: Its role.
        sandbox_id: Id of the pod's sandbox, its own for the sandbox; empty outside.
    """

    type: ContainerType = ContainerType.NONE
    sandbox_id: str = ""


def is_linux(spec: Spec) -> bool:
    """Tell whether it is a Linux container (on Windows: in a utility VM)."""
    return spec.linux is not None


def is_windows(spec: Spec) -> bool:
    """Tell whether it is a Windows container."""
    return spec.linux is None and spec.windows is not None


def is_isolated(spec: Spec) -> bool:
    """Tell whether Windows would run it in a utility VM."""
    return is_linux(spec) or (
        spec.windows is not None and spec.windows.hyperv is not None
    )


def is_host_process(spec: Spec) -> bool:
    """Tell whether its processes are the host's own; the text must be ``true``."""
    return (
        is_windows(spec) and spec.annotations.get(keys.HOST_PROCESS_CONTAINER) == "true"
    )


def pod_role(annotations: Mapping[str, str]) -> PodRole:
    """
    Read a container's role and sandbox as containerd says them.

    Raises:
        ValueError: The role is unknown, or one of the two is missing.
    """
    kind = annotations.get(keys.KUBERNETES_CONTAINER_TYPE)
    sandbox_id = annotations.get(keys.KUBERNETES_SANDBOX_ID, "")
    try:
        role = ContainerType(kind or "") if kind != "" else None
    except ValueError:
        role = None
    if role is None:
        raise ValueError(
            f"annotation {keys.KUBERNETES_CONTAINER_TYPE!r}: expected container or "
            f"sandbox, got {kind!r}"
        )
    if (role is ContainerType.NONE) != (not sandbox_id):
        given, missing = keys.KUBERNETES_CONTAINER_TYPE, keys.KUBERNETES_SANDBOX_ID
        if sandbox_id:
            given, missing = missing, given
        raise ValueError(f"annotation {given!r} needs {missing!r} beside it")
    return PodRole(role, sandbox_id)


def any_pod_role(annotations: Mapping[str, str]) -> PodRole:
    """Read the same from whichever orchestrator said it, older ones too."""
    for kind_key, id_key in (
        (keys.KUBERNETES_CONTAINER_TYPE, keys.KUBERNETES_SANDBOX_ID),
        (keys.CRIO_CONTAINER_TYPE, keys.CRIO_SANDBOX_ID),
        (keys.DOCKER_CONTAINER_TYPE, keys.DOCKER_SANDBOX_ID),
    ):
        kind = annotations.get(kind_key, "")
        if not kind:
            continue
        if kind_key == keys.DOCKER_CONTAINER_TYPE and kind == "podsandbox":
            kind = "sandbox"
        if kind in (ContainerType.CONTAINER.value, ContainerType.SANDBOX.value):
            return PodRole(ContainerType(kind), annotations.get(id_key, ""))
        break
    return PodRole()
