"""Two administrators changed one definition: both changes side by side, and a decision."""

from __future__ import annotations

import difflib
from enum import StrEnum
from pathlib import PurePath
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen

from vnet_tui import actions
from vnet_tui.assets import style_sheet
from vnet_tui.drafts.draft import Draft
from vnet_tui.drafts.merging import merged
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.xml_pane import coloured_difference, wrapped

WIDE = 110
"""From this width on, in cells, the two stand side by side."""

MERGED = "join with what others changed"
"""What the edit is called that has both changes."""


class Answer(StrEnum):
    """Answers that leave no draft as it was: take theirs, or edit mine on top of theirs."""

    THEIRS = "theirs"
    EDIT = "edit"


Decision = Answer | Draft
"""An answer, or the draft to stage: a change of what is stored now."""


class OvertakenScreen(Screen[Decision | None]):
    """Shows what others stored and what was edited here, each against what both began with."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [style_sheet("app"), style_sheet("pending")]
    HELP = """\
# Changed by others

Somebody stored another definition since you began to edit it. **B** joins both changes where they
don't touch the same lines; **M** stages yours, without theirs; **A** takes theirs and drops yours;
**e** edits yours further. Nothing is stored before you apply.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(action.binding() for action in actions.OVERTAKEN_ACTIONS),
        Binding("escape,q", "dismiss(None)", "decide later", id="overtaken.back"),
    ]

    def __init__(self, draft: Draft, theirs: str | None) -> None:
        """``theirs`` is what is stored now; None: nothing is any more."""
        super().__init__()
        self._draft = draft
        self._theirs = theirs
        self._both: Draft | None = None
        if draft.base is not None and theirs is not None:
            text = merged(draft.base, draft.text, theirs)
            both = draft.rebased(theirs).retyped(MERGED, text) if text is not None else None
            if both is not None and both.network is not None:
                self._both = both

    def compose(self) -> ComposeResult:
        """What happened, both changes, keys."""
        yield Picture(id="overtaken-title")
        with VerticalScroll(id="overtaken-scroll"):
            yield Picture(id="overtaken-theirs")
            yield Picture(id="overtaken-mine")
        yield KeyLine()

    def on_resize(self, event: events.Resize) -> None:
        """Side by side where there is room."""
        self.query_one("#overtaken-scroll").set_class(event.size.width >= WIDE, "-wide")
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        base, theirs = self._draft.base, self._theirs
        gone = "they undefined it" if theirs is None else "what others changed"
        title = [
            (
                Cell(f" ! {self._draft.name} ", "bad"),
                Cell("was changed by others while you edited it"),
            ),
            self._advice(),
        ]
        self.query_one("#overtaken-title", Picture).show([*title, ()])
        parts = (
            ("theirs", gone, theirs or ""),
            ("mine", "what you changed", self._draft.text),
        )
        for id_, heading, after in parts:
            picture = self.query_one(f"#overtaken-{id_}", Picture)
            width = max(8, picture.size.width - 1)
            lines: list[Line] = [(Cell(f" {heading}", "strong"),), *_changes(base or "", after), ()]
            picture.show(part for line in lines for part in wrapped(line, width))

    def _advice(self) -> Line:
        if self._both is not None:
            return (Cell(" They don't touch the same lines: both can be joined."),)
        if self._theirs is None:
            return (Cell(" Yours defines it anew, as you have it."),)
        return (Cell(" Both touch the same lines: choose one, or edit."),)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Both are offered where they can be joined."""
        if action == "join_both" and self._both is None:
            return False
        return super().check_action(action, parameters)

    def action_join_both(self) -> None:
        """Stage both changes."""
        self.dismiss(self._both)

    def action_stage_mine(self) -> None:
        """Stage mine, as a change of what is stored now."""
        self.dismiss(self._draft.rebased(self._theirs))

    def action_take_theirs(self) -> None:
        """Leave it as others have it."""
        self.dismiss(Answer.THEIRS)

    def action_edit_pending(self) -> None:
        """Go on editing mine."""
        self.dismiss(Answer.EDIT)


def _changes(before: str, after: str) -> list[Line]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
    return coloured_difference(list(lines)[2:])
