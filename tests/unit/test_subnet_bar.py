"""Subnets drawn as bars: in proportion, the most particular thing on top."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given, strategies as st

from vnet_tui.engine.model import Address, Ip, Range
from vnet_tui.widgets.subnet_bar import subnet_bar, usage, window


def ip(address: str, prefix: int, *ranges: tuple[str, str]) -> Ip:
    return Ip(
        address=ip_address(address),
        prefix=prefix,
        ranges=tuple(Range(start=ip_address(a), end=ip_address(b)) for a, b in ranges),
    )


def drawn(
    which: Ip, width: int, *, reserved: tuple[str, ...] = (), used: tuple[str, ...] = ()
) -> str:
    kept = {ip_address(address) for address in reserved}
    taken = {ip_address(address) for address in used}
    cells = subnet_bar(which, window(which, kept), width, reserved=kept, used=taken)
    return "".join(cell.text for cell in cells)


def test_a_subnet_drawn_one_address_a_character() -> None:
    bar = drawn(
        ip("10.0.0.1", 28, ("10.0.0.8", "10.0.0.14")),
        16,
        reserved=("10.0.0.3",),
        used=("10.0.0.9",),
    )
    assert bar == "·H·R····░█░░░░░·"


def test_what_falls_on_the_hosts_character_stands_beside_it() -> None:
    assert drawn(ip("10.0.0.1", 24), 32, reserved=("10.0.0.2",)) == "HR" + "·" * 30
    assert drawn(ip("10.0.0.254", 24), 32, used=("10.0.0.253",)) == "·" * 30 + "█H"


def test_a_range_stands_where_it_is_in_proportion() -> None:
    bar = drawn(ip("10.0.0.1", 24, ("10.0.0.128", "10.0.0.255")), 32)
    assert bar == "H" + "·" * 15 + "░" * 16


def test_a_great_subnet_is_shown_as_far_as_anything_is_in_it() -> None:
    great = ip("fd00::1", 64, ("fd00::100", "fd00::1ff"))
    shown = window(great, ())
    assert (str(shown.first), str(shown.last)) == ("fd00::", "fd00::1ff")
    assert drawn(great, 32) == "H" + "·" * 15 + "░" * 16


def test_what_is_elsewhere_is_not_drawn() -> None:
    assert drawn(ip("10.0.0.1", 30), 4, reserved=("10.1.0.1", "fd00::1")) == "·H··"


@given(
    st.integers(0, 2**32 - 1),
    st.integers(8, 30),
    st.integers(1, 150),
    st.lists(st.integers(0, 2**32 - 1), max_size=5),
)
def test_a_bar_is_as_long_as_asked(
    address: int, prefix: int, width: int, others: list[int]
) -> None:
    which = Ip(address=ip_address(address), prefix=prefix)
    seen: set[Address] = {ip_address(other) for other in others}
    bar = subnet_bar(which, window(which, seen), width, reserved=seen, used=seen)
    text = "".join(cell.text for cell in bar)
    assert len(text) == width
    assert "H" in text


def test_usage_counts_what_is_in_the_ranges() -> None:
    ranges = ip("10.0.0.1", 24, ("10.0.0.128", "10.0.0.254")).ranges
    used = {ip_address("10.0.0.10"), ip_address("10.0.0.130"), ip_address("fd00::1")}
    assert usage(ranges, used) == "1 of 127 in use"
    assert usage((), used) == "no DHCP range"
    wide = ip("fd00::1", 64, ("fd00::", "fd00::ffff:ffff")).ranges
    assert usage(wide, ()) == "0 of 2^32 in use"
