"""Transport folders: made of tars, and tars of them."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest
from layers_tars import TarMaker

from hcsshim.errors import AlreadyExistsError, InvalidDataError, NotFoundError
from hcsshim.layers import (
    StreamId,
    decode_reparse_point,
    read_transport_folder,
    split_streams,
    write_transport_folder,
)

if TYPE_CHECKING:
    from pathlib import Path

SECURITY = "AQAEgAAAAAAAAAAAAAAAAAAAAAA="


def known(attributes: int, **records: str) -> dict[str, object]:
    """Give what Windows knows of a file."""
    return {
        "mtime": 12.5,
        "pax_headers": {
            "MSWINDOWS.fileattr": str(attributes),
            "MSWINDOWS.rawsd": SECURITY,
            "LIBARCHIVE.creationtime": "12.5",
            "atime": "12.5",
            "ctime": "12.5",
            **{f"MSWINDOWS.{key}": value for key, value in records.items()},
        },
    }


def layer_tar() -> bytes:
    """A layer with all that a transport folder holds, in a transport's order."""
    return (
        TarMaker()
        .folder("Files", **known(16))
        .add("Files/.wh.top")
        .folder("Files/d", **known(16))
        .add("Files/d/.wh.gone")
        .add("Files/d/.wh.ümlaut")
        .add("Files/d/a", b"hello", **known(32, **{"xattr.A": "AAEC"}))
        .add("Files/d/a:zone", b"stream")
        .symlink("Files/l", "..\\x", **known(0x400))
        .folder("Hives", **known(0x2010))
        .add("Hives/System_Delta", b"regf")
        .done()
    )


def test_files_are_attributes_and_streams(layer: Path) -> None:
    """
    Below ``Files`` a file is its attributes and its backup stream, a folder has a
    file for that beside it; hives are plain, and removed names are listed.
    """
    done = write_transport_folder(io.BytesIO(layer_tar()), layer)

    blob = (layer / "Files/d/a").read_bytes()
    kinds = [one.id for one in split_streams(blob[4:])]
    assert (32).to_bytes(4, "little") == blob[:4]
    assert [
        StreamId.SECURITY_DATA,
        StreamId.EA_DATA,
        StreamId.DATA,
        StreamId.ALTERNATE_DATA,
    ] == kinds
    assert b"\x10\0\0\0\3" == (layer / "Files/d.$wcidirs$").read_bytes()[:5]
    assert b"regf" == (layer / "Hives/System_Delta").read_bytes()
    assert (
        "\ufeffVersion 1.0\n\\top\n\\d\\gone\n\\d\\ümlaut\n".encode()
        == (layer / "tombstones.txt").read_bytes()
    )
    assert ("top", "d/gone", "d/ümlaut") == done.removed
    assert 12_500_000_000 == (layer / "Files/d/a").stat().st_mtime_ns
    assert (6, 9) == (done.files, done.size)


def test_tar_comes_back(layer: Path) -> None:
    """
    The tar of a transport folder has the same members with the same records.
    """
    write_transport_folder(io.BytesIO(layer_tar()), layer)
    again = io.BytesIO()

    read_transport_folder(layer, again)

    with (
        tarfile.open(fileobj=io.BytesIO(layer_tar())) as one,
        tarfile.open(fileobj=io.BytesIO(again.getvalue())) as other,
    ):
        expected, found = list(one), list(other)
        assert [m.name for m in expected] == [m.name for m in found]
        for left, right in zip(expected, found, strict=True):
            assert (left.type, left.size, left.linkname) == (
                right.type,
                right.size,
                right.linkname,
            )
            if "MSWINDOWS.rawsd" in left.pax_headers:
                wanted = {k: v for k, v in left.pax_headers.items() if k[0].isupper()}
                assert wanted == {
                    k: v for k, v in right.pax_headers.items() if k[0].isupper()
                }
                assert left.mtime == right.mtime


def test_links_are_for_later(layer: Path) -> None:
    """
    Hard links are told, since they can be made only once the layer is imported.
    """
    tar = TarMaker().link("Files/b", "Files/a").add("Files/a", b"x").done()

    done = write_transport_folder(io.BytesIO(tar), layer)

    assert (("Files/b", "Files/a"),) == done.links
    assert not (layer / "Files/b").exists()


def test_symlinks_are_reparse_points(layer: Path) -> None:
    """
    A symbolic link is a file with a reparse point, so that nothing follows it here.
    """
    write_transport_folder(io.BytesIO(layer_tar()), layer)

    blob = (layer / "Files/l").read_bytes()
    points = [
        decode_reparse_point(one.data)
        for one in split_streams(blob[4:])
        if one.id == StreamId.REPARSE_DATA
    ]
    assert ["..\\x"] == [point.target for point in points]


@pytest.mark.parametrize(
    "tar",
    [
        TarMaker().add("other/x").done(),
        TarMaker().add("../x").done(),
        TarMaker().add("Files/a\\b").done(),
        TarMaker().add("Files/d.$wcidirs$").done(),
        TarMaker().add("Files/a").add("Files/a").done(),
        TarMaker().add("Hives/.wh.x").done(),
        TarMaker().add("Files/d/.wh..wh..opq").done(),
        TarMaker().link("Files/x", "Files/C:x").done(),
        TarMaker()
        .symlink("Files/j", "C:\\", **known(0x410))
        .add("Files/j/x", b"x")
        .done(),
    ],
    ids=[
        *("top", "parent", "backslash", "sidecar", "twice", "hive"),
        *("opaque", "drive", "junction"),
    ],
)
def test_hostile_tars(layer: Path, tar: bytes) -> None:
    """
    What the service would take for something else is refused; nothing is left.
    """
    with pytest.raises(InvalidDataError):
        write_transport_folder(io.BytesIO(tar), layer)

    assert [] == os.listdir(layer.parent)


def test_target_must_be_free(layer: Path) -> None:
    """
    What stands at the target stays.
    """
    layer.mkdir()
    (layer / "x").write_bytes(b"")

    with pytest.raises(AlreadyExistsError):
        write_transport_folder(io.BytesIO(layer_tar()), layer)


def test_damaged_folders(layer: Path) -> None:
    """
    Files too short for their attributes, foreign tombstones, and no folder at all.
    """
    with pytest.raises(NotFoundError):
        read_transport_folder(layer, io.BytesIO())
    (layer / "Files").mkdir(parents=True)
    (layer / "Files/a").write_bytes(b"abc")
    with pytest.raises(InvalidDataError, match="too short"):
        read_transport_folder(layer, io.BytesIO())
    (layer / "Files/a").write_bytes(bytes(4) + b"no stream")
    with pytest.raises(InvalidDataError, match="head of a stream"):
        read_transport_folder(layer, io.BytesIO())
    (layer / "tombstones.txt").write_bytes(b"Version 2.0\n")
    with pytest.raises(InvalidDataError, match=r"Version 1\.0"):
        read_transport_folder(layer, io.BytesIO())


def test_odd_tombstones(layer: Path) -> None:
    """
    Blank lines and Windows' line ends are no names.
    """
    (layer / "Files").mkdir(parents=True)
    (layer / "tombstones.txt").write_bytes(
        b"\xef\xbb\xbfVersion 1.0\r\n\\a\r\n\r\n\\b\r\n"
    )
    tar = io.BytesIO()

    read_transport_folder(layer, tar)

    with tarfile.open(fileobj=io.BytesIO(tar.getvalue())) as file:
        assert ["Files", "Files/.wh.a", "Files/.wh.b"] == file.getnames()
