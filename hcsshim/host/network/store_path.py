"""Where a host keeps its networks."""

from __future__ import annotations

import os
import zlib

from hcsshim._native.host_process import state_folder


def store_path(socket_path: str) -> str:
    """
    Give the file that keeps the networks of a host.

    Args:
        socket_path: Of the host's socket: each host has networks of its own.
    """
    number = zlib.crc32(os.fsencode(socket_path))
    return os.path.join(state_folder(), f"networks-{number:08x}.sqlite")


def has_store(socket_path: str) -> bool:
    """Tell whether an earlier host left networks."""
    return os.path.exists(store_path(socket_path))
