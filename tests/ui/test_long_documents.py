"""The document beside the form: it shows where the form is at work, and nothing waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.ui.playing import line_of, picture, playing, until
from tests.ui.recorded import DEMO, FOO_XML
from tests.ui.test_editor import INCOMING, WIDE, XML, Judging, edited, editor, open_editor
from vnet_tui.engine import xml
from vnet_tui.widgets.editing.document import DocumentEditor
from vnet_tui.widgets.editing.rules import IncomingTab
from vnet_tui.widgets.live_table import LiveTable

RULES = 2000
LONG = FOO_XML.replace(
    '<incoming default="deny">\n',
    '<incoming default="deny">\n'
    + "".join(f'<allow port="{10_000 + at}" domain="web"/>\n' for at in range(RULES)),
)


def marked(text: str) -> str:
    """The line that the document marks. StopIteration: none."""
    return next(line for line in text.splitlines() if "▸ " in line)


async def test_the_document_shows_what_is_under_the_cursor_and_what_changed() -> None:
    app = playing(Judging())
    async with app.run_test(size=WIDE) as pilot:
        await open_editor(pilot, app, INCOMING)
        await until(pilot, lambda: 'port="123"' in marked(picture(app)))
        await pilot.press("down")
        await until(pilot, lambda: 'port="8080"' in marked(picture(app)))
        await pilot.press("minus")
        await until(pilot, lambda: 'enabled="false"' in picture(app))
        assert 'port="8080"' in marked(picture(app))
        await pilot.press("shift+tab", "right")
        await until(pilot, lambda: '<incoming default="allow">' in marked(picture(app)))
        await pilot.press("1", "down", *"Lab")
        await until(pilot, lambda: "<title>Lab</title>" in marked(picture(app)))
        await pilot.press("ctrl+pageup", "end", *["left"] * len("</title>"), "s")
        await until(pilot, lambda: edited(app).title == "Labs")
        assert "▸" not in picture(app)


async def test_of_a_long_list_only_what_is_seen_is_made() -> None:
    app = playing(Judging((replace(DEMO[0], xml=LONG),)))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: "Foo" in picture(app))
        await pilot.press("e")
        await until(pilot, lambda: "[NAT]" in picture(app))
        await pilot.press(INCOMING, "end")
        await until(pilot, lambda: "deny everything else" in picture(app))
        await pilot.press("up")
        assert str(RULES + 3) in line_of(app, "2222")
        table = app.screen.query_one(IncomingTab).query_one(LiveTable)
        assert len(table.keys) == RULES + 4
        assert sum(row is not None for row in table._rows) < 2 * WIDE[1]
        await pilot.press(XML, "ctrl+end")
        await until(pilot, lambda: "</network>" in picture(app))
        await pilot.press("ctrl+home")
        await until(pilot, lambda: "<network" in picture(app))


async def test_documents_are_written_and_read_beside_the_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_the_keys: list[str] = []

    def watched(name: str) -> Callable[..., Any]:
        original = getattr(xml, name)

        def called(*arguments: Any, **more: Any) -> Any:
            if threading.current_thread() is threading.main_thread():
                at_the_keys.append(name)
            return original(*arguments, **more)

        return called

    app = playing(Judging())
    async with app.run_test(size=WIDE) as pilot:
        for name in ("write", "examine", "parse"):
            monkeypatch.setattr(xml, name, watched(name))
        await open_editor(pilot, app, INCOMING)
        for key in ("minus", "J", "i", "delete", "z"):
            before = editor(app).draft
            await pilot.press(key)
            await until(pilot, lambda before=before: editor(app).draft is not before)  # type: ignore[misc]
            await until(pilot, lambda: editor(app).draft.written)
        await pilot.press(XML, "ctrl+end", *"<!-- end -->")
        await until(pilot, lambda: "nothing is wrong with it" in picture(app))
        assert app.screen.query_one(DocumentEditor).text.endswith("<!-- end -->")
        assert at_the_keys == []
