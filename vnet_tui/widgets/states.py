"""The symbol, the word and the colour of each state, the same everywhere."""

from __future__ import annotations

from vnet_tui.engine.model import Mode
from vnet_tui.engine.views import RuleState, State
from vnet_tui.widgets.live_table import Cell

STATE_SYMBOLS = {
    State.ACTIVE: Cell("●", "good"),
    State.DRIFTED: Cell("◐", "warn"),
    State.DEFINED: Cell("○", "dim"),
    State.DAMAGED: Cell("✗", "bad"),
}

EDITED = "✎"
"""What marks staged edits, which aren't applied yet."""

RULE_STATES = {
    RuleState.ACTIVE: Cell("● active", "good"),
    RuleState.WAITING: Cell("◌ waiting", "warn"),
    RuleState.OFF: Cell("○ off", "dim"),
}

MODES = {
    Mode.ISOLATED: "isolated: nothing passes beyond the network",
    Mode.NAT: "NAT: guests appear as this host",
    Mode.ROUTE: "routed: guests appear with their own addresses",
}
