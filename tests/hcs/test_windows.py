"""Systems and processes of Windows, for real: named pipes, jobs, the proactor loop."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from hcsshim import (
    AsyncComputeSystem,
    ComputeSystem,
    HandleClosedError,
    HcsTimeoutError,
    NotFoundError,
    NotSupportedError,
    async_run,
    container_document,
    run,
)

pytestmark = [
    pytest.mark.host,
    pytest.mark.windows,
    pytest.mark.usefixtures("host"),
]

_LIMIT = 60.0
_ids = count()
_MEGABYTE = 1024 * 1024
_SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


def new_id() -> str:
    """Make an id that no other test uses."""
    return f"windows-{os.getpid()}-{next(_ids)}"


def running() -> ComputeSystem:
    """Create and start a system."""
    system = ComputeSystem.create(new_id(), container_document())
    system.start()
    return system


def python(program: str) -> tuple[str, ...]:
    """Give the command that runs a program of Python."""
    return (sys.executable, "-c", program)


def hcsshim(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "hcsshim", *arguments],
        input=data,
        capture_output=True,
        check=False,
        timeout=120,
    )


def test_output_and_exit_code() -> None:
    """What a command prints comes out, as does its exit code."""
    done = run("cmd /c echo hello& exit 7", capture_output=True, timeout=_LIMIT)

    assert (7, b"hello\r\n", b"") == (done.returncode, done.stdout, done.stderr)


def test_exit_code_is_all_of_it() -> None:
    """Exit codes have 32 bits."""
    done = run(python("import os; os._exit(-5)"), capture_output=True, timeout=_LIMIT)

    assert 0xFFFFFFFB == done.returncode


def test_standard_error() -> None:
    """Output and errors come apart."""
    program = "import sys; print('out'); sys.stderr.write('err')"

    done = run(python(program), capture_output=True, timeout=_LIMIT)

    assert (b"out\r\n", b"err") == (done.stdout, done.stderr)


def test_input() -> None:
    """All input arrives, and its end too."""
    data = os.urandom(3 * _MEGABYTE)
    program = (
        "import hashlib, sys;print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
    )

    done = run(python(program), input=data, capture_output=True, timeout=_LIMIT)

    assert hashlib.sha256(data).hexdigest() == (done.stdout or b"").decode().strip()


def test_much_output() -> None:
    """100 MB of output come through, every byte of them."""
    program = "import os\nfor i in range(100): os.write(1, bytes([i]) * 1048576)"
    digest = hashlib.sha256()
    for number in range(100):
        digest.update(bytes([number]) * _MEGABYTE)
    seen, length = hashlib.sha256(), 0

    with running() as system, system.create_process(python(program)) as process:
        assert process.stdout is not None
        while data := process.stdout.read1(_MEGABYTE):
            seen.update(data)
            length += len(data)
        exit_code = process.wait(_LIMIT)
        system.terminate()

    assert (0, 100 * _MEGABYTE) == (exit_code, length)
    assert digest.digest() == seen.digest()


def test_environment() -> None:
    """Variables arrive beside those that no program can be without."""
    done = run(
        "cmd /c echo %FRUIT% %SYSTEMROOT%",
        env={"FRUIT": "plum"},
        capture_output=True,
        timeout=_LIMIT,
    )

    assert f"plum {os.environ['SYSTEMROOT']}\r\n".encode() == done.stdout


def test_working_directory() -> None:
    """A process begins where it is told."""
    folder = str(Path(os.environ["SYSTEMROOT"], "system32"))

    done = run("cmd /c cd", cwd=folder, capture_output=True, timeout=_LIMIT)

    assert folder.lower().encode() == (done.stdout or b"").strip().lower()


def test_missing_working_directory() -> None:
    """A working directory that is not there is an error of its own."""
    with pytest.raises(OSError, match="0x8007010B"):
        run("cmd /c cd", cwd=r"C:\no\such", capture_output=True, timeout=_LIMIT)


def test_missing_program() -> None:
    """A program that is not there is not found."""
    with pytest.raises(NotFoundError, match="no-such-program"):
        run("no-such-program", capture_output=True, timeout=_LIMIT)


def test_layers_are_not_all_there_is() -> None:
    """Who asks for isolation by name is refused: a job shows the machine, too."""
    document = container_document(layers=[os.environ["SYSTEMROOT"]])
    demanded = {**json.loads(document), "EmbeddedHost": {"Isolation": "Namespaces"}}

    with pytest.raises(NotSupportedError, match="hide the machine's files"):
        ComputeSystem.create(new_id(), demanded)


def test_kill() -> None:
    """A killed process has ended, and its pipes too."""
    with running() as system, system.create_process(_SLEEP) as process:
        with pytest.raises(HcsTimeoutError):
            process.communicate(timeout=0.1)
        process.kill()
        process.kill()

        assert 137 == process.wait(_LIMIT)
        assert (b"", b"") == process.communicate(timeout=_LIMIT)
        system.terminate()


def test_signal_without_console_is_refused() -> None:
    """Windows has no signals for a process without a console."""
    with running() as system, system.create_process(_SLEEP) as process:
        with pytest.raises(NotSupportedError):
            process.signal("CtrlC")
        system.terminate()


def test_terminate_takes_children_along() -> None:
    """What a process started dies with the system, too."""
    program = (
        "import subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'],"
        " stdin=subprocess.PIPE);"
        "print(child.pid, flush=True); child.wait()"
    )
    with running() as system, system.create_process(python(program)) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        listed = system.properties("ProcessList").process_list or ()
        assert child in {found.process_id for found in listed}

        system.terminate()
        system.wait(timeout=_LIMIT)

        assert 137 == process.wait(_LIMIT)


def test_pause_and_resume() -> None:
    """A paused process does nothing until it is resumed."""
    program = (
        "import sys\nfor line in sys.stdin: print('got', line, end='', flush=True)"
    )
    with running() as system:
        process = system.create_process(python(program), stdin=True)
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b"one\n")
            process.stdin.flush()
            assert b"got one\r\n" == process.stdout.readline()
            system.pause()
            process.stdin.write(b"two\n")
            process.stdin.flush()
            with pytest.raises(HcsTimeoutError):
                process.wait(0.2)
            system.resume()
            assert b"got two\r\n" == process.stdout.readline()
            system.terminate()


def test_close_ends_a_read() -> None:
    """A task that reads from a stream learns that it was closed."""

    async def main() -> None:
        system = await AsyncComputeSystem.create(new_id(), container_document())
        async with system:
            await system.start()
            process = await system.create_process(_SLEEP)
            assert process.stdout is not None
            reading = asyncio.create_task(process.stdout.read())
            await asyncio.sleep(0)
            await process.aclose()
            with pytest.raises(HandleClosedError):
                await reading
            await system.terminate()

    asyncio.run(main())


def test_awaited() -> None:
    """The same without blocking: input, output, and the exit."""
    data = b"x" * _MEGABYTE
    program = "import sys; print(len(sys.stdin.buffer.read()))"

    done = asyncio.run(
        async_run(python(program), input=data, capture_output=True, timeout=_LIMIT)
    )

    assert (0, b"1048576\r\n") == (done.returncode, done.stdout)


def test_awaited_lines() -> None:
    """Lines can be read as they come."""

    async def main() -> list[bytes]:
        system = await AsyncComputeSystem.create(new_id(), container_document())
        async with system:
            await system.start()
            process = await system.create_process("cmd /c echo a& echo b")
            async with process:
                assert process.stdout is not None
                lines = [line async for line in process.stdout]
                assert 0 == await process.wait(_LIMIT)
            await system.terminate()
            return lines

    assert [b"a\r\n", b"b\r\n"] == asyncio.run(main())


def test_command_line() -> None:
    """`hcsshim run` prints what the command prints, and exits as it does."""
    done = hcsshim("run", "--", "cmd", "/c", "echo hello& exit 5")

    assert (5, b"hello\r\n", b"") == (done.returncode, done.stdout, done.stderr)


def test_command_line_input() -> None:
    """`hcsshim run -i` passes input on, and its end."""
    program = "import sys; print(len(sys.stdin.buffer.read()))"

    done = hcsshim("run", "-i", "--", *python(program), data=b"y" * _MEGABYTE)

    assert (0, b"1048576\r\n") == (done.returncode, done.stdout)


def test_command_line_missing_program() -> None:
    """A program that is not there is told in a sentence, with exit code 127."""
    done = hcsshim("run", "--", "no-such-program")

    assert 127 == done.returncode
    assert b"no-such-program" in done.stderr
    assert b"Traceback" not in done.stderr


def test_host_status_and_stop() -> None:
    """The host can be asked for, and stopped; the next call starts another."""
    before = hcsshim("host", "status")
    stopped = hcsshim("host", "stop")
    after = hcsshim("host", "status")

    assert (0, 0, 3) == (before.returncode, stopped.returncode, after.returncode)
    assert b"stopped\r\n" == stopped.stdout
