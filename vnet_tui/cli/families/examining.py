"""The commands that examine the host."""

from __future__ import annotations

from vnet_tui.cli.spec import NETWORK, Command, Option

COMMANDS = (
    Command(
        "network-doctor",
        "examining:network_doctor",
        "tell what on this host stands in a network's way",
        operands=(NETWORK,),
        about="Rules of other programs, settings, routes, names and MTU. It asks the bridge for "
        "other DHCP servers too, which takes a few seconds. Changes nothing, and tells the "
        "commands that open the way.",
        json="an array of findings",
        status="1 if anything is in the way.",
        asks=True,
    ),
    Command(
        "network-explain",
        "examining:network_explain",
        "tell whether one machine reaches another, and why",
        operands=(NETWORK,),
        options=(
            Option("--from", "a guest's name, host, outside, or an address", "A", needed=True),
            Option("--to", "the same", "B", needed=True),
            Option("--port", "where B listens, or is asked for", "N", int),
            Option("--protocol", "tcp (which it is unless said), udp or icmp", "PROTOCOL"),
            Option("--family", "IPv4 or IPv6 only", "4|6", int),
        ),
        about="Sends no packet: it follows the rules of all tables on paper.",
        json="the answer, who decides, and the steps",
        status="1 unless the answer is yes.",
        asks=True,
    ),
    Command(
        "network-suggest-subnet",
        "examining:network_suggest_subnet",
        "print a private subnet that nothing uses",
        options=(
            Option(
                "--prefix", "its prefix length (24 unless given, or 64 for IPv6)", "LENGTH", int
            ),
            Option("--ipv6", "a unique local IPv6 subnet, out of fd00::/8"),
        ),
        about="Neither the host nor any definition.",
        json="a string",
        asks=True,
    ),
)
