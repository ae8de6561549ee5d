"""The nftables driver: the table ``inet vnet``, one transaction a change, nothing else touched."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from vnet_tui.engine.drivers.firewall import libnftables
from vnet_tui.engine.drivers.firewall.generation import Generation
from vnet_tui.engine.drivers.firewall.layout import Layout
from vnet_tui.engine.drivers.firewall.listing import ABSENT, read_layout, read_state
from vnet_tui.engine.drivers.firewall.nft_errors import OutdatedError
from vnet_tui.engine.drivers.firewall.nft_program import NftProgram
from vnet_tui.engine.drivers.firewall.render import render
from vnet_tui.engine.drivers.firewall.transaction import REMOVE, change, rewrite
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import FirewallState
from vnet_tui.engine.steps import SetFirewall

T = TypeVar("T")


class Backend(Protocol):
    """Something that runs nft's commands: libnftables, or the program."""

    def run(self, commands: str) -> None: ...

    def table(self) -> list[dict[str, Any]] | None: ...

    def close(self) -> None: ...


class NftablesDriver:
    """Works in a thread of its own, made on first use by the calling thread.

    A new thread lives in the network namespace of the one that makes it, and the sockets of
    libnftables belong to the namespace they were made in: the driver stays with the namespace in
    which it was first used.
    """

    name = "nftables"

    def __init__(self, paths: Paths, backend: Callable[[], Backend], reason: str) -> None:
        self.reason = reason
        self._instance = paths.instance
        self._make_backend = backend
        self._thread: ThreadPoolExecutor | None = None
        self._backend: Backend | None = None
        self._generation: Generation | None = None
        self._seen: tuple[int, FirewallState] | None = None

    @classmethod
    def find(cls, paths: Paths, *, asked_for: bool = False) -> NftablesDriver | None:
        """The driver, with libnftables if the host has it, else with nft; None with neither."""
        why = "asked for" if asked_for else "chosen by itself"
        library = libnftables.load()
        if library is not None:
            return cls(paths, lambda: libnftables.Libnftables(library), f"{why}; libnftables")
        program = shutil.which("nft")
        if program is not None:
            reason = f"{why}; the program nft, as libnftables is missing"
            return cls(paths, lambda: NftProgram(program), reason)
        return None

    async def observe(self) -> FirewallState:
        """What there is of ours; without listing anything when no table has changed since."""
        return await self._call(self._observe)

    async def set(self, step: SetFirewall) -> None:
        """Bring the table from ``before`` to ``after``; anew where it isn't as ``before`` says."""
        await self._call(lambda: self._set(step))

    async def close(self) -> None:
        """End the thread; the rules stay."""
        if self._thread is not None:
            await self._call(self._close)
            self._thread.shutdown()
            self._thread = None

    async def _call(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nftables")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> Backend:
        if self._backend is None:
            self._backend = self._make_backend()
            self._generation = Generation()
        return self._backend

    def _close(self) -> None:
        if self._backend is not None:
            self._backend.close()
        if self._generation is not None:
            self._generation.close()
        self._backend = self._generation = self._seen = None

    def _observe(self) -> FirewallState:
        backend = self._open()
        assert self._generation is not None  # noqa: S101  (_open)
        generation = self._generation.read()
        if self._seen is not None and generation == self._seen[0]:
            return self._seen[1]
        state = self._state(backend.table())
        unchanged = generation is not None and generation == self._generation.read()
        self._seen = (generation, state) if generation is not None and unchanged else None
        return state

    def _state(self, objects: list[dict[str, Any]] | None) -> FirewallState:
        return ABSENT if objects is None else read_state(objects, self._instance)

    def _set(self, step: SetFirewall) -> None:
        after = render(step.after, self._instance)
        if not step.after.networks:
            self._observe()  # raises where the table isn't ours to delete
            self._run(REMOVE)
        elif step.rewrite or not step.before.networks:
            self._replace(after)
        elif commands := change(render(step.before, self._instance), after):
            try:
                self._run(commands)
            except OutdatedError:
                self._replace(after)

    def _replace(self, after: Layout) -> None:
        """Put ``after`` in the place of whatever the table holds, if it is ours."""
        for last in (False, False, True):
            objects = self._open().table()
            self._state(objects)  # raises where the table isn't ours to change
            try:
                self._run(rewrite(read_layout(objects or []), after))
            except OutdatedError:  # somebody changed it since we looked
                if last:
                    raise
            else:
                return

    def _run(self, commands: Sequence[str]) -> None:
        self._open().run("\n".join([*commands, ""]))
