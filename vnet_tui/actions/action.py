"""One thing that a key does."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A thing that can be done: ``key`` in Textual's spelling, ``label`` for the line of keys,
    ``title`` for the palette (with ``{}`` where the network's name goes), ``help`` in a sentence.
    """

    id: str
    key: str
    label: str
    title: str
    help: str
    shown: bool = True

    def binding(self) -> Binding:
        """The key of this action, on a screen or an application with ``action_ID``."""
        return Binding(
            self.key,
            self.id.replace("-", "_"),
            self.label,
            show=self.shown,
            tooltip=self.help,
            id=self.id,
        )
