"""All keys of a place, over it: what they do here, what they do everywhere, how to move about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from vnet_tui import actions
from vnet_tui.assets import style_sheet
from vnet_tui.engine.text import printable
from vnet_tui.roles import RoleStyles
from vnet_tui.widgets.hint_line import HintLine
from vnet_tui.widgets.key_line import spelled

HERE, EVERYWHERE, MOVING = "here", "everywhere", "to move about, and to type"

OF_TEXTUAL = {
    "app.focus_next": "to the next field, list or line of tabs",
    "app.focus_previous": "to the one before",
}
"""What Textual's own bindings do, in our words."""


@dataclass(frozen=True, slots=True)
class Row:
    """Keys as they are spelled, what they do in a word, and in a sentence."""

    keys: str
    label: str
    help: str


def rows_of(screen: Screen[Any]) -> dict[str, list[Row]]:
    """What all keys do now on a screen, by the heading that they stand below."""
    known = {action.id: action for action in actions.every()}
    of_action: dict[str, list[ActiveBinding]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        ours = binding.action != "quit"  # Textual's own: it is our leave
        if binding.description and active.enabled and ours and not binding.system:
            of_action.setdefault(binding.action, []).append(active)
    found: dict[str, list[Row]] = {HERE: [], EVERYWHERE: [], MOVING: []}

    def place_of(several: list[ActiveBinding]) -> int:
        """As in the line of keys; what has no place there comes last."""
        place = actions.place_in_order(several[0].binding)
        return len(actions.ORDER) if place == -1 else place

    for several in sorted(of_action.values(), key=place_of):
        node, binding = several[0].node, several[0].binding
        keys = " ".join(dict.fromkeys(spelled(screen.app, each.binding) for each in several))
        action = known.get(binding.id or "")
        if action is not None:
            place = EVERYWHERE if isinstance(node, App) else HERE
            found[place].append(Row(keys, action.label, action.help))
        else:
            label = OF_TEXTUAL.get(binding.action, binding.description)
            place = HERE if binding.tooltip else MOVING
            found[place].append(Row(keys, label[:1].lower() + label[1:], binding.tooltip))
    return {heading: rows for heading, rows in found.items() if rows}


def help_of(screen: Screen[Any]) -> tuple[str, str]:
    """The title and the text of what a screen says about itself."""
    title, _, text = (screen.HELP or "# All keys").strip().partition("\n")
    return title.lstrip("# "), text.strip()


class KeysText(Static):
    """What there is to know, and a table of keys."""

    DEFAULT_CSS = "KeysText { height: auto; }"

    def __init__(self, text: str, rows: Mapping[str, Iterable[Row]]) -> None:
        super().__init__()
        self._text = text
        self._rows = rows
        self._roles = RoleStyles(self)

    def notify_style_update(self) -> None:
        """Roles may look different."""
        super().notify_style_update()
        self._roles.forget()

    def render(self) -> Table:
        """All of it; rows are wrapped where the room ends."""
        style = {role: self._roles.of(role) for role in ("plain", "dim", "strong", "accent")}
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(justify="right", style=style["accent"])
        table.add_column(ratio=1, style=style["plain"])
        for heading, rows in self._rows.items():
            table.add_row("", Text(heading, style=style["strong"]))
            for row in rows:
                told = Text(row.label)
                if row.help:
                    told = Text.assemble((row.label, style["strong"]), "  ", row.help)
                table.add_row(row.keys, told)
            table.add_row("", "")
        if not self._text:
            return table
        whole = Table.grid(expand=True)
        whole.add_row(emphasized(printable_lines(self._text)))
        whole.add_row("")
        whole.add_row(table)
        return whole


def printable_lines(text: str) -> str:
    """Paragraphs, each in a line of its own: they are wrapped where they are shown."""
    paragraphs = (" ".join(part.split("\n")) for part in text.split("\n\n"))
    return "\n\n".join(printable(part) for part in paragraphs)


def emphasized(text: str) -> Text:
    """Text with what stands between stars in bold."""
    parts = text.replace("**", "*").split("*")
    return Text.assemble(
        *((part, "bold") if number % 2 else part for number, part in enumerate(parts))
    )


class KeysScreen(ModalScreen[None]):
    """Scrolls with the keys that lists have; the key that opened it, Enter or Esc closes it."""

    CSS_PATH = style_sheet("dialogs")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "close"),
        Binding("down,j", "scroll_by(1)", "down", show=False),
        Binding("up,k", "scroll_by(-1)", "up", show=False),
        Binding("home,g", "scroll_edge(False)", "first", show=False),
        Binding("end,G", "scroll_edge(True)", "last", show=False),
        Binding("pagedown,space", "scroll_page(1)", "page down", show=False),
        Binding("pageup", "scroll_page(-1)", "page up", show=False),
        actions.KEYS.binding(),
    ]

    def __init__(self, below: Screen[Any]) -> None:
        """``below`` is the screen whose keys are told."""
        super().__init__()
        self._title, self._text = help_of(below)
        self._rows = rows_of(below)

    def compose(self) -> ComposeResult:
        """A title, everything, how to leave."""
        with Vertical(classes="dialog -keys"):
            yield Static(Text(self._title), classes="dialog--title")
            with VerticalScroll(can_focus=False):
                yield KeysText(self._text, self._rows)
            yield HintLine(("↑ ↓ pgup pgdn", "scroll"), ("esc", "close"))

    @property
    def _scroll(self) -> VerticalScroll:
        return self.query_one(VerticalScroll)

    def action_scroll_by(self, by: int) -> None:
        """Go on by lines."""
        self._scroll.scroll_relative(y=by, animate=False)

    def action_scroll_page(self, by: int) -> None:
        """Go on by pages."""
        self.action_scroll_by(by * max(1, self._scroll.size.height - 1))

    def action_scroll_edge(self, end: bool) -> None:
        """Go to the first line, or to the last."""
        (self._scroll.scroll_end if end else self._scroll.scroll_home)(animate=False)

    def action_keys(self) -> None:
        """The key that opened it closes it, too."""
        self.dismiss()

    def action_close(self) -> None:
        """Back to what was below."""
        self.dismiss()
