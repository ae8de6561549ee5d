"""Editing definitions, by keyboard only; nothing is stored, edits are staged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.playing import line_of, picture, playing, until
from tests.ui.recorded import DEMO, FOO, FOO_XML
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.drafts import lists
from vnet_tui.drafts.lists import Place
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Network
from vnet_tui.engine.xml import examine
from vnet_tui.screens.editor import EditorScreen
from vnet_tui.screens.element import ElementScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.question import QuestionScreen
from vnet_tui.widgets.editing.document import DocumentEditor
from vnet_tui.widgets.editing.rules import IncomingTab

SMALL, WIDE = (80, 24), (160, 48)
GENERAL, ADDRESSES, DNS, INCOMING, OUTGOING, XML = "123456"


class Judging(Replay):
    """Says of a document what the engine says of it by itself."""

    async def validate(self, xml: str, *, beside: Sequence[str] = ()) -> tuple[Problem, ...]:
        return examine(xml)[1]


def editor(app: VnetApp) -> EditorScreen:
    assert isinstance(app.screen, EditorScreen)
    return app.screen


def edited(app: VnetApp) -> Network:
    network = editor(app).draft.network
    assert network is not None
    return network


def staged(app: VnetApp, uuid: UUID = FOO.uuid) -> Network:
    network = app.staged.drafts[uuid].network
    assert network is not None
    return network


async def open_editor(pilot: Pilot[None], app: VnetApp, tab: str) -> None:
    """The editor of Foo, the first of the list, at a tab."""
    await until(pilot, lambda: "old" in picture(app))
    await pilot.press("e")
    await until(pilot, lambda: isinstance(app.screen, EditorScreen))
    await until(pilot, lambda: "Foo" in picture(app) and "[NAT]" in picture(app))
    await pilot.press(tab)


async def test_a_range_is_added() -> None:
    app = playing(Judging())
    async with app.run_test(size=SMALL) as pilot:
        await open_editor(pilot, app, ADDRESSES)
        await until(pilot, lambda: "10.0.0.128 – 10.0.0.254" in picture(app))
        await pilot.press("plus")
        await until(pilot, lambda: "a DHCP range" in picture(app))
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ElementScreen))
        await pilot.press(*"10.0.0.64", "down", *"10.0.0.200")
        await until(pilot, lambda: "overlaps" in picture(app))
        await pilot.press(*["backspace"] * 3, *"95")
        await until(pilot, lambda: "overlaps" not in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, EditorScreen))
        await until(pilot, lambda: "10.0.0.64 – 10.0.0.95" in picture(app))
        assert "32 addresses" in line_of(app, "10.0.0.64")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        await until(pilot, lambda: FOO.uuid in app.staged.drafts)
        assert [str(one.start) for one in staged(app).ips[0].ranges] == ["10.0.0.128", "10.0.0.64"]


async def test_rules_are_moved_switched_off_doubled_and_undone() -> None:
    app = playing(Judging())
    async with app.run_test(size=SMALL) as pilot:
        await open_editor(pilot, app, INCOMING)
        await until(pilot, lambda: "allow tcp 8080 → web:80" in picture(app))
        await pilot.press("down", "K")
        await until(pilot, lambda: edited(app).incoming.rules[0].domain == "web")
        await pilot.press("J")
        await until(pilot, lambda: edited(app).incoming.rules[1].domain == "web")
        await pilot.press("minus")
        await until(pilot, lambda: not edited(app).incoming.rules[1].enabled)
        await until(pilot, lambda: "○ off" in line_of(app, "8080"))
        await pilot.press("minus", "i")
        await until(pilot, lambda: len(edited(app).incoming.rules) == 4)
        await until(pilot, lambda: "1 warning" in picture(app))
        assert "this rule never decides anything" in picture(app)
        for _ in range(5):
            await pilot.press("z")
        await until(pilot, lambda: not editor(app).draft.changed)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        assert not app.staged.drafts


async def test_what_runs_is_told_beside_the_rules() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await open_editor(pilot, app, INCOMING)
        await until(pilot, lambda: " 123 →" in picture(app))
        replay.tick()
        await until(pilot, lambda: "● active" in line_of(app, "123"))
        await until(pilot, lambda: "kB" in line_of(app, "123"))
        assert "◌ waiting" in line_of(app, "2222")
        before = line_of(app, "123")
        replay.tick()
        await until(pilot, lambda: line_of(app, "123") != before)
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ElementScreen))
        await pilot.press(*["backspace"] * 4, *"2223", "enter")
        await until(pilot, lambda: "◇ not yet" in line_of(app, "2223"))
        assert "B" not in line_of(app, "2223").split("not yet")[1]


async def test_the_xml_and_the_forms_are_one_draft() -> None:
    app = playing(Judging())
    async with app.run_test(size=WIDE) as pilot:
        await open_editor(pilot, app, GENERAL)
        await pilot.press("down", *"Our lab")
        await until(pilot, lambda: "<title>Our lab</title>" in picture(app))
        assert len(editor(app).draft.edits) == 1
        await pilot.press("ctrl+pageup")
        line = editor(app).draft.text.splitlines().index("  <title>Our lab</title>")
        await pilot.press("ctrl+home", *["down"] * line, *["right"] * len("  <title>"), *"new ")
        await until(pilot, lambda: "<title>new Our lab</title>" in editor(app).draft.text)
        await until(pilot, lambda: "title         new Our lab" in picture(app))


async def test_broken_xml_is_told_and_the_form_keeps_its_last_state() -> None:
    app = playing(Judging())
    async with app.run_test(size=WIDE) as pilot:
        await open_editor(pilot, app, XML)
        await pilot.press("ctrl+home", "down", "end", "backspace", "x")
        await until(pilot, lambda: "the form waits for the XML: line " in picture(app))
        assert editor(app).form.disabled
        assert "name          Foo" in picture(app)
        await pilot.press("shift+tab")
        await pilot.press("z")
        await until(pilot, lambda: "nothing is wrong with it" in picture(app))
        assert not editor(app).draft.changed
        assert not editor(app).form.disabled


async def test_a_problem_leads_to_its_row() -> None:
    app = playing(Judging())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await open_editor(pilot, app, ADDRESSES)
        await until(pilot, lambda: "10.0.0.128 – 10.0.0.254" in picture(app))
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(app.screen, ElementScreen))
        await pilot.press(*["backspace"] * 9, *"10.1.0.10", "enter")
        await until(pilot, lambda: "again: keep it so" in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: "outside every subnet" in picture(app))
        await until(pilot, lambda: "1 error" in picture(app))
        await pilot.press("3")
        await until(pilot, lambda: "domain" in picture(app))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "✗ reservation" in picture(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "staged with an error" in picture(app))


async def test_what_is_wrong_with_a_rule_leads_to_its_row() -> None:
    app = playing(Judging())
    async with app.run_test(size=SMALL) as pilot:
        await open_editor(pilot, app, INCOMING)
        await until(pilot, lambda: "allow tcp 8080 → web:80" in picture(app))
        await pilot.press("i")
        await until(pilot, lambda: "1 warning" in picture(app))
        await pilot.press("home", "5", "ctrl+n")
        await until(pilot, lambda: "never decides anything: an earlier one" in picture(app))
        form = editor(app).form
        assert isinstance(form, IncomingTab)
        assert form.place == Place(lists.INCOMING, 1)
        assert line_of(app, "2 allow").startswith(" !")


async def test_edits_are_staged_though_no_other_tab_was_opened() -> None:
    app = playing(Judging())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("enter", "3", "e")
        await until(pilot, lambda: "allow tcp 8080 → web:80" in picture(app))
        await pilot.press("minus")
        await until(pilot, lambda: not edited(app).incoming.rules[0].enabled)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: FOO.uuid in app.staged.drafts)


async def test_leaving_with_edits_asks() -> None:
    app = playing(Judging())
    async with app.run_test(size=SMALL) as pilot:
        await open_editor(pilot, app, OUTGOING)
        await until(pilot, lambda: "deny tcp+udp 25" in picture(app))
        await pilot.press("delete")
        await until(pilot, lambda: not edited(app).outgoing.rules)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, EditorScreen))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        await until(pilot, lambda: FOO.uuid in app.staged.drafts)
        assert not staged(app).outgoing.rules
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EditorScreen))
        assert editor(app).draft is app.staged.drafts[FOO.uuid]


async def test_discarded_edits_are_gone() -> None:
    app = playing(Judging())
    async with app.run_test(size=SMALL) as pilot:
        await open_editor(pilot, app, GENERAL)
        await pilot.press("down", "down", "down", "right")
        await until(pilot, lambda: "[routed]" in picture(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        assert not app.staged.drafts


async def test_dns_is_edited() -> None:
    app = playing(Judging())
    async with app.run_test(size=SMALL) as pilot:
        await open_editor(pilot, app, DNS)
        await until(pilot, lambda: "Guests are known by their names" in picture(app))
        await pilot.press("plus", "3")
        await until(pilot, lambda: isinstance(app.screen, ElementScreen))
        await pilot.press(*"192.0.2.53", "enter")
        await until(pilot, lambda: "asked of 192.0.2.53" in picture(app))
        await pilot.press("plus", "1")
        await until(pilot, lambda: isinstance(app.screen, ElementScreen))
        await pilot.press(*"nas", "down", *"10.0.0.9", "enter")
        await until(pilot, lambda: "nas" in picture(app))
        await pilot.press("shift+tab", *"lab.example")
        await until(pilot, lambda: edited(app).dns is not None)
        await until(pilot, lambda: getattr(edited(app).dns, "domain", "") == "lab.example")


async def test_a_form_that_says_too_little_stays() -> None:
    app = playing(Judging())
    async with app.run_test(size=SMALL) as pilot:
        await open_editor(pilot, app, ADDRESSES)
        await until(pilot, lambda: "10.0.0.128 – 10.0.0.254" in picture(app))
        await pilot.press("plus", "2", "enter")
        await until(pilot, lambda: "✗ it can't be empty" in picture(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, EditorScreen))
        assert not editor(app).draft.changed


async def test_a_transient_network_has_nothing_to_edit() -> None:
    app = playing(Judging())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press(*["down"] * 3, "e")
        await until(pilot, lambda: "scratch has no definition: it is transient" in picture(app))


async def test_what_a_field_cant_hold_stays_as_it_is() -> None:
    told = "<description>for the course\n  until the end of June</description>"
    recorded = replace(DEMO[0], xml=FOO_XML.replace("<dhcp ", f"{told}\n  <dhcp ", 1))
    app = playing(Judging((recorded,)))
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "Foo" in picture(app))
        await pilot.press("e")
        await until(pilot, lambda: "for the course … (edit it as XML)" in picture(app))
        await pilot.press("down", *"Lab")
        await until(pilot, lambda: edited(app).title == "Lab")
        assert told in editor(app).draft.text


async def test_what_cant_be_read_isnt_left_out_silently_when_edits_are_staged() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL) as pilot:
        await open_editor(pilot, app, "down")
        mtu = editor(app).query(Input)[4]
        mtu.focus()
        await until(pilot, lambda: app.focused is mtu)
        await pilot.press(*"12x")
        await until(pilot, lambda: "✗" in picture(app))
        await pilot.press("escape")  # nor thrown away unasked
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, EditorScreen))
        await pilot.press("ctrl+pagedown", "ctrl+s")
        await until(pilot, lambda: "12x" in picture(app))
        assert "✗" in picture(app)
        await until(pilot, lambda: isinstance(app.focused, Input) and app.focused.value == "12x")
        assert not app.staged.drafts
        await pilot.press("ctrl+u", *"1400", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        await until(pilot, lambda: FOO.uuid in app.staged.drafts)
        bridge = staged(app).bridge
        assert bridge is not None
        assert bridge.mtu == 1400


async def test_a_draft_that_was_staged_broken_opens_as_xml() -> None:
    app = playing(Judging())
    async with app.run_test(size=SMALL) as pilot:
        await open_editor(pilot, app, XML)
        await until(pilot, lambda: "</network>" in picture(app))
        await pilot.press("ctrl+home", "down", "end", "backspace", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        await until(pilot, lambda: FOO.uuid in app.staged.drafts)
        await pilot.press("e")
        await until(pilot, lambda: "the form waits for the XML" in picture(app))
        await until(pilot, lambda: isinstance(app.focused, DocumentEditor))
