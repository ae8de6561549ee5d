"""What the tabs of a network say: leases, documents, pending changes."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from vnet_tui.engine.describe import preview
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Dhcp, Dns, Forwarding, Ip, Mode, Network, Range, Reservation
from vnet_tui.engine.resources import DnsmasqSpec
from vnet_tui.engine.steps import AddAddress, ChangeDnsmasq, Plan, Stage, Step
from vnet_tui.engine.views import Guest, Lease, NetworkInfo, Preview, State
from vnet_tui.widgets.guests_pane import lease_cell
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.overview_lines import addressing, facts, pending
from vnet_tui.widgets.picture import Line
from vnet_tui.widgets.xml_pane import coloured, difference, wrapped

NOW = 1_700_000_000.0
FOO = UUID("596a5d21-71f4-8fb2-e068-e2386a5c413e")


def text(lines: list[Line]) -> str:
    return "\n".join("".join(cell.text for cell in line) for line in lines)


def guest(
    *, left: float | None = 600.0, leased: bool = True, port: str | None = "p0", kept: bool = False
) -> Guest:
    address = ip_address("10.0.0.9")
    expires = None if left is None else NOW + left
    lease = Lease(address=address, mac="52:54:00:00:00:01", name="", expires=expires)
    return Guest(
        name="",
        mac="52:54:00:00:00:01",
        addresses=(address,),
        port=port,
        lease=lease if leased else None,
        reserved=kept,
    )


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (guest(), Cell("10 min")),
        (guest(left=None), Cell("for ever")),
        (guest(left=-5), Cell("expired", "warn")),
        (guest(kept=True), Cell("reserved")),
        (guest(port=None), Cell("stale 10 min", "warn")),
        (guest(leased=False), Cell("no lease", "warn")),
        (guest(leased=False, port=None, kept=True), Cell("reserved, away", "dim")),
    ],
)
def test_leases_in_words(who: Guest, said: Cell) -> None:
    assert lease_cell(who, NOW) == said


INFO = NetworkInfo(
    uuid=FOO,
    name="Foo",
    state=State.ACTIVE,
    mode=Mode.NAT,
    id=3,
    bridge="vnet-foo",
    addresses=(ip_interface("10.0.0.1/24"),),
    started=NOW - 7200,
    pending=True,
)
DOCUMENT = Network(
    name="Foo",
    dns=Dns(domain="foo.example"),
    dhcp=Dhcp(
        lease_time=3600,
        ips=(
            Ip(
                address=ip_address("10.0.0.1"),
                prefix=24,
                ranges=(Range(start=ip_address("10.0.0.128"), end=ip_address("10.0.0.254")),),
            ),
        ),
        reservations=(Reservation(address=ip_address("10.0.0.10"), name="web"),),
    ),
    forwarding=Forwarding(),
)


def test_facts_of_a_running_network() -> None:
    said = text(facts(INFO, DOCUMENT, NOW))
    for fact in ("● active for 2 h 00", "Foo, id 3", str(FOO), "vnet-foo", "NAT", "foo.example"):
        assert fact in said


def test_facts_of_a_damaged_one_say_why() -> None:
    info = NetworkInfo(
        uuid=FOO, name="Foo", state=State.DAMAGED, mode=Mode.ISOLATED, note="line 3: not closed"
    )
    assert "✗ damaged" in text(facts(info, Network(name="Foo"), NOW))
    assert "line 3: not closed" in text(facts(info, Network(name="Foo"), NOW))


def test_addressing_names_the_range_and_the_lease_time() -> None:
    said = text(addressing(DOCUMENT, (), 78))
    assert "0 of 127 in use" in said
    assert "range 10.0.0.128 – 10.0.0.254  leases 1 h 00" in said
    assert "R" in said.splitlines()[2]
    assert max(map(len, said.splitlines())) <= 78


def test_no_addresses_are_said_to_be_none() -> None:
    assert "No addresses" in text(addressing(Network(name="Foo"), (), 78))


def plan(*steps: Step) -> Preview:
    return preview(Plan(stages=(Stage(steps=steps),)))


def test_pending_steps_are_told_with_what_they_disturb() -> None:
    spec = DnsmasqSpec(network=FOO, bridge="vnet-foo", config="one")
    changed = DnsmasqSpec(network=FOO, bridge="vnet-foo", config="two")
    steps = plan(
        AddAddress(bridge="vnet-foo", address=ip_interface("10.0.1.1/24")),
        ChangeDnsmasq(before=spec, after=changed),
    )
    said = text(pending(INFO, steps))
    assert "the definition differs; p applies the definition: restarts DHCP/DNS" in said
    assert "· add address 10.0.1.1/24 to vnet-foo\n" in said
    assert "· restart dnsmasq on vnet-foo (restarts DHCP/DNS)" in said


def test_many_pending_steps_are_counted() -> None:
    step = AddAddress(bridge="vnet-foo", address=ip_interface("10.0.1.1/24"))
    assert "· and 8 more" in text(pending(INFO, plan(*[step] * 20)))


def test_a_plan_that_cannot_be_made_says_why() -> None:
    assert "no such thing" in text(pending(INFO, DriverError("no such thing")))


DOCUMENT_TEXT = '<ip address="10.0.0.1" netmask="255.255.255.0" start="10.0.0.128"/>'


def test_a_long_line_wraps_at_blanks_and_keeps_its_colours() -> None:
    [line] = coloured(DOCUMENT_TEXT)
    parts = wrapped(line, 40)
    assert [text([part]) for part in parts] == [
        ' <ip address="10.0.0.1"',
        '     netmask="255.255.255.0"',
        '     start="10.0.0.128"/>',
    ]
    assert Cell('"255.255.255.0"', "good") in parts[1]


@given(st.text(alphabet='<a b="/>', max_size=200), st.integers(8, 60))
def test_wrapping_loses_nothing_but_blanks(document: str, width: int) -> None:
    for line in coloured(document):
        parts = wrapped(line, width)
        assert all(len(text([part])) <= width for part in parts)
        assert text(parts).replace(" ", "").replace("\n", "") == text([line]).replace(" ", "")


def test_the_difference_leaves_the_id_out() -> None:
    said = text(difference('<network id="3">\n <a/>\n</network>', "<network>\n <b/>\n</network>"))
    assert " -" + " <a/>" in said
    assert " +" + " <b/>" in said
    assert "id=" not in said
    assert "No difference" in text(difference('<network id="3"/>', "<network/>"))
