"""Which interfaces are the host's own, and through which of them traffic leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from uuid import UUID

from tests.support.counters import readings
from vnet_tui.engine.host_links import own_links, with_speed
from vnet_tui.engine.meter import Meter, Wiring
from vnet_tui.engine.resources import Link, LinkSnapshot, Route
from vnet_tui.engine.views import HistoryPoint, HostLink, Totals

GIGABIT = 1e9


def link(index: int, name: str, kind: str = "", master: str = "", *, up: bool = True) -> Link:
    return Link(
        index=index,
        name=name,
        kind=kind,
        alias="",
        up=up,
        carrier=up,
        master=master or None,
        addresses=frozenset(),
    )


def route(destination: str, device: str) -> Route:
    return Route(destination=ip_network(destination), device=device, gateway=None, protocol=4)


def host(*links: Link, routes: tuple[Route, ...] = ()) -> LinkSnapshot:
    return LinkSnapshot(links={one.name: one for one in links}, routes=routes)


def known(found: LinkSnapshot, **speeds: float) -> Mapping[str, HostLink]:
    return dict(own_links(found, ("vnet-a",), speeds).values())


PLAIN = (
    link(1, "lo"),
    link(2, "eth0"),
    link(3, "vnet-a", "bridge"),
    link(4, "tap0", "tun", "vnet-a"),
    link(5, "spare", up=False),
    link(6, "tun0", "tun"),
)


def test_what_is_part_of_a_network_is_not_the_hosts_own() -> None:
    assert set(known(host(*PLAIN))) == {"eth0", "tun0"}


def test_the_most_specific_default_route_leads_out_and_others_are_counted() -> None:
    plain = (
        route("0.0.0.0/0", "eth0"),
        route("0.0.0.0/0", "spare"),  # of the same subnet with a worse metric
        route("::/0", "eth0"),
        route("198.51.100.0/24", "eth0"),
        route("fe80::/64", "eth0"),
    )
    found = known(host(*PLAIN, routes=plain))
    assert (found["eth0"].defaults, found["eth0"].routes) == ((4, 6), 1)
    vpn = (*plain, route("0.0.0.0/1", "tun0"), route("128.0.0.0/1", "tun0"))
    found = known(host(*PLAIN, routes=vpn))
    assert (found["eth0"].defaults, found["tun0"].defaults) == ((6,), (4,))


def test_no_speed_is_made_up() -> None:
    bridged = host(
        *PLAIN,
        link(7, "br0", "bridge"),
        link(8, "eth1", master="br0"),
        link(9, "veth0", "veth", "br0"),
        link(10, "br1", "bridge"),
    )
    assert with_speed(bridged) == ("lo", "eth0", "spare", "eth1")
    found = known(bridged, eth1=GIGABIT)
    assert found["br0"].speed == found["eth1"].speed == GIGABIT
    assert [found[name].speed for name in ("eth0", "tun0", "veth0", "br1")] == [None] * 4


def test_what_the_host_receives_goes_towards_the_guests() -> None:
    meter = Meter()
    meter.links = own_links(host(*PLAIN), ("vnet-a",), {"eth0": GIGABIT})
    meter.record(readings({2: (0, 0, 0, 0, 0, 0)}), 1.0, 1001.0)
    sample = meter.record(readings({2: (500, 1000, 5, 10, 1, 2)}), 2.0, 1002.0)
    assert list(sample.links) == ["eth0"]  # the other was gone by then
    found = sample.links["eth0"]
    assert found.speed == GIGABIT
    assert (found.traffic.rates.in_bits, found.traffic.rates.out_bits) == (8000, 4000)
    assert found.traffic.totals == Totals(
        in_bytes=1000, out_bytes=500, in_packets=10, out_packets=5, in_drops=2, out_drops=1
    )
    assert meter.history(None, "eth0") == (HistoryPoint(time=1002.0, in_bits=8000, out_bits=4000),)


def test_a_link_that_becomes_a_port_is_measured_once() -> None:
    meter = Meter()
    meter.links = own_links(host(*PLAIN), (), {})
    network = UUID(int=1)
    meter.topology = {network: Wiring(bridge=3, ports={6: "tun0"})}
    nothing = (0, 0, 0, 0, 0, 0)
    sample = meter.record(readings(dict.fromkeys(range(1, 7), nothing)), 1.0, 1.0)
    assert set(sample.networks[network].ports) == {"tun0"}
    assert "tun0" not in sample.links
    assert "vnet-a" not in sample.links
    meter.topology = {}
    assert "tun0" in {name for name, _ in meter.links.values()}
