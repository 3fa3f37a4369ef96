"""Windows containers: specifications to documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs
import pytest

from hcsshim.documents import ContainerCredentialGuardState, MappedDirectory, to_dict
from hcsshim.oci import (
    HyperV,
    Mount,
    Root,
    Spec,
    WindowsCpu,
    WindowsCpuAffinity,
    WindowsDevice,
    WindowsMemory,
    WindowsNetwork,
    WindowsOptions,
    WindowsResources,
    WindowsStorage,
    check_affinity,
    container_processors,
    windows_container,
)
from hcsshim.oci import annotation_keys as keys
from hcsshim.oci.limits import rescaled

from .conftest import linux_spec, windows_spec

if TYPE_CHECKING:
    from pathlib import Path

    from hcsshim.hcs._container import ContainerConfig

V1 = WindowsOptions(schema=(1, 0), processors=8)
V2 = WindowsOptions(processors=8)
VM = attrs.evolve(V2, hosting_system_id="pod@vm", vm_processors=2)
VOLUME = "\\\\?\\Volume{12345678-1234-1234-1234-123456789abc}"


def container(config: ContainerConfig) -> dict[str, object]:
    """Render the ``Container`` of schema 2.1 as JSON values."""
    return json.loads(config.render())["Container"]


def added(config: ContainerConfig) -> dict[str, object]:
    """Give the registry values by name."""
    values = config.registry_changes.add_values
    return {value.name: value.string_value or value.dword_value for value in values}


def test_layers_and_scratch() -> None:
    """
    The last folder is the scratch layer, and stands for the volume until it is
    mounted; the others keep their order and have ids.
    """
    storage = container(windows_container(windows_spec(), "web", V2))["Storage"]

    assert "C:\\scratch" == storage["Path"]
    assert ["C:\\l2", "C:\\l1"] == [layer["Path"] for layer in storage["Layers"]]
    assert len({layer["Id"] for layer in storage["Layers"]}) == 2


def test_without_layers_the_service_decides() -> None:
    """
    A root of its own, if it has one, as the embedded host does.
    """
    assert "Storage" not in container(
        windows_container(windows_spec(layer_folders=()), "web", V2)
    )


@pytest.mark.parametrize("path", [VOLUME, VOLUME + "\\"])
def test_volumes_end_with_a_backslash(path: str) -> None:
    """
    Schema 2 has it whether the client wrote it or not, schema 1 never.
    """
    spec = attrs.evolve(windows_spec(), root=Root(path=path))

    storage = container(windows_container(spec, "web", V2))["Storage"]
    document = windows_container(spec, "web", V1).document((1, 0), "web")

    assert VOLUME + "\\" == storage["Path"]
    assert VOLUME == document.volume_path


def test_limits_of_the_specification() -> None:
    """
    Memory in megabytes, one processor limit, the disk's.
    """
    resources = WindowsResources(
        memory=WindowsMemory(limit=512 << 20),
        cpu=WindowsCpu(maximum=5000),
        storage=WindowsStorage(iops=10, bps=20),
    )

    found = container(windows_container(windows_spec(resources=resources), "web", V2))

    assert {"SizeInMB": 512} == found["Memory"]
    assert {"Maximum": 5000} == found["Processor"]
    assert {"IopsMaximum": 10, "BandwidthMaximum": 20} == found["Storage"]["QoS"]


def test_annotations_beat_the_specification_unless_0() -> None:
    """
    A limit of an annotation holds; 0 and nonsense leave the specification's.
    """
    resources = WindowsResources(
        memory=WindowsMemory(limit=512 << 20), storage=WindowsStorage(iops=10, bps=20)
    )
    spec = windows_spec(
        {
            keys.CONTAINER_MEMORY_SIZE_IN_MB: "256",
            keys.CONTAINER_STORAGE_QOS_IOPS_MAXIMUM: "0",
            keys.CONTAINER_STORAGE_QOS_BANDWIDTH_MAXIMUM: "much",
            keys.CONTAINER_PROCESSOR_WEIGHT: "300",
        },
        resources=resources,
    )

    found = container(windows_container(spec, "web", V2))

    assert {"SizeInMB": 256} == found["Memory"]
    assert {"Weight": 300} == found["Processor"]
    assert {"IopsMaximum": 10, "BandwidthMaximum": 20} == found["Storage"]["QoS"]


def test_processor_limits_exclude_each_other() -> None:
    """
    Whether they come from annotations or from the specification.
    """
    spec = windows_spec(
        {keys.CONTAINER_PROCESSOR_COUNT: "2"},
        resources=WindowsResources(cpu=WindowsCpu(maximum=5000)),
    )

    with pytest.raises(ValueError, match="count 2, limit 5000 and weight 0 exclude"):
        container_processors(spec, 8)


def test_more_processors_than_there_are() -> None:
    """
    A count is cut to what the machine has.
    """
    spec = windows_spec({keys.CONTAINER_PROCESSOR_COUNT: "64"})

    assert 8 == container_processors(spec, 8).count


@pytest.mark.parametrize(
    ("share", "host", "vm", "expected"),
    [(2500, 8, 2, 10000), (2500, 8, 4, 5000), (1, 1, 8, 1), (10000, 64, 1, 10000)],
)
def test_shares_are_rescaled_to_vms(
    share: int, host: int, vm: int, expected: int
) -> None:
    """
    The same processor time is a larger share of a smaller machine.
    """
    assert expected == rescaled(share, host, vm)


@pytest.mark.parametrize(("scale", "expected"), [(True, 8000), (False, 2000)])
def test_a_runtime_chooses_to_rescale(scale: bool, expected: int) -> None:  # noqa: FBT001
    """
    Only where the runtime is configured so, and only in a VM.
    """
    spec = windows_spec({keys.CONTAINER_PROCESSOR_LIMIT: "2000"})

    config = windows_container(spec, "web", attrs.evolve(VM, scale_limits_to_vm=scale))

    assert expected == config.processor_maximum


@pytest.mark.parametrize(
    ("affinity", "build", "message"),
    [
        ([(0, 0)], 20348, r"affinity\[0\].mask: expected a processor, got 0"),
        ([(1, 0), (1, 1)], 17763, "2 groups need Windows Server 2022"),
        ([(1, 3)], 17763, "group 3 need Windows Server 2022"),
    ],
)
def test_affinity_is_checked(
    affinity: list[tuple[int, int]], build: int, message: str
) -> None:
    """
    Masks select something; more than group 0 needs a newer host.
    """
    entries = [WindowsCpuAffinity(mask=mask, group=group) for mask, group in affinity]

    with pytest.raises(ValueError, match=message):
        check_affinity(entries, build)
    if all(mask for mask, _ in affinity):
        assert tuple(affinity) == check_affinity(entries, 20348)


def test_mounts() -> None:
    """
    Folders are mapped, pipes too, each in its own way; ``ro`` in any case.
    """
    mounts = (
        Mount(source="C:\\a", destination="C:\\b", options=("RO",)),
        Mount(source="\\\\.\\pipe\\one", destination="\\\\.\\pipe\\two"),
        Mount(source="C:\\c", destination="C:\\d", type="bind"),
    )

    found = container(
        windows_container(attrs.evolve(windows_spec(), mounts=mounts), "web", V2)
    )

    assert [
        {"HostPath": "C:\\a", "ContainerPath": "C:\\b", "ReadOnly": True},
        {"HostPath": "C:\\c", "ContainerPath": "C:\\d"},
    ] == found["MappedDirectories"]
    assert [{"HostPath": "\\\\.\\pipe\\one", "ContainerPipeName": "two"}] == found[
        "MappedPipes"
    ]


def test_links_of_the_host_are_followed(tmp_path: Path) -> None:
    """
    HCS does not follow a symbolic link to a file; we do.
    """
    (tmp_path / "real").write_text("")
    (tmp_path / "link").symlink_to("real")
    mount = Mount(source=str(tmp_path / "link"), destination="C:\\x")

    config = windows_container(attrs.evolve(windows_spec(), mounts=(mount,)), "web", V2)

    assert str((tmp_path / "real").resolve()) == config.mounts[0].host_path


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        (Mount(source="a", destination="b", type="nfs"), r"mounts\[0\].type: expected"),
        (Mount(source="a"), r"mounts\[0\]: expected a source and a destination"),
        (
            Mount(source="a", destination="b", type="virtual-disk"),
            r"mounts\[0\]: 'virtual-disk' needs a utility VM",
        ),
        (
            Mount(source="sandbox://a", destination="b"),
            r"mounts\[0\]: 'sandbox://a' needs a utility VM",
        ),
    ],
)
def test_mounts_that_cannot_be_made(mount: Mount, message: str) -> None:
    """
    The error names the mount.
    """
    with pytest.raises(ValueError, match=message):
        windows_container(attrs.evolve(windows_spec(), mounts=(mount,)), "web", V2)


def test_mounts_in_a_vm() -> None:
    """
    Paths are as the VM sees them: its own, the sandbox's, or through a share.
    """
    mounts = (
        Mount(source="sandbox://a/b", destination="1"),
        Mount(source="uvm://C:\\x", destination="2"),
        Mount(source="C:\\host", destination="3", options=("ro",)),
    )
    spec = attrs.evolve(windows_spec(), mounts=mounts)
    options = attrs.evolve(VM, guest_path=lambda path, read_only: f"{read_only}:{path}")

    found = [
        mount.host_path for mount in windows_container(spec, "web", options).mounts
    ]

    assert ["C:\\SandboxMounts\\a/b", "C:\\x", "True:C:\\host"] == found
    with pytest.raises(ValueError, match="the VM does not see"):
        windows_container(spec, "web", VM)


def test_network() -> None:
    """
    Schema 2 takes the namespace, schema 1 the endpoints.
    """
    network = WindowsNetwork(
        endpoint_list=("e",),
        network_namespace="ns",
        dns_search_list=("a", "b"),
        allow_unqualified_dns_query=True,
        network_shared_container_name="other",
    )
    spec = windows_spec(network=network)

    found = container(windows_container(spec, "web", V2))["Networking"]
    document = windows_container(spec, "web", V1).document((1, 0), "web")

    assert {
        "Namespace": "ns",
        "DnsSearchList": "a,b",
        "AllowUnqualifiedDnsQuery": True,
        "NetworkSharedContainerName": "other",
    } == found
    assert ("e",) == document.endpoint_list
    assert "a,b" == document.dns_search_list


def test_devices() -> None:
    """
    By interface class or by place; what is for VMs is refused.
    """
    devices = (
        WindowsDevice(id="g1", id_type="class"),
        WindowsDevice(id="g2", id_type="vpci-class-guid"),
        WindowsDevice(id="PCI", id_type="vpci-location-path"),
    )

    found = container(windows_container(windows_spec(devices=devices), "web", V2))

    assert [
        {"InterfaceClassGuid": "g1"},
        {"InterfaceClassGuid": "g2"},
        {"Type": "DeviceInstance", "LocationPath": "PCI"},
    ] == found["AssignedDevices"]
    wrong = windows_spec(devices=(WindowsDevice(id="x", id_type="gpu"),))
    with pytest.raises(ValueError, match=r"devices\[0\].idType: expected class"):
        windows_container(wrong, "web", V2)


def test_services_get_time_to_stop() -> None:
    """
    Whatever the container, its services may take as long as its stop.
    """
    config = windows_container(windows_spec(), "web", V2)

    assert {"WaitToKillServiceTimeout": "2147483647"} == added(config)


@pytest.mark.parametrize("placeholder", ["{container_id}", "{CONTAINER_ID}"])
def test_crash_dumps(placeholder: str) -> None:
    """
    A folder, a kind and a number; the container's id takes its place's place.
    """
    config = windows_container(
        windows_spec(
            {
                keys.CONTAINER_PROCESS_DUMP_LOCATION: f"C:\\dumps\\{placeholder}",
                keys.WCOW_PROCESS_DUMP_TYPE: "mini",
                keys.WCOW_PROCESS_DUMP_COUNT: "3",
            }
        ),
        "web",
        V2,
    )

    values = added(config)
    assert "C:\\dumps\\web" == values["DumpFolder"]
    assert (1, 3) == (values["DumpType"], values["DumpCount"])


def test_crash_dumps_where_the_vm_has_them() -> None:
    """
    The pod's folder holds where the container names none, with the usual kind.
    """
    options = attrs.evolve(V2, dump_location="C:\\pod")

    values = added(windows_container(windows_spec(), "web", options))

    assert ("C:\\pod", 2, 10) == (
        values["DumpFolder"],
        values["DumpType"],
        values["DumpCount"],
    )


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        (keys.WCOW_PROCESS_DUMP_TYPE, "big", "expected mini or full, got 'big'"),
        (keys.WCOW_PROCESS_DUMP_COUNT, "0", "expected a number from 1 on, got '0'"),
        (keys.WCOW_PROCESS_DUMP_COUNT, "x", "expected a number from 1 on, got 'x'"),
    ],
)
def test_senseless_dumps_are_refused(key: str, text: str, message: str) -> None:
    """
    The error names the annotation.
    """
    spec = windows_spec({keys.CONTAINER_PROCESS_DUMP_LOCATION: "C:\\d", key: text})

    with pytest.raises(ValueError, match=message):
        windows_container(spec, "web", V2)


def test_registry_values_of_annotations() -> None:
    """
    Only complete ones, only where an annotation may write.
    """
    good = {
        "Key": {"Hive": "Software", "Name": "Any\\Place"},
        "Name": "good",
        "Type": "DWord",
        "DWordValue": 5,
    }
    service = {"Hive": "System", "Name": "CurrentControlSet\\SERVICES\\x"}
    forbidden = {"Hive": "System", "Name": "ControlSet001\\Control"}
    values = [
        good,
        {**good, "Name": "service", "Key": service},
        {**good, "Name": "forbidden", "Key": forbidden},
        {**good, "Name": "sam", "Key": {"Hive": "Sam", "Name": "x"}},
        {**good, "Name": ""},
        {**good, "Name": "type", "Type": "Text"},
        {**good, "Name": "hive", "Key": {"Hive": "Other", "Name": "x"}},
        {k: v for k, v in good.items() if k != "Key"},
    ]
    spec = windows_spec({keys.WCOW_REGISTRY_ANNOTATION_TEST: json.dumps(values)})

    found = added(windows_container(spec, "web", V2))

    assert {"WaitToKillServiceTimeout", "good", "service"} == set(found)


def test_what_is_no_registry_value_is_ignored() -> None:
    """
    A text that is no JSON list keeps nothing from running.
    """
    for text in ("{", "{}", "[5]"):
        spec = windows_spec({keys.WCOW_REGISTRY_ANNOTATION_TEST: text})
        found = added(windows_container(spec, "web", V2))
        assert {"WaitToKillServiceTimeout"} == set(found), text


def test_credentials() -> None:
    """
    Schema 1 takes the specification, schema 2 what the guard made of it.
    """
    spec = windows_spec(credential_spec='{"a":1}')
    guard = ContainerCredentialGuardState(cookie="c")

    v1 = windows_container(spec, "web", V1)
    v2 = windows_container(spec, "web", attrs.evolve(V2, credential_guard=guard))

    assert '{"a":1}' == v1.credential_spec
    assert guard == v2.credential_guard
    assert v2.credential_spec is None


def test_credentials_can_be_forbidden() -> None:
    """
    An annotation of the pod refuses them.
    """
    spec = windows_spec({keys.WCOW_DISABLE_GMSA: "true"}, credential_spec="{}")

    with pytest.raises(PermissionError, match="accounts are disabled"):
        windows_container(spec, "web", V2)


def test_device_extensions(tmp_path: Path) -> None:
    """
    Files that an annotation names, on hosts that have the feature.
    """
    file = tmp_path / "e.json"
    file.write_text('{"ExtensionId": "x"}')
    spec = windows_spec({keys.DEVICE_EXTENSIONS: str(file)})

    config = windows_container(spec, "web", V2)

    assert {"DeviceExtension": [{"ExtensionId": "x"}]} == {
        "DeviceExtension": [
            to_dict(extension) for extension in config.device_namespace.device_extension
        ]
    }
    with pytest.raises(ValueError, match="needs build 20348, this is build 17763"):
        windows_container(spec, "web", attrs.evolve(V2, build=17763))
    file.unlink()
    with pytest.raises(FileNotFoundError, match="is not there"):
        windows_container(spec, "web", V2)


def test_host_processes() -> None:
    """
    The document says so, and where the container sees its files.
    """
    spec = windows_spec(
        {
            keys.HOST_PROCESS_CONTAINER: "true",
            keys.HOST_PROCESS_ROOTFS_LOCATION: "C:\\here",
        }
    )

    found = container(windows_container(spec, "web", V2))

    assert "HostProcess" == found["IsolationType"]
    assert "C:\\here" == found["Storage"]["PrivilegedContainerRootPath"]


def test_hypervisor_of_schema_1() -> None:
    """
    The VM's image is the client's; without one there is nothing to boot.
    """
    spec = windows_spec(hyperv=HyperV(utility_vm_path="C:\\uvm"))

    document = windows_container(spec, "web", V1).document((1, 0), "web")

    assert document.hv_partition
    assert "C:\\uvm" == document.hv_runtime.image_path
    with pytest.raises(ValueError, match="utilityVMPath: expected the VM's folder"):
        windows_container(windows_spec(hyperv=HyperV()), "web", V1)


def test_hosted_containers() -> None:
    """
    The document of a container in a VM names the VM.
    """
    wire = json.loads(windows_container(windows_spec(), "web", VM).render())

    assert "pod@vm" == wire["HostingSystemId"]
    assert "Storage" in wire["HostedSystem"]["Container"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (linux_spec(), "windows: expected the section"),
        (Spec(windows=windows_spec().windows), "root: expected"),
        (
            attrs.evolve(windows_spec(), root=Root(path="", readonly=True)),
            "root.readonly: Windows containers cannot",
        ),
        (
            attrs.evolve(windows_spec(), root=Root(path="\\\\?\\Volume{x}")),
            "root.path: expected a volume",
        ),
    ],
)
def test_what_is_no_windows_container(spec: Spec, message: str) -> None:
    """
    The error names the member.
    """
    with pytest.raises(ValueError, match=message):
        windows_container(spec, "web", V2)


def test_everything_else_stays_itself() -> None:
    """
    Host name, owner, flushes: as they are.
    """
    spec = attrs.evolve(windows_spec(ignore_flushes_during_boot=True), hostname="box")

    config = windows_container(spec, "web", attrs.evolve(V1, owner="me"))

    assert ("box", "me") == (config.hostname, config.owner)
    assert config.ignore_flushes_during_boot
    assert isinstance(
        windows_container(
            attrs.evolve(spec, mounts=(Mount(source="a", destination="b"),)), "x", V1
        ).mounts[0],
        MappedDirectory,
    )
