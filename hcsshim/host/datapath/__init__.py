"""
The datapath: what carries the packets of the host's networks.

The rules of networks (documents, addresses, states) are in
:mod:`hcsshim.host.network`; it asks a :class:`Datapath` to make the machine agree
with them. Values cross as plans, which say what shall be, never how.
"""

from __future__ import annotations

from hcsshim.host.datapath.port import Datapath, DatapathError, NoDatapath

__all__ = ("Datapath", "DatapathError", "NoDatapath", "open_datapath")


def open_datapath(owner: str) -> Datapath:
    """
    Give the datapath that this machine has.

    Args:
        owner: Tells the kernel objects of this host from those of others on the
            machine; the same after a restart.

    Returns:
        One that carries packets, or one that says what is missing for that.
    """
    return NoDatapath(f"this host carries no packets for {owner!r} yet")
