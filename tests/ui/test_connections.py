"""Who talks with whom: new every second, ordered, held."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from tests.ui.detail import DetailApp, is_shown, text_of, until
from tests.ui.recorded import DEMO, FLOWS, FOO, OLD
from tests.ui.replay import Replay
from vnet_tui.engine.views import Flow

TAB = 4


def replaying(*flows: Flow) -> Replay:
    return Replay((replace(DEMO[0], flows=flows), *DEMO[1:]))


def line(app: DetailApp, text: str) -> str:
    return next(line for line in text_of(app).splitlines() if text in line)


async def test_connections_are_told_with_names_and_what_was_asked_for() -> None:
    app = DetailApp(Replay(), FOO.uuid, tab=TAB)
    async with app.run_test(size=(160, 24)) as pilot:
        await until(pilot, lambda: is_shown(app.detail, FOO.uuid))
        assert "3 connections · the busiest first" in text_of(app)
        web = line(app, "203.0.113.80:443")
        assert web.split()[:3] == ["web", "↑", "out"]
        assert "3.1 Mb/s" in web
        forwarded = line(app, "foobar:321")
        assert "↓ in" in forwarded
        assert "198.51.100.2:123" in forwarded
        assert "unanswered" in line(app, "this host:53")
        assert "\x1b" not in text_of(app)
        assert "mallory[red]" in line(app, "this host:53")


async def test_guests_among_themselves_are_told_by_name_and_totals_whole_in_80_cells() -> None:
    among = replace(FLOWS[0], peer=ip_address("10.0.0.131"), peer_port=22)
    app = DetailApp(replaying(among), FOO.uuid, tab=TAB)
    async with app.run_test(size=(80, 6)) as pilot:
        await until(pilot, lambda: "3.1 Mb/s" in text_of(app))
        told = "web ↑ out foobar:22 tcp 3.1 Mb/s 66.0 kb/s 60.1 MB"
        assert line(app, "web ").split() == told.split()


async def test_every_second_is_a_new_look_unless_it_is_held() -> None:
    replay = replaying(FLOWS[0])
    app = DetailApp(replay, FOO.uuid, tab=TAB)
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: "3.1 Mb/s" in text_of(app))
        await pilot.press("h")
        await until(pilot, lambda: "held" in text_of(app))
        replay.replace_flows(FOO.uuid, (replace(FLOWS[0], in_bits=9.9e6),))
        app.detail.take_sample(replay.sample())
        await pilot.pause()
        assert "3.1 Mb/s" in text_of(app)
        await pilot.press("h")
        await until(pilot, lambda: "9.9 Mb/s" in text_of(app))
        replay.replace_flows(FOO.uuid, ())
        app.detail.take_sample(replay.sample())
        await until(pilot, lambda: "No connections beyond the network" in text_of(app))


async def test_the_order_is_chosen() -> None:
    app = DetailApp(Replay(), FOO.uuid, tab=TAB)
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: is_shown(app.detail, FOO.uuid))
        await pilot.press("o", "o")
        await until(pilot, lambda: "by out" in text_of(app))
        rows = text_of(app).splitlines()
        assert rows.index(line(app, "foobar")) < rows.index(line(app, "web "))
        await pilot.press("O")
        await until(pilot, lambda: "reversed" in text_of(app))
        rows = text_of(app).splitlines()
        assert rows.index(line(app, "foobar")) > rows.index(line(app, "web "))


async def test_a_network_that_does_not_run_has_none() -> None:
    app = DetailApp(Replay(), OLD.uuid, tab=TAB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Not running" in text_of(app))
