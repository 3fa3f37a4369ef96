"""The commands for disks: ``tar2ext4``, ``hcsshim disk``, ``vhd``, ``verity``."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pty
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest
from made_images import MadeImage, docker_files, layout, tar_of, write_folder, write_tar

from hcsshim.disk import ext4_root_hash, tar_to_ext4

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = [
    tar_of({"etc": None, "etc/os-release": b"NAME=Test\n", "link": "etc/os-release"}),
    tar_of({"etc/.wh.os-release": b"", "big": bytes(range(256)) * 4000}),
]


def run(
    program: str, *arguments: object, data: bytes | None = None, code: int = 0
) -> bytes:
    """Run a program of ours; give its output, or what it complains of."""
    script = f"import sys; from hcsshim.cli import {program}; {program}(sys.argv[1:])"
    result = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        input=data,
        stdin=subprocess.DEVNULL if data is None else None,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert b"Traceback" not in result.stderr, result.stderr.decode()
    assert code == result.returncode, result.stderr.decode()
    return result.stderr if code else result.stdout


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """Give the tar of a layer."""
    path = tmp_path / "layer.tar"
    path.write_bytes(LAYERS[0])
    return path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Give an image with hash tree and footer."""
    path = tmp_path / "image.vhd"
    tar_to_ext4(io.BytesIO(LAYERS[0]), path, verity=True, vhd=True)
    return path


# ---- tar2ext4 ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        ([], {}),
        (["-overlay", "-inline"], {"overlay": True, "inline": True}),
        (["--overlay", "-inline=false"], {"overlay": True}),
        (
            ["-max-size", "128G", "-strict=true"],
            {"max_size": 128 << 30, "strict": True},
        ),
        (["-convert-slash", "-sparse"], {"convert_backslash": True}),
    ],
)
def test_tar2ext4(
    flags: list[str], options: dict[str, int], layer: Path, tmp_path: Path
) -> None:
    """
    The flags of the reference's program, in every way that it takes them, do what
    the library's options do; nothing is printed.
    """
    target, expected = tmp_path / "image", tmp_path / "expected"
    tar_to_ext4(layer, expected, **options)

    assert b"" == run("tar2ext4", "-i", layer, "-o", target, *flags)

    assert expected.read_bytes() == target.read_bytes()


def test_tar2ext4_of_stdin(layer: Path, tmp_path: Path) -> None:
    """
    Without -i the tar comes in, packed or not, through a pipe.
    """
    expected = tmp_path / "expected"
    tar_to_ext4(layer, expected)

    for data in (LAYERS[0], gzip.compress(LAYERS[0])):
        run("tar2ext4", f"-o={tmp_path / 'image'}", data=data)
        assert expected.read_bytes() == (tmp_path / "image").read_bytes()


def test_tar2ext4_makes_vhds(layer: Path, tmp_path: Path) -> None:
    """
    -vhd adds a footer, -only-vhd nothing else; -verity a tree, whose root is shown.
    """
    raw, both = tmp_path / "raw", tmp_path / "both"
    run("tar2ext4", "-i", layer, "-o", raw)
    run("tar2ext4", "-i", raw, "-o", tmp_path / "only", "-only-vhd", "-overlay")
    shown = run("tar2ext4", "-i", layer, "-o", both, "-vhd", "-verity")

    assert raw.stat().st_size + 512 == (tmp_path / "only").stat().st_size
    root = ext4_root_hash(layer, overlay=False, max_size=16 << 30).root_hash
    assert f"{root}\n".encode() == shown
    assert b"dm-verity" in run("main", "disk", "info", both)


def test_tar2ext4_tells_what_is_wrong(tmp_path: Path) -> None:
    """
    A bad tar or a bad flag ends it with a sentence, and leaves nothing.
    """
    target = tmp_path / "image"

    said = run("tar2ext4", "-o", target, data=b"no tar" * 100, code=1)

    assert said.startswith(b"tar2ext4: The tar cannot become an ext4 image: a header's")
    assert b"-o" in run("tar2ext4", code=2)
    assert b"neither true nor false" in run(
        "tar2ext4", "-o", target, "-vhd=perhaps", code=2
    )
    missing = run("tar2ext4", "-i", tmp_path / "none", "-o", target, code=1)
    assert b"No such file" in missing
    assert b"larger than it may be" in run(
        "tar2ext4", "-o", target, "-max-size=8K", data=LAYERS[0], code=1
    )
    assert [] == list(tmp_path.iterdir())


def test_bar_is_shown_to_people(tmp_path: Path) -> None:
    """
    At a terminal a bar tells how far it is.
    """
    layer = tmp_path / "layer.tar"
    layer.write_bytes(tar_of({"big": bytes(40 << 20)}))
    script = "import sys; from hcsshim.cli import tar2ext4; tar2ext4(sys.argv[1:])"
    words = [sys.executable, "-c", script, "-i", layer, "-o", tmp_path / "image"]
    reading, writing = pty.openpty()
    with subprocess.Popen(words, stderr=writing, stdin=subprocess.DEVNULL) as process:
        os.close(writing)
        seen = b""
        while data := _read(reading):
            seen += data
        os.close(reading)
        assert 0 == process.wait(timeout=60)

    assert b"image" in seen
    assert b"MiB" in seen


def _read(descriptor: int) -> bytes:
    """Read from a terminal; nothing once nobody has its other end."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


# ---- hcsshim disk, vhd ---------------------------------------------------------


def test_disk_ls(image: Path) -> None:
    """
    A folder is listed: names, a table, or for programs.
    """
    assert b"etc\nlink\nlost+found\n" == run("main", "disk", "ls", image)
    assert b"etc/os-release\n" == run("main", "disk", "ls", image, "/etc")
    table = run("main", "disk", "ls", "-l", image).decode()
    assert "link -> etc/os-release" in table
    assert "drwxr-xr-x" in table
    rows = json.loads(run("main", "disk", "ls", "-R", "--json", image))
    assert ["etc", "etc/os-release", "link", "lost+found"] == [r["path"] for r in rows]
    assert "etc/os-release" == rows[2]["target"]


def test_disk_cat(image: Path) -> None:
    """
    A file is shown, also through a link; what is none is told of.
    """
    assert b"NAME=Test\n" == run("main", "disk", "cat", image, "/link")
    said = run("main", "disk", "cat", image, "none", code=1)
    assert b"There is no 'none' in the image" in said
    assert b"'etc' is a folder" in run("main", "disk", "cat", image, "etc", code=1)


def test_disk_info(image: Path, tmp_path: Path) -> None:
    """
    All that a file is, is told; what is nothing of ours, too.
    """
    found = json.loads(run("main", "disk", "info", "--json", image))
    other = tmp_path / "other"
    other.write_bytes(bytes(9000))

    assert {"ext4", "dm-verity", "VHD"} == set(found)
    assert 4096 == found["ext4"]["block_size"]
    assert found["ext4"]["size"] == found["dm-verity"]["hash_offset"]
    assert b"neither ext4, VHD nor VHDX" in run("main", "disk", "info", other, code=1)


def test_disk_to_tar(image: Path, tmp_path: Path) -> None:
    """
    The image's contents come out as a tar, to a file or to stdout.
    """
    run("main", "disk", "to-tar", image, "-o", tmp_path / "out.tar")
    data = run("main", "disk", "to-tar", image)

    assert (tmp_path / "out.tar").read_bytes() == data
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert ["", "etc", "etc/os-release", "link"] == [
            member.name.strip("./") for member in tar
        ]


@pytest.mark.parametrize("name", ["disk.vhd", "disk.vhdx"])
def test_vhd_create(name: str, tmp_path: Path) -> None:
    """
    A disk is made as its name says, and told of; none is replaced by mistake.
    """
    path = tmp_path / name
    run("main", "vhd", "create", path, "--size", "64M")

    found = json.loads(run("main", "vhd", "info", "--json", path))

    kind = path.suffix[1:].upper()
    assert 64 << 20 == found[kind]["size"]
    assert b"there already" in run("main", "vhd", "create", path, code=1)
    run("main", "vhd", "create", path, "--size", "32M", "--force")
    assert b"no size" in run("main", "vhd", "create", path, "--size", "much", code=2)


# ---- hcsshim verity ------------------------------------------------------------


@pytest.fixture(params=["layout", "packed layout", "folder", "docker"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Give an image of two layers, in each kind of archive."""
    image = MadeImage(LAYERS, packed=request.param == "packed layout")
    if request.param == "folder":
        return write_folder(tmp_path / "image", layout(image))
    if request.param == "docker":
        return write_tar(tmp_path / "image.tar", docker_files(image, "made:1"))
    return write_tar(tmp_path / "image.tar", layout(image))


HASHES = [ext4_root_hash(io.BytesIO(layer)).root_hash for layer in LAYERS]


def test_verity_roothash(archive: Path) -> None:
    """
    The root hash of each layer is shown, for people and for programs.
    """
    lines = run("main", "verity", "roothash", archive).decode().splitlines()
    shown = json.loads(run("main", "verity", "roothash", "--json", archive))

    assert [f"Layer {n} root hash: {h}" for n, h in enumerate(HASHES)] == lines
    assert {"layers": HASHES} == shown


def test_verity_create_and_verify(archive: Path, tmp_path: Path) -> None:
    """
    A disk is made of each layer, named by the digest of its tar; a changed byte in
    it is found.
    """
    folder = tmp_path / "made" / "disks"
    run("main", "verity", "create", archive, "-o", folder)

    names = {f"{hashlib.sha256(layer).hexdigest()}.vhd" for layer in LAYERS}
    assert names == {path.name for path in folder.iterdir()}
    disk = folder / f"{hashlib.sha256(LAYERS[1]).hexdigest()}.vhd"
    assert f"{HASHES[1]}  {disk}: good\n".encode() == run(
        "main", "verity", "verify", disk, HASHES[1]
    )
    with disk.open("r+b") as file:
        file.seek(200_000)
        file.write(b"changed")
    assert b"Block 48 of the image" in run(
        "main", "verity", "verify", disk, HASHES[1], code=1
    )


def test_verity_hashlayer(layer: Path) -> None:
    """
    The root hash of one layer is shown, of a file or of what comes in.
    """
    expected = f"{HASHES[0]}\n".encode()

    assert expected == run("main", "verity", "hashlayer", layer)
    packed = gzip.compress(LAYERS[0])
    assert expected == run("main", "verity", "hashlayer", "-", data=packed)


def test_layer_that_is_not_its_digest(tmp_path: Path) -> None:
    """
    A layer that was changed in an archive is refused, and makes no disk.
    """
    image = MadeImage(LAYERS)
    files = layout(image)
    name = f"blobs/sha256/{hashlib.sha256(LAYERS[0]).hexdigest()}"
    files[name] = LAYERS[0].replace(b"Test", b"Evil")
    archive = write_tar(tmp_path / "image.tar", files)

    for command in (["roothash"], ["create", "-o", tmp_path / "disks"]):
        said = run("main", "verity", *command, archive, code=1)
        assert b"is not what its digest says" in said
    left = {path.name for path in (tmp_path / "disks").iterdir()}
    assert left <= {f"{hashlib.sha256(LAYERS[1]).hexdigest()}.vhd"}


def test_image_is_chosen(tmp_path: Path) -> None:
    """
    Of several images in an archive one must be named.
    """
    one, two = MadeImage(LAYERS[:1]), MadeImage(LAYERS)
    files = {**docker_files(one, "one:1"), **docker_files(two, "two:1")}
    documents = [
        *json.loads(docker_files(one, "one:1")["manifest.json"]),
        *json.loads(docker_files(two, "two:1")["manifest.json"]),
    ]
    files["manifest.json"] = json.dumps(documents).encode()
    archive = write_tar(tmp_path / "image.tar", files)

    said = run("main", "verity", "roothash", archive, code=1)
    shown = run("main", "verity", "roothash", archive, "--name", "two:1", "--json")

    assert b"choose of: " in said
    assert {"layers": HASHES} == json.loads(shown)
    missing = run("main", "verity", "roothash", archive, "--name", "three", code=1)
    assert b"There is no image 'three'" in missing
