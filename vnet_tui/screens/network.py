"""One network on a screen of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer

from vnet_tui.assets import styles_dir
from vnet_tui.client.connection import Connection
from vnet_tui.engine.views import Event, Sample
from vnet_tui.widgets.network_detail import NetworkDetail


class NetworkScreen(Screen[None]):
    """What is known of a network, in tabs. Esc goes back."""

    CSS_PATH = styles_dir() / "network.tcss"
    TITLE = "Network"
    HELP = """\
# One network

**1** to **6**, or **←** and **→**, open the tabs; **↑** and **↓** move in them; **Esc** goes back.

*In* (↓) is what flows towards the guests, *out* (↑) what comes from them.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", id="network.back", tooltip="Back to the list"),
    ]

    def __init__(
        self,
        connection: Connection,
        uuid: UUID,
        *,
        tab: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._detail = NetworkDetail(connection, uuid, tab=tab, clock=clock, id="detail")

    def compose(self) -> ComposeResult:
        """The tabs and the keys."""
        yield self._detail
        yield Footer()

    def on_mount(self) -> None:
        """The keys go to the tabs."""
        self._detail.focus_inside()

    @property
    def detail(self) -> NetworkDetail:
        """The tabs."""
        return self._detail

    def take_sample(self, sample: Sample) -> None:
        """A second's figures."""
        self._detail.take_sample(sample)

    def take_event(self, event: Event) -> None:
        """Something happened."""
        self._detail.take_event(event)
