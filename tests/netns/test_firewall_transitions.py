"""From any rules to any others: the kernel takes the transaction, and what is there then is what
writing it all at once would have made."""

from __future__ import annotations

import json
import random
import subprocess
from typing import Any

import pytest

from tests.support.firewall_lab import EMPTY, digests, ruleset
from tests.support.lab import Lab
from vnet_tui.engine.drivers.firewall.libnftables import Libnftables, load
from vnet_tui.engine.drivers.firewall.protocol import choose
from vnet_tui.engine.drivers.firewall.render import render
from vnet_tui.engine.drivers.firewall.transaction import change
from vnet_tui.engine.resources import Ruleset
from vnet_tui.engine.steps import SetFirewall

GUESTS = ("web", "mail", "bob", "nobody")
SOURCES = ("198.51.100.0/24", "2001:db8::/32", "10.0.0.0/8", "203.0.113.7")


def some_rule(chance: random.Random, *, outgoing: bool) -> str:
    """A rule, small numbers so that rules overlap."""
    words = [chance.choice(("allow", "deny"))]
    if chance.random() < 0.8:
        first = chance.randint(1, 12)
        last = first + chance.choice((0, 0, 0, 1, 5))
        words.append(f'port="{first}-{last}"' if last > first else f'port="{first}"')
        if chance.random() < 0.5:
            words.append(f'protocol="{chance.choice(("tcp", "udp"))}"')
        if chance.random() < 0.5:
            words.append(f'domain="{chance.choice(GUESTS)}"')
            if words[0] == "allow" and not outgoing and chance.random() < 0.6:
                shift = chance.choice((0, 100))
                alike = f"{first + shift}-{last + shift}" if last > first else f"{first + shift}"
                words.append(f'destport="{chance.choice((alike, "77"))}"')
    elif chance.random() < 0.5:
        words.append('protocol="icmp"')
    if chance.random() < 0.3:
        words.append(f'source="{chance.choice(SOURCES)}"')
    if chance.random() < 0.2:
        words.append(f'destination="{chance.choice(SOURCES)}"')
    return f"<{' '.join(words)}/>"


def some_network(chance: random.Random) -> str:
    if chance.random() < 0.15:
        return '<forwarding enabled="false"/>'
    incoming, outgoing = (
        "".join(some_rule(chance, outgoing=out) for _ in range(chance.randint(0, 8)))
        for out in (False, True)
    )
    default = chance.choice(("allow", "deny"))
    return (
        f'<forwarding mode="{chance.choice(("nat", "route"))}"><incoming>{incoming}</incoming>'
        f'<outgoing default="{default}">{outgoing}</outgoing></forwarding>'
    )


def some_rules(chance: random.Random) -> Ruleset:
    names = chance.choice((("foo",), ("bar",), ("foo", "bar"), ("foo", "bar"), ()))
    return ruleset(**{name: some_network(chance) for name in names})


def contents() -> list[str]:
    """All that the table holds, without handles and in an order of its own."""
    listed = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, check=True)
    parts: list[str] = []
    rules: dict[str, list[Any]] = {}
    for item in json.loads(listed.stdout)["nftables"]:
        for kind, value in item.items():
            value.pop("handle", None)
            if kind == "rule":
                rules.setdefault(value["chain"], []).append(value)
            elif kind != "metainfo":
                if "elem" in value:
                    value["elem"] = sorted(map(json.dumps, value["elem"]))
                parts.append(json.dumps([kind, value], sort_keys=True))
    parts += [json.dumps([chain, of], sort_keys=True) for chain, of in rules.items()]
    return sorted(parts)


@pytest.mark.parametrize("seed", range(3))
async def test_any_change_ends_where_writing_anew_ends(lab: Lab, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (to be the same every time)
    driver = choose("nftables", lab.paths)
    now = EMPTY
    library = load()
    assert library
    backend = Libnftables(library)
    for _ in range(15):
        after = some_rules(chance)
        if now.networks and after.networks:
            # Not through the driver, which would write all anew if the change were refused.
            commands = change(*(render(rules, lab.paths.instance) for rules in (now, after)))
            backend.run("\n".join([*commands, ""]))
        else:
            await driver.set(SetFirewall(before=now, after=after))
        changed = contents()
        state = await driver.observe()
        assert (state.present, state.intact) == (bool(after.networks), True)
        assert state.digests == digests(after)
        await driver.set(SetFirewall(before=after, after=after, rewrite=True))
        assert contents() == changed
        await driver.set(SetFirewall(before=after, after=EMPTY))
        await driver.set(SetFirewall(before=EMPTY, after=after))
        assert contents() == changed
        now = after
    backend.close()
    await driver.close()
