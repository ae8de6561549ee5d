"""How the nftables driver changes its table: only what differs, at once, and only its own."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from tests.support.eventually import eventually
from tests.support.firewall_lab import EMPTY, FirewallLab, digests, ruleset
from tests.support.lab import Lab
from tests.support.packets import visiting
from vnet_tui.engine.drivers.firewall import libnftables, protocol
from vnet_tui.engine.drivers.firewall.nft_program import NftProgram
from vnet_tui.engine.drivers.firewall.nftables import Backend, NftablesDriver
from vnet_tui.engine.drivers.firewall.protocol import choose
from vnet_tui.engine.errors import ConflictError, DriverError, UnsupportedError
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import Ruleset
from vnet_tui.engine.steps import SetFirewall
from vnet_tui.engine.undo import inverse

NAT = '<forwarding mode="nat"/>'
RICH = """<forwarding mode="nat">
    <incoming default="deny">
        <deny port="321" source="198.51.100.3"/>
        <allow port="123" domain="web" destport="321"/>
        <allow port="5000-5010" domain="mail"/>
        <allow protocol="icmp"/>
        <allow port="80-90"/>
    </incoming>
    <outgoing default="allow"><deny port="25"/><deny protocol="udp" port="100-200"/></outgoing>
</forwarding>"""


def nft(*words: str) -> str:
    return subprocess.run(["nft", *words], check=True, capture_output=True, text=True).stdout


def program() -> Backend:
    path = shutil.which("nft")
    assert path, "the tests need nft"
    return NftProgram(path)


def library() -> Backend:
    loaded = libnftables.load()
    assert loaded, "the tests need libnftables"
    return libnftables.Libnftables(loaded)


@pytest.fixture(params=[library, program], ids=["libnftables", "program"])
async def driver(lab: Lab, request: pytest.FixtureRequest) -> AsyncIterator[NftablesDriver]:
    made = NftablesDriver(lab.paths, request.param, "in a test")
    yield made
    await made.close()


async def seen_by_another_process(paths: Paths) -> tuple[bool, bool, dict[UUID, str]]:
    """What a driver that remembers nothing finds."""
    fresh = choose("nftables", paths)
    state = await fresh.observe()
    await fresh.close()
    return state.present, state.intact, dict(state.digests)


def step(before: Ruleset, after: Ruleset, *, rewrite: bool = False) -> SetFirewall:
    return SetFirewall(before=before, after=after, rewrite=rewrite)


async def test_what_was_set_is_found_again_and_all_goes_with_the_last_network(
    driver: NftablesDriver, lab: Lab
) -> None:
    assert await driver.observe() == await choose("auto", lab.paths).observe()
    one, two = ruleset(foo=RICH), ruleset(foo=RICH, bar=NAT)
    now = EMPTY
    for rules in (one, two, ruleset(foo=NAT, bar=RICH), ruleset(bar=RICH), two):
        await driver.set(step(now, rules))
        now = rules
        state = await driver.observe()
        assert (state.present, state.intact, state.digests) == (True, True, digests(rules))
        assert await seen_by_another_process(lab.paths) == (True, True, digests(rules))
    await driver.set(step(now, EMPTY))
    assert nft("list", "tables") == ""
    assert await seen_by_another_process(lab.paths) == (False, True, {})
    await driver.set(step(now, EMPTY))


async def test_undo_brings_back_what_was_there(driver: NftablesDriver) -> None:
    states = [EMPTY, ruleset(foo=RICH), ruleset(foo=NAT, bar=RICH), EMPTY]
    for before, after in pairwise(states):
        await driver.set(step(before, after))
        (back,) = inverse(step(before, after))
        assert isinstance(back, SetFirewall)
        await driver.set(back)
        assert dict((await driver.observe()).digests) == digests(before)
        await driver.set(step(before, after))


async def test_tables_of_others_stay_as_they_are(driver: NftablesDriver) -> None:
    nft(
        "add table inet other; add set inet other s { type inet_service; flags interval; };"
        "add element inet other s { 10-20 }; add table ip nat;"
        "add chain inet other forward { type filter hook forward priority 0; policy accept; };"
        'add rule inet other forward tcp dport @s counter comment "theirs";'
        "add chain ip nat c { type nat hook prerouting priority -100; }"
    )
    before = nft("-a", "list", "ruleset")
    await driver.set(step(EMPTY, ruleset(foo=RICH)))
    await driver.set(step(ruleset(foo=RICH), ruleset(foo=NAT, bar=RICH)))
    await driver.set(step(ruleset(foo=NAT, bar=RICH), ruleset(foo=RICH), rewrite=True))
    assert before in nft("-a", "list", "ruleset")
    await driver.set(step(ruleset(foo=RICH), EMPTY))
    assert nft("-a", "list", "ruleset") == before


def handles(network: str) -> list[str]:
    """The rules in the chains of one network, with their handles."""
    listing = nft("-a", "list", "table", "inet", "vnet")
    chains = re.findall(r"^\tchain (\S+) \{(.*?)^\t\}", listing, re.MULTILINE | re.DOTALL)
    uuid = next(iter(ruleset(**{network: NAT}).networks)).hex
    return [f"{name}:{text}" for name, text in chains if uuid in name]


async def test_an_edit_leaves_the_other_networks_rules_untouched(driver: NftablesDriver) -> None:
    before = ruleset(foo=RICH, bar=RICH.replace("123", "124").replace("5000-5010", "4000"))
    await driver.set(step(EMPTY, before))
    bar, foo = handles("bar"), handles("foo")
    assert bar
    assert foo
    after = Ruleset(networks={**before.networks, **ruleset(foo=NAT).networks})
    await driver.set(step(before, after))
    assert handles("bar") == bar
    assert handles("foo") != foo


async def test_one_port_more_is_an_element_and_no_new_rule(driver: NftablesDriver) -> None:
    before = ruleset(foo=RICH)
    await driver.set(step(EMPTY, before))
    rules = handles("foo")
    after = ruleset(
        foo=RICH.replace('<deny port="25"/>', '<deny port="25"/><deny protocol="tcp" port="26"/>')
    )
    await driver.set(step(before, after))
    assert handles("foo") == rules
    assert "tcp . 26" in nft("list", "table", "inet", "vnet")


@pytest.mark.parametrize("name", ["nftables", "iptables"])
async def test_established_connections_survive_edits_and_rewrites(lab: Lab, name: str) -> None:
    world = FirewallLab(lab, choose(name, lab.paths))
    await world.install(foo=RICH, bar=NAT)
    out = world.packets.connect("web", "198.51.100.2", 80, server=("outside", 80))
    forwarded = world.packets.connect("outside", "198.51.100.1", 123, server=("web", 321))
    closed = ruleset(foo='<forwarding><outgoing default="deny"/></forwarding>', bar=NAT)
    await world.install(closed)
    world.check("web tcp outside:80 denied\noutside tcp host:123 refused")
    assert out.works()
    assert forwarded.works()
    await world.driver.set(step(closed, closed, rewrite=True))
    assert out.works()
    assert forwarded.works()
    out.close()
    forwarded.close()
    await world.close()


@contextmanager
def flood(world: FirewallLab, port: int) -> Iterator[socket.socket]:
    """Guest ``web`` sends to a port outside as fast as it can; yields what receives there."""
    with visiting(world.machines["outside"]):
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("198.51.100.2", port))
    receiver.setblocking(False)
    with visiting(world.machines["web"]):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stop = threading.Event()

    def send() -> None:
        while not stop.is_set():
            sender.sendto(b"x", ("198.51.100.2", port))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield receiver
    finally:
        stop.set()
        thread.join()
        sender.close()
        receiver.close()


def received(receiver: socket.socket) -> bool:
    try:
        return bool(receiver.recv(16))
    except BlockingIOError:
        return False


def outgoing(rules: str, default: str = "allow") -> Ruleset:
    return ruleset(
        foo=f'<forwarding><outgoing default="{default}">{rules}</outgoing></forwarding>', bar=NAT
    )


def without_bar(rules: Ruleset) -> Ruleset:
    kept = ruleset(foo=NAT).networks.keys()
    return Ruleset(networks={uuid: rules.networks[uuid] for uuid in kept})


DENY = '<deny port="4444"/>'
OTHER = '<deny port="25"/>'
FURTHER = '<deny port="26"/>'
SCOPED = '<allow port="80" domain="mail"/>'
EDITS = {
    "rewrite": [outgoing(DENY)],
    "a port beside it": [outgoing(DENY), outgoing(DENY + OTHER)],
    "a rule before it": [outgoing(DENY), outgoing(SCOPED + DENY)],
    "another network": [outgoing(DENY), without_bar(outgoing(DENY))],
    "from rule to default": [outgoing(DENY), outgoing("", "deny"), outgoing(DENY, "deny")],
    "to another set": [outgoing(DENY + SCOPED + OTHER), outgoing(OTHER + SCOPED + DENY)],
    "to an earlier set": [
        outgoing(OTHER + SCOPED + DENY + FURTHER),
        outgoing(OTHER + DENY + SCOPED + FURTHER),
    ],
}


@pytest.mark.parametrize("states", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize("name", ["nftables", "iptables"])
async def test_what_stays_denied_is_never_open_for_a_moment(
    lab: Lab, name: str, states: list[Ruleset]
) -> None:
    world = FirewallLab(lab, choose(name, lab.paths))
    await world.install(states[0])
    with flood(world, 4444) as receiver:
        for number in range(60):
            rules = states[number % len(states)]
            rewrite = len(states) == 1
            await world.driver.set(SetFirewall(before=world.now, after=rules, rewrite=rewrite))
            world.now = rules
            assert not received(receiver)
        await world.install(ruleset(foo=NAT))
        eventually(lambda: received(receiver), what="that the flood comes through where it may")
    await world.close()


TAMPERING = {
    "all tables flushed": "flush ruleset",
    "our rules flushed": "flush table inet vnet",
    "a chain of the network emptied": "flush chain inet vnet in_{foo}",
    "a bridge led nowhere": 'delete element inet vnet bridges_out {{ "vnet-foo" }}',
    "a port taken from a map": "delete element inet vnet out_{foo}_deny_0 {{ tcp . 25 }}",
    "a rule added": "add rule inet vnet out_{foo} accept",
    "a rule inserted": "insert rule inet vnet in_{foo} accept",
    "a forward's port gone": "delete element inet vnet ports {{ tcp . 123 }}",
    "a shared rule added": "add rule inet vnet forward drop",
    "a foreign chain": "add chain inet vnet theirs {{ type filter hook input priority 0; }}",
    "a policy of drop": "chain inet vnet forward {{ policy drop; }}",
    "the table asleep": "add table inet vnet {{ flags dormant; }}",
    "a mark gone": 'delete element inet vnet marks {{ "vnet-foo" }}',
}


@pytest.mark.parametrize("command", TAMPERING.values(), ids=TAMPERING.keys())
async def test_what_others_did_to_our_table_is_seen_and_mended(lab: Lab, command: str) -> None:
    driver = choose("auto", lab.paths)
    rules = ruleset(foo=RICH, bar=NAT)
    await driver.set(step(EMPTY, rules))
    whole = await driver.observe()
    assert whole.intact
    uuid = next(iter(ruleset(foo=NAT).networks))
    nft(*command.format(foo=uuid.hex).split())
    state = await driver.observe()
    assert not (state.present and state.intact and dict(state.digests) == digests(rules))
    if f"_{uuid.hex}" in command.format(foo=uuid.hex):
        assert uuid not in state.digests
        assert state.digests.keys() | {uuid} == rules.networks.keys()
    await driver.set(step(rules, rules, rewrite=True))
    assert await driver.observe() == whole
    await driver.close()


async def test_a_replaced_rule_is_seen(lab: Lab) -> None:
    driver = choose("auto", lab.paths)
    rules = ruleset(foo=RICH)
    await driver.set(step(EMPTY, rules))
    (chain,) = [text for text in handles("foo") if text.startswith("in_")]
    name, handle = chain.split(":")[0], re.findall(r"# handle (\d+)", chain)[-1]
    nft("replace", "rule", "inet", "vnet", name, "handle", handle, "accept")
    state = await driver.observe()
    assert not state.digests
    assert state.intact
    await driver.close()


async def test_a_change_of_a_table_that_is_gone_or_half_there_brings_all_of_it(
    driver: NftablesDriver,
) -> None:
    before, after = ruleset(foo=RICH, bar=NAT), ruleset(foo=NAT, bar=NAT)
    for tampering in ("flush ruleset", "delete table inet vnet", "flush table inet vnet"):
        await driver.set(step(EMPTY, before))
        nft(*tampering.split())
        await driver.set(step(before, after, rewrite=tampering.startswith("flush table")))
        state = await driver.observe()
        assert (state.intact, state.digests) == (True, digests(after))
    await driver.set(step(EMPTY, ruleset(foo=RICH)))  # the table is there, though before says not
    assert (await driver.observe()).digests == digests(ruleset(foo=RICH))


async def test_a_table_of_another_engine_is_refused_and_left_alone(
    driver: NftablesDriver, lab: Lab
) -> None:
    other = choose("nftables", Paths(lab.paths.state, lab.paths.run / "other"))
    await other.set(step(EMPTY, ruleset(foo=NAT)))
    before = nft("-a", "list", "ruleset")
    theirs = Paths(lab.paths.state, lab.paths.run / "other").instance
    with pytest.raises(ConflictError, match=theirs):
        await driver.observe()
    for after in (ruleset(bar=NAT), EMPTY):
        with pytest.raises(ConflictError, match=theirs):
            await driver.set(step(EMPTY, after))
    assert nft("-a", "list", "ruleset") == before
    await other.close()


async def test_a_table_of_our_name_that_nobody_of_us_made_is_refused(
    driver: NftablesDriver,
) -> None:
    nft("add table inet vnet; add chain inet vnet theirs; add rule inet vnet theirs accept")
    before = nft("-a", "list", "ruleset")
    with pytest.raises(ConflictError, match="no engine of ours made"):
        await driver.set(step(EMPTY, ruleset(foo=NAT)))
    assert nft("-a", "list", "ruleset") == before


async def test_a_kernel_that_cant_tell_of_packets_gets_the_rules_all_the_same(
    driver: NftablesDriver, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = ruleset(foo=RICH.replace("/>", ' log="true"/>', 1))
    await driver.set(step(EMPTY, rules))
    assert "log prefix" in nft("list", "table", "inet", "vnet")
    assert nft("list", "tables") == "table inet vnet\n"
    silent = NftablesDriver(lab.paths, library, "in a test")
    monkeypatch.setattr(libnftables.Libnftables, "accepts", lambda *_: False)
    await silent.set(step(EMPTY, rules))
    assert "log prefix" not in nft("list", "table", "inet", "vnet")
    assert (await silent.observe()).digests == digests(rules)
    await silent.close()


@pytest.mark.parametrize("backend", [library, program])
def test_what_would_be_accepted_is_tried_and_not_done(backend: Callable[[], Backend]) -> None:
    nft_ = backend()
    assert nft_.accepts("add table inet x\n")
    assert not nft_.accepts("add rule inet x c accept\n")
    nft_.close()
    assert nft("list", "tables") == ""


REFUSED = {
    "nft": ("add rule inet x c tcp dport 99999 accept", "out of range"),
    "the kernel": ("add rule inet x c masquerade", "not supported"),
}


@pytest.mark.parametrize("backend", [library, program])
@pytest.mark.parametrize(("line", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_is_told_with_the_line_and_nothing_is_done(
    backend: Callable[[], Backend], line: str, words: str
) -> None:
    nft_ = backend()
    commands = ["add table inet x", "add chain inet x c { type nat hook input priority 0; }", line]
    with pytest.raises(DriverError) as caught:
        nft_.run("\n".join([*commands, "add chain inet x d", ""]))
    nft_.close()
    assert words in caught.value.message
    assert f"line 3 of 4: {line}" in caught.value.message
    assert nft("list", "tables") == ""


def test_the_driver_is_chosen_and_says_why(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = choose("auto", lab.paths)
    assert (driver.name, driver.reason) == ("nftables", "chosen by itself; libnftables")
    assert choose("nftables", lab.paths).reason == "asked for; libnftables"
    with pytest.raises(DriverError, match="no firewall driver"):
        choose("ipfw", lab.paths)
    monkeypatch.setattr(libnftables, "_SONAME", "libnftables-that-is-missing.so.1")
    assert "the program nft" in choose("auto", lab.paths).reason
    monkeypatch.setenv("PATH", str(Path("/nonexistent")))
    with pytest.raises(UnsupportedError, match="firewall") as caught:
        choose("nftables", lab.paths)
    assert "this host has no firewall program" in str(caught.value)
    assert protocol.PREFERENCES[0] == "auto"
