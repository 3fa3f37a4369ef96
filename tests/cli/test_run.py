"""``hcsshim run`` and ``hcsshim exec``, end to end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from terminals import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Hcsshim

pytestmark = pytest.mark.host


def test_readme_command(hcsshim: Hcsshim) -> None:
    """
    The first command of the README prints its line, with the container's own name.
    """
    result = hcsshim("run", "--", "sh", "-c", "echo hello from $(hostname)")

    assert result.stdout.startswith(b"hello from ")
    assert os.uname().nodename.encode() != result.stdout.split()[-1]
    assert b"" == result.stderr


def test_streams_pass_through_exactly(hcsshim: Hcsshim) -> None:
    """
    Input and both outputs are byte-exact, several MB of each.
    """
    data = random.Random(1).randbytes(5_000_000)  # noqa: S311 - no secret

    result = hcsshim("run", "-i", "--", "sh", "-c", "tee /dev/fd/2 2>&2", data=data)

    assert data == result.stdout
    assert data == result.stderr


def test_stdin_needs_to_be_asked_for(hcsshim: Hcsshim) -> None:
    """
    Without ``-i`` the command has no input.
    """
    assert b"" == hcsshim("run", "--", "cat", data=b"unwanted").stdout


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -TERM $$"], 143),
        (["no-such-command"], 127),
        (["/etc/passwd"], 126),
    ],
    ids=["exit", "signal", "not found", "not executable"],
)
def test_exit_codes(hcsshim: Hcsshim, command: list[str], code: int) -> None:
    """
    The exit code is the command's, or says why it could not be run.
    """
    hcsshim("run", "--", *command, code=code)


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["run", "--layer", "/no/such/layer", "--", "true"], 2, b"/no/such/layer"),
        (["run", "--memory", "lots", "--", "true"], 2, b"--memory"),
        (["run", "-v", "/tmp", "--", "true"], 2, b"SRC:DST"),
        (["run", "-v", "/no/such:/x", "--", "true"], 2, b"/no/such"),
        (["run", "--cpus", "0", "--", "true"], 2, b"--cpus"),
        (["run", "-w", "/no/such", "--", "true"], None, b"/no/such"),
        (["run", "--name", "a/b", "--", "true"], 125, b"a/b"),
        (["run"], 2, b"COMMAND"),
        (["exec", "no-such-id", "--", "true"], 125, b"0x8037010E"),
        (["start", "no-such-id"], 1, b"no-such-id"),
        (["inspect", "no-such-id"], 1, b"no-such-id"),
        (["rm", "no-such-id"], 1, b"no-such-id"),
        (["kill", "-s", "NOSUCH", "x"], 2, b"NOSUCH"),
        (["no-such-command"], 2, b"no-such-command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_gets_one_clear_sentence(
    hcsshim: Hcsshim,
    arguments: list[str],
    code: int | None,
    text: bytes,
) -> None:
    """
    What is wrong is named on stderr, without a traceback, and the code says so.
    """
    result = hcsshim(*arguments, code=code)

    assert 0 != result.returncode
    assert text in result.stderr
    assert b"" == result.stdout


def test_environment_directory_user_and_volumes(
    hcsshim: Hcsshim, tmp_path: Path
) -> None:
    """
    Variables, working directory and volumes are as asked for; read-only holds.
    """
    (tmp_path / "shared").mkdir()
    (tmp_path / "fixed").mkdir()
    (tmp_path / "fixed" / "file").write_text("as it was\n")
    (tmp_path / "variables").write_text("# a comment\nONE=1\nTWO=overridden\n")

    result = hcsshim(
        "run",
        *("-e", "TWO=2", "--env-file", str(tmp_path / "variables")),
        *("-v", f"{tmp_path}/shared:/mnt/shared"),
        *("-v", f"{tmp_path}/fixed:/mnt/fixed:ro"),
        *("-w", "/mnt/shared"),
        "--",
        *("sh", "-c"),
        "echo $ONE $TWO $(pwd); cat /mnt/fixed/file; echo new > file; "
        "echo x 2>/dev/null > /mnt/fixed/file || echo refused",
    )

    assert b"1 2 /mnt/shared\nas it was\nrefused\n" == result.stdout
    assert "new\n" == (tmp_path / "shared" / "file").read_text()
    assert "as it was\n" == (tmp_path / "fixed" / "file").read_text()


def test_layers_scratch_and_what_is_kept(hcsshim: Hcsshim, layer: Path) -> None:
    """
    A command sees its layers only; what it wrote is kept until ``rm``.
    """
    name = f"kept-{os.getpid()}"
    hcsshim(
        *("run", "--name", name, "--layer", str(layer)),
        *("--", "sh", "-c", "ls /; touch /written; exit 3"),
        code=3,
    )

    records = {
        record["Id"]: record
        for record in json.loads(hcsshim("ps", "-a", "--json").stdout)
    }
    assert 3 == records[name]["ExitCode"]
    assert name.encode() in hcsshim("ps", "-a").stdout
    assert name.encode() not in hcsshim("ps").stdout
    assert not (layer / "written").exists()
    again = hcsshim("run", "--name", name, "--layer", str(layer), "--", "ls", code=125)
    assert b"hcsshim rm" in again.stderr
    hcsshim("rm", name)
    assert name.encode() not in hcsshim("ps", "-a").stdout


def test_rm_keeps_nothing(hcsshim: Hcsshim, layer: Path) -> None:
    """
    With ``--rm`` nothing is kept.
    """
    before = hcsshim("ps", "-a", "-q").stdout
    hcsshim("run", "--rm", "--layer", str(layer), "--", "touch", "/written")

    assert before == hcsshim("ps", "-a", "-q").stdout


@pytest.mark.usefixtures("host")
def test_terminal() -> None:
    """
    ``-it``: keys arrive, the window's size is followed, Ctrl-C goes to the command,
    and our terminal is as before afterwards.
    """
    terminal = Terminal("hcsshim", "run", "-it", "--", "sh")
    terminal.type(b"PS1=ready-; tty; stty size\r")
    terminal.expect(b"/dev/pts/")
    terminal.expect(b"33 77")
    terminal.resize(20, 50)
    # Nobody says when the new size has arrived, so it is asked for until then.
    terminal.type(b"until stty size | grep '20 5'0; do sleep 0.1; done\r")
    terminal.expect(b"20 50")
    terminal.type(b"sh -c 'echo beg\"\"un; exec sleep 100'\r")
    terminal.expect(b"begun")
    terminal.type(b"\x03")
    terminal.type(b"echo a''fter; exit 5\r")
    terminal.expect(b"after")

    assert 5 == terminal.close()


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_go_to_the_command(number: signal.Signals) -> None:
    """
    Without a terminal, Ctrl-C and SIGTERM are the command's; its exit code is ours.
    """
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "hcsshim",
            "run",
            "--",
            "sh",
            "-c",
            (
                "trap 'echo got it; exit 9' INT TERM; echo ready; "
                "while :; do sleep 0.05; done"
            ),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    process.send_signal(number)

    assert "got it\n" == process.communicate(timeout=60)[0]
    assert 9 == process.returncode


@pytest.mark.usefixtures("host")
def test_second_interrupt_kills() -> None:
    """
    A command that ignores Ctrl-C is killed by the second one.
    """
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "hcsshim",
            "run",
            "--",
            "sh",
            "-c",
            "trap 'echo ignored' INT; echo ready; while :; do sleep 0.05; done",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert "ignored\n" == process.stdout.readline()
    process.send_signal(signal.SIGINT)

    process.communicate(timeout=60)
    assert 0 != process.returncode


def test_killed_command_line_leaves_nothing(hcsshim: Hcsshim) -> None:
    """
    ``kill -9`` of the command line takes the container along.
    """
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "hcsshim",
            "run",
            "--",
            "sh",
            "-c",
            "echo ready; sleep 1000",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    process.kill()
    process.communicate()

    while hcsshim("ps", "-q").stdout:
        pass  # until the host has noticed


@pytest.mark.usefixtures("host")
def test_reader_that_goes_away() -> None:
    """
    ``| head`` ends a command that writes without end, quietly.
    """
    script = f"{sys.executable} -m hcsshim run -- yes | head -n 2"
    result = subprocess.run(
        ["sh", "-c", script], capture_output=True, check=False, timeout=30
    )

    assert b"y\ny\n" == result.stdout
    assert b"" == result.stderr


def test_unisolated_only_on_request(hcsshim: Hcsshim) -> None:
    """
    ``--unisolated`` runs on the machine itself, with its name.
    """
    result = hcsshim("run", "--unisolated", "--", "uname", "-n")

    assert os.uname().nodename == result.stdout.decode().strip()
