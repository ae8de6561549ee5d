"""Everything that a key does can be done by name, on every screen."""

from __future__ import annotations

from textual.command import Command, CommandList, CommandPalette
from textual.pilot import Pilot
from textual.screen import Screen

from tests.ui.playing import picture, playing, until
from tests.ui.recorded import FOO
from tests.ui.replay import Replay
from vnet_tui import actions
from vnet_tui.app import VnetApp
from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.errors import Severity
from vnet_tui.screens.commands import NAMED, commands
from vnet_tui.screens.network import NetworkScreen
from vnet_tui.screens.network_actions import NetworkActions
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.staging import Stage

WAYS: tuple[tuple[str, str], ...] = (
    ("", "old"),
    ("slash", "filter"),
    ("enter", "Overview"),
    ("enter 2", "web"),
    ("m", "10 min"),
    ("t", "Topology"),
    ("E", "Events of all networks"),
    ("D", "1 finding"),
    ("X", "Explain"),
    ("n", "1 Name"),
    ("n pagedown", "free subnet"),
    ("e", "nothing is wrong with it"),
    ("e 2", "range"),
    ("e 4", "allow"),
    ("P", "of 1 network"),
    ("d", "file"),
    ("u", "Undefine Foo?"),
    ("colon", "vnet"),
)
"""Keys that lead from the list of networks to a screen, or to another place of one; and what can be
read there then."""


async def show(pilot: Pilot[None], app: VnetApp, keys: str, sign: str) -> Screen[object]:
    """The screen that keys lead to from the list."""
    first, *rest = keys.split() or [""]
    if first:
        await pilot.press(first)
        await until(pilot, lambda: len(app.screen_stack) > 2 or first == "slash")
    if rest:
        await until(pilot, lambda: "nothing is wrong" in picture(app) or first != "e")
        await pilot.press(*rest)
    await until(pilot, lambda: sign in picture(app))
    return app.screen


def keyed(screen: Screen[object]) -> set[str]:
    """The titles of what keys do on a screen now; of what is done to a network by name, those that
    suit the selected one."""
    known = {action.id: action for action in actions.every()}
    ids = {one.binding.id for one in screen.active_bindings.values()}
    titles = {known[id_].title for id_ in ids if id_ in known}
    selected = screen.selected if isinstance(screen, NetworkActions) else None
    named = {title for title, _ in commands(selected)} if selected is not None else set()
    return named | {title for title in titles if NAMED not in title}


async def offered(pilot: Pilot[None], app: VnetApp, among: actions.Action) -> set[str]:
    """What the palette offers before anything is typed, ``among`` which is this."""
    await pilot.press("ctrl+p")
    await until(pilot, lambda: isinstance(app.screen, CommandPalette))

    def listed() -> list[str]:
        options = app.screen.query_one(CommandList).options
        return [one.hit.text or "" for one in options if isinstance(one, Command)]

    await until(pilot, lambda: among.title in listed())
    found = listed()
    assert sorted(set(found)) == sorted(found)
    await pilot.press("escape")
    await until(pilot, lambda: not isinstance(app.screen, CommandPalette))
    return set(found)


async def test_the_palette_offers_what_the_keys_do_on_every_screen() -> None:
    replay = Replay()
    replay.findings = (
        Finding(
            severity=Severity.ERROR,
            blocks=("DNS",),
            message="it is closed",
            commands=(("open", "it"),),
        ),
    )

    async def waiting() -> None:
        await replay.never.wait()

    app = playing(replay)
    everywhere: set[str] = set()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        draft = await app.draft_of(FOO.uuid)
        text = draft.text.replace("<name>Foo</name>", "<name>Foo</name><title>T</title>")
        app.post_message(Stage(draft.retyped("title", text)))
        await replay.open_checkpoint(600)
        await until(pilot, lambda: app.checkpoint is not None and len(app.staged) == 1)
        for keys, sign in WAYS:
            screen = await show(pilot, app, keys, sign)
            wanted = keyed(screen)
            found = await offered(pilot, app, actions.KEEP_TRIAL)
            assert wanted <= found, (keys, wanted - found)
            everywhere |= found
            await pilot.press("escape")
            while len(app.screen_stack) > 2:
                await app.pop_screen()
        assert app.checkpoint is not None
        await replay.confirm(app.checkpoint.id)
        await until(pilot, lambda: app.checkpoint is None)
        theirs = (await replay.xml("Foo", inactive=True)).replace("10.0.0.254", "10.0.0.250")
        await replay.define(theirs)
        await until(pilot, lambda: app.overtaken(app.staged.drafts[FOO.uuid]))
        await pilot.press("P", "enter")
        await until(pilot, lambda: "both can be joined" in picture(app))
        wanted, found = keyed(app.screen), await offered(pilot, app, actions.JOIN_BOTH)
        assert wanted <= found, wanted - found
        everywhere |= found
        await app.pop_screen()
        await app.pop_screen()
        replay.between_steps = waiting
        await pilot.press("r")
        await until(pilot, lambda: len(app.operations) == 1)
        everywhere |= await offered(pilot, app, actions.CANCEL)
    general = {action.title for action in actions.every() if NAMED not in action.title}
    assert general - everywhere == set()


async def test_other_networks_are_at_hand_while_one_is_shown() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, app, "enter 2", "web")
        await pilot.press("ctrl+p", *"sta old")
        await until(pilot, lambda: "start old" in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: "start old" in replay.calls)
        await pilot.press("ctrl+p", *"open old")
        await until(pilot, lambda: "open old" in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
        await until(pilot, lambda: "─ ● old" in picture(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
