"""Rules for legacy tables decide what the policies say, by few steps: on paper, any rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address, ip_network
from itertools import pairwise
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings, strategies as st

from tests.support.iptables_model import Packet, Walk
from vnet_tui.engine.drivers.firewall.iptables.dispatch import checked, dispatch
from vnet_tui.engine.drivers.firewall.iptables.forwards import translation
from vnet_tui.engine.drivers.firewall.iptables.policies import Policy, Verdicts
from vnet_tui.engine.drivers.firewall.iptables.rules import Chains, Rule, chain_name, owner
from vnet_tui.engine.drivers.firewall.iptables.shared import spans
from vnet_tui.engine.drivers.firewall.iptables.tree import Chains as Growing
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Action, PortRange, Protocol, Subnet
from vnet_tui.engine.resources import Forward, PolicyRule, PolicyRules

GUESTS = ("10.0.0.10", "10.0.0.11", "fd00::10")
OUTSIDE = ("198.51.100.2", "198.51.100.3", "203.0.113.7")
SUBNETS = (None, "198.51.100.0/24", "198.51.100.3/32", "2001:db8::/32")
FIRST = Rule(target="RETURN", goes_out="bridge")
VERDICTS = Verdicts(deny="REFUSED", note="TOLD", default="default-out", network="0123456789ab")

RANGES = st.builds(
    lambda first, length: PortRange(first=first, last=first + length),
    st.integers(1, 60),
    st.sampled_from((0, 0, 0, 1, 7)),
)
PROTOCOLS = st.sampled_from((None, Protocol.TCP, Protocol.UDP))


def subnet(text: str | None) -> Subnet | None:
    return None if text is None else ip_network(text)


@st.composite
def policy_rules(draw: st.DrawFn) -> PolicyRule:
    ports = draw(st.none() | RANGES)
    protocol = draw(PROTOCOLS)
    if ports is None:
        protocol = draw(st.sampled_from((None, *Protocol)))
    guests = draw(st.none() | st.frozensets(st.sampled_from(GUESTS), max_size=2))
    return PolicyRule(
        key="",
        action=draw(st.sampled_from(Action)),
        protocol=protocol,
        ports=ports,
        destination=subnet(draw(st.sampled_from(SUBNETS))),
        guests=None if guests is None else frozenset(map(ip_address, guests)),
        established=draw(st.booleans()),
    )


@st.composite
def forwards(draw: st.DrawFn) -> Forward:
    ports = draw(RANGES)
    length = draw(st.sampled_from((1, len(ports))))
    start = draw(st.integers(1, 60))
    return Forward(
        key="",
        ports=ports,
        guest_ports=PortRange(first=start, last=start + length - 1),
        protocol=draw(PROTOCOLS),
        source=subnet(draw(st.sampled_from(SUBNETS))),
        guests=frozenset({ip_address(draw(st.sampled_from(GUESTS)))}),
    )


POLICIES = st.builds(
    lambda default, rules: PolicyRules(default=default, rules=tuple(rules)),
    st.sampled_from(Action),
    st.lists(policy_rules(), max_size=40),
)
PACKETS = st.builds(
    Packet,
    protocol=st.sampled_from(("tcp", "udp", "icmp")),
    source=st.sampled_from(GUESTS[:2]),
    destination=st.sampled_from(OUTSIDE),
    port=st.integers(1, 70),
)


def says(policy: PolicyRules, packet: Packet) -> tuple[Action, str]:
    """First match, read off the rules: what becomes of the packet, and by which key."""
    for rule in policy.rules:
        assert isinstance(rule, PolicyRule)
        if rule.ports is not None and not (
            packet.protocol != "icmp" and rule.ports.first <= packet.port <= rule.ports.last
        ):
            continue
        if rule.protocol is not None and rule.protocol != packet.protocol:
            continue
        if rule.destination and ip_address(packet.destination) not in rule.destination:
            continue
        if rule.guests is not None and ip_address(packet.source) not in rule.guests:
            continue
        return rule.action, rule.key
    return policy.default, VERDICTS.default


def compiled(policy: PolicyRules, family: int = 4, *, moved: bool = False) -> Chains:
    """The chains of an outgoing policy, all entered by ``OUT``."""
    opening, led = Growing("OUT"), Growing("LED")
    made = Policy(family, "source", VERDICTS, policy, moved)
    made.opening(opening, [FIRST], led)
    return {**opening.done(), **led.done()}


def numbered(policy: PolicyRules) -> PolicyRules:
    """Each rule with its place for a key."""
    rules = tuple(replace(rule, key=f"{at}") for at, rule in enumerate(policy.rules))
    return replace(policy, rules=rules)


@settings(max_examples=300)
@given(POLICIES, st.lists(PACKETS, min_size=1, max_size=30))
def test_a_policy_decides_by_the_first_match_and_counts_it(
    policy: PolicyRules, packets: list[Packet]
) -> None:
    policy = numbered(policy)
    chains = compiled(policy)
    for packet in packets:
        walk = Walk(chains, "OUT", packet)
        action = Action.ALLOW if walk.decided is None else Action.DENY
        assert (action, walk.key) == says(policy, packet), packet


@settings(max_examples=200)
@given(POLICIES, st.lists(PACKETS, min_size=1, max_size=30))
def test_established_connections_are_cut_by_the_first_match(
    policy: PolicyRules, packets: list[Packet]
) -> None:
    policy = numbered(policy)
    chains = Growing("CUT")
    cuts = Policy(4, "source", VERDICTS, policy).cutting(chains, FIRST)
    ending = [rule for rule in policy.rules if isinstance(rule, PolicyRule) and ends(rule)]
    assert cuts == bool(ending)
    for packet in packets if cuts else ():
        walk = Walk(chains.done(), "CUT", packet)
        action, key = says(policy, packet)
        ended = action is Action.DENY and key in {rule.key for rule in ending}
        assert (walk.decided is not None) == ended
        assert walk.key == (key if ended else "")


def ends(rule: PolicyRule) -> bool:
    return rule.action is Action.DENY and not rule.established


@settings(max_examples=100)
@given(st.lists(forwards(), max_size=40), PACKETS.filter(lambda packet: packet.protocol != "icmp"))
def test_a_port_is_led_by_the_first_forward_that_claims_it(
    made: list[Forward], packet: Packet
) -> None:
    chains = translation("DNAT", 4, tuple(made))
    walk = Walk(chains, "DNAT", packet)
    forward = claimed(made, packet)
    if forward is None:
        assert walk.decided is None
        return
    (guest,) = forward.guests
    assert walk.decided is not None
    assert led(walk.decided, packet.port) == (str(guest), target_port(forward, packet.port))


def claimed(made: list[Forward], packet: Packet) -> Forward | None:
    """The first forward that leads a packet somewhere."""
    for forward in made:
        (guest,) = forward.guests
        if (
            guest.version == 4
            and forward.protocol in (None, packet.protocol)
            and forward.ports.first <= packet.port <= forward.ports.last
            and (forward.source is None or ip_address(packet.source) in forward.source)
        ):
            return forward
    return None


@settings(max_examples=200)
@given(
    st.lists(forwards(), max_size=30),
    st.lists(policy_rules(), max_size=15),
    st.randoms(),
    PACKETS.filter(lambda packet: packet.protocol != "icmp"),
)
def test_what_was_led_to_a_guest_meets_its_forward_where_it_stands(
    forwarding: list[Forward], denying: list[PolicyRule], chance: Random, packet: Packet
) -> None:
    both: list[PolicyRule | Forward] = [*forwarding, *denying]
    chance.shuffle(both)
    policy = numbered(PolicyRules(default=Action.DENY, rules=tuple(both)))
    forward = claimed([rule for rule in policy.rules if isinstance(rule, Forward)], packet)
    if forward is None:
        return
    (guest,) = forward.guests
    there = replace(
        packet,
        source=packet.source,
        destination=str(guest),
        port=target_port(forward, packet.port),
        asked=packet.port,
    )
    walk = Walk(compiled(policy, moved=True), "OUT", there)
    for rule in policy.rules:
        if rule is forward or (isinstance(rule, PolicyRule) and about(rule, there)):
            denied = isinstance(rule, PolicyRule) and rule.action is Action.DENY
            assert (walk.decided is not None) == denied
            return
    raise AssertionError("its forward isn't there")


def about(rule: PolicyRule, packet: Packet) -> bool:
    """Whether a rule is about a packet that was led to a guest."""
    decided = says(PolicyRules(default=Action.DENY, rules=(rule,)), packet)[1] == rule.key
    if rule.action is Action.DENY and rule.ports is not None and packet.asked is not None:
        asked = replace(packet, port=packet.asked)
        return (
            decided or says(PolicyRules(default=Action.DENY, rules=(rule,)), asked)[1] == rule.key
        )
    return decided


@given(st.lists(forwards(), max_size=12), st.sampled_from((Protocol.TCP, Protocol.UDP)))
def test_a_few_ranges_hold_all_ports_that_are_forwarded(
    made: list[Forward], protocol: Protocol
) -> None:
    found = spans(made, str(protocol))
    assert len(found) <= 4
    assert all(one.last < other.first for one, other in pairwise(found))
    held = {port for one in found for port in range(one.first, one.last + 1)}
    of = [forward.ports for forward in made if forward.protocol in (None, protocol)]
    assert {port for one in of for port in (one.first, one.last)} <= held
    assert bool(found) == bool(of)


def target_port(forward: Forward, port: int) -> int:
    if len(forward.guest_ports) == 1:
        return forward.guest_ports.first
    return forward.guest_ports.first + port - forward.ports.first


def led(rule: Rule, port: int) -> tuple[str, int]:
    """Where ``--to-destination`` leads a port, as iptables-extensions(8) describes it."""
    ((_, text),) = rule.options
    guest, _, ports = text.partition(":")
    if not ports:
        return guest, port
    ports, _, base = ports.partition("/")
    return guest, int(ports.partition("-")[0]) + (port - int(base) if base else 0)


@given(st.lists(policy_rules(), max_size=15), st.sampled_from((4, 6)))
def test_no_rule_mentions_the_other_family(made: list[PolicyRule], family: int) -> None:
    policy = PolicyRules(default=Action.DENY, rules=tuple(made))
    for rules in compiled(policy, family).values():
        for rule in rules:
            for address in filter(None, (rule.source, rule.destination)):
                assert ip_network(address).version == family


def single_ports(count: int) -> PolicyRules:
    rules = tuple(
        PolicyRule(key=f"{port}", action=Action.DENY, ports=PortRange(first=port, last=port))
        for port in range(2, 2 * count + 1, 2)
    )
    return PolicyRules(default=Action.ALLOW, rules=rules)


def single_addresses(count: int) -> PolicyRules:
    rules = tuple(
        PolicyRule(
            key=f"{at}",
            action=Action.DENY,
            ports=PortRange(first=25, last=25),
            destination=ip_network(int(ip_address("198.51.0.0")) + at),
        )
        for at in range(2, 2 * count + 1, 2)
    )
    return PolicyRules(default=Action.ALLOW, rules=rules)


@pytest.mark.parametrize(("count", "most"), [(10, 13), (100, 20), (1_000, 26), (10_000, 34)])
def test_a_packet_meets_few_of_many_rules(count: int, most: int) -> None:
    chains = compiled(single_ports(count))
    ports = [*range(1, 40), *range(2 * count - 40, 2 * count + 1), count, count + 1]
    for port in (port for port in ports if port > 0):
        for protocol in ("tcp", "udp"):
            walk = Walk(chains, "OUT", Packet(protocol, "10.0.0.10", "203.0.113.7", port))
            denied = port % 2 == 0 and port <= 2 * count
            assert walk.key == (f"{port}" if denied else VERDICTS.default)
            assert walk.met <= most, (port, walk.met)


@pytest.mark.parametrize(("count", "most"), [(100, 20), (1_000, 26), (10_000, 34)])
def test_a_packet_meets_few_of_the_rules_about_many_addresses(count: int, most: int) -> None:
    chains = compiled(single_addresses(count))
    for at in (1, 2, 3, 4, count, count + 1, 2 * count - 1, 2 * count, 2 * count + 2):
        target = str(ip_address(int(ip_address("198.51.0.0")) + at))
        walk = Walk(chains, "OUT", Packet("tcp", "10.0.0.10", target, 25))
        denied = at % 2 == 0 and 2 <= at <= 2 * count
        assert walk.key == (f"{at}" if denied else VERDICTS.default)
        assert walk.met <= most, (at, walk.met)


@pytest.mark.parametrize("made", [single_ports, single_addresses])
@pytest.mark.parametrize("place", [0, 500, 999])
def test_an_edit_of_one_rule_leaves_most_chains_alone(
    made: Callable[[int], PolicyRules], place: int
) -> None:
    policy = made(1_000)
    rules = list(policy.rules)
    del rules[place]
    before, after = compiled(policy), compiled(replace(policy, rules=tuple(rules)))
    changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    assert 0 < len(changed) <= 8


NAMES = st.sets(
    st.text("abv-0123", min_size=1, max_size=6).map(lambda end: f"vnet-{end}")
    | st.text("abcv", min_size=1, max_size=5),
    min_size=1,
    max_size=40,
)


@given(NAMES, NAMES)
def test_each_bridge_is_led_to_its_chain_and_others_nowhere(
    bridges: set[str], others: set[str]
) -> None:
    targets = {name: f"chain of {name}" for name in bridges}
    chains = dispatch("FROM", "came_in", targets)
    for name in bridges | others:
        walk = Walk(chains, "FROM", Packet("tcp", "10.0.0.10", "198.51.100.2", came_in=name))
        assert (walk.decided.target if walk.decided else None) == targets.get(name)
    missing = dispatch("OWN", "came_in", dict.fromkeys(bridges, "RETURN"), missed="elsewhere")
    for name in bridges | others:
        walk = Walk(missing, "OWN", Packet("tcp", "10.0.0.10", "198.51.100.2", came_in=name))
        assert (walk.decided is not None) == (name not in bridges)


def test_a_packet_meets_few_of_a_thousand_bridges() -> None:
    targets = {f"vnet-{number:03}": str(number) for number in range(1000)}
    chains = dispatch("FROM", "came_in", targets)
    for name in (*targets, "eth0", "vnet-9999", "vnet-"):
        walk = Walk(chains, "FROM", Packet("tcp", "10.0.0.10", "198.51.100.2", came_in=name))
        assert walk.met <= 31


@pytest.mark.parametrize("name", ["", "!eth0", "vnet+", "vnet-ü"])
def test_names_that_would_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(DriverError, match="bridge name"):
        checked(name)


@given(st.uuids(), st.sampled_from(("OUT", "IN", "DNAT", "HAIR", "NAT", "MARK")))
def test_our_chains_are_known_by_their_names(uuid: UUID, part: str) -> None:
    name = chain_name(part, uuid)
    assert owner(name) == owner(f"{name}-1a2b3") == chain_name("", uuid)[len("VNET--") :]
    assert len(f"{name}-12345") <= 28


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("VNET-FORWARD", ""),
        ("VNET-FROM-0a1b2c3d", ""),
        ("VNET-HOST-a1b2c", ""),
        ("VNET-HOST-12", ""),
        ("VNET", None),
        ("VNET-OUT", None),
        ("VNET-FORWARD-theirs", None),
        ("VNETWORK", None),
    ],
)
def test_chains_of_others_are_not_taken_for_ours(name: str, who: str | None) -> None:
    assert owner(name) == who
