"""What the process of an OCI specification may do: its capabilities, limits, groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim.host.silos.port import Confinement

if TYPE_CHECKING:
    from hcsshim.host.fields import Fields

_LARGEST_ID = 0xFFFFFFFF
_LARGEST_MODE = 0o7777
_LARGEST_LIMIT = 0xFFFFFFFFFFFFFFFF

#: In the order of their numbers.
_CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP "
    "LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK "
    "IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT "
    "SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE "
    "AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND "
    "AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
_BITS = {f"CAP_{name}": 1 << bit for bit, name in enumerate(_CAPABILITIES.split())}
_RESOURCES = (
    "CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE "
    "NICE RTPRIO RTTIME"
)
_NUMBERS = {f"RLIMIT_{name}": n for n, name in enumerate(_RESOURCES.split())}


def read_confinement(process: Fields) -> Confinement:
    """
    Read what a process may do.

    Raises:
        Refusal: A capability or a limit is not known, or a number out of bounds.
    """
    user = process.child("user")
    return Confinement(
        capabilities=_capabilities(process),
        umask=user.number("umask", most=_LARGEST_MODE),
        no_new_privileges=process.flag("noNewPrivileges"),
        groups=user.numbers("additionalGids", _LARGEST_ID),
        limits=tuple(_limit(limit) for limit in process.children("rlimits")),
    )


def _capabilities(process: Fields) -> int | None:
    """For root, whom its files make full again, the bounding set is what counts."""
    if "capabilities" not in process:
        return None
    sets = process.child("capabilities")
    mask = 0
    for name in sets.texts("bounding"):
        if name not in _BITS:
            sets.refuse("bounding")
        mask |= _BITS[name]
    return mask


def _limit(limit: Fields) -> tuple[int, int, int]:
    number = _NUMBERS.get(limit.text("type"))
    soft = limit.number("soft", most=_LARGEST_LIMIT)
    hard = limit.number("hard", most=_LARGEST_LIMIT)
    if number is None:
        limit.refuse("type")
    if soft is None or hard is None or soft > hard:
        limit.refuse("soft")
    return number, soft, hard
