"""What a document is, when nobody says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hcsshim import documents
from hcsshim.documents import hcn, hns, recognition, v1
from hcsshim.documents._document import DocumentError
from hcsshim.documents.recognition import kind_named, recognise

FIXTURES = Path(__file__).parents[1] / "fixtures"

#: What a file is, by the beginning of its name; the first that fits counts. A property
#: answer of one generation may be one of the other as well.
EXPECTED: dict[str, tuple[type[documents.Document], ...]] = {
    "answer-enumerate": (v1.ContainerProperties,),
    "answer-v1": (v1.ContainerProperties, documents.Properties),
    "create-v1": (v1.ContainerConfig,),
    "create-v2": (documents.ComputeSystem,),
    "error-": (hcn.ErrorRecord,),
    "event-process": (documents.ProcessStatus,),
    "event-system": (documents.SystemExitStatus,),
    "hcn-error": (hcn.ErrorRecord,),
    "hns-namespace-add": (hns.NamespaceResourceRequest,),
    "hns-namespace-created": (hns.Namespace,),
    "hns-networks": (hns.HNSNetwork,),
    "modify-v2": (documents.ModifySettingRequest,),
    "process-v1": (v1.ProcessConfig,),
    "process-v2": (documents.ProcessParameters,),
    "query-service": (documents.ServicePropertyQuery,),
    "query-v2": (documents.PropertyQuery,),
    "result": (documents.ResultError,),
    "v1-endpoint-calico": (hns.Policy,),
    "v1-endpoint": (hns.HNSEndpoint,),
    "v1-namespace": (hns.Namespace,),
    "v1-network-nat-created": (hns.HNSResponse,),
    "v1-network": (hns.HNSNetwork,),
    "v1-policy-acl": (hns.ACLPolicy,),
    "v1-policy-nat": (hns.NatPolicy,),
    "v1-policy-outbound": (hns.OutboundNatPolicy,),
    "v1-policy": (hns.Policy,),
    "v2-endpoint": (hcn.HostComputeEndpoint,),
    "v2-ipam": (hcn.Ipam,),
    "v2-loadbalancer": (hcn.HostComputeLoadBalancer,),
    "v2-modify-namespace": (hcn.ModifyNamespaceSettingRequest,),
    "v2-network": (hcn.HostComputeNetwork,),
    "v2-policy-acl": (hcn.AclPolicySetting,),
    "v2-policy-l4": (hcn.EndpointPolicy,),
    "v2-policy-net": (hcn.NetworkPolicy,),
    "v2-policy-outbound": (hcn.OutboundNatPolicySetting,),
    "v2-policy-sdn": (hcn.SDNRoutePolicySetting,),
}
FILES = {
    path: classes
    for folder in ("hcs", "hns")
    for path in sorted((FIXTURES / folder).glob("*.json"))
    for classes in [
        next((c for start, c in EXPECTED.items() if path.name.startswith(start)), ())
    ]
    if classes
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_documents_met_in_the_wild(path: Path) -> None:
    """Each is recognised by what is in it."""
    raw = json.loads(path.read_text(encoding="utf-8"))

    kind = recognise(raw)

    assert kind.cls in FILES[path]
    assert kind_named(kind.name) == kind


@pytest.mark.parametrize(
    "raw", [{}, [], None, 7, "text", {"Nonsense": 1}, [1, 2], {"Settings": {}, "x": 1}]
)
def test_what_may_be_anything(raw: documents.JSON) -> None:
    """Where there is too little to go by, the kind is asked for."""
    if isinstance(raw, dict) and "Settings" in raw:
        assert recognise(raw).name
        return
    with pytest.raises(DocumentError, match="name the kind"):
        recognise(raw)


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("hcs.ComputeSystem", documents.ComputeSystem),
        ("computesystem", documents.ComputeSystem),
        ("v1.propertyquery", v1.PropertyQuery),
        ("PropertyQuery", documents.PropertyQuery),
        ("HNSNetwork", hns.HNSNetwork),
        ("hcn.Subnet", hcn.Subnet),
    ],
)
def test_kinds_have_names(name: str, cls: type[documents.Document]) -> None:
    """A kind is named with or without its package, in any case."""
    assert cls is kind_named(name).cls


def test_unknown_kind() -> None:
    """A name that nothing has is told."""
    with pytest.raises(DocumentError, match="NoSuchThing"):
        kind_named("NoSuchThing")


def test_every_candidate_is_a_kind() -> None:
    """The list of what stands alone names existing classes, each once."""
    names = recognition._ALONE.split()

    assert set(names) <= set(recognition.kinds())
    assert sorted(set(names)) == sorted(names)
    assert set(recognition._VALUES) <= set(names)
