"""Documents without their secrets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcsshim.documents import to_dict, v1
from hcsshim.documents.masking import MASK, mask_json, mask_text

SECRET = "hunter2"  # noqa: S105 - of nobody
words = st.text(st.characters(codec="ascii"), max_size=8)


@pytest.mark.parametrize(
    "value",
    [
        {"Environment": {"A": SECRET}},
        {"environment": {"A": SECRET}},
        {"process": {"env": [f"A={SECRET}", f"B={SECRET}={SECRET}"]}},
        {"Credentials": SECRET},
        {"Settings": {"OperationDetails": {"CredentialSpec": SECRET}}},
        {"ContainerCredentialGuard": {"Cookie": SECRET}},
        {"password": SECRET},
        {"Nested": [{"Token": {"deep": SECRET}}]},
        {"Settings": json.dumps({"Environment": {"A": SECRET}})},
        to_dict(v1.ContainerConfig(system_type="Container", credentials=SECRET)),
    ],
)
def test_secrets_are_gone(value: dict[str, object]) -> None:
    """
    Wherever a secret stands, it is not in what is written; the names stay.
    """
    masked = mask_text(json.dumps(value))

    assert SECRET not in masked
    assert MASK in masked


def test_what_is_no_secret_stays() -> None:
    """
    Everything else is as it was, types included.
    """
    value = {"CommandLine": "x", "n": [1, 2.5, None, True], "Environment": {}}

    assert value == mask_json(value)
    assert "plain text" == mask_text("plain text")
    assert "" == mask_text("")


def test_what_looks_like_a_document_and_is_none() -> None:
    """
    A text that may be a damaged document is not shown: nobody knows what is in it.
    """
    masked = mask_text('{"Environment": {"A": "hunter2"')

    assert SECRET not in masked
    assert "31 characters" in masked


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | words,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Environment", "env", "Cookie", "a", "B"]) | words,
                inner,
                max_size=3,
            )
        ),
        max_leaves=12,
    )
)
def test_masking_twice_is_masking_once(value: object) -> None:
    """
    Whatever is masked stays masked, and is JSON.
    """
    once = mask_json(value)  # type: ignore[arg-type]  # hypothesis makes JSON

    json.dumps(once)
    assert once == mask_json(once)
