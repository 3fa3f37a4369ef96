"""Layers under Wine: the same bytes as on Linux, and Wine's own files as a layer."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from layers_tars import TarMaker
from programs import find_program
from test_exporting import any_windows_tars

from hcsshim.layers import export_tar, import_tar

if TYPE_CHECKING:
    from conftest import Wine

#: Files from here on are left out of the drive: a few, but most of its bytes.
LARGE = 4 << 20
SCRIPT = Path(__file__).with_name("layers_script.py")
SECURITY = (
    "AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgAIAAAAAAA="
)

pytestmark = pytest.mark.wine


def on_linux(folder: Path, name: str) -> object:
    """Run the script on this machine's Python."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), name],
        check=True,
        capture_output=True,
        timeout=600,
    )
    return json.loads(done.stdout)


def under_wine(wine: Wine, folder: Path) -> object:
    """Run it on the Windows CPython."""
    return json.loads(wine.python(wine.path(SCRIPT), wine.path(folder), "wine"))


def full_tar() -> bytes:
    """Make a tar with everything that Windows knows of files."""
    records = {
        "MSWINDOWS.fileattr": "8226",
        "MSWINDOWS.rawsd": SECURITY,
        "MSWINDOWS.xattr.EA": "AQID",
        "LIBARCHIVE.creationtime": "-11644473599.5",
    }
    folder = {**records, "MSWINDOWS.fileattr": "16"}
    return (
        TarMaker()
        .folder("Files", pax_headers=folder, mtime=1.5)
        .add("Files/plain.txt", b"text" * 5000, pax_headers=records, mtime=2**32)
        .add("Files/plain.txt:stream", b"of it" * 300, pax_headers=records)
        .add("Files/sparse", bytes(1 << 20) + b"end" + bytes(1 << 19))
        .add("Files/\u4e2d\u6587\U0001f600", b"scripts")
        .link("Files/linked", "Files/plain.txt")
        .folder("Hives")
        .add("Hives/System_Delta", b"regf" * 100)
        .folder("UtilityVM/Files")
        .add("UtilityVM/Files/boot.efi", b"MZ")
        .done()
    )


def odd_tar() -> bytes:
    """Make a tar of links, and of names that Windows takes for one, or for none."""
    return (
        TarMaker()
        .add("Files/plain", b"small")
        .add("Files/PLAIN", b"large")
        .add("Files/PLAIN:stream", b"of the large")
        .link("Files/linked", "Files/PLAIN")
        .symlink("Files/link", "..\\Windows")
        .symlink("Files/mount", "C:\\x", pax_headers={"MSWINDOWS.mountpoint": "1"})
        .add("Files/st*r", b"star")
        .add("Files/\udcff\udcfe", b"no UTF-8")
        .add("/".join(["Files", *["d" * 100] * 60, "deep"]), b"deep")
        .done()
    )


def test_same_bytes(wine: Wine, tmp_path: Path) -> None:
    """
    Tars, backup streams, and the layers of one exported by the other are the same.
    """
    (tmp_path / "full.tar").write_bytes(full_tar())
    (tmp_path / "own-odd.tar").write_bytes(odd_tar())

    @settings(max_examples=25, database=None, deadline=None, derandomize=True)
    @given(any_windows_tars())
    def write(tar: bytes) -> None:
        digest = hashlib.sha256(tar).hexdigest()
        (tmp_path / f"own-{digest}.tar").write_bytes(tar)

    write()
    expected = on_linux(tmp_path, "linux")

    assert expected == under_wine(wine, tmp_path)
    assert expected == on_linux(tmp_path, "again")

    assert isinstance(expected, dict)
    for name, outcome in expected.items():
        digest = hashlib.sha256((tmp_path / f"{name}.tar").read_bytes()).hexdigest()
        assert [digest] == outcome["exported"]


# ---- trees from nobody here ------------------------------------------------


def link_tree(source: Path, target: Path) -> int:
    """Make a tree of links to another's files, but temporary and large ones."""
    count = 0
    for folder, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if name.lower() != "temp")
        here = target / Path(folder).relative_to(source)
        here.mkdir()
        links = [name for name in folders if Path(folder, name).is_symlink()]
        small = [name for name in files if Path(folder, name).lstat().st_size < LARGE]
        for name in (*small, *links):
            os.link(Path(folder, name), here / name, follow_symlinks=False)
        count += 1 + len(small) + len(links)
        folders[:] = [name for name in folders if name not in links]
    return count


def test_drive_of_wine_is_a_base_layer(wine: Wine, tmp_path: Path) -> None:
    """
    Wine's drive C: goes through Linux and Windows as one tar that others read.
    """
    drive = wine.drive()
    layer = drive.parent.parent / f"layer-{os.getpid()}"  # links stay on one disk
    layer.mkdir()
    try:
        count = link_tree(drive, layer / "Files")
        export_tar(layer, tmp_path / "drive.tar")
    finally:
        subprocess.run(["rm", "-rf", str(layer)], check=True)
    digest = hashlib.sha256((tmp_path / "drive.tar").read_bytes()).hexdigest()

    outcome = under_wine(wine, tmp_path)

    assert isinstance(outcome, dict)
    assert [digest] == outcome["drive"]["exported"]
    import_tar(tmp_path / "drive.tar", tmp_path / "layer")
    export_tar(tmp_path / "layer", tmp_path / "again.tar")
    again = (tmp_path / "again.tar").read_bytes()
    assert digest == hashlib.sha256(again).hexdigest()
    with tarfile.open(tmp_path / "drive.tar") as tar:
        members = tar.getmembers()
        kernel = next(m for m in members if m.name.endswith("system32/kernel32.dll"))
        file = tar.extractfile(kernel)
        assert file is not None
        found = next(drive.glob("windows/system32/kernel32.dll"))
        assert found.read_bytes() == file.read()
    assert count == len(members)
    listed = subprocess.run(
        [find_program("bsdtar"), "-tf", str(tmp_path / "drive.tar")],
        check=True,
        capture_output=True,
    )
    assert count == len(listed.stdout.splitlines())
