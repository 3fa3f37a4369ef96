"""
Layers of Windows on every platform: what its file system cannot hold comes back, too.

On Linux most of these are ordinary files; on Windows, and under Wine, they are not.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from layers_tars import TarMaker

from hcsshim._native.unpack import remove_tree
from hcsshim.errors import InvalidDataError
from hcsshim.layers import export_tar, import_tar

if TYPE_CHECKING:
    from pathlib import Path


def exported(layer: Path, parents: tuple[Path, ...] = ()) -> bytes:
    """Give the tar of a layer."""
    target = io.BytesIO()
    export_tar(layer, target, parents=parents)
    return target.getvalue()


NAMES = {
    "case": ["Files/name", "Files/NAME", "Files/Name"],
    "case-of-folders": ["Files/f/x", "Files/F/X", "Files/F/y"],
    "case-beyond-ascii": [
        "Files/\u00c4",
        "Files/\u00e4",
        "Files/\u0434",
        "Files/\u0414",
    ],
    "no-utf-8": ["Files/\udcff", "Files/\udcfe/in", "Files/\udced\udca0\udc80"],
    "stars": ["Files/*", 'Files/"quoted"', "Files/a<b>c|d?", "Files/tab\t"],
    "dots-and-spaces": ["Files/dot.", "Files/space ", "Files/..."],
    "other-scripts": ["Files/\u4e2d\u6587", "Files/\U0001f600", "Files/e\u0301"],
    "long": ["Files/" + "n" * 255, "Files/" + "\u4e2d" * 80],
    "deep": ["/".join(["Files", *["d" * 200] * 30, "f"])],
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_any_names_come_back(layer: Path, names: list[str]) -> None:
    """
    Names that this system takes for one another, or for none, are all kept.
    """
    maker = TarMaker()
    for number, name in enumerate(names):
        maker.add(name, b"%d" % number * 100, mtime=number)
    tar = maker.done()

    import_tar(io.BytesIO(tar), layer)

    assert tar == exported(layer)


def test_all_kinds_of_members_of_one_name_but_for_case(layer: Path) -> None:
    """
    Files, links of both kinds and folders, whose names differ by case.
    """
    tar = (
        TarMaker()
        .add("Files/a", b"file")
        .add("Files/A", b"other")
        .add("Files/A:stream", b"of the other")
        .link("Files/linked", "Files/A")
        .symlink("Files/Linked", "a")
        .symlink("Files/s", "..\\x")
        .link("Files/S", "Files/a")
        .folder("Files/d")
        .folder("Files/D")
        .add("Files/D/x", b"x")
        .done()
    )

    import_tar(io.BytesIO(tar), layer)

    assert tar == exported(layer)


def test_later_member_wins(layer: Path) -> None:
    """
    Of two members with one name the later one stays, of whatever kind it is.
    """
    tar = (
        TarMaker()
        .add("Files/x", b"first" * 50000)
        .add("Files/x", b"second")
        .add("Files/y", b"y" * 50000)
        .folder("Files/y")
        .folder("Files/z/inside")
        .add("Files/z", b"file")
        .symlink("Files/w", "x")
        .add("Files/w", b"text")
        .done()
    )

    import_tar(io.BytesIO(tar), layer)

    assert b"second" == (layer / "Files/x").read_bytes()
    assert (layer / "Files/y").is_dir()
    assert b"file" == (layer / "Files/z").read_bytes()
    assert b"text" == (layer / "Files/w").read_bytes()
    assert ["w", "x", "y", "z"] == sorted(os.listdir(layer / "Files"))


def test_links_and_removals_come_back(layer: Path) -> None:
    """
    Links of both kinds stay what they are, and so does what a layer removes.
    """
    base = layer.with_name("base")
    import_tar(io.BytesIO(TarMaker().add("Files/below", b"x").done()), base)
    tar = (
        TarMaker()
        .folder("Files")
        .add("Files/.wh.gone")
        .add("Files/deep/er/.wh..wh..opq")
        .symlink("Files/link", "C:\\Windows")
        .symlink("Files/junction", "C:\\x", pax_headers={"MSWINDOWS.mountpoint": "1"})
        .link("Files/hard", "Files/below")
        .done()
    )

    import_tar(io.BytesIO(tar), layer, parents=[base])

    assert tar == exported(layer, (base,))


def test_changes_are_seen(layer: Path) -> None:
    """
    What was changed, removed, and made after the import is in the export.
    """
    tar = (
        TarMaker()
        .add("Files/changed", b"old", mtime=1000)
        .add("Files/gone", b"gone")
        .add("Files/kept", b"kept")
        .symlink("Files/link", "kept")
        .done()
    )
    import_tar(io.BytesIO(tar), layer)

    (layer / "Files/changed").write_bytes(b"newer")
    (layer / "Files/gone").unlink()
    (layer / "Files/link").unlink()
    (layer / "Files/new").write_bytes(b"new")
    (layer / "Files/folder").mkdir()

    again = layer.with_name("again")
    import_tar(io.BytesIO(exported(layer)), again)
    assert ["changed", "folder", "kept", "new"] == sorted(os.listdir(again / "Files"))
    assert b"newer" == (again / "Files/changed").read_bytes()
    assert b"new" == (again / "Files/new").read_bytes()


@pytest.mark.parametrize("member", ["file", "folder", "link", "symlink", "whiteout"])
def test_nothing_is_written_through_links(layer: Path, member: str) -> None:
    """
    A link to a folder outside is no way there, whatever stands for it.
    """
    outside = layer.with_name("outside")
    outside.mkdir()
    maker = TarMaker().add("Files/f", b"x").symlink("Files/out", str(outside))
    name = "Files/out/.wh.x" if member == "whiteout" else "Files/out/x"
    if member == "folder":
        maker.folder(name)
    elif member == "link":
        maker.link(name, "Files/f")
    elif member == "symlink":
        maker.symlink(name, "y")
    else:
        maker.add(name, b"")
    base = layer.with_name("base")
    base.mkdir()

    with pytest.raises(InvalidDataError, match="leads through a link"):
        import_tar(io.BytesIO(maker.done()), layer, parents=[base])

    assert [] == os.listdir(outside)
    assert ["base", "outside"] == sorted(os.listdir(layer.parent))


def test_deep_trees_are_removed(tmp_path: Path) -> None:
    """
    A tree goes however deep it is, and in whatever it holds.
    """
    tree = tmp_path / "tree"
    folder = tree
    for _ in range(40):
        (folder / "a").mkdir(parents=True)
        (folder / "b").mkdir()
        (folder / "b" / "file").write_bytes(b"x")
        (folder / "read-only").write_bytes(b"x")
        (folder / "read-only").chmod(0o444)
        folder /= "a"

    remove_tree(tree)

    assert [] == os.listdir(tmp_path)


# ---- killed ----------------------------------------------------------------

KILLED = """
import io, sys
from hcsshim.layers import import_tar

class Stuck(io.RawIOBase):
    def __init__(self, data, most):
        self.data, self.most = io.BytesIO(data), most
    def read(self, size=-1):
        piece = self.data.read(min(size, self.most))
        self.most -= len(piece)
        if not piece:
            print("now", flush=True)
            sys.stdin.buffer.read()
        return piece

with open(sys.argv[1], "rb") as file:
    import_tar(Stuck(file.read(), int(sys.argv[3])), sys.argv[2])
"""


@pytest.mark.parametrize("part", [0.01, 0.5, 0.95, 1.0])
def test_killed_import_leaves_nothing_for_long(layer: Path, part: float) -> None:
    """
    After a kill at any byte there is no layer, and the next import removes the rest.
    """
    maker = TarMaker()
    for number in range(50):
        maker.add(f"Files/{number % 7}/{number}", bytes([number]) * 5000)
    source = layer.with_name("layer.tar")
    source.write_bytes(tar := maker.done())
    arguments = [str(source), str(layer), str(int(len(tar) * part))]

    with subprocess.Popen(
        [sys.executable, "-c", KILLED, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as importer:
        assert importer.stdout is not None
        assert b"now" == importer.stdout.readline().strip()
        importer.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    assert not layer.exists()

    import_tar(io.BytesIO(tar), layer)
    assert tar == exported(layer)
    assert ["layer", "layer.tar"] == sorted(os.listdir(layer.parent))
