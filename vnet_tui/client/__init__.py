"""``Connection``: the one API that all faces use. :func:`open` gives one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.engine.paths import Paths


async def open(uri: str = "", *, paths: Paths | None = None, watch: bool = False) -> Connection:
    """The manager of networks that a URI names; to be ended with ``close()``.

    ``vnet:///embedded`` is an engine in this process, on ``paths`` (else those of VNET_STATE_DIR
    and VNET_RUN_DIR); with ``watch`` it ends what a killed one left half-done, and watches the
    host, as a daemon does anyway.

    Raises :class:`~vnet_tui.engine.errors.VnetError` for a URI that names nothing.
    """
    from vnet_tui.engine.errors import VnetError
    from vnet_tui.engine.paths import Paths

    if uri not in ("", "vnet:///embedded"):
        raise VnetError(f"{uri!r} names no manager of networks", "vnet:///embedded does")
    from vnet_tui.client.local import LocalConnection, connect

    paths = paths or Paths.choose()
    return await connect(paths) if watch else LocalConnection(paths)
