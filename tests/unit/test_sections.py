"""Single elements added, changed and removed, section by section."""

from __future__ import annotations

import pytest

from tests.support.networks import network
from vnet_tui.engine.errors import DocumentError, StateError, VnetError
from vnet_tui.engine.sections import NOT_HERE, SECTIONS, updated
from vnet_tui.engine.xml import parse, write

LAB = network(
    "lab",
    '<dns><host name="a" address="10.1.0.9"/><record type="txt" name="t" value="v"/></dns>',
    '<connections><connection address="192.0.2.1" port="5"/></connections>',
    """<forwarding mode="nat"><incoming><allow port="22"/><!-- mail --><deny port="25" log="true"/>
    <deny port="25" protocol="udp"/></incoming></forwarding>""",
)
HOST = '<host mac="52:54:00:99:00:10" name="printer" address="10.1.0.10"/>'


def done(change: str, section: str, element: str, index: int = -1) -> str:
    """The document after an update; it can be read again."""
    after = write(updated(LAB, change, section, element, index))
    assert write(parse(after)) == after
    return after


ADDED = {
    "ip": '<ip address="10.2.0.1" netmask="255.255.255.0"/>',
    "ip-dhcp-host": HOST,
    "dhcp-option": '<option number="42" value="10.1.0.1"/>',
    "dns-host": '<host name="b" address="10.1.0.8"/>',
    "dns-txt": '<record type="txt" name="u" value="w"/>',
    "dns-srv": '<record type="srv" name="_ldap._tcp" target="a" port="389"/>',
    "dns-forwarder": '<forwarder address="192.0.2.53"/>',
    "connection": '<connection address="192.0.2.2" port="6"/>',
    "incoming": '<allow port="80" domain="web"/>',
    "outgoing": '<deny port="25"/>',
}


@pytest.mark.parametrize("section", ADDED)
def test_what_is_added_can_be_removed_again(section: str) -> None:
    element = ADDED[section]
    after = updated(LAB, "add", section, element)
    assert element in write(after)
    with pytest.raises(StateError, match="already"):
        updated(after, "add-first", section, element)
    without = updated(after, "delete", section, element)
    assert element not in write(without)
    with pytest.raises(StateError, match="has no"):
        updated(without, "delete", section, element)


def test_each_section_is_tested() -> None:
    assert {*ADDED, "bridge", "forward", "ip-dhcp-range"} == set(SECTIONS)


def test_first_and_last_are_where_they_say() -> None:
    first = done("add-first", "incoming", '<allow port="80"/>')
    last = done("add-last", "incoming", '<allow port="80"/>')
    rules = ['<allow port="22"/>', '<deny port="25" log="true"/>', '<allow port="80"/>']
    assert first.index(rules[2]) < first.index(rules[0])
    assert last.index(rules[1]) < last.index(rules[2])


def test_a_reservation_is_known_by_its_mac_and_removed_by_any_part() -> None:
    lab = updated(LAB, "add", "ip-dhcp-host", HOST)
    moved = updated(lab, "modify", "ip-dhcp-host", HOST.replace("0.10", "0.11"))
    assert HOST.replace("0.10", "0.11") in write(moved)
    assert HOST not in write(moved)
    for part in (
        'mac="52:54:00:99:00:10"',
        'name="printer"',
        'address="10.1.0.10"',
        'mac="52:54:00:99:00:10" name="printer"',
    ):
        assert "printer" not in write(updated(lab, "delete", "ip-dhcp-host", f"<host {part}/>"))
    with pytest.raises(StateError, match="lab has no <host> like that"):
        updated(lab, "delete", "ip-dhcp-host", '<host name="printer" mac="52:54:00:00:00:00"/>')
    with pytest.raises(VnetError, match="which one"):
        updated(lab, "delete", "ip-dhcp-host", "<host/>")


def test_a_mac_is_the_same_in_capitals() -> None:
    lab = updated(LAB, "add", "ip-dhcp-host", HOST.replace("52:54:00:99", "aa:bb:cc:dd"))
    mac = 'mac="AA:BB:CC:DD:00:10"'
    assert "printer" not in write(updated(lab, "delete", "ip-dhcp-host", f"<host {mac}/>"))


def test_a_range_goes_where_its_subnet_is_unless_an_ip_is_named() -> None:
    two = updated(LAB, "add", "ip", ADDED["ip"])
    one = '<range start="10.2.0.10" end="10.2.0.20"/>'
    added = updated(two, "add", "ip-dhcp-range", one)
    assert len(added.ips[0].ranges) == 1
    assert str(added.ips[1].ranges[0].start) == "10.2.0.10"
    assert updated(two, "add", "ip-dhcp-range", one, 1) == added
    longer = updated(added, "modify", "ip-dhcp-range", one.replace(".20", ".30"))
    assert str(longer.ips[1].ranges[0].end) == "10.2.0.30"
    assert updated(longer, "delete", "ip-dhcp-range", '<range start="10.2.0.10"/>', 1) == two
    with pytest.raises(StateError, match="no <ip> 2"):
        updated(two, "add", "ip-dhcp-range", one, 2)
    with pytest.raises(StateError, match=r"subnet holds 10\.3\.0\.1"):
        updated(two, "add", "ip-dhcp-range", '<range start="10.3.0.1" end="10.3.0.2"/>')
    with pytest.raises(VnetError, match="one place only"):
        updated(two, "add", "dns-host", ADDED["dns-host"], 1)
    assert updated(two, "add", "dns-host", ADDED["dns-host"], 0) != two


def test_a_rule_is_switched_off_by_what_it_matches_and_keeps_its_comment() -> None:
    after = done("modify", "incoming", '<allow port="25" enabled="false"/>')
    assert '<!-- mail -->\n      <allow port="25" enabled="false"/>' in after
    assert '<deny port="25" protocol="udp"/>' in after


def test_the_rule_that_is_the_same_in_all_is_meant_before_others() -> None:
    assert 'log="true"' in done("delete", "incoming", '<deny port="25" protocol="udp"/>')
    with pytest.raises(StateError, match="has 2 <deny> like that"):
        done("delete", "incoming", '<deny port="25"/>')
    twice = updated(LAB, "add", "incoming", '<deny port="25"/>')
    assert updated(twice, "delete", "incoming", '<deny port="25"/>') == LAB


def test_what_there_is_one_of() -> None:
    assert '<bridge name="br7" stp="true"/>' in done(
        "modify", "bridge", '<bridge name="br7" stp="yes"/>'
    )
    assert "<bridge" not in done("delete", "bridge", "<bridge/>")
    with pytest.raises(StateError, match="already"):
        updated(LAB, "add", "bridge", '<bridge name="br7"/>')
    routed = done("modify", "forward", '<forwarding mode="route"><incoming/></forwarding>')
    assert 'mode="route"' in routed
    assert "<deny" not in routed


def test_rules_switch_no_forwarding_on() -> None:
    isolated = updated(LAB, "delete", "forward", '<forwarding mode="nat"/>')
    assert isolated.forwarding is None
    with pytest.raises(StateError, match="is isolated"):
        updated(isolated, "add", "outgoing", '<deny port="25"/>')


def test_parents_are_made_where_they_arent_there() -> None:
    bare = parse("<network><name>x</name></network>")
    assert "<dns" in write(updated(bare, "add", "dns-host", ADDED["dns-host"]))
    assert "<dhcp" in write(updated(bare, "add", "ip", ADDED["ip"]))


@pytest.mark.parametrize("section", NOT_HERE)
def test_sections_of_libvirt_that_arent_here_are_refused_by_name(section: str) -> None:
    with pytest.raises(VnetError, match=f"no section {section}: "):
        updated(LAB, "add", section, "<x/>")


@pytest.mark.parametrize(
    ("change", "section", "element", "told"),
    [
        ("insert", "ip", "<ip/>", "no command 'insert'"),
        ("add", "ips", "<ip/>", "no section 'ips'"),
        ("add", "ip-dhcp-host", "printer", "'printer' is no XML element"),
        ("add", "ip-dhcp-host", "<range/>", "<range> doesn't belong here"),
        ("add", "ip-dhcp-host", '<host ip="10.1.0.2"/>', "the attribute ip of <host> is unknown"),
        ("add", "ip-dhcp-host", '<host address="10.1.0.2"', "isn't one XML element"),
        ("add", "dns-txt", ADDED["dns-srv"], "holds records of the type txt"),
        ("modify", "dns-host", '<host name="z" address="10.1.0.8"/>', "no <host> with name z"),
        ("add", "incoming", "<allow/></incoming><outgoing/><incoming>", "end of the root element"),
        ("add", "incoming", "<!DOCTYPE x><allow/>", "DOCTYPE"),
        ("add", "incoming", "<allow/><deny/>", "end of the root element"),
    ],
)
def test_what_makes_no_sense_is_told(change: str, section: str, element: str, told: str) -> None:
    with pytest.raises(VnetError) as caught:
        updated(LAB, change, section, element)
    assert told in str(caught.value)


def test_a_mistake_is_told_where_it_stands() -> None:
    with pytest.raises(DocumentError) as caught:
        updated(LAB, "add", "ip-dhcp-host", '<host\n  nam="x" address="10.1.0.2"/>')
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, 3)
    with pytest.raises(DocumentError) as caught:
        updated(LAB, "add", "ip-dhcp-host", '<host nam="x" address="10.1.0.2"/>')
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (1, 7)
