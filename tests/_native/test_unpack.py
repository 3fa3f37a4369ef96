"""Removing trees, on every platform."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hcsshim._native.unpack import remove_tree

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_read_only_is_removed(tmp_path: Path) -> None:
    """
    A tree goes with all that is in it, whatever it allows.
    """
    tree = tmp_path / "tree"
    (tree / "folder").mkdir(parents=True)
    (tree / "folder" / "file").write_bytes(b"text")
    (tree / "folder" / "file").chmod(0o444)

    remove_tree(tree)

    assert [] == list(tmp_path.iterdir())


def test_one_file_and_nothing(tmp_path: Path) -> None:
    """
    A file is a tree as well, and one that is not there is gone already.
    """
    file = tmp_path / "file"
    file.write_bytes(b"text")

    remove_tree(file)
    remove_tree(file)

    assert not os.path.lexists(file)


@pytest.mark.linux
def test_links_are_not_followed(tmp_path: Path) -> None:
    """
    What a link leads to stays.
    """
    kept, tree = tmp_path / "kept", tmp_path / "tree"
    kept.mkdir()
    (kept / "file").write_bytes(b"text")
    tree.mkdir()
    (tree / "link").symlink_to(kept, target_is_directory=True)

    remove_tree(tree)

    assert [kept / "file"] == list(kept.iterdir())
