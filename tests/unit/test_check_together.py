"""In what two networks of one host collide."""

from __future__ import annotations

import pytest

from vnet_tui.engine.check import check_together
from vnet_tui.engine.model import Network
from vnet_tui.engine.xml import parse

UUIDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


def network(name: str, inside: str = "", uuid: str = "") -> Network:
    """A network with its elements from line 4 on."""
    return parse(
        f"<network>\n<name>{name}</name>\n<uuid>{uuid or UUIDS[0]}</uuid>\n{inside}</network>"
    )


def incoming(rule: str) -> str:
    """A network's forwarding with one rule."""
    return f"<forwarding><incoming>{rule}</incoming></forwarding>"


COLLISIONS = {
    "bridge": ('<bridge name="br0"/>', '<bridge name="br0"/>', "the bridge br0 belongs to"),
    "MAC": (
        '<bridge mac="02:00:00:00:00:01"/>',
        '<bridge mac="02:00:00:00:00:01"/>',
        "the MAC 02:00:00:00:00:01 is that of the bridge of",
    ),
    "bridge and interface": (
        '<bridge name="eth1"/>',
        '<interface name="eth1"/>',
        "eth1 is the shared interface of",
    ),
    "interface and bridge": (
        '<interface name="br0"/>',
        '<bridge name="br0"/>',
        "br0 is the bridge of",
    ),
    "interface": ('<interface name="eth1"/>', '<interface name="eth1"/>', "eth1 is shared by"),
    "listen": (
        '<listen address="10.0.0.1" port="4789"/>',
        '<listen address="10.0.0.1" port="4789" vni="7"/>',
        "listens on 10.0.0.1 port 4789 already",
    ),
    "subnet": (
        '<dhcp><ip address="10.1.0.1" prefix="16"/></dhcp>',
        '<dhcp><ip address="10.1.2.1" prefix="24"/></dhcp>',
        "the subnet 10.1.0.0/16 overlaps 10.1.2.0/24 of the network other",
    ),
    "forward": (
        incoming('<allow port="80-90" domain="a"/>'),
        incoming('<allow port="85" protocol="tcp" domain="b"/>'),
        "port 80-90 of the host leads to b of the network other (line 4 of its document)",
    ),
    "forward with a source": (
        incoming('<allow port="80" domain="a" source="10.0.0.0/8"/>'),
        incoming('<allow port="80" domain="b"/>'),
        "port 80 of the host leads to b of the network other",
    ),
}

APART = {
    "vni": (
        '<listen address="10.0.0.1" port="4789" vni="8"/>',
        '<listen address="10.0.0.1" port="4789" vni="7"/>',
    ),
    "protocol": (
        incoming('<allow port="53" protocol="udp" domain="a"/>'),
        incoming('<allow port="53" protocol="tcp" domain="b"/>'),
    ),
    "source": (
        incoming('<allow port="80" domain="a" source="10.0.0.0/8"/>'),
        incoming('<allow port="80" domain="b" source="fd00::/8"/>'),
    ),
    "address of the host": (
        incoming('<allow port="80" domain="a" destination="192.0.2.1"/>'),
        incoming('<allow port="80" domain="b" destination="192.0.2.2"/>'),
    ),
    "disabled": (
        incoming('<allow port="80" domain="a" enabled="no"/>'),
        incoming('<allow port="80" domain="b"/>'),
    ),
    "open port on every guest": (
        incoming('<allow port="80"/>'),
        incoming('<allow port="80" domain="b"/>'),
    ),
    "families": (
        '<dhcp><ip address="10.1.0.1" prefix="16"/></dhcp>',
        '<dhcp><ip address="fd00::1" prefix="64"/></dhcp>',
    ),
}


@pytest.mark.parametrize(("mine", "theirs", "expected"), COLLISIONS.values(), ids=COLLISIONS)
def test_they_collide(mine: str, theirs: str, expected: str) -> None:
    other = network("other", theirs, UUIDS[1])
    [problem] = check_together(network("one", mine), [other])
    assert expected in problem.message
    assert "other" in problem.message
    assert problem.line == 4
    assert problem.remedy


@pytest.mark.parametrize(("mine", "theirs"), APART.values(), ids=APART)
def test_they_stand_side_by_side(mine: str, theirs: str) -> None:
    assert check_together(network("one", mine), [network("other", theirs, UUIDS[1])]) == ()


def test_a_name_and_a_uuid_belong_to_one_network() -> None:
    [name] = check_together(network("one"), [network("one", uuid=UUIDS[1])])
    assert (name.line, name.message) == (2, "there is another network named one")
    assert UUIDS[1] in name.remedy
    [uuid] = check_together(network("one"), [network("other")])
    assert (uuid.line, uuid.message) == (3, "the network other has this UUID")


def test_an_earlier_version_of_itself_is_no_other_network() -> None:
    inside = '<bridge name="br0"/><dhcp><ip address="10.1.0.1" prefix="16"/></dhcp>'
    assert check_together(network("one", inside), [network("one", inside)]) == ()


def test_everything_is_told_of_every_other_network() -> None:
    inside = '<bridge name="br0"/>\n<dhcp><ip address="10.1.0.1" prefix="16"/></dhcp>'
    others = [network(name, inside, UUIDS[1]) for name in ("b", "c")]
    assert [problem.line for problem in check_together(network("a", inside), others)] == [
        4,
        4,
        5,
        5,
    ]
