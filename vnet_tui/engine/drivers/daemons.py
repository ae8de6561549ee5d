"""Starting programs that become daemons by themselves, and outlive us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Sequence
from uuid import UUID

from vnet_tui.engine.drivers import processes
from vnet_tui.engine.drivers.processes import Kind
from vnet_tui.engine.errors import DriverError

START_SECONDS = 20.0
"""How long a program may take until it serves; ours need 10 ms."""

_SYSTEM_PROGRAMS = "/usr/local/sbin:/usr/sbin:/sbin"


def find(program: str, package: str) -> str:
    """The path of a program. Raises :class:`DriverError` where it isn't installed."""
    found = shutil.which(program, path=_path())
    if found is None:
        raise DriverError(f"{program} isn't installed", f"install the package {package}")
    return found


async def start(
    path: str,
    arguments: Sequence[str],
    kind: Kind,
    network: UUID,
    where: str,
    *,
    keep: Sequence[int] = (),
) -> None:
    """Run the program at ``path``; returns when the process that we started ended well, having left
    one behind that serves. That one holds the file descriptors ``keep``.

    Raises :class:`DriverError` with what it said, ``where`` being what it was for; none of that
    network is left then. So it is when this is cancelled.
    """
    started = await asyncio.create_subprocess_exec(
        path,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd="/",
        env={"PATH": _path(), "LC_ALL": "C.UTF-8"},
        start_new_session=True,
        pass_fds=keep,
    )
    try:
        _, said = await asyncio.wait_for(started.communicate(), START_SECONDS)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            started.kill()
        await started.wait()
        for one in processes.scan(kind):
            if one.network == network:
                await processes.end(one, kind)
        if isinstance(error, TimeoutError):
            raise DriverError(f"{where} wasn't ready after {START_SECONDS:g} s") from error
        raise
    if started.returncode != 0:
        words = said.decode(errors="replace").strip().removeprefix(f"{kind.program}: ")
        raise DriverError(f"{where}: {words or 'failed'}")
    _reap_parent(kind, network)


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", os.defpath), _SYSTEM_PROGRAMS])


def _reap_parent(kind: Kind, network: UUID) -> None:
    """A daemon that forked twice: the process between leads its session, has ended, and becomes our
    child where we are the first process of a pid namespace."""
    pid = processes.written_pid(kind, network)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            processes.reap(os.P_PID, os.getsid(pid))
