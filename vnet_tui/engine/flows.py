"""Who talks with whom: the tracked connections of a network, with their rates."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vnet_tui.engine.model import Address, Interface
from vnet_tui.engine.views import Flow, Flows

if TYPE_CHECKING:
    from vnet_tui.engine.drivers.conntrack import Tracked

LEAST = 0.5
"""Seconds between two looks that give a rate: whoever asks sooner gets the earlier ones."""

OLD = 15.0
"""Seconds after which an earlier look gives no rate any more."""

_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}

_Counted = tuple[int, int]
"""Bytes in and out."""


@dataclass(frozen=True, slots=True)
class _Look:
    time: float
    counted: Mapping[int, _Counted]
    rates: Mapping[int, tuple[float, float]]


class FlowMeter:
    """Makes rates of totals, for one network. ``clock`` tells seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: _Look | None = None

    def flows(self, tracked: Iterable[Tracked], ips: Collection[Interface], most: int) -> Flows:
        """The connections as they are now, the ``most`` busiest; ``ips`` are the host's addresses
        on the network: others in their subnets are guests."""
        now = self._clock()
        found = [flow for one in tracked if (flow := _flow(one, ips)) is not None]
        counted = {
            flow.id: (flow.in_bytes, flow.out_bytes)
            for flow in found
            if flow.in_bytes is not None and flow.out_bytes is not None
        }
        rates = self._rates(now, counted)
        rated = [_rated(flow, rates.get(flow.id)) for flow in found]
        rated.sort(key=_busyness, reverse=True)
        return Flows(time=now, total=len(rated), flows=tuple(rated[:most]))

    def _rates(
        self, now: float, counted: Mapping[int, _Counted]
    ) -> Mapping[int, tuple[float, float]]:
        last = self._last
        if last is not None and 0 <= now - last.time < LEAST:
            return last.rates
        rates: dict[int, tuple[float, float]] = {}
        if last is not None and LEAST <= now - last.time <= OLD:
            seconds = now - last.time
            for id_, (into, out) in counted.items():
                # A connection that is new carried all that it carried since then.
                before_in, before_out = last.counted.get(id_, (0, 0))
                rates[id_] = (
                    max(0, into - before_in) * 8 / seconds,
                    max(0, out - before_out) * 8 / seconds,
                )
        self._last = _Look(now, counted, rates)
        return rates


def _busyness(flow: Flow) -> tuple[float, int]:
    return (
        (flow.in_bits or 0.0) + (flow.out_bits or 0.0),
        (flow.in_bytes or 0) + (flow.out_bytes or 0),
    )


def _flow(one: Tracked, ips: Collection[Interface]) -> Flow | None:
    """The connection as the guest sees it; None where no guest has part in it, or only one who
    speaks to all."""
    by_guest = _is_guest(one.source.address, ips)
    if one.asked.address.is_multicast or not (by_guest or _is_guest(one.target.address, ips)):
        return None
    guest, peer = (one.source, one.target) if by_guest else (one.target, one.source)
    into, out = (one.answered, one.sent) if by_guest else (one.sent, one.answered)
    translated = not by_guest and one.asked != one.target
    return Flow(
        id=one.id,
        protocol=_PROTOCOLS.get(one.protocol, str(one.protocol)),
        opened="out" if by_guest else "in",
        guest=guest.address,
        guest_port=guest.port,
        peer=peer.address,
        peer_port=peer.port,
        asked=one.asked.address if translated else None,
        asked_port=one.asked.port if translated else 0,
        in_packets=into[0] if into else None,
        in_bytes=into[1] if into else None,
        out_packets=out[0] if out else None,
        out_bytes=out[1] if out else None,
        state=one.state,
    )


def _rated(flow: Flow, rates: tuple[float, float] | None) -> Flow:
    if rates is None:
        return flow
    return replace(flow, in_bits=rates[0], out_bits=rates[1])


def _is_guest(address: Address, ips: Collection[Interface]) -> bool:
    return any(
        address in ip.network and address != ip.ip for ip in ips if ip.version == address.version
    )
