"""The links of a network namespace, for the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from vnet_tui.engine.drivers.links.look import Look
from vnet_tui.engine.drivers.links.messages import LinkMessage
from vnet_tui.engine.drivers.links.speed import link_speeds
from vnet_tui.engine.drivers.links.watch import LinkWatch, listen
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Interface
from vnet_tui.engine.resources import BridgeSettings, BridgeSpec, LinkSnapshot

if TYPE_CHECKING:
    from vnet_tui.engine.drivers.links.change import Change

_T = TypeVar("_T")


class Links:
    """Interfaces, addresses and routes of one network namespace, and bridges to make there.

    All requests run in one thread of its own: the kernel holds its caller while it works, 40 ms
    for the deletion of a bridge, and the event loop has other things to do. A request that was
    begun is ended, also when the caller is cancelled. Errors are
    :class:`~vnet_tui.engine.errors.DriverError`; what is done and tolerated is told by the
    methods of the same names of :class:`~vnet_tui.engine.drivers.links.change.Change`.
    """

    def __init__(self, thread: ThreadPoolExecutor, look: Look) -> None:
        self._thread = thread
        self._look = look
        self._change: Change | None = None

    @classmethod
    async def open(cls) -> Links:
        """The links of the network namespace that the calling thread is in."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="links")
        try:
            look = await asyncio.get_running_loop().run_in_executor(thread, Look)
        except OSError as error:
            thread.shutdown()
            raise DriverError(f"opening a netlink socket: {error.strerror}") from error
        return cls(thread, look)

    async def close(self) -> None:
        """Let go, after what is under way."""
        await self._run(self._close)
        self._thread.shutdown()

    async def __aenter__(self) -> Links:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def snapshot(self) -> LinkSnapshot:
        """All interfaces with their addresses, and the routes of the main table."""
        return await self._run(self._look.snapshot)

    async def speeds(self, names: Sequence[str]) -> Mapping[str, float]:
        """What those of these interfaces carry that tell it, in bits a second."""
        return await self._run(lambda: link_speeds(names))

    async def forwarding_database(self, bridge: str | int) -> Mapping[str, str]:
        """Behind which port a bridge (by name or index) has learned each MAC, as of now; empty
        where there is no such bridge."""
        return await self._run(lambda: self._look.learned(bridge))

    async def watch(self) -> LinkWatch:
        """What changes from now on; to be closed by the caller."""

        async def look() -> Mapping[int, LinkMessage]:
            return await self._run(self._look.links)

        heard = await self._run(listen)
        try:
            return LinkWatch(heard, await look(), look)
        except BaseException:
            heard.close()
            raise

    async def create_bridge(self, spec: BridgeSpec) -> None:
        """Make a bridge, down; an error if the name is taken."""
        await self._run(lambda: self._changer().create_bridge(spec))

    async def mark_bridge(self, spec: BridgeSpec) -> None:
        """Put the mark on a bridge that was just made, and bring it up."""
        await self._run(lambda: self._changer().mark_bridge(spec))

    async def delete_bridge(self, name: str) -> None:
        """Delete a bridge, if it is there."""
        await self._run(lambda: self._changer().delete_bridge(name))

    async def raise_bridge(self, name: str) -> None:
        """Bring a bridge up."""
        await self._run(lambda: self._changer().raise_bridge(name))

    async def attach(self, bridge: str, ports: tuple[str, ...]) -> None:
        """Make interfaces ports of a bridge, those that are there and free."""
        await self._run(lambda: self._changer().attach(bridge, ports))

    async def plug(self, bridge: str, tap: str, mtu: int) -> None:
        """Make an interface a port of a bridge, up, with an MTU in bytes."""
        await self._run(lambda: self._changer().plug(bridge, tap, mtu))

    async def change_bridge(self, name: str, before: BridgeSettings, after: BridgeSettings) -> None:
        """Change what differs between the settings."""
        await self._run(lambda: self._changer().change_bridge(name, before, after))

    async def add_address(self, bridge: str, address: Interface) -> None:
        """Give the host an address on a bridge, if it hasn't got it."""
        await self._run(lambda: self._changer().add_address(bridge, address))

    async def remove_address(self, bridge: str, address: Interface) -> None:
        """Take an address from a bridge, if it is there."""
        await self._run(lambda: self._changer().remove_address(bridge, address))

    async def _run(self, act: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)

    def _changer(self) -> Change:
        """What changes are made with; pyroute2 (140 ms) is imported with the first of them."""
        if self._change is None:
            from vnet_tui.engine.drivers.links.change import Change

            self._change = Change(self._look)
        return self._change

    def _close(self) -> None:
        self._look.close()
        if self._change is not None:
            self._change.close()
