"""
What kind of document a JSON value is, when nobody says.

Documents do not name their kind, so a value is held against every kind that is sent or
answered on its own: one that knows all members, deeply, beats one that does not, and
where several do, the one that is met most often wins.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from hcsshim.documents._converter import from_dict, unknown_members, walk
from hcsshim.documents._document import Document, DocumentError
from hcsshim.documents._plan import plan_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hcsshim.documents._document import JSON

#: Packages of documents, by the first part of a kind's name.
_PACKAGES = {
    "hcs": "hcsshim.documents",
    "v1": "hcsshim.documents.v1",
    "hcn": "hcsshim.documents.hcn",
    "hns": "hcsshim.documents.hns",
}

#: Kinds that stand alone, in the order of preference.
_ALONE = """
hcs.ComputeSystem v1.ContainerConfig hcs.ProcessParameters v1.ProcessConfig
hcs.ModifySettingRequest v1.ResourceModificationRequestResponse hcs.ResultError
hcn.ErrorRecord hns.HNSResponse hcs.PropertyQuery v1.PropertyQuery
hcs.ServicePropertyQuery hcs.SystemQuery hcs.Properties v1.ContainerProperties
hcs.ServiceProperties hcs.SystemExitStatus hcs.ProcessStatus hcs.CrashReport
hcs.OperationInfo hcs.ProcessModifyRequest hcs.SignalProcessOptions
hcs.ModificationRequest hcs.SaveOptions hcs.PauseOptions hcs.ShutdownOptions
hcs.CrashOptions hcs.StartOptions hcs.MigrationInitializeOptions
hcs.MigrationStartOptions hcs.MigrationTransferOptions hcs.MigrationFinalizedOptions
hcs.MigrationCancelOptions hcs.HostedSystem hcs.LinuxHostedSystem
hcs.LcowProcessParameters hcs.VirtualMachine hcs.Container hcs.LayerData
hcs.ExportLayerOptions hcs.OsLayerOptions hcs.Statistics hcs.DeviceExtension
hcn.HostComputeNetwork hcn.HostComputeEndpoint hcn.HostComputeNamespace
hcn.HostComputeLoadBalancer hcn.HostComputeRoute hcn.HostComputeQuery
hcn.ModifyNetworkSettingRequest hcn.ModifyEndpointSettingRequest
hcn.ModifyNamespaceSettingRequest hns.HNSNetwork hns.HNSEndpoint hns.Namespace
hns.NamespaceResourceRequest hns.PolicyList hns.EndpointAttachDetachRequest
hns.ACLPolicy hns.NatPolicy hns.OutboundNatPolicy hns.Policy hcn.EndpointPolicy
hcn.NetworkPolicy hcn.AclPolicySetting hcn.OutboundNatPolicySetting
hcn.SDNRoutePolicySetting hcn.Ipam
"""

#: Members that only one generation or service has, in lower case: what holds one of
#: the first and is of a kind with the prefix is preferred to what is not.
_TELLTALES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("schemaversion", ("hcs.", "hcn.")),
    ("ipams", ("hcn.",)),
    ("hostcomputenetwork", ("hcn.",)),
    ("hostcomputeendpoint", ("hcn.",)),
    ("ipconfigurations", ("hcn.",)),
    ("subnets", ("hns.HNSNetwork", "hcn.Ipam")),
    ("virtualnetwork", ("hns.HNSEndpoint",)),
    ("isdefault", ("hns.Namespace",)),
    ("compartmentid", ("hns.Namespace",)),
    ("compartmentguid", ("hns.Namespace",)),
    ("resourcelist", ("hns.Namespace",)),
    ("hvpartition", ("v1.",)),
    ("createinutilityvm", ("v1.",)),
    ("mappedvirtualdiskcontrollers", ("v1.",)),
    ("areupdatespending", ("v1.",)),
    ("errorcode", ("hcn.",)),
    ("errormessage", ("hcs.",)),
    ("resourcepath", ("hcs.",)),
)


class Kind(NamedTuple):
    """
    A kind of document.

    Attributes:
        name: Package and class: ``hcs.ComputeSystem``, ``hns.HNSNetwork``.
        cls: Its class.
    """

    name: str
    cls: type[Document]


@lru_cache(maxsize=1)
def kinds() -> Mapping[str, type[Document]]:
    """
    Give every kind of document by its name.

    Returns:
        ``hcs.ComputeSystem`` and so on: all classes, also of what is only a part.
    """
    found = {}
    for prefix, package in _PACKAGES.items():
        module = import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if (
                isinstance(value, type)
                and issubclass(value, Document)
                and value is not Document
            ):
                found[f"{prefix}.{name}"] = value
    return found


def kind_named(name: str) -> Kind:
    """
    Find a kind by its name.

    Args:
        name: With or without the package, in any case; without it, the first of
            ``hcs``, ``v1``, ``hcn``, ``hns`` that has such a class.

    Raises:
        DocumentError: There is none.
    """
    wanted = name.casefold()
    for full, cls in kinds().items():
        if wanted in (full.casefold(), full.partition(".")[2].casefold()):
            return Kind(full, cls)
    raise DocumentError("the name of a kind of document", name)


def recognise(raw: JSON) -> Kind:
    """
    Tell what kind of document a JSON value is.

    Args:
        raw: As ``json`` decodes it; of a list, the first object counts.

    Raises:
        DocumentError: It is none that is known, or so empty that it may be any.
    """
    items = raw if isinstance(raw, list) else [raw]
    objects = [item for item in items if isinstance(item, dict) and item]
    if not objects:
        raise DocumentError("an object with members; name the kind", raw)
    best: tuple[float, str] | None = None
    for order, name in enumerate(_ALONE.split()):
        scores = [_score(kinds()[name], name, item) for item in objects[:_ENOUGH]]
        if None in scores:
            continue
        score = sum(score for score in scores if score is not None)
        if isinstance(raw, list) and name == "v1.ContainerProperties":
            score += _TELLTALE  # the answer of an enumeration
        rated = (score - order / 100, name)
        best = rated if best is None or rated[0] > best[0] else best
    if best is None:
        raise DocumentError("a document of HCS, HNS or HCN; name the kind", raw)
    return Kind(best[1], kinds()[best[1]])


#: How many items of a list are looked at.
_ENOUGH = 20
#: What a member counts that only one kind has; so much more than a common one.
_TELLTALE = 8.0
#: What a value counts against a kind that never has it.
_IMPOSSIBLE = 30.0


def _score(cls: type[Document], name: str, raw: Mapping[str, JSON]) -> float | None:
    """Rate how well a value fits a kind; ``None`` if it does not at all."""
    keys = {key.casefold() for key in raw}
    known = {member.wire.casefold() for member in plan_of(cls).members}
    hits = len(known & keys)
    if not hits:
        return None
    try:
        document = from_dict(cls, raw)
    except DocumentError:
        return None
    misses = sum(1 for _ in unknown_members(document))
    parts = sum(1 for _ in walk(document))
    score = 4.0 * hits + parts - 5.0 * misses
    for member, prefixes in _TELLTALES:
        if member in keys:
            score += _TELLTALE if name.startswith(prefixes) else -_TELLTALE
    return score + _hint(name, raw) - len(known - keys) / 2000


def _hint(name: str, raw: Mapping[str, JSON]) -> float:
    """Rate what only the values tell."""
    values = {key.casefold(): value for key, value in raw.items()}
    score = 0.0
    if values.get("consolesize") == [0, 0] and name.startswith("v1."):
        score += 3.0  # always written there, and never here
    types = values.get("propertytypes")
    if isinstance(types, list):
        score += sum(3.0 for item in types if item in _VALUES.get(name, ()))
    for member in ("type", "resourcetype"):
        if name in _VALUES and member in values:
            usual = _folded(values[member]) in map(_folded, _VALUES[name])
            score += 3.0 if usual else -_IMPOSSIBLE
    if "type" in values and "settings" not in values and name in _WITH_SETTINGS:
        score -= 3.0  # what has none is a policy of HNS, whose members lie flat
    if "type" not in values and name.startswith("hns.") and name.endswith("Policy"):
        score -= 6.0  # and those always name their type
    return score


def _folded(value: object) -> object:
    """Give text without its case, anything else as it is."""
    return value.casefold() if isinstance(value, str) else value


#: Values of ``Type``, ``ResourceType`` or ``PropertyTypes`` that belong to a kind.
_VALUES: dict[str, tuple[object, ...]] = {
    "hcs.ServicePropertyQuery": ("Basic", "QoSCapabilities"),
    "v1.PropertyQuery": ("MappedVirtualDisk",),
    "v1.ResourceModificationRequestResponse": (
        *("Network", "MappedDirectory", "Memory", "Processor"),
    ),
    "hcn.ModifyNamespaceSettingRequest": ("Container", "Endpoint", 0, 1, "0", "1"),
    "hcn.ModifyNetworkSettingRequest": ("Policy", "DNS", "Extension"),
    "hcn.ModifyEndpointSettingRequest": ("Policy", "Port"),
    "hcs.CrashOptions": ("CrashGuest",),
    "hcs.OsLayerOptions": ("Container", "Vm"),
    "hcs.ShutdownOptions": ("Shutdown", "Hibernate", "Reboot"),
    "hns.ACLPolicy": ("ACL",),
    "hns.NatPolicy": ("NAT",),
    "hns.OutboundNatPolicy": ("OutBoundNAT",),
    "hns.Policy": (
        *("ACL", "NAT", "OutBoundNAT", "PA", "ROUTE", "VLAN", "VSID", "QOS", "ELB"),
        *("L2Driver", "PROXY", "L4PROXY", "L4WFPPROXY", "Isolation", "EncapOverhead"),
    ),
    "hcn.NetworkPolicy": (
        *("NetAdapterName", "VSwitchExtension", "SourceMacAddress", "DrMacAddress"),
        *(
            "AutomaticDNS",
            "InterfaceConstraint",
            "ProviderAddress",
            "RemoteSubnetRoute",
        ),
        *("VxlanPort", "HostRoute", "SetPolicy", "NetworkL4Proxy", "LayerConstraint"),
        *("NetworkACL",),
    ),
    "hcn.EndpointPolicy": (
        *("PortMapping", "ACL", "QOS", "L2Driver", "OutBoundNAT", "SDNRoute"),
        *("L4Proxy", "L4WFPPROXY", "PortName", "EncapOverhead", "IOV", "Proxy"),
        *("TierAcl", "ProviderAddress"),
    ),
    "hcn.Ipam": ("Static", "DHCP", "Dhcp"),
}
_WITH_SETTINGS = ("hcn.NetworkPolicy", "hcn.EndpointPolicy")
