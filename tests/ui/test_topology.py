"""Who is connected with whom: the drawing, and the screen by keyboard only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from rich.cells import cell_len
from textual.geometry import Size
from textual.pilot import Pilot

from tests.ui.looks import MEDIUM, SMALL, Looks
from tests.ui.playing import picture, playing, until
from tests.ui.recorded import DEMO, FOO, LAB, OLD, WEB, RecordedLink, many
from tests.ui.replay import Replay
from tests.ui.test_wire import Watched
from vnet_tui.engine.model import Mode
from vnet_tui.engine.views import HostLink, NetworkTraffic, Rates, Sample, Totals, Traffic
from vnet_tui.screens.monitor import MonitorScreen
from vnet_tui.screens.network import NetworkScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.topology import TopologyScreen
from vnet_tui.widgets.jumping import labels, places
from vnet_tui.widgets.topology_drawing import draw
from vnet_tui.widgets.topology_layout import (
    BRIDGE,
    HOST,
    LINK,
    PORT,
    Branch,
    Exit,
    Plan,
    Spot,
    Twig,
    above,
    beside,
    plan,
    spot_at,
    spots,
)
from vnet_tui.widgets.topology_map import TopologyMap

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


EXITS = (Exit(name="eth0", defaults=(4, 6)), Exit(name="wg0"))


def branch(
    network: UUID,
    name: str,
    mode: Mode,
    *guests: str,
    running: bool = True,
    through: tuple[str, ...] | None = ("eth0",),
) -> Branch:
    return Branch(
        network=network,
        name=name,
        mode=mode,
        subnet="10.0.0.0/24",
        bridge=f"vnet-{name}" if running else None,
        twigs=tuple(Twig(port=f"tap-{guest}", guest=guest) for guest in guests),
        through=through,
    )


def flowing(bits: float) -> Traffic:
    return Traffic(rates=Rates(in_bits=bits, out_bits=bits / 1000), totals=Totals())


def flows(bits: float, *ports: str) -> NetworkTraffic:
    return NetworkTraffic(
        traffic=flowing(bits), ports=dict.fromkeys(ports, flowing(bits)), port_count=len(ports)
    )


def sampled(networks: dict[UUID, NetworkTraffic], bits: float = 0.0) -> Sample:
    links = {one.name: HostLink(traffic=flowing(bits)) for one in EXITS}
    return Sample(time=0.0, networks=networks, links=links)


def planned(branches: Sequence[Branch], width: int, height: int = 24) -> Plan:
    return plan(branches, EXITS, "alpha", width, height)


def drawn(made: Plan, figures: Sample | None = None) -> list[str]:
    lines = draw(made, range(made.rows), figures or sampled({}))
    return ["".join(cell.text for cell in line).rstrip() for line in lines]


THREE = (
    branch(A, "a", Mode.NAT, "web", "db", "mail"),
    branch(B, "b", Mode.ISOLATED, "lonely"),
    branch(C, "c", Mode.ROUTE, running=False),
)


SMALL_DRAWING = """\
                                                            ┌───────┐  ┌ v4 v6 ┐
 web      ─tap-web↓ 4.1M ↑ 4.1k─┐ ┌ vnet-a ───┐             │ alpha ├──┤ eth0  │
 db       ─tap-db─↓ 4.1M ↑ 4.1k─┼─┤ a         ├↓ 4.1M ↑ 4.1k┤ → eth0│  │↓ 4.1M │
 mail     ─tap-ma…↓ 4.1M ↑ 4.1k─┘ │10.0.0.0/24│             │       │  │↑ 4.1k │
                                  └ NAT ──────┘             │       │  └───────┘
                                                            │       │  ┌───────┐
                                  ┌ vnet-b ───┐             │       ├──┤ wg0   │
 lonely   ─tap-lo…↓   0  ↑   0 ───┤ b         ├↓   0  ↑   0 ┤ inside│  │↓ 4.1M │
                                  │10.0.0.0/24│             │       │  │↑ 4.1k │
                                  └ isolated ─┘             │       │  └───────┘
                                                            │       │
                                  ┌───────────┐             │       │
                                  │ c         │             │       │
                                  │10.0.0.0/24│             │       │
                                  └ off ──────┘             │       │
                                                            │       │
                                                            └───────┘"""


def test_a_small_drawing() -> None:
    networks = {A: flows(4.1e6, "tap-web", "tap-db", "tap-mail"), B: flows(0.0, "tap-lonely")}
    assert "\n".join(drawn(planned(THREE, 80), sampled(networks, 4.1e6))) == SMALL_DRAWING


@pytest.mark.parametrize("width", [*range(79, 102), 120, 200, 300])
def test_every_row_fits_and_lines_meet(width: int) -> None:
    wide = branch(UUID(int=4), "日本" * 9, Mode.NAT, "\x1b[2J", "é", through=("eth0", "wg0" * 9))
    made = plan([*THREE, wide], [*EXITS, Exit(name="enp" * 9)], "alpha" * 9, width, 24)
    lines = draw(made, range(made.rows + 2), sampled({A: flows(1e9, "tap-web")}, 1e9))
    lengths = {sum(cell_len(cell.text) for cell in line) for line in lines}
    assert len(lengths) == 1
    assert lengths.pop() <= width


def test_figures_move_nothing() -> None:
    made = planned(THREE, 120)
    before = [len(row) for row in drawn(made)]
    for bits in (0.0, 1.0, 99.4, 999.6, 1e5, 123_456_789.0, 9e13):
        rows = drawn(made, sampled({A: flows(bits, "tap-web", "tap-db", "tap-mail")}, bits))
        assert [len(row) for row in rows] == before


def test_links_stay_in_view_and_as_many_are_drawn_as_there_is_room_for() -> None:
    made = planned(THREE, 80)
    for top in (0, 3, 9):
        rows = draw(made, range(top, top + 8), sampled({}))
        assert "eth0" in "".join(cell.text for cell in rows[1])
    many_exits = [Exit(name=f"eth{number}") for number in range(9)]
    made = plan(THREE, many_exits, "alpha", 80, 21)
    assert [one.name for one in made.exits] == ["eth0", "eth1", "eth2", "eth3"]
    assert made.more == 5
    assert plan((), many_exits, "alpha", 80, 21).rows == 20


@pytest.mark.parametrize(
    ("mode", "through", "told"),
    [
        (Mode.NAT, ("eth0",), "┤ → eth0│"),
        (Mode.ROUTE, (), "┤ no way│"),
        (Mode.NAT, None, "┤ …     │"),
        (Mode.ISOLATED, (), "┤ inside│"),
    ],
)
def test_the_host_says_how_a_network_reaches_the_world(
    mode: Mode, through: tuple[str, ...] | None, told: str
) -> None:
    rows = drawn(planned([branch(A, "a", mode, through=through)], 80))
    assert rows[2][60:69] == told


def test_the_cursor_goes_along_the_lines() -> None:
    made = planned(THREE, 80)
    at = Spot(A, PORT, "tap-db")
    assert beside(made, at, -1) == at
    assert beside(made, at, 1) == Spot(A, BRIDGE)
    assert beside(made, Spot(A, BRIDGE), -1) == Spot(A, PORT, "tap-web")
    assert beside(made, Spot(A, BRIDGE), 1) == Spot(A, HOST)
    assert beside(made, Spot(A, HOST), 1) == Spot(A, LINK, "eth0")
    assert beside(made, Spot(A, LINK, "eth0"), 1) == Spot(A, LINK, "eth0")
    assert beside(made, Spot(B, LINK, "wg0"), -1) == Spot(B, HOST)  # from where it came
    assert beside(made, Spot(C, BRIDGE), 1) == Spot(C, BRIDGE)  # it doesn't run
    assert above(made, Spot(A, PORT, "tap-mail"), 1) == Spot(B, PORT, "tap-lonely")
    assert above(made, Spot(B, PORT, "tap-lonely"), 9) == Spot(B, PORT, "tap-lonely")
    assert above(made, Spot(C, BRIDGE), -1) == Spot(B, BRIDGE)
    assert above(made, Spot(A, LINK, "eth0"), 1) == Spot(A, LINK, "wg0")
    other = plan([branch(A, "a", Mode.NAT, through=("wg0",))], EXITS, "alpha", 80, 24)
    assert beside(other, Spot(A, HOST), 1) == Spot(A, LINK, "wg0")


def test_what_is_at_a_cell_is_what_is_drawn_there() -> None:
    made = planned(THREE, 80)
    rows = drawn(made)

    def at(text: str, y: int) -> Spot | None:
        return spot_at(made, rows[y].index(text), y, 0, Spot(B, BRIDGE))

    assert at("db", 2) == at("tap-db", 2) == Spot(A, PORT, "tap-db")
    assert at("vnet-a", 1) == at("10.0.0.0/24", 3) == Spot(A, BRIDGE)
    assert at("eth0", 2) == Spot(A, HOST)
    assert at("wg0", 6) == Spot(B, LINK, "wg0")
    assert at("inside", 7) == Spot(B, HOST)
    assert spot_at(made, 70, 23, 0, None) is None
    assert spot_at(made, 1, 4, 0, None) is None
    assert {spot for kind in (PORT, BRIDGE, HOST) for spot in spots(made, kind)} == {
        spot
        for y in range(made.rows)
        for x in range(made.columns.links_at)
        if (spot := spot_at(made, x, y, 0, None)) is not None
    }


async def opened(pilot: Pilot[None], replay: Replay) -> None:
    await until(pilot, lambda: "active" in picture(pilot.app))
    replay.tick()
    await pilot.press("t")
    await until(pilot, lambda: isinstance(pilot.app.screen, TopologyScreen))
    await until(pilot, lambda: "Topology" in picture(pilot.app))


def told(pilot: Pilot[None]) -> str:
    """The line about what the cursor is on."""
    return picture(pilot.app).splitlines()[-2]


async def test_the_arrows_lead_from_one_to_the_next_and_enter_opens() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, replay)
        await until(pilot, lambda: "vnet-foo · 10.0.0.1/24" in told(pilot))
        await pilot.press("left")
        await until(pilot, lambda: "10.0.0.10 · 52:54:00:00:00:0a · tap3" in told(pilot))
        await pilot.press("down", "down")
        await until(pilot, lambda: "mallory[red]" in told(pilot))
        await pilot.press("down")
        await until(pilot, lambda: "seat2 on lab" in told(pilot))
        await pilot.press("right", "right")
        await until(pilot, lambda: "alpha · lab leaves through eth0" in told(pilot))
        await pilot.press("right")
        await until(pilot, lambda: "1.0 Gb/s · default route of IPv4" in told(pilot))
        await pilot.press("down")
        await until(pilot, lambda: "no link rate · 1 route" in told(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await until(pilot, lambda: " wg0 · this host's own" in picture(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TopologyScreen))
        await pilot.press("left", "left", "left", "enter")
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
        await until(pilot, lambda: "seat02" in picture(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TopologyScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


async def test_rates_go_on_and_who_comes_and_goes_is_drawn() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=MEDIUM) as pilot:
        await opened(pilot, replay)
        await until(pilot, lambda: "foobar" in picture(app))
        for _ in range(3):
            replay.tick()
            rates = replay.sample().networks[FOO.uuid].traffic.rates
            await until(pilot, lambda: f"↓{rates.in_bits / 1e6:>4.1f}M" in picture(app))  # noqa: B023
        await pilot.press("end")
        await until(pilot, lambda: " · vnet-web" in told(pilot))
        await pilot.press("home", "down", "down")
        await until(pilot, lambda: "old · defined" in told(pilot))
        await replay.start([OLD.uuid])
        await until(pilot, lambda: "vnet-old · " in told(pilot))
        await replay.stop([FOO.uuid, LAB.uuid, WEB.uuid])
        await until(pilot, lambda: "foobar" not in picture(app))
        assert "vnet-old · " in told(pilot)


async def test_another_default_route_is_drawn() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=MEDIUM) as pilot:
        await opened(pilot, replay)
        await until(pilot, lambda: "→ eth0" in picture(app))
        replay.links = tuple(
            RecordedLink(name=name, in_bits=1.0, out_bits=1.0, defaults=versions)
            for name, versions in (("eth0", (6,)), ("tun0", (4,)))
        )
        replay.tick()
        await until(pilot, lambda: "→ tun0 " in picture(app))
        assert " tun0, eth0" in picture(app)  # the network that has IPv6, too
        await pilot.press("right")
        await until(pilot, lambda: "Foo leaves through tun0" in told(pilot))
        replay.links = ()
        replay.tick()
        await until(pilot, lambda: "Foo has no way out" in told(pilot))
        assert "no way" in picture(app)


async def test_the_mouse_puts_the_cursor_and_opens() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=MEDIUM) as pilot:
        await opened(pilot, replay)
        await until(pilot, lambda: "foobar" in picture(app))
        rows = picture(app).splitlines()
        y = next(y for y, row in enumerate(rows) if "foobar" in row)
        await pilot.click(TopologyMap, offset=(rows[y].index("foobar"), y - 1))
        await until(pilot, lambda: "10.0.0.131 · " in told(pilot))
        await pilot.click(TopologyMap, offset=(rows[y].index("foobar"), y - 1))
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))


async def test_every_spot_in_view_has_a_letter_to_go_there() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, replay)
        await until(pilot, lambda: "foobar" in picture(app))
        found = places(app.screen)
        rows = picture(app).splitlines()
        begins = [rows[place.at.y][place.at.x :].lstrip() for place in found]
        for text in ("web ", "foobar ", "Foo ", "→ eth0", "eth0 ", "seat02 ", "lab ", "wg0 "):
            assert any(one.startswith(text) for one in begins), text
        number = next(n for n, one in enumerate(begins) if one.startswith("wg0"))
        await pilot.press("ctrl+o", *labels(len(found))[number])
        await until(pilot, lambda: " wg0 ↓" in told(pilot))


async def test_all_who_are_behind_one_port_are_told() -> None:
    foo = DEMO[0]
    guests = tuple(replace(guest, port="tap3") for guest in foo.guests[:2])
    replay = Replay([replace(foo, guests=guests, ports=("tap3",))])
    app = playing(replay)
    async with app.run_test(size=MEDIUM) as pilot:
        await opened(pilot, replay)
        await until(pilot, lambda: " web +1 " in picture(app))
        await pilot.press("left")
        await until(pilot, lambda: "web, foobar ↓" in told(pilot))


async def test_the_drawing_follows_the_cursor_over_many_networks() -> None:
    replay = Replay(many(300))
    app = Watched(replay, Size(*SMALL))
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, replay)
        await pilot.press("end")
        await until(pilot, lambda: " · vnet-299" in told(pilot))
        assert "net00299" in "\n".join(picture(app).splitlines()[1:-2])
        await pilot.press("pageup")
        await until(pilot, lambda: " · vnet-289" in told(pilot))
        assert "more: " in picture(app).splitlines()[0]
        await pilot.press("home")
        await until(pilot, lambda: "0 rows above" in picture(app))
        app.written.clear()
        for _ in range(10):
            replay.tick()
            await pilot.pause()
        assert len("".join(app.written).encode()) / 10 < 4000
        assert app.seen.cells == app.expected().cells


async def test_no_networks() -> None:
    app = playing(Replay([]))
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "No networks yet" in picture(app))
        await pilot.press("t")
        await until(pilot, lambda: "there is nothing to draw" in picture(app))
        await pilot.press("down", "left", "enter", "escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


def test_pictures(looks: Looks) -> None:
    replay = Replay()
    app = playing(replay)

    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot, replay)
        await until(pilot, lambda: "seat05" in picture(app))
        replay.tick()
        await pilot.pause()

    assert looks(app, show)
