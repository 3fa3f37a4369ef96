"""Containers with layers on Windows: their processes begin in a copy of them."""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hcsshim import ComputeSystem, InUseError, container_document, run
from hcsshim.layers import Layer, process_base_layer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.host, pytest.mark.windows, pytest.mark.usefixtures("host")]

LAYER_ID = "b81ddbd4-1bd4-5b5b-9bbf-5ce9dd8b5bd6"
_LIMIT = 60.0
_ids = count()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base layer with data and a tool."""
    files = tmp_path / "base" / "Files"
    (files / "Windows" / "System32" / "config").mkdir(parents=True)
    (files / "Windows" / "System32" / "config" / "SYSTEM").write_text("hive\n")
    (files / "app").mkdir()
    (files / "app" / "data.txt").write_text("from the layer\n")
    (files / "app" / "tool.cmd").write_text("@echo tool %1\n")
    (files / "gone").write_text("will be deleted\n")
    process_base_layer(tmp_path / "base")
    return tmp_path / "base"


@pytest.fixture
def scratch(base: Path, tmp_path: Path) -> Layer:
    """A writable layer on the base."""
    return Layer.create_scratch(tmp_path / "scratch", [base])


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder of the machine, to be mapped."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "note.txt").write_text("of the machine\n")
    return tmp_path / "shared"


def started(document: str | dict[str, object]) -> ComputeSystem:
    """Create and start a system."""
    system = ComputeSystem.create(f"root-{os.getpid()}-{next(_ids)}", document)
    system.start()
    return system


def output(system: ComputeSystem, command: str, **options: str) -> str:
    """Give the lines that a command prints, which must succeed."""
    with system.create_process(command, **options) as process:
        out, errors = process.communicate(timeout=_LIMIT)
        assert (0, b"") == (process.wait(_LIMIT), errors)
    return out.decode().replace("\r\n", "\n")


def ended(system: ComputeSystem) -> None:
    """End a system, and wait for that."""
    system.terminate()
    system.wait(timeout=_LIMIT)
    system.close()


@pytest.fixture
def container(base: Path, scratch: Layer) -> Iterator[ComputeSystem]:
    """A system whose scratch nobody has mounted."""
    system = started(container_document(layers=[base], scratch=scratch.path))
    yield system
    ended(system)


def test_a_process_begins_in_the_layers(container: ComputeSystem) -> None:
    r"""The container's ``C:\`` is the root of the layers."""
    assert "from the layer\n" == output(container, r"cmd /c type app\data.txt")


def test_working_directory_is_in_the_layers(container: ComputeSystem) -> None:
    """A working directory is looked for in the layers first."""
    assert "from the layer\n" == output(
        container, "cmd /c type data.txt", cwd="C:\\app"
    )


def test_programs_are_found_in_the_layers(container: ComputeSystem) -> None:
    """A program of a layer starts, by its path and by its name."""
    assert "tool x\n" == output(container, "C:\\app\\tool x")
    assert "tool y\n" == output(container, "tool.cmd y", cwd="C:\\app")


def test_processes_know_their_root(container: ComputeSystem, scratch: Layer) -> None:
    """A variable names the folder."""
    printed = output(container, "cmd /c echo %CONTAINER_SANDBOX_MOUNT_POINT%")

    assert Path(scratch.path, "Mount") == Path(printed.strip())


def test_writes_stay_in_the_scratch(base: Path, scratch: Layer) -> None:
    """What processes wrote and deleted is so again in the next container."""
    document = container_document(layers=[base], scratch=scratch.path)
    first = started(document)
    output(first, "cmd /c echo new>fresh.txt& del gone")
    ended(first)

    assert "new\n" == Path(scratch.path, "Files", "fresh.txt").read_text()
    assert (base / "Files" / "gone").exists()
    second = started(document)
    assert "gone no more" in output(
        second, "cmd /c type fresh.txt& if not exist gone echo gone no more"
    )
    ended(second)


def test_a_mounted_scratch_is_used_where_it_is(base: Path, scratch: Layer) -> None:
    """Clients name the volume where they mounted; what is written is seen there."""
    with scratch.mounted() as mount:
        system = started(container_document(layers=[base], scratch=f"{mount}\\"))
        output(system, "cmd /c echo new>fresh.txt")
        with pytest.raises(InUseError, match="0x80070020"):
            scratch.unmount()
        ended(system)
        assert "new\n" == (Path(mount) / "fresh.txt").read_text()


def test_first_generation_names_the_volume(base: Path, scratch: Layer) -> None:
    """``VolumePath`` alone says which scratch it is."""
    with scratch.mounted() as mount:
        system = started(
            {
                "SystemType": "Container",
                "Name": "first",
                "VolumePath": mount,
                "Layers": [{"ID": LAYER_ID, "Path": str(base)}],
            }
        )
        assert "from the layer\n" == output(system, r"cmd /c type app\data.txt")
        ended(system)


def test_volume_has_the_name_of_one(scratch: Layer) -> None:
    r"""Clients insist on ``\\?\Volume{GUID}``, which works as a path."""
    with scratch.mounted() as mount:
        assert mount.startswith("\\\\?\\Volume{")
        assert mount.endswith("}")
        assert "from the layer\n" == Path(f"{mount}\\app\\data.txt").read_text()

    assert not Path(f"{mount}\\").exists()


def test_writes_without_a_scratch_are_lost(base: Path) -> None:
    """Layers alone are enough; nothing is left of what was written."""
    before = sorted(base.rglob("*"))
    system = started(container_document(layers=[base]))
    output(system, "cmd /c echo new>fresh.txt")
    ended(system)

    assert before == sorted(base.rglob("*"))


def test_mapped_directory(base: Path, scratch: Layer, shared: Path) -> None:
    """A directory of the machine is seen, written to, and not taken for a layer's."""
    mounts = [(shared, "C:\\deep\\shared")]
    system = started(
        container_document(layers=[base], scratch=scratch.path, mounts=mounts)
    )
    text = output(
        system, r"cmd /c type deep\shared\note.txt& echo back>deep\shared\back.txt"
    )
    ended(system)

    assert "of the machine\n" == text
    assert "back\n" == (shared / "back.txt").read_text()
    assert not list(Path(scratch.path, "Files").rglob("*.txt"))


def test_directory_is_mapped_later(container: ComputeSystem, shared: Path) -> None:
    """One more directory is seen while the container runs, then no more."""
    request: dict[str, object] = {
        "ResourcePath": "Container/MappedDirectories",
        "RequestType": "Add",
        "Settings": {"HostPath": str(shared), "ContainerPath": "C:\\later"},
    }
    container.modify(json.dumps(request))
    seen = output(container, r"cmd /c type later\note.txt")
    container.modify(json.dumps(request | {"RequestType": "Remove"}))

    assert "of the machine\n" == seen
    assert "no" in output(container, "cmd /c if not exist later echo no")
    assert (shared / "note.txt").exists()


def test_mapped_directory_without_layers(shared: Path) -> None:
    """A working directory may be a mapped one, whatever the rest is."""
    done = run(
        "cmd /c type note.txt",
        cwd="C:\\shared",
        mounts=[(shared, "C:\\shared")],
        capture_output=True,
        timeout=_LIMIT,
    )

    assert b"of the machine\r\n" == done.stdout


def test_nothing_is_mapped_above_the_root(
    container: ComputeSystem, shared: Path
) -> None:
    r"""``..`` at ``C:\`` is ``C:\`` itself, as everywhere on Windows."""
    request = {
        "ResourcePath": "Container/MappedDirectories",
        "RequestType": "Add",
        "Settings": {"HostPath": str(shared), "ContainerPath": "C:\\..\\..\\above"},
    }

    container.modify(json.dumps(request))

    assert "of the machine\n" == output(container, r"cmd /c type above\note.txt")
