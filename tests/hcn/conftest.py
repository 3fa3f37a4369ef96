"""Networks on the tests' own host, and a service that follows a script."""

from __future__ import annotations

import pytest
from hcs.conftest import ScriptedService

from hcsshim import hcn


@pytest.fixture
def service() -> ScriptedService:
    """A service without a script: everything succeeds."""
    return ScriptedService()


@pytest.fixture
def clean(host: object) -> object:
    """Check that a test leaves no network, endpoint or namespace behind."""
    before = len(hcn.Namespace.ids())
    yield host
    assert hcn.Network.ids() == ()
    assert hcn.Endpoint.ids() == ()
    assert hcn.LoadBalancer.ids() == ()
    assert hcn.Route.ids() == ()
    assert before == len(hcn.Namespace.ids())
