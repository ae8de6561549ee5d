"""Everything that happens, on all networks, latest first."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from vnet_tui import actions
from vnet_tui.assets import style_sheet
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.text import printable
from vnet_tui.engine.views import Event
from vnet_tui.feed import feed_of
from vnet_tui.screens.filtered import FilteredScreen
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.event_rows import (
    COLUMNS,
    NONE_FOUND,
    NONE_REMEMBERED,
    EventView,
    event_row,
    has_words,
    shows,
    view_line,
)
from vnet_tui.widgets.filter_line import FilterLine
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.live_table import Cell, LiveTable
from vnet_tui.widgets.picture import Picture

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection

KEPT = 2000
"""How many events are kept to be shown: days of them, and no more memory however long it runs."""

SETTLE = 0.1
"""Seconds in which events that come as fast are shown together."""

TIME, KIND, WHAT = COLUMNS
ALL_COLUMNS = (TIME, Column(key="network", label="network", width=11, grow=1, most=30), KIND, WHAT)


class EventsScreen(FilteredScreen):
    """All events. Esc shows all of them again, then goes back."""

    WAY = "events"
    CSS_PATH: ClassVar[list[str | PurePath]] = [style_sheet(name) for name in ("app", "events")]
    HELP = """\
# Events

What happened, whoever did it, and connections that were denied or logged. **/** filters by words in
network, event and text; **v** shows denials only, or all others.
"""
    BINDINGS: ClassVar[list[BindingType]] = [actions.VIEW.binding()]

    class Remembered(Message, bubble=False):
        """What happened before anybody looked."""

        def __init__(self, events: Sequence[Event]) -> None:
            super().__init__()
            self.events = events

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._view = EventView.ALL
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        """Which ones, the table, the filter."""
        yield Picture(id="events-title")
        yield LiveTable[int](ALL_COLUMNS, id="events-all")
        yield Static(id="events-chosen")
        yield FilterLine("words in network, event and text")
        yield KeyLine()

    def on_mount(self) -> None:
        """What is remembered, and what comes."""
        feed_of(self).happened.subscribe(self, self._take)
        self.filtered.focus()
        self.draw_filtered()
        self.watch(feed_of(self), "connection", self._follow)

    @property
    def filtered(self) -> LiveTable[int]:
        """The table."""
        return self.query_one("#events-all", LiveTable)

    def _follow(self, connection: Connection | None) -> None:
        """Whoever is there now knows what happened meanwhile."""
        if connection is not None:
            self.run_worker(self._remember(connection), group="past", exclusive=True)

    async def _remember(self, connection: Connection) -> None:
        try:
            self.post_message(self.Remembered(await connection.past_events()))
        except VnetError as error:
            self.notify(str(error), severity="error")

    def on_events_screen_remembered(self, message: Remembered) -> None:
        """With what is known already."""
        known = [event for event in self._events if event not in message.events]
        by_time = sorted((*message.events, *known), key=lambda event: event.time)
        self._events = deque(by_time, maxlen=KEPT)
        self.draw_filtered()

    def _take(self, event: Event) -> None:
        self._events.append(event)
        if self._settling is None:
            self._settling = self.set_timer(SETTLE, self.draw_filtered)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock()).astimezone().date()

    def draw_filtered(self) -> None:
        """What is in the view and has the words, latest first."""
        self._settling = None
        today = self._today()
        rows = [
            (id(event), event_row(event, today, network=True))
            for event in reversed(self._events)
            if shows(self._view, event)
        ]
        left = [row for row in rows if has_words(row[1], self.wanted)]
        self.filtered.set_rows(left)
        title = (Cell("Events of all networks  ", "strong"), *view_line(self._view))
        self.query_one("#events-title", Picture).show([title])
        self.query_one(FilterLine).tell(len(left), len(rows))
        self._tell_chosen()

    @on(LiveTable.Highlighted, "#events-all")
    def _tell_chosen(self) -> None:
        """The whole text of the event under the cursor, which a row may have no room for; where
        there is none, why."""
        key = self.filtered.cursor_key
        chosen = next((event for event in self._events if id(event) == key), None)
        if chosen is not None:
            words = event_row(chosen, self._today())[-1].text
        else:
            words = NONE_FOUND if self.wanted else NONE_REMEMBERED
        self.query_one("#events-chosen", Static).update(Text(printable(words)))

    # -- keys -----------------------------------------------------------------------------------

    def action_next_view(self) -> None:
        """Go from one view to the next, round and round."""
        self._view = self._view.next
        self.draw_filtered()
