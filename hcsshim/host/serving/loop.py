"""
The host's one thread: files that became ready, and timers.

Nothing that is called may wait; what takes long is done by processes of their own,
the silos, and by threads that come back with ``call_from_thread``.
"""

from __future__ import annotations

import sys

from hcsshim.host.serving.timers import READ, WRITE, Timer

if sys.platform == "win32":
    from hcsshim.host.serving.loop_windows import Loop
else:
    from hcsshim.host.serving.loop_unix import Loop

__all__ = ["READ", "WRITE", "Loop", "Timer"]
