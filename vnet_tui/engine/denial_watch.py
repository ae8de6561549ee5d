"""Events of what policies deny or log, for as long as somebody watches."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from vnet_tui.engine.denials import Denials, denial, guest_end
from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.drivers.nflog import LoggedPacket, Nflog, TakenError
from vnet_tui.engine.errors import DriverError, StoreError
from vnet_tui.engine.guests import name_at
from vnet_tui.engine.leases import read_leases
from vnet_tui.engine.model import Action
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import Denial, Event, EventKind, Lease

TAKEN_SECONDS = 2.0
"""How long to leave the group to another engine before asking for it again."""

LACKING_SECONDS = 60.0
"""The same where the kernel can't give it: somebody may load a module."""

_log = logging.getLogger(__name__)


class DenialWatch:
    """Reads the NFLOG group whenever it is free, and publishes what it tells.

    Beside an engine that reads it already this one waits: both hear of all events of their run
    directory. ``network`` gives the networks of this engine; what others log isn't told.
    """

    def __init__(
        self,
        paths: Paths,
        network: Callable[[UUID], DesiredNetwork | None],
        publish: Callable[[Event], None],
    ) -> None:
        self._paths = paths
        self._network = network
        self._publish = publish
        self._lacking = ""

    async def run(self) -> None:
        """Read and publish until this is cancelled."""
        while True:
            try:
                log = Nflog()
            except (DriverError, OSError) as error:  # OSError: no netfilter at all
                if str(error) != self._lacking:
                    _log.debug("%s", error)
                self._lacking = str(error)
                taken = isinstance(error, TakenError)
                await asyncio.sleep(TAKEN_SECONDS if taken else LACKING_SECONDS)
                continue
            self._lacking = ""
            try:
                await self._follow(log)
            finally:
                log.close()
            await asyncio.sleep(TAKEN_SECONDS)  # the socket broke

    async def _follow(self, log: Nflog) -> None:
        """Tell of what one socket hears. Packets are taken as they come; what is told of them is
        worked out one after another, in a thread."""
        waiting: asyncio.Queue[tuple[LoggedPacket, int]] = asyncio.Queue()
        telling = asyncio.create_task(self._tell(waiting))
        try:
            await Denials(lambda packet, times: waiting.put_nowait((packet, times))).run(log)
        finally:
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling

    async def _tell(self, waiting: asyncio.Queue[tuple[LoggedPacket, int]]) -> None:
        while True:
            packet, times = await waiting.get()
            network = self._network(packet.mark.network)
            if network is not None:
                told = await asyncio.to_thread(self._denial, packet, times, network)
                self._publish(_event(told, network.record.name))

    def _denial(self, packet: LoggedPacket, times: int, network: DesiredNetwork) -> Denial:
        leases: tuple[Lease, ...] = ()
        with contextlib.suppress(StoreError):  # then the guest has no name
            leases = read_leases(self._paths, packet.mark.network)
        guest = name_at(network.network, leases, guest_end(packet))
        return denial(packet, times, network, guest, time.time())


def _event(told: Denial, name: str) -> Event:
    return Event(
        time=datetime.fromtimestamp(told.time, UTC),
        kind=EventKind.DENIED if told.action is Action.DENY else EventKind.LOGGED,
        network=told.network,
        name=name,
        message=str(told),
        denial=told,
    )
