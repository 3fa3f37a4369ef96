"""How clients, and files for them, come and go: by platform."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from hcsshim.host.serving.transport_windows import (
        NO_FILES,
        TOO_MANY_FILES,
        Listener,
        Stream,
        close_console,
        close_file,
        console_file,
        give_files,
        make_pipe,
        resize_console,
        send,
    )
else:
    from hcsshim.host.serving.transport_unix import (
        NO_FILES,
        TOO_MANY_FILES,
        Listener,
        Stream,
        close_console,
        close_file,
        console_file,
        give_files,
        make_pipe,
        resize_console,
        send,
    )

__all__ = [
    "NO_FILES",
    "TOO_MANY_FILES",
    "Listener",
    "Stream",
    "close_console",
    "close_file",
    "console_file",
    "give_files",
    "make_pipe",
    "resize_console",
    "send",
]
