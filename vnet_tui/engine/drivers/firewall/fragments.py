"""What a rule comes to, whatever the others are: its place in sets, or that it stands alone.

Kept for each rule, so that an edit of ten thousand looks into those that are new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from itertools import chain
from typing import NamedTuple

from vnet_tui.engine.drivers.firewall.groups import Atom, Pairs
from vnet_tui.engine.drivers.firewall.order import Ends, Span, places, spans
from vnet_tui.engine.drivers.firewall.ports import protocols
from vnet_tui.engine.drivers.firewall.scopes import Scope, host, words
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Action, Address, PortRange, Protocol, Subnet
from vnet_tui.engine.resources import Forward, PolicyRule

ALLOW, DENY, NOTE, PASS = "allow", "deny", "note", "pass"
"""What becomes of a packet: ``note`` lets pass and tells of it, ``pass`` leaves it to others."""

ANYWHERE = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}


class Shape(NamedTuple):
    """What the key of a rule is made of; adjacent rules of one shape can share sets.

    For a forward ``destination`` is the address that was asked for; the guest is in every key, and
    the port is the one that was asked for, too.
    ``protocol`` is that of a rule without ports (empty: any). Rules that stand ``alone`` share
    nothing: they are limited, or match by no address and no port.
    """

    forward: bool
    source: bool
    destination: bool
    ports: bool
    protocol: str
    alone: bool


class Kind(NamedTuple):
    """What has to be the same for rules to share sets: whether they deny, where that counts."""

    shape: Shape
    denies: bool | None


class Traits(NamedTuple):
    """What fragments have in common, see :class:`Fragment`."""

    kind: Kind
    kind_asked: Kind
    cuts: bool
    moves: bool
    apart: bool


class Slot(NamedTuple):
    """Which of a group's sets an element is in."""

    version: int
    verdict: str
    interval: bool


Value = tuple[Slot, str]
"""An element's set, and its comment: the key of the rule."""

_shape = lru_cache(maxsize=256)(Shape)
_kind = lru_cache(maxsize=512)(Kind)
_traits = lru_cache(maxsize=1024)(Traits)
_slot = lru_cache(maxsize=64)(Slot)
# One object for all equal ones, so that comparing them takes no time.


@dataclass(frozen=True, slots=True)
class Fragment:
    """A rule, ready to be grouped; ``forward`` is the same if it is one.

    ``about`` are the ports by which it is found; of a forward, those of the guest, too. Of rules
    of one ``kind`` several can share sets; ``kind_asked`` is the kind where a deny looks at the
    port that was asked for: it has no place among the ports that were got. ``cuts``: it ends
    connections that are established; ``moves``: it leads to other ports than were asked for.
    """

    rule: PolicyRule | Forward
    forward: Forward | None
    shape: Shape
    kind: Kind
    kind_asked: Kind
    about: tuple[Span, ...]
    places: tuple[int, ...]
    ends: tuple[Ends, ...]
    cuts: bool
    moves: bool
    verdict: str
    apart: bool
    atoms: tuple[Atom[Value], ...]
    pairs: Pairs[Value]
    spans: bool
    protocols: tuple[Protocol, ...]
    ports: PortRange | None
    comment: str

    @property
    def traits(self) -> Traits:
        """What matters to how a policy is written."""
        return _traits(self.kind, self.kind_asked, self.cuts, self.moves, self.apart)

    def elements(
        self, atom: Atom[Value], transport: Protocol, first: int, last: int
    ) -> tuple[tuple[str, Value]]:
        """The element for those ports."""
        slot = _slot(atom.version, self.verdict, first != last or not _hosts(atom.scope))
        ports = f"{first}" if first == last else f"{first}-{last}"
        return ((f"{atom.key}{transport} . {ports}", (slot, self.comment)),)


def _make(rule: PolicyRule | Forward, guests_are: str, verdict: str, *, limited: bool) -> Fragment:
    """``guests_are``: which end of a packet the guest of a rule is, ``saddr`` or ``daddr``."""
    if isinstance(rule, Forward):
        ports: PortRange | None = rule.ports
        ranges: tuple[PortRange | None, ...] = (rule.ports, rule.guest_ports)
        scopes = list(_forward_scopes(rule))
        shape = _shape(True, bool(rule.source), bool(rule.address), True, "", limited)
    else:
        ports = rule.ports
        ranges = (ports,)
        scopes = list(_rule_scopes(rule, guests_are))
        guest = rule.guests is not None
        source = rule.source is not None or (guest and guests_are == "saddr")
        destination = rule.destination is not None or (guest and guests_are == "daddr")
        protocol = str(rule.protocol) if ports is None and rule.protocol else ""
        alone = limited or (ports is None and not source and not destination)
        shape = _shape(False, source, destination, ports is not None, protocol, alone)
    comment = f'comment "{rule.key}"'
    transports = protocols(rule.protocol)
    about = tuple(spans(rule.protocol, transports, *ranges))
    atoms = []
    for version, scope in scopes:
        key = "".join(f"{word} . " for word in words(scope))
        hosts = _hosts(scope)
        pairs: Pairs[Value] = ()
        value = (_slot(version, verdict, not hosts), comment)
        if ports is None:
            pairs = ((_whole(shape, version, scope), value),)
        elif len(ports) == 1:
            pairs = tuple((f"{key}{one} . {ports.first}", value) for one in transports)
        atoms.append(Atom(version, scope, key, pairs))
    return Fragment(
        rule=rule,
        forward=rule if isinstance(rule, Forward) else None,
        shape=shape,
        kind=_kind(shape, None),
        kind_asked=_kind(shape, verdict == DENY),
        about=about,
        places=places(about),
        ends=tuple(_ends(shape, scope) for _, scope in scopes),
        cuts=_ends_connections(rule),
        moves=isinstance(rule, Forward) and rule.ports != rule.guest_ports,
        verdict=verdict,
        apart=all(_hosts(scope) for _, scope in scopes),
        atoms=tuple(atoms),
        pairs=tuple(chain.from_iterable(atom.pairs for atom in atoms)),
        spans=ports is not None and len(ports) > 1,
        protocols=transports,
        ports=ports,
        comment=comment,
    )


def _whole(shape: Shape, version: int, scope: Scope) -> str:
    """The element of a rule without ports.

    An interval in a key of one field would be kept in a tree, of which nft reads every element
    before each change of any set: such a key gets the other address as a second field.
    """
    if len(scope) == 1 and not host(scope[0]):
        anywhere = ANYWHERE[version]
        scope = (scope[0], anywhere) if shape.source else (anywhere, scope[0])
    return " . ".join(words(scope))


def _ends(shape: Shape, scope: Scope) -> Ends:
    destination = scope[-1] if shape.destination or shape.forward else None
    return scope[0] if shape.source else None, destination


def _hosts(scope: Scope) -> bool:
    return all(map(host, scope))


def _rule_scopes(rule: PolicyRule, guests_are: str) -> Iterator[tuple[int, Scope]]:
    """Family, and source and destination as far as they matter; none where nothing can match."""
    ends = {"saddr": rule.source, "daddr": rule.destination}
    if rule.guests is None:
        yield from _scope(*ends.values())
        return
    for guest in sorted(rule.guests, key=lambda one: (one.version, int(one))):
        limits = ends[guests_are]
        if limits is None or guest in limits:
            yield from _scope(*(ends | {guests_are: _single(guest)}).values())


def _forward_scopes(forward: Forward) -> Iterator[tuple[int, Scope]]:
    for guest in sorted(forward.guests, key=lambda one: (one.version, int(one))):
        yield from _scope(forward.source, forward.address, _single(guest))


def _scope(*fields: Subnet | None) -> Iterator[tuple[int, Scope]]:
    scope = tuple(field for field in fields if field is not None)
    versions = {subnet.version for subnet in scope}
    if len(versions) <= 1:
        yield next(iter(versions), 0), scope


def _single(address: Address) -> Subnet:
    return ip_network(address)


def _opening(guests_are: str) -> Callable[[PolicyRule | Forward], Fragment | None]:
    """How new connections meet rules."""

    def make(rule: PolicyRule | Forward) -> Fragment | None:
        allow = isinstance(rule, Forward) or rule.action is Action.ALLOW
        verdict = (NOTE if rule.log else ALLOW) if allow else DENY
        made = _make(rule, guests_are, verdict, limited=rule.limit is not None)
        return made if made.atoms else None

    return make


def _cutting(guests_are: str) -> Callable[[PolicyRule | Forward], Fragment | None]:
    """How established connections meet rules: who decides of them ends them, or nobody does.

    A limit is one of new connections: a deny within it is none for those that are there.
    """

    def make(rule: PolicyRule | Forward) -> Fragment | None:
        cuts = _ends_connections(rule)
        if rule.limit is not None and not isinstance(rule, Forward) and rule.action is Action.DENY:
            return None
        made = _make(rule, guests_are, DENY if cuts else PASS, limited=False)
        return made if made.atoms else None

    return make


def _ends_connections(rule: PolicyRule | Forward) -> bool:
    """Whether it ends connections that are established."""
    return (
        isinstance(rule, PolicyRule)
        and rule.action is Action.DENY
        and not rule.established
        and rule.limit is None
    )


incoming_fragment: Memo[PolicyRule | Forward, Fragment | None] = Memo(_opening("daddr"))
outgoing_fragment: Memo[PolicyRule | Forward, Fragment | None] = Memo(_opening("saddr"))
incoming_cut: Memo[PolicyRule | Forward, Fragment | None] = Memo(_cutting("daddr"))
outgoing_cut: Memo[PolicyRule | Forward, Fragment | None] = Memo(_cutting("saddr"))
