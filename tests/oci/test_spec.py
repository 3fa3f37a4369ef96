"""Specifications and bundles: read, kept, checked."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import find_program

import hcsshim.oci
from hcsshim.documents import dumps, loads, unknown_members
from hcsshim.oci import Linux, Mount, Process, Spec, Windows, read_bundle, read_process
from hcsshim.oci.bundle import with_absolute_paths

if TYPE_CHECKING:
    from pathlib import Path

MINIMAL = {
    "ociVersion": "1.0.2",
    "root": {"path": "rootfs"},
    "process": {"args": ["sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
    "linux": {},
}

scalars = st.none() | st.booleans() | st.integers() | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def write(folder: Path, **members: object) -> Path:
    """Write a bundle: the minimal one with some members replaced."""
    config = {k: v for k, v in {**MINIMAL, **members}.items() if v is not None}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_what_runc_writes_is_known_to_the_last_member(tmp_path: Path) -> None:
    """
    ``runc spec`` is read whole: nothing is unknown, and all is written back.
    """
    subprocess.run([find_program("runc"), "spec"], cwd=tmp_path, check=True)
    text = (tmp_path / "config.json").read_text()

    spec = loads(Spec, text)

    assert [] == list(unknown_members(spec))
    assert json.loads(text) == json.loads(dumps(spec))
    assert "rootfs" == spec.root.path
    assert ("sh",) == spec.process.args


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(st.text(min_size=1).map("x-{}".format), values))
def test_unknown_members_are_kept(unknown: dict[str, object]) -> None:
    """
    A newer specification passes through unharmed, on every level.
    """
    config = {
        **MINIMAL,
        **unknown,
        "process": {**MINIMAL["process"], **unknown},
        "windows": {"layerFolders": ["a"], "network": {"x": 1, **unknown}},
    }

    assert config == json.loads(dumps(loads(Spec, json.dumps(config))))


def test_environment_and_credentials_are_masked() -> None:
    """
    Neither is seen when a specification is shown.
    """
    spec = Spec(
        process=Process(env=("KEY=hush",)), windows=Windows(credential_spec="hush")
    )

    assert "hush" not in repr(spec)


def test_paths_are_taken_from_the_bundle(tmp_path: Path) -> None:
    """
    Root, layers and bind mounts are; kernel file systems and volumes are not.
    """
    spec = Spec(
        root=hcsshim.oci.Root(path="rootfs"),
        mounts=(
            Mount(destination="/a", source="a", type="bind"),
            Mount(destination="/b", source="b", options=("rbind",)),
            Mount(destination="/proc", source="proc", type="proc"),
        ),
        windows=Windows(layer_folders=("l", "C:\\x", "\\\\?\\Volume{1}\\")),
    )

    absolute = with_absolute_paths(spec, tmp_path)

    assert str(tmp_path / "rootfs") == absolute.root.path
    assert [str(tmp_path / "a"), str(tmp_path / "b"), "proc"] == [
        mount.source for mount in absolute.mounts
    ]
    assert (str(tmp_path / "l"), "C:\\x", "\\\\?\\Volume{1}\\") == (
        absolute.windows.layer_folders
    )


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ociVersion": "2.0.0"}, "ociVersion: expected 1.x, got '2.0.0'"),
        ({"ociVersion": None}, "ociVersion: expected 1.x"),
        ({"linux": None}, "expected a section 'linux' or 'windows'"),
        ({"process": {"args": ["x"]}}, "process.cwd: expected an absolute path"),
        ({"process": {"args": ["x"], "cwd": "a"}}, "process.cwd: expected an abs"),
        ({"process": {"cwd": "/"}}, "process.args: expected the program"),
        ({"root": 5}, "config.json: root: expected"),
    ],
)
def test_what_cannot_be_run_is_refused(
    tmp_path: Path, members: dict[str, object], message: str
) -> None:
    """
    The error names the member and what was expected.
    """
    with pytest.raises(ValueError, match=message):
        read_bundle(write(tmp_path, **members))


def test_windows_paths_are_absolute(tmp_path: Path) -> None:
    """
    A Windows bundle is read on any system.
    """
    process = {"args": ["cmd"], "cwd": "C:\\"}
    windows = {"layerFolders": ["base", "scratch"]}

    spec = read_bundle(write(tmp_path, process=process, windows=windows, linux=None))

    assert "C:\\" == spec.process.cwd
    assert str(tmp_path / "scratch") == spec.windows.layer_folders[-1]


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    """
    The error is one sentence with the path that was looked for.
    """
    with pytest.raises(FileNotFoundError, match=r"config\.json' is not there"):
        read_bundle(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"process\.json' is not there"):
        read_process(tmp_path / "process.json")


def test_what_is_no_json_is_named(tmp_path: Path) -> None:
    """
    The error says which file, and what is wrong with it.
    """
    (tmp_path / "config.json").write_text("{")

    with pytest.raises(ValueError, match=r"config\.json: "):
        read_bundle(tmp_path)


def test_public_names_are_there_and_documented() -> None:
    """
    The package's names are what is listed, and each says what it is.
    """
    assert hcsshim.oci.__all__ == dir(hcsshim.oci)
    for name in hcsshim.oci.__all__:
        assert getattr(hcsshim.oci, name).__doc__, name
    with pytest.raises(AttributeError, match="Nothing"):
        hcsshim.oci.Nothing  # noqa: B018


def test_models_are_frozen() -> None:
    """
    A specification cannot be changed under somebody who reads it.
    """
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Linux().cgroups_path = "x"
