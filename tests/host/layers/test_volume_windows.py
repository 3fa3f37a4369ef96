"""Layers that are mounted on Windows: copies, whose changes are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcsshim.layers import Layer, create_layer, process_base_layer

pytestmark = [pytest.mark.host, pytest.mark.windows, pytest.mark.usefixtures("host")]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base layer with a few files, made as a stranger's tool makes it."""
    files = tmp_path / "base" / "Files"
    (files / "tree" / "below").mkdir(parents=True)
    (files / "kept").write_text("from the base\n")
    (files / "gone").write_text("will be deleted\n")
    (files / "tree" / "below" / "leaf").write_text("leaf\n")
    (files / "Windows" / "System32" / "config").mkdir(parents=True)
    (files / "Windows" / "System32" / "config" / "SYSTEM").write_text("hive\n")
    process_base_layer(tmp_path / "base")
    return tmp_path / "base"


@pytest.fixture
def scratch(base: Path, tmp_path: Path) -> Layer:
    """A writable layer on the base."""
    return Layer.create_scratch(tmp_path / "scratch", [base])


def listed(root: Path) -> set[str]:
    """List the files below a folder."""
    return {
        path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()
    }


def test_base_keeps_its_registry(base: Path) -> None:
    """What a base layer's registry was is kept beside its files."""
    assert "hive\n" == (base / "Hives" / "System_Base").read_text()


def test_the_chain_is_seen(scratch: Layer) -> None:
    """What is below the writable layer is seen where that is mounted."""
    with scratch.mounted() as mount:
        path = Path(mount)
        assert listed(path) == {
            "gone",
            "kept",
            "tree/below/leaf",
            "Windows/System32/config/SYSTEM",
        }
        assert "from the base\n" == (path / "kept").read_text()


def test_changes_stay_in_the_writable_layer(scratch: Layer, base: Path) -> None:
    """New, changed and deleted files are so again, and the base is as it was."""
    before = listed(base)
    with scratch.mounted() as mount:
        path = Path(mount)
        (path / "new").write_text("new\n")
        (path / "kept").write_text("changed by somebody\n")
        (path / "gone").unlink()
        (path / "tree" / "below" / "leaf").unlink()
        (path / "tree" / "below").rmdir()
        (path / "tree" / "below").write_text("a file now\n")

    assert {"new", "kept", "tree/below"} == listed(Path(scratch.path, "Files"))
    assert before == listed(base)
    with scratch.mounted() as mount:
        path = Path(mount)
        assert listed(path) == {
            "new",
            "kept",
            "tree/below",
            "Windows/System32/config/SYSTEM",
        }
        assert "changed by somebody\n" == (path / "kept").read_text()
        assert "a file now\n" == (path / "tree/below").read_text()


def test_layers_replace_one_another(tmp_path: Path, base: Path) -> None:
    """Of two files of one name the nearest layer's is seen."""
    create_layer(tmp_path / "middle")
    (tmp_path / "middle" / "Files" / "kept").write_text("from the middle\n")
    layer = Layer.create_scratch(tmp_path / "top", [tmp_path / "middle", base])

    with layer.mounted() as mount:
        path = Path(mount)
        assert "from the middle\n" == (path / "kept").read_text()
        assert "leaf\n" == (path / "tree/below/leaf").read_text()


def test_a_mounted_layer_can_be_destroyed_later(scratch: Layer) -> None:
    """Nothing of a mount is left that keeps a layer from being removed."""
    with scratch.mounted() as mount:
        path = Path(mount)
        (path / "new").write_text("new\n")

    scratch.destroy()

    assert not Path(scratch.path).exists()


def test_changes_are_exported_while_mounted(scratch: Layer, tmp_path: Path) -> None:
    """An export has what was changed up to now, and nothing else."""
    target = tmp_path / "exported"
    with scratch.mounted() as mount:
        (Path(mount) / "new").write_text("new\n")
        (Path(mount) / "tree" / "below" / "leaf").unlink()
        scratch.export_folder(target)
        (Path(mount) / "later").write_text("later\n")

    assert {"new"} == listed(target / "Files")
    lines = (target / "tombstones.txt").read_bytes().splitlines()
    assert [b"\\tree\\below\\leaf"] == lines[1:]
    assert {"new", "later"} == listed(Path(scratch.path, "Files"))
