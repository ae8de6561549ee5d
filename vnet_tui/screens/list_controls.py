"""How the list of networks is shown, and which of it are selected, by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from textual.binding import Binding, BindingType

from vnet_tui import actions
from vnet_tui.engine.views import NetworkInfo
from vnet_tui.screens.network_actions import NetworkActions
from vnet_tui.widgets.arrangement import Arrangement
from vnet_tui.widgets.filter_line import FilterLine
from vnet_tui.widgets.networks_table import NetworksTable


class ListControls(NetworkActions):
    """A screen with a :class:`NetworksTable` and a :class:`FilterLine`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(action.binding() for action in actions.LIST_ACTIONS),
        Binding("escape", "show_all", "all", show=False, tooltip="No filter, nothing selected."),
    ]

    @property
    def table(self) -> NetworksTable:
        """The list."""
        return self.query_one(NetworksTable)

    @property
    def selection(self) -> Sequence[NetworkInfo]:
        """Those that were selected, else the one under the cursor."""
        known = {info.uuid: info for info in self.offered}
        return [known[uuid] for uuid in self.table.marked] or super().selection

    def _rearrange(self, arrangement: Arrangement) -> None:
        self.table.arrangement = arrangement
        self.tell_filter()

    def tell_filter(self) -> None:
        """How many networks are left."""
        shown = sum(isinstance(key, UUID) for key in self.table.keys)
        self.query_one(FilterLine).tell(shown, len(self.offered))

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).begin()
        self.tell_filter()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        """Show what has it."""
        self._rearrange(replace(self.table.arrangement, wanted=message.wanted))

    def on_filter_line_left(self) -> None:
        """The keys are the list's again."""
        self.table.focus()

    def action_show_all(self) -> None:
        """No filter, nothing selected."""
        self.query_one(FilterLine).clear()
        self.table.unmark()

    def action_sort(self) -> None:
        """By the next column."""
        self._rearrange(self.table.arrangement.next_column())

    def action_reverse(self) -> None:
        """The other way round."""
        how = self.table.arrangement
        self._rearrange(replace(how, reverse=not how.reverse))

    def action_groups(self) -> None:
        """By state, or not."""
        how = self.table.arrangement
        self._rearrange(replace(how, grouped=not how.grouped))

    def action_mark(self) -> None:
        """Select what is under the cursor, and go on to the next."""
        self.table.toggle_mark()
        self.table.action_move(1)

    def action_mark_shown(self) -> None:
        """Select everything."""
        self.table.mark_shown()
