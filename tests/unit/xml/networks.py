"""Whole networks for property tests: anything that the form of a document can say, sense or not."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from hypothesis import strategies as st

from vnet_tui.engine import model

_CHARACTERS = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
)

texts = st.text(_CHARACTERS | st.sampled_from("\t\n\r<>&\"'"), max_size=12)
"""What an attribute can hold."""

scalars = texts.map(lambda text: text.strip(" \t\r\n"))
"""What an element can hold: spaces around it don't count."""

comments = st.lists(
    st.text(_CHARACTERS | st.just("\n"), max_size=12).filter(
        lambda text: "--" not in text and not text.endswith("-")
    ),
    max_size=2,
).map(tuple)

numbers = st.integers(0, 9_999_999_999)
addresses = st.ip_addresses()
ports = st.builds(model.PortRange, first=numbers, last=numbers)
macs = st.binary(min_size=6, max_size=6).map(lambda octets: octets.hex(":"))
lease_times = st.integers(0, 9_999_999_999) | st.just(model.INFINITE_LEASE)

metadata = st.sampled_from(
    [
        "<metadata/>",
        "<metadata></metadata>",
        "<metadata>\n    <a:b xmlns:a=\"urn:a\" a:c='d'>text<!-- kept --></a:b>\n  </metadata>",
        '<metadata xmlns:a="urn:a"><network xmlns="urn:b"><a:name/></network></metadata>',
        "<metadata><![CDATA[<not> & a tag]]>&amp;&#228;<?keep this?></metadata>",
    ]
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or None."""
    return st.none() | strategy


def several(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A short tuple."""
    return st.lists(strategy, max_size=3).map(tuple)


def element(kind: type[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An element of the model with comments before it."""
    return st.builds(kind, comments=comments, **fields)


def container(kind: type[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The same with comments after its last child."""
    return element(kind, trailing=comments, **fields)


@st.composite
def _subnets(draw: st.DrawFn) -> IPv4Network | IPv6Network:
    address = draw(addresses)
    return ip_network((str(address), draw(st.integers(0, address.max_prefixlen))), strict=False)


@st.composite
def _ips(draw: st.DrawFn) -> model.Ip:
    address = draw(addresses)
    prefix = st.integers(0, address.max_prefixlen)
    made: model.Ip = draw(
        container(model.Ip, address=st.just(address), prefix=prefix, ranges=several(ranges))
    )
    return made


ranges = element(model.Range, start=addresses, end=addresses, lease_time=maybe(lease_times))

rules = element(
    model.Rule,
    action=st.sampled_from(model.Action),
    port=maybe(ports),
    protocol=maybe(st.sampled_from(model.Protocol)),
    source=maybe(_subnets()),
    destination=maybe(_subnets()),
    domain=maybe(texts),
    destport=maybe(ports),
    log=st.booleans(),
    comment=maybe(texts),
    limit=maybe(numbers),
    established=st.booleans(),
    enabled=st.booleans(),
)

policies = container(
    model.Policy, default=maybe(st.sampled_from(model.Action)), rules=several(rules)
)

forwardings = container(
    model.Forwarding,
    enabled=st.booleans(),
    mode=maybe(st.sampled_from([model.Mode.NAT, model.Mode.ROUTE])),
    incoming=maybe(policies),
    outgoing=maybe(policies),
)

dhcps = container(
    model.Dhcp,
    enabled=st.booleans(),
    lease_time=maybe(lease_times),
    ips=several(_ips()),
    reservations=several(
        element(model.Reservation, address=addresses, mac=maybe(macs), name=maybe(texts))
    ),
    options=several(
        element(
            model.DhcpOption,
            value=texts,
            number=maybe(numbers),
            name=maybe(texts),
            family=st.sampled_from([4, 6]),
        )
    ),
)

dnses = container(
    model.Dns,
    enabled=st.booleans(),
    domain=maybe(texts),
    forwarders=several(
        element(model.Forwarder, address=addresses, port=maybe(numbers), domain=maybe(texts))
    ),
    hosts=several(element(model.DnsHost, name=texts, address=addresses)),
    records=several(
        element(
            model.Record,
            type=st.sampled_from(["cname", "txt", "srv", "mx"]),
            name=texts,
            target=maybe(texts),
            value=maybe(texts),
            port=maybe(numbers),
            priority=maybe(numbers),
            weight=maybe(numbers),
        )
    ),
)

bridges = element(
    model.Bridge,
    name=maybe(texts),
    stp=maybe(st.booleans()),
    delay=maybe(numbers),
    mtu=maybe(numbers),
    mac=maybe(macs),
)

switches = element(
    model.Switch,
    type=st.just("vde"),
    socket=maybe(texts),
    group=maybe(texts),
    mode=maybe(st.sampled_from(["0660", "777"])),
)

connections = container(
    model.Connections, peers=several(element(model.Peer, address=addresses, port=numbers))
)


@st.composite
def networks(draw: st.DrawFn) -> model.Network:
    """Any network that a document can describe."""
    fields = {
        "name": draw(scalars),
        "uuid": draw(maybe(st.uuids())),
        "title": draw(maybe(scalars)),
        "description": draw(maybe(scalars)),
        "metadata": draw(maybe(metadata)),
    }
    before = [
        (tag, found)
        for tag, value in fields.items()
        if value is not None and (found := draw(comments))
    ]
    made: model.Network = draw(
        st.builds(
            model.Network,
            **{field: st.just(value) for field, value in fields.items()},
            bridge=maybe(bridges),
            interface=maybe(element(model.SharedInterface, name=texts)),
            switch=maybe(switches),
            listen=maybe(
                element(model.Listen, address=addresses, port=numbers, vni=maybe(numbers))
            ),
            connections=maybe(connections),
            dns=maybe(dnses),
            dhcp=maybe(dhcps),
            forwarding=maybe(forwardings),
            trailing=comments,
            scalar_comments=st.just(tuple(before)),
            prologue=comments,
            epilogue=comments,
        )
    )
    return made
