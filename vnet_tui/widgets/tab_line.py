"""Tabs in one line: the name of what they are about, then the tabs with their keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from vnet_tui.engine.text import printable
from vnet_tui.roles import RoleStyles
from vnet_tui.widgets.fitted import fitted
from vnet_tui.widgets.jumping import Place
from vnet_tui.widgets.live_table import Cell

AROUND, LEAST_NAME = 8, 4
"""The cells of what stands around the name, and the least of the name itself."""


class TabLine(Widget, can_focus=True):
    """``─ ● Foo ── 1 Overview  2 Guests  3 Rules ──────``, the open one in reverse."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab-line--open", "tab-line--open-focused"}
    DEFAULT_CSS = """
    TabLine { height: 1; }
    TabLine > .tab-line--open { text-style: bold reverse; }
    TabLine > .tab-line--open-focused { background: $primary; color: $text; text-style: bold; }
    TabLine:ansi > .tab-line--open-focused {
        background: ansi_blue; color: ansi_bright_white; text-style: bold;
    }
    """

    opened: reactive[int] = reactive(0)
    """The tab that is open, counted from 0."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(
        self,
        tabs: Sequence[str | tuple[str, str]],
        *,
        name_width: int | None = None,
        id: str | None = None,
    ) -> None:
        """Each tab by its title, or by that and a shorter one for where a name needs the room. With
        a width, in cells, the name has just that: the tabs stay where they are when it changes."""
        super().__init__(id=id)
        self._name_width = name_width
        both = [(tab, tab) if isinstance(tab, str) else tab for tab in tabs]
        self._long = _numbered(title for title, _ in both)
        self._short = _numbered(short for _, short in both)
        self._close = tuple(tab.removeprefix(" ") for tab in self._short)
        self._symbol = Cell("")
        self._subject = ""
        self._roles = RoleStyles(self)

    def tell(self, symbol: Cell, subject: str) -> None:
        """What the tabs are about: a symbol and a name."""
        if (symbol, subject) != (self._symbol, self._subject):
            self._symbol, self._subject = symbol, subject
            self.refresh()

    @property
    def _tabs(self) -> tuple[str, ...]:
        """The longest titles that leave the name its room; where none does, the closest."""
        name = LEAST_NAME
        if self._name_width is None:
            name = max(name, cell_len(printable(self._subject)))
        room = self.size.width - AROUND - name
        fit = (tabs for tabs in (self._long, self._short) if sum(map(len, tabs)) <= room)
        return next(fit, self._close)

    @property
    def _head(self) -> tuple[str, str]:
        """The name in as much room as the tabs leave, and what is between both."""
        room = max(LEAST_NAME, self.size.width - sum(map(len, self._tabs)) - AROUND)
        if self._name_width is not None:
            room = min(room, self._name_width)
        name = fitted(printable(self._subject), room).rstrip()
        beyond = room - cell_len(name) if self._name_width is not None else 0
        return f"{name} ", f"{' ' * beyond}── "

    @property
    def _tabs_at(self) -> int:
        """In which cell the first tab begins."""
        return cell_len("".join(("─ ", self._symbol.text, " ", *self._head)))

    def notify_style_update(self) -> None:
        """Roles may look different."""
        super().notify_style_update()
        self._roles.forget()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        """The line."""
        dim, plain, strong = map(self._roles.of, ("dim", "plain", "strong"))
        role = self._roles.of(self._symbol.role)
        active = self.get_component_rich_style(
            "tab-line--open-focused" if self.has_focus else "tab-line--open"
        )
        segments = [Segment("─ ", dim), Segment(f"{self._symbol.text} ", role)]
        name, line = self._head
        segments += [Segment(name, strong), Segment(line, dim)]
        segments += [
            Segment(text, active if number == self.opened else plain)
            for number, text in enumerate(self._tabs)
        ]
        segments.append(Segment(" " + "─" * self.size.width, dim))
        return Strip(segments).crop(0, self.size.width)

    async def on_click(self, event: events.Click) -> None:
        """Open the tab under the pointer."""
        x = event.x - self._tabs_at
        for number, text in enumerate(self._tabs):
            if 0 <= x < len(text):
                self.post_message(self.Chosen(number))
            x -= len(text)

    def places(self) -> Iterator[Place]:
        """Its tabs."""
        x = self._tabs_at
        for number, text in enumerate(self._tabs):
            yield Place(Offset(x, 0), partial(self.post_message, self.Chosen(number)))
            x += len(text)

    def on_focus(self) -> None:
        """The open tab looks different."""
        self.refresh()

    def on_blur(self) -> None:
        """The open tab looks different."""
        self.refresh()


def _numbered(titles: Iterable[str]) -> tuple[str, ...]:
    return tuple(f" {number} {title} " for number, title in enumerate(titles, start=1))
