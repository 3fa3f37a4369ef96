"""Rules 4, 15 to 24, 86, 87, 90 and 164 to 213: endpoints."""

from __future__ import annotations

import pytest
from network_support import (
    NO_ID,
    UNKNOWN,
    V2,
    Net,
    kinds,
    network,
    policies,
    policy,
    subnet,
)

UDP = policy("PortMapping", Protocol=17, InternalPort=45678, ExternalPort=56789)
ACL_IN = policy(
    "ACL",
    Protocols="6",
    Action="Block",
    Direction="In",
    LocalAddresses="192.168.100.0/24,10.0.0.21",
    RemoteAddresses="192.168.100.0/24,10.0.0.21",
    LocalPorts="80,8080",
    RemotePorts="80,8080",
    RuleType="Switch",
    Priority=200,
)
ACL_OUT = {**ACL_IN, "Settings": {**ACL_IN["Settings"], "Direction": "Out"}}
PROXY = policy(
    "L4WFPPROXY",
    InboundProxyPort="80",
    OutboundProxyPort="81",
    FilterTuple={"Protocols": "6", "RemotePorts": "80"},
    UserSID="S-1-5-32-556",
    InboundExceptions={"IpAddressExceptions": ["127.0.0.1"], "PortExceptions": ["8"]},
    OutboundExceptions={"IpAddressExceptions": ["127.0.0.1"]},
)


def first_address(net: Net, endpoint: int) -> str:
    """Give the first address of an endpoint."""
    found = net.query("Endpoint", endpoint)["IpConfigurations"]
    return str(found[0]["IpAddress"])


def test_r4_port_in_use(net: Net) -> None:
    """A mapping that equals one in use is refused, and leaves no endpoint behind."""
    on = net.overlay()
    net.endpoint(on, Policies=[UDP])

    net.refuse(0x803B0013, "Endpoint", document={**V2, "Policies": [UDP]}, network=on)

    assert len(net.ids("Endpoint")) == 1


def test_r15_to_r19_life_of_an_endpoint(net: Net) -> None:
    """An endpoint of nothing but a name is made, found in all ways, and deleted."""
    on = net.nat()
    endpoint = net.endpoint(on, "found")
    spelled, network_id = net.id_of("Endpoint", endpoint), net.id_of("Network", on)

    assert net.ids("Endpoint", ID=spelled) == [spelled]
    assert net.ids("Endpoint", Name="found") == [spelled]
    assert net.ids("Endpoint") == [spelled]
    assert net.ids("Endpoint", VirtualNetwork=network_id) == [spelled]
    net.ok("HcnDeleteEndpoint", spelled)
    net.ok("HcnDeleteNetwork", network_id)
    assert net.ids("Endpoint") == []


def test_r20_namespace_attach_and_detach(net: Net) -> None:
    """An endpoint joins a HostDefault namespace and leaves it."""
    on = net.nat()
    spelled = net.id_of("Endpoint", net.endpoint(on))
    space = net.make("Namespace", document={**V2, "Type": "HostDefault"})
    named = {"EndpointId": spelled}

    net.modify("Namespace", space, "Endpoint", "Add", named)
    net.modify("Namespace", space, "Endpoint", "Remove", named)

    net.ok("HcnDeleteNamespace", net.id_of("Namespace", space))
    net.ok("HcnDeleteEndpoint", spelled)
    net.ok("HcnDeleteNetwork", net.id_of("Network", on))


def test_r21_proxy_is_added(net: Net) -> None:
    """A proxy is accepted by an endpoint that is attached nowhere."""
    endpoint = net.endpoint(net.nat())

    net.modify("Endpoint", endpoint, "Policy", "Add", policies(PROXY))

    assert kinds(net.query("Endpoint", endpoint)) == ["L4WFPPROXY"]
    (plan,) = net.datapath.endpoints[net.id_of("Endpoint", endpoint)].proxies
    assert (plan.inbound_port, plan.outbound_port) == (80, 81)


def test_r22_r23_filters_are_applied(net: Net) -> None:
    """An update with filters of both directions shows them."""
    endpoint = net.endpoint(net.nat())

    net.modify("Endpoint", endpoint, "Policy", "Update", policies(ACL_IN, ACL_OUT))

    assert net.query("Endpoint", endpoint)["Policies"] == [ACL_IN, ACL_OUT]


def test_r24_tiers(net: Net) -> None:
    """Tiers with rules that pass, allow, block, or have no addresses are kept."""
    rules = [
        {"Id": "1", "Protocols": "6", "TierAclRuleAction": "Pass", "Priority": 1},
        {"Id": "2", "TierAclRuleAction": "Allow", "LocalAddresses": "10.0.0.1"},
        {"Id": "3", "TierAclRuleAction": "Block"},
    ]
    tiers = [
        policy(
            "TierAcl", Name=f"t{order}", Direction=way, Order=order, TierAclRules=rules
        )
        for order in range(3)
        for way in ("In", "Out")
    ]
    endpoint = net.endpoint(net.bridge())

    net.modify("Endpoint", endpoint, "Policy", "Update", policies(*tiers))

    assert kinds(net.query("Endpoint", endpoint)) == ["TierAcl"] * 6
    plan = net.datapath.endpoints[net.id_of("Endpoint", endpoint)]
    assert [rule.action.value for rule in plan.tiers[0].rules] == [
        *("Pass", "Allow", "Block"),
    ]


def dual_stack(net: Net) -> int:
    """Make a network with a subnet of each family."""
    parts = [
        subnet("192.168.128.0/20", "192.168.128.1"),
        subnet("fd00::/64", "fd00::1"),
    ]
    document = {**V2, "Name": "dual", "Type": "NAT", "Ipams": [{"Subnets": parts}]}
    return net.make("Network", document=document)


def test_r86_addresses_of_both_families(net: Net) -> None:
    """Given addresses and lengths of prefixes are kept."""
    wanted = [
        {"IpAddress": "192.168.128.4", "PrefixLength": 20},
        {"IpAddress": "fd00::106", "PrefixLength": 120},
    ]

    endpoint = net.endpoint(dual_stack(net), IpConfigurations=wanted)

    found = net.query("Endpoint", endpoint)["IpConfigurations"]
    assert [
        {name: item[name] for name in ("IpAddress", "PrefixLength")} for item in found
    ] == wanted


def test_r87_one_address_of_each_family(net: Net) -> None:
    """An endpoint that asks for nothing gets an address of each family."""
    endpoint = net.endpoint(dual_stack(net))

    found = net.query("Endpoint", endpoint)["IpConfigurations"]

    assert [item["PrefixLength"] for item in found] == [20, 64]


def test_r90_iov(net: Net) -> None:
    """An Iov policy is updated and removed."""
    endpoint = net.endpoint(net.nat())
    for weight in (100, 50):
        listed = policies(policy("Iov", IovOffloadWeight=weight))
        net.modify("Endpoint", endpoint, "Policy", "Update", listed)
        (found,) = net.query("Endpoint", endpoint)["Policies"]
        assert found["Settings"]["IovOffloadWeight"] == weight

    net.modify("Endpoint", endpoint, "Policy", "Remove", listed)

    assert kinds(net.query("Endpoint", endpoint)) == []


def test_r164_lowest_free_address(net: Net) -> None:
    """The lowest address that nobody has is taken, past network and gateway."""
    on = net.nat(prefix="10.5.0.0/29")
    endpoints = [net.endpoint(on) for _ in range(5)]
    net.refuse(0x803B002F, "Endpoint", network=on)
    net.ok("HcnDeleteEndpoint", net.id_of("Endpoint", endpoints[1]))

    assert [first_address(net, e) for e in (endpoints[0], endpoints[4])] == [
        *("10.5.0.2", "10.5.0.6"),
    ]
    assert first_address(net, net.endpoint(on)) == "10.5.0.3"


def test_r165_given_address(net: Net) -> None:
    """A given address stays, and so does a given length, also 32."""
    on = net.nat()
    whole = net.endpoint(on, IpConfigurations=[{"IpAddress": "10.5.0.9"}])
    single = {"IpAddress": "10.5.0.10", "PrefixLength": 32}
    narrow = net.endpoint(on, IpConfigurations=[single])

    lengths = [
        net.query("Endpoint", handle)["IpConfigurations"][0]["PrefixLength"]
        for handle in (whole, narrow)
    ]

    assert lengths == [24, 32]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.9.0.1", 0x803B001E),
        ("nonsense", 0x803B001E),
        ("10.5.0.0", 0x803B002F),
        ("10.5.0.1", 0x803B002F),
        ("10.5.0.255", 0x803B002F),
        ("10.5.0.7", 0x803B002F),
        ("fd00::5", 0x803B0005),
    ],
)
def test_r166_r167_addresses_that_are_refused(
    net: Net, address: str, code: int
) -> None:
    """Addresses outside, reserved, taken, or of a family without subnet."""
    on = net.nat()
    net.endpoint(on, IpConfigurations=[{"IpAddress": "10.5.0.7"}])
    document = {**V2, "IpConfigurations": [{"IpAddress": address}]}

    net.refuse(code, "Endpoint", document=document, network=on)


def remote(address: str, *listed: object) -> dict[str, object]:
    """Write a remote endpoint."""
    provider = policy("ProviderAddress", ProviderAddress="192.0.2.9")
    return {
        **V2,
        "Flags": 1,
        "MacAddress": "02-11-22-33-44-55",
        "IpConfigurations": [{"IpAddress": address}],
        "Policies": [provider, *listed],
    }


def test_r168_r169_remote_addresses(net: Net) -> None:
    """A remote endpoint has any address; a local one then cannot have it."""
    on = net.overlay()
    handle = net.make("Endpoint", document=remote("11.0.98.129"), network=on)
    net.make("Endpoint", document=remote("192.168.1.2"), network=on)

    taken = {**V2, "IpConfigurations": [{"IpAddress": "192.168.1.2"}]}
    net.refuse(0x803B002F, "Endpoint", document=taken, network=on)

    assert first_address(net, handle) == "11.0.98.129"
    assert first_address(net, net.endpoint(on)) == "192.168.1.3"


def test_remote_address_is_free_again(net: Net) -> None:
    """The address of a remote endpoint that went can be given to a local one."""
    on = net.overlay()
    handle = net.make("Endpoint", document=remote("192.168.1.2"), network=on)
    net.endpoint(on)
    net.ok("HcnDeleteEndpoint", net.id_of("Endpoint", handle))

    assert first_address(net, net.endpoint(on)) == "192.168.1.2"


def test_r170_what_a_failure_took_is_free(net: Net) -> None:
    """A creation that fails gives address, MAC and ports back."""
    on = net.overlay()
    net.endpoint(on, Policies=[UDP])
    other = policy("PortMapping", InternalPort=1, ExternalPort=2)
    document = {**V2, "Policies": [other, UDP]}
    net.refuse(0x803B0013, "Endpoint", document=document, network=on)

    endpoint = net.endpoint(on, Policies=[other])

    assert first_address(net, endpoint) == "192.168.1.3"
    assert net.query("Endpoint", endpoint)["MacAddress"].endswith("-01")


@pytest.mark.parametrize("mac", ["0a-00-00-00-00-3b", "08:00:27:AA:bb:CC"])
def test_r171_given_mac(net: Net, mac: str) -> None:
    """A given MAC address comes back as it was written."""
    endpoint = net.endpoint(net.nat(), MacAddress=mac)

    assert net.query("Endpoint", endpoint)["MacAddress"] == mac


def test_r172_chosen_mac(net: Net) -> None:
    """Otherwise there is one, in upper case with dashes."""
    mac = net.query("Endpoint", net.endpoint(net.nat()))["MacAddress"]

    assert mac == mac.upper()
    assert mac.count("-") == 5


@pytest.mark.parametrize("mac", ["nonsense", "00-11-22-33-44", "00-11:22-33-44-55"])
def test_r173_malformed_mac(net: Net, mac: str) -> None:
    """A text that is no MAC address is refused."""
    document = {**V2, "MacAddress": mac}

    net.refuse(0x803B000C, "Endpoint", document=document, network=net.nat())


def v1_endpoint(net: Net, on: int, **more: object) -> dict[str, object]:
    """Make an endpoint by v1."""
    body = {"VirtualNetwork": net.id_of("Network", on), **more}
    found = net.hns("POST", "/endpoints/", body)
    assert isinstance(found, dict)
    return found


def test_r174_nameless_endpoints_of_v1(net: Net) -> None:
    """A nameless endpoint of v1 is called Ethernet."""
    assert v1_endpoint(net, net.nat())["Name"] == "Ethernet"


def test_r175_names_are_not_unique(net: Net) -> None:
    """Endpoints may share a name."""
    on = net.nat()
    net.endpoint(on, "same")
    net.endpoint(on, "same")

    assert len(net.ids("Endpoint", Name="same")) == 2


def test_r176_gateways_are_filled_in(net: Net) -> None:
    """The gateway is there though nobody sent it."""
    on = net.nat()

    route = net.query("Endpoint", net.endpoint(on))["Routes"]

    assert route == [{"NextHop": "10.5.0.1", "DestinationPrefix": "0.0.0.0/0"}]
    assert v1_endpoint(net, on)["GatewayAddress"] == "10.5.0.1"


def test_r177_internal_dns(net: Net) -> None:
    """With internal DNS the gateway is the first name server."""
    on = net.nat()

    found = v1_endpoint(net, on, EnableInternalDNS=True, DNSServerList="1.1.1.1")

    assert found["DNSServerList"] == "10.5.0.1,1.1.1.1"


def test_r178_r179_policies_of_remote_endpoints(net: Net) -> None:
    """Bridged ones get L2Driver, those of overlays need a provider address."""
    bridged = {**remote("10.9.9.9"), "Policies": []}
    handle = net.make("Endpoint", document=bridged, network=net.bridge())

    assert kinds(net.query("Endpoint", handle)) == ["L2Driver"]
    document = {**remote("10.9.9.9"), "Policies": []}
    net.refuse(0x803B0008, "Endpoint", document=document, network=net.overlay())


def test_r180_port_is_chosen(net: Net) -> None:
    """External port 0 becomes a free one."""
    mapping = policy("PortMapping", InternalPort=80, ExternalPort=0)
    on = net.nat()
    endpoints = [net.endpoint(on, Policies=[mapping]) for _ in range(2)]

    ports = {
        net.query("Endpoint", handle)["Policies"][0]["Settings"]["ExternalPort"]
        for handle in endpoints
    }

    assert len(ports) == 2
    assert 0 not in ports


def test_r181_missing_protocol_is_tcp(net: Net) -> None:
    """A mapping without a protocol is of TCP."""
    mapping = policy("PortMapping", InternalPort=80, ExternalPort=8080)
    endpoint = net.endpoint(net.nat(), Policies=[mapping])

    (plan,) = net.datapath.endpoints[net.id_of("Endpoint", endpoint)].port_mappings

    assert plan.protocol == 6
    assert plan.local


def test_r182_r183_ports_are_unique_while_used(net: Net) -> None:
    """A port is one endpoint's over all networks, per protocol and address."""
    first, second = net.nat("a"), net.overlay("b")
    mapping = policy("PortMapping", InternalPort=80, ExternalPort=8080)
    endpoint = net.endpoint(first, Policies=[mapping])
    other = policy("PortMapping", InternalPort=80, ExternalPort=8080, VIP="192.0.2.7")
    udp = policy("PortMapping", InternalPort=80, ExternalPort=8080, Protocol=17)

    document = {**V2, "Policies": [mapping]}
    net.refuse(0x803B0013, "Endpoint", document=document, network=second)
    net.endpoint(second, Policies=[other, udp])
    net.ok("HcnDeleteEndpoint", net.id_of("Endpoint", endpoint))
    net.endpoint(second, Policies=[mapping])


def test_r184_internal_port(net: Net) -> None:
    """The internal port is not 0."""
    for settings in ({"InternalPort": 0}, {}):
        document = {**V2, "Policies": [policy("PortMapping", **settings)]}
        net.refuse(0x803B002D, "Endpoint", document=document, network=net.overlay())
        net.ok("HcnDeleteNetwork", net.ids("Network")[0])


@pytest.mark.parametrize("kind", ["Private", "Transparent"])
def test_r185_networks_without_mappings(net: Net, kind: str) -> None:
    """These types map no ports, neither at creation nor later."""
    on = net.make("Network", document=network(kind, "a", "10.7.0.0/24"))
    mapping = policy("PortMapping", InternalPort=80, ExternalPort=80)

    document = {**V2, "Policies": [mapping]}
    net.refuse(0x803B0016, "Endpoint", document=document, network=on)
    net.refuse_change(
        *(0x803B0016, "Endpoint", net.endpoint(on), "Policy", "Add"),
        policies(mapping),
    )


def test_r186_r187_update_replaces_its_types(net: Net) -> None:
    """An update replaces the types it lists, in their order, and no others."""
    nat = policy("OutBoundNAT", Exceptions=["10.0.0.0/8"])
    endpoint = net.endpoint(net.overlay(), Policies=[nat, UDP, ACL_IN])

    net.modify("Endpoint", endpoint, "Policy", "Update", policies(ACL_OUT, ACL_IN))

    listed = net.query("Endpoint", endpoint)["Policies"]
    assert [item["Type"] for item in listed] == [
        *("OutBoundNAT", "PortMapping", "ACL", "ACL"),
    ]
    assert listed[2:] == [ACL_OUT, ACL_IN]


def test_r188_thousands_of_filters(net: Net) -> None:
    """Thousands of filters come in one update, or not at all."""
    endpoint = net.endpoint(net.overlay(), Policies=[ACL_IN])
    many = [
        policy("ACL", Action="Allow", Direction="In", Priority=place + 1)
        for place in range(3000)
    ]
    bad = policy("ACL", Action="Allow", Direction="Sideways")

    net.refuse_change(
        0x803B000D, "Endpoint", endpoint, "Policy", "Update", policies(*many, bad)
    )
    assert net.query("Endpoint", endpoint)["Policies"] == [ACL_IN]
    net.modify("Endpoint", endpoint, "Policy", "Update", policies(*many))

    assert len(net.query("Endpoint", endpoint)["Policies"]) == 3000


def test_r189_post_merges(net: Net) -> None:
    """What a partial document of v1 leaves out stays."""
    nat = policy("OutBoundNAT", Exceptions=["10.0.0.0/8"])
    route = policy("SDNRoute", DestinationPrefix="10.0.0.0/8", NeedEncap=True)
    endpoint = net.endpoint(net.overlay(), "kept", Policies=[nat, route, ACL_IN])
    spelled = net.id_of("Endpoint", endpoint)
    acl = {"Type": "ACL", "Action": "Allow", "Direction": "Out", "Protocol": 17}

    answer = net.hns(
        "POST", f"/endpoints/{spelled}", {"ID": spelled, "Policies": [acl]}
    )

    assert answer["Name"] == "kept"
    assert kinds(net.query("Endpoint", endpoint)) == ["OutBoundNAT", "SDNRoute", "ACL"]
    assert answer["Policies"][2]["Protocols"] == "17"


def test_r190_any_is_no_address(net: Net) -> None:
    """The word Any is refused as an address."""
    bad = policy("ACL", Action="Allow", Direction="In", RemoteAddresses="Any")

    document = {**V2, "Policies": [bad]}
    net.refuse(0x803B000D, "Endpoint", document=document, network=net.nat())


def acl_plan(net: Net, **settings: object):  # type: ignore[no-untyped-def]  # noqa: ANN201 - a plan
    """Make an endpoint with a filter, and give what the datapath was told of it."""
    settings = {"Action": "Allow", "Direction": "In", **settings}
    endpoint = net.endpoint(net.nat(), Policies=[policy("ACL", **settings)])
    (plan,) = net.datapath.endpoints[net.id_of("Endpoint", endpoint)].acls
    return plan


def test_r191_lists_and_ranges(net: Net) -> None:
    """Lists with commas and blanks, prefixes, ranges and sets are read."""
    plan = acl_plan(
        net,
        RemoteAddresses=" 10.0.0.1 , 10.1.0.0/16, azure-set ",
        LocalPorts="80, 8000-8080",
    )

    assert plan.remote_addresses == ("10.0.0.1", "10.1.0.0/16", "azure-set")
    assert plan.local_ports == ((80, 80), (8000, 8080))


@pytest.mark.parametrize(
    ("protocols", "numbers"), [("6,17", (6, 17)), ("256", ()), ("", ())]
)
def test_r192_protocols(net: Net, protocols: str, numbers: tuple[int, ...]) -> None:
    """Lists of protocols; 256 and nothing are any, which v1 shows as 256."""
    assert numbers == acl_plan(net, Protocols=protocols).protocols
    (endpoint,) = net.hns("GET", "/endpoints/")

    assert endpoint["Policies"][0]["Protocols"] == (protocols or "256")
    assert endpoint["Policies"][0]["Scope"] == 0


def test_r193_ids_of_filters(net: Net) -> None:
    """A filter's id is kept."""
    assert acl_plan(net, Id="block-server").name == "block-server"


@pytest.mark.parametrize("missing", ["Action", "Direction"])
def test_r194_filters_need_action_and_direction(net: Net, missing: str) -> None:
    """A filter without one of them is refused."""
    settings = {"Action": "Allow", "Direction": "In"}
    del settings[missing]

    document = {**V2, "Policies": [policy("ACL", **settings)]}
    net.refuse(0x803B000D, "Endpoint", document=document, network=net.nat())


def test_r195_r196_priorities(net: Net) -> None:
    """The datapath gets each priority; one that is missing is the last."""
    assert acl_plan(net, Priority=7).priority == 7
    net.ok("HcnDeleteNetwork", net.ids("Network")[0])
    assert acl_plan(net).priority == 65500


def test_r197_r198_exceptions(net: Net) -> None:
    """Exceptions may repeat, but have no bits of a host."""
    on = net.overlay()
    twice = policy("OutBoundNAT", Exceptions=["10.0.0.0/8", "10.0.0.0/8"])
    bad = policy("OutBoundNAT", Exceptions=["10.0.0.1/8"])

    net.endpoint(on, Policies=[twice])
    net.refuse(0x803B000D, "Endpoint", document={**V2, "Policies": [bad]}, network=on)


def test_r199_translation_of_both_families(net: Net) -> None:
    """There may be a translation for each family."""
    nats = [policy("OutBoundNAT", Exceptions=[p]) for p in ("10.0.0.0/8", "fd00::/8")]

    endpoint = net.endpoint(net.overlay(), Policies=nats)

    assert len(net.query("Endpoint", endpoint)["Policies"]) == 2


def test_r200_r201_routes(net: Net) -> None:
    """A route that encapsulates needs no next hop; its type is read in any case."""
    on = net.overlay()
    route = policy("SDNROUTE", DestinationPrefix="10.0.0.0/8", NeedEncap=True)
    bad = policy("SDNRoute", DestinationPrefix="10.0.0.0/8")

    endpoint = net.endpoint(on, Policies=[route])

    assert kinds(net.query("Endpoint", endpoint)) == ["SDNRoute"]
    net.refuse(0x803B000D, "Endpoint", document={**V2, "Policies": [bad]}, network=on)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (policy("Nonsense"), 0x803B000E),
        (policy("RemoteSubnetRoute"), 0x803B000E),
        (policy("SDNRoute", DestinationPrefix="x", NextHop="y"), 0x803B000D),
        (policy("QOS", MaximumOutgoingBandwidthInBytes="fast"), 0x803B000D),
        (policy("ACL", Action="Allow", Direction="In", LocalPorts="80-"), 0x803B000D),
    ],
)
def test_r202_bad_policies(net: Net, bad: dict[str, object], code: int) -> None:
    """Unknown types and settings that cannot be read create nothing."""
    document = {**V2, "Policies": [bad]}

    net.refuse(code, "Endpoint", document=document, network=net.overlay())

    assert net.ids("Endpoint") == []


def test_r203_one_proxy(net: Net) -> None:
    """There is one proxy at most; its type is enough to remove it."""
    endpoint = net.endpoint(net.nat(), Policies=[PROXY])

    net.refuse_change(
        0x803B0012, "Endpoint", endpoint, "Policy", "Add", policies(PROXY)
    )
    bare = policies(policy("L4WFPPROXY"))
    net.modify("Endpoint", endpoint, "Policy", "Remove", bare)

    assert kinds(net.query("Endpoint", endpoint)) == []
    net.refuse_change(0x803B0008, "Endpoint", endpoint, "Policy", "Remove", bare)


def test_r204_empty_exceptions(net: Net) -> None:
    """Empty objects as exceptions, and ports as texts, are accepted."""
    proxy = policy(
        "L4WFPPROXY",
        OutboundProxyPort="15001",
        FilterTuple={},
        InboundExceptions={},
        OutboundExceptions={"PortExceptions": ["90001"]},
    )

    net.endpoint(net.nat(), Policies=[proxy])


def test_r205_clearing_proxies(net: Net) -> None:
    """An update of nothing clears the proxies, and leaves the rest."""
    endpoint = net.endpoint(net.nat(), Policies=[PROXY, ACL_IN])

    net.modify("Endpoint", endpoint, "Policy", "Update", {})

    assert kinds(net.query("Endpoint", endpoint)) == ["ACL"]


def test_r206_r207_lenient_members(net: Net) -> None:
    """An empty port name is accepted, a namespace in the document ignored."""
    endpoint = net.endpoint(
        net.nat(), Policies=[policy("PortName", Name="")], HostComputeNamespace=UNKNOWN
    )

    assert net.query("Endpoint", endpoint)["HostComputeNamespace"] == NO_ID


def test_second_interface_parameters(net: Net) -> None:
    """Interface parameters are applied once."""
    listed = [policy("InterfaceParameters"), policy("InterfaceParameters")]

    document = {**V2, "Policies": listed}
    net.refuse(0x803B0036, "Endpoint", document=document, network=net.nat())


def test_r208_namespace_of_an_endpoint(net: Net) -> None:
    """The namespace is zero, or the id in lower case."""
    endpoint = net.endpoint(net.nat())
    space = net.make("Namespace", object_id=UNKNOWN.upper())
    named = {"EndpointId": net.id_of("Endpoint", endpoint)}

    net.modify("Namespace", space, "Endpoint", "Add", named)
    assert net.query("Endpoint", endpoint)["HostComputeNamespace"] == UNKNOWN
    net.modify("Namespace", space, "Endpoint", "Remove", named)

    assert net.query("Endpoint", endpoint)["HostComputeNamespace"] == NO_ID


def test_r209_deletion_takes_out_first(net: Net) -> None:
    """An endpoint that is deleted leaves its namespace and load balancers."""
    on = net.overlay()
    kept, doomed = (
        net.id_of("Endpoint", net.endpoint(on, name)) for name in ("kept", "doomed")
    )
    space = net.make("Namespace")
    net.modify("Namespace", space, "Endpoint", "Add", {"EndpointId": doomed})
    document = {**V2, "HostComputeEndpoints": [kept, doomed], "PortMappings": []}
    balancer = net.make("LoadBalancer", document=document)

    net.ok("HcnDeleteEndpoint", doomed)

    assert net.query("Namespace", space)["Resources"] == []
    assert net.query("LoadBalancer", balancer)["HostComputeEndpoints"] == [kept]


def test_r210_unknown_endpoint(net: Net) -> None:
    """An unknown endpoint is not found, in v1 inside the envelope when deleted."""
    net.refused(0x803B0002, "HcnDeleteEndpoint", UNKNOWN)
    net.refused(0x803B0002, "HcnOpenEndpoint", UNKNOWN, net.client.new_id())
    net.hns_refused(0x803B0002, "GET", f"/endpoints/{UNKNOWN}")

    answer = net.hns_fails("DELETE", f"/endpoints/{UNKNOWN}")

    assert "does not represent a valid object" in answer["Error"]


def test_r213_network_is_gone(net: Net) -> None:
    """No endpoint is made by the handle of a network that is gone."""
    on = net.nat()
    net.ok("HcnDeleteNetwork", net.id_of("Network", on))

    net.refuse(0x803B0001, "Endpoint", network=on)


def test_contradicting_network(net: Net) -> None:
    """A document that names another network is refused."""
    document = {**V2, "HostComputeNetwork": UNKNOWN}

    net.refuse(0x803B000C, "Endpoint", document=document, network=net.nat())


def test_ports_of_virtual_machines(net: Net) -> None:
    """A port is connected once, and disconnected once."""
    endpoint = net.endpoint(net.nat())
    port = {"PortId": UNKNOWN, "VirtualMachineId": UNKNOWN}

    net.modify("Endpoint", endpoint, "Port", "Add", port)
    net.refuse_change(0x803B0014, "Endpoint", endpoint, "Port", "Add", port)
    extra = net.query("Endpoint", endpoint)["Health"]["Extra"]
    net.modify("Endpoint", endpoint, "Port", "Remove")

    assert extra["VirtualMachine"] == UNKNOWN
    net.refuse_change(0x803B0034, "Endpoint", endpoint, "Port", "Remove")
