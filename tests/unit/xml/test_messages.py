"""What somebody is told whose document is wrong: where, what, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet_tui.engine.errors import DocumentError, Problem
from vnet_tui.engine.xml import examine, parse

DOCUMENTS = sorted((Path(__file__).parents[2] / "golden/documents").glob("*.xml"))


def problems_of(document: str | bytes) -> tuple[Problem, ...]:
    """What is told of a document that can't be read."""
    with pytest.raises(DocumentError) as caught:
        parse(document)
    return caught.value.problems


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_everything_that_is_wrong_is_told_at_once(path: Path) -> None:
    """Against the file beside it; write it anew with ``.problems`` deleted."""
    _, problems = examine(path.read_bytes())
    told = "".join(f"{problem.severity}: {problem}\n" for problem in problems)
    expected = path.with_suffix(".problems")
    if not expected.exists():
        expected.write_text(told)
        pytest.fail(f"{expected} was missing; read what was written into it")
    assert told == expected.read_text()


def test_both_slips_of_the_original_design_are_found_in_one_go() -> None:
    sample = """\
<network id="0">
<name>Foo</name>
<uuid>596a5d2171f48fb2e068e2386a5c413e</uuid>
<listen address="172.31.0.5" port="1234" />
<connections>
<connection address="172.31.0.6" port="4321" />
</conections>
<dhcp enabled="true">
<ip address="10.0.0.1"
netmask="255.255.255.0"
start="10.0.0.128"
end="10.0.0.254" />
</dhcp>
<forwarding enabled="true">
<incoming default="deny">
<allow port="123" domain="foobar" destport="321" />
</incoming>
<outgoing default="allow">
<deny port="25" />
</outgoing>
</forwarding>
<network>
"""
    first, second = problems_of(sample)
    assert (first.line, first.column) == (7, 1)
    assert "</conections>" in first.message
    assert "line 5" in first.message
    assert first.remedy == "probably </connections> is meant"
    assert (second.line, second.column) == (22, 1)
    assert "line 1" in second.message
    assert second.remedy == "probably </network> is meant"

    mended = sample.replace("</conections>", "</connections>")
    mended = "</network>".join(mended.rsplit("<network>", 1))
    assert parse(mended).name == "Foo"


BALANCE = {
    "<network><name>x</nam></network>": "1:17 probably </name> is meant",
    "<Network>\n</network>": "2:1 probably </Network> is meant",
    "<network>\n  <dhcp>\n</network>": "2:3 write </dhcp> where it ends, or <dhcp …/> if it holds "
    "nothing",
    "<network>\n<dhcp><ip/>": "1:1 write </network> where it ends|2:1 write </dhcp> where it ends",
    "<network></dns></network>": "1:10 delete it, or write </network>",
    "<network></network></network>": "1:20 delete it",
    "<network><dhcp><dhcp></network>": "1:16 probably </dhcp> is meant",
}


@pytest.mark.parametrize(("document", "expected"), BALANCE.items())
def test_tags_out_of_balance(document: str, expected: str) -> None:
    told = [f"{one.line}:{one.column} {one.remedy}" for one in problems_of(document)]
    assert "|".join(told) == expected


SYNTAX = {
    "": "the document is empty",
    " \n ": "the document is no XML",
    "network: Foo": "the document is no XML",
    "<network><bridge name=x/></network>": "the value of an attribute has no quotes",
    '<network><bridge name="x/></network>': "a < stands in the value",
    "<network><bridge name/></network>": "an attribute has no value",
    '<network><bridge name="a"stp="true"/></network>': "attributes aren't divided by spaces",
    '<network><bridge name="a" name="b"/></network>': "the attribute name is given twice",
    "<network><name>a & b</name></network>": "an & stands alone",
    "<network><name>a &b</name></network>": "an & begins an entity",
    "<network><name>&nbsp;</name></network>": "the entity &nbsp; isn't known",
    "<network><name>&#0;</name></network>": "a character reference isn't allowed",
    "<network/><network/>": "something stands after the end",
    "\n<?xml version='1.0'?><network/>": "the <?xml … ?> declaration isn't at the very beginning",
    "<network><!-- a -- b --></network>": "a comment holds --",
    "<network><!-- a </network>": "this comment never ends",
    "<network><![CDATA[ </network>": "this CDATA section never ends",
    "<network><a:b/></network>": "b has the prefix a: that nothing declares",
}


@pytest.mark.parametrize(("document", "expected"), SYNTAX.items())
def test_slips_of_syntax_are_told_in_words(document: str, expected: str) -> None:
    [problem] = problems_of(document)
    assert problem.message.startswith(expected)
    assert problem.remedy
    assert problem.line


ROOTS = {
    "<networks/>": "did you mean <network>?",
    "<domain/>": "a network's document begins with <network>",
    '<network xmlns="urn:a"/>': "delete the xmlns attribute",
}


@pytest.mark.parametrize(("document", "remedy"), ROOTS.items())
def test_another_root(document: str, remedy: str) -> None:
    [problem] = problems_of(document)
    assert problem.remedy == remedy


HINTS = {
    "<brige/>": "did you mean <bridge>?",
    "<ip/>": "it belongs in <dhcp>",
    "<host/>": "it belongs in <dns> or <dhcp>",
    "<dhcp><range/></dhcp>": "it belongs in <ip>",
    "<dhcp><hots/></dhcp>": "did you mean <host>?",
    "<dns><zone/></dns>": "known here: <forwarder>, <host>, <record>",
    "<bridge><port/></bridge>": "<bridge> holds no elements",
    '<bridge nmae="x"/>': "did you mean name?",
    '<bridge foo="x"/>': "known here: name, stp, delay, mtu, mac",
    '<dhcp colour="x"/>': "known here: enabled, leasetime",
    '<connections colour="x"/>': "<connections> has no attributes",
}


@pytest.mark.parametrize(("document", "remedy"), HINTS.items())
def test_unknown_things_are_told_with_what_is_known(document: str, remedy: str) -> None:
    [problem] = problems_of(f"<network><name>x</name>{document}</network>")
    assert "is unknown" in problem.message
    assert problem.remedy == remedy
