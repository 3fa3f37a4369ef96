"""A thousand endpoints of one network, with real packets."""

from __future__ import annotations

import attrs
from datapath_lab import NETWORK, Lab, endpoint, in_namespaces, network, target

from hcsshim.host.datapath.port import AddressPlan, EndpointPlan, PortMappingPlan

COUNT = 1000
#: Each container has its share of the endpoints.
CONTAINERS = 40


def plan(number: int) -> EndpointPlan:
    """Plan an endpoint of 10.7.0.0/16, every tenth with a port of the machine."""
    mapping = PortMappingPlan(
        protocol=6, internal_port=80, external_port=10_000 + number
    )
    address = f"10.7.{number // 250 + 1}.{number % 250 + 2}"
    return endpoint(
        number,
        mac=f"00:15:5d:00:{number // 256:02x}:{number % 256:02x}",
        addresses=(AddressPlan(address=address, prefix_length=16),),
        port_mappings=(mapping,) if number % 10 == 0 else (),
    )


@in_namespaces
def test_a_thousand_endpoints(lab: Lab) -> None:
    """
    A thousand endpoints are attached, reach each other, and are gone at once.
    """
    datapath = lab.datapath()
    wide = attrs.evolve(network().subnets[0], prefix="10.7.0.0/16")
    datapath.apply_network(network(subnets=(wide,)))
    first = lab.container(datapath, plan(0))
    places = [lab.place() for _ in range(CONTAINERS)]
    for number in range(1, COUNT - 1):
        made = plan(number)
        datapath.apply_endpoint(made)
        where = places[number % CONTAINERS]
        datapath.attach(made.id, target(where, f"eth{number // CONTAINERS}"))
    last = lab.container(datapath, plan(COUNT - 1))

    (address,) = plan(COUNT - 1).addresses
    assert first.reaches(address.address, 80, patiently=True)
    assert last.reaches(plan(0).addresses[0].address, 80, patiently=True)
    parts = datapath.parts(NETWORK)
    assert COUNT == sum(part.kind == "veth" for part in parts)
    assert [] == [part for part in parts if part.problem]

    datapath.clear_network(NETWORK)

    assert 0 == sum(part.kind == "veth" for part in datapath.parts(NETWORK))
    for place in (first, last, *places):
        links = place.links()
        assert ["lo"] == [link.name for link in links.all()]
        links.close()
    datapath.remove_network(NETWORK)
    assert ([], []) == lab.leftovers()
