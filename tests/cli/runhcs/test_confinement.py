"""What a Linux specification allows a process, and what becomes of its writes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .conftest import config

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Bundle, Command

pytestmark = pytest.mark.host

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs more users than one")


def test_writes_go_to_the_root(
    runhcs: Command, bundle: Bundle, container_id: str
) -> None:
    """
    What a container writes is in its bundle afterwards, as with other runtimes.
    """
    folder = bundle(config("echo x > /file; echo y > /bin/file"))

    runhcs("run", "-b", str(folder), container_id)

    assert "x\n" == (folder / "rootfs" / "file").read_text()
    assert "y\n" == (folder / "rootfs" / "bin" / "file").read_text()


def test_writes_to_a_read_only_root_fail(
    runhcs: Command, bundle: Bundle, container_id: str, tmp_path: Path
) -> None:
    """
    But not those to what is mounted in it; the bundle stays as it was.
    """
    (tmp_path / "shared").mkdir()
    script = "echo x > /shared/file; echo y > /dev/shm/file; echo z > /file"
    specification = config(script)
    specification["root"] = {"path": "rootfs", "readonly": True}
    specification["mounts"] = [
        {
            "type": "bind",
            "source": str(tmp_path / "shared"),
            "destination": "/shared",
            "options": ["bind"],
        }
    ]
    folder = bundle(specification)
    before = sorted(path.name for path in (folder / "rootfs").iterdir())

    done = runhcs("run", "-b", str(folder), container_id, code=None)

    assert b"ead-only" in done.stderr
    assert done.returncode
    assert "x\n" == (tmp_path / "shared" / "file").read_text()
    assert before == sorted(path.name for path in (folder / "rootfs").iterdir())


def test_a_file_is_mounted(
    runhcs: Command, bundle: Bundle, container_id: str, tmp_path: Path
) -> None:
    """
    Bind mounts of single files, as for ``/etc/resolv.conf``.
    """
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.1\n")
    specification = config("cat /etc/resolv.conf")
    specification["mounts"] = [
        {
            "type": "bind",
            "source": str(tmp_path / "resolv.conf"),
            "destination": "/etc/resolv.conf",
            "options": ["rbind", "ro"],
        }
    ]

    done = runhcs("run", "-b", str(bundle(specification)), container_id)

    assert b"nameserver 192.0.2.1\n" == done.stdout


def status_of(output: bytes) -> dict[str, str]:
    """Read ``/proc/self/status``."""
    pairs = (line.partition(":") for line in output.decode().splitlines())
    return {name: value.strip() for name, _, value in pairs}


def test_limits_mask_and_privileges(
    runhcs: Command, bundle: Bundle, container_id: str
) -> None:
    """
    Limits, the mask of new files, and no new privileges, of the first process and of
    others.
    """
    process = {
        "rlimits": [
            {"type": "RLIMIT_NOFILE", "soft": 99, "hard": 101},
            {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
        ],
        "user": {"uid": 0, "gid": 0, "umask": 0o27},
        "noNewPrivileges": True,
    }
    script = "cat /proc/self/limits; umask; cat /proc/self/status"

    done = runhcs("run", "-b", str(bundle(config(script, **process))), container_id)

    lines = done.stdout.decode().splitlines()
    files = next(line for line in lines if line.startswith("Max open files"))
    assert ["99", "101"] == files.split()[3:5]
    assert "0027" in lines
    assert "1" == status_of(done.stdout)["NoNewPrivs"]


def test_usual_privileges(runhcs: Command, bundle: Bundle, container_id: str) -> None:
    """
    Without a word about them they are as usual.
    """
    folder = str(bundle(config("cat /proc/self/status")))

    found = status_of(runhcs("run", "-b", folder, container_id).stdout)

    assert "0" == found["NoNewPrivs"]
    assert 0xA80425FB == int(found["CapBnd"], 16)


@pytest.mark.parametrize(
    ("names", "mask"), [(["CAP_KILL", "CAP_CHOWN"], 0b100001), ([], 0)]
)
def test_capabilities(
    runhcs: Command, bundle: Bundle, container_id: str, names: list[str], mask: int
) -> None:
    """
    Root has those of the bounding set, and no others.
    """
    process = {"capabilities": {"bounding": names, "effective": names}}
    folder = str(bundle(config("cat /proc/self/status", **process)))

    found = status_of(runhcs("run", "-b", folder, container_id).stdout)

    for name in ("CapBnd", "CapEff", "CapPrm"):
        assert mask == int(found[name], 16), name


@as_root
def test_more_groups(runhcs: Command, bundle: Bundle, container_id: str) -> None:
    """
    A user is in the groups that the specification adds.
    """
    process = {"user": {"uid": 5, "gid": 6, "additionalGids": [7, 8]}}
    folder = str(bundle(config("cat /proc/self/status", **process)))

    found = status_of(runhcs("run", "-b", folder, container_id).stdout)

    assert {"6", "7", "8"} == set(found["Groups"].split()) | {"6"}
    assert "5\t5\t5\t5" == found["Uid"]
    assert 0 == int(found["CapEff"], 16)


@pytest.mark.parametrize(
    ("process", "message"),
    [
        ({"capabilities": {"bounding": ["CAP_FLY"]}}, b"bounding"),
        ({"rlimits": [{"type": "RLIMIT_FLY", "soft": 1, "hard": 1}]}, b"type"),
        ({"rlimits": [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}]}, b"soft"),
    ],
)
def test_what_nobody_knows_is_refused(
    runhcs: Command,
    bundle: Bundle,
    container_id: str,
    process: dict[str, object],
    message: bytes,
) -> None:
    """
    The member is named, and nothing has run.
    """
    folder = bundle(config("touch /file", **process))

    failed = runhcs("run", "-b", str(folder), container_id, code=1)

    assert message in failed.stderr
    assert not (folder / "rootfs" / "file").exists()
