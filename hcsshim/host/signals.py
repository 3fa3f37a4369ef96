"""
The numbers of signals in documents and messages.

They are those of Linux wherever the host runs: clients send them so, and the
statuses of processes are made of them.
"""

from __future__ import annotations

from typing import Final

SIGHUP: Final = 1
SIGINT: Final = 2
SIGQUIT: Final = 3
SIGKILL: Final = 9
SIGTERM: Final = 15
#: One more than the largest.
NSIG: Final = 65
