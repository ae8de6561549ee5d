"""The third step of a new network: what DHCP hands out, and what is reserved."""

from __future__ import annotations

from textual.widget import Widget

from vnet_tui.drafts.lists import OPTION, RANGE, RESERVATION
from vnet_tui.widgets.editing.addresses import AddressesTab
from vnet_tui.widgets.fields import Field


class DhcpStep(AddressesTab):
    """Ranges, reservations and options, drawn on a bar of the subnet. The addresses themselves
    were asked for before."""

    TITLE = "DHCP"
    KINDS = (RANGE, RESERVATION, OPTION)
    EMPTY_TEXT = "Nothing is handed out: + adds a range, or reserves an address."

    @property
    def focus_target(self) -> Widget:
        """The fields: Enter goes on from there."""
        return self.query(Field).first().control
