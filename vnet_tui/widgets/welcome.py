"""What is shown while there are no networks: how to get the first one."""

from __future__ import annotations

from pathlib import Path

from textual import events

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

    def __init__(
        self, examples: Path, *, sandbox: bool, read_only: bool, id: str | None = None
    ) -> None:
        """``sandbox``: this is one. ``read_only``: nothing can be made from here."""
        super().__init__(id=id)
        self._examples = examples
        self._sandbox = sandbox
        self._read_only = read_only
        self._ways: dict[int, str] = {}

    def on_mount(self) -> None:
        """Say it."""
        lines: list[Line] = [
            (Cell("No networks yet.", "strong"),),
            (),
            (Cell("A network is a bridge on this host for guests to plug into, with"),),
            (Cell("addresses from DHCP, names in DNS, and rules about what may pass."),),
            (),
        ]
        if self._read_only:
            self.show([*lines, (Cell("This is only to look: nothing can be made here.", "dim"),)])
            return
        for key, action, words in WAYS:
            self._ways[len(lines)] = action
            lines.append((Cell(key, "accent"), Cell(f"  {words}")))
            if key == "e":
                names = ", ".join(sorted(path.stem for path in self._examples.glob("*.xml")))
                lines.append((Cell(f"   {names};", "dim"),))
                lines.append((Cell(f"   they are in {self._examples}", "dim"),))
        lines.append(())
        if self._sandbox:
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
