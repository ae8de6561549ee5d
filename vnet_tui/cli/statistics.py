"""``network-stats``: what flows, once a second, or once for Prometheus."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, cast
from uuid import UUID

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.session import Session
from vnet_tui.engine.views import NetworkTraffic, Sample

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


async def network_stats(session: Session, args: Arguments) -> int:
    """Show what flows through running networks, until interrupted or --count is reached."""
    connection = await session.connection(watch=True)
    chosen = {(await connection.network(ref)).uuid for ref in args.texts("network")}
    whole = session.json or args.flag("prometheus")
    samples = connection.samples((tuple(chosen) or None) if whole else ())
    left = args.whole("count")
    async with aclosing(cast("AsyncGenerator[Sample]", samples)):
        async for sample in samples:
            names = {info.uuid: info.name for info in await connection.networks()}
            networks = {
                uuid: traffic
                for uuid, traffic in sample.networks.items()
                if uuid in names and (not chosen or uuid in chosen)
            }
            if args.flag("prometheus"):
                from vnet_tui.cli.prometheus import exposition

                rules = {uuid: await connection.rules(uuid) for uuid in networks}
                print(exposition(networks, names, rules), end="", flush=True)
                return 0
            _tell(session, sample.time, networks, names)
            if left is not None:
                left -= 1
                if left <= 0:
                    break
    return 0


def _tell(
    session: Session,
    time: float,
    networks: dict[UUID, NetworkTraffic],
    names: dict[UUID, str],
) -> None:
    from vnet_tui.units import bit_rate, clock, packet_rate

    if session.json:
        named = [
            {"name": names[uuid], "uuid": uuid, **_fields(traffic)}
            for uuid, traffic in networks.items()
        ]
        session.line("", {"time": time, "networks": named})
        return
    for uuid, traffic in sorted(networks.items(), key=lambda one: names[one[0]]):
        rates = traffic.traffic.rates
        print(
            f"{clock(time)}  {names[uuid]:<16} in {bit_rate(rates.in_bits)} "
            f"{packet_rate(rates.in_packets)}  out {bit_rate(rates.out_bits)} "
            f"{packet_rate(rates.out_packets)}",
            flush=True,
        )


def _fields(traffic: NetworkTraffic) -> dict[str, object]:
    from vnet_tui.cli.plain import plain

    return cast("dict[str, object]", plain(traffic))
