"""Who is connected with whom: guests, ports, bridges, this host and its links, as a drawing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer

from vnet_tui.assets import style_sheet
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.model import Mode
from vnet_tui.engine.views import Event, Guest, NetworkInfo, Rates
from vnet_tui.feed import feed_of
from vnet_tui.screens.ways import Ways
from vnet_tui.staging import staging_of
from vnet_tui.units import bit_rate
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.networks_table import subnets
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.states import EDITED, MODES
from vnet_tui.widgets.topology_drawing import NOTHING
from vnet_tui.widgets.topology_layout import (
    BRIDGE,
    LINK,
    PORT,
    Branch,
    Exit,
    Plan,
    Spot,
    Twig,
    plan,
)
from vnet_tui.widgets.topology_map import TopologyMap
from vnet_tui.widgets.ways_out import Links, link_words, through, ways_out

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection

SETTLE = 0.2
"""Seconds after an event in which others that come as fast are taken together."""

GATHER = 0.2
"""Seconds in which answers are gathered to be shown together."""

OVERVIEW_TAB, GUESTS_TAB = 0, 1
"""What of a network is opened."""


class TopologyScreen(Ways):
    """The drawing, and in a line all about what the cursor is on."""

    WAY = "topology"
    CSS_PATH: ClassVar[list[str | PurePath]] = [style_sheet(name) for name in ("app", "topology")]
    HELP = """\
# Topology

Guests with their ports at the left, the bridges they are plugged into, this host with the links by
which each network reaches the world, and these links: above each, the versions of IP whose default
route it has. The figures are bits a second: *in* (↓) towards the guests, *out* (↑) from them.
The arrows go from one to the next, **Enter** opens it; at a link, the monitor. Clicks do the same.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", tooltip="Back to where you were"),
    ]

    class Known(Message, bubble=False):
        """Who is on some networks."""

        def __init__(self, guests: Mapping[UUID, Sequence[Guest]]) -> None:
            super().__init__()
            self.guests = guests

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._guests: dict[UUID, Sequence[Guest]] = {}
        self._changed: set[UUID] = set()
        self._settling: Timer | None = None
        self._plan: Plan | None = None

    def compose(self) -> ComposeResult:
        """How much there is, the drawing, what the cursor is on."""
        yield Picture(id="topology-title")
        yield TopologyMap(id="topology-map")
        yield Picture(id="topology-spot")
        yield KeyLine()

    def on_mount(self) -> None:
        """What is known, and what comes."""
        feed = feed_of(self)
        feed.look_at(self, None)
        self.watch(feed, "networks", self._take_networks)
        self.watch(feed, "sample", self._draw, init=False)
        self.watch(feed, "staged", self._draw, init=False)
        feed.happened.subscribe(self, self._take_event)
        self._map.focus()

    def on_unmount(self) -> None:
        """Ports needn't be told any more."""
        feed_of(self).look_away(self)

    @property
    def _map(self) -> TopologyMap:
        return self.query_one(TopologyMap)

    # -- from the connection --------------------------------------------------------------------

    def _take_networks(self) -> None:
        self._ask(info.uuid for info in self._infos if info.uuid not in self._guests)
        self._draw()

    def _take_event(self, event: Event) -> None:
        if event.network is None or event.denial is not None:
            return
        self._changed.add(event.network)
        if self._settling is None:
            self._settling = self.set_timer(SETTLE, self._look_again)

    def _look_again(self) -> None:
        self._settling = None
        changed, self._changed = self._changed, set()
        self._ask(changed)

    def _ask(self, networks: Iterable[UUID]) -> None:
        connection = feed_of(self).connection
        active = {info.uuid for info in self._infos if info.active}
        wanted = [uuid for uuid in networks if uuid in active]
        if wanted and connection is not None:
            self.run_worker(self._find_guests(connection, wanted), group="guests")

    async def _find_guests(self, connection: Connection, networks: Sequence[UUID]) -> None:
        clock = asyncio.get_running_loop().time
        found: dict[UUID, Sequence[Guest]] = {}
        told = clock()
        for uuid in networks:
            await asyncio.sleep(0)  # an engine in this process may answer without a pause
            with suppress(VnetError):  # it stopped meanwhile: an event tells
                found[uuid] = await connection.guests(uuid)
            if clock() - told >= GATHER:
                self.post_message(self.Known(found))
                found, told = {}, clock()
        self.post_message(self.Known(found))

    def on_topology_screen_known(self, message: Known) -> None:
        """They get their names."""
        self._guests.update(message.guests)
        self._draw()

    # -- what is shown --------------------------------------------------------------------------

    @property
    def _infos(self) -> tuple[NetworkInfo, ...]:
        return feed_of(self).networks or ()

    def _behind(self, network: UUID) -> Mapping[str, Sequence[Guest]]:
        """Who is behind each port: several, where that leads to another switch."""
        found: dict[str, list[Guest]] = {}
        for guest in self._guests.get(network, ()):
            if guest.port:
                found.setdefault(guest.port, []).append(guest)
        return found

    def _edited(self, info: NetworkInfo) -> bool:
        """Whether edits of it are staged."""
        return info.uuid in staging_of(self).staged.drafts

    def _branch(self, info: NetworkInfo) -> Branch:
        sample = feed_of(self).sample
        figures = sample.networks.get(info.uuid) if sample else None
        behind = self._behind(info.uuid)
        known = figures.ports if figures and figures.detailed else behind
        ports = known if info.active else ()
        twigs = tuple(
            Twig(port=port, guest=_together(behind.get(port, ())))
            for port in sorted(ports, key=lambda name: (len(name), name))
        )
        return Branch(
            network=info.uuid,
            name=f"{info.name} {EDITED}" if self._edited(info) else info.name,
            mode=info.mode,
            subnet=subnets(info),
            bridge=(info.bridge or "–") if info.active else None,
            twigs=twigs,
            through=through(info, sample.links) if sample else None,
        )

    @property
    def _links(self) -> Links:
        sample = feed_of(self).sample
        return sample.links if sample else {}

    @on(TopologyMap.Resized)
    def _draw(self) -> None:
        feed, (width, height) = feed_of(self), self._map.size
        if not width:
            return
        branches = [self._branch(info) for info in self._infos]
        links = self._links
        exits = [Exit(name=name, defaults=links[name].defaults) for name in ways_out(links)]
        host = feed.host.name if feed.host else "host"
        self._plan = plan(branches, exits, host, width, height)
        self._map.present(self._plan, feed.sample or NOTHING)
        self._draw_words()

    @on(TopologyMap.Highlighted)
    def _draw_words(self) -> None:
        above, below = self._map.hidden
        count = len(self._infos)
        title = [Cell("Topology", "strong"), Cell(f"  {count} network{'' if count == 1 else 's'}")]
        if above or below:
            title.append(Cell(f" · more: {above} rows above, {below} below", "dim"))
        if self._plan is not None and (more := self._plan.more):
            title.append(Cell(f" · {more} more link{'' if more == 1 else 's'} out", "dim"))
        self.query_one("#topology-title", Picture).show([tuple(title)])
        self.query_one("#topology-spot", Picture).show([self._told(self._map.cursor)])

    def _told(self, spot: Spot | None) -> Line:
        """All about what the cursor is on."""
        info = next((one for one in self._infos if spot and one.uuid == spot.network), None)
        if spot is None or info is None:
            return (Cell("No networks: there is nothing to draw.", "dim"),)
        feed = feed_of(self)
        figures = feed.sample.networks.get(info.uuid) if feed.sample else None
        if spot.kind == PORT:
            guests = self._behind(info.uuid).get(spot.name, ())
            known = [*map(str, guests[0].addresses), guests[0].mac] if len(guests) == 1 else []
            words = [*filter(None, known)]
            name = ", ".join(map(_called, guests)) or "an unknown guest"
            traffic = figures.ports.get(spot.name) if figures else None
            words.append(f"{spot.name} on {info.name}")
            return _line(name, words, traffic.rates if traffic else None)
        if spot.kind == BRIDGE:
            addresses = map(str, info.addresses)
            words = [info.bridge, *addresses] if info.bridge else [info.state.value, *addresses]
            rates = figures.traffic.rates if figures else None
            if self._edited(info):
                words.insert(0, f"{EDITED} edited, not applied")
            return _line(info.name, [*words, MODES[info.mode]], rates)
        if spot.kind == LINK:
            return self._told_of_link(spot.name)
        host = feed.host
        words = [self._way_of(info), *([host.firewall] if host else [])]
        return _line(host.name if host else "this host", words, None)

    def _told_of_link(self, name: str) -> Line:
        """A link of the host, and who reaches the world through it."""
        link = self._links.get(name)
        if link is None:
            return _line(name, [], None)
        users = [
            info.name for info in self._infos if info.active and name in through(info, self._links)
        ]
        words = link_words(link)
        if users:
            words.append(f"way out of {', '.join(users)}")
        return _line(name, words, link.traffic.rates)

    def _way_of(self, info: NetworkInfo) -> str:
        """How a network reaches the world, if it does."""
        names = through(info, self._links)
        if info.mode is Mode.ISOLATED or not feed_of(self).sample:
            return f"{info.name}: {MODES[info.mode]}"
        if not names:
            return f"{info.name} has no way out: this host has no default route for it"
        return f"{info.name} leaves through {', '.join(names)}, {MODES[info.mode]}"

    # -- what keys do ---------------------------------------------------------------------------

    @on(TopologyMap.Selected)
    def _open(self, message: TopologyMap.Selected) -> None:
        """The network; at a guest, who is on it; at a link, what flows through it."""
        connection, spot = feed_of(self).connection, message.spot
        if connection is None:
            return
        if spot.kind == LINK:
            from vnet_tui.screens.monitor import MonitorScreen
            from vnet_tui.widgets.monitor_places import Place

            self.app.push_screen(MonitorScreen(Place(None, spot.name), clock=self._clock))
            return
        from vnet_tui.screens.network import NetworkScreen

        tab = GUESTS_TAB if spot.kind == PORT else OVERVIEW_TAB
        self.app.push_screen(NetworkScreen(connection, spot.network, tab=tab, clock=self._clock))

    def action_back(self) -> None:
        """Leave the screen."""
        self.dismiss()


def _called(guest: Guest) -> str:
    """A guest's name, else its address, else its MAC."""
    return guest.name or next(map(str, guest.addresses), guest.mac)


def _together(guests: Sequence[Guest]) -> str:
    """Who is behind one port."""
    more = f" +{len(guests) - 1}" if len(guests) > 1 else ""
    return f"{_called(guests[0])}{more}" if guests else ""


def _line(name: str, words: Sequence[str], rates: Rates | None) -> Line:
    """What flows comes first: a narrow terminal has no room for all the words."""
    cells = [Cell(name, "strong")]
    if rates is not None:
        cells.append(Cell(f" ↓ {bit_rate(rates.in_bits).strip()}", "in"))
        cells.append(Cell(f" ↑ {bit_rate(rates.out_bits).strip()}", "out"))
    return (*cells, *(Cell(f" · {word}") for word in words))
