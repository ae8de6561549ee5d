"""What is shown while there are no networks: how to get the first one."""

from __future__ import annotations

from pathlib import Path

from textual import events

from vnet_tui.feed import feed_of
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture

WAYS = (
    ("n", "screen.new_network", "make one, step by step"),
    ("e", "screen.define_example", "begin with an example"),
    ("d", "screen.define", "define one from an XML file"),
)
"""Keys that lead to a network, with what they do; a click on their line does it, too."""


class Welcome(Picture):
    """A few lines; nothing to press that isn't a key of the list as well."""

    def __init__(self, examples: Path, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._examples = sorted(path.stem for path in examples.glob("*.xml"))
        self._place = examples
        self._ways: dict[int, str] = {}

    def on_mount(self) -> None:
        """Say it; where this is, is known a moment later."""
        feed = feed_of(self)
        self.watch(feed, "host", self._say, init=False)
        self.watch(feed, "read_only", self._say, init=False)
        self._say()

    def _say(self) -> None:
        feed = feed_of(self)
        lines: list[Line] = [
            (Cell("No networks yet.", "strong"),),
            (),
            (Cell("A network is a bridge on this host for guests to plug into, with"),),
            (Cell("addresses from DHCP, names in DNS, and rules about what may pass."),),
            (),
        ]
        self._ways.clear()
        if feed.read_only:
            self.show([*lines, (Cell("This is only to look: nothing can be made here.", "dim"),)])
            return
        for key, action, words in WAYS:
            self._ways[len(lines)] = action
            lines.append((Cell(key, "accent"), Cell(f"  {words}")))
            if key == "e":
                if self._examples:
                    lines.append((Cell(f"   {', '.join(self._examples)}", "dim"),))
                lines.append((Cell(f"   in {self._place}", "dim"),))
        lines.append(())
        if feed.host is not None and feed.host.via == "sandbox":
            lines.append((Cell("This is the sandbox: nothing that you do here touches the host."),))
        else:
            lines.append((Cell("To try everything first, without touching this host:"),))
            lines.append((Cell("   vnet-tui --sandbox"),))
        self.show(lines)

    async def on_click(self, event: events.Click) -> None:
        """As the key of that line."""
        action = self._ways.get(event.y - self.styles.padding.top)
        if action is not None:
            await self.run_action(action)
