"""A tab with a list: elements are added, changed, removed, doubled and moved by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widget import Widget

from vnet_tui import actions
from vnet_tui.drafts.lists import Items, Kind, Place, added, moved, removed
from vnet_tui.engine.errors import Severity
from vnet_tui.engine.model import Network
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.editing.settings import Setting, Settings
from vnet_tui.widgets.editing.tab import Edited, EditorTab, KindWanted, Wanted
from vnet_tui.widgets.live_table import EMPTY, Cell, LiveTable
from vnet_tui.widgets.picture import Line, Picture

MARK = Column(key="mark", label="", width=1)
"""The column that says whether anything is wrong with a row."""

MARKS = {Severity.ERROR: Cell("✗", "bad"), Severity.WARNING: Cell("!", "warn")}


class ElementTable(LiveTable[Place]):
    """Elements by their places; ``make`` gives what a row shows, when it is looked at."""

    def __init__(self, columns: Sequence[Column], make: Callable[[Place], Sequence[Cell]]) -> None:
        super().__init__(columns)
        self._make = make

    def make_row(self, key: Place) -> Sequence[Cell]:
        """As it was said."""
        return self._make(key)


class ListTab(EditorTab):
    """Fields on top, a drawing, the list, and a line about what is under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        action.binding() for action in actions.LIST_EDITING_ACTIONS
    ]
    DEFAULT_CSS = """
    ListTab LiveTable { height: 1fr; }
    ListTab .list-tab--drawing { padding: 0 1; }
    ListTab .list-tab--note { height: 1; padding: 0 1; }
    """
    EMPTY_TEXT: ClassVar[str] = "Nothing here yet."

    def __init__(self, columns: Sequence[Column], settings: Sequence[Setting], *, id: str) -> None:
        super().__init__(id=id)
        self._settings = Settings(settings)
        self._table = ElementTable((MARK, *columns), self._row)
        self._drawing = Picture()
        self._drawing.add_class("list-tab--drawing")
        self._note = Picture()
        self._note.add_class("list-tab--note")
        self._goal: Place | None = None
        self._items: Mapping[Kind, Items] = {}
        self._footing: Mapping[Place, Sequence[Cell]] = {}

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._settings
        yield self._drawing
        yield self._table
        yield self._note

    def cells(self, place: Place, element: Any) -> Sequence[Cell]:
        """What a row shows, without its mark."""
        raise NotImplementedError

    def drawing(self, network: Network, place: Place | None, width: int) -> Sequence[Line]:  # noqa: ARG002
        """What is drawn above the list; nothing, unless a tab has something."""
        return ()

    def footing(self) -> Sequence[tuple[Place, Sequence[Cell]]]:
        """Rows behind the list that aren't elements."""
        return ()

    def remark(self, place: Place) -> str:  # noqa: ARG002 - for tabs that know
        """What there is to say of an element besides its problems."""
        return ""

    @property
    def focus_target(self) -> Widget:
        """The list."""
        return self._table

    @property
    def line(self) -> int:
        """That of the field, or of the element under the cursor."""
        if self._settings.has_focus_within:
            return self._settings.line
        place = self.place
        return place.line(self.network) if place and self.network else 0

    @property
    def place(self) -> Place | None:
        """What is under the cursor."""
        place = self._table.cursor_key
        return place if place is not None and self._element(place) is not None else None

    def _element(self, place: Place) -> Any:
        if self.network is None:
            return None
        items = place.kind.get(self.network)
        return items[place.at] if place.at < len(items) else None

    def draw(self) -> None:
        """Everything; the table repaints only what differs."""
        if self.network is None:
            return
        self._settings.show(self.network)
        self.draw_rows()
        if self._goal is not None and self._goal in self._table:
            self._table.move_to(self._goal)
            self._goal = None
        self._draw_around()

    def draw_rows(self) -> None:
        """The list, of which what is in view is made now."""
        if self.network is None:
            return
        self._items = {kind: kind.get(self.network) for kind in self.KINDS}
        self._footing = dict(self.footing())
        counts = ((kind, len(items)) for kind, items in self._items.items())
        places = (Place(kind, at) for kind, count in counts for at in range(count))
        self._table.set_keys([*places, *self._footing])

    def _row(self, place: Place) -> Sequence[Cell]:
        if place in self._footing:
            return (EMPTY, *self._footing[place])
        element = self._items[place.kind][place.at]
        return (self._mark(place), *self.cells(place, element))

    def _mark(self, place: Place) -> Cell:
        problem = self.problem_at(place)
        return MARKS[problem.severity] if problem else EMPTY

    def on_resize(self) -> None:
        """The drawing is as wide as there is room."""
        self._draw_around()

    def on_live_table_highlighted(self) -> None:
        """Tell of another row."""
        self._draw_around()

    def _draw_around(self) -> None:
        """The drawing and the note, which depend on the row under the cursor."""
        network, place = self.network, self.place
        if network is None or not self.size.width:
            return
        self._drawing.show(self.drawing(network, place, self.size.width - 2))
        self._note.show([self._note_line(place)])

    def _note_line(self, place: Place | None) -> Line:
        if place is None:
            return () if self._table.keys else (Cell(self.EMPTY_TEXT, "dim"),)
        if problem := self.problem_at(place):
            mark = MARKS[problem.severity]
            remedy = f" → {problem.remedy}" if problem.remedy else ""
            return (Cell(f"{mark.text} {problem.message}{remedy}", mark.role),)
        return (Cell(self.remark(place), "dim"),)

    def move_to(self, place: Place) -> None:
        """Now, or when the list has it."""
        if place in self._table:
            self._table.move_to(place)
        else:
            self._goal = place

    # -- what keys do ---------------------------------------------------------------------------

    def on_live_table_selected(self, message: LiveTable.Selected) -> None:
        """Enter changes an element."""
        message.stop()
        if self._element(message.key) is not None:
            self.post_message(Wanted(message.key))

    def action_add_element(self) -> None:
        """A new one, of the kind under the cursor unless asked for another."""
        place = self.place
        kind = place.kind if place else self.KINDS[0]
        if len(self.KINDS) > 1:
            self.post_message(KindWanted(self.KINDS, kind))
        elif self.network is not None:
            end = len(kind.get(self.network))
            at = place.at + 1 if place and kind.ordered else end
            self.post_message(Wanted(Place(kind, at), new=True))

    def action_remove_element(self) -> None:
        """Without asking: undo brings it back."""
        if self.network is not None and (place := self.place):
            after = removed(self.network, place)
            self.post_message(Edited(f"remove {self._spelled(place)}", after))

    def action_double_element(self) -> None:
        """The same once more, below; then it is to be changed."""
        if self.network is not None and (place := self.place):
            below = Place(place.kind, place.at + 1)
            after = added(self.network, below, place.of(self.network))
            self.post_message(Edited(f"double {self._spelled(place)}", after, at=below))

    def action_move_up(self) -> None:
        """Before the one above."""
        self._move(-1)

    def action_move_down(self) -> None:
        """Behind the one below."""
        self._move(1)

    def _move(self, by: int) -> None:
        """Where the order means something."""
        place = self.place
        if self.network is None or place is None:
            return
        if not place.kind.ordered:
            self.notify(f"The order of {place.kind.word}s means nothing.", severity="warning")
            return
        after, goal = moved(self.network, place, by)
        if goal != place:
            self.post_message(Edited(f"move {self._spelled(place)}", after, at=goal))

    def _spelled(self, place: Place) -> str:
        return f"{place.kind.word} {place.at + 1}"
