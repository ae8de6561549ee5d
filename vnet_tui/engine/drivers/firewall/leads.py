"""Which network a port of the host leads to: the elements of the maps that all networks share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from vnet_tui.engine.drivers.firewall.elements import sets_of
from vnet_tui.engine.drivers.firewall.layout import Chain
from vnet_tui.engine.drivers.firewall.ports import Claim, overlay, protocols
from vnet_tui.engine.drivers.firewall.shared import PORTS
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.resources import Forward


@dataclass(frozen=True, slots=True)
class Claiming:
    """A network's forwards, and its chain that translates (``owner``).

    ``ports`` are the elements by which they are found, where all are single ports; else none.
    """

    owner: str
    forwards: tuple[Forward, ...]
    ports: Mapping[str, str]


def claiming(owner: str, forwards: tuple[Forward, ...]) -> Claiming:
    """What a network claims; kept in mind, so that an edit looks into what is new."""
    return Claiming(owner, forwards, _single_ports(owner, forwards))


def leads(
    claiming: Sequence[Claiming], chains: dict[str, Chain]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The elements of the maps from ports to networks, single ports and ranges.

    A port that several forward gets a chain in ``chains``.
    """
    singles: dict[str, str] = {}
    ranges: dict[str, str] = {}
    if len(claiming) == 1 and claiming[0].ports:
        return claiming[0].ports, ranges
    if all(part.ports for part in claiming):
        for part in claiming:
            singles.update(part.ports)
        if len(singles) == sum(len(part.ports) for part in claiming):
            return singles, ranges
        singles.clear()
    claims: list[Claim[tuple[str, ...]]] = [
        Claim(protocols(forward.protocol), forward.ports, (part.owner,))
        for part in claiming
        for forward in part.forwards
    ]
    for piece in overlay(claims, lambda old, new: old if new[0] in old else old + new):
        target = piece.value[0]
        if len(piece.value) > 1:
            owners = hashlib.sha256(" ".join(piece.value).encode()).hexdigest()[:16]
            target = f"share_{owners}"
            chains[target] = Chain(tuple(f"jump {owner}" for owner in piece.value))
        (singles if piece.single else ranges)[str(piece)] = f"goto {target}"
    return singles, ranges


@dataclass(frozen=True, slots=True)
class _Lead:
    """The elements by which the ports of a forward lead to its network."""

    pairs: tuple[tuple[str, tuple[str, str]], ...]
    atoms: tuple[()] = ()
    spans: bool = False
    protocols: tuple[()] = ()
    ports: None = None

    def elements(self, *_: object) -> tuple[()]:
        """None: ranges are laid over those of other networks."""
        return ()


@lru_cache(maxsize=1024)
def _leading(owner: str) -> Memo[Forward, _Lead | None]:
    """How forwards lead to a network; None where that takes a range."""
    value = (PORTS, f"goto {owner}")

    def lead(forward: Forward) -> _Lead | None:
        if len(forward.ports) > 1:
            return None
        transports = protocols(forward.protocol)
        return _Lead(tuple((f"{one} . {forward.ports.first}", value) for one in transports))

    return Memo(lead)


def _single_ports(owner: str, forwards: tuple[Forward, ...]) -> Mapping[str, str]:
    """The elements by which ports lead to a network; none where some are ranges."""
    found = _leading(owner).found(forwards, owner)
    if len(found) < len(forwards):
        return {}
    return sets_of((owner, PORTS), found)[PORTS]
