"""Sets of addresses: who names whom, and who must not go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim.host.network.members import SettingMembers, same_id
from hcsshim.host.network.refusals import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hcsshim.host.network.core import Core
    from hcsshim.host.network.model import Network, Policy

_FILTERS = ("ACL", "NetworkACL", "TierAcl")


def _sets(policies: Iterable[Policy]) -> dict[str, SettingMembers]:
    return {
        same_id(str(policy.settings.get("Id", ""))): SettingMembers(policy.settings)
        for policy in policies
        if policy.type == "SetPolicy"
    }


def _nested(settings: SettingMembers) -> tuple[str, ...]:
    if settings.text("PolicyType").upper() != "NESTEDIPSET":
        return ()
    return tuple(map(same_id, settings.commas("Values")))


def check_sets(policies: Iterable[Policy]) -> None:
    """
    Check that every set that a nested one names is there.

    Raises:
        Refusal: One is missing.
    """
    sets = _sets(policies)
    for settings in sets.values():
        for name in _nested(settings):
            if name not in sets:
                raise refuse(
                    HResult.HCN_E_INVALID_POLICY,
                    f"Set {settings.text('Id')!a} names a missing set, {name!a}.",
                )


def _words(policy: Policy) -> set[str]:
    """List the addresses, prefixes and sets that a filter names."""
    settings = SettingMembers(policy.settings)
    rules = settings.children("TierAclRules") or [settings]
    return {
        same_id(word)
        for rule in rules
        for name in ("LocalAddresses", "RemoteAddresses")
        for word in rule.commas(name)
    }


def require_unused(core: Core, network: Network, listed: Sequence[Policy]) -> None:
    """
    Check that sets which shall go are used by nobody who stays.

    Raises:
        Refusal: A filter or a nested set uses one.
    """
    doomed = set(_sets(listed))
    if not doomed:
        return
    for name, settings in _sets(network.policies).items():
        if name not in doomed and doomed & set(_nested(settings)):
            raise _used(f"Set {settings.text('Id')!a}")
    filters = [
        (policy, f"Endpoint {endpoint.id}")
        for endpoint in core.endpoints_of(network.id)
        for policy in endpoint.policies
    ]
    filters += [(policy, f"Network {network.id}") for policy in network.policies]
    for policy, user in filters:
        if policy.type in _FILTERS and doomed & _words(policy):
            raise _used(user)


def _used(user: str) -> Exception:
    return refuse(HResult.HCN_E_ENTITY_HAS_REFERENCES, f"{user} uses the set.")
