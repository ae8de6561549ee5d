"""Policy routing: the rules of ip-rule(8), and the routes of the tables that they lead to.

Parsed by hand, as interfaces are. Constants are those of ``include/uapi/linux/fib_rules.h`` and
``rtnetlink.h``; selectors that aren't understood are told as such.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network

from vnet_tui.engine.drivers.netlink import (
    RTM_GETROUTE,
    Message,
    RouteReader,
    attribute,
    attributes,
)
from vnet_tui.engine.model import Subnet

LOCAL, MAIN, DEFAULT = 255, 254, 253
_TABLES = {LOCAL: "local", MAIN: "main", DEFAULT: "default"}

_RTM_GETRULE = 34
_RULE = struct.Struct("=BBBBBBBBI")  # struct fib_rule_hdr
_ROUTE = struct.Struct("=BBBBBBBBI")  # struct rtmsg

_DST, _SRC, _IIF, _GOTO, _PRIORITY, _MARK, _TABLE = 1, 2, 3, 4, 6, 10, 15
_SUPPRESS, _MASK, _OIF = 14, 16, 17
_SUPPRESS_GROUP = 13
_DOUBTFUL = frozenset((12, 19, 20, 22, 23, 24))  # tunnel, l3mdev, users, protocols and ports
_KNOWN = frozenset(
    (_DST, _SRC, _IIF, _GOTO, _PRIORITY, _MARK, _TABLE, _SUPPRESS, _MASK, _OIF, _SUPPRESS_GROUP)
)
_INVERT = 2
_NONE = 0xFFFFFFFF
_FAMILIES = (socket.AF_INET, socket.AF_INET6)

_R_DST, _R_OIF, _R_PRIORITY, _R_MULTIPATH, _R_TABLE = 1, 4, 6, 9, 15
_R_ALL = frozenset((_R_DST, _R_OIF, _R_PRIORITY, _R_MULTIPATH, _R_TABLE))


class Action(StrEnum):
    """What a rule, or a route, does with packets."""

    LOOKUP = "lookup"
    GOTO = "goto"
    NOTHING = "nop"
    UNICAST = "unicast"
    THROW = "throw"
    BLACKHOLE = "blackhole"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"
    OTHER = "other"


_RULE_ACTIONS = {
    1: Action.LOOKUP,
    2: Action.GOTO,
    3: Action.NOTHING,
    6: Action.BLACKHOLE,
    7: Action.UNREACHABLE,
    8: Action.PROHIBIT,
}
_ROUTE_TYPES = {
    1: Action.UNICAST,
    6: Action.BLACKHOLE,
    7: Action.UNREACHABLE,
    8: Action.PROHIBIT,
    9: Action.THROW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRule:
    """One rule. ``iif`` and ``oif`` are empty for all interfaces; ``lo`` as ``iif`` is the host
    itself. ``suppress``: routes of at most this prefix length don't count. ``doubtful``: it asks
    for more than is told here."""

    version: int
    priority: int
    action: Action
    table: int = 0
    goto: int = 0
    source: Subnet | None = None
    target: Subnet | None = None
    iif: str = ""
    oif: str = ""
    mark: int = 0
    mask: int = 0
    inverted: bool = False
    suppress: int | None = None
    doubtful: bool = False

    def __str__(self) -> str:
        words = ["not"] if self.inverted else []
        words += ["from", str(self.source or "all")]
        words += ["to", str(self.target)] if self.target else []
        if self.mask:
            whole = self.mask == 0xFFFFFFFF
            words += ["fwmark", f"{self.mark:#x}" + ("" if whole else f"/{self.mask:#x}")]
        words += ["iif", self.iif] if self.iif else []
        words += ["oif", self.oif] if self.oif else []
        words.append(self.action)
        if self.action is Action.LOOKUP:
            words.append(_TABLES.get(self.table, str(self.table)))
        words += [] if self.suppress is None else ["suppress_prefixlength", str(self.suppress)]
        if self.action is Action.GOTO:
            words.append(str(self.goto))
        return f"{self.priority}: {' '.join(words)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRoute:
    """A route of a table; ``device`` is empty for those that lead nowhere."""

    table: int
    target: Subnet
    action: Action
    device: str = ""
    metric: int = 0


@dataclass(frozen=True, slots=True)
class Routing:
    """The rules in the order in which they are asked, and the routes of the tables they name but
    for the local ones. Both empty where there are only the rules that every host has."""

    rules: tuple[RoutingRule, ...] = ()
    routes: tuple[TableRoute, ...] = ()


def read_routing() -> Routing:
    """What there is in the network namespace of the calling thread. Blocks: a millisecond, and
    more for tables with many routes. Raises OSError."""
    reader = RouteReader()
    try:
        rules = [rule for family in _FAMILIES for rule in _rules(reader, family)]
        if all(_usual(rule) for rule in rules):
            return Routing()
        tables = {rule.table for rule in rules if rule.action is Action.LOOKUP} - {LOCAL}
        routes = [
            route
            for table in sorted(tables)
            for family in _FAMILIES
            for route in _routes(reader, family, table)
        ]
    finally:
        reader.close()
    return Routing(tuple(sorted(rules, key=lambda one: one.priority)), tuple(routes))


def _usual(rule: RoutingRule) -> bool:
    return str(rule) in ("0: from all lookup local", "32766: from all lookup main") or (
        rule.table == DEFAULT and rule.priority == 32767
    )


def _dump(reader: RouteReader, request: int, body: bytes) -> list[Message]:
    try:
        return reader.dump(request, body)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EAFNOSUPPORT, errno.EOPNOTSUPP):
            return []  # no such table, or no such family
        raise


def _rules(reader: RouteReader, family: int) -> Iterator[RoutingRule]:
    for _, _, data, start, end in _dump(reader, _RTM_GETRULE, _RULE.pack(family, *[0] * 8)):
        kind, to, of, tos, table, _, _, action, flags = _RULE.unpack_from(data, start)
        if kind != family:
            continue
        found = attributes(data, start + _RULE.size, end, _KNOWN | _DOUBTFUL)
        suppress = _number(found.get(_SUPPRESS), _NONE)
        mark = _number(found.get(_MARK))
        yield RoutingRule(
            version=4 if family == socket.AF_INET else 6,
            priority=_number(found.get(_PRIORITY)),
            action=_RULE_ACTIONS.get(action, Action.OTHER),
            table=_number(found.get(_TABLE), table),
            goto=_number(found.get(_GOTO)),
            source=_subnet(found[_SRC], of) if _SRC in found else None,
            target=_subnet(found[_DST], to) if _DST in found else None,
            iif=_text(found.get(_IIF)),
            oif=_text(found.get(_OIF)),
            mark=mark,
            mask=_number(found.get(_MASK), 0xFFFFFFFF if mark else 0),
            inverted=bool(flags & _INVERT),
            suppress=None if suppress == _NONE else suppress,
            doubtful=bool(tos)
            or not _DOUBTFUL.isdisjoint(found)
            or _number(found.get(_SUPPRESS_GROUP), _NONE) != _NONE,
        )


def _routes(reader: RouteReader, family: int, table: int) -> Iterator[TableRoute]:
    # The header has no place for numbers above 255.
    body = _ROUTE.pack(family, 0, 0, 0, table if table < 256 else 0, 0, 0, 0, 0)
    body += attribute(_R_TABLE, struct.pack("=I", table))
    for _, _, data, start, end in _dump(reader, RTM_GETROUTE, body):
        kind, length, _, _, of, _, _, type_, _ = _ROUTE.unpack_from(data, start)
        found = attributes(data, start + _ROUTE.size, end, _R_ALL)
        if kind != family or _number(found.get(_R_TABLE), of) != table:
            continue
        action = _ROUTE_TYPES.get(type_)
        if action is None:
            continue
        index = _number(found.get(_R_OIF))
        if (hops := found.get(_R_MULTIPATH)) is not None:
            index = struct.unpack_from("=HBBi", hops)[3]
        whole = bytes(4 if family == socket.AF_INET else 16)
        yield TableRoute(
            table=table,
            target=_subnet(found.get(_R_DST, whole), length),
            action=action,
            device=_device(index) if action is Action.UNICAST else "",
            metric=_number(found.get(_R_PRIORITY)),
        )


def _subnet(packed: bytes, length: int) -> Subnet:
    return ip_network((packed, length), strict=False)


def _number(data: bytes | None, otherwise: int = 0) -> int:
    return otherwise if data is None else int(struct.unpack("=I", data)[0])


def _text(data: bytes | None) -> str:
    return (data or b"").split(b"\0")[0].decode(errors="replace")


def _device(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:  # it went since
        return ""
