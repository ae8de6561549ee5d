"""Any policies, real packets: each has the fate that the first matching rule gives it."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings, strategies as st

from tests.support.conntrack import forget_connections
from tests.support.firewall_lab import (
    ADDRESSES,
    GUESTS,
    HOST_PORTS,
    PORTS,
    FirewallLab,
    address,
    network,
    ruleset,
)
from tests.support.lab import Lab
from tests.support.packets import Probe
from tests.support.reference import HOST, expected
from vnet_tui.engine.drivers.firewall.protocol import FirewallDriver, choose

PROBES = 120
"""Connections that are tried under each policy, all at once."""

PATIENCE = 10.0
"""Seconds after which a probe is lost. Nothing ever should be, so it costs no time."""

ANY_PORTS = (25, 53, 80, 123, 321, 2000, 5000, 6000, 6001, 6002, 7001, 8000)
SUBNETS = (
    *("198.51.100.2", "198.51.100.3", "198.51.100.0/24", "10.0.0.10", "10.0.0.8/30"),
    *("10.0.1.0/24", "10.0.0.0/8", "0.0.0.0/0"),
    *("2001:db8::2", "2001:db8::/64", "fd00:a::/64", "fd00:b::10", "fd00:a::11"),
)
HOST_SUBNETS = ("198.51.100.1", "198.51.100.9", "198.51.100.0/24", "10.0.0.1", "2001:db8::1")
UNREACHED = 100_000
"""A limit that no test comes to."""

RANGES = st.one_of(
    st.sampled_from(ANY_PORTS).map(str),
    st.sampled_from(("6000-6002", "1-100", "100-6001", "20-25", "80-123", "1-65535", "53-80")),
)


SHAPES = st.tuples(
    st.sampled_from((True, True, True, False)),
    st.sampled_from((True, False, False)),
    st.sampled_from((True, False, False, False)),
    st.booleans(),
)


@dataclass(frozen=True)
class Pool:
    """What all rules of a network choose from: few ports and subnets, so that rules meet, and few
    shapes, so that they share sets. A shape tells whether a port, a domain, a destination and a
    source are there."""

    ports: st.SearchStrategy[str]
    subnets: st.SearchStrategy[str]
    shapes: st.SearchStrategy[tuple[bool, ...]]


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Some ports and subnets."""
    ports = draw(st.lists(RANGES, min_size=2, max_size=4))
    subnets = draw(st.lists(st.sampled_from(SUBNETS), min_size=2, max_size=4))
    shapes = draw(st.lists(SHAPES, min_size=1, max_size=3))
    return Pool(st.sampled_from(ports), st.sampled_from(subnets), st.sampled_from(shapes))


@st.composite
def rules(draw: st.DrawFn, name: str, pool: Pool, *, outgoing: bool) -> str:
    """One rule of a network; forwards are half of what it allows in."""
    guests = st.sampled_from((*(guest for guest, of in GUESTS.items() if of == name), "nobody"))
    words = [draw(st.sampled_from(("allow", "deny")))]
    protocol = draw(st.sampled_from((None, None, "tcp", "udp", "icmp")))
    forward = not outgoing and words[0] == "allow" and protocol != "icmp" and draw(st.booleans())
    if protocol is not None:
        words.append(f'protocol="{protocol}"')
    ported, to_guest, to_subnet, from_subnet = draw(pool.shapes)
    if forward:
        words += draw(forwards(draw(guests)))
    else:
        if protocol != "icmp" and ported:
            words.append(f'port="{draw(pool.ports)}"')
        if to_guest and not (words[0] == "allow" and "port" in words[-1]):
            words.append(f'domain="{draw(guests)}"')
        if to_subnet:
            words.append(f'destination="{draw(pool.subnets)}"')
    if from_subnet:
        words.append(f'source="{draw(pool.subnets)}"')
    words += [text for text in EXTRAS if not draw(st.integers(0, 9))]
    return f"<{' '.join(words)}/>"


EXTRAS = (f'limit="{UNREACHED}"', 'log="true"', 'established="false"', 'enabled="false"')


@st.composite
def forwards(draw: st.DrawFn, guest: str) -> list[str]:
    """A port or a range of the host for a guest."""
    ports, led = draw(
        st.sampled_from(
            (
                *((str(port), str(to)) for port in (25, 53, 80, 2000, 7001) for to in (80, 321)),
                *(("6000-6002", to) for to in ("6000-6002", "5999-6001", "80")),
                *(("100-6001", to) for to in ("100-6001", "123")),
                *(("1-65535", "1-65535"), ("80", "80"), ("321", "321")),
            )
        )
    )
    words = [f'port="{ports}"', f'domain="{guest}"']
    if led != ports:
        words.append(f'destport="{led}"')
    if not draw(st.integers(0, 3)):
        words.append(f'destination="{draw(st.sampled_from(HOST_SUBNETS))}"')
    return words


@st.composite
def forwardings(draw: st.DrawFn, name: str) -> str:
    """A network's forwarding."""
    if not draw(st.integers(0, 9)):
        return '<forwarding enabled="false"/>'
    pool = draw(pools())
    incoming, outgoing = (
        "".join(draw(st.lists(rules(name, pool, outgoing=out), max_size=12)))
        for out in (False, True)
    )
    mode, inward, outward = (
        draw(st.sampled_from(choice)) for choice in (("nat", "route"), *[("allow", "deny")] * 2)
    )
    return (
        f'<forwarding mode="{mode}"><incoming default="{inward}">{incoming}</incoming>'
        f'<outgoing default="{outward}">{outgoing}</outgoing></forwarding>'
    )


def some_probes(chance: random.Random, documents: str) -> list[tuple[int, Probe]]:
    """Connections between any two machines, more of them to the host than to others; half of them
    to ports that the documents name."""
    named = [int(port) for port in re.findall(r'port="(\d+)"', documents)] or ANY_PORTS
    made: list[tuple[int, Probe]] = []
    while len(made) < PROBES:
        who = chance.choice(("outside", "outside", "host", *GUESTS))
        to = chance.choice((*HOST, "host", "host", "outside", "friend", *GUESTS))
        family = chance.choice((4, 6))
        protocol = chance.choice(("tcp", "tcp", "udp", "icmp"))
        port = 0 if protocol == "icmp" else chance.choice(chance.choice((ANY_PORTS, named)))
        source = (
            "friend" if who == "outside" and protocol != "icmp" and chance.random() < 0.3 else ""
        )
        probe = Probe(
            who, protocol, address(to, family), port, address(source, family) if source else ""
        )
        if sensible(who, to):
            made.append((family, probe))
    return made


ICMP_ENDED = (
    '<forwarding mode="route"><incoming default="allow"><deny protocol="icmp" established="false"/>'
    '</incoming><outgoing><deny protocol="icmp" established="false"/></outgoing></forwarding>'
)
"""Errors about connections pass all the same."""

MANY_BEFORE_AN_END = (
    '<forwarding mode="route"><incoming default="allow"/><outgoing default="deny">'
    '<allow port="6000-6002" log="true"/><allow port="20-25"/><deny port="1-100"/>'
    '<allow port="80-123" destination="fd00:a::11"/><allow port="7001"/>'
    '<allow protocol="udp" port="80" destination="198.51.100.0/24"/><deny/>'
    '<deny protocol="icmp" destination="fd00:a::/64" established="false"/></outgoing></forwarding>'
)
"""Legacy chains in which connections are ended have the longest names."""


ASKED_AND_GOT = (
    '<forwarding><incoming><deny port="25"/><allow port="80"/><deny port="321"/>'
    '<allow port="321" domain="web" destport="80"/></incoming></forwarding>'
)
"""Who asks for 321 gets 80: the port that was got is allowed before the other is denied."""

HAIRPIN_AND_END = (
    '<forwarding><incoming default="allow"><deny port="100-6001" established="false"/>'
    '<allow port="6000-6002" domain="web" destport="80"/></incoming></forwarding>'
)
"""What a forward leads back into its network asks no policy, neither at first nor later."""


def sensible(who: str, to: str) -> bool:
    """Not to oneself; and nobody but the host to its loopback address."""
    own = {"outside": ("outside", "friend")}.get(who, (who,))
    return to not in own and (to != "loopback" or who == "host")


@pytest.fixture(params=["nftables", "iptables"])
def driver(lab: Lab, request: pytest.FixtureRequest) -> FirewallDriver:
    return choose(request.param, lab.paths)


@pytest.fixture
async def world(lab: Lab, driver: FirewallDriver) -> AsyncIterator[FirewallLab]:
    made = FirewallLab(lab, driver)
    yield made
    await made.close()


@settings(
    max_examples=250,
    # A failure tells its policies, and whether they were wrong or the way to them; to shrink it
    # would take minutes.
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(ICMP_ENDED, ICMP_ENDED, 6)
@example(MANY_BEFORE_AN_END, ICMP_ENDED, 2)
@example(HAIRPIN_AND_END, ICMP_ENDED, 3)
@example(ASKED_AND_GOT, ICMP_ENDED, 4)
@given(foo=forwardings("foo"), bar=forwardings("bar"), seed=st.integers(0, 2**32))
async def test_every_connection_has_the_fate_that_the_first_match_gives_it(
    world: FirewallLab, foo: str, bar: str, seed: int
) -> None:
    documents = {"foo": foo, "bar": bar}
    chance = random.Random(seed)  # noqa: S311  (to be the same every time)
    probes = some_probes(chance, foo + bar)
    await world.install(ruleset(**documents))  # from the rules of the last example to these
    if wrong := mistakes(world, documents, probes):
        await world.write_anew()
        still = mistakes(world, documents, probes)
        pytest.fail("\n".join([*wrong, foo, bar, "written anew:", *(still or ["it is right"])]))


def mistakes(
    world: FirewallLab, documents: Mapping[str, str], probes: list[tuple[int, Probe]]
) -> list[str]:
    """What becomes of connections that should become something else."""
    networks = {name: network(name, text) for name, text in documents.items()}
    forget_connections()
    answers = world.packets.probe([probe for _, probe in probes], patience=PATIENCE)
    return [
        f"{probe}: expected {want}, got {answer}"
        for (family, probe), answer in zip(probes, answers, strict=True)
        for want in (expected(networks, probe, family),)
        if want.wrong(answer)
    ]


def test_machines_and_ports_are_those_of_the_laboratory() -> None:
    assert set(HOST) <= ADDRESSES.keys()
    assert {*PORTS, *HOST_PORTS} <= set(ANY_PORTS)
