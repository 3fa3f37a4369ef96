"""What a container is made of, rendered for both schemas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import hcsshim
from hcsshim import ContainerConfig, choose_schema, container_document, schema_version
from hcsshim.documents import (
    ComputeSystem,
    ContainerCredentialGuardState,
    ContainerDefinitionDevice,
    Device,
    Layer,
    MappedDirectory,
    MappedPipe,
    RegistryChanges,
    RegistryKey,
    dumps,
    to_dict,
    v1,
)

if TYPE_CHECKING:
    from pathlib import Path

V1, V2 = (1, 0), (2, 1)

#: Values for every member that both schemas have a way to say.
SHARED = {
    "layers": (Layer(id="1", path="C:\\l1"), "C:\\l2"),
    "scratch": "C:\\scratch",
    "hostname": "box",
    "mounts": (("C:\\a", "C:\\b", True), MappedDirectory(host_path="x")),
    "pipes": (("\\\\.\\pipe\\p", "q"), MappedPipe(host_path="h")),
    "memory_in_mb": 512,
    "processor_maximum": 2500,
    "storage_iops": 10,
    "storage_bandwidth": 20,
    "endpoints": ("e1", "e2"),
    "network_shared_with": "other",
    "dns_search": ("a.example", "b.example"),
    "allow_unqualified_dns": True,
    "devices": (Device(interface_class_guid="g"),),
}
#: The same for what only one of them can say.
ONLY_V1 = {
    "servicing": True,
    "scratch_size": 1024,
    "utility_vm_image": "C:\\uvm",
    "credential_spec": "{}",
}
ONLY_V2 = {
    "network_namespace": "n",
    "credential_guard": ContainerCredentialGuardState(cookie="c"),
    "device_namespace": ContainerDefinitionDevice(),
    "registry_changes": RegistryChanges(delete_keys=(RegistryKey(name="k"),)),
    "host_process": True,
    "host_process_root": "C:\\hpc",
    "hosting_system_id": "vm",
}


def test_v2_says_everything_where_it_belongs() -> None:
    """
    Each member is found under the name that schema 2.1 has for it.
    """
    document = ContainerConfig(**SHARED, owner="me", keep=True).document(V2)

    assert isinstance(document, ComputeSystem)
    wire = to_dict(document)
    container = wire.pop("Container")
    assert {
        "Owner": "me",
        "SchemaVersion": {"Major": 2, "Minor": 1},
        "ShouldTerminateOnLastHandleClosed": False,
    } == wire
    assert isinstance(container, dict)
    layers = container["Storage"].pop("Layers")
    assert ["C:\\l1", "C:\\l2"] == [layer["Path"] for layer in layers]
    assert len({layer["Id"] for layer in layers}) == 2
    assert {
        "GuestOs": {"HostName": "box"},
        "Storage": {
            "Path": "C:\\scratch",
            "QoS": {"IopsMaximum": 10, "BandwidthMaximum": 20},
        },
        "MappedDirectories": [
            {"HostPath": "C:\\a", "ContainerPath": "C:\\b", "ReadOnly": True},
            {"HostPath": "x"},
        ],
        "MappedPipes": [
            {"ContainerPipeName": "q", "HostPath": "\\\\.\\pipe\\p"},
            {"HostPath": "h"},
        ],
        "Memory": {"SizeInMB": 512},
        "Processor": {"Maximum": 2500},
        "Networking": {
            "AllowUnqualifiedDnsQuery": True,
            "DnsSearchList": "a.example,b.example",
            "NetworkSharedContainerName": "other",
            "NetworkAdapters": ["e1", "e2"],
        },
        "AssignedDevices": [{"InterfaceClassGuid": "g"}],
    } == container


def test_v1_says_everything_where_it_belongs() -> None:
    """
    Each member is found under the name that schema 1 has for it.
    """
    config = ContainerConfig(**SHARED, ignore_flushes_during_boot=True)

    document = config.document(V1, "web")

    assert isinstance(document, v1.ContainerConfig)
    wire = to_dict(document)
    assert ["C:\\l1", "C:\\l2"] == [layer["Path"] for layer in wire.pop("Layers")]
    directories = wire.pop("MappedDirectories")
    assert ["C:\\a", "x"] == [item["HostPath"] for item in directories]
    pipes = wire.pop("MappedPipes")
    assert ["q", ""] == [pipe["ContainerPipeName"] for pipe in pipes]
    assert {
        "SystemType": "Container",
        "Name": "web",
        "Owner": "hcsshim",
        "LayerFolderPath": "C:\\scratch",
        "IgnoreFlushesDuringBoot": True,
        "ProcessorMaximum": 2500,
        "StorageIOPSMaximum": 10,
        "StorageBandwidthMaximum": 20,
        "MemoryMaximumInMB": 512,
        "HostName": "box",
        "NetworkSharedContainerName": "other",
        "EndpointList": ["e1", "e2"],
        "AllowUnqualifiedDNSQuery": True,
        "DNSSearchList": "a.example,b.example",
        "HvPartition": False,
        "TerminateOnLastHandleClosed": True,
        "AssignedDevices": [{"InterfaceClassGuid": "g"}],
    } == wire


def test_volume_is_the_scratch_of_either_schema() -> None:
    r"""
    A volume ends with a backslash in schema 2, and without one in schema 1.
    """
    config = ContainerConfig(scratch="\\\\?\\Volume{1}\\")

    assert "\\\\?\\Volume{1}\\" == config.document(V2).container.storage.path
    assert "\\\\?\\Volume{1}" == config.document(V1).volume_path


@pytest.mark.parametrize("name", ONLY_V2)
def test_schema_1_refuses_what_it_cannot_say(name: str) -> None:
    """
    Nothing of the description is lost silently.
    """
    config = ContainerConfig(**{name: ONLY_V2[name]})

    with pytest.raises(ValueError, match=f"schema 1 has no way to say {name}$"):
        config.document(V1)


@pytest.mark.parametrize("name", ONLY_V1)
def test_schema_2_refuses_what_it_cannot_say(name: str) -> None:
    """
    Nothing of the description is lost silently.
    """
    config = ContainerConfig(**{name: ONLY_V1[name]})

    with pytest.raises(ValueError, match=f"schema 2 has no way to say {name}$"):
        config.document(V2)


def test_schema_2_alone_says_what_only_it_can() -> None:
    """
    Namespaces, credentials, devices, registry and host processes.
    """
    given = {k: v for k, v in ONLY_V2.items() if k != "hosting_system_id"}

    container = ContainerConfig(**given).document(V2).container

    assert "n" == container.networking.namespace
    assert given["credential_guard"] == container.container_credential_guard
    assert given["device_namespace"] == container.additional_device_namespace
    assert given["registry_changes"] == container.registry_changes
    assert "HostProcess" == container.isolation_type
    assert "C:\\hpc" == container.storage.privileged_container_root_path


def test_hosted_container_is_named_in_its_vm() -> None:
    """
    A container of a utility VM goes to the VM as a whole.
    """
    config = ContainerConfig(hosting_system_id="vm", hostname="box")

    wire = to_dict(config.document(V2))

    assert "vm" == wire["HostingSystemId"]
    assert "Container" not in wire
    assert {
        "SchemaVersion": {"Major": 2, "Minor": 1},
        "Container": {"GuestOs": {"HostName": "box"}},
    } == wire["HostedSystem"]


def test_schema_1_alone_says_what_only_it_can() -> None:
    """
    A utility VM by its image, updates, credentials as they are.
    """
    document = ContainerConfig(**ONLY_V1).document(V1, "x")

    assert document.hv_partition
    assert "C:\\uvm" == document.hv_runtime.image_path
    assert "{}" == document.credentials
    assert document.servicing
    assert 1024 == document.storage_sandbox_size


def test_credentials_stay_out_of_the_repr() -> None:
    """
    A description can be logged.
    """
    assert "hush" not in repr(ContainerConfig(credential_spec="hush"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cpus": 0}, "cpus must be positive"),
        ({"memory_in_mb": -1}, "memory_in_mb must be positive"),
        ({"processor_weight": 10001}, "processor_weight must be 1 to 10000"),
        ({"cpus": 1, "processor_count": 2}, "cpus and processor_count exclude"),
        (
            {"processor_maximum": 1, "processor_weight": 2},
            "processor_maximum and processor_weight exclude",
        ),
    ],
)
def test_impossible_limits_are_refused(given: dict[str, int], message: str) -> None:
    """
    A limit that no service would take is refused before it is sent.
    """
    with pytest.raises(ValueError, match=message):
        ContainerConfig(**given)


def test_devices_by_place_need_schema_2() -> None:
    """
    Schema 1 knows devices by interface class only.
    """
    config = ContainerConfig(devices=(Device(location_path="PCIROOT(0)"),))

    with pytest.raises(ValueError, match="schema 1 has no way to say devices"):
        config.document(V1)


def test_the_function_is_the_class() -> None:
    """
    ``container_document`` writes what the description renders.
    """
    config = ContainerConfig(layers=("/l",), mounts=(("/a", "/b"),), cpus=1)
    text = container_document(layers=("/l",), mounts=(("/a", "/b"),), cpus=1)

    assert json.loads(config.render()) == json.loads(text)
    assert json.loads(dumps(config.document())) == json.loads(text)


@pytest.mark.parametrize(
    ("supported", "requested", "chosen"),
    [
        ([(1, 0)], None, (1, 0)),
        ([(1, 0), (2, 0)], None, (1, 0)),
        ([(1, 0), (2, 3)], None, (2, 1)),
        ([(2, 7)], None, (2, 1)),
        ([(2, 7)], (2, 5), (2, 5)),
        ([(2, 3)], (2, 5), (2, 1)),
        ([(1, 0), (2, 1)], (1, 0), (1, 0)),
        ([], None, (1, 0)),
    ],
)
def test_schema_is_chosen_as_clients_do(
    supported: list[tuple[int, int]],
    requested: tuple[int, int] | None,
    chosen: tuple[int, int],
) -> None:
    """
    2.1 where it is understood, else 1.0; what was asked for if it is understood.
    """
    assert chosen == choose_schema(supported, requested)


@pytest.mark.host
@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("requested", [None, V1], ids=["newest", "v1"])
def test_service_runs_what_is_rendered(
    tmp_path: Path, requested: tuple[int, int] | None
) -> None:
    """
    Whatever the service understands, one description makes the same container.
    """
    (tmp_path / "file").write_text("there")
    config = ContainerConfig(hostname="box", mounts=((tmp_path, "/mnt", True),))
    schema = schema_version(requested)
    name = f"config-{schema[0]}-{tmp_path.name}"

    document = config.document(schema, name)
    done = hcsshim.run(
        ["sh", "-c", "hostname; cat /mnt/file"],
        document=document,
        system_id=name,
        capture_output=True,
        check=True,
    )

    assert (requested or V2) == schema
    assert b"box\nthere" == done.stdout
