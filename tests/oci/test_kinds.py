"""Kinds of containers and their roles in pods."""

from __future__ import annotations

import pytest

from hcsshim.oci import (
    ContainerType,
    HyperV,
    Linux,
    PodRole,
    Spec,
    Windows,
    is_host_process,
    is_isolated,
    is_linux,
    is_windows,
    pod_role,
)
from hcsshim.oci import annotation_keys as keys
from hcsshim.oci.kinds import any_pod_role

SANDBOX = PodRole(ContainerType.SANDBOX, "pod")


@pytest.mark.parametrize(
    ("spec", "linux", "windows", "isolated"),
    [
        (Spec(linux=Linux()), True, False, True),
        (Spec(linux=Linux(), windows=Windows()), True, False, True),
        (Spec(windows=Windows()), False, True, False),
        (Spec(windows=Windows(hyperv=HyperV())), False, True, True),
        (Spec(), False, False, False),
    ],
)
def test_kinds(spec: Spec, linux: bool, windows: bool, isolated: bool) -> None:  # noqa: FBT001
    """
    The sections that are there tell what it is.
    """
    assert (linux, windows, isolated) == (
        is_linux(spec),
        is_windows(spec),
        is_isolated(spec),
    )


@pytest.mark.parametrize("text", ["true", "True", "1"])
def test_host_process_is_an_exact_text(text: str) -> None:
    """
    Only ``true`` makes a host-process container, as clients expect.
    """
    spec = Spec(windows=Windows(), annotations={keys.HOST_PROCESS_CONTAINER: text})

    assert (text == "true") == is_host_process(spec)


def test_roles() -> None:
    """
    A role and a sandbox come together, or not at all.
    """
    kind, sandbox = keys.KUBERNETES_CONTAINER_TYPE, keys.KUBERNETES_SANDBOX_ID

    assert PodRole() == pod_role({})
    assert SANDBOX == pod_role({kind: "sandbox", sandbox: "pod"})
    for given, message in (
        ({kind: "sandbox"}, "needs 'io.kubernetes.cri.sandbox-id'"),
        ({sandbox: "pod"}, "needs 'io.kubernetes.cri.container-type'"),
        ({kind: "pod", sandbox: "x"}, "expected container or sandbox, got 'pod'"),
        ({kind: ""}, "expected container or sandbox, got ''"),
    ):
        with pytest.raises(ValueError, match=message):
            pod_role(given)


@pytest.mark.parametrize(
    ("annotations", "role"),
    [
        ({keys.CRIO_CONTAINER_TYPE: "sandbox", keys.CRIO_SANDBOX_ID: "pod"}, SANDBOX),
        (
            {keys.DOCKER_CONTAINER_TYPE: "podsandbox", keys.DOCKER_SANDBOX_ID: "pod"},
            SANDBOX,
        ),
        ({keys.DOCKER_CONTAINER_TYPE: "other"}, PodRole()),
        ({}, PodRole()),
    ],
)
def test_older_orchestrators(annotations: dict[str, str], role: PodRole) -> None:
    """
    What CRI-O and dockershim say is understood.
    """
    assert role == any_pod_role(annotations)
