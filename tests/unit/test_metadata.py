"""Programs' own data: each its element, and nobody else's touched."""

from __future__ import annotations

import pytest

from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.metadata import metadata_of, with_metadata
from vnet_tui.engine.xml import parse, write

OURS, THEIRS = "http://example.org/ours", "urn:theirs"
BARE = parse("<network><name>x</name></network>")
ELEMENT = '<owner team="net"><since>2026</since> &amp; so</owner>'


def test_what_was_written_is_read_again_without_its_namespace() -> None:
    network = with_metadata(BARE, OURS, ELEMENT, "our")
    assert f'<our:owner xmlns:our="{OURS}" team="net">' in write(network)
    assert metadata_of(parse(write(network)), OURS) == ELEMENT
    assert metadata_of(network, THEIRS) is None


def test_programs_dont_meet() -> None:
    both = with_metadata(with_metadata(BARE, OURS, ELEMENT, "our"), THEIRS, "<t/>", "their")
    changed = with_metadata(both, OURS, "<other/>", "our")
    assert metadata_of(changed, OURS) == "<other/>"
    assert metadata_of(changed, THEIRS) == "<t/>"
    assert metadata_of(with_metadata(changed, THEIRS, None), OURS) == "<other/>"
    gone = with_metadata(with_metadata(changed, THEIRS, None), OURS, None)
    assert gone == BARE


@pytest.mark.parametrize(
    ("uri", "element", "prefix", "told"),
    [
        ("", "<x/>", "a", "no XML namespace"),
        (OURS, "<x/>", "", "needs a prefix"),
        (OURS, "<x/>", "a b", "no prefix"),
        (OURS, "<x", "a", "well-formed"),
        (OURS, '<x xmlns="urn:y"/>', "a", "has a namespace already"),
    ],
)
def test_what_makes_no_sense_is_told(uri: str, element: str, prefix: str, told: str) -> None:
    with pytest.raises(VnetError, match=told):
        with_metadata(BARE, uri, element, prefix)
