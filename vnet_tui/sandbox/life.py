"""Life in the sandbox: DHCP clients, services and traffic, beside whatever the command does.

It is one process for all namespaces: a socket belongs to the namespace that it was made in, so
that only making it has to happen there.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from vnet_tui.sandbox import guests, services, traffic, world
from vnet_tui.sandbox.guests import GUESTS, Guest
from vnet_tui.sandbox.namespaces import inside
from vnet_tui.sandbox.networks import from_pairs

_NICENESS = 5
_LOOK_INTERVAL = 1.0
_WEB, _ECHO = 80, 321
_WEB_GUESTS = ("web", "shop")
_ECHO_GUEST = "foobar"


class Cable:
    """A guest's cable and its DHCP client: plugged again, and asked again, with every new bridge.

    So a guest comes back when the person stops its network and starts it again.
    """

    def __init__(self, guest: Guest, bridge: str, directory: Path, script: Path) -> None:
        self._guest, self._bridge = guest, bridge
        self._command = guests.client_command(guest, script)
        self._environment = {**os.environ, "GUEST": str(directory / guest.name)}
        self._client: subprocess.Popen[bytes] | None = None
        self._plugged: int | None = None

    def look(self) -> None:
        """Do what is to be done now. Never waits."""
        index = guests.bridge_index(self._bridge)
        if index is None:
            return
        if index != self._plugged:
            try:
                guests.plug(self._guest, self._bridge)
            except OSError:
                return  # the bridge was just deleted: another one may come
            self._plugged = index
            self._end_client()
        if self._client is None or self._client.poll() is not None:
            self._client = subprocess.Popen(self._command, env=self._environment)

    def _end_client(self) -> None:
        if self._client is not None:
            self._client.kill()
            self._client.wait()


async def serve() -> list[object]:
    """Open everything that answers; what is given back must be kept."""
    internet = [(world.INTERNET, world.WWW_V4), (world.INTERNET, world.WWW_V6)]
    inner = [(name, "::") for name in _WEB_GUESTS]
    open_: list[object] = []
    for namespace, address in [*internet, *inner]:
        open_.append(await services.web(_listen(namespace, address, _WEB)))
    open_.append(await services.echo(_listen(_ECHO_GUEST, "::", _ECHO)))
    with inside(_ECHO_GUEST):
        bound = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    bound.bind(("::", _ECHO))
    open_.append(await services.echo_datagrams(bound))
    return open_


def _listen(namespace: str, address: str, port: int) -> socket.socket:
    """A listening socket; ``::`` takes IPv4 too."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with inside(namespace):
        return socket.create_server((address, port), family=family, dualstack_ipv6=address == "::")


async def live(directory: Path, bridges: Mapping[str, str]) -> None:
    """For ever."""
    script = guests.install_client_script(directory)
    cables = [Cable(guest, bridges[guest.network], directory, script) for guest in GUESTS]
    kept = await serve()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(traffic.run(directory))
        while kept:
            for cable in cables:
                cable.look()
            await asyncio.sleep(_LOOK_INTERVAL)


def main() -> None:
    """Arguments: the sandbox's directory, then NETWORK=BRIDGE for each network with guests."""
    os.nice(_NICENESS)
    asyncio.run(live(Path(sys.argv[1]), from_pairs(sys.argv[2:])))


if __name__ == "__main__":
    main()
