"""
Choosing what carries the packets: what this machine and this user's rights allow.

Root makes networks in the machine's own namespace. Anybody else needs a user
namespace in which to be root of networks; a process with several threads cannot
enter one, so the host does so before it starts any: :func:`become_root_of_networks`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Final

from hcsshim.host.datapath.port import NoDatapath

if TYPE_CHECKING:
    from hcsshim.host.datapath.port import Datapath
    from hcsshim.host.datapath.switch import Switch

#: What an installation without the extra is told.
MISSING_LIBRARY: Final = (
    "Networks carry packets by the library pyroute2, which is not installed; "
    "pip install 'hcsshim[net]' brings it."
)
_CAP_NET_ADMIN: Final = 12
_CAP_SYS_ADMIN: Final = 21
_NOT_LINUX = "Networks carry packets on Linux only."
_NO_RIGHTS = (
    "Making networks takes root, or CAP_NET_ADMIN and CAP_SYS_ADMIN, or a kernel that "
    "lets this user make user namespaces; here it does not."
)


def _may_make_networks() -> bool:
    """Tell whether this process has the rights, in whichever user namespace it is."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("CapEff:"):
                granted = int(line.split()[1], 16)
                needed = 1 << _CAP_NET_ADMIN | 1 << _CAP_SYS_ADMIN
                return granted & needed == needed
    return False


def become_root_of_networks() -> bool:
    """
    Enter a user namespace in which an ordinary user may make networks.

    Users and groups have the same numbers in it, so nothing else changes for this
    process. It must have one thread only.

    Returns:
        Whether it did; not if it has the rights already, or cannot get them.
    """
    if not sys.platform.startswith("linux") or _may_make_networks():
        return False
    if importlib.util.find_spec("pyroute2") is None or not _may_enter():
        return False
    _enter()
    return True


def _may_enter() -> bool:
    """Try it in a child: half of it done would be worse than nothing."""
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(OSError):
            _enter()
            code = 0
        os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


def _enter() -> None:
    from hcsshim.host.datapath import namespaces  # noqa: PLC0415 - imports ctypes

    user, group = os.geteuid(), os.getegid()
    namespaces.unshare(namespaces.CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def open_datapath() -> Datapath:
    """Give the best datapath there is here."""
    if not sys.platform.startswith("linux"):
        return NoDatapath(_NOT_LINUX)
    if not _may_make_networks():
        return NoDatapath(_NO_RIGHTS)
    if importlib.util.find_spec("pyroute2") is None:
        return NoDatapath(MISSING_LIBRARY)
    from hcsshim.host.datapath.linux import LinuxDatapath  # noqa: PLC0415

    return LinuxDatapath(_open_switch)


def _open_switch() -> Switch:
    """Make the switch where the rights of this process allow it."""
    from hcsshim.host.datapath.namespaces import NetworkNamespace  # noqa: PLC0415
    from hcsshim.host.datapath.relay import Relay  # noqa: PLC0415
    from hcsshim.host.datapath.switch import Switch  # noqa: PLC0415

    own = NetworkNamespace()
    if own.is_ours():
        return Switch(own)
    apart = NetworkNamespace.make()
    return Switch(apart, Relay(apart))
