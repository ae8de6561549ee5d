"""One network in tabs: below the list where there is room, on a screen of its own where not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import var
from textual.timer import Timer

from vnet_tui.client.connection import Connection
from vnet_tui.engine.errors import NotFoundError, VnetError
from vnet_tui.engine.views import Event, NetworkInfo, Sample
from vnet_tui.feed import feed_of
from vnet_tui.staging import staging_of
from vnet_tui.widgets.connections_pane import ConnectionsPane
from vnet_tui.widgets.events_pane import EventsPane
from vnet_tui.widgets.following_pane import FollowingPane
from vnet_tui.widgets.guests_pane import GuestsPane
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.overview_pane import OverviewPane
from vnet_tui.widgets.pane import Pane
from vnet_tui.widgets.picture import Picture
from vnet_tui.widgets.rules_pane import RulesPane
from vnet_tui.widgets.states import EDITED, STATE_SYMBOLS
from vnet_tui.widgets.tab_line import TabLine
from vnet_tui.widgets.traffic_pane import TrafficPane
from vnet_tui.widgets.xml_pane import XmlPane

SETTLE = 0.08
"""So long, in seconds, the cursor must stay on a network before it is looked at: a key that is
held down asks nothing of the engine. Events that come as fast are answered by one look, too."""

PANES: tuple[type[Pane[Any]], ...] = (
    OverviewPane,
    GuestsPane,
    RulesPane,
    TrafficPane,
    ConnectionsPane,
    XmlPane,
    EventsPane,
)

FOLLOWING_NAME = 24
"""The width, in cells, of a name that changes with every move of a cursor."""

EDITOR_TABS = {GuestsPane: 1, RulesPane: 3, XmlPane: 5}
"""Where what is shown is edited, by the number of the editor's tab; else at the first."""


class NetworkDetail(Vertical):
    """A network, told by UUID, in tabs of which only the open one works.

    It is given samples and events from above with :meth:`take_sample` and :meth:`take_event`, and
    another network with :meth:`show`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right",
            "next_tab(1)",
            "tabs",
            id="network.tab.next",
            key_display=f"1-{len(PANES)} ← →",
            tooltip="The next tab",
            priority=True,
        ),
        Binding(
            "left",
            "next_tab(-1)",
            "previous tab",
            id="network.tab.previous",
            show=False,
            priority=True,
        ),
        *(
            Binding(
                str(number),
                f"open_tab({number - 1})",
                pane.TITLE,
                id=f"network.tab.{number}",
                tooltip=f"The tab {pane.TITLE}",
                show=False,
            )
            for number, pane in enumerate(PANES, start=1)
        ),
    ]

    tab: var[int] = var(0, init=False)
    """The open tab, counted from 0."""

    class Told(Message, bubble=False):
        """What the engine says of a network: how it is, or why it can't be told."""

        def __init__(self, uuid: UUID, info: NetworkInfo | None, failure: VnetError | None) -> None:
            super().__init__()
            self.uuid = uuid
            self.info = info
            self.failure = failure

    def __init__(
        self,
        connection: Connection,
        uuid: UUID | None = None,
        *,
        tab: int = 0,
        following: bool = False,
        clock: Callable[[], float] = time.time,
        id: str | None = None,
    ) -> None:
        """``following``: another network is shown with every move of a cursor; what it takes to
        write one is little then, and what they have in common stays where it is."""
        super().__init__(id=id)
        self._kinds: Sequence[type[Pane[Any]]] = (FollowingPane, *PANES[1:]) if following else PANES
        self._name_width = FOLLOWING_NAME if following else None
        self._connection = connection
        self._uuid = uuid
        self.set_reactive(NetworkDetail.tab, tab)
        self._clock = clock
        self._info: NetworkInfo | None = None
        self._sample: Sample | None = None
        self._panes: dict[int, Pane[Any]] = {}
        self._settling: Timer | None = None
        self._wanted = False
        self._asking = False
        self._opening = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """The line of tabs, and the place for the open one."""
        titles = [(pane.TITLE, pane.SHORT or pane.TITLE) for pane in self._kinds]
        line = TabLine(titles, name_width=self._name_width, id="detail-tabs")
        line.set_reactive(TabLine.opened, self.tab)
        yield line
        yield Picture(id="detail-failure")
        yield Vertical(id="detail-body")

    def on_mount(self) -> None:
        """Look at the network, if there is one already."""
        self.watch(staging_of(self), "staged", self._tell_name, init=False)
        if self._uuid is not None:
            self._look()

    def on_unmount(self) -> None:
        """Nothing of the network needs to be told any more."""
        feed_of(self).look_away(self)

    # -- from above ----------------------------------------------------------------------------

    @property
    def uuid(self) -> UUID | None:
        """The network that is shown, or about to be."""
        return self._uuid

    @property
    def info(self) -> NetworkInfo | None:
        """The network as it was last told; None before the first time, and when it is gone."""
        return self._info

    @property
    def pane(self) -> Pane[Any] | None:
        """The open tab itself; None before there was anything to show in it."""
        return self._panes.get(self.tab)

    @property
    def editor_tab(self) -> int:
        """The tab of the editor that is about what the open one shows."""
        return EDITOR_TABS.get(type(self.pane), 0)

    def show(self, uuid: UUID | None) -> None:
        """Show another network, once the choice has settled. What is shown stays until then."""
        if uuid != self._uuid:
            self._uuid = uuid
            if self._settling is not None:
                self._settling.reset()
            self._look_soon()

    def take_sample(self, sample: Sample) -> None:
        """A second's figures, for the open tab."""
        self._sample = sample
        info, pane = self._info, self.pane
        if info is not None and pane is not None and info.uuid == self._uuid and info.active:
            self._give(pane, info, sample)

    def take_event(self, event: Event) -> None:
        """What happened to this network makes it be looked at again; who was denied what changes
        nothing of it, and is only listed."""
        if event.network is None or event.network != self._uuid:
            return
        if event.denial is None:
            self._look_soon()
        elif isinstance(self.pane, EventsPane) and self._info and self._info.uuid == self._uuid:
            self.pane.open(self._info)

    def focus_inside(self) -> None:
        """Give the keys to the open tab."""
        target = self.pane.focus_target if self.pane is not None else None
        (target or self.query_one(TabLine)).focus()

    # -- looking -------------------------------------------------------------------------------

    def _look_soon(self) -> None:
        if self._settling is None:
            self._settling = self.set_timer(SETTLE, self._look)

    def _look(self) -> None:
        self._settling = None
        if self._uuid is None:
            self._fail("No network is chosen.", "dim")
            return
        self._wanted = True
        if not self._asking:
            self._asking = True
            self.run_worker(self._ask(), group="info")

    async def _ask(self) -> None:
        """One question at a time, until all that is wanted is answered."""
        try:
            while self._wanted and self._uuid is not None:
                self._wanted = False
                self.post_message(await self._answer(self._uuid))
        finally:
            self._asking = False

    async def _answer(self, uuid: UUID) -> Told:
        try:
            return self.Told(uuid, await self._connection.network(uuid), None)
        except VnetError as error:
            return self.Told(uuid, None, error)

    async def on_network_detail_told(self, message: Told) -> None:
        """Show what was told, unless another network was chosen since."""
        if message.uuid != self._uuid:
            return
        if message.info is None:
            gone = isinstance(message.failure, NotFoundError)
            name = self._info.name if self._info and self._info.uuid == message.uuid else ""
            self._fail(
                f"{name or 'This network'} is gone: it was stopped or undefined."
                if gone
                else str(message.failure),
                "warn" if gone else "bad",
            )
            return
        self._info = message.info
        self.remove_class("-failed")
        if self.pane is None or self.pane.presented in (None, message.uuid):
            self._tell_name()  # else when the open tab shows something of it
        await self._open()

    def _tell_name(self) -> None:
        """The network's name, with a mark where edits of it are staged."""
        info = self._info
        if info is not None:
            edited = f"{EDITED} " if info.uuid in staging_of(self).staged.drafts else ""
            for line in self.query(TabLine):  # none is left while all of it is being closed
                line.tell(STATE_SYMBOLS[info.state], f"{edited}{info.name}")

    def _fail(self, text: str, role: str) -> None:
        self._info = None
        self.add_class("-failed")
        for line in self.query(TabLine):  # none is left while all of it is being closed
            line.tell(Cell("✗" if role != "dim" else " ", role), "–")
        for failure in self.query("#detail-failure").results(Picture):
            failure.show([(), (Cell(f"  {text}", role),)])

    # -- tabs ----------------------------------------------------------------------------------

    async def action_next_tab(self, by: int) -> None:
        """Go to the next tab, or the one before, round and round."""
        await self.action_open_tab((self.tab + by) % len(PANES))

    async def action_open_tab(self, number: int) -> None:
        """Open a tab, counted from 0."""
        if number != self.tab:
            self.tab = number
            self.query_one(TabLine).opened = number
            if self._info is not None:
                await self._open()

    async def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        """A click opens a tab."""
        message.stop()
        await self.action_open_tab(message.number)

    async def _open(self) -> None:
        """Show the open tab, made at its first time, as the network is now."""
        async with self._opening:  # a key and an answer may want it at once
            if self._info is not None:
                await self._open_for(self._info)

    async def _open_for(self, info: NetworkInfo) -> None:
        keys_inside = self.has_focus_within
        pane = self.pane
        if pane is None:
            pane = self._panes[self.tab] = self._kinds[self.tab](
                self._connection, info, self._clock
            )
            await self.query_one("#detail-body").mount(pane)
            self.watch(pane, "presented", self._tell_name, init=False)
        opened = not pane.has_class("-open")
        for other in self._panes.values():
            other.set_class(other is pane, "-open")
        if keys_inside and opened:
            self.focus_inside()
        pane.open(info)
        feed_of(self).look_at(self, {info.uuid} if pane.DETAILED else ())
        if self._sample is not None and info.active:
            self._give(pane, info, self._sample)

    def _give(self, pane: Pane[Any], info: NetworkInfo, sample: Sample) -> None:
        """A second's figures; none at all while those that the tab is about aren't told yet."""
        figures = sample.networks.get(info.uuid)
        known = figures is None or figures.detailed or not pane.DETAILED
        pane.take_sample(sample.time, figures if known else None)
