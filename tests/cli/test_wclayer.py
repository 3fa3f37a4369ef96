"""``wclayer``: the reference's commands and flags."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_images import tar_of

from hcsshim import layers

if TYPE_CHECKING:
    from collections.abc import Callable

    Wclayer = Callable[..., bytes]

pytestmark = pytest.mark.host

BASE = {
    "Files": None,
    "Files/kept": b"from the base\n",
    "Files/gone": b"to be deleted\n",
    "Files/folder": None,
    "Files/folder/file": b"file\n",
}


@pytest.fixture
def wclayer(host: object) -> Wclayer:
    """Run the program to its end, on the tests' own host; give what it printed."""
    del host
    program = "from hcsshim.cli import wclayer; wclayer()"

    def run(*arguments: object, data: bytes | None = None, code: int = 0) -> bytes:
        result = subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert b"Traceback" not in result.stderr, result.stderr.decode()
        assert code == result.returncode, result.stderr.decode()
        return result.stdout if code == 0 else result.stderr

    return run


@pytest.fixture
def base(wclayer: Wclayer, tmp_path: Path) -> Path:
    """A base layer, imported from a tar."""
    wclayer("import", tmp_path / "base", data=tar_of(BASE))
    return tmp_path / "base"


def listed(folder: Path) -> set[str]:
    """List what is in a folder."""
    return {path.name for path in folder.iterdir()}


def names(tar: bytes) -> dict[str, bytes | None]:
    """List the files of a tar."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        found = {}
        for member in opened:
            file = opened.extractfile(member) if member.isreg() else None
            found[member.name] = None if file is None else file.read()
        return found


def test_import_makes_a_base_layer(base: Path) -> None:
    """Without parents a tar becomes a base layer with a blank disk."""
    assert layers.layer_exists(base)
    assert (base / "blank.vhdx").exists()
    assert b"from the base\n" == (base / "Files" / "kept").read_bytes()


@pytest.mark.parametrize("packed", [False, True], ids=["tar", "gzip"])
def test_export_gives_the_tar_again(
    wclayer: Wclayer, base: Path, tmp_path: Path, *, packed: bool
) -> None:
    """An imported layer is exported as it came, to a file or stdout, packed or not."""
    flags = ("--gzip",) if packed else ()
    piped = wclayer("export", *flags, base)
    wclayer("export", *flags, "-o", tmp_path / "out", base)

    written = (tmp_path / "out").read_bytes()
    assert packed == written.startswith(b"\x1f\x8b")
    if packed:
        piped, written = gzip.decompress(piped), gzip.decompress(written)
    assert piped == written
    assert names(tar_of(BASE)) == names(written)


def test_import_reads_a_file(wclayer: Wclayer, tmp_path: Path) -> None:
    """A tar may be a file, and compressed."""
    (tmp_path / "in.tar.gz").write_bytes(gzip.compress(tar_of(BASE)))

    wclayer("import", "-i", tmp_path / "in.tar.gz", tmp_path / "layer")

    assert layers.layer_exists(tmp_path / "layer")


def test_the_life_of_a_layer(wclayer: Wclayer, base: Path, tmp_path: Path) -> None:
    """A scratch is made, mounted, written to, unmounted, exported and removed."""
    scratch, target = tmp_path / "scratch", tmp_path / "target"
    target.mkdir()
    wclayer("create", "-l", base, scratch)

    printed = wclayer("mount", "-l", base, scratch, target)

    assert f"{target}\n".encode() == printed
    assert b"from the base\n" == (target / "kept").read_bytes()
    (target / "new").write_text("new\n")
    (target / "gone").unlink()
    wclayer("unmount", scratch, target)
    assert set() == listed(target)
    exported = names(wclayer("export", "-l", base, scratch))
    assert b"new\n" == exported["Files/new"]
    assert b"" == exported["Files/.wh.gone"]
    assert "Files/kept" not in exported
    wclayer("remove", scratch)
    assert not scratch.exists()


def test_exported_changes_are_a_layer(
    wclayer: Wclayer, base: Path, tmp_path: Path
) -> None:
    """What a scratch changed can be imported on the same parents."""
    wclayer("create", "--layer", base, tmp_path / "scratch")
    path = Path(wclayer("mount", "-l", base, tmp_path / "scratch").decode().strip())
    (path / "new").write_text("new\n")
    (path / "folder" / "file").unlink()
    wclayer("unmount", tmp_path / "scratch")
    tar = wclayer("export", "-l", base, tmp_path / "scratch")

    wclayer("import", "-l", base, tmp_path / "top", data=tar)

    with layers.Layer(tmp_path / "top", [base]).mounted() as seen:
        assert "new\n" == Path(seen, "new").read_text()
        assert not Path(seen, "folder", "file").exists()
        assert Path(seen, "kept").exists()


def test_volumemount_shows_a_volume_elsewhere(
    wclayer: Wclayer, base: Path, tmp_path: Path
) -> None:
    """A mounted layer can be shown at one more folder."""
    wclayer("create", "-l", base, tmp_path / "scratch")
    path = wclayer("mount", "-l", base, tmp_path / "scratch").decode().strip()

    wclayer("volumemount", path, tmp_path / "shown")

    assert b"from the base\n" == (tmp_path / "shown" / "kept").read_bytes()
    wclayer("unmount", tmp_path / "scratch", tmp_path / "shown")


def test_mount_on_a_full_folder_is_undone(
    wclayer: Wclayer, base: Path, tmp_path: Path
) -> None:
    """A target that has something in it is left alone, and nothing stays mounted."""
    wclayer("create", "-l", base, tmp_path / "scratch")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()

    errors = wclayer(
        "mount", "-l", base, tmp_path / "scratch", tmp_path / "full", code=1
    )

    assert b"is not empty" in errors
    assert (tmp_path / "full" / "file").exists()
    assert "" == layers.layer_mount_path(tmp_path / "scratch")
    wclayer("remove", tmp_path / "scratch")


def test_makebaselayer(wclayer: Wclayer, tmp_path: Path) -> None:
    """Any tree becomes a base layer, with a registry and a blank disk."""
    (tmp_path / "layer" / "Files" / "app").mkdir(parents=True)

    wclayer("makebaselayer", tmp_path / "layer")

    config = tmp_path / "layer" / "Files" / "Windows" / "System32" / "config"
    assert {"DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"} == listed(config)
    assert (tmp_path / "layer" / "Hives" / "System_Base").is_file()
    assert layers.layer_exists(tmp_path / "layer")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("remove", "{}/missing"), 1, b"There is no layer"),
        (("remove", "{}"), 1, b"is no layer of this host"),
        (("create", "{}/new"), 2, b"Missing option '-l'"),
        (("create", "-l", "{}/missing", "{}/new"), 2, b"does not exist"),
        (("unmount", "{}"), 1, b"is not prepared"),
        (("makebaselayer", "{}"), 1, b"no folder 'Files'"),
        (("export", "{}"), 1, b"There is no layer"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_failures_are_a_sentence(
    wclayer: Wclayer,
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    message: bytes,
) -> None:
    """What cannot be done is told, and leaves nothing."""
    (tmp_path / "file").touch()

    errors = wclayer(*(a.format(tmp_path) for a in arguments), code=code)

    assert message in errors
    assert {"file"} == listed(tmp_path)


@pytest.mark.parametrize(
    "member", ["Files/../../escape", "/escape", "Files/C:/escape", "Files/a:stream"]
)
def test_hostile_tar_leaves_nothing(
    wclayer: Wclayer, tmp_path: Path, member: str
) -> None:
    """A tar with names that lead out of the layer makes none."""
    tar = tar_of({"Files": None, member: b"outside\n"})

    wclayer("import", tmp_path / "in" / "layer", data=tar, code=1)

    assert {"in"} >= listed(tmp_path)
    assert not (tmp_path / "in" / "layer").exists()
