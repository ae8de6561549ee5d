"""What happened to a network, latest first."""

from __future__ import annotations

from datetime import datetime

from textual.app import ComposeResult
from textual.widget import Widget

from vnet_tui.engine.views import Event, EventKind, NetworkInfo
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.live_table import Cell, LiveTable
from vnet_tui.widgets.pane import Pane
from vnet_tui.widgets.picture import Picture

KEPT = 500
"""How many events are shown."""

COLUMNS = (
    Column(key="time", label="time", width=12),
    Column(key="kind", label="event", width=15),
    Column(key="message", label="what", width=30, grow=1),
)

KINDS = {
    EventKind.DEFINED: Cell("+ defined"),
    EventKind.UNDEFINED: Cell("- undefined"),
    EventKind.STARTED: Cell("● started", "good"),
    EventKind.STOPPED: Cell("○ stopped"),
    EventKind.EDITED: Cell("~ edited"),
    EventKind.AUTOSTART: Cell("~ autostart"),
    EventKind.LEASE_ADDED: Cell("+ lease", "accent"),
    EventKind.LEASE_REMOVED: Cell("- lease", "dim"),
    EventKind.PORT_ADDED: Cell("+ port", "accent"),
    EventKind.PORT_REMOVED: Cell("- port", "dim"),
    EventKind.FAILED: Cell("✗ failed", "bad"),
    EventKind.RECOVERED: Cell("● recovered", "good"),
    EventKind.WARNING: Cell("! warning", "warn"),
    EventKind.DENIED: Cell("⊘ denied", "warn"),
    EventKind.LOGGED: Cell("→ passed", "accent"),
}


class EventsPane(Pane[tuple[Event, ...]]):
    """A table of events; a line in its place where there are none."""

    TITLE = "Events"
    DEFAULT_CSS = """
    EventsPane > #events-none { display: none; }
    EventsPane.-empty > #events-none { display: block; }
    EventsPane.-empty > #events-table { display: none; }
    """

    def compose_body(self) -> ComposeResult:
        """The table, and the line."""
        yield Picture(id="events-none")
        yield LiveTable[int](COLUMNS, id="events-table", show_cursor=False)

    def on_mount(self) -> None:
        """The line never changes."""
        self.query_one("#events-none", Picture).show(
            [(Cell(" Nothing has happened to it as far back as is remembered.", "dim"),)]
        )

    @property
    def focus_target(self) -> Widget:
        """The table."""
        return self.query_one("#events-table", LiveTable)

    async def fetch(self, info: NetworkInfo) -> tuple[Event, ...]:
        """Everything that is remembered of this network."""
        return await self.connection.past_events(info.uuid)

    def present(self, data: tuple[Event, ...]) -> None:
        """Latest first."""
        today = datetime.fromtimestamp(self.clock()).astimezone().date()
        self.set_class(not data, "-empty")
        self.query_one("#events-table", LiveTable).set_rows(
            (number, _row(event, event.time.astimezone(), today))
            for number, event in enumerate(reversed(data[-KEPT:]))
        )


def _row(event: Event, local: datetime, today: object) -> tuple[Cell, ...]:
    time = local.strftime("%H:%M:%S" if local.date() == today else "%d %b %H:%M")
    role = KINDS[event.kind].role
    return (
        Cell(time, "dim"),
        KINDS[event.kind],
        Cell(event.message, role if role in ("warn", "bad") else "plain"),
    )
