"""How the iptables driver changes legacy tables: only what differs, only its own, as a whole."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from uuid import UUID, uuid5

import pytest

from tests.support.eventually import soon
from tests.support.firewall_lab import EMPTY, SPACE, digests, ruleset
from tests.support.lab import Lab
from tests.support.legacy import (
    FAMILIES,
    everything,
    existing_tables,
    iptables,
    others,
    ours,
    rules,
)
from vnet_tui.engine.drivers.firewall.iptables import kernel, watch as tables_watch, worker
from vnet_tui.engine.drivers.firewall.iptables.driver import IptablesDriver
from vnet_tui.engine.drivers.firewall.iptables.rules import chain_name
from vnet_tui.engine.drivers.firewall.iptables.tables import FoundTable, Reader
from vnet_tui.engine.drivers.firewall.protocol import watch
from vnet_tui.engine.errors import ConflictError, DriverError
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import Ruleset
from vnet_tui.engine.steps import SetFirewall
from vnet_tui.engine.undo import inverse

NAT = '<forwarding mode="nat"/>'
ROUTE = '<forwarding mode="route"/>'
CLOSED = '<forwarding enabled="false"/>'
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

FOO, BAR = (uuid5(SPACE, name) for name in ("foo", "bar"))


@pytest.fixture
async def driver(lab: Lab) -> AsyncIterator[IptablesDriver]:
    made = IptablesDriver(lab.paths, "in a test")
    yield made
    await made.close()


def step(before: Ruleset, after: Ruleset, *, rewrite: bool = False) -> SetFirewall:
    return SetFirewall(before=before, after=after, rewrite=rewrite)


async def seen_by_another_process(paths: Paths) -> tuple[bool, bool, dict[UUID, str]]:
    """What a driver that remembers nothing finds."""
    fresh = IptablesDriver(paths, "in a test")
    state = await fresh.observe()
    await fresh.close()
    return state.present, state.intact, dict(state.digests)


async def test_what_was_set_is_found_again_and_all_goes_with_the_last_network(
    driver: IptablesDriver, lab: Lab
) -> None:
    assert await seen_by_another_process(lab.paths) == (False, True, {})
    one, two = ruleset(foo=RICH), ruleset(foo=RICH, bar=NAT)
    now = EMPTY
    for after in (one, two, ruleset(foo=ROUTE, bar=RICH), ruleset(bar=CLOSED), two):
        await driver.set(step(now, after))
        now = after
        assert await seen_by_another_process(lab.paths) == (True, True, digests(after))
    await driver.set(step(now, EMPTY))
    assert not ours(everything())
    assert await seen_by_another_process(lab.paths) == (False, True, {})
    await driver.set(step(now, EMPTY))


async def test_looking_makes_no_table_and_starts_no_process(driver: IptablesDriver) -> None:
    await driver.observe()
    await driver.set(step(EMPTY, EMPTY))
    assert existing_tables() == {4: [], 6: []}


async def test_any_edit_ends_where_writing_anew_ends(driver: IptablesDriver) -> None:
    states = [
        ruleset(foo=RICH),
        ruleset(foo=RICH, bar=NAT),
        ruleset(foo=RICH.replace('port="123"', 'port="53"'), bar=RICH.replace("5000-5010", "6000")),
        ruleset(foo=CLOSED, bar=RICH),
        ruleset(foo=ROUTE),
    ]
    now = EMPTY
    for after in states:
        await driver.set(step(now, after))
        edited = everything()
        await driver.set(step(after, after, rewrite=True))
        assert everything() == edited
        now = after


async def test_undo_brings_back_what_was_there(driver: IptablesDriver) -> None:
    states = [EMPTY, ruleset(foo=RICH), ruleset(foo=NAT, bar=RICH), EMPTY]
    for before, after in pairwise(states):
        there = ours(everything())
        await driver.set(step(before, after))
        (back,) = inverse(step(before, after))
        assert isinstance(back, SetFirewall)
        await driver.set(back)
        assert ours(everything()) == there
        await driver.set(step(before, after))


def rules_of_others(family: int) -> None:
    """Chains and rules like those of other programs, some of which have counted something."""
    address = "192.0.2.0/24" if family == 4 else "2001:db8:9::/48"
    for words in (
        "-N THEIRS",
        "-A THEIRS -m comment --comment theirs",
        "-A THEIRS -p tcp -m multiport --dports 1,2,3 -j LOG --log-prefix x",
        f"-A FORWARD -s {address} -j THEIRS",
        "-A FORWARD -i eth+ -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A INPUT -m limit --limit 5/min -j THEIRS",
        "-A INPUT -m hashlimit --hashlimit-upto 5/min --hashlimit-name x -j RETURN",
        "-P FORWARD DROP",
        "-t nat -N VNETWORK",
        f"-t nat -A POSTROUTING -s {address} ! -o docker0 -j MASQUERADE",
        "-t nat -A PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 80",
        "-t nat -A OUTPUT -j VNETWORK",
        "-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
    ):
        iptables(family, *words.split())
    iptables(family, "-A", "OUTPUT", "-c", "11", "2222", "-j", "ACCEPT")


async def test_rules_of_others_stay_as_they_are(driver: IptablesDriver) -> None:
    for family in FAMILIES:
        rules_of_others(family)
    before = others()
    now = EMPTY
    for after in (ruleset(foo=RICH), ruleset(foo=NAT, bar=RICH), ruleset(foo=RICH), EMPTY):
        await driver.set(step(now, after))
        assert others() == before
        await driver.set(step(after, after, rewrite=True))
        assert others() == before
        now = after
    assert everything() == before


async def test_hooks_come_first_and_stay_where_others_moved_them(driver: IptablesDriver) -> None:
    iptables(4, "-A", "FORWARD", "-j", "ACCEPT")
    await driver.set(step(EMPTY, ruleset(foo=RICH)))
    assert rules(4, "filter", "FORWARD")[0] == "-A FORWARD -j VNET-FORWARD"
    iptables(4, "-I", "FORWARD", "-s", "192.0.2.1", "-j", "ACCEPT")
    order = rules(4, "filter", "FORWARD")
    for rewrite in (False, True):
        await driver.set(step(ruleset(foo=RICH), ruleset(foo=RICH, bar=NAT), rewrite=rewrite))
        assert rules(4, "filter", "FORWARD") == order
        await driver.set(step(ruleset(foo=RICH, bar=NAT), ruleset(foo=RICH), rewrite=rewrite))
    iptables(4, "-A", "FORWARD", "-j", "VNET-FORWARD")
    assert not (await driver.observe()).intact
    await driver.set(step(ruleset(foo=RICH), ruleset(foo=RICH)))
    assert rules(4, "filter", "FORWARD") == order


async def test_an_edit_leaves_the_other_networks_chains_untouched(driver: IptablesDriver) -> None:
    before = ruleset(foo=RICH, bar=RICH)
    await driver.set(step(EMPTY, before))
    chain = chain_name("OUT", BAR)
    iptables(4, "-Z", chain)
    iptables(4, "-R", chain, "1", "-o", "vnet-bar", "-c", "7", "700", "-j", "RETURN")
    await driver.set(step(before, ruleset(foo=NAT, bar=RICH)))
    assert re.search(r"^ +7 +700 RETURN", iptables(4, "-nvxL", chain), re.MULTILINE)


OUT, IN, DNAT = (chain_name(part, FOO) for part in ("OUT", "IN", "DNAT"))
ELSEWHERE = {4: "10.0.0.10:322", 6: "[fd00:a::10]:322"}
TAMPERING = {
    "filter flushed": ["-F", "-X"],
    "nat flushed": ["-t nat -F", "-t nat -X"],
    "rules flushed": ["-F"],
    "not hooked in": ["-D FORWARD -j VNET-FORWARD"],
    "a chain emptied": [f"-F {IN}"],
    "a rule taken away": [f"-D {OUT} 2"],
    "a rule put in": [f"-I {OUT} -j ACCEPT"],
    "a rule at the end": [f"-A {OUT} -p tcp -j LOG"],
    "a rule replaced": [f"-R {OUT} 2 -p tcp -j ACCEPT"],
    "a target changed": [f"-t nat -R {DNAT} 1 -p tcp --dport 123 -j DNAT --to {{elsewhere}}"],
    "a shared rule put in": ["-I VNET-FORWARD -j RETURN"],
    "a mark gone": [f"-F {chain_name('MARK', FOO)}"],
    "the shared mark gone": ["-F VNET-MARK"],
    "one more chain": ["-N VNET-IN-0123456789ab"],
}


def tamper(family: int, commands: list[str]) -> None:
    for command in commands:
        iptables(family, *command.format(elsewhere=ELSEWHERE[family]).split())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("commands", TAMPERING.values(), ids=TAMPERING.keys())
async def test_whatever_others_change_of_ours_is_seen_and_mended(
    driver: IptablesDriver, commands: list[str], family: int
) -> None:
    now = ruleset(foo=RICH, bar=NAT)
    await driver.set(step(EMPTY, now))
    whole, right = everything(), await driver.observe()
    tamper(family, commands)
    state = await driver.observe()
    assert state != right
    assert not (state.present and state.intact and state.digests == digests(now))
    await driver.set(step(now, now, rewrite=True))
    assert ours(everything()) == ours(whole)
    assert await driver.observe() == right


@pytest.mark.parametrize("commands", TAMPERING.values(), ids=TAMPERING.keys())
async def test_an_edit_of_what_isnt_as_it_should_be_writes_all_of_it(
    driver: IptablesDriver, commands: list[str]
) -> None:
    before, after = ruleset(foo=RICH, bar=NAT), ruleset(foo=RICH, bar=ROUTE)
    await driver.set(step(EMPTY, before))
    tamper(6, commands)
    await driver.set(step(before, after))
    assert (await driver.observe()).digests == digests(after)
    assert (await driver.observe()).intact


@pytest.mark.parametrize("command", ["-F", "-t nat -F", "-D FORWARD -j VNET-FORWARD"])
@pytest.mark.parametrize("family", FAMILIES)
async def test_a_change_by_others_is_noticed_within_a_second(
    driver: IptablesDriver, family: int, command: str
) -> None:
    await driver.set(step(EMPTY, ruleset(foo=RICH)))
    with watch(driver) as watching:
        noticed = asyncio.create_task(watching.changed())
        await driver.observe()
        await asyncio.sleep(0)
        assert not noticed.done()
        iptables(family, *command.split())
        await asyncio.wait_for(noticed, 1)


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_rule_in_the_place_of_one_that_is_as_long_is_noticed_and_counters_are_not(
    driver: IptablesDriver, family: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables_watch, "INTERVAL", 0.01)
    monkeypatch.setattr(tables_watch, "READING", 0.02)
    reads: list[int] = []

    class Counting(Reader):
        def read(self, family: int, name: str) -> FoundTable | None:
            reads.append(family)
            return super().read(family, name)

    monkeypatch.setattr(tables_watch, "Reader", Counting)
    await driver.set(step(EMPTY, ruleset(foo=RICH)))
    with watch(driver) as watching:
        noticed = asyncio.create_task(watching.changed())

        async def read_again() -> bool:
            return len(reads) >= 12

        await soon(read_again)
        iptables(family, "-Z")
        iptables(family, "-Z", "VNET-FORWARD")
        reads.clear()
        await soon(read_again)
        assert not noticed.done()
        shape = kernel.shape(family, "filter")
        iptables(family, "-R", "VNET-DENY", "2", "-j", "ACCEPT")
        assert kernel.shape(family, "filter") == shape
        await asyncio.wait_for(noticed, 5)


async def test_chains_of_another_engine_are_refused_and_left_alone(
    driver: IptablesDriver, lab: Lab
) -> None:
    theirs = Paths(lab.paths.state, lab.paths.run / "other")
    other = IptablesDriver(theirs, "in a test")
    await other.set(step(EMPTY, ruleset(foo=NAT)))
    before = everything()
    with pytest.raises(ConflictError, match=theirs.instance):
        await driver.observe()
    for after in (ruleset(bar=NAT), EMPTY):
        with pytest.raises(ConflictError, match=theirs.instance):
            await driver.set(step(EMPTY, after))
    assert everything() == before
    await other.close()


async def test_chains_of_our_name_that_nobody_of_us_made_are_refused(
    driver: IptablesDriver,
) -> None:
    iptables(6, "-t", "nat", "-N", "VNET-POST")
    iptables(6, "-t", "nat", "-A", "VNET-POST", "-j", "ACCEPT")
    before = everything()
    with pytest.raises(ConflictError, match="VNET-POST in the table nat of IPv6"):
        await driver.set(step(EMPTY, ruleset(foo=NAT)))
    assert everything() == before


@pytest.mark.parametrize("number", range(4))
async def test_a_table_that_cant_be_put_in_place_leaves_all_tables_as_they_were(
    driver: IptablesDriver, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who doesn't take the lock changes a table under our hands: the kernel refuses."""
    before = ruleset(foo=RICH)
    await driver.set(step(EMPTY, before))
    there = ours(everything())
    commits: list[str] = []
    commit = worker.Worker.commit

    def meanwhile(self: worker.Worker, table: str) -> None:
        if len(commits) == number:
            with monkeypatch.context() as rogue:
                rogue.setenv("XTABLES_LOCKFILE", "/run/another.lock")
                iptables(self.family, "-t", table, "-A", "OUTPUT", "-j", "ACCEPT")
        commits.append(table)
        commit(self, table)

    monkeypatch.setattr(worker.Worker, "commit", meanwhile)
    with pytest.raises(DriverError, match="Resource temporarily unavailable"):
        await driver.set(step(before, ruleset(foo=NAT, bar=RICH)))
    assert ours(everything()) == there
    monkeypatch.undo()
    await driver.set(step(before, ruleset(bar=RICH)))
    assert (await driver.observe()).digests == digests(ruleset(bar=RICH))


async def test_a_rule_that_cant_be_made_changes_nothing(driver: IptablesDriver) -> None:
    before = ruleset(foo=RICH)
    await driver.set(step(EMPTY, before))
    there = everything()
    (foo,) = before.networks.values()
    named = replace(foo, bridge="a-name-that-is-much-too-long")
    with pytest.raises(DriverError):
        await driver.set(step(before, Ruleset(networks={foo.network: named})))
    assert everything() == there
