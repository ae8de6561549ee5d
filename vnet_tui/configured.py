"""The application as its user set it up: theme, keys, glyphs, what may be changed; and ``:``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.dom import DOMNode

from vnet_tui import actions
from vnet_tui.config import Config
from vnet_tui.connecting import Connecting
from vnet_tui.plain_glyphs import PlainGlyphs, needs_ascii
from vnet_tui.themes import OWN, THEMES, after, theme_for

if TYPE_CHECKING:
    from textual.actions import ActionParseResult

    from vnet_tui.remembered import Remembered

MOST_PROBLEMS = 3
"""So many problems of the configuration are told at once."""


class Configured(Connecting):
    """An application with a configuration. Nothing is read or written before :meth:`set_up`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        actions.COMMAND_LINE.binding(),
        actions.THEME.binding(),
    ]

    def set_up(
        self,
        config: Config,
        *,
        remembered: Remembered | None = None,
        theme: str = "",
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Take a configuration. ``theme`` is the name of one that counts before all others; then
        comes what was chosen last, what is configured, and what suits the terminal."""
        self.config = config
        self.remembered = remembered
        for own in OWN:
            self.register_theme(own)
        chosen = remembered.theme() if remembered is not None else ""
        configured = THEMES.get(config.theme, "")
        known = self.available_themes
        self.theme = theme or (chosen if chosen in known else configured) or theme_for(environ)
        if needs_ascii(config.ascii, environ):
            self._filters.append(PlainGlyphs())  # Textual has no other way to add one
        self.set_keymap(dict(config.keys))
        self.read_only = config.read_only

    def tell_problems(self) -> None:
        """What is wrong with the configuration."""
        problems = list(self.config.told())
        for place, what in problems[:MOST_PROBLEMS]:
            self.notify(f"{place}: {what}", severity="warning", timeout=30)
        if len(problems) > MOST_PROBLEMS:
            more = f"{len(problems) - MOST_PROBLEMS} more problems; vnet-tui --list-keys tells all"
            self.notify(more, severity="warning", timeout=30)

    def action_theme(self) -> None:
        """The next theme; it is remembered for terminals of this kind."""
        self.theme = after(self.theme)
        if self.remembered is not None:
            self.remembered.keep_theme(self.theme)
        name = next(name for name, theme in THEMES.items() if theme == self.theme)
        self.clear_notifications()
        self.notify(f"Theme: {name}.")

    def action_command_line(self) -> None:
        """Type a command of vnet."""
        from vnet_tui.screens.command_line import CommandLineScreen  # brings the command line

        if not self.screen.is_modal:
            self.push_screen(CommandLineScreen(self.remembered))

    # -- only to look ---------------------------------------------------------------------------

    def watch_read_only(self) -> None:
        """Other keys are offered."""
        self.refresh_bindings()

    def offers(self, action: str) -> bool:
        """Whether an action, by id or by the name of its method, is offered here."""
        return not (self.read_only and action.replace("_", "-") in actions.CHANGING)

    def _check_action_state(self, action: str, default_namespace: DOMNode) -> bool | None:
        """Textual asks this of every binding before it is shown."""
        name = action.partition("(")[0].rpartition(".")[2]
        return self.offers(name) and super()._check_action_state(action, default_namespace)

    async def run_action(self, action: str | ActionParseResult, *args: Any, **kwargs: Any) -> bool:
        """Do it, unless it changes something and nothing may be changed."""
        name = action if isinstance(action, str) else action[1]
        if not self.offers(name.partition("(")[0].rpartition(".")[2]):
            self.notify("This is only to look: nothing can be changed.")
            return True
        return await super().run_action(action, *args, **kwargs)
