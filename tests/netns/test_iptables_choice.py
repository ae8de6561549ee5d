"""Which driver a host gets, and how it moves from one to the other."""

from __future__ import annotations

import pytest

from tests.netns.test_firewall_driver import flood, received
from tests.support.eventually import eventually
from tests.support.firewall_lab import EMPTY, FirewallLab, digests, ruleset
from tests.support.lab import Lab
from tests.support.legacy import everything, existing_tables, iptables, ours
from tests.support.networks import document
from vnet_tui.engine.drivers.firewall import libnftables, nft_kernel
from vnet_tui.engine.drivers.firewall.iptables import kernel, libraries
from vnet_tui.engine.drivers.firewall.iptables.driver import IptablesDriver
from vnet_tui.engine.drivers.firewall.nftables import NftablesDriver
from vnet_tui.engine.drivers.firewall.protocol import choose
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import DriverError, UnsupportedError
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import Ruleset
from vnet_tui.engine.steps import SetFirewall
from vnet_tui.engine.undo import inverse

OTHER = {"nftables": "iptables", "iptables": "nftables"}
DENY = '<forwarding><outgoing default="allow"><deny port="4444"/></outgoing></forwarding>'
NAT = '<forwarding mode="nat"/>'


def without_nftables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libnftables, "_SONAME", "libnftables-that-is-missing.so.1")
    monkeypatch.setenv("PATH", "/nonexistent")


def test_a_host_with_both_gets_nftables(lab: Lab) -> None:
    assert choose("auto", lab.paths).name == "nftables"
    asked = choose("iptables", lab.paths)
    assert (asked.name, asked.reason) == (
        "iptables",
        "asked for; python-iptables on legacy tables",
    )


def test_a_host_without_nftables_gets_iptables_and_is_told_why(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nft_kernel, "in_kernel", lambda: False)
    driver = choose("auto", lab.paths)
    assert (driver.name, driver.reason) == (
        "iptables",
        "chosen by itself, as this kernel has no nftables; python-iptables on legacy tables",
    )
    with pytest.raises(UnsupportedError, match="nftables was asked for, but this kernel has no"):
        choose("nftables", lab.paths)
    without_nftables(monkeypatch)
    assert "neither libnftables nor the program nft" in choose("auto", lab.paths).reason


LACKING = {
    "the package": ("find_spec", "python-iptables is not installed"),
    "a library": ("_SONAMES", "libnothing.so.1 is missing"),
    "extensions": ("extensions", "the extensions of iptables are missing"),
    "one extension": ("_EXTENSIONS", "no libxt_nothing.so"),
    "a table": ("missing", "no legacy table nat for IPv4"),
}


@pytest.mark.parametrize(("what", "words"), LACKING.values(), ids=LACKING.keys())
def test_what_iptables_lacks_is_named(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, what: str, words: str
) -> None:
    if what == "find_spec":
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    elif what == "_SONAMES":
        monkeypatch.setitem(libraries._SONAMES, "ip6tc", "libnothing.so.1")
    elif what == "extensions":
        monkeypatch.setattr(libraries, "extensions", lambda: None)
    elif what == "_EXTENSIONS":
        monkeypatch.setattr(libraries, "_EXTENSIONS", ("nothing",))
    else:
        monkeypatch.setattr(kernel, "missing", lambda _family, _names: ["nat"])
    for preference in ("iptables", "auto"):
        if preference == "auto":
            without_nftables(monkeypatch)
        with pytest.raises(UnsupportedError) as caught:
            choose(preference, lab.paths)
        assert words in str(caught.value)


def test_a_kernel_without_a_table_says_so(lab: Lab) -> None:
    assert kernel.missing(4, ("filter", "nothing", "nat")) == ["nothing"]
    assert existing_tables()[4] == ["filter", "nat"]


@pytest.mark.parametrize("old", ["nftables", "iptables"])
async def test_a_host_is_moved_without_a_moment_in_which_a_deny_is_open(lab: Lab, old: str) -> None:
    world = FirewallLab(lab, choose(old, lab.paths))
    rules = ruleset(foo=DENY, bar=NAT)
    await world.install(rules)
    with flood(world, 4444) as receiver:
        for name in (OTHER[old], old) * 5:
            await world.driver.close()
            world.driver = choose(name, lab.paths)
            state = await world.driver.observe()
            assert (state.present, state.intact) == (True, False)
            step = SetFirewall(before=rules, after=rules, rewrite=True)
            await world.driver.set(step)
            state = await world.driver.observe()
            assert (state.present, state.intact, state.digests) == (True, True, digests(rules))
            assert not received(receiver)
            assert await installed(lab.paths) == [name]
        await world.install(ruleset(foo=NAT))
        eventually(lambda: received(receiver), what="that the flood comes through where it may")
    await world.close()


async def installed(paths: Paths) -> list[str]:
    """The drivers that find something of their own, each asked alone."""
    found = []
    nftables = NftablesDriver.find(paths)
    assert nftables is not None
    for driver in (nftables, IptablesDriver(paths, "in a test")):
        if (await driver.observe()).present:
            found.append(driver.name)
        await driver.close()
    return found


@pytest.mark.parametrize("old", ["nftables", "iptables"])
async def test_connections_go_on_while_a_host_is_moved(lab: Lab, old: str) -> None:
    world = FirewallLab(lab, choose(old, lab.paths))
    forward = '<forwarding><incoming><allow port="123" domain="web"/></incoming></forwarding>'
    await world.install(foo=forward)
    out = world.packets.connect("web", "198.51.100.2", 80, server=("outside", 80))
    into = world.packets.connect("outside", "198.51.100.1", 123, server=("web", 123))
    await world.driver.close()
    world.driver = choose(OTHER[old], lab.paths)
    await world.install(ruleset(foo=forward, bar=NAT))
    assert await installed(lab.paths) == [OTHER[old]]
    assert out.works()
    assert into.works()
    world.check("""
        web     tcp+udp outside:80 pass   seen=host
        outside tcp+udp host:123   pass   server=web seen=outside
        bob     tcp+udp web:123    denied
    """)
    out.close()
    into.close()
    await world.close()


@pytest.mark.parametrize("old", ["nftables", "iptables"])
async def test_the_last_network_takes_the_other_drivers_rules_with_it(lab: Lab, old: str) -> None:
    before = choose(old, lab.paths)
    await before.set(SetFirewall(before=EMPTY, after=ruleset(foo=NAT)))
    await before.close()
    driver = choose(OTHER[old], lab.paths)
    assert (await driver.observe()).present
    await driver.set(SetFirewall(before=ruleset(foo=NAT), after=EMPTY, rewrite=True))
    assert await installed(lab.paths) == []
    assert not (await driver.observe()).present
    await driver.close()


@pytest.mark.parametrize("old", ["nftables", "iptables"])
async def test_a_move_can_be_undone(lab: Lab, old: str) -> None:
    rules = ruleset(foo=DENY)
    before = choose(old, lab.paths)
    await before.set(SetFirewall(before=EMPTY, after=rules))
    await before.close()
    driver = choose(OTHER[old], lab.paths)
    step = SetFirewall(before=rules, after=ruleset(foo=DENY, bar=NAT), rewrite=True)
    await driver.set(step)
    (back,) = inverse(step)
    assert isinstance(back, SetFirewall)
    await driver.set(back)
    assert await installed(lab.paths) == [OTHER[old]]
    assert (await driver.observe()).digests == digests(rules)
    await driver.close()


async def test_a_move_that_fails_leaves_the_old_rules_and_no_new_ones(lab: Lab) -> None:
    rules = ruleset(foo=DENY)
    before = choose("iptables", lab.paths)
    await before.set(SetFirewall(before=EMPTY, after=rules))
    await before.close()
    there = everything()
    iptables(4, "-A", "INPUT", "-j", "VNET-FORWARD")  # a jump of others into a chain of ours
    iptables(4, "-N", "THEIRS")
    iptables(4, "-A", "THEIRS", "-j", "VNET-FORWARD")
    driver = choose("nftables", lab.paths)
    with pytest.raises(DriverError, match="those of iptables can't be removed"):
        await driver.set(SetFirewall(before=rules, after=rules, rewrite=True))
    assert await installed(lab.paths) == ["iptables"]
    assert set(there) <= set(everything())
    await driver.close()


@pytest.mark.parametrize("theirs", ["nftables", "iptables"])
async def test_rules_of_another_engine_with_the_other_driver_are_its_own_affair(
    lab: Lab, theirs: str
) -> None:
    other = choose(theirs, Paths(lab.paths.state, lab.paths.run / "other"))
    await other.set(SetFirewall(before=EMPTY, after=ruleset(bar=NAT)))
    driver = choose(OTHER[theirs], lab.paths)
    assert not (await driver.observe()).present
    rules = ruleset(foo=NAT)
    await driver.set(SetFirewall(before=EMPTY, after=rules))
    assert (await driver.observe()).intact
    await driver.set(SetFirewall(before=rules, after=EMPTY))
    state = await other.observe()
    assert (state.intact, state.digests) == (True, digests(ruleset(bar=NAT)))
    await driver.close()
    await other.close()


async def test_nftables_alone_starts_nothing_of_iptables(lab: Lab) -> None:
    driver = choose("auto", lab.paths)
    rules: Ruleset = ruleset(foo=NAT)
    await driver.set(SetFirewall(before=EMPTY, after=rules))
    await driver.observe()
    await driver.close()
    assert existing_tables() == {4: [], 6: []}
    assert not ours(everything())


@pytest.mark.parametrize("old", ["nftables", "iptables"])
async def test_an_engine_with_another_driver_moves_what_runs(lab: Lab, old: str) -> None:
    text = document("one", "<forwarding/>")
    before = everything()
    async with Engine(lab.paths, firewall=old) as engine:
        await engine.create(text)
    assert await installed(lab.paths) == [old]
    async with Engine(lab.paths, firewall=OTHER[old]) as engine:
        assert (await engine.firewall())[0] == OTHER[old]
        assert [step.text for step in (await engine.plan("apply", ["one"])).steps] == [
            "firewall: write our table anew"
        ]
        await engine.apply("one")
        assert await installed(lab.paths) == [OTHER[old]]
        assert not await engine.plan("apply", ["one"])
        await engine.stop(["one"])
    assert await installed(lab.paths) == []
    assert ours(everything()) == ours(before)
