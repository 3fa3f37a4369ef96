"""Group-managed accounts of containers."""

from __future__ import annotations

import pytest

from hcsshim import NotSupportedError
from hcsshim.oci import add_credential_guard, remove_credential_guard

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("host")]


def test_a_host_without_a_credential_guard_says_so() -> None:
    """
    The embedded host has no accounts of a directory to give away.
    """
    with pytest.raises(NotSupportedError):
        add_credential_guard("web", "{}")
    with pytest.raises(NotSupportedError):
        remove_credential_guard("web")
