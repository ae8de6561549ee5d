"""The fourth step of a new network: what passes between it and everything beyond."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widget import Widget

from vnet_tui.drafts.lists import INCOMING, OUTGOING, Place
from vnet_tui.widgets.editing.rules import IncomingTab, OutgoingTab
from vnet_tui.widgets.editing.tab import EditorTab
from vnet_tui.widgets.fields import Field


class ForwardingStep(EditorTab):
    """The incoming rules above the outgoing ones."""

    TITLE = "Forwarding"
    KINDS = (INCOMING, OUTGOING)

    def __init__(self) -> None:
        super().__init__(id="new-forwarding")
        self._parts = (IncomingTab(counted=False), OutgoingTab(counted=False))

    def compose(self) -> ComposeResult:
        """Both are always open."""
        for part in self._parts:
            part.add_class("-open")
            part.border_title = part.TITLE
            yield part

    @property
    def focus_target(self) -> Widget:
        """The default of what comes in: Enter goes on from there."""
        return self.query(Field).first().control

    @property
    def line(self) -> int:
        """Where the keys go to."""
        return next((part.line for part in self._parts if part.has_focus_within), 0)

    def draw(self) -> None:
        """Both."""
        if self.network is not None:
            for part in self._parts:
                part.show(self.network, self.problems, self.running)

    def move_to(self, place: Place) -> None:
        """In the list that it is in."""
        for part in self._parts:
            if place.kind in part.KINDS:
                part.move_to(place)
