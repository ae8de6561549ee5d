"""The forwarding rules of a network, in words, in the order in which they are tried."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.widget import Widget

from vnet_tui.engine.model import Action, Mode
from vnet_tui.engine.views import NetworkInfo, RuleState, RuleStatus
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.document import read_document
from vnet_tui.widgets.live_table import EMPTY, Cell, LiveTable
from vnet_tui.widgets.pane import Pane
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.states import MODES, RULE_STATES

COLUMNS = (
    Column(key="direction", label="direction", width=10),
    Column(key="position", label="#", width=3, justify="right"),
    Column(key="rule", label="rule", width=28, grow=4, most=90),
    Column(key="state", label="state", width=9),
    Column(key="guest", label="leads to", width=15, grow=1, most=40),
)

DIRECTIONS = {"incoming": Cell("↓ incoming", "in"), "outgoing": Cell("↑ outgoing", "out")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the engine says of the rules, and what decides where none of them matches."""

    rules: tuple[RuleStatus, ...]
    defaults: dict[str, Action]


class RulesPane(Pane[Rules]):
    """A line about the mode, and a table of the rules."""

    TITLE = "Rules"

    def compose_body(self) -> ComposeResult:
        """The mode and the table."""
        yield Picture(id="rules-mode")
        yield LiveTable[str](COLUMNS, id="rules-table")

    @property
    def focus_target(self) -> Widget:
        """The table."""
        return self.query_one("#rules-table", LiveTable)

    async def fetch(self, info: NetworkInfo) -> Rules:
        """The rules, and the defaults from the document."""
        rules = await self.connection.rules(info.uuid)
        document = await read_document(self.connection, info.uuid)
        defaults = {
            "incoming": document.incoming.default or Action.DENY,
            "outgoing": document.outgoing.default or Action.ALLOW,
        }
        return Rules(rules=rules, defaults=defaults)

    def present(self, data: Rules) -> None:
        """Fill the table: incoming, its default, outgoing, its default."""
        self.query_one("#rules-mode", Picture).show([_mode_line(self.info, data.rules)])
        rows: list[tuple[str, tuple[Cell, ...]]] = []
        isolated = self.info.mode is Mode.ISOLATED
        for direction, label in DIRECTIONS.items():
            for rule in data.rules:
                if rule.direction == direction:
                    rows.append((f"{direction} {rule.position}", _row(label, rule)))
            verdict = Action.DENY if isolated else data.defaults[direction]
            state = RULE_STATES[RuleState.ACTIVE] if self.info.active else EMPTY
            rows.append(
                (
                    f"{direction} default",
                    (label, EMPTY, Cell(f"{verdict} everything else", "dim"), state, EMPTY),
                )
            )
        self.query_one("#rules-table", LiveTable).set_rows(rows)


def _row(label: Cell, rule: RuleStatus) -> tuple[Cell, ...]:
    if rule.guest is not None:
        guest = Cell(str(rule.guest))
    elif rule.state is RuleState.WAITING:
        guest = Cell("guest unknown", "warn")
    else:
        guest = EMPTY
    return (
        label,
        Cell(str(rule.position + 1), "dim"),
        Cell(rule.text, "dim" if rule.state is RuleState.OFF else "plain"),
        RULE_STATES[rule.state],
        guest,
    )


def _mode_line(info: NetworkInfo, rules: tuple[RuleStatus, ...]) -> Line:
    line = [Cell(f" {MODES[info.mode]}", "dim")]
    waiting = sum(rule.state is RuleState.WAITING for rule in rules)
    if waiting:
        line.append(Cell(f" · {waiting} waiting", "warn"))
    if not info.active:
        line.append(Cell(" · not running", "warn"))
    return tuple(line)
