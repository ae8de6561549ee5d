"""How long changes stay on trial: a line on top of every screen, only while some are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vnet_tui.actions import KEEP_TRIAL, ROLL_BACK_TRIAL
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
                half=app.checkpoint.id == app.half,
                connected=app.connection is not None,
                keys=self._keys(),
            )
            self.show([line])

    def _keys(self) -> dict[str, str]:
        """The actions that can be done from where the keys go to now, each with its key."""
        focused = self.screen.focused
        keys: dict[str, str] = {}
        for key, active in self.screen.active_bindings.items():
            named = active.binding.id
            if named not in WORDS or named in keys:
                continue
            typed = key if len(key) == 1 else None
            if focused is None or not focused.check_consume_key(key, typed):
                keys[named] = self.app.get_key_display(active.binding)
        return keys


WORDS = {KEEP_TRIAL.id: "keep", ROLL_BACK_TRIAL.id: "roll back"}


def trial_line(
    checkpoint: Checkpoint,
    left: int,
    *,
    own: bool,
    connected: bool,
    keys: Mapping[str, str],
    half: bool = False,
) -> Line:
    """What is on trial, how many seconds are ``left``, and what can be done about it: ``keys`` by
    the ids of their actions. ``half``: it is a part of what was to be applied."""
    if checkpoint.note:
        return (Cell(" ✗ can't be rolled back yet: ", "bad"), Cell(checkpoint.note))
    whose = "your changes" if own else f"changes of {checkpoint.who}"
    if not left:
        now = f"{whose} are being rolled back" if connected else f"the host rolls {whose} back"
        return (Cell(" ! time is up ", "bad"), Cell(f" {now}"))
    what = "applied by half" if half else "on trial"
    cells = [Cell(f" ! {what} {left:>4} s ", "warn")]
    if not connected:
        cells += [Cell(f" then the host rolls {whose} back", "bad")]
        return tuple(cells) if half else (*cells, Cell("; connect to keep them"))
    cells.append(Cell(f" {whose} are rolled back then "))
    for action, word in WORDS.items():
        if action in keys:
            cells += [Cell(f"  {keys[action]} ", "accent"), Cell(word)]
    return tuple(cells)
