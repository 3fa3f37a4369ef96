"""Builds of Windows: names, features, schema versions, and which images run."""

from __future__ import annotations

import pytest

from hcsshim.builds import (
    Build,
    Feature,
    OSVersion,
    feature_build,
    has_feature,
    image_runs_on,
    schema_versions_of,
)

WINDOWS = "10.0.{}"


def version(build: int) -> OSVersion:
    """Make a version of a build."""
    return OSVersion.parse(WINDOWS.format(build))


def test_releases_have_several_names() -> None:
    """
    A release is found by its code name, its year and its channel.
    """
    assert 17763 == Build.RS5 == Build.V1809 == Build.LTSC2019
    assert "LTSC2022" == version(20348).name
    assert "12345" == version(12345).name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.20348", OSVersion(10, 0, 20348, 0)),
        ("10.0.17763.1234", OSVersion(10, 0, 17763, 1234)),
        (" 10.0.26100.1\n", OSVersion(10, 0, 26100, 1)),
    ],
)
def test_versions_are_read(text: str, expected: OSVersion) -> None:
    """
    A version has three or four numbers, and is written back as it was.
    """
    assert expected == OSVersion.parse(text)
    assert text.strip() == str(OSVersion.parse(text))


@pytest.mark.parametrize(
    ("text", "build"),
    [("17763", 17763), ("ltsc2022", 20348), ("10.0.26100.1", 26100), (" RS1 ", 14393)],
)
def test_versions_are_found_by_any_name(text: str, build: int) -> None:
    """
    A build, a release in any case, and a version all name one.
    """
    assert build == OSVersion.named(text).build


@pytest.mark.parametrize(
    "text", ["", "10.0", "10.0.x", "10.0.1.2.3", "20348", "-1.0.1"]
)
def test_what_is_no_version_is_named(text: str) -> None:
    """
    Anything else is refused with what was there.
    """
    with pytest.raises(ValueError, match=r"no version of Windows") as caught:
        OSVersion.parse(text)

    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("host", "image", "runs"),
    [
        (17763, 17763, True),
        (17763, 17134, False),
        (17763, 18362, False),
        (20348, 20348, True),
        (20348, 17763, False),
        (20348, 25398, False),
        (22000, 20348, True),
        (22621, 22000, True),
        (25398, 20348, True),
        (25398, 26100, False),
        (26100, 20348, True),
        (26100, 25398, True),
        (26100, 19041, False),
        (27800, 26100, True),
        (27800, 20348, False),
    ],
)
def test_images_and_hosts(host: int, image: int, runs: bool) -> None:  # noqa: FBT001
    """
    Old hosts want their own build; later ones run back to the long-term release before.
    """
    assert runs is image_runs_on(version(host), version(image))


def test_another_major_version_never_runs() -> None:
    """
    Major and minor numbers must be equal whatever the build.
    """
    assert not image_runs_on(OSVersion(10, 0, 26100), OSVersion(11, 0, 26100))


def test_revision_does_not_matter_for_images() -> None:
    """
    Updates of one build run on each other.
    """
    assert image_runs_on(OSVersion(10, 0, 17763, 1), OSVersion(10, 0, 17763, 9999))


@pytest.mark.parametrize(
    ("build", "versions"),
    [
        (14393, ((1, 0),)),
        (17134, ((1, 0),)),
        (17763, ((1, 0), (2, 1))),
        (19044, ((1, 0), (2, 3))),
        (20348, ((1, 0), (2, 5))),
        (22621, ((1, 0), (2, 6))),
        (26100, ((1, 0), (2, 11))),
    ],
)
def test_schema_versions(build: int, versions: tuple[tuple[int, int], ...]) -> None:
    """
    Each generation's newest version, which stands for all before it.
    """
    assert versions == schema_versions_of(build)


@pytest.mark.parametrize("feature", Feature, ids=str)
def test_a_feature_begins_with_its_build(feature: Feature) -> None:
    """
    The first build has it, the one before has not.
    """
    first = feature_build(feature)
    updated = OSVersion(10, 0, first, 2031)

    assert has_feature(updated, feature)
    assert not has_feature(version(first - 1), feature)


@pytest.mark.parametrize(
    ("text", "has"),
    [("10.0.20348.2030", False), ("10.0.20348.2031", True), ("10.0.25398.1", False)],
)
def test_an_update_brought_cimfs(text: str, has: bool) -> None:  # noqa: FBT001
    """
    One release got it with an update, later ones not before 26100.
    """
    assert has is has_feature(OSVersion.parse(text), "CimFS")


def test_unknown_feature() -> None:
    """
    A misspelt feature is an error, not a missing one.
    """
    with pytest.raises(ValueError, match="Teleport"):
        has_feature(version(26100), "Teleport")
