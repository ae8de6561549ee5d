"""The chain of one policy: adjacent rules about ports become sets, first match kept.

Sets with one verdict each, and not verdict maps: the kernel makes the elements of a map that is
deleted invisible at once, so a packet that is on its way through the rules at that moment would
find nothing there; those of a set stay until nobody looks any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vnet_tui.engine.drivers.firewall.layout import Lookup, Names
from vnet_tui.engine.drivers.firewall.ports import Claim, Piece, first_match, protocols
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Action, Address, Protocol, Subnet
from vnet_tui.engine.resources import Forward, PolicyRule

FAMILY_OF = {4: "ip", 6: "ip6"}
"""nft's word for the header of an address family."""

ADDRESS_TYPE = {4: "ipv4_addr", 6: "ipv6_addr"}
"""nft's data type of an address family."""

INET_PORT = "inet_proto . inet_service"
ANY_PORT = "meta l4proto . th dport"


def quoted(interface: str) -> str:
    """An interface's name as nft takes it; refused where nft would read a pattern or a quote."""
    if not interface or set(interface) & set('"*\\\n'):
        raise DriverError(
            f"the bridge name {interface!r} can't be written into firewall rules",
            'choose one without ", * and \\',
        )
    return f'"{interface}"'


def subnet_match(field: str, subnet: Subnet) -> str:
    """Source or destination (``saddr``, ``daddr``) in a subnet."""
    return f"{FAMILY_OF[subnet.version]} {field} {subnet}"


def guest_match(field: str, version: int, guests: Iterable[Address]) -> str:
    """Source or destination is one of the guests, which are all of one family."""
    addresses = ", ".join(str(guest) for guest in sorted(guests, key=int))
    return f"{FAMILY_OF[version]} {field} {{ {addresses} }}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which addresses a rule is about. Rules of one scope can share sets."""

    source: Subnet | None = None
    destination: Subnet | None = None
    guests: frozenset[Address] | None = None

    def matches(self, guests_are: str) -> Iterator[str]:
        """The beginnings of the rules that match it: one for both families where no address
        counts, else one a family; none where nothing can match."""
        if self == Scope():
            yield ""
            return
        for version in (4, 6):
            words = []
            for field, subnet in (("saddr", self.source), ("daddr", self.destination)):
                if subnet is not None:
                    words.append(subnet_match(field, subnet) if subnet.version == version else "")
            if self.guests is not None:
                guests = [guest for guest in self.guests if guest.version == version]
                words.append(guest_match(guests_are, version, guests) if guests else "")
            if all(words):
                yield " ".join(words) + " "


class GroupWriter:
    """Writes a policy's rules, in order, into a chain and its lookups.

    ``guests_are`` tells which end of a packet the guest of a rule is: ``saddr`` or ``daddr``.
    With ``deny_asked``, denied ports are those that were asked for, too.
    """

    def __init__(
        self, chain: str, *, allow: str, deny: str, guests_are: str, deny_asked: bool = False
    ) -> None:
        self.chain = chain
        self.rules: list[str] = []
        self.lookups: dict[str, Lookup] = {}
        self._verdicts = {Action.ALLOW: allow, Action.DENY: deny}
        self._guests_are = guests_are
        self._deny_asked = deny_asked
        self._group: list[PolicyRule] = []
        self._forwards: list[Forward] = []
        self._names = Names(chain)

    def write(self, rule: str) -> None:
        """A rule in nft's words, after all that came before."""
        self._flush()
        self.rules.append(rule)

    def rule(self, rule: PolicyRule) -> None:
        """A rule that lets pass or denies; it waits for its group if it is about ports."""
        if rule.guests is not None and not rule.guests:
            return
        if rule.ports is None:
            self._flush()
            for match in _scope(rule).matches(self._guests_are):
                self.rules.append(f"{match}{_protocol(rule)}{self._verdicts[rule.action]}")
            return
        if self._forwards or (self._group and not self._same_group(rule)):
            self._flush()
        self._group.append(rule)

    def forward(self, forward: Forward) -> None:
        """Let pass what was led to a guest by this forward, and nothing else."""
        if not forward.guests:
            return
        if self._group or (self._forwards and not same_reach(self._forwards[-1], forward)):
            self._flush()
        self._forwards.append(forward)

    def default(self, allow: bool) -> None:
        """What decides the rest."""
        self.write(self._verdicts[Action.ALLOW if allow else Action.DENY])

    def _same_group(self, rule: PolicyRule) -> bool:
        last = self._group[-1]
        return _scope(last) == _scope(rule) and not (
            self._deny_asked and last.action != rule.action
        )

    def _flush(self) -> None:
        if self._group:
            self._write_group(self._group)
        if self._forwards:
            self._write_forwards(self._forwards)
        self._group, self._forwards = [], []

    def _write_group(self, group: list[PolicyRule]) -> None:
        claims = [
            Claim(protocols(rule.protocol), rule.ports, rule.action)
            for rule in group
            if rule.ports is not None
        ]
        pieces = first_match(claims)
        matches = list(_scope(group[0]).matches(self._guests_are))
        for action in Action:
            own = [piece for piece in pieces if piece.value is action]
            if not own:
                continue
            name = self._names.next(action, "".join(matches))
            elements = [str(piece) for piece in own if piece.single]
            ranges = [str(piece) for piece in own if not piece.single]
            looked_up = self._sets(name, INET_PORT, elements, ranges)
            for match in matches:
                for found in looked_up:
                    self.rules.append(f"{match}{ANY_PORT} @{found} {self._verdicts[action]}")
                if self._deny_asked and action is Action.DENY:
                    self.rules.extend(
                        f"{match}ct status dnat {ports} {self._verdicts[action]}"
                        for ports in _asked_ports(own)
                    )

    def _write_forwards(self, forwards: list[Forward]) -> None:
        for version, family in FAMILY_OF.items():
            elements: list[str] = []
            ranges: list[str] = []
            claims: dict[Address, list[Claim[bool]]] = {}
            for forward in forwards:
                for guest in forward.guests:
                    if guest.version == version:
                        claim = Claim(protocols(forward.protocol), forward.guest_ports, True)
                        claims.setdefault(guest, []).append(claim)
            for guest in sorted(claims, key=int):
                for piece in first_match(claims[guest]):
                    (elements if piece.single else ranges).append(f"{guest} . {piece}")
            reach = reach_match(forwards[0], version, f"ct original {family} daddr")
            if reach is None:
                continue
            base = self._names.next(f"guests{version}", reach)
            keys = f"{ADDRESS_TYPE[version]} . {INET_PORT}"
            for name in self._sets(base, keys, elements, ranges):
                self.rules.append(
                    f"{reach}ct status dnat {family} daddr . {ANY_PORT} @{name} "
                    f"{self._verdicts[Action.ALLOW]}"
                )

    def _sets(self, name: str, keys: str, elements: list[str], ranges: list[str]) -> list[str]:
        """Make sets of these elements; the names of those that have something to hold."""
        made = {}
        if elements:
            made[name] = Lookup(keys, elements=dict.fromkeys(elements, ""))
        if ranges:
            made[f"{name}_ranges"] = Lookup(keys, interval=True, elements=dict.fromkeys(ranges, ""))
        self.lookups.update(made)
        return list(made)


def same_reach(one: Forward, other: Forward) -> bool:
    """Whether two forwards are open to the same sources, at the same addresses of the host."""
    return (one.source, one.address) == (other.source, other.address)


def reach_match(forward: Forward, version: int, daddr: str) -> str | None:
    """Who may use a forward and at which address of the host (``daddr``: nft's word for it).

    Empty: everybody, at every address; None: nobody in this address family.
    """
    words = ""
    for field, subnet in (
        (f"{FAMILY_OF[version]} saddr", forward.source),
        (daddr, forward.address),
    ):
        if subnet is not None:
            if subnet.version != version:
                return None
            words += f"{field} {subnet} "
    return words


def _scope(rule: PolicyRule) -> Scope:
    return Scope(rule.source, rule.destination, rule.guests)


def _protocol(rule: PolicyRule) -> str:
    if rule.protocol is None:
        return ""
    if rule.protocol is Protocol.ICMP:
        return "meta l4proto { icmp, icmpv6 } "
    return f"meta l4proto {rule.protocol} "


def _asked_ports(pieces: list[Piece[Action]]) -> Iterator[str]:
    """Matches for the ports that a client asked for, before any translation."""
    for protocol in Protocol.TCP, Protocol.UDP:
        ports = ", ".join(
            str(piece.first) if piece.single else f"{piece.first}-{piece.last}"
            for piece in pieces
            if piece.protocol is protocol
        )
        if ports:
            yield f"meta l4proto {protocol} ct original proto-dst {{ {ports} }}"
