"""Lease files as dnsmasq 2.90 writes them, and as a hostile guest would like them."""

from ipaddress import ip_address

from vnet_tui.engine.leases import parse_leases
from vnet_tui.engine.text import printable
from vnet_tui.engine.views import Lease

FILE = """\
1795346993 52:54:00:00:00:04 10.1.1.159 foobar 01:52:54:00:00:00:04
0 52:54:00:00:00:01 10.1.1.16 * *
1795346993 06-01:02:03:04:05:06 10.1.1.17 ring *
duid 00:01:00:01:2a:c0:2f:5d:52:54:00:11:22:33
1795346992 5374162 fd00:1::1a2 foobar 00:01:00:01:2a:c0:2f:5d:52:54:00:00:00:04
1795346992 T5374163 fd00:1::1a3 * 00:03:00:01:52:54:00:00:00:05
1795346992 5374164 fd00:1::1a4 * 00:04:49:57:5a:c3:e0:36:11:22:33:44:55:66:77:88:99:aa
"""


def test_a_file_with_both_families() -> None:
    leases = parse_leases(FILE)
    assert [str(lease.address) for lease in leases] == [
        "10.1.1.16",
        "10.1.1.17",
        "10.1.1.159",
        "fd00:1::1a2",
        "fd00:1::1a3",
        "fd00:1::1a4",
    ]
    assert leases[2] == Lease(
        address=ip_address("10.1.1.159"),
        mac="52:54:00:00:00:04",
        name="foobar",
        expires=1795346993.0,
        client_id="01:52:54:00:00:00:04",
    )
    assert leases[0].expires is None
    assert leases[0].name == leases[0].client_id == ""


def test_a_mac_is_known_where_the_identifier_was_made_from_it() -> None:
    macs = {str(lease.address): lease.mac for lease in parse_leases(FILE)}
    assert macs["fd00:1::1a2"] == "52:54:00:00:00:04"
    assert macs["fd00:1::1a3"] == "52:54:00:00:00:05"
    assert macs["fd00:1::1a4"] == ""
    assert macs["10.1.1.17"] == ""


def test_what_is_no_lease_is_passed_over() -> None:
    hostile = "\n".join(
        [
            "",
            "duid",
            "not a lease at all",
            "soon 52:54:00:00:00:04 10.1.1.1 a *",
            "1795346993 52:54:00:00:00:04 10.1.1.256 a *",
            "1795346993 zz:zz 10.1.1.9 b zz",
            "1795346993 52:54:00:00:00:04 10.1.1.8 half",
            "1795346993 52:54:00:00:00:04 fd00::8 c :::",
        ]
    )
    assert [(str(one.address), one.mac, one.name) for one in parse_leases(hostile)] == [
        ("10.1.1.9", "", "b"),
        ("fd00::8", "", "c"),
    ]


def test_names_of_guests_are_printable() -> None:
    name = "\x1b[2Jroot\u202e\x85\u2028\x00"
    (lease,) = parse_leases(f"1 52:54:00:00:00:04 10.1.1.1 {name} \x07\n")
    assert lease.name == "\ufffd[2Jroot\ufffd\ufffd\ufffd\ufffd"
    assert lease.client_id == "\ufffd"


def test_printable_keeps_what_people_write() -> None:
    for text in ("web-1", "büro", "サーバー", "[bold]x[/]", "a b"):
        assert printable(text) == text
    assert printable("a\udcffb\ue000") == "a\ufffdb\ufffd"
