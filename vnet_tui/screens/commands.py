"""The command palette: every action by name, for every network by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Matcher, Provider
from textual.content import Content

from vnet_tui import actions
from vnet_tui.actions import CHANGING, Action
from vnet_tui.engine.text import printable
from vnet_tui.engine.views import NetworkInfo
from vnet_tui.feed import feed_of

if TYPE_CHECKING:
    from vnet_tui.screens.network_actions import NetworkActions

BATCH = 500
"""So many commands are matched before input gets its turn."""


class NetworkCommands(Provider):
    """Actions on the networks of a :class:`~vnet_tui.screens.network_actions.NetworkActions`."""

    async def discover(self) -> Hits:
        """Before anything is typed: what can be done to the selected network, and in general."""
        selected = self._screen().selected
        if selected is not None:
            for title, action in self._commands(selected):
                run = partial(self._screen().perform, action.id, selected)
                yield DiscoveryHit(Content(title), run, text=title, help=action.help)
        for action in self._general():
            run_general = partial(self._run, action)
            yield DiscoveryHit(action.title, run_general, text=action.title, help=action.help)

    async def search(self, query: str) -> Hits:
        """What matches, of all networks."""
        matcher = self.matcher(query)
        for action in self._general():
            score = matcher.match(action.title)
            if score > 0:
                display = highlighted(matcher, action.title)
                run_general = partial(self._run, action)
                yield Hit(score, display, run_general, text=action.title, help=action.help)
        looked_at = 0
        for info in self._screen().offered:
            for title, action in self._commands(info):
                looked_at += 1
                if looked_at % BATCH == 0:
                    await asyncio.sleep(0)
                score = matcher.match(title)
                if score > 0:
                    run = partial(self._screen().perform, action.id, info)
                    display = highlighted(matcher, title)
                    yield Hit(score, display, run, text=title, help=action.help)

    def _general(self) -> list[Action]:
        return [action for action in actions.GENERAL_ACTIONS if self._offered(action)]

    def _commands(self, info: NetworkInfo) -> Iterator[tuple[str, Action]]:
        return ((title, action) for title, action in commands(info) if self._offered(action))

    def _offered(self, action: Action) -> bool:
        return not (feed_of(self.screen).read_only and action.id in CHANGING)

    def _screen(self) -> NetworkActions:
        screen: NetworkActions = self.screen  # type: ignore[assignment]
        return screen

    async def _run(self, action: Action) -> None:
        name = action.id.replace("-", "_")
        if not await self.app.run_action(name, self.screen):
            await self.app.run_action(name, self.app)


def highlighted(matcher: Matcher, title: str) -> Content:
    """A title with what matched made visible; unlike the matcher's own, without any markup."""
    content = Content(title)
    _, offsets = matcher.fuzzy_search.match(matcher.query, title)
    for offset in offsets:
        content = content.stylize(matcher.match_style, offset, offset + 1)
    return content


def commands(info: NetworkInfo) -> Iterator[tuple[str, Action]]:
    """What makes sense for a network in its state, with its name in place."""
    possible = {
        actions.EDIT.id: info.persistent,
        actions.START.id: not info.active,
        actions.STOP.id: info.active,
        actions.RESTART.id: info.active,
        actions.APPLY.id: info.unsettled,
        actions.DOCTOR.id: info.active,
        actions.EXPLAIN.id: info.active,
        actions.UNDEFINE.id: info.persistent,
        actions.AUTOSTART.id: info.persistent,
    }
    for action in actions.NETWORK_ACTIONS:
        if possible.get(action.id, True):
            yield action.title.format(printable(info.name)), action
