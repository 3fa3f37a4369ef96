"""The life of a container, command by command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from terminals import Terminal

from .conftest import config, program

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Bundle, Command

pytestmark = pytest.mark.host

#: Runs until it is told to end, and says when it began.
WAITING = "trap 'exit 5' TERM; touch /ready; while :; do sleep 0.05; done"


def status(runhcs: Command, container_id: str) -> str:
    """Ask where a container is in its life."""
    state: str = json.loads(runhcs("state", container_id).stdout)["status"]
    return state


def wait_until_ready(runhcs: Command, container_id: str) -> None:
    """Wait until the container's process has begun its work."""
    script = "while ! ls /ready >/dev/null 2>&1; do sleep 0.05; done"
    runhcs("exec", container_id, "sh", "-c", script)


def test_run(runhcs: Command, bundle: Bundle, container_id: str) -> None:
    """
    ``run``: the process gets what the specification says; its exit code is ours, and
    nothing is left.
    """
    folder = bundle(config("hostname; id -u; env; cat; echo err >&2; exit 7"))

    done = runhcs("run", "-b", str(folder), container_id, data=b"in\n", code=7)

    lines = done.stdout.decode().split("\n")
    assert ["box", "0"] == lines[:2]
    assert {"A=b", "EMPTY=", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"} <= set(lines)
    assert "in" == lines[-2]
    assert b"err\n" == done.stderr
    assert b"[]\n" == runhcs("list", "--format", "json").stdout


def test_life(
    runhcs: Command, bundle: Bundle, container_id: str, tmp_path: Path
) -> None:
    """
    create, start, kill, delete: each does what its name says, and nothing sooner.
    """
    folder = bundle(config(f"echo began; {WAITING}"))
    pid_file = tmp_path / "pid"

    arguments = ("create", "-b", str(folder), "--pid-file", str(pid_file))
    runhcs(*arguments, container_id, output="container.out")

    assert "created" == status(runhcs, container_id)
    assert b"" == (tmp_path / "container.out").read_bytes()
    runhcs("start", container_id)
    wait_until_ready(runhcs, container_id)
    state = json.loads(runhcs("state", container_id).stdout)
    assert "running" == state["status"]
    assert int(pid_file.read_text()) == state["pid"]
    shim = os.pidfd_open(state["pid"])
    runhcs("kill", container_id)
    wait_for(shim)
    assert b"began\n" == (tmp_path / "container.out").read_bytes()
    state = json.loads(runhcs("state", container_id).stdout)
    assert ("stopped", 0) == (state["status"], state["pid"])
    runhcs("delete", container_id)
    runhcs("state", container_id, code=1)


def wait_for(pidfd: int) -> None:
    """Wait for the end of a process."""
    from select import select

    ended, _, _ = select([pidfd], [], [], 60)
    os.close(pidfd)
    assert ended


def test_what_is_refused(
    runhcs: Command, bundle: Bundle, container_id: str, tmp_path: Path
) -> None:
    """
    Verbs at the wrong time fail with a sentence, and change nothing.
    """
    folder = str(bundle(config(WAITING)))
    runhcs("create", "-b", folder, container_id)

    taken = runhcs("create", "-b", folder, container_id, code=1)
    assert b"exists already" in taken.stderr
    early = runhcs("exec", container_id, "ls", code=1)
    assert b"is not running: it is created" in early.stderr
    assert b"not running" in runhcs("pause", container_id, code=1).stderr
    assert b"is not running" in runhcs("ps", container_id, code=1).stderr
    runhcs("start", container_id)
    assert b"it is running" in runhcs("start", container_id, code=1).stderr
    alive = runhcs("delete", container_id, code=1)
    assert b"not stopped: running" in alive.stderr
    assert b"is no signal" in runhcs("kill", container_id, "NONE", code=1).stderr
    assert b"not paused" in runhcs("resume", container_id, code=1).stderr
    assert "running" == status(runhcs, container_id)
    runhcs("delete", "--force", container_id)
    for command in ("start", "state", "kill", "delete", "pause", "ps"):
        gone = runhcs(command, container_id, code=1)
        assert f"container '{container_id}' does not exist".encode() in gone.stderr
    runhcs("delete", "--force", container_id)
    assert not list((tmp_path / "state").iterdir())


def test_a_created_container_can_be_killed_or_deleted(
    runhcs: Command, bundle: Bundle, container_id: str
) -> None:
    """
    One that never started ends without having run anything.
    """
    folder = str(bundle(config("touch /never")))
    runhcs("create", "-b", folder, container_id)
    runhcs("kill", container_id, "KILL")
    assert "stopped" == status(runhcs, container_id)
    runhcs("delete", container_id)

    runhcs("create", "-b", folder, container_id)
    runhcs("delete", container_id)

    runhcs("state", container_id, code=1)


def test_what_cannot_be_started(
    runhcs: Command, bundle: Bundle, container_id: str
) -> None:
    """
    ``start`` tells why, and the container has stopped; ``run`` leaves nothing.
    """
    specification = config("")
    specification["process"]["args"] = ["/no/such/program"]
    folder = str(bundle(specification))

    runhcs("create", "-b", folder, container_id)
    failed = runhcs("start", container_id, code=1)
    assert b"/no/such/program" in failed.stderr
    runhcs("delete", container_id)
    failed = runhcs("run", "-b", folder, container_id, code=1)
    assert b"/no/such/program" in failed.stderr
    assert b"" == runhcs("list", "-q").stdout


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ociVersion": "3"}, b"ociVersion: expected 1.x"),
        ({"root": {"path": "nowhere"}}, b"nowhere"),
        ({"linux": None}, b"expected a section"),
        ({"mounts": [{"type": "bind", "destination": "/x"}]}, b"mounts[0]"),
    ],
)
def test_what_cannot_be_created(
    runhcs: Command,
    bundle: Bundle,
    container_id: str,
    members: dict[str, object],
    message: bytes,
) -> None:
    """
    ``create`` tells why, and nothing is left of it.
    """
    given = {**config("true"), **members}
    folder = str(bundle({k: v for k, v in given.items() if v is not None}))

    failed = runhcs("create", "-b", folder, container_id, code=1)

    assert message in failed.stderr
    assert b"" == runhcs("list", "-q").stdout


def test_exec(
    runhcs: Command, bundle: Bundle, container_id: str, tmp_path: Path
) -> None:
    """
    More processes: with the first one's environment, or as process.json says.
    """
    runhcs("create", "-b", str(bundle(config(WAITING))), container_id)
    runhcs("start", container_id)

    user, group = (5, 6) if os.geteuid() == 0 else (0, 0)  # one has no other
    done = runhcs(
        "exec",
        *("-e", "C=d", "--cwd", "/dev", "--user", f"{user}:{group}", "--pid-file"),
        *(str(tmp_path / "pid"), container_id),
        *("sh", "-c", "echo $A $C; pwd; id -u; id -g; cat; exit 9"),
        data=b"data",
        code=9,
    )
    assert f"b d\n/dev\n{user}\n{group}\ndata".encode() == done.stdout
    assert int((tmp_path / "pid").read_text())
    file = tmp_path / "process.json"
    file.write_text(
        json.dumps({"args": ["sh", "-c", "echo $X"], "cwd": "/", "env": ["X=y"]})
    )
    assert b"y\n" == runhcs("exec", "-p", str(file), container_id).stdout
    missing = runhcs("exec", container_id, "nothing-here", code=1)
    assert b"nothing-here" in missing.stderr
    assert b"cannot be empty" in runhcs("exec", container_id, code=1).stderr


def test_exec_without_waiting(
    runhcs: Command, bundle: Bundle, container_id: str, tmp_path: Path
) -> None:
    """
    ``exec --detach`` returns at once; the process has our stdio, and a place in
    ``ps``, until it ends.
    """
    runhcs("create", "-b", str(bundle(config(WAITING))), container_id)
    runhcs("start", container_id)
    pid_file = tmp_path / "pid"

    script = "echo out; while ! ls /go >/dev/null 2>&1; do sleep 0.05; done"
    arguments = ("exec", "-d", "--pid-file", str(pid_file), container_id)
    runhcs(*arguments, "sh", "-c", script, output="exec.out")

    shim = os.pidfd_open(int(pid_file.read_text()))
    assert len(json.loads(runhcs("ps", container_id).stdout)) >= 2
    runhcs("exec", container_id, "touch", "/go")
    wait_for(shim)
    assert b"out\n" == (tmp_path / "exec.out").read_bytes()
    failed = runhcs("exec", "-d", container_id, "nothing-here", code=1)
    assert b"nothing-here" in failed.stderr


def test_pause(runhcs: Command, bundle: Bundle, container_id: str) -> None:
    """
    Processes are paused and go on, where the user may freeze them.
    """
    runhcs("create", "-b", str(bundle(config(WAITING))), container_id)
    runhcs("start", container_id)

    paused = runhcs("pause", container_id, code=None)

    if paused.returncode == 0:
        assert "paused" == status(runhcs, container_id)
        runhcs("resume", container_id)
    else:  # an ordinary user may have no freezer
        assert os.geteuid() != 0
        assert b"cannot freeze" in paused.stderr
    assert "running" == status(runhcs, container_id)


def test_a_dead_shim_takes_its_container_with_it(
    runhcs: Command, bundle: Bundle, container_id: str
) -> None:
    """
    However a shim ends, the service ends the container, and it has stopped.
    """
    runhcs("create", "-b", str(bundle(config(WAITING))), container_id)
    runhcs("start", container_id)
    state = json.loads(runhcs("state", container_id).stdout)
    shim = os.pidfd_open(state["pid"])

    signal.pidfd_send_signal(shim, signal.SIGKILL)
    wait_for(shim)

    assert "stopped" == status(runhcs, container_id)
    runhcs("delete", container_id)


def test_what_a_process_leaves_running_ends_with_it(
    runhcs: Command, bundle: Bundle, container_id: str
) -> None:
    """
    The first process's end is the container's, whatever holds its output open.
    """
    folder = bundle(config("sleep 1000 & echo done; exit 3"))

    done = runhcs("run", "-b", str(folder), container_id, code=3)

    assert b"done\n" == done.stdout


def test_bind_mounts_and_working_directory(
    runhcs: Command, bundle: Bundle, container_id: str, tmp_path: Path
) -> None:
    """
    A folder of the host is seen inside, read-only if it says so.
    """
    (tmp_path / "shared").mkdir()
    specification = config("pwd; echo x > file; touch /ro/file", cwd="/rw")
    specification["mounts"] = [
        {
            "type": "bind",
            "source": str(tmp_path / "shared"),
            "destination": place,
            "options": ["rbind", place[1:]],
        }
        for place in ("/rw", "/ro")
    ]

    done = runhcs("run", "-b", str(bundle(specification)), container_id, code=1)

    assert b"/rw\n" == done.stdout
    assert b"ead-only" in done.stderr
    assert "x\n" == (tmp_path / "shared" / "file").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_of_run_are_the_containers(
    root: str, bundle: Bundle, container_id: str, number: signal.Signals
) -> None:
    """
    What would end ``run`` reaches the process; its exit code is ours.
    """
    script = (
        "trap 'echo got it; exit 9' INT TERM; echo ready; while :; do sleep 0.05; done"
    )
    process = subprocess.Popen(
        [*program(root), "run", "-b", str(bundle(config(script))), container_id],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert b"ready\n" == process.stdout.readline()

    process.send_signal(number)
    output, _ = process.communicate(timeout=60)

    assert (9, b"got it\n") == (process.returncode, output)


def test_terminal(root: str, bundle: Bundle, container_id: str) -> None:
    """
    A process with a terminal: keys arrive, the window's size is followed, and ours
    is as before afterwards.
    """
    folder = str(bundle({**config(""), "process": None}))
    specification = config("", terminal=True)
    specification["process"]["args"] = ["sh"]
    (bundle(specification) / "config.json").rename(f"{folder}/config.json")
    module, *options = program(root)[2:]

    terminal = Terminal(module, *options, "run", "-b", folder, container_id)
    terminal.type(b"PS1=ready-; stty size\r")
    terminal.expect(b"33 77")
    terminal.resize(20, 50)
    script = "while [ \"$(stty size)\" != '20 50' ]; do sleep 0.05; done; echo d''one"
    terminal.type(f"{script}\r".encode())
    terminal.expect(b"done")
    terminal.type(b"sh -c 'echo beg\"\"un; exec sleep 100'\r")
    terminal.expect(b"begun")
    terminal.type(b"\x03")
    terminal.type(b"echo a''fter; exit 5\r")
    terminal.expect(b"after")

    assert 5 == terminal.close()


def test_resize(
    runhcs: Command, bundle: Bundle, container_id: str, tmp_path: Path
) -> None:
    """
    ``resize-tty``: the first process's console, or that of an ``exec`` by the id of
    its shim.
    """
    script = (
        "touch /ready; while ! ls /go >/dev/null 2>&1; do sleep 0.05; done; stty size"
    )
    folder = str(bundle(config(script, terminal=True)))
    runhcs("create", "-b", folder, container_id, output="out")
    runhcs("start", container_id)
    wait_until_ready(runhcs, container_id)
    pid_file = tmp_path / "pid"
    waiting = "while ! ls /go >/dev/null 2>&1; do sleep 0.05; done; stty size"
    arguments = ("exec", "-d", "-t", "--pid-file", str(pid_file), container_id)
    runhcs(*arguments, "sh", "-c", waiting, output="exec.out")
    shims = [
        os.pidfd_open(int(pid_file.read_text())),
        os.pidfd_open(json.loads(runhcs("state", container_id).stdout)["pid"]),
    ]

    runhcs("resize-tty", container_id, "44", "55")
    runhcs("resize-tty", "--pid", pid_file.read_text(), container_id, "66", "77")
    assert (
        b"no state"
        in runhcs("resize-tty", "--pid", "1", container_id, "1", "1", code=1).stderr
    )
    runhcs("resize-tty", container_id, "0", "1", code=1)
    runhcs("exec", container_id, "touch", "/go")
    for shim in shims:
        wait_for(shim)

    assert b"55 44" in (tmp_path / "out").read_bytes()


#: An ordinary user may have no control group to hold limits in.
LIMITS = {"memory": {"limit": 512 << 20}, "cpu": {"maximum": 5000}}


def windows_config(script: str) -> dict[str, object]:
    """Make a Windows specification; its programs are those of the layer."""
    return {
        "ociVersion": "1.0.2",
        "process": {
            "args": ["sh", "-c", script],
            "env": ["A=b c", "EMPTY="],
            "cwd": "C:\\",
        },
        "root": {"path": ""},
        "hostname": "box",
        "windows": {
            "layerFolders": ["rootfs", "scratch"],
            "resources": LIMITS if os.geteuid() == 0 else {},
        },
    }


def test_a_windows_bundle(runhcs: Command, bundle: Bundle, container_id: str) -> None:
    """
    Layers and a scratch layer, paths with a drive, a command line: as on Windows. What
    it writes is in the scratch layer, an empty variable is none.
    """
    script = "hostname; echo $A; pwd; env; touch /written; exit 6"
    folder = bundle(windows_config(script))
    (folder / "scratch").mkdir()

    done = runhcs("run", "-b", str(folder), container_id, code=6)

    lines = done.stdout.decode().splitlines()
    assert ["box", "b c", "/"] == lines[:3]
    assert not any(line.startswith("EMPTY") for line in lines)
    assert (folder / "scratch" / "upper" / "written").exists()
    assert not (folder / "rootfs" / "written").exists()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"hyperv": {}}, b"utility VM"),
        ({"credentialSpec": "{}"}, b"ContainerCredentialGuard"),
        ({"devices": [{"id": "x", "idType": "class"}]}, b"AssignedDevices"),
    ],
)
def test_what_this_host_has_not(
    runhcs: Command,
    bundle: Bundle,
    container_id: str,
    members: dict[str, object],
    message: bytes,
) -> None:
    """
    What only Windows has is refused as what it is; nothing is left.
    """
    specification = windows_config("true")
    specification["windows"].update(members)
    folder = bundle(specification)
    (folder / "scratch").mkdir()

    failed = runhcs("--debug", "create", "-b", str(folder), container_id, code=1)

    assert message.lower() in failed.stderr.lower()
    assert b"" == runhcs("list", "-q").stdout
