"""Typed wrappers of the C shim: the only importers of ``hcsshim._ffi``."""

from __future__ import annotations
