"""
What the tests of other platforms than Linux are without.

A single test is marked ``linux`` or ``windows``; here stand whole files that need what
Linux alone has already to be imported, or in every test.
"""

from __future__ import annotations

#: By their paths in this folder.
LINUX_FILES: tuple[str, ...] = ()
