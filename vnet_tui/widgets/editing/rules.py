"""The tabs with the rules: what may reach the guests, and what they may open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual.binding import BindingType

from vnet_tui import actions
from vnet_tui.drafts.lists import INCOMING, OUTGOING, Kind, Place, switched
from vnet_tui.engine.model import Action, Forwarding, Mode, Network, Policy
from vnet_tui.engine.policy import rule_keys
from vnet_tui.engine.rule_counters import DEFAULT_IN, DEFAULT_OUT, NOTHING
from vnet_tui.engine.rule_words import describe
from vnet_tui.engine.views import RuleState
from vnet_tui.units import SIZE_WIDTH, byte_size, packet_count
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.editing.list_tab import ListTab
from vnet_tui.widgets.editing.settings import Setting, line_of
from vnet_tui.widgets.editing.tab import Edited
from vnet_tui.widgets.fields import ChoiceField
from vnet_tui.widgets.live_table import EMPTY, Cell
from vnet_tui.widgets.states import RULE_STATES

COLUMNS = (
    Column(key="position", label="#", width=5, justify="right"),
    Column(key="rule", label="rule", width=36, grow=4, most=110),
    Column(key="state", label="now", width=11),
    Column(key="packets", label="packets", width=SIZE_WIDTH, justify="right"),
    Column(key="bytes", label="bytes", width=SIZE_WIDTH, justify="right", drop=1),
)

NOT_RUNNING = Cell("◇ not yet", "accent")
"""A rule that doesn't run as it is edited."""

NOBODY = "no guest of that name yet"
"""Why a rule waits."""


class RulesTab(ListTab):
    """The rules of one policy in the order in which they are tried, and its default."""

    BINDINGS: ClassVar[list[BindingType]] = [actions.SWITCH_RULE.binding()]
    DIRECTION: ClassVar[str]
    DEFAULT_KEY: ClassVar[str]
    DEFAULT: ClassVar[Action]

    _keys: Sequence[str] = ()
    _keyed: Network | None = None

    def __init__(self, *, counted: bool = True) -> None:
        """``counted``: of rules that may run, what they decided is shown."""
        settings = [_default(self.DIRECTION, self.DEFAULT)]
        columns = COLUMNS if counted else COLUMNS[:-2]
        super().__init__(columns, settings, id=f"editor-{self.DIRECTION}")

    @property
    def _kind(self) -> Kind:
        return self.KINDS[0]

    def draw(self) -> None:
        """Find what runs by what each rule says; that is done once for each network."""
        if self.network is not None and self.network is not self._keyed:
            self._keys = rule_keys(self.network, self.DIRECTION)
            self._keyed = self.network
        super().draw()

    def cells(self, place: Place, element: Any) -> Sequence[Cell]:
        """The rule in words, whether it works, and what it decided."""
        words = describe(element, outgoing=self._kind is OUTGOING)
        if not element.established:
            words += ", established ones, too"
        if element.comment:
            words += f"  · {element.comment}"
        return (
            Cell(str(place.at + 1), "dim"),
            Cell(words, "plain" if element.enabled else "dim"),
            self._state(place, on=element.enabled),
            *self._counted(self._keys[place.at]),
        )

    def count(self) -> None:
        """What is in view is counted anew."""
        self.draw_rows()

    def _state(self, place: Place, *, on: bool) -> Cell:
        if not on:
            return RULE_STATES[RuleState.OFF]
        status = self.running.rules.get(self._keys[place.at])
        if status is not None:
            return RULE_STATES[status.state]
        return NOT_RUNNING if self.running.active else EMPTY

    def _counted(self, key: str) -> tuple[Cell, Cell]:
        known = key in self.running.rules or key == self.DEFAULT_KEY
        if not (known and self.running.counts):
            return EMPTY, EMPTY
        count = self.running.counts.get(key, NOTHING)
        role = "plain" if count.packets else "dim"
        return Cell(packet_count(count.packets), role), Cell(byte_size(count.bytes), role)

    def footing(self) -> Sequence[tuple[Place, Sequence[Cell]]]:
        """What decides the rest."""
        if self.network is None:
            return ()
        isolated = self.network.mode is Mode.ISOLATED
        policy: Policy = getattr(self.network, self.DIRECTION)
        verdict = Action.DENY if isolated else policy.default
        words = f"{verdict} everything else" + (", it is isolated" if isolated else "")
        end = len(self._kind.get(self.network))
        counted = self._counted(self.DEFAULT_KEY)
        return [(Place(self._kind, end), (EMPTY, Cell(words, "dim"), EMPTY, *counted))]

    def remark(self, place: Place) -> str:
        """What the engine says of the rule as it runs."""
        status = self.running.rules.get(self._keys[place.at])
        if status is None:
            return ""
        if status.note or status.state is RuleState.WAITING:
            return status.note or NOBODY
        return f"leads to {status.guest}" if status.guest else ""

    def action_switch_rule(self) -> None:
        """Off, or on again."""
        if self.network is not None and (place := self.place):
            word = "off" if place.of(self.network).enabled else "on"
            what = f"switch {place.kind.word} {place.at + 1} {word}"
            self.post_message(Edited(what, switched(self.network, place)))


class IncomingTab(RulesTab):
    """What may reach the guests."""

    TITLE = "Incoming"
    KINDS = (INCOMING,)
    DIRECTION = "incoming"
    DEFAULT_KEY = DEFAULT_IN
    DEFAULT = Action.DENY


class OutgoingTab(RulesTab):
    """What guests may open."""

    TITLE = "Outgoing"
    KINDS = (OUTGOING,)
    DIRECTION = "outgoing"
    DEFAULT_KEY = DEFAULT_OUT
    DEFAULT = Action.ALLOW


def _default(direction: str, default: Action) -> Setting:
    def get(network: Network) -> Action:
        policy: Policy = getattr(network, direction)
        return policy.default or default

    def put(network: Network, action: Action) -> Network:
        forwarding = network.forwarding or Forwarding(enabled=False)
        policy = getattr(forwarding, direction) or Policy()
        changes: Any = {direction: replace(policy, default=action)}
        return replace(network, forwarding=replace(forwarding, **changes))

    words = ((Action.ALLOW, "allow"), (Action.DENY, "deny"))
    field = ChoiceField("all else", words, default)

    def line(network: Network) -> int:
        policy = getattr(network.forwarding, direction) if network.forwarding else None
        return line_of(policy or network.forwarding)

    return Setting(field, f"change the {direction} default", get, put, line=line)
