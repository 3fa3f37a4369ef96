"""Copying trees, and the folders that layers are carried in."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcsshim.host.layers import folders, transport
from hcsshim.host.layers.trees import OPAQUE, TreeCopy, remove_tree
from hcsshim.host.results import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What an entry of a made tree is.
FILE, LINK, WHITEOUT, OPAQUE_FOLDER, FOLDER = range(5)

names = st.sampled_from(
    ["a", "b", "é", "with space", ".hidden", "Ω" * 20, "new\nline", "\udcff"]
)
trees = st.dictionaries(
    st.lists(names, min_size=1, max_size=4).map(tuple),
    st.tuples(st.sampled_from(range(5)), st.binary(max_size=30)),
    max_size=12,
)


def nothing() -> None:
    """Never stop."""


def make_tree(root: Path, tree: dict[tuple[str, ...], tuple[int, bytes]]) -> None:
    """Make a tree; what cannot be, because of what is there, is left out."""
    root.mkdir(parents=True, exist_ok=True)
    for parts, (kind, data) in sorted(tree.items()):
        path = root.joinpath(*parts)
        folders_above = [root.joinpath(*parts[:n]) for n in range(1, len(parts))]
        if any(folder.is_symlink() for folder in folders_above):
            continue  # or it would be made somewhere on the machine
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _make_entry(path, kind, data)
        except (FileExistsError, NotADirectoryError):
            continue


def _make_entry(path: Path, kind: int, data: bytes) -> None:
    if kind == FILE:
        with path.open("xb") as file:
            file.write(data)
        path.chmod(0o400 | data[:1].count(b"\0") * 0o4111)
    elif kind == LINK:
        path.symlink_to(os.fsdecode(data.replace(b"\0", b"/") or b"x"))
    elif kind == WHITEOUT:
        os.mknod(path, stat.S_IFCHR, 0)
    else:
        path.mkdir(exist_ok=True)
        if kind == OPAQUE_FOLDER:
            os.setxattr(path, OPAQUE, b"y")


def described(root: Path) -> dict[str, tuple[object, ...]]:
    """Describe all of a tree, times of folders included."""
    return dict(_describe(root))


def _describe(root: Path) -> Iterator[tuple[str, tuple[object, ...]]]:
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content: object = None
        if stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        elif stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)  # noqa: PTH115 - as it is written
        opaque = stat.S_ISDIR(status.st_mode) and OPAQUE in os.listxattr(path)
        name = str(path.relative_to(root))
        deleted = stat.S_ISCHR(status.st_mode)  # which has no time of its own
        time = 0 if deleted else status.st_mtime_ns
        yield name, (status.st_mode, time, content, opaque)


@pytest.fixture(autouse=True)
def _attributes(tmp_path: Path) -> None:
    """Leave the test out where files have no attributes of users."""
    try:
        os.setxattr(tmp_path, "user.test", b"")
    except OSError:
        pytest.skip("the file system of the temporary folder has no user attributes")


@settings(deadline=None, max_examples=40)
@given(tree=trees)
def test_a_copy_is_the_same(tree: dict[tuple[str, ...], tuple[int, bytes]]) -> None:
    """Whatever a tree has, its copy has, with modes, times and attributes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_tree(folder / "source", tree)

        TreeCopy(nothing).copy(str(folder / "source"), str(folder / "target"))

        assert described(folder / "source") == described(folder / "target")
        for path in (folder / "source", folder / "target"):
            remove_tree(str(path))
        assert [] == list(folder.iterdir())


@settings(deadline=None, max_examples=40)
@given(tree=trees)
def test_layers_survive_export_and_import(
    tree: dict[tuple[str, ...], tuple[int, bytes]],
) -> None:
    """
    A layer that is exported and imported is the same, deletions and all.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folders.create(str(folder / "base"))
        folders.create(str(folder / "layer"))
        make_tree(folder / "layer" / "Files", tree)
        layer = folders.require(str(folder / "layer"))
        gone = [p for p, (kind, _) in tree.items() if kind in {WHITEOUT, OPAQUE_FOLDER}]
        if any("\n" in part for parts in gone for part in parts):
            with suppress(Refusal):  # unless something else took the name's place
                transport.export(layer, str(folder / "out"), nothing)
            return
        transport.export(layer, str(folder / "out"), nothing)

        transport.import_(
            str(folder / "copy"), str(folder / "out"), [str(folder / "base")], nothing
        )

        before = described(folder / "layer" / "Files")
        assert before == described(folder / "copy" / "Files")


def test_links_stay_links(tmp_path: Path) -> None:
    """Files with two names have two in the copy, and no more."""
    (tmp_path / "source" / "d").mkdir(parents=True)
    (tmp_path / "source" / "one").write_bytes(b"1")
    os.link(tmp_path / "source" / "one", tmp_path / "source" / "d" / "two")
    os.link(tmp_path / "source" / "one", tmp_path / "outside")

    TreeCopy(nothing).copy(str(tmp_path / "source"), str(tmp_path / "target"))

    one = (tmp_path / "target" / "one").stat()
    assert one.st_ino == (tmp_path / "target" / "d" / "two").stat().st_ino
    assert 2 == one.st_nlink


def test_pipes_are_copied_sockets_are_not(tmp_path: Path) -> None:
    """A pipe is a name only, and copied; a socket without its owner is nothing."""
    import socket

    (tmp_path / "s").mkdir()
    os.mkfifo(tmp_path / "s" / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(tmp_path / "s")  # names of sockets are short
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)

    TreeCopy(nothing).copy(str(tmp_path / "s"), str(tmp_path / "t"))

    assert ["pipe"] == [path.name for path in (tmp_path / "t").iterdir()]


def test_a_copy_can_be_stopped(tmp_path: Path) -> None:
    """Before each file the copy asks whether to go on."""
    make_tree(tmp_path / "source", {(str(n),): (FILE, b"") for n in range(9)})
    left = 3

    def check() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        TreeCopy(check).copy(str(tmp_path / "source"), str(tmp_path / "target"))

    assert 3 == len(list((tmp_path / "target").iterdir()))


def test_very_deep_trees(tmp_path: Path) -> None:
    """A tree that is deeper than a path is long is removed all the same."""
    deep = tmp_path / "tree"
    deep.mkdir()
    here = os.open(deep, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 100, dir_fd=here)
        below = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)

    remove_tree(str(deep))

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("role", ["", "relative", "a\0b"])
def test_paths_must_be_absolute(role: str) -> None:
    """A path that means nothing to the host is refused as an argument."""
    with pytest.raises(Refusal, match="0x80070057"):
        folders.normal(role)


def test_trailing_slashes_do_not_matter() -> None:
    """One layer has one name."""
    assert "/a/b" == folders.normal("/a/./b//")


def test_deletions_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    """A deleted name with a line end or a backslash ends the export, and is named."""
    folders.create(str(tmp_path / "layer"))
    os.mknod(tmp_path / "layer" / "Files" / "a\\b", stat.S_IFCHR, 0)

    with pytest.raises(Refusal) as refused:
        transport.export(
            folders.require(str(tmp_path / "layer")), str(tmp_path / "out"), nothing
        )

    assert "cannot be exported" in refused.value.document
    assert ["layer"] == [path.name for path in tmp_path.iterdir()]
