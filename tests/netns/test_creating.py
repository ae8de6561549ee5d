"""A described network is stored and running, or there is nothing of it."""

from __future__ import annotations

import pytest

from tests.support.inventory import inventory
from tests.support.lab import Lab
from tests.support.networks import document
from vnet_tui.client.local import LocalConnection
from vnet_tui.drafts.creating import define_and_start
from vnet_tui.engine.errors import ConflictError
from vnet_tui.engine.views import Progress


async def test_it_is_defined_and_runs(lab: Lab) -> None:
    told: list[Progress] = []
    async with LocalConnection(lab.paths) as connection:
        info = await define_and_start(connection, document("fresh"), on_progress=told.append)
        assert (info.active, info.persistent) == (True, True)
        await connection.stop([info.uuid])
    assert [one.done for one in told] == list(range(told[0].total))


async def test_what_doesnt_start_isnt_defined(lab: Lab) -> None:
    async with LocalConnection(lab.paths) as connection:
        lab.ip("link", "add", "vn-fresh", "type", "bridge")
        before = inventory(lab.paths)
        with pytest.raises(ConflictError):
            await define_and_start(connection, document("fresh"))
        assert await connection.networks() == ()
        assert inventory(lab.paths) == before
