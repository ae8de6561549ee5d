"""What flows everywhere: its history, its files, and the screen; by keyboard only."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from textual.app import App
from textual.geometry import Size
from textual.pilot import Pilot

from tests.ui.looks import MEDIUM, SMALL, Looks
from tests.ui.playing import line_of, picture, playing, until
from tests.ui.recorded import DEMO, FOO, LAB, NOW, RecordedLink, many
from tests.ui.replay import Replay
from tests.ui.test_wire import Watched
from vnet_tui.engine.views import HistoryPoint, HostLink, Rates, Totals, Traffic
from vnet_tui.screens.confirm import ConfirmScreen
from vnet_tui.screens.monitor import MonitorScreen
from vnet_tui.screens.network import NetworkScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.widgets.monitor_places import Place, chosen, link_rate, places
from vnet_tui.widgets.monitor_table import Scale
from vnet_tui.widgets.traffic_export import FIELDS, Exported, as_csv, as_json
from vnet_tui.widgets.traffic_history import TrafficHistory, Unit


def flowing(bits: float) -> Traffic:
    return Traffic(
        rates=Rates(in_bits=bits, out_bits=bits / 2, in_packets=bits / 100, in_drops=1.0),
        totals=Totals(in_bytes=int(bits), out_bytes=7),
    )


def test_figures_of_each_unit() -> None:
    history = TrafficHistory()
    history.add(100.0, flowing(800.0))
    assert history.at(Unit.BITS, 100.0) == (800.0, 400.0)
    assert history.at(Unit.BYTES, 100.5) == (100.0, 50.0)
    assert history.at(Unit.PACKETS, 100.0) == (8.0, 0.0)
    assert history.at(Unit.DROPS, 100.0) == (1.0, 0.0)
    assert history.at(Unit.TOTALS, 100.0) == (800.0, 7.0)
    assert history.at(Unit.BITS, 99.9) is None
    assert history.at(Unit.BITS, 103.0) is None


def test_the_engines_memory_goes_before_what_was_seen_and_knows_bits_only() -> None:
    history = TrafficHistory()
    history.add(100.0, flowing(800.0))
    history.remember(HistoryPoint(time=at, in_bits=8.0, out_bits=4.0) for at in (98.0, 99.0, 100.0))
    assert [time for time, _ in history.since(Unit.BITS, 0.0, 200.0)] == [98.0, 99.0, 100.0]
    assert [time for time, _ in history.since(Unit.PACKETS, 0.0, 200.0)] == [100.0]
    assert history.at(Unit.BYTES, 99.0) == (1.0, 0.5)


def test_ten_minutes_are_kept() -> None:
    history = TrafficHistory()
    for second in range(2000):
        history.add(float(second), flowing(second))
    known = list(history.since(Unit.BITS, 0.0, 2000.0))
    assert 600 <= len(known) <= 661
    assert known[-1] == (1999.0, (1999.0, 999.5))


def test_a_clock_that_was_set_back_starts_anew_but_a_doubled_second_is_passed_over() -> None:
    history = TrafficHistory()
    history.add(100.0, flowing(1.0))
    history.add(100.0, flowing(2.0))
    assert history.at(Unit.BITS, 100.0) == (1.0, 0.5)
    history.add(50.0, flowing(3.0))
    assert [time for time, _ in history.since(Unit.BITS, 0.0, 200.0)] == [50.0]


def test_means_are_of_spans_that_are_over() -> None:
    history = TrafficHistory()
    for second, bits in ((10, 4.0), (11, 8.0), (15, 2.0), (20, 100.0)):
        history.add(float(second), flowing(bits))
    assert history.means(Unit.BITS, 21.0, 3, 5.0) == ([None, 6.0, 2.0], [None, 3.0, 1.0])


def test_only_what_is_measured_in_bits_has_the_rate_of_a_link() -> None:
    assert Scale.FIXED.next(Unit.BYTES) is Scale.LINK
    assert Scale.FIXED.next(Unit.PACKETS) is Scale.FIT
    assert Scale.LINK.next(Unit.BITS) is Scale.FIT


LINKS = {
    "tap1": HostLink(traffic=flowing(1.0)),
    "tun0": HostLink(traffic=flowing(1.0), defaults=(4,)),
    "eth0": HostLink(traffic=flowing(1.0), speed=1e9, defaults=(6,)),
    "eth1": HostLink(traffic=flowing(1.0), speed=1e8),
}


def test_uplinks_come_first_and_other_links_last() -> None:
    known = [Place(None, name) for name in LINKS]
    known += [Place(FOO.uuid, "tap10"), Place(FOO.uuid, "tap9"), Place(FOO.uuid), Place(LAB.uuid)]
    found = places((FOO, LAB), known, LINKS)
    names = ["tun0", "eth0", None, "tap9", "tap10", None, "eth1", "tap1"]
    assert [place.port for place in found] == names
    assert chosen(found, (FOO, LAB), "") == found
    assert chosen(found, (FOO, LAB), "fOO 9") == [Place(FOO.uuid, "tap9")]
    assert chosen(found, (FOO, LAB), "eth") == [Place(None, "eth0"), Place(None, "eth1")]


def test_what_has_no_rate_of_its_own_has_that_of_the_uplink() -> None:
    assert link_rate(Place(None, "eth1"), LINKS) == 1e8
    assert link_rate(Place(None, "tun0"), LINKS) == 1e9
    assert link_rate(Place(FOO.uuid), LINKS) == link_rate(Place(FOO.uuid, "tap1"), LINKS) == 1e9
    assert link_rate(Place(FOO.uuid), {"tun0": LINKS["tun0"]}) is None


def test_files_say_the_same() -> None:
    figures = [
        Exported(NOW, 'a "b", c', "tap1", "bits/s", 1.25, 2.0),
        Exported(NOW + 0.5, "d\ne", "", "bits/s", 3.0, 4.0),
    ]
    rows = list(csv.DictReader(as_csv(figures).splitlines(keepends=True)))
    objects = json.loads(as_json(figures))
    assert tuple(rows[0]) == tuple(objects[0]) == FIELDS
    for row, one in zip(rows, objects, strict=True):
        assert row == {name: str(value) for name, value in one.items()}
    assert rows[0]["time"] == "2023-11-14T22:13:20.000+00:00"
    assert json.loads(as_json([])) == []


async def opened(pilot: Pilot[None], replay: Replay, seconds: int = 5) -> None:
    """The monitor, some seconds after it was opened, knowing the past."""
    await until(pilot, lambda: "active" in picture(pilot.app))
    await until(pilot, replay.remembered)
    await pilot.press("m")
    await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
    replay.tick()
    await until(pilot, lambda: "10 min" in picture(pilot.app))
    await until(
        pilot, lambda: all(one.is_finished for one in pilot.app.workers if one.group == "past")
    )
    for _ in range(seconds):
        replay.tick()
        await pilot.pause()


def title(app: App[None]) -> str:
    return picture(app).splitlines()[0]


async def test_networks_and_their_ports_are_shown_and_opened() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=MEDIUM) as pilot:
        await opened(pilot, replay)
        figures = replay.sample().networks[FOO.uuid].ports["tap4"].rates
        assert f"{figures.in_bits / 1e6:.1f} Mb/s" in line_of(app, "tap4")
        eth0 = replay.sample().links["eth0"].traffic.rates
        assert f"{eth0.in_bits / 1e6:.1f} Mb/s" in line_of(app, "eth0")
        await until(pilot, lambda: " 1.0 Gb/s · default route of IPv4 and IPv6" in picture(app))
        await pilot.press("enter", "down", "down", "down")
        await until(pilot, lambda: "Foo / tap4" in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


async def test_the_scale_and_the_unit_are_chosen_and_shown() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, replay)
        assert "bits/s · scale fit" in title(app)
        await pilot.press("v")
        await until(pilot, lambda: "scale fixed 50.0 Mb/s" in title(app))
        assert "50.0 Mb/s" in line_of(app, "Foo")
        assert "50.0 Mb/s" in line_of(app, "tap4")
        await pilot.press("v")
        await until(pilot, lambda: "scale link rate 1.0 Gb/s" in title(app))
        assert " 1.0 Gb/s" in line_of(app, "tap4")
        replay.links = (RecordedLink(name="eth0", in_bits=1.0, out_bits=1.0, defaults=(4,)),)
        replay.tick()
        await until(pilot, lambda: "no uplink tells one" in title(app))
        assert " 1.0 Gb/s" not in line_of(app, "tap4")
        for unit, sign in (
            ("bytes/s", "B/s"),
            ("packets/s", "p/s"),
            ("dropped packets/s", "p/s"),
            ("bytes in total", "GB"),
            ("bits/s", "b/s"),
        ):
            await pilot.press("U")
            await until(pilot, lambda unit=unit: f"{unit} · scale fit" in title(app))  # type: ignore[misc]
            assert sign in line_of(app, "Foo")


async def test_time_is_held_and_gone_through() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=MEDIUM) as pilot:
        await opened(pilot, replay)
        await pilot.press("h")
        await until(pilot, lambda: "held at" in title(app))
        before = line_of(app, "Foo")
        for _ in range(20):
            replay.tick()
        await until(pilot, lambda: "20 s ago" in title(app))
        assert line_of(app, "Foo") == before
        await pilot.press("left")
        await until(pilot, lambda: "30 s ago" in title(app))
        then = replay.now - 30
        expected = next(network for network in DEMO if network.info.uuid == FOO.uuid)
        figures = expected.traffic(then).traffic.rates
        assert f"{figures.in_bits / 1e6:.1f} Mb/s" in line_of(app, "Foo")
        await pilot.press(*["shift+left"] * 12)
        await until(pilot, lambda: "10 min ago" in title(app))
        await pilot.press(*["shift+right"] * 10, "right")
        await until(pilot, lambda: "held" not in title(app))
        await pilot.press("left", "h")
        await until(pilot, lambda: "held" not in title(app))


async def test_only_what_is_looked_for_is_shown_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, replay)
        await pilot.press("slash", *"foo TAP")
        await until(pilot, lambda: "3 of 52" in picture(app))
        assert " / foo TAP " in picture(app)
        assert "seat2" not in picture(app)
        await until(pilot, lambda: "Foo / tap3" in picture(app))
        await pilot.press("enter", "w", "enter")
        await until(pilot, lambda: (tmp_path / "monitor.csv").exists())
        rows = csv.DictReader((tmp_path / "monitor.csv").read_text().splitlines())
        assert {row["port"] for row in rows} == {"tap3", "tap4", "tap5"}
        await pilot.press("slash", *"x")
        await until(pilot, lambda: "Nothing has these words" in picture(app))
        await pilot.press("escape")
        await until(pilot, lambda: "seat2" in picture(app))
        await pilot.press("slash", *"eth", "enter", "escape")
        await until(pilot, lambda: "seat2" in picture(app))
        assert isinstance(app.screen, MonitorScreen)


async def test_it_is_written_to_a_file_and_over_one_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    replay = Replay()
    app = playing(replay)
    target = tmp_path / "now.json"
    target.write_text("mine")
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await opened(pilot, replay)
        await pilot.press("w", "ctrl+u", *"now", "enter")
        await until(pilot, lambda: "has to end in .csv or .json" in picture(app))
        await pilot.press(*".json", "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert target.read_text() == "mine"
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        written = json.loads(target.read_text())
        assert {one["network"] for one in written} == {"", "Foo", "lab", "scratch", "web"}
        assert {one["port"] for one in written} >= {"", "tap3", "seat42", "eth0"}
        newest = [one for one in written if (one["network"], one["port"]) == ("Foo", "")][-1]
        rates = replay.sample().networks[FOO.uuid].traffic.rates
        assert newest["in"] == pytest.approx(rates.in_bits, abs=0.001)
        await pilot.press("w", "ctrl+u", *"none/a.csv", "enter")
        await until(pilot, lambda: "can't be written" in picture(app))


async def test_nothing_runs() -> None:
    replay = Replay(many(3, running=False))
    replay.links = ()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "net00000" in picture(app))
        await pilot.press("m")
        await until(pilot, lambda: "nothing to watch" in picture(app))
        await pilot.press("left", "h", "v", "U", "enter")
        assert isinstance(app.screen, MonitorScreen)


async def test_watching_costs_little() -> None:
    """4,000 bytes a second is the most that is allowed for 40 rows at 120×40."""
    replay = Replay(many(20))
    app = Watched(replay, Size(*MEDIUM))
    async with app.run_test(size=MEDIUM) as pilot:
        await opened(pilot, replay)
        app.written.clear()
        for _ in range(30):
            replay.tick()
            await pilot.pause()
        a_second = len("".join(app.written).encode()) / 30
        assert 100 < a_second < 4000
        assert app.seen.cells == app.expected().cells


def test_pictures(looks: Looks) -> None:
    replay = Replay()
    app = playing(replay)

    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot, replay)
        await pilot.press("down", "down", "down")
        await until(pilot, lambda: "Foo / tap4" in picture(app))

    assert looks(app, show)


def test_picture_of_the_file_and_of_held_time(looks: Looks) -> None:
    replay = Replay()
    app = playing(replay)

    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot, replay)
        await pilot.press("shift+left", "v", "v")
        await until(pilot, lambda: "held at" in title(app) and "link rate" in title(app))
        await pilot.press("w")
        await until(pilot, lambda: "Write what is shown" in picture(app))
        await pilot.press("ctrl+u", *"traffic.txt", "enter")
        await until(pilot, lambda: "has to end in" in picture(app))

    assert looks(app, show)
