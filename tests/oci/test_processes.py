"""Processes: from a specification to parameters."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hcsshim.documents import LcowProcessParameters, dumps, loads
from hcsshim.documents.command_line import split
from hcsshim.oci import Box, Process, User, process_parameters
from hcsshim.oci.processes import environment

arguments = st.text(st.sampled_from('ab \t"\\\n')) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
)
programs = arguments.filter(lambda text: '"' not in text)


@settings(deadline=None)
@given(programs, st.lists(arguments, max_size=8))
def test_arguments_reach_a_windows_program(program: str, rest: list[str]) -> None:
    """
    Whatever the specification's arguments, the program gets them back.
    """
    process = Process(cwd="C:\\", args=(program, *rest))

    parameters = process_parameters(process, linux=False)

    assert (program, *rest) == split(parameters.command_line)


@settings(deadline=None)
@given(st.lists(arguments, min_size=1, max_size=8))
def test_arguments_reach_a_linux_program(args: list[str]) -> None:
    """
    They are a list there, and stay one on the wire.
    """
    process = Process(cwd="/", args=tuple(args))

    text = dumps(process_parameters(process, linux=True))

    assert args == loads(LcowProcessParameters, text).oci_process["args"]


def test_windows_process() -> None:
    """
    Everything of it has a member; the line wins over arguments.
    """
    process = Process(
        cwd="C:\\x",
        args=("ignored",),
        command_line="cmd /c ver",
        env=("A=1", "EMPTY=", "B=x=y", "nothing"),
        user=User(username="me"),
        terminal=True,
        console_size=Box(height=24, width=80),
    )

    parameters = process_parameters(process, linux=False, stdin=False)

    assert "cmd /c ver" == parameters.command_line
    assert {"A": "1", "B": "x=y"} == parameters.environment
    assert ("me", "C:\\x") == (parameters.user, parameters.working_directory)
    assert (24, 80) == parameters.console_size
    assert parameters.emulate_console
    assert not parameters.create_std_in_pipe
    assert not parameters.create_std_err_pipe


def test_linux_process_keeps_empty_variables() -> None:
    """
    Only Windows has no variables without a value.
    """
    process = Process(cwd="/", args=("x",), env=("A=", "B=1"), user=User(uid=1, gid=2))

    parameters = process_parameters(process, linux=True)

    assert ["A=", "B=1"] == parameters.oci_process["env"]
    assert {"uid": 1, "gid": 2} == parameters.oci_process["user"]
    assert {"B": "1"} == dict(environment(process.env))


def test_size_of_a_console() -> None:
    """
    The process's own, else the caller's; none without a console.
    """
    process = Process(cwd="/", args=("x",), terminal=True)
    sized = Process(
        cwd="/", args=("x",), terminal=True, console_size=Box(height=5, width=0)
    )
    plain = Process(cwd="/", args=("x",), console_size=Box(height=5, width=6))

    for one in (process, sized):
        parameters = process_parameters(one, linux=True, console_size=(80, 24))
        assert (24, 80) == parameters.console_size
    assert () == process_parameters(plain, linux=True).console_size
    assert () == process_parameters(process, linux=True).console_size
