"""
Command lines of Windows: one string that each program takes apart for itself.

Windows has no argument vector. The C run-time library and ``CommandLineToArgvW`` agree
on the rules used here: blanks and tabs separate, double quotes group, ``2n``
backslashes before a quote are ``n`` backslashes, ``2n+1`` are ``n`` backslashes and a
literal quote, other backslashes stand for themselves, and two quotes inside a quoted
part are a literal one. ``cmd.exe`` has rules of its own, which are not covered.

The first argument, the program, is special when it is taken apart: quotes group, and
backslashes never escape. Windows allows no quote in a file name, so ``join`` refuses a
program name with one instead of writing a line that means something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

BLANKS = " \t"


def join(arguments: Iterable[str]) -> str:
    """
    Quote arguments so that Windows programs get them back unchanged.

    Args:
        arguments: Program first, then its arguments; any text but NUL.

    Returns:
        The command line, empty for no arguments.

    Raises:
        ValueError: An argument holds NUL, or the program name a double quote.
    """
    quoted = [
        _quote_program(argument) if index == 0 else quote(argument)
        for index, argument in enumerate(arguments)
    ]
    return " ".join(quoted)


def quote(argument: str) -> str:
    """
    Quote one argument, only if it needs it.

    Args:
        argument: Any text but NUL.

    Returns:
        The text to be put after other arguments.

    Raises:
        ValueError: It holds NUL.
    """
    _refuse_nul(argument)
    if argument and not any(c in argument for c in ' \t\n\v"'):
        return argument
    parts = ['"']
    backslashes = 0
    for character in argument:
        if character == "\\":
            backslashes += 1
            continue
        doubled = 2 * backslashes + 1 if character == '"' else backslashes
        parts += ["\\" * doubled, character]
        backslashes = 0
    parts += ["\\" * (2 * backslashes), '"']
    return "".join(parts)


def _quote_program(program: str) -> str:
    """Quote the program name, in which backslashes never escape."""
    _refuse_nul(program)
    if '"' in program:
        raise ValueError(f"a program name cannot hold a double quote: {program!r}")
    if program and not any(c in program for c in BLANKS):
        return program
    return f'"{program}"'


def _refuse_nul(argument: str) -> None:
    """Refuse the character that would end the command line."""
    if "\0" in argument:
        raise ValueError(f"an argument cannot hold NUL: {argument!r}")


def split(text: str) -> tuple[str, ...]:
    """
    Take a command line apart as a Windows program would.

    Args:
        text: The command line.

    Returns:
        Program and arguments; empty for an empty line. (``CommandLineToArgvW`` answers
        an empty line with the path of the calling program.)
    """
    if not text:
        return ()
    program, position = _split_program(text)
    found = [program]
    while True:
        while position < len(text) and text[position] in BLANKS:
            position += 1
        if position == len(text):
            return tuple(found)
        argument, position = _split_argument(text, position)
        found.append(argument)


def _split_program(text: str) -> tuple[str, int]:
    """Read the program name: quotes group, and all else is itself."""
    parts: list[str] = []
    grouped = False
    for position, character in enumerate(text):
        if character == '"':
            grouped = not grouped
        elif character in BLANKS and not grouped:
            return "".join(parts), position
        else:
            parts.append(character)
    return "".join(parts), len(text)


def _split_argument(text: str, position: int) -> tuple[str, int]:
    """Read one argument; return it and where it ends."""
    parts: list[str] = []
    grouped = False
    while position < len(text):
        character = text[position]
        if character in BLANKS and not grouped:
            break
        if character == "\\":
            taken, position = _split_backslashes(text, position)
            parts.append(taken)
        elif character != '"':
            parts.append(character)
            position += 1
        elif grouped and text[position + 1 : position + 2] == '"':
            parts.append('"')
            position += 2
        else:
            grouped = not grouped
            position += 1
    return "".join(parts), position


def _split_backslashes(text: str, position: int) -> tuple[str, int]:
    """Read a run of backslashes, and the quote that an odd one escapes."""
    end = position
    while end < len(text) and text[end] == "\\":
        end += 1
    count = end - position
    if text[end : end + 1] != '"':
        return "\\" * count, end
    if count % 2:
        return "\\" * (count // 2) + '"', end + 1
    return "\\" * (count // 2), end
