"""Launch and manage Windows containers through the Host Compute Service."""

from __future__ import annotations
