"""An event as a row of a table, and which events are shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from vnet_tui.engine.views import Denial, Event, EventKind
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line

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


NONE_REMEMBERED = "Nothing like that is remembered."
NONE_FOUND = "Nothing of it has these words."
"""What is said where a view, or a filter, leaves no event."""


class EventView(StrEnum):
    """Which events are shown."""

    ALL = "all"
    DENIALS = "denied and passed"
    OTHERS = "all others"

    @property
    def next(self) -> EventView:
        """The one after it, round and round."""
        views = list(EventView)
        return views[(views.index(self) + 1) % len(views)]


def shows(view: EventView, event: Event) -> bool:
    """Whether an event is in a view."""
    return view is EventView.ALL or (event.denial is not None) is (view is EventView.DENIALS)


def has_words(row: Sequence[Cell], wanted: str) -> bool:
    """Whether what a row says, but for the time, has all of these words."""
    text = " ".join(cell.text for cell in row[1:]).casefold()
    return all(word in text for word in wanted.casefold().split())


def view_line(chosen: EventView) -> Line:
    """All views, the chosen one in brackets."""
    return tuple(
        Cell(f"[{view}]", "strong") if view is chosen else Cell(f" {view} ", "dim")
        for view in EventView
    )


def event_row(event: Event, today: date, *, network: bool = False) -> tuple[Cell, ...]:
    """The cells of :data:`COLUMNS` for an event; with the name of its network after the time."""
    local = event.time.astimezone()
    time = local.strftime("%H:%M:%S" if local.date() == today else "%d %b %H:%M")
    kind = KINDS[event.kind]
    if event.denial is not None:  # the kind has said already what became of it
        words, role = _connection(event.denial), "plain"
    else:
        words, role = event.message, kind.role
    what = Cell(words, role if role in ("warn", "bad") else "plain")
    where = (Cell(event.name or "–", "strong" if event.name else "dim"),) if network else ()
    return (Cell(time, "dim"), *where, kind, what)


def _connection(denial: Denial) -> str:
    return f"{denial.connection}: {denial.rule}" if denial.rule else denial.connection
