"""Edits of networks with many rules, of which only what differs is read, checked and compiled: what
comes of them is what the whole document says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.support.lab import Lab
from tests.support.networks import network as some_network
from vnet_tui.client.edits import Scope, edit
from vnet_tui.client.local import LocalConnection
from vnet_tui.engine.errors import DocumentError
from vnet_tui.engine.model import Network
from vnet_tui.engine.sections import updated
from vnet_tui.engine.xml import write
from vnet_tui.engine.xml.walk import walk

RULES = 250
BOTH = Scope(live=True, config=True)

EDITS = [
    ("add-first", '<deny port="9"/>'),
    ("add-last", '<allow port="999" domain="web" destport="80"/>'),
    ("delete", '<deny protocol="tcp" port="2102"/>'),
    ("modify", '<deny protocol="tcp" port="2202" log="true"/>'),
    ("delete", '<allow port="999"/>'),
    ("add-first", '<deny protocol="udp"/>'),
]


def document(name: str, third: int) -> str:
    """A network with comments, metadata, and rules on every second port."""
    to = f'destination="192.0.2.{third}" domain="web" destport="80"'
    rules = "".join(
        f'<!-- {port} --><deny protocol="tcp" port="{port}"/>\n'
        if port % 4
        else f'<allow port="{port}" {to}/> <!-- {port} -->\n'
        for port in range(2_002, 2_002 + 2 * RULES, 2)
    )
    return (
        f"<!-- of {name} -->\n<network><name>{name}</name><uuid>{some_network(name).uuid}</uuid>\n"
        f'<metadata><a:b xmlns:a="urn:a">kept</a:b></metadata><bridge name="br-{name}"/>\n'
        f'<forwarding><incoming>{rules}<!-- the last -->\n</incoming><outgoing default="deny">\n'
        f'<allow port="53"/></outgoing></forwarding>\n<dhcp><ip address="10.{third}.0.1" '
        f'prefix="24"/><host name="web" address="10.{third}.0.5"/></dhcp></network>\n'
    )


ONE, TWO = document("one", 1), document("two", 2)


def read(text: str) -> Network:
    """The network in a document, read by nobody who remembers anything."""
    return walk(text).reading.network


def in_kernel() -> list[str]:
    """All that our table holds, but for what was counted and where it lies."""
    asked = ["nft", "-j", "list", "table", "inet", "vnet"]
    found = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)

    def plain(value: object) -> object:
        if isinstance(value, dict):
            gone = ("handle", "packets", "bytes", "expires")
            return {name: plain(one) for name, one in value.items() if name not in gone}
        if isinstance(value, list):
            return sorted((plain(one) for one in value), key=json.dumps)
        return value

    return sorted(json.dumps(plain(one), sort_keys=True) for one in found["nftables"])


@pytest.fixture
async def engine(lab: Lab) -> AsyncIterator[LocalConnection]:
    """An engine of which both networks run."""
    async with LocalConnection(lab.paths, firewall="nftables") as made:
        for text in (ONE, TWO):
            await made.define(text)
        await made.start(["one", "two"])
        yield made
        await made.stop([info.uuid for info in await made.networks() if info.active])


async def is_so(engine: LocalConnection, expected: str) -> None:
    """The network is defined, and runs, as a document says that was read whole."""
    name = read(expected).name
    assert await engine.xml(name, inactive=True) == expected
    running = await engine.xml(name)
    assert read(running) == read(expected)
    found = in_kernel()
    await engine.restart([name])
    assert in_kernel() == found


async def test_edit_after_edit_of_single_rules(engine: LocalConnection) -> None:
    expected = await engine.xml("one", inactive=True)
    assert read(expected) == read(ONE)
    for change, element in EDITS:
        meant = partial(updated, change=change, section="incoming", element=element)
        await edit(engine, "one", meant, BOTH)
        expected = write(meant(read(expected)))
        await is_so(engine, expected)
    assert await engine.xml("two", inactive=True) == write(read(TWO))


async def test_edit_after_edit_of_documents(engine: LocalConnection) -> None:
    for old, new in (
        ('"2002"', '"12"'),
        ("<!-- the last -->", '<deny port="13"/><!-- the very last -->'),
        ("<!-- 2402 -->", "<!-- another -->"),
        ('<allow port="53"/>', '<allow port="54" comment="its"/>\n<allow port="55"/>'),
        ("kept", "kept, too"),
    ):
        edited = ONE.replace(old, new)
        assert edited != ONE
        await engine.define(edited)
        await engine.apply("one")
        await is_so(engine, write(read(edited)))
    assert await engine.xml("two") == write(read(TWO), id=2)


async def test_what_somebody_wrote_to_disk_counts(engine: LocalConnection) -> None:
    uuid = read(ONE).uuid
    path = engine.paths.definitions / f"{uuid}.xml"
    for port in (2006, 2010):
        edited = path.read_text().replace(f'port="{port}"', f'port="{port - 1_000}"')
        path.write_text(edited)
        assert await engine.xml("one", inactive=True) == edited
        assert (await engine.network("one")).pending
        await engine.apply("one")
        await is_so(engine, edited)


async def test_a_wrong_rule_among_many_is_told_at_its_line(engine: LocalConnection) -> None:
    stored = await engine.xml("one", inactive=True)
    wrong = stored.replace('port="2402"', '\n port="99999"').replace('"2462"', '"2462-2461"')
    for _ in range(2):
        with pytest.raises(DocumentError) as caught:
            await engine.define(wrong)
        first = wrong[: wrong.index('\n port="99999"')].count("\n") + 1
        later = wrong[: wrong.index("2462-2461")].count("\n") + 1
        assert [one.line for one in caught.value.problems] == [first, later]
    assert await engine.xml("one", inactive=True) == stored
