"""Quoting for Windows, against the published rules and examples."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hcsshim.documents import command_line

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

tricky = st.text(st.sampled_from('ab \t"\\\n')) | st.text(
    st.characters(exclude_characters="\0")
)
programs = tricky.filter(lambda text: '"' not in text)


@patient
@given(programs, st.lists(tricky))
def test_split_undoes_join(program: str, arguments: list[str]) -> None:
    """Any program and arguments come back as they were, empty ones too."""
    vector = (program, *arguments)

    assert vector == command_line.split(command_line.join(vector))


@patient
@given(st.lists(tricky))
def test_arguments_are_quoted_as_python_does(arguments: list[str]) -> None:
    """The standard library's quoting, written on its own, is read the same way."""
    line = subprocess.list2cmdline(["p", *arguments])

    assert ("p", *arguments) == command_line.split(line)


@patient
@given(st.text(st.sampled_from('a \t"\\')))
def test_any_line_can_be_taken_apart(text: str) -> None:
    """A line of any shape has a meaning, and keeps it when joined again."""
    program, *arguments = command_line.split(text) or ("",)

    again = command_line.join([program.replace('"', ""), *arguments])

    assert tuple(arguments) == command_line.split(again)[1:]


@pytest.mark.parametrize(
    ("tail", "arguments"),
    [
        (r'"abc" d e', ("abc", "d", "e")),
        (r"a\\b d\"e f\"g h".replace('d"', 'd\\"'), ("a\\\\b", 'd"e', 'f"g', "h")),
        (r"a\\\"b c d", (r"a\"b", "c", "d")),
        (r'a\\\\"b c" d e', (r"a\\b c", "d", "e")),
        (r'a"b"" c d', ('ab" c d',)),
        ('""', ("",)),
        ('"a""b"', ('a"b',)),
        ("  x\t y ", ("x", "y")),
        ('"never closed', ("never closed",)),
    ],
)
def test_published_examples(tail: str, arguments: tuple[str, ...]) -> None:
    """The examples in the documentation of the C run-time library."""
    assert ("program", *arguments) == command_line.split(f"program {tail}")


@pytest.mark.parametrize(
    ("vector", "line"),
    [
        ((), ""),
        (("cmd", "/c", "ver"), "cmd /c ver"),
        (("C:\\Program Files\\x.exe",), '"C:\\Program Files\\x.exe"'),
        (("p", ""), 'p ""'),
        (("p", "a b\\"), 'p "a b\\\\"'),
        (("p", 'say "hi"'), 'p "say \\"hi\\""'),
        (("p", "C:\\dir\\"), "p C:\\dir\\"),
        (("",), '""'),
    ],
)
def test_join_quotes_what_needs_it(vector: tuple[str, ...], line: str) -> None:
    """Only arguments that need quotes get them."""
    assert line == command_line.join(vector)


def test_program_in_quotes_keeps_its_backslashes() -> None:
    """In the program name a backslash before a quote does not escape it."""
    assert command_line.split('"C:\\dir\\" x') == ("C:\\dir\\", "x")


@pytest.mark.parametrize(
    ("vector", "message"),
    [(['a"b'], "double quote"), (["p", "a\0"], "NUL"), (["\0"], "NUL")],
)
def test_what_cannot_be_said_is_refused(vector: list[str], message: str) -> None:
    """A line that would mean something else is not written."""
    with pytest.raises(ValueError, match=message):
        command_line.join(vector)
