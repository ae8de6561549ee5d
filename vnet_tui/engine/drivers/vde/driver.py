"""Starting, finding and ending the vde_switches of our networks."""

from __future__ import annotations

import asyncio
import errno
import grp
import os
import select
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from vnet_tui.engine.drivers import daemons, processes
from vnet_tui.engine.drivers.processes import Found, Kind
from vnet_tui.engine.drivers.vde import sockets
from vnet_tui.engine.errors import DriverError, Problem
from vnet_tui.engine.paths import PID_FILE, Paths
from vnet_tui.engine.resources import SwitchProcess, SwitchSpec

READY_SECONDS = 10.0
"""How long a vde_switch may take until it serves; it needs 10 ms."""

_POLL_SECONDS = 0.002
_TUN = Path("/dev/net/tun")


class Vde:
    """The vde_switches of one run directory, in the network namespace of the calling thread.

    They daemonise themselves and outlive us. Each holds a tap that it makes as it starts, so that
    is gone as soon as the switch is; guests that were plugged into it have to plug in again.
    Nothing is kept here: every call looks at what runs.
    """

    def __init__(self, paths: Paths) -> None:
        self._kind = Kind("vde_switch", "--pidfile=", paths.vde)

    async def observe(
        self, due: Mapping[UUID, bool] | None = None, *, thorough: bool = False
    ) -> tuple[SwitchProcess, ...]:
        """All of ours that run, as they were started; of the networks that are ``due`` only, where
        some are given, with whether one should run.

        Unless it is to be ``thorough``, processes are looked at (15 us each) only where there are
        files of ours; who removed those of a switch has left its tap.
        """
        if due is not None and not thorough and not any(due.values()):
            return ()
        return await asyncio.to_thread(self._observe, due, thorough)

    async def start(self, spec: SwitchSpec) -> None:
        """Start it; returns when guests can plug in and its tap is there, down.

        Raises :class:`DriverError`; nothing of it is left then.
        """
        await processes.let_end(self._kind, spec.network)
        if await asyncio.to_thread(self._running, spec.network):
            raise DriverError("a vde_switch of this network runs already")
        for problem in await asyncio.to_thread(list, self._problems(spec)):
            raise DriverError(problem.message, problem.remedy)
        try:
            await self._launch(spec)
        except OSError as error:
            await self.stop(spec)
            where = f": {error.filename}" if error.filename else ""
            raise DriverError(f"vde_switch: {error.strerror or error}{where}") from error
        except BaseException:
            await self.stop(spec)
            raise

    async def stop(self, spec: SwitchSpec) -> None:
        """End it and remove its files; fine where it is gone already."""
        for one in await asyncio.to_thread(processes.running, self._kind, spec.network):
            await processes.end(one, self._kind)
        await processes.let_end(self._kind, spec.network)
        await asyncio.to_thread(self._clear, spec)

    async def wait_exit(self, one: SwitchProcess) -> None:
        """Wait until a switch that :meth:`observe` found has ended, for whatever reason."""
        await processes.exit_of(one.pid, one.spec.network, self._kind)

    async def conflicts(self, spec: SwitchSpec, line: int) -> tuple[Problem, ...]:
        """What is in the way of a network's switch, which the document has in ``line``."""
        await processes.let_end(self._kind, spec.network)
        found = await asyncio.to_thread(list, self._problems(spec))
        return tuple(replace(problem, line=line) for problem in found)

    def _observe(
        self, due: Mapping[UUID, bool] | None, thorough: bool
    ) -> tuple[SwitchProcess, ...]:
        directory = self._kind.directory
        if not thorough and not (directory.is_dir() and any(directory.iterdir())):
            return ()
        running = processes.scan(self._kind) if due is None else processes.of(self._kind, due)
        found = ((one, _told(one)) for one in running)
        return tuple(
            SwitchProcess(
                pid=one.pid,
                spec=spec,
                reachable=Path(spec.socket, sockets.CONTROL).is_socket(),
            )
            for one, spec in found
        )

    def _running(self, network: UUID) -> list[Found]:
        return processes.running(self._kind, network, thorough=False)

    def _problems(self, spec: SwitchSpec) -> Iterator[Problem]:
        try:
            daemons.find("vde_switch", "vde2")
        except DriverError as error:
            yield Problem(message=error.message, remedy=error.remedy)
        yield from _device_problems()
        if spec.group is not None and not _is_group(spec.group):
            yield Problem(
                message=f"there is no group called {spec.group}, who are to plug into vde_switch",
                remedy="vde_switch knows groups by name only: see getent group",
            )
        ours = any(_told(one).socket == spec.socket for one in self._running(spec.network))
        yield from sockets.problems(Path(spec.socket), ours=ours)

    async def _launch(self, spec: SwitchSpec) -> None:
        await asyncio.to_thread(self._prepare, spec)
        held, keep = os.pipe()
        try:
            try:
                await daemons.start(
                    daemons.find("vde_switch", "vde2"),
                    self._arguments(spec),
                    self._kind,
                    spec.network,
                    "vde_switch",
                    keep=[keep],
                )
            finally:
                os.close(keep)
            await asyncio.to_thread(self._ready, spec, held)
        finally:
            os.close(held)

    def _prepare(self, spec: SwitchSpec) -> None:
        """Make the directories, without anything that an earlier switch left. Raises OSError."""
        self._clear(spec)
        directory = self._kind.of(spec.network)
        directory.mkdir(parents=True)
        for made in (self._kind.directory, directory):
            made.chmod(0o755)  # guests' users pass through them
        for missing in [one for one in Path(spec.socket).parents if not one.exists()][::-1]:
            missing.mkdir()
            missing.chmod(0o755)

    def _clear(self, spec: SwitchSpec) -> None:
        sockets.clear(Path(spec.socket))
        shutil.rmtree(self._kind.of(spec.network), ignore_errors=True)

    def _arguments(self, spec: SwitchSpec) -> list[str]:
        arguments = [
            f"--pidfile={self._kind.of(spec.network) / PID_FILE}",
            f"--sock={spec.socket}",
            f"--tap={spec.tap}",
            "--rcfile=/dev/null",
            "--daemon",
            f"--dirmode={_directory_mode(spec.mode)}",
        ]
        if spec.group is not None:
            arguments.append(f"--group={spec.group}")
        if spec.mode is not None:
            arguments.append(f"--mode={spec.mode}")
        return arguments

    def _ready(self, spec: SwitchSpec, held: int) -> None:
        """Wait until it does what clients ask: by then it has its tap, or couldn't make it.

        Its messages go to the host's log by then, so that it is looked for the tap here. ``held``
        is a pipe whose other end only the switch has, until it ends.
        """
        until = time.monotonic() + READY_SECONDS
        while not sockets.served(Path(spec.socket), until - time.monotonic()):
            if select.select([held], [], [], _POLL_SECONDS)[0]:
                raise DriverError("vde_switch ended as it began", "the host's log says why")
            if time.monotonic() > until:
                raise DriverError(f"vde_switch wasn't ready after {READY_SECONDS:g} s")
        try:
            socket.if_nametoindex(spec.tap)
        except OSError as error:
            raise DriverError(
                f"vde_switch couldn't make its interface {spec.tap}",
                f"the host's log says why; it takes the right to manage networks, and {_TUN}",
            ) from error


def _directory_mode(mode: str | None) -> str:
    """Permissions for the directory of sockets with a ``mode``: who may use them may enter it.

    Like vde_switch's own choice but for the setgid bit, which a service may not be allowed to set.
    """
    return "0" + "".join(str(int(digit) | bool(int(digit))) for digit in (mode or "0600")[-3:])


def _told(one: Found) -> SwitchSpec:
    """What a switch of ours was told on its command line."""
    told = dict(
        argument.removeprefix("--").split("=", 1) for argument in one.arguments if "=" in argument
    )
    return SwitchSpec(
        network=one.network,
        tap=told.get("tap", ""),
        socket=told.get("sock", ""),
        group=told.get("group"),
        mode=told.get("mode"),
    )


def _device_problems() -> Iterator[Problem]:
    """Whether taps can be made here, which takes a device that containers often lack."""
    try:
        os.close(os.open(_TUN, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        missing = error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO)
        yield Problem(
            message=f"vde_switch needs {_TUN}, which can't be opened: {error.strerror}",
            remedy="load the module: modprobe tun; a container has to be given the device"
            if missing
            else "it has to be allowed to whoever runs this: DeviceAllow=/dev/net/tun rw in a "
            "service, --device=/dev/net/tun for a container",
        )


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
