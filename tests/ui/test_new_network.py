"""The guided form: a network described step by step, by keyboard only, and as XML beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.looks import LARGE, SMALL, Looks
from tests.ui.playing import picture, playing, until
from tests.ui.recorded import FOO
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.drafts.draft import Draft
from vnet_tui.engine.errors import ConflictError, Problem, StateError
from vnet_tui.engine.model import Action, Mode, Network, Subnet
from vnet_tui.engine.views import Disturbance, PlannedStep, Preview
from vnet_tui.screens.failure import FailureScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.new_network import NewNetworkScreen
from vnet_tui.widgets.editing.document import DocumentEditor

SnapCompare = Callable[..., bool]
Before = Callable[[Pilot[Any]], Awaitable[None]]

PINNED = UUID("00000000-0000-4000-8000-00000000abcd")

PLAN = Preview(
    steps=tuple(
        PlannedStep(text=text, disturbs=Disturbance.LIVE)
        for text in (
            "create bridge vnet-mill",
            "give vnet-mill 10.77.0.1/24",
            "write the firewall's rules of mill",
            "start dnsmasq for mill",
        )
    )
)


@asynccontextmanager
async def form(
    replay: Replay, size: tuple[int, int] = SMALL
) -> AsyncIterator[tuple[VnetApp, Pilot[None]]]:
    """The form on a replay, opened by its key, with a subnet found for it."""
    app = playing(replay)
    async with app.run_test(size=size, notifications=True) as pilot:
        await opened(pilot)
        yield app, pilot


async def opened(pilot: Pilot[Any]) -> None:
    app = pilot.app
    await until(pilot, lambda: " ● Foo" in picture(app) or "No networks yet" in picture(app))
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, NewNetworkScreen))
    await until(pilot, lambda: "10.77.0.1" in draft(app).text)


def draft(app: Any) -> Draft:
    assert isinstance(app.screen, NewNetworkScreen)
    return app.screen.draft


def network(app: VnetApp) -> Network:
    found = draft(app).network
    assert found is not None
    return found


def shows(app: Any, text: str) -> Callable[[], bool]:
    return lambda: text in picture(app)


async def test_enter_enter_enter_creates_a_nat_network() -> None:
    replay = Replay()
    replay.preview = PLAN
    async with form(replay) as (app, pilot):
        await pilot.press("enter", "enter", "enter", "enter")
        await until(pilot, shows(app, "4 steps; nothing"))
        assert "start dnsmasq for mill" in picture(app)
        described = network(app)
        assert described.mode is Mode.NAT
        assert len(described.ips[0].ranges) == 1
        await pilot.press("enter")
        await until(pilot, shows(app, "net1 runs."))
        assert isinstance(app.screen, NetworksScreen)
        assert replay.calls == ["define", "start net1"]
        selected = app.screen.selected
        assert selected is not None
        assert selected.name == "net1"


async def test_the_first_start_offers_the_form() -> None:
    app = playing(Replay(()))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, shows(app, "make one, step by step"))
        await opened(pilot)


async def test_back_and_forth_keeps_all() -> None:
    async with form(Replay()) as (app, pilot):
        await pilot.press(*"mill", "tab", *"A title", "enter")
        await until(pilot, shows(app, "[2 Addresses]"))
        await pilot.press("ctrl+u", *"10.9.0.1/2", "down", "f3")
        await until(pilot, shows(app, "fd00:77::1/64"))
        await pilot.press("up", "end", "4")
        await until(pilot, shows(app, "10.9.0.0/24"))
        await pilot.press("enter", "right")
        await until(pilot, shows(app, "[off: addresses only]"))
        await pilot.press("enter", "right")
        await until(pilot, lambda: network(app).incoming.default is Action.ALLOW)
        described = network(app)
        for _ in range(4):
            await pilot.press("pageup")
        await until(pilot, shows(app, "[1 Name]"))
        assert "A title" in picture(app)
        for _ in range(4):
            await pilot.press("pagedown")
        await until(pilot, shows(app, "[5 Review]"))
        assert network(app) == described
        assert described.name == "mill"
        assert described.title == "A title"
        assert [str(ip.interface) for ip in described.ips] == ["10.9.0.1/24", "fd00:77::1/64"]
        assert [str(one.start) for one in described.ips[0].ranges] == ["10.9.0.128"]
        assert described.dhcp is not None
        assert not described.dhcp.enabled


async def test_what_cant_be_read_stays_as_typed_and_keeps_from_creating() -> None:
    replay = Replay()
    async with form(replay) as (app, pilot):
        await pilot.press("enter", "ctrl+u", *"10.9")
        await until(pilot, shows(app, "✗ an address is expected"))
        await pilot.press("enter")
        assert "[2 Addresses✗]" in picture(app)
        await pilot.press("pageup", "down", "down", "down", "right")
        await until(pilot, lambda: network(app).mode is Mode.ROUTE)
        await pilot.press("enter")
        await until(pilot, shows(app, "[2 Addresses"))
        assert " 10.9 " in picture(app)
        await pilot.press("pagedown", "pagedown", "pagedown", "enter")
        await until(pilot, shows(app, "[2 Addresses✗]"))
        assert replay.calls == []
        await pilot.press("pageup", "ctrl+s")
        await until(pilot, shows(app, "[2 Addresses✗]"))
        await until(pilot, lambda: app.focused is app.screen.query(Input)[3])
        await pilot.press("ctrl+u", *"10.9.0.1/24")
        await until(pilot, shows(app, "10.9.0.0/24"))
        assert "✗" not in picture(app)


async def test_a_name_is_cleared_before_another_is_typed() -> None:
    replay = Replay()
    async with form(replay) as (app, pilot):
        await pilot.press("end", "ctrl+u")
        await until(pilot, lambda: settled(app))
        assert network(app).name == "net1"
        await pilot.press("enter")
        await until(pilot, shows(app, "✗ it can't be empty"))
        assert "[1 Name✗]" in picture(app)
        await pilot.press(*"mill", "enter")
        await until(pilot, shows(app, "[2 Addresses]"))
        assert network(app).name == "mill"


async def test_a_name_that_is_taken_and_a_subnet_in_the_way_are_told_at_their_steps() -> None:
    replay = Replay()
    replay.obstacle = ConflictError(
        "mill can't start",
        [Problem(message="10.77.0.0/24 overlaps 10.77.0.9/16 on eth0", line=5)],
    )
    async with form(replay) as (app, pilot):
        await pilot.press(*"Foo")
        await until(pilot, shows(app, "✗ there is another network named Foo"))
        assert "[1 Name✗]" in picture(app)
        await pilot.press("1")
        await until(pilot, lambda: "[1 Name✗]" not in picture(app))
        await until(pilot, shows(app, "2 Addresses✗"))
        await pilot.press("enter")
        await until(pilot, shows(app, "✗ 10.77.0.0/24 overlaps 10.77.0.9/16 on eth0"))
        await pilot.press("enter", "enter", "enter", "enter")
        await until(pilot, shows(app, "[2 Addresses✗]"))
        assert replay.calls == []
        # It can be defined nevertheless, to be started where there is room for it.
        await pilot.press("pagedown", "pagedown", "pagedown", "right", "enter")
        await until(pilot, shows(app, "is defined; s starts it."))
        assert replay.calls == ["define"]


async def test_ranges_reservations_and_rules_are_added_in_the_form() -> None:
    async with form(Replay()) as (app, pilot):
        await pilot.press("enter", "enter", "tab", "tab", "plus")
        await until(pilot, shows(app, "2 a reservation"))
        await pilot.press("2")
        await until(pilot, shows(app, "Add a reservation"))
        await pilot.press(*"10.77.0.9", "down", *"52:54:00:00:00:09", "enter")
        await until(pilot, lambda: "<host " in draft(app).text)
        await until(pilot, shows(app, "52:54:00:00:00:09"))
        assert "R" in next(line for line in picture(app).splitlines() if "10.77.0.255" in line)
        await pilot.press("pagedown", "tab", "plus")
        await until(pilot, shows(app, "Add an incoming rule"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NewNetworkScreen))


async def test_what_cant_be_read_isnt_thrown_away_unasked() -> None:
    async with form(Replay()) as (app, pilot):
        await pilot.press("enter", "ctrl+u", *"10.9")
        await until(pilot, shows(app, "✗ an address is expected"))
        await pilot.press("escape")
        await until(pilot, shows(app, "Throw away"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NewNetworkScreen))
        assert " 10.9 " in picture(app)


async def test_xml_beside_the_form_is_the_same_draft() -> None:
    async with form(Replay(), LARGE) as (app, pilot):
        assert "<name>net1</name>" in picture(app)
        await pilot.press(*"mill")
        await until(pilot, shows(app, "<name>mill</name>"))
        await pilot.press("f2")
        document = app.screen.query_one(DocumentEditor)
        await until(pilot, lambda: document.has_focus)
        document.move_cursor((1, len("  <name>mil")))
        await pilot.press("X")
        await until(pilot, shows(app, "<name>milXl</name>"))
        await until(pilot, lambda: " milXl " in picture(app))
        await pilot.press("backspace", "f2", "pagedown")
        await until(pilot, shows(app, "[2 Addresses]"))
        assert network(app).name == "mill"
        await pilot.press("f2", "less_than_sign")
        await until(pilot, lambda: draft(app).network is None)
        await until(pilot, lambda: barred(app))
        await pilot.press("escape", "z")
        await until(pilot, lambda: not barred(app))


async def test_on_a_narrow_terminal_the_xml_is_a_key_away() -> None:
    async with form(Replay()) as (app, pilot):
        assert "<network>" not in picture(app)
        await pilot.press("f2")
        await until(pilot, shows(app, "<name>net1</name>"))
        assert "kind" not in picture(app)
        await pilot.press("escape")
        await until(pilot, shows(app, "kind"))


async def test_leaving_asks_only_when_something_was_typed() -> None:
    replay = Replay()
    async with form(replay) as (app, pilot):
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        await opened(pilot)
        await pilot.press(*"mill", "escape")
        await until(pilot, shows(app, "Throw away mill?"))
        await pilot.press("n")
        await until(pilot, lambda: draft(app).text.count("<name>mill</name>") == 1)
        await pilot.press("escape")
        await until(pilot, shows(app, "Throw away mill?"))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
    assert replay.calls == []


async def test_a_subnet_that_is_found_late_takes_nothing_from_what_is_typed() -> None:
    replay = Replay()
    found, suggest = asyncio.Event(), replay.suggest_subnet

    async def late(prefix: int = 24, family: int = 4) -> Subnet:
        await found.wait()
        return await suggest(prefix, family)

    replay.suggest_subnet = late  # type: ignore[method-assign]
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, shows(app, " ● Foo"))
        await pilot.press("n")
        await until(pilot, shows(app, "[1 Name]"))
        await until(pilot, lambda: settled(app))
        await pilot.press(*"mi")
        found.set()
        await pilot.press(*"ll")
        await until(pilot, lambda: [str(ip.subnet) for ip in network(app).ips] == ["10.77.0.0/24"])
        assert network(app).name == "mill"


async def test_it_can_be_staged() -> None:
    replay = Replay()
    async with form(replay) as (app, pilot):
        await pilot.press(*"mill", "ctrl+s")
        await until(pilot, lambda: len(app.staged) == 1)
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        (staged,) = app.staged.drafts.values()
        assert staged.network is not None
        assert staged.network.name == "mill"
        assert staged.base is None
    assert replay.calls == []


async def test_a_failure_leaves_the_form_as_it_was() -> None:
    replay = Replay()
    replay.fail = StateError("somebody was faster")
    async with form(replay) as (app, pilot):
        await pilot.press(*"mill", "enter", "enter", "enter", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, FailureScreen))
        await until(pilot, shows(app, "Could not create mill"))
        await pilot.press("escape")
        await until(pilot, shows(app, "[5 Review]"))
        assert network(app).name == "mill"
        assert replay.calls == ["define", "start mill", "undefine mill"]


async def test_without_a_connection_editing_goes_on_and_a_new_one_is_asked_again() -> None:
    replay = Replay()
    async with form(replay) as (app, pilot):
        app.connection = None
        await pilot.press(*"mill", "enter", "enter", "enter", "enter", "enter")
        await until(pilot, shows(app, "There is no connection: Ctrl+S keeps it."))
        assert network(app).name == "mill"
        replay.preview = PLAN
        app.connection = replay
        await until(pilot, shows(app, "start dnsmasq for mill"))
        await pilot.press("enter")
        await until(pilot, lambda: replay.calls == ["define", "start mill"])


async def test_a_uuid_that_is_taken_never_replaces_a_network() -> None:
    replay = Replay()
    async with form(replay) as (app, pilot):
        taken = draft(app).text.replace(str(draft(app).uuid), str(FOO.uuid))
        await pilot.press("f2")
        app.screen.query_one(DocumentEditor).load_text(taken)
        await until(pilot, lambda: draft(app).text == taken)
        await pilot.press("escape", "pagedown", "pagedown", "pagedown", "pagedown", "enter")
        await until(pilot, shows(app, "this is the UUID of the network Foo"))
        assert replay.calls == []


def barred(app: Any) -> bool:
    """Whether the form waits for the XML."""
    assert isinstance(app.screen, NewNetworkScreen)
    return app.screen.form.disabled


def settled(app: Any) -> bool:
    """Whether the engine has spoken, and the keys go to the open step."""
    form = app.screen
    assert isinstance(form, NewNetworkScreen)
    return form.settled and form.focused is form._tabs[form._opened].focus_target


def before(*keys: str, sign: str) -> Before:
    """The form, with the same UUID always, after some keys."""

    async def drive(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press(*keys)
        await until(pilot, shows(pilot.app, sign))
        await until(pilot, lambda: settled(pilot.app))
        await pilot.pause()

    return drive


@pytest.fixture
def same_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    new = Draft.new

    def pinned(described: Network) -> Draft:
        return new(replace(described, uuid=PINNED))

    monkeypatch.setattr(Draft, "new", pinned)


STEPS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("name", tuple("mill"), "named after"),
    ("addresses", (*"mill", "enter"), "room for 253"),
    ("dhcp", (*"mill", "enter", "enter"), "127 addresses"),
    ("forwarding", (*"mill", "enter", "enter", "enter"), "allow everything else"),
    ("review", (*"mill", "enter", "enter", "enter", "enter"), "4 steps; nothing"),
)


@pytest.mark.usefixtures("same_uuid")
@pytest.mark.parametrize(
    ("keys", "sign"), [pytest.param(keys, sign, id=name) for name, keys, sign in STEPS]
)
def test_steps(looks: Looks, keys: tuple[str, ...], sign: str) -> None:
    replay = Replay()
    replay.preview = PLAN
    assert looks(playing(replay), before(*keys, sign=sign))


@pytest.mark.usefixtures("same_uuid")
def test_an_address_in_the_way(snap_compare: SnapCompare, snapshot: SnapshotAssertion) -> None:
    replay = Replay()
    replay.obstacle = ConflictError(
        "mill can't start", [Problem(message="10.77.0.0/24 overlaps 10.77.0.9/16 on eth0", line=5)]
    )
    drive = before(*"mill", "enter", sign="overlaps")
    assert Looks(snap_compare, snapshot, (160, 40))(playing(replay), drive)
