"""A line for commands of ``vnet``, on the connection that there is; what they print is above it."""

from __future__ import annotations

from os.path import commonprefix
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label
from textual.worker import Worker, WorkerState

from vnet_tui.assets import style_sheet
from vnet_tui.cli.completion import Completer
from vnet_tui.cli.inside import run_line
from vnet_tui.feed import feed_of
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.xml_pane import wrapped

if TYPE_CHECKING:
    from vnet_tui.remembered import Remembered

MOST_LINES = 5000
"""So many lines of what was printed are kept."""


class CommandLineScreen(ModalScreen[None]):
    """Enter runs, tab completes, up and down go through what was typed before."""

    CSS_PATH = style_sheet("command_line")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back", tooltip="End the command; if none runs, go back"),
        Binding("tab", "complete", "complete", priority=True),
        Binding("up", "earlier(-1)", "before", show=False, priority=True),
        Binding("down", "earlier(1)", "after", show=False, priority=True),
        Binding("pageup", "scroll(-1)", "up", show=False, priority=True),
        Binding("pagedown", "scroll(1)", "down", show=False, priority=True),
    ]

    def __init__(self, remembered: Remembered | None = None) -> None:
        super().__init__()
        self._remembered = remembered
        self._past = remembered.command_lines() if remembered is not None else []
        self._at = len(self._past)
        self._printed: list[Line] = []
        self._begun = ""
        self._command: Worker[int] | None = None

    def compose(self) -> ComposeResult:
        """What is printed, and the line."""
        with Vertical(id="command"):
            with VerticalScroll(id="command-printed", can_focus=False):
                yield Picture(id="command-output")
            with Horizontal(id="command-typed"):
                yield Label(":")
                field = Input(placeholder="network-list; help tells the commands; esc: back")
                field.cursor_blink = False
                yield field

    def on_mount(self) -> None:
        """What is printed comes here."""
        self.app.begin_capture_print(self)
        self.app.clear_notifications()  # they would cover it
        self._field.focus()

    def on_unmount(self) -> None:
        """And no longer."""
        self.app.end_capture_print(self)

    @property
    def _field(self) -> Input:
        return self.query_one(Input)

    # -- running --------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _entered(self, message: Input.Submitted) -> None:
        text = message.value.strip()
        if not text or self._command is not None:
            return
        if text in ("quit", "exit", "q"):
            self.dismiss()
            return
        self._show_lines((Cell(f": {text}", "accent"),))
        connection = feed_of(self).connection
        if connection is None:
            self._show_lines((Cell("error: there is no connection now", "bad"),))
            return
        if self._remembered is not None:
            self._remembered.keep_command_line(text)
        self._past = [*(line for line in self._past if line != text), text]
        self._at = len(self._past)
        self._field.value = ""
        self._command = self.run_worker(run_line(connection, text), exit_on_error=False)

    @on(Worker.StateChanged)
    def _ended(self, message: Worker.StateChanged) -> None:
        if message.worker is not self._command:
            return
        if message.state is WorkerState.ERROR:
            self._show_lines((Cell(f"error: {message.worker.error}", "bad"),))
        elif message.state is WorkerState.CANCELLED:
            self._show_lines((Cell("ended", "warn"),))
        elif message.state is not WorkerState.SUCCESS:
            return
        self._command = None

    def on_print(self, message: events.Print) -> None:
        """A command printed something; a line is shown when it is whole."""
        role = "bad" if message.stderr else "plain"
        *lines, self._begun = (self._begun + message.text).split("\n")
        self._show_lines(*((Cell(line.expandtabs(), role),) for line in lines))

    def _show_lines(self, *lines: Line) -> None:
        self._printed = [*self._printed, *lines][-MOST_LINES:]
        self._draw()

    def _draw(self) -> None:
        """What was printed; lines that are too long go on in the next."""
        printed = self.query_one("#command-printed")
        room = printed.scrollable_content_region.width or self.size.width - 3
        shown = [part for line in self._printed for part in wrapped(line, room)]
        self.query_one("#command-output", Picture).show(shown)
        printed.scroll_end(animate=False)

    def on_resize(self) -> None:
        """Another room."""
        self._draw()

    # -- typing ---------------------------------------------------------------------------------

    def action_complete(self) -> None:
        """Add what is certain; where there are several ways on, show them."""
        field = self._field
        before, space, begun = field.value[: field.cursor_position].rpartition(" ")
        names = [info.name for info in feed_of(self).networks or ()]
        found = Completer(lambda: names, ("help",)).complete(before + space, begun)
        if not found:
            return
        certain = commonprefix(found)  # noqa: RUF071 - of words, not of paths
        if certain == begun and len(found) > 1:
            self._show_lines((Cell("  ".join(one.strip() for one in found), "dim"),))
        rest = field.value[field.cursor_position :]
        field.value = f"{before}{space}{certain}{rest}"
        field.cursor_position = len(field.value) - len(rest)

    def action_earlier(self, by: int) -> None:
        """What was typed before, or after that."""
        self._at = max(0, min(len(self._past), self._at + by))
        self._field.value = self._past[self._at] if self._at < len(self._past) else ""
        self._field.cursor_position = len(self._field.value)

    def action_scroll(self, pages: int) -> None:
        """Go through what was printed."""
        printed = self.query_one("#command-printed")
        printed.scroll_relative(y=pages * max(1, printed.size.height - 1), animate=False)

    def action_leave(self) -> None:
        """End what runs; else go back."""
        if self._command is not None:
            self._command.cancel()
        else:
            self.dismiss()
