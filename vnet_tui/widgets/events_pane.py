"""What happened to a network, latest first."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from vnet_tui import actions
from vnet_tui.engine.views import Event, NetworkInfo
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
from vnet_tui.widgets.live_table import Cell, LiveTable
from vnet_tui.widgets.pane import Pane
from vnet_tui.widgets.picture import Picture

KEPT = 500
"""How many events are shown."""

NOTHING_YET = "Nothing has happened to it as far back as is remembered."


class EventsPane(Pane[tuple[Event, ...]]):
    """A table of events; a line in its place where there are none, and one above it that says
    which are shown, where there are denials among them."""

    TITLE = "Events"
    DEFAULT_CSS = """
    EventsPane > #events-none, EventsPane > #events-which { display: none; }
    EventsPane.-empty > #events-none { display: block; }
    EventsPane.-empty > #events-table { display: none; }
    EventsPane.-denials > #events-which { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        actions.VIEW.binding(),
        actions.FILTER.binding(),
        Binding("escape", "show_all", "all again", tooltip="Show everything again"),
    ]

    _data: tuple[Event, ...] = ()
    _view = EventView.ALL
    _words = ""

    def compose_body(self) -> ComposeResult:
        """The table, the lines, the filter."""
        yield Picture(id="events-which")
        yield Picture(id="events-none")
        yield LiveTable[int](COLUMNS, id="events-table", show_cursor=False)
        yield FilterLine("words in event and text")

    @property
    def focus_target(self) -> Widget:
        """The table."""
        return self.query_one("#events-table", LiveTable)

    async def fetch(self, info: NetworkInfo) -> tuple[Event, ...]:
        """Everything that is remembered of this network."""
        return await self.connection.past_events(info.uuid)

    def present(self, data: tuple[Event, ...]) -> None:
        """Latest first."""
        self._data = data
        if self._has_denials is not self.has_class("-denials"):
            self.set_class(self._has_denials, "-denials")
            self.refresh_bindings()
        self._draw()

    @property
    def _has_denials(self) -> bool:
        return any(event.denial is not None for event in self._data)

    def check_action(
        self,
        action: str,
        parameters: tuple[object, ...],  # noqa: ARG002 - Textual's signature
    ) -> bool | None:
        """The keys are offered where there is another view, or something is left out."""
        if action == "show_all":
            return bool(self._words)
        return action != "next_view" or self._has_denials

    def action_next_view(self) -> None:
        """Go from one view to the next, round and round."""
        self._view = self._view.next
        self._draw()

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).begin()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        """Show what has it."""
        message.stop()
        self._words = message.wanted
        self.refresh_bindings()
        self._draw()

    def action_show_all(self) -> None:
        """Without the filter."""
        self.query_one(FilterLine).clear()

    def on_filter_line_left(self, message: FilterLine.Left) -> None:
        """The keys are the table's again."""
        message.stop()
        self.focus_target.focus()

    def _draw(self) -> None:
        shown = self._view if self._has_denials else EventView.ALL
        self.query_one("#events-which", Picture).show([(Cell(" "), *view_line(shown))])
        today = datetime.fromtimestamp(self.clock()).astimezone().date()
        chosen = [event for event in self._data if shows(shown, event)][-KEPT:]
        rows = [event_row(event, today) for event in reversed(chosen)]
        left = [row for row in rows if has_words(row, self._words)]
        self.query_one("#events-table", LiveTable).set_rows(enumerate(left))
        self.set_class(not left, "-empty")
        words = (NONE_FOUND if rows else NONE_REMEMBERED) if self._data else NOTHING_YET
        self.query_one("#events-none", Picture).show([(Cell(f" {words}", "dim"),)])
        self.query_one(FilterLine).tell(len(left), len(rows))
