"""What failed: the step, the cause, what was undone, what is left, what to do now."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from vnet_tui.assets import style_sheet
from vnet_tui.engine.text import printable
from vnet_tui.widgets.explained import explained
from vnet_tui.widgets.paragraphs import Paragraphs


class FailureScreen(ModalScreen[bool]):
    """Tells an error. Gives True where ``again`` was offered and chosen."""

    CSS_PATH = style_sheet("dialogs")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close(False)", "close"),
        Binding("r", "close(True)", "again", show=False),
        Binding("left,right", "other", "other button", show=False),
        Binding("up,k", "scroll(-1)", "up", show=False),
        Binding("down,j", "scroll(1)", "down", show=False),
    ]

    def __init__(
        self, wanted: str, error: BaseException, *, again: str = "", close: str = "Close"
    ) -> None:
        """``wanted`` is what didn't come about; ``again``, a verb, offers another try."""
        super().__init__()
        self._wanted = printable(wanted)
        self._error = error
        self._again = again
        self._close = close

    def compose(self) -> ComposeResult:
        """The title, what there is to say, a button or two."""
        with Vertical(classes="dialog -failure"):
            yield Static(Text(f"✗ {self._wanted}"), classes="dialog--title")
            yield Paragraphs(explained(self._error))
            with Horizontal(classes="dialog--buttons"):
                if self._again:
                    yield Button(f"{self._again} (r)", id="again", compact=True)
                yield Button(f"{self._close} (esc)", id="close", compact=True)

    def on_mount(self) -> None:
        """Enter presses the first button; the text scrolls by itself."""
        self.query_one(Paragraphs).can_focus = False
        self.query(Button).first().focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A click, or Enter."""
        self.dismiss(event.button.id == "again")

    def action_close(self, again: bool) -> None:
        """Close it; trying again only where that was offered."""
        if self._again or not again:
            self.dismiss(again)

    def action_other(self) -> None:
        """Go to the other button."""
        self.focus_next(Button)

    def action_scroll(self, by: int) -> None:
        """Scroll a long story."""
        self.query_one(Paragraphs).scroll_relative(y=by, animate=False)
