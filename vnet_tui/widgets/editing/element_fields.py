"""Which fields the form of an element has, by kind; they are named as the model names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vnet_tui.drafts.lists import (
    ADDRESS,
    FORWARDER,
    HOST,
    INCOMING,
    OPTION,
    OUTGOING,
    RANGE,
    RECORD,
    RESERVATION,
    Kind,
)
from vnet_tui.engine import entries
from vnet_tui.engine.model import Action, Protocol
from vnet_tui.engine.xml.values import written_lease_time, written_subnet
from vnet_tui.widgets.fields import ChoiceField, Field, SwitchField, TextField


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of a form: ``name`` of the value, and how it is made from the value that there is
    (None: none)."""

    name: str
    make: Callable[[Any], Field[Any]]


def text(
    name: str,
    label: str,
    read: entries.Reader[Any],
    example: str = "",
    *,
    write: Callable[[Any], str] = str,
    needed: bool = False,
) -> Entry:
    """Something to type."""

    def make(value: Any) -> Field[Any]:
        written = "" if value is None else write(value)
        return TextField(label, read, written, needed=needed, example=example)

    return Entry(name, make)


def choice(name: str, label: str, *choices: tuple[Any, str]) -> Entry:
    """Something to choose; the first, where nothing is chosen yet."""

    def make(value: Any) -> Field[Any]:
        known = any(value == one for one, _ in choices)
        return ChoiceField(label, choices, value if known else choices[0][0])

    return Entry(name, make)


def switch(name: str, label: str, words: tuple[str, str] = ("yes", "no"), *, on: bool) -> Entry:
    """Yes or no, in two words; ``on`` where nothing was said yet."""

    def make(value: Any) -> Field[Any]:
        return SwitchField(label, on if value is None else value, words=words)

    return Entry(name, make)


PROTOCOLS = (
    (Protocol.TCP, "tcp"),
    (Protocol.UDP, "udp"),
    (None, "both, or any"),
    (Protocol.ICMP, "icmp"),
)
"""No protocol is TCP and UDP where a rule has a port, else whatever there is."""

PORT = text("port", "port", entries.ports, "e.g. 8080 or 8000-8010; empty: all")
DESTPORT = text("destport", "guest's port", entries.ports, "the same")
PROTOCOL = choice("protocol", "protocol", *PROTOCOLS)
SOURCE = text("source", "from", entries.subnet, "anywhere; e.g. 192.0.2.0/24", write=written_subnet)

FORWARD_FIELDS = (
    text("port", "host's port", entries.ports, "e.g. 8080 or 8000-8010", needed=True),
    PROTOCOL,
    DESTPORT,
    SOURCE,
)
"""What is asked to lead a port to a guest."""

GUEST_NAME = text("domain", "guest's name", entries.host_label, "it has none yet", needed=True)
"""What is asked, too, where the guest has no name to be found by."""

_RULE_FLAGS = (
    text("limit", "at most", entries.limit, "new connections a second"),
    text("comment", "comment", entries.comment),
    switch("log", "log", on=False),
    switch("established", "established", ("go on", "are ended, too"), on=True),
    switch("enabled", "enabled", on=True),
)
_VERDICT = choice("action", "verdict", (Action.ALLOW, "allow"), (Action.DENY, "deny"))

FIELDS: Mapping[Kind, tuple[Entry, ...]] = {
    ADDRESS: (
        text("address", "host's address", entries.address, "e.g. 10.0.0.1 or fd00::1", needed=True),
        text("prefix", "prefix", entries.prefix, "e.g. 24, or 255.255.255.0", needed=True),
    ),
    RANGE: (
        text("start", "first", entries.address, "e.g. 10.0.0.128", needed=True),
        text("end", "last", entries.address, "e.g. 10.0.0.254", needed=True),
        text(
            "lease_time",
            "lease time",
            entries.lease_time,
            "the network's",
            write=written_lease_time,
        ),
    ),
    RESERVATION: (
        text("address", "address", entries.address, "e.g. 10.0.0.10", needed=True),
        text("mac", "MAC", entries.mac, "e.g. 52:54:00:12:34:56"),
        text("name", "name", entries.host_label, "e.g. web"),
    ),
    OPTION: (
        text("name", "option", entries.line, "e.g. ntp-server; or by its number"),
        text("number", "number", entries.number, "e.g. 42"),
        text("value", "value", entries.line, "e.g. 10.0.0.1", needed=True),
        choice("family", "for", (4, "DHCP"), (6, "DHCPv6")),
    ),
    HOST: (
        text("name", "name", entries.host_name, "e.g. printer.lab.example", needed=True),
        text("address", "address", entries.any_address, "e.g. 10.0.0.9", needed=True),
    ),
    RECORD: (
        choice("type", "type", ("cname", "CNAME"), ("txt", "TXT"), ("srv", "SRV"), ("mx", "MX")),
        text("name", "name", entries.record_name, "e.g. www.lab.example", needed=True),
        text("target", "target", entries.host_name, "of CNAME, SRV and MX"),
        text("value", "text", entries.line, "of TXT"),
        text("port", "port", entries.port, "of SRV"),
        text("priority", "priority", entries.number, "of SRV and MX"),
        text("weight", "weight", entries.number, "of SRV"),
    ),
    FORWARDER: (
        text("address", "server", entries.any_address, "e.g. 192.0.2.53", needed=True),
        text("port", "port", entries.port, "53, unless said"),
        text("domain", "for domain", entries.host_name, "everything"),
    ),
    INCOMING: (
        _VERDICT,
        PORT,
        PROTOCOL,
        text("domain", "guest", entries.guest_name, "all, for routed traffic"),
        DESTPORT,
        SOURCE,
        text("destination", "to", entries.subnet, "any address of the host", write=written_subnet),
        *_RULE_FLAGS,
    ),
    OUTGOING: (
        _VERDICT,
        PORT,
        PROTOCOL,
        text("domain", "guest", entries.guest_name, "all of them"),
        text("source", "from", entries.subnet, "all guests", write=written_subnet),
        text("destination", "to", entries.subnet, "anywhere", write=written_subnet),
        *_RULE_FLAGS,
    ),
}

WORDS: Mapping[Kind, str] = {
    ADDRESS: "an address of the host",
    RANGE: "a DHCP range",
    RESERVATION: "a reservation",
    OPTION: "a DHCP option",
    HOST: "a name in DNS",
    RECORD: "a DNS record",
    FORWARDER: "a DNS server to ask",
    INCOMING: "an incoming rule",
    OUTGOING: "an outgoing rule",
}
"""One of each kind, in words."""
