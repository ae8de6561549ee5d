"""How long changes stay on trial: a line on top of every screen, only while some are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet_tui.trial import trial_of
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture

if TYPE_CHECKING:
    from vnet_tui.engine.views import Checkpoint


class TrialLine(Picture):
    """Counts down. A second changes its figures only."""

    DEFAULT_CSS = """
    TrialLine { dock: top; height: 1; background: $warning 25%; }
    TrialLine:ansi { background: ansi_default; text-style: reverse; }
    """

    def on_mount(self) -> None:
        """Follow the checkpoint, the connection and the clock; a sample may come before the
        second is over, and without a connection none comes."""
        for name in ("checkpoint", "connection", "sample"):
            self.watch(self.app, name, self._tell)
        self.set_interval(1, self._tell)

    def _tell(self) -> None:
        app = trial_of(self)
        if app.checkpoint is not None:
            line = trial_line(
                app.checkpoint,
                app.time_left,
                own=app.on_trial_here,
                connected=app.connection is not None,
                keys=not (self.screen.is_modal or app.read_only),
            )
            self.show([line])


def trial_line(
    checkpoint: Checkpoint, left: int, *, own: bool, connected: bool, keys: bool
) -> Line:
    """What is on trial, how many seconds are ``left``, and what can be done about it."""
    if checkpoint.note:
        return (Cell(" ✗ can't be rolled back yet: ", "bad"), Cell(checkpoint.note))
    whose = "your changes are" if own else f"changes of {checkpoint.who} are"
    if not left:
        return (Cell(" ! time is up ", "bad"), Cell(f" {whose} being rolled back"))
    cells = [Cell(f" ! on trial {left:>4} s ", "warn"), Cell(f" {whose} rolled back then")]
    if not connected:
        return (*cells, Cell(" by the host: connect again to keep them", "bad"))
    if keys:
        cells += [Cell("   y ", "accent"), Cell("keep  "), Cell(" R ", "accent")]
        cells.append(Cell("roll back now"))
    return tuple(cells)
