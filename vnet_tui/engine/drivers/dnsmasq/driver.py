"""Starting, changing, finding and ending the dnsmasqs of our networks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from pathlib import Path
from uuid import UUID

from vnet_tui.engine.drivers.dnsmasq import ports, process, user
from vnet_tui.engine.drivers.dnsmasq.files import Files
from vnet_tui.engine.drivers.dnsmasq.process import Found
from vnet_tui.engine.errors import DriverError, Problem
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import DnsmasqProcess, DnsmasqSpec

START_SECONDS = 20.0
"""How long a dnsmasq may take until it serves; it needs 10 ms."""

_SYSTEM_PROGRAMS = "/usr/local/sbin:/usr/sbin:/sbin"
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

    async def observe(self) -> tuple[DnsmasqProcess, ...]:
        """All of ours that run, with what they were started with and what their lists say now.

        One whose configuration file was damaged since has an empty ``config``, which no network
        wants.
        """
        return await asyncio.to_thread(self._observe)

    async def start(self, spec: DnsmasqSpec) -> None:
        """Write the files and start; returns when its sockets are bound.

        Raises :class:`DriverError` with what dnsmasq said; nothing of it is left then.
        """
        if await asyncio.to_thread(self._running, spec.network, thorough=False):
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
        for found in await asyncio.to_thread(self._running, one.spec.network):
            if found.pid == one.pid:
                with process.hold(found, self._files.root) as pidfd:
                    if pidfd is not None:
                        await process.ended(pidfd)

    async def port_conflicts(self, network: Network) -> tuple[Problem, ...]:
        """Which ports that the network's dnsmasq needs are taken, and by whom."""
        taken = ports.taken(network)
        return await asyncio.to_thread(ports.problems, taken, self._files.root) if taken else ()

    async def _restore(self, spec: DnsmasqSpec, cause: BaseException) -> None:
        try:
            await self._launch(spec)
        except DriverError as error:
            raise DriverError(f"{cause}; and as it was before: {error}") from cause

    def _observe(self) -> tuple[DnsmasqProcess, ...]:
        return tuple(
            DnsmasqProcess(pid=one.pid, spec=self._files.read(one.config, one.network))
            for one in process.scan(self._files.root)
        )

    def _running(self, network: UUID, *, thorough: bool = True) -> list[Found]:
        """The dnsmasqs of one network; its pid file spares looking at all processes.

        Where it has no files one may run all the same: somebody removed the run directory.
        Finding that takes a look at all processes, so it is only done when ``thorough``.
        """
        pid = self._files.pid(network)
        found = None if pid is None else process.identify(pid, self._files.root)
        if found is not None and found.network == network:
            return [found]
        if not thorough and not self._files.directory(network).exists():
            return []
        return [one for one in process.scan(self._files.root) if one.network == network]

    async def _end(self, network: UUID) -> None:
        for one in await asyncio.to_thread(self._running, network):
            await process.end(one, self._files.root)

    async def _reload(self, before: DnsmasqSpec, after: DnsmasqSpec) -> None:
        """Write the lists and have them read, which also removes what isn't in them any more."""
        running = await asyncio.to_thread(self._running, after.network)
        if not running:
            raise DriverError(f"the dnsmasq on {after.bridge} doesn't run")
        try:
            await asyncio.to_thread(self._files.write_lists, after)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._files.write_lists(before)
            raise DriverError(f"can't write for the dnsmasq on {after.bridge}: {error}") from error
        for one in running:
            with process.hold(one, self._files.root) as pidfd:
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
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), _SYSTEM_PROGRAMS])
        program = shutil.which("dnsmasq", path=path)
        if program is None:
            raise DriverError("dnsmasq isn't installed", "install the package dnsmasq-base")
        started = await asyncio.create_subprocess_exec(
            program,
            f"--conf-file={config}",
            *user.arguments(config.parent),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd="/",
            env={"PATH": path, "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
        try:
            _, said = await asyncio.wait_for(started.communicate(), START_SECONDS)
        except BaseException as error:
            await self._abandon(started, spec.network)
            if isinstance(error, TimeoutError):
                raise DriverError(
                    f"dnsmasq on {spec.bridge} wasn't ready after {START_SECONDS:g} s"
                ) from error
            raise
        if started.returncode != 0:
            words = said.decode(errors="replace").strip().removeprefix("dnsmasq: ")
            remedy = _INOTIFY_REMEDY if "inotify" in words else ""
            raise DriverError(f"dnsmasq on {spec.bridge}: {words or 'failed'}", remedy)
        self._reap_parent(spec.network)

    async def _abandon(self, started: asyncio.subprocess.Process, network: UUID) -> None:
        with contextlib.suppress(ProcessLookupError):
            started.kill()
        await started.wait()
        for one in process.scan(self._files.root):
            if one.network == network:
                await process.end(one, self._files.root)

    def _reap_parent(self, network: UUID) -> None:
        """dnsmasq forks twice; the process between leads its session, has ended, and becomes our
        child where we are the first process of a pid namespace."""
        pid = self._files.pid(network)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                process.reap(os.P_PID, os.getsid(pid))
