"""Base layers out of plain folders, and their registry hives."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from programs import find_program

from hcsshim import layers
from hcsshim.disk import read_vhdx
from hcsshim.errors import AlreadyExistsError, InvalidDataError, NotFoundError
from hcsshim.layers._hive import empty_hive

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.host


@pytest.fixture
def folder(host: object, tmp_path: Path) -> Path:
    """A folder with files."""
    assert host is not None
    (tmp_path / "Files" / "app").mkdir(parents=True)
    return tmp_path


def test_empty_hive_is_one_to_others(tmp_path: Path) -> None:
    """Other people's programs read the hive: one key, with nothing below."""
    (tmp_path / "hive").write_bytes(empty_hive())

    shown = subprocess.run(
        [find_program("hivexml"), tmp_path / "hive"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout

    assert 1 == shown.count("<node ")
    assert 'name="ROOT" root="1"' in shown
    assert 8192 == len(empty_hive())


def test_hives_that_are_there_stay(folder: Path) -> None:
    """An existing hive, in whatever spelling, is not replaced."""
    config = folder / "Files" / "windows" / "SYSTEM32" / "Config"
    config.mkdir(parents=True)
    (config / "software").write_bytes(b"regf of a user")

    layers.convert_to_base_layer(folder)

    assert b"regf of a user" == (config / "software").read_bytes()
    assert {"DEFAULT", "SAM", "SECURITY", "SYSTEM", "software"} == set(
        os.listdir(config)
    )
    assert b"regf of a user" == (folder / "Hives" / "Software_Base").read_bytes()


def test_converting_twice(folder: Path) -> None:
    """What an earlier conversion left is made anew."""
    layers.convert_to_base_layer(folder)
    (folder / "Hives" / "Stale_Base").touch()
    (folder / "Layout").touch()

    layers.convert_to_base_layer(folder)

    assert not (folder / "Hives" / "Stale_Base").exists()
    assert not (folder / "Layout").exists()


def test_utility_vm_needs_its_boot_store(folder: Path) -> None:
    """A utility VM without a boot store is refused, before anything is made."""
    boot = folder / "UtilityVM" / "Files" / "EFI" / "Microsoft" / "Boot"
    boot.mkdir(parents=True)
    with pytest.raises(NotFoundError, match="boot store"):
        layers.convert_to_base_layer(folder)
    assert not (folder / "layer.json").exists()

    (boot / "BCD").write_bytes(empty_hive())
    layers.convert_to_base_layer(folder)

    assert (folder / "UtilityVM" / "SystemTemplate.vhdx").exists()


@pytest.mark.parametrize("name", ["Windows", "Windows/System32/config/SAM"])
def test_links_in_the_way_are_refused(folder: Path, name: str) -> None:
    """A link where a folder or a hive must be is never written through."""
    outside = folder / "outside"
    outside.mkdir()
    link = folder / "Files" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)

    with pytest.raises(InvalidDataError):
        layers.convert_to_base_layer(folder)

    assert [] == os.listdir(outside)


def test_mount_points(folder: Path) -> None:
    """A folder shows a volume until it is an empty folder again."""
    point = folder / "point"
    layers.set_volume_mount_point(point, folder / "Files")
    assert ["app"] == os.listdir(point)

    with pytest.raises(AlreadyExistsError, match="is no folder"):
        layers.set_volume_mount_point(point, folder / "Files")
    layers.delete_volume_mount_point(point)

    assert [] == os.listdir(point)
    with pytest.raises(InvalidDataError, match="no mount point"):
        layers.delete_volume_mount_point(point)
    with pytest.raises(NotFoundError, match="no volume"):
        layers.set_volume_mount_point(point, folder / "missing")


def test_setup_container_base_layer(folder: Path) -> None:
    """A base layer gets a formatted disk, and one that differs from it."""
    find_program("mkfs.ext4")
    (folder / "Layout").touch()
    base, diff = folder / "blank-base.vhdx", folder / "blank.vhdx"

    layers.setup_container_base_layer(folder, base, diff, 2)

    assert layers.layer_exists(folder)
    assert not (folder / "Layout").exists()
    assert 2 << 30 == read_vhdx(base).size == read_vhdx(diff).size
    assert (
        f"{{{read_vhdx(base).data_write_id}}}"
        == (read_vhdx(diff).parent["parent_linkage"])
    )


def test_setup_utility_vm_base_layer(folder: Path) -> None:
    """A utility VM gets two disks as well."""
    base, diff = folder / "base.vhdx", folder / "diff.vhdx"

    layers.setup_utility_vm_base_layer(folder, base, diff, 1)

    assert read_vhdx(diff).has_parent


def test_failed_setup_leaves_no_disks(tmp_path: Path, host: object) -> None:
    """If the layer cannot be made, its disks are not there either."""
    assert host is not None
    with pytest.raises(NotFoundError, match="no folder 'Files'"):
        layers.setup_utility_vm_base_layer(
            tmp_path, tmp_path / "base.vhdx", tmp_path / "diff.vhdx", 1
        )

    assert [] == os.listdir(tmp_path)
