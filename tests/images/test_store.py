"""Loading, finding, exporting and removing images."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import tarfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_images import (
    OCI,
    MadeImage,
    docker_files,
    layout,
    layout_files,
    named,
    sha256,
    tar_of,
    write_folder,
    write_tar,
)
from programs import find_program

from hcsshim.errors import (
    InvalidDataError,
    NotFoundError,
    NotSupportedError,
    OperationCancelledError,
)
from hcsshim.images import ImageStore

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.host


def everything(store: ImageStore) -> set[str]:
    """List the files and layers of a store."""
    found = set(store.blobs.all())
    layers = store.root / "layers"
    return found | {p.name for p in layers.iterdir()} if layers.is_dir() else found


def leftovers(store: ImageStore) -> list[Path]:
    """List what is not finished in a store."""
    if not store.root.is_dir():
        return []
    return [*store.temporary.iterdir(), *store.root.glob("layers/.*")]


@pytest.mark.parametrize("packed", [False, True], ids=["tar", "gzip"])
def test_layout_folder(
    store: ImageStore, tmp_path: Path, made: MadeImage, *, packed: bool
) -> None:
    """An OCI layout is loaded from a folder: files, layers, names, configuration."""
    made.packed = packed
    path = write_folder(tmp_path / "in", layout(made))

    (image,) = store.load(path)

    assert ("made:1",) == image.names
    assert "linux/amd64" == image.config.platform
    assert {"PATH": "/bin", "GREETING": "hello"} == image.config.environment
    upper, lower = map(Path, store.layer_folders(image))
    assert b"changed\n" == (upper / "Files" / "kept").read_bytes()
    assert b"from the base\n" == (lower / "Files" / "kept").read_bytes()
    assert stat.S_ISCHR((upper / "Files" / "gone").lstat().st_mode)
    assert [] == leftovers(store)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_layout_tar(
    store: ImageStore, tmp_path: Path, made: MadeImage, mode: str
) -> None:
    """The same from a tar, compressed or not."""
    path = write_tar(tmp_path / "in.tar", layout(made), mode)

    (image,) = store.load(path)

    assert image == store.find("made:1")
    assert [] == leftovers(store)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_stream(store: ImageStore, tmp_path: Path, made: MadeImage, mode: str) -> None:
    """The same from a stream that cannot be read twice."""
    data = write_tar(tmp_path / "in.tar", layout(made), mode).read_bytes()
    reader, writer = os.pipe()
    feeder = threading.Thread(target=_feed, args=(writer, data))
    feeder.start()

    with os.fdopen(reader, "rb") as stream:
        (image,) = store.load(stream)

    feeder.join()
    assert "made:1" == image.name


def _feed(writer: int, data: bytes) -> None:
    with os.fdopen(writer, "wb") as file:
        file.write(data)


def test_docker_archive(store: ImageStore, tmp_path: Path, made: MadeImage) -> None:
    """A Docker archive is loaded under all its names, and its layers are verified."""
    path = write_tar(tmp_path / "in.tar", docker_files(made, "a:1", "b:latest"))

    (image,) = store.load(path)

    assert ("a:1", "b:latest") == image.names
    assert image == store.find("b") == store.find("a:1")
    assert 2 == len(store.layer_folders(image))


def test_docker_archive_with_links(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """Old archives have links from one layer to the same one elsewhere."""
    files = docker_files(made, "a:1")
    first = json.loads(files["manifest.json"])[0]["Layers"][0]
    data = files.pop(first)
    path = write_tar(tmp_path / "in.tar", {**files, "real/layer.tar": data})
    with tarfile.open(path, "a") as tar:
        info = tarfile.TarInfo(first)
        info.type, info.linkname = tarfile.SYMTYPE, "../real/layer.tar"
        tar.addfile(info)

    (image,) = store.load(path)

    assert 2 == len(store.layer_folders(image))


def test_the_same_image_of_both_forms_shares_its_layers(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """Files and layers are there once, however often they are loaded."""
    store.load(write_tar(tmp_path / "a.tar", layout(made)))
    before = everything(store)

    store.load(write_tar(tmp_path / "b.tar", docker_files(made, "again:1")))

    (added,) = everything(store) - before  # the manifest that was made
    assert store.find("again:1").digest == added


def test_loading_twice_changes_nothing(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """What is there is not copied again."""
    path = write_tar(tmp_path / "in.tar", layout(made))
    store.load(path)
    told: list[tuple[int, int]] = []

    store.load(path, progress=lambda done, total: told.append((done, total)))

    assert [] == told


def test_progress_adds_up(store: ImageStore, tmp_path: Path, made: MadeImage) -> None:
    """Progress rises to its total."""
    told: list[tuple[int, int]] = []

    store.load(
        write_tar(tmp_path / "in.tar", layout(made)),
        progress=lambda done, total: told.append((done, total)),
    )

    assert sorted(told) == told
    assert 1 == len({total for _, total in told})
    assert told[-1][0] > 0.9 * told[-1][1]


def test_name_replaces_the_archives_own(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """An image can be called as one likes."""
    store.load(write_tar(tmp_path / "in.tar", layout(made)), name="mine")

    assert ("mine",) == store.find("mine").names
    with pytest.raises(NotFoundError, match="no image 'made:1'"):
        store.find("made:1")


@pytest.mark.parametrize("name", ["", "-x", "a b", "../x", "a\nb", "x" * 300])
def test_bad_names(store: ImageStore, tmp_path: Path, name: str) -> None:
    """What is no name is refused before anything is done."""
    with pytest.raises(InvalidDataError, match="cannot be the name"):
        store.load(tmp_path / "missing", name=name)


def test_tag_alone_is_put_behind_the_layouts_name(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """A layout that knows only a tag lends its own name."""
    store.load(write_folder(tmp_path / "busybox", layout(made, "1.36")))

    assert "busybox:1.36" == store.find("busybox:1.36").name


def test_image_without_a_name(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """It is called by its digest, or a part of it."""
    path = write_folder(tmp_path / "in", layout_files(made.blobs, []))
    index = {"manifests": [made.manifest()]}
    write_folder(path, layout_files(made.blobs, []))
    (path / "index.json").write_text(json.dumps(index))

    (image,) = store.load(path)

    assert () == image.names
    assert image == store.find(image.digest)
    assert image == store.find(image.digest[7:15])
    with pytest.raises(NotFoundError):
        store.find(image.digest[7:10])
    store.remove(image.digest)
    assert [] == store.images()


def two_platforms(made: MadeImage, base: bytes) -> dict[str, bytes]:
    """Give a layout with one image for two platforms."""
    other = MadeImage([base], architecture="other")
    index = {
        "schemaVersion": 2,
        "manifests": [
            {**other.manifest(), "platform": {"os": "linux", "architecture": "other"}},
            {**made.manifest(), "platform": {"os": "linux", "architecture": "amd64"}},
            {
                **made.manifest(),
                "platform": {"os": "unknown", "architecture": "unknown"},
            },
        ],
    }
    descriptor = made.add(json.dumps(index).encode(), f"{OCI}.index.v1+json")
    return layout_files({**other.blobs, **made.blobs}, [named(descriptor, "many:1")])


def test_platform_is_chosen(
    store: ImageStore,
    tmp_path: Path,
    made: MadeImage,
    base_tar: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of an image for several platforms the right one is taken, or one as asked."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    path = write_folder(tmp_path / "in", two_platforms(made, base_tar))

    assert "linux/amd64" == store.load(path)[0].config.platform
    (other,) = store.load(path, platform="linux/other")
    assert "linux/other" == other.config.platform
    with pytest.raises(NotFoundError, match="linux/amd64, linux/other"):
        store.load(path, platform="windows/amd64")


def test_image_of_another_system_is_kept_not_unpacked(
    store: ImageStore, tmp_path: Path
) -> None:
    """An image of Windows can be kept and exported here, not run."""
    windows = MadeImage([tar_of({"Files": None})], system="windows")

    (image,) = store.load(write_folder(tmp_path / "in", layout(windows)))

    with pytest.raises(NotFoundError, match="for windows/amd64"):
        store.layer_folders(image)
    store.export(image, tmp_path / "out.tar")
    assert tarfile.is_tarfile(tmp_path / "out.tar")


@pytest.mark.parametrize("form", ["oci", "docker"])
def test_export_is_loaded_again_the_same(
    store: ImageStore, tmp_path: Path, made: MadeImage, form: str
) -> None:
    """What is exported has the same layers and configuration."""
    made.packed = form == "oci"
    (image,) = store.load(write_folder(tmp_path / "in", layout(made)))

    store.export(image, tmp_path / "out.tar", form=form)

    other = ImageStore(tmp_path / "other")
    (again,) = other.load(tmp_path / "out.tar")
    assert image.names == again.names
    assert image.manifest.config == again.manifest.config
    assert image.config == again.config
    if form == "oci":
        assert image == again


def test_export_is_the_same_every_time(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """The same image gives the same bytes."""
    (image,) = store.load(write_folder(tmp_path / "in", layout(made)))
    first, second = io.BytesIO(), io.BytesIO()

    store.export(image, first)
    store.export(image, second)

    assert first.getvalue() == second.getvalue()


@pytest.mark.parametrize(
    ("form", "transport"), [("oci", "oci-archive"), ("docker", "docker-archive")]
)
def test_skopeo_reads_exports(
    store: ImageStore, tmp_path: Path, made: MadeImage, form: str, transport: str
) -> None:
    """Skopeo finds in an export what was loaded."""
    skopeo = find_program("skopeo")
    (image,) = store.load(write_folder(tmp_path / "in", layout(made)))
    store.export(image, tmp_path / "out.tar", form=form)

    shown = subprocess.run(
        [
            skopeo,
            f"--tmpdir={tmp_path}",
            "inspect",
            "--config",
            "--raw",
            f"{transport}:{tmp_path}/out.tar:made:1",
        ],
        capture_output=True,
        check=True,
    )

    assert sha256(shown.stdout) == image.manifest.config.digest


@pytest.mark.parametrize("transport", ["oci-archive", "docker-archive"])
def test_what_skopeo_writes_is_loaded(
    store: ImageStore, tmp_path: Path, made: MadeImage, transport: str
) -> None:
    """Archives of skopeo are loaded."""
    skopeo = find_program("skopeo")
    write_folder(tmp_path / "in", layout(made))
    (tmp_path / "policy.json").write_text(
        '{"default":[{"type":"insecureAcceptAnything"}]}'
    )

    subprocess.run(
        [
            skopeo,
            f"--policy={tmp_path}/policy.json",
            f"--tmpdir={tmp_path}",
            "copy",
            f"oci:{tmp_path}/in:made:1",
            f"{transport}:{tmp_path}/out.tar:made:1",
        ],
        capture_output=True,
        check=True,
    )
    (image,) = store.load(tmp_path / "out.tar", name="made:1")

    assert [sha256(layer) for layer in made.layers] == list(image.config.diff_ids)


def test_umoci_unpacks_exports(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """Umoci makes the same root file system of an export, whiteouts and all."""
    umoci = find_program("umoci")
    (image,) = store.load(write_folder(tmp_path / "in", layout(made)))
    store.export(image, tmp_path / "out.tar")
    with tarfile.open(tmp_path / "out.tar") as tar:
        tar.extractall(tmp_path / "layout")  # noqa: S202 - our own

    subprocess.run(
        [
            umoci,
            "raw",
            "unpack",
            "--rootless",
            f"--image={tmp_path}/layout:made:1",
            tmp_path / "root",
        ],
        capture_output=True,
        check=True,
    )

    assert b"changed\n" == (tmp_path / "root" / "kept").read_bytes()
    assert not (tmp_path / "root" / "gone").exists()


def test_remove_takes_what_only_it_has(
    store: ImageStore, tmp_path: Path, made: MadeImage, base_tar: bytes
) -> None:
    """What another image has, too, stays."""
    store.load(write_folder(tmp_path / "a", layout(MadeImage([base_tar]), "base:1")))
    before = everything(store)
    store.load(write_folder(tmp_path / "b", layout(made)))

    left = store.remove("made:1")

    assert () == left.names
    assert before == everything(store)
    assert ["base:1"] == [image.name for image in store.images()]


def test_remove_takes_one_name_of_several(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """An image stays while it has another name."""
    path = write_folder(tmp_path / "in", layout(made))
    store.load(path, name="first")
    store.load(path, name="second")

    left = store.remove("first")

    assert ("second",) == left.names
    assert 2 == len(store.layer_folders(store.find("second")))
    store.remove("second")
    assert set() == everything(store)


def test_remove_of_none(store: ImageStore) -> None:
    """What is not there is not removed, also before there is a store."""
    with pytest.raises(NotFoundError, match="no image 'nothing'"):
        store.remove("nothing")
    assert not store.root.exists()


def test_cancelled_load_leaves_nothing(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """A load that is called off leaves no image, and nothing that is not whole."""
    cancel = threading.Event()
    path = write_folder(tmp_path / "in", layout(made))

    with pytest.raises(OperationCancelledError):
        store.load(path, progress=lambda *_: cancel.set(), cancel=cancel)

    assert [] == store.images()
    assert [] == leftovers(store)
    store.load(path)


# -- what strangers send -------------------------------------------------------


def refused(
    store: ImageStore, tmp_path: Path, files: dict[str, bytes], match: str
) -> None:
    """Check that an image is refused from a folder and a tar, and leaves nothing."""
    for path in (
        write_folder(tmp_path / "in", files),
        write_tar(tmp_path / "in.tar", files),
    ):
        with pytest.raises((InvalidDataError, NotSupportedError), match=match):
            store.load(path)
    assert [] == store.images()
    assert [] == leftovers(store)
    assert {"in", "in.tar", "data"} == {path.name for path in tmp_path.iterdir()}


def test_changed_layer_is_refused(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """A file that is not what its digest says brings nothing in."""
    files = layout(made)
    name = f"blobs/{sha256(made.layers[1]).replace(':', '/')}"
    files[name] = files[name].replace(b"changed", b"CHANGED")

    refused(store, tmp_path, files, "is not what it is named")


@pytest.mark.parametrize("change", [lambda d: d + b"x", lambda d: d[:-1]])
def test_layer_of_another_size_is_refused(
    store: ImageStore,
    tmp_path: Path,
    made: MadeImage,
    change: Callable[[bytes], bytes],
) -> None:
    """A file that is longer or shorter than it should be is refused."""
    files = layout(made)
    name = f"blobs/{sha256(made.layers[1]).replace(':', '/')}"
    files[name] = change(files[name])

    refused(store, tmp_path, files, "larger than|before its end")


def test_layer_with_another_diff_id_is_refused(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """A layer that unpacks to something else than the configuration says is refused."""
    made.packed = True
    made.diff_ids = ["sha256:" + "0" * 64, "sha256:" + "1" * 64]

    refused(store, tmp_path, layout(made), "the configuration says sha256:0000")


def test_layer_that_is_missing(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """A layout without one of its files is refused by the file's name."""
    files = layout(made)
    del files[f"blobs/{sha256(made.layers[1]).replace(':', '/')}"]

    refused(store, tmp_path, files, "lacks the file 'blobs/sha256/")


@pytest.mark.parametrize(
    "member",
    ["../../escape", "/escape", "a/../../escape", "link/escape"],
)
def test_layer_that_leads_out_is_refused(
    store: ImageStore, tmp_path: Path, member: str
) -> None:
    """A layer with names that lead out of it writes nothing outside."""
    tar = tar_of({"link": str(tmp_path), member: b"outside\n"})

    refused(store, tmp_path, layout(MadeImage([tar])), "name|link|path")


def test_expanding_layer_is_refused(store: ImageStore, tmp_path: Path) -> None:
    """A layer whose tar is cut short is no layer."""
    made = MadeImage([tar_of({"a": b"x" * 5000})[:3000]])

    refused(store, tmp_path, layout(made), "ends|damaged|short")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("index.json", b"[]", "no JSON object"),
        ("index.json", b"{", "no JSON document"),
        ("index.json", b"{}", "has no image"),
        ("index.json", b"[" * 100_000, "no JSON document"),
        ("index.json", b'{"manifests": 1}', "is not a list"),
        ("index.json", b'{"manifests": [1]}', "no JSON object"),
        ("index.json", b'{"manifests": [{}]}', "is not a text"),
        ("index.json", b" " * (5 << 20), "larger than"),
        (
            "index.json",
            b'{"manifests": [{"digest": "sha256:../../../x", "size": 1}]}',
            "which is none",
        ),
        (
            "index.json",
            b'{"manifests": [{"digest": "md5:00", "size": 1}]}',
            "which is none",
        ),
        (
            "index.json",
            b'{"manifests": [{"digest": "sha256:%s", "size": -1}]}' % (b"0" * 64),
            "is not a size",
        ),
        (
            "index.json",
            b'{"manifests": [{"digest": "sha256:%s", "size": 1e99}]}' % (b"0" * 64),
            "is not a size",
        ),
        (
            "index.json",
            b'{"manifests": [{"digest": "sha256:%s", "size": 1}]}' % (b"0" * 64),
            "lacks the file",
        ),
    ],
)
def test_hostile_indexes_are_refused(  # noqa: PLR0913, PLR0917 - as many as it takes
    store: ImageStore,
    tmp_path: Path,
    made: MadeImage,
    name: str,
    content: bytes,
    match: str,
) -> None:
    """An index that is malformed, huge or leads elsewhere is refused in a sentence."""
    refused(store, tmp_path, {**layout(made), name: content}, match)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"config": None}, "is not a text"),
        ({"layers": 5}, "is not a list"),
        ({"layers": []}, "has 2 layers, the manifest 0"),
        ({"config": {"mediaType": "application/x", "digest": "sha256:" + "0" * 64,
                     "size": 1}}, "no image of a container"),
        ({"layers": [{"mediaType": "text/plain", "digest": "sha256:" + "0" * 64,
                      "size": 1}]}, "no tar that can be unpacked"),
        ({"layers": [{"mediaType": f"{OCI}.layer.v1.tar+encrypted",
                      "digest": "sha256:" + "0" * 64, "size": 1}]}, "encrypted"),
    ],
)  # fmt: skip
def test_hostile_manifests_are_refused(
    store: ImageStore,
    tmp_path: Path,
    made: MadeImage,
    changes: dict[str, object],
    match: str,
) -> None:
    """A manifest that is malformed, or of no image, is refused in a sentence."""
    index = [named(made.manifest(**changes), "made:1")]

    refused(store, tmp_path, layout_files(made.blobs, index), match)


def test_index_that_leads_to_itself_is_refused(
    store: ImageStore, tmp_path: Path
) -> None:
    """Indexes within indexes end somewhere."""
    made = MadeImage([])
    descriptor = made.manifest()
    for _ in range(10):
        inner = json.dumps({"manifests": [descriptor]}).encode()
        descriptor = made.add(inner, f"{OCI}.index.v1+json")

    refused(
        store, tmp_path, layout_files(made.blobs, [descriptor]), "from index to index"
    )


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"Config": "../../etc/passwd"}, "leads out|lacks the file"),
        ({"Config": "/etc/passwd"}, "leads out|lacks the file"),
        ({"Layers": ["../x", "../y"]}, "leads out|lacks the file"),
        ({"Layers": []}, "manifest.json has 0 layers"),
        ({"Layers": "all"}, "is not a list"),
        ({"RepoTags": 7}, "is not a list"),
    ],
)
def test_hostile_docker_archives_are_refused(
    store: ImageStore,
    tmp_path: Path,
    made: MadeImage,
    changes: dict[str, object],
    match: str,
) -> None:
    """A Docker archive that is malformed or leads elsewhere is refused."""
    files = docker_files(made, "a:1")
    document = json.loads(files["manifest.json"])
    document[0].update(changes)
    files["manifest.json"] = json.dumps(document).encode()

    refused(store, tmp_path, files, match)


def test_docker_layer_that_was_changed(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """A layer that is not what the configuration says is refused."""
    files = docker_files(made, "a:1")
    name = json.loads(files["manifest.json"])[0]["Layers"][1]
    files[name] = files[name].replace(b"changed", b"CHANGED")

    refused(store, tmp_path, files, "but the configuration says")


def test_docker_configuration_that_was_changed(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """A configuration that is not what it is named is refused."""
    files = docker_files(made, "a:1")
    name = json.loads(files["manifest.json"])[0]["Config"]
    files[name] += b" "

    refused(store, tmp_path, files, "is not what it is named")


def test_links_in_an_archive_do_not_leave_it(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """A link in a tar, or in a folder, to a file of the machine is not followed."""
    (tmp_path / "secret").write_bytes(made.layers[0])
    folder = write_folder(tmp_path / "in", layout(made))
    blob = folder / "blobs" / sha256(made.layers[0]).replace(":", "/")
    blob.unlink()
    blob.symlink_to(tmp_path / "secret")
    with tarfile.open(tmp_path / "in.tar", "w") as tar:
        tar.add(folder, "")

    for path in (folder, tmp_path / "in.tar"):
        with pytest.raises(InvalidDataError, match="lacks the file"):
            store.load(path)


def test_pipes_in_a_folder_do_not_block(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """A pipe in place of a file is refused at once."""
    folder = write_folder(tmp_path / "in", layout(made))
    blob = folder / "blobs" / sha256(made.layers[0]).replace(":", "/")
    blob.unlink()
    os.mkfifo(blob)

    with pytest.raises(InvalidDataError, match="is no file"):
        store.load(folder)


@pytest.mark.parametrize(
    "data", [b"", b"no tar at all", b"\x1f\x8b" + bytes(100), bytes(1 << 16)]
)
def test_other_files_are_no_images(
    store: ImageStore, tmp_path: Path, data: bytes
) -> None:
    """Any other file is refused as what it is."""
    (tmp_path / "file").write_bytes(data)

    with pytest.raises(InvalidDataError):
        store.load(tmp_path / "file")


def test_missing_file(store: ImageStore, tmp_path: Path) -> None:
    """A file that is not there is told by its name."""
    with pytest.raises(FileNotFoundError, match="missing"):
        store.load(tmp_path / "missing")


def test_damaged_store_is_told(
    store: ImageStore, tmp_path: Path, made: MadeImage
) -> None:
    """A manifest that the disk damaged is noticed."""
    (image,) = store.load(write_folder(tmp_path / "in", layout(made)))
    path = store.blobs.path(image.digest)
    path.write_bytes(path.read_bytes() + b" ")

    with pytest.raises(InvalidDataError, match="is not what it is named"):
        store.find("made:1")
