"""Of which networks samples tell ports, rules and guests: of those that somebody looks at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from textual.pilot import Pilot

from tests.ui.playing import picture, playing, until
from tests.ui.recorded import FOO, LAB
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.engine.views import Sample
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.topology import TopologyScreen
from vnet_tui.widgets.network_detail import NetworkDetail

WIDE, SMALL = (120, 40), (80, 24)


class Asked(Replay):
    """Remembers what is asked for, while it is followed."""

    def __init__(self) -> None:
        super().__init__()
        self.followed: list[set[UUID] | None] = []

    async def samples(self, detailed: Sequence[UUID] | None = None) -> AsyncIterator[Sample]:
        wanted = None if detailed is None else set(detailed)
        self.followed.append(wanted)
        try:
            async for sample in super().samples(detailed):
                yield sample
        finally:
            self.followed.remove(wanted)


async def opened(pilot: Pilot[None], replay: Asked) -> VnetApp:
    app = pilot.app
    assert isinstance(app, VnetApp)
    await until(pilot, lambda: replay.followed == [set()] and "old" in picture(app))
    replay.tick()
    return app


async def test_the_list_is_told_no_ports_and_its_tab_of_guests_those_of_one_network() -> None:
    replay = Asked()
    async with playing(replay).run_test(size=WIDE) as pilot:
        app = await opened(pilot, replay)
        await until(pilot, lambda: app.sample is not None)
        assert app.sample is not None
        assert app.sample.networks[FOO.uuid].ports == {}
        row = next(line for line in picture(app).splitlines() if "● Foo" in line)
        assert " 3 " in row
        await pilot.press("2")
        await until(pilot, lambda: replay.followed == [{FOO.uuid}])
        detail = app.screen.query_one(NetworkDetail)
        await until(pilot, lambda: "332 kb/s  tap3" in picture(app))
        await pilot.press("down")
        await until(pilot, lambda: detail.uuid != FOO.uuid)
        await until(pilot, lambda: replay.followed == [{LAB.uuid}])
        await pilot.press("1")
        await until(pilot, lambda: replay.followed == [set()])


async def test_the_monitor_and_the_topology_are_told_all_while_they_are_open() -> None:
    replay = Asked()
    async with playing(replay).run_test(size=SMALL) as pilot:
        app = await opened(pilot, replay)
        await pilot.press("m")
        await until(pilot, lambda: replay.followed == [None])
        await until(pilot, lambda: "tap3" in picture(app))
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, TopologyScreen))
        assert replay.followed == [None]
        await pilot.press("escape")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        await until(pilot, lambda: replay.followed == [set()])


async def test_the_editor_is_told_the_counters_of_its_network() -> None:
    replay = Asked()
    async with playing(replay).run_test(size=SMALL) as pilot:
        await opened(pilot, replay)
        await pilot.press("e")
        await until(pilot, lambda: replay.followed == [{FOO.uuid}])
        await pilot.press("escape")
        await until(pilot, lambda: replay.followed == [set()])


async def test_what_was_asked_for_is_asked_again_of_another_connection() -> None:
    replay = Asked()
    async with playing(replay).run_test(size=SMALL) as pilot:
        app = await opened(pilot, replay)
        await pilot.press("m")
        await until(pilot, lambda: replay.followed == [None])
        replay.lose(ConnectionError("the daemon is gone"))
        await until(pilot, lambda: app.connection is None and not replay.followed)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        app.ask_again()
        await until(pilot, lambda: replay.followed == [set()])
