"""How the processes of a silo resolve names: its ``/etc/resolv.conf``."""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING

from hcsshim.host.datapath.namespaces import bind, run_in_root

if TYPE_CHECKING:
    from hcsshim.host.datapath.port import DnsPlan

_FILE = "/etc/resolv.conf"
#: Where a machine has its servers; the second where the first names a local cache.
_OF_MACHINE = (_FILE, "/run/systemd/resolve/resolv.conf")
#: In a silo's own memory; it has this name for a moment only.
_OURS = "/dev/.resolv.conf"


def render(dns: DnsPlan) -> str:
    """Write the file's text; empty if the plan says nothing."""
    lines = [f"nameserver {server}" for server in dns.servers]
    # Windows' domain comes first among what is searched.
    search = dict.fromkeys(name for name in (dns.domain, *dns.search) if name)
    if search:
        lines.append(f"search {' '.join(search)}")
    if dns.options:
        lines.append(f"options {' '.join(dns.options)}")
    return "".join(f"{line}\n" for line in lines)


def machine_servers() -> tuple[str, ...]:
    """List the machine's own name servers, but those that only it can reach."""
    for path in _OF_MACHINE:
        found = _servers(path)
        if found:
            return found
    return ()


def _servers(path: str) -> tuple[str, ...]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            lines = [line.split() for line in file]
    except OSError:
        return ()
    named = [words[1] for words in lines if words[:1] == ["nameserver"] and words[1:]]
    return tuple(server for server in named if not _is_loopback(server))


def _is_loopback(server: str) -> bool:
    try:
        return ipaddress.ip_address(server.partition("%")[0]).is_loopback
    except ValueError:
        return True  # nothing that a silo could use


def write(pid: int, dns: DnsPlan) -> None:
    """
    Write the file of the silo of a process; nothing if the plan says nothing.

    Paths are walked with the silo's own root, so that links of an image lead nowhere
    else. The file is one in memory that lies over the image's own, so that a scratch
    folder does not keep it, and images may belong to others.

    Raises:
        OSError: The image has no place for it.
    """
    text = render(dns)
    if text:
        run_in_root(pid, lambda: _lay_over(text))


def _lay_over(text: str) -> None:
    try:
        if not os.path.exists(_FILE):
            _replace("")
        elif os.stat(_FILE).st_nlink == 0:  # ours already: nothing can lie over it
            _write(text)
            return
        with open(_OURS, "x", encoding="utf-8") as file:
            file.write(text)
    except (FileNotFoundError, FileExistsError):  # a root without devices of its own
        _replace(text)
        return
    try:
        os.chmod(_OURS, 0o644)
        bind(_OURS, _FILE)
    finally:
        os.unlink(_OURS)


def _replace(text: str) -> None:
    """Write it into the image."""
    os.makedirs(os.path.dirname(_FILE), exist_ok=True)
    if os.path.islink(_FILE):
        os.unlink(_FILE)
    _write(text)


def _write(text: str) -> None:
    with open(_FILE, "w", encoding="utf-8") as file:
        file.write(text)
