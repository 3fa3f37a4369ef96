"""Networks on the tests' own host, and a service that follows a script."""

from __future__ import annotations

import asyncio
import inspect

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


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines in a loop of their own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = pyfuncitem.funcargs
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: arguments[name] for name in names}))
    return True
