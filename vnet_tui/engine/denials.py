"""What was denied, and what a rule with ``log`` let pass, as events that a person can read.

Rules tell of at most some packets a second (:mod:`vnet_tui.engine.rule_log`). Of those, what is
the same (network, direction, fate, protocol, both addresses, port) is told once, and how often it
came again when it has been quiet for a while; of what differs, only so much at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.doctor import ours
from vnet_tui.engine.drivers.nflog import LoggedPacket
from vnet_tui.engine.model import Action, Address
from vnet_tui.engine.resources import Forward
from vnet_tui.engine.rule_log import INCOMING

TOGETHER_SECONDS = 10.0
"""What comes again within this time isn't told again at once."""

AT_ONCE, PER_SECOND = 10, 1.0
"""So many tellings of one network at once, and so many more a second."""

KEPT = 1024
"""So many different connections are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A new connection that a policy denied, or let pass and was told to log.

    ``time`` is in seconds since 1970. ``direction`` is ``incoming`` or ``outgoing``; ``guest`` the
    name of the guest that is its end in the network, empty where nobody knows it. ``port`` is the
    guest's or the server's, ``asked`` the host's address and port before it was led to a guest.
    ``rule`` names the rule or default that decides such a connection now. ``times`` tells how
    many came, this one and those that were not told of since.
    """

    time: float
    network: UUID
    direction: str
    action: Action
    guest: str
    protocol: str
    source: Address
    destination: Address
    source_port: int
    port: int
    asked: tuple[Address, int] | None
    rule: str
    times: int = 1

    def __str__(self) -> str:
        """In words, for an event."""
        verb = "denied" if self.action is Action.DENY else "passed"
        ports = f"{self.protocol} {self.port}" if self.port else self.protocol
        inward = self.direction == INCOMING
        source = self._end(self.source, "" if inward else self.guest)
        target = self._end(self.destination, self.guest if inward else "")
        words = f"{verb} {ports} {source} → {target}"
        if self.asked is not None and self.asked != (self.destination, self.port):
            words += f" (asked for {self.asked[0]} port {self.asked[1]})"
        if self.times > 1:
            words += f", {self.times} times"
        return f"{words}: {self.rule}" if self.rule else words

    @staticmethod
    def _end(address: Address, name: str) -> str:
        return f"{name} ({address})" if name else str(address)


NameOf = Callable[[UUID, Address], str]
"""The name of the guest with an address; empty while nobody knows it."""

Same = tuple[object, ...]


@dataclass(slots=True)
class _Again:
    """What was told, and how often it came since."""

    packet: LoggedPacket
    since: float
    times: int = 0


class Denials:
    """Makes events of packets.

    ``tell`` gets them; ``networks`` are those that run, ``name_of`` knows their guests. ``clock``
    is in seconds, for intervals only.
    """

    def __init__(
        self,
        tell: Callable[[Denial], None],
        networks: Callable[[], Mapping[UUID, DesiredNetwork]],
        name_of: NameOf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._networks = networks
        self._name_of = name_of
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
            self._tell(self._denial(packet, 1))

    def flush(self, until: float) -> None:
        """Tell how often came again what was told until then, and forget it."""
        over = [same for same, again in self._seen.items() if again.since <= until]
        for same in over:
            again = self._seen.pop(same)
            if again.times and self._may_tell(again.packet.mark.network, self._clock()):
                self._tell(self._denial(again.packet, again.times))

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

    def _denial(self, packet: LoggedPacket, times: int) -> Denial:
        mark = packet.mark
        inward = mark.direction == INCOMING
        guest = packet.destination if inward else packet.source
        return Denial(
            time=time.time(),
            network=mark.network,
            direction=mark.direction,
            action=mark.action,
            guest=self._name_of(mark.network, guest),
            protocol=packet.protocol,
            source=packet.source,
            destination=packet.destination,
            source_port=packet.source_port,
            port=packet.port,
            asked=packet.asked,
            rule=self._rule(packet),
            times=times,
        )

    def _rule(self, packet: LoggedPacket) -> str:
        """The rule that decides such a connection now; empty where that can't be said for sure."""
        network = self._networks().get(packet.mark.network)
        if network is None:
            return ""
        decide = ours.incoming if packet.mark.direction == INCOMING else ours.outgoing
        passed = packet.mark.action is Action.ALLOW
        rulings = [decide(network, one) for one in _connections(packet, network)]
        texts = {ruling.text for ruling in rulings if ruling.allowed == passed}
        if not texts and not passed:
            texts = {f"beyond the limit of {ruling.text}" for ruling in rulings}
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
