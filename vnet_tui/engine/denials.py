"""What was denied, and what a rule with ``log`` let pass, as events that a person can read.

Rules tell of at most some packets a second (:mod:`vnet_tui.engine.rule_log`). Of those, what is
the same (network, direction, fate, protocol, both addresses, port) is told once, and how often it
came again when it has been quiet for a while; of what differs, only so much at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterable, Callable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.doctor import ours
from vnet_tui.engine.drivers.nflog import LoggedPacket
from vnet_tui.engine.model import Action, Address
from vnet_tui.engine.resources import Forward
from vnet_tui.engine.rule_log import INCOMING
from vnet_tui.engine.views import Denial

TOGETHER_SECONDS = 10.0
"""What comes again within this time isn't told again at once."""

AT_ONCE, PER_SECOND = 10, 1.0
"""So many tellings of one network at once, and so many more a second."""

KEPT = 1024
"""So many different connections are remembered."""


Same = tuple[object, ...]


@dataclass(slots=True)
class _Again:
    """What was told, and how often it came since."""

    packet: LoggedPacket
    since: float
    times: int = 0


class Denials:
    """Which packets are told of, and when.

    ``tell`` gets each, with how many came like it. ``clock`` is in seconds, for intervals only.
    """

    def __init__(
        self,
        tell: Callable[[LoggedPacket, int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._seen: dict[Same, _Again] = {}
        self._allowance: dict[UUID, tuple[float, float]] = {}

    async def run(self, packets: AsyncIterable[LoggedPacket]) -> None:
        """Tell of all packets, until there are no more or this is cancelled."""
        sweeping = asyncio.create_task(self._sweep())
        try:
            async for packet in packets:
                self.take(packet)
        finally:
            sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeping

    def take(self, packet: LoggedPacket) -> None:
        """One packet: told, or counted for later."""
        now = self._clock()
        same = _same(packet)
        known = self._seen.get(same)
        if known is not None:
            known.times += 1
            return
        if len(self._seen) >= KEPT:
            self.flush(self._seen[next(iter(self._seen))].since)
        told = self._may_tell(packet.mark.network, now)
        self._seen[same] = _Again(packet, now, times=0 if told else 1)
        if told:
            self._tell(packet, 1)

    def flush(self, until: float) -> None:
        """Tell how often came again what was told until then, and forget it."""
        over = [same for same, again in self._seen.items() if again.since <= until]
        for same in over:
            again = self._seen.pop(same)
            if again.times and self._may_tell(again.packet.mark.network, self._clock()):
                self._tell(again.packet, again.times)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(TOGETHER_SECONDS / 10)
            self.flush(self._clock() - TOGETHER_SECONDS)

    def _may_tell(self, network: UUID, now: float) -> bool:
        """Draw on a network's allowance: one that is flooded doesn't hide the others."""
        left, since = self._allowance.get(network, (float(AT_ONCE), now))
        left = min(float(AT_ONCE), left + (now - since) * PER_SECOND)
        self._allowance[network] = (left - 1 if left >= 1 else left, now)
        return left >= 1


def denial(
    packet: LoggedPacket, times: int, network: DesiredNetwork, guest: str, now: float
) -> Denial:
    """What is told of a packet of ``network``, at one end of which is a guest of that name.

    Pure. With thousands of rules it takes milliseconds.
    """
    mark, asked = packet.mark, packet.asked
    return Denial(
        time=now,
        network=mark.network,
        direction=mark.direction,
        action=mark.action,
        guest=guest,
        protocol=packet.protocol,
        source=packet.source,
        destination=packet.destination,
        source_port=packet.source_port,
        port=packet.port,
        asked=asked[0] if asked else None,
        asked_port=asked[1] if asked else 0,
        rule=_rule(packet, network),
        times=times,
    )


def guest_end(packet: LoggedPacket) -> Address:
    """The end of a connection that is in the network whose policy told of it."""
    return packet.destination if packet.mark.direction == INCOMING else packet.source


def _rule(packet: LoggedPacket, network: DesiredNetwork) -> str:
    """The rule that decides such a connection now; empty where that can't be said for sure."""
    decide = ours.incoming if packet.mark.direction == INCOMING else ours.outgoing
    passed = packet.mark.action is Action.ALLOW
    rulings = [decide(network, one) for one in _connections(packet, network)]
    texts = {ruling.text for ruling in rulings if ruling.allowed == passed}
    beyond = {ruling.text for ruling in rulings if ruling.allowed and ruling.limited}
    if not passed:
        texts |= {f"beyond the limit of {text}" for text in beyond}
    return texts.pop() if len(texts) == 1 else ""


def _connections(packet: LoggedPacket, network: DesiredNetwork) -> Iterator[ours.Connection]:
    """What a packet can be the first of: one connection, unless the kernel doesn't tell where it
    was opened to (it was built without ``CONFIG_NETFILTER_NETLINK_GLUE_CT``)."""
    plain = ours.Connection(
        source=packet.source,
        target=packet.destination,
        protocol=packet.protocol,
        port=packet.port,
    )
    there = (packet.destination, packet.port)
    if packet.asked is not None and packet.asked != there:
        yield replace(plain, asked=packet.asked[0], asked_port=packet.asked[1])
        return
    yield plain
    if packet.asked is None and packet.mark.direction == INCOMING:
        for rule in network.rules.incoming.rules:
            if isinstance(rule, Forward) and packet.destination in rule.guests:
                first, last = rule.guest_ports.first, rule.guest_ports.last
                if first <= packet.port <= last:
                    at = packet.port - first if len(rule.guest_ports) > 1 else 0
                    address = rule.address.network_address if rule.address else packet.destination
                    yield replace(plain, asked=address, asked_port=rule.ports.first + at)


def _same(packet: LoggedPacket) -> Same:
    return packet.mark, packet.protocol, packet.source, packet.destination, packet.port
