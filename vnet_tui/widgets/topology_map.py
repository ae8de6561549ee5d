"""The drawing of who is connected with whom, with a cursor that goes from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from vnet_tui.engine.views import NetworkTraffic
from vnet_tui.widgets.picture import Picture
from vnet_tui.widgets.topology_layout import BRIDGE, Plan, Spot, above, beside, draw, spots


class TopologyMap(Picture, can_focus=True):
    """As much of the drawing as there is room for; only those rows are made. It follows the
    cursor by a third of its height at once: every scroll repaints all rows."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"picture--cursor"}
    DEFAULT_CSS = """
    TopologyMap > .picture--cursor { background: $primary 45%; text-style: bold; }
    TopologyMap:ansi > .picture--cursor {
        background: ansi_blue; color: ansi_bright_white; text-style: bold;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "above(-1)", "Up", show=False),
        Binding("down,j", "above(1)", "Down", show=False),
        Binding("left", "beside(-1)", "Left", show=False),
        Binding("right", "beside(1)", "Right", show=False),
        Binding("pageup", "above(-10)", "Ten up", show=False),
        Binding("pagedown", "above(10)", "Ten down", show=False),
        Binding("home,g", "above(-100000)", "First", show=False),
        Binding("end,G", "above(100000)", "Last", show=False),
        Binding("enter", "select", "Open", show=False),
    ]

    class Highlighted(Message):
        """The cursor is elsewhere, or another part of the drawing is in view."""

    class Selected(Message):
        """What the cursor is on was opened."""

        def __init__(self, spot: Spot) -> None:
            super().__init__()
            self.spot = spot

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plan: Plan | None = None
        self._figures: Mapping[UUID, NetworkTraffic] = {}
        self._top = 0
        self.cursor: Spot | None = None

    @property
    def hidden(self) -> tuple[int, int]:
        """How many rows are above and below what is in view."""
        rows = self._plan.rows if self._plan is not None else 0
        return self._top, max(0, rows - self._top - self.size.height)

    def present(self, plan: Plan, figures: Mapping[UUID, NetworkTraffic]) -> None:
        """Draw this. The cursor stays where it is, or goes to the network's bridge, or to the
        first one."""
        self._plan, self._figures = plan, figures
        known = spots(plan, self.cursor.kind) if self.cursor is not None else []
        if self.cursor not in known:
            bridges = spots(plan, BRIDGE)
            same = [one for one in bridges if self.cursor and one.network == self.cursor.network]
            self._go(next(iter(same or bridges), None))
        self._draw()

    def on_resize(self) -> None:
        """There is room for more rows, or for fewer."""
        self._reveal()
        self._draw()

    def _go(self, spot: Spot | None) -> None:
        self.cursor = spot
        self._reveal()
        self._draw()
        self.post_message(self.Highlighted())

    def _reveal(self) -> None:
        height = self.size.height
        if self._plan is None or not height:
            return
        band = self._plan.band_of(self.cursor.network) if self.cursor is not None else None
        if self.cursor is not None and band is not None:
            row = band.row_of(self.cursor)
            if row - 1 < self._top:
                self._top = row - 1 - height // 3
            elif row + 3 > self._top + height:
                self._top = row + 3 - height + height // 3
        self._top = max(0, min(self._top, self._plan.rows - height))

    def _draw(self) -> None:
        if self._plan is not None:
            rows = range(self._top, self._top + self.size.height)
            self.show(draw(self._plan, self._figures, rows, self.cursor))

    def action_above(self, by: int) -> None:
        """Up or down in its column."""
        if self._plan is not None and self.cursor is not None:
            self._go(above(self._plan, self.cursor, by))

    def action_beside(self, by: int) -> None:
        """To what it is joined with."""
        if self._plan is not None and self.cursor is not None:
            self._go(beside(self._plan, self.cursor, by))

    def action_select(self) -> None:
        """Open it."""
        if self.cursor is not None:
            self.post_message(self.Selected(self.cursor))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor, which the drawing follows."""
        event.stop()
        self.action_above(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the cursor, which the drawing follows."""
        event.stop()
        self.action_above(-1)
