"""A host with a datapath that only takes notes, and the calls that tests make."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

from hcsshim.host.datapath.port import Counters, DatapathError
from hcsshim.host.network.adapters import Adapter
from hcsshim.host.network.service import NetworkService
from hcsshim.host.network.store import Store
from hcsshim.host.serving.log import Log
from hcsshim.host.serving.server import Host

if TYPE_CHECKING:
    from collections.abc import Callable
    from ipaddress import IPv4Network
    from pathlib import Path

    from hcsshim.host.datapath.port import (
        EndpointPlan,
        Everything,
        KernelPart,
        LoadBalancerPlan,
        NetworkPlan,
        SdnRoutePlan,
        Target,
    )
    from hcsshim.host.fields import JSON
    from hcsshim.host.serving import wire

PATIENCE_SECONDS = 60.0
V2: dict[str, JSON] = {"SchemaVersion": {"Major": 2, "Minor": 0}}
QUERY = json.dumps(V2)
NO_ID = "00000000-0000-0000-0000-000000000000"
UNKNOWN = "5f0b1190-63be-4e0c-b974-bd0f55675a42"


class NotingDatapath:
    """
    A datapath that notes what it is told.

    Attributes:
        done: Names of calls with what they were about.
        networks: The plans that hold, and those of other objects.
        attached: Where endpoints are.
        failure: What the next attaching raises.
        reason: Why nothing can be attached, if so.
    """

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.networks: dict[str, NetworkPlan] = {}
        self.endpoints: dict[str, EndpointPlan] = {}
        self.balancers: dict[str, LoadBalancerPlan] = {}
        self.routes: dict[str, SdnRoutePlan] = {}
        self.attached: dict[str, list[Target]] = {}
        self.everything: Everything | None = None
        self.failure: DatapathError | None = None
        self.reason = ""
        self.traffic = Counters()

    def _fail(self) -> None:
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    def obstacle(self) -> str:
        """See the protocol."""
        return self.reason

    def reconcile(self, everything: Everything) -> None:
        """See the protocol."""
        self._fail()
        self.everything = everything

    def apply_network(self, network: NetworkPlan) -> None:
        """See the protocol."""
        self._fail()
        self.networks[network.id] = network

    def clear_network(self, network: str) -> None:
        """See the protocol."""
        for endpoint in self.endpoints.values():
            if endpoint.network == network:
                self.attached.pop(endpoint.id, None)

    def remove_network(self, network: str) -> None:
        """See the protocol."""
        self.networks.pop(network, None)
        self.done.append(("remove_network", network))

    def apply_endpoint(self, endpoint: EndpointPlan) -> None:
        """See the protocol."""
        self._fail()
        self.endpoints[endpoint.id] = endpoint

    def remove_endpoint(self, endpoint: str) -> None:
        """See the protocol."""
        self.endpoints.pop(endpoint, None)
        self.attached.pop(endpoint, None)

    def attach(self, endpoint: str, target: Target) -> None:
        """See the protocol."""
        self._fail()
        self.attached.setdefault(endpoint, []).append(target)

    def detach(self, endpoint: str, target: Target) -> None:
        """See the protocol."""
        left = [t for t in self.attached.get(endpoint, ()) if t.id != target.id]
        self.attached[endpoint] = left

    def apply_load_balancer(self, balancer: LoadBalancerPlan) -> None:
        """See the protocol."""
        self._fail()
        self.balancers[balancer.id] = balancer

    def remove_load_balancer(self, balancer: str) -> None:
        """See the protocol."""
        self.balancers.pop(balancer, None)

    def apply_route(self, route: SdnRoutePlan) -> None:
        """See the protocol."""
        self.routes[route.id] = route

    def remove_route(self, route: str) -> None:
        """See the protocol."""
        self.routes.pop(route, None)

    def counters(self, endpoint: str) -> Counters:
        """See the protocol."""
        return self.traffic if self.attached.get(endpoint) else Counters()

    def parts(self, network: str) -> list[KernelPart]:
        """See the protocol."""
        self.done.append(("parts", network))
        return []

    def close(self) -> None:
        """See the protocol."""
        self.done.append(("close", ""))


class FixedAdapters:
    """Adapters of a machine that a test makes up."""

    def __init__(self) -> None:
        self.known: dict[str, Adapter] = {
            name: Adapter(name=name, interface=f"if{place}", address=f"192.0.2.{place}")
            for place, name in enumerate(("Ethernet", "Second", "test adapter"), 1)
        }
        self.used: tuple[IPv4Network, ...] = ()

    def find(self, name: str) -> Adapter | None:
        """See the protocol."""
        return self.known.get(name)

    def usual(self) -> Adapter | None:
        """See the protocol."""
        return next(iter(self.known.values()), None)

    def prefixes(self) -> tuple[IPv4Network, ...]:
        """See the protocol."""
        return self.used


class Machine:
    """
    A host in a thread, which can be ended and begun again.

    Attributes:
        datapath: Of the host that runs.
        adapters: Of the machine.
        store: The file that outlives a host.
    """

    def __init__(
        self,
        folder: Path,
        open_silo: Callable[..., object],
        connect: Callable[[str], object],
    ) -> None:
        self.store = folder / "networks.sqlite"
        self._open_silo = open_silo
        self._connect = connect
        self.path = str(folder / "run" / "host.sock")
        self.datapath = NotingDatapath()
        self.adapters = FixedAdapters()
        self.begin()

    def begin(self) -> None:
        """Let a host run."""
        self._stopped = False
        self.datapath = NotingDatapath()
        self.failures: list[BaseException] = []
        self.host = Host(
            self.path,
            self._open_silo,  # type: ignore[arg-type]  # a silo of the tests'
            Log(None),
            idle_seconds=3600,
            open_networks=self._open,
        )
        self.host.failed = self.failures.append  # type: ignore[method-assign]  # to see
        self._thread = threading.Thread(target=self.host.run)
        self._thread.start()
        self.client = self._connect(self.path)

    def _open(self, host: Host) -> NetworkService:
        self.service = NetworkService(
            Store(str(self.store)),
            self.datapath,
            self.adapters,
            host.init_of,
        )
        return self.service

    def stop(self) -> None:
        """Ask the host to end."""
        if not self._stopped:
            self._stopped = True
            self.host.loop.call_soon(self.host.stop)
            os.write(self.host.loop.wake_file, b"\0")

    def end(self) -> None:
        """End the host."""
        self.stop()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        self.client.close()  # type: ignore[attr-defined]  # a RawClient
        assert self.failures == []

    def restart(self) -> None:
        """End the host and let another begin with what it kept."""
        self.end()
        self.begin()


class Net:
    """The calls of networks, as tests like to make them."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    @property
    def datapath(self) -> NotingDatapath:
        """What carries the packets."""
        return self.machine.datapath

    @property
    def client(self):  # type: ignore[no-untyped-def]  # noqa: ANN201 - a RawClient
        """The client under it."""
        return self.machine.client

    # -- any call --------------------------------------------------------

    def ok(self, name: str, *arguments: wire.Argument) -> JSON:
        """Make a call that must succeed; give its document."""
        result = self.client.call(name, *arguments)
        assert result.hresult == 0, (name, hex(result.hresult), result.document)
        if result.document is None:
            return None
        found: JSON = json.loads(result.document)
        return found

    def refused(
        self, code: int, name: str, *arguments: wire.Argument
    ) -> dict[str, JSON]:
        """Make a call that must fail with a code; give its error record."""
        result = self.client.call(name, *arguments)
        assert hex(code) == hex(result.hresult), (name, result.document)
        record: dict[str, JSON] = json.loads(result.document)
        assert record["Success"] is False
        assert code == record["ErrorCode"]
        return record

    # -- HCN -------------------------------------------------------------

    def make(
        self,
        kind: str,
        *,
        document: dict[str, JSON] | str | None = None,
        object_id: str | None = None,
        network: int | None = None,
    ) -> int:
        """Create an object that must be accepted; give its handle."""
        handle = self.client.new_id()
        text = document if isinstance(document, str) else json.dumps(document or V2)
        above = () if network is None else (network,)
        assert (
            self.ok(f"HcnCreate{kind}", *above, object_id, text, handle) is None
        )  # no error record
        return int(handle)

    def refuse(
        self,
        code: int,
        kind: str,
        *,
        document: dict[str, JSON] | str | None = None,
        object_id: str | None = None,
        network: int | None = None,
    ) -> dict[str, JSON]:
        """Create an object that must be refused with a code; give the record."""
        handle = self.client.new_id()
        text = document if isinstance(document, str) else json.dumps(document or V2)
        above = () if network is None else (network,)
        record = self.refused(code, f"HcnCreate{kind}", *above, object_id, text, handle)
        self.client.call(f"HcnClose{kind}", handle)
        return record

    def open(self, kind: str, object_id: str) -> int:
        """Open an object; give its handle."""
        handle = self.client.new_id()
        self.ok(f"HcnOpen{kind}", object_id, handle)
        return int(handle)

    def query(
        self, kind: str, handle: int, text: str | None = QUERY
    ) -> dict[str, JSON]:
        """Read the document of an object, by default in the form of v2."""
        found = self.ok(f"HcnQuery{kind}Properties", handle, text)
        assert isinstance(found, dict)
        return found

    def id_of(self, kind: str, handle: int) -> str:
        """Give the id of an object."""
        return str(self.query(kind, handle)["ID"])

    def ids(self, kind: str, **wanted: JSON) -> list[str]:
        """List the ids of objects that a filter finds."""
        query = {**V2, **({"Filter": json.dumps(wanted)} if wanted else {})}
        found = self.ok(f"HcnEnumerate{kind}s", json.dumps(query))
        assert isinstance(found, list)
        return [str(item) for item in found]

    def modify(
        self,
        kind: str,
        handle: int,
        resource: JSON,
        verb: JSON,
        settings: JSON = None,
    ) -> None:
        """Change an object, which must succeed."""
        self.ok(f"HcnModify{kind}", handle, request(resource, verb, settings))

    def refuse_change(  # noqa: PLR0913, PLR0917 - the code before a request
        self,
        code: int,
        kind: str,
        handle: int,
        resource: JSON,
        verb: JSON,
        settings: JSON = None,
    ) -> dict[str, JSON]:
        """Change an object, which must be refused with a code."""
        text = request(resource, verb, settings)
        return self.refused(code, f"HcnModify{kind}", handle, text)

    def nat(self, name: str = "nat", prefix: str = "10.5.0.0/24", **more: JSON) -> int:
        """Make a NAT network; its gateway is the first address."""
        return self.make("Network", document=network("NAT", name, prefix, **more))

    def bridge(self, name: str = "bridge", **more: JSON) -> int:
        """Make an L2Bridge network."""
        return self.make(
            "Network", document=network("L2Bridge", name, "10.6.0.0/24", **more)
        )

    def overlay(self, name: str = "overlay", **more: JSON) -> int:
        """Make an overlay."""
        return self.make("Network", document=overlay(name, **more))

    def endpoint(self, on: int, name: str = "e", **more: JSON) -> int:
        """Make an endpoint on a network."""
        return self.make("Endpoint", document={**V2, "Name": name, **more}, network=on)

    # -- HNS -------------------------------------------------------------

    def hns(self, method: str, path: str, body: JSON = "") -> JSON:
        """Make a request of v1 that must succeed; give its output."""
        text = body if isinstance(body, str) else json.dumps(body)
        answer = self.ok("HNSCall", method, path, text)
        assert isinstance(answer, dict)
        assert answer["Success"] is True, answer
        return answer.get("Output")

    def hns_fails(self, method: str, path: str, body: JSON = "") -> dict[str, JSON]:
        """Make a request of v1 that must fail inside the envelope."""
        text = body if isinstance(body, str) else json.dumps(body)
        answer = self.ok("HNSCall", method, path, text)
        assert isinstance(answer, dict)
        assert answer["Success"] is False
        return answer

    def hns_refused(
        self, code: int, method: str, path: str, body: JSON = ""
    ) -> dict[str, JSON]:
        """Make a request of v1 whose call must fail with a code."""
        text = body if isinstance(body, str) else json.dumps(body)
        return self.refused(code, "HNSCall", method, path, text)


def request(resource: JSON, verb: JSON, settings: JSON = None) -> str:
    """Write a modify request."""
    document = {"ResourceType": resource, "RequestType": verb, "Settings": settings}
    return json.dumps(document)


def policy(kind: str, **settings: JSON) -> dict[str, JSON]:
    """Write a policy of v2."""
    return {"Type": kind, "Settings": settings}


def policies(*listed: JSON) -> dict[str, JSON]:
    """Write the settings of a request about policies."""
    return {"Policies": list(listed)}


def subnet(prefix: str, gateway: str | None = None, **more: JSON) -> dict[str, JSON]:
    """Write a subnet of v2."""
    any_prefix = "::/0" if ":" in prefix else "0.0.0.0/0"
    routes: list[JSON] = []
    if gateway is not None:
        routes = [{"NextHop": gateway, "DestinationPrefix": any_prefix}]
    return {"IpAddressPrefix": prefix, "Routes": routes, **more}


def network(
    kind: str, name: str, prefix: str = "", gateway: str | None = None, **more: JSON
) -> dict[str, JSON]:
    """Write a network of v2; the gateway is the first address unless one is given."""
    document: dict[str, JSON] = {**V2, "Name": name, "Type": kind}
    if prefix:
        first = gateway or prefix.split("/", maxsplit=1)[0].rpartition(".")[0] + ".1"
        document["Ipams"] = [{"Type": "Static", "Subnets": [subnet(prefix, first)]}]
    return {**document, **more}


def overlay(name: str = "overlay", vsid: int = 5000, **more: JSON) -> dict[str, JSON]:
    """Write an overlay of v2."""
    isolation = policy("VSID", IsolationId=vsid)
    part = subnet("192.168.1.0/24", "192.168.1.1", Policies=[isolation])
    ipams: list[JSON] = [{"Type": "Static", "Subnets": [part]}]
    return {**V2, "Name": name, "Type": "Overlay", "Ipams": ipams, **more}


def kinds(document: dict[str, JSON]) -> list[str]:
    """List the types of an object's policies."""
    listed = document["Policies"]
    assert isinstance(listed, list)
    return [str(item["Type"]) for item in listed if isinstance(item, dict)]
