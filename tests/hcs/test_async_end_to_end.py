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
    AsyncComputeSystem,
    EventType,
    HandleClosedError,
    HcsTimeoutError,
    InvalidDataError,
    InvalidStateError,
    NotFoundError,
    ProcessFailedError,
    async_enumerate_systems,
    async_run,
    container_document,
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


async def running() -> AsyncComputeSystem:
    """Create and start a system over the machine's own root."""
    system = await AsyncComputeSystem.create(new_id(), container_document())
    await system.start()
    return system


async def test_life_of_a_system() -> None:
    """
    Created, running, stopped: each state shows, and after the end the id is free.
    """
    system = await AsyncComputeSystem.create(new_id(), container_document())
    async with system:
        states = [(await system.properties()).state]
        await system.start()
        states.append((await system.properties()).state)
        listed = {found.id for found in await async_enumerate_systems()}
        await system.terminate()
        status = await system.wait(timeout=10)

    assert states == ["Created", "Running"]
    assert system.id in listed
    assert status.exit_type == "ForcedExit"
    assert system.id not in {found.id for found in await async_enumerate_systems()}


async def test_shutdown_ends_a_system() -> None:
    """
    A system that is asked to end is gone when the call returns, also if asked twice.
    """
    async with await running() as system:
        await system.shutdown(timeout=30)
        await system.shutdown(timeout=30)
        await system.terminate(timeout=30)

        assert (await system.wait(timeout=0)).exit_type is not None


async def test_verbs_in_the_wrong_state() -> None:
    """
    What the state does not allow is refused with the code that Windows uses.
    """
    async with await AsyncComputeSystem.create(
        new_id(), container_document()
    ) as system:
        with pytest.raises(InvalidStateError) as not_running:
            await system.create_process(["true"])
        await system.start()
        with pytest.raises(InvalidStateError) as running_already:
            await system.start()
        await system.terminate()

    assert not_running.value.hresult == 0x80370105
    assert running_already.value.hresult == 0x80370105


async def test_id_in_use_and_unknown_id() -> None:
    """
    An id belongs to one system; one that nobody has is not found.
    """
    async with await running() as system:
        with pytest.raises(AlreadyExistsError):
            await AsyncComputeSystem.create(system.id, container_document())
        assert (await system.properties()).state == "Running"  # left alone
        await system.terminate()
    with pytest.raises(NotFoundError) as caught:
        await AsyncComputeSystem.open(new_id())

    assert caught.value.hresult == 0x8037010E


@pytest.mark.parametrize("document", ["{", "[]", '{"Container":{"Storage":5}}'])
async def test_bad_document(document: str) -> None:
    """
    A document that is none is refused in one clear line, and leaves nothing.
    """
    with pytest.raises(InvalidDataError) as caught:
        await AsyncComputeSystem.create(new_id(), document)

    assert "\n" not in str(caught.value)


async def test_stdio_of_a_process() -> None:
    """
    Input arrives, both outputs come back apart, and the exit code is the command's.
    """
    async with await running() as system:
        async with await system.create_process(
            ["sh", "-c", "cat; echo oops >&2; exit 3"]
        ) as process:
            output = await process.communicate(b"bytes \x00\xff", timeout=30)
            code = await process.wait()
        await system.terminate()

    assert output == (b"bytes \x00\xff", b"oops\n")
    assert (code, process.returncode) == (3, 3)


async def test_conversation_with_a_process() -> None:
    """
    Streams go both ways while the process runs; closing stdin ends its input.
    """
    async with await running() as system:
        async with await system.create_process(["cat"]) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for line in (b"one\n", b"two\n"):
                await process.stdin.write(line)
                process.stdin.flush()
                assert await process.stdout.readline() == line
            assert process.poll() is None

            await process.close_stdin()

            assert await process.stdout.read() == b""
            assert await process.wait(timeout=30) == 0
        await system.terminate()


async def test_much_data_both_ways() -> None:
    """
    More than any pipe holds passes through unchanged.
    """
    data = os.urandom(65536) * 64

    async with await running() as system:
        async with await system.create_process(["cat"]) as process:
            output, _ = await process.communicate(data, timeout=60)
        await system.terminate()

    assert output == data


async def test_environment_directory_and_arguments() -> None:
    """
    Variables, working directory and odd arguments reach the command as given.
    """
    script = 'printf "%s|" "$GREETING" "$PWD" "$@"'
    arguments = ["two words", "", 'quo"te', "back\\slash\\", "tab\t"]
    async with await running() as system:
        async with await system.create_process(
            ["sh", "-c", script, "sh", *arguments], env={"GREETING": "hi"}, cwd="/tmp"
        ) as process:
            output, _ = await process.communicate(timeout=30)
        await system.terminate()

    assert output.decode().split("|")[:-1] == ["hi", "/tmp", *arguments]


async def test_command_not_found() -> None:
    """
    A command that does not exist is not found, and the system runs on.
    """
    async with await running() as system:
        with pytest.raises(NotFoundError) as caught:
            await system.create_process(["no-such-command"])
        async with await system.create_process(["true"]) as process:
            assert await process.wait(timeout=30) == 0
        await system.terminate()

    assert caught.value.hresult == 0x80070002


async def test_kill_and_signal() -> None:
    """
    A process ends by force or by a signal; afterwards a kill still succeeds.
    """
    async with await running() as system:
        async with await system.create_process(["sleep", "1000"]) as killed:
            with pytest.raises(HcsTimeoutError):
                await killed.wait(timeout=0)
            await killed.kill()
            assert await killed.wait(timeout=30) != 0
            await killed.kill()
        script = "trap 'exit 7' TERM; echo ready; while :; do read line; done"
        async with await system.create_process(["sh", "-c", script]) as signalled:
            assert signalled.stdout is not None
            assert await signalled.stdout.readline() == b"ready\n"
            await signalled.signal(signal.SIGTERM)
            assert await signalled.wait(timeout=30) == 7
        await system.terminate()


async def test_open_process_from_a_second_handle() -> None:
    """
    Another handle sees the same process, its number, and its exit.
    """
    async with (
        await running() as system,
        await AsyncComputeSystem.open(system.id) as second,
    ):
        async with await system.create_process(["sleep", "1000"]) as process:
            async with await second.open_process(process.pid) as same:
                assert (same.pid, same.stdout) == (process.pid, None)
                await same.kill()
                assert await same.wait(timeout=30) == await process.wait(timeout=30)
        with pytest.raises(NotFoundError):
            await second.open_process(999_999)
        await system.terminate()


async def test_open_from_another_program() -> None:
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
    async with await running() as system:
        printed = run_python(program, system.id)
        await system.terminate()

    assert printed == "Running\nb'hi\\n'\n"


async def test_console() -> None:
    """
    A process with a console sees its size, and the size it gets later.
    """
    script = "stty size; read go; stty size"
    async with await running() as system:
        async with await system.create_process(
            ["sh", "-c", script], console_size=(100, 30)
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is None
            assert (await process.stdout.readline()).strip() == b"30 100"
            await process.resize_console(120, 40)
            await process.stdin.write(b"\n")
            process.stdin.flush()
            output, _ = await process.communicate(timeout=30)
        await system.terminate()

    assert output.split()[-2:] == [b"40", b"120"]


async def test_events_of_a_system() -> None:
    """
    Everybody who listens is told of the end, with its status, and then no more.
    """
    async with await running() as system:
        async with await system.events() as first, await system.events() as second:
            await system.terminate()
            ends = [
                [event async for event in first][-1],
                [event async for event in second][-1],
            ]

    assert [end.type for end in ends] == [EventType.SYSTEM_EXITED] * 2
    assert [end.data for end in ends] == [ends[0].data] * 2
    assert ends[0].data is not None


async def test_closing_lets_the_system_run_on() -> None:
    """
    A system that was told to be kept outlives its handle.
    """
    name = new_id()
    async with await AsyncComputeSystem.create(
        name, container_document(keep=True)
    ) as system:
        await system.start()
    with pytest.raises(HandleClosedError):
        await system.properties()

    async with await AsyncComputeSystem.open(name) as again:
        assert (await again.properties()).state == "Running"
        await again.terminate()


async def test_run_captures_and_checks() -> None:
    """
    ``run`` gives exit code and output; ``check`` makes a failure an error.
    """
    completed = await async_run(
        ["sh", "-c", "cat; echo oops >&2; exit 4"], input=b"in", capture_output=True
    )
    with pytest.raises(ProcessFailedError) as caught:
        await async_run('sh -c "exit 5"', capture_output=True, check=True)

    assert (completed.returncode, completed.stdout) == (4, b"in")
    assert completed.stderr == b"oops\n"
    assert caught.value.returncode == 5


async def test_run_passes_output_on(capfd: pytest.CaptureFixture[str]) -> None:
    """
    Without capturing, the command writes where this process does.
    """
    completed = await async_run(["sh", "-c", "echo out; echo err >&2"])

    assert (completed.stdout, completed.stderr) == (None, None)
    assert capfd.readouterr() == ("out\n", "err\n")


async def test_run_in_time_or_not_at_all() -> None:
    """
    A time-out ends the command and its system, and tells what came so far.
    """
    with pytest.raises(HcsTimeoutError) as caught:
        await async_run(
            ["sh", "-c", "echo early; sleep 1000"], capture_output=True, timeout=2
        )

    assert caught.value.stdout == b"early\n"


async def test_run_with_mounts_and_host_name(tmp_path: Path) -> None:
    """
    The system sees directories of the host, where and how it was told to.
    """
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "file").write_text("shared")
    script = (
        "cat /mnt/in/file; echo new > /mnt/out/file; echo x > /mnt/in/x || hostname"
    )

    completed = await async_run(
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
