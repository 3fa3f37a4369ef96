"""Tars become folders: whole, safe, and with what the tar says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
from layers_tars import TarMaker

from hcsshim.errors import (
    AlreadyExistsError,
    HcsError,
    InvalidDataError,
    OperationCancelledError,
)
from hcsshim.layers import export_tar, extract_linux_layer, import_tar

if TYPE_CHECKING:
    from pathlib import Path

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
#: For tests with "windows": layers of Linux are for Linux.
LINUX = pytest.param(False, marks=pytest.mark.linux)


def link_of(path: Path) -> str:
    """Tell where a link leads; under Wine a file has its text."""
    return os.readlink(path) if path.is_symlink() else path.read_text()


def small_windows_tar() -> bytes:
    """A layer with a member of every kind."""
    return (
        TarMaker()
        .folder("Files", mtime=7)
        .folder("Files/Windows", mtime=1_000_000_000.25)
        .add("Files/Windows/a.txt", b"hello", mtime=12.5)
        .add("Files/Windows/a.txt:zone", b"stream")
        .link("Files/b.txt", "Files/Windows/a.txt")
        .symlink("Files/c", "..\\Windows")
        .folder("Hives")
        .add("Hives/System_Delta", b"regf")
        .done()
    )


def test_windows_layer_is_files(layer: Path) -> None:
    """
    Files, folders and links of the tar are there, with their times.
    """
    import_tar(io.BytesIO(small_windows_tar()), layer)

    file = layer / "Files/Windows/a.txt"
    assert b"hello" == file.read_bytes()
    assert 12_500_000_000 == file.stat().st_mtime_ns
    assert file.samefile(layer / "Files/b.txt")
    assert "../Windows" == link_of(layer / "Files/c")
    assert b"regf" == (layer / "Hives/System_Delta").read_bytes()
    assert 1_000_000_000_250_000_000 == (layer / "Files/Windows").stat().st_mtime_ns
    assert 7 == (layer / "Files").stat().st_mtime


def test_result_tells_digest_and_sizes(layer: Path) -> None:
    """
    The result has the tar's SHA-256, its size, and that of the files.
    """
    tar = small_windows_tar()

    done = import_tar(io.BytesIO(tar), layer)

    assert f"sha256:{hashlib.sha256(tar).hexdigest()}" == done.diff_id
    assert (len(tar), 9, 8, 1) == (
        done.tar_size,
        done.size,
        done.members,
        done.streams,
    )


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_compression_is_found(layer: Path, pack: object, parts: int) -> None:
    """
    The first bytes tell gzip, also as several streams; the digest is of what
    is inside.
    """
    assert callable(pack)
    tar = small_windows_tar()
    cuts = [
        tar[len(tar) * i // parts : len(tar) * (i + 1) // parts] for i in range(parts)
    ]

    done = import_tar(io.BytesIO(b"".join(map(pack, cuts))), layer)

    assert f"sha256:{hashlib.sha256(tar).hexdigest()}" == done.diff_id
    assert b"hello" == (layer / "Files/b.txt").read_bytes()


def test_zstd_is_found(layer: Path) -> None:
    """
    The first bytes tell zstd.
    """
    zstandard = pytest.importorskip("zstandard")
    tar = small_windows_tar()

    done = import_tar(io.BytesIO(zstandard.compress(tar)), layer)

    assert len(tar) == done.tar_size


def test_from_a_file_and_a_pipe(layer: Path, tmp_path: Path) -> None:
    """
    The source may be a name, or what cannot seek.
    """
    tar = small_windows_tar()
    name = tmp_path / "layer.tar"
    name.write_bytes(tar)
    read_end, write_end = os.pipe()

    def write() -> None:
        with os.fdopen(write_end, "wb") as end:
            end.write(tar)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(read_end, "rb") as pipe:
        one = import_tar(pipe, layer)
    writer.join()

    other = import_tar(name, layer.with_name("other"))

    assert one == other


def test_layer_below_is_named_nearest_first(layer: Path) -> None:
    """
    ``layerchain.json`` lists the layers below; a base layer has none.
    """
    tar = small_windows_tar()
    base, middle = layer.with_name("base"), layer.with_name("middle")
    import_tar(io.BytesIO(tar), base)
    import_tar(io.BytesIO(tar), middle, parents=[base])

    import_tar(io.BytesIO(tar), layer, parents=[middle, base])

    assert [str(middle), str(base)] == json.loads(
        (layer / "layerchain.json").read_text()
    )
    assert not (base / "layerchain.json").exists()


def test_boot_files_are_kept_twice(layer: Path) -> None:
    """
    The boot files of a utility VM have copies, which nobody changes.
    """
    boot = "UtilityVM/Files/EFI/Microsoft/Boot"
    tar = TarMaker().add(f"{boot}/BCD", b"bcd").add(f"{boot}/BCD.LOG1", b"log").done()

    import_tar(io.BytesIO(tar), layer)

    assert b"bcd" == (layer / "bcd.bak").read_bytes()
    assert b"log" == (layer / "bcd.log1.bak").read_bytes()


# ---- hard links ------------------------------------------------------------


@pytest.mark.parametrize("windows", [True, LINUX])
def test_link_before_its_target(layer: Path, *, windows: bool) -> None:
    """
    Hard links come in any order, also links to links.
    """
    tar = (
        TarMaker()
        .link("Files/1", "Files/2")
        .link("Files/2", "Files/3")
        .link("Files/3", "Files/4")
        .add("Files/4", b"data")
        .done()
    )

    (import_tar if windows else extract_linux_layer)(io.BytesIO(tar), layer)

    assert 4 == (layer / "Files/1").stat().st_nlink


def test_link_into_the_nearest_layer_below(layer: Path) -> None:
    """
    What this layer lacks is linked from the nearest of the layers below.
    """
    base, middle = layer.with_name("base"), layer.with_name("middle")
    import_tar(io.BytesIO(TarMaker().add("Files/a", b"base").done()), base)
    import_tar(
        io.BytesIO(TarMaker().add("Files/a", b"middle").done()), middle, parents=[base]
    )
    tar = TarMaker().link("Files/b", "Files/a").done()

    import_tar(io.BytesIO(tar), layer, parents=[middle, base])

    assert (middle / "Files/a").samefile(layer / "Files/b")


# ---- what a layer removes --------------------------------------------------


def is_whiteout(path: Path) -> bool:
    """Tell whether overlayfs takes a file for a whiteout."""
    status = path.lstat()
    if stat.S_ISCHR(status.st_mode):
        return status.st_rdev == 0
    return b"y" == os.getxattr(path, "user.overlay.whiteout")


@pytest.mark.usefixtures("attributes")
def test_whiteouts_of_both_kinds(layer: Path) -> None:
    """
    A removed name is a whiteout, a replaced folder is opaque.
    """
    tar = (
        TarMaker()
        .folder("a")
        .add("a/.wh.gone")
        .folder("b")
        .add("b/.wh..wh..opq")
        .add("b/new", b"new")
        .add("c/.wh.back")
        .folder("c/back")
        .folder("d/again")
        .add("d/.wh.again")
        .done()
    )

    extract_linux_layer(io.BytesIO(tar), layer)

    assert is_whiteout(layer / "a/gone")
    for folder in ("b", "c/back", "d/again"):
        assert b"y" == os.getxattr(layer / folder, "user.overlay.opaque")
    assert ["new"] == os.listdir(layer / "b")


@pytest.mark.linux
def test_windows_layer_removes_files_only(layer: Path) -> None:
    """
    A layer removes what is in ``Files``; the lowest removes nothing.
    """
    base = layer.with_name("base")
    import_tar(io.BytesIO(TarMaker().folder("Files").done()), base)
    tar = TarMaker().add("Files/.wh.gone").done()

    import_tar(io.BytesIO(tar), layer, parents=[base])

    assert is_whiteout(layer / "Files/gone")
    with pytest.raises(InvalidDataError, match="this is the lowest"):
        import_tar(io.BytesIO(tar), layer.with_name("other"))
    with pytest.raises(InvalidDataError, match="only files below Files"):
        import_tar(
            io.BytesIO(TarMaker().add("Hives/.wh.x").done()),
            layer.with_name("other"),
            parents=[base],
        )


# ---- Linux -----------------------------------------------------------------


@pytest.mark.linux
def test_modes_and_times_of_linux(layer: Path) -> None:
    """
    Modes are exact whatever the umask, folders' too, and a folder's time is not that
    of its last file.
    """
    tar = (
        TarMaker()
        .folder("d", mode=0o555, mtime=5)
        .add("d/f", b"x", mode=0o4711, mtime=6)
        .symlink("d/l", "/etc/passwd", mtime=8)
        .folder("d/e", mode=0o1777, mtime=9)
        .done()
    )

    extract_linux_layer(io.BytesIO(tar), layer)

    modes = [
        stat.S_IMODE((layer / name).stat().st_mode) for name in ("d", "d/f", "d/e")
    ]
    times = [(layer / name).lstat().st_mtime for name in ("d", "d/f", "d/l", "d/e")]
    assert [0o555, 0o4711, 0o1777] == modes
    assert [5, 6, 8, 9] == times
    assert "/etc/passwd" == os.readlink(layer / "d/l")


@pytest.mark.root
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)
def test_owners_and_devices_as_root(layer: Path) -> None:
    """
    Owners and devices are those of the tar.
    """
    tar = (
        TarMaker()
        .add("null", kind=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666)
        .add("f", b"x", uid=1234, gid=5678)
        .done()
    )

    extract_linux_layer(io.BytesIO(tar), layer)

    status = (layer / "f").stat()
    assert (1234, 5678) == (status.st_uid, status.st_gid)
    assert os.makedev(1, 3) == (layer / "null").stat().st_rdev


@pytest.mark.usefixtures("attributes")
def test_attributes_but_not_those_of_overlays(layer: Path) -> None:
    """
    Extended attributes are set, except those that would steer overlayfs.
    """
    tar = (
        TarMaker()
        .add(
            "f",
            b"x",
            pax_headers={
                "SCHILY.xattr.user.colour": "blue",
                "SCHILY.xattr.user.overlay.redirect": "/etc",
                "SCHILY.xattr.trusted.overlay.opaque": "y",
            },
        )
        .done()
    )

    extract_linux_layer(io.BytesIO(tar), layer)

    assert ["user.colour"] == os.listxattr(layer / "f")


@pytest.mark.usefixtures("attributes")
def test_each_file_has_its_own_attributes(layer: Path) -> None:
    """
    A file gets the extended attributes of its own member, not the next one's.
    """
    tar = TarMaker()
    for number in range(5):
        records = {f"SCHILY.xattr.user.of{number}": f"{number}" * (number + 1)}
        tar.add(f"{number}", b"data", pax_headers=records)

    extract_linux_layer(io.BytesIO(tar.done()), layer)

    for number in range(5):
        assert [f"user.of{number}"] == os.listxattr(layer / f"{number}")
        assert f"{number}".encode() * (number + 1) == os.getxattr(
            layer / f"{number}", f"user.of{number}"
        )


@pytest.mark.linux
def test_later_member_wins(layer: Path) -> None:
    """
    Of two members with one name the later one stays, of whatever kind it is.
    """
    tar = (
        TarMaker()
        .add("x/y/z", b"1")
        .add("x", b"2")
        .symlink("l", "x")
        .add("l", b"3")
        .add("f", b"4")
        .folder("f")
        .done()
    )

    extract_linux_layer(io.BytesIO(tar), layer)

    assert b"2" == (layer / "x").read_bytes()
    assert b"3" == (layer / "l").read_bytes()
    assert (layer / "f").is_dir()


# ---- hostile ---------------------------------------------------------------

HOSTILE_ANYWHERE = {
    "parent": "../outside",
    "parent-inside": "a/../../outside",
    "absolute": "/outside",
    "nothing": ".wh.",
    "removes-parent": "a/.wh...",
}
HOSTILE_WINDOWS = {
    "drive": "C:/outside",
    "drive-relative": "Files/C:outside",
    "unc": "\\\\server\\share",
    "backslash": "Files\\..\\outside",
    "stream-of-nothing": "Files/a:b",
    "stream-of-folder": "Files:b/c",
    "two-streams": "Files/f:b:c",
    "device": "Files/CON",
    "device-with-extension": "Files/aux.tar.gz",
    "device-folder": "Files/nul/x",
    "device-port": "Files/com1 .txt",
    "device-superscript": "Files/LPT\u00b2",
    "not-of-a-layer": "Windows/x",
    "system-of-vm": "UtilityVM/x",
}


@pytest.mark.linux
@pytest.mark.parametrize("name", HOSTILE_ANYWHERE.values(), ids=HOSTILE_ANYWHERE)
@pytest.mark.parametrize("prefix", ["", "./"])
def test_hostile_names(layer: Path, name: str, prefix: str) -> None:
    """
    Names that lead out are refused by name; nothing is left.
    """
    if prefix and name.startswith("/"):
        return
    tar = TarMaker().add("Files/f", b"x").add(prefix + name, b"x").done()

    with pytest.raises(InvalidDataError, match=r"^'"):
        extract_linux_layer(io.BytesIO(tar), layer)

    assert [] == os.listdir(layer.parent)


@pytest.mark.parametrize(
    "name",
    [*HOSTILE_ANYWHERE.values(), *HOSTILE_WINDOWS.values()],
    ids=[*HOSTILE_ANYWHERE, *HOSTILE_WINDOWS],
)
def test_hostile_names_of_windows(layer: Path, name: str) -> None:
    """
    So are names that Windows takes for something else than a file.
    """
    tar = TarMaker().add("Files/f", b"x").add(name, b"x").done()

    with pytest.raises(InvalidDataError, match=r"^'"):
        import_tar(io.BytesIO(tar), layer)

    assert [] == os.listdir(layer.parent)


@pytest.mark.parametrize("windows", [True, LINUX])
@pytest.mark.parametrize("kind", ["file", "folder", "link", "symlink", "whiteout"])
def test_nothing_is_written_through_links(
    layer: Path, tmp_path: Path, kind: str, *, windows: bool
) -> None:
    """
    A member below a link is refused, and what the link leads to is untouched.
    """
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_bytes(b"kept")
    base = layer.with_name("base")
    base.mkdir()
    maker = TarMaker().add("Files/x", b"x").symlink("Files/out", str(outside))
    {
        "file": lambda: maker.add("Files/out/kept", b"overwritten"),
        "folder": lambda: maker.folder("Files/out/new"),
        "link": lambda: maker.link("Files/out/new", "Files/x"),
        "symlink": lambda: maker.symlink("Files/out/new", "x"),
        "whiteout": lambda: maker.add("Files/out/.wh.kept"),
    }[kind]()

    unpack = partial(import_tar, parents=[base]) if windows else extract_linux_layer

    with pytest.raises(InvalidDataError, match="leads through a link"):
        unpack(io.BytesIO(maker.done()), layer)

    assert ["kept"] == os.listdir(outside)
    assert b"kept" == (outside / "kept").read_bytes()
    assert [base.name] == os.listdir(layer.parent)


@pytest.mark.parametrize("target", ["../x", "/etc/passwd", "Files/out/passwd", "self"])
def test_hostile_hard_links(layer: Path, target: str) -> None:
    """
    Hard links out of the layer, through links, or to themselves are refused.
    """
    maker = TarMaker().symlink("Files/out", "/etc")
    maker.link("Files/l", "Files/l" if target == "self" else target)

    with pytest.raises(InvalidDataError):
        import_tar(io.BytesIO(maker.done()), layer)

    assert [] == os.listdir(layer.parent)


@pytest.mark.linux
def test_links_that_lead_in_circles(layer: Path) -> None:
    """
    Symbolic links in circles are only links; hard links in circles are refused.
    """
    loops = TarMaker().symlink("Files/a", "b").symlink("Files/b", "a").done()
    hard = TarMaker().link("Files/a", "Files/b").link("Files/b", "Files/a").done()

    import_tar(io.BytesIO(loops), layer)

    assert "b" == os.readlink(layer / "Files/a")
    with pytest.raises(InvalidDataError, match="what is not there"):
        import_tar(io.BytesIO(hard), layer.with_name("hard"))


def test_unhashed(layer: Path) -> None:
    """
    Without a digest the layer is the same one, however the tar comes.
    """
    tar = TarMaker().folder("Files").add("Files/a", os.urandom(3 << 20)).done()
    plain, packed = layer.with_name("a.tar"), layer.with_name("a.tar.gz")
    plain.write_bytes(tar)
    packed.write_bytes(gzip.compress(tar))
    for number, source in enumerate((plain, packed, io.BytesIO(tar))):
        target = layer.with_name(f"layer-{number}")
        again = io.BytesIO()

        done = import_tar(source, target, hashed=False)
        export_tar(target, again)

        assert ("", len(tar)) == (done.diff_id, done.tar_size)
        assert tar == again.getvalue()


@pytest.mark.parametrize("kept", [1, 511, 512, 700, 1024 + 5])
def test_truncated_tars(layer: Path, kept: int) -> None:
    """
    A tar that ends too early leaves nothing.
    """
    tar = TarMaker().add("Files/a", b"x" * 600).add("Files/b", b"y" * 600).done()

    with pytest.raises(InvalidDataError, match="ends inside"):
        import_tar(io.BytesIO(tar[:kept]), layer)

    assert [] == os.listdir(layer.parent)


def test_damaged_gzip(layer: Path) -> None:
    """
    So does a compressed one that is damaged or cut.
    """
    packed = gzip.compress(small_windows_tar())
    for bad in (packed[:-9], packed[:40] + b"\xff\xff\xff" + packed[43:]):
        with pytest.raises(InvalidDataError, match="compressed tar"):
            import_tar(io.BytesIO(bad), layer)

    assert [] == os.listdir(layer.parent)


def test_several_gzip_streams(layer: Path) -> None:
    """
    Streams of gzip may follow one another, with zeros behind them.
    """
    tar = TarMaker().folder("Files").add("Files/a", os.urandom(1 << 20)).done()
    packed = gzip.compress(tar[:700_001]) + gzip.compress(tar[700_001:]) + bytes(600)

    done = import_tar(io.BytesIO(packed), layer)

    assert f"sha256:{hashlib.sha256(tar).hexdigest()}" == done.diff_id


def test_unreadable_gzip(layer: Path) -> None:
    """
    An error of the source itself is told as it is.
    """

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 0:
                raise ConnectionResetError("the peer is gone")
            return super().read(size)

    with pytest.raises(ConnectionResetError, match="the peer is gone"):
        import_tar(Broken(gzip.compress(small_windows_tar())), layer)

    assert [] == os.listdir(layer.parent)


def test_bombs(layer: Path) -> None:
    """
    A tar that unpacks to more than is allowed is refused, and nothing is left.
    """
    bomb = gzip.compress(TarMaker().add("Files/a", bytes(30 << 20)).done())

    with pytest.raises(InvalidDataError, match="larger than the 10000000 bytes"):
        import_tar(io.BytesIO(bomb), layer, largest=10_000_000)

    assert [] == os.listdir(layer.parent)


# ---- whole or not at all ---------------------------------------------------


def test_progress_and_cancelling(layer: Path) -> None:
    """
    Progress comes in order; setting the event ends the import without a trace.
    """
    tar = TarMaker().add("Files/a", os.urandom(30 << 20)).done()
    seen: list[tuple[int, int | None]] = []
    cancel = threading.Event()
    name = layer.with_name("a.tar")
    name.write_bytes(tar)

    def stop(done: int, total: int | None) -> None:
        seen.append((done, total))
        if len(seen) == 2:
            cancel.set()

    with pytest.raises(OperationCancelledError):
        import_tar(name, layer, progress=stop, cancel=cancel)

    assert [len(tar)] * 2 == [total for _, total in seen]
    assert seen == sorted(seen)
    assert ["a.tar"] == os.listdir(layer.parent)


def test_progress_that_raises(layer: Path) -> None:
    """
    An exception of the progress callback ends the import likewise.
    """

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_tar(io.BytesIO(small_windows_tar()), layer, progress=stop)

    assert [] == os.listdir(layer.parent)


@pytest.mark.parametrize(
    "kind", ["file", "full", pytest.param("link", marks=pytest.mark.linux)]
)
def test_what_stands_there_stays(layer: Path, kind: str) -> None:
    """
    Nothing that stands at the target is replaced, but an empty folder.
    """
    if kind == "file":
        layer.write_bytes(b"mine")
    elif kind == "link":
        layer.symlink_to("/nowhere")
    else:
        layer.mkdir()
        (layer / "x").write_bytes(b"mine")

    with pytest.raises(AlreadyExistsError):
        import_tar(io.BytesIO(small_windows_tar()), layer)

    assert [layer.name] == os.listdir(layer.parent)


def test_empty_folder_is_filled(layer: Path) -> None:
    """
    An empty folder may stand there.
    """
    layer.mkdir()

    import_tar(io.BytesIO(small_windows_tar()), layer)

    assert (layer / "Files").is_dir()


@pytest.mark.linux
def test_deep_paths(layer: Path) -> None:
    """
    A path of 32 thousand characters is made, and can be removed again.
    """
    name = "/".join(["Files", *["d" * 200] * 160, "f"])
    tar = TarMaker().add(name, b"deep").done()

    import_tar(io.BytesIO(tar), layer)

    folder = os.open(layer / "Files", os.O_RDONLY)
    for _ in range(160):
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    assert ["f"] == os.listdir(folder)
    os.close(folder)
    from hcsshim._native.unpack import remove_tree

    remove_tree(layer)
    assert not layer.exists()


def test_removal_in_spite_of_modes(layer: Path) -> None:
    """
    Folders that nobody may enter are removed with what is in them.
    """
    from hcsshim._native.unpack import remove_tree

    (layer / "a/b/c/d").mkdir(parents=True)
    (layer / "a/b/f").write_bytes(b"")
    for name in ("a/b/c", "a/b", "a"):
        (layer / name).chmod(0)

    remove_tree(layer)

    assert not layer.exists()


def test_missing_source(layer: Path) -> None:
    """
    A tar that is not there leaves nothing.
    """
    with pytest.raises(FileNotFoundError):
        import_tar(layer.with_name("no.tar"), layer)
    with pytest.raises(HcsError):
        import_tar(
            io.BytesIO(small_windows_tar()), layer, parents=[layer.with_name("no")]
        )

    assert [] == os.listdir(layer.parent)
