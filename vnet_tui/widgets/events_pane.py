"""What happened to a network, latest first."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from vnet_tui.engine.views import Denial, Event, EventKind, NetworkInfo
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
    EventKind.DRIFTED: Cell("◐ drifted", "warn"),
    EventKind.RECOVERED: Cell("● recovered", "good"),
    EventKind.CHANGED_ON_DISK: Cell("~ on disk", "warn"),
    EventKind.WARNING: Cell("! warning", "warn"),
    EventKind.CHECKPOINT_OPENED: Cell("◷ on trial", "warn"),
    EventKind.CHECKPOINT_CONFIRMED: Cell("● confirmed", "good"),
    EventKind.ROLLED_BACK: Cell("↶ rolled back", "warn"),
    EventKind.DENIED: Cell("⊘ denied", "warn"),
    EventKind.LOGGED: Cell("→ passed", "accent"),
}


class View(StrEnum):
    """Which events are shown."""

    ALL = "all"
    DENIALS = "denied and passed"
    OTHERS = "all others"


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
        Binding(
            "v",
            "next_view",
            "view",
            id="network.events.view",
            tooltip="All events, only who was denied or let pass, or all others",
        )
    ]

    _data: tuple[Event, ...] = ()
    _view = View.ALL

    def compose_body(self) -> ComposeResult:
        """The table, and the lines."""
        yield Picture(id="events-which")
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
        self._data = data
        if self._has_denials is not self.has_class("-denials"):
            self.set_class(self._has_denials, "-denials")
            self.refresh_bindings()
        self.set_class(not data, "-empty")
        self._draw()

    @property
    def _has_denials(self) -> bool:
        return any(event.denial is not None for event in self._data)

    def check_action(
        self,
        action: str,
        parameters: tuple[object, ...],  # noqa: ARG002 - Textual's signature
    ) -> bool | None:
        """The key is offered where there is another view."""
        return action != "next_view" or self._has_denials

    def action_next_view(self) -> None:
        """Go from one view to the next, round and round."""
        views = list(View)
        self._view = views[(views.index(self._view) + 1) % len(views)]
        self._draw()

    def _draw(self) -> None:
        shown = self._view if self._has_denials else View.ALL
        which = [
            Cell(f"[{view}]", "strong") if view is shown else Cell(f" {view} ", "dim")
            for view in View
        ]
        self.query_one("#events-which", Picture).show([(Cell(" "), *which)])
        today = datetime.fromtimestamp(self.clock()).astimezone().date()
        chosen = [event for event in self._data if _is_in(event, shown)][-KEPT:]
        self.query_one("#events-table", LiveTable).set_rows(
            (number, _row(event, event.time.astimezone(), today))
            for number, event in enumerate(reversed(chosen))
        )


def _is_in(event: Event, view: View) -> bool:
    return view is View.ALL or (event.denial is not None) is (view is View.DENIALS)


def _row(event: Event, local: datetime, today: object) -> tuple[Cell, ...]:
    time = local.strftime("%H:%M:%S" if local.date() == today else "%d %b %H:%M")
    role = KINDS[event.kind].role
    if event.denial is not None:  # the kind has said already what became of it
        words, role = _connection(event.denial), "plain"
    else:
        words = event.message
    return (
        Cell(time, "dim"),
        KINDS[event.kind],
        Cell(words, role if role in ("warn", "bad") else "plain"),
    )


def _connection(denial: Denial) -> str:
    return f"{denial.connection}: {denial.rule}" if denial.rule else denial.connection
