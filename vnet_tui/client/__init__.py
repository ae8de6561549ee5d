"""``Connection``: the one API that all faces use. :func:`open` gives one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.engine.paths import Paths

SYSTEM = "vnet:///system"
EMBEDDED = "vnet:///embedded"
SANDBOX = "vnet:///sandbox"
SSH = "vnet+ssh://"

URIS = f"{SYSTEM}, {EMBEDDED}, {SANDBOX} and {SSH}[USER@]HOST[:PORT]/system"


async def open(
    uri: str = "", *, paths: Paths | None = None, watch: bool = False, prompt: bool = False
) -> Connection:
    """The manager of networks that a URI names; to be ended with ``close()``.

    - ``vnet:///system``: the daemon of this host, by its socket in the run directory;
    - ``vnet:///embedded``: an engine in this process; with ``watch`` it ends what a killed one
      left half-done, and watches the host, as a daemon does anyway; where it is to be
      ``prompt``, it lists networks before that, and begins when samples are asked for;
    - ``vnet:///sandbox``: a daemon in a sandbox of its own, which ends with ``close()``;
    - ``vnet+ssh://user@host/system``: the daemon of another host, through ssh;
    - nothing: what VNET_URI names, else the daemon where it answers, else an engine here.

    ``paths`` are those of this host, else those that VNET_STATE_DIR and VNET_RUN_DIR name.
    Raises :class:`~vnet_tui.engine.errors.VnetError` for a URI that names nothing, and
    :class:`~vnet_tui.engine.errors.ConnectionLostError` where nobody answers.
    """
    from vnet_tui.engine.errors import ConnectionLostError, VnetError
    from vnet_tui.engine.paths import Paths

    uri = uri or os.environ.get("VNET_URI", "")
    paths = paths or Paths.choose()
    if uri in ("", SYSTEM):
        from vnet_tui.client.remote import RemoteConnection
        from vnet_tui.client.way import SocketWay
        from vnet_tui.client.wires import wire_over

        try:
            return await RemoteConnection.open(SocketWay(paths.socket, wire_over))
        except ConnectionLostError:
            if uri:
                raise
            uri = EMBEDDED
    if uri == EMBEDDED:
        import asyncio
        import importlib

        # Importing the engine takes 200 ms: in a thread, an interface answers to keys meanwhile.
        await asyncio.to_thread(importlib.import_module, "vnet_tui.client.local")
        from vnet_tui.client.local import LocalConnection, PromptConnection, connect

        if prompt:
            return PromptConnection(paths)
        return await connect(paths) if watch else LocalConnection(paths)
    if uri == SANDBOX:
        from vnet_tui.client.remote import RemoteConnection
        from vnet_tui.client.sandboxed import SandboxWay

        return await RemoteConnection.open(SandboxWay(), ask=True)
    if uri.startswith(SSH):
        from vnet_tui.client.remote import RemoteConnection
        from vnet_tui.client.ssh import Destination, SshWay

        return await RemoteConnection.open(SshWay(Destination.of(uri)), ask=True)
    raise VnetError(f"{uri!r} names no manager of networks", f"there are {URIS}")
