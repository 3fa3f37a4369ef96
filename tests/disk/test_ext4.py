"""Tars that become ext4: the reference's bytes, and what others say of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hcsshim.disk import (
    ext4_root_hash,
    read_verity,
    read_vhd,
    tar_to_ext4,
    verify,
    verity_tree,
)
from hcsshim.errors import InvalidDataError, OutOfSpaceError

from . import tars
from .tars import Member, make_tar

#: Name of a tar -> options -> SHA-256 of the reference's image.
REFERENCE = json.loads(
    Path(__file__).with_name("reference_images.json").read_text(encoding="utf-8")
)
TARS = dict(tars.all_tars())
#: Those of which the reference makes what no kernel would.
UNSOUND = dict(tars.unsound_tars())
#: Those that are quick to look at with other people's programs.
SMALL = [name for name in TARS if name not in {"second-group", "many-files"}]
PADDING = "Padding at end of inode bitmap is not set. Fix? no"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def options_of(label: str) -> dict[str, Any]:
    """Give the options that a label of the reference's images stands for."""
    words = filter(None, label.split(","))
    return {word: 128 << 30 if word == "max_size" else True for word in words}


def convert(tar: bytes, path: Path, **options: Any) -> bytes:  # noqa: ANN401
    """Give the image of a tar."""
    tar_to_ext4(io.BytesIO(tar), path, **options)
    return path.read_bytes()


def sha256(data: bytes) -> str:
    """Give a digest as the reference's images have it."""
    return hashlib.sha256(data).hexdigest()


# ---- the reference's bytes -----------------------------------------------------


@pytest.mark.parametrize("name", [*TARS, *UNSOUND])
def test_image_is_the_references(name: str, tmp_path: Path) -> None:
    """
    Byte for byte, with every option.
    """
    tar = UNSOUND[name] if name in UNSOUND else TARS[name]
    expected = dict(REFERENCE[name])
    assert expected.pop("tar") == sha256(tar)

    images = {
        label: sha256(convert(tar, tmp_path / "image", **options_of(label)))
        for label in expected
    }

    assert expected == images


@pytest.mark.parametrize("name", ["user.", ""])
def test_strict_wants_names(name: str, tmp_path: Path) -> None:
    """
    An attribute without a name is what Linux refuses; the reference takes it.
    """
    tar = make_tar(Member(name=b"a", pax=(tars.attribute(name, b"value"),)))

    with pytest.raises(InvalidDataError, match="extended attribute is empty"):
        tar_to_ext4(io.BytesIO(tar), tmp_path / "image", strict=True)

    assert [] == list(tmp_path.iterdir())


def test_published_vectors(tmp_path: Path) -> None:
    """
    What is known of the reference's images from elsewhere holds, too.
    """
    tar = make_tar(Member(name=b"a.txt", body=b"hello\n", mtime=1700000000))
    path = tmp_path / "image"

    result = tar_to_ext4(io.BytesIO(tar), path, verity=True, verity_uuid=UUID(int=0))

    assert 32768 == result.size
    assert (
        "4360ded82550dfb0dfa24cd186c66cb30e34c2092a84ad03405e52f20118e046"
        == result.root_hash
    )
    assert "e5e33e80570cfc2583ca77d32104167ebfac1b13eb20f5a3bcc6b57cf1796e2b" == sha256(
        path.read_bytes()
    )
    assert (
        "212e6ef976d305277a445d6362ecf0fa919cce4d6518a9dcd7dbae33ad5c3cda"
        == ext4_root_hash(io.BytesIO(tar)).root_hash
    )


# ---- what other people's programs say ------------------------------------------


@pytest.mark.parametrize("name", [*SMALL, "many-files"])
@pytest.mark.parametrize("inline", [False, True])
def test_strict_image_is_clean(
    name: str, *, inline: bool, tool: Run, tmp_path: Path
) -> None:
    """
    All is well, says e2fsck.
    """
    path = tmp_path / "image"
    convert(TARS[name], path, strict=True, overlay=True, inline=inline)

    check = tool("e2fsck", "-fn", path)

    assert check.returncode == 0, check.stdout


@pytest.mark.parametrize("name", SMALL)
def test_compatible_image_has_one_known_fault(
    name: str, tool: Run, tmp_path: Path
) -> None:
    """
    The bits behind the inode bitmap are not set, and all else is well.
    """
    path = tmp_path / "image"
    convert(TARS[name], path, overlay=True)

    check = tool("e2fsck", "-fn", path)

    complaints = {line for line in check.stdout.splitlines() if "? no" in line}
    if name.startswith("times-"):
        complaints.discard("Fix? no")  # times that it finds improbable
    assert {PADDING} == complaints, check.stdout


def test_second_group_is_clean(tool: Run, tmp_path: Path) -> None:
    """
    An image of several groups is sound, with its zeros written or left out.
    """
    path, holes = tmp_path / "image", tmp_path / "holes"
    convert(TARS["second-group"], path, strict=True)
    convert(TARS["second-group"], holes, strict=True, sparse=True)

    assert 0 == tool("e2fsck", "-fn", holes).returncode
    assert holes.stat().st_blocks < path.stat().st_blocks
    assert sha256(path.read_bytes()) == sha256(holes.read_bytes())


def test_verity_and_vhd_are_accepted(tool: Run, tmp_path: Path) -> None:
    """
    The tree that was made in the same pass passes veritysetup, behind it a footer.
    """
    path = tmp_path / "image"
    result = tar_to_ext4(
        io.BytesIO(TARS["megabytes"]), path, verity=True, vhd=True, overlay=True
    )

    assert result.root_hash is not None
    check = tool(
        "veritysetup",
        "verify",
        path,
        path,
        result.root_hash,
        f"--hash-offset={result.size}",
    )
    assert check.returncode == 0, check.stderr
    assert result.vhd == read_vhd(path)
    assert path.stat().st_size == read_vhd(path).size + 512


def test_qemu_reads_an_interoperable_footer(tool: Run, tmp_path: Path) -> None:
    """
    QEMU takes an image for a raw disk of its length.
    """
    path = tmp_path / "image"
    size = tar_to_ext4(io.BytesIO(TARS["tree"]), path).size

    info = tool("qemu-img", "info", "-f", "raw", "--output=json", path)

    assert size == json.loads(info.stdout)["virtual-size"]


# ---- however it comes, wherever it goes ----------------------------------------


def pack_zstd(data: bytes) -> bytes:
    """Pack with zstd, where its library is installed."""
    zstandard = pytest.importorskip("zstandard")
    packed: bytes = zstandard.ZstdCompressor().compress(data)
    return packed


def pack_members(data: bytes) -> bytes:
    """Pack with gzip, as several members with zeros behind them."""
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:]) + bytes(1000)


@pytest.mark.parametrize("pack", [gzip.compress, pack_members, pack_zstd])
@pytest.mark.parametrize("name", ["tree", "megabytes", "no-trailer"])
def test_packed_tar(pack: Callable[[bytes], bytes], name: str, tmp_path: Path) -> None:
    """
    What is packed is known by how it begins, whatever it is called.
    """
    source = tmp_path / "layer.tar"
    source.write_bytes(pack(TARS[name]))

    tar_to_ext4(source, tmp_path / "image")

    assert REFERENCE[name][""] == sha256((tmp_path / "image").read_bytes())


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time and cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        """Give at most a few bytes."""
        return self._stream.read(min(size, 777) if size >= 0 else 777)


@pytest.mark.parametrize("name", ["tree", "sparse-1.0", "random-5"])
def test_stream(name: str, tmp_path: Path) -> None:
    """
    Nothing depends on how many bytes come at once.
    """
    tar_to_ext4(Trickle(TARS[name]), tmp_path / "image")  # type: ignore[arg-type]

    assert REFERENCE[name][""] == sha256((tmp_path / "image").read_bytes())


@pytest.mark.parametrize("name", ["tree", "megabytes"])
def test_pipe(name: str, tmp_path: Path) -> None:
    """
    A pipe is read to its end, so that whoever writes into it can finish.
    """
    reading, writing = os.pipe()
    tar = TARS[name] + bytes(100_000)

    def write() -> None:
        with open(writing, "wb") as pipe:  # noqa: PTH123 - a descriptor
            pipe.write(tar)

    writer = threading.Thread(target=write)
    writer.start()
    with open(reading, "rb", buffering=0) as pipe:  # noqa: PTH123 - a descriptor
        tar_to_ext4(pipe, tmp_path / "image")
        assert b"" == pipe.read()
    writer.join()

    assert REFERENCE[name][""] == sha256((tmp_path / "image").read_bytes())


def test_source_is_read_from_where_it_stands(tmp_path: Path) -> None:
    """
    A buffered file may have been read from before, and knows where it stands after.
    """
    source = tmp_path / "source"
    source.write_bytes(b"before" + TARS["tree"])
    with source.open("rb") as file:
        assert b"before" == file.read(6)

        tar_to_ext4(file, tmp_path / "image")

        assert b"" == file.read()
        assert source.stat().st_size == file.tell()
    assert REFERENCE["tree"][""] == sha256((tmp_path / "image").read_bytes())


def test_open_target(tmp_path: Path) -> None:
    """
    What stands in a file before is gone after, on success and on failure.
    """
    path = tmp_path / "image"
    path.write_bytes(b"old" * 100_000)
    with path.open("r+b") as file:
        tar_to_ext4(io.BytesIO(TARS["tree"]), file)
        assert REFERENCE["tree"][""] == sha256(path.read_bytes())
        with pytest.raises(InvalidDataError):
            tar_to_ext4(io.BytesIO(b"x" * 512), file)
    assert b"" == path.read_bytes()


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("name", ["nothing", "attributes-opaque", "megabytes"])
def test_threads_write_the_same(name: str, threads: int, tmp_path: Path) -> None:
    """
    An image is the same whoever writes it, with its tree and without.
    """
    source = tmp_path / "layer.tar"
    source.write_bytes(TARS[name])
    options: dict[str, Any] = {"overlay": True, "sparse": threads == 5}
    expected = convert(TARS[name], tmp_path / "expected", overlay=True, threads=1)

    plain = tar_to_ext4(source, tmp_path / "plain", threads=threads, **options)
    tar_to_ext4(source, tmp_path / "tree", verity=True, threads=threads, **options)

    assert expected == (tmp_path / "plain").read_bytes()
    assert expected == (tmp_path / "tree").read_bytes()[: plain.size]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("name", ["nothing", "attributes-opaque", "megabytes"])
def test_tree_of_the_same_pass(name: str, threads: int, tmp_path: Path) -> None:
    """
    The hash tree made on the way is the one that reading the image again gives,
    although blocks were written over meanwhile; also when no image is written.
    """
    path = tmp_path / "image"
    result = tar_to_ext4(
        io.BytesIO(TARS[name]), path, verity=True, overlay=True, threads=threads
    )

    assert result.verity == verity_tree(path, size=result.size)
    assert result.root_hash == read_verity(path).root_hash
    verify(path, str(result.root_hash))
    hashed = ext4_root_hash(io.BytesIO(TARS[name]), max_size=16 << 30, threads=threads)
    assert result.verity == hashed.verity


def test_progress(tmp_path: Path) -> None:
    """
    Progress is told in bytes as they are stored, and ends at the end.
    """
    source = tmp_path / "layer"
    source.write_bytes(zlib.compress(b"") and gzip.compress(TARS["megabytes"]))
    seen: list[tuple[int, int | None]] = []

    tar_to_ext4(source, tmp_path / "image", progress=lambda *told: seen.append(told))

    size = source.stat().st_size
    assert seen == sorted(seen)
    assert (size, size) == seen[-1]


# ---- what replaces what --------------------------------------------------------


def replaced_tar() -> bytes:
    """Give a tar whose members replace each other in every way."""
    return make_tar(
        Member(name=b"twice", body=b"1" * 9000, pax=(tars.attribute("user.a", b"1"),)),
        Member(name=b"twice", body=b"2" * 5000, mode=0o600),
        Member(name=b"linked", body=b"3" * 5000),
        Member(name=b"link", kind=b"1", target=b"linked"),
        Member(name=b"twice", kind=b"1", target=b"linked"),
        Member(name=b"was-file", body=b"4" * 5000),
        Member(name=b"was-file/", kind=b"5"),
        Member(name=b"was-file/f", body=b"5" * 5000),
        Member(name=b"was-folder/a/b/c", body=b"6" * 5000),
        Member(name=b"was-folder/l", kind=b"1", target=b"linked"),
        Member(name=b"was-folder", body=b"7" * 5000),
        Member(name=b"was-folder/../self", body=b"8"),
        Member(name=b"self", kind=b"1", target=b"self"),
        Member(name=b"s", kind=b"2", target=b"x" * 80),
        Member(name=b"s", kind=b"2", target=b"y"),
    )


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("inline", [False, True])
def test_last_one_wins(
    *, strict: bool, inline: bool, tool: Run, tmp_path: Path
) -> None:
    """
    Of two members with one name the last one is in the image, which holds nothing of
    the first, not even its blocks.
    """
    path = tmp_path / "image"

    convert(replaced_tar(), path, strict=strict, inline=inline)

    check = tool("e2fsck", "-fn", path)
    complaints = [line for line in check.stdout.splitlines() if "? no" in line]
    assert ([] if strict else [PADDING]) == complaints, check.stdout
    for name, content in {
        "twice": b"3" * 5000,
        "linked": b"3" * 5000,
        "was-file/f": b"5" * 5000,
        "was-folder": b"7" * 5000,
        "self": b"8",
    }.items():
        # debugfs gives all of an inline file's room.
        shown = tool("debugfs", "-R", f"cat /{name}", path).stdout.rstrip("\0")
        assert content.decode() == shown
    assert 'Fast link dest: "y"' in tool("debugfs", "-R", "stat /s", path).stdout


def test_file_of_many_extents(tool: Run, tmp_path: Path) -> None:
    """
    A file of 45 GiB has a tree of extents in which nothing is amiss.
    """
    size = 45 << 30
    version = (("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"))
    body = tars.padded(b"1\n%d\n3\n" % (size - 3)) + b"end"
    tar = make_tar(
        Member(
            name=b"huge",
            body=body,
            pax=(*version, ("GNU.sparse.realsize", b"%d" % size)),
        )
    )
    path = tmp_path / "image"

    tar_to_ext4(io.BytesIO(tar), path, strict=True, sparse=True, max_size=64 << 30)

    check = tool("e2fsck", "-fn", path)
    assert check.returncode == 0, check.stdout
    assert path.stat().st_blocks * 512 < 32 << 20


# ---- what is refused -----------------------------------------------------------

HOSTILE: dict[str, tuple[bytes, str]] = {
    "no tar": (b"MZ" * 300, "checksum"),
    "cut off in a header": (TARS["tree"][:700], "ends inside a header"),
    "cut off in a body": (TARS["tree"][: 512 * 3 + 100], "ends inside the body"),
    "long name": (
        make_tar(Member(name=b"n" * 256, magic=tars.GNU)),
        "1 to 255 bytes",
    ),
    "name in a file": (
        make_tar(Member(name=b"f", body=b"1"), Member(name=b"f/g")),
        "no folder",
    ),
    "root as a file": (make_tar(Member(name=b"./")), "root must stay a folder"),
    "link to nothing": (
        make_tar(Member(name=b"l", kind=b"1", target=b"x")),
        "x: the target of a hard link is not there",
    ),
    "link to a folder": (
        make_tar(Member(name=b"l", kind=b"1", target=b"lost+found")),
        "second name",
    ),
    "link to itself": (
        make_tar(Member(name=b"l", kind=b"1", target=b"l")),
        "not there",
    ),
    "link into what it replaces": (
        make_tar(Member(name=b"d/f"), Member(name=b"d", kind=b"1", target=b"d/f")),
        "not there",
    ),
    "symlink to nowhere": (make_tar(Member(name=b"s", kind=b"2")), "1 to 4095 bytes"),
    "long symlink": (
        make_tar(Member(name=b"s", kind=b"2", target=b"t" * 4096, magic=tars.GNU)),
        "1 to 4095 bytes",
    ),
    "whiteout of nothing": (make_tar(Member(name=b"d/.wh.")), "whiteout"),
    "whiteout of its folder": (make_tar(Member(name=b"d/.wh...")), "whiteout"),
    "long attribute": (
        make_tar(Member(name=b"f", pax=(tars.attribute("user.a", bytes(5000)),))),
        "f: user.a: there is no room",
    ),
    "long attribute's name": (
        make_tar(Member(name=b"f", pax=(tars.attribute("user." + "a" * 256, b""),))),
        "extended attribute is empty or too long",
    ),
    "huge file": (
        make_tar(Member(name=b"f", size=1 << 38, magic=tars.GNU)),
        "at most 128 GiB",
    ),
    "negative size": (make_tar(Member(name=b"f", size=-1)), "negative"),
    "bomb of a pax header": (
        make_tar(Member(name=b"f", kind=b"x", size=1 << 40)),
        "longer than 1 MiB",
    ),
    "lost+found as a file": (
        make_tar(Member(name=b"lost+found", body=b"1")),
        "lost\\+found must stay a folder",
    ),
    "damaged gzip": (
        gzip.compress(TARS["tree"])[:40] + b"x" * 500,
        "compressed tar is damaged",
    ),
    "cut off gzip": (gzip.compress(TARS["tree"])[:-20], "ends in the middle"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_tar_is_refused(case: str, tmp_path: Path) -> None:
    """
    It is told what is wrong, and nothing is left; what was there stays.
    """
    tar, reason = HOSTILE[case]
    path = tmp_path / "image"
    path.write_bytes(b"before")

    with pytest.raises(InvalidDataError, match=reason):
        tar_to_ext4(io.BytesIO(tar), path, overlay=True)

    assert b"before" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    """
    What unpacks to more than an image may hold is refused, long before it is all.
    """
    size = 100 << 30
    bomb = zlib.compressobj(wbits=31)
    header = Member(name=b"f", size=size, magic=tars.GNU).header()
    packed = bomb.compress(header + bytes(50 << 20)) + bomb.flush()

    with pytest.raises(OutOfSpaceError, match="larger than it may be"):
        tar_to_ext4(io.BytesIO(packed), tmp_path / "image", max_size=1 << 20)

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("max_size", [1, 8192, 28672 - 4096])
def test_image_that_exceeds_its_size(max_size: int, tmp_path: Path) -> None:
    """
    An image that may not even be as large as an empty one is refused.
    """
    with pytest.raises(OutOfSpaceError, match="larger than it may be"):
        convert(TARS["nothing"], tmp_path / "image", max_size=max_size)

    assert [] == list(tmp_path.iterdir())


def test_image_of_just_its_size(tmp_path: Path) -> None:
    """
    The limit itself can be met.
    """
    image = convert(TARS["nothing"], tmp_path / "image", max_size=28672)

    assert 28672 == len(image)


LIMITED = """
import resource, sys
from hcsshim.disk import tar_to_ext4
from hcsshim.errors import OutOfSpaceError
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    tar_to_ext4(sys.argv[1], sys.argv[2], verity=sys.argv[3] == "verity",
                threads=int(sys.argv[4]))
except OutOfSpaceError as error:
    print(f"0x{error.hresult:08X} {error.errno}")
"""


#: Who writes: the caller, another thread, those that hash.
WRITERS = [("plain", 1), ("plain", 2), ("verity", 1), ("verity", 2)]


@pytest.mark.parametrize(("kind", "threads"), WRITERS)
def test_file_that_may_not_grow(kind: str, threads: int, tmp_path: Path) -> None:
    """
    A limit of the system's on files is told of as such, and nothing is left.
    """
    source = tmp_path / "layer.tar"
    source.write_bytes(TARS["megabytes"])

    result = subprocess.run(
        [
            *(sys.executable, "-c", LIMITED),
            *(source, tmp_path / "image", kind, str(threads)),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "0x800700DF 28\n" == result.stdout
    assert [source] == list(tmp_path.iterdir())


@pytest.fixture
def full_folder(tmp_path: Path) -> Path:
    """Give a folder of a disk of one megabyte, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder],
        check=False,
        capture_output=True,
        timeout=60,
    )
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    return folder


@pytest.mark.root
@pytest.mark.parametrize(("kind", "threads"), WRITERS)
def test_full_disk(kind: str, threads: int, full_folder: Path, tmp_path: Path) -> None:
    """
    A full disk is told of as such, and nothing is left on it.
    """
    source = tmp_path / "layer.tar"
    source.write_bytes(TARS["megabytes"])
    verity = kind == "verity"
    try:
        with pytest.raises(OutOfSpaceError, match=r"disk is full.*0x80070070"):
            tar_to_ext4(source, full_folder / "image", verity=verity, threads=threads)
        assert [] == list(full_folder.iterdir())
    finally:
        subprocess.run(["umount", full_folder], check=True, timeout=60)
    assert {full_folder, source} == set(tmp_path.iterdir())


class Stop(Exception):  # noqa: N818 - not an error
    """What a caller raises to make an end."""


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_caller_can_stop(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """
    An exception of the caller's own ends it, and nothing is left.
    """

    def stop(done: int, total: int | None) -> None:
        raise Stop(done, total)

    source = io.BytesIO(pack(TARS["megabytes"]))
    with pytest.raises(Stop):
        tar_to_ext4(source, tmp_path / "image", progress=stop, verity=True)

    assert [] == list(tmp_path.iterdir())
