"""The last step of a new network: what would be done, the document, and how to create it."""

from __future__ import annotations

from enum import StrEnum

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widget import Widget

from vnet_tui.engine.views import Preview
from vnet_tui.widgets.editing.tab import EditorTab
from vnet_tui.widgets.fields import ChoiceField
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.plan_lines import plan_lines
from vnet_tui.widgets.xml_pane import coloured, wrapped


class How(StrEnum):
    """What becomes of the document, by the words that are shown for it."""

    START = "define and start"
    DEFINE = "define"
    TRANSIENT = "start transient"
    STAGE = "stage"

    @property
    def starts(self) -> bool:
        """Whether the network runs then."""
        return self in (How.START, How.TRANSIENT)


CONSEQUENCES = {
    How.START: "It is stored, and started now.",
    How.DEFINE: "It is stored, and started when you say so. On the host nothing changes.",
    How.TRANSIENT: "It is started now, and not stored: once stopped, it is gone.",
    How.STAGE: "It waits among the pending changes, to be applied together with others.",
}


class ReviewStep(EditorTab):
    """The plan, and the document where it isn't beside the form."""

    TITLE = "Review"

    def __init__(self) -> None:
        super().__init__(id="new-review")
        self._how = ChoiceField("create", [(how, how.value) for how in How], How.START)
        self._preview: Preview | None = None
        self._text = ""
        self._beside = False

    def compose(self) -> ComposeResult:
        """The choice, and all there is to read before it."""
        yield self._how
        with VerticalScroll(id="new-review-scroll"):
            yield Picture(id="new-review-lines")

    @property
    def focus_target(self) -> Widget:
        """The choice: Enter there creates the network."""
        return self._how.control

    @property
    def how(self) -> How:
        """What was chosen."""
        return self._how.value

    def tell(self, text: str, preview: Preview | None, *, beside: bool) -> None:
        """The document, what it takes to have it run (None: that isn't known, or can't be), and
        whether the document is seen beside the form."""
        self._text, self._preview, self._beside = text, preview, beside
        self.draw()

    def on_field_changed(self) -> None:
        """Another consequence."""
        self.draw()

    def on_resize(self) -> None:
        """Lines are wrapped where the room ends."""
        self.draw()

    def draw(self) -> None:
        """All of it."""
        lines: list[Line] = [(), (Cell(" enter  ", "accent"), Cell(CONSEQUENCES[self.how]))]
        if self.how.starts and self._preview is not None:
            lines += [(), *plan_lines(self._preview)]
        if not self._beside:
            lines += [(), *coloured(self._text)]
        width = max(8, self.size.width - 3)
        shown = [part for line in lines for part in wrapped(line, width)]
        self.query_one("#new-review-lines", Picture).show(shown)
