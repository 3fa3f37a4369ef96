"""
What processes in a silo see, and what they cannot reach.
"""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
from silo_support import Driver, make_layer, running

from hcsshim.host.silos.port import Failed, Gone, MappedDirectory, SiloConfig
from hcsshim.host.silos.silo_linux import LinuxSilo


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """
    A base layer of busybox.
    """
    return make_layer(tmp_path / "base")


def config(layer: Path | None, **fields: object) -> SiloConfig:
    """
    Describe a silo on one layer.
    """
    layers = () if layer is None else (layer,)
    fields.setdefault("name", "isolated")
    fields.setdefault("hostname", "box")
    return SiloConfig(layers=layers, **fields)  # type: ignore[arg-type]


def test_only_the_layers_are_seen(layer: Path) -> None:
    """
    The root holds what the layers hold, and the system's own directories.
    """
    with running(config(layer)) as silo:
        seen = silo.run("ls /")

    assert {"bin", "dev", "etc", "marker", "proc", "sys"} == set(seen.split())


def test_upper_layer_covers_lower(layer: Path, tmp_path: Path) -> None:
    """
    The first layer wins over the ones after it.
    """
    top = tmp_path / "top"
    top.mkdir()
    (top / "marker").write_text("from the top\n")

    with running(SiloConfig(name="two", hostname="b", layers=(top, layer))) as silo:
        seen = silo.run("cat /marker")

    assert seen == "from the top\n"


def test_sixty_layers_with_long_paths(layer: Path, tmp_path: Path) -> None:
    """
    Neither the number nor the length nor commas and colons of paths matter.
    """
    folder = tmp_path / ("a,b:c\\d" + "x" * 150)
    layers = []
    for number in range(60):
        below = folder / f"{number:0100}"
        below.mkdir(parents=True)
        (below / f"file{number}").touch()
        layers.append(below)

    many = SiloConfig(name="many", hostname="b", layers=(*layers, layer))
    with running(many) as silo:
        seen = silo.run("ls / | grep -c file")

    assert seen == "60\n"


def test_writes_land_in_the_scratch(layer: Path, tmp_path: Path) -> None:
    """
    The base stays as it was; the next silo on the scratch sees the writes.
    """
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    with running(config(layer, scratch=scratch)) as silo:
        assert silo.run("echo new > /marker; echo hi > /etc/made; rm /bin/ls") == ""
    with running(config(layer, scratch=scratch)) as silo:
        again = silo.run("cat /marker /etc/made; test -e /bin/ls || echo gone")

    assert again == "new\nhi\ngone\n"
    assert (layer / "marker").read_text() == "from the base\n"
    assert (scratch / "upper" / "marker").read_text() == "new\n"


def test_writes_without_scratch_are_forgotten(layer: Path) -> None:
    """
    Without a scratch, what is written is gone with the silo.
    """
    with running(config(layer)) as silo:
        first = silo.run("echo new > /marker; cat /marker")
    with running(config(layer)) as silo:
        second = silo.run("cat /marker")

    assert (first, second) == ("new\n", "from the base\n")


def test_two_silos_share_a_base(layer: Path) -> None:
    """
    Two silos on one base run at once and do not see each other's writes.
    """
    with (
        running(config(layer, name="one")) as one,
        running(config(layer, name="other")) as other,
    ):
        one.run("echo one > /marker")
        seen = one.run("cat /marker"), other.run("cat /marker")

    assert seen == ("one\n", "from the base\n")


def test_machine_root_is_the_base_without_layers() -> None:
    """
    With no layers the machine's programs run, and writes do not reach it.
    """
    mark = f"/var/silo-test-{os.getpid()}"
    with running(config(None)) as silo:
        paths = {"PATH": os.environ["PATH"]}
        seen = silo.run(f"echo x > {mark} && cat {mark}", environment=paths)

    assert seen == "x\n"
    assert not Path(mark).exists()


def test_machine_root_with_a_scratch_inside_it(tmp_path: Path) -> None:
    """
    A scratch on the same file system as the machine's root takes the writes.
    """
    with running(config(None, scratch=tmp_path)) as silo:
        silo.run("echo kept > /etc/silo-was-here", environment=dict(os.environ))

    assert (tmp_path / "upper" / "etc" / "silo-was-here").read_text() == "kept\n"
    assert not Path("/etc/silo-was-here").exists()


def test_machine_tmp_is_the_machine_own(tmp_path: Path) -> None:
    """
    Nothing that the set-up uses shows through in the directories of the base.
    """
    (tmp_path / "seen").write_text("yes")

    with running(config(None)) as silo:
        seen = silo.run(f"cat {tmp_path}/seen", environment=dict(os.environ))

    assert seen == "yes"


def test_host_name_and_first_process(layer: Path) -> None:
    """
    The silo has a name of its own and counts processes from 1.
    """
    with running(config(layer)) as silo:
        seen = silo.run(
            "hostname; cat /proc/1/comm; echo $(ls /proc | grep -c '^[0-9]')"
        )

    name, first, count = seen.splitlines()
    assert name == "box"
    assert socket.gethostname() != "box"
    assert first
    assert int(count) <= 6


def test_network_has_loopback_only(layer: Path) -> None:
    """
    The only interface is the loopback, and it is up.
    """
    with running(config(layer)) as silo:
        seen = silo.run("ls /sys/class/net; cat /sys/class/net/lo/flags")

    assert seen == "lo\n0x9\n"


def test_dangerous_paths_are_closed(layer: Path) -> None:
    """
    Root of a silo can neither change kernel settings nor read the keys.
    """
    with running(config(layer)) as silo:
        paths = ["/proc/sys/kernel/domainname"]
        if Path("/proc/sysrq-trigger").exists():  # not every kernel has it
            paths.append("/proc/sysrq-trigger")
        for path in paths:
            assert "ead-only file system" in silo.run(f"echo h > {path}")
        assert silo.run("cat /proc/keys /proc/timer_list") == ""
        assert "ead-only file system" in silo.run("touch /sys/x")
        assert "exit 1" in silo.run("mount -t tmpfs none /etc")


def test_program_of_init_cannot_be_overwritten(layer: Path) -> None:
    """
    What pid 1 runs is sealed, and not the file on the machine.
    """
    program = Path(LinuxSilo.__module__.replace(".", "/"))
    assert program.name == "silo_linux"

    with running(config(layer)) as silo:
        seen = silo.run("readlink /proc/1/exe; echo x > /proc/1/exe")

    assert str(program.parent) not in seen
    assert "exit 1" in seen


def test_capabilities_are_those_of_a_container(layer: Path) -> None:
    """
    Commands hold the usual set, and cannot get more.
    """
    with running(config(layer)) as silo:
        seen = silo.run("grep -E 'Cap(Prm|Eff|Bnd)' /proc/self/status")

    values = {int(line.split()[1], 16) for line in seen.splitlines()}
    assert all(value & ~0xA80425FB == 0 for value in values)


def test_devices_work(layer: Path) -> None:
    """
    The harmless devices are there, shared memory and terminals too.
    """
    script = """
    set -e
    echo x > /dev/null
    head -c 4 /dev/zero | wc -c
    head -c 4 /dev/urandom | wc -c
    echo y > /dev/shm/file
    ls /dev | tr '\\n' ' '
    """.replace("tr '\\n' ' '", "wc -l")
    with running(config(layer)) as silo:
        seen = silo.run(script)

    assert seen.split()[:2] == ["4", "4"]


def test_mapped_directories_are_shared(layer: Path, tmp_path: Path) -> None:
    """
    Both sides see each other's writes; a read-only one refuses them.
    """
    shared, fixed = tmp_path / "shared", tmp_path / "fixed"
    for folder in (shared, fixed):
        folder.mkdir()
        (folder / "hello").write_text("from outside\n")
    mapped = (
        MappedDirectory(source=shared, target="/data/shared"),
        MappedDirectory(source=fixed, target="/data/fixed", read_only=True),
    )

    with running(config(layer, mapped_directories=mapped)) as silo:
        seen = silo.run("cat /data/*/hello; echo inside > /data/shared/reply")
        refused = silo.run("touch /data/fixed/file")

    assert seen == "from outside\n" * 2
    assert (shared / "reply").read_text() == "inside\n"
    assert "ead-only file system" in refused


def test_mapping_cannot_be_led_out_by_a_link(layer: Path, tmp_path: Path) -> None:
    """
    A symbolic link in a layer is followed within the silo only.
    """
    outside = tmp_path / "outside"
    outside.mkdir()
    (layer / "link").symlink_to(outside)
    mapped = (MappedDirectory(source=layer, target="/link/below"),)
    silo = LinuxSilo(config(layer, mapped_directories=mapped))

    message = Driver(silo).expect(Failed, Gone)
    silo.close()

    assert "/link/below" == message.path
    assert list(outside.iterdir()) == []


def test_directories_are_mapped_while_running(layer: Path, tmp_path: Path) -> None:
    """
    A directory comes and goes without a restart.
    """
    (tmp_path / "hello").write_text("late\n")
    with running(config(layer)) as silo:
        directory = MappedDirectory(source=tmp_path, target="/late", read_only=True)

        silo.silo.map_directory(directory)
        seen = silo.run("cat /late/hello; touch /late/x")
        silo.silo.unmap_directory("/late")
        after = silo.run("ls /late")

    assert seen.startswith("late\n")
    assert "ead-only file system" in seen
    assert after == ""


def test_mapping_what_is_missing_names_it(layer: Path, tmp_path: Path) -> None:
    """
    The error of a missing source carries its path.
    """
    missing = tmp_path / "missing"
    with running(config(layer)) as silo, pytest.raises(FileNotFoundError) as caught:
        silo.silo.map_directory(MappedDirectory(source=missing, target="/x"))

    assert caught.value.filename == str(missing)


def test_missing_layer_is_named(tmp_path: Path) -> None:
    """
    A silo that cannot be set up says what failed, and is gone.
    """
    silo = LinuxSilo(config(tmp_path / "missing"))

    message = Driver(silo).expect(Failed, Gone)
    silo.close()

    assert message == Failed(
        stage="open a layer", path=str(tmp_path / "missing"), errno=errno.ENOENT
    )
