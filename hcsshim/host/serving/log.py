"""
The host's log: one file of lines, kept small.

Not :mod:`logging`: importing it takes as long as half of the rest of the host. What
clients send is never written, since environments hold credentials.
"""

from __future__ import annotations

import os
import sys
import time

#: Set to anything but "" to have every connection and system written down.
DEBUG_VARIABLE = "HCSSHIM_HOST_DEBUG"

_LARGEST = 1024 * 1024


class Log:
    """
    A log file, which is also where the standard error goes.

    Args:
        path: Of the file; ``None`` writes to the standard error as it is.
        debug: Whether :meth:`debug` writes.
    """

    def __init__(self, path: str | None, *, debug: bool = False) -> None:
        self._path = path
        #: Whether lines that only a developer wants are written.
        self.debugging = debug
        if path is not None:
            self._open(path)

    def _open(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        if sys.platform != "win32":
            flags |= os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(path, flags, 0o600)
        os.dup2(file, 2)
        os.close(file)

    def write(self, message: str) -> None:
        """Write a line, with the time and who writes."""
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        line = f"{now} host[{os.getpid()}] {message}\n"
        try:
            os.write(2, line.encode("utf-8", "backslashreplace"))
            if self._path is not None and os.fstat(2).st_size > _LARGEST:
                self._turn_over(self._path)
        except OSError:
            return  # a full disk must not end the host

    def _turn_over(self, path: str) -> None:
        """Begin anew; Windows keeps no older file, since open ones are not renamed."""
        if sys.platform == "win32":
            os.ftruncate(2, 0)
            return
        os.replace(path, f"{path}.1")
        self._open(path)

    def debug(self, message: str) -> None:
        """Write a line if somebody looks for a fault."""
        if self.debugging:
            self.write(message)

    def exception(self, error: BaseException) -> None:
        """Write down a bug of ours: where it happened, and no values."""
        lines = [f"{type(error).__name__} at"]
        frame = error.__traceback__
        while frame is not None:
            code = frame.tb_frame.f_code
            lines.append(f"  {code.co_filename}:{frame.tb_lineno} {code.co_name}")
            frame = frame.tb_next
        self.write("\n".join(lines))
        sys.stderr.flush()
