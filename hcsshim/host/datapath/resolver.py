"""How the processes of a silo resolve names: its ``/etc/resolv.conf``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hcsshim.host.datapath.namespaces import run_in_root

if TYPE_CHECKING:
    from hcsshim.host.datapath.port import DnsPlan

_FILE = "/etc/resolv.conf"


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


def write(pid: int, dns: DnsPlan) -> None:
    """
    Write the file of the silo of a process; nothing if the plan says nothing.

    Paths are walked with the silo's own root, so that links of an image lead nowhere
    else.

    Raises:
        OSError: Its file system cannot be written to.
    """
    text = render(dns)
    if text:
        run_in_root(pid, lambda: _replace(text))


def _replace(text: str) -> None:
    os.makedirs(os.path.dirname(_FILE), exist_ok=True)
    if os.path.islink(_FILE):
        os.unlink(_FILE)
    with open(_FILE, "w", encoding="utf-8") as file:
        file.write(text)
