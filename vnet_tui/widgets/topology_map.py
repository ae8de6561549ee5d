"""The drawing of who is connected with whom, with a cursor that goes from one to the next."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message

from vnet_tui.engine.views import Sample
from vnet_tui.roles import cursor_css
from vnet_tui.widgets.jumping import Place
from vnet_tui.widgets.picture import Picture
from vnet_tui.widgets.topology_drawing import NOTHING, draw
from vnet_tui.widgets.topology_layout import (
    BRIDGE,
    HOST,
    JOINT,
    LINK,
    LINK_ROWS,
    PORT,
    Plan,
    Spot,
    above,
    beside,
    has,
    spot_at,
    spots,
)


class TopologyMap(Picture, can_focus=True):
    """As much of the drawing as there is room for; only those rows are made. It follows the
    cursor by a third of its height at once: every scroll repaints all rows."""

    DEFAULT_CSS = cursor_css("TopologyMap", "role--cursor")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "above(-1)", "Up", show=False),
        Binding("down,j", "above(1)", "Down", show=False),
        Binding("left", "beside(-1)", "Left", show=False),
        Binding("right", "beside(1)", "Right", show=False),
        Binding("pageup", "above(-10)", "Ten up", show=False),
        Binding("pagedown", "above(10)", "Ten down", show=False),
        Binding("home,g", "above(-100000)", "First", show=False),
        Binding("end,G", "above(100000)", "Last", show=False),
        Binding("enter", "select", "open", tooltip="Open what is under the cursor"),
    ]

    class Highlighted(Message):
        """The cursor is elsewhere, or another part of the drawing is in view."""

    class Resized(Message):
        """There is another room for the drawing."""

    class Selected(Message):
        """What the cursor is on was opened."""

        def __init__(self, spot: Spot) -> None:
            super().__init__()
            self.spot = spot

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plan: Plan | None = None
        self._figures = NOTHING
        self._top = 0
        self.cursor: Spot | None = None

    @property
    def hidden(self) -> tuple[int, int]:
        """How many rows are above and below what is in view."""
        rows = self._plan.rows if self._plan is not None else 0
        return self._top, max(0, rows - self._top - self.size.height)

    def present(self, plan: Plan, figures: Sample) -> None:
        """Draw this. The cursor stays where it is, or goes to the network's bridge, or to the
        first one."""
        self._plan, self._figures = plan, figures
        if self.cursor is None or not has(plan, self.cursor):
            bridges = spots(plan, BRIDGE)
            same = [one for one in bridges if self.cursor and one.network == self.cursor.network]
            self._go(next(iter(same or bridges), None))
        self._draw()

    def on_resize(self) -> None:
        """There is room for more, or for less: it wants another plan."""
        self._reveal()
        self._draw()
        self.post_message(self.Resized())

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
            self.show(draw(self._plan, rows, self._figures, self.cursor))

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

    def on_click(self, event: events.Click) -> None:
        """The first click puts the cursor, the second opens."""
        if self._plan is None:
            return
        spot = spot_at(self._plan, event.x, event.y + self._top, self._top, self.cursor)
        if spot is not None and spot == self.cursor:
            self.action_select()
        elif spot is not None:
            self._go(spot)

    def places(self) -> Iterator[Place]:
        """All that the cursor can be on and is in view."""
        if self._plan is None:
            return
        network = self.cursor.network if self.cursor is not None else None
        columns = self._plan.columns
        at = {PORT: 1, BRIDGE: columns.box_at + 1, HOST: columns.host_at + 1}
        for kind, x in at.items():
            for spot in spots(self._plan, kind):
                band = self._plan.band_of(spot.network)
                y = band.row_of(spot) - self._top if band is not None else -1
                if 0 <= y < self.size.height:
                    yield Place(Offset(x, y), partial(self._jump_to, spot))
        for number, spot in enumerate(spots(self._plan, LINK, network)):
            y = number * LINK_ROWS + JOINT
            yield Place(Offset(columns.links_at + 1, y), partial(self._jump_to, spot))

    def _jump_to(self, spot: Spot) -> None:
        self.focus()
        self._go(spot)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor, which the drawing follows."""
        event.stop()
        self.action_above(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the cursor, which the drawing follows."""
        event.stop()
        self.action_above(-1)
