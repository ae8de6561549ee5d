"""The engine in the interface's own process: it answers first, and watches then."""

from __future__ import annotations

import asyncio

from tests.support.lab import Lab
from tests.support.networks import document
from vnet_tui.client.local import PromptConnection


async def test_networks_are_listed_before_anything_is_watched(lab: Lab) -> None:
    async with PromptConnection(lab.paths) as connection:
        web = await connection.define(document("web"))
        await connection.start([web.uuid])
        first = asyncio.ensure_future(anext(connection.samples()))
        assert [one.name for one in await connection.networks()] == ["web"]
        assert not first.done()
        assert (await connection.host()).via == "embedded"
        async with asyncio.timeout(10):
            assert web.uuid in (await first).networks
        await connection.stop([web.uuid])
