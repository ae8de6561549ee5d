"""Rules as the kernel takes them: entries in bytes.

What many rules have each for themselves (addresses, ports, jumps, comments, where a forward leads)
is packed here: python-iptables needs a fifth of a millisecond to make one of these. So is what it
can't make without harm: its extensions write into memory that it gave back (hashlimit), or check
what it didn't tell them (NFLOG). All else it makes, once for all rules that have it in common.
Layouts are those of ``linux/netfilter/xt_tcpudp.h``, ``xt_conntrack.h``, ``xt_comment.h``,
``xt_hashlimit.h``, ``xt_NFLOG.h`` and ``nf_nat.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from vnet_tui.engine.drivers.firewall.iptables import entries
from vnet_tui.engine.drivers.firewall.iptables.rules import Extension, Rule

_VERDICTS = frozenset(("RETURN", "DROP", "ACCEPT"))
_OURS = "VNET-"
_HEADER = struct.Struct("=H29sB")
_STANDARD = struct.Struct("=H29sBi4x")
_TRANSPORT = {
    "tcp": struct.Struct("=4H4B4x"),  # struct xt_tcp
    "udp": struct.Struct("=4HB7x"),  # struct xt_udp
}
_CONNTRACK = struct.Struct("=16s16s16s16s16s16s16s16sII13H6x")  # struct xt_conntrack_mtinfo3
_RANGE = struct.Struct("=I16s16s3H6x")  # struct nf_nat_range2
_NFLOG = struct.Struct("=IHHH2x64s4x")  # struct xt_nflog_info
_COPY_LENGTH = 1  # XT_NFLOG_F_COPY_LEN
_HASHLIMIT = struct.Struct("=255sxQQ6IBB14x")  # struct xt_hashlimit_mtinfo3
_HASHLIMIT_SECOND = 1_000_000  # XT_HASHLIMIT_SCALE_v2
_DNAT_STATE = 1 << 7  # XT_CONNTRACK_STATE_DNAT
_MAP_ADDRESS, _MAP_PORT, _KEEP_DISTANCE = 1, 2, 1 << 5  # NF_NAT_RANGE_*
_GOTO = {4: 2, 6: 4}  # IPT_F_GOTO, IP6T_F_GOTO
_INVERTED = {"source": 8, "destination": 16}  # IPT_INV_SRCIP, IPT_INV_DSTIP

_ADDRESSES = {"ctorigsrc": 0, "ctorigdst": 1, "ctreplsrc": 2}
"""Place among the addresses of a connection; the flag of each is two bits further."""
_PORTS = {"ctorigdstport": (1, 1 << 9), "ctreplsrcport": (2, 1 << 10)}
"""Place among its ports, and the flag."""


class Packer:
    """Makes entries of one address family, with what python-iptables (``iptc``) makes of it."""

    def __init__(self, family: int, iptc: Any) -> None:
        self._family = family
        self._layout = entries.LAYOUTS[family]
        self._make_rule = iptc.Rule6 if family == 6 else iptc.Rule
        self._heads: dict[tuple[str, bool], bytes] = {}
        self._matches: dict[tuple[str, Extension], bytes] = {}
        self._targets: dict[tuple[str, str, tuple[tuple[str, str], ...]], bytes] = {}

    def forget(self) -> None:
        """Let go of parts that were kept for rules to come."""
        self._matches.clear()
        self._targets.clear()

    def pack(self, rule: Rule, count: tuple[int, int] = (0, 0)) -> tuple[bytearray, bytes]:
        """The entry for a rule that has counted so much, and what identifies it."""
        layout = self._layout
        found = b"".join([self._match(rule.protocol, match) for match in rule.matches])
        if rule.key:
            found += _comment(rule.key)
        jump = _standard(rule.target)
        target = self._target(rule) if jump is None else jump
        entry = bytearray(self._head(rule.protocol, rule.goto))
        entry[: layout.ends] = _ends(
            self._family, rule.source, rule.destination, rule.came_in, rule.goes_out
        )
        for side, value in (("source", rule.source), ("destination", rule.destination)):
            if value.startswith("!"):
                entry[layout.inverted] |= _INVERTED[side]
        entry += found
        at = len(entry)
        entry += target
        layout.set_offsets(entry, at)
        entries.COUNTERS.pack_into(entry, layout.counters, *count)
        name = None if jump is None else rule.target.encode()
        return entry, entries.clean_identity(layout, bytes(entry), at, name)

    def _head(self, protocol: str, goto: bool) -> bytes:
        """An entry before its matches, as far as the protocol and the kind of jump say it."""
        if (protocol, goto) not in self._heads:
            made = self._make_rule()
            if protocol:
                made.protocol = protocol
            head = bytearray(self._layout.header)
            packet = bytes(made.get_ip())
            ends, match = self._layout.ends, self._layout.match
            head[ends:match] = packet[ends:match]
            if goto:
                head[self._layout.inverted - 1] |= _GOTO[self._family]
            self._heads[protocol, goto] = bytes(head)
        return self._heads[protocol, goto]

    def _match(self, protocol: str, match: Extension) -> bytes:
        if match.name in _TRANSPORT and match.options[0][0] == "dport":
            return _transport(match.name, match.options[0][1])
        if match.name == "conntrack" and _packable(match.options):
            return _conntrack(match.options)
        if match.name == "hashlimit":
            return _hashlimit(dict(match.options))
        key = (protocol, match)
        if key not in self._matches:
            made = self._make_rule()
            if protocol:
                made.protocol = protocol
            extension = made.create_match(match.name)
            for option, value in match.options:
                extension.set_parameter(option, value.split(" ") if " " in value else value)
            self._matches[key] = bytes(extension.match_buf)
        return self._matches[key]

    def _target(self, rule: Rule) -> bytes:
        """A target that does something of its own."""
        if rule.target == "DNAT":
            return _dnat(rule.options[0][1])
        if rule.target == "NFLOG":
            return _nflog(dict(rule.options))
        key = (rule.protocol, rule.target, rule.options)
        if key not in self._targets:
            made = self._make_rule()
            if rule.protocol:
                made.protocol = rule.protocol
            does = made.create_target(rule.target)
            for option, value in rule.options:
                does.set_parameter(option, value.split(" ") if " " in value else value)
            if rule.target == "MASQUERADE":
                does.final_check()  # without it the kernel refuses the rule
            self._targets[key] = bytes(made.rule)[self._layout.header :]
        return self._targets[key]


def _standard(target: str) -> bytes | None:
    """A verdict, a jump to a chain of ours, or nothing; None for targets of another kind."""
    if target and target not in _VERDICTS and not target.startswith(_OURS):
        return None
    return _STANDARD.pack(_STANDARD.size, target.encode(), 0, 0)


@lru_cache(maxsize=1 << 13)
def _comment(text: str) -> bytes:
    return _HEADER.pack(288, b"comment", 0) + text.encode().ljust(256, b"\0")


def _transport(protocol: str, ports: str) -> bytes:
    first, last = _ports(ports)
    layout = _TRANSPORT[protocol]
    numbers = (0, 0xFFFF, first, last)
    flags = (0,) * (4 if protocol == "tcp" else 1)
    size = _HEADER.size + layout.size
    return _HEADER.pack(size, protocol.encode(), 0) + layout.pack(*numbers, *flags)


def _packable(options: tuple[tuple[str, str], ...]) -> bool:
    return all(
        (name, value) == ("ctstate", "DNAT") or name in _ADDRESSES or name in _PORTS
        for name, value in options
    )


def _conntrack(options: tuple[tuple[str, str], ...]) -> bytes:
    addresses = [bytes(16)] * 8
    first, last = [0] * 4, [0] * 4
    flags = state = 0
    for name, value in options:
        if name == "ctstate":
            flags, state = flags | 1, _DNAT_STATE
        elif name in _ADDRESSES:
            place = _ADDRESSES[name]
            packed, mask = _subnet(value)
            addresses[2 * place : 2 * place + 2] = packed.ljust(16, b"\0"), mask.ljust(16, b"\0")
            flags |= 4 << place
        else:
            place, flag = _PORTS[name]
            first[place], last[place] = _ports(value)
            flags |= flag
    data = _CONNTRACK.pack(*addresses, 0, 0, 0, *first, flags, 0, state, 0, *last)
    return _HEADER.pack(_HEADER.size + len(data), b"conntrack", 3) + data


@lru_cache(maxsize=1 << 10)
def _dnat(destination: str) -> bytes:
    """``ADDRESS``, ``ADDRESS:PORT`` or ``ADDRESS:FIRST-LAST/BASE``; an IPv6 address before ports
    stands in brackets."""
    flags, host, ports = _MAP_ADDRESS, destination, ""
    if destination.startswith("["):
        host, _, ports = destination[1:].partition("]")
        ports = ports[1:]
    elif "." in destination:
        host, _, ports = destination.partition(":")
    first = last = base = 0
    if ports:
        flags |= _MAP_PORT
        span, _, asked = ports.partition("/")
        low, _, high = span.partition("-")
        first, last = int(low), int(high or low)
        if asked:
            flags, base = flags | _KEEP_DISTANCE, int(asked)
    packed = ip_address(host).packed.ljust(16, b"\0")
    # The kernel takes them in network byte order.
    numbers = (int.from_bytes(one.to_bytes(2, "big"), "little") for one in (first, last, base))
    data = _RANGE.pack(flags, packed, packed, *numbers)
    return _HEADER.pack(_HEADER.size + len(data), b"DNAT", 2) + data


def _nflog(options: Mapping[str, str]) -> bytes:
    prefix, group, size = (options[f"nflog-{one}"] for one in ("prefix", "group", "size"))
    data = _NFLOG.pack(int(size), int(group), 0, _COPY_LENGTH, prefix.encode())
    return _HEADER.pack(_HEADER.size + len(data), b"NFLOG", 0) + data


def _hashlimit(options: Mapping[str, str]) -> bytes:
    """One bucket for all packets."""
    rate = int(options["hashlimit-upto"].partition("/")[0])
    memory = [
        int(options[f"hashlimit-htable-{one}"]) for one in ("size", "max", "gcinterval", "expire")
    ]
    name = options["hashlimit-name"].encode()
    numbers = (_HASHLIMIT_SECOND // rate, int(options["hashlimit-burst"]), 0, *memory, 0)
    data = _HASHLIMIT.pack(name, *numbers, 0, 0)
    return _HEADER.pack(_HEADER.size + len(data), b"hashlimit", 3) + data


def _ports(words: str) -> tuple[int, int]:
    first, _, last = words.partition(":")
    return int(first), int(last or first)


@lru_cache(maxsize=1 << 14)
def _subnet(text: str) -> tuple[bytes, bytes]:
    found = ip_network(text)
    return found.network_address.packed, found.netmask.packed


@lru_cache(maxsize=1 << 12)
def _ends(family: int, source: str, destination: str, came_in: str, goes_out: str) -> bytes:
    """Addresses, their masks, interfaces, and which of their bytes count."""
    nothing = (bytes(4 if family == 4 else 16),) * 2
    from_, from_mask = _subnet(source.lstrip("!")) if source else nothing
    to, to_mask = _subnet(destination.lstrip("!")) if destination else nothing
    enters, enters_mask = _interface(came_in)
    leaves, leaves_mask = _interface(goes_out)
    names = b"".join(one.ljust(16, b"\0") for one in (enters, leaves, enters_mask, leaves_mask))
    return b"".join((from_, to, from_mask, to_mask, names))


def _interface(name: str) -> tuple[bytes, bytes]:
    """Name and mask: all bytes count, with the zero at the end unless any name that begins so
    will do."""
    if not name:
        return b"", b""
    if name.endswith("+"):
        return name[:-1].encode(), b"\xff" * len(name[:-1].encode())
    encoded = name.encode()
    if len(encoded) > 15:
        raise ValueError(f"interface name {name} is too long")
    return encoded, b"\xff" * (len(encoded) + 1)
