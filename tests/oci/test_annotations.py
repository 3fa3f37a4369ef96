"""Annotations: texts that stand for values."""

from __future__ import annotations

import logging
from uuid import UUID

import pytest

from hcsshim.documents import HvSocketServiceConfig
from hcsshim.oci import annotation_keys as keys
from hcsshim.oci.annotation_values import (
    INT32,
    UINT32,
    AnnotationConflictError,
    expand_annotations,
    flag,
    guid,
    hv_socket_services,
    number,
    numbers,
    optional_flag,
    texts,
)

KEY = "k"


def test_every_key_is_one_of_its_own() -> None:
    """
    Only an older name of a key has the same text as another constant.
    """
    names = {n: v for n, v in vars(keys).items() if n.isupper() and n != "EXPANSIONS"}
    assert len(names) > 110
    assert all(v.startswith(("io.", "microsoft.com/")) for v in names.values())
    assert keys.LCOW_SECURITY_POLICY == keys.SECURITY_POLICY
    assert len(names) - len(set(names.values())) == 9


@pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
def test_true(text: str) -> None:
    """
    These texts are true, and their counterparts are not.
    """
    assert flag({KEY: text}, KEY) is True
    opposite = {"1": "0", "t": "f", "T": "F"}.get(text) or {
        "TRUE": "FALSE",
        "true": "false",
        "True": "False",
    }[text]
    assert flag({KEY: opposite}, KEY, default=True) is False


@pytest.mark.parametrize("text", ["", "yes", "tRUE", " true", "2"])
def test_other_texts_keep_the_default(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A misspelt value is logged, and what was there before holds.
    """
    with caplog.at_level(logging.WARNING):
        assert flag({KEY: text}, KEY, default=True) is True
        assert optional_flag({KEY: text}, KEY) is None

    assert "annotation 'k' is ignored: expected true or false" in caplog.text


@pytest.mark.parametrize(
    ("text", "bounds", "value"),
    [
        ("0", UINT32, 0),
        ("4294967295", UINT32, 4294967295),
        ("4294967296", UINT32, 7),
        ("-1", UINT32, 7),
        ("-2147483648", INT32, -2147483648),
        ("+5", INT32, 5),
        ("2147483648", INT32, 7),
        ("1_0", UINT32, 7),
        ("٣", UINT32, 7),
        (" 1", UINT32, 7),
        ("", UINT32, 7),
    ],
)
def test_numbers_have_bounds(text: str, bounds: tuple[int, int], value: int) -> None:
    """
    Plain decimal digits within bounds are a number; all else keeps the default.
    """
    assert value == number({KEY: text}, KEY, 7, bounds=bounds)


def test_lists() -> None:
    """
    Commas separate; one bad number spoils a list of them.
    """
    assert ("a", "", "b") == texts({KEY: "a,,b"}, KEY)
    assert () == texts({KEY: ""}, KEY)
    assert (1, 2) == numbers({KEY: "1,2"}, KEY)
    assert (9,) == numbers({KEY: "1,x"}, KEY, (9,))
    assert (9,) == numbers({}, KEY, (9,))


def test_guids() -> None:
    """
    A GUID that cannot be read is an error, unlike everything else.
    """
    value = UUID("12345678-1234-1234-1234-123456789abc")
    assert value == guid({KEY: "{12345678-1234-1234-1234-123456789ABC}"}, KEY)
    assert guid({}, KEY) is None
    with pytest.raises(ValueError, match="annotation 'k': expected a GUID, got 'x'"):
        guid({KEY: "x"}, KEY)


def test_socket_services() -> None:
    """
    Each service has a key of its own; what is no service is left out.
    """
    prefix = keys.UVM_HYPERV_SOCKET_CONFIG_PREFIX
    service = "AAAAAAAA-0000-0000-0000-000000000000"
    found = hv_socket_services(
        {
            prefix + service: '{"AllowWildcardBinds": true}',
            prefix + "not-a-guid": "{}",
            prefix + service.replace("A", "b"): "{",
            "other": "{}",
        }
    )

    assert {service.lower(): HvSocketServiceConfig(allow_wildcard_binds=True)} == found


def test_a_group_sets_its_members() -> None:
    """
    One annotation stands for several.
    """
    given = {keys.DISABLE_UNSAFE_OPERATIONS: "true", "other": "x"}

    expanded, problems = expand_annotations(given)

    assert () == problems
    members = keys.EXPANSIONS[keys.DISABLE_UNSAFE_OPERATIONS]
    assert len(members) == 4
    assert {**given, **dict.fromkeys(members, "true")} == expanded


def test_all_contradictions_are_told_and_the_rest_is_set() -> None:
    """
    A member with another text is left alone; so are host processes, both ways.
    """
    expanded, problems = expand_annotations(
        {
            keys.DISABLE_UNSAFE_OPERATIONS: "true",
            keys.WCOW_DISABLE_GMSA: "True",
            keys.HOST_PROCESS_CONTAINER: "true",
        }
    )

    assert "True" == expanded[keys.WCOW_DISABLE_GMSA]
    assert "true" == expanded[keys.VSMB_NO_DIRECT_MAP]
    assert len(problems) == 2
    assert "contradicts" in problems[0]
    assert "are both true" in problems[1]
    assert problems == AnnotationConflictError(problems).problems
