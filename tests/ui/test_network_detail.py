"""One network's tabs: what they show, what keys do, what happens when the network changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import Any
from uuid import UUID

import pytest
from textual.pilot import Pilot

from tests.ui.detail import DetailApp, is_shown, text_of, until
from tests.ui.recorded import DEMO, FOO, LAB, OLD, SCRATCH, WEB, Recorded
from tests.ui.replay import Replay
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.views import (
    Event,
    EventKind,
    Guest,
    HistoryPoint,
    Lease,
    NetworkInfo,
    RuleState,
    RuleStatus,
    State,
)
from vnet_tui.widgets.network_detail import PANES, NetworkDetail
from vnet_tui.widgets.picture import Picture

TABS = {pane.TITLE: number for number, pane in enumerate(PANES)}


async def shown(pilot: Pilot[None], uuid: UUID) -> NetworkDetail:
    """The tabs, once they show a network."""
    assert isinstance(pilot.app, DetailApp)
    detail = pilot.app.detail
    await until(pilot, lambda: is_shown(detail, uuid))
    return detail


def seen(pilot: Pilot[None], *texts: str) -> Callable[[], bool]:
    """Whether all of these texts stand on the screen."""
    return lambda: all(text in text_of(pilot.app) for text in texts)


def foo_with(**changes: Any) -> Recorded:
    """The first recorded network, otherwise."""
    return replace(DEMO[0], **changes)


async def test_the_overview_tells_what_a_network_is() -> None:
    async with DetailApp(Replay(), FOO.uuid).run_test(size=(80, 24)) as pilot:
        await shown(pilot, FOO.uuid)
        text = text_of(pilot.app)
        for fact in (
            "● active for 3 h 03, since 14 Nov 19:10",
            "Foo, id 1",
            "596a5d21-71f4-8fb2-e068-e2386a5c413e",
            "vnet-foo",
            "NAT: guests appear as this host",
            "by itself with the host",
            "2 of 127 in use",
            "10.0.0.128 – 10.0.0.254",
        ):
            assert fact in text


async def test_digits_and_arrows_open_tabs() -> None:
    async with DetailApp(Replay(), FOO.uuid).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        for key, tab in (("2", 1), ("right", 2), ("7", 6), ("right", 0), ("left", 6), ("4", 3)):
            await pilot.press(key)
            await until(pilot, lambda: is_shown(detail, FOO.uuid))
            assert detail.tab == tab
            assert len(detail.query("Pane.-open")) == 1
            assert detail.has_focus_within


async def test_a_click_opens_a_tab() -> None:
    async with DetailApp(Replay(), FOO.uuid).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        x = text_of(pilot.app).splitlines()[0].index("3 Rules")
        await pilot.click("#detail-tabs", offset=(x, 0))
        assert detail.tab == TABS["Rules"]


async def test_only_tabs_that_were_opened_exist() -> None:
    async with DetailApp(Replay(), FOO.uuid).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        assert len(detail.query("Pane")) == 1
        await pilot.press("5")
        assert len(detail.query("Pane")) == 2


async def test_guests_have_their_leases_ports_and_rates() -> None:
    replay = Replay()
    async with DetailApp(replay, FOO.uuid, tab=TABS["Guests"]).run_test(size=(120, 30)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        assert "3 here · 1 reserved, away" in text_of(pilot.app)
        assert "41 min" in text_of(pilot.app)
        assert "b/s" not in text_of(pilot.app)
        replay.tick()
        detail.take_sample(replay.sample())
        await pilot.pause()
        [web] = [line for line in text_of(pilot.app).splitlines() if "● web " in line]
        assert web.split()[:4] == ["●", "web", "10.0.0.10", "52:54:00:00:00:0a"]
        assert web.count("b/s") == 2
        assert "40 min" in text_of(pilot.app)


async def test_a_hostile_name_is_only_text() -> None:
    async with DetailApp(Replay(), FOO.uuid, tab=TABS["Guests"]).run_test(size=(120, 30)) as pilot:
        await shown(pilot, FOO.uuid)
        assert "mallory[red]\ufffd[2J" in text_of(pilot.app)
        assert "\x1b[2J" not in text_of(pilot.app)


async def test_a_lease_without_its_guest_is_stale() -> None:
    address = ip_address("10.0.0.140")
    lease = Lease(address=address, mac="52:54:00:00:00:8c", name="gone", expires=None)
    away = Guest(name="gone", mac=lease.mac, addresses=(address,), lease=lease)
    replay = Replay([foo_with(guests=(away,))])
    async with DetailApp(replay, FOO.uuid, tab=TABS["Guests"]).run_test(size=(80, 24)) as pilot:
        await shown(pilot, FOO.uuid)
        assert "0 here · 1 stale" in text_of(pilot.app)
        assert "○ gone" in text_of(pilot.app)
        assert "gone · holds its lease, but is plugged in nowhere" in text_of(pilot.app)


async def test_why_a_guest_has_no_address_is_told_of_the_one_under_the_cursor() -> None:
    mute = Guest(name="", mac="52:54:00:00:00:8d", addresses=(), port="tap9", note="DHCP is off")
    replay = Replay([foo_with(guests=(mute,))])
    async with DetailApp(replay, FOO.uuid, tab=TABS["Guests"]).run_test(size=(80, 24)) as pilot:
        await shown(pilot, FOO.uuid)
        told = "(no name) · has no address: DHCP is off · 52:54:00:00:00:8d"
        await until(pilot, lambda: told in text_of(pilot.app))


async def test_rules_stand_in_order_with_their_defaults_last() -> None:
    off = RuleStatus(
        direction="outgoing", position=1, text="deny port 53", state=RuleState.OFF, guest=None
    )
    replay = Replay([foo_with(rules=(*DEMO[0].rules, off))])
    async with DetailApp(replay, FOO.uuid, tab=TABS["Rules"]).run_test(size=(100, 24)) as pilot:
        await shown(pilot, FOO.uuid)
        lines = [line for line in text_of(pilot.app).splitlines() if line.startswith(" ↓ in")]
        assert len(lines) == 4
        assert "10.0.0.131" in lines[0]
        assert "◌ waiting" in lines[2]
        assert "guest unknown" in lines[2]
        assert "deny everything else" in lines[3]
        text = text_of(pilot.app)
        assert text.index("○ off") < text.index("allow everything else")
        assert "1 waiting" in text


async def test_an_isolated_network_denies_both_ways() -> None:
    app = DetailApp(Replay(), SCRATCH.uuid, tab=TABS["Rules"])
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, SCRATCH.uuid)
        assert text_of(app).count("deny everything else") == 2
        assert "isolated: nothing passes beyond the network" in text_of(app)


async def test_the_chart_goes_on_from_the_history() -> None:
    replay = Replay()
    async with DetailApp(replay, FOO.uuid, tab=TABS["Traffic"]).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        scale = detail.query_one("#chart-scale", Picture).plain
        assert "Mb/s" in scale.splitlines()[0]
        assert "10 min" in text_of(pilot.app)
        before = detail.query_one("#chart-past", Picture).plain
        for _ in range(30):
            replay.tick()
            detail.take_sample(replay.sample())
        await pilot.pause()
        after = detail.query_one("#chart-past", Picture).plain
        assert after != before
        top, moved = before.splitlines()[5], after.splitlines()[5]
        assert any(moved.startswith(top[by : by + 20]) for by in range(1, 9))


async def test_between_two_moves_only_the_newest_character_is_drawn() -> None:
    replay = Replay()
    async with DetailApp(replay, FOO.uuid, tab=TABS["Traffic"]).run_test(size=(120, 40)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        past = detail.query_one("#chart-past", Picture)
        drawn = set()
        for _ in range(60):
            replay.tick()
            detail.take_sample(replay.sample())
            drawn.add(past.lines)
        assert 10 <= len(drawn) <= 13


async def test_the_running_and_the_defined_document() -> None:
    replay = Replay([foo_with(info=replace(FOO, pending=True))])
    async with DetailApp(replay, FOO.uuid, tab=TABS["XML"]).run_test(size=(80, 30)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        assert "[running]" in text_of(pilot.app)
        assert '<network id="1">' in text_of(pilot.app)
        await pilot.press("v")
        await until(pilot, seen(pilot, "[defined]", "<network>"))
        await pilot.press("v")
        await until(pilot, seen(pilot, "[difference]", "No difference."))
        await pilot.press("v")
        await until(pilot, seen(pilot, "[running]"))
        assert detail.tab == TABS["XML"]


async def test_one_document_offers_no_other_view() -> None:
    async with DetailApp(Replay(), OLD.uuid, tab=TABS["XML"]).run_test(size=(80, 24)) as pilot:
        await shown(pilot, OLD.uuid)
        assert "[defined]" in text_of(pilot.app)
        assert "running" not in text_of(pilot.app)
        await pilot.press("v")
        assert "[defined]" in text_of(pilot.app)


async def test_events_are_told_latest_first_and_arrive() -> None:
    replay = Replay()
    async with DetailApp(replay, FOO.uuid, tab=TABS["Events"]).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        lines = text_of(pilot.app).splitlines()
        assert "! warning" in lines[3]
        assert "22:13:08" in lines[3]
        event = await told(replay, FOO, EventKind.LEASE_ADDED, "newcomer got 10.0.0.150")
        detail.take_event(event)
        await until(pilot, seen(pilot, "newcomer got 10.0.0.150"))


async def test_events_of_a_network_are_filtered() -> None:
    async with DetailApp(Replay(), FOO.uuid, tab=TABS["Events"]).run_test(size=(80, 24)) as pilot:
        await shown(pilot, FOO.uuid)
        await pilot.press("slash", *"TAP3", "enter")
        await until(pilot, seen(pilot, "1 of 8"))
        assert "port tap3 attached" in text_of(pilot.app)
        assert "tap4" not in text_of(pilot.app)
        await pilot.press("escape")
        await until(pilot, seen(pilot, "port tap4 attached"))


async def told(replay: Replay, info: NetworkInfo, kind: EventKind, message: str) -> Event:
    """Something happens to a network: what everybody hears of it."""
    replay.change(info.uuid, info, kind, message)
    return (await replay.past_events())[-1]


async def test_a_network_that_stops_says_so_at_once() -> None:
    replay = Replay()
    async with DetailApp(replay, WEB.uuid).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, WEB.uuid)
        assert "◐ drifted" in text_of(pilot.app)
        assert "table flushed, repairing" in text_of(pilot.app)
        stopped = replace(WEB, state=State.DEFINED, id=None, bridge=None, started=None, note="")
        detail.take_event(await told(replay, stopped, EventKind.STOPPED, "stopped"))
        await until(pilot, seen(pilot, "○ defined"))
        assert "named when it starts" in text_of(pilot.app)


async def test_a_network_that_goes_is_said_to_be_gone() -> None:
    replay = Replay()
    async with DetailApp(replay, SCRATCH.uuid).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, SCRATCH.uuid)
        await replay.stop([SCRATCH.uuid])
        detail.take_event((await replay.past_events())[-1])
        await until(pilot, seen(pilot, "scratch is gone"))
        assert detail.info is None
        detail.show(FOO.uuid)
        await until(pilot, lambda: is_shown(detail, FOO.uuid))
        assert "is gone" not in text_of(pilot.app)


async def test_another_network_comes_once_the_cursor_rests() -> None:
    replay = Counting()
    async with DetailApp(replay, FOO.uuid).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        replay.asked.clear()
        for info in (LAB, OLD, SCRATCH, WEB, LAB):
            detail.show(info.uuid)
        assert "Foo, id 1" in text_of(pilot.app)
        await until(pilot, lambda: is_shown(detail, LAB.uuid))
        assert replay.asked == [LAB.uuid]
        assert "lab, id 2" in text_of(pilot.app)


class Counting(Replay):
    """Remembers which networks were asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[object] = []

    async def network(self, ref: UUID | str) -> NetworkInfo:
        self.asked.append(ref)
        return await super().network(ref)


class Failing(Replay):
    """Can't say anything about guests and traffic until it is mended."""

    broken = True

    async def guests(self, ref: UUID | str) -> tuple[Guest, ...]:
        if self.broken:
            raise DriverError("the bridge can't be read: [Errno 1]", "run it as root")
        return await super().guests(ref)

    async def history(
        self, ref: UUID | str | None, port: str | None = None
    ) -> tuple[HistoryPoint, ...]:
        if self.broken:
            raise DriverError("no statistics")
        return await super().history(ref, port)


@pytest.mark.parametrize(
    ("tab", "reason"),
    [("Overview", "the bridge can't be read: [Errno 1]"), ("Traffic", "no statistics")],
)
async def test_what_fails_is_told_in_its_place(tab: str, reason: str) -> None:
    replay = Failing()
    async with DetailApp(replay, FOO.uuid, tab=TABS[tab]).run_test(size=(80, 24)) as pilot:
        assert isinstance(pilot.app, DetailApp)
        await until(pilot, seen(pilot, f"✗ {reason}"))
        replay.broken = False
        event = await told(replay, FOO, EventKind.RECOVERED, "works again")
        pilot.app.detail.take_event(event)
        await until(pilot, lambda: is_shown(pilot.app.detail, FOO.uuid))  # type: ignore[attr-defined]
        assert reason not in text_of(pilot.app)


async def test_no_network_is_no_failure() -> None:
    async with DetailApp(Replay(), None).run_test(size=(80, 24)) as pilot:
        assert isinstance(pilot.app, DetailApp)
        for key in ("1", "2", "right", "left"):
            await pilot.press(key)
        pilot.app.detail.take_sample(Replay().sample())
        pilot.app.detail.show(FOO.uuid)
        await until(pilot, lambda: is_shown(pilot.app.detail, FOO.uuid))  # type: ignore[attr-defined]


class Held(Counting):
    """Answers about networks only while the gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def network(self, ref: UUID | str) -> NetworkInfo:
        info = await super().network(ref)
        await self.gate.wait()
        return info


async def test_events_that_come_faster_than_answers_are_all_seen_in_the_end() -> None:
    replay = Held()
    async with DetailApp(replay, FOO.uuid).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        replay.asked.clear()
        replay.gate.clear()
        for number in range(5):
            titled = replace(FOO, title=f"title {number}")
            detail.take_event(await told(replay, titled, EventKind.EDITED, "edited"))
            await until(pilot, lambda: replay.asked)
        replay.gate.set()
        await until(pilot, seen(pilot, "title 4"))
        assert len(replay.asked) <= 3


async def test_a_clock_that_is_set_back_begins_the_chart_anew() -> None:
    replay = Replay()
    async with DetailApp(replay, FOO.uuid, tab=TABS["Traffic"]).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        replay.now -= 3600
        for _ in range(40):
            replay.tick()
            detail.take_sample(replay.sample())
        await pilot.pause()
        axis = next(line for line in text_of(pilot.app).splitlines() if "10 min" in line)
        assert "┄" in axis
        assert "─" in axis


async def test_a_tab_is_made_once_though_a_key_and_an_answer_open_it() -> None:
    async with DetailApp(Replay(), FOO.uuid).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        detail.focus_inside()
        told = detail.Told(FOO.uuid, FOO, None)
        await asyncio.gather(
            detail.action_open_tab(TABS["Rules"]), detail.on_network_detail_told(told)
        )
        await until(pilot, seen(pilot, "leads to", "web"))
        assert len(detail.query("RulesPane")) == 1
