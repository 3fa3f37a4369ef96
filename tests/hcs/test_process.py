# Made by async_to_sync.py of tests/hcs/test_async_process.py; do not edit.
"""The verbs of a process, with a service that follows a script."""

from __future__ import annotations

import gc
import json
import os
from typing import TYPE_CHECKING

import pytest

from hcsshim import (
    AccessDeniedError,
    ComputeSystem,
    HandleClosedError,
    HcsTimeoutError,
    InvalidStateError,
    NotFoundError,
    Process,
    ProcessGoneError,
    ServiceDisconnectedError,
    documents,
)
from hcsshim._native.port import GENERIC_ALL, INFINITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import ScriptedService

    Pipes = Callable[[], tuple[int, int]]

CREATE = "HcsCreateProcess"
OPEN = "HcsOpenProcess"
CLOSE = "HcsCloseProcess"
TERMINATE = "HcsTerminateProcess"
SIGNAL = "HcsSignalProcess"
MODIFY = "HcsModifyProcess"
WAIT_EXIT = "HcsWaitForProcessExit"


class Ends:
    """The other ends of a process's pipes."""

    def __init__(self, pipes: Pipes) -> None:
        self.stdin, stdin = pipes()
        stdout, self.stdout = pipes()
        stderr, self.stderr = pipes()
        self.files = stdin, stdout, stderr


def start(
    service: ScriptedService, files: tuple[int, int, int] = (-1, -1, -1)
) -> tuple[ComputeSystem, Process]:
    """Start a process in a system, and forget the calls that this took."""
    system = ComputeSystem.create("demo", {}, service=service)
    service.script(CREATE, 0, process_id=12, files=files)
    process = system.create_process(["cat", "a b"])
    service.asked.clear()
    return system, process


def test_create_asks_for_the_exit_in_the_same_breath(
    service: ScriptedService,
) -> None:
    """
    A process costs two calls that are submitted together, and one answer.
    """
    with ComputeSystem.create("demo", {}, service=service) as system:
        service.script(CREATE, 0, process_id=12)
        service.asked.clear()
        with system.create_process(["cat", "a b"], stdin=False) as process:
            create, wait_exit = service.asked

    assert process.pid == 12
    assert process.system_id == "demo"
    assert create[:2] == (CREATE, 1001)
    assert json.loads(str(create[2])) == {
        "CommandLine": 'cat "a b"',
        "CreateStdOutPipe": True,
        "CreateStdErrPipe": True,
    }
    assert wait_exit == (WAIT_EXIT, 1002, INFINITE)


def test_everything_a_process_can_be_given(service: ScriptedService) -> None:
    """
    Each argument becomes its member; a console has a size and no stderr.
    """
    with ComputeSystem.create("demo", {}, service=service) as system:
        service.asked.clear()
        (
            system.create_process(
                "cmd /c dir",
                env={"A": "1"},
                cwd="C:\\",
                user="ContainerUser",
                console_size=(80, 25),
            )
        ).close()

    assert json.loads(str(service.asked[0][2])) == {
        "CommandLine": "cmd /c dir",
        "User": "ContainerUser",
        "WorkingDirectory": "C:\\",
        "Environment": {"A": "1"},
        "EmulateConsole": True,
        "ConsoleSize": [25, 80],
        "CreateStdInPipe": True,
        "CreateStdOutPipe": True,
    }


@pytest.mark.parametrize(
    "document",
    [
        {"CommandLine": "cat"},
        documents.ProcessParameters(command_line="cat"),
    ],
    ids=["mapping", "model"],
)
def test_document_says_it_all(
    service: ScriptedService,
    document: dict[str, object] | documents.ProcessParameters,
) -> None:
    """
    A document is sent as it is, and nothing may be said twice.
    """
    with ComputeSystem.create("demo", {}, service=service) as system:
        service.asked.clear()
        (system.create_process(document)).close()
        with pytest.raises(TypeError, match="belong in the document"):
            system.create_process(document, cwd="/")

    assert json.loads(str(service.asked[0][2])) == {"CommandLine": "cat"}


@pytest.mark.parametrize("args", [[], "", "  "])
def test_empty_command_is_refused(
    service: ScriptedService, args: list[str] | str
) -> None:
    """
    There must be something to run.
    """
    with ComputeSystem.create("demo", {}, service=service) as system:
        with pytest.raises(ValueError, match="empty"):
            system.create_process(args)


@pytest.mark.parametrize("size", [(0, 25), (80, 65536)])
def test_impossible_console_is_refused(
    service: ScriptedService, size: tuple[int, int]
) -> None:
    """
    A console has between 1 and 65535 columns and rows.
    """
    with ComputeSystem.create("demo", {}, service=service) as system:
        with pytest.raises(ValueError, match="65535"):
            system.create_process("cmd", console_size=size)


def test_failed_create_leaves_nothing(service: ScriptedService) -> None:
    """
    A process that may have been made all the same is killed and closed.
    """
    with ComputeSystem.create("demo", {}, service=service) as system:
        service.script(CREATE, 0x80070002)
        service.asked.clear()

        with pytest.raises(NotFoundError, match="'demo', 0x80070002"):
            system.create_process(["nothing"])

        assert service.asked[2:] == [(TERMINATE, 1002, None), (CLOSE, 1002)]
        assert service.last(WAIT_EXIT).abandoned


@pytest.mark.parametrize("cause", [None, KeyboardInterrupt()], ids=["time", "Ctrl-C"])
def test_create_that_is_given_up_is_undone(
    service: ScriptedService, cause: BaseException | None
) -> None:
    """
    Time-out and Ctrl-C abandon the call; what it starts later is killed.
    """
    with ComputeSystem.create("demo", {}, service=service) as system:
        service.script(CREATE, cause)
        service.asked.clear()

        with pytest.raises((HcsTimeoutError, KeyboardInterrupt)):
            system.create_process(["cat"], timeout=0)

        assert service.last(CREATE).abandoned
        assert service.asked[2:] == [(TERMINATE, 1002, None), (CLOSE, 1002)]


def test_open_has_no_streams_and_kills_nobody(service: ScriptedService) -> None:
    """
    Opening a process takes no streams; failing to only closes the handle.
    """
    with ComputeSystem.create("demo", {}, service=service) as system:
        with system.open_process(12) as process:
            assert (process.pid, process.args) == (12, None)
            assert process.stdin is process.stdout is process.stderr is None
        service.script(OPEN, 0x80070490)
        service.asked.clear()
        with pytest.raises(ProcessGoneError):
            system.open_process(13)

    assert service.asked[:3] == [
        (OPEN, 1001, 13, GENERIC_ALL),
        (WAIT_EXIT, 1003, INFINITE),
        (CLOSE, 1003),
    ]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('{"Exited":true,"ExitCode":3}', 3),
        ('{"Exited":true}', 0),
        ('{"Exited":true,"ExitCode":3221225786,"LastWaitResult":0}', 3221225786),
        ('{"Exited":true,"ExitCode":-1073741510}', 3221225786),
        ('{"Exited":true,"ExitCode":3,"LastWaitResult":-2147024890}', -1),
        ('{"Exited":false,"ExitCode":3}', -1),
        ('{"Exited":true,"ExitCode":"3"}', -1),
        ("{}", -1),
        ("[]", -1),
        ("not json", -1),
        (None, -1),
    ],
)
def test_exit_code_counts_only_if_the_wait_succeeded(
    service: ScriptedService, document: str | None, code: int
) -> None:
    """
    The exit code is unsigned, and -1 whenever the service cannot vouch for it.
    """
    system, process = start(service)
    with system, process:
        assert process.poll() is None
        assert process.returncode is None
        service.last(WAIT_EXIT).answer(0, document)

        assert code == process.wait()
        assert code == process.returncode == process.poll()


def test_poll_sees_an_exit_without_waiting(service: ScriptedService) -> None:
    """
    ``poll`` looks; it makes no call, and remembers after the handle was closed.
    """
    system, process = start(service)
    with system:
        service.last(WAIT_EXIT).answer(0, '{"Exited":true,"ExitCode":7}')
        assert process.poll() == 7
        assert service.asked == []
        process.close()

        assert process.poll() == 7
        assert process.wait() == 7
        assert "exited with 7" in repr(process)


def test_wait_that_is_given_up_disturbs_nobody(service: ScriptedService) -> None:
    """
    A time-out says which process, and leaves the call to the other waiters.
    """
    system, process = start(service)
    with system, process:
        with pytest.raises(HcsTimeoutError, match=r"process 12 'demo', 0x80370118"):
            process.wait(timeout=0)

        assert not service.last(WAIT_EXIT).abandoned


def test_wait_tells_that_the_service_went_away(service: ScriptedService) -> None:
    """
    A service that dies is no exit code.
    """
    system, process = start(service)
    with system, process:
        service.last(WAIT_EXIT).answer(0x8037011E)

        with pytest.raises(ServiceDisconnectedError):
            process.wait()
        with pytest.raises(ServiceDisconnectedError):
            process.poll()


def test_close_ends_waiting(service: ScriptedService) -> None:
    """
    After a close, waiting and every other verb say that the handle is closed.
    """
    system, process = start(service)
    with system:
        process.close()
        process.close()

        assert service.asked == [(CLOSE, 1002)]
        assert service.last(WAIT_EXIT).abandoned
        assert process.closed
        assert "closed" in repr(process)
        for use in (process.wait, process.kill, process.properties):
            with pytest.raises(HandleClosedError):
                use()


@pytest.mark.parametrize("code", [0, 0x80070005, 0x8037011F, 0x80070490, 0xC0370110])
def test_kill_of_an_exiting_process_is_success(
    service: ScriptedService, code: int
) -> None:
    """
    Gone, going and access denied all mean that there is nothing left to kill.
    """
    service.script(TERMINATE, code)
    system, process = start(service)
    with system, process:
        process.kill()
        process.kill()

        assert service.asked == [(TERMINATE, 1002, None)]


def test_kill_of_an_exited_process_asks_nobody(service: ScriptedService) -> None:
    """
    A process whose exit is known is not killed.
    """
    system, process = start(service)
    with system, process:
        service.last(WAIT_EXIT).answer(0, '{"Exited":true}')

        process.kill()

        assert service.asked == []


def test_failed_kill_is_an_error(service: ScriptedService) -> None:
    """
    Any other refusal is raised, and the next kill tries again.
    """
    service.script(TERMINATE, 0x80370105)
    system, process = start(service)
    with system, process:
        with pytest.raises(InvalidStateError):
            process.kill()
        process.kill()

        assert service.names() == [TERMINATE, TERMINATE]


def test_kill_overtakes_a_signal(service: ScriptedService) -> None:
    """
    While a signal is on its way, a kill uses handles of its own, all closed after.
    """
    system, process = start(service)
    with system, process:
        system._system.signals += 1  # as while another thread delivers one

        process.kill()

        system._system.signals -= 1
    assert service.asked[:5] == [
        ("HcsOpenComputeSystem", "demo", GENERIC_ALL),
        (OPEN, 1003, 12, GENERIC_ALL),
        (TERMINATE, 1004, None),
        (CLOSE, 1004),
        ("HcsCloseComputeSystem", 1003),
    ]
    assert service.last("HcsOpenComputeSystem").abandoned
    assert service.last(OPEN).abandoned


@pytest.mark.parametrize(
    ("signal", "options"), [(15, '{"Signal":15}'), ("CtrlC", '{"Signal":"CtrlC"}')]
)
def test_signal_is_sent(
    service: ScriptedService, signal: int | str, options: str
) -> None:
    """
    Linux signals are numbers, Windows control events names.
    """
    system, process = start(service)
    with system, process:
        process.signal(signal)

        assert service.asked == [(SIGNAL, 1002, options)]
        assert system._system.signals == 0


def test_signal_to_a_process_that_is_gone(service: ScriptedService) -> None:
    """
    It is an error, and the exit, which has come meanwhile, is known.
    """
    service.script(SIGNAL, 0x80070490)
    system, process = start(service)
    with system, process:
        service.last(WAIT_EXIT).answer(0, '{"Exited":true,"ExitCode":9}')

        with pytest.raises(ProcessGoneError):
            process.signal(15)

        assert process.returncode == 9


def test_exit_that_never_comes_is_given_up(service: ScriptedService) -> None:
    """
    If the service says that a process is gone but never tells its exit, nobody waits
    for it forever: the exit code is -1.
    """
    service.script(SIGNAL, 0xC037010E)
    system, process = start(service)
    with system, process:
        with pytest.raises(NotFoundError):
            process.signal(15)

        assert service.last(WAIT_EXIT).abandoned
        assert process.wait() == -1


def test_console_is_resized(service: ScriptedService) -> None:
    """
    Width comes first here, height on the wire.
    """
    system, process = start(service)
    with system, process:
        process.resize_console(120, 40)
        with pytest.raises(ValueError, match="65535"):
            process.resize_console(0, 40)

    assert json.loads(str(service.asked[0][2])) == {
        "Operation": "ConsoleSize",
        "ConsoleSize": {"Height": 40, "Width": 120},
    }
    assert service.asked[0][:2] == (MODIFY, 1002)


@pytest.mark.parametrize("code", [0, 0x80070490, 0x8037011F])
def test_close_stdin_closes_both_sides(
    service: ScriptedService, pipes: Pipes, code: int
) -> None:
    """
    The service is asked to close its side, and ours is closed; gone is success.
    """
    service.script(MODIFY, code)
    ends = Ends(pipes)
    system, process = start(service, ends.files)
    with system, process:
        process.close_stdin()

        assert service.names() == [MODIFY]
        assert os.read(ends.stdin, 1) == b""


def test_properties_are_decoded(service: ScriptedService) -> None:
    """
    The status of a process is a model.
    """
    service.script("HcsGetProcessProperties", 0, '{"ProcessId":12,"Exited":false}')
    system, process = start(service)
    with system, process:
        status = process.properties()

        assert status.exited is False
        assert service.asked == [("HcsGetProcessProperties", 1002, None)]


def test_streams_are_those_of_the_process(
    service: ScriptedService, pipes: Pipes
) -> None:
    """
    Bytes written arrive, lines come as they are, and the end reads as ``b""``.
    """
    ends = Ends(pipes)
    system, process = start(service, ends.files)
    with system, process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"question")
        process.stdin.flush()
        os.write(ends.stdout, b"one\ntwo\nthr")
        os.write(ends.stderr, b"oops")
        os.close(ends.stdout)
        os.close(ends.stderr)

        assert os.read(ends.stdin, 100) == b"question"
        assert process.stdout.readline() == b"one\n"
        assert [line for line in process.stdout] == [b"two\n", b"thr"]
        assert process.stdout.read() == b""
        assert process.stderr.read(2) == b"oo"
        assert process.stderr.read() == b"ps"


def test_close_closes_the_streams(service: ScriptedService, pipes: Pipes) -> None:
    """
    After a close the process sees the end of its input, and reading is an error.
    """
    ends = Ends(pipes)
    system, process = start(service, ends.files)
    with system:
        process.close()

        assert process.stdout is not None
        with pytest.raises(ValueError, match="closed"):
            process.stdout.read(1)
    assert os.read(ends.stdin, 1) == b""
    with pytest.raises(BrokenPipeError):
        os.write(ends.stdout, b"x")


def test_communicate_moves_everything(service: ScriptedService, pipes: Pipes) -> None:
    """
    What was read ahead counts, the input is ended, and the exit is waited for.
    """
    ends = Ends(pipes)
    system, process = start(service, ends.files)
    with system, process:
        assert process.stdout is not None
        os.write(ends.stdout, b"first\nsecond")
        os.write(ends.stderr, b"oops")
        assert process.stdout.readline() == b"first\n"
        os.close(ends.stdout)
        os.close(ends.stderr)
        service.last(WAIT_EXIT).answer(0, '{"Exited":true,"ExitCode":1}')

        output = process.communicate(b"input")

        assert output == (b"second", b"oops")
        assert process.returncode == 1
        assert os.read(ends.stdin, 100) == b"input"
        assert os.read(ends.stdin, 100) == b""


def test_communicate_again_after_a_time_out(
    service: ScriptedService, pipes: Pipes
) -> None:
    """
    The error has what came so far, and the next call all of it.
    """
    ends = Ends(pipes)
    system, process = start(service, ends.files)
    with system, process:
        os.write(ends.stdout, b"early")
        with pytest.raises(HcsTimeoutError, match="communicate") as caught:
            process.communicate(b"x" * 1_000_000, timeout=0.01)
        assert caught.value.stdout == b"early"
        with pytest.raises(ValueError, match="earlier call"):
            process.communicate(b"more")

        os.close(ends.stdin)  # what it did not read is not wanted
        os.write(ends.stdout, b" late")
        os.close(ends.stdout)
        os.close(ends.stderr)
        service.last(WAIT_EXIT).answer(0, '{"Exited":true}')

        assert process.communicate() == (b"early late", b"")


def test_communicate_needs_a_stdin_for_input(service: ScriptedService) -> None:
    """
    Input without a pipe for it is a mistake; no input is fine.
    """
    system, process = start(service)
    with system, process:
        with pytest.raises(ValueError, match="no stdin"):
            process.communicate(b"x")
        service.last(WAIT_EXIT).answer(0, '{"Exited":true}')

        assert process.communicate() == (b"", b"")


def test_unclosed_process_warns_and_is_closed(
    service: ScriptedService, pipes: Pipes
) -> None:
    """
    A process that is forgotten warns, and keeps neither handle nor streams.
    """
    ends = Ends(pipes)
    system, process = start(service, ends.files)
    with system:
        forgotten = [process]
        del process
        with pytest.warns(ResourceWarning) as caught:
            forgotten.clear()

        texts = [str(warning.message) for warning in caught]
        assert "unclosed process 12 of 'demo'" in texts
        assert len(texts) == 4  # and the three streams
        assert service.asked == [(CLOSE, 1002)]
        assert os.read(ends.stdin, 1) == b""


def test_process_keeps_its_system(service: ScriptedService) -> None:
    """
    As long as a process is in use, its system's handle is not given up.
    """
    system, process = start(service)
    handle = system._system
    del system
    gc.collect()

    assert not handle.closed
    assert not process.closed
    handle.close()
    assert process.closed


def test_access_denied_is_not_hidden(service: ScriptedService) -> None:
    """
    Only a kill takes a denial for success; a signal reports it.
    """
    service.script(SIGNAL, 0x80070005)
    system, process = start(service)
    with system, process:
        with pytest.raises(AccessDeniedError):
            process.signal(15)
