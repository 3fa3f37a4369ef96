"""
Tags: how what we make in the kernel says whose it is.

Every interface has an alias and every table a name that holds the process that made
it (its id and when it started, so that a number used again is not mistaken for it),
the kind of the object, and its id. A host that starts removes what bears the tag of a
process that is gone; what has no tag is others', and what has a living one's too.
"""

from __future__ import annotations

import hashlib
import os
import re

import attrs

from hcsshim.host.silos.cgroup import read_start_ticks

_ALIAS = re.compile(r"hcsshim:(\d+)\.(\d+):([a-z]+):([0-9a-z-]+)")
_TABLE = re.compile(r"hcsshim_(\d+)_(\d+)_([a-z]+)_([0-9a-z_]+)")


@attrs.frozen
class Tag:
    """
    Whose something is.

    Args:
        pid: Of the host that made it.
        start: When that started, in the kernel's ticks.
        kind: ``"network"``, ``"endpoint"``, ``"balancer"``, ``"filter"``, ``"host"``.
        object: Id of the object it is for.
    """

    pid: int
    start: int
    kind: str
    object: str

    @classmethod
    def ours(cls, kind: str, object_id: str) -> Tag:
        """Make one of this process."""
        pid = os.getpid()
        return cls(pid, read_start_ticks(pid) or 0, kind, object_id)

    @classmethod
    def of_alias(cls, alias: str) -> Tag | None:
        """Read the alias of an interface; ``None`` if it is no tag."""
        return cls._of_match(_ALIAS.match(alias))

    @classmethod
    def of_table(cls, name: str) -> Tag | None:
        """Read the name of a table; ``None`` if it is no tag."""
        return cls._of_match(_TABLE.fullmatch(name))

    @classmethod
    def _of_match(cls, match: re.Match[str] | None) -> Tag | None:
        if match is None:
            return None
        pid, start, kind, object_id = match.groups()
        return cls(int(pid), int(start), kind, object_id.replace("_", "-"))

    @property
    def alias(self) -> str:
        """The alias of an interface."""
        return f"hcsshim:{self.pid}.{self.start}:{self.kind}:{self.object}"

    @property
    def table(self) -> str:
        """The name of a table."""
        plain = self.object.replace("-", "_")
        return f"hcsshim_{self.pid}_{self.start}_{self.kind}_{plain}"

    def interface(self, letter: str) -> str:
        """Give a name for an interface, which has 15 characters at most."""
        digest = hashlib.sha256(self.alias.encode()).hexdigest()
        return f"hns{letter}{digest[:11]}"

    @property
    def alive(self) -> bool:
        """Whether the process that made it lives."""
        return read_start_ticks(self.pid) == self.start
