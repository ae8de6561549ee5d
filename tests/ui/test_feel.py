"""How it feels: keys and themes of one's own, the loss of the connection, only looking."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from textual.pilot import Pilot

from tests.ui.looks import SMALL, Looks
from tests.ui.playing import line_of, picture, playing, until
from tests.ui.recorded import DEMO, many
from tests.ui.replay import Replay
from tests.ui.test_snapshots import SnapCompare, after
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import IMPORTED_LATER, Connection
from vnet_tui.client.read_only import only_reading
from vnet_tui.config import Config, load
from vnet_tui.drafts.draft import Draft
from vnet_tui.engine.errors import NotPermittedError, VnetError
from vnet_tui.protocol.methods import methods_of
from vnet_tui.remembered import Remembered
from vnet_tui.screens.confirm import ConfirmScreen
from vnet_tui.screens.network import NetworkScreen
from vnet_tui.staging import Stage
from vnet_tui.widgets.lost_line import LostLine

CHANGES = {name for name, one in methods_of(Connection, IMPORTED_LATER).items() if one.changes}


class Flaky:
    """Connects to one replay after the other; None: it fails."""

    def __init__(self, *replays: Replay | None) -> None:
        self._replays = list(replays)

    async def __call__(self) -> Connection:
        replay = self._replays.pop(0)
        if replay is None:
            raise VnetError("no daemon answers", "systemctl start vnetd")
        return replay


def configured(
    replay: Replay, config: Config, *, remembered: Remembered | None = None, theme: str = ""
) -> VnetApp:
    async def connect() -> Connection:
        return only_reading(replay) if config.read_only else replay

    return VnetApp(
        connect, theme=theme, config=config, remembered=remembered, clock=lambda: replay.now
    )


# -- the connection ----------------------------------------------------------------------------


async def test_a_lost_connection_keeps_the_picture_and_comes_back_by_itself() -> None:
    first, second = Replay(), Replay(many(2))
    app = VnetApp(
        Flaky(first, None, second), theme="vnet-dark", again_after=(0.0,), clock=lambda: first.now
    )
    seen: list[str] = []
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        app.watch(app, "trouble", lambda trouble: seen.append(trouble), init=False)
        first.lose(VnetError("the daemon is gone"))
        await until(pilot, lambda: "net00001" in picture(app))
        await until(pilot, lambda: "Connected again." in picture(app))
        assert not app.screen.query(LostLine)
        assert not app.screen.has_class("-lost")
        assert first.closed
        assert ["the daemon is gone" in seen[0], "no daemon answers" in seen[1]] == [True, True]
        assert seen[-1] == ""


async def test_while_it_is_lost_all_screens_say_so_and_edits_stay() -> None:
    replay = Replay()
    app = VnetApp(
        Flaky(replay, Replay()), theme="vnet-dark", again_after=(3600.0,), clock=lambda: replay.now
    )
    foo = DEMO[0].info
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: foo.name in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
        await until(pilot, lambda: "10.0.0.1/24" in picture(app))
        draft = Draft.of(foo.uuid, await replay.xml(foo.uuid, inactive=True))
        retyped = draft.retyped(
            "title", draft.text.replace("</network>", "<title>t</title></network>")
        )
        app.post_message(Stage(retyped))
        replay.lose(VnetError("the daemon is gone"))
        await until(pilot, lambda: "the daemon is gone; trying again in 3600 s" in picture(app))
        assert app.screen.has_class("-lost")
        assert "10.0.0.1/24" in picture(app)  # what was seen last
        await pilot.press("escape")
        await until(pilot, lambda: "connection lost" in picture(app) and "old" in picture(app))
        assert foo.uuid in app.staged.drafts
        await pilot.press("f5")  # now, rather than in an hour
        await until(pilot, lambda: app.connection is not None)
        await until(pilot, lambda: "connection lost" not in picture(app))
        assert foo.uuid in app.staged.drafts


async def test_an_open_network_is_asked_for_again_on_the_new_connection() -> None:
    first, second = Replay(), Replay()
    app = VnetApp(
        Flaky(first, second), theme="vnet-dark", again_after=(0.0,), clock=lambda: first.now
    )
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
        screen = app.screen
        assert isinstance(screen, NetworkScreen)
        before = screen.detail
        first.lose(VnetError("the daemon is gone"))
        await until(pilot, lambda: screen.detail is not before)
        await until(pilot, lambda: "tap3" in picture(app))
        assert screen.detail.tab == 1
        await pilot.press("right")
        await until(pilot, lambda: screen.detail.tab == 2)


# -- keys and themes ---------------------------------------------------------------------------


async def test_keys_of_ones_own() -> None:
    replay = Replay()
    app = configured(replay, Config(keys={"stop-network": "f9"}))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await until(pilot, lambda: " f9 stop" in picture(app))
        await pilot.press("x")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmScreen)
        replay.tick()
        await until(pilot, lambda: "Mb/s" in line_of(app, "Foo"))
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))


async def test_a_broken_configuration_is_told_and_stops_nothing(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("ascii = 'on'\ntheme = 'dusk'\n")
    app = configured(Replay(), load(file), theme="vnet-dark")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        (told,) = app._notifications
        assert "config.toml:2: theme can't be 'dusk'" in told.message
        assert picture(app).isascii()


async def test_the_theme_is_chosen_by_key_and_remembered(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path), "TERM": "xterm-256color"}
    app = configured(Replay(), Config(theme="dark"), remembered=Remembered(environ))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        seen = [app.theme]
        for _ in range(4):
            await pilot.press("T")
            await until(pilot, lambda: app.theme != seen[-1])
            seen.append(app.theme)
        assert "Theme: ansi-light." in picture(app)
        await pilot.press("T", "T")
        await until(pilot, lambda: app.theme == "vnet-light")
    assert seen == ["vnet-dark", "vnet-light", "vnet-high-contrast", "ansi-dark", "ansi-light"]
    again = configured(Replay(), Config(theme="dark"), remembered=Remembered(environ))
    assert again.theme == "vnet-light"


def test_high_contrast(snap_compare: SnapCompare) -> None:
    replay = Replay()
    app = playing(replay, theme="vnet-high-contrast")
    assert snap_compare(app, terminal_size=SMALL, run_before=after(replay))


def test_ascii(looks: Looks) -> None:
    replay = Replay()
    app = configured(replay, Config(ascii="on"), theme="ansi-dark")

    async def before(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "old" in picture(app))
        await until(pilot, replay.remembered)
        await pilot.pause()
        for _ in range(60):
            replay.tick()
        await until(pilot, lambda: "Mb/s" in line_of(app, "Foo"))
        await pilot.pause()

    assert looks(app, before)


def test_a_lost_connection_as_a_picture(looks: Looks) -> None:
    replay = Replay()
    app = VnetApp(Flaky(replay), theme="vnet-dark", again_after=(3600.0,), clock=lambda: replay.now)

    async def lose(pilot: Pilot[None]) -> None:
        replay.lose(VnetError("the daemon went away"))
        await until(pilot, lambda: "connection lost" in picture(app))

    assert looks(app, after(replay, lose))


# -- only to look ------------------------------------------------------------------------------


async def test_who_only_looks_is_offered_no_change() -> None:
    replay = Replay()
    app = configured(replay, Config(read_only=True), theme="vnet-dark")
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        shown = picture(app)
        assert "read only" in shown.splitlines()[0]
        assert " x stop" not in shown
        assert " n new" not in shown
        await pilot.press("x", "a", "d", "n")
        await pilot.pause()
        assert len(app.screen_stack) == 2
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "open Foo" in picture(app))
        assert "stop Foo" not in picture(app)
        await pilot.press("escape", "enter")
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
    assert replay.calls == []


@pytest.mark.parametrize("method", sorted(CHANGES))
async def test_every_change_is_refused(method: str) -> None:
    replay = Replay()
    with pytest.raises(NotPermittedError, match=f"{method} would change something"):
        await getattr(only_reading(replay), method)(UUID(int=0))
    assert replay.calls == []


async def test_everything_else_is_answered() -> None:
    replay = Replay()
    looking = only_reading(replay)
    assert (await looking.host()).name == "alpha"
    assert len(await looking.networks()) == len(DEMO)
