"""What a service would refuse, and which schema version a document needs."""

from __future__ import annotations

import pytest

from hcsshim import documents
from hcsshim.documents import (
    Problem,
    hcn,
    loads,
    needed_version,
    newer_members,
    problems,
    v1,
)

NEWER = (
    '{"SchemaVersion":{"Major":2,"Minor":3},"Container":{"MappedDirectories":['
    '{"HostPath":"a","ContainerPath":"b","SupportCloudFiles":true}],'
    '"AdditionalDeviceNamespace":{}}}'
)


def texts(found: tuple[Problem, ...]) -> dict[str, str]:
    """Give what is wrong by its path."""
    return {problem.path: problem.text for problem in found}


def test_nothing_wrong() -> None:
    """A document that is as it should be has no problems."""
    system = loads(documents.ComputeSystem, '{"Container":{"Memory":{"SizeInMB":5}}}')

    assert () == problems(system)


def test_everything_is_told_at_once() -> None:
    """Ranges, exclusions, unknown names and values: each with its path."""
    system = loads(
        documents.ComputeSystem,
        '{"Container":{"Processor":{"Count":1,"Weight":2,"Maximum":20000},'
        '"Memroy":{},"Storage":{"Layers":[{"Id":"x","Path":"y","Cache":"Sometimes"}],'
        '"QoS":{"IopsMaximum":-1}}},"VirtualMachine":{},"Extra":1}',
    )

    found = texts(problems(system))

    assert "from 0 to 10000, got 20000" in found["Container.Processor.Maximum"]
    assert "at most one of Count" in found["Container.Processor"]
    assert "IopsMaximum" in str(list(found))
    assert "Sometimes" in found["Container.Storage.Layers[0].Cache"]
    assert "exactly one of Container" in found["$"]
    assert "no member of this name" in found["Container.Memroy"]
    assert "no member of this name" in found["Extra"]


def test_secrets_are_not_in_problems() -> None:
    """A value that is wrong is shown, unless it may be a secret."""
    parameters = loads(documents.ProcessParameters, '{"Environment":{"A":"hunter2"}}')

    assert "hunter2" not in str(problems(parameters))


def test_schema_1_minds_no_unknown_members() -> None:
    """Old clients send what nobody knows any more, and HCS does not mind."""
    config = loads(v1.ContainerConfig, '{"SystemType":"Container","IsDummy":true}')

    assert () == problems(config)


def test_networks_mind() -> None:
    """HCN refuses what it does not know."""
    network = loads(hcn.HostComputeNetwork, '{"Nmae":"x"}')

    assert ["Nmae"] == list(texts(problems(network)))


def test_newer_than_the_host() -> None:
    """What the host does not know yet is named with the version that brought it."""
    system = loads(documents.ComputeSystem, NEWER)

    assert () == problems(system, (2, 3))
    found = texts(problems(system, (2, 1)))
    assert [
        "SchemaVersion",
        "Container.AdditionalDeviceNamespace",
        "Container.MappedDirectories[0].SupportCloudFiles",
    ] == list(found)
    assert "asks for schema 2.3; the host has up to 2.1" == found["SchemaVersion"]
    assert (
        "came with schema 2.3; the host has up to 2.1"
        == found["Container.AdditionalDeviceNamespace"]
    )


@pytest.mark.parametrize(
    ("kind", "text", "version"),
    [
        (documents.ComputeSystem, '{"Container":{}}', (2, 1)),
        (documents.ComputeSystem, NEWER, (2, 3)),
        (documents.PropertyQuery, '{"PropertyTypes":["Memory"]}', (2, 1)),
        (documents.PropertyQuery, '{"Queries":{"CompatibilityInfo":null}}', (2, 5)),
    ],
)
def test_needed_version(
    kind: type[documents.Document], text: str, version: tuple[int, int]
) -> None:
    """The oldest version that has all that is set, whatever the document asks for."""
    assert version == needed_version(loads(kind, text))


def test_members_that_are_not_set_do_not_count() -> None:
    """An empty member is not sent, so no host minds it."""
    query = documents.PropertyQuery(property_types=("Memory",), queries={})

    assert [] == list(newer_members(query))
