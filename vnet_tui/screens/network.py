"""One network on a screen of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar
from uuid import UUID

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from vnet_tui.client.connection import Connection
from vnet_tui.engine.views import Event, NetworkInfo, Sample
from vnet_tui.feed import feed_of
from vnet_tui.screens.network_actions import NetworkActions
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.network_detail import NetworkDetail
from vnet_tui.widgets.progress_line import ProgressLine


class NetworkScreen(NetworkActions):
    """What is known of a network, in tabs; keys act on it. Esc goes back."""

    HELP = """\
# One network

**1** to **7**, or **←** and **→**, open the tabs; **↑** and **↓** move in them; **Esc** goes back.

*In* (↓) is what flows towards the guests, *out* (↑) what comes from them.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="network.back", tooltip="Back to the list"),
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
        self._connection = connection
        self._clock = clock
        self._detail = NetworkDetail(connection, uuid, tab=tab, clock=clock, id="detail")

    def compose(self) -> ComposeResult:
        """The tabs, what is being done, the keys."""
        yield self._detail
        yield KeyLine()
        yield ProgressLine()

    def on_mount(self) -> None:
        """The keys go to the tabs, and so does what is told."""
        self._detail.focus_inside()
        feed = feed_of(self)
        self.watch(feed, "sample", self._take_sample)
        self.watch(feed, "connection", self._follow_connection)
        feed.happened.subscribe(self, self._take_event)

    async def _follow_connection(self, connection: Connection | None) -> None:
        """What is shown hangs on a connection; on another one, it is asked for again."""
        uuid = self._detail.uuid
        if connection is None or connection is self._connection or uuid is None:
            return
        self._connection = connection
        before = self._detail
        self._detail = NetworkDetail(
            connection, uuid, tab=before.tab, clock=self._clock, id="detail"
        )
        await before.remove()
        await self.mount(self._detail, before=0)
        self._detail.focus_inside()

    def _take_event(self, event: Event) -> None:
        self._detail.take_event(event)

    def _take_sample(self, sample: Sample | None) -> None:
        if sample is not None:
            self._detail.take_sample(sample)

    @property
    def detail(self) -> NetworkDetail:
        """The tabs."""
        return self._detail

    @property
    def editor_tab(self) -> int:
        """The tab of the editor that is about what is shown."""
        return self._detail.editor_tab

    @property
    def selected(self) -> NetworkInfo | None:
        """The network; None while it isn't known, and once it is gone."""
        return self._detail.info

    @property
    def offered(self) -> Sequence[NetworkInfo]:
        """That one."""
        return (self.selected,) if self.selected else ()

    def open_network(self, info: NetworkInfo) -> None:
        """Show another network in the place of this one."""
        if info.uuid != self._detail.uuid:
            tab, clock = self._detail.tab, self._clock
            self.app.switch_screen(NetworkScreen(self._connection, info.uuid, tab=tab, clock=clock))

    def action_back(self) -> None:
        """Leave the screen."""
        self.dismiss()
