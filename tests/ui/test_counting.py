"""What rules and guests counted, and who was denied what, as the tabs show it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rich.console import RenderableType
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.pilot import Pilot

from tests.ui.detail import DetailApp, text_of, until
from tests.ui.playing import playing
from tests.ui.recorded import DEMO, FOO, FOO_KEYS_IN, LAB, Recorded, denied
from tests.ui.replay import Replay
from tests.ui.test_network_detail import TABS, seen, shown
from tests.ui.test_wire import COLORS
from vnet_tui.engine.model import Action
from vnet_tui.engine.rule_counters import DEFAULT_IN, Count
from vnet_tui.engine.views import EventKind, Sample
from vnet_tui.wire import Wire


def row(pilot: Pilot[None], text: str) -> str:
    """The line with that text."""
    return next(line for line in text_of(pilot.app).splitlines() if text in line)


async def test_rules_show_what_they_decided_and_go_on() -> None:
    replay = Replay()
    async with DetailApp(replay, FOO.uuid, tab=TABS["Rules"]).run_test(size=(120, 30)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        assert row(pilot, "foobar:321").split()[-1] == "10.0.0.131"
        for second in (1, 2):
            replay.tick()
            detail.take_sample(replay.sample())
            await pilot.pause()
            words = row(pilot, "foobar:321").split()
            assert words[-3:] == [str(310 + second), "18.7", "kB"]
        assert row(pilot, "spare:22").split()[-3:] == ["0", "0", "B"]
        assert row(pilot, "deny everything else").split()[-4:] == ["1.2", "k", "72.2", "kB"]
        detail.show(LAB.uuid)
        await until(pilot, lambda: detail.info is not None and detail.info.uuid == LAB.uuid)
        await shown(pilot, LAB.uuid)
        assert " B" not in text_of(pilot.app)  # nothing is counted there
        detail.show(FOO.uuid)
        await shown(pilot, FOO.uuid)
        await until(pilot, seen(pilot, "312"))


async def test_on_a_small_terminal_packets_are_shown() -> None:
    replay = Replay()
    async with DetailApp(replay, FOO.uuid, tab=TABS["Rules"]).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        replay.tick()
        detail.take_sample(replay.sample())
        await pilot.pause()
        line = row(pilot, "foobar:321")
        assert line.split()[-1] == "311"
        assert "…" not in line
        assert "packets" in text_of(pilot.app)
        assert "bytes" not in text_of(pilot.app)


async def test_a_network_that_stopped_shows_no_counts() -> None:
    replay = Replay()
    async with DetailApp(replay, FOO.uuid, tab=TABS["Rules"]).run_test(size=(120, 30)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        replay.tick()
        detail.take_sample(replay.sample())
        await until(pilot, seen(pilot, "311"))
        await replay.stop([FOO.uuid])
        detail.take_event((await replay.past_events())[-1])
        await until(pilot, seen(pilot, "not running"))
        assert " B" not in text_of(pilot.app)


class Wired(DetailApp):
    """Counts what would go to the terminal."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.wire = Wire()
        self.written: list[str] = []

    def _display(self, screen: Any, renderable: RenderableType | None) -> None:
        if isinstance(renderable, ChopsUpdate | LayoutUpdate) and not self._batch_count:
            self.written.append(self.wire.difference(renderable, self.size, COLORS))
        super()._display(screen, renderable)


def counting(network: Recorded, count: int) -> Sample:
    """A sample in which one rule decided so many packets."""
    seen = network.traffic(0)
    rules = {FOO_KEYS_IN[0]: Count(count, 60 * count), DEFAULT_IN: Count(3, 180)}
    counted = replace(seen, rules=rules)
    return Sample(time=0, networks={network.info.uuid: counted})


async def test_a_count_that_rises_costs_a_few_bytes() -> None:
    app = Wired(Replay(), FOO.uuid, tab=TABS["Rules"])
    async with app.run_test(size=(120, 40)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        detail.take_sample(counting(DEMO[0], 1))
        await pilot.pause()
        app.written.clear()
        detail.take_sample(counting(DEMO[0], 1))
        await pilot.pause()
        assert "".join(app.written) == ""
        detail.take_sample(counting(DEMO[0], 2))
        await pilot.pause()
        assert 0 < len("".join(app.written)) < 60


async def test_guests_show_what_was_routed_in_all() -> None:
    replay = Replay()
    async with DetailApp(replay, FOO.uuid, tab=TABS["Guests"]).run_test(size=(80, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        await pilot.press("v")  # there is no other view yet
        assert "routed" not in text_of(pilot.app)
        replay.tick()
        detail.take_sample(replay.sample())
        await pilot.pause()
        assert "[rates]" in text_of(pilot.app)
        await pilot.press("v")
        await until(pilot, seen(pilot, "[routed in all]"))
        assert "b/s" not in text_of(pilot.app)
        assert row(pilot, "● web").split()[-3:] == ["5.4", "kB", "tap3"]
        assert row(pilot, "○ spare").split()[-5:] == ["0", "B", "0", "B", "–"]
        await pilot.press("v")
        await until(pilot, seen(pilot, "[rates]", "b/s"))


async def test_denials_are_listed_with_all_that_is_known() -> None:
    replay = Replay()
    async with DetailApp(replay, FOO.uuid, tab=TABS["Events"]).run_test(size=(160, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        line = row(pilot, "⊘ denied")
        assert line.endswith(
            "⊘ denied         tcp 25 web (10.0.0.10) → 198.51.100.7, 3 times: "
            "rule 1 of <outgoing> of Foo: deny tcp+udp 25"
        )
        assert "→ passed" in text_of(pilot.app)
        replay._past.append(denied(-1, FOO, port=110))
        detail.take_event(replay._past[-1])
        await until(pilot, seen(pilot, "tcp 110 web"))


async def test_denials_can_be_looked_at_alone_or_left_out() -> None:
    async with DetailApp(Replay(), FOO.uuid, tab=TABS["Events"]).run_test(size=(120, 24)) as pilot:
        detail = await shown(pilot, FOO.uuid)
        await pilot.press("v")
        await until(pilot, seen(pilot, "[denied and passed]"))
        assert "warning" not in text_of(pilot.app)
        assert text_of(pilot.app).count("⊘ denied") == 1
        await pilot.press("v")
        await until(pilot, seen(pilot, "[all others]", "! warning"))
        assert "⊘ denied" not in text_of(pilot.app)
        detail.show(LAB.uuid)
        await shown(pilot, LAB.uuid)
        assert "Nothing has happened" in text_of(pilot.app)
        assert "[" not in text_of(pilot.app)


class Asked(Replay):
    """Counts questions."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    async def networks(self) -> Any:
        self.looks += 1
        return await super().networks()


@pytest.mark.parametrize("action", [Action.DENY, Action.ALLOW])
async def test_a_denial_makes_nobody_look_at_all_networks_again(action: Action) -> None:
    replay = Asked()
    app = playing(replay)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, seen(pilot, "Foo"))
        await pilot.press("7")
        await until(pilot, seen(pilot, "tcp 25 web"))
        before = replay.looks
        told = denied(-1, FOO, action=action, port=110)
        replay._past.append(told)
        replay._events.put(told)
        await until(pilot, seen(pilot, "tcp 110 web"))
        assert replay.looks == before
        replay.change(FOO.uuid, FOO, EventKind.EDITED, "brought to its definition")
        await until(pilot, lambda: replay.looks == before + 1)
