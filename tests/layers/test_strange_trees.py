"""Trees that nobody made for these tests: parts of this machine's root filesystem."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from programs import find_program

from hcsshim.layers import (
    export_tar,
    extract_linux_layer,
    import_tar,
    pack_linux_layer,
)

pytestmark = pytest.mark.linux

#: Files of every kind that a Debian has, links of all kinds among them.
PARTS = ("etc", "usr/lib/ssl", "usr/sbin", "usr/share/zoneinfo", "usr/share/perl5")
LINKS = ("bin", "lib", "lib64", "sbin")
LARGE = 1 << 20


def copy_root(target: Path) -> None:
    """Copy parts of the root filesystem, as far as this user may read them."""
    (target / "tmp").mkdir(parents=True)
    (target / "tmp").chmod(0o1777)

    def left_out(folder: str, names: list[str]) -> set[str]:
        paths = {name: Path(folder, name) for name in names}
        return {
            name
            for name, path in paths.items()
            if not path.is_symlink()
            and (
                not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0))
                or not (path.is_dir() or path.is_file())
                or (path.is_file() and path.stat().st_size > LARGE)
            )
        }

    for part in PARTS:
        if Path("/", part).is_dir():
            shutil.copytree(
                Path("/", part), target / part, symlinks=True, ignore=left_out
            )
    for link in LINKS:
        if Path("/", link).is_symlink():
            os.symlink(os.readlink(Path("/", link)), target / link)


def digest_of(path: Path) -> str:
    """Give the digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contents_of(root: Path) -> dict[str, tuple[object, ...]]:
    """Tell all that a layer keeps of each file of a tree."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            status = path.lstat()
            data = (
                os.readlink(path)
                if path.is_symlink()
                else digest_of(path)
                if path.is_file()
                else ""
            )
            mode = 0 if path.is_symlink() else status.st_mode
            found[str(path.relative_to(root))] = (mode, status.st_mtime_ns, data)
    return found


def count_of_bsdtar(tar: Path) -> int:
    """Count the members that bsdtar finds."""
    listed = subprocess.run(
        [find_program("bsdtar"), "-tf", str(tar)], check=True, capture_output=True
    )
    return len(listed.stdout.splitlines())


def test_root_filesystem_is_a_linux_layer(layer: Path) -> None:
    """
    A Debian's files come back as they were, and others read the tar of them.
    """
    root = layer.with_name("root")
    copy_root(root)
    first, second = layer.with_name("first.tar"), layer.with_name("second.tar")

    with first.open("wb") as file:
        pack_linux_layer(root, file)
    extract_linux_layer(first, layer)
    with second.open("wb") as file:
        pack_linux_layer(layer, file)

    expected = contents_of(root)
    assert expected == contents_of(layer)
    assert digest_of(first) == digest_of(second)
    with tarfile.open(first) as tar:
        assert set(expected) == {member.name for member in tar}
    assert len(expected) == count_of_bsdtar(first)


def test_root_filesystem_is_a_windows_layer(layer: Path) -> None:
    """
    The same files make a base layer, whose tar comes back byte for byte.
    """
    root = layer.with_name("root")
    copy_root(root / "Files")
    first, again = layer.with_name("first.tar"), io.BytesIO()

    export_tar(root, first)
    import_tar(first, layer)
    export_tar(layer, again)

    assert first.read_bytes() == again.getvalue()
    with tarfile.open(first) as tar:
        members = tar.getmembers()
    assert len(contents_of(root)) == len(members) == count_of_bsdtar(first)
