# Made by async_to_sync.py of hcsshim/hcn/_async_service.py; do not edit.
"""The networking service itself, blocking."""

from __future__ import annotations

from hcsshim.hcn import _features as features
from hcsshim.hcn import _version_steps as steps
from hcsshim.hcs._connection import connected
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._native.port import Service
    from hcsshim.documents.hcn import SupportedFeatures


def network_version(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> tuple[int, int]:
    """
    Give the version of the networking service; it is asked once for each connection.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Source:
        ``HNSCall`` of ``/globals/version``.
    """
    limit = seconds(timeout, "SYSCALLWATCHER")
    return drive(steps.version(service or connected(), limit))


def supported_features(
    *, timeout: float | None = DEFAULT, service: Service | None = None
) -> SupportedFeatures:
    """
    Tell what the networking service can do.

    Args:
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Source:
        ``GetSupportedFeatures`` of the Go library's ``hcn``.
    """
    return features.summary(network_version(timeout=timeout, service=service))


def require_feature(
    feature: str, *, timeout: float | None = DEFAULT, service: Service | None = None
) -> None:
    """
    Check that the networking service has a feature.

    Args:
        feature: ``"SetPolicy"``; a key of ``FEATURES``.
        timeout: Seconds, ``None`` forever; by default 240.
        service: Where; by default the process's shared connection.

    Raises:
        NotSupportedError: It has not; the message has the version that brings it.
        KeyError: There is no such feature.
    """
    version = network_version(timeout=timeout, service=service)
    features.require(version, (feature,))
