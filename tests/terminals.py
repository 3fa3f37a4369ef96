"""Terminals, for programs that behave differently at one."""

from __future__ import annotations

import os
import pty
import select
import struct
import subprocess
import sys
import termios
from fcntl import ioctl


class Terminal:
    """
    A program of the package at a terminal of its own.

    Args:
        module: The program.
        arguments: For it.
        rows: Of the terminal.
        columns: Of the terminal.
    """

    def __init__(
        self, module: str, *arguments: str, rows: int = 33, columns: int = 77
    ) -> None:
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads
        )
        self.output = b""

    def resize(self, rows: int, columns: int) -> None:
        """Change the size of the window."""
        size = struct.pack("HHHH", rows, columns, 0, 0)
        ioctl(self.master, termios.TIOCSWINSZ, size)

    def expect(self, text: bytes) -> None:
        """Read until the screen has shown a text since the last one expected."""
        while text not in self.output:
            ready, _, _ = select.select([self.master], [], [], 60)
            assert ready, self.output
            self.output += os.read(self.master, 4096)
        self.output = self.output.partition(text)[2]

    def type(self, text: bytes) -> None:
        """Press keys."""
        os.write(self.master, text)

    def close(self) -> int:
        """Wait for the end; the terminal must be as before. Gives the exit code."""
        while select.select([self.master], [], [], 0)[0]:
            self.output += os.read(self.master, 4096)
        code = self.process.wait(timeout=60)
        assert self.before == termios.tcgetattr(self.slave)
        os.close(self.master)
        os.close(self.slave)
        return code
