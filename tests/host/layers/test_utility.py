"""A layer's utility VM has its parent's files, but what it changes is its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hcsshim.host.layers import transport, utility
from hcsshim.host.results import Refusal
from hcsshim.hresult import HResult

BOOT = "UtilityVM/Files/EFI/Microsoft/Boot"

pytestmark = pytest.mark.linux


def nothing() -> None:
    """Never stop."""


def write(layer: Path, path: str, data: bytes) -> Path:
    """Make a file, and the folders above it."""
    file = layer / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """A layer with a utility VM."""
    layer = tmp_path / "parent"
    write(layer, "Files/f", b"")
    write(layer, "UtilityVM/Files/Windows/kernel", b"kernel")
    write(layer, "UtilityVM/Files/Windows/changed", b"old")
    write(layer, "UtilityVM/SystemTemplate.vhdx", b"disk")
    for name in ("BCD", "BCD.LOG", "bcd.log1", "BCD.LOG2", "memtest.efi"):
        write(layer, f"{BOOT}/{name}", b"boot")
    (layer / "UtilityVM/Files/link").symlink_to("Windows")
    os.utime(layer / "UtilityVM/Files/EFI", (1, 1_000_000_000))
    return layer


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """What is imported as a child of that layer."""
    folder = tmp_path / "source"
    write(folder, "Files/f", b"")
    write(folder, "UtilityVM/Files/Windows/changed", b"new")
    return folder


def test_files_of_the_parent_are_linked(
    parent: Path, source: Path, tmp_path: Path
) -> None:
    """
    What the layer has stays; the rest is the parent's, without a copy.
    """
    child = tmp_path / "child"

    transport.import_(str(child), str(source), [str(parent)], nothing)

    files = child / "UtilityVM/Files"
    assert b"new" == (files / "Windows/changed").read_bytes()
    assert b"old" == (parent / "UtilityVM/Files/Windows/changed").read_bytes()
    assert (files / "Windows/kernel").samefile(
        parent / "UtilityVM/Files/Windows/kernel"
    )
    assert Path("Windows") == (files / "link").readlink()
    assert 1_000_000_000 == int((files / "EFI").stat().st_mtime)
    assert not (child / "UtilityVM/SystemTemplate.vhdx").exists()


def test_boot_files_are_copies(parent: Path, source: Path, tmp_path: Path) -> None:
    """
    Those that are changed in place are the layer's own, in whatever letters.
    """
    child = tmp_path / "child"

    transport.import_(str(child), str(source), [str(parent)], nothing)

    for file in (child / BOOT).iterdir():
        assert b"boot" == file.read_bytes()
        linked = file.samefile(parent / BOOT / file.name)
        assert linked == (file.name == "memtest.efi")
    assert 5 == len(list((child / BOOT).iterdir()))


def test_layers_without_utility_vm_get_none(
    parent: Path, source: Path, tmp_path: Path
) -> None:
    """
    Only a layer that changes the utility VM has one; a base layer has no parent's.
    """
    lone, plain = tmp_path / "lone", tmp_path / "plain"
    transport.import_(str(lone), str(source), [], nothing)
    (source / "UtilityVM/Files/Windows/changed").unlink()
    (source / "UtilityVM/Files/Windows").rmdir()
    (source / "UtilityVM/Files").rmdir()
    (source / "UtilityVM").rmdir()

    transport.import_(str(plain), str(source), [str(parent)], nothing)

    assert not (plain / "UtilityVM").exists()
    assert [lone / "UtilityVM/Files/Windows"] == [*(lone / "UtilityVM/Files").iterdir()]


def test_links_are_no_way_out(parent: Path, tmp_path: Path) -> None:
    """
    Where the layer has a link, nothing is made behind it.
    """
    outside, child = tmp_path / "outside", tmp_path / "child"
    outside.mkdir()
    (child / "UtilityVM/Files").mkdir(parents=True)
    (child / "UtilityVM/Files/Windows").symlink_to(outside)

    utility.inherit(str(child), str(parent), nothing)

    assert [] == list(outside.iterdir())
    other = tmp_path / "other"
    other.mkdir()
    (other / "UtilityVM").symlink_to(outside)
    with pytest.raises(Refusal) as caught:
        utility.inherit(str(other), str(parent), nothing)
    assert HResult.ERROR_INVALID_DATA == caught.value.hresult
    assert [] == list(outside.iterdir())
