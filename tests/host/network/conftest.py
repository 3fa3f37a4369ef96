"""A host with a datapath that only takes notes, and a client that speaks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from network_support import Machine, Net

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def machine(
    folder: Path, script: object, raw_client: Callable[[str], object]
) -> Iterator[Machine]:
    """Run a host with scripted silos and a noting datapath."""
    made = Machine(folder, script.open, raw_client)  # type: ignore[attr-defined]  # a Script
    yield made
    made.end()
    assert ("close", "") in made.datapath.done or not made.datapath.networks


@pytest.fixture
def net(machine: Machine) -> Net:
    """Give the calls of networks."""
    return Net(machine)
