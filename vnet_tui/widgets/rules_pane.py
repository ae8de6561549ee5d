"""The forwarding rules of a network, in words, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.widget import Widget

from vnet_tui.client.connection import Connection
from vnet_tui.engine.model import Action, Mode
from vnet_tui.engine.rule_counters import DEFAULT_IN, DEFAULT_OUT, NOTHING, Count
from vnet_tui.engine.views import NetworkInfo, NetworkTraffic, RuleState, RuleStatus
from vnet_tui.units import SIZE_WIDTH, byte_size, packet_count
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.document import read_document
from vnet_tui.widgets.live_table import EMPTY, Cell, LiveTable
from vnet_tui.widgets.pane import Pane
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.states import MODES, RULE_STATES

COLUMNS = (
    Column(key="direction", label="way", width=5),
    Column(key="position", label="#", width=3, justify="right"),
    Column(key="rule", label="rule", width=28, grow=4, most=90),
    Column(key="state", label="state", width=9),
    Column(key="guest", label="leads to", width=15, grow=1, most=40),
    Column(key="packets", label="packets", width=SIZE_WIDTH, justify="right"),
    Column(key="bytes", label="bytes", width=SIZE_WIDTH, justify="right", drop=1),
)

DEFAULT_KEYS = {"incoming": DEFAULT_IN, "outgoing": DEFAULT_OUT}

DIRECTIONS = {"incoming": Cell("↓ in", "in"), "outgoing": Cell("↑ out", "out")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the engine says of the rules, and what decides where none of them matches."""

    rules: tuple[RuleStatus, ...]
    defaults: dict[str, Action]


class RulesPane(Pane[Rules]):
    """A line about the mode, and a table of the rules with what each has decided."""

    TITLE = "Rules"
    DETAILED = True

    def __init__(
        self, connection: Connection, info: NetworkInfo, clock: Callable[[], float]
    ) -> None:
        super().__init__(connection, info, clock)
        self._rows: dict[str, tuple[str, tuple[Cell, ...]]] = {}
        self._counts: Mapping[str, Count] = {}

    def compose_body(self) -> ComposeResult:
        """The mode and the table."""
        yield Picture(id="rules-mode")
        yield LiveTable[str](COLUMNS, id="rules-table")

    @property
    def focus_target(self) -> Widget:
        """The table."""
        return self._table

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
        if not self.info.active:
            self._counts = {}
        rows: list[tuple[str, str, tuple[Cell, ...]]] = []
        isolated = self.info.mode is Mode.ISOLATED
        for direction, label in DIRECTIONS.items():
            for rule in data.rules:
                if rule.direction == direction:
                    rows.append((f"{direction} {rule.position}", rule.key, _row(label, rule)))
            verdict = Action.DENY if isolated else data.defaults[direction]
            state = RULE_STATES[RuleState.ACTIVE] if self.info.active else EMPTY
            rows.append(
                (
                    f"{direction} default",
                    DEFAULT_KEYS[direction],
                    (label, EMPTY, Cell(f"{verdict} everything else", "dim"), state, EMPTY),
                )
            )
        self._rows = {key: (row, cells) for row, key, cells in rows if key}
        self._table.set_rows((row, cells + self._figures(key)) for row, key, cells in rows)

    def take_sample(self, time: float, traffic: NetworkTraffic | None) -> None:  # noqa: ARG002
        """What was counted since: only rules that decided something are looked at."""
        before, self._counts = self._counts, traffic.rules if traffic else {}
        if self._counts is before or self.presented != self.info.uuid:
            return
        first = bool(before) is not bool(self._counts)
        for key, (row, cells) in self._rows.items():
            if first or before.get(key) != self._counts.get(key):
                self._table.update_row(row, cells + self._figures(key))

    def _figures(self, key: str) -> tuple[Cell, Cell]:
        """What a rule decided; nothing where rules aren't counted, or it is off."""
        if not (key and self._counts):
            return EMPTY, EMPTY
        count = self._counts.get(key, NOTHING)
        role = "plain" if count.packets else "dim"
        return Cell(packet_count(count.packets), role), Cell(byte_size(count.bytes), role)

    @property
    def _table(self) -> LiveTable[str]:
        return self.query_one("#rules-table", LiveTable)


def _row(label: Cell, rule: RuleStatus) -> tuple[Cell, ...]:
    if rule.guest is not None:
        guest = Cell(str(rule.guest))
    elif rule.state is RuleState.WAITING:
        guest = Cell("guest unknown", "warn")
    elif rule.note:
        guest = Cell(rule.note, "warn")
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
