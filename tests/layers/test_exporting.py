"""Folders become tars again: the same ones, or ones with exactly what changed."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import subprocess
import tarfile
import threading
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers_tars import TarMaker
from programs import find_program

from hcsshim._native.pack import UNHASHED, WINDOWS, Pack
from hcsshim.errors import (
    InvalidDataError,
    NotFoundError,
    OperationCancelledError,
)
from hcsshim.layers import (
    export_tar,
    extract_linux_layer,
    import_tar,
    pack_linux_layer,
)

SECURITY = "AQAEgAAAAAAAAAAAAAAAAAAAAAA="


def exported(layer: Path, parents: tuple[Path, ...] = ()) -> bytes:
    """Export into memory."""
    tar = io.BytesIO()
    export_tar(layer, tar, parents=parents)
    return tar.getvalue()


def members(tar: bytes) -> dict[str, tarfile.TarInfo]:
    """Read a tar with Python's own reader."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as file:
        return {member.name: member for member in file}


def windows(**records: str) -> dict[str, object]:
    """Give what ``TarMaker`` needs for records of Windows."""
    return {
        "pax_headers": {
            "MSWINDOWS.fileattr": "32",
            "MSWINDOWS.rawsd": SECURITY,
            "LIBARCHIVE.creationtime": "1.0000001",
            **{f"MSWINDOWS.{key}": value for key, value in records.items()},
        }
    }


def rich_windows_tar(tar_format: int = tarfile.PAX_FORMAT) -> bytes:
    """A layer with a member of every kind, and all that Windows adds."""
    many = dict.fromkeys(("xattr.A", "xattr.B"), "AAEC")
    return (
        TarMaker(tar_format)
        .folder("Files", **windows(fileattr="16"))
        .folder("Files/Windows", mtime=1_000_000_000.25, **windows(fileattr="16"))
        .add("Files/Windows/a.txt", b"hello", mtime=12.5, **windows(**many))
        .add("Files/Windows/a.txt:zone", b"stream")
        .add("Files/Windows/a.txt:two", b"x" * 700)
        .add("Files/Windows/A.TXT", b"another", mtime=-11644473600)
        .link("Files/b.txt", "Files/Windows/a.txt", **windows())
        .symlink("Files/c", "..\\Windows", **windows(fileattr="1024"))
        .symlink("Files/mount", "C:\\Users", **windows(mountpoint="1"))
        .symlink("Files/longlink", "\\".join(["e" * 250] * 20))
        .add("Files/" + "long/" * 60 + "name", b"deep")
        .add("Files/\u00fcml\u00e4ut", b"accents")
        .add("Files/wrong\udcff\udcfe", b"bytes")
        .add("Files/empty")
        .add("Files/zeros", bytes(1 << 20))
        .folder("Hives")
        .add("Hives/System_Delta", b"regf")
        .add("UtilityVM/Files/EFI/Microsoft/Boot/BCD", b"bcd", mtime=5)
        .done()
    )


@pytest.mark.parametrize("tar_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_same_tar_again(layer: Path, tar_format: int) -> None:
    """
    A layer that nobody touched gives its tar again, byte for byte.
    """
    tar = rich_windows_tar(tar_format)

    done = import_tar(io.BytesIO(tar), layer)

    assert tar == exported(layer)
    assert done.diff_id == export_tar(layer, io.BytesIO()).diff_id


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_unhashed(layer: Path, compression: str | None) -> None:
    """
    Without digests the tar is the same, in a file and in memory.
    """
    tar = TarMaker().folder("Files").add("Files/a", os.urandom(5 << 20)).done()
    import_tar(io.BytesIO(tar), layer)
    file, memory, hashed = layer.with_name("a.tar"), io.BytesIO(), io.BytesIO()

    done = export_tar(layer, file, compression=compression, hashed=False)
    export_tar(layer, memory, compression=compression, hashed=False)
    export_tar(layer, hashed, compression=compression)

    assert ("", "", len(tar)) == (done.diff_id, done.digest, done.tar_size)
    assert hashed.getvalue() == file.read_bytes() == memory.getvalue()
    assert done.written == len(memory.getvalue())


@pytest.mark.linux
@pytest.mark.parametrize("flags", [WINDOWS, WINDOWS | UNHASHED])
@pytest.mark.parametrize("size", [1000, 5 << 20])
def test_full_disk(layer: Path, flags: int, size: int) -> None:
    """
    A file that cannot be written ends the export, whichever thread writes it.
    """
    import_tar(io.BytesIO(TarMaker().add("Files/a", bytes(size)).done()), layer)

    with (
        open("/dev/full", "wb", buffering=0) as file,
        Pack(layer, flags, descriptor=file.fileno()) as pack,
        pytest.raises(OSError, match="disk is full"),
    ):
        list(iter(partial(pack.run, 1 << 20), 0))


def test_layer_below_does_not_matter(layer: Path) -> None:
    """
    Neither do whiteouts, opaque folders, and links into a layer below.
    """
    base = layer.with_name("base")
    import_tar(io.BytesIO(TarMaker().add("Files/x", b"x").done()), base)
    tar = (
        TarMaker()
        .folder("Files")
        .link("Files/linked", "Files/x")
        .add("Files/.wh.gone")
        .folder("Files/d")
        .add("Files/d/.wh..wh..opq")
        .add("Files/back", b"1")
        .add("Files/.wh.back")
        .add("Files/.wh.body", b"nobody reads this")
        .done()
    )
    import_tar(io.BytesIO(tar), layer, parents=[base])

    assert tar == exported(layer, (base,))


def test_rest_of_a_tar_is_kept(layer: Path) -> None:
    """
    Blocks of zeros, and even bytes, behind the end of a tar count for its digest.
    """
    tar = TarMaker().add("Files/x", b"x").done() + bytes(300_000) + b"rest"
    import_tar(io.BytesIO(tar), layer)

    assert tar == exported(layer)


def test_sparse_members_have_their_bytes(layer: Path) -> None:
    """
    A sparse member comes back as a plain one with the same contents.
    """
    gnu = find_program("tar")
    source = layer.with_name("source")
    (source / "Files").mkdir(parents=True)
    with (source / "Files/holes").open("wb") as file:
        file.write(b"begin")
        file.seek(5_000_000)
        file.write(b"end")
        file.truncate(9_000_000)
    tar = layer.with_name("sparse.tar")
    for tar_format in ("--format=gnu", "--format=posix"):
        subprocess.run(
            [gnu, "-S", tar_format, "-cf", tar, "-C", source, "Files"], check=True
        )
        name = layer.with_name(tar_format)

        import_tar(tar, name)

        member = members(exported(name))["Files/holes"]
        assert (source / "Files/holes").read_bytes() == (
            name / "Files/holes"
        ).read_bytes()
        assert 9_000_000 == member.size
        assert not member.issparse()


# ---- what changed ----------------------------------------------------------


def test_changed_files_keep_what_windows_knew(layer: Path) -> None:
    """
    New bytes and the new time are told, with the old records.
    """
    import_tar(io.BytesIO(rich_windows_tar()), layer)
    (layer / "Files/Windows/a.txt").write_bytes(b"changed")
    os.utime(layer / "Files/Windows/a.txt", ns=(1, 3_000_000_123))

    found = members(exported(layer))

    member = found["Files/Windows/a.txt"]
    assert 7 == member.size
    assert SECURITY == member.pax_headers["MSWINDOWS.rawsd"]
    assert "AAEC" == member.pax_headers["MSWINDOWS.xattr.A"]
    assert "3.0000001" == member.pax_headers["mtime"]
    assert "Files/Windows/a.txt:zone" in found
    assert len(members(rich_windows_tar())) == len(found)


def test_gone_and_new_files(layer: Path) -> None:
    """
    What is gone is left out with its streams, what is new follows with defaults.
    """
    import_tar(io.BytesIO(rich_windows_tar()), layer)
    (layer / "Files/b.txt").unlink()
    (layer / "Files/Windows/a.txt").unlink()
    (layer / "Files/c").unlink()
    (layer / "Files/c").mkdir()
    (layer / "Files/c/new").write_bytes(b"new")
    os.link(layer / "Files/c/new", layer / "Files/c/other")

    before, after = members(rich_windows_tar()), members(exported(layer))

    gone = {"Files/b.txt", "Files/Windows/a.txt"}
    gone |= {f"Files/Windows/a.txt:{name}" for name in ("zone", "two")}
    assert gone == set(before) - set(after)
    assert {"Files/c/new", "Files/c/other"} == set(after) - set(before)
    assert after["Files/c"].isdir()
    assert "16" == after["Files/c"].pax_headers["MSWINDOWS.fileattr"]
    assert "32" == after["Files/c/new"].pax_headers["MSWINDOWS.fileattr"]
    assert "Files/c/new" == after["Files/c/other"].linkname


def test_defaults_are_those_of_other_builders(layer: Path) -> None:
    """
    The security descriptors of new files are those that BuildKit gives.
    """
    import base64

    (layer / "Files/d").mkdir(parents=True)
    (layer / "Files/d/f").write_bytes(b"f")

    found = members(exported(layer))

    digests = [
        hashlib.sha256(
            base64.b64decode(found[name].pax_headers["MSWINDOWS.rawsd"])
        ).hexdigest()[:8]
        for name in ("Files/d/f", "Files/d")
    ]
    assert ["8d6acb6e", "c44f4c7c"] == digests


@pytest.mark.usefixtures("attributes")
def test_writable_layer_has_exactly_the_changes(layer: Path) -> None:
    """
    The upper folder of an overlay gives what changed: whiteouts for what is hidden,
    and for what was copied up the records of the nearest layer below.
    """
    base, middle = layer.with_name("base"), layer.with_name("middle")
    import_tar(io.BytesIO(rich_windows_tar()), base)
    tar = TarMaker().add("Files/d/2", b"2").add("Files/d/3", b"3").done()
    import_tar(io.BytesIO(tar), middle, parents=[base])
    (layer / "Files/Windows").mkdir(parents=True)
    (layer / "Files/Windows/a.txt").write_bytes(b"copied up")
    (layer / "Files/new").symlink_to("Windows/a.txt")
    os.mknod(layer / "Files/gone", stat.S_IFCHR)
    (layer / "Files/d").mkdir()
    (layer / "Files/d/3").write_bytes(b"three")
    os.setxattr(layer / "Files/d", "user.overlay.opaque", b"y")

    found = members(exported(layer, (middle, base)))

    assert [
        "Files",
        "Files/Windows",
        "Files/Windows/a.txt",
        "Files/d",
        "Files/d/.wh.2",
        "Files/d/3",
        "Files/.wh.gone",
        "Files/new",
    ] == list(found)
    changed = found["Files/Windows/a.txt"]
    assert "AAEC" == changed.pax_headers["MSWINDOWS.xattr.B"]
    assert "1.0000001" == changed.pax_headers["LIBARCHIVE.creationtime"]
    assert "Windows\\a.txt" == found["Files/new"].linkname
    assert 0 == found["Files/.wh.gone"].size


# ---- Linux -----------------------------------------------------------------


def linux_tar() -> bytes:
    """A Linux layer with a member of every kind that anybody may make."""
    return (
        TarMaker()
        .folder("bin", mode=0o755)
        .add("bin/a", b"x" * 5000, mode=0o4755, mtime=1.5)
        .link("bin/b", "bin/a")
        .symlink("bin/c", "/bin/a")
        .add("bin/pipe", kind=tarfile.FIFOTYPE, mode=0o600)
        .folder("etc", mode=0o700)
        .add("etc/.wh.gone")
        .folder("lib", mode=0o755)
        .add("lib/.wh..wh..opq")
        .add("lib/" + "n" * 200, b"long")
        .add("wrong\udcff", b"bytes")
        .add("xattr", b"x", pax_headers={"SCHILY.xattr.user.colour": "blue"})
        .done()
    )


def shape(tar: bytes) -> dict[str, tuple[object, ...]]:
    """Give what matters of each member."""
    return {
        name: (
            member.type,
            member.mode,
            member.mtime,
            member.size,
            member.linkname,
            member.pax_headers.get("SCHILY.xattr.user.colour"),
        )
        for name, member in members(tar).items()
        if not name.rpartition("/")[2].startswith(".wh.")
    }


@pytest.mark.usefixtures("attributes")
def test_linux_round_trip(layer: Path) -> None:
    """
    What :func:`extract_linux_layer` made becomes the same members again.
    """
    tar = linux_tar()
    extract_linux_layer(io.BytesIO(tar), layer)
    again = io.BytesIO()

    done = pack_linux_layer(layer, again, owned_by_root=True)

    expected, found = shape(tar), shape(again.getvalue())
    # A hard link has its target's mode and time.
    for name in expected:
        if expected[name][0] == tarfile.LNKTYPE:
            found[name] = expected[name]
        if expected[name][0] == tarfile.SYMTYPE:
            found[name] = (found[name][0], expected[name][1], *found[name][2:])
    assert expected == found
    assert {"etc/.wh.gone", "lib/.wh..wh..opq"} < set(members(again.getvalue()))
    assert done.members == len(members(tar))
    assert f"sha256:{hashlib.sha256(again.getvalue()).hexdigest()}" == done.diff_id


@pytest.mark.usefixtures("attributes")
def test_linux_tar_settles(layer: Path) -> None:
    """
    Of a layer that was packed once, packing gives the same bytes again.
    """
    extract_linux_layer(io.BytesIO(linux_tar()), layer)
    one, other = io.BytesIO(), io.BytesIO()
    pack_linux_layer(layer, one)
    extract_linux_layer(io.BytesIO(one.getvalue()), layer.with_name("again"))

    pack_linux_layer(layer.with_name("again"), other)

    assert one.getvalue() == other.getvalue()


@pytest.mark.parametrize("program", ["bsdtar", "tar"])
def test_others_unpack_it(layer: Path, program: str) -> None:
    """
    A real tree packed by us and unpacked by others is the same tree.
    """
    tool = find_program(program)
    source = Path(os.__file__).parent / "json"
    tar = layer.with_name("layer.tar")
    layer.mkdir()

    pack_linux_layer(source, tar)

    subprocess.run([tool, "-xf", tar, "-C", layer], check=True)
    names = sorted(path.relative_to(source) for path in source.rglob("*"))
    assert names == sorted(path.relative_to(layer) for path in layer.rglob("*"))
    for name in names:
        if (source / name).is_file():
            assert (source / name).read_bytes() == (layer / name).read_bytes()
        if not (source / name).is_symlink():
            assert (source / name).stat().st_mode == (layer / name).stat().st_mode


@pytest.mark.parametrize("program", ["bsdtar", "tar"])
def test_we_unpack_what_others_packed(layer: Path, program: str) -> None:
    """
    So is one that others packed and we unpacked.
    """
    tool = find_program(program)
    source = Path(os.__file__).parent / "json"
    tar = layer.with_name("layer.tar")
    subprocess.run([tool, "-cf", tar, "-C", source, "."], check=True)

    extract_linux_layer(tar, layer)

    names = sorted(path.relative_to(source) for path in source.rglob("*"))
    assert names == sorted(path.relative_to(layer) for path in layer.rglob("*"))
    assert all(
        (source / name).stat().st_mtime_ns // 1_000_000_000
        == (layer / name).stat().st_mtime_ns // 1_000_000_000
        for name in names
    )


# ---- any tree --------------------------------------------------------------

NAMES = st.text(
    st.characters(
        min_codepoint=33,
        exclude_characters="/\\:.",
        exclude_categories=["Cs"],
    )
    | st.sampled_from("\udc80\udcff"),
    min_size=1,
    max_size=40,
).map("n{}".format)  # no device has such a name


class SomeTar(bytes):
    """A tar that a report of a failure lists instead of printing it."""

    def __repr__(self) -> str:
        with tarfile.open(fileobj=io.BytesIO(self)) as file:
            found = [(m.name, m.type, m.size, m.linkname, m.mtime) for m in file]
        return f"<tar of {found}>"


@st.composite
def any_windows_tars(draw: st.DrawFn) -> SomeTar:
    """Make tars of any files, with any metadata."""
    maker = TarMaker(draw(st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])))
    files: list[str] = []
    folders = ["Files"]
    taken: set[str] = set()
    for _ in range(draw(st.integers(0, 12))):
        name = f"{draw(st.sampled_from(folders))}/{draw(NAMES)}"
        if name in taken or len(os.fsencode(name.rpartition("/")[2])) > 200:
            continue
        taken.add(name)
        kind = draw(st.sampled_from(["file", "folder", "link", "symlink", "stream"]))
        mtime = draw(st.integers(0, 2**33)) / 4
        if kind == "folder":
            folders.append(name)
            maker.folder(name, mtime=mtime)
        elif kind == "symlink":
            maker.symlink(name, draw(NAMES), mtime=mtime)
        elif kind == "link" and files:
            maker.link(name, draw(st.sampled_from(files)))
        elif kind == "stream" and files:
            files.append(name)
            maker.add(name, b"main", mtime=mtime)
            maker.add(f"{name}:s", draw(st.binary(max_size=600)))
        else:
            files.append(name)
            data = draw(st.binary(max_size=1500)) * draw(st.sampled_from([1, 300]))
            maker.add(name, data, mtime=mtime, **windows())
    return SomeTar(maker.done())


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tar=any_windows_tars(), cut=st.integers(1, 5000))
def test_any_tar_comes_back(
    tmp_path_factory: pytest.TempPathFactory, tar: bytes, cut: int
) -> None:
    """
    Whatever is in a tar, and in whatever pieces it comes, it comes back.
    """
    layer = tmp_path_factory.mktemp("any") / "layer"

    import_tar(Pieces(tar, cut), layer)

    assert tar == exported(layer)


class Pieces(io.RawIOBase):
    """A file that gives a few bytes at a time, and has no descriptor."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data = io.BytesIO(data)
        self._most = most

    def read(self, size: int = -1) -> bytes:
        """Give at most as many bytes as it likes."""
        return self._data.read(min(size, self._most))


# ---- whole or not at all ---------------------------------------------------


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compressed(layer: Path, compression: str) -> None:
    """
    A compressed tar has two digests, and others unpack it.
    """
    if compression == "zstd":
        pytest.importorskip("zstandard")
    tar = rich_windows_tar()
    import_tar(io.BytesIO(tar), layer)
    name = layer.with_name("layer.tar.packed")

    done = export_tar(layer, name, compression=compression)

    assert f"sha256:{hashlib.sha256(name.read_bytes()).hexdigest()}" == done.digest
    assert f"sha256:{hashlib.sha256(tar).hexdigest()}" == done.diff_id
    assert name.stat().st_size == done.written
    assert done.diff_id == import_tar(name, layer.with_name("again")).diff_id


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_cancelled_export_leaves_nothing(layer: Path, compression: str | None) -> None:
    """
    An export that is cancelled leaves no file, and what stood there as it was.
    """
    import_tar(
        io.BytesIO(TarMaker().add("Files/a", os.urandom(20 << 20)).done()), layer
    )
    name = layer.with_name("out.tar")
    name.write_bytes(b"before")
    cancel = threading.Event()

    with pytest.raises(OperationCancelledError):
        export_tar(
            layer,
            name,
            compression=compression,
            progress=lambda *_: cancel.set(),
            cancel=cancel,
        )

    assert b"before" == name.read_bytes()
    assert ["layer", "out.tar"] == sorted(os.listdir(layer.parent))


def test_wrong_compression(layer: Path) -> None:
    """
    Unknown compression is refused before anything is made.
    """
    layer.mkdir()

    with pytest.raises(ValueError, match="not 'lzma'"):
        export_tar(layer, layer.with_name("x"), compression="lzma")

    assert [layer.name] == os.listdir(layer.parent)


def test_missing_and_damaged_layers(layer: Path) -> None:
    """
    A layer that is not there, or whose records are damaged, gives no tar.
    """
    with pytest.raises(NotFoundError):
        export_tar(layer, io.BytesIO())
    import_tar(io.BytesIO(rich_windows_tar()), layer)
    records = layer / ".hcsshim/members"
    whole = records.read_bytes()

    for bad in (b"", whole[:7], whole[:100], whole[:-1], whole[:50] + whole[60:]):
        records.write_bytes(bad)
        with pytest.raises(InvalidDataError, match=r"damaged|invalid|not valid"):
            export_tar(layer, io.BytesIO())


def test_lost_stream(layer: Path) -> None:
    """
    A stream whose bytes are lost is an error, not an empty stream.
    """
    import_tar(io.BytesIO(rich_windows_tar()), layer)
    (layer / ".hcsshim/streams/1").unlink()

    with pytest.raises(InvalidDataError, match=r"a\.txt:zone': the layer lost"):
        export_tar(layer, io.BytesIO())
