"""How far the running changes are: a line that is there only while there is one."""

from __future__ import annotations

from collections.abc import Sequence

from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.operations import Running
from vnet_tui.widgets.picture import Line, Picture

BAR = 12
"""The length of the bar, in cells."""


class ProgressLine(Picture):
    """Watches the application's ``operations``."""

    DEFAULT_CSS = "ProgressLine { dock: bottom; background: $panel; }"

    def on_mount(self) -> None:
        """Follow what the application runs."""
        self.watch(self.app, "operations", self._follow)

    def _follow(self, operations: Sequence[Running]) -> None:
        self.show([progress_line(operations)] if operations else [])


def progress_line(operations: Sequence[Running]) -> Line:
    """``starting lab  ██████░░░░░░  3/12  start dnsmasq``, and how many more are running."""
    running = operations[0]
    cells = [Cell(f" {running.operation.title}  ", "strong")]
    if running.progress is not None and running.progress.total:
        done, total = running.progress.done, running.progress.total
        full = BAR * done // total
        cells += [
            Cell("█" * full, "accent"),
            Cell("░" * (BAR - full), "dim"),
            Cell(f"  {done}/{total}  "),
            Cell(running.progress.step, "dim"),
        ]
    if len(operations) > 1:
        cells.append(Cell(f"   and {len(operations) - 1} more", "dim"))
    return tuple(cells)
