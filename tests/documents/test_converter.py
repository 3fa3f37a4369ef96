"""The JSON edge: what is read, what is written, and what is refused."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import json
import pickle

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hcsshim import documents
from hcsshim.documents import (
    ComputeSystem,
    Container,
    DocumentError,
    Layer,
    MappedDirectory,
    ModifySettingRequest,
    Processor,
    ProcessParameters,
    Storage,
    Unlisted,
    v1,
)

# Building Unicode tables counts as slow generation on a busy machine.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
texts = st.none() | st.text(min_size=1)
layers = st.builds(
    Layer,
    id=texts,
    path=texts,
    cache=st.none() | st.sampled_from(list(documents.CacheMode)),
)
directories = st.builds(
    MappedDirectory,
    host_path=texts,
    container_path=texts,
    read_only=st.sampled_from([None, True]),
)
containers = st.builds(
    Container,
    guest_os=st.none() | st.builds(documents.GuestOs, host_name=texts),
    storage=st.none()
    | st.builds(Storage, layers=st.lists(layers).map(tuple), path=texts),
    mapped_directories=st.lists(directories).map(tuple),
    memory=st.none()
    | st.builds(documents.Memory, size_in_mb=st.integers(1, 2**64 - 1)),
)
systems = st.builds(
    ComputeSystem,
    owner=texts,
    schema_version=st.none()
    | st.builds(documents.Version, major=st.just(2), minor=st.integers(1, 20)),
    container=containers,
)
processes = st.builds(
    ProcessParameters,
    command_line=texts,
    environment=st.dictionaries(st.text(), st.text()),
    console_size=st.just(()) | st.just((24, 80)),
    create_std_out_pipe=st.sampled_from([None, True]),
)


@patient
@given(systems | processes)
def test_round_trip(document: documents.Document) -> None:
    """A built document is equal to what is read from its text."""
    assert document == documents.loads(type(document), documents.dumps(document))


@patient
@given(systems)
def test_written_documents_are_strict_enough(document: ComputeSystem) -> None:
    """What could be built passes the check that a service makes."""
    documents.check(documents.loads(ComputeSystem, documents.dumps(document)))


@patient
@given(st.dictionaries(st.text(), json_values))
def test_unknown_members_survive(members: dict[str, object]) -> None:
    """Members of newer schemas are written back as they came."""
    names = {f.metadata.get("wire", "").casefold() for f in attrs.fields(ComputeSystem)}
    members = {k: v for k, v in members.items() if k.casefold() not in names}

    document = documents.from_dict(ComputeSystem, {"Owner": "x", **members})

    assert {"Owner": "x", **members} == documents.to_dict(document)


@patient
@given(json_values)
def test_garbage_is_refused_with_one_kind_of_error(value: object) -> None:
    """A value of any shape is read, or refused with a DocumentError."""
    for raw in (value, {"Container": value}, {"Container": {"Storage": value}}):
        with contextlib.suppress(DocumentError):
            documents.from_dict(ComputeSystem, raw)


@patient
@given(st.text())
def test_garbage_text_is_refused_with_one_kind_of_error(text: str) -> None:
    """Text that is no document raises DocumentError and nothing else."""
    try:
        document = documents.loads(Layer, text)
    except DocumentError:
        return
    assert isinstance(json.loads(text), dict)
    assert isinstance(document, Layer)


def test_no_document_is_the_empty_string() -> None:
    """HCS wants no text where there are no options, not an empty object."""
    assert documents.dumps(None) == ""
    assert documents.dumps(documents.SaveOptions()) == "{}"


def test_text_is_compact() -> None:
    """No blanks, and non-ASCII text is escaped."""
    layer = Layer(id="ä", path="C:\\x")

    assert documents.dumps(layer) == '{"Id":"\\u00e4","Path":"C:\\\\x"}'


def test_lone_surrogates_survive() -> None:
    """Windows names may hold half a character; JSON can carry it."""
    layer = Layer(path="C:\\\ud800")

    assert layer == documents.loads(Layer, documents.dumps(layer).encode().decode())


@pytest.mark.parametrize("key", ["hostpath", "HOSTPATH", "hostPath"])
def test_keys_match_in_any_case(key: str) -> None:
    """A key is found whatever its case, and written in the right one."""
    document = documents.from_dict(MappedDirectory, {key: "C:\\x"})

    assert documents.to_dict(document) == {"HostPath": "C:\\x"}


@pytest.mark.parametrize(
    "text",
    ['{"Owner":"right","OWNER":"wrong"}', '{"OWNER":"wrong","Owner":"right"}'],
)
def test_exact_key_is_preferred(text: str) -> None:
    """Among several spellings the exact one counts."""
    assert documents.loads(ComputeSystem, text).owner == "right"


def test_null_keeps_the_default() -> None:
    """Null is the same as a missing member."""
    document = documents.loads(
        v1.ContainerConfig, '{"Layers":null,"Name":null,"EndpointList":null}'
    )

    assert document == v1.ContainerConfig()


def test_open_members_keep_null_inside() -> None:
    """A named query without arguments is a null, and stays one."""
    query = documents.PropertyQuery(queries={"CompatibilityInfo": None})

    assert documents.dumps(query) == '{"Queries":{"CompatibilityInfo":null}}'
    assert query == documents.loads(documents.PropertyQuery, documents.dumps(query))


def test_settings_may_be_a_document() -> None:
    """Where any value may stand, a document may."""
    request = ModifySettingRequest(
        resource_path="Container/Processor",
        request_type="Update",
        settings=Processor(maximum=5000),
        guest_request={"Settings": [Layer(path="/x")]},
    )

    assert documents.to_dict(request) == {
        "ResourcePath": "Container/Processor",
        "RequestType": "Update",
        "Settings": {"Maximum": 5000},
        "GuestRequest": {"Settings": [{"Path": "/x"}]},
    }


def test_embedded_types_are_spliced() -> None:
    """The members of an embedded type stand beside those of its own."""
    document = documents.LcowProcessParameters(
        create_std_out_pipe=True, oci_process={"args": ["uname"]}
    )

    assert documents.dumps(document) == (
        '{"CreateStdOutPipe":true,"OciProcess":{"args":["uname"]}}'
    )


def test_presence_is_an_empty_object() -> None:
    """A device is switched on by an empty object, which is never left out."""
    devices = documents.Devices(plan9=documents.Plan9(), keyboard=documents.Keyboard())

    assert documents.to_dict(devices) == {"Plan9": {}, "Keyboard": {}}


def test_empty_values_are_remembered() -> None:
    """What a service or client wrote although empty is written again."""
    text = '{"HostPath":"","ReadOnly":false}'

    document = documents.loads(MappedDirectory, text)

    assert documents.dumps(document) == text
    assert document == MappedDirectory(host_path="", read_only=False)


def test_unset_time_is_none() -> None:
    """The first moment of year 1 means no time, and is always written."""
    statistics = documents.loads(
        documents.Statistics, '{"Timestamp":"0001-01-01T00:00:00Z"}'
    )

    assert statistics.timestamp is None
    assert documents.to_dict(statistics) == {
        "Timestamp": "0001-01-01T00:00:00Z",
        "ContainerStartTime": "0001-01-01T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("cls", "text", "message"),
    [
        (ComputeSystem, "", "$: expected a JSON document, got empty text"),
        (
            ComputeSystem,
            '{"Owner":hunter2}',
            (
                "$: expected a JSON document, got text that is none "
                "(Expecting value: line 1 column 10 (char 9))"
            ),
        ),
        (ComputeSystem, "[]", "$: expected an object, got a list"),
        (ComputeSystem, '{"Owner":7}', "Owner: expected text, got 7"),
        (
            ComputeSystem,
            '{"Container":{"Storage":{"Layers":[{},{"path":[]}]}}}',
            "Container.Storage.Layers[1].Path: expected text, got a list",
        ),
        (
            ProcessParameters,
            '{"Environment":{"A":1}}',
            "Environment.A: expected text, got a secret",
        ),
        (
            ProcessParameters,
            '{"ConsoleSize":[1,"2"]}',
            "ConsoleSize[1]: expected a whole number, got '2'",
        ),
        (
            v1.ProcessConfig,
            '{"ConsoleSize":[1]}',
            "ConsoleSize: expected 2 elements, got a list",
        ),
        (
            v1.ContainerProperties,
            '{"MappedVirtualDiskControllers":{"x":{}}}',
            "MappedVirtualDiskControllers.x: expected a whole number as key, got 'x'",
        ),
        (
            documents.Statistics,
            '{"Timestamp":"yesterday"}',
            "Timestamp: expected a time such as 2024-05-06T07:08:09Z, got 'yesterday'",
        ),
        (
            documents.Statistics,
            '{"Uptime100ns":true}',
            "Uptime100ns: expected a whole number of 100 ns units, got True",
        ),
        (
            documents.CompatibilityInfo,
            '{"Data":"?"}',
            "Data: expected base64 text, got '?'",
        ),
        (MappedDirectory, '{"ReadOnly":1}', "ReadOnly: expected true or false, got 1"),
    ],
)
def test_reading_errors_name_the_place(
    cls: type[documents.Document], text: str, message: str
) -> None:
    """One bad member gives one sentence: where, what was expected, what was there."""
    with pytest.raises(DocumentError) as caught:
        documents.loads(cls, text)

    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)


def test_errors_in_lists_name_the_element() -> None:
    """The path of a list starts with the index."""
    with pytest.raises(DocumentError, match=r"^\[1\]\.Id: expected text, got 3$"):
        documents.loads_list(Layer, '[{},{"Id":3}]')


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: 2}])
def test_what_is_not_json_is_not_written(value: object) -> None:
    """An open member takes JSON and documents, and nothing else."""
    with pytest.raises(DocumentError, match="expected"):
        documents.dumps(ModifySettingRequest(settings=value))  # type: ignore[arg-type]


def test_endless_nesting_is_refused() -> None:
    """Text nested without end is refused like other garbage."""
    with pytest.raises(DocumentError, match="expected a JSON document"):
        documents.loads(Layer, "[" * 200_000)


def test_check_finds_what_building_would_refuse() -> None:
    """A service holds a parsed document to the rules, and gets the full path."""
    system = documents.loads(
        ComputeSystem,
        '{"Container":{"Storage":{"Layers":[{"Cache":"Sometimes"}]}}}',
    )

    with pytest.raises(
        DocumentError, match=r"^Container\.Storage\.Layers\[0\]\.Cache: expected one of"
    ):
        documents.check(system)


@pytest.mark.parametrize("text", ["{}", '{"Container":{},"VirtualMachine":{}}'])
def test_check_counts_the_kinds_of_a_system(text: str) -> None:
    """A system is a container, a machine, or a hosted system, and only one of them."""
    with pytest.raises(DocumentError, match="exactly one of Container, VirtualMachine"):
        documents.check(documents.loads(ComputeSystem, text))


def test_unknown_members_are_named() -> None:
    """A service that refuses unknown members learns where they are."""
    system = documents.loads(
        ComputeSystem,
        '{"New":1,"VirtualMachine":{"ComputeTopology":{"Gpu":{}},'
        '"Devices":{"Scsi":{"0":{"Attachments":{"1":{"Odd":1}}}}}}}',
    )

    assert list(documents.unknown_members(system)) == [
        "New",
        "VirtualMachine.ComputeTopology.Gpu",
        "VirtualMachine.Devices.Scsi.0.Attachments.1.Odd",
    ]


def test_unlisted_values_survive() -> None:
    """A value of a newer enum is text, and can be sent on and evolved."""
    layer = documents.loads(Layer, '{"Cache":"Sometimes"}')

    assert layer.cache == "Sometimes"
    assert isinstance(layer.cache, Unlisted)
    changed = attrs.evolve(layer, id="1")
    assert documents.dumps(changed) == '{"Id":"1","Cache":"Sometimes"}'


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda d: d])
def test_documents_can_be_copied_and_pickled(again: object) -> None:
    """Copies and pickles are equal, with unknown members and exact times."""
    text = (
        '{"Timestamp":"2019-10-25T22:16:38.9955661Z","Uptime100ns":11168781158,'
        '"ContainerStartTime":"2019-10-25T21:58:02Z","New":[1],"Memory":{}}'
    )
    document = documents.loads(documents.Statistics, text)

    copied = pickle.loads(pickle.dumps(again(document)))  # noqa: S301  # our own

    assert document == copied
    assert json.loads(text) == json.loads(documents.dumps(copied))


def test_extra_takes_no_changes() -> None:
    """Nothing inside a document can be changed."""
    process = ProcessParameters(environment={"A": "1"})

    with pytest.raises(TypeError, match="cannot be changed"):
        process.environment["A"] = "2"  # type: ignore[index]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        process.user = "x"  # type: ignore[misc]


def test_documents_are_hashable() -> None:
    """Equal documents are one in a set."""
    again = {ProcessParameters(environment={"A": "1"}) for _ in range(2)}

    assert len(again) == 1


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.timezone.utc), "07:08:09Z"),
        (dt.datetime(2024, 5, 6, 7, 8, 9, 120000), "07:08:09.12Z"),  # noqa: DTZ001
        (
            dt.datetime(2024, 5, 6, 9, 8, 9, tzinfo=dt.timezone(dt.timedelta(hours=2))),
            "07:08:09Z",
        ),
    ],
)
def test_times_are_written_in_utc(moment: dt.datetime, text: str) -> None:
    """A datetime of any zone is written in UTC with the digits it needs."""
    statistics = documents.Statistics(timestamp=moment)

    assert documents.to_dict(statistics)["Timestamp"] == f"2024-05-06T{text}"


@pytest.mark.parametrize("digits", range(8))
def test_times_have_up_to_seven_digits(digits: int) -> None:
    """Each number of digits is read, and none is lost."""
    fraction = f".{'1234567'[:digits]}" if digits else ""
    text = f'{{"CreateTimestamp":"2024-05-06T07:08:09{fraction}Z"}}'

    process = documents.loads(documents.ProcessDetails, text)

    assert process.create_timestamp is not None
    micro = int("1234567"[:digits].ljust(6, "0")[:6])
    assert process.create_timestamp.microsecond == micro
    assert documents.dumps(process) == text


@patient
@given(st.integers(0, 2**62))
def test_durations_are_exact(ticks: int) -> None:
    """A count of 100 ns units survives to the last digit."""
    stats = documents.from_dict(documents.ProcessorStats, {"RuntimeUser100ns": ticks})

    assert documents.to_dict(stats) == {"RuntimeUser100ns": ticks}
    assert stats.runtime_user is not None
    assert stats.runtime_user // dt.timedelta(microseconds=1) == ticks // 10
