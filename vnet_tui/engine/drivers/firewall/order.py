"""Which rules may change places: those that no packet meets both of.

Rules of one kind share sets if they stand together. A document that mixes kinds would come to one
set a rule, each looked up by every packet; so a rule goes up to the last of its kind, if all that
it passes on the way is about other ports, other sources or other destinations.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, Generic, Protocol as Protocol_, TypeVar

from vnet_tui.engine.drivers.firewall.scopes import Prefixes
from vnet_tui.engine.model import PortRange, Protocol, Subnet

K = TypeVar("K", bound=Hashable)
K_co = TypeVar("K_co", bound=Hashable, covariant=True)

_BASE = {Protocol.TCP: 0, Protocol.UDP: 1 << 16}
_OTHER = 1 << 17
_EVERYTHING = (0, _OTHER + 1)

Span = tuple[int, int]
"""Where something begins and ends among all ports of TCP, all of UDP, and the rest as one."""


def spans(
    protocol: Protocol | None, transports: Iterable[Protocol], *ranges: PortRange | None
) -> Iterator[Span]:
    """What a rule is about: ranges of ports of the ``transports``; one that is None stands for
    everything of the ``protocol``."""
    for ports in ranges:
        if ports is not None:
            for transport in transports:
                yield _BASE[transport] + ports.first, _BASE[transport] + ports.last + 1
        elif protocol is None:
            yield _EVERYTHING
        elif protocol in _BASE:
            yield _BASE[protocol], _BASE[protocol] + (1 << 16)
        else:
            yield _OTHER, _OTHER + 1


def places(about: Iterable[Span]) -> tuple[int, ...]:
    """The same where they are single ports; nothing where any is more than that."""
    found = tuple(about)
    return tuple(begin for begin, _ in found) if all(e - b == 1 for b, e in found) else ()


Ends = tuple[Subnet | None, Subnet | None]
"""Source and destination of packets; None where they don't matter."""


class Placed(Protocol_[K_co]):
    """A rule that has its place among others.

    ``places`` are those of ``about``; ``ends`` is one pair for each family that the rule is about,
    and for each guest.
    """

    @property
    def kind(self) -> K_co: ...

    @property
    def about(self) -> tuple[Span, ...]: ...

    @property
    def places(self) -> tuple[int, ...]: ...

    @property
    def ends(self) -> tuple[Ends, ...]: ...


P = TypeVar("P", bound=Placed[Any])

_PLACES: Callable[[Placed[Any]], tuple[int, ...]] = attrgetter("places")


class _End:
    """Where packets of all members come from, or go to."""

    def __init__(self) -> None:
        self._anywhere = False
        self._subnets: dict[int, Prefixes] = {}

    def add(self, subnet: Subnet | None) -> None:
        """What one member says of it."""
        if subnet is None:
            self._anywhere = True
        else:
            self._subnets.setdefault(subnet.version, Prefixes()).add(subnet)

    def apart(self, subnet: Subnet | None) -> bool:
        """Whether no packet of a member has its address there."""
        if subnet is None or self._anywhere:
            return False
        known = self._subnets.get(subnet.version)
        return known is None or not known.overlap(subnet)


@dataclass(slots=True)
class _Kind(Generic[K, P]):
    """Members of one kind, and maps of what they are about, once somebody asks."""

    kind: K
    members: list[P]
    _map: bytearray | None = field(default=None)
    _ends: tuple[_End, _End] | None = field(default=None)

    def meets(self, other: P) -> bool:
        """Whether a packet could be one of the other's and of a member's."""
        known = self._known()
        if not any(known.find(1, begin, end) >= 0 for begin, end in other.about):
            return False
        if self._ends is None:
            self._ends = (_End(), _End())
            self._place(self.members)
        source, destination = self._ends
        return not all(source.apart(one) or destination.apart(two) for one, two in other.ends)

    def meets_any(self, others: Iterable[P]) -> bool:
        """Whether any of the others, all about single ports, is about what a member is about."""
        singles = chain.from_iterable(map(_PLACES, others))
        return any(map(self._known().__getitem__, singles))

    def _known(self) -> bytearray:
        if self._map is None:
            self._map = bytearray(_OTHER + 1)
            for member in self.members:
                self._mark(self._map, member)
        return self._map

    def extend(self, more: list[P]) -> None:
        """Take more members."""
        self.members += more
        if self._map is not None:
            for member in more:
                self._mark(self._map, member)
        self._place(more)

    def _place(self, more: list[P]) -> None:
        if self._ends is not None:
            source, destination = self._ends
            for member in more:
                for one, two in member.ends:
                    source.add(one)
                    destination.add(two)

    @staticmethod
    def _mark(known: bytearray, member: P) -> None:
        for begin, end in member.about:
            if end - begin == 1:
                known[begin] = 1
            else:
                known[begin:end] = b"\1" * (end - begin)


def gather(
    members: Iterable[P],
    kind: Callable[[P], K],
    ordered: Callable[[K, K], bool] = lambda _one, _other: False,
) -> Iterator[tuple[K, list[P]]]:
    """Members by kind, in an order that means the same as the one they are in.

    Kinds that are ``ordered`` never pass each other.
    """
    groups: list[_Kind[K, P]] = []
    homes: dict[K, int] = {}
    for own, run in groupby(members, key=kind):
        more = list(run)
        home = homes.get(own)
        passed = groups[home + 1 :] if home is not None else []
        if any(ordered(group.kind, own) for group in passed):
            home = None
        if home is not None:
            stays = _passing(more, passed)
            groups[home].extend(more[:stays])
            more = more[stays:]
        if more:
            homes[own] = len(groups)
            groups.append(_Kind(own, more))
    return ((group.kind, group.members) for group in groups)


def _passing(run: list[P], passed: list[_Kind[K, P]]) -> int:
    """How many of a run can pass those kinds: who can't keeps the rest of the run with it."""
    if all(map(_PLACES, run)) and not any(kind.meets_any(run) for kind in passed):
        return len(run)
    return next(
        (at for at, one in enumerate(run) if any(kind.meets(one) for kind in passed)), len(run)
    )
