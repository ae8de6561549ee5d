"""A form for one element of a network: what is wrong, and what the subnet looks like, live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from vnet_tui.assets import style_sheet
from vnet_tui.engine.check import check
from vnet_tui.engine.errors import Problem, Severity, VnetError
from vnet_tui.engine.model import Network
from vnet_tui.engine.text import printable
from vnet_tui.widgets.editing.element_fields import Entry
from vnet_tui.widgets.fields import Field, TextField
from vnet_tui.widgets.hint_line import HintLine
from vnet_tui.widgets.picture import Line, Picture

SETTLE = 0.1
"""So long, in seconds, nothing is typed before it is looked at beside the rest of the network."""

MOST = 3
"""So many problems are told at once."""

Values = Mapping[str, Any]


AGAIN = "again: keep it so"
"""What Enter does where something is wrong with it."""


class ElementScreen(ModalScreen[Network | None]):
    """Gives the network with the element in it; None when it was left.

    ``made`` makes that network from the fields' values, by name; VnetError where it can't. What is
    wrong with it, and wasn't with ``before``, is told; Enter twice keeps it nevertheless.
    """

    CSS_PATH: ClassVar[list[str | PurePath]] = [style_sheet("dialogs"), style_sheet("editor")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("ctrl+s", "keep", "keep"),
    ]

    class Examined(Message):
        """What is wrong with it, and how it looks."""

        def __init__(self, values: Values | None, network: Network | None, problems: list[Problem]):
            super().__init__()
            self.values = values
            self.network = network
            self.problems = problems

    def __init__(
        self,
        title: str,
        entries: Sequence[Entry],
        values: Values,
        before: Network,
        made: Callable[[Values], Network],
        *,
        drawing: Callable[[Network, int], Sequence[Line]] | None = None,
    ) -> None:
        """``values`` are what the fields begin with; ``drawing`` is shown below them."""
        super().__init__()
        self._title = title
        self._fields = {entry.name: entry.make(values.get(entry.name)) for entry in entries}
        self._before = before
        self._made = made
        self._drawing = drawing
        self._warned: list[Problem] = []
        self._leaving = False
        self._begun = False
        self._network: Network | None = None

    def compose(self) -> ComposeResult:
        """The fields, what is drawn, what is wrong."""
        with Vertical(classes="dialog -element"):
            yield Static(Text(printable(self._title)), classes="dialog--title")
            with VerticalScroll(id="element-fields", can_focus=False):
                yield from self._fields.values()
            yield Picture(id="element-drawing")
            yield Static(id="element-problems")
            yield HintLine()

    def on_mount(self) -> None:
        """Begin with the first line to type into."""
        self._hint("keep it")
        fields = self._fields.values()
        first = next((field for field in fields if isinstance(field, TextField)), None)
        (first or next(iter(fields))).control.focus()
        self._look()

    def _hint(self, enter: str) -> None:
        choose = () if enter == AGAIN else (("← →", "choose"),)  # there is room for three
        self.query_one(HintLine).tell(
            ("enter", enter), ("↑ ↓", "fields"), *choose, ("esc", "leave")
        )

    # -- looking at it beside the rest ----------------------------------------------------------

    @property
    def _values(self) -> Values | None:
        """What the fields say; None while one can't be read."""
        fields = self._fields.values()
        if any(field.problem is not None or field.missing for field in fields):
            return None
        return {name: field.value for name, field in self._fields.items()}

    def on_field_changed(self, message: Field.Changed) -> None:
        """Look again."""
        message.stop()
        self._leaving = False
        self._begun = True
        self._look()

    def _look(self, *, at_once: bool = False) -> None:
        settle = 0.0 if at_once else SETTLE
        self.run_worker(self._examine(self._values, settle), group="examine")

    async def _examine(self, values: Values | None, settle: float) -> None:
        await asyncio.sleep(settle)
        if values != self._values:
            return  # something else was typed meanwhile, and is looked at by itself
        if values is None:
            self.post_message(self.Examined(None, None, []))
            return
        try:
            network, problems = await asyncio.to_thread(self._judged, values)
        except VnetError as error:
            told = [Problem(message=error.message, remedy=error.remedy)]
            self.post_message(self.Examined(values, None, told))
        else:
            self.post_message(self.Examined(values, network, problems))

    def _judged(self, values: Values) -> tuple[Network, list[Problem]]:
        network = self._made(values)
        known = set(check(self._before))
        return network, [one for one in check(network) if one not in known]

    def on_element_screen_examined(self, message: Examined) -> None:
        """Tell it, unless it was said of something else; leave if that was wanted."""
        if message.values != self._values:
            return
        self._network = message.network
        if self._begun:  # an empty form isn't wrong before anybody filled it in
            self._tell(message.problems)
        self._draw()
        if self._leaving:
            self._leave(message)

    def _tell(self, problems: Sequence[Problem]) -> None:
        told = Text()
        worst_first = sorted(problems, key=lambda one: one.severity.value)
        for number, one in enumerate(worst_first[:MOST]):
            mark, style = ("✗", "bold") if one.severity is Severity.ERROR else ("!", "")
            remedy = f" → {one.remedy}" if one.remedy else ""
            told.append("\n" if number else "").append(
                printable(f"{mark} {one.message}{remedy}"), style
            )
        if len(problems) > MOST:
            told.append(f"\n… and {len(problems) - MOST} more")
        widget = self.query_one("#element-problems", Static)
        widget.update(told)
        widget.display = bool(problems)
        widget.set_class(any(one.severity is Severity.ERROR for one in problems), "-errors")

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Textual's signature
        """The drawing is as wide as there is room."""
        self._draw()

    def _draw(self) -> None:
        picture = self.query_one("#element-drawing", Picture)
        if self._drawing is not None and self.is_mounted:
            width = self.query_one("#element-fields").size.width
            drawn = self._drawing(self._network or self._before, width)
            picture.show([(), *drawn] if drawn else [])

    # -- leaving --------------------------------------------------------------------------------

    def on_field_submitted(self, message: Field.Submitted) -> None:
        """Enter in any field."""
        message.stop()
        self.action_keep()

    def action_keep(self) -> None:
        """Keep it, once everything can be read and was looked at."""
        for field in self._fields.values():
            if isinstance(field, TextField) and field.insist() is not None:
                field.control.focus()
                return
        self._leaving = self._begun = True
        self._look(at_once=True)

    def _leave(self, message: Examined) -> None:
        self._leaving = False
        errors = [one for one in message.problems if one.severity is Severity.ERROR]
        if message.network is None:
            return
        if errors and errors != self._warned:
            self._warned = errors
            self._hint(AGAIN)
            return
        self.dismiss(message.network)

    def action_cancel(self) -> None:
        """Leave everything as it was."""
        self.dismiss(None)


def tidied(values: Values) -> dict[str, Any]:
    """The values that say something, for making an element: others get their defaults."""
    return {name: value for name, value in values.items() if value is not None}
