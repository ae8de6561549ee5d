"""The steps of a guided form in one line: which one is open, and where something is wrong."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.cells import cell_len
from textual import events
from textual.message import Message

from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture


class StepLine(Picture):
    """``─ New network ── 1 Name  [2 Addresses]  3 DHCP ✗ ──────``."""

    DEFAULT_CSS = "StepLine { height: 1; }"

    class Chosen(Message):
        """A step was clicked on."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, title: str, steps: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = title
        self._steps = tuple(steps)
        self._opened = 0
        self._wrong: frozenset[int] = frozenset()

    def on_mount(self) -> None:
        """Show it."""
        self._draw()

    def on_resize(self) -> None:
        """The line ends where the room does."""
        self._draw()

    def tell(self, opened: int, wrong: Collection[int]) -> None:
        """Which step is open, and those with errors."""
        self._opened, self._wrong = opened, frozenset(wrong)
        self._draw()

    def _draw(self) -> None:
        head = (Cell("─ ", "dim"), Cell(self._title, "strong"), Cell(" ──", "dim"))
        steps = [cell for number in range(len(self._steps)) for cell in self._step(number)]
        length = sum(cell_len(cell.text) for cell in (*head, *steps))
        tail = Cell(" " + "─" * max(0, self.size.width - length - 1), "dim")
        self.show([(*head, *steps, tail)])

    def _step(self, number: int) -> Line:
        text = f"{number + 1} {self._steps[number]}"
        opened = number == self._opened
        mark = (Cell("✗", "bad"),) if number in self._wrong else ()
        left, right = ("[", "]") if opened else (" ", " ")
        return (Cell(f"{left}{text}", "strong" if opened else "dim"), *mark, Cell(right))

    def on_click(self, event: events.Click) -> None:
        """Open what was clicked on."""
        x = event.x - cell_len(f"─ {self._title} ──")
        for number in range(len(self._steps)):
            width = sum(cell_len(cell.text) for cell in self._step(number))
            if 0 <= x < width:
                self.post_message(self.Chosen(number))
            x -= width
