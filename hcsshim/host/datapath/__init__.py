"""
The datapath: what carries the packets of the host's networks.

The rules of networks (documents, addresses, states) are in
:mod:`hcsshim.host.network`; it asks a :class:`Datapath` to make the machine agree
with them. Values cross as plans, which say what shall be, never how.
"""

from __future__ import annotations

from hcsshim.host.datapath.opening import open_datapath
from hcsshim.host.datapath.port import Datapath, DatapathError, NoDatapath

__all__ = ("Datapath", "DatapathError", "NoDatapath", "open_datapath")
