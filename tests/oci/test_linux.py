"""Linux containers: on this host, and in utility VMs."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import attrs
import pytest
from programs import find_program

from hcsshim.documents import loads
from hcsshim.oci import (
    DeviceRule,
    Hook,
    Hooks,
    LinuxCpu,
    LinuxMemory,
    LinuxPids,
    LinuxResources,
    Mount,
    Namespace,
    Root,
    Spec,
    Windows,
    WindowsDevice,
    WindowsNetwork,
    hosted_linux_document,
    linux_container,
)
from hcsshim.oci import annotation_keys as keys
from hcsshim.oci.linux import unsupported

from .conftest import linux_spec

if TYPE_CHECKING:
    from pathlib import Path


def test_root_and_mounts() -> None:
    """
    The root is the only layer; what the kernel has is not mounted again.
    """
    mounts = (
        Mount(source="/a", destination="/b", type="bind", options=("ro",)),
        Mount(source="/c", destination="/d", type="none", options=("rbind",)),
        Mount(source="proc", destination="/proc", type="proc"),
    )
    spec = attrs.evolve(linux_spec(), mounts=mounts, hostname="box")

    config = linux_container(spec)

    assert ("/bundle/rootfs",) == config.layers
    assert (("/a", "/b", True), ("/c", "/d", False)) == config.mounts
    assert "box" == config.hostname
    assert [] == list(unsupported(spec))


@pytest.mark.parametrize(
    ("cpu", "cpus", "weight"),
    [
        (LinuxCpu(quota=50_000), 0.5, None),
        (LinuxCpu(quota=200_000, period=50_000), 4, None),
        (LinuxCpu(quota=-1, shares=1024), None, 39),
        (LinuxCpu(shares=2), None, 1),
        (LinuxCpu(shares=262_144), None, 10_000),
        (LinuxCpu(shares=1), None, 1),
        (LinuxCpu(quota=50_000, shares=5), 0.5, None),
        (LinuxCpu(), None, None),
    ],
)
def test_processor_limits(
    cpu: LinuxCpu, cpus: float | None, weight: int | None
) -> None:
    """
    A quota is a number of processors; shares are a weight where there is no quota.
    """
    config = linux_container(linux_spec(resources=LinuxResources(cpu=cpu)))

    assert (cpus, weight) == (config.cpus, config.processor_weight)


@pytest.mark.parametrize(
    ("limit", "megabytes"), [(1, 1), (1 << 20, 1), ((1 << 20) + 1, 2), (-1, None)]
)
def test_memory_is_rounded_up(limit: int, megabytes: int | None) -> None:
    """
    Never less than was asked for; -1 is no limit.
    """
    resources = LinuxResources(memory=LinuxMemory(limit=limit))

    assert megabytes == linux_container(linux_spec(resources=resources)).memory_in_mb


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            linux_spec(namespaces=(Namespace(type="pid"), Namespace(path="/x"))),
            r"linux.namespaces\[1\].path: existing namespaces cannot be joined",
        ),
        (attrs.evolve(linux_spec(), root=None), "root.path: expected"),
        (attrs.evolve(linux_spec(), root=Root()), "root.path: expected"),
        (
            attrs.evolve(linux_spec(), mounts=(Mount(type="bind", source="/a"),)),
            r"mounts\[0\]: expected a source and a destination",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(spec: Spec, message: str) -> None:
    """
    The error names the member.
    """
    with pytest.raises(ValueError, match=message):
        linux_container(spec)


def test_what_has_no_effect_is_named() -> None:
    """
    Nothing of a specification is dropped without a word.
    """
    spec = attrs.evolve(
        linux_spec(
            seccomp={"defaultAction": "x"},
            sysctl={"a": "b"},
            resources=LinuxResources(pids=LinuxPids(limit=5)),
            namespaces=(Namespace(type="pid"), Namespace(type="mount")),
        ),
        hooks=Hooks(prestart=(Hook(path="/x"),)),
        mounts=(Mount(destination="/tmp", type="tmpfs"),),
    )

    found = [clause.partition(": ")[0] for clause in unsupported(spec)]

    assert [
        "hooks",
        "mounts[0]",
        "linux.namespaces",
        "linux.namespaces",
        "linux.namespaces",
        "linux.sysctl",
        "linux.seccomp",
        "linux.resources.pids",
    ] == found


def test_nothing_that_runc_writes_is_without_effect(tmp_path: Path) -> None:
    """
    The usual specification is fulfilled.
    """
    subprocess.run([find_program("runc"), "spec"], cwd=tmp_path, check=True)

    spec = loads(Spec, (tmp_path / "config.json").read_text())

    assert [] == list(unsupported(spec))


def test_the_guest_gets_what_is_its_own() -> None:
    """
    Hooks, control groups and Windows stay outside, except network and devices.
    """
    resources = LinuxResources(
        cpu=LinuxCpu(period=0, quota=0),
        memory=LinuxMemory(limit=5),
        devices=(DeviceRule(allow=True),),
        pids=LinuxPids(limit=1),
        hugepage_limits=[{"pageSize": "2MB"}],
    )
    spec = attrs.evolve(
        linux_spec(cgroups_path="/x", resources=resources, seccomp={"a": 1}),
        hooks=Hooks(prestart=(Hook(path="/x"),)),
        windows=Windows(
            layer_folders=("a",),
            devices=(WindowsDevice(id="d"),),
            network=WindowsNetwork(network_namespace="ns", endpoint_list=("e",)),
        ),
    )

    document = hosted_linux_document(spec, "/run/gcs/c/1", "/scratch")

    guest = document.oci_specification
    assert "/run/gcs/c/1" == document.oci_bundle_path
    assert "/scratch" == document.scratch_dir_path
    assert "hooks" not in guest
    assert {
        "seccomp": {"a": 1},
        "resources": {"cpu": {"period": 100000, "quota": -1}, "memory": {"limit": 5}},
    } == guest["linux"]
    assert {"networkNamespace": "ns"} == guest["windows"]["network"]
    assert [{"id": "d", "idType": ""}] == guest["windows"]["devices"]


def test_a_privileged_guest_has_no_filter() -> None:
    """
    An annotation takes the filter of system calls away.
    """
    spec = linux_spec({keys.LCOW_PRIVILEGED: "true"}, seccomp={"a": 1})

    document = hosted_linux_document(spec, "/b")

    assert "seccomp" not in document.oci_specification["linux"]
    assert json.dumps(document.oci_specification)
