"""From schema 1 to schema 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hcsshim import documents
from hcsshim.documents import DocumentError, hcn, hns, loads, to_dict, upgrade, v1

FIXTURES = Path(__file__).parents[1] / "fixtures" / "hcs"


def read(name: str) -> str:
    """Read one recorded document."""
    return (FIXTURES / f"{name}.json").read_text(encoding="utf-8")


def test_container() -> None:
    """Everything that schema 2 has a place for is there, in its own form."""
    old = v1.ContainerConfig(
        system_type="Container",
        name="web",
        owner="docker",
        volume_path="\\\\?\\Volume{0b6f1b5e-8a39-4a57-9f0c-2f3d5e6a7b8c}",
        layers=(v1.Layer(id="5f3c2a10-6d4e-5b8a-9c7f-1e2d3c4b5a69", path="C:\\base"),),
        processor_weight=500,
        memory_maximum_in_mb=512,
        storage_iops_maximum=100,
        host_name="web-1",
        hv_partition=False,
        mapped_directories=(
            v1.MappedDir(host_path="C:\\d", container_path="C:\\e", read_only=True),
        ),
        mapped_pipes=(
            v1.MappedPipe(host_path="\\\\.\\pipe\\a", container_pipe_name="b"),
        ),
        endpoint_list=("8c1f2e3d-4b5a-4697-8877-665544332211",),
        dns_search_list="a.example,b.example",
        allow_unqualified_dns_query=True,
        terminate_on_last_handle_closed=True,
        assigned_devices=(
            v1.AssignedDevice(
                interface_class_guid="5b45201d-f2f2-4f3b-85bb-30ff1f953599"
            ),
        ),
    )

    new, left_out = upgrade(old)

    assert ("Name",) == left_out
    assert to_dict(new) == {
        "Owner": "docker",
        "SchemaVersion": {"Major": 2, "Minor": 1},
        "ShouldTerminateOnLastHandleClosed": True,
        "Container": {
            "GuestOs": {"HostName": "web-1"},
            "Storage": {
                "Layers": [
                    {"Id": "5f3c2a10-6d4e-5b8a-9c7f-1e2d3c4b5a69", "Path": "C:\\base"}
                ],
                "Path": "\\\\?\\Volume{0b6f1b5e-8a39-4a57-9f0c-2f3d5e6a7b8c}\\",
                "QoS": {"IopsMaximum": 100},
            },
            "MappedDirectories": [
                {"HostPath": "C:\\d", "ContainerPath": "C:\\e", "ReadOnly": True}
            ],
            "MappedPipes": [{"ContainerPipeName": "b", "HostPath": "\\\\.\\pipe\\a"}],
            "Memory": {"SizeInMB": 512},
            "Processor": {"Weight": 500},
            "Networking": {
                "AllowUnqualifiedDnsQuery": True,
                "DnsSearchList": "a.example,b.example",
                "NetworkAdapters": ["8c1f2e3d-4b5a-4697-8877-665544332211"],
            },
            "AssignedDevices": [
                {"InterfaceClassGuid": "5b45201d-f2f2-4f3b-85bb-30ff1f953599"}
            ],
        },
    }


@pytest.mark.parametrize(
    "name", ["create-v1-process-isolation", "create-v1-pause-processor-weight"]
)
def test_recorded_containers(name: str) -> None:
    """A recorded document becomes one that nothing is wrong with."""
    old = loads(v1.ContainerConfig, read(name))

    new, left_out = upgrade(old)

    again = loads(documents.ComputeSystem, documents.dumps(new))
    assert () == documents.problems(again)
    assert ("Name", "IgnoreFlushesDuringBoot", "LayerFolderPath") == left_out
    assert again.container is not None
    assert again.container.storage is not None
    old_layers = json.loads(read(name))["Layers"]
    assert [layer["Path"] for layer in old_layers] == [
        layer.path for layer in again.container.storage.layers
    ]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("create-v1-hyperv-2016-legacy-fields", "HvPartition"),
        ("create-v1-lcow-initrd", "HvPartition"),
    ],
)
def test_what_needs_a_virtual_machine(name: str, path: str) -> None:
    """Schema 2 has two documents for that, which nobody can guess."""
    with pytest.raises(DocumentError, match="process isolation") as caught:
        upgrade(loads(v1.ContainerConfig, read(name)))

    assert path == caught.value.path


def test_unknown_members_do_not_come_along() -> None:
    """Schema 2 refuses what it does not know, so it is left out, and named."""
    old = loads(
        v1.ContainerConfig,
        '{"SystemType":"Container","Name":"","IsDummy":true,"ProcessorCount":2,'
        '"ProcessorWeight":7,"Layers":[{"ID":"a","Path":"b","Old":1}],'
        '"MappedDirectories":[{"HostPath":"c","ContainerPath":"d","IOPSMaximum":9}]}',
    )

    new, left_out = upgrade(old)

    assert not list(documents.unknown_members(new))
    assert (
        "IsDummy",
        "MappedDirectories[0].IOPSMaximum",
        "Layers[0].Old",
        "ProcessorWeight",
    ) == left_out


def test_process() -> None:
    """A console of no size, which schema 1 always has, is none in schema 2."""
    old = loads(v1.ProcessConfig, read("process-v1-console-size-zero"))

    new, left_out = upgrade(old)

    assert () == left_out
    assert isinstance(new, documents.ProcessParameters)
    assert "ConsoleSize" not in to_dict(new)
    assert old.command_line == new.command_line
    sized = v1.ProcessConfig(command_line="x", console_size=(30, 120))
    assert [30, 120] == to_dict(upgrade(sized).document)["ConsoleSize"]


def test_answers_and_queries() -> None:
    """What has the same names in both is carried over by them."""
    answer = loads(v1.ContainerProperties, read("answer-v1-statistics"))
    new, _ = upgrade(answer)
    assert isinstance(new, documents.Properties)
    assert new.statistics is not None
    assert answer.statistics is not None
    assert answer.statistics.uptime == new.statistics.uptime

    query, _ = upgrade(v1.PropertyQuery(property_types=("Statistics",)))
    assert {"PropertyTypes": ["Statistics"]} == to_dict(query)


def test_modification() -> None:
    """A resource gets its path; a network has none any more."""
    old = loads(
        v1.ResourceModificationRequestResponse,
        '{"ResourceType":"MappedDirectory","RequestType":"Add",'
        '"Settings":{"HostPath":"a","ContainerPath":"b"}}',
    )
    assert {
        "ResourcePath": "Container/MappedDirectories",
        "RequestType": "Add",
        "Settings": {"HostPath": "a", "ContainerPath": "b"},
    } == to_dict(upgrade(old).document)

    network = v1.ResourceModificationRequestResponse(resource_type="Network")
    with pytest.raises(DocumentError, match="through namespaces"):
        upgrade(network)


def test_a_document_of_schema_2_is_refused() -> None:
    """There is nothing to upgrade in it."""
    with pytest.raises(DocumentError, match="schema 1"):
        upgrade(documents.ProcessParameters(command_line="x"))


def test_networks_of_hns_become_those_of_hcn() -> None:
    """A recorded network keeps its name, subnets, gateways and addresses."""
    text = (FIXTURES.parent / "hns" / "v1-network-nat-rs1.output.json").read_text()

    new, left_out = upgrade(loads(hns.HNSNetwork, text))

    assert {
        "ID": "7535ff2a-9107-4a63-8302-b3c0f325bc6d",
        "Name": "nat",
        "Type": "NAT",
        "MacPool": {
            "Ranges": [
                {
                    "StartMacAddress": "00-15-5D-48-A0-00",
                    "EndMacAddress": "00-15-5D-48-AF-FF",
                }
            ]
        },
        "Ipams": [
            {
                "Type": "Static",
                "Subnets": [
                    {
                        "IpAddressPrefix": "192.168.112.0/20",
                        "Routes": [
                            {
                                "NextHop": "192.168.112.1",
                                "DestinationPrefix": "0.0.0.0/0",
                            }
                        ],
                    }
                ],
            }
        ],
    }.items() <= to_dict(new).items()
    assert "SwitchGuid" in left_out
    assert () == documents.problems(loads(hcn.HostComputeNetwork, documents.dumps(new)))


def test_endpoints_of_hns_become_those_of_hcn() -> None:
    """Policies are turned into HCN's; what cannot be is left out whole, and named."""
    old = loads(
        hns.HNSEndpoint,
        json.dumps(
            {
                "Name": "e",
                "VirtualNetwork": "5C242C1E-8E0F-4F65-B9E0-A0B7A6EA41E2",
                "IPAddress": "172.25.145.155",
                "PrefixLength": 20,
                "GatewayAddress": "172.25.144.1",
                "DNSServerList": "172.25.144.1, 172.31.0.2",
                "DNSSuffix": "a.example",
                "EnableInternalDNS": True,
                "Policies": [
                    {
                        "Type": "NAT",
                        "Protocol": "TCP",
                        "InternalPort": 80,
                        "ExternalPort": 8080,
                    },
                    {"Type": "OutBoundNAT", "ExceptionList": ["10.0.0.0/8"]},
                    {"Type": "ACL", "Action": "Allow", "Unknown": 1},
                    {"Type": "L2Driver"},
                ],
            }
        ),
    )

    new, left_out = upgrade(old)

    raw = to_dict(new)
    assert [
        {
            "Type": "PortMapping",
            "Settings": {"Protocol": 6, "InternalPort": 80, "ExternalPort": 8080},
        },
        {"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.0.0.0/8"]}},
    ] == raw["Policies"]
    assert [{"IpAddress": "172.25.145.155", "PrefixLength": 20}] == raw[
        "IpConfigurations"
    ]
    assert ["172.25.144.1", "172.31.0.2"] == raw["Dns"]["ServerList"]
    assert "172.25.144.1" == raw["Routes"][0]["NextHop"]
    assert ("EnableInternalDNS", "Policies[2]", "Policies[3]") == left_out
