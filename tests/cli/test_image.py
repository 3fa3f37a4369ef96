"""``hcsshim image``, and ``hcsshim run --image``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from made_images import (
    MadeImage,
    busybox_files,
    docker_files,
    layout,
    tar_of,
    write_folder,
    write_tar,
)

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Hcsshim

pytestmark = pytest.mark.host


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the test images of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def base_tar() -> bytes:
    """The tar of a layer with a busybox."""
    return tar_of(busybox_files())


@pytest.fixture
def archive(tmp_path: Path, base_tar: bytes) -> Path:
    """An archive of an image that greets."""
    upper = tar_of({".wh.gone": b"", "srv": None, "srv/new": b"new\n"})
    made = MadeImage(
        [base_tar, upper],
        config={
            "Env": ["PATH=/bin", "GREETING=hello"],
            "Cmd": ["sh", "-c", "echo $GREETING; cat new; pwd"],
            "WorkingDir": "/srv",
            "Labels": {"kind": "test"},
        },
    )
    return write_tar(tmp_path / "in.tar", layout(made, "made:1"))


def test_load_says_what_it_brought_in(hcsshim: Hcsshim, archive: Path) -> None:
    """Loading prints the name, platform and size of each image; with -q the name."""
    first = hcsshim("image", "load", str(archive))

    assert first.stdout.startswith(b"made:1: linux/amd64, ")
    assert b"" == first.stderr
    assert b"made:1\n" == hcsshim("image", "load", "-q", str(archive)).stdout


def test_load_reads_stdin(hcsshim: Hcsshim, archive: Path) -> None:
    """A dash is stdin, as from docker save."""
    result = hcsshim("image", "load", "-q", "-", data=archive.read_bytes())

    assert b"made:1\n" == result.stdout


def test_run_image(hcsshim: Hcsshim, archive: Path) -> None:
    """An image's command runs with its environment, in its folder."""
    hcsshim("image", "load", str(archive))

    result = hcsshim("run", "--rm", "--image", "made:1")

    assert b"hello\nnew\n/srv\n" == result.stdout


def test_run_image_with_options(hcsshim: Hcsshim, archive: Path) -> None:
    """What the caller says comes before what the image says."""
    hcsshim("image", "load", str(archive))

    script = "echo $GREETING; pwd; ls /gone"
    options = ("--rm", "--image", "made:1", "-e", "GREETING=hi", "-w", "/etc")
    result = hcsshim("run", *options, "--", "sh", "-c", script, code=1)

    assert b"hi\n/etc\n" == result.stdout
    assert b"No such file" in result.stderr


def test_entrypoint_gets_the_command(
    hcsshim: Hcsshim, tmp_path: Path, base_tar: bytes
) -> None:
    """A command is given to the image's entrypoint, or to the caller's."""
    config = {"Entrypoint": ["/bin/echo", "says"], "Cmd": ["usual"]}
    made = MadeImage([base_tar], config=config)
    path = write_folder(tmp_path / "in", layout(made, "echo:1"))
    hcsshim("image", "load", str(path))
    image = ("run", "--rm", "--image", "echo:1")

    assert b"says usual\n" == hcsshim(*image).stdout
    assert b"says other\n" == hcsshim(*image, "--", "other").stdout
    other = hcsshim(*image, "--entrypoint", "/bin/cat", "--", "/kept")
    assert b"from the base\n" == other.stdout


def test_run_image_as_its_user(
    hcsshim: Hcsshim, tmp_path: Path, base_tar: bytes
) -> None:
    """An image's user runs its command; who has root alone is told, and may say so."""
    made = MadeImage([base_tar], config={"User": "worker", "Cmd": ["/bin/id", "-u"]})
    hcsshim("image", "load", str(write_folder(tmp_path / "in", layout(made, "u:1"))))
    image = ("run", "--rm", "--image", "u:1")

    if os.geteuid() == 0:
        assert b"7\n" == hcsshim(*image).stdout
    else:
        told = hcsshim(*image, code=126).stderr
        assert b"no other users in its containers than root" in told
    assert b"0\n" == hcsshim(*image, "--user", "root").stdout


def test_containers_of_an_image_do_not_see_each_other(
    hcsshim: Hcsshim, archive: Path
) -> None:
    """What one writes is not in the image."""
    hcsshim("image", "load", str(archive))
    image = ("run", "--rm", "--image", "made:1", "--", "sh", "-c")

    hcsshim(*image, "touch /srv/mine")

    assert b"new\n" == hcsshim(*image, "ls /srv").stdout


def test_what_was_written_is_kept(hcsshim: Hcsshim, archive: Path) -> None:
    """Without --rm a container of an image is kept as any other."""
    hcsshim("image", "load", str(archive))

    hcsshim("run", "--name", "kept", "--image", "made:1", "--", "touch", "/srv/mine")

    assert b"kept" in hcsshim("ps", "-a").stdout
    hcsshim("rm", "kept")


def test_ls(hcsshim: Hcsshim, archive: Path) -> None:
    """Images are listed for people, by name, and for programs."""
    hcsshim("image", "load", str(archive))

    head, row = hcsshim("image", "ls").stdout.decode().splitlines()

    assert ["NAME", "DIGEST", "PLATFORM", "CREATED", "SIZE"] == head.split()
    assert row.startswith("made:1  sha256:")
    assert "2024-02-29" in row
    assert b"made:1\n" == hcsshim("image", "ls", "-q").stdout
    (found,) = json.loads(hcsshim("image", "ls", "--json").stdout)
    assert ["made:1"] == found["Names"]
    assert 2 == len(found["Layers"])


def test_ls_of_nothing(hcsshim: Hcsshim) -> None:
    """Without images there is an empty list."""
    assert b"" == hcsshim("image", "ls", "-q").stdout
    assert [] == json.loads(hcsshim("image", "ls", "--json").stdout)


def test_inspect(hcsshim: Hcsshim, archive: Path) -> None:
    """All that an image says of itself is shown."""
    hcsshim("image", "load", str(archive))

    found = json.loads(hcsshim("image", "inspect", "made:1").stdout)

    assert "/srv" == found["Config"]["WorkingDir"]
    assert {"kind": "test"} == found["Config"]["Labels"]


def test_rm(hcsshim: Hcsshim, archive: Path) -> None:
    """A removed image is gone; one that is not there is told."""
    hcsshim("image", "load", str(archive))

    assert b"made:1\n" == hcsshim("image", "rm", "made:1").stdout

    result = hcsshim("run", "--image", "made:1", code=125)
    assert b"There is no image 'made:1'" in result.stderr
    assert b"There is no image" in hcsshim("image", "rm", "made:1", code=1).stderr


def test_image_in_use_is_not_removed(hcsshim: Hcsshim, archive: Path) -> None:
    """While a container runs on an image, it stays, all of it."""
    hcsshim("image", "load", str(archive))
    found = json.loads(hcsshim("image", "ls", "--json").stdout)
    hcsshim("create", "user", "--image", "made:1")

    result = hcsshim("image", "rm", "made:1", code=1)

    assert b"in use" in result.stderr
    assert found == json.loads(hcsshim("image", "ls", "--json").stdout)
    hcsshim("start", "user")
    assert b"new\n" == hcsshim("exec", "user", "--", "/bin/cat", "/srv/new").stdout
    hcsshim("rm", "-f", "user")
    hcsshim("image", "rm", "made:1")


@pytest.mark.parametrize("form", ["oci", "docker"])
def test_export(hcsshim: Hcsshim, archive: Path, tmp_path: Path, form: str) -> None:
    """An export can be loaded again, from a file or a pipe."""
    hcsshim("image", "load", str(archive))
    out = tmp_path / "out.tar"

    piped = hcsshim("image", "export", "--format", form, "made:1").stdout
    hcsshim("image", "export", "--format", form, "made:1", "-o", str(out))

    assert piped == out.read_bytes()
    hcsshim("image", "rm", "made:1")
    hcsshim("image", "load", str(out))
    assert b"hello" in hcsshim("run", "--rm", "--image", "made:1").stdout


def test_docker_archive_is_run(
    hcsshim: Hcsshim, tmp_path: Path, base_tar: bytes
) -> None:
    """What docker save wrote is loaded and run."""
    made = MadeImage([base_tar], config={"Cmd": ["/bin/echo", "from docker"]})
    path = write_tar(tmp_path / "in.tar", docker_files(made, "saved:latest"))
    hcsshim("image", "load", str(path))

    assert b"from docker\n" == hcsshim("run", "--rm", "--image", "saved").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "--entrypoint", "sh"),
        ("run", "--image", "x", "--layer", "/tmp"),
    ],
    ids=" ".join,
)
def test_wrong_usage(hcsshim: Hcsshim, arguments: tuple[str, ...]) -> None:
    """Options that do not go together are told before anything is done."""
    assert b"Error: " in hcsshim(*arguments, code=2).stderr


def test_hostile_archive_is_one_sentence(hcsshim: Hcsshim, tmp_path: Path) -> None:
    """A file that is no image ends in one line, and an exit code."""
    (tmp_path / "file").write_bytes(b"not an image")

    result = hcsshim("image", "load", str(tmp_path / "file"), code=1)

    assert 1 == len(result.stderr.splitlines())
    assert b"neither an OCI layout nor a tar" in result.stderr
