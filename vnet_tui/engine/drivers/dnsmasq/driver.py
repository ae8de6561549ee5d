"""Starting, changing, finding and ending the dnsmasqs of our networks."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from vnet_tui.engine.drivers import daemons, processes
from vnet_tui.engine.drivers.dnsmasq import ports, user
from vnet_tui.engine.drivers.dnsmasq.files import Files
from vnet_tui.engine.drivers.processes import Kind
from vnet_tui.engine.errors import DriverError, Problem
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import DnsmasqProcess, DnsmasqSpec

_INOTIFY_REMEDY = (
    "every dnsmasq that follows /etc/resolv.conf needs an inotify instance: "
    "raise fs.inotify.max_user_instances, or give the network <forwarder>s"
)


class Dnsmasq:
    """The dnsmasqs of one run directory, in the network namespace of the calling thread.

    They daemonise themselves and outlive us. Nothing is kept here: every call looks at what runs.
    """

    def __init__(self, paths: Paths) -> None:
        self._files = Files(paths)
        self._kind = Kind("dnsmasq", "--conf-file=", self._files.root)

    async def observe(self, due: Mapping[UUID, bool] | None = None) -> tuple[DnsmasqProcess, ...]:
        """All of ours that run, with what they were started with and what their lists say now;
        of the networks that are ``due`` only, where some are given, with whether one should run.

        One whose configuration file was damaged since has an empty ``config``, which no network
        wants.
        """
        return () if due == {} else await asyncio.to_thread(self._observe, due)

    async def start(self, spec: DnsmasqSpec) -> None:
        """Write the files and start; returns when its sockets are bound.

        Raises :class:`DriverError` with what dnsmasq said; nothing of it is left then.
        """
        if await asyncio.to_thread(processes.running, self._kind, spec.network, thorough=False):
            raise DriverError(f"a dnsmasq serves {spec.bridge} already")
        await self._launch(spec)

    async def stop(self, spec: DnsmasqSpec) -> None:
        """End it and remove its files but not its leases; fine where it is gone already."""
        await self._end(spec.network)
        await asyncio.to_thread(self._files.remove, spec.network)

    async def change(self, before: DnsmasqSpec, after: DnsmasqSpec) -> None:
        """Tell it something else: lists are read again while it runs, else it is restarted.

        Raises :class:`DriverError`; what was before is in force then.
        """
        if before.config == after.config:
            await self._reload(before, after)
            return
        await self._end(before.network)
        try:
            await self._launch(after)
        except BaseException as error:
            if before.config:
                await self._restore(before, error)
            raise

    async def wait_exit(self, one: DnsmasqProcess) -> None:
        """Wait until a dnsmasq that :meth:`observe` found has ended, for whatever reason."""
        await processes.exit_of(one.pid, one.spec.network, self._kind)

    async def port_conflicts(self, network: Network) -> tuple[Problem, ...]:
        """Which ports that the network's dnsmasq needs are taken, and by whom."""
        taken = ports.taken(network)
        return await asyncio.to_thread(ports.problems, taken, self._kind) if taken else ()

    async def _restore(self, spec: DnsmasqSpec, cause: BaseException) -> None:
        try:
            await self._launch(spec)
        except DriverError as error:
            raise DriverError(f"{cause}; and as it was before: {error}") from cause

    def _observe(self, due: Mapping[UUID, bool] | None) -> tuple[DnsmasqProcess, ...]:
        found = processes.scan(self._kind) if due is None else processes.of(self._kind, due)
        return tuple(
            DnsmasqProcess(pid=one.pid, spec=self._files.read(one.file, one.network))
            for one in found
        )

    async def _end(self, network: UUID) -> None:
        for one in await asyncio.to_thread(processes.running, self._kind, network):
            await processes.end(one, self._kind)

    async def _reload(self, before: DnsmasqSpec, after: DnsmasqSpec) -> None:
        """Write the lists and have them read, which also removes what isn't in them any more."""
        running = await asyncio.to_thread(processes.running, self._kind, after.network)
        if not running:
            raise DriverError(f"the dnsmasq on {after.bridge} doesn't run")
        try:
            await asyncio.to_thread(self._files.write_lists, after)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._files.write_lists(before)
            raise DriverError(f"can't write for the dnsmasq on {after.bridge}: {error}") from error
        for one in running:
            with processes.hold(one, self._kind) as pidfd:
                if pidfd is not None:
                    signal.pidfd_send_signal(pidfd, signal.SIGHUP)

    async def _launch(self, spec: DnsmasqSpec) -> None:
        try:
            socket.if_nametoindex(spec.bridge)  # dnsmasq would wait for it to come
            config = await asyncio.to_thread(self._files.write, spec)
            await self._run(spec, config)
        except OSError as error:
            self._files.remove(spec.network)
            where = f": {error.filename}" if error.filename else ""
            said = f"{error.strerror or error}{where}"
            raise DriverError(f"dnsmasq on {spec.bridge}: {said}") from error
        except BaseException:
            self._files.remove(spec.network)
            raise
        self._files.keep_only(config)

    async def _run(self, spec: DnsmasqSpec, config: Path) -> None:
        arguments = [f"--conf-file={config}", *user.arguments(config.parent)]
        program = daemons.find("dnsmasq", "dnsmasq-base")
        where = f"dnsmasq on {spec.bridge}"
        try:
            await daemons.start(program, arguments, self._kind, spec.network, where)
        except DriverError as error:
            if "inotify" in error.message:
                raise DriverError(error.message, _INOTIFY_REMEDY) from error
            raise
