"""One key keeps a guest's address, one leads a port to it; both are staged."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.ui.playing import picture, playing, until
from tests.ui.recorded import FOO, OLD
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.engine.model import Network
from vnet_tui.engine.network_info import Ref
from vnet_tui.engine.views import EventKind, Guest
from vnet_tui.screens.element import ElementScreen
from vnet_tui.screens.network import NetworkScreen


def staged(app: VnetApp) -> Network:
    network = app.staged.drafts[FOO.uuid].network
    assert network is not None
    return network


async def guests(pilot: Pilot[None], app: VnetApp, downs: int) -> None:
    """The tab with Foo's guests, the cursor so many rows below the first."""
    await until(pilot, lambda: "old" in picture(app))
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
    await pilot.press("2")
    await until(pilot, lambda: "spare" in picture(app))
    await pilot.press(*["down"] * downs)


async def test_a_lease_is_reserved() -> None:
    app = playing(Replay())
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await guests(pilot, app, 1)
        await pilot.press("l")
        await until(pilot, lambda: FOO.uuid in app.staged.drafts)
        assert staged(app).dhcp is not None
        kept = staged(app).dhcp.reservations[-1]  # type: ignore[union-attr]
        assert (str(kept.address), kept.name, kept.mac) == (
            "10.0.0.131",
            "foobar",
            "52:54:00:00:00:83",
        )
        await until(pilot, lambda: "P shows what is pending" in picture(app))
        await pilot.press("l")
        await until(pilot, lambda: "is kept for foobar already" in picture(app))
        assert len(app.staged.past) == 1


async def test_8080_is_forwarded_to_a_guest() -> None:
    app = playing(Replay())
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await guests(pilot, app, 1)
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, ElementScreen))
        await pilot.press(*"8080")
        await until(pilot, lambda: "leads to" in picture(app))
        await pilot.press(*["backspace"] * 4, *"8081", "down", "down", *"80", "enter")
        await until(pilot, lambda: FOO.uuid in app.staged.drafts)
        rule = staged(app).incoming.rules[-1]
        assert (str(rule.port), str(rule.destport), rule.domain) == ("8081", "80", "foobar")
        assert rule.protocol == "tcp"


async def test_a_guest_without_a_name_gets_one_with_its_forward() -> None:
    app = playing(Replay())
    async with app.run_test(size=(80, 24)) as pilot:
        await guests(pilot, app, 2)
        await pilot.press("f")
        await until(pilot, lambda: "guest's name" in picture(app))
        await pilot.press(*"mallory", "down", *"2200", "enter")
        await until(pilot, lambda: FOO.uuid in app.staged.drafts)
        network = staged(app)
        assert network.dhcp is not None
        assert network.dhcp.reservations[-1].name == "mallory"
        assert str(network.dhcp.reservations[-1].address) == "10.0.0.132"
        assert network.incoming.rules[-1].domain == "mallory"


async def test_an_isolated_network_forwards_nothing() -> None:
    app = playing(Replay())
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: OLD.name in picture(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
        await pilot.press("2")
        await until(pilot, lambda: "seat02" in picture(app))
        await pilot.press("f")
        await until(pilot, lambda: "lab is isolated: nothing is forwarded" in picture(app))
        assert not app.staged.drafts


async def test_below_the_list_the_same_keys_do_it_and_the_editor_opens_where_it_shows() -> None:
    app = playing(Replay())
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "on, no domain" in picture(app))
        await pilot.press("2")
        await until(pilot, lambda: "10.0.0.131" in picture(app))
        await pilot.press("tab", "tab", "down", "l")
        await until(pilot, lambda: FOO.uuid in app.staged.drafts)
        await pilot.press("e")
        await until(pilot, lambda: "reservation  10.0.0.131" in picture(app))


class Deserted(Replay):
    """Nobody is anywhere, at first."""

    here = False

    async def guests(self, ref: Ref) -> tuple[Guest, ...]:
        return await super().guests(ref) if self.here else ()


async def test_where_nobody_is_these_keys_are_not_offered() -> None:
    replay = Deserted()
    app = playing(replay)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
        await pilot.press("2")
        await until(pilot, lambda: "No guests" in picture(app))
        assert "l reserve" not in picture(app)
        replay.here = True
        replay.change(FOO.uuid, FOO, EventKind.PORT_ADDED, "port tap-web attached")
        await until(pilot, lambda: "l reserve  f forward" in picture(app))
