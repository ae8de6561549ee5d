"""The text of a network and the network in a text: made once, and never taken for another's."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from vnet_tui.engine.errors import DocumentError
from vnet_tui.engine.model import Network
from vnet_tui.engine.xml import kept, network_in, parse, write
from vnet_tui.engine.xml.kept import _Kept

DOCUMENT = """<!-- of the network -->
<network><name>foo</name><metadata><a:b xmlns:a="urn:a"/></metadata>
<forwarding><incoming><!-- of the rule --><deny port="80"/></incoming></forwarding></network>
"""
UUIDS = UUID(int=1), UUID(int=2)


def of(network: Network, **changes: str) -> Network:
    """The network with its one rule changed."""
    forwarding = network.forwarding
    assert forwarding is not None
    assert forwarding.incoming is not None
    (rule,) = forwarding.incoming.rules
    incoming = replace(forwarding.incoming, rules=(replace(rule, **changes),))  # type: ignore[arg-type]
    return replace(network, forwarding=replace(forwarding, incoming=incoming))


def test_what_is_kept_is_the_network_with_the_lines_of_its_text() -> None:
    made = parse(DOCUMENT)
    text, network = kept(made)
    assert network == made
    assert text == write(made) == write(network)
    line = network.incoming.line_of(0)
    assert text.splitlines()[line - 1].strip() == '<deny port="80"/>'
    assert network_in(text) is network
    assert write(network, id=7) == text.replace("<network>", '<network id="7">')


def test_texts_that_are_equal_are_one_network_and_others_are_others() -> None:
    texts = [write(of(parse(DOCUMENT), comment=comment)) for comment in ("one", "two", "one")]
    one, two, again = map(network_in, texts)
    assert one is again
    assert one != two


def test_networks_with_equal_rules_are_written_each_as_it_is() -> None:
    networks = [replace(parse(DOCUMENT), uuid=uuid) for uuid in UUIDS]
    written = [write(of(network, comment="new")) for network in networks]
    for uuid, text, network in zip(UUIDS, written, networks, strict=True):
        assert f"<uuid>{uuid}</uuid>" in text
        assert text.count('comment="new"') == 1
        assert 'comment="new"' not in write(network)
    bare = of(networks[0], comments=())  # type: ignore[arg-type]
    assert "of the rule" not in write(bare)
    assert "of the rule" in write(networks[0])


def test_what_is_damaged_is_told_each_time() -> None:
    for _ in range(2):
        with pytest.raises(DocumentError):
            network_in(DOCUMENT.replace('"80"', '"many"'))


def test_what_was_not_asked_for_lately_is_forgotten() -> None:
    texts = [write(of(parse(DOCUMENT), comment=str(number))) for number in range(4)]
    keeping = _Kept(most=2 * len(texts[0]))
    first = keeping.network(texts[0])
    keeping.network(texts[1])
    assert keeping.network(texts[0]) is first
    second = keeping.network(texts[2])
    assert keeping.network(texts[0]) is first
    assert keeping.network(texts[2]) is second
    keeping.network(texts[3])
    keeping.network(texts[1])
    assert keeping.network(texts[0]) is not first
