"""From counters to traffic: rates since the last sample, and ten minutes of history.

Pure: no clock, no system. An interval between two samples costs under a microsecond an interface
(for the history); what a sample shows is worked out when somebody looks at it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import nan
from uuid import UUID

from vnet_tui.engine.readings import NO_READINGS, Counters, Readings
from vnet_tui.engine.rule_counters import NetworkCounters
from vnet_tui.engine.views import (
    HistoryPoint,
    HostLink,
    NetworkTraffic,
    Rates,
    Sample,
    Totals,
    Traffic,
)

KEPT_SAMPLES = 600
"""Ten minutes, at one sample a second."""

KEPT_GONE = 256
"""Histories of ports and networks that are gone are kept, for when they come back (a restart),
but no more than this many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Which interfaces are a network: its bridge's index, and its ports' names by index.

    A bridge counts what guests and host, or the world beyond it, send each other; what guests of
    one network send among themselves is seen at their ports only. What it hands to the host it
    counts without the Ethernet header's 14 bytes (``br_pass_frame_up``).
    """

    bridge: int
    ports: Mapping[int, str] = field(default_factory=dict)


Topology = Mapping[UUID, Wiring]

OwnLinks = Mapping[int, tuple[str, HostLink]]
"""The host's own links by index: their names, and what is known of them but for the traffic."""

NOT_MEASURED = Traffic(rates=Rates(), totals=Totals())
"""As of a link about which nothing is known yet."""

Counted = Mapping[UUID, NetworkCounters]
"""What the firewall counted, by network."""

NOTHING_COUNTED: Counted = {}
NO_COUNTERS = NetworkCounters()


class Meter:
    """Measures all networks of a topology, which may change at any time.

    An interface is known by its index, so that one which is made anew under an old name begins
    anew; a history, by the network and the port's name, so that it goes on. An interval over which
    an interface's counters went backwards, or at whose beginning it wasn't there, has no rate: it
    counts as zero in a sample and is left out of the history.
    """

    def __init__(self, kept: int = KEPT_SAMPLES, kept_gone: int = KEPT_GONE) -> None:
        self._kept = kept
        self._kept_gone = kept_gone
        self._topology: Topology = {}
        self._links: OwnLinks = {}
        self._own: OwnLinks = {}
        self._times = array("d", [0.0]) * kept
        self._elapsed = array("d", [0.0]) * kept
        self._number = 0
        self._readings = NO_READINGS
        self._moment = 0.0
        self._series: dict[_Key, _Series] = {}
        self._gone: dict[_Key, _Series] = {}
        self._rows: list[tuple[int, array[float], array[float]]] = []

    @property
    def topology(self) -> Topology:
        """Which interfaces are measured."""
        return self._topology

    @topology.setter
    def topology(self, topology: Topology) -> None:
        self._topology = topology
        self._arrange()

    @property
    def links(self) -> OwnLinks:
        """Which links of the host's own are measured: of those that were set, the ones that are
        no part of a network."""
        return self._own

    @links.setter
    def links(self, links: OwnLinks) -> None:
        self._links = links
        self._arrange()

    def _arrange(self) -> None:
        """Go on with the histories of what is measured now."""
        current: dict[_Key, _Series] = {}
        rows = []
        ours = set()
        for network, wiring in self._topology.items():
            for index, port in ((wiring.bridge, None), *wiring.ports.items()):
                series = current[network, port] = self._revive((network, port))
                rows.append((index, series.ins, series.outs))
                ours.add(index)
        self._own = {index: link for index, link in self._links.items() if index not in ours}
        for index, (name, _) in self._own.items():
            series = current[None, name] = self._revive((None, name))
            rows.append((index, series.outs, series.ins))
        for key, series in self._series.items():
            if key not in current:
                series.until = self._number
                self._gone[key] = series
        for key in list(self._gone)[: max(0, len(self._gone) - self._kept_gone)]:
            del self._gone[key]
        self._series = current
        self._rows = rows

    def _revive(self, key: _Key) -> _Series:
        """The history of an interface: as it is, or as it was before it went, or a new one."""
        if series := self._series.get(key):
            return series
        series = self._gone.pop(key, None)
        if series is None:
            return _Series(self._kept, self._number)
        for number in range(max(series.until, self._number - self._kept), self._number):
            series.ins[number % self._kept] = series.outs[number % self._kept] = nan
        return series

    def pause(self) -> None:
        """Forget the last counters: the next sample, some time later, has no rates."""
        self._readings = NO_READINGS

    def record(
        self, readings: Readings, moment: float, time: float, counted: Counted = NOTHING_COUNTED
    ) -> Sample:
        """Take counters read at ``moment`` (seconds of a clock that never jumps), which for
        people was ``time`` (seconds since 1970), into the history; the sample that they make,
        with what the firewall had ``counted`` by then."""
        elapsed = moment - self._moment
        earlier = self._readings if elapsed > 0 else NO_READINGS
        slot = self._number % self._kept
        self._times[slot], self._elapsed[slot] = time, elapsed
        place_now, place_then = readings.places.get, earlier.places.get
        (in_now, out_now, *_), (in_then, out_then, *_) = readings.columns, earlier.columns
        for index, ins, outs in self._rows:
            now, then = place_now(index), place_then(index)
            if now is None or then is None:
                ins[slot] = outs[slot] = nan
            else:
                ins[slot] = in_now[now] - in_then[then]
                outs[slot] = out_now[now] - out_then[then]
        self._number += 1
        self._readings, self._moment = readings, moment
        interval = _Interval(readings, earlier, elapsed)
        return Sample(
            time=time,
            networks=_Networks(self._topology, interval, counted),
            links=_Links(self._own, _Mirrored(readings, earlier, elapsed)),
        )

    def history(self, network: UUID | None, port: str | None = None) -> tuple[HistoryPoint, ...]:
        """What is known of the last ten minutes of a network's bridge, or of one of its ports,
        oldest first; without a network, of the host's own link of that name. Nothing for what
        isn't measured."""
        series = self._series.get((network, port))
        if series is None:
            return ()
        points = []
        for number in range(max(series.since, self._number - self._kept), self._number):
            slot = number % self._kept
            in_bytes, out_bytes = series.ins[slot], series.outs[slot]
            if in_bytes >= 0 and out_bytes >= 0:
                scale = 8 / self._elapsed[slot]
                points.append(
                    HistoryPoint(
                        time=self._times[slot], in_bits=in_bytes * scale, out_bits=out_bytes * scale
                    )
                )
        return tuple(points)


_Key = tuple[UUID | None, str | None]


class _Series:
    """Rings of the bytes that passed in each interval, from sample number ``since`` on.

    Not a number where that is unknown, less than zero where the counters went backwards.
    """

    __slots__ = ("ins", "outs", "since", "until")

    def __init__(self, kept: int, since: int) -> None:
        self.ins = array("f", [nan]) * kept
        self.outs = array("f", [nan]) * kept
        self.since = since
        self.until = 0


def _traffic(now: Counters, then: Counters | None, elapsed: float) -> Traffic:
    """Traffic between two readings of one interface."""
    in_bytes, out_bytes, in_packets, out_packets, in_drops, out_drops = now
    rates = Rates()
    if then is not None and all(map(int.__ge__, now, then)):
        rates = Rates(
            in_bits=(in_bytes - then[0]) * 8 / elapsed,
            out_bits=(out_bytes - then[1]) * 8 / elapsed,
            in_packets=(in_packets - then[2]) / elapsed,
            out_packets=(out_packets - then[3]) / elapsed,
            in_drops=(in_drops - then[4]) / elapsed,
            out_drops=(out_drops - then[5]) / elapsed,
        )
    totals = Totals(
        in_bytes=in_bytes,
        out_bytes=out_bytes,
        in_packets=in_packets,
        out_packets=out_packets,
        in_drops=in_drops,
        out_drops=out_drops,
    )
    return Traffic(rates=rates, totals=totals)


def _mirrored(counters: Counters) -> Counters:
    """The other way round: what a link of the host's own receives goes towards the guests."""
    in_bytes, out_bytes, in_packets, out_packets, in_drops, out_drops = counters
    return (out_bytes, in_bytes, out_packets, in_packets, out_drops, in_drops)


class _Interval:
    """Two readings, and the seconds between them."""

    __slots__ = ("_elapsed", "_now", "_then")

    def __init__(self, now: Readings, then: Readings, elapsed: float) -> None:
        self._now = now
        self._then = then
        self._elapsed = elapsed

    def __contains__(self, index: int) -> bool:
        """Whether an interface was there at the end."""
        return index in self._now.places

    def traffic(self, index: int) -> Traffic | None:
        """What passed an interface, if it was there at the end."""
        now, then = self._now.get(index), self._then.get(index)
        return None if now is None else _traffic(now, then, self._elapsed)


class _Mirrored(_Interval):
    """The same, in the view of the host's own links."""

    __slots__ = ()

    def traffic(self, index: int) -> Traffic | None:
        """What passed a link, if it was there at the end."""
        now, then = self._now.get(index), self._then.get(index)
        if now is None:
            return None
        return _traffic(_mirrored(now), then and _mirrored(then), self._elapsed)


class _Networks(Mapping[UUID, NetworkTraffic]):
    """The networks of a sample, each worked out when it is first asked for."""

    __slots__ = ("_counted", "_interval", "_made", "_topology")

    def __init__(self, topology: Topology, interval: _Interval, counted: Counted) -> None:
        self._topology = topology
        self._interval = interval
        self._counted = counted
        self._made: dict[UUID, NetworkTraffic] = {}

    def __getitem__(self, network: UUID) -> NetworkTraffic:
        made = self._made.get(network)
        if made is None:
            wiring = self._topology[network]
            traffic = self._interval.traffic(wiring.bridge)
            if traffic is None:
                raise KeyError(network)
            ports = _Ports(wiring.ports, self._interval)
            counted = self._counted.get(network, NO_COUNTERS)
            made = self._made[network] = NetworkTraffic(
                traffic=traffic,
                ports=ports,
                port_count=len(wiring.ports),
                rules=counted.rules,
                guests=counted.guests,
            )
        return made

    def __iter__(self) -> Iterator[UUID]:
        there = self._interval
        return (network for network, wiring in self._topology.items() if wiring.bridge in there)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Ports(Mapping[str, Traffic]):
    """The ports of a network in a sample, each worked out when it is first asked for."""

    __slots__ = ("_indexes", "_interval", "_made", "_wired")

    def __init__(self, wired: Mapping[int, str], interval: _Interval) -> None:
        self._wired = wired
        self._interval = interval
        self._indexes: dict[str, int] | None = None
        self._made: dict[str, Traffic] = {}

    def _there(self) -> dict[str, int]:
        if self._indexes is None:
            there = self._interval
            self._indexes = {name: index for index, name in self._wired.items() if index in there}
        return self._indexes

    def __getitem__(self, name: str) -> Traffic:
        made = self._made.get(name)
        if made is None:
            made = self._interval.traffic(self._there()[name])
            if made is None:
                raise KeyError(name)
            self._made[name] = made
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._there())

    def __len__(self) -> int:
        return len(self._there())


class _Links(Mapping[str, HostLink]):
    """The host's own links in a sample, each worked out when it is asked for."""

    __slots__ = ("_known", "_measured")

    def __init__(self, links: OwnLinks, interval: _Interval) -> None:
        self._known = dict(links.values())
        self._measured = _Ports({index: name for index, (name, _) in links.items()}, interval)

    def __getitem__(self, name: str) -> HostLink:
        return replace(self._known[name], traffic=self._measured[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._measured)

    def __len__(self) -> int:
        return len(self._measured)
