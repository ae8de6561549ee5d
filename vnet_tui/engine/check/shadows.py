"""Rules that never decide anything, because earlier ones match all that they match.

The first match wins: what a rule can match is what is left by those before it. A rule with a limit
leaves whatever is beyond it, and one that is switched off leaves everything. What several leave
together is looked at for protocols (one rule for TCP and one for UDP leave nothing to a third that
is for both) and for ports of rules about the same addresses and guest; not for addresses.

Thousands of rules are compared without comparing all with all: what was matched so far is kept by
addresses and guest, as intervals of ports of which none is inside another.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from vnet_tui.engine.check.between import Between, Found, Placed
from vnet_tui.engine.check.forwards import guest_name, takes_port
from vnet_tui.engine.model import Action, PortRange, Protocol, Rule, Subnet

_ALL_PORTS = PortRange(first=0, last=0xFFFF)
_ANY = "any"
"""The protocol of rules that match whatever protocol there is."""

_Words = tuple[int, int, int]
"""A subnet: its version, the length of its prefix, and that prefix as a number."""

_Shape = tuple[bool, tuple[int, int] | None, tuple[int, int] | None]
"""Whether a guest is named, and versions and lengths of prefix of source and destination."""

_Key = tuple[str | None, _Words | None, _Words | None]


def shadowed(rules: tuple[Rule, ...], *, incoming: bool) -> Found:
    """The rules of a policy that never decide anything, each with the earlier ones that do instead.

    All are told by their positions. Rules that are switched off are not looked at.
    """
    return (_incoming if incoming else _outgoing)(rules)


def _moves(rule: Rule) -> bool:
    """Whether a forward leads to another port than the one that is asked for."""
    return (
        rule.destport is not None
        and rule.destport != rule.port
        and rule.enabled
        and takes_port(rule)
    )


def _find(rules: Placed, moved: bool, *, incoming: bool) -> Found:
    live = [(at, rule) for at, rule in rules if rule.enabled]
    matched, denied, led = _Matched(), _Matched(), _Matched()
    allowed = _Intervals()
    found = {}
    for at, rule in live:
        if incoming and takes_port(rule):
            by = led.by(rule, rule.port)
            # What an earlier rule lets pass, perhaps with a limit, is led by this one.
            if not by and not allowed.meet(_span(_at_guest(rule))):
                by = _denied_forward(denied, rule)
            if rule.limit is None:
                led.add(at, rule)
        else:
            by = _by_rule(matched, denied, rule, asked_too=moved)
            if rule.action is Action.ALLOW:
                allowed.add(_span(rule.port), at)
            if rule.limit is None:
                matched.add(at, rule)
                if rule.action is Action.DENY:
                    denied.add(at, rule)
        if by:
            found[at] = by
    return found


def _denied_forward(denied: _Matched, rule: Rule) -> tuple[int, ...]:
    """Which denies keep a forward from letting anything pass: by the port that is asked for, or by
    that of the guest. Those of a destination are about guests, that of a forward about the host."""
    asked, led = rule.port, _at_guest(rule)
    return denied.by(rule, asked, to_host=True) or denied.by(rule, led, to_host=True)


def _at_guest(rule: Rule) -> PortRange | None:
    """The ports of the guest that a forward leads to."""
    return rule.port if rule.destport is None else rule.destport


def _by_rule(
    matched: _Matched, denied: _Matched, rule: Rule, *, asked_too: bool
) -> tuple[int, ...]:
    """Which rules leave nothing to one that leads nowhere.

    A deny of a port also looks at the port of the host that was asked for, where forwards lead to
    other ones; an allow only at that of the guest, so that it leaves something.
    """
    if asked_too and rule.action is Action.DENY and rule.port is not None:
        return denied.by(rule, rule.port) or matched.by(rule, _ALL_PORTS)
    return matched.by(rule, rule.port)


@dataclass(slots=True)
class _Intervals:
    """Ports that rules match, none of these intervals inside another; with the rules' positions."""

    firsts: list[int] = field(default_factory=list)
    lasts: list[int] = field(default_factory=list)
    rules: list[int] = field(default_factory=list)

    def around(self, ports: PortRange) -> int | None:
        """The rule that matches all of these ports."""
        # Ordered by their first ports they are so by their last ones, too.
        at = bisect_right(self.firsts, ports.first) - 1
        return self.rules[at] if at >= 0 and self.lasts[at] >= ports.last else None

    def together(self, ports: PortRange) -> tuple[int, ...]:
        """The rules that match all of these ports, as few as that takes; empty where some are left
        over."""
        found: list[int] = []
        first = ports.first
        while first <= ports.last:
            at = bisect_right(self.firsts, first) - 1
            if at < 0 or self.lasts[at] < first:
                return ()
            found.append(self.rules[at])
            first = self.lasts[at] + 1
        return tuple(found)

    def meet(self, ports: PortRange) -> bool:
        """Whether a rule matches any of these ports."""
        at = bisect_left(self.lasts, ports.first)
        return at < len(self.firsts) and self.firsts[at] <= ports.last

    def add(self, ports: PortRange, rule: int) -> None:
        if self.around(ports) is not None:
            return
        begin = end = bisect_left(self.firsts, ports.first)
        while end < len(self.firsts) and self.lasts[end] <= ports.last:
            end += 1
        self.firsts[begin:end] = [ports.first]
        self.lasts[begin:end] = [ports.last]
        self.rules[begin:end] = [rule]


_NOTHING = _Intervals()


class _Matched:
    """What the rules so far match."""

    def __init__(self) -> None:
        self._shapes: dict[_Shape, None] = {}
        self._ports: dict[_Key, dict[str, _Intervals]] = {}

    def add(self, at: int, rule: Rule) -> None:
        """Another rule matches, too."""
        source, destination = _words(rule.source), _words(rule.destination)
        domain = guest_name(rule)
        shape = domain is not None, source and source[:2], destination and destination[:2]
        self._shapes[shape] = None
        by_protocol = self._ports.setdefault((domain, source, destination), {})
        for protocol in _protocols(rule):
            by_protocol.setdefault(protocol, _Intervals()).add(_span(rule.port), at)

    def by(self, rule: Rule, ports: PortRange | None, *, to_host: bool = False) -> tuple[int, ...]:
        """The rules that match everything that this one does on these ports; empty where there are
        none. ``to_host``: the destination of the rule isn't what others see."""
        found: set[int] = set()
        wanted = dict.fromkeys(_protocols(rule))
        for by_protocol in self._wider(rule, to_host=to_host):
            for protocol in [*wanted]:
                for name in dict.fromkeys((protocol, _ANY)):
                    intervals = by_protocol.get(name, _NOTHING)
                    if matching := intervals.together(_span(ports)):
                        found.update(matching)
                        del wanted[protocol]
                        break
            if not wanted:
                return tuple(sorted(found))
        return ()

    def _wider(self, rule: Rule, *, to_host: bool) -> Iterator[dict[str, _Intervals]]:
        """What rules match whose addresses and guest leave out none of this one's."""
        domain, source = guest_name(rule), _words(rule.source)
        destination = None if to_host else _words(rule.destination)
        for named, source_shape, destination_shape in self._shapes:
            if named and domain is None:
                continue
            if not (_fits(source_shape, source) and _fits(destination_shape, destination)):
                continue
            key = (
                domain if named else None,
                _cut(source, source_shape),
                _cut(destination, destination_shape),
            )
            if (found := self._ports.get(key)) is not None:
                yield found


def _span(ports: PortRange | None) -> PortRange:
    """The ports themselves; all of them where a rule names none."""
    return _ALL_PORTS if ports is None else ports


def _protocols(rule: Rule) -> tuple[str, ...]:
    """No protocol is TCP and UDP where there is a port, else whatever there is."""
    if rule.protocol is not None:
        return (rule.protocol.value,)
    return (Protocol.TCP.value, Protocol.UDP.value) if rule.port is not None else (_ANY,)


def _words(subnet: Subnet | None) -> _Words | None:
    if subnet is None:
        return None
    return subnet.version, subnet.prefixlen, int(subnet.network_address)


def _fits(shape: tuple[int, int] | None, words: _Words | None) -> bool:
    """Whether a subnet can be inside one of that shape."""
    if shape is None:
        return True
    return words is not None and words[0] == shape[0] and words[1] >= shape[1]


def _cut(words: _Words | None, shape: tuple[int, int] | None) -> _Words | None:
    """The subnet of that shape that a subnet is inside."""
    if shape is None or words is None:
        return None
    version, length = shape
    rest = (32 if version == 4 else 128) - length
    return version, length, words[2] >> rest << rest


_incoming = Between(partial(_find, incoming=True), _moves)
_outgoing = Between(partial(_find, incoming=False))
