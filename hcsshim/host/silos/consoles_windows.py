"""
Pseudo consoles of Windows.

A console is named by its handle. What a client writes to and reads from are two
pipes, whose other ends belong to the console.
"""

from __future__ import annotations

import ctypes
import sys

from hcsshim._native import win32

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too


class _Coordinates(ctypes.Structure):
    _fields_ = (("columns", ctypes.c_short), ("rows", ctypes.c_short))


def _create_console(rows: int, columns: int, source: int, target: int) -> int:
    create = getattr(win32.kernel32, "CreatePseudoConsole", None)
    if create is None:
        raise OSError(None, "This Windows has no pseudo consoles", None, 50)
    console = ctypes.c_void_p()
    hresult = create(
        _Coordinates(columns, rows),
        ctypes.c_void_p(source),
        ctypes.c_void_p(target),
        0,
        ctypes.byref(console),
    )
    if hresult:
        code = hresult & 0xFFFF
        raise OSError(None, "No pseudo console can be made", None, code)
    return int(console.value or 0)


class Consoles:
    """The consoles of a host, and the ends that no client has taken yet."""

    def __init__(self) -> None:
        self._ends: dict[int, dict[int, int]] = {}

    def create(
        self, rows: int, columns: int, pipes: tuple[tuple[int, int], tuple[int, int]]
    ) -> int:
        """
        Make a console.

        Args:
            rows: Its height.
            columns: Its width.
            pipes: For input and output, the console's end and the client's; all of
                them become the console's own.

        Raises:
            OSError: This Windows has none.
        """
        (input_end, write), (output_end, read) = pipes
        try:
            console = _create_console(rows, columns, input_end, output_end)
        except OSError:
            win32.close_handle(write)
            win32.close_handle(read)
            raise
        finally:
            win32.close_handle(input_end)
            win32.close_handle(output_end)
        self._ends[console] = {0: write, 1: read}
        return console

    def take_file(self, console: int, index: int) -> int:
        """Give away where a client writes to (0) or reads from (1)."""
        return self._ends[console].pop(index)

    def resize(self, console: int, rows: int, columns: int) -> None:
        """
        Tell a console its size.

        Raises:
            OSError: It is too large, or gone.
        """
        hresult = win32.kernel32.ResizePseudoConsole(
            ctypes.c_void_p(console), _Coordinates(columns, rows)
        )
        if hresult:
            raise OSError(None, "The console keeps its size", None, hresult & 0xFFFF)

    def close(self, console: int) -> None:
        """Close a console and the ends nobody took; what uses it ends."""
        for file in self._ends.pop(console, {}).values():
            win32.close_handle(file)
        win32.kernel32.ClosePseudoConsole(ctypes.c_void_p(console))


#: A host is a process of its own, and these are its consoles.
_consoles = Consoles()
create = _consoles.create
take_file = _consoles.take_file
resize = _consoles.resize
close = _consoles.close
