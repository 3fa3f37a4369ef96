"""Reading ext4 images back: our own, and those that others make."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hcsshim.disk import (
    Ext4Entry,
    ext4_info,
    ext4_to_tar,
    list_ext4,
    read_ext4_file,
    tar_to_ext4,
)
from hcsshim.errors import HcsError, InvalidDataError, NotFoundError, NotSupportedError

from . import tars
from .tars import Member, make_tar

if TYPE_CHECKING:
    from pathlib import Path

TARS = dict(tars.all_tars())
#: What the image does not hold as the tar does, so that another comes of it: times that
#: the reference spoils, and attributes of folders that came twice.
LOSSY = {"times-base256", "times-inherited", "times-pax", "attributes-merged"}
LARGE = {"second-group", "many-files"}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def image_of(tar: bytes, **options: Any) -> io.BytesIO:  # noqa: ANN401
    """Give the image of a tar as a file in memory."""
    with tempfile.TemporaryFile() as file:
        tar_to_ext4(io.BytesIO(tar), file, **options)
        file.seek(0)
        return io.BytesIO(file.read())


def listed(image: io.BytesIO, path: str = "/") -> dict[str, Ext4Entry]:
    """Give all entries below a path by their own paths."""
    return {entry.path: entry for entry in list_ext4(image, path, recursive=True)}


def content(image: io.BytesIO, path: str) -> bytes:
    """Give what is in a file."""
    return b"".join(read_ext4_file(image, path))


# ---- our own -------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(TARS.keys() - LOSSY - LARGE))
@pytest.mark.parametrize("options", [{}, {"strict": True, "inline": True}])
def test_round_trip(name: str, options: dict[str, bool]) -> None:
    """
    The tar of an image gives the same image again, byte for byte.
    """
    image = image_of(TARS[name], **options)
    tar = io.BytesIO()

    ext4_to_tar(image, tar)

    assert image.getvalue() == image_of(tar.getvalue(), **options).getvalue()


@pytest.mark.parametrize("name", ["whiteouts", "attributes-opaque"])
def test_whiteouts_come_back(name: str) -> None:
    """
    Whiteouts of overlayfs become those of OCI layers again.
    """
    image = image_of(TARS[name], overlay=True, strict=True)
    tar = io.BytesIO()

    ext4_to_tar(image, tar, overlay=True)

    tar.seek(0)
    with tarfile.open(fileobj=tar) as members:
        names = {member.name for member in members}
    assert any(name.endswith("/.wh..wh..opq") for name in names)
    assert (
        image.getvalue()
        == image_of(tar.getvalue(), overlay=True, strict=True).getvalue()
        or name == "whiteouts"
    )


def test_tar_is_read_by_others(tool: Run, tmp_path: Path) -> None:
    """
    The tar of an image is one that other programs read.
    """
    ext4_to_tar(image_of(TARS["tree"]), tmp_path / "layer.tar")

    names = tool("bsdtar", "-tf", tmp_path / "layer.tar").stdout.splitlines()

    assert {"./", "d/", "d/f", "d/h", "s", "null", "pipe"} <= set(names)


NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]),
    min_size=1,
    max_size=20,
).filter(lambda name: name not in {".", ".."})
ATTRIBUTES = st.dictionaries(
    st.builds(
        "{}{}".format,
        st.sampled_from(["user.", "trusted.", "security."]),
        st.text("abcdef", min_size=1, max_size=12),
    ),
    st.binary(max_size=200),
    max_size=5,
)
FILES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([b"0", b"0", b"2", b"3", b"4", b"5", b"6"]),
        "mode": st.integers(0, 0o7777),
        "uid": st.integers(0, 2**32 - 2),
        "gid": st.integers(0, 2**32 - 2),
        "mtime": st.integers(-(2**31), 2**34 - 2**31 - 1),
        "body": st.binary(max_size=9000),
        "target": st.binary(min_size=1, max_size=99).map(
            lambda t: t.replace(b"\0", b"x")
        ),
        "device": st.tuples(st.integers(0, 4095), st.integers(0, 2**20 - 1)),
        "attributes": ATTRIBUTES,
    }
)


def member_of(name: str, file: dict[str, Any]) -> Member:
    """Make a member of what chance gives."""
    records = [tars.attribute(k, v) for k, v in file["attributes"].items()]
    return Member(
        name=b"",
        kind=file["kind"],
        mode=file["mode"],
        uid=file["uid"],
        gid=file["gid"],
        mtime=file["mtime"],
        body=file["body"] if file["kind"] == b"0" else b"",
        target=file["target"] if file["kind"] == b"2" else b"",
        device=file["device"] if file["kind"] in b"34" else (0, 0),
        pax=(("path", name.encode()), *records),
        magic=tars.GNU,
    )


KIND = {
    b"0": stat.S_IFREG,
    b"2": stat.S_IFLNK,
    b"3": stat.S_IFCHR,
    b"4": stat.S_IFBLK,
    b"5": stat.S_IFDIR,
    b"6": stat.S_IFIFO,
}


@given(
    files=st.dictionaries(NAMES, FILES, max_size=8),
    inline=st.booleans(),
    data=st.data(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_image_holds_what_the_tar_does(
    files: dict[str, dict[str, Any]], *, inline: bool, data: st.DataObject
) -> None:
    """
    Contents, modes, owners, times, targets, devices and attributes are the tar's, and
    so are the names of files that have several.
    """
    members = [member_of(name, file) for name, file in files.items()]
    linkable = [name for name, file in files.items() if file["kind"] != b"5"]
    links = {}
    if linkable:
        links["a link to it\n"] = data.draw(st.sampled_from(linkable))
    for name, target in links.items():
        records = (("path", name.encode()), ("linkpath", target.encode()))
        members.append(Member(name=b"", kind=b"1", pax=records))

    image = image_of(make_tar(*members), strict=True, inline=inline)

    found = listed(image)
    assert {*files, *links, "lost+found"} == set(found)
    for name, target in links.items():
        assert found[target].inode == found[name].inode
        assert 2 == found[name].links
    for name, file in files.items():
        check_entry(image, found[name], file)


def check_entry(image: io.BytesIO, entry: Ext4Entry, file: dict[str, Any]) -> None:
    """Compare an entry with what it was made from."""
    kind = file["kind"]
    mode = 0o777 | file["mode"] if kind == b"2" else file["mode"]
    assert KIND[kind] | mode == entry.mode
    assert (file["uid"], file["gid"]) == (entry.uid, entry.gid)
    assert file["mtime"] * 10**9 == entry.modified_ns
    assert file["attributes"] == entry.attributes
    if kind == b"0":
        assert file["body"] == content(image, entry.path)
    if kind == b"2":
        assert file["target"] == os.fsencode(entry.target)
    if kind in b"34":
        assert file["device"] == entry.device


# ---- what others make and say --------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with files of many sizes, links, and names."""
    root = tmp_path / "root"
    (root / "deep" / "er").mkdir(parents=True)
    for size in (0, 1, 60, 150, 4096, 70_000, 5_000_000):
        (root / f"f{size}").write_bytes(bytes(range(256)) * (size // 256 + 1))
        os.truncate(root / f"f{size}", size)
    (root / "deep" / "er" / "file").write_text("deep", encoding="utf-8")
    (root / "link").symlink_to("deep/er/file")
    (root / "long").symlink_to("x" * 200)
    (root / "over").symlink_to("/deep/../link")
    (root / "loop").symlink_to("loop")
    os.link(root / "f150", root / "deep" / "f150 again")
    with (root / "holes").open("wb") as file:
        file.seek(3_000_000)
        file.write(b"end")
    for number in range(300):
        (root / "deep" / f"many {number} {'x' * 40}").touch()
    return root


KINDS = {
    "ext4": ["-t", "ext4", "-b", "4096"],
    "ext4-1k": ["-t", "ext4", "-b", "1024"],
    "ext4-inline": ["-t", "ext4", "-O", "inline_data", "-I", "256"],
    "ext4-64bit": ["-t", "ext4", "-O", "64bit,metadata_csum", "-b", "4096"],
    "ext3": ["-t", "ext3", "-b", "1024"],
    "ext2": ["-t", "ext2", "-b", "1024", "-I", "128"],
}


def relative(root: Path) -> Iterator[Path]:
    """Yield all that is below a folder."""
    for path in root.rglob("*"):
        yield path.relative_to(root)


@pytest.mark.parametrize("kind", KINDS)
def test_ordinary_image(kind: str, folder: Path, tool: Run, tmp_path: Path) -> None:
    """
    Images that mke2fs makes are read, whatever their blocks are mapped by.
    """
    path = tmp_path / "image"
    made = tool("mke2fs", "-q", *KINDS[kind], "-d", folder, path, "32M")
    assert made.returncode == 0, made.stderr
    image = io.BytesIO(path.read_bytes())

    found = listed(image)

    assert {*map(str, relative(folder)), "lost+found"} == set(found)
    for name in relative(folder):
        here = (folder / name).lstat()
        entry = found[str(name)]
        assert here.st_mode == entry.mode
        assert here.st_mtime_ns // 10**9 == entry.modified_ns // 10**9
        if stat.S_ISREG(here.st_mode):
            assert (folder / name).read_bytes() == content(image, str(name))
        if stat.S_ISLNK(here.st_mode):
            assert str((folder / name).readlink()) == entry.target
    assert found["f150"].inode == found["deep/f150 again"].inode
    assert 32 << 20 == ext4_info(image).size


def test_tar_of_an_ordinary_image(folder: Path, tool: Run, tmp_path: Path) -> None:
    """
    An ordinary image becomes a tar in which each folder comes before what is in it,
    and which makes a compact image of the same contents.
    """
    path = tmp_path / "image"
    tool("mke2fs", "-q", "-t", "ext4", "-d", folder, path, "32M")
    ext4_to_tar(path, tmp_path / "tar")
    seen: set[str] = set()
    with tarfile.open(tmp_path / "tar") as tar:
        for member in tar:
            parent = os.path.dirname(member.name)  # noqa: PTH120 - of a tar
            assert parent in {"", *seen} or member.name == "."
            seen.add(member.name)

    compact = image_of((tmp_path / "tar").read_bytes(), strict=True)

    for name in relative(folder):
        if (folder / name).is_file() and not (folder / name).is_symlink():
            assert (folder / name).read_bytes() == content(compact, str(name))


def test_debugfs_finds_what_we_wrote(tool: Run, tmp_path: Path) -> None:
    """
    Another reader finds the same contents, modes and attributes.
    """
    path = tmp_path / "image"
    tar_to_ext4(io.BytesIO(TARS["attributes"]), path, strict=True)

    about = tool("debugfs", "-R", "stat /d/f", path).stdout
    label = tool("debugfs", "-R", "ea_get -x /d/f security.selinux", path).stdout

    assert "Mode:  0644" in about
    assert "user.big (768)" in about
    assert "73 79 73 74 65 6d 5f 75" in label  # system_u


def mount(image: Path, target: Path) -> bool:
    """Mount an image, if that is possible here."""
    program = shutil.which("mount")
    if program is None:
        return False
    done = subprocess.run(
        [program, "-o", "loop,ro,noload", image, target], check=False, timeout=60
    )
    return done.returncode == 0


@pytest.mark.root
@pytest.mark.parametrize("name", ["tree", "attributes", "sizes", "many-files"])
@pytest.mark.parametrize("strict", [False, True])
def test_kernel_finds_what_we_wrote(name: str, *, strict: bool, tmp_path: Path) -> None:
    """
    The kernel finds in a mounted image what the image was made from.
    """
    path, target = tmp_path / "image", tmp_path / "mounted"
    target.mkdir()
    tar_to_ext4(io.BytesIO(TARS[name]), path, strict=strict)
    if not mount(path, target):
        pytest.skip("no image can be mounted here")
    try:
        compare_mounted(io.BytesIO(path.read_bytes()), target)
    finally:
        subprocess.run(["umount", target], check=True, timeout=60)


def compare_mounted(image: io.BytesIO, target: Path) -> None:
    """Compare what the kernel finds with what we do."""
    found = listed(image)
    assert {*map(str, relative(target))} == set(found)
    for name, entry in found.items():
        here = (target / name).lstat()
        assert (entry.mode, entry.uid, entry.gid) == (
            here.st_mode,
            here.st_uid,
            here.st_gid,
        )
        assert entry.modified_ns == here.st_mtime_ns
        if stat.S_ISREG(here.st_mode):
            assert content(image, name) == (target / name).read_bytes()
        names = os.listxattr(target / name, follow_symlinks=False)
        assert set(names) <= set(entry.attributes)
        for each in names:
            if each.startswith("system."):
                continue  # not a real one, which the kernel notices
            if each.startswith("user.") and stat.S_ISLNK(here.st_mode):
                continue  # which no link may have
            value = os.getxattr(target / name, each, follow_symlinks=False)
            assert entry.attributes[each] == value


# ---- finding -------------------------------------------------------------------


def test_links_are_followed() -> None:
    """
    Links in a path are followed, also absolute ones, but not out of the image.
    """
    image = image_of(
        make_tar(
            Member(name=b"d/f", body=b"1"),
            Member(name=b"l", kind=b"2", target=b"d/../../d"),
            Member(name=b"d/abs", kind=b"2", target=b"/l/f"),
        )
    )

    assert b"1" == content(image, "/l/abs")
    assert ["d/f"] == [entry.path for entry in list_ext4(image, "l/f")]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("none", NotFoundError),
        ("d/f/x", NotFoundError),
        ("d", IsADirectoryError),
        ("loop", InvalidDataError),
        ("null", InvalidDataError),
    ],
)
def test_path_that_leads_nowhere(path: str, error: type[Exception]) -> None:
    """
    What is no file is told of as such.
    """
    loop = Member(name=b"loop", kind=b"2", target=b"loop")
    null = Member(name=b"null", kind=b"3", device=(1, 3))
    image = image_of(make_tar(Member(name=b"d/f", body=b"1"), loop, null))

    with pytest.raises(error):
        content(image, path)


# ---- what is refused -----------------------------------------------------------


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        (0x4, "journal"),
        (0x10000, "encrypted"),
        (0x1, "compressed"),
        (1 << 30, "unknown"),
    ],
)
def test_features_that_are_not_read(feature: int, reason: str) -> None:
    """
    An image that cannot be read as it stands is refused with the reason.
    """
    image = image_of(TARS["tree"])
    image.seek(1024 + 0x60)
    image.write((0x242 | feature).to_bytes(4, "little"))

    with pytest.raises(NotSupportedError, match=reason):
        ext4_info(image)


@pytest.mark.parametrize("data", [b"", bytes(5000), TARS["tree"]])
def test_no_image(data: bytes) -> None:
    """
    What is no ext4 is told of as such.
    """
    with pytest.raises(InvalidDataError):
        ext4_info(io.BytesIO(data))


SOUND = image_of(TARS["attributes"], inline=True).getvalue()


@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=100, deadline=None)
def test_damaged_image(changes: list[tuple[int, int]]) -> None:
    """
    Whatever an image says, reading it ends, and with an error of ours if at all.
    """
    data = bytearray(SOUND)
    for place, value in changes:
        data[place] = value
    image = io.BytesIO(data)

    try:
        for entry in list_ext4(image, recursive=True):
            if stat.S_ISREG(entry.mode) and entry.size < 1 << 20:
                content(image, entry.path)
    except (HcsError, IsADirectoryError):
        pass


def test_image_cut_short() -> None:
    """
    An image that ends too early is told of as such.
    """
    image = io.BytesIO(image_of(TARS["megabytes"]).getvalue()[:1_000_000])

    with pytest.raises(InvalidDataError):
        listed(image)
