"""Fields of forms: a label, something to type or to choose, and below it what is wrong.

What is typed is read by a function that is handed in, such as those of
:mod:`vnet_tui.engine.entries`: text -> value, or VnetError. Every change is told with
:class:`Field.Changed`; Enter in any field with :class:`Field.Submitted`. ↑ and ↓ go from field to
field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from vnet_tui.engine.errors import Problem, Severity, VnetError
from vnet_tui.engine.text import printable
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Picture

Value = TypeVar("Value")

LABEL = 14
"""The width of the labels, in cells."""

NEEDED = VnetError("it can't be empty")
"""What is wrong with a field that must be filled in."""


class Field(Vertical, Generic[Value]):
    """A line of a form; what is wrong with it stands below, and takes no room while all is well."""

    DEFAULT_CSS = f"""
    Field {{ height: auto; }}
    Field > .field--line {{ height: 1; }}
    Field .field--label {{ width: {LABEL}; color: $text-muted; padding: 0 1 0 0; }}
    Field:ansi .field--label {{ color: ansi_default; }}
    Field.-focused .field--label {{ color: $foreground; text-style: bold; }}
    Field.-focused:ansi .field--label {{ text-style: bold; }}
    Field > .field--message {{
        display: none; height: auto; margin-left: {LABEL}; color: $text-error;
    }}
    Field.-wrong > .field--message, Field.-doubtful > .field--message {{ display: block; }}
    Field.-doubtful > .field--message {{ color: $text-warning; }}
    Field:ansi > .field--message {{ color: ansi_red; }}
    Field:ansi.-doubtful > .field--message {{ color: ansi_yellow; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "next field", show=False),
        Binding("up", "app.focus_previous", "field before", show=False),
    ]

    class Changed(Message):
        """Something else was typed or chosen, by a person or by the program."""

        def __init__(self, field: Field[Any]) -> None:
            super().__init__()
            self.field = field

        @property
        def control(self) -> Field[Any]:
            """The field it came from."""
            return self.field

    class Submitted(Message):
        """Enter was pressed."""

        def __init__(self, field: Field[Any]) -> None:
            super().__init__()
            self.field = field

        @property
        def control(self) -> Field[Any]:
            """The field it came from."""
            return self.field

    def __init__(self, label: str, *, id: str | None = None, disabled: bool = False) -> None:
        super().__init__(id=id, disabled=disabled)
        self._label = label
        self._told: Problem | VnetError | None = None

    def compose(self) -> ComposeResult:
        """Label and control, and the line below."""
        with Horizontal(classes="field--line"):
            yield Static(Text(self._label), classes="field--label")
            yield self.control
        yield Static(classes="field--message")

    @property
    def control(self) -> Widget:
        """What is typed into, or chosen with."""
        raise NotImplementedError

    @property
    def value(self) -> Value | None:
        """What it says; None while that is nothing, or wrong."""
        raise NotImplementedError

    @property
    def problem(self) -> VnetError | None:
        """What is wrong with what was typed."""
        return None

    def on_descendant_focus(self) -> None:
        """Its label stands out."""
        self.add_class("-focused")

    def on_descendant_blur(self) -> None:
        """As the others again."""
        self.remove_class("-focused")

    @property
    def missing(self) -> bool:
        """Whether it says nothing where something is needed."""
        return False

    @property
    def unusable(self) -> bool:
        """Whether it says nothing that can be kept: it is wrong, or missing."""
        return self.missing or self.problem is not None

    def tell(self, problem: Problem | VnetError | None) -> None:
        """Say what is wrong with the value beside others; None: nothing. What is wrong with the
        typed text itself goes before."""
        self._told = problem
        self.look()

    def look(self) -> None:
        """Show what is wrong now."""
        trouble = self.problem or self._told
        doubt = isinstance(trouble, Problem) and trouble.severity is Severity.WARNING
        self.set_class(trouble is not None and not doubt, "-wrong")
        self.set_class(doubt, "-doubtful")
        if trouble is not None:
            mark = "!" if doubt else "✗"
            remedy = f" → {trouble.remedy}" if trouble.remedy else ""
            told = printable(f"{mark} {trouble.message}{remedy}")
            self.query_one(".field--message", Static).update(Text(told))


class TextField(Field[Value]):
    """A line to type into, read by ``read``."""

    DEFAULT_CSS = """
    TextField Input, TextField Input:focus {
        height: 1; border: none; padding: 0; background: $surface; max-width: 50;
    }
    TextField Input:focus { background: $primary 25%; }
    TextField Input:ansi { background: ansi_default; text-style: underline; }
    """

    def __init__(
        self,
        label: str,
        read: Callable[[str], Value],
        text: str = "",
        *,
        needed: bool = False,
        example: str = "",
        id: str | None = None,
        disabled: bool = False,
    ) -> None:
        """``example`` is shown while nothing is typed; ``needed``: then something is missing."""
        super().__init__(label, id=id, disabled=disabled)
        self._read = read
        self._needed = needed
        self._input = Input(text, placeholder=example, compact=True)
        self._input.cursor_blink = False
        self._put: str | None = text
        self._taken = text
        self._touched = False
        self._value: Value | None = None
        self._problem: VnetError | None = None
        self._take(text)

    @property
    def control(self) -> Input:
        """The input."""
        return self._input

    @property
    def text(self) -> str:
        """What was typed."""
        return self._input.value

    @text.setter
    def text(self, text: str) -> None:
        """Put another text there, unless it is the same."""
        if text != self._input.value:
            self._put = text
            self._input.value = text

    @property
    def typed(self) -> bool:
        """Whether a person typed what is there, not the program."""
        return self._put is None

    @property
    def value(self) -> Value | None:
        """The value that was read."""
        return self._value

    @property
    def problem(self) -> VnetError | None:
        """Also that nothing was typed where something is needed, once the field was left."""
        return None if self._problem is NEEDED and not self._touched else self._problem

    @property
    def missing(self) -> bool:
        """Whether nothing was typed where something is needed; that is a problem later, when the
        field was left."""
        return self._problem is NEEDED

    def insist(self) -> VnetError | None:
        """Show that something is needed, too; gives what is wrong."""
        self._touched = True
        self.look()
        return self.problem

    @property
    def behind(self) -> bool:
        """Whether something was typed that isn't read yet."""
        return self._input.value != self._taken

    def _take(self, text: str) -> None:
        self._taken = text
        self._value, self._problem = None, None
        if not text.strip():
            self._problem = NEEDED if self._needed else None
            return
        try:
            self._value = self._read(text)
        except VnetError as error:
            self._problem = error

    def on_input_changed(self, message: Input.Changed) -> None:
        """Read it, say what is wrong."""
        message.stop()
        if message.value != self._put:
            self._put = None
        self._take(message.value)
        self.look()
        self.post_message(self.Changed(self))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Hand it on."""
        message.stop()
        self.post_message(self.Submitted(self))

    def on_descendant_blur(self) -> None:
        """Now a needed value may be missed."""
        self._touched = True
        self.look()


class Choice(Picture, can_focus=True):
    """A few words of which one holds: all are seen, the chosen one in brackets."""

    DEFAULT_CSS = """
    Choice { width: 1fr; height: 1; }
    Choice:focus { background: $primary 25%; }
    Choice:ansi:focus { text-style: reverse; background: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "step(1)", "next choice", show=False),
        Binding("left", "step(-1)", "choice before", show=False),
        Binding("enter", "submit", "submit", show=False),
    ]

    class Stepped(Message):
        """Another one is to hold."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class Entered(Message):
        """Enter was pressed."""

    def __init__(self, words: Sequence[str], chosen: int) -> None:
        super().__init__()
        self._words = tuple(words)
        self.chosen = chosen

    def on_mount(self) -> None:
        """Show them."""
        self.draw()

    def draw(self) -> None:
        """Show which one holds."""
        self.show([tuple(self._cell(number) for number in range(len(self._words)))])

    def _cell(self, number: int) -> Cell:
        word = self._words[number]
        return Cell(f"[{word}]", "strong") if number == self.chosen else Cell(f" {word} ", "dim")

    def action_step(self, by: int) -> None:
        """The next, or the one before, round and round."""
        self.post_message(self.Stepped((self.chosen + by) % len(self._words)))

    def action_submit(self) -> None:
        """As in a line to type into."""
        self.post_message(self.Entered())

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked on."""
        x = event.x
        for number, word in enumerate(self._words):
            if 0 <= x < len(word) + 2:
                self.post_message(self.Stepped(number))
            x -= len(word) + 2


class ChoiceField(Field[Value]):
    """One of a few values: ← and →, or the space bar."""

    def __init__(
        self,
        label: str,
        choices: Sequence[tuple[Value, str]],
        chosen: Value,
        *,
        id: str | None = None,
        disabled: bool = False,
    ) -> None:
        """``choices`` are values, each with a word for it; ``chosen`` is one of the values."""
        super().__init__(label, id=id, disabled=disabled)
        self._values = [value for value, _ in choices]
        self._choice = Choice([word for _, word in choices], self._values.index(chosen))

    @property
    def control(self) -> Choice:
        """The words."""
        return self._choice

    @property
    def value(self) -> Value:
        """The chosen one."""
        return self._values[self._choice.chosen]

    @value.setter
    def value(self, value: Value) -> None:
        """Choose another one, unless it is the same."""
        self._choose(self._values.index(value))

    def _choose(self, number: int) -> None:
        if number != self._choice.chosen:
            self._choice.chosen = number
            self._choice.draw()
            self.post_message(self.Changed(self))

    def on_choice_stepped(self, message: Choice.Stepped) -> None:
        """Choose it."""
        message.stop()
        self._choose(message.number)

    def on_choice_entered(self, message: Choice.Entered) -> None:
        """Hand it on."""
        message.stop()
        self.post_message(self.Submitted(self))


class SwitchField(ChoiceField[bool]):
    """Yes or no."""

    def __init__(
        self,
        label: str,
        on: bool,
        *,
        words: tuple[str, str] = ("yes", "no"),
        id: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(label, ((True, words[0]), (False, words[1])), on, id=id, disabled=disabled)
