"""Can A reach B on port P, and why: our rules first, then those of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from vnet_tui.engine.desired import IP6_FORWARD, IP_FORWARD, DesiredNetwork
from vnet_tui.engine.doctor.filters import BRIDGE_NETFILTER
from vnet_tui.engine.doctor.frames import across, at_ports, matter, pairs, ports
from vnet_tui.engine.doctor.host import SOMEWHERE
from vnet_tui.engine.doctor.journeys import (
    Journey,
    addressed,
    from_host,
    through,
    to_host,
    travel,
)
from vnet_tui.engine.doctor.lookup import Asked, look_up
from vnet_tui.engine.doctor.ours import (
    Connection,
    Decider,
    Led,
    Ruling,
    incoming,
    lead,
    outgoing,
    waiting_forwards,
)
from vnet_tui.engine.doctor.packet import CLIENT_PORT, Packet
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.model import Address, Mode
from vnet_tui.engine.views import Ref

PROTOCOLS = ("tcp", "udp", "icmp")

HOST, OUTSIDE = "host", "outside"

FindGuest = Callable[[str], frozenset[Address]]
"""Where a guest is, of whatever running network; empty while it is unknown."""


class Answer(StrEnum):
    """Whether it gets there; ``MAYBE`` where a rule can't be worked out on paper."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Can ``source`` reach ``target``? Each is a guest's name, ``host``, ``outside`` or an
    address. ``protocol`` is ``tcp``, ``udp`` or ``icmp`` (which has no port); ``family`` 4 or 6,
    None for whichever both have, IPv4 first."""

    network: Ref
    source: str
    target: str
    protocol: str = "tcp"
    port: int | None = None
    family: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer, who decided it, and what happens on the way.

    ``text`` says why in a sentence; ``where`` names the foreign table, chain and rule where one
    decides; ``steps`` tell what happens in order, up to the decision.
    """

    query: Query
    answer: Answer
    decider: Decider
    text: str
    where: str = ""
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.answer}: {self.text}"


def explain(query: Query, subject: Subject, find_guest: FindGuest) -> Explanation:
    """Answer a question about the network of ``subject``. Pure.

    Raises VnetError for a protocol, port or name that makes no sense.
    """
    _check(query)
    return _Tracer(query, subject, find_guest).explanation()


def _check(query: Query) -> None:
    if query.protocol not in PROTOCOLS:
        raise VnetError(
            f"{query.protocol!r} is no protocol to ask about", f"one of {', '.join(PROTOCOLS)}"
        )
    if query.protocol == "icmp" and query.port is not None:
        raise VnetError("ICMP has no ports", "leave the port out")
    if query.protocol != "icmp" and (query.port is None or not 1 <= query.port <= 65535):
        raise VnetError("a port from 1 to 65535 is needed", "or ask about icmp")
    if query.family not in (None, 4, 6):
        raise VnetError(f"{query.family} is no address family", "4 or 6")


class _Tracer:
    """One question being answered."""

    def __init__(self, query: Query, subject: Subject, find_guest: FindGuest) -> None:
        self._query = query
        self._subject = subject
        self._host = subject.host
        self._find_guest = find_guest
        self._steps: list[str] = []
        self._bridges = {one.bridge.name: one for one in subject.networks.values()}

    def explanation(self) -> Explanation:
        """The whole answer."""
        query = self._query
        for end in (query.source, query.target):
            if not self._is_place(end) and not self._find_guest(end):
                return self._no(
                    Decider.WAITING, f"{end} has no address now: nobody knows where it is"
                )
        version = self._family()
        if version is None:
            text = f"{query.source} and {query.target} have no address family in common"
            return self._no(Decider.ROUTE, text)
        source = self._address(query.source, version, other=query.target)
        target = self._address(query.target, version, other=query.source)
        if source is None or target is None:
            return self._no(Decider.ROUTE, "this host has no way there: no route leads there")
        protocol = query.protocol
        if protocol == "icmp" and version == 6:
            protocol = "icmpv6"
        return self._connection(Connection(source, target, protocol, query.port or 0))

    def _connection(self, asked: Connection) -> Explanation:
        here = self._host.is_local(asked.source)
        iif = "" if here else self._host.device(asked.source)
        if not here and not iif:
            return self._no(Decider.ROUTE, f"the host has no route back to {asked.source}")
        asker = self._bridges.get(iif)
        led = self._led(asked, asker) if self._host.is_local(asked.target) else None
        connection = led.connection if led else asked
        if led is not None:
            ports = f" port {connection.port}" if connection.port else ""
            self._steps.append(f"led to {connection.target}{ports} by {led.text}")
        elif self._host.is_local(asked.target):
            return self._at_host(asked, iif)
        oif = self._host.device(connection.target)
        if self._subject.routing.rules:
            asked_for = Asked(connection.source, connection.target, "lo" if here else iif)
            routed = look_up(self._subject.routing, asked_for)
            if routed.rule is not None and not routed.doubtful and routed.device != oif:
                rule = f"the routing rule '{routed.rule}'"
                if not routed.device:
                    return self._no(Decider.ROUTE, f"{rule} throws it away", str(routed.rule))
                if oif in self._bridges:
                    text = f"{rule} sends it to {routed.device}"
                    return self._no(Decider.ROUTE, text, str(routed.rule))
                oif = routed.device
        if not oif:
            return self._no(Decider.ROUTE, f"the host has no route to {connection.target}")
        packet = self._packet(connection, iif, oif)
        if here:
            text = "what the host itself opens is left alone by our rules"
            if led is not None:
                text = led.text
            decider = Decider.RULE if led is not None else Decider.NOBODY
            return self._others(from_host(self._title(), packet), decider, text)
        return self._through(connection, packet, led)

    def _through(self, connection: Connection, packet: Packet, led: Led | None) -> Explanation:
        sender, receiver = self._bridges.get(packet.iif), self._bridges.get(packet.oif)
        if packet.iif == packet.oif and led is None:
            return self._bridged(packet)
        if (off := self._not_forwarded(packet)) is not None:
            return off
        key = BRIDGE_NETFILTER[packet.version]
        if led is not None and packet.source == packet.target and self._subject.setting(key) == "1":
            # Its target is changed while it is still on the bridge (br_netfilter), which then
            # sends nothing back to the port that it came from.
            text = f"{led.text} leads back to the guest that asks, where a bridge sends nothing"
            return self._no(Decider.SETTING, f"{text}: {key} = 1", key)
        rulings: list[Ruling] = []
        if sender is receiver and sender is not None and led is not None:
            rulings.append(Ruling(True, Decider.RULE, led.text))
        else:
            if sender is not None:
                rulings.append(outgoing(sender, connection))
            if receiver is not None:
                rulings.append(incoming(receiver, connection))
        for ruling in rulings:
            self._steps += [f"{text} waits for its guest" for text in ruling.waiting]
            self._steps.append(f"{'let pass' if ruling.allowed else 'denied'} by {ruling.text}")
            if not ruling.allowed:
                return self._denied(ruling)
        if not rulings:
            last = Ruling(True, Decider.NOBODY, "it has nothing to do with our networks")
        else:
            last = rulings[-1]
        own = None
        if sender is not None and sender.rules.mode is Mode.NAT and receiver is not sender:
            own = self._host.address_on(packet.oif, packet.version)
            if own is not None and receiver is None:
                self._steps.append(f"leaves as {own} (masquerade of {sender.record.name})")
        journey = through(self._title(), packet, masqueraded=own)
        return self._others(
            journey, last.decider, f"let pass by {last.text}" if rulings else last.text
        )

    def _denied(self, ruling: Ruling) -> Explanation:
        if ruling.waiting:
            text = f"{ruling.waiting[0]} waits for its guest; denied by {ruling.text}"
            return self._no(Decider.WAITING, text)
        return self._no(ruling.decider, f"denied by {ruling.text}")

    def _bridged(self, packet: Packet) -> Explanation:
        network = self._bridges.get(packet.iif)
        name = network.record.name if network else packet.iif
        text = f"both are on {name}: the bridge carries it, and no rule of ours is asked"
        key = BRIDGE_NETFILTER[packet.version]
        ways = [
            across(self._title(), packet, packet.iif, *pair)
            for pair in pairs(ports(self._subject, packet.iif))
        ]
        found = self._judged(ways, Decider.SAME_NETWORK, text)
        if found.answer is not Answer.YES or self._subject.setting(key) != "1":
            return found
        self._steps.append(f"bridged packets go through the IP tables ({key} = 1)")
        return self._judged([through(self._title(), packet)], Decider.SAME_NETWORK, text)

    def _at_host(self, connection: Connection, iif: str) -> Explanation:
        waiting = waiting_forwards(self._subject.networks.values(), connection)
        self._steps += [f"{text} waits for its guest" for text in waiting]
        text = "it reaches the host itself, where our rules open and close nothing"
        decider = Decider.NOBODY
        if waiting:
            decider = Decider.WAITING
            text = f"{waiting[0]} waits for its guest, so that it reaches the host itself"
        packet = self._packet(connection, iif or "lo", "")
        return self._others(to_host(self._title(), packet), decider, text)

    def _led(self, connection: Connection, asker: DesiredNetwork | None) -> Led | None:
        own = None
        if asker is not None and self._host.addresses.get(connection.target) == asker.bridge.name:
            own = asker
        return lead(self._subject.networks.values(), connection, own)

    def _not_forwarded(self, packet: Packet) -> Explanation | None:
        keys = [IP6_FORWARD]
        if packet.version == 4:
            keys = [IP_FORWARD, f"net/ipv4/conf/{packet.iif}/forwarding"]
        for key in keys:
            if self._subject.setting(key) == "0":
                return self._no(Decider.SETTING, f"this host doesn't forward: {key} = 0", key)
        return None

    def _others(self, journey: Journey, decider: Decider, text: str) -> Explanation:
        """The answer, if the tables of others have nothing against it."""
        return self._judged(self._at_ports(journey), decider, text)

    def _at_ports(self, journey: Journey) -> list[Journey]:
        """The journey as guests at any of the ports make it, where that makes a difference."""
        if not matter(self._subject.others.tables):
            return [journey]
        at = {bridge: ports(self._subject, bridge) for bridge in self._bridges}
        most = max((len(of) for of in at.values()), default=0)
        return [
            at_ports(journey, {bridge: of[turn % len(of)] for bridge, of in at.items() if of})
            for turn in range(max(most, 1))
        ]

    def _judged(self, journeys: Sequence[Journey], decider: Decider, text: str) -> Explanation:
        """The answer, if the tables of others have nothing against any of these ways, of which it
        isn't known which one is taken."""
        arrivals = [travel(journey, self._subject.others.tables) for journey in journeys]
        stopped = [arrival for arrival in arrivals if arrival.stop is not None]
        if not stopped:
            return self._yes(decider, text)
        arrival = stopped[0]
        assert arrival.stop is not None  # noqa: S101  (they are stopped)
        place = arrival.stop.place
        back = arrival.stage is not None and arrival.stage.packet.reply
        way = "the answer" if back else "it"
        if (doubt := arrival.stop.doubt) is not None:
            which = "which" if doubt == place else f"depending on {doubt}, which"
            sentence = f"{text}; but {way} may be stopped by {place}, {which} can't be worked out"
            return self._explained(Answer.MAYBE, Decider.FOREIGN, sentence, str(place))
        if not all(one.blocked for one in arrivals):
            sentence = f"{text}; but {way} is stopped by {place} at some of the ports"
            return self._explained(Answer.MAYBE, Decider.FOREIGN, sentence, str(place))
        self._steps.append(f"{way} is stopped by {place}")
        return self._no(Decider.FOREIGN, f"{way} is stopped by {place}", str(place))

    def _packet(self, connection: Connection, iif: str, oif: str) -> Packet:
        icmp = connection.protocol.startswith("icmp")
        packet = Packet(
            protocol=connection.protocol,
            source=connection.source,
            target=connection.target,
            iif=iif,
            oif=oif,
            sport=0 if icmp else CLIENT_PORT,
            dport=connection.port,
            icmp_type="echo-request" if icmp else "",
            translated=connection.asked is not None,
            asked=connection.asked,
            asked_port=connection.asked_port or 0,
        )
        return addressed(self._host, packet)

    def _is_place(self, end: str) -> bool:
        return end in (HOST, OUTSIDE) or _literal(end) is not None

    def _family(self) -> int | None:
        ends = (self._query.source, self._query.target)
        wanted = (self._query.family,) if self._query.family else (4, 6)
        common = [version for version in wanted if all(self._has(end, version) for end in ends)]
        return common[0] if common else None

    def _has(self, end: str, version: int) -> bool:
        if (literal := _literal(end)) is not None:
            return literal.version == version
        if end == HOST:
            return True
        if end == OUTSIDE:
            return self._host.route(SOMEWHERE[version]) is not None
        return any(one.version == version for one in self._find_guest(end))

    def _address(self, end: str, version: int, *, other: str) -> Address | None:
        if (literal := _literal(end)) is not None:
            return literal
        if end == OUTSIDE:
            return SOMEWHERE[version]
        if end == HOST:
            return self._hosts_address(version, other)
        return min(one for one in self._find_guest(end) if one.version == version)

    def _hosts_address(self, version: int, other: str) -> Address | None:
        """The host's address on the side of the other end."""
        if other == HOST:
            return self._subject.gateway(version)
        far = self._address(other, version, other=HOST)
        if far is not None and self._host.is_local(far):
            return far  # who asks his own address comes from it, 127.0.0.1 too
        device = self._host.device(far) if far is not None else ""
        return self._host.address_on(device, version)

    def _title(self) -> str:
        return f"{self._query.source} to {self._query.target}"

    def _yes(self, decider: Decider, text: str) -> Explanation:
        return self._explained(Answer.YES, decider, text)

    def _no(self, decider: Decider, text: str, where: str = "") -> Explanation:
        return self._explained(Answer.NO, decider, text, where)

    def _explained(
        self, answer: Answer, decider: Decider, text: str, where: str = ""
    ) -> Explanation:
        return Explanation(
            query=self._query,
            answer=answer,
            decider=decider,
            text=text,
            where=where,
            steps=tuple(self._steps),
        )


def _literal(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
