"""The schema and our own walk over a document refuse the same documents."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from lxml import etree

from tests.unit.xml.networks import networks
from vnet_tui.engine.errors import DocumentError
from vnet_tui.engine.model import Network
from vnet_tui.engine.xml import tree, write
from vnet_tui.engine.xml.nodes import CHILDREN
from vnet_tui.engine.xml.walk import walk

RNG = "{http://relaxng.org/ns/structure/1.0}"
DOCUMENTATION = "{http://relaxng.org/ns/compatibility/annotations/1.0}documentation"
SCHEMA = etree.parse(Path(tree.__file__).with_name("schema.rng")).getroot()

TAGS = sorted({str(one.get("name")) for one in SCHEMA.iter(f"{RNG}element") if one.get("name")})
ATTRIBUTES = sorted(
    {str(one.get("name")) for one in SCHEMA.iter(f"{RNG}attribute") if one.get("name")}
)
VALUES = [
    *(
        "",
        " ",
        "true",
        "yes",
        "no",
        "TRUE",
        "on",
        "0",
        "1",
        "6",
        "4",
        "80",
        " 80 ",
        "+1",
        "-1",
        "٣",
    ),
    *("80-90", "80-", "-80", "80 - 90", "99999999999", "0x10", "1e3", "08"),
    *("10.0.0.1", "010.0.0.1", "10.0.0", "10.0.0.256", "10.0.0.1/24", "10.0.0.0/8", "10.0.0.0/33"),
    *("::", "::1", "fd00::1", "1::2::3", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"),
    *("1::3:4:5:6:7:8", "1:2:3:4::5:6:7:8", ":1", "1:", "12345::", "::1.2.3.4", "fe80::1%eth0"),
    *("fd00::/48", "fd00::/129", "fd00::/0", "::/0", "0.0.0.0/0", "fd00::/064"),
    *(
        "255.255.255.0",
        "255.0.255.0",
        "128.0.0.0",
        "255.255.255.255",
        "0.0.0.255",
        "24",
        "32",
        "33",
    ),
    *("128", "129", "064"),
    *("52:54:00:12:34:56", "52-54-00-12-34-56", "5:4:0:1:2:3", "52:54:00:12:34:5G"),
    *("596a5d2171f48fb2e068e2386a5c413e", "{596a5d21-71f4-8fb2-e068-e2386a5c413e}"),
    *("596a5d21-71f4-8fb2-e068-e2386a5c413e", "596a5d21-71f48fb2-e068-e2386a5c413e"),
    *("3600", "45m", "7d", "infinite", "INFINITE", "2w", "-1", "1.5h"),
    *("allow", "deny", "drop", "tcp", "udp", "icmp", "sctp", "nat", "route", "isolated", "vde"),
    *("cname", "txt", "srv", "mx", "a", "0660", "660", "888", "01777", "\tnat\n", "n at"),
]

CHANGES = ["value", "set", "drop", "tag", "add", "copy", "move", "text"]


def verdicts(document: str) -> tuple[bool, bool]:
    """Whether our walk and the schema accept a document; the walk alone knows that the address of
    a subnet has no bits beyond its prefix, which no pattern can say."""
    found = walk(document)
    told = [one for one in found.reading.problems if "bits beyond its prefix" not in one.message]
    return not told, tree.schema().validate(found.root)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A document with a few changes that may or may not make it invalid."""
    root = etree.fromstring(write(draw(networks())))
    for _ in range(draw(st.integers(1, 3))):
        elements = list(root.iter("*"))
        one = draw(st.sampled_from(elements))
        match draw(st.sampled_from(CHANGES)):
            case "value" if one.attrib:
                one.set(draw(st.sampled_from(sorted(map(str, one.attrib)))), draw(values))
            case "set":
                one.set(draw(st.sampled_from(ATTRIBUTES)), draw(values))
            case "drop" if one.attrib:
                del one.attrib[draw(st.sampled_from(sorted(map(str, one.attrib))))]
            case "tag" if one is not root:
                one.tag = draw(st.sampled_from([*TAGS, "unknown", "{urn:a}b"]))
            case "add":
                etree.SubElement(one, draw(st.sampled_from(TAGS)))
            case "copy" | "move" as what if one is not root:
                moved = deepcopy(one) if what == "copy" else one
                inside = set(one.iter())
                draw(st.sampled_from([e for e in elements if e not in inside])).append(moved)
            case "text":
                one.text = draw(values)
    return etree.tostring(root, encoding="unicode")


values = st.sampled_from(VALUES)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_what_is_written_is_valid(network: Network) -> None:
    assert verdicts(write(network)) == (True, True)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(damaged())
def test_the_walk_and_the_schema_agree(document: str) -> None:
    try:
        ours, schemas = verdicts(document)
    except DocumentError:
        return  # too deep, by copying
    assert ours == schemas


FRAMES = {
    "boolean": '<bridge stp="{}"/>',
    "number": '<bridge mtu="{}"/>',
    "mac": '<bridge mac="{}"/>',
    "mode of a switch": '<switch type="vde" mode="{}"/>',
    "type of a switch": '<switch type="{}"/>',
    "address": '<listen address="{}" port="1"/>',
    "port": '<listen address="::" port="{}"/>',
    "uuid": "<uuid>{}</uuid>",
    "type of a record": '<dns><record name="x" type="{}"/></dns>',
    "lease time": '<dhcp leasetime="{}"/>',
    "IPv4": '<dhcp><ip address="{}" netmask="255.0.0.0"/></dhcp>',
    "either": '<dhcp><ip address="{}" prefix="64"/></dhcp>',
    "netmask": '<dhcp><ip address="10.0.0.1" netmask="{}"/></dhcp>',
    "prefix": '<dhcp><ip address="10.0.0.1" prefix="{}"/></dhcp>',
    "IPv6 prefix": '<dhcp><ip address="::1" prefix="{}"/></dhcp>',
    "start": '<dhcp><ip address="::1" prefix="1" start="{}" end="::"/></dhcp>',
    "family": '<dhcp><option value="" family="{}"/></dhcp>',
    "forwarding": '<forwarding mode="{}"/>',
    "default": '<forwarding><incoming default="{}"/></forwarding>',
    "ports": '<forwarding><incoming><allow port="{}"/></incoming></forwarding>',
    "protocol": '<forwarding><outgoing><deny protocol="{}"/></outgoing></forwarding>',
    "subnet": '<forwarding><incoming><allow source="{}"/></incoming></forwarding>',
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_they_agree_on_every_kind_of_value(frame: str) -> None:
    seen = set()
    for value in VALUES:
        document = f"<network><name>x</name>{frame.format(value)}</network>"
        ours, schemas = verdicts(document)
        assert ours == schemas, document
        seen.add(ours)
    assert seen == {True, False}


HEXTETS = st.sampled_from(["", "0", "12", "abc", "FFFF", "12345", "g", "1.2.3.4"])


@settings(max_examples=400, deadline=None)
@given(st.lists(HEXTETS, max_size=10).map(":".join), st.sampled_from(["", "/0", "/128"]))
def test_they_agree_on_what_looks_like_ipv6(address: str, prefix: str) -> None:
    rule = f'<allow source="{address}{prefix}"/>'
    ours, schemas = verdicts(
        f"<network><name>x</name><forwarding><incoming>{rule}</incoming></forwarding></network>"
    )
    assert ours == schemas


def test_every_element_and_attribute_is_documented() -> None:
    undocumented = [
        f"line {one.sourceline}: {one.get('name')}"
        for kind in ("element", "attribute")
        for one in SCHEMA.iter(RNG + kind)
        if one.get("name") and one.find(DOCUMENTATION) is None
    ]
    # The address and prefix of an IPv6 <ip> are told at its IPv4 form.
    assert len(undocumented) == 2
    assert all(entry.endswith((": address", ": prefix")) for entry in undocumented)


def test_the_walk_knows_the_elements_of_the_schema() -> None:
    known = {"network", *(tag for children in CHILDREN.values() for tag in children)}
    assert known == set(TAGS)
