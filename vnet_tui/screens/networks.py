"""Home: all networks, live, and below them the one under the cursor where there is room."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message

from vnet_tui import actions
from vnet_tui.assets import examples, style_sheet
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.views import State
from vnet_tui.feed import Feed, feed_of
from vnet_tui.screens.list_controls import ListControls
from vnet_tui.staging import staging_of
from vnet_tui.widgets.filter_line import FilterLine
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.live_table import LiveTable
from vnet_tui.widgets.networks_table import NetworksTable
from vnet_tui.widgets.operations import Running
from vnet_tui.widgets.progress_line import ProgressLine
from vnet_tui.widgets.status_line import StatusLine
from vnet_tui.widgets.total_traffic import TotalTraffic
from vnet_tui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.drafts.staged import Staged
    from vnet_tui.engine.views import Event, HistoryPoint, NetworkInfo, Sample
    from vnet_tui.widgets.network_detail import NetworkDetail

DETAIL_WIDTH, DETAIL_HEIGHT = 100, 34
"""From this size of the terminal on there is room for the detail below the list, in cells."""

CHART_WIDTH, CHART_HEIGHT = 110, 9
"""From this size on, in cells, that list and overview leave, there is the chart of all networks."""

LEAST_LIST, MOST_LIST, OVERVIEW = 8, 0.45, 13
"""The lines of the list at least, its part of the screen at most, and the lines of the overview
above the chart, as the style sheet has them."""

PASTS = 200
"""For at most so many networks their past is asked for; others fill theirs as it passes."""

MOST_DAMAGED = 3
"""So many damaged definitions are told at once; ``vnet network-list`` tells all."""


class NetworksScreen(ListControls):
    """All networks. Works before there is a connection: then it is empty and says so."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [
        style_sheet(name) for name in ("app", "networks", "network")
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        actions.DEFINE.binding(),
        actions.REFRESH.binding(),
        actions.EDIT.binding(),
        Binding(  # the same key, where there is no network to edit
            "e",
            "define_example",
            "example",
            show=False,
            tooltip="Define one of the networks that come as examples.",
        ),
        Binding(
            "1",
            "tab(0)",
            "tabs",
            show=False,
            key_display="1-7",
            tooltip="A tab of the network under the cursor.",
        ),
        *(
            Binding(str(number), f"tab({number - 1})", show=False, system=True)
            for number in range(2, 8)
        ),
    ]

    class Remembered(Message):
        """What flowed in the minute before anybody looked."""

        def __init__(self, uuid: UUID, points: Sequence[HistoryPoint]) -> None:
            super().__init__()
            self.uuid = uuid
            self.points = points

    class RememberedAll(Message):
        """The same of all that were asked, together."""

        def __init__(self, pasts: Mapping[UUID, Sequence[HistoryPoint]]) -> None:
            super().__init__()
            self.pasts = pasts

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._remembered: set[UUID] = set()
        self._told_damaged: set[str] = set()
        self._detail: NetworkDetail | None = None
        self._goal: UUID | None = None

    def compose(self) -> ComposeResult:
        """Status, list or welcome, detail, progress, keys."""
        yield StatusLine(id="status")
        yield NetworksTable(id="networks")
        yield Container(id="detail")
        yield TotalTraffic(id="total")
        yield FilterLine()
        yield KeyLine()
        yield ProgressLine()

    def on_mount(self) -> None:
        """The line on top says that it is connecting."""
        self.watch(self.app, "operations", self._show_operations)
        feed = self._feed
        self.watch(feed, "connection", self._follow_connection, init=False)
        self.watch(feed, "host", self._show_host, init=False)
        self.watch(feed, "networks", self._show_networks, init=False)
        self.watch(feed, "sample", self._show_sample, init=False)
        self.watch(feed, "read_only", self._tell_status, init=False)
        self.watch(feed, "staged", self._show_staged, init=False)
        feed.happened.subscribe(self, self._take_event)
        self._tell_status()

    # -- what is known --------------------------------------------------------------------------

    @property
    def selected(self) -> NetworkInfo | None:
        """The network under the cursor."""
        uuid = self.table.network
        return self._by_uuid().get(uuid) if uuid is not None else None

    @property
    def offered(self) -> Sequence[NetworkInfo]:
        """All of them."""
        return self._feed.networks or ()

    @property
    def editor_tab(self) -> int:
        """What the detail shows, where there is room for it."""
        return self._detail.editor_tab if self._detail is not None and self._roomy else 0

    @property
    def _feed(self) -> Feed:
        return feed_of(self)

    def _by_uuid(self) -> dict[UUID, NetworkInfo]:
        return {info.uuid: info for info in self._feed.networks or ()}

    # -- from the connection --------------------------------------------------------------------

    async def _follow_connection(self, connection: Connection | None) -> None:
        self.workers.cancel_group(self, "connection")
        if connection is not None:
            await self._forget_detail()

    def _take_event(self, event: Event) -> None:
        if self._detail is not None:
            self._detail.take_event(event)

    def _look_back(self) -> None:
        """Ask for the past of networks that weren't running when we looked last."""
        running = [info.uuid for info in self.offered if info.active]
        new = [uuid for uuid in running if uuid not in self._remembered][:PASTS]
        self._remembered = set(running)
        connection = self._feed.connection
        if new and connection is not None:
            self.run_worker(self._remember(connection, new), group="connection")

    async def _remember(self, connection: Connection, uuids: Sequence[UUID]) -> None:
        pasts: dict[UUID, Sequence[HistoryPoint]] = {}
        for uuid in uuids:
            await asyncio.sleep(0)  # an engine in this process may answer without a pause
            try:
                points = await connection.history(uuid)
            except VnetError:
                continue  # it stopped meanwhile: an event tells
            pasts[uuid] = points
            self.post_message(self.Remembered(uuid, points[-60:]))
        self.post_message(self.RememberedAll(pasts))

    def on_networks_screen_remembered(self, message: Remembered) -> None:
        """Show the past."""
        self.table.show_past(message.uuid, message.points)

    def on_networks_screen_remembered_all(self, message: RememberedAll) -> None:
        """Show the past of all together, unless some weren't asked for theirs."""
        if len(self._remembered) <= PASTS:
            self.query_one(TotalTraffic).remember(message.pasts)

    # -- to the widgets -------------------------------------------------------------------------

    def _show_host(self) -> None:
        """Where this is, and what of the store can't be read: each file is told once."""
        self._tell_status()
        host = self._feed.host
        damaged = set(host.damaged) if host else set()
        for line in sorted(damaged - self._told_damaged)[:MOST_DAMAGED]:
            self.notify(line, title="Damaged definition", severity="warning", timeout=30)
        self._told_damaged |= damaged

    def _show_networks(self, networks: tuple[NetworkInfo, ...] | None) -> None:
        """The list, or what to do about its emptiness."""
        self.call_after_refresh(self._look_back)
        self.table.show_networks(networks or ())
        self._approach_goal()
        empty = networks is not None and not networks
        self.refresh_bindings()
        if self.table.display is empty:
            self.table.display = not empty
            if empty:
                self.mount(Welcome(examples(), id="welcome"), after=self.table)
            else:
                self.query(Welcome).remove()
                self.table.focus()
        self._share_room()
        self._tell_status()
        self.tell_filter()

    def _approach_goal(self) -> None:
        """Put the cursor on what was just defined, once the list has it."""
        if self._goal is not None and self._goal in self.table.keys:
            self.table.move_to(self._goal)
            self._goal = None

    def _show_sample(self, sample: Sample | None) -> None:
        """The live figures."""
        if sample is not None:
            self.table.show_sample(sample)
            self.query_one(TotalTraffic).take_sample(sample)
            if self._detail is not None:
                self._detail.take_sample(sample)
        self._tell_status()

    def _tell_status(self) -> None:
        feed = self._feed
        line = self.query_one(StatusLine)
        line.tell(
            feed.host,
            feed.networks,
            feed.sample,
            read_only=feed.read_only,
            pending=len(staging_of(self).staged),
        )

    def _show_staged(self, staged: Staged) -> None:
        self.table.show_edited(staged.drafts)
        self._tell_status()

    def _show_operations(self, running: Sequence[Running]) -> None:
        self.table.show_busy(
            {uuid: each.operation.word for each in running for uuid in each.operation.networks}
        )

    # -- the detail below the list --------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Show the detail where there is room for it."""
        room = event.size.width >= DETAIL_WIDTH and event.size.height >= DETAIL_HEIGHT
        self.query_one("#networks").set_class(room, "-above-detail")
        self.query_one("#detail").display = room
        self._share_room()
        self._follow_cursor()

    def _share_room(self) -> None:
        """Below the overview, which takes few lines, there is the chart; other tabs take all."""
        width, height = self.app.size
        lines = max(LEAST_LIST, min(len(self.offered) + 1, int(MOST_LIST * height)))
        left = height - lines - OVERVIEW - 2
        roomy = width >= CHART_WIDTH and left >= CHART_HEIGHT and self.table.display
        self.set_class(roomy and (self._detail is None or self._detail.tab == 0), "-charting")

    @property
    def _roomy(self) -> bool:
        return self.query_one("#detail").display

    @on(LiveTable.Highlighted, "#networks")
    def _cursor_moved(self) -> None:
        self._follow_cursor()

    def _follow_cursor(self) -> None:
        """Show the network under the cursor, the first time after the list is painted."""
        if self._detail is not None:
            self._detail.show(self.table.network)
        else:
            self.call_after_refresh(self._make_detail)

    async def _make_detail(self) -> None:
        uuid, feed = self.table.network, self._feed
        if self._detail is None and uuid and feed.connection is not None and self._roomy:
            from vnet_tui.widgets.network_detail import NetworkDetail  # after the first picture

            self._detail = NetworkDetail(feed.connection, uuid, following=True, clock=self._clock)
            await self.query_one("#detail").mount(self._detail)
            self.watch(self._detail, "tab", self._share_room, init=False)
            if feed.sample is not None:
                self._detail.take_sample(feed.sample)

    async def _forget_detail(self) -> None:
        """It hangs on a connection that is gone."""
        if self._detail is not None:
            await self._detail.remove()
            self._detail = None

    # -- what keys do ---------------------------------------------------------------------------

    def open_network(self, info: NetworkInfo) -> None:
        """Show everything about a network."""
        self._open(info, self._detail.tab if self._detail is not None else 0)

    def _open(self, info: NetworkInfo, tab: int) -> None:
        feed = self._feed
        if feed.connection is None:
            return
        from vnet_tui.screens.network import NetworkScreen  # not for the first picture

        opened = NetworkScreen(feed.connection, info.uuid, tab=tab, clock=self._clock)
        self.app.push_screen(opened)

    async def action_tab(self, number: int) -> None:
        """Open a tab of the selected network, below the list or on its own screen."""
        if self._roomy and self._detail is not None:
            await self._detail.action_open_tab(number)
        elif self.selected is not None:
            self._open(self.selected, number)

    @on(LiveTable.Selected, "#networks")
    def _selected(self, message: LiveTable.Selected) -> None:
        if isinstance(message.key, State):
            table = self.table
            table.arrangement = table.arrangement.fold(message.key)
        else:
            self.perform(actions.OPEN.id, self._by_uuid()[message.key])

    def action_define(self) -> None:
        """Ask for a file."""
        self._define_from("")

    def action_define_example(self) -> None:
        """Ask for a file, beginning where the examples are."""
        self._define_from(f"{examples()}/")

    def _define_from(self, path: str) -> None:
        connection = self._feed.connection
        if connection is None:
            return
        from vnet_tui.screens.open_file import OpenFileScreen  # not for the first picture

        def defined(info: NetworkInfo | None) -> None:
            if info is None:
                return
            how = "p applies it" if info.active else "s starts it"
            self.notify(f"{info.name} is defined; {how}.")
            self.show_network(info.uuid)

        self.app.push_screen(OpenFileScreen(connection, path), defined)

    def show_network(self, uuid: UUID) -> None:
        """Put the cursor on it as soon as it is in the list."""
        self._goal = uuid
        self._approach_goal()
        self._feed.ask_again()

    def action_refresh(self) -> None:
        """Ask for everything again."""
        self._feed.ask_again()
