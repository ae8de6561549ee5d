"""What the iptables driver is made of, against the kernel and python-iptables themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from ipaddress import ip_address
from uuid import uuid5

import pytest

from tests.support.firewall_lab import EMPTY, SPACE, FirewallLab, digests, ruleset
from tests.support.lab import Lab
from tests.support.legacy import FAMILIES, everything, existing_tables, ours, rules
from vnet_tui.engine.drivers.firewall.iptables import libraries, worker
from vnet_tui.engine.drivers.firewall.iptables.driver import IptablesDriver
from vnet_tui.engine.drivers.firewall.iptables.rules import chain_name
from vnet_tui.engine.drivers.firewall.iptables.sets import GuestSet, Sets, guest_sets
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.rule_counters import Count
from vnet_tui.engine.steps import SetFirewall

FOO = uuid5(SPACE, "foo")

COMPARE = """
import json, sys
from vnet_tui.engine.drivers.firewall.iptables.libraries import import_iptc
from vnet_tui.engine.drivers.firewall.iptables.packing import Packer
from vnet_tui.engine.drivers.firewall.iptables.rules import Extension, Rule

family, which = int(sys.argv[1]), sys.argv[2]
guest, subnet = ("10.0.0.10", "10.0.0.0/24") if family == 4 else ("fd00::10", "fd00::/64")
host = guest if family == 4 else f"[{guest}]"
MATCHES = {
    "tcp": ("tcp", (("dport", "80"),)),
    "udp range": ("udp", (("dport", "80:90"),)),
    "comment": ("comment", (("comment", "0123456789ab"),)),
    "asked port": ("conntrack", (("ctstate", "DNAT"), ("ctorigdstport", "80:90"))),
    "asked address": ("conntrack", (("ctstate", "DNAT"), ("ctorigdst", subnet))),
    "ends": ("conntrack", (("ctorigsrc", subnet), ("ctreplsrc", subnet), ("ctreplsrcport", "7"))),
    "limit": ("hashlimit", (
        ("hashlimit-upto", "7/second"), ("hashlimit-burst", "7"), ("hashlimit-name", "vnet-x"),
        ("hashlimit-htable-size", "1"), ("hashlimit-htable-max", "1"),
        ("hashlimit-htable-expire", "10000"), ("hashlimit-htable-gcinterval", "10000"))),
}
TARGETS = {
    "address": ("DNAT", (("to-destination", guest),)),
    "port": ("DNAT", (("to-destination", f"{host}:80"),)),
    "ports": ("DNAT", (("to-destination", f"{host}:80-90/8080"),)),
    "told": ("NFLOG", (("nflog-prefix", "vnet:x:out:deny"), ("nflog-group", "30324"))),
}
iptc = import_iptc()
rule = iptc.Rule6() if family == 6 else iptc.Rule()
packer = Packer(family, iptc)
if which in MATCHES:
    name, options = MATCHES[which]
    protocol = name if name in ("tcp", "udp") else ""
    key = dict(options).get("comment", "") if name == "comment" else ""
    matches = () if key else (Extension(name, options),)
    ours = packer.pack(Rule(target="RETURN", protocol=protocol, matches=matches, key=key))[0]
    ours = bytes(ours)[packer._layout.header : -40]
    if protocol:
        rule.protocol = protocol
    theirs = rule.create_match(name)
    for option, value in options:
        theirs.set_parameter(option, value)
    theirs = bytes(theirs.match_buf)
    if name == "hashlimit":  # of addresses that it doesn't look at
        ours, theirs = (one[:328] + one[330:] for one in (ours, theirs))
else:
    name, options = TARGETS[which]
    more = (("nflog-size", "0"),) if name == "NFLOG" else ()
    ours = bytes(packer.pack(Rule(target=name, options=options + more))[0])[packer._layout.header :]
    rule.protocol = "tcp"
    theirs = rule.create_target(name)
    for option, value in options:
        theirs.set_parameter(option, value)
    theirs = bytes(rule.rule)[packer._layout.header :]
    if name == "NFLOG":  # which of python-iptables' checks would have set the flag
        ours = ours[:40] + bytes(2) + ours[42:]
print(json.dumps([ours.hex(), theirs.hex()]))
"""


def output(*command: str) -> str:
    """What a program says."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


PARTS = (
    *("tcp", "udp range", "comment", "asked port", "asked address", "ends", "limit"),
    *("address", "port", "ports", "told"),
)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("part", PARTS)
def test_what_is_packed_by_hand_is_what_python_iptables_would_make(
    lab: Lab, part: str, family: int
) -> None:
    """In a process for each: several of these harm those that come after them."""
    del lab
    command = [sys.executable, "-c", COMPARE, str(family), part]
    ours, theirs = json.loads(output(*command))
    assert ours == theirs


async def test_only_the_tables_that_change_are_put_in_place(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = IptablesDriver(lab.paths, "in a test")
    commits: list[tuple[int, str]] = []
    commit = worker.Worker.commit

    def noted(self: worker.Worker, table: str) -> None:
        commits.append((self.family, table))
        commit(self, table)

    monkeypatch.setattr(worker.Worker, "commit", noted)
    now = EMPTY

    async def tables(rule: str) -> list[tuple[int, str]]:
        nonlocal now
        commits.clear()
        after = ruleset(foo=f"<forwarding><outgoing>{rule}</outgoing></forwarding>")
        await driver.set(SetFirewall(before=now, after=after))
        now = after
        assert (await driver.observe()).digests == digests(after)
        return sorted(commits)

    await tables("")
    assert await tables('<deny port="25"/>') == [(4, "filter"), (6, "filter")]
    assert await tables('<deny port="25" destination="192.0.2.1"/>') == [
        (4, "filter"),
        (6, "filter"),
    ]
    assert await tables('<deny port="26" destination="192.0.2.1"/>') == [(4, "filter")]
    assert await tables('<deny port="26" destination="192.0.2.1"/>') == []
    await driver.close()


async def test_thousands_of_rules_go_over_and_one_of_them_is_edited_alone(lab: Lab) -> None:
    driver = IptablesDriver(lab.paths, "in a test")

    def many(changed: str) -> str:
        denies = "".join(f'<deny port="{port}"/>' for port in range(10_000, 12_500))
        return f"<forwarding><outgoing>{denies}{changed}</outgoing></forwarding>"

    before, after = ruleset(foo=many("")), ruleset(foo=many('<deny port="9999"/>'))
    await driver.set(SetFirewall(before=EMPTY, after=before))
    assert (await driver.observe()).digests == digests(before)
    there = set(everything())
    await driver.set(SetFirewall(before=before, after=after))
    assert (await driver.observe()).digests == digests(after)
    changed = [line for line in everything() if line not in there and "MARK" not in line]
    assert 4 <= len(changed) <= 60
    await driver.close()


async def test_a_rule_says_for_whom_it_counts(lab: Lab) -> None:
    driver = IptablesDriver(lab.paths, "in a test")
    after = ruleset(foo='<forwarding><outgoing><deny port="25"/></outgoing></forwarding>')
    await driver.set(SetFirewall(before=EMPTY, after=after))
    key = after.networks[FOO].outgoing.rules[0].key
    chain = chain_name("OUT", FOO)
    keyed = [line for line in rules(4, "filter", chain) if f"--comment {key}" in line]
    assert [line.split()[3] for line in keyed] == ["tcp", "udp"]
    assert "--comment default-out" in rules(4, "filter", chain)[-1]
    await driver.close()


@pytest.mark.parametrize("lacks", ["can_log", "can_count"])
async def test_a_kernel_that_can_do_less_gets_the_rules_all_the_same(
    lab: Lab, lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, lacks, lambda: False)
    world = FirewallLab(lab, IptablesDriver(lab.paths, "in a test"))
    await world.install(
        foo='<forwarding><outgoing><deny port="25" log="true"/></outgoing></forwarding>'
    )
    world.check("web tcp outside:25 denied\nweb tcp outside:80 pass")
    text = " ".join(everything())
    assert ("NFLOG" in text) == (lacks != "can_log")
    assert ("--add-set" in text) == (lacks != "can_count")
    assert (await world.driver.observe()).digests == digests(world.now)
    counted = (await world.driver.counters()).networks[FOO]
    assert counted.rules["default-out"].packets > 0
    assert bool(counted.guests) == (lacks != "can_count")
    await world.close()


async def test_a_limit_that_the_kernel_cant_keep_is_refused_and_nothing_done(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "can_limit", lambda: False)
    driver = IptablesDriver(lab.paths, "in a test")
    rule = '<forwarding><outgoing><deny port="25" {}/></outgoing></forwarding>'
    with pytest.raises(DriverError, match="hashlimit, which a rule's limit on vnet-foo needs"):
        await driver.set(SetFirewall(before=EMPTY, after=ruleset(foo=rule.format('limit="5"'))))
    assert existing_tables() == {4: [], 6: []}
    await driver.set(SetFirewall(before=EMPTY, after=ruleset(foo=rule.format(""))))
    await driver.close()


async def test_rules_that_iptables_keeps_in_nftables_are_neither_seen_nor_touched(
    lab: Lab,
) -> None:
    """python-iptables sees legacy tables only, and so do we: what is there is another's."""
    for words in ("-N VNET-IN-0123456789ab", "-A FORWARD -j VNET-IN-0123456789ab"):
        output("iptables-nft", *words.split())
    before = output("nft", "list", "ruleset")
    driver = IptablesDriver(lab.paths, "in a test")
    assert not (await driver.observe()).present
    after = ruleset(foo="<forwarding/>")
    await driver.set(SetFirewall(before=EMPTY, after=after))
    assert (await driver.observe()).digests == digests(after)
    await driver.set(SetFirewall(before=after, after=EMPTY))
    assert output("nft", "list", "ruleset") == before
    await driver.close()


async def test_sets_come_and_go_with_their_networks(lab: Lab) -> None:
    driver, sets = IptablesDriver(lab.paths, "in a test"), Sets()
    theirs = GuestSet("not-hex-digits", 4, sent=True)
    sets.create([theirs])
    one, both = ruleset(foo="<forwarding/>"), ruleset(foo="<forwarding/>", bar="<forwarding/>")
    now = EMPTY
    for after, count in ((both, 8), (one, 4), (EMPTY, 0), (one, 4)):
        await driver.set(SetFirewall(before=now, after=after))
        assert len(sets.ours()) == count
        now = after
    for family in FAMILIES:
        assert set(guest_sets(FOO, family)) <= set(sets.ours())
    with pytest.raises(DriverError, match="make a set"):
        sets.create([GuestSet("x" * 40, 4, sent=True)])
    sets.close()
    await driver.close()


async def test_a_change_that_fails_leaves_no_sets_behind(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver, sets = IptablesDriver(lab.paths, "in a test"), Sets()

    def refuses(self: worker.Worker, table: str) -> None:
        raise DriverError(f"{table} of {self.family}")

    monkeypatch.setattr(worker.Worker, "commit", refuses)
    with pytest.raises(DriverError):
        await driver.set(SetFirewall(before=EMPTY, after=ruleset(foo="<forwarding/>")))
    assert sets.ours() == ()
    assert not ours(everything())
    sets.close()
    await driver.close()


async def test_what_guests_have_sent_and_got_outlives_a_rewrite(lab: Lab) -> None:
    world = FirewallLab(lab, IptablesDriver(lab.paths, "in a test"))
    await world.install(foo="<forwarding/>")
    world.check("web tcp+udp outside:80 pass\nhost tcp web:80 pass")
    first = (await world.driver.counters()).networks[FOO].guests
    web = first[ip_address("10.0.0.10")]
    assert web.into != Count()
    assert web.out.bytes > 28 * web.out.packets > 0
    await world.driver.set(SetFirewall(before=world.now, after=world.now, rewrite=True))
    assert (await world.driver.counters()).networks[FOO].guests == first
    await world.close()


def test_looking_for_sets_makes_no_table(lab: Lab) -> None:
    del lab
    sets = Sets()
    assert sets.ours() == ()
    assert sets.counts(GuestSet("0123456789ab", 4, sent=True)) == {}
    sets.close()
    assert existing_tables() == {4: [], 6: []}
