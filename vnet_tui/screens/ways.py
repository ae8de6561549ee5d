"""The keys that lead to other screens, the same on every screen of networks."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from textual.binding import BindingType
from textual.screen import Screen

from vnet_tui import actions
from vnet_tui.feed import feed_of


class Ways(Screen[None]):
    """A screen from which the others are reached. They are imported when they are first opened."""

    BINDINGS: ClassVar[list[BindingType]] = [action.binding() for action in actions.SCREEN_ACTIONS]

    def action_new_network(self) -> None:
        """Describe a new network, step by step."""
        from vnet_tui.screens.new_network import NewNetworkScreen

        def created(uuid: UUID | None) -> None:
            if uuid is not None:
                self.show_network(uuid)

        self.app.push_screen(NewNetworkScreen(feed_of(self).networks or ()), created)

    def action_events(self) -> None:
        """All that happens."""
        from vnet_tui.screens.events import EventsScreen

        self.app.push_screen(EventsScreen())

    def action_monitor(self) -> None:
        """What flows everywhere."""
        from vnet_tui.screens.monitor import MonitorScreen

        self.app.push_screen(MonitorScreen())

    def action_topology(self) -> None:
        """Who is connected with whom."""
        from vnet_tui.screens.topology import TopologyScreen

        self.app.push_screen(TopologyScreen())

    def show_network(self, uuid: UUID) -> None:
        """A network was made from here: a list of them puts the cursor on it."""
