"""What screens with a list that is filtered as one types have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from vnet_tui import actions
from vnet_tui.screens.ways import Ways
from vnet_tui.widgets.filter_line import FilterLine


class FilteredScreen(Ways):
    """Has a :class:`FilterLine`. Esc shows all of the list again, then leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", tooltip="Back to where you were"),
        actions.FILTER.binding(),
    ]

    wanted = ""
    """The words that what is shown has to have."""

    @property
    @abstractmethod
    def filtered(self) -> Widget:
        """The list."""

    @abstractmethod
    def draw_filtered(self) -> None:
        """Other words are wanted."""

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).begin()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        """Show what has it."""
        self.wanted = message.wanted
        self.draw_filtered()

    def on_filter_line_left(self) -> None:
        """The keys are the list's again."""
        self.filtered.focus()

    def action_back(self) -> None:
        """First without the filter, then leave."""
        if self.wanted:
            self.query_one(FilterLine).clear()
        else:
            self.dismiss()
