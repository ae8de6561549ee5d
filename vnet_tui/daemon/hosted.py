"""The daemon's engine, which says that it is one."""

from __future__ import annotations

from dataclasses import replace

from vnet_tui.client.local import LocalConnection
from vnet_tui.engine.views import HostInfo


class Hosted(LocalConnection):
    """An engine in a daemon."""

    async def host(self) -> HostInfo:
        """Where this is and what it works with."""
        found = await super().host()
        return replace(found, via="daemon") if found.via == "embedded" else found
