"""The keys that lead to other screens, the same on every screen that they lead to or from."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from textual.binding import BindingType
from textual.screen import Screen

from vnet_tui import actions
from vnet_tui.feed import feed_of


class Ways(Screen[None]):
    """A screen from which the others are reached. They are imported when they are first opened."""

    WAY: ClassVar[str] = ""
    """The action that leads here. Another one from here opens a screen in the place of this one:
    whoever goes to and fro isn't led back through all of it."""

    BINDINGS: ClassVar[list[BindingType]] = [action.binding() for action in actions.SCREEN_ACTIONS]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing leads to where it is."""
        if self.WAY and action == self.WAY:
            return False
        return super().check_action(action, parameters)

    def _lead_to(self, screen: Screen[None]) -> None:
        if self.WAY:
            self.app.switch_screen(screen)
        else:
            self.app.push_screen(screen)

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

        self._lead_to(EventsScreen())

    def action_monitor(self) -> None:
        """What flows everywhere."""
        from vnet_tui.screens.monitor import MonitorScreen

        self._lead_to(MonitorScreen())

    def action_topology(self) -> None:
        """Who is connected with whom."""
        from vnet_tui.screens.topology import TopologyScreen

        self._lead_to(TopologyScreen())

    def show_network(self, uuid: UUID) -> None:
        """A network was made from here: a list of them puts the cursor on it."""
