"""The command palette: everything that a key does here, and what can be done to other networks, by
name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Matcher, Provider
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen

from vnet_tui import actions
from vnet_tui.actions import CHANGING, Action
from vnet_tui.engine.text import printable
from vnet_tui.engine.views import NetworkInfo
from vnet_tui.feed import feed_of
from vnet_tui.screens.network_actions import NetworkActions

BATCH = 500
"""So many commands are matched before input gets its turn."""

NAMED = "{}"
"""Where a network's name goes in the title of an action."""


@dataclass(frozen=True, slots=True)
class Command:
    """What can be done, in words, and how: an action of the node that has the key."""

    title: str
    help: str
    action: str
    node: DOMNode


def commands_of(screen: Screen[Any]) -> tuple[Command, ...]:
    """Everything that keys do on a screen now, but for moving about and for what is done to a
    network by name; and, wherever one is, what can be done about changes on trial."""
    app = screen.app
    bound = [(each.node, each.binding) for each in screen.active_bindings.values()]
    trial = [action.binding() for action in actions.TRIAL_ACTIONS]
    bound += [(app, one) for one in trial if app._check_action_state(one.action, app)]
    known = {action.id: action for action in actions.every()}
    found: dict[str, Command] = {}
    for node, binding in bound:
        action = known.get(binding.id or "")
        title = action.title if action is not None else binding.tooltip
        own = action is not None or binding.action != "quit"  # Textual's own: it is our leave
        if title and own and NAMED not in title and not binding.system:
            told = action.help if action is not None else ""
            found.setdefault(title, Command(title, told, binding.action, node))
    return tuple(found.values())


class Commands(Provider):
    """What can be done on the screen below the palette, and to its networks."""

    async def discover(self) -> Hits:
        """Before anything is typed: what can be done to the selected network, and in general."""
        screen = self._networks
        if screen is not None and screen.selected is not None:
            for title, action in self._commands(screen.selected):
                perform = partial(screen.perform, action.id, screen.selected)
                yield DiscoveryHit(Content(title), perform, text=title, help=action.help)
        for command in commands_of(self.screen):
            run = partial(self.app.run_action, command.action, command.node)
            yield DiscoveryHit(Content(command.title), run, text=command.title, help=command.help)

    async def search(self, query: str) -> Hits:
        """What matches, of all networks."""
        matcher = self.matcher(query)
        for command in commands_of(self.screen):
            score = matcher.match(command.title)
            if score > 0:
                run = partial(self.app.run_action, command.action, command.node)
                display = highlighted(matcher, command.title)
                yield Hit(score, display, run, text=command.title, help=command.help)
        screen = self._networks
        if screen is None:
            return
        looked_at = 0
        for info in feed_of(screen).networks or ():
            for title, action in self._commands(info):
                looked_at += 1
                if looked_at % BATCH == 0:
                    await asyncio.sleep(0)
                score = matcher.match(title)
                if score > 0:
                    perform = partial(screen.perform, action.id, info)
                    display = highlighted(matcher, title)
                    yield Hit(score, display, perform, text=title, help=action.help)

    @property
    def _networks(self) -> NetworkActions | None:
        """The screen, if networks are on it."""
        return self.screen if isinstance(self.screen, NetworkActions) else None

    def _commands(self, info: NetworkInfo) -> Iterator[tuple[str, Action]]:
        read_only = feed_of(self.screen).read_only
        return (
            (title, action)
            for title, action in commands(info)
            if not (read_only and action.id in CHANGING)
        )


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
