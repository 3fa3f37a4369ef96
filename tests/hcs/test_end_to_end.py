# Made by async_to_sync.py of tests/hcs/test_async_end_to_end.py; do not edit.
"""Systems and processes for real: on an embedded host of the tests' own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING

import pytest

from hcsshim import (
    AlreadyExistsError,
    ComputeSystem,
    EventType,
    HandleClosedError,
    HcsTimeoutError,
    InvalidDataError,
    InvalidStateError,
    NotFoundError,
    ProcessFailedError,
    container_document,
    enumerate_systems,
    run,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("host")]

#: Both faces' tests run in one process, so ids are not counted twice.
_ids = count()


def new_id() -> str:
    """Make an id that no other test uses."""
    return f"{__name__.rpartition('.')[2]}-{os.getpid()}-{next(_ids)}"


def run_python(program: str, *arguments: str) -> str:
    """Run a program of Python in a process of its own; give what it printed."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def running() -> ComputeSystem:
    """Create and start a system over the machine's own root."""
    system = ComputeSystem.create(new_id(), container_document())
    system.start()
    return system


def test_life_of_a_system() -> None:
    """
    Created, running, stopped: each state shows, and after the end the id is free.
    """
    system = ComputeSystem.create(new_id(), container_document())
    with system:
        states = [(system.properties()).state]
        system.start()
        states.append((system.properties()).state)
        listed = {found.id for found in enumerate_systems()}
        system.terminate()
        status = system.wait(timeout=10)

    assert states == ["Created", "Running"]
    assert system.id in listed
    assert status.exit_type == "ForcedExit"
    assert system.id not in {found.id for found in enumerate_systems()}


def test_shutdown_ends_a_system() -> None:
    """
    A system that is asked to end is gone when the call returns, also if asked twice.
    """
    with running() as system:
        system.shutdown(timeout=30)
        system.shutdown(timeout=30)
        system.terminate(timeout=30)

        assert (system.wait(timeout=0)).exit_type is not None


def test_verbs_in_the_wrong_state() -> None:
    """
    What the state does not allow is refused with the code that Windows uses.
    """
    with ComputeSystem.create(new_id(), container_document()) as system:
        with pytest.raises(InvalidStateError) as not_running:
            system.create_process(["true"])
        system.start()
        with pytest.raises(InvalidStateError) as running_already:
            system.start()
        system.terminate()

    assert not_running.value.hresult == 0x80370105
    assert running_already.value.hresult == 0x80370105


def test_id_in_use_and_unknown_id() -> None:
    """
    An id belongs to one system; one that nobody has is not found.
    """
    with running() as system:
        with pytest.raises(AlreadyExistsError):
            ComputeSystem.create(system.id, container_document())
        assert (system.properties()).state == "Running"  # left alone
        system.terminate()
    with pytest.raises(NotFoundError) as caught:
        ComputeSystem.open(new_id())

    assert caught.value.hresult == 0x8037010E


@pytest.mark.parametrize("document", ["{", "[]", '{"Container":{"Storage":5}}'])
def test_bad_document(document: str) -> None:
    """
    A document that is none is refused in one clear line, and leaves nothing.
    """
    with pytest.raises(InvalidDataError) as caught:
        ComputeSystem.create(new_id(), document)

    assert "\n" not in str(caught.value)


def test_stdio_of_a_process() -> None:
    """
    Input arrives, both outputs come back apart, and the exit code is the command's.
    """
    with running() as system:
        with system.create_process(
            ["sh", "-c", "cat; echo oops >&2; exit 3"]
        ) as process:
            output = process.communicate(b"bytes \x00\xff", timeout=30)
            code = process.wait()
        system.terminate()

    assert output == (b"bytes \x00\xff", b"oops\n")
    assert (code, process.returncode) == (3, 3)


def test_conversation_with_a_process() -> None:
    """
    Streams go both ways while the process runs; closing stdin ends its input.
    """
    with running() as system:
        with system.create_process(["cat"]) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for line in (b"one\n", b"two\n"):
                process.stdin.write(line)
                process.stdin.flush()
                assert process.stdout.readline() == line
            assert process.poll() is None

            process.close_stdin()

            assert process.stdout.read() == b""
            assert process.wait(timeout=30) == 0
        system.terminate()


def test_much_data_both_ways() -> None:
    """
    More than any pipe holds passes through unchanged.
    """
    data = os.urandom(65536) * 64

    with running() as system:
        with system.create_process(["cat"]) as process:
            output, _ = process.communicate(data, timeout=60)
        system.terminate()

    assert output == data


def test_environment_directory_and_arguments() -> None:
    """
    Variables, working directory and odd arguments reach the command as given.
    """
    script = 'printf "%s|" "$GREETING" "$PWD" "$@"'
    arguments = ["two words", "", 'quo"te', "back\\slash\\", "tab\t"]
    with running() as system:
        with system.create_process(
            ["sh", "-c", script, "sh", *arguments], env={"GREETING": "hi"}, cwd="/tmp"
        ) as process:
            output, _ = process.communicate(timeout=30)
        system.terminate()

    assert output.decode().split("|")[:-1] == ["hi", "/tmp", *arguments]


def test_command_not_found() -> None:
    """
    A command that does not exist is not found, and the system runs on.
    """
    with running() as system:
        with pytest.raises(NotFoundError) as caught:
            system.create_process(["no-such-command"])
        with system.create_process(["true"]) as process:
            assert process.wait(timeout=30) == 0
        system.terminate()

    assert caught.value.hresult == 0x80070002


def test_kill_and_signal() -> None:
    """
    A process ends by force or by a signal; afterwards a kill still succeeds.
    """
    with running() as system:
        with system.create_process(["sleep", "1000"]) as killed:
            with pytest.raises(HcsTimeoutError):
                killed.wait(timeout=0)
            killed.kill()
            assert killed.wait(timeout=30) != 0
            killed.kill()
        script = "trap 'exit 7' TERM; echo ready; while :; do read line; done"
        with system.create_process(["sh", "-c", script]) as signalled:
            assert signalled.stdout is not None
            assert signalled.stdout.readline() == b"ready\n"
            signalled.signal(signal.SIGTERM)
            assert signalled.wait(timeout=30) == 7
        system.terminate()


def test_open_process_from_a_second_handle() -> None:
    """
    Another handle sees the same process, its number, and its exit.
    """
    with (
        running() as system,
        ComputeSystem.open(system.id) as second,
    ):
        with system.create_process(["sleep", "1000"]) as process:
            with second.open_process(process.pid) as same:
                assert (same.pid, same.stdout) == (process.pid, None)
                same.kill()
                assert same.wait(timeout=30) == process.wait(timeout=30)
        with pytest.raises(NotFoundError):
            second.open_process(999_999)
        system.terminate()


def test_open_from_another_program() -> None:
    """
    A system is open to any program of the same user, by its id.
    """
    program = (
        "import sys, hcsshim\n"
        "with hcsshim.ComputeSystem.open(sys.argv[1]) as system:\n"
        "    print(system.properties().state)\n"
        "    with system.create_process(['echo', 'hi']) as process:\n"
        "        print(process.communicate()[0])\n"
    )
    with running() as system:
        printed = run_python(program, system.id)
        system.terminate()

    assert printed == "Running\nb'hi\\n'\n"


def test_console() -> None:
    """
    A process with a console sees its size, and the size it gets later.
    """
    script = "stty size; read go; stty size"
    with running() as system:
        with system.create_process(
            ["sh", "-c", script], console_size=(100, 30)
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is None
            assert (process.stdout.readline()).strip() == b"30 100"
            process.resize_console(120, 40)
            process.stdin.write(b"\n")
            process.stdin.flush()
            output, _ = process.communicate(timeout=30)
        system.terminate()

    assert output.split()[-2:] == [b"40", b"120"]


def test_events_of_a_system() -> None:
    """
    Everybody who listens is told of the end, with its status, and then no more.
    """
    with running() as system:
        with system.events() as first, system.events() as second:
            system.terminate()
            ends = [
                [event for event in first][-1],
                [event for event in second][-1],
            ]

    assert [end.type for end in ends] == [EventType.SYSTEM_EXITED] * 2
    assert [end.data for end in ends] == [ends[0].data] * 2
    assert ends[0].data is not None


def test_closing_lets_the_system_run_on() -> None:
    """
    A system that was told to be kept outlives its handle.
    """
    name = new_id()
    with ComputeSystem.create(name, container_document(keep=True)) as system:
        system.start()
    with pytest.raises(HandleClosedError):
        system.properties()

    with ComputeSystem.open(name) as again:
        assert (again.properties()).state == "Running"
        again.terminate()


def test_run_captures_and_checks() -> None:
    """
    ``run`` gives exit code and output; ``check`` makes a failure an error.
    """
    completed = run(
        ["sh", "-c", "cat; echo oops >&2; exit 4"], input=b"in", capture_output=True
    )
    with pytest.raises(ProcessFailedError) as caught:
        run('sh -c "exit 5"', capture_output=True, check=True)

    assert (completed.returncode, completed.stdout) == (4, b"in")
    assert completed.stderr == b"oops\n"
    assert caught.value.returncode == 5


def test_run_passes_output_on(capfd: pytest.CaptureFixture[str]) -> None:
    """
    Without capturing, the command writes where this process does.
    """
    completed = run(["sh", "-c", "echo out; echo err >&2"])

    assert (completed.stdout, completed.stderr) == (None, None)
    assert capfd.readouterr() == ("out\n", "err\n")


def test_run_in_time_or_not_at_all() -> None:
    """
    A time-out ends the command and its system, and tells what came so far.
    """
    with pytest.raises(HcsTimeoutError) as caught:
        run(["sh", "-c", "echo early; sleep 1000"], capture_output=True, timeout=2)

    assert caught.value.stdout == b"early\n"


def test_run_with_mounts_and_host_name(tmp_path: Path) -> None:
    """
    The system sees directories of the host, where and how it was told to.
    """
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "file").write_text("shared")
    script = (
        "cat /mnt/in/file; echo new > /mnt/out/file; echo x > /mnt/in/x || hostname"
    )

    completed = run(
        ["sh", "-c", script],
        capture_output=True,
        hostname="demo",
        mounts=[
            (tmp_path / "in", "/mnt/in", True),
            (tmp_path / "out", "/mnt/out"),
        ],
    )

    assert completed.stdout == b"shareddemo\n"
    assert (tmp_path / "out" / "file").read_text() == "new\n"
    assert not (tmp_path / "in" / "x").exists()
