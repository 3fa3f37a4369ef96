"""Documents of HNS and HCN met in the wild: read, and written back whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hcsshim import documents
from hcsshim.documents import hcn, hns

FIXTURES = Path(__file__).parents[1] / "fixtures"
FILES = {
    path.stem: path
    for folder in ("hcs", "hns")
    for path in sorted((FIXTURES / folder).glob("*.json"))
}

#: What a file is. CNI configurations and rule files are documents of other programs.
KINDS: dict[str, type[documents.Document]] = {
    "error-80070057-invalid-parameter.record": hcn.ErrorRecord,
    "error-803b000a-invalid-network.record": hcn.ErrorRecord,
    "error-803b001b-unknown-field.record": hcn.ErrorRecord,
    "error-803b002f-address-reserved.record": hcn.ErrorRecord,
    "hcn-error-invalid-parameter": hcn.ErrorRecord,
    "hcn-error-object-exists": hcn.ErrorRecord,
    "hcn-error-port-not-found": hcn.ErrorRecord,
    "hns-namespace-add-resource": hns.NamespaceResourceRequest,
    "hns-namespace-created-2019": hns.Namespace,
    "hns-networks-private-2017": hns.HNSNetwork,
    "v1-endpoint-nat-rs5.output": hns.HNSEndpoint,
    "v1-endpoint-transparent-static.request": hns.HNSEndpoint,
    "v1-namespace-created.output": hns.Namespace,
    "v1-network-ics-wsl-192-168-50.request": hns.HNSNetwork,
    "v1-network-nat-any-prefix.request": hns.HNSNetwork,
    "v1-network-nat-created-a.response": hns.HNSResponse,
    "v1-network-nat-rs1.output": hns.HNSNetwork,
    "v1-network-overlay-vsid-4096.request": hns.HNSNetwork,
    "v1-network-private-list.output": hns.HNSNetwork,
    "v1-endpoint-calico-policies.output": hns.Policy,
    "v1-policy-acl-wireserver.policy": hns.ACLPolicy,
    "v1-policy-l4wfpproxy-flat.policy": hns.Policy,
    "v1-policy-nat-tcp-8081.policy": hns.NatPolicy,
    "v1-policy-outboundnat-exceptions.policy": hns.OutboundNatPolicy,
    "v1-policy-outboundnat-three-exceptions.policy": hns.OutboundNatPolicy,
    "v2-endpoint-null-mac-schema-2-16.settings": hcn.HostComputeEndpoint,
    "v2-ipam-static.fragment": hcn.Ipam,
    "v2-loadbalancer-clusterip.output": hcn.HostComputeLoadBalancer,
    "v2-modify-namespace-numeric-enums.request": hcn.ModifyNamespaceSettingRequest,
    "v2-network-ics-static.settings": hcn.HostComputeNetwork,
    "v2-network-transparent-flags-10.settings": hcn.HostComputeNetwork,
    "v2-policy-acl-udp-block-in.settings": hcn.AclPolicySetting,
    "v2-policy-l4wfpproxy-envoy.policy": hcn.EndpointPolicy,
    "v2-policy-netadaptername.policy": hcn.NetworkPolicy,
    "v2-policy-outboundnat-four.settings": hcn.OutboundNatPolicySetting,
    "v2-policy-sdnroute-needencap.settings": hcn.SDNRoutePolicySetting,
}
OTHERS = ("cni-", "rules-")


def read(name: str) -> str:
    """Read one file."""
    return FILES[name].read_text(encoding="utf-8")


def contains(outer: object, inner: object) -> bool:
    """Tell whether all of a JSON value is in another; a null may be left out."""
    if isinstance(inner, dict) and isinstance(outer, dict):
        return all(
            v is None if k not in outer else contains(outer[k], v)
            for k, v in inner.items()
        )
    if isinstance(inner, list) and isinstance(outer, list):
        return len(inner) == len(outer) and all(map(contains, outer, inner))
    return type(outer) is type(inner) and outer == inner


def test_every_file_has_a_kind() -> None:
    """No file of the network services is passed over."""
    known = {n for n in FILES if FILES[n].parent.name == "hns"}

    assert {n for n in known if not n.startswith(OTHERS)} <= set(KINDS)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_nothing_is_lost(name: str) -> None:
    """All members come back with their values, types, and spelling."""
    text = read(name)

    if text.lstrip().startswith("["):
        again = documents.dumps_list(documents.loads_list(KINDS[name], text))
    else:
        again = documents.dumps(documents.loads(KINDS[name], text))

    assert contains(json.loads(again), json.loads(text))


def test_numbers_for_enums_stay_numbers() -> None:
    """Some clients send numbers where others send names; both are read."""
    request = documents.loads(
        hcn.ModifyNamespaceSettingRequest,
        read("v2-modify-namespace-numeric-enums.request"),
    )

    assert request.resource_type == "1"
    assert documents.to_dict(request)["ResourceType"] == 1


def test_error_records_have_unsigned_codes() -> None:
    """The code is unsigned, and the text has no blank at its end."""
    record = hcn.parse_error(read("error-803b000a-invalid-network.record"))

    assert record is not None
    assert record.hresult == 0x803B000A
    assert record.summary.endswith("parameters.")
    assert record.success is False


@pytest.mark.parametrize("text", [None, "", "x", "[]", "null"])
def test_what_is_no_record_is_none(text: str | None) -> None:
    """Where there is no object there is no record, and no error."""
    assert hcn.parse_error(text) is None


def test_bad_members_of_a_record_are_set_aside() -> None:
    """A member that makes no sense does not hide the code."""
    record = hcn.parse_error('{"ErrorCode": 5, "Error": {}}')

    assert record is not None
    assert record.error_code == 5
    assert record.extra == {"Error": {}}


def test_zero_endpoint() -> None:
    """By-value parts of an HCN object are always written."""
    assert documents.to_dict(hcn.HostComputeEndpoint()) == {
        "Dns": {},
        "Health": {"Extra": {}},
        "SchemaVersion": {"Major": 0, "Minor": 0},
    }


def test_policies_are_documents_or_json() -> None:
    """The policies of HNS are open: documents and plain objects stand side by side."""
    endpoint = hns.HNSEndpoint(
        policies=(
            hns.NatPolicy(type="NAT", protocol="TCP", internal_port=80),
            {"Type": "VLAN", "VLAN": 12},
        )
    )

    assert documents.to_dict(endpoint) == {
        "Policies": [
            {"Type": "NAT", "Protocol": "TCP", "InternalPort": 80},
            {"Type": "VLAN", "VLAN": 12},
        ]
    }
