"""Building documents: what is normalised, what is refused, what is shown."""

from __future__ import annotations

import datetime as dt

import pytest

from hcsshim import documents
from hcsshim.documents import DocumentError, v1


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        ("Layer", {"path": 5}, "Layer.Path: expected text, got 5"),
        (
            "Layer",
            {"cache": "Sometimes"},
            (
                "Layer.Cache: expected one of Unspecified, Disabled, Enabled, Private, "
                "PrivateAllowSharing, got 'Sometimes'"
            ),
        ),
        (
            "Storage",
            {"layers": (documents.Layer(), "x")},
            "Storage.Layers[1]: expected a Layer document, got 'x'",
        ),
        ("Storage", {"layers": "x"}, "Storage.Layers: expected a tuple, got 'x'"),
        (
            "Container",
            {"storage": documents.Layer()},
            "Container.Storage: expected a Storage document, got Layer()",
        ),
        (
            "ConsoleSize",
            {"height": 65536},
            "ConsoleSize.Height: expected a whole number from 0 to 65535, got 65536",
        ),
        (
            "ConsoleSize",
            {"height": True},
            "ConsoleSize.Height: expected a whole number from 0 to 65535, got True",
        ),
        (
            "Processor",
            {"weight": 10001},
            "Processor.Weight: expected a whole number from 0 to 10000, got 10001",
        ),
        (
            "ProcessParameters",
            {"environment": {"A": 1}},
            "ProcessParameters.Environment.A: expected text, got a secret",
        ),
        (
            "SetPropertyOperation",
            {"group_id": "{x}"},
            "SetPropertyOperation.GroupId: expected a GUID, got '{x}'",
        ),
        (
            "Statistics",
            {"uptime": 5},
            "Statistics.Uptime100ns: expected a timedelta, got 5",
        ),
        (
            "Statistics",
            {"timestamp": "now"},
            "Statistics.Timestamp: expected a datetime, got 'now'",
        ),
        (
            "CompatibilityInfo",
            {"data": "x"},
            "CompatibilityInfo.Data: expected bytes, got 'x'",
        ),
    ],
)
def test_building_is_strict(cls: str, values: dict[str, object], message: str) -> None:
    """A value HCS would refuse gives one sentence with its place."""
    with pytest.raises(DocumentError) as caught:
        getattr(documents, cls)(**values)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("given", "expected"),
    [([], "got nothing"), (["container", "virtual_machine"], "and")],
)
def test_a_system_is_exactly_one_thing(given: list[str], expected: str) -> None:
    """A system without a kind, or with two, is refused."""
    parts = {
        "container": documents.Container(),
        "virtual_machine": documents.VirtualMachine(),
    }

    with pytest.raises(DocumentError, match=f"exactly one of .*{expected}"):
        documents.ComputeSystem(**{name: parts[name] for name in given})


def test_processor_limits_exclude_each_other() -> None:
    """Count, maximum and weight are three ways to limit; one is allowed."""
    with pytest.raises(DocumentError, match="at most one of Count, Maximum, Weight"):
        documents.Processor(count=2, weight=5)


def test_spelling_is_normalised() -> None:
    """Lists become tuples, mappings copies, enum texts members."""
    shares = {"0": documents.Scsi()}

    devices = documents.Devices(scsi=shares)
    shares.clear()
    storage = documents.Storage(
        layers=[documents.Layer(cache="enabled")]  # type: ignore[arg-type]
    )

    assert list(devices.scsi) == ["0"]
    assert storage.layers == (documents.Layer(cache=documents.CacheMode.ENABLED),)


def test_members_without_a_field_can_be_sent() -> None:
    """What a newer Windows knows can be sent before there is a field for it."""
    layer = documents.Layer(id="1", extra={"New": [1]})  # type: ignore[arg-type]

    assert documents.dumps(layer) == '{"Id":"1","New":[1]}'
    with pytest.raises(DocumentError, match=r"^Layer\.extra: expected names"):
        documents.Layer(extra={"id": "2"})  # type: ignore[arg-type]


def test_unlisted_values_are_sent_on_purpose() -> None:
    """A value this version does not know must be marked as such."""
    layer = documents.Layer(cache=documents.Unlisted("Sometimes"))

    assert documents.dumps(layer) == '{"Cache":"Sometimes"}'


def test_durations_are_timedeltas() -> None:
    """A plain timedelta is sent as a count of 100 ns units."""
    stats = documents.ProcessorStats(total_runtime=dt.timedelta(seconds=1))

    assert documents.dumps(stats) == '{"TotalRuntime100ns":10000000}'


@pytest.mark.parametrize(
    "document",
    [
        documents.ProcessParameters(environment={"TOKEN": "hunter2"}),
        v1.ProcessConfig(environment={"TOKEN": "hunter2"}),
        v1.ContainerConfig(credentials="hunter2"),
        documents.ContainerCredentialGuardState(cookie="hunter2"),
        documents.ContainerCredentialGuardState(credential_spec="hunter2"),
        documents.ContainerCredentialGuardAddInstanceRequest(credential_spec="hunter2"),
        documents.LcowProcessParameters(oci_process={"env": ["TOKEN=hunter2"]}),
    ],
    ids=lambda document: type(document).__name__,
)
def test_secrets_are_masked(document: documents.Document) -> None:
    """A secret is sent, and never shown."""
    assert "hunter2" in documents.dumps(document)
    assert "hunter2" not in repr(document)
    assert "***" in repr(document)


@pytest.mark.parametrize(
    "text",
    ['{"Environment":{"A":["hunter2"]}}', '{"Environment":"hunter2"}', "hunter2"],
)
def test_errors_do_not_show_secrets(text: str) -> None:
    """The message about a bad variable or document shows its place, not its value."""
    with pytest.raises(DocumentError) as caught:
        documents.loads(documents.ProcessParameters, text)

    assert "hunter2" not in f"{caught.value} {caught.value!r}"


def test_unknown_members_are_shown_by_name() -> None:
    """What is not known may be a secret, so only its name is shown."""
    document = documents.loads(documents.Layer, '{"Token":"hunter2"}')

    assert repr(document) == "Layer(extra=Extra('Token'))"


def test_repr_shows_what_is_set() -> None:
    """Only what is set is shown, in the form that builds it."""
    layer = documents.Layer(id="1", cache="Enabled")

    assert repr(layer) == "Layer(id='1', cache=<CacheMode.ENABLED: 'Enabled'>)"


def test_enums_are_text() -> None:
    """A member prints and formats as its text, and is found in any case."""
    state = documents.State.RUNNING

    assert f"{state} {state!s}" == "Running Running"
    assert state == "Running"
    assert documents.State("RUNNING") is state
    with pytest.raises(ValueError, match="gone"):
        documents.State("gone")
