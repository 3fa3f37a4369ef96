"""
Files that come with a process: descriptors, or on Windows handles.

A handle is no descriptor there: the C library's know no overlapped I/O, for which
these are open.
"""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import _winapi

    close_file = _winapi.CloseHandle

    def unblock(file: int) -> None:
        """Do nothing: reads and writes of handles can always pend."""

    def duplicate(file: int) -> int:
        """Give another handle of the same file."""
        from hcsshim._native import win32  # noqa: PLC0415 - seldom needed

        return win32.duplicate_handle(file)

    def standard(number: int) -> int:
        """Give the handle of stdin, stdout or stderr of this process."""
        import msvcrt  # noqa: PLC0415 - seldom needed

        return msvcrt.get_osfhandle(number)

else:
    from os import close as close_file
    from os import dup as duplicate

    def unblock(file: int) -> None:
        """Let no read or write of a descriptor wait any more."""
        os.set_blocking(file, False)

    def standard(number: int) -> int:
        """Give the descriptor of stdin, stdout or stderr of this process."""
        return number


__all__ = ["close_file", "duplicate", "standard", "unblock"]
