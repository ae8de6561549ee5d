"""Who is connected with whom: the drawing, and the screen by keyboard only."""

from __future__ import annotations

from uuid import UUID

import pytest
from rich.cells import cell_len
from textual.geometry import Size
from textual.pilot import Pilot

from tests.ui.playing import picture, playing, until
from tests.ui.recorded import FOO, LAB, OLD, WEB, many
from tests.ui.replay import Replay
from tests.ui.test_snapshots import SnapCompare
from tests.ui.test_wire import Watched
from vnet_tui.engine.model import Mode
from vnet_tui.engine.views import NetworkTraffic, Rates, Totals, Traffic
from vnet_tui.screens.network import NetworkScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.topology import TopologyScreen
from vnet_tui.widgets.topology_layout import (
    BRIDGE,
    HOST,
    OUTSIDE,
    PORT,
    Branch,
    Plan,
    Spot,
    Twig,
    above,
    beside,
    draw,
    plan,
    spots,
)

SMALL, LARGE, HUGE = (80, 24), (120, 40), (200, 60)

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def branch(network: UUID, name: str, mode: Mode, *guests: str, running: bool = True) -> Branch:
    return Branch(
        network=network,
        name=name,
        mode=mode,
        subnet="10.0.0.0/24",
        bridge=f"vnet-{name}" if running else None,
        twigs=tuple(Twig(port=f"tap-{guest}", guest=guest) for guest in guests),
    )


def flows(bits: float, *ports: str) -> NetworkTraffic:
    traffic = Traffic(rates=Rates(in_bits=bits, out_bits=bits / 1000), totals=Totals())
    return NetworkTraffic(traffic=traffic, ports=dict.fromkeys(ports, traffic))


def drawn(made: Plan, figures: dict[UUID, NetworkTraffic] | None = None) -> list[str]:
    lines = draw(made, figures or {}, range(made.rows))
    return ["".join(cell.text for cell in line).rstrip() for line in lines]


THREE = (
    branch(A, "a", Mode.NAT, "web", "db", "mail"),
    branch(B, "b", Mode.ISOLATED, "lonely"),
    branch(C, "c", Mode.ROUTE, running=False),
)


SMALL_DRAWING = """\
                                                            ┌──────┐  ┌───────┐
 web      ─tap-web↓ 4.1M ↑ 4.1k─┐ ┌ vnet-a ───┐             │      │  │       │
 db       ─tap-db─↓ 4.1M ↑ 4.1k─┼─┤ a         ├↓ 4.1M ↑ 4.1k┤ alpha├──┤outside│
 mail     ─tap-ma…↓ 4.1M ↑ 4.1k─┘ │10.0.0.0/24│             │      │  │       │
                                  └ NAT ──────┘             │      │  │       │
                                                            │      │  │       │
                                  ┌ vnet-b ───┐             │      │  │       │
 lonely   ─tap-lo…↓   0  ↑   0 ───┤ b         ├↓   0  ↑   0 ┤ alpha│  │       │
                                  │10.0.0.0/24│             │      │  │       │
                                  └ isolated ─┘             │      │  │       │
                                                            │      │  │       │
                                  ┌───────────┐             │      │  │       │
                                  │ c         │             │      │  │       │
                                  │10.0.0.0/24│             │      │  │       │
                                  └ off ──────┘             │      │  │       │
                                                            │      │  │       │
                                                            └──────┘  └───────┘"""


def test_a_small_drawing() -> None:
    figures = {A: flows(4.1e6, "tap-web", "tap-db", "tap-mail"), B: flows(0.0, "tap-lonely")}
    assert "\n".join(drawn(plan(THREE, "alpha", 80), figures)) == SMALL_DRAWING


@pytest.mark.parametrize("width", [79, 80, 100, 120, 200, 300])
def test_every_row_fits_and_lines_meet(width: int) -> None:
    made = plan(
        [*THREE, branch(UUID(int=4), "日本" * 9, Mode.NAT, "\x1b[2J", "é")], "alpha" * 9, width
    )
    lines = draw(made, {A: flows(1e9, "tap-web")}, range(made.rows))
    lengths = {sum(cell_len(cell.text) for cell in line) for line in lines}
    assert len(lengths) == 1
    assert lengths.pop() <= width


def test_figures_move_nothing() -> None:
    made = plan(THREE, "alpha", 120)
    for bits in (0.0, 1.0, 99.4, 999.6, 1e5, 123_456_789.0, 9e13):
        rows = drawn(made, {A: flows(bits, "tap-web", "tap-db", "tap-mail")})
        before = drawn(made)
        assert [len(row) for row in rows] == [len(row) for row in before]


def test_what_is_drawn_is_only_what_is_asked_for() -> None:
    made = plan(THREE, "alpha", 80)
    assert draw(made, {}, range(3, 6)) == draw(made, {}, range(made.rows))[3:6]
    beyond = draw(made, {}, range(made.rows, made.rows + 1))[0]
    assert not "".join(cell.text for cell in beyond).strip()


def test_the_cursor_goes_along_the_lines() -> None:
    made = plan(THREE, "alpha", 80)
    at = Spot(A, PORT, "tap-db")
    assert beside(made, at, -1) == at
    assert beside(made, at, 1) == Spot(A, BRIDGE)
    assert beside(made, Spot(A, BRIDGE), -1) == Spot(A, PORT, "tap-web")
    assert beside(made, Spot(A, BRIDGE), 1) == Spot(A, HOST)
    assert beside(made, Spot(A, HOST), 1) == Spot(A, OUTSIDE)
    assert beside(made, Spot(A, OUTSIDE), 1) == Spot(A, OUTSIDE)
    assert beside(made, Spot(B, HOST), 1) == Spot(B, HOST)  # isolated
    assert beside(made, Spot(C, BRIDGE), 1) == Spot(C, BRIDGE)  # it doesn't run
    assert above(made, Spot(A, PORT, "tap-mail"), 1) == Spot(B, PORT, "tap-lonely")
    assert above(made, Spot(B, PORT, "tap-lonely"), 9) == Spot(B, PORT, "tap-lonely")
    assert above(made, Spot(C, BRIDGE), -1) == Spot(B, BRIDGE)
    assert spots(made, OUTSIDE) == [Spot(A, OUTSIDE)]


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
        await until(pilot, lambda: "alpha · nftables" in told(pilot))
        await pilot.press("right")
        await until(pilot, lambda: "outside · lab: NAT" in told(pilot))
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
    async with app.run_test(size=LARGE) as pilot:
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


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        (SMALL, "vnet-dark"),
        (LARGE, "vnet-dark"),
        (HUGE, "vnet-dark"),
        (LARGE, "vnet-light"),
        (SMALL, "ansi-dark"),
    ],
    ids=["80", "120", "200", "light", "ansi"],
)
def test_pictures(snap_compare: SnapCompare, size: tuple[int, int], theme: str) -> None:
    replay = Replay()
    app = playing(replay, theme=theme)

    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot, replay)
        await until(pilot, lambda: "seat05" in picture(app))
        replay.tick()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=show)
