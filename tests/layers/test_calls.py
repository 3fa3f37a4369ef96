"""The layer calls, end to end on an embedded host."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import uuid
from pathlib import Path

import pytest
from programs import find_program
from silo_support import make_layer

import hcsshim
from hcsshim import layers
from hcsshim.disk import read_vhdx
from hcsshim.errors import (
    AlreadyExistsError,
    BusyError,
    HcsError,
    InUseError,
    NotFoundError,
    NotSupportedError,
)
from hcsshim.layers import AsyncLayer, Layer

pytestmark = pytest.mark.host

GIB = 1 << 30
HEAD = b"\xef\xbb\xbfVersion 1.0\n"


@pytest.fixture
def folder(host: object, tmp_path: Path) -> Path:
    """A folder for layers, on a running host."""
    assert host is not None
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture
def base(folder: Path) -> Path:
    """A base layer with a busybox and a few files."""
    path = folder / "base"
    layers.create_layer(path)
    (path / "Files").rmdir()
    make_layer(path / "Files")
    (path / "Files" / "kept").write_text("from the base\n")
    (path / "Files" / "gone").write_text("will be deleted\n")
    (path / "Files" / "tree" / "below").mkdir(parents=True)
    (path / "Files" / "tree" / "below" / "leaf").write_text("leaf\n")
    return path


@pytest.fixture
def scratch(folder: Path, base: Path) -> Layer:
    """A writable layer on the base."""
    return Layer.create_scratch(folder / "scratch", [base])


def listed(root: Path) -> set[str]:
    """List all that is below a folder."""
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def run(command: str, base: Path, scratch: str) -> bytes:
    """Run a command in a container of these layers; it must succeed."""
    document = hcsshim.container_document(layers=[base], scratch=scratch)
    with hcsshim.ComputeSystem.create(f"layers-{uuid.uuid4()}", document) as system:
        system.start()
        with system.create_process(["/bin/sh", "-c", command]) as process:
            output, errors = process.communicate(timeout=60)
            assert 0 == process.returncode, errors
        system.terminate()
        system.wait(timeout=60)
    return output


def test_create_makes_a_layer_once(folder: Path) -> None:
    """A layer is there when it was made, is empty, and is not made over another."""
    layers.create_layer(folder / "layer")

    assert layers.layer_exists(folder / "layer")
    assert [] == os.listdir(folder / "layer" / "Files")
    with pytest.raises(AlreadyExistsError, match="0x800700B7"):
        layers.create_layer(folder / "layer")


def test_a_folder_is_no_layer(folder: Path) -> None:
    """What the host did not make does not exist as a layer, and is not removed."""
    (folder / "home").mkdir()
    (folder / "home" / "letter").write_text("dear")

    assert not layers.layer_exists(folder / "home")
    with pytest.raises(NotSupportedError, match="is no layer of this host"):
        layers.destroy_layer(folder / "home")
    assert "dear" == (folder / "home" / "letter").read_text()


def test_relative_paths_are_the_clients(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path is taken from where the caller is, not the host."""
    monkeypatch.chdir(folder)

    layers.create_layer("layer")

    assert layers.layer_exists(folder / "layer")


def test_destroy_removes_a_layer(folder: Path) -> None:
    """A destroyed layer is gone with all that was in it, even what nobody may enter."""
    layers.create_layer(folder / "layer")
    (folder / "layer" / "Files" / "closed" / "inner").mkdir(parents=True)
    (folder / "layer" / "Files" / "closed").chmod(0)

    layers.destroy_layer(folder / "layer")

    assert [] == os.listdir(folder)
    with pytest.raises(NotFoundError, match="0x80070003"):
        layers.destroy_layer(folder / "layer")


def test_scratch_has_a_real_disk(scratch: Layer) -> None:
    """A writable layer has a VHDX that other people's programs find sound."""
    disk = Path(scratch.path, "sandbox.vhdx")

    assert 20 * GIB == read_vhdx(disk).size
    checked = subprocess.run(
        [find_program("qemu-img"), "check", disk], capture_output=True, check=False
    )
    assert 0 == checked.returncode, checked.stdout


def test_expand_makes_the_disk_larger(scratch: Layer) -> None:
    """A disk grows, and never shrinks."""
    scratch.expand(30 * GIB)

    assert 30 * GIB == read_vhdx(Path(scratch.path, "sandbox.vhdx")).size
    with pytest.raises(HcsError, match="cannot shrink"):
        scratch.expand(1 * GIB)


def test_scratch_needs_parents_that_are_there(folder: Path) -> None:
    """A writable layer without parents, or on a missing one, is not made."""
    with pytest.raises(HcsError, match="needs a parent"):
        Layer.create_scratch(folder / "scratch", [])
    with pytest.raises(NotFoundError, match="missing"):
        Layer.create_scratch(folder / "scratch", [folder / "missing"])
    assert not (folder / "scratch").exists()


def test_scratch_cannot_be_a_parent(folder: Path, scratch: Layer) -> None:
    """What takes writes is no layer to build on."""
    with pytest.raises(HcsError, match="cannot be a parent"):
        Layer.create_scratch(folder / "another", [scratch.path])


def test_mounted_shows_the_chain(base: Path, scratch: Layer) -> None:
    """While a layer is mounted its path shows the chain, and writes go to the layer."""
    with scratch.mounted() as path:
        assert "from the base\n" == Path(path, "kept").read_text()
        Path(path, "new").write_text("new\n")
        Path(path, "gone").unlink()

    assert not Path(path, "kept").exists()
    assert "new\n" == Path(scratch.path, "Files", "new").read_text()
    assert (base / "Files" / "gone").exists()
    assert "" == layers.layer_mount_path(scratch.path)


def test_prepare_needs_activate(base: Path, scratch: Layer) -> None:
    """A layer is opened first, then mounted, and not twice."""
    with pytest.raises(BusyError, match="0x80070015"):
        layers.prepare_layer(scratch.path, [base])
    layers.activate_layer(scratch.path)
    layers.prepare_layer(scratch.path, [base])

    with pytest.raises(InUseError, match="in use already"):
        layers.prepare_layer(scratch.path, [base])
    with pytest.raises(InUseError, match="still prepared"):
        layers.deactivate_layer(scratch.path)
    layers.unprepare_layer(scratch.path)
    layers.deactivate_layer(scratch.path)


def test_mounted_layers_are_not_destroyed(base: Path, scratch: Layer) -> None:
    """Neither a mounted layer nor its parent can be removed."""
    with scratch.mounted():
        for path in (scratch.path, base):
            with pytest.raises(InUseError, match="0x80070020"):
                layers.destroy_layer(path)

    scratch.destroy()


def test_unmount_waits_for_nobody(scratch: Layer) -> None:
    """A layer that somebody has open stays mounted; later it can be unmounted."""
    path = scratch.mount()
    opened = os.open(path, os.O_RDONLY)

    with pytest.raises(InUseError, match="cannot be unmounted"):
        scratch.unmount()

    os.close(opened)
    scratch.unmount()


def test_failed_mount_is_undone(folder: Path, scratch: Layer) -> None:
    """If preparing fails, the layer is not left active."""
    lost = Layer(scratch.path, [folder / "missing"])

    with pytest.raises(NotFoundError, match="missing"):
        lost.mount()

    with pytest.raises(BusyError, match="is not active"):
        layers.deactivate_layer(scratch.path)


def test_one_layer_needs_no_mount(base: Path) -> None:
    """A base layer's path is its own folder of files."""
    with Layer(base).mounted() as path:
        assert str(base / "Files") == path


def test_read_only_chain_is_read_only(folder: Path, base: Path) -> None:
    """Mounted without a scratch, layers are merged and take no writes."""
    layers.create_layer(folder / "top")
    (folder / "top" / "Files" / "added").write_text("on top\n")

    with Layer(folder / "top", [base]).mounted() as path:
        assert "on top\n" == Path(path, "added").read_text()
        assert "from the base\n" == Path(path, "kept").read_text()
        with pytest.raises(OSError, match="Read-only"):
            Path(path, "new").write_text("no")


def test_mounted_layer_is_the_scratch_of_a_system(base: Path, scratch: Layer) -> None:
    """A container writes into the layer that is mounted; then it is mounted again."""
    with scratch.mounted() as path:
        Path(path, "before").write_text("seen inside\n")
        output = run("cat /before; echo written > /after", base, path)
        assert b"seen inside\n" == output
        assert "written\n" == Path(path, "after").read_text()


def test_layer_folder_is_the_scratch_of_a_system(base: Path, scratch: Layer) -> None:
    """A writable layer need not be mounted to be a container's."""
    run("rm /gone; echo written > /after", base, scratch.path)

    upper = Path(scratch.path, "Files")
    assert "written\n" == (upper / "after").read_text()
    assert stat.S_ISCHR((upper / "gone").lstat().st_mode)


def test_a_scratch_has_one_system(base: Path, scratch: Layer) -> None:
    """While a system has a layer, nobody else gets it."""
    document = hcsshim.container_document(layers=[base], scratch=scratch.path)
    with hcsshim.ComputeSystem.create(f"one-{uuid.uuid4()}", document) as system:
        with pytest.raises(InUseError, match="another system"):
            hcsshim.ComputeSystem.create(f"two-{uuid.uuid4()}", document)
        with pytest.raises(InUseError, match="in use already"):
            scratch.mount()
        with pytest.raises(InUseError, match="is in use"):
            layers.destroy_layer(base)
        system.start()
        system.terminate()
        system.wait(timeout=60)

    scratch.destroy()


def test_export_has_exactly_the_changes(
    folder: Path, base: Path, scratch: Layer
) -> None:
    """What was added, changed and deleted is exported, and nothing else."""
    run(
        "echo new > /new; echo more >> /kept; rm /gone; rm -r /tree/below;"
        " mkdir /tree/below; echo other > /tree/below/other; chmod 700 /tree/below",
        base,
        scratch.path,
    )

    scratch.export_folder(folder / "export")

    files = listed(folder / "export" / "Files") - {"dev", "proc", "sys"}
    assert {"new", "kept", "tree", "tree/below", "tree/below/other"} == files
    assert HEAD + b"\\gone\n\\tree\\below\n" == (
        (folder / "export" / "tombstones.txt").read_bytes()
    )
    assert "from the base\nmore\n" == (folder / "export/Files/kept").read_text()
    assert 0o700 == stat.S_IMODE((folder / "export/Files/tree/below").stat().st_mode)


def test_import_of_an_export_is_the_same_chain(
    folder: Path, base: Path, scratch: Layer
) -> None:
    """A layer that is exported and imported shows the same files on its parents."""
    script = (
        "echo new > /new; rm /gone; rm -r /tree/below; mkdir /tree/below;"
        " ln /new /hard; ln -s new /soft; touch -d @1000000000 /new"
    )
    run(f"cp() {{ :; }}; {script.replace('ln ', 'busybox ln ')}", base, scratch.path)
    scratch.export_folder(folder / "export")

    copy = Layer.import_folder(folder / "copy", folder / "export", [base])

    with scratch.mounted() as path:
        expected = {
            name: Path(path, name).lstat().st_mtime_ns for name in listed(Path(path))
        }
    with copy.mounted() as path:
        found = {
            name: Path(path, name).lstat().st_mtime_ns for name in listed(Path(path))
        }
        assert Path(path, "new").stat().st_ino == Path(path, "hard").stat().st_ino
        assert "new" == os.readlink(Path(path, "soft"))
    assert set(expected) == set(found)
    assert expected["new"] == found["new"] == 10**18
    assert "gone" not in found
    assert "tree/below/leaf" not in found


def test_import_fills_an_empty_layer(folder: Path, base: Path) -> None:
    """Importing into a layer that was only just made fills it; into another, not."""
    (folder / "in" / "Files").mkdir(parents=True)
    (folder / "in" / "Files" / "a").write_text("a")
    layers.create_layer(folder / "layer")

    layers.import_layer(folder / "layer", folder / "in", [base])

    assert {"a"} == listed(folder / "layer" / "Files")
    with pytest.raises(AlreadyExistsError, match="something at"):
        layers.import_layer(folder / "layer", folder / "in", [base])


@pytest.mark.parametrize(
    "line",
    [
        b"\\..\\..\\escape",
        b"escape",
        b"\\",
        b"\\a\\",
        b"\\a\\..\\b",
        b"\\a/../../b",
        b"\\link\\file",
        b"\\file\\below",
        b"\\a\x00b",
    ],
    ids=repr,
)
def test_hostile_tombstones_are_refused(folder: Path, base: Path, line: bytes) -> None:
    """A deletion that leads out of the layer makes nothing, and leaves nothing."""
    source = folder / "in"
    (source / "Files").mkdir(parents=True)
    (source / "Files" / "link").symlink_to(folder)
    (source / "Files" / "file").write_text("a file\n")
    (source / "tombstones.txt").write_bytes(HEAD + line + b"\n")
    before = listed(folder)

    with pytest.raises(HcsError, match="0x8007000D"):
        layers.import_layer(folder / "layer", source, [base])

    assert before == listed(folder)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("tombstones.txt", b"Version 1.0\n", "does not begin"),
        ("tombstones.txt", b"\xef\xbb\xbfVersion 2.0\n", "does not begin"),
        ("tombstones.txt", b"", "does not begin"),
        ("Files.$wcidirs$", b"\0\0\0\0", "backup streams"),
    ],
)
def test_other_folders_are_not_imported(
    folder: Path, base: Path, name: str, content: bytes, match: str
) -> None:
    """A folder of another form is refused by name."""
    (folder / "in" / "Files").mkdir(parents=True)
    (folder / "in" / name).write_bytes(content)

    with pytest.raises(HcsError, match=match):
        layers.import_layer(folder / "layer", folder / "in", [base])


def test_base_layers_are_not_exported(folder: Path, base: Path) -> None:
    """As on Windows a layer without parents is read where it is."""
    with pytest.raises(HcsError, match="0x80070057"):
        layers.export_layer(base, folder / "export", [])


def test_export_keeps_holes_and_links(folder: Path, base: Path) -> None:
    """A large sparse file stays sparse, and hard links stay links."""
    layers.create_layer(folder / "top")
    files = folder / "top" / "Files"
    with (files / "sparse").open("wb") as file:
        file.seek(8 * GIB)
        file.write(b"end")
    os.link(files / "sparse", files / "twin")

    layers.export_layer(folder / "top", folder / "export", [base])

    copied = (folder / "export" / "Files" / "sparse").stat()
    assert (8 * GIB + 3, 2) == (copied.st_size, copied.st_nlink)
    assert copied.st_blocks * 512 < 1 << 20


def test_copy_is_a_layer_of_its_own(folder: Path, scratch: Layer) -> None:
    """A copy has what the layer has."""
    Path(scratch.path, "Files", "file").write_text("written\n")

    layers.copy_layer(scratch.path, folder / "copy", scratch.parents)

    assert "written\n" == (folder / "copy" / "Files" / "file").read_text()
    assert layers.layer_exists(folder / "copy")


def test_process_base_layer(folder: Path) -> None:
    """A folder of files becomes a base layer, its registry kept, with a blank disk."""
    config = folder / "new" / "Files" / "Windows" / "system32" / "CONFIG"
    config.mkdir(parents=True)
    (config / "SYSTEM").write_bytes(b"regf")
    (config / "default").write_bytes(b"regf default")

    layers.process_base_layer(folder / "new")

    assert layers.layer_exists(folder / "new")
    assert b"regf" == (folder / "new" / "Hives" / "System_Base").read_bytes()
    kept = folder / "new" / "Hives" / "DefaultUser_Base"
    assert b"regf default" == kept.read_bytes()
    assert 20 * GIB == read_vhdx(folder / "new" / "blank.vhdx").size


def test_scratch_inherits_the_blank_disk(folder: Path, base: Path) -> None:
    """A writable layer begins with the disk that its base has blank."""
    layers.process_base_layer(base)
    (base / "blank.vhdx").unlink()
    subprocess.run(
        [find_program("qemu-img"), "create", "-f", "vhdx", base / "blank.vhdx", "3G"],
        check=True,
        capture_output=True,
    )

    Layer.create_scratch(folder / "scratch", [base])

    assert 3 * GIB == read_vhdx(folder / "scratch" / "sandbox.vhdx").size


def test_process_utility_vm_image(folder: Path) -> None:
    """A utility VM gets its two disks."""
    (folder / "UtilityVM" / "Files").mkdir(parents=True)

    layers.process_utility_vm_image(folder / "UtilityVM")

    for name in ("SystemTemplateBase.vhdx", "SystemTemplate.vhdx"):
        assert not read_vhdx(folder / "UtilityVM" / name).fixed


def test_processing_needs_files(folder: Path) -> None:
    """A folder without files becomes no base layer."""
    with pytest.raises(NotFoundError, match="no folder 'Files'"):
        layers.process_base_layer(folder)


def test_name_to_guid_is_a_version_5_uuid(host: object) -> None:
    """The id follows from the name, whatever its case."""
    assert host is not None
    first = layers.name_to_guid("fec9f4c73d5fe093")

    assert 5 == first.version
    assert first == layers.name_to_guid("FEC9F4C73D5FE093")
    assert first != layers.name_to_guid("fec9f4c73d5fe094")


def test_layer_ids_are_of_the_last_part(folder: Path) -> None:
    """A layer's id is that of its folder's name, a slash at its end or not."""
    layer = Layer(f"{folder}/one/")

    assert layers.name_to_guid("one") == layer.guid()


def test_shared_base_images(host: object) -> None:
    """Base layers in the host's own folder are shared."""
    path = host.state / "hcsshim" / "base-images" / "small"  # type: ignore[attr-defined] # PrivateHost
    path.parent.mkdir(parents=True, exist_ok=True)
    layers.create_layer(path)

    (image,) = json.loads(layers.shared_base_images())["Images"]

    assert ("small", str(path)) == (image["Name"], image["Path"])
    layers.destroy_layer(path)


def test_grant_vm_access(folder: Path) -> None:
    """A VM may open a file that is there."""
    (folder / "disk").touch()

    layers.grant_vm_access(folder / "disk", "some-vm")

    with pytest.raises(NotFoundError, match="no file"):
        layers.grant_vm_access(folder / "missing", "some-vm")


def test_storage_layers(folder: Path, base: Path) -> None:
    """The calls of computestorage make, mount, export, import and remove layers."""
    path = folder / "storage"
    path.mkdir()
    layers.initialize_writable_layer(path, [base])
    layers.attach_layer_storage_filter(path, [base])
    mounted = Path(layers.layer_mount_path(path))
    (mounted / "new").write_text("new\n")
    layers.detach_layer_storage_filter(path)

    layers.export_storage_layer(path, folder / "export", [base], writable=True)
    layers.import_storage_layer(folder / "copy", folder / "export", [base])

    assert {"new"} == listed(folder / "copy" / "Files")
    layers.destroy_storage_layer(path)
    assert not path.exists()


def test_export_names_the_kind(folder: Path, scratch: Layer) -> None:
    """A writable layer is not exported as a read-only one."""
    with pytest.raises(HcsError, match="IsWritableLayer"):
        layers.export_storage_layer(scratch.path, folder / "out", scratch.parents)


def test_overlay_filters(base: Path, scratch: Layer) -> None:
    """Both filters mount a chain; there is no third."""
    for kind in ("WCIFS", "UnionFS"):
        layers.attach_overlay_filter(scratch.path, [base], kind)
        layers.detach_overlay_filter(scratch.path, kind)

    with pytest.raises(HcsError, match="FilterType"):
        layers.attach_overlay_filter(scratch.path, [base], "ZFS")


def test_format_makes_a_file_system(folder: Path, base: Path, scratch: Layer) -> None:
    """A formatted disk holds an ext4, and has a volume that can be a layer."""
    find_program("mkfs.ext4")
    disk = Path(scratch.path, "sandbox.vhdx")
    with pytest.raises(BusyError, match="not formatted"):
        layers.layer_vhd_mount_path(disk)

    layers.format_writable_layer_vhd(disk)

    raw = folder / "raw"
    subprocess.run(
        [find_program("qemu-img"), "convert", "-O", "raw", disk, raw], check=True
    )
    subprocess.run(
        [find_program("e2fsck"), "-fn", raw], check=True, capture_output=True
    )
    volume = layers.layer_vhd_mount_path(disk)
    layers.initialize_writable_layer(volume, [base])
    assert b"from the base\n" == run("cat /kept", base, volume)


def test_base_os_layers(folder: Path) -> None:
    """Both kinds of base layers are set up; a utility VM's needs its disk."""
    (folder / "new" / "Files").mkdir(parents=True)

    layers.setup_base_os_layer(folder / "new", {"Type": "Container"})
    with pytest.raises(NotFoundError, match="no disk"):
        layers.setup_base_os_layer(folder / "new", {"Type": "Vm"}, folder / "x.vhdx")
    layers.setup_base_os_layer(
        folder / "new", {"Type": "Vm"}, folder / "new" / "blank.vhdx"
    )
    layers.setup_base_os_volume(folder / "new", folder, {"Type": "Container"})

    assert (folder / "new" / "SystemTemplate.vhdx").exists()


def test_damaged_marker_is_told(folder: Path) -> None:
    """A layer whose own description is damaged is named, not guessed at."""
    layers.create_layer(folder / "layer")
    (folder / "layer" / "layer.json").write_text('{"Type": "Strange"}')

    with pytest.raises(HcsError, match=r"layer\.json"):
        layers.layer_exists(folder / "layer")


def test_tar_becomes_a_layer_of_the_host(folder: Path, base: Path) -> None:
    """A layer that was imported from a tar is one of the host's."""
    tar = folder / "layer.tar"
    (folder / "Files").mkdir()
    (folder / "Files" / "added").write_text("on top\n")
    subprocess.run(
        [find_program("bsdtar"), "-cf", tar, "-C", folder, "Files"], check=True
    )
    layers.import_tar(tar, folder / "top", parents=[base])

    with Layer(folder / "top", [base]).mounted() as path:
        assert "on top\n" == Path(path, "added").read_text()
    layers.destroy_layer(folder / "top")


async def _all_at_once(folder: Path, base: Path) -> set[str]:
    made = await asyncio.gather(
        *(AsyncLayer.create_scratch(folder / f"s{i}", [base]) for i in range(8))
    )
    seen = set()
    for layer in made:
        async with layer.mounted() as path:
            seen.add(path)
    await asyncio.gather(*(layer.destroy() for layer in made))
    return seen


def test_many_layers_at_once(folder: Path, base: Path) -> None:
    """Layers can be made, mounted and removed by many at once, awaitably."""
    assert 8 == len(asyncio.run(_all_at_once(folder, base)))
    assert [] == [name for name in os.listdir(folder) if name != "base"]


def test_one_of_many_makes_a_layer(folder: Path, base: Path) -> None:
    """Of many who make the same layer, one does, and the others are told."""

    async def race() -> list[object]:
        return await asyncio.gather(
            *(AsyncLayer.create_scratch(folder / "same", [base]) for _ in range(8)),
            return_exceptions=True,
        )

    outcomes = asyncio.run(race())

    assert 1 == sum(isinstance(outcome, AsyncLayer) for outcome in outcomes)
    assert 7 == sum(isinstance(outcome, AlreadyExistsError) for outcome in outcomes)
    assert {"base", "same"} == set(os.listdir(folder))


def test_cancelled_export_leaves_nothing(folder: Path, base: Path) -> None:
    """Who stops waiting stops the work, and no half export is left."""
    layers.create_layer(folder / "top")
    for number in range(3000):
        (folder / "top" / "Files" / str(number)).touch()

    with pytest.raises(TimeoutError):
        layers.export_layer(folder / "top", folder / "export", [base], timeout=0)

    layers.destroy_layer(folder / "top")  # not before the export has let go of it
    left = set(os.listdir(folder)) - {"base"}
    assert left in (set(), {"export"})  # it may have been just done
