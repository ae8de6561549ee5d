"""A document that is like one that was read before says what it says when it is read whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given, settings, strategies as st

from vnet_tui.engine.errors import DocumentError, Problem
from vnet_tui.engine.model import Element, Network, Policy
from vnet_tui.engine.xml import limits, similar, tree
from vnet_tui.engine.xml.similar import Similar
from vnet_tui.engine.xml.tree import Xml
from vnet_tui.engine.xml.walk import walk

DOCUMENT = """\
<network> <!-- of the network -->
  <name>foo</name>
  <forwarding> <!-- of forwarding -->
    <incoming default="allow"> <!-- of incoming -->
      <!-- of the first -->
      <deny port="1"/> <!-- of the first, too -->
      <deny port="2"/>

      <!-- of the third
           in two lines --><deny port="3"/><deny port="4"></deny>
      <deny
        port="5"/> <!-- of the fifth -->
      <allow port="6" domain="web" comment="a > b"/>
      <deny port="7"/>
      <deny port="8"/>
      <!-- after the last -->
    </incoming>
    <outgoing>
      <deny port="9"/><!-- of the ninth -->
      <deny port="10"/></outgoing>
  </forwarding>
</network>
"""
ELSEWHERE = DOCUMENT.replace("</network>", '  <bridge name="br0"/>\n</network>')
EMPTY = DOCUMENT.replace(
    DOCUMENT[DOCUMENT.index("<outgoing>") :],
    """\
<outgoing default="deny"/>
  </forwarding>
</network>
""",
)
EMPTY_BEFORE = EMPTY.replace('<outgoing default="deny"/>', "").replace(
    "<incoming", "<outgoing/><incoming"
)
TANGLED = DOCUMENT.replace("<!-- of the fifth -->", "<!-- of the sixth --> <!-- of the fifth -->")

PIECES = [
    "\n",
    " ",
    "-",
    "<!--",
    "-->",
    "<!-- one -->",
    "<!-- one --> <!-- two -->\n",
    "<!-- in\ntwo lines -->",
    '<deny port="20"/>',
    '<deny port="20"/>\n',
    '\n<allow port="21" protocol="tcp"/> <!-- its -->\n',
    '<allow port="many"/>',
    '<allow port="22">',
    "</allow>",
    "<deny/>",
    "<ip/>",
    "</incoming><incoming>",
    "</incoming>",
    "</outgoing><outgoing>",
    "</incoming><outgoing/><incoming>",
    "</incoming></forwarding></network><!--",
    "<![CDATA[",
    "]]>",
    "<![CDATA[ ]]>",
    "<?keep this?>",
    '"',
    "&amp;",
    "&",
    "text",
    "\u0007",
    "\r\n",
    'x:y="1"',
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "_LEAST", 0)


def whole(document: str) -> Network | None:
    """The network in a document that is right, read by nobody who remembers."""
    try:
        found = walk(document)
    except DocumentError:
        return None
    right = not found.reading.problems and tree.schema().validate(found.root)
    return found.reading.network if right else None


def remembering(*documents: str) -> Similar:
    """Somebody who has read these."""
    made = Similar()
    for document in documents:
        made.remember(walk(document), valid=True)
    return made


def lines(value: object) -> Iterator[object]:
    """Where all elements of a network stand."""
    if isinstance(value, tuple):
        for one in value:
            yield from lines(one)
    elif is_dataclass(value):
        if isinstance(value, Element):
            yield type(value).__name__, value.line
        if isinstance(value, Policy):
            yield [value.line_of(at) for at in range(len(value.rules))]
        for field in fields(value):
            yield from lines(getattr(value, field.name))


def agree(known: Similar, document: str) -> bool:
    """Whether a document was read in part; what is read so has to be what all of it says."""
    found = known.read(document, valid=True)
    if found is None:
        return False
    as_whole = whole(document)
    assert found == as_whole, document
    assert list(lines(found)) == list(lines(as_whole)), document
    return True


@pytest.mark.parametrize("base", [DOCUMENT, ELSEWHERE, EMPTY, EMPTY_BEFORE, TANGLED])
@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_put_in_anywhere_or_in_place_of_something(base: str, piece: str) -> None:
    for at in range(0, len(base), 7):
        for without in (0, 17):
            agree(remembering(base), base[:at] + piece + base[at + without :])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_edit_after_edit(data: st.DataObject) -> None:
    document = data.draw(st.sampled_from([DOCUMENT, ELSEWHERE, EMPTY, EMPTY_BEFORE]))
    known = remembering(document)
    for _ in range(data.draw(st.integers(1, 6))):
        rows = document.split("\n")
        at = data.draw(st.integers(0, len(rows)))
        gone = data.draw(st.integers(0, 2))
        new = data.draw(st.lists(st.sampled_from([*rows, *PIECES]), max_size=2))
        edited = "\n".join([*rows[:at], *new, *rows[at + gone :]])
        agree(known, edited)
        if whole(edited) is not None:
            document = edited


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('"2"', '"22"'),
        ('<deny port="2"/>', '<allow port="22" domain="web"/>'),
        ('      <deny port="7"/>\n', ""),
        ('      <deny port="7"/>\n', '      <deny port="7"/>\n      <deny port="77"/>\n'),
        ('<deny port="10"/>', '<deny port="10"/>\n      <deny port="11"/>'),
        ("<!-- of the fifth -->", "<!-- of it -->"),
        ("<!-- after the last -->", '<deny port="8"/>'),
        ("<!-- of incoming -->", "<!-- of incoming -->\n  <deny/>"),
        ("<!-- of the first -->", ""),
    ],
)
def test_what_differs_in_a_rule_is_read_in_part(was: str, now: str) -> None:
    assert was in DOCUMENT
    known = remembering(DOCUMENT)
    assert agree(known, DOCUMENT.replace(was, now, 1))
    assert agree(known, DOCUMENT)
    assert agree(known, DOCUMENT.replace('"9"', '"99"'))


@pytest.mark.parametrize("base", [EMPTY, EMPTY_BEFORE])
def test_a_policy_without_rules_goes_down_with_the_others(base: str) -> None:
    known = remembering(base)
    assert agree(known, base.replace('<deny port="7"/>', '<deny port="7"/>\n\n'))
    assert agree(known, base)


def test_rules_that_stay_are_the_same_objects() -> None:
    known = remembering(DOCUMENT)
    before = known.read(DOCUMENT, valid=True)
    after = known.read(DOCUMENT.replace('port="6"', 'port="66"'), valid=True)
    assert before is not None
    assert after is not None
    same = [
        one is other for one, other in zip(before.incoming.rules, after.incoming.rules, strict=True)
    ]
    assert same == [True] * 5 + [False] + [True] * 2


def test_documents_of_two_networks_are_told_apart() -> None:
    other = DOCUMENT.replace("<name>foo", "<name>bar").replace('port="6"', 'port="66"')
    known = remembering(DOCUMENT, other)
    for document in (DOCUMENT, other, DOCUMENT.replace('"6"', '"7"'), other.replace('"66"', '"8"')):
        assert agree(known, document)
    assert not agree(known, DOCUMENT.replace("<name>foo", "<name>other"))


def test_how_a_network_runs_is_like_how_it_is_defined() -> None:
    document = DOCUMENT.replace(" <!-- of the network -->", "")
    running = document.replace("<network>", '<network id="7">', 1)
    edited = running.replace('"7"/>', '"77"/>')
    for base in (document, running):
        known = remembering(base)
        assert agree(known, running)
        assert agree(known, edited)
        assert agree(known, document)
        assert known.read(document, valid=True) is known.read(running, valid=True)


def test_the_schema_is_asked_by_those_who_care_about_all_that_it_was_not_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    refuses = True

    def schema_problem(root: Xml) -> Problem | None:
        asked.append(len(list(root.iter())))
        return Problem(message="refused") if refuses and asked[-1] > 10 else None

    monkeypatch.setattr(tree, "schema_problem", schema_problem)
    known = Similar()
    known.remember(walk(DOCUMENT), valid=False)
    edited = DOCUMENT.replace('"7"', '"77"')
    assert known.read(edited, valid=False) is not None
    assert [count for count in asked if count > 10] == []
    assert known.read(edited, valid=True) is None
    refuses = False
    assert known.read(edited, valid=True) is not None
    asked.clear()
    assert known.read(edited, valid=True) is not None
    assert known.read(edited.replace('"77"', '"777"'), valid=True) is not None
    assert [count for count in asked if count > 10] == []


def test_limits_hold_for_what_was_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    edited = DOCUMENT.replace('<deny port="8"/>', '<deny port="8"/><deny port="18"/>')
    monkeypatch.setattr(similar, "MAX_RULES", 8)
    assert remembering(DOCUMENT).read(edited, valid=True) is None
    monkeypatch.setattr(similar, "MAX_RULES", limits.MAX_RULES)
    places = walk(DOCUMENT).places
    monkeypatch.setattr(similar, "MAX_NODES", places + 1)
    known = remembering(DOCUMENT)
    assert known.read(edited, valid=True) is not None
    more = edited.replace('<deny port="18"/>', '<deny port="18"/><!-- more -->')
    assert known.read(more, valid=True) is None
    assert known.read(more.replace("<!-- after the last -->", ""), valid=True) is not None
